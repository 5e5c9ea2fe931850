"""Rates of a commodity number: the table `tariff` that the user brings, or for demonstrations the packaged sample.

Columns that the tax needs (all optional in the table; without one, what needs it is not evaluated):
`mfn_rate_pct`, `vat_rate_pct`, `consumption_rate_pct`; `consumption_per_unit_cny` and `consumption_unit_zh` (a
specific part); `consumption_from_cny` and `consumption_from_measure` (`g`, `ml`, `g;ml`, `sheet`, `each`: the
consumption tax is due only from that price per measure on).
"""

from __future__ import annotations

import polars as pl

from crossborder.codes import Tables, look_up
from crossborder.rules.context import Context
from crossborder.rules.tax.money import AMOUNT, PERCENT

TARIFF = "tariff"
SAMPLE = "hs_sample"
_RATES = ("mfn_rate_pct", "vat_rate_pct", "consumption_rate_pct")
_AMOUNTS = ("consumption_per_unit_cny", "consumption_from_cny")
_WORDS = ("consumption_unit_zh", "consumption_from_measure")
_NUMBER = r"^[0-9]{1,9}(\.[0-9]{1,5})?$"


def is_sample(ctx: Context) -> bool:
    """Whether the sample stands in: a demonstration profile, and no tariff was imported."""
    return ctx.profile.demo and not _tariff_known(ctx.tables)


def _tariff_known(tables: Tables) -> bool:
    return bool(tables.imported.get(TARIFF))


def tariff_rows(lines: pl.DataFrame, ctx: Context) -> pl.DataFrame:
    """For every line `_found`, `_coverage`, `_mfn`, `_vat`, `_ct`, `_specific`, `_unit_zh`, `_from`, `_measure`.

    Only a number of ten digits is looked up.
    """
    name = SAMPLE if is_sample(ctx) else TARIFF
    ten = pl.when(pl.col("commodity_code").str.contains(r"^[0-9]{10}$")).then("commodity_code")
    rows = look_up(
        lines.with_columns(_ten=ten), ctx.tables, name, code="_ten", day="_declared",
        columns=(*_RATES, *_AMOUNTS, *_WORDS),
    )  # fmt: skip
    return rows.select(
        _found="found",
        _coverage="coverage",
        _mfn=_decimal("mfn_rate_pct", PERCENT),
        _vat=_decimal("vat_rate_pct", PERCENT),
        _ct=_decimal("consumption_rate_pct", PERCENT),
        _specific=_decimal("consumption_per_unit_cny", AMOUNT),
        _unit_zh="consumption_unit_zh",
        _from=_decimal("consumption_from_cny", AMOUNT),
        _measure="consumption_from_measure",
    )


def _decimal(column: str, kind: pl.DataType) -> pl.Expr:
    value = pl.col(column)
    return pl.when(value.str.contains(_NUMBER)).then(value).cast(kind, strict=False)
