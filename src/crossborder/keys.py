"""Business keys, normalised for comparing: half width, upper case, no blanks, no hyphens.

Keys are compared in this form and written as given (`spec/express/notes.md`, section 9, rule on keys).
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_HYPHENS = "-\u2010\u2011\u2012\u2013\u2014\u2212"


def normalise(text: str) -> str:
    """`' ab-1２3 '` → `'AB123'`."""
    half = unicodedata.normalize("NFKC", text)
    return "".join(c for c in half if not c.isspace() and c not in _HYPHENS).upper()


def declaration_key(master: str, house: str, direction: str) -> str:
    """`MASTER|HOUSE|I`: at most one attempt per such key is live (promise P4)."""
    return f"{normalise(master)}|{normalise(house)}|{direction}"


def manifest_key(master: str, voyage: str, direction: str, part: int) -> str:
    """`MASTER|VOYAGE|I|1`; part 1 is the ADD, each later APD counts on."""
    return f"{normalise(master)}|{normalise(voyage)}|{direction}|{part}"


def normalise_expr(value: pl.Expr) -> pl.Expr:
    """`normalise` as a polars expression (String → String)."""
    return (
        value.str.normalize("NFKC").str.replace_all(rf"[\s{_HYPHENS[1:]}\-]", "").str.to_uppercase()
    )


def declaration_key_expr(master: pl.Expr, house: pl.Expr, direction: pl.Expr) -> pl.Expr:
    """`declaration_key` as a polars expression; null where a part is null."""
    import polars as pl

    return pl.concat_str([normalise_expr(master), normalise_expr(house), direction], separator="|")
