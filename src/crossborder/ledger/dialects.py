"""Everything in which the databases differ, in one place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    FromClause,
    Select,
    Table,
    Text,
    any_,
    cast,
    create_engine,
    event,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from crossborder.ledger import postgres, tables
from crossborder.ledger.postgres import EVERYTHING, NOTHING, RECORDING, SENDING

__all__ = [
    "EVERYTHING", "NOTHING", "RECORDING", "SENDING", "among", "append_only", "append_only_undone", "chunks", "glancing", "insert_rows",
    "is_shared", "literal_of", "numbers", "open_engine", "reading", "reserve", "run_many",
    "texts",
]  # fmt: skip


_BUSY_MS = 60_000
_PAGE = 8192
"""Bytes of a page of a new ledger: rows that come in thousands fill fewer pages, of which each has its cost."""
_WAL_PAGES = 5_000
"""The write-ahead log is carried over when it has reached 40 MB: a block of a batch is about 5 MB of it."""
_RESERVE = text(
    "INSERT INTO serials (name, next) VALUES (:name, 1 + :count)"
    " ON CONFLICT (name) DO UPDATE SET next = serials.next + :count RETURNING next"
)
_T = TypeVar("_T")


def open_engine(url: str) -> Engine:
    """An engine on a SQLite file (WAL, every commit on the disk before it returns, foreign keys on) or on PostgreSQL.

    Connections are pooled and may pass from thread to thread, one thread at a time. Raises `MissingExtra` if the
    driver for PostgreSQL is not installed.
    """
    where = make_url(url)
    if where.get_backend_name() == "postgresql":
        return postgres.open_engine(where)
    engine = create_engine(
        where,
        pool_size=16,
        max_overflow=64,
        pool_timeout=120,
        hide_parameters=True,  # an error that is shown must not show whose data it was about
        connect_args={"timeout": _BUSY_MS / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _sqlite_connect)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def reading(engine: Engine) -> Engine:
    """The engine whose transactions see a single moment and change nothing."""
    return postgres.reading(engine) if is_shared(engine.dialect) else engine


def glancing(engine: Engine) -> Engine:
    """The engine for single statements, which need no transaction."""
    return postgres.glancing(engine) if is_shared(engine.dialect) else engine


def is_shared(dialect: Dialect) -> bool:
    """Whether the database may have users on several hosts: PostgreSQL."""
    return dialect.name == "postgresql"


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
    writing = postgres.HOLD in connection.get_execution_options()
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def insert_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
    fixed: Mapping[str, Any] | None = None,
    *,
    missing: bool = False,
) -> int:
    """Many rows as tuples straight through the driver (dictionaries through Core cost five times as much); how many.

    `rows` may be made one by one as they are taken, so that no more than one is there at a time. `fixed` are columns
    with the same value in every row: written into the statement, they need not be bound again and again. With
    `missing`, rows that the table's own constraints refuse as present are left out. On PostgreSQL by COPY.
    """
    following = iter(rows)
    first = next(following, None)
    if first is None:
        return 0
    rows = chain((first,), following)
    if is_shared(connection.dialect):
        names, whole = postgres.with_fixed(columns, rows, fixed or {})
        write = postgres.missing_rows if missing else postgres.copy_rows
        return write(connection, table, names, whole)
    return run_many(
        connection, _insert(connection, table, columns, fixed or {}, missing=missing), rows
    )


def _insert(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    fixed: Mapping[str, Any],
    *,
    missing: bool,
) -> str:
    dialect = connection.dialect
    quote = dialect.identifier_preparer.quote
    constants = {name: literal_of(table, name, value, dialect) for name, value in fixed.items()}
    return (
        f"INSERT INTO {quote(table.name)} ({', '.join(quote(c) for c in [*columns, *constants])})"
        f" VALUES ({', '.join(['?'] * len(columns) + list(constants.values()))})"
        f"{' ON CONFLICT DO NOTHING' if missing else ''}"
    )


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
        if is_shared(connection.dialect):
            raise postgres.bare(error, sql, connection) from None
        raise DBAPIError.instance(
            sql, None, error, errors, hide_parameters=True, dialect=connection.dialect
        ) from error
    finally:
        cursor.close()


def literal_of(table: Table, column: str, value: Any, dialect: Dialect) -> str:
    """A value of a column as SQLite writes it in a statement. Raises `TypeError` where it has no literals."""
    written = table.c[column].type.dialect_impl(dialect).literal_processor(dialect)
    if written is None:
        raise TypeError(f"no literals of {table.name}.{column}")
    return str(written(value))


def texts(connection: Connection, values: Iterable[str]) -> FromClause:
    """Any number of texts as a table with the column `value`, to be joined with: one parameter, one statement."""
    given = list(values)
    if not is_shared(connection.dialect):
        return func.json_each(json.dumps(given, ensure_ascii=False)).table_valued("value")
    return func.unnest(cast(given, ARRAY(Text))).table_valued("value").render_derived()


def among(
    connection: Connection, column: Column[Any], values: Iterable[str | int]
) -> ColumnElement[bool]:
    """Whether a column holds one of any number of values, handed over as one parameter.

    A parameter for each value costs more than looking it up.
    """
    given = list(values)
    if is_shared(connection.dialect):
        return column == any_(cast(given, ARRAY(column.type)))
    held = func.json_each(literal(json.dumps(given))).table_valued("value")
    return column.in_(select(held.c.value))


def numbers(connection: Connection, query: Select[tuple[int]]) -> list[int]:
    """The whole numbers that a query of one column gives, ascending, handed over at once.

    A row for each costs many times as much.
    """
    (column,) = query.subquery().c
    if is_shared(connection.dialect):
        return sorted(connection.execute(select(func.array_agg(column))).scalar_one() or ())
    told = connection.execute(select(func.json_group_array(column))).scalar_one()
    return sorted(json.loads(told))


def reserve(connection: Connection, name: str, count: int) -> range:
    """`count` numbers of the series `name` that were never given before (from 1), for good once this is committed."""
    serials = tables.serials
    if is_shared(connection.dialect):  # whoever asks at the same moment waits for the row
        after = connection.execute(_RESERVE, {"name": name, "count": count}).scalar_one()
        return range(after - count, after)
    first = connection.execute(select(serials.c.next).where(serials.c.name == name)).scalar()
    if first is None:
        connection.execute(serials.insert().values(name=name, next=1 + count))
        return range(1, 1 + count)
    connection.execute(
        serials.update().where(serials.c.name == name).values(next=serials.c.next + count)
    )
    return range(first, first + count)


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
