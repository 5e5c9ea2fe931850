"""Everything in which the databases differ, in one place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    Connection,
    Dialect,
    Engine,
    FromClause,
    Table,
    Text,
    cast,
    create_engine,
    event,
    func,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

IMMEDIATE = "crossborder_immediate"
"""Execution option of a connection whose transaction takes the write lock when it begins."""

_BUSY_MS = 60_000
_PAGE = 8192
"""Bytes of a page of a new ledger: rows that come in thousands fill fewer pages, of which each has its cost."""
_WAL_PAGES = 5_000
"""The write-ahead log is carried over when it has reached 40 MB: a block of a batch is about 5 MB of it."""
_T = TypeVar("_T")


def open_engine(url: str) -> Engine:
    """An engine on a SQLite file: WAL, every commit on the disk before it returns, foreign keys on.

    Connections are pooled and may pass from thread to thread, one thread at a time.
    """
    engine = create_engine(
        make_url(url),
        pool_size=16,
        max_overflow=64,
        pool_timeout=120,
        hide_parameters=True,  # an error that is shown must not show whose data it was about
        connect_args={"timeout": _BUSY_MS / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _sqlite_connect)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing of its own accord
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={_BUSY_MS}",
        f"page_size={_PAGE}",  # before the first table is written; afterwards it says nothing
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-65536",
        "temp_store=MEMORY",
        f"wal_autocheckpoint={_WAL_PAGES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get(IMMEDIATE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def insert_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
    fixed: Mapping[str, Any] | None = None,
) -> None:
    """Many rows as tuples straight through the driver (dictionaries through Core cost five times as much).

    `rows` may be made one by one as they are taken, so that no more than one is there at a time. `fixed` are columns
    with the same value in every row: written into the statement, they need not be bound again and again.
    """
    following = iter(rows)
    first = next(following, None)
    if first is None:
        return
    dialect = connection.dialect
    quote = dialect.identifier_preparer.quote
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    constants = {
        name: literal_of(table, name, value, dialect) for name, value in (fixed or {}).items()
    }
    sql = (
        f"INSERT INTO {quote(table.name)} ({', '.join(quote(c) for c in [*columns, *constants])})"
        f" VALUES ({', '.join([mark] * len(columns) + list(constants.values()))})"
    )  # fmt: skip
    run_many(connection, sql, chain((first,), following))


def run_many(connection: Connection, sql: str, rows: Iterable[tuple[Any, ...]]) -> int:
    """Run a statement once for each row; how many rows it touched.

    No row need be alive longer than its turn: a list of a hundred thousand tuples costs Python's collector more than the
    statement itself. Raises what SQLAlchemy would, without the values.
    """
    cursor: Any = connection.connection.cursor()  # its executemany takes any iterable
    errors = connection.dialect.loaded_dbapi.Error
    try:
        cursor.executemany(sql, rows)
        return max(int(cursor.rowcount), 0)
    except errors as error:
        raise DBAPIError.instance(
            sql, None, error, errors, hide_parameters=True, dialect=connection.dialect
        ) from error
    finally:
        cursor.close()


def literal_of(table: Table, column: str, value: Any, dialect: Dialect) -> str:
    """A value of a column as the dialect writes it in a statement. Raises `TypeError` where it has no literals."""
    written = table.c[column].type.dialect_impl(dialect).literal_processor(dialect)
    if written is None:
        raise TypeError(f"no literals of {table.name}.{column}")
    text = written(value)
    return text if dialect.paramstyle == "qmark" else text.replace("%", "%%")


def texts(connection: Connection, values: Iterable[str]) -> FromClause:
    """Any number of texts as a table with the column `value`, to be joined with: one parameter, one statement."""
    given = list(values)
    if connection.dialect.name == "sqlite":
        return func.json_each(json.dumps(given, ensure_ascii=False)).table_valued("value")
    return func.unnest(cast(given, ARRAY(Text))).table_valued("value")


def wipe_deleted(connection: Connection, *, on: bool) -> None:
    """Whether bytes that are deleted or replaced are overwritten in the database file (SQLite; elsewhere nothing)."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA secure_delete={'ON' if on else 'OFF'}")


def empty_log(engine: Engine) -> bool:
    """Carry the write-ahead log over and cut it to nothing; false if somebody else still reads in it (SQLite)."""
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def append_only(dialect: Dialect, table: str) -> list[str]:
    """Statements after which rows of `table` can be neither changed nor deleted."""
    if dialect.name == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()",
    ]


def append_only_undone(dialect: Dialect, table: str) -> list[str]:
    """Statements that take back `append_only`."""
    if dialect.name == "sqlite":
        return [f"DROP TRIGGER {table}_no_{verb}" for verb in ("update", "delete")]
    return [
        f"DROP TRIGGER {table}_append_only ON {table}",
        f"DROP FUNCTION {table}_append_only()",
    ]


def chunks(items: Iterable[_T], size: int = 2000) -> Iterator[list[_T]]:
    """Lists of at most `size`, so that no statement exceeds a driver's number of parameters."""
    block: list[_T] = []
    for item in items:
        block.append(item)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block
