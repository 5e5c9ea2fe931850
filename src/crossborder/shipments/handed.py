"""`Shipments`: three frames handed in by a program instead of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shipments:
    """Shipments, goods and documents as frames with canonical column names.

    Each is anything polars takes (polars, pandas, pyarrow, DuckDB …). Goods and documents name their shipment
    by `master_waybill`, `house_waybill` and `direction`, or all three frames carry a column `ship` of equal
    numbers. Values may be text or typed; they become canonical text when they are read.
    """

    shipments: Any
    goods: Any = None
    documents: Any = None
