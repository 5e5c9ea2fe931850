"""Suspend, resume, void: a person stops a message that has not left, lets it go on, or gives it up.

Who gets a message, the person or a sender, is decided by one conditional update: it moves only what still stands in the
state in which it was looked at, and a sender takes nothing that it moved. Nothing here ever sends, and nothing sends again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select, update

from crossborder import china_time
from crossborder.errors import NotFound, PayloadDamaged
from crossborder.keys import normalise
from crossborder.ledger import tables
from crossborder.ledger.base import Base, EventRow, event, without_attention
from crossborder.ledger.batches import SEALED, batch_row
from crossborder.ledger.decisions import reasoned
from crossborder.ledger.dialects import among, chunks
from crossborder.ledger.houses import let_go_on, waiting_for
from crossborder.ledger.leaving import may_have_left
from crossborder.ledger.records import PayloadRef, Ruling, Selection
from crossborder.ledger.resuming import DAMAGED
from crossborder.ledger.states import (
    DECLARATION,
    MANIFEST,
    NOT_RECEIVED,
    SENDING,
    SUSPENDED,
    UNKNOWN,
    VOIDED,
    WAITING,
)

A = tables.attempts
B = tables.batches
E = tables.events
OLDER_STANDS, STANDS_AFTER_ALL = "older_stands", "stands_after_all"
_COLUMNS = (
    A.c.id, A.c.kind, A.c.key, A.c.batch_id, A.c.endpoint, A.c.state, A.c.sends, A.c.live, A.c.final, A.c.attention,
    A.c.segment, A.c.offset, A.c.length, A.c.digest, A.c.draft_segment, A.c.draft_offset, A.c.draft_length,
    A.c.draft_digest, B.c.state.label("batch_state"), B.c.submitted_at,
)  # fmt: skip
_NOBODYS: dict[str, Any] = {"ready": False, "owner": None, "lease_until": None, "retry_at": None}
Holds = Callable[[str, str], bool]
"""(message type, code) → whether an attempt that customs has ended so still holds its key."""


class Verbs(Base):
    """Operator verbs over messages that have not left. Each needs a reason and leaves an entry; a dry run changes nothing."""

    def suspend(
        self, which: Selection, reason: str, who: str, now: datetime, *, dry_run: bool = False
    ) -> list[Ruling]:
        """Nothing of what is selected and waits is sent until `resume`; what each message is and becomes.

        What a sender holds at this moment, or has sent, is left alone and says why (`Ruling.why`). Raises `NotFound`
        for a waybill, master waybill or batch that is nowhere, `LedgerError` without a reason.
        """
        reasoned(reason)
        with self.write() as connection:
            rows = _selected(connection, which)
            fine, rulings = _apart(connection, rows, _why_not_suspended)
            values = {"state": SUSPENDED, "state_since": china_time.iso(now), **_NOBODYS}
            return self._ruled(connection, fine, rulings, "suspended", values, reason, who, now, dry_run)  # fmt: skip

    def void(
        self, which: Selection, reason: str, who: str, now: datetime, holds: Holds, *, dry_run: bool = False
    ) -> list[Ruling]:  # fmt: skip
        """Give up what is selected, as long as no byte of it can have left; its key is free for a new hand-in.

        If an older attempt of the key stands after all, that one has the key again (`holds` tells by its last code). A
        manifest whose later parts stay is left alone. Raises as `suspend`.
        """
        reasoned(reason)
        with self.write() as connection:
            rows = _selected(connection, which)
            left = may_have_left(connection, {row.id: int(row.sends) for row in rows})
            fine, rulings = _apart(connection, rows, lambda row: _why_not_voided(row, row.id in left))  # fmt: skip
            fine, parts = _without_earlier_parts(connection, fine)
            values = {
                "state": VOIDED, "state_since": china_time.iso(now), "live": False, "final": True, "attention": None,
                **_NOBODYS,
            }  # fmt: skip
            done = self._ruled(connection, fine, [*rulings, *parts], "voided", values, reason, who, now, dry_run)  # fmt: skip
            if not dry_run:
                self._older_have_it(connection, fine, holds, reason, who, now)
            return done

    def resume(
        self, which: Selection, reason: str, who: str, now: datetime, manifest_first: Mapping[str, bool], *,
        dry_run: bool = False,
    ) -> list[Ruling]:  # fmt: skip
        """Let what was suspended go on where it was. `manifest_first` as for letting go. Raises as `suspend`.

        Bytes that are still damaged, and what an older attempt that stands after all has stopped, stay suspended.
        """
        reasoned(reason)
        at = china_time.iso(now)
        with self.write() as connection:
            rows = _selected(connection, which)
            fine, rulings = _apart(connection, rows, self._why_not_resumed)
            before = _before(connection, [row.id for row in fine])
            events: list[EventRow] = []
            for row in fine:
                state = before[row.id]
                if not dry_run:
                    mark = without_attention(row.attention, DAMAGED)
                    connection.execute(update(A).where(A.c.id == row.id).values(attention=mark))
                    state = let_go_on(connection, row._mapping, state, manifest_first, at)
                    events.append(_event(row, "resumed", state, reason, who, at))
                rulings.append(_ruling(connection, row, state))
            self._record(connection, events)
            return rulings

    # -- parts of the above

    def _ruled(
        self, connection: Connection, fine: Sequence[Row[Any]], left: Sequence[Ruling], verb: str,
        values: Mapping[str, Any], reason: str, who: str, now: datetime, dry_run: bool,
    ) -> list[Ruling]:  # fmt: skip
        """Move what may be moved, if it still stands as it was looked at; the answer about all of it."""
        to, at = values["state"], china_time.iso(now)
        moved = {row.id for row in fine} if dry_run else _moved(connection, fine, values)
        done = [
            _ruling(connection, row, to) if row.id in moved else _ruling(connection, row, None, "being_sent")
            for row in fine
        ]  # fmt: skip
        if not dry_run:
            events = [_event(row, verb, to, reason, who, at) for row in fine if row.id in moved]
            self._record(connection, events)
        return [*done, *left]

    def _why_not_resumed(self, row: Row[Any]) -> str:
        if row.state != SUSPENDED:
            return "not_suspended"
        marks = (row.attention or "").split(",")
        if OLDER_STANDS in marks:
            return OLDER_STANDS
        return DAMAGED if DAMAGED in marks and not self._whole(row) else ""

    def _whole(self, row: Row[Any]) -> bool:
        """Whether the bytes that a message would send, or be stamped from, are those of their digest."""
        names = ("segment", "offset", "length", "digest")
        told = [getattr(row, n) for n in names]
        if row.segment is None:
            told = [getattr(row, f"draft_{n}") for n in names]
        try:
            self._payloads.read(PayloadRef(*told))
        except PayloadDamaged:
            return False
        return True

    def _older_have_it(
        self, connection: Connection, fine: Iterable[Row[Any]], holds: Holds, reason: str, who: str, now: datetime
    ) -> None:  # fmt: skip
        """Older attempts that stand after all have their key again."""
        at = china_time.iso(now)
        for row in fine:
            if OLDER_STANDS not in (row.attention or "").split(","):
                continue
            found = connection.execute(
                select(A.c.id, A.c.batch_id, A.c.state, A.c.final, A.c.attention, A.c.last_code, A.c.message_type)
                .where(A.c.kind == row.kind, A.c.key == row.key, ~A.c.live, A.c.id < row.id)
                .where(A.c.attention.contains(STANDS_AFTER_ALL))
                .order_by(A.c.id.desc())
            ).first()  # fmt: skip
            if found is None or (found.final and not holds(found.message_type, found.last_code or "")):  # fmt: skip
                continue
            mark = without_attention(found.attention, STANDS_AFTER_ALL)
            connection.execute(update(A).where(A.c.id == found.id).values(live=True, attention=mark))  # fmt: skip
            self._record(
                connection,
                [event(at, who, "has_its_key", batch_id=found.batch_id, attempt_id=found.id, from_state=found.state,
                       to_state=found.state, detail={"voided": row.id, "reason": reason})],
            )  # fmt: skip


def _event(row: Row[Any], verb: str, to: str, reason: str, who: str, at: str) -> EventRow:
    detail = {"reason": reasoned(reason)}
    if row.attention:
        detail["attention"] = row.attention
    return event(at, who, verb, batch_id=row.batch_id, attempt_id=row.id, from_state=row.state,
                 to_state=to, detail=detail)  # fmt: skip


def _ruling(connection: Connection, row: Row[Any], to: str | None, why: str = "") -> Ruling:
    waiting = 0 if why or row.kind != MANIFEST else waiting_for(connection, row.id)
    return Ruling(row.id, row.kind, row.key, row.batch_id, row.state, to or row.state, why, waiting)


def _apart(
    connection: Connection, rows: Iterable[Row[Any]], why: Callable[[Row[Any]], str]
) -> tuple[list[Row[Any]], list[Ruling]]:
    """What may be moved, and what is left alone, with the reason."""
    fine, left = [], []
    for row in rows:
        reason = "unsealed" if row.batch_state != SEALED else why(row)
        if reason:
            left.append(_ruling(connection, row, None, reason))
        else:
            fine.append(row)
    return fine, left


def _why_not_suspended(row: Row[Any]) -> str:
    if row.state in WAITING:
        return ""
    return "suspended" if row.state == SUSPENDED else _gone(row)


def _why_not_voided(row: Row[Any], may_have_left: bool) -> str:
    if row.state in (*WAITING, SUSPENDED):
        return "left" if may_have_left else ""
    return _gone(row)


def _gone(row: Row[Any]) -> str:
    if row.state in (SENDING, UNKNOWN):
        return "being_sent" if row.state == SENDING else "unknown"
    return "ended" if row.final else "left"


def _moved(connection: Connection, rows: Iterable[Row[Any]], values: Mapping[str, Any]) -> set[int]:
    """Move what stands as it was looked at; the ids of what was moved. This is where a race is decided."""
    groups: dict[tuple[str, int], list[int]] = {}
    for row in rows:
        groups.setdefault((row.state, row.sends), []).append(row.id)
    moved: set[int] = set()
    for (state, sends), ids in groups.items():
        for block in chunks(ids):
            done = connection.execute(
                update(A)
                .where(A.c.id.in_(block), A.c.state == state, A.c.sends == sends, A.c.owner.is_(None))
                .values(values)
                .returning(A.c.id)
            )  # fmt: skip
            moved |= set(done.scalars())
    return moved


def _without_earlier_parts(
    connection: Connection, fine: Sequence[Row[Any]]
) -> tuple[list[Row[Any]], list[Ruling]]:
    """Manifests whose later parts stay are not voided: those would wait for ever for the part before them."""
    own = {row.id for row in fine}
    kept: list[Row[Any]] = []
    left: list[Ruling] = []
    for row in fine:
        later = row.kind == MANIFEST and _later_parts(connection, row.key) - own
        if later:
            left.append(_ruling(connection, row, None, "later_part"))
        else:
            kept.append(row)
    return kept, left


def _later_parts(connection: Connection, key: str) -> set[int]:
    stem, _, part = key.rpartition("|")
    found = connection.execute(
        select(A.c.id, A.c.key).where(
            A.c.kind == MANIFEST, A.c.live, A.c.key > f"{stem}|", A.c.key < f"{stem}}}"
        )
    )
    return {number for number, other in found if int(other.rpartition("|")[2]) > int(part)}


def _before(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """The state in which each was when it was suspended last; what was about to be sent then had not left."""
    found: dict[int, str] = {}
    for block in chunks(ids):
        rows = connection.execute(
            select(E.c.attempt_id, E.c.from_state)
            .where(E.c.attempt_id.in_(block), E.c.to_state == SUSPENDED, E.c.from_state != SUSPENDED)
            .order_by(E.c.id)
        )  # fmt: skip
        found |= {n: NOT_RECEIVED if state == SENDING else str(state) for n, state in rows}
    return found


def _selected(connection: Connection, which: Selection) -> list[Row[Any]]:
    """Live messages, and others only where a waybill names nothing else; by number. Raises `NotFound`."""
    chosen: Select[Any] = select(*_COLUMNS).join(B, B.c.id == A.c.batch_id).order_by(A.c.id)
    for batch in which.batches:
        batch_row(connection, batch)
    if which.batches:
        chosen = chosen.where(among(connection, A.c.batch_id, which.batches))
    named = [_of_waybill(connection, w) for w in which.waybills]
    named += [_under(m) for m in which.masters]
    if not named:
        return [row for row in connection.execute(chosen) if row.live]
    rows: dict[int, Row[Any]] = {}
    for waybill, condition in zip((*which.waybills, *which.masters), named, strict=True):
        found = connection.execute(chosen.where(condition)).all()
        if not found:
            raise NotFound(
                "nothing in the ledger has this waybill" + (" in these batches" if which.batches else ""),
                "台账中没有该运单" + ("（所选批次内）" if which.batches else ""), place=waybill,
                fix_en="crossborder status WAYBILL shows what is known of it", fix_zh="可用 crossborder status 运单号 查询",
            )  # fmt: skip
        alive = [row for row in found if row.live]
        rows |= {row.id: row for row in alive or found[-1:]}
    return [rows[number] for number in sorted(rows)]


def _of_waybill(connection: Connection, waybill: str) -> Any:
    """A house waybill: its declaration; a master waybill: its manifest."""
    wanted = normalise(waybill)
    s = tables.shipments.c
    keys = connection.execute(select(s.key).where(s.house_key == wanted).distinct()).scalars()
    manifest = (A.c.kind == MANIFEST) & _prefixed(wanted)
    return or_((A.c.kind == DECLARATION) & A.c.key.in_([k for k in keys if k]), manifest)


def _under(master: str) -> Any:
    """A master waybill: its manifest and every declaration under it."""
    return _prefixed(normalise(master))


def _prefixed(master: str) -> Any:
    return (A.c.key >= f"{master}|") & (A.c.key < f"{master}}}")
