"""Recording a hand-in in the ledger: block after block, then sealed; exports of what was recorded."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from crossborder import china_time, messages
from crossborder.engine.answers import Prepared
from crossborder.engine.batches import Drafts, draft
from crossborder.engine.handing_in import HandIn, meet_ledger
from crossborder.engine.results import Checked, findings_json
from crossborder.errors import InputError, LedgerError, SchemaError
from crossborder.keys import normalise
from crossborder.ledger import (
    AttemptDraft,
    AttemptRecord,
    BatchDraft,
    BatchRecord,
    FindingRow,
    HouseRow,
    KeysTaken,
    Ledger,
    ShipmentRow,
)
from crossborder.settings import Settings

Progress = Callable[[int, int], None]
SMALL = 500
"""Hand-ins of fewer documents are checked in full by libxml2; of larger ones, one document in a hundred."""
TRIES = 3
GIVEN_UP = "its recording was broken off, and another file brings the same master waybill"
CHANGED = "its recording was broken off, and the same file is judged otherwise now"


def record(
    checked: Checked, ledger: Ledger, settings: Settings, profile: str, now: datetime, *, who: str,
    source_name: str, idempotency: tuple[int, str] | None, progress: Progress,
) -> Prepared:  # fmt: skip
    """Meet the ledger, compose, record, seal. Raises `LedgerError`; a crash loses nothing and doubles nothing."""
    for left in range(TRIES - 1, -1, -1):
        batch = ledger.begin_batch(
            BatchDraft(
                source_name=source_name, source_digest=checked.source_digest, mapping=checked.mapping,
                profile=profile, rows=checked.rows,
                day=china_time.day(now, settings.day_starts).strftime("%Y%m%d"), idempotency=idempotency,
            ),
            now,
        )  # fmt: skip
        try:
            ledger.discard_abandoned(_masters(checked), who, GIVEN_UP, now)
            hand_in = meet_ledger(checked, ledger, now, own_batch=batch.id)
            if not _goes_on(hand_in, ledger, batch):
                ledger.leave_batch(batch.id)
                ledger.discard_batch(batch.id, who, CHANGED, now)
                continue
            drafts = draft(hand_in, ledger, settings.endpoints, now)
            _prove(drafts, settings)
            _blocks(
                hand_in,
                drafts,
                ledger,
                batch.id,
                batch.recorded,
                settings.ledger.block,
                now,
                progress,
            )
            ledger.seal(batch.id, hand_in.counts, now, rows=checked.rows)
        except KeysTaken:
            if not left:
                raise
            continue
        finally:
            ledger.leave_batch(batch.id)
        return Prepared(
            batch.id,
            hand_in.checked,
            hand_in.counts,
            drafts.manifests.height,
            drafts.left_out.height,
        )
    raise LedgerError(
        "other processes keep recording the same waybills", "其他进程正在录入相同的运单",
        place=source_name, fix_en="wait until they are done and hand the file in again", fix_zh="请等待其完成后重新提交",
    )  # fmt: skip


def _masters(checked: Checked) -> list[str]:
    """Normalised master waybills of a hand-in."""
    return [normalise(m) for m in checked.frames.shipments["master_waybill"].drop_nulls().unique()]


def _goes_on(hand_in: HandIn, ledger: Ledger, batch: BatchRecord) -> bool:
    """Whether what was committed before a crash is what the file would be recorded as now."""
    if not batch.recorded:
        return True
    before = [s.outcome for s in ledger.shipments_in(batch.id)]
    return before == hand_in.plan.sort("ship")["outcome"].head(batch.recorded).to_list()


def _prove(drafts: Drafts, settings: Settings) -> None:
    """libxml2 looks at every document of a small hand-in, and at each hundredth of a large one (promise P1)."""
    total = drafts.declarations.height + drafts.manifests.height
    step = 1 if total < SMALL else 100
    for message, frame in (("EXP301", drafts.declarations), ("EXP311", drafts.manifests)):
        for (name,), group in frame.group_by("endpoint", maintain_order=True):
            form = settings.endpoints[str(name)].form
            sample = group.gather_every(step)
            wrong = messages.verify((x.encode("utf-8") for x in sample["xml"]), message, form)
            for key, reason in zip(sample["key"], wrong, strict=True):
                if reason is not None:
                    raise SchemaError(
                        f"the composed document is not valid: {reason}", f"所组报文不符合 XSD：{reason}",
                        place=f"{message} {key}", fix_en="please report this as a fault of crossborder",
                        fix_zh="请作为软件缺陷报告",
                    )  # fmt: skip


def _blocks(
    hand_in: HandIn, drafts: Drafts, ledger: Ledger, batch: str, recorded: int, size: int, now: datetime,
    progress: Progress,
) -> None:  # fmt: skip
    """Shipments block by block, each with its findings and declarations; then the manifests and the file's findings."""
    rows = list(_shipment_rows(hand_in))
    declarations = {d.position: d for d in _declaration_drafts(hand_in, drafts)}
    kept = _finding_rows(hand_in.checked)
    for first in range(recorded, len(rows), size):
        block = rows[first : first + size]
        mine = range(first, first + len(block))
        ledger.record_block(
            batch,
            block,
            [declarations[p] for p in mine if p in declarations],
            [f for p in mine for f in kept.get(p, ())],
            [],
            now,
        )
        progress(first + len(block), len(rows))
    left_out = [(int(ship), en) for ship, en in drafts.left_out.select("ship", "en").iter_rows()]
    ledger.record_block(
        batch, [], list(_manifest_drafts(drafts)), kept.get(None, []), left_out, now
    )


