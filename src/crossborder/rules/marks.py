"""What a class B parcel may have in common with parcels of other batches, as keyed hashes without personal data.

A mark is a 64-bit keyed BLAKE2 of the Chinese party's document number, telephone or address, as written. Who has the marks
and not the key can tell neither what they stand for nor whether a number he knows is among them.
"""

from __future__ import annotations

from hashlib import blake2b

import polars as pl

from crossborder.rules import bounds
from crossborder.rules.context import Context
from crossborder.rules.prepare import head_value, helpers
from crossborder.shipments.frames import FrameSet

SOURCES = {"id_mark": "party_id", "phone_mark": "_party_phone", "address_mark": "_party_address"}
"""Each mark, and the column of which it is made."""
MARKS: dict[str, pl.DataType | type[pl.DataType]] = {
    "ship": pl.UInt32,
    "export": pl.Boolean,
    **dict.fromkeys(SOURCES, pl.UInt64),
    "value": pl.Int64,
    "limit": pl.Int64,
    "day": pl.Date,
}
"""Columns of `marks_of`; value and limit in millionths of a yuan, day of the movement."""
_MILLION = 1_000_000


def wanted(ctx: Context) -> bool:
    """Whether earlier parcels are compared at all (setting `split_signal`)."""
    return ctx.option("split_signal") != "pass"


def marks_of(frames: FrameSet, ctx: Context, key: bytes) -> pl.DataFrame:
    """Columns `MARKS`, a row for each readable class B parcel that has a value, a limit, a day and any mark.

    `key` is a secret of 1 to 64 bytes; only marks made with the same one can be compared.
    """
    ships = frames.shipments.lazy().filter(
        ~pl.col("unreadable").fill_null(False), pl.col("declaration_class") == "B"
    )
    given = ("ship", "direction", "party_id", "currency", "sender_country", "receiver_country")
    known = (
        ships.select(*given, *helpers(ctx))
        .with_columns(value=_millionths(head_value(ctx)), _bound=bounds.number(ctx))
        .select(
            "ship", *SOURCES.values(), "value", export="_export",
            limit=_millionths(bounds.amount(pl.col("_bound"), ctx)), day="_moved",
        )
        .drop_nulls(["value", "limit", "day"])
        .filter(pl.any_horizontal(pl.col(*SOURCES.values()).is_not_null()))
        .collect(engine="in-memory")
    )  # fmt: skip
    made = [hashed(known[source], key, mark).alias(mark) for mark, source in SOURCES.items()]
    return known.with_columns(made).select(*MARKS)


def hashed(values: pl.Series, key: bytes, kind: str) -> pl.Series:
    """Keyed BLAKE2b of texts, 8 bytes as UInt64; null stays null. The same text of another `kind` has another one."""
    begun = blake2b(key=key, digest_size=8, person=kind.encode("ascii")[:16]).copy

    def one(text: str) -> bytes:
        made = begun()
        made.update(text.encode("utf-8"))
        return made.digest()

    digests = [None if text is None else one(text) for text in values.to_list()]
    column = pl.Series(values.name, digests, dtype=pl.Binary).to_frame()
    number = pl.col(values.name).bin.reinterpret(dtype=pl.UInt64, endianness="little")
    return column.select(number).to_series()


def _millionths(value: pl.Expr) -> pl.Expr:
    """CNY as whole millionths; null where that is no 64-bit number."""
    return (value.round(6) * _MILLION).cast(pl.Int64, strict=False)
