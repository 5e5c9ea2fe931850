"""What a person decides, with reason and entry: an unknown is resolved, a key freed, an attention acknowledged."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, or_, select, update

from crossborder import china_time
from crossborder.errors import LedgerError, NotFound
from crossborder.keys import normalise
from crossborder.ledger import tables
from crossborder.ledger.base import Base, event
from crossborder.ledger.records import Resolution
from crossborder.ledger.states import DECLARATION, MANIFEST, NOT_RECEIVED, SENT, UNKNOWN

A = tables.attempts
_AS = {"received": SENT, "not-received": NOT_RECEIVED, "not_received": NOT_RECEIVED}


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
        """A person says what became of an unknown: `received`, or `not-received` (the same bytes go again).

        `which` is an attempt's id or a waybill (house: its declaration; master: its manifest). Raises
        `NotFound` if nothing unknown has it, `LedgerError` if several do, if no reason is given, or if `as_` is
        neither word.
        """
        target = _AS.get(as_)
        if target is None:
            raise LedgerError(f"resolve as what? {as_!r}", f"无法识别的处置 {as_!r}",
                              fix_en="received or not-received", fix_zh="received 或 not-received")  # fmt: skip
        _reasoned(reason)
        with self.write() as connection:
            row = _unknown(connection, which)
            answer = Resolution(row["id"], row["key"], UNKNOWN, target, dry_run)
            if dry_run:
                return answer
            at = china_time.iso(now)
            values: dict[str, Any] = {"state": target, "state_since": at, "unknown_since": None}
            if target == NOT_RECEIVED:
                values["retry_at"] = at
            connection.execute(update(A).where(A.c.id == row["id"]).values(values))
            self._decided(connection, row, who, "resolved", target, reason, at)
        return answer

    def free(
        self, attempt_id: int, reason: str, who: str, now: datetime, *, dry_run: bool = False
    ) -> Resolution:
        """A person decides that a final attempt is over, so that a new one may be made under its key.

        Raises `LedgerError` if the attempt is not final, is released, or no reason is given.
        """
        _reasoned(reason)
        with self.write() as connection:
            row = _attempt(connection, attempt_id)
            if not row["final"] or row["released"]:
                raise LedgerError(
                    "only an attempt that customs has ended without release can be given up",
                    "只有海关已终结且未放行的申报才能放弃",
                    place=row["key"],
                )
            answer = Resolution(row["id"], row["key"], row["state"], row["state"], dry_run)
            if not dry_run:
                connection.execute(update(A).where(A.c.id == attempt_id).values(live=False))
                self._decided(connection, row, who, "freed", row["state"], reason, china_time.iso(now))  # fmt: skip
        return answer

    def acknowledge(self, attempt_id: int, reason: str, who: str, now: datetime) -> None:
        """A person has looked at what needed attention; it is no longer raised."""
        _reasoned(reason)
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
        detail = {"reason": reason}
        if row["attention"]:
            detail["attention"] = row["attention"]
        self._record(
            connection,
            [
                event(at, who, verb, batch_id=row["batch_id"], attempt_id=row["id"],
                      from_state=row["state"], to_state=to_state, detail=detail)
            ],
        )  # fmt: skip


def _reasoned(reason: str) -> None:
    if not reason.strip():
        raise LedgerError("a decision needs a reason", "人工处置须注明原因")


def _attempt(connection: Connection, attempt_id: int) -> RowMapping:
    row = connection.execute(select(A).where(A.c.id == attempt_id)).mappings().first()
    if row is None:
        raise NotFound(f"no attempt {attempt_id}", f"没有编号为 {attempt_id} 的申报记录")
    return row


def _unknown(connection: Connection, which: int | str) -> RowMapping:
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
    rows = connection.execute(select(A).where(chosen)).mappings().all()
    unknown = [row for row in rows if row["state"] == UNKNOWN]
    if len(unknown) == 1:
        return unknown[0]
    place = str(which)
    if not rows:
        raise NotFound("nothing filed has this waybill", "没有该运单的申报记录", place=place)
    if not unknown:
        states = ", ".join(sorted({row["state"] for row in rows}))
        raise LedgerError(
            f"it is not unknown (state: {states}); there is nothing to resolve",
            f"其状态不是 unknown（当前：{states}），无需处置",
            place=place,
        )
    raise LedgerError(
        f"{len(unknown)} unknown messages have this waybill: {', '.join(row['key'] for row in unknown)}",
        f"该运单对应 {len(unknown)} 份未知报文：{'、'.join(row['key'] for row in unknown)}",
        place=place,
        fix_en="name the attempt by its number",
        fix_zh="请改用申报记录编号",
    )
