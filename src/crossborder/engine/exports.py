"""Exports of what was recorded: written attempt by attempt, so that a batch may be of any size."""

from __future__ import annotations

import csv
import hashlib
import re
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from crossborder import china_time
from crossborder.errors import InputError
from crossborder.ledger import AttemptRecord, Ledger

_LOT = 2_000


def export(ledger: Ledger, batch: str, folder: Path, layout: str) -> int:
    """Write a batch's documents to `folder`: `files` (one per message) or `bundle` (a tar per endpoint and type).

    Names are the message type and the business key; nothing personal. An export only: deleting it loses nothing.
    What was voided before it was filed is left out. Raises `InputError` if it cannot be written, `NotFound` for
    an unknown batch.
    """
    ledger.batch(batch)
    if layout not in ("files", "bundle"):
        raise InputError(
            f"--layout {layout!r}: files or bundle", f"--layout {layout!r}：应为 files 或 bundle"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (_files if layout == "files" else _bundles)(ledger, batch, folder)
    except OSError as error:
        raise InputError(
            f"the folder cannot be written ({error.strerror})", f"文件夹无法写入（{error.strerror}）",
            place=str(folder), fix_en="nothing is lost: the bytes are in the ledger; choose another folder",
            fix_zh="数据未丢失：报文已在台账中；请另选文件夹",
        ) from error  # fmt: skip


def _documents(ledger: Ledger, batch: str) -> Iterator[tuple[AttemptRecord, bytes]]:
    """Attempts of a batch with their bytes: the frozen ones, else the draft."""
    now, after = china_time.now(), 0
    while lot := ledger.attempts_in(batch_ids=[batch], after=after, limit=_LOT):
        after = lot[-1].id
        for attempt in lot:
            if attempt.frozen or attempt.state != "voided":
                yield attempt, ledger.payload(attempt.frozen or attempt.draft, now)


def _name(attempt: AttemptRecord) -> str:
    safe = re.sub(r"[^0-9A-Za-z]+", "-", attempt.key)
    return f"{attempt.message_type}_{safe}_{attempt.number}.xml"


def _files(ledger: Ledger, batch: str, folder: Path) -> int:
    count = 0
    for attempt, body in _documents(ledger, batch):
        (folder / _name(attempt)).write_bytes(body)
        count += 1
    return count


def _bundles(ledger: Ledger, batch: str, folder: Path) -> int:
    count = 0
    with ExitStack() as closing:
        bundles: dict[tuple[str, str], _Bundle] = {}
        for attempt, body in _documents(ledger, batch):
            place = (attempt.endpoint, attempt.message_type)
            if place not in bundles:
                stem = f"{re.sub(r'[^0-9A-Za-z]+', '-', attempt.endpoint)}_{attempt.message_type}"
                bundles[place] = _Bundle(folder, stem, closing)
            bundles[place].add(attempt, body)
            count += 1
    return count


class _Bundle:
    """A tar and its index (`key, offset, length, sha256`), written side by side."""

    def __init__(self, folder: Path, stem: str, closing: ExitStack) -> None:
        self._tar = closing.enter_context((folder / f"{stem}.tar").open("wb"))
        closing.callback(self._tar.write, bytes(2 * tarfile.BLOCKSIZE))
        path = folder / f"{stem}.index.csv"
        index = closing.enter_context(path.open("w", encoding="utf-8", newline=""))
        self._index: Any = csv.writer(index, lineterminator="\n")
        self._index.writerow(["key", "offset", "length", "sha256"])

    def add(self, attempt: AttemptRecord, body: bytes) -> None:
        """One more document."""
        member = tarfile.TarInfo(_name(attempt))
        member.size = len(body)
        self._tar.write(member.tobuf(tarfile.GNU_FORMAT))
        start = self._tar.tell()
        self._tar.write(body)
        self._tar.write(bytes(-len(body) % tarfile.BLOCKSIZE))
        self._index.writerow([attempt.key, start, len(body), hashlib.sha256(body).hexdigest()])
