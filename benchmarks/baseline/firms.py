"""Numbers of enterprises. The same few stand in every shipment of a day, so what was found of them is remembered."""

from __future__ import annotations

import re
from functools import lru_cache

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_form = re.compile(f"[{_USCC}]{{18}}").fullmatch
_usual = re.compile("[1-9ANY].[0-9]{6}").match
_registered = re.compile("[0-9]{4}[0-9A-HJ-NP-Z]{6}").fullmatch
_digits = str.maketrans(_USCC, "0123456789ABCDEFGHIJKLMNOPQRSTU")


@lru_cache(maxsize=4096)
def social_credit(code: str) -> bool:
    """Form and check character (GB 32100): the weights are the powers of 3 modulo 31, and so are those of 34, in which
    `int` reads; the check character completes their sum."""
    if not _form(code):
        return False
    figures = code.translate(_digits)
    return (int(figures[-2::-1], 34) + int(figures[-1], 31)) % 31 == 0


def usual_body(code: str) -> bool:
    """A registration body and a district at the beginning of a social credit code."""
    return _usual(code) is not None


@lru_cache(maxsize=4096)
def registered(code: str) -> bool:
    """Form of a customs registration code."""
    return _registered(code) is not None
