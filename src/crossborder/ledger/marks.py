"""What earlier batches may have in common with a later one, kept without a word of personal data.

Of each block that is recorded one row stays: its class B shipments as a small frame of keyed hashes (document number,
telephone, address of the Chinese party), value, limit and day. A later hand-in asks which of them it shares, and then
what became of those few. The key of the hashes is this ledger's own secret.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Connection, Integer, String, column, delete, select, tuple_, update, values

from crossborder.ledger import tables
from crossborder.ledger.base import Base
from crossborder.ledger.dialects import chunks, texts
from crossborder.ledger.states import DECLARATION

HASHES = ("id_mark", "phone_mark", "address_mark")
MARKS: dict[str, pl.DataType | type[pl.DataType]] = {
    "position": pl.UInt32,
    "export": pl.Boolean,
    **dict.fromkeys(HASHES, pl.UInt64),
    "value": pl.Int64,
    "limit": pl.Int64,
    "day": pl.Date,
}
"""Columns of a block's marks, a row for each class B shipment that has any; value and limit in millionths of a yuan."""
STANDING: dict[str, pl.DataType | type[pl.DataType]] = {
    "batch": pl.String,
    "position": pl.UInt32,
    "key": pl.String,
    "house": pl.String,
}
_AT_ONCE = 100_000
"""Shipments whose marks are read at once, about; at most `_BLOCKS` blocks."""
_BLOCKS = 500
_PAIRS = 500
"""Shipments that are asked for by one statement, two parameters each."""
_SERIAL = "sealed"
_WRITTEN = "%Y%m%d"
M = tables.marks


@dataclass(frozen=True)
class Marked:
    """Marks of shipments in the order of their positions (columns `MARKS`); `day` is the working day, yyyyMMdd."""

    frame: pl.DataFrame
    day: str

    def part(self, first: int, stop: int) -> Marked:
        """Those of the positions from `first` to before `stop`."""
        inside = pl.col("position").is_between(first, stop, closed="left")
        return Marked(self.frame.filter(inside), self.day)


