"""Character tables of XML Schema 1.0 as classes of Rust's regex.

`tables/name_characters.csv` is `Letter | '_' | ':'` and `NameChar` of XML 1.0 (second edition), appendix B, which
Part 2 cites; `tables/blocks.csv` is the table of blocks in appendix F.1.1. All of them are inclusive ranges.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_TABLES = Path(__file__).resolve().parent / "tables"

CATEGORIES = re.compile("L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|Z[slp]?|S[mcko]?|C[cfon]?")
"""General categories that `\\p{…}` may name (appendix F.1.1, production 37 and below); `Cs` is not among them."""

XML_CHARACTER = r"\t\n\r\x{20}-\x{FFFD}\x{10000}-\x{10FFFF}"
"""`Char` of XML 1.0, the inside of a class; surrogates, which lie within, are in no text."""


def complement(inside: str) -> str:
    """The class of all characters that are not in one, of which `inside` is the inside.

    Rust's `[^…]` is wrong where one range ends at U+D7FF and another begins at U+E000: it holds these two characters.
    """
    return rf"[\x{{0}}-\x{{10FFFF}}--[{inside}]]"


@cache
def blocks() -> Mapping[str, str]:
    """Block name without `Is` → the inside of a Rust class."""
    return _classes("blocks.csv", "block")


@cache
def name_class(kind: str) -> str:
    """The inside of a Rust class: `initial` for what may begin a name, `name` for what may stand in it."""
    return _classes("name_characters.csv", "kind")[kind]


def _classes(file: str, key: str) -> dict[str, str]:
    made: dict[str, str] = defaultdict(str)
    with (_TABLES / file).open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            made[row[key]] += rf"\x{{{row['first']}}}-\x{{{row['last']}}}"
    return dict(made)
