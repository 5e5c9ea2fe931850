"""A lot of receipts that were read: what they say, as one frame, and how the ledger takes it in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl
from sqlalchemy import Connection, bindparam, literal_column, select, update

from crossborder.keys import normalise_expr
from crossborder.ledger import tables
from crossborder.ledger.dialects import insert_rows
from crossborder.ledger.driver import among, rows_of, run_rows
from crossborder.ledger.records import ReceiptLine, StoredReceipt

R = tables.receipts
STORED, READ, UNREADABLE = "stored", "read", "unreadable"
NOT_APPLIED = "read"
"""Outcome of a line that reconcile has not looked at."""

LINES: dict[str, pl.DataType | type[pl.DataType]] = {
    "receipt_id": pl.Int64,
    "endpoint": pl.String,
    "line": pl.Int64,
    **dict.fromkeys(ReceiptLine._fields[1:], pl.String),
}
"""Columns of `ReadLot.lines`; meaning as in `ReceiptLine`."""
NOTHING = pl.DataFrame(schema=LINES)
KEYED = (
    "receipt_id", "line", "message_type", "key", "code", "op_type", "op_time", "pre_entry_id", "entry_id",
    "notes", "outcome", "attempt_id",
)  # fmt: skip
"""Columns of `receipt_lines` that are written; all but `outcome` and `attempt_id` are told by the receipt."""

_KEY_LENGTH = 160
_UNREADABLE_ONE = (
    update(R)
    .where(R.c.id == bindparam("receipt"))
    .values(
        state=literal_column(f"'{UNREADABLE}'"),
        message_type=bindparam("said"),
        problem=bindparam("why"),
    )
)


class Unread(NamedTuple):
    """A stored receipt that cannot be read, with the reason (no personal data)."""

    receipt_id: int
    message_type: str | None
    reason: str


@dataclass(frozen=True)
class ReadLot:
    """What reading some stored receipts gave: `lines` (columns `LINES`) of those that were read, the others by name."""

    lines: pl.DataFrame
    problems: Sequence[Unread] = ()

    @classmethod
    def together(cls, lots: Iterable[ReadLot]) -> ReadLot:
        """Several lots as one."""
        lots = list(lots)
        return cls(
            pl.concat([NOTHING, *(lot.lines for lot in lots)]),
            [problem for lot in lots for problem in lot.problems],
        )

    def complete(self, stored: Sequence[StoredReceipt]) -> ReadLot:
        """The same, with every stored receipt that stands nowhere in it as a problem."""
        told = {*self.lines["receipt_id"], *(problem.receipt_id for problem in self.problems)}
        missing = [Unread(s.id, None, "the reader left it out") for s in stored if s.id not in told]
        return ReadLot(self.lines, [*self.problems, *missing]) if missing else self

    @property
    def receipts_read(self) -> int:
        """How many receipts were read."""
        return int(self.lines["receipt_id"].n_unique())


def keyed(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines as `receipt_lines` holds them: columns `endpoint` and `KEYED` up to `notes`, sorted by receipt and line.

    `key` is by what a line is looked for: see `tables.receipt_lines.key`.
    """
    master, house, voyage = (
        normalise_expr(pl.col(name).fill_null("")) for name in ("master_waybill", "house_waybill", "voyage")
    )  # fmt: skip
    declaration = pl.concat_str([master, house, pl.col("direction").fill_null("")], separator="|")
    part = pl.when(pl.col("line") == 0).then(pl.col("voyage")).otherwise(pl.col("house_waybill"))
    named = pl.when(pl.col("line") == 0).then(voyage).otherwise(house)
    stem = master + "|"
    of_manifest = pl.when(part.fill_null("") != "").then(stem + named + "|").otherwise(stem)
    key = pl.when(pl.col("message_type") == "EXP312").then(of_manifest).otherwise(declaration)
    return lines.select(
        "endpoint", "receipt_id", "line", "message_type", key.str.slice(0, _KEY_LENGTH).alias("key"),
        pl.col("code").fill_null("").str.slice(0, 4),
        _cut("op_type", 3), pl.col("op_time").fill_null("").str.slice(0, 17),
        _cut("pre_entry_id", 18), _cut("entry_id", 18), "notes",
    ).sort("receipt_id", "line")  # fmt: skip


def fresh(connection: Connection, lot: ReadLot) -> tuple[pl.DataFrame, list[Unread]]:
    """Of a lot, the lines (`keyed`) and problems of receipts that are not read yet."""
    problems = {problem.receipt_id: problem for problem in lot.problems}
    waiting = waiting_of(connection, {*lot.lines["receipt_id"].unique(), *problems})
    lines = keyed(lot.lines.filter(pl.col("receipt_id").is_in(waiting)))
    return lines, [problems[n] for n in waiting if n in problems]


def waiting_of(connection: Connection, receipts: Iterable[int]) -> list[int]:
    """Which of some receipts are stored and not yet read, in ascending order."""
    query = select(R.c.id).where(among(R.c.id, receipts), R.c.state == STORED)
    return sorted(connection.execute(query).scalars())


def save_lines(connection: Connection, lines: pl.DataFrame) -> None:
    """Write lines (columns `KEYED`) and note that their receipts were read."""
    insert_rows(connection, tables.receipt_lines, KEYED, rows_of(lines.select(KEYED)))
    for (said,), own in lines.group_by("message_type"):
        receipts = own["receipt_id"].unique().sort().to_list()
        done = update(R).where(among(R.c.id, receipts)).values(state=READ, message_type=said)
        connection.execute(done)


def save_problems(connection: Connection, problems: Iterable[Unread]) -> None:
    """Note of receipts why they cannot be read."""
    rows = [(p.message_type, p.reason, p.receipt_id) for p in problems]
    run_rows(connection, _UNREADABLE_ONE, ("said", "why", "receipt"), rows)


def _cut(name: str, length: int) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(pl.col(name).str.slice(0, length)).alias(name)
