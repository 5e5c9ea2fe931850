"""`Prepared`: the frames of a hand-in with typed helper columns, computed once for all rules.

Helper columns begin with `_` and are null where the text has no proper form: a value that is empty or fails
its facet is another check's business, and a rule over null does not fire.

all: `_written_…` of the columns of `charsets.WRITTEN`.
shipments: `_class`, `_import`, `_export`, `_moved` (Date), `_day` (that, or
`as_of`: by which movement-dated rules are chosen), `_gross`,
`_net`, `_pieces`, `_total`; `_master` `_house` (normalised);
`_id` (document number), `_id_form` `_id_born` `_id_good` (form, possible birth date, check character of an
identity number); `_party` `_party_address` `_party_phone` (the Chinese side: receiver on import,
sender on export); from the goods: `_lines`, `_sum` (declared totals, null if one is missing), `_currency`
(that of all lines, else null), `_has8` `_has10` (a code of that many digits), `_main` `_main_en` (names of
the line with the greatest total), `_single` (one line, quantity 1, a countable unit), `_value` (CNY),
`_no_rate` (a currency without rate), `_several_currencies`, `_apart`
(difference between sum and head value), `_bound` (number of the value limit that counts, see `bounds.py`), `_limit` (its CNY),
`_beyond` (the value is above it).
goods: `_class`, `_import`, `_export`, `_day`, `_total`, `_declared_total`, `_price`, `_quantity`,
`_quantity_1`, `_product` (quantity × price),
`_apart` (its difference from the declared total), `_number` (UInt64), `_of` (lines of its shipment), `_misnumbered`, `_mixed_codes`.

Amounts are exact: Decimal(38, 5), converted values Decimal(38, 13).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from crossborder.keys import normalise_expr
from crossborder.rules import bounds
from crossborder.rules.bounds import CONVERTED
from crossborder.rules.charsets import written
from crossborder.rules.checksums import IDENTITY_FORM, identity_good
from crossborder.rules.context import Context
from crossborder.rules.unusual import unusual_columns, written_columns
from crossborder.shipments.asking import AS_WRITTEN, made_of
from crossborder.shipments.columns import FrameName
from crossborder.shipments.frames import FrameSet

AMOUNT = pl.Decimal(38, 5)
PRODUCT = pl.Decimal(38, 10)
DECIMAL = r"^0*[0-9]{1,14}(?:\.[0-9]{1,5}0*)?$"
"""A number that fits 19 digits with 5 decimals (zeros that composing removes do not count)."""
CURRENCY = r"^[0-9]{3}$"
INTEGER = r"^0*[0-9]{1,18}$"
_NUMBERS = {"_master": "master_waybill", "_house": "house_waybill"}


@dataclass(frozen=True)
class Prepared:
    """The frames with helper columns, how a finding names a source column, and the columns that hold characters
    which are unusual for their kind (TXT-04)."""

    frames: Mapping[FrameName, pl.DataFrame]
    source: FrameSet
    unusual: Mapping[FrameName, frozenset[str]]


def number(column: str, form: str = DECIMAL) -> pl.Expr:
    """A text column as Decimal(38, 5); null unless it has the form of a number."""
    value = pl.col(column)
    return pl.when(value.str.contains(form)).then(value).cast(AMOUNT, strict=False)


def prepare(frames: FrameSet, ctx: Context) -> Prepared:
    """Helper columns for every readable shipment; unreadable ones are left out.

    Few queries, each over the columns it needs, their results set beside the frames: for one shipment it is the
    number of queries that costs.
    """
    ships, goods, documents = frames.shipments, frames.goods, frames.documents
    if ships.get_column("unreadable").any():
        ships = ships.filter(~pl.col("unreadable").fill_null(False))
        goods = goods.join(ships, on="ship", how="semi", maintain_order="left")
        documents = documents.join(ships, on="ship", how="semi", maintain_order="left")
    if not goods.get_column("ship").is_sorted():
        goods = goods.sort("ship", "line")
    ships, goods, documents = ships.rechunk(), goods.rechunk(), documents.rechunk()
    given: dict[FrameName, pl.DataFrame] = {
        "shipments": ships,
        "goods": goods,
        "documents": documents,
    }
    odd = {name: unusual_columns(name, frame) for name, frame in given.items()}
    made = _made(ctx)
    ships = ships.hstack(written_columns(ships, odd["shipments"]))
    goods = goods.hstack(written_columns(goods, odd["goods"]))
    ships = ships.hstack(_odd_numbers(ships, made_of(ships, made.head)))
    goods = goods.hstack(made_of(goods, made.line, made.products))
    ships = ships.hstack(_totals(ships, goods, made))
    goods = goods.hstack(_of_ships(ships, goods))
    return Prepared(
        {"shipments": ships, "goods": _numbering(goods), "documents": documents}, frames, odd
    )


@dataclass(frozen=True)
class Made:
    """The helper columns as expressions, step by step; made once for a context."""

    head: list[pl.Expr]
    line: list[pl.Expr]
    products: list[pl.Expr]
    of_lines: list[pl.Expr]
    per_ship: list[pl.Expr]
    value_of: list[pl.Expr]
    counted: list[pl.Expr]
    compared: list[pl.Expr]
    worth: list[pl.Expr]
    beyond: list[pl.Expr]


def _made(ctx: Context) -> Made:
    if "prepare" not in ctx.memo:
        ctx.memo["prepare"] = Made(
            head=[*_head(ctx), *_identity(ctx)],
            line=_line(ctx),
            products=_products(),
            of_lines=_of_lines(ctx),
            per_ship=_per_ship(),
            value_of=_value_of(ctx),
            counted=_counted(),
            compared=_compared(),
            worth=[*_worth(), bounds.amount(pl.col("_bound"), ctx).alias("_limit")],
            beyond=[(pl.col("_value") > pl.col("_limit")).fill_null(False).alias("_beyond")],
        )
    found: Made = ctx.memo["prepare"]
    return found


def helpers(ctx: Context) -> list[pl.Expr]:
    """The helper columns of shipments that are made of the given ones, without those of identity numbers."""
    return _head(ctx)


def _odd_numbers(ships: pl.DataFrame, made: pl.DataFrame) -> list[pl.Series]:
    """The columns made; `_master` and `_house` normalised: hyphens are gone already, most numbers need no more than that."""
    found = {values.name: values for values in made.iter_columns()}
    for name, column in _NUMBERS.items():
        odd = found.pop(f"{name}_odd")
        if odd.any():
            given = ships.get_column(column).filter(odd).to_frame("n")
            right = given.select(normalise_expr(pl.col("n"))).to_series()
            found[name] = found[name].scatter(odd.arg_true(), right)
    return list(found.values())


def _without_hyphens() -> Iterator[pl.Expr]:
    for name, column in _NUMBERS.items():
        bare = pl.col(column).str.replace_all("-", "", literal=True)
        yield bare.alias(name)
        yield bare.str.contains(r"[^A-Z0-9]").alias(f"{name}_odd")


def _head(ctx: Context) -> list[pl.Expr]:
    direction, klass = pl.col("direction"), pl.col("declaration_class")
    incoming = direction == "I"
    moved = pl.col("movement_date").str.to_date("%Y%m%d", strict=False)
    moved = pl.when(pl.col("movement_date").str.contains(r"^[0-9]{8}$")).then(moved)
    return [
        pl.when(klass.is_in(["A", "B", "C", "D"])).then(klass).alias("_class"),
        *_without_hyphens(),
        incoming.fill_null(False).alias("_import"),
        (direction == "E").fill_null(False).alias("_export"),
        moved.alias("_moved"),
        (moved if ctx.fixed_day is None else pl.lit(ctx.fixed_day)).alias("_day"),
        number("gross_weight").alias("_gross"),
        number("net_weight").alias("_net"),
        number("pieces", INTEGER).alias("_pieces"),
        number("total_value").alias("_total"),
        _side(incoming, "name").alias("_party"),
        _side(incoming, "address").alias("_party_address"),
        _side(incoming, "phone").alias("_party_phone"),
    ]


def _side(incoming: pl.Expr, what: str) -> pl.Expr:
    receiver, sender = pl.col(f"receiver_{what}"), pl.col(f"sender_{what}")
    return pl.when(incoming).then(receiver).when(pl.col("direction") == "E").then(sender)


def _identity(ctx: Context) -> list[pl.Expr]:
    """The Chinese party's document number as an identity number; null where TXT-04 speaks about it."""
    value = written("party_id")
    form = value.str.contains(IDENTITY_FORM)
    born = value.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
    possible = born.is_between(pl.date(1900, 1, 1), pl.lit(ctx.declared_day)).fill_null(False)
    return [
        value.alias("_id"),
        form.alias("_id_form"),
        (form & possible).alias("_id_born"),
        (form & possible & identity_good(value)).alias("_id_good"),
    ]