class Marks(Base):
    """The marks of sealed batches, and what became of the shipments that they stand for."""

    def marks_key(self) -> bytes:
        """The secret with which this ledger's marks are hashed, 32 bytes: its look-up key, which the ring wraps."""
        return self.lookup_key()

    def marks_since(
        self, sealed: int, first_day: str = "", last_day: str = "99999999"
    ) -> Iterator[tuple[str, int, pl.DataFrame]]:
        """(batch, its number in the order of sealing, marks) of blocks sealed after number `sealed`, in that order.

        Only blocks that hold movement days from `first_day` to `last_day` (yyyyMMdd). Few are in memory at once.
        """
        wanted = (
            select(M.c.batch_id, M.c.first, M.c.shipments)
            .where(M.c.sealed > sealed, M.c.last_day >= first_day, M.c.first_day <= last_day)
            .order_by(M.c.sealed, M.c.first)
        )
        with self.read() as connection:
            blocks = connection.execute(wanted).all()
        for lot in _lots(blocks):
            named = tuple_(M.c.batch_id, M.c.first).in_(lot)
            query = select(M.c.batch_id, M.c.sealed, M.c.body).where(named, M.c.sealed.is_not(None))
            with self.read() as connection:  # what was forgotten meanwhile is not there any more
                rows = connection.execute(query.order_by(M.c.sealed, M.c.first)).all()
            for batch_id, number, body in rows:
                yield batch_id, number, pl.read_ipc(io.BytesIO(body))

    def first_sealed(self) -> int:
        """The number of the batch that was sealed first of those whose marks are kept."""
        with self.read() as connection:
            query = select(M.c.sealed).where(M.c.sealed.is_not(None))
            found = connection.execute(query.order_by(M.c.sealed).limit(1)).scalar()
        return int(found or 0)

    def standing(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """Those of some shipments (`batch, position`) whose declaration is live: columns `STANDING`.

        What was refused, voided or never became a declaration is not among them, nor what another batch carries on.
        """
        s, a = tables.shipments.c, tables.attempts.c
        found: list[tuple[str, int, str, str]] = []
        with self.read() as connection:
            for block in chunks(wanted.select("batch", "position").rows(), _PAIRS):
                asked = values(
                    column("batch", String), column("position", Integer), name="asked"
                ).data(block)
                w = asked.cte().c
                query = (
                    select(s.batch_id, s.position, s.key, s.shown_as)
                    .join(w.batch.table, (s.batch_id == w.batch) & (s.position == w.position))
                    .join(tables.attempts, (a.id == s.attempt_id) & (a.batch_id == s.batch_id))
                    .where(a.kind == DECLARATION, a.live)
                )
                rows = connection.execute(query)
                found += [(batch, position, key, house) for batch, position, key, house in rows]
        return pl.DataFrame(found, schema=STANDING, orient="row").sort("batch", "position")

    def elsewhere(
        self, house_keys: Iterable[str], since: str, beside: str
    ) -> list[tuple[str, str, str, str]]:
        """(house key, declaration key, master waybill as written, batch) of live declarations of these house waybills.

        Of batches of a working day from `since` (yyyyMMdd) on that are sealed; `beside` is left out.
        """
        s, a, b = tables.shipments.c, tables.attempts.c, tables.batches.c
        with self.read() as connection:
            given = texts(connection, dict.fromkeys(house_keys))
            query = (
                select(s.house_key, a.key, a.master_waybill, a.batch_id)
                .select_from(given.join(tables.shipments, s.house_key == given.c.value))
                .join(tables.attempts, (a.id == s.attempt_id) & (a.batch_id == s.batch_id))
                .join(tables.batches, b.id == a.batch_id)
                .where(
                    a.kind == DECLARATION,
                    a.live,
                    b.state == "sealed",
                    b.day >= since,
                    b.id != beside,
                )
                .order_by(a.id)
            )
            return [(h, k, m, i) for h, k, m, i in connection.execute(query)]

    # -- parts of the above

    def _mark(self, connection: Connection, batch_id: str, first: int, marked: Marked) -> None:
        """Keep the marks of a block, in its own transaction; nothing if it has none."""
        frame = marked.frame
        if not frame.height:
            return
        days = frame.select(pl.col("day").min().alias("a"), pl.col("day").max().alias("b")).row(0)
        earliest, latest = (day.strftime(_WRITTEN) for day in days)
        body = io.BytesIO()
        frame.select(*MARKS).write_ipc(body, compression="lz4")
        connection.execute(
            M.insert().values(
                batch_id=batch_id, first=first, first_day=earliest, last_day=latest,
                kept_from=max(latest, marked.day), shipments=frame.height, body=body.getvalue(),
            )
        )  # fmt: skip

    def _seal_marks(self, connection: Connection, batch_id: str) -> None:
        """The marks of a batch may be asked for from now on."""
        own = select(M.c.first).where(M.c.batch_id == batch_id).limit(1)
        if connection.execute(own).first() is not None:
            number = self._reserve(connection, _SERIAL, 1)[0]
            connection.execute(update(M).where(M.c.batch_id == batch_id).values(sealed=number))

    def _forget_marks(self, connection: Connection, batch_id: str = "", before: str = "") -> None:
        """Forget the marks of a batch, and of blocks that were kept from a day before `before` (yyyyMMdd) on."""
        if batch_id:
            connection.execute(delete(M).where(M.c.batch_id == batch_id))
        if before:
            connection.execute(delete(M).where(M.c.kept_from < before, M.c.sealed.is_not(None)))


def _lots(blocks: Iterable[Sequence[Any]]) -> Iterator[list[tuple[str, int]]]:
    """The keys of blocks in lots of bounded size."""
    lot: list[tuple[str, int]] = []
    size = 0
    for batch_id, first, shipments in blocks:
        if lot and (size + shipments > _AT_ONCE or len(lot) == _BLOCKS):
            yield lot
            lot, size = [], 0
        lot.append((batch_id, first))
        size += shipments
    if lot:
        yield lot
