"""A lot of receipts that were read: what they say, as one frame, and how the ledger takes it in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

import polars as pl
from sqlalchemy import ColumnElement, Connection, and_, delete, select, text

from crossborder.keys import normalise_expr
from crossborder.ledger import tables
from crossborder.ledger.dialects import among, insert_rows, numbers
from crossborder.ledger.driver import columns_of, insert_columns
from crossborder.ledger.records import ReceiptLine, StoredReceipt

U = tables.unread
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

KEY_LENGTH = 160
"""Characters of a key that are kept."""


class Unread(NamedTuple):
    """A stored receipt that cannot be read, with the reason (no personal data)."""

    receipt_id: int
    message_type: str | None
    reason: str


@dataclass(frozen=True)
class StoredLot(Sequence[StoredReceipt]):
    """Some stored receipts, column by column: one by itself is made only when it is asked for."""

    ids: Sequence[int]
    endpoints: Sequence[str]
    names: Sequence[str]
    raws: Sequence[bytes]

    @classmethod
    def of(cls, receipts: Iterable[tuple[int, str, str, bytes]]) -> StoredLot:
        """From (id, endpoint, name, raw), e.g. `StoredReceipt`s."""
        columns = list(zip(*receipts, strict=True))
        return cls(*columns) if columns else cls((), (), (), ())

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, place: int) -> StoredReceipt: ...

    @overload
    def __getitem__(self, place: slice) -> StoredLot: ...

    def __getitem__(self, place: int | slice) -> StoredReceipt | StoredLot:
        if isinstance(place, slice):
            return StoredLot(
                self.ids[place], self.endpoints[place], self.names[place], self.raws[place]
            )
        return StoredReceipt(
            self.ids[place], self.endpoints[place], self.names[place], self.raws[place]
        )


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

    def complete(self, stored: StoredLot) -> ReadLot:
        """The same, with every stored receipt that stands nowhere in it as a problem."""
        told = {*self.lines["receipt_id"].to_list(), *(p.receipt_id for p in self.problems)}
        missing = [Unread(i, None, "the reader left it out") for i in stored.ids if i not in told]
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
        "endpoint", "receipt_id", "line", "message_type", key.str.slice(0, KEY_LENGTH).alias("key"),
        pl.col("code").fill_null("").str.slice(0, 4),
        _cut("op_type", 3), pl.col("op_time").fill_null("").str.slice(0, 17),
        _cut("pre_entry_id", 18), _cut("entry_id", 18), "notes",
    ).sort("receipt_id", "line")  # fmt: skip


def take_out(connection: Connection, lot: ReadLot) -> pl.DataFrame:
    """The lines (`keyed`) of receipts of a lot that are not read yet. From now on they are, or cannot be.

    They are taken out of `unread`; those that cannot be read are noted in `unreadable`.
    """
    problems = {problem.receipt_id: problem for problem in lot.problems}
    told = lot.lines["receipt_id"].unique().to_list()
    taken = _take_out(connection, {*told, *problems})
    rows = [(number, *problems[number][1:]) for number in sorted(taken & problems.keys())]
    insert_rows(connection, tables.unreadable, ("receipt_id", "message_type", "problem"), rows)
    if taken.issuperset(told):
        return keyed(lot.lines)
    return keyed(lot.lines.filter(pl.col("receipt_id").is_in(sorted(taken))))


def _take_out(connection: Connection, receipts: set[int]) -> set[int]:
    """Take receipts out of `unread`; those that stood there."""
    if not receipts:
        return set()
    between = U.c.receipt_id.between(min(receipts), max(receipts))
    there = set(numbers(connection, select(U.c.receipt_id).where(between)))
    taken = there & receipts
    whole = len(taken) == len(there)
    connection.execute(
        delete(U).where(between if whole else among(connection, U.c.receipt_id, sorted(taken)))
    )
    return taken


def save_lines(connection: Connection, lines: pl.DataFrame) -> None:
    """Write lines (columns `KEYED`)."""
    insert_columns(connection, tables.receipt_lines, columns_of(lines.select(KEYED)))


def having(outcomes: Iterable[str]) -> ColumnElement[bool]:
    """Lines that have one of some outcomes. Loose ones are few and have an index, which must be named to be used."""
    wanted = set(outcomes)
    own = tables.receipt_lines.c.outcome.in_(sorted(wanted))
    loose = text(f"{tables.receipt_lines.name}.{tables.LOOSE_LINES}")
    return and_(own, loose) if wanted.issubset(tables.LOOSE) else own


def _cut(name: str, length: int) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(pl.col(name).str.slice(0, length)).alias(name)
