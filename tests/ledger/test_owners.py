from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.backends import open_ledger

from crossborder.ledger import Ledger, Sent
from crossborder.ledger.owners import FileOwners

from .desk import MINUTE, NOW, ready, source


def files(home: Path) -> int:
    return len(list((home / "owners").glob("*.lock")))


SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
POSTGRESQL = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


@SQLITE
def test_who_only_looks_leaves_no_trace(ledger: Ledger, home: Path) -> None:
    with open_ledger(home) as other:
        other.batches()
    assert files(home) == 0
    ledger.begin_batch(source(), NOW)
    assert files(home) == 1


def test_a_name_is_alive_until_its_process_is_not(tmp_path: Path) -> None:
    one, two = FileOwners(tmp_path), FileOwners(tmp_path)
    assert two.alive(one.name) is None
    one.appear()
    one.appear()
    assert two.alive(one.name) is True
    assert two.alive(f"{one.name}/w3") is True
    assert one.alive(one.name) is True
    one.close()
    assert two.alive(one.name) is False
    assert two.alive("../../etc/passwd") is None


def test_files_of_the_dead_are_removed_and_of_the_living_kept(tmp_path: Path) -> None:
    dead, living, me = FileOwners(tmp_path), FileOwners(tmp_path), FileOwners(tmp_path)
    for one in (dead, living, me):
        one.appear()
    dead.close()
    me.forget_dead()
    assert me.alive(dead.name) is None
    assert me.alive(living.name) is True
    assert files(tmp_path) == 2


def test_an_owner_without_a_file_is_judged_by_its_lease(ledger: Ledger) -> None:
    ready(ledger, 1)
    ledger.claim("hangzhou", "elsewhere", 1, NOW, 2 * MINUTE)
    assert ledger.recover(NOW + MINUTE, ledger.owner) == 0
    assert ledger.recover(NOW + 2 * MINUTE, ledger.owner) == 1


@POSTGRESQL
def test_on_another_host_a_name_is_alive_until_its_session_ends(ledger: Ledger, home: Path) -> None:
    """Who lost the session counts as dead, keeps its name, and is alive again when it takes hold of something."""
    with open_ledger(home) as other:
        one, two = ledger._owners, other._owners
        assert two.alive(one.name) is False
        one.appear()
        one.appear()
        assert two.alive(one.name) is True
        assert two.alive(f"{one.name}/w3") is True
        assert two.alive("../../etc/passwd") is None
        assert one.alive(one.name) is True
        mine = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
        with other.write() as connection:
            assert len(connection.execute(text(mine)).all()) == 1
        while two.alive(one.name):  # the server takes a moment
            pass
        one.appear()
        assert two.alive(one.name) is True
        one.close()
        assert two.alive(one.name) is False


@POSTGRESQL
def test_who_lost_its_session_loses_what_it_holds_and_learns_it(ledger: Ledger, home: Path) -> None:
    ready(ledger, 2)
    owner = f"{ledger.owner}/w"
    first, second = ledger.claim("hangzhou", owner, 2, NOW, 2 * MINUTE)
    with open_ledger(home) as other:
        assert other.recover(NOW, other.owner) == 0
        ledger._owners.close()
        assert other.recover(NOW, other.owner) == 2
    assert not ledger.holds(first.attempt_id, owner)
    told = [Sent(first.attempt_id, "received"), Sent(second.attempt_id, "not_received")]
    assert ledger.record_outcomes(told, NOW, owner) == ["sent", "unknown"]
