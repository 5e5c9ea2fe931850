"""What an assessment says: a row per line and tax, and a row per consignment. All texts in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from crossborder.rules.tax.money import CNY, PERCENT

LINES: dict[str, pl.DataType | type[pl.DataType]] = {
    "ship": pl.UInt32,
    "line": pl.UInt32,
    "sheet": pl.String,
    "row": pl.UInt32,
    "shipment": pl.String,
    "master": pl.String,
    "code": pl.String,
    "name": pl.String,
    "kind": pl.String,
    "rule": pl.String,
    "base_cny": CNY,
    "rate_pct": PERCENT,
    "amount_cny": CNY,
    "status": pl.String,
    "basis": pl.String,
    "how_zh": pl.String,
    "how_en": pl.String,
    "note_zh": pl.String,
    "note_en": pl.String,
    "source": pl.String,
}
"""One row per goods line and kind of tax.

`line` counts from 0 within the shipment (null where it has no line). `kind` is the tax as in the messages (W postal
articles, A duty, Y consumption tax, L VAT; "" where none is due or known), `rule` the rules that gave it, `base_cny`
× `rate_pct` % = `amount_cny`, and `how_zh`, `how_en` write that out. `status` is `computed`, `not_taxed` or
`not_evaluated`; then base, rate and amount may be null and the note says what is missing. `basis` says what the
value is made of: `price`, `total` or `listed`. `source` is the law or notice.
"""
CONSIGNMENTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "ship": pl.UInt32,
    "sheet": pl.String,
    "row": pl.UInt32,
    "shipment": pl.String,
    "master": pl.String,
    "class": pl.String,
    "direction": pl.String,
    "regime": pl.String,
    "value_cny": CNY,
    "tax_cny": CNY,
    "payable_cny": CNY,
    "outcome": pl.String,
    "rule": pl.String,
    "note_zh": pl.String,
    "note_en": pl.String,
    "fictional": pl.Boolean,
}
"""One row per shipment, all of them, in their order.

`regime` is `postal` (class B), `goods` (class C), `ecommerce` or `none`. `tax_cny` is the sum of the lines,
`payable_cny` what of it is collected; both null where the outcome is `not_evaluated`. `outcome` is `due`,
`not_collected`, `not_taxed` or `not_evaluated`, `rule` and the notes say why. `fictional` marks figures made of the
made-up rates or the sample tariff of a demonstration profile.
"""
OUTCOMES = ("due", "not_collected", "not_taxed", "not_evaluated")


@dataclass(frozen=True)
class Assessed:
    """The tax of a hand-in: `lines` and `consignments`, columns as `LINES` and `CONSIGNMENTS`."""

    lines: pl.DataFrame
    consignments: pl.DataFrame


def shaped(frame: pl.DataFrame, schema: dict[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """The columns of a schema in their order; what the frame does not have is null."""
    have = set(frame.columns)
    return frame.select(
        pl.col(name).cast(kind) if name in have else pl.lit(None, dtype=kind).alias(name)
        for name, kind in schema.items()
    )


def said(*cases: tuple[pl.Expr, str, str, dict[str, pl.Expr]]) -> tuple[pl.Expr, pl.Expr]:
    """(zh, en) of the first case whose condition holds; null if none does.

    A case is a condition, the two texts with `{name}` for what changes, and the expressions of these names.
    """
    zh: pl.Expr = pl.lit(None, dtype=pl.String)
    en: pl.Expr = pl.lit(None, dtype=pl.String)
    for when, in_zh, in_en, values in reversed(cases):
        zh = pl.when(when).then(filled(in_zh, values)).otherwise(zh)
        en = pl.when(when).then(filled(in_en, values)).otherwise(en)
    return zh, en


def joined(texts: list[pl.Expr], between: str) -> pl.Expr:
    """The texts that there are, one after the other; null if there is none."""
    text = pl.concat_str(texts, separator=between, ignore_nulls=True)
    return pl.when(text != "").then(text)


def filled(text: str, values: dict[str, pl.Expr]) -> pl.Expr:
    """A text with its `{name}`s filled in; what is missing is left empty."""
    pieces: list[pl.Expr] = []
    rest = text
    while rest:
        before, _, after = rest.partition("{")
        if before:
            pieces.append(pl.lit(before))
        name, closed, rest = after.partition("}")
        if closed:
            pieces.append(values[name].cast(pl.String).fill_null(""))
    return pl.concat_str(pieces)
