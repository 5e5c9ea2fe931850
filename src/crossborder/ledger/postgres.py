"""PostgreSQL: how its sessions are set up, its locks, its types, rows by COPY, errors without values.

Several processes on several hosts may share one database. Who writes takes advisory locks for the length of the
transaction, in READ COMMITTED, so that every statement after the lock sees what its last holder committed.
"""

from __future__ import annotations

import hashlib
import select
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, ExceptionContext, Table, create_engine, event
from sqlalchemy.dialects.postgresql.base import PGDDLCompiler, PGTypeCompiler
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, DisconnectionError

from crossborder.errors import MissingExtra

HOLD = "crossborder_hold"
"""Execution option of a connection: which locks its transaction takes when it begins (`EVERYTHING` …)."""

EVERYTHING: Final = "everything"
"""Excludes all who write. Whatever reads and then writes what others may change."""
RECORDING: Final = "recording"
"""Excludes `EVERYTHING` and others who record: a batch's own rows, and attempts that nobody may send."""
SENDING: Final = "sending"
"""Excludes `EVERYTHING` only. Who holds it locks the rows that it changes, in the order of their numbers."""
NOTHING: Final = "nothing"
"""One statement that is right by itself."""

_BOOK, _MOVES = 1, 2
_SPACE = 0x0C0B0A5D
"""First half of every lock's number, so that other programs in the database have other ones."""
_HELD = {
    EVERYTHING: (f"pg_advisory_xact_lock({_SPACE}, {_BOOK})", f"pg_advisory_xact_lock({_SPACE}, {_MOVES})"),
    RECORDING: (f"pg_advisory_xact_lock({_SPACE}, {_BOOK})",),
    SENDING: (f"pg_advisory_xact_lock_shared({_SPACE}, {_MOVES})",),
    NOTHING: (),
}  # fmt: skip

_LOCK_SECONDS = 60
_IDLE_SECONDS = 300
_SESSION = (
    f"SET lock_timeout = '{_LOCK_SECONDS}s'",
    f"SET idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'",  # a stopped process gives its locks back
    "SET tcp_keepalives_idle = 30",  # a host that is gone is noticed within a minute
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
    "SET jit = off",
    # what was answered is on the disk, whatever the server's default
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')",
)
NUL, SHOWN = "\0", "\u2400"
"""PostgreSQL holds no character 0; its picture stands for it, in what is kept and in what is asked for."""
_BUSY = frozenset({"55P03", "40P01", "40001"})
"""Waited too long for a lock, deadlock, serialization: nothing was changed, the same may be tried again."""


def open_engine(url: URL) -> Engine:
    """An engine on a PostgreSQL database; nothing is connected yet. Raises `MissingExtra` if there is no driver."""
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            paramstyle="format",  # parameters in order, as on SQLite
            pool_size=8,
            max_overflow=24,
            pool_timeout=120,
            hide_parameters=True,
        )
    except ImportError as error:
        raise MissingExtra("postgresql", "psycopg") from error
    engine.dialect.type_compiler_instance = _Types(engine.dialect)
    engine.dialect.ddl_compiler = _Tables
    event.listen(engine, "connect", _connect)
    event.listen(engine, "checkout", _still_there)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _without_values, retval=True)
    return engine


def reading(engine: Engine) -> Engine:
    """The same engine, for transactions that see a single moment and change nothing."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def glancing(engine: Engine) -> Engine:
    """The same engine, for single statements that see what is committed: no transaction is begun and ended."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def is_busy(error: DBAPIError) -> bool:
    """Whether the transaction only met others at a bad moment."""
    return getattr(error.orig, "sqlstate", None) in _BUSY


def copy_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Insert rows by COPY; how many. Raises what SQLAlchemy would, without the values."""
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(map(quote, columns))
    sql = f"COPY {quote(table.name)} ({names}) FROM STDIN"
    cursor: Any = connection.connection.cursor()
    errors = connection.dialect.loaded_dbapi.Error
    try:
        _write_plainly(cursor)
        with cursor.copy(sql) as copy:
            for row in rows:
                copy.write_row(
                    row if not any(v.__class__ is str and NUL in v for v in row) else _told(row)
                )
        return max(int(cursor.rowcount), 0)
    except errors as error:
        raise bare(error, sql, connection) from None
    finally:
        cursor.close()


def missing_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """As `copy_rows`, but rows that the table's constraints refuse as present are left out."""
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(map(quote, columns))
    beside = f"new_{table.name}"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {beside} ON COMMIT DROP AS SELECT {names} FROM {quote(table.name)} WITH NO DATA"
    )
    copy_rows(connection, Table(beside, type(table.metadata)()), columns, rows)
    done = connection.exec_driver_sql(
        f"INSERT INTO {quote(table.name)} ({names}) SELECT {names} FROM {beside} ON CONFLICT DO NOTHING"
    )
    connection.exec_driver_sql(f"DROP TABLE {beside}")
    return int(done.rowcount)