def _shipment_rows(hand_in: HandIn) -> Iterator[ShipmentRow]:
    heads = hand_in.checked.frames.shipments.join(
        hand_in.plan, on="ship", maintain_order="left"
    ).sort("ship")
    wanted = heads.select(
        "ship", "key", "master_waybill", "house_waybill", "row", "direction", "declaration_class", "rows",
        "outcome", "digest", "attempt_id",
    )  # fmt: skip
    for (
        ship,
        key,
        master,
        house,
        row,
        direction,
        kind,
        rows,
        outcome,
        digest,
        attempt,
    ) in wanted.iter_rows():
        yield ShipmentRow(
            ship, key, master, house, house or f"#{row}", direction if direction in ("I", "E") else None,
            kind[:1] if kind else None, ranges(rows), len(rows), outcome, digest, attempt,
        )  # fmt: skip


def ranges(rows: Sequence[int]) -> str:
    """`[5, 6, 7, 9]` → `5-7,9`."""
    parts: list[list[int]] = []
    for row in sorted(rows):
        if parts and row == parts[-1][1] + 1:
            parts[-1][1] = row
        else:
            parts.append([row, row])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def _declaration_drafts(hand_in: HandIn, drafts: Drafts) -> Iterator[AttemptDraft]:
    facts = hand_in.checked.frames.shipments.select(
        "ship", "master_waybill", "house_waybill", "voyage", "direction"
    )
    joined = drafts.declarations.join(facts, on="ship", maintain_order="left")
    for ship, endpoint, key, digest, xml, master, house, voyage, direction in joined.iter_rows():
        yield AttemptDraft(
            "declaration", "EXP301", key, endpoint, master, house, voyage, direction, digest,
            xml.encode("utf-8"), position=ship,
        )  # fmt: skip


def _manifest_drafts(drafts: Drafts) -> Iterator[AttemptDraft]:
    for number, endpoint, key, master, voyage, direction, xml in drafts.manifests.iter_rows():
        houses = drafts.houses.filter(pl.col("manifest") == number).select("key", "house_waybill")
        body = xml.encode("utf-8")
        yield AttemptDraft(
            "manifest", "EXP311", key, endpoint, master, None, voyage, direction, _content(body), body,
            houses=tuple(HouseRow(*house) for house in houses.iter_rows()),
        )  # fmt: skip


