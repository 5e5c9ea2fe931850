"""Exact numbers of a shipment's texts."""

from __future__ import annotations

import re
from decimal import Decimal

_form = re.compile(r"0*[0-9]{1,14}(?:\.[0-9]{1,5}0*)?").fullmatch
_whole = re.compile("0*[0-9]{1,18}").fullmatch
ONE = Decimal(1)


def number(text: str | None) -> Decimal | None:
    """A number of at most 14 digits before and 5 behind the point; None for anything else."""
    return Decimal(text) if text is not None and _form(text) else None


def whole(text: str | None) -> int | None:
    """A whole number of at most 18 digits; None for anything else."""
    return int(text) if text is not None and _whole(text) else None
