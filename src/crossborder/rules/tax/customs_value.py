"""What imported goods are taxed on: their price with freight and insurance, shared out among the lines.

Freight and insurance are added as the terms of delivery say (table `transaction_terms`, rule EXP-10), and only where
they are given as a total: on what a rate or a unit price is taken, our sources do not say. They are spread over the
lines by value; shares are rounded so that they add up to the whole.
"""

from __future__ import annotations

import polars as pl

from crossborder.rules.context import Context
from crossborder.rules.prepare import number
from crossborder.rules.tax.lines import exchange_rate
from crossborder.rules.tax.money import cny_of, divided, fen_of, product, to_fen
from crossborder.rules.tax.result import said

_TOTAL = "3"
_COSTS = ("freight", "insurance")


def with_customs_value(lines: pl.DataFrame, ctx: Context, *, terms: bool) -> pl.DataFrame:
    """`_net` (the line's own price, CNY), `_extra` (its share of freight and insurance), `_base` (both), and, where a
    cost is not known, `_cost_zh` and `_cost_en` (why).

    `terms` says that the terms of delivery decide which costs must be there; else what is given is added.
    """
    costs = [_cost(name, ctx, terms=terms) for name in _COSTS]
    whole = pl.sum_horizontal(fen_of(pl.col(f"_{name}_cny")) for name in _COSTS)
    unknown = pl.any_horizontal(pl.col(f"_{name}_cny").is_null() for name in _COSTS)
    zh, en = _why(terms=terms)
    found = lines.with_columns(expr for cost in costs for expr in cost).with_columns(
        _net=to_fen(pl.col("_worth")),
        _whole=pl.when(~unknown).then(whole),
        _cost_zh=pl.when(unknown).then(zh),
        _cost_en=pl.when(unknown).then(en),
    )
    return found.with_columns(_extra=_share()).with_columns(_base=pl.col("_net") + pl.col("_extra"))


def _share() -> pl.Expr:
    """Of freight and insurance what falls on the line; null where a line of the shipment has no value."""
    net = fen_of(pl.col("_net"))
    upto, total = net.cum_sum().over("ship"), net.sum().over("ship")
    gap = pl.col("_net").is_null().any().over("ship")
    below = pl.when(total > 0).then(total)
    until = divided(pl.col("_whole") * upto, below)
    before = divided(pl.col("_whole") * (upto - net), below)
    shared = pl.when(~gap).then(until - before)
    return cny_of(pl.when(pl.col("_whole") == 0).then(pl.lit(0, dtype=pl.Int128)).otherwise(shared))


def _cost(name: str, ctx: Context, *, terms: bool) -> list[pl.Expr]:
    """`_{name}_cny`: what it adds, null where that cannot be told; `_{name}_asked`: the terms ask for it."""
    given = number(f"{name}_amount")
    amount = to_fen(product(given, exchange_rate(f"{name}_currency", ctx)))
    as_total = pl.col(f"{name}_mark") == _TOTAL
    none = pl.col(f"{name}_amount").is_null() & pl.col(f"{name}_mark").is_null()
    nothing = pl.lit(0).cast(pl.Decimal(38, 2))
    asked = _terms(f"import_{name}", ctx) if terms else pl.lit("optional")
    added = (
        pl.when(asked == "must_be_empty")
        .then(nothing)
        .when(none & (asked == "optional"))
        .then(nothing)
        .when(as_total.fill_null(value=False) & asked.is_not_null())
        .then(amount)
    )
    return [added.alias(f"_{name}_cny"), asked.alias(f"_{name}_asked")]


def _terms(column: str, ctx: Context) -> pl.Expr:
    table = ctx.tables.frame("transaction_terms")
    return pl.col("delivery_terms").replace_strict(
        table["code"], table[column], default=None, return_dtype=pl.String
    )


def _why(*, terms: bool) -> tuple[pl.Expr, pl.Expr]:
    cases = []
    for name, zh in (("freight", "运费"), ("insurance", "保险费")):
        open_ = pl.col(f"_{name}_cny").is_null()
        mark, amount = pl.col(f"{name}_mark"), pl.col(f"{name}_amount")
        shown = {"currency": pl.col(f"{name}_currency"), "terms": pl.col("delivery_terms")}
        if terms:
            cases.append((
                open_ & pl.col(f"_{name}_asked").is_null(),
                "成交方式 {terms} 应计哪些费用不明", "which costs the terms of delivery {terms} ask for is not known", shown,
            ))  # fmt: skip
        cases += [
            (open_ & amount.is_null(), f"成交方式要求{zh}，但没有{zh}",
             f"the terms of delivery ask for {name}, and there is none", shown),
            (open_ & (mark != _TOTAL).fill_null(value=True), f"{zh}不是总价，无法计入",
             f"{name} is not given as a total; what a rate or unit price is taken on is not known", shown),
            (open_, f"{zh}无法折合人民币（币制 {{currency}}）",
             f"{name} cannot be converted (currency {{currency}})", shown),
        ]  # fmt: skip
    return said(*cases)