def _line(ctx: Context) -> list[pl.Expr]:
    return [
        number("total").alias("_total"),
        number("declared_total").alias("_declared_total"),
        number("declared_price").alias("_price"),
        number("quantity").alias("_quantity"),
        number("quantity_1").alias("_quantity_1"),
        number("line_number", INTEGER).cast(pl.UInt64, strict=False).alias("_number"),
        _rate("currency", ctx).alias("_rate"),
    ]


def _products() -> list[pl.Expr]:
    product = pl.col("_quantity").cast(PRODUCT) * pl.col("_price")
    return [product.alias("_product"), (product - pl.col("_declared_total")).abs().alias("_apart")]


def _rate(column: str, ctx: Context) -> pl.Expr:
    """CNY per one unit of the currency in `column`; null without a rate."""
    return pl.col(column).replace_strict(
        pl.Series(list(ctx.rates), dtype=pl.String),
        pl.Series(list(ctx.rates.values()), dtype=pl.Decimal(38, 8)),
        default=None,
        return_dtype=pl.Decimal(38, 8),
    )


def head_value(ctx: Context) -> pl.Expr:
    """The value that the head of a shipment states, in CNY; null without a rate."""
    return pl.col("_total").cast(CONVERTED) * _rate("currency", ctx)


def _needed(rate: pl.Expr) -> pl.Expr:
    """The currency of a row that has none of the known rates; null where it is no currency code at all."""
    currency = pl.col("currency")
    return pl.when(rate.is_null() & currency.str.contains(CURRENCY)).then(currency)