def with_fixed(
    columns: Sequence[str], rows: Iterable[tuple[Any, ...]], fixed: Mapping[str, Any]
) -> tuple[list[str], Iterable[tuple[Any, ...]]]:
    """Columns and rows with what is the same in every row, which COPY cannot be told once."""
    if not fixed:
        return list(columns), rows
    same = tuple(fixed.values())
    return [*columns, *fixed], (row + same for row in rows)


def bare(error: Exception, sql: str, connection: Connection) -> BaseException:
    """What SQLAlchemy would raise for a driver's error, without the values that the server tells with it."""
    dialect = connection.dialect
    return DBAPIError.instance(
        sql, None, _bared(error), dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
    )


def owner_number(name: str) -> int:
    """The number of the lock by which a process shows that it lives."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _told(row: Sequence[Any]) -> list[Any]:
    return [v.replace(NUL, SHOWN) if isinstance(v, str) else v for v in row]


def _write_plainly(cursor: Any) -> None:
    """Texts go through the driver's own code, not through ours (see `_connect`): COPY writes very many."""
    from psycopg.types.string import StrDumper

    cursor.adapters.register_dumper(str, StrDumper)


def _connect(connection: Any, _record: Any) -> None:
    from psycopg.types.string import StrDumper

    class Shown(StrDumper):
        """Texts with the picture of the character 0 for itself."""

        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace(NUL, SHOWN) if NUL in obj else obj)

    connection.adapters.register_dumper(str, Shown)
    before, connection.autocommit = connection.autocommit, True
    for statement in _SESSION:
        connection.execute(statement)
    connection.autocommit = before


def _still_there(connection: Any, _record: Any, _proxy: Any) -> None:
    """A session that the server has ended has something to say though nobody asked: another takes its place.

    Asking each time whether it is there would take as long as most of what is asked afterwards.
    """
    if is_readable(connection.fileno()):
        raise DisconnectionError


def is_readable(descriptor: int) -> bool:
    """Whether something has come, or the other side is gone."""
    if sys.platform == "win32":
        return bool(select.select([descriptor], [], [], 0)[0])
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(waiting.poll(0))


def _begin(connection: Connection) -> None:
    for lock in _HELD[connection.get_execution_options().get(HOLD, NOTHING)]:
        connection.exec_driver_sql(f"SELECT {lock}")


def _without_values(context: ExceptionContext) -> BaseException | None:
    """The server tells rows and keys with what it refuses; they may hold personal data."""
    error, told = context.original_exception, context.sqlalchemy_exception
    if told is None or getattr(error, "diag", None) is None:
        return None
    return DBAPIError.instance(
        context.statement, None, _bared(error), context.dialect.loaded_dbapi.Error, hide_parameters=True,
        connection_invalidated=context.is_disconnect, dialect=context.dialect,
    )  # fmt: skip


def _bared(error: BaseException) -> BaseException:
    """The same error, with the first line of what the server says only: rows and keys are in what follows."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    error.args = (primary or str(error).partition("\n")[0],)
    return error


class _Types(PGTypeCompiler):
    """Numbers that grow with every row have 8 bytes; texts have no greatest length, as on SQLite."""

    def visit_VARCHAR(self, type_: Any, **kw: Any) -> str:  # noqa: N802  # SQLAlchemy's name
        return self._render_string_type("VARCHAR", None, type_.collation, **kw)

    def visit_INTEGER(self, type_: Any, **kw: Any) -> str:  # noqa: N802  # SQLAlchemy's name
        column = getattr(kw.get("type_expression"), "name", "")
        grows = column in ("id", "next", "offset") or column.endswith(("_id", "_offset"))
        return "BIGINT" if grows else "INTEGER"


class _Tables(PGDDLCompiler):
    """Numbers that the database gives have 8 bytes too."""

    def get_column_specification(self, column: Any, **kwargs: Any) -> str:
        said: str = super().get_column_specification(column, **kwargs)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
        return said.replace(" SERIAL", " BIGSERIAL")
