"""Business keys, normalised for comparing: half width, upper case, no blanks, no hyphens.

Keys are compared in this form and written as given (`spec/express/notes.md`, section 9, rule on keys).
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_BLANKS_AND_HYPHENS = (
    r"[\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"
    r"\-\x{2010}-\x{2014}\x{2212}]"
)
"""Unicode White_Space and every hyphen or dash, in Rust's dialect of regular expressions."""
_DROPPED = re.compile(
    re.sub(r"\\x\{([0-9A-F]+)\}", lambda m: chr(int(m[1], 16)), _BLANKS_AND_HYPHENS)
)


def normalise(text: str) -> str:
    """`' ab-1２3 '` → `'AB123'`."""
    return _DROPPED.sub("", unicodedata.normalize("NFKC", text)).upper()


def declaration_key(master: str, house: str, direction: str) -> str:
    """`MASTER|HOUSE|I`: at most one attempt per such key is live (promise P4)."""
    return f"{normalise(master)}|{normalise(house)}|{direction}"


def manifest_key(master: str, voyage: str, direction: str, part: int) -> str:
    """`MASTER|VOYAGE|I|1`; part 1 is the ADD, each later APD counts on."""
    return f"{normalise(master)}|{normalise(voyage)}|{direction}|{part}"


def normalise_expr(value: pl.Expr) -> pl.Expr:
    """`normalise` as a polars expression (String → String)."""
    half = value.str.normalize("NFKC")
    return half.str.replace_all(_BLANKS_AND_HYPHENS, "").str.to_uppercase()


def normalised(values: pl.Series) -> pl.Series:
    """`normalise` over a column; only values that need it are touched, and mostly none does."""
    import polars as pl

    odd = values.str.contains(r"[^A-Z0-9]").fill_null(value=False)
    if not odd.any():
        return values
    written = values.filter(odd)
    spellings = written.unique()
    as_keys = spellings.to_frame("n").select(normalise_expr(pl.col("n"))).to_series()
    return values.scatter(odd.arg_true(), written.replace_strict(spellings, as_keys))


def declaration_key_expr(master: pl.Expr, house: pl.Expr, direction: pl.Expr) -> pl.Expr:
    """`declaration_key` as a polars expression; null where a part is null or has nothing left when normalised."""
    import polars as pl

    parts = [normalise_expr(master), normalise_expr(house)]
    return pl.concat_str(
        [*(pl.when(part != "").then(part) for part in parts), direction], separator="|"
    )