def _totals(ships: pl.DataFrame, goods: pl.DataFrame, made: Made) -> pl.DataFrame:
    """What the goods lines say about each shipment, and its value; `goods` is sorted by ship."""
    lines = _lines(goods, made)
    if lines.get_column("ship").equals(ships.get_column("ship")):
        beside = ships.hstack(lines[list(_OF_LINES)])
    else:
        beside = ships.join(lines, on="ship", how="left", maintain_order="left")
    steps = made.counted, made.compared, made.worth, made.beyond
    return made_of(beside, made.value_of, *steps)[list(_SHOWN)]


def _lines(goods: pl.DataFrame, made: Made) -> pl.DataFrame:
    """What the goods lines of each shipment say, and the names of the main one."""
    in_order = goods.get_column("_number").equals(goods.get_column("line").cast(pl.UInt64) + 1)
    facts = [*made.per_ship, *_MAIN] if in_order else made.per_ship
    by_ship = goods.lazy().select(made.of_lines).group_by("ship", maintain_order=True)
    found = by_ship.agg(facts).collect(engine="in-memory", optimizations=AS_WRITTEN)
    if in_order:
        return found.rechunk()
    main = goods.lazy().sort("ship", "_number", "line", nulls_last=True)
    main = main.group_by("ship", maintain_order=True).agg(_MAIN).select("_main", "_main_en")
    return found.hstack(main.collect(engine="in-memory", optimizations=AS_WRITTEN)).rechunk()


_OF_LINES = (
    "_lines", "_sum", "_cny", "_first", "_rateless", "_gap", "_unnamed", "_mixed", "_has8", "_has10", "_all_one",
    "_main", "_main_en",
)  # fmt: skip
"""The columns of `_lines`, beside `ship`."""
_DEAREST = pl.col("_total").arg_max()
_MAIN = [
    pl.col("name").get(_DEAREST, null_on_oob=True).alias("_main"),
    pl.col("name_en").get(_DEAREST, null_on_oob=True).alias("_main_en"),
]
"""Per shipment the names of the line with the greatest total, on a tie the first."""


def _value_of(ctx: Context) -> list[pl.Expr]:
    return [
        *map(pl.col, ("currency", "_total", *_OF_LINES)),
        _rate("currency", ctx).alias("_head_rate"),
        bounds.number(ctx).alias("_bound"),
    ]


_SHOWN = (
    "_lines", "_sum", "_cny", "_currency", "_has8", "_has10", "_main", "_main_en", "_several_currencies",
    "_apart", "_single", "_no_rate", "_value", "_bound", "_limit", "_beyond",
)  # fmt: skip
"""What is kept of all that is worked out about the value of a shipment."""


def _of_lines(ctx: Context) -> list[pl.Expr]:
    code, currency = pl.col("commodity_code"), pl.col("currency")
    same_ship = pl.col("ship") == pl.col("ship").shift(1)
    one = (pl.col("_quantity") == 1) & countable(ctx)
    facts = {
        "_cny": pl.col("_declared_total").cast(CONVERTED) * pl.col("_rate"),
        "_rateless": _needed(pl.col("_rate")),
        "_gap": pl.col("_declared_total").is_null(),
        "_unnamed": ~currency.str.contains(CURRENCY).fill_null(False),
        "_mixed": (same_ship & (currency != currency.shift(1))).fill_null(False),
        "_8": code.str.contains(r"^[0-9]{8}$").fill_null(False),
        "_10": code.str.contains(r"^[0-9]{10}$").fill_null(False),
        "_one": one.fill_null(False),
    }
    given = map(pl.col, ("ship", "_declared_total", "currency", "_total", "name", "name_en"))
    return [*given, *(expr.alias(name) for name, expr in facts.items())]


