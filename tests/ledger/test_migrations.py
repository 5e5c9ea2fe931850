from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Engine, Index, String, inspect, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex
from tests.backends import URLS, open_ledger
from tests.postgres import Server

from crossborder.errors import LedgerError
from crossborder.ledger import Ledger, ReceiptLine, database, migrations
from crossborder.ledger.dialects import open_engine
from crossborder.ledger.tables import metadata, only_postgresql

from .desk import MASTER, NOW, claim, hand_in, held, ready

SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
POSTGRESQL = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
KEPT = {"sqlite": [], "postgresql": ["payload"]}
"""What a ledger on each back end keeps on the way down: bytes are never thrown away."""


def contents(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(table.select())), key=repr)
            for table in metadata.sorted_tables
        }


def without_chain(
    found: dict[str, list[tuple[object, ...]]],
) -> dict[str, list[tuple[object, ...]]]:
    """The same without what chaining anew adds: a ledger that is chained again says so in one more entry."""
    events = sorted(row for row in found["events"] if row[3] != "chained")
    return {**found, "events": events, "audit_head": []}


def filled(home: Path) -> Engine:
    with open_ledger(home) as ledger:
        ready(ledger, 3)
        hand_in(ledger, 2, first=10, name="b.csv")
        refs = [ledger.store_receipt("hangzhou", f"{raw}.xml", raw.encode(), NOW) for raw in "abc"]
        ledger.save_unreadable(refs[0].id, "no XML")
        said = ReceiptLine(0, "EXP302", MASTER, "X1", None, "I", "ADD", "D0", "20261123180500123")
        ledger.save_read(refs[1].id, "EXP302", [said])
        ledger.add_api_key("shop", "secret", NOW)
        ledger.idempotent(1, "key", "0" * 64, NOW)
        claim(ledger)
    return open_engine(URLS.get(home, f"sqlite:///{home / database.FILE}"))


def test_head_is_the_newest_version() -> None:
    config = Config()
    config.set_main_option("script_location", "crossborder.ledger:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def by_expression(index: Index) -> bool:
    """Whether an index is of more than columns, which cannot be read back from the database."""
    return any(not isinstance(part, Column) for part in index.expressions)


@SQLITE
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings(
    "ignore:autogenerate skipping metadata-specified expression-based index"
)
def test_the_migrations_make_the_tables_as_they_are_declared(home: Path) -> None:
    with Ledger.open(home) as ledger, ledger.read() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
        written = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'index'")
        indexes = {" ".join(sql.split()) for (sql,) in written if sql}
    assert found == []
    declared = [i for t in metadata.sorted_tables for i in t.indexes if by_expression(i)]
    assert [i.name for i in declared] == ["uq_attempts_key"]
    for index in declared:
        assert str(CreateIndex(index).compile(dialect=sqlite.dialect())) in indexes


def test_every_step_up_and_down_on_a_filled_ledger(home: Path, backend: str) -> None:
    engine = filled(home)
    before = contents(engine)
    assert all(
        before[name] for name in ("batches", "attempts", "events", "receipts", "idempotency")
    )
    database.migrate(engine, "0001")
    assert not inspect(engine).has_table("unread")
    database.migrate(engine, migrations.HEAD)
    assert without_chain(contents(engine)) == without_chain(before)
    database.migrate(engine, "base")
    assert sorted(inspect(engine).get_table_names()) == ["alembic_version", *KEPT[backend]]
    database.migrate(engine, migrations.HEAD)
    assert {name: rows for name, rows in contents(engine).items() if rows} == {
        "audit_head": [(1, 0, "0" * 64)]
    }
    engine.dispose()


def test_receipts_of_an_older_ledger_are_read_unread_or_unreadable_as_before(home: Path) -> None:
    engine = filled(home)
    before = contents(engine)
    assert before["unread"] == [(3,)]
    assert before["unreadable"] == [(1, None, "no XML")]
    database.migrate(engine, "0002")
    with engine.connect() as connection:
        sql = "SELECT id, state, message_type, problem FROM receipts ORDER BY id"
        assert [tuple(row) for row in connection.execute(text(sql))] == [
            (1, "unreadable", None, "no XML"), (2, "read", "EXP302", None), (3, "stored", None, None),
        ]  # fmt: skip
    database.migrate(engine, migrations.HEAD)
    assert without_chain(contents(engine)) == without_chain(before)
    engine.dispose()


def test_what_was_there_before_the_chain_is_chained_and_the_chain_says_so(home: Path) -> None:
    engine = filled(home)
    with engine.connect() as connection:
        before = connection.execute(text("SELECT * FROM events ORDER BY id")).all()
    database.migrate(engine, "0004")
    assert not inspect(engine).has_table("audit_head")
    database.migrate(engine, migrations.HEAD)
    with engine.connect() as connection:
        *older, last = connection.execute(text("SELECT * FROM events ORDER BY id")).all()
        head = connection.execute(text("SELECT last, digest FROM audit_head")).one()
    assert older == before
    assert (last.who, last.verb, last.detail) == (
        "migration 0005", "chained", f'{{"last":{len(before)}}}',
    )  # fmt: skip
    assert tuple(head) == (last.id, last.digest)
    engine.dispose()
    with Ledger.open(home) as ledger:
        hand_in(ledger, 1, first=50, listed=False, name="c.csv")


@pytest.mark.parametrize("change", ["UPDATE events SET who = 'x'", "DELETE FROM events"])
def test_events_cannot_be_changed(home: Path, change: str) -> None:
    engine = filled(home)
    with (
        pytest.raises(Exception, match="append-only"),
        engine.connect() as connection,
        connection.begin(),
    ):
        connection.execute(text(change))
    engine.dispose()


def test_a_newer_ledger_is_refused(home: Path) -> None:
    engine = filled(home)
    with engine.connect() as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(LedgerError, match="newer version"):
        open_ledger(home)


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / database.FILE).write_bytes(b"this is no database at all, it is a letter" * 100)
    with pytest.raises(LedgerError, match="no ledger"):
        Ledger.open(home)


