"""What stands on the manifests of a master waybill already: houses, pieces and weight, which the next part adds to.

A partner may hand in the parcels of one flight one by one, each of which is a further part of its manifest. What a part
holds never changes, so it is read once in a process and kept in a few numbers for each house.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from lxml import etree

from crossborder.errors import SchemaError
from crossborder.keys import declaration_key
from crossborder.ledger import Ledger, ManifestPart

MOST_HOUSES = 200_000
"""Houses that are kept at hand; beyond that parts are read anew."""


class Sums(NamedTuple):
    """How many houses, with how many pieces and what gross weight (kg) in all."""

    houses: int
    pieces: Decimal
    gross_weight: Decimal

    def told(self) -> tuple[int, str, str]:
        """The same with numbers as manifests write them."""
        return self.houses, format(self.pieces, "f"), format(self.gross_weight, "f")


class _Part(NamedTuple):
    """What a part holds: each of its houses with its key (without the direction), and altogether."""

    houses: list[tuple[str, Sums]]
    sums: Sums


class _AtHand:
    """Parts that were read, by the digest of their bytes. For all threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._parts: dict[str, _Part] = {}
        self._houses = 0

    def get(self, digest: str) -> _Part | None:
        return self._parts.get(digest)

    def keep(self, digest: str, part: _Part) -> None:
        with self._guard:
            if self._houses + len(part.houses) > MOST_HOUSES:
                self._parts.clear()
                self._houses = 0
            self._parts[digest] = part
            self._houses += len(part.houses)


_at_hand = _AtHand()


def standing(ledger: Ledger, parts: Sequence[ManifestPart], direction: str, at: datetime) -> Sums:
    """What some parts hold together, without the houses that customs has refused.

    Raises `PayloadDamaged` for a part that cannot be read, `SchemaError` for one that is no manifest.
    """
    refused: dict[int, list[str]] = {}
    for attempt_id, key in ledger.refused_houses([part.attempt_id for part in parts]):
        refused.setdefault(attempt_id, []).append(key)
    found = []
    for part in parts:
        held = _at_hand.get(part.ref.digest)
        if held is None:
            held = _part(ledger.payload(part.ref, at))
            _at_hand.keep(part.ref.digest, held)
        gone = refused.get(part.attempt_id)
        found.append(_without(held, gone, direction) if gone else held.sums)
    return _summed(found)


def _part(xml: bytes) -> _Part:
    houses = [
        (declaration_key(line["BillNo"], line["AssBillNo"], ""), Sums(1, Decimal(line["PackNo"]), Decimal(line["GrossWt"])))
        for line in manifest_lines(xml)
    ]  # fmt: skip
    return _Part(houses, _summed(own for _, own in houses))


def _without(part: _Part, refused: Sequence[str], direction: str) -> Sums:
    gone = {key.removesuffix(direction) for key in refused}
    return _summed(own for key, own in part.houses if key not in gone)


def _summed(parts: Iterable[Sums]) -> Sums:
    columns = list(zip(*parts, strict=True)) or [(), (), ()]
    houses, pieces, weights = columns
    return Sums(sum(houses), sum(pieces, Decimal(0)), sum(weights, Decimal(0)))


def manifest_lines(xml: bytes) -> list[dict[str, str]]:
    """The elements of each line of one of our own manifests by local name. Raises `SchemaError`."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
    )
    found = etree.fromstring(xml, parser).findall(".//{*}ExpMftList")
    if not found:
        raise SchemaError("a stored manifest has no lines", "台账中的舱单没有表体")
    return [{etree.QName(child).localname: child.text or "" for child in line} for line in found]
