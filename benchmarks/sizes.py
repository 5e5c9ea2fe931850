"""How much is run, and what the fixed day of the samples is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

SEED = 20261123
DAY = date(2026, 11, 23)
DECLARED_ON = f"{DAY:%Y%m%d}"
AT = datetime(2026, 11, 23, 10, 5, 9, tzinfo=UTC)
"""18:05:09 in China."""
SERVED = {"hangzhou": "29", "ningbo": "31"}
PORTS = ("2901", "3101")
SENDER, RECEIVER = "DXPESW0000000001", "E010000"
DEFAULT = 100_000


@dataclass(frozen=True)
class Sizes:
    """Shipments for the columnar side, for baselines, for xmlschema and for proofs; rounds."""

    columnar: int
    rowwise: int
    slow: int
    proof: int
    rounds: int

    @classmethod
    def of(cls, shipments: int, *, quick: bool) -> Sizes:
        """Baselines work row by row: a tenth of the shipments tells their cost per shipment."""
        if quick:
            return cls(shipments, min(shipments, 40), 2, min(shipments, 150), 1)
        return cls(
            shipments, max(500, shipments // 10), max(20, shipments // 400), min(shipments, 1500), 5
        )
