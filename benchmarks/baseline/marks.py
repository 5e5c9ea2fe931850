"""What class B parcels may have in common with parcels of other batches, as keyed hashes: one row for each block.

The row says what the engine's says; its body is packed, a record for each parcel, where the engine's is Arrow.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import blake2b

from benchmarks.baseline.facts import Facts
from benchmarks.baseline.rules_together import limit_of, worth
from benchmarks.baseline.spec import Shipment

Mark = tuple[int, bool, int, int, int, int, int, int]
"""Position, whether it is an export, hashes of document number, telephone and address (0: there is none), value and limit
in millionths of a yuan, day of the movement as a number."""
_RECORD = struct.Struct("<I?QQQqqI")
_MILLIONTH, _MILLION = Decimal("0.000001"), 1_000_000


class Marker:
    """Makes the marks of shipments with a secret key."""

    def __init__(self, key: bytes, look: Facts) -> None:
        self._look = look
        self._begun = [
            blake2b(key=key, digest_size=8, person=kind)
            for kind in (b"id_mark", b"phone_mark", b"address_mark")
        ]

    def of(self, ships: Iterable[tuple[int, Shipment]]) -> list[Mark]:
        """The marks of positions and shipments, of those that are compared at all."""
        if self._look.split_signal == "pass":
            return []
        return [mark for position, ship in ships for mark in self._one(position, ship)]

    def _one(self, position: int, ship: Shipment) -> Iterator[Mark]:
        if ship["EntryType"] != "B" or ship["broken"]:
            return
        value, limit = worth(ship, self._look), limit_of(ship, self._look)
        if value is None or limit is None:
            return
        direction = ship["IEFlag"]
        side = "Receive" if direction == "I" else "Send"
        sources = (ship["SendId"], ship[f"{side}TelNo"], ship[f"{side}Address"])
        own, phone, address = map(self._hashed, range(3), sources)
        if own or phone or address:
            export, day = direction == "E", int(ship["IEDate"])
            yield position, export, own, phone, address, _millionths(value), _millionths(limit), day

    def _hashed(self, kind: int, text: str | None) -> int:
        if text is None:
            return 0
        made = self._begun[kind].copy()
        made.update(text.encode())
        return int.from_bytes(made.digest(), "little")


def _millionths(value: Decimal) -> int:
    return int(value.quantize(_MILLIONTH, ROUND_HALF_EVEN) * _MILLION)


def packed(marks: Sequence[Mark]) -> bytes:
    """The marks of a block as bytes."""
    return b"".join(_RECORD.pack(*mark) for mark in marks)


def unpacked(body: bytes) -> list[Mark]:
    """The marks that bytes hold."""
    return list(_RECORD.iter_unpack(body))


def days(marks: Iterable[Mark]) -> tuple[str, str]:
    """The first and the last movement day of some marks, yyyyMMdd."""
    found = [mark[-1] for mark in marks]
    return f"{min(found):08}", f"{max(found):08}"
