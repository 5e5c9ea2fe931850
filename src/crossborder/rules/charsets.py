"""Which characters are what, as regular expressions over one text value (Rust syntax, Unicode)."""

from __future__ import annotations

import polars as pl

HAN = r"[\p{Han}\x{20000}-\x{3FFFD}]"
"""A Chinese character of any plane, also one newer than this version of Unicode."""
LATIN = r"\p{Latin}"

CONTROL = r"\p{Cc}\p{Cf}\x{2028}\x{2029}"
UNASSIGNED = r"[\p{Cn}--[\x{20000}-\x{3FFFD}]]"  # newer ideographs count as ideographs
PRIVATE = r"\p{Co}"
EMOJI = r"\p{Emoji_Presentation}\x{1F000}-\x{1FAFF}\x{FE0F}\x{2764}"
ILLEGAL = f"[{CONTROL}{UNASSIGNED}{PRIVATE}{EMOJI}]"
"""Control, format, unassigned and private-use characters and emoji (TXT-04)."""

FULL_WIDTH = r"[\x{FF10}-\x{FF19}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}]"
"""Full-width digits and letters."""
FULL_WIDTH_ANY = r"[\x{FF01}-\x{FF5E}\x{3000}]"
"""Full-width forms of all of ASCII, the blank included."""
SUPPLEMENTARY = r"[\x{20000}-\x{3FFFD}]"
"""Ideographs outside the basic plane."""
STRANGE = f"{ILLEGAL}|{FULL_WIDTH_ANY}"
"""What TXT-04 speaks about in a column that holds codes or numbers."""

_WIDE = [chr(c) for c in range(0xFF01, 0xFF5F)] + ["\u3000"]
_NARROW = [chr(c) for c in range(0x21, 0x7F)] + [" "]


def half_width(value: pl.Expr) -> pl.Expr:
    """Full-width forms of ASCII replaced by the ASCII characters, nothing else changed."""
    return value.str.replace_many(_WIDE, _NARROW)


def written(column: str) -> pl.Expr:
    """The text of a code or identity column; null where TXT-04 already speaks about it."""
    value = pl.col(column)
    return pl.when(~value.str.contains(STRANGE)).then(value)


def code_points(value: pl.Expr) -> pl.Expr:
    """A one-character text as `U+0007`."""
    return value.map_batches(_named, return_dtype=pl.String)


def _named(series: pl.Series) -> pl.Series:
    found = series.drop_nulls().unique()
    names = [f"U+{ord(c):04X}" for c in found]
    return series.replace_strict(found, names, default=None, return_dtype=pl.String)
