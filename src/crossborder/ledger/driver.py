"""Many rows through one statement, straight through the driver, given row by row or column by column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Connection, Select, Table, Update

from crossborder.ledger.dialects import insert_rows, run_many


def insert_columns(
    connection: Connection,
    table: Table,
    columns: Mapping[str, Iterable[Any]],
    fixed: Mapping[str, Any] | None = None,
    *,
    missing: bool = False,
) -> int:
    """`insert_rows` of rows given column by column, as many as the shortest has; how many were inserted."""
    rows = zip(*columns.values(), strict=False)
    return insert_rows(connection, table, list(columns), rows, fixed, missing=missing)


def run_columns(connection: Connection, sql: str, columns: Iterable[Iterable[Any]]) -> int:
    """Run a statement once for each row of columns (`run_many`); how many rows it touched."""
    return run_many(connection, sql, zip(*columns, strict=False))


def run_rows(
    connection: Connection, statement: Update, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Run `statement` once for each row; `names` are its bound parameters in the order of a row.

    They must be in the order in which the statement as text needs them (`ValueError` else). Dictionaries through Core
    cost five times as much.
    """
    if not rows:
        return
    compiled = statement.compile(dialect=connection.dialect)
    wanted = [name for name in compiled.positiontup or () if name in names]
    if wanted != list(names) or len(compiled.positiontup or ()) != len(wanted):
        raise ValueError(f"the statement needs {compiled.positiontup}")
    connection.exec_driver_sql(str(compiled), list(rows))


def update_columns(
    connection: Connection, statement: Update, columns: Mapping[str, Iterable[Any]]
) -> None:
    """Run `statement` once for each row; `columns` are the values of its bound parameters by name.

    Dictionaries through Core cost five times as much. Raises `ValueError` if the parameters are not those.
    """
    compiled = statement.compile(dialect=connection.dialect)
    wanted = compiled.positiontup or ()
    if sorted(wanted) != sorted(columns):
        raise ValueError(f"the statement needs {compiled.positiontup}")
    run_columns(connection, str(compiled), [columns[name] for name in wanted])


def texts_of(
    connection: Connection, query: Select[tuple[str]], lot: int = 10_000
) -> Iterator[list[str]]:
    """The one column of texts that a query gives, in lots; rows through Core cost three times as much."""
    with connection.execute(query) as found:
        cursor = found.cursor
        assert cursor is not None
        while rows := cursor.fetchmany(lot):
            yield [text for (text,) in rows]


def rows_of(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """The rows of a frame, made column by column, which takes a third of the time of `frame.rows()`."""
    return list(zip(*(column.to_list() for column in frame.iter_columns()), strict=True))


def columns_of(frame: pl.DataFrame) -> dict[str, list[Any]]:
    """The columns of a frame as lists, by name."""
    return {column.name: column.to_list() for column in frame.iter_columns()}
