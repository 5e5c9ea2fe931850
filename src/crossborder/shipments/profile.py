"""Filling what the file left empty: the firm's constants (profile) and the person's numbers (operator)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Protocol, TypeVar

import polars as pl

from crossborder.errors import SettingsError
from crossborder.shipments.columns import COLUMNS, FrameName
from crossborder.shipments.frames import FrameSet

_V = TypeVar("_V")


class ProfileLike(Protocol):
    """What is needed of a profile; `crossborder.settings.Profile` is one."""

    @property
    def values(self) -> Mapping[str, str]:
        """Shipments columns → constant."""

    @property
    def values_by_class(self) -> Mapping[str, Mapping[str, str]]:
        """Class → shipments columns → constant; they win over `values`."""

    @property
    def goods_values(self) -> Mapping[str, str]:
        """Goods columns → constant."""


class OperatorLike(Protocol):
    """What is needed of an operator; `crossborder.settings.Operator` is one."""

    @property
    def values(self) -> Mapping[str, str]:
        """Shipments columns → the person's number or name."""


def apply_profile(frames: FrameSet, profile: ProfileLike, operator: OperatorLike) -> FrameSet:
    """Fill empty cells: the class's value first, then the operator's, then the profile's.

    A column that has a value for some class is filled only on rows whose class is known, so the function may
    be called again once the rest has been classified. What the file gave is never changed. Unreadable rows
    stay as they are. Raises `SettingsError` for a column that does not exist.
    """
    shipments, goods = _filling(
        _items(profile.values),
        _items({c: _items(values) for c, values in profile.values_by_class.items()}),
        _items(profile.goods_values),
        _items(operator.values),
    )
    return FrameSet(
        _filled(frames.shipments, shipments),
        _filled(frames.goods, goods),
        frames.documents,
        frames.headers,
    )


def _filled(frame: pl.DataFrame, columns: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """The frame with the columns in which something is empty made anew."""
    gaps = [value for name, value in columns.items() if frame.get_column(name).null_count()]
    return frame.with_columns(gaps) if gaps else frame


_Values = tuple[tuple[str, str], ...]


def _items(values: Mapping[str, _V]) -> tuple[tuple[str, _V], ...]:
    return tuple(values.items())


@lru_cache(maxsize=64)
def _filling(
    values: _Values,
    by_class: tuple[tuple[str, _Values], ...],
    goods_values: _Values,
    operator: _Values,
) -> tuple[dict[str, pl.Expr], dict[str, pl.Expr]]:
    """The filled columns of shipments and of goods, made once for a firm and a person."""
    classes = {c: dict(of_class) for c, of_class in by_class}
    constants = {**dict(values), **dict(operator)}
    _refuse_unknown("shipments", [*constants, *(k for v in classes.values() for k in v)])
    _refuse_unknown("goods", (column for column, _ in goods_values))
    waiting = {column for of_class in classes.values() for column in of_class}
    readable = ~pl.col("unreadable")
    known = readable & pl.col("declaration_class").is_not_null()
    filled = {}
    for column in {**constants, **dict.fromkeys(waiting)}:
        value = pl.col(column)
        for name, of_class in classes.items():
            if column in of_class:
                mine = readable & (pl.col("declaration_class") == name)
                value = _fill(value, column, of_class[column], mine)
        if column in constants:
            value = _fill(
                value, column, constants[column], known if column in waiting else readable
            )
        filled[column] = value.alias(column)
    goods = {c: pl.col(c).fill_null(pl.lit(v)).alias(c) for c, v in goods_values if v != ""}
    return filled, goods


def _fill(value: pl.Expr, column: str, constant: str, where: pl.Expr) -> pl.Expr:
    if constant == "":
        return value
    return pl.when(value.is_null() & where).then(pl.lit(constant)).otherwise(value)


def _refuse_unknown(frame: FrameName, columns: Iterable[str]) -> None:
    for column in columns:
        if column not in COLUMNS[frame]:
            near = difflib.get_close_matches(column, COLUMNS[frame], 1, 0.4)
            raise SettingsError(
                f"there is no {frame} column {column!r}", f"{frame} 没有列 {column!r}", place="profile",
                fix_en=f"nearest: {near[0]}" if near else "see docs/configuration.md",
                fix_zh=f"最接近的是：{near[0]}" if near else "参见 docs/configuration.md",
            )  # fmt: skip