_DATA = re.compile(rb"<Data>.*</Data>", re.DOTALL)


def _content(body: bytes) -> str:
    """SHA-256 of a manifest's own data: without envelope, so without id and moment."""
    found = _DATA.search(body)
    return hashlib.sha256(found[0] if found else body).hexdigest()


def _finding_rows(checked: Checked) -> dict[int | None, list[FindingRow]]:
    """Findings by shipment position (None: the file), each as JSON in both languages."""
    kept: dict[int | None, list[FindingRow]] = {}
    zh = findings_json(checked.findings, "zh")
    en = findings_json(checked.findings, "en")
    ships = checked.findings["ship"].to_list()
    actions = checked.findings["action"].to_list()
    for ship, action, in_zh, in_en in zip(ships, actions, zh, en, strict=True):
        body: dict[str, Any] = in_en | {"fix_zh": in_zh["fix"], "action": action}
        row = FindingRow(
            ship, body["rule"], body["severity"], action, json.dumps(body, ensure_ascii=False)
        )
        kept.setdefault(ship, []).append(row)
    return kept


# -- exports


def export(ledger: Ledger, batch: str, folder: Path, layout: str) -> int:
    """Write a batch's documents to `folder`: `files` (one per message) or `bundle` (a tar per endpoint and type).

    Names are the message type and the business key; nothing personal. An export only: deleting it loses nothing.
    Raises `InputError` if it cannot be written, `NotFound` for an unknown batch.
    """
    ledger.batch(batch)
    if layout not in ("files", "bundle"):
        raise InputError(
            f"--layout {layout!r}: files or bundle", f"--layout {layout!r}：应为 files 或 bundle"
        )
    attempts = ledger.attempts_in(batch_ids=[batch])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (_files if layout == "files" else _bundles)(ledger, attempts, folder)
    except OSError as error:
        raise InputError(
            f"the folder cannot be written ({error.strerror})", f"文件夹无法写入（{error.strerror}）",
            place=str(folder), fix_en="nothing is lost: the bytes are in the ledger; choose another folder",
            fix_zh="数据未丢失：报文已在台账中；请另选文件夹",
        ) from error  # fmt: skip


def _bytes(ledger: Ledger, attempt: AttemptRecord) -> bytes:
    return ledger.payload(attempt.frozen or attempt.draft, china_time.now())


def _name(attempt: AttemptRecord) -> str:
    safe = re.sub(r"[^0-9A-Za-z]+", "-", attempt.key)
    return f"{attempt.message_type}_{safe}_{attempt.number}.xml"


def _files(ledger: Ledger, attempts: Sequence[AttemptRecord], folder: Path) -> int:
    for attempt in attempts:
        (folder / _name(attempt)).write_bytes(_bytes(ledger, attempt))
    return len(attempts)


def _bundles(ledger: Ledger, attempts: Sequence[AttemptRecord], folder: Path) -> int:
    groups: dict[tuple[str, str], list[AttemptRecord]] = {}
    for attempt in attempts:
        groups.setdefault((attempt.endpoint, attempt.message_type), []).append(attempt)
    for (endpoint, message), own in groups.items():
        stem = f"{re.sub(r'[^0-9A-Za-z]+', '-', endpoint)}_{message}"
        index = []
        with tarfile.open(folder / f"{stem}.tar", "w") as bundle:
            for attempt in own:
                body = _bytes(ledger, attempt)
                member = tarfile.TarInfo(_name(attempt))
                member.size = len(body)
                at = bundle.offset
                bundle.addfile(member, io.BytesIO(body))
                start = at + 512
                index.append((attempt.key, start, len(body), hashlib.sha256(body).hexdigest()))
        frame = pl.DataFrame(index, schema=["key", "offset", "length", "sha256"], orient="row")
        frame.write_csv(folder / f"{stem}.index.csv")
    return len(attempts)
