"""What a person decides, with reason and entry: an unknown is resolved, a key freed, an attention acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, or_, select, update

from crossborder import china_time
from crossborder.errors import LedgerError, NotFound
from crossborder.keys import normalise
from crossborder.ledger import tables
from crossborder.ledger.base import Base, event
from crossborder.ledger.houses import refuse_houses
from crossborder.ledger.outbox import values_of
from crossborder.ledger.records import Resolution, Sent
from crossborder.ledger.states import DECLARATION, MANIFEST, UNKNOWN
from crossborder.log import mask_text

A = tables.attempts
_AS = {
    "received": "received", "not-received": "not_received", "not_received": "not_received", "declined": "declined",
}  # fmt: skip
_MOST = 500
"""Characters of a reason that are kept."""


class Decisions(Base):
    """Operator verbs. Each needs a reason; a dry run changes nothing."""

    def resolve(
        self,
        which: int | str,
        as_: str,
        reason: str,
        who: str,
        now: datetime,
        *,
        dry_run: bool = False,
    ) -> Resolution:
        """A person says what became of an unknown: `received`, `not-received` (the same bytes go again), or `declined`
        (the port or customs had it and refused it: it is over, and may be handed in corrected).

        `which` is an attempt's id or a waybill (house: its declaration; master: its manifest). Raises
        `NotFound` if nothing unknown has it, `LedgerError` if several do, if no reason is given, or if `as_` is
        none of the words.
        """
        outcome = _AS.get(as_)
        if outcome is None:
            raise LedgerError(f"resolve as what? {as_!r}", f"无法识别的处置 {as_!r}",
                              fix_en="received, not-received or declined", fix_zh="received、not-received 或 declined")  # fmt: skip
        reasoned(reason)
        with self.write() as connection:
            row = _unknown(connection, which)
            at = china_time.iso(now)
            values = values_of(Sent(row["id"], outcome, retry_at=now), at)
            answer = Resolution(row["id"], row["key"], UNKNOWN, values["state"], dry_run)
            if dry_run:
                return answer
            connection.execute(update(A).where(A.c.id == row["id"]).values(values))
            self._decided(connection, row, who, "resolved", values["state"], reason, at)
            if outcome == "declined" and row["kind"] == MANIFEST:
                refuse_houses(connection, row["id"])
        return answer

    def free(
        self,
        which: int | str,
        may_be: Callable[[str, str], bool],
        reason: str,
        who: str,
        now: datetime,
        *,
        dry_run: bool = False,
    ) -> Resolution:
        """A person decides that what customs has ended may be filed again: its key is free, its state stays.

        `may_be` tells by message type and last code whether that is a person's to decide. `which` as for `resolve`.
        Raises `NotFound`, `LedgerError` if nothing or several could be meant, or no reason is given.
        """
        reasoned(reason)
        with self.write() as connection:
            row = _one_of(_of(connection, which), which, lambda r: _ended(r, may_be), _NOT_ENDED)
            answer = Resolution(row["id"], row["key"], row["state"], row["state"], dry_run)
            if not dry_run:
                connection.execute(update(A).where(A.c.id == row["id"]).values(live=False))
                self._decided(connection, row, who, "freed", row["state"], reason, china_time.iso(now))  # fmt: skip
        return answer

    def acknowledge(self, attempt_id: int, reason: str, who: str, now: datetime) -> None:
        """A person has looked at what needed attention; it is no longer raised."""
        reasoned(reason)
        with self.write() as connection:
            row = _attempt(connection, attempt_id)
            if row["attention"] is None:
                return
            connection.execute(update(A).where(A.c.id == attempt_id).values(attention=None))
            self._decided(
                connection, row, who, "acknowledged", row["state"], reason, china_time.iso(now)
            )

    def _decided(
        self,
        connection: Connection,
        row: RowMapping,
        who: str,
        verb: str,
        to_state: str,
        reason: str,
        at: str,
    ) -> None:
        detail = {"reason": reasoned(reason)}
        if row["attention"]:
            detail["attention"] = row["attention"]
        self._record(
            connection,
            [
                event(at, who, verb, batch_id=row["batch_id"], attempt_id=row["id"],
                      from_state=row["state"], to_state=to_state, detail=detail)
            ],
        )  # fmt: skip


def reasoned(reason: str) -> str:
    """The reason as it is kept: in one line, no longer than it needs, personal numbers masked. Raises `LedgerError`."""
    kept = mask_text(" ".join(reason.split()))[:_MOST]
    if not kept:
        raise LedgerError(
            "a decision needs its reason",
            "人工处置须注明原因",
            fix_en="--reason TEXT",
            fix_zh="--reason 说明",
        )
    return kept


def _attempt(connection: Connection, attempt_id: int) -> RowMapping:
    row = connection.execute(select(A).where(A.c.id == attempt_id)).mappings().first()
    if row is None:
        raise NotFound(f"no attempt {attempt_id}", f"没有编号为 {attempt_id} 的申报记录")
    return row


def _unknown(connection: Connection, which: int | str) -> RowMapping:
    return _one_of(_of(connection, which), which, lambda row: row["state"] == UNKNOWN, _NOT_UNKNOWN)


def _ended(row: RowMapping, may_be: Callable[[str, str], bool]) -> bool:
    over = row["live"] and row["final"] and not row["released"]
    return bool(over) and may_be(row["message_type"], row["last_code"] or "")


class _Else(NamedTuple):
    """What is said where nothing, or more than one message, could be meant."""

    none_en: str
    none_zh: str
    many_en: str
    many_zh: str


_NOT_UNKNOWN = _Else(
    "it is not unknown (state: {states}); there is nothing to resolve", "其状态不是 unknown（当前：{states}），无需处置",
    "{n} unknown messages have this waybill: {keys}", "该运单对应 {n} 份未知报文：{keys}",
)  # fmt: skip
_NOT_ENDED = _Else(
    "customs has not ended it in a way that leaves it to a person whether it is filed again (state: {states})",
    "海关回执并未将其留待人工决定能否重新申报（当前：{states}）",
    "{n} messages of this waybill wait for that decision: {keys}", "该运单有 {n} 份报文待此决定：{keys}",
)  # fmt: skip


def _of(connection: Connection, which: int | str) -> Sequence[RowMapping]:
    """The attempts of a number, a house waybill (its declaration) or a master waybill (its manifest)."""
    if isinstance(which, int):
        chosen = A.c.id == which
    else:
        wanted = normalise(which)
        s = tables.shipments.c
        keys = connection.execute(select(s.key).where(s.house_key == wanted).distinct()).scalars()
        stem = f"{wanted}|"
        chosen = or_(
            (A.c.kind == DECLARATION) & A.c.key.in_([k for k in keys if k]),
            (A.c.kind == MANIFEST) & (A.c.key >= stem) & (A.c.key < stem[:-1] + "}"),
        )
    return connection.execute(select(A).where(chosen)).mappings().all()


def _one_of(
    rows: Sequence[RowMapping],
    which: int | str,
    wanted: Callable[[RowMapping], bool],
    otherwise: _Else,
) -> RowMapping:
    found = [row for row in rows if wanted(row)]
    if len(found) == 1:
        return found[0]
    place = str(which)
    if not rows:
        raise NotFound("nothing filed has this waybill", "没有该运单的申报记录", place=place)
    if not found:
        states = ", ".join(sorted({row["state"] for row in rows}))
        raise LedgerError(
            otherwise.none_en.format(states=states),
            otherwise.none_zh.format(states=states),
            place=place,
        )
    keys = [row["key"] for row in found]
    raise LedgerError(
        otherwise.many_en.format(n=len(keys), keys=", ".join(keys)),
        otherwise.many_zh.format(n=len(keys), keys="、".join(keys)),
        place=place, fix_en="name the attempt by its number", fix_zh="请改用申报记录编号",
    )  # fmt: skip
