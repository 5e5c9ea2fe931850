"""The words samples are composed of: small tables of ours beside this module, none of them about a real person."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

_DATA = Path(__file__).resolve().parent / "data"


@cache
def table(name: str) -> pl.DataFrame:
    """A table of `data/`, every column as text, empty text kept."""
    frame = pl.read_csv(_DATA / f"{name}.csv", infer_schema=False)
    return frame.with_columns(pl.all().fill_null(""))


def column(name: str, field: str) -> pl.Series:
    """One column of a table of `data/`."""
    return table(name).get_column(field)


@cache
def assumptions() -> dict[str, Any]:
    """Every share and size, as `data/assumptions.toml` says."""
    loaded: dict[str, Any] = tomllib.loads((_DATA / "assumptions.toml").read_text(encoding="utf-8"))
    return loaded
