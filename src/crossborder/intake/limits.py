"""Bounds on what is read from outside, so that hostile or mistaken files end in a clear message."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one hand-in.

    `max_bytes` of the file; `max_rows` records; `max_columns` of the header; `max_cell_chars` characters of
    one cell (a longer one is a finding, not an error). `max_record_bytes` bounds one line of a text file; a
    quoted field that runs over more is taken for a quote that was never closed. `max_shipment_rows` bounds
    the rows that stand together under one waybill, because a block never splits a shipment.

    `max_unpacked_bytes` and `max_ratio` bound what a workbook may unpack to, in total and against its packed
    size (a zip bomb unpacks to thousands of times its size, a real sheet to ten or thirty); `max_cells` the
    rectangle a sheet spans, since one cell in the far corner makes every cell before it real: a sheet of 93
    columns may have 537,000 rows.
    """

    max_bytes: int = 2 * 1024**3
    max_rows: int = 5_000_000
    max_columns: int = 1_000
    max_cell_chars: int = 10_000
    max_record_bytes: int = 64 * 1024**2
    max_shipment_rows: int = 100_000
    max_unpacked_bytes: int = 4 * 1024**3
    max_ratio: int = 200
    max_cells: int = 50_000_000


LIMITS = Limits()
"""The bounds that count where nothing else is said."""
