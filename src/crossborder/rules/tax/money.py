"""Exact money as polars expressions.

Amounts in CNY are Decimal(38, 2). The value of a line and every tax on it are rounded half up to the fen, each once,
from figures that are shown: whoever does the sum that is written beside it gets the same. The number of decimals is
that of the duty forms (EXP306, RealTax); that halves go up is our reading, no text was found.

What would not fit 38 digits is null, never a wrapped or an inexact number.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

CNY = pl.Decimal(38, 2)
AMOUNT = pl.Decimal(38, 5)
"""What the messages carry: prices, quantities, totals."""
RATE = pl.Decimal(38, 8)
"""Exchange rates."""
PERCENT = pl.Decimal(38, 4)
EXACT = pl.Decimal(38, 18)
"""A price times a quantity times an exchange rate, every decimal of it."""
_LARGEST = 1e15
_HELD = 1e19
_WHOLE = 1_000_000
"""100 per cent in units of PERCENT's last digit."""


def product(*factors: pl.Expr) -> pl.Expr:
    """The exact product as EXACT; null if a factor is, or if it is 1e15 or more.

    The factors have 18 decimals together at most. No product on the way may reach 1e19 either: EXACT would not hold it.
    """
    sizes = [factors[0].cast(pl.Float64)]
    for factor in factors[1:]:
        sizes.append(sizes[-1] * factor.cast(pl.Float64))
    fits = pl.all_horizontal(sizes[-1] < _LARGEST, *(size < _HELD for size in sizes))
    exact = pl.when(fits).then(factors[0]).cast(EXACT, strict=False)
    for factor in factors[1:]:
        exact = exact * pl.when(fits).then(factor)
    return exact


def to_fen(exact: pl.Expr) -> pl.Expr:
    """An amount that is not negative, rounded half up to two decimals."""
    return exact.round(2, mode="half_away_from_zero").cast(CNY)


def percent_of(amount: pl.Expr, percent: pl.Expr) -> pl.Expr:
    """`amount × percent %` in CNY, rounded half up. Null where the amount is CNY 1e15 or more."""
    return cny_of(
        divided(fen_of(_small(amount)) * _units(percent), pl.lit(_WHOLE, dtype=pl.Int128))
    )


def of_composite(
    net: pl.Expr, excise: pl.Expr, percent: pl.Expr, *, plus: pl.Expr, share: pl.Expr
) -> pl.Expr:
    """A tax on the composite price: `(net ÷ (1 − excise %) × percent % + plus) × share %`, rounded half up once.

    Rates and share are PERCENT, `net` and `plus` CNY. Null where a factor is, or the excise is 100 per cent or more.
    """
    rest = _rest(excise)
    top = fen_of(_small(net)) * _units(percent) + fen_of(_small(plus)) * rest
    return cny_of(divided(top * _units(share), rest * pl.lit(_WHOLE, dtype=pl.Int128)))


def composite(net: pl.Expr, excise: pl.Expr) -> pl.Expr:
    """The price that holds its own consumption tax, `net ÷ (1 − excise %)`, rounded half up: to show, not to go on with.

    Null for 100 per cent or more.
    """
    whole = pl.lit(_WHOLE, dtype=pl.Int128)
    return cny_of(divided(fen_of(_small(net)) * whole, _rest(excise)))


def _rest(excise: pl.Expr) -> pl.Expr:
    rest = pl.lit(_WHOLE, dtype=pl.Int128) - _units(excise)
    return pl.when(rest > 0).then(rest)


def _small(amount: pl.Expr) -> pl.Expr:
    return pl.when(amount < pl.lit(Decimal(10) ** 15, dtype=CNY)).then(amount)


def divided(top: pl.Expr, below: pl.Expr) -> pl.Expr:
    """The quotient of two Int128 that are not negative, rounded half up."""
    two = pl.lit(2, dtype=pl.Int128)
    return (two * top + below) // (two * below)


def fen_of(amount: pl.Expr) -> pl.Expr:
    """CNY as a whole number of fen, Int128."""
    return (amount * pl.lit(Decimal(100), dtype=CNY)).cast(pl.Int128)


def cny_of(fen: pl.Expr) -> pl.Expr:
    """The reverse."""
    return fen.cast(pl.Decimal(38, 0)) * pl.lit(Decimal("0.01"), dtype=CNY)


def _units(percent: pl.Expr) -> pl.Expr:
    return (percent * pl.lit(Decimal(10_000), dtype=PERCENT)).cast(pl.Int128)


def plain(value: pl.Expr) -> pl.Expr:
    """A decimal as people write it, without trailing zeros."""
    return value.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
