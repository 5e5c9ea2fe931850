from __future__ import annotations

from pathlib import Path

from crossborder.ledger import Ledger
from crossborder.ledger.owners import Owners

from .desk import MINUTE, NOW, ready, source


def files(home: Path) -> int:
    return len(list((home / "owners").glob("*.lock")))


def test_who_only_looks_leaves_no_trace(ledger: Ledger, home: Path) -> None:
    with Ledger.open(home) as other:
        other.batches()
    assert files(home) == 0
    ledger.begin_batch(source(), NOW)
    assert files(home) == 1


def test_a_name_is_alive_until_its_process_is_not(tmp_path: Path) -> None:
    one, two = Owners(tmp_path), Owners(tmp_path)
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
    dead, living, me = Owners(tmp_path), Owners(tmp_path), Owners(tmp_path)
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