def _per_ship() -> list[pl.Expr]:
    return [
        pl.len().alias("_lines"),
        pl.col("_declared_total").sum().alias("_sum"),
        pl.col("_cny").sum(),
        pl.col("currency").first().alias("_first"),
        pl.col("_rateless").max(),
        pl.col("_gap", "_unnamed", "_mixed").any(),
        pl.col("_8").any().alias("_has8"),
        pl.col("_10").any().alias("_has10"),
        pl.col("_one").all().alias("_all_one"),
    ]


def countable(ctx: Context) -> pl.Expr:
    """Whether the unit of a line is one that counts pieces."""
    units = ctx.tables.frame("units")
    single = units.filter(pl.col("kind") == "count") if "kind" in units.columns else units
    return pl.col("unit").is_in(single["customs_code"].implode())


def _counted() -> list[pl.Expr]:
    """The same with nulls where a value is missing."""
    gap, unnamed, mixed = pl.col("_gap"), pl.col("_unnamed"), pl.col("_mixed")
    lines = pl.col("_lines").fill_null(0)
    return [
        lines,
        pl.when(~gap).then(pl.col("_sum")).alias("_sum"),
        pl.when(~gap & ~unnamed).then(pl.col("_cny")).alias("_cny"),
        pl.when(~mixed & ~unnamed).then(pl.col("_first")).alias("_currency"),
        (mixed & ~unnamed).alias("_several_currencies"),
        pl.when(~gap).then((pl.col("_sum") - pl.col("_total")).abs()).alias("_apart"),
        ((lines == 1) & pl.col("_all_one")).fill_null(False).alias("_single"),
    ]


def _compared() -> list[pl.Expr]:
    """What the value is made of.

    It is the sum of the declared totals, each by the rate of its line's currency. Where lines and head are
    in different currencies, EXP-44 cannot compare them, so the greater of both counts; where no line has a
    value, the head's counts.
    """
    rate = pl.col("_head_rate")
    differs = (pl.col("_currency") != pl.col("currency")) | pl.col("_currency").is_null()
    return [
        (pl.col("_total").cast(CONVERTED) * rate).alias("_head_cny"),
        _needed(rate).alias("_head_rateless"),
        ((differs | pl.col("_sum").is_null()) & pl.col("_total").is_not_null()).alias("_uses_head"),
    ]


def _worth() -> list[pl.Expr]:
    """`_no_rate`: a currency that is needed and has no rate; `_value`: the consignment in CNY, if none is."""
    lines = pl.col("_cny")
    no_rate = pl.coalesce(
        pl.when(pl.col("_sum").is_not_null()).then(pl.col("_rateless")),
        pl.when(pl.col("_uses_head")).then(pl.col("_head_rateless")),
    )
    value = (
        pl.when(pl.col("_uses_head"))
        .then(pl.max_horizontal(lines, pl.col("_head_cny")))
        .otherwise(lines)
    )
    return [no_rate.alias("_no_rate"), pl.when(no_rate.is_null()).then(value).alias("_value")]


def _of_ships(ships: pl.DataFrame, goods: pl.DataFrame) -> list[pl.Series]:
    """For every goods line what is known of its shipment."""
    known = ships[["ship", "_class", "_import", "_export", "_day", "_lines", "_has8", "_has10"]]
    if not known.get_column("ship").is_sorted():
        known = known.sort("ship")
    own = known[known.get_column("ship").search_sorted(goods.get_column("ship"))]
    *same, several, short, long = own.get_columns()[1:]
    return [*same, several.alias("_of"), (short & long).alias("_mixed_codes")]


def _numbering(goods: pl.DataFrame) -> pl.DataFrame:
    """`_misnumbered`: the first line of a shipment whose numbers are not 1 to n, each once."""
    off = goods.get_column("_number") != goods.get_column("line") + 1
    if not off.any():
        return goods.hstack([pl.Series("_misnumbered", [False]).new_from_index(0, goods.height)])
    astray = goods.filter(off)
    wrong = (
        goods.select("ship", "_number")
        .join(astray, on="ship", how="semi")
        .group_by("ship")
        .agg(
            pl.col("_number").is_null().any().alias("gap"),
            (pl.col("_number").n_unique() < pl.len()).alias("twice"),
            (pl.col("_number").min() != 1).alias("start"),
            (pl.col("_number").max() != pl.len()).alias("end"),
        )
        .filter(~pl.col("gap") & (pl.col("twice") | pl.col("start") | pl.col("end")))
    )
    first = astray.unique("ship", keep="first", maintain_order=True)
    named = first.join(wrong, on="ship", how="semi").select("ship", "line", _misnumbered=True)
    return goods.join(named, on=["ship", "line"], how="left", maintain_order="left").with_columns(
        pl.col("_misnumbered").fill_null(False)
    )


def plain(value: pl.Expr) -> pl.Expr:
    """A decimal as text without trailing zeros."""
    text = value.cast(pl.String)
    return text.str.strip_chars_end("0").str.strip_chars_end(".")
