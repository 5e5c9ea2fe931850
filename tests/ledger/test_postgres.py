"""What only a ledger on a server can meet: it is not there, it is of another kind, it goes away, it is held too long."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from tests.backends import URLS, open_ledger
from tests.postgres import Server

from crossborder.errors import LedgerError, MissingExtra
from crossborder.ledger import Ledger, database
from crossborder.ledger.database import LedgerBusy

from .desk import NOW, claim, ready

NOBODY = "postgresql://wang:hunter2@127.0.0.1:1/book"
pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


def test_a_server_that_is_not_there_is_named_without_the_password(home: Path) -> None:
    with pytest.raises(LedgerError) as told:
        Ledger.open(home, url=NOBODY)
    for lang in ("en", "zh"):
        assert "127.0.0.1:1/book" in told.value.text(lang)
        assert "hunter2" not in told.value.text(lang)


def test_a_wrong_password_or_database_is_told(home: Path) -> None:
    url = make_url(URLS[home]).set(database="no_such_book").render_as_string(hide_password=False)
    with pytest.raises(LedgerError, match="no_such_book"):
        Ledger.open(home, url=url)


def test_without_the_driver_the_remedy_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"crossborder\[postgresql\]"):
        Ledger.open(home, url=NOBODY)


def test_a_database_that_holds_other_letters_is_refused(
    tmp_path: Path, postgres: Server, home: Path
) -> None:
    postgres.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    url = make_url(URLS[home]).set(database="latin").render_as_string(hide_password=False)
    with pytest.raises(LedgerError, match="LATIN1"):
        Ledger.open(tmp_path / "other", url=url)
    postgres.drop(url)


def test_the_place_is_told_without_the_password(ledger: Ledger) -> None:
    assert ledger.place.startswith("PostgreSQL ")
    assert database.shown(make_url(NOBODY)) == "postgresql://wang@127.0.0.1:1/book"


def test_after_the_server_threw_everybody_out_work_goes_on(
    ledger: Ledger, home: Path, postgres: Server
) -> None:
    """What was held meanwhile is not lost: who held it counts as dead until it takes hold of something again."""
    ready(ledger, 3)
    (first,) = claim(ledger, 1)
    name = make_url(URLS[home]).database
    postgres.run(
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    assert ledger.holds(first.attempt_id, f"{ledger.owner}/w")
    assert len(claim(ledger, 1)) == 1
    with open_ledger(home) as other:
        assert other.recover(NOW, other.owner) == 0


def test_who_waits_too_long_is_told_and_nothing_was_changed(
    ledger: Ledger, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_ledger(home) as other, ledger.write() as held:
        with other._engine.connect() as session:
            session.execute(text("SET lock_timeout = '50ms'"))
            session.commit()
        with pytest.raises(LedgerBusy, match="lock timeout"):
            other.set_fact("a", "b")
        held.execute(text("SELECT 1"))
        assert other.get_fact("a") is None
