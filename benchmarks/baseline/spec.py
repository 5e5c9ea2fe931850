"""Names and tables that every baseline needs, gathered once; none of this is timed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from crossborder import schema
from crossborder.messages.mapping import message_mapping
from crossborder.settings import Profile

Shipment = dict[str, Any]
"""One shipment: head values by element name, `lines` and `docs` (lists of the same), `rows` (source rows)."""

FACTS = (
    "TransitDeclaration", "TaxRefundClaimed", "ForeignExchangeSettled", "SeparatedLuggage",
)  # fmt: skip
LINE_FACTS = ("SupervisionConditions",)
"""Columns of the elements file that are no element of the message."""
RENAMED = {"LineOpType": "OpType", "DocOpType": "OpType"}
HEAD, LINE, DOCU = "EntryHead", "EntryList", "EntryDocu"


@dataclass(frozen=True)
class Names:
    """Element names of one group in schema order, and which of them hold decimals."""

    elements: tuple[str, ...]
    decimals: tuple[str, ...]


@dataclass(frozen=True)
class Constants:
    """What a profile fills where the file has nothing: by element name, else by canonical column."""

    head: Mapping[str, str]
    by_class: Mapping[str, Mapping[str, str]]
    line: Mapping[str, str]
    docu: Mapping[str, str] = field(default_factory=lambda: {"OpType": "ADD"})


@cache
def names(message: str, group: str) -> Names:
    """The elements of one group of a message."""
    elements = schema.load_elements(message).group(group).elements
    return Names(tuple(e.name for e in elements), tuple(e.name for e in elements if e.total_digits))


@cache
def key_of(group: str) -> dict[str, str]:
    """Canonical column → key in a `Shipment` (the element that is made of it, else the column itself)."""
    elements = message_mapping("EXP301").groups[group].elements
    return {source.column: name for name, source in elements.items() if source.column}


def constants(profile: Profile) -> Constants:
    """The constants of a profile under the keys of a `Shipment`."""

    def keyed(values: Mapping[str, str], group: str) -> dict[str, str]:
        return {key_of(group).get(column, column): value for column, value in values.items()}

    return Constants(
        keyed(profile.values, HEAD),
        {kind: keyed(values, HEAD) for kind, values in profile.values_by_class.items()},
        keyed(profile.goods_values, LINE),
    )


def shortest(text: str) -> str:
    """`012.50` → `12.5`; what is no decimal stays as it is."""
    if text[:1] == "0" or text[-1:] == "0":
        if not text.replace(".", "", 1).isdecimal() or text[0] == "." or text[-1] == ".":
            return text
        whole, point, fraction = text.partition(".")
        whole = whole.lstrip("0") or "0"
        fraction = fraction.rstrip("0")
        return f"{whole}.{fraction}" if point and fraction else whole
    return text
