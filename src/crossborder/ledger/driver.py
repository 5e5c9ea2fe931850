"""Many rows through one statement, straight through the driver; many values in one parameter."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    Update,
    func,
    literal,
    select,
)
from sqlalchemy.exc import DBAPIError

from crossborder.ledger.dialects import literal_of


def insert_columns(
    connection: Connection,
    table: Table,
    columns: Mapping[str, Iterable[Any]],
    fixed: Mapping[str, Any] | None = None,
    *,
    missing: bool = False,
) -> int:
    """Insert rows given column by column, as many as the shortest has; how many were inserted.

    `fixed` are columns with the same value in every row: written into the statement, they need not be bound again and
    again. With `missing`, rows that the table's own constraints refuse as present are left out.
    """
    dialect = connection.dialect
    quote = dialect.identifier_preparer.quote
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    constants = {name: literal_of(table, name, value, dialect) for name, value in (fixed or {}).items()}  # fmt: skip
    sql = (
        f"INSERT INTO {quote(table.name)} ({', '.join(quote(c) for c in [*columns, *constants])})"
        f" VALUES ({', '.join([mark] * len(columns) + list(constants.values()))})"
        f"{' ON CONFLICT DO NOTHING' if missing else ''}"
    )
    return run_columns(connection, sql, columns.values())


def run_columns(connection: Connection, sql: str, columns: Iterable[Iterable[Any]]) -> int:
    """Run a statement once for each row of columns; how many rows it touched.

    No row is alive longer than its turn: a list of a hundred thousand tuples costs Python's collector more than the
    statement itself. Raises what SQLAlchemy would, without the values.
    """
    dialect = connection.dialect
    cursor: Any = connection.connection.cursor()
    try:
        cursor.executemany(sql, zip(*columns, strict=False))
        return max(int(cursor.rowcount), 0)
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(
            sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
        ) from error
    finally:
        cursor.close()


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


def rows_of(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """The rows of a frame, made column by column, which takes a third of the time of `frame.rows()`."""
    return list(zip(*(column.to_list() for column in frame.iter_columns()), strict=True))


def columns_of(frame: pl.DataFrame) -> dict[str, list[Any]]:
    """The columns of a frame as lists, by name."""
    return {column.name: column.to_list() for column in frame.iter_columns()}


def numbers(connection: Connection, query: Select[tuple[int]]) -> list[int]:
    """The whole numbers that a query of one column gives, ascending, handed over as one JSON text.

    A row for each costs many times as much. SQLite only.
    """
    (column,) = query.subquery().c
    told = connection.execute(select(func.json_group_array(column))).scalar_one()
    return sorted(json.loads(told))


def among(column: Column[Any], values: Iterable[str | int]) -> ColumnElement[bool]:
    """Whether a column holds one of any number of values, handed over as one JSON text.

    A parameter for each value costs more than looking it up. SQLite only.
    """
    given = func.json_each(literal(json.dumps(list(values)))).table_valued("value")
    return column.in_(select(given.c.value))
