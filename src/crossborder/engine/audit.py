"""Auditing: the verdict on the ledger's history, and the trail as files that are checked without this program."""

from __future__ import annotations

import hashlib
import json
import pkgutil
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossborder.engine import looking
from crossborder.engine.audit_readme import README
from crossborder.engine.results import FORMAT
from crossborder.errors import InputError
from crossborder.ledger import Audit, Head, Ledger, chain
from crossborder.reports import opened_whole, write_whole

Progress = Callable[[int, int], None]
ENTRIES, HEAD, SCRIPT, PAGE = "entries.jsonl", "head.json", "verify.py", "README.md"


@dataclass(frozen=True)
class Audited:
    """What `audit verify` found. `heads_kept`: how many earlier heads were asked for."""

    audit: Audit
    heads_kept: int = 0

    @property
    def intact(self) -> bool:
        """Whether the chain is whole and the ledger is what it says."""
        return self.audit.intact

    @property
    def head(self) -> str:
        """`NUMBER:DIGEST` of the last entry, to be kept elsewhere."""
        return shown(self.audit.head)

    def as_json(self) -> dict[str, Any]:
        """As `audit verify --json` shows it."""
        found = self.audit
        return {
            "format": FORMAT, "intact": self.intact, "entries": found.entries, "head": self.head,
            "blocks": found.blocks, "attempts": found.attempts, "heads_kept": self.heads_kept,
            "chained_later": [{"entry": number, "at": at} for number, at in found.chained_later],
            "faults": [fault.as_dict() for fault in found.faults], "more_faults": found.more,
        }  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """What `audit export` wrote: into which folder, how many entries; `head` is `NUMBER:DIGEST`."""

    folder: Path
    entries: int
    whole: bool
    head: str

    def as_json(self) -> dict[str, Any]:
        """As `audit export --json` shows it."""
        return {
            "format": FORMAT, "folder": str(self.folder), "entries": self.entries, "whole": self.whole,
            "head": self.head,
        }  # fmt: skip


def verify(ledger: Ledger, since: Sequence[str], progress: Progress) -> Audited:
    """Verify the chain. `since`: heads that were kept, `NUMBER:DIGEST` each, or a `head.json`."""
    kept = [read_head(word) for word in since]
    return Audited(ledger.audit(kept, progress), len(kept))


def export(
    ledger: Ledger, folder: Path, only: Sequence[str], day: str, progress: Progress
) -> Exported:
    """Write the trail (of some batches) with the script that checks it. Raises `InputError`, `NotFound`."""
    whole = not only and not day
    batches = None if whole else [batch.id for batch in looking.select(ledger, only, day)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder cannot be made ({error.strerror})", f"文件夹无法建立（{error.strerror}）", place=str(folder),
            fix_en="choose another folder", fix_zh="请另选文件夹",
        ) from error  # fmt: skip
    head, listed, count = ledger.audit_head(), hashlib.sha256(), 0
    with opened_whole(folder / ENTRIES) as file:
        for lot in ledger.audit_entries(head.last, batches):
            for *row, digest, before in lot:
                line = chain.written(*row)
                file.write(f'{line[:-1]},"prev":"{before}","digest":"{digest}"}}\n'.encode())
                listed.update(str(digest).encode())
            count += len(lot)
            progress(count, head.last if whole else 0)
    told = {
        "format": FORMAT, "whole": whole, "entries": count, "list": listed.hexdigest(), "last": head.last,
        "digest": head.digest, "batches": batches,
    }  # fmt: skip
    write_whole(folder / HEAD, (json.dumps(told, indent=1) + "\n").encode())
    write_whole(folder / SCRIPT, _script())
    write_whole(folder / PAGE, README.encode())
    return Exported(folder, count, whole, shown(head))


def shown(head: Head) -> str:
    """A head as it is kept elsewhere."""
    return f"{head.last}:{head.digest}"


def read_head(word: str) -> Head:
    """A head as it was kept: `NUMBER:DIGEST`, or the path of a `head.json`. Raises `InputError`."""
    told = word
    if not re.fullmatch(r"[0-9]+:.*", word):
        told = _from_file(Path(word)) or word
    found = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", told.strip().lower())
    if found is None:
        raise InputError(
            f"not a head of an audit chain: {word!r}", f"不是审计链头：{word!r}", place="--since",
            fix_en="NUMBER:DIGEST as `crossborder audit export` told it, or the head.json that it wrote",
            fix_zh="请给 crossborder audit export 当时给出的“编号:摘要”，或其写出的 head.json",
        )  # fmt: skip
    return Head(int(found[1]), found[2])


def _from_file(file: Path) -> str:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return f"{told['last']}:{told['digest']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _script() -> bytes:
    """The module that is written out as it stands: it imports nothing of this package, and runs when it is imported."""
    text = pkgutil.get_data("crossborder.engine", "audit_check.py")
    if text is None:
        raise AssertionError("unreachable: the module is part of this package")
    return text