def test_a_home_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(LedgerError, match="home folder"):
        Ledger.open(tmp_path / "file")
    with pytest.raises(LedgerError, match="home folder"):
        Ledger.open(tmp_path / "file" / "home")


@pytest.mark.parametrize("url", ["mysql://someone:hidden@localhost/none", "no address: hidden"])
def test_other_databases_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(LedgerError, match="SQLite file or on PostgreSQL") as told:
        Ledger.open(tmp_path / "home", url=url)
    assert "hidden" not in str(told.value)


@pytest.mark.parametrize(
    ("mounts", "refused"),
    [
        ("/dev/sda1 / ext4 rw 0 0\n", False),
        ("/dev/sda1 / ext4 rw 0 0\nserver:/x {home} nfs4 rw 0 0\n", True),
        ("/dev/sda1 / ext4 rw 0 0\n//server/x {parent} cifs rw 0 0\n", True),
        ("server:/x / nfs rw 0 0\n/dev/sdb1 {home} ext4 rw 0 0\n", False),
        ("/dev/sda1 / ext4 rw 0 0\nserver:/x {home}x nfs4 rw 0 0\n", False),
    ],
)
def test_a_network_share_is_refused(tmp_path: Path, mounts: str, refused: bool) -> None:
    table = mounts.format(home=tmp_path / "home", parent=tmp_path)
    if not refused:
        database.refuse_network_share(tmp_path / "home", table)
        return
    with pytest.raises(LedgerError, match="network share"):
        database.refuse_network_share(tmp_path / "home", table)


@SQLITE
def test_what_goes_before_a_send_is_on_the_disk(ledger: Ledger) -> None:
    with ledger.read() as connection:
        pragma = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_documents_of_held_shipments_are_forgotten_on_the_way_down(home: Path) -> None:
    """A ledger that came back from an older version lets none of them pass: the file must be handed in again."""
    with Ledger.open(home) as ledger:
        batch = held(ledger, 2)
        assert ledger.accept(batch, "PRO-01", "seen", "Li", NOW, dry_run=True).prepared == 2
    engine = open_engine(f"sqlite:///{home / database.FILE}")
    database.migrate(engine, "0004")
    assert not inspect(engine).has_table("held_drafts")
    database.migrate(engine, migrations.HEAD)
    engine.dispose()
    with Ledger.open(home) as ledger:
        said = ledger.accept(batch, "PRO-01", "seen", "Li", NOW)
        assert (said.prepared, said.by) == (0, {"no_document": 2})


@POSTGRESQL
def test_what_was_answered_is_on_the_servers_disk(ledger: Ledger) -> None:
    with ledger.write() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"


@POSTGRESQL
@pytest.mark.filterwarnings(
    "ignore:autogenerate skipping metadata-specified expression-based index"
)
def test_on_postgresql_the_migrations_make_the_tables_as_they_are_declared(ledger: Ledger) -> None:
    """But that numbers which grow with every row have 8 bytes there."""
    with ledger.read() as connection:
        context = MigrationContext.configure(connection)
        found = compare_metadata(context, [metadata, only_postgresql])
        indexes = connection.execute(text("SELECT indexdef FROM pg_indexes")).scalars().all()
        columns = inspect(connection).get_columns("events")
    told = [d for one in found for d in (one if isinstance(one, list) else [one])]
    wide = [d for d in told if d[0] == "modify_type"]
    assert {getattr(d[1], "name", "") for d in told if d not in wide} == {"uq_attempts_key"}
    assert {(d[3].rpartition("_")[2], str(d[5]), str(d[6])) for d in wide} == {
        ("id", "BIGINT", "INTEGER"), ("next", "BIGINT", "INTEGER"), ("offset", "BIGINT", "INTEGER"),
    }  # fmt: skip
    assert any("CASE" in one and "live" in one and "UNIQUE" in one for one in indexes)
    assert {c["name"]: c["type"].length for c in columns if isinstance(c["type"], String)}[
        "verb"
    ] is None


@POSTGRESQL
def test_processes_started_together_on_an_empty_database_do_not_race(
    tmp_path: Path, postgres: Server, home: Path
) -> None:
    url = postgres.empty_database()
    start = threading.Barrier(4)
    opened: list[str | None] = []

    def begin(number: int) -> None:
        start.wait()
        with Ledger.open(tmp_path / str(number), url=url) as ledger:
            opened.append(database.version(ledger._engine))

    threads = [threading.Thread(target=begin, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == [migrations.HEAD] * 4
    postgres.drop(url)
