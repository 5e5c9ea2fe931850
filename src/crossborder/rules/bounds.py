"""Which value limit counts for a shipment: the dated rows of `limits.csv`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from crossborder.rules.context import Context

CONVERTED = pl.Decimal(38, 13)
"""Values in CNY."""

Bound = dict[str, Any]
"""One row of `limits.csv`, all text."""


def bounds(ctx: Context) -> list[Bound]:
    """All bounds, the strictest first; the place of one in this list is its number."""
    found: list[Bound] = ctx.tables.frame("limits").to_dicts()
    return sorted(found, key=lambda bound: Decimal(bound["value_cny"]))


def number(ctx: Context) -> pl.Expr:
    """The number of the bound that counts for a shipment, of several the strictest; null: none is known."""
    chosen: pl.Expr = pl.lit(None, dtype=pl.Int8)
    for place, bound in reversed(list(enumerate(bounds(ctx)))):
        chosen = pl.when(applies(bound)).then(pl.lit(place, dtype=pl.Int8)).otherwise(chosen)
    return chosen


def amount(of: pl.Expr, ctx: Context) -> pl.Expr:
    """The CNY of a bound by its number."""
    values = [Decimal(bound["value_cny"]) for bound in bounds(ctx)]
    return of.replace_strict(
        pl.Series(range(len(values)), dtype=pl.Int8),
        pl.Series(values, dtype=CONVERTED),
        default=None,
        return_dtype=CONVERTED,
    )


def applies(bound: Bound, *, any_class: bool = False) -> pl.Expr:
    """Rows of the shipments frame that a bound speaks about.

    `any_class` leaves the class out: what would the bound be if the shipment were of that class?
    """
    incoming = bound["direction"] == "I"
    country = pl.col("sender_country" if incoming else "receiver_country")
    listed = country.is_in((bound["countries"] or "").split(";"))
    place = {"in": listed, "not_in": ~listed, "any": pl.lit(True)}[bound["territory"]]
    start = date.fromisoformat(bound["effective_from"])
    end = date.fromisoformat(bound["effective_to"] or "9999-12-31")
    klass = pl.lit(True) if any_class else pl.col("_class") == bound["declaration_class"]
    return (
        klass
        & pl.col("_import" if incoming else "_export")
        & pl.col("_day").is_between(start, end)
        & place
    )


def exact(value: Decimal) -> pl.Expr:
    """A literal amount."""
    return pl.lit(value, dtype=CONVERTED)


def over(bound: Bound) -> pl.Expr:
    """Whether the value exceeds a bound (equal is allowed)."""
    return pl.col("_value") > exact(Decimal(bound["value_cny"]))


def numbers(ctx: Context, rules: Iterable[str]) -> list[int]:
    """The numbers of the bounds of some rules."""
    wanted = set(rules)
    return [place for place, bound in enumerate(bounds(ctx)) if bound["rule"] in wanted]
