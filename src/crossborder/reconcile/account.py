"""The closing account: where every shipment handed in stands at this moment, from the ledger alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, case, func, select

from crossborder.ledger import Ledger, lots, tables
from crossborder.reconcile.status_table import StatusTable

LINES = (
    "unreadable",
    "rejected",
    "to_general",
    "not_evaluated",
    "on_hold",
    "already_filed",
    "prepared",
    "suspended_or_voided",
    "unknown",
    "in_flight",
    "refused",
    "released",
    "other_final",
)
"""The lines of the account, which add up to what was handed in."""


class Count(NamedTuple):
    """Shipments, and the source rows they came from."""

    shipments: int = 0
    rows: int = 0

    def plus(self, shipments: int, rows: int) -> Count:
        """The sum of both."""
        return Count(self.shipments + shipments, self.rows + rows)


@dataclass(frozen=True)
class Account:
    """The closing account of some batches.

    `lines` has every name of `LINES`; `states` breaks the prepared shipments down by the state of their
    declaration; `manifests` counts manifest attempts by state. `not_manifested`, `attention` and
    `unapplied` (receipts of the whole ledger that wait for a person or an attempt: unread, unmatched,
    unreadable, contradictory, unknown_code) stand beside the sum, not in it.
    """

    handed_in: Count
    lines: Mapping[str, Count]
    states: Mapping[str, Count]
    manifests: Mapping[str, int]
    not_manifested: Count
    attention: Mapping[str, int]
    unapplied: Mapping[str, int]
    batches: tuple[str, ...] = field(default=())

    @property
    def conserved(self) -> bool:
        """Whether the lines add up to what was handed in, in shipments and in rows."""
        total = Count()
        for count in self.lines.values():
            total = total.plus(*count)
        return total == self.handed_in


def account(
    ledger: Ledger,
    batch_ids: Sequence[str] | None = None,
    day: str | None = None,
    table: StatusTable | None = None,
) -> Account:
    """The account of some batches, of a working day `yyyyMMdd`, or (neither given) of the whole ledger."""
    table = table or StatusTable.load()
    with ledger.read() as connection:
        batches = _selected(connection, batch_ids, day)
        chosen = tables.shipments.c.batch_id.in_(batches)
        lines = {name: Count() for name in LINES}
        states: dict[str, Count] = {}
        for outcome, state, final, released, count, rows in _counted(connection, chosen):
            if outcome != "prepared":
                lines[outcome] = lines.get(outcome, Count()).plus(count, rows)
                continue
            if state is None:
                continue
            states[state] = states.get(state, Count()).plus(count, rows)
            group = table.group(state, final=final, released=released)
            lines[group] = lines[group].plus(count, rows)
        return Account(
            handed_in=_handed_in(connection, batches),
            lines=lines,
            states=dict(sorted(states.items())),
            manifests=_manifests(connection, batches),
            not_manifested=_not_manifested(connection, chosen),
            attention=_attention(connection, batches),
            unapplied=_unapplied(connection),
            batches=tuple(batches),
        )


def _selected(
    connection: Connection, batch_ids: Sequence[str] | None, day: str | None
) -> list[str]:
    b = tables.batches.c
    query = select(b.id).order_by(b.created_at, b.id)
    if batch_ids is not None:
        query = query.where(b.id.in_(list(batch_ids)))
    if day is not None:
        query = query.where(b.day == day)
    return list(connection.execute(query).scalars())


def _counted(
    connection: Connection, chosen: ColumnElement[bool]
) -> list[tuple[str, str | None, bool, bool, int, int]]:
    s, a = tables.shipments.c, tables.attempts.c
    query = (
        select(s.outcome, a.state, a.final, a.released, func.count(), func.sum(s.row_count))
        .select_from(tables.shipments)
        .outerjoin(tables.attempts, (a.id == s.attempt_id) & (s.outcome == "prepared"))
        .where(chosen)
        .group_by(s.outcome, a.state, a.final, a.released)
    )
    return [(r[0], r[1], bool(r[2]), bool(r[3]), r[4], r[5]) for r in connection.execute(query)]


def _handed_in(connection: Connection, batches: Sequence[str]) -> Count:
    """What the batches themselves say was committed and read: independent of the rows that are counted.

    Of a batch that is still being recorded, only the rows of what was committed so far.
    """
    b, s = tables.batches.c, tables.shipments.c
    so_far = select(func.sum(s.row_count)).where(s.batch_id == b.id).scalar_subquery()
    rows = case((b.state == "recording", so_far), else_=b.rows)
    row = connection.execute(
        select(func.sum(b.recorded), func.sum(rows)).where(b.id.in_(list(batches)))
    ).one()
    return Count(int(row[0] or 0), int(row[1] or 0))


def _manifests(connection: Connection, batches: Sequence[str]) -> dict[str, int]:
    a = tables.attempts.c
    found = connection.execute(
        select(a.state, func.count())
        .where(a.kind == "manifest", a.batch_id.in_(list(batches)))
        .group_by(a.state)
        .order_by(a.state)
    )
    return {str(state): int(count) for state, count in found}


def _not_manifested(connection: Connection, chosen: ColumnElement[bool]) -> Count:
    s, n = tables.shipments.c, tables.not_manifested.c
    row = connection.execute(
        select(func.count(), func.sum(s.row_count))
        .select_from(tables.shipments)
        .join(tables.not_manifested, n.shipment_id == s.id)
        .where(chosen)
    ).one()
    return Count(int(row[0]), int(row[1] or 0))


def _attention(connection: Connection, batches: Sequence[str]) -> dict[str, int]:
    a = tables.attempts.c
    found = connection.execute(
        select(a.attention, func.count())
        .where(a.attention.is_not(None), a.batch_id.in_(list(batches)))
        .group_by(a.attention)
    )
    counts: dict[str, int] = {}
    for reasons, count in found:
        for reason in str(reasons).split(","):
            counts[reason] = counts.get(reason, 0) + int(count)
    return dict(sorted(counts.items()))


def _unapplied(connection: Connection) -> dict[str, int]:
    x = tables.receipt_lines.c
    counts = dict.fromkeys(
        ("unread", "unmatched", "unreadable", "contradictory", "unknown_code"), 0
    )
    for table in (tables.unread, tables.unreadable):
        counts[table.name] += connection.execute(
            select(func.count()).select_from(table)
        ).scalar_one()
    lines = connection.execute(
        select(x.outcome, func.count()).where(lots.having(tables.LOOSE)).group_by(x.outcome)
    )
    for outcome, count in lines:
        counts["unread" if outcome == "read" else outcome] += int(count)
    return counts
