"""The shape of a partner's sheet: which header each canonical column gets, and how codes and dates are spelt.

Read from the same partner mapping that reads the sheet (`mappings/partners/*.toml`), turned round: the first
header name, the first date pattern, and where a mapping takes words, the word for a code.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from crossborder import resources
from crossborder.errors import NotFound
from crossborder.samples.compose import Sample
from crossborder.samples.dirt import Kind, kinds
from crossborder.samples.vocabulary import assumptions
from crossborder.shipments.columns import COLUMNS, FrameName


@dataclass(frozen=True)
class Field:
    """One column of a sheet."""

    frame: FrameName
    column: str
    header: str
    words: Mapping[str, str]
    date: str


@dataclass(frozen=True)
class Shape:
    """A sheet: its columns in order, the text above the header (or none), the word below (or none)."""

    name: str
    fields: tuple[Field, ...]
    title: str
    totals: str

    @property
    def first_row(self) -> int:
        """Row of the first record as a user sees it in a sheet."""
        return 3 if self.title else 2


def load_shape(name: str, day: str) -> Shape:
    """The shape of a built-in partner mapping. Raises `NotFound` naming the known ones."""
    known = resources.names("mappings/partners", ".toml")
    if name not in known:
        raise NotFound(
            f"no mapping {name!r}", f"没有名为 {name!r} 的对照表",
            fix_en=f"known: {', '.join(known)}", fix_zh=f"现有：{'、'.join(known)}",
        )  # fmt: skip
    model = tomllib.loads(resources.text(f"mappings/partners/{name}.toml"))
    words = {key: _words(spec) for key, spec in model.get("words", {}).items()}
    fields = tuple(
        found for target, spec in model["columns"].items() if (found := _field(target, spec, words))
    )
    totals = model.get("totals", {}).get("words", [])
    title = (
        f"{day[:4]}年{int(day[4:6])}月{int(day[6:])}日快件预报清单（虚构数据）" if totals else ""
    )
    return Shape(name, fields, title, totals[0] if totals else "")


def _field(target: str, spec: Any, words: Mapping[str, Mapping[str, str]]) -> Field | None:
    frame, _, column = target.partition(".")
    if column not in COLUMNS[_frame(frame)] or column in assumptions()["unfilled"].get(frame, []):
        return None
    spec = spec if isinstance(spec, dict) else {"names": spec}
    names = spec["names"]
    dates = spec.get("dates", [])
    return Field(
        _frame(frame),
        column,
        names if isinstance(names, str) else names[0],
        words.get(spec.get("words", ""), {}),
        dates[0] if dates else "",
    )


def _frame(name: str) -> FrameName:
    return next(frame for frame in COLUMNS if frame == name)


def _words(spec: Mapping[str, Any]) -> dict[str, str]:
    """Code → the word a desk writes for it: the first own word, else the table's, where it names one code only."""
    said: dict[str, str] = {}
    if "table" in spec:
        text = resources.text(f"codes/{spec['table']}.csv")
        rows = list(csv.DictReader(io.StringIO(text)))
        keep = [r for r in rows if all(r[k] == v for k, v in spec.get("where", {}).items())]
        names = [r[spec["from"][0]].strip() for r in keep]
        for row, word in zip(keep, names, strict=True):
            if word and names.count(word) == 1:
                said[row[spec["code"]]] = word
    own: dict[str, str] = {}
    for word, code in spec.get("values", {}).items():
        own.setdefault(code, word)
    return said | own


def spell(shape: Shape, sample: Sample) -> pl.DataFrame:
    """One record per goods line: head repeated, document n beside line n. `ship`, `line`, then the headers.

    The dirt that only a sheet can have is done here: `differ` writes another value on a later row of a
    shipment, `apart` moves a row behind the next shipment.
    """
    frames = sample.frames
    heads, goods, papers = frames.shipments, frames.goods, frames.documents
    flat = goods.select(
        "ship", "line", *(_spelt(f).alias(f.header) for f in shape.fields if f.frame == "goods")
    )
    heads = heads.select(
        "ship", *(_spelt(f).alias(f.header) for f in shape.fields if f.frame == "shipments")
    )
    papers = papers.select(
        "ship", pl.col("doc").alias("line"),
        *(_spelt(f).alias(f.header) for f in shape.fields if f.frame == "documents"),
    )  # fmt: skip
    flat = flat.join(heads, on="ship", how="left", maintain_order="left")
    flat = flat.join(papers, on=["ship", "line"], how="left", maintain_order="left")
    flat = flat.select("ship", "line", *(f.header for f in shape.fields))
    return _apart(_differ(flat, shape, sample.dirt), sample.dirt)


def _rows_of(flat: pl.DataFrame, kind: Kind, dirt: pl.DataFrame) -> pl.Series:
    """Mask of the rows a kind is done to."""
    ships = dirt.filter(pl.col("kind") == kind.name)["ship"]
    return flat["ship"].is_in(ships.implode()) & (flat["line"] == kind.line)


def _differ(flat: pl.DataFrame, shape: Shape, dirt: pl.DataFrame) -> pl.DataFrame:
    header = {(f.frame, f.column): f.header for f in shape.fields}
    for kind in kinds():
        if kind.op == "differ":
            name = header[_frame(kind.targets[0].frame), kind.targets[0].column]
            here = pl.lit(_rows_of(flat, kind, dirt))
            flat = flat.with_columns(
                pl.when(here).then(pl.lit(kind.args[0])).otherwise(name).alias(name)
            )
    return flat


def _apart(flat: pl.DataFrame, dirt: pl.DataFrame) -> pl.DataFrame:
    """Rows to be moved come behind the next shipment, those of the last one before the shipment before."""
    moved = pl.zeros(flat.height, dtype=pl.Boolean, eager=True)
    for kind in kinds():
        if kind.op == "apart":
            moved = moved | _rows_of(flat, kind, dirt)
    if not moved.any():
        return flat
    ship = flat["ship"].cast(pl.Int64)
    last = ship == ship.max()
    place = pl.select(
        pl.when(moved & last).then(ship * 2 - 3).when(moved).then(ship * 2 + 3).otherwise(ship * 2)
    ).to_series()
    return (
        flat.with_columns(place.alias("_place")).sort("_place", maintain_order=True).drop("_place")
    )


def _spelt(field: Field) -> pl.Expr:
    value = pl.col(field.column)
    if field.words:
        value = value.replace(dict(field.words))
    if field.date and COLUMNS[field.frame][field.column].kind == "date":
        pattern = field.date
        for token, code in (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d")):
            pattern = pattern.replace(token, code)
        spelt = value.str.to_date("%Y%m%d", strict=False).dt.strftime(pattern)
        value = pl.coalesce(pl.when(value.str.contains("^[0-9]{8}$")).then(spelt), value)
    return value
