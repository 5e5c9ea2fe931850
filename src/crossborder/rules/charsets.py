"""Which characters are what, as regular expressions over one text value (Rust syntax, Unicode)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import polars as pl

from crossborder.shipments.columns import Kind

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
PHONE_CHARACTERS = r"^[0-9|\x{2223}-]*$"
"""Telephone numbers of nothing but digits, hyphens and bars (EXP-24)."""

_GB2312, _BIG5 = ("gb2312", range(0xB0, 0xF8)), ("big5", range(0xA4, 0xC7))
"""The ideographs of GB 2312, and the common ones of Big5 (its first level): encoding, first bytes."""


@cache
def traditional() -> str:
    """Common characters of traditional writing: those of Big5's first level that GB 2312 has not (EXP-46)."""
    codes = sorted(map(ord, _ideographs(*_BIG5) - _ideographs(*_GB2312)))
    runs: list[list[int]] = []
    for code in codes:
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "[" + "".join(f"{chr(a)}-{chr(b)}" if a < b else chr(a) for a, b in runs) + "]"


def _ideographs(encoding: str, first: Iterable[int]) -> set[str]:
    pairs = (bytes((a, b)) for a in first for b in range(0x40, 0xFF))
    text = "".join(pair.decode(encoding, "ignore") for pair in pairs)
    return {c for c in text if "\u4e00" <= c <= "\u9fff"}


_WIDE = [chr(c) for c in range(0xFF01, 0xFF5F)] + ["\u3000"]
_NARROW = [chr(c) for c in range(0x21, 0x7F)] + [" "]


def half_width(value: pl.Expr) -> pl.Expr:
    """Full-width forms of ASCII replaced by the ASCII characters, nothing else changed."""
    return value.str.replace_many(_WIDE, _NARROW)


WRITTEN = (
    "commodity_code", "currency", "declarant_code", "declarant_scc", "entry_id", "freight_currency",
    "house_waybill", "input_company_code", "insurance_currency", "master_waybill", "origin_country",
    "other_charges_currency", "owner_code", "owner_scc", "ownership_type", "party_id", "receiver_country",
    "sender_country", "trade_country", "trading_company_code", "trading_company_scc",
)  # fmt: skip
"""The columns of codes and identities that rules look at through `written`."""


def written(column: str) -> pl.Expr:
    """The text of a column of `WRITTEN`; null where TXT-04 already speaks about it. Prepared frames hold it."""
    if column not in WRITTEN:
        raise ValueError(f"{column} is none of WRITTEN")
    return pl.col(written_name(column))


def written_name(column: str) -> str:
    """The helper column of a column of `WRITTEN`."""
    return f"_written_{column}"


_STRICT = ("code", "identity", "decimal", "integer", "date", "datetime", "flag")
_FREE = ("text", "name")


def is_strict(kind: Kind) -> bool:
    """Whether values of a kind are codes, numbers or dates: nothing full-width belongs there."""
    return kind in _STRICT


def is_free(kind: Kind) -> bool:
    """Whether values of a kind are free text."""
    return kind in _FREE


def unusual(kind: Kind) -> str:
    """Every character that TXT-04 may speak about in a column of this kind."""
    if is_strict(kind):
        return STRANGE
    return f"{ILLEGAL}|{FULL_WIDTH}|{SUPPLEMENTARY}" if is_free(kind) else ILLEGAL


_USUAL = r" -~\x{3001}\x{3002}\x{4E00}-\x{9FA5}"
_USUAL_TEXT = r"\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF20}\x{FF3B}-\x{FF40}\x{FF5B}-\x{FF5E}"


def perhaps_unusual(kind: Kind) -> str:
    """Every character of `unusual` and more: a class that is made in no time, for a quick look that misses none."""
    return f"[^{_USUAL}]" if is_strict(kind) else f"[^{_USUAL}{_USUAL_TEXT}]"


def code_points(value: pl.Expr) -> pl.Expr:
    """A one-character text as `U+0007`."""
    return value.map_batches(_named, return_dtype=pl.String)


def _named(series: pl.Series) -> pl.Series:
    found = series.drop_nulls().unique()
    names = [f"U+{ord(c):04X}" for c in found]
    return series.replace_strict(found, names, default=None, return_dtype=pl.String)
