"""Text as the XML of a workbook holds it."""

from __future__ import annotations

import re

import polars as pl

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEAD = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MOST = 32_767
"""Characters that a cell can hold."""
_ODD = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_ODD_TEXT = r"[\x00-\x08\x0b-\x1f\x{fffe}\x{ffff}]|_x[0-9A-Fa-f]{4}_"


def escaped(text: str) -> str:
    """A text for an element of a workbook: what XML cannot hold becomes `_xHHHH_`, as Excel writes it."""
    text = _ODD.sub(lambda m: f"_x{ord(m.group()[0]):04X}_{m.group()[1:]}", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escaped_column(values: pl.Series) -> pl.Series:
    """The same for a column of text."""
    name = values.name
    odd = values.str.contains(_ODD_TEXT).fill_null(False)
    if odd.any():
        return pl.Series(name, [None if v is None else escaped(v) for v in values], pl.String)
    return values.str.replace_many(["&", "<", ">"], ["&amp;", "&lt;", "&gt;"]).alias(name)
