"""How many grams, millilitres or sheets a line holds: from its quantities, else from its specification ("50ml").

A specification counts only where it names exactly one content; "50ml+30ml" names two and is left to a person.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from crossborder.rules.context import Context
from crossborder.rules.prepare import countable, number
from crossborder.rules.tax.money import AMOUNT

MEASURES = ("g", "ml", "sheet")
HELD = pl.Decimal(38, 10)
"""What a line holds."""
_NUMBER = r"[0-9]{1,7}(?:\.[0-9]{1,3})?"
_WORDS: dict[str, tuple[tuple[str, int], ...]] = {
    "g": (("千克|公斤|kg", 1000), ("克|g", 1)),
    "ml": (("毫升|ml", 1), ("升|l", 1000)),
    "sheet": (("片|张|枚|sheets?|pcs", 1),),
}
_ALL = "|".join(words for kinds in _WORDS.values() for words, _ in kinds)
_ONE = rf"{_NUMBER}\s*(?:{_ALL})(?:[^a-z]|$)"
_MANY = r"(?:([0-9]{1,4})\s*[x×*]\s*)?"
_TIMES = r"(?:\s*[x×*]\s*([0-9]{1,4})(?:[^0-9.]|$))?"


def with_contents(lines: pl.DataFrame, ctx: Context) -> pl.DataFrame:
    """The lines with `_g`, `_ml`, `_sheet`: what is on the label for the whole line, null where it is not known.

    The specification says it; where it says nothing, a declared unit that measures does. Each specification is read
    once, however many lines have it.
    """
    said = lines.select("model").unique().filter(pl.col("model").str.contains(rf"(?i){_ONE}"))
    read = said.select(
        "model", *(_specified(measure).alias(f"_each_{measure}") for measure in MEASURES)
    )
    pieces = pl.when(countable(ctx)).then(number("quantity"))
    return (
        lines.join(read, on="model", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce(
                _times(pl.col(f"_each_{measure}"), pieces), measured(measure, ("quantity",), ctx)
            ).alias(f"_{measure}")
            for measure in MEASURES
        )
        .drop(f"_each_{measure}" for measure in MEASURES)
    )


def measured(measure: str, quantities: tuple[str, ...], ctx: Context) -> pl.Expr:
    """The first of these quantities whose unit measures it (`quantity_1` with `unit_1`), in that measure."""
    held = unit_amounts(measure, ctx)
    return pl.coalesce(_measured(q, q.replace("quantity", "unit"), held) for q in quantities)


def unit_amounts(measure: str, ctx: Context) -> dict[str, Decimal]:
    """Units of a measure and how much of it each holds, of `unit_measures.csv`."""
    frame = ctx.tables.frame("unit_measures").filter(pl.col("measure") == measure)
    return {u: Decimal(a) for u, a in frame.select("unit", "amount").iter_rows()}


def _measured(quantity: str, unit: str, held: dict[str, Decimal]) -> pl.Expr:
    """A quantity in a unit that measures; null in any other."""
    factor = pl.col(unit).replace_strict(
        pl.Series(list(held), dtype=pl.String),
        pl.Series(list(held.values()), dtype=AMOUNT),
        default=None,
        return_dtype=AMOUNT,
    )
    return _times(number(quantity), factor)


def _specified(measure: str) -> pl.Expr:
    """What one piece holds by its specification."""
    said = pl.col("model").str.to_lowercase()
    single = said.str.count_matches(_ONE) == 1
    found: pl.Expr = pl.lit(None, dtype=HELD)
    for words, factor in reversed(_WORDS[measure]):
        pattern = rf"{_MANY}({_NUMBER})\s*(?:{words}){_TIMES}(?:[^a-z]|$)"
        own = said.str.extract(pattern, 2).cast(AMOUNT, strict=False)
        packs = [
            said.str.extract(pattern, at).cast(AMOUNT, strict=False).fill_null(1) for at in (1, 3)
        ]
        each = _times(_times(own, pl.lit(Decimal(factor), dtype=AMOUNT)), _times(*packs))
        found = pl.when(own.is_not_null()).then(each).otherwise(found)
    return pl.when(single).then(found)


def _times(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """An exact product that stays below 10^15, else null (nobody ships that much)."""
    fits = (a.cast(pl.Float64) * b.cast(pl.Float64)) < 1e15
    return pl.when(fits).then(a).cast(HELD) * pl.when(fits).then(b)
