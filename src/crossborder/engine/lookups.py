"""Samples as the command line and the service ask for them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from crossborder import china_time, samples
from crossborder.errors import InputError


def write_sample(
    out: Path, *, shipments: int, seed: int, dirty: float, direction: str, mapping: str, on: str = "",
    dirt_report: Path | None = None, rates_out: Path | None = None,
) -> dict[str, int]:  # fmt: skip
    """Compose a sample file; `shipments`, `rows` and `dirty` counts. Raises `InputError`.

    `on` is the day of movement (`yyyy-mm-dd`), without it today in China.
    """
    try:
        day = date.fromisoformat(on) if on else china_time.now().date()
    except ValueError as error:
        raise InputError(
            f"--on {on!r}: yyyy-mm-dd", f"--on {on!r}：应为 yyyy-mm-dd", fix_en="e.g. 2026-11-23"
        ) from error
    written = samples.create(
        out, shipments=shipments, seed=seed, dirty=dirty, direction=direction, day=day, mapping=mapping,
        dirt_report=dirt_report, rates_out=rates_out,
    )  # fmt: skip
    return {"shipments": written.shipments, "rows": written.records, "dirty": written.dirty}
