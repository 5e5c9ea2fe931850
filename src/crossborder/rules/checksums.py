"""Check digits over whole columns: identity number, social credit code, air waybill, S10.

Each function takes text of the proper form (its docstring says which) and gives the character that ought to
stand at the check position, or whether it does. Values of another form give null or nonsense: test first.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

IDENTITY_FORM = r"^[0-9]{17}[0-9Xx]$"
USCC_FORM = r"^[0-9A-HJ-NPQRTUWXY]{18}$"
AIR_WAYBILL_FORM = r"^[0-9]{3}[- ]?[0-9]{8}$"
S10_FORM = r"^[A-Z]{2}[0-9]{9}[A-Z]{2}$"

_IDENTITY_CHARACTERS = "10X98765432"
_USCC_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTU"
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def weighted(number: pl.Expr, weights: Sequence[int]) -> pl.Expr:
    """Weighted sum of the last `len(weights)` decimal digits of an Int64, the first weight first."""
    places = range(len(weights) - 1, -1, -1)
    digits = [(number // 10**place % 10) * w for place, w in zip(places, weights, strict=True)]
    return pl.sum_horizontal(digits)


def identity_check(value: pl.Expr) -> pl.Expr:
    """The check character (0-9, X) of an identity number of `IDENTITY_FORM` (ISO 7064 MOD 11-2).

    The weights are the powers of 2 modulo 11, and so are those of 13: the 17 digits read in base 13 (they fit
    63 bits) are the weighted sum but for a last factor of 2.
    """
    number = value.str.slice(0, 17).str.to_integer(base=13, dtype=pl.Int64, strict=False)
    return pl.lit(_IDENTITY_CHARACTERS).str.slice(number % 11 * 2 % 11, 1)


def identity_good(value: pl.Expr) -> pl.Expr:
    """Whether the check character of an identity number is right; a lower-case x counts as X."""
    return identity_check(value) == value.str.slice(17, 1).str.to_uppercase()


def uscc_good(value: pl.Expr) -> pl.Expr:
    """Whether the check character of a code of `USCC_FORM` is right (GB 32100: powers of 3, modulo 31).

    The powers of 34 are those of 3 modulo 31: read backwards in base 34 the code is its weighted sum. It is
    read in two halves that fit 63 bits; the check character is what completes the sum to a multiple of 31.
    """
    digits = value.str.replace_many(list(_USCC_CHARACTERS[18:]), list(_DIGITS[18:]))
    halves = (digits.str.slice(start, 9).str.reverse() for start in (0, 9))
    first, second = (h.str.to_integer(base=34, dtype=pl.Int64, strict=False) for h in halves)
    check = digits.str.slice(17, 1).str.to_integer(base=34, dtype=pl.Int64, strict=False)
    tail = second - check * 34**8
    return (first % 31 + tail % 31 * (3**9 % 31) + check) % 31 == 0


def air_waybill_good(value: pl.Expr) -> pl.Expr:
    """Whether the last digit of a number of `AIR_WAYBILL_FORM` is the seven before it modulo 7."""
    serial = value.str.tail(8).cast(pl.Int64, strict=False)
    return serial // 10 % 7 == serial % 10


def s10_good(value: pl.Expr) -> pl.Expr:
    """Whether the check digit of a number of `S10_FORM` is right (UPU S10)."""
    number = value.str.slice(2, 8).cast(pl.Int64, strict=False)
    rest = 11 - weighted(number, _S10_WEIGHTS) % 11
    check = pl.when(rest == 10).then(0).when(rest == 11).then(5).otherwise(rest)
    return check == value.str.slice(10, 1).cast(pl.Int64, strict=False)
