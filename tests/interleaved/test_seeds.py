"""P3 to P8 where real engines overtake each other: some seeds in a file and on PostgreSQL, more in `make soak`.

Broken by: what was asked before a transaction and is believed in the next one although another process came between.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.postgres import Server

from crossborder.errors import LedgerError

from .planted import FAULTS
from .world import Run, run

FOUND_BY = {
    "lists_what_another_has_listed": 34, "the_last_request_has_the_key": 10, "goes_on_in_what_another_records": 1,
    "whoever_comes_may_record": 3, "nobody_is_told_that_his_keys_were_taken": 3,
}  # fmt: skip
"""The first seed that found a fault, when it was last looked for."""

TRIED = (
    "accepted", "freed", "handed in", "keys in use", "kills", "let go", "looked", "posts", "repeated posts", "resume",
    "resolved not-received", "resolved received", "shipments already_filed", "shipments on_hold", "shipments prepared",
    "shipments rejected", "suspend", "void", "worker rounds",
)  # fmt: skip


def refuse(done: Run, *options: str) -> None:
    """Fail with what was wrong, and the command that repeats it."""
    if done.wrongs:
        again = " ".join(["python -m tests.interleaved", str(done.seed), *options])
        said = "\n".join([f"seed {done.seed}; again: {again} -v", *done.wrongs])
        pytest.fail(said, pytrace=False)


def on_postgres(server: Server, seed: int, folder: Path) -> None:
    """Run a seed in a database of its own."""
    url = server.database()
    refuse(run(seed, folder, url), "--postgresql")
    server.give_back(url)


@pytest.mark.parametrize("first", range(1, 9, 4))
def test_four_seeds(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + 4):
        refuse(run(seed, tmp_path / str(seed)))


def test_three_seeds_on_postgres(tmp_path: Path, postgres: Server) -> None:
    for seed in range(1, 4):
        on_postgres(postgres, seed, tmp_path / str(seed))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(101, 501, 20))
def test_twenty_seeds(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + 20):
        refuse(run(seed, tmp_path / str(seed)))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(101, 161, 20))
def test_twenty_seeds_on_postgres(tmp_path: Path, postgres: Server, first: int) -> None:
    for seed in range(first, first + 20):
        on_postgres(postgres, seed, tmp_path / str(seed))


def test_the_same_seed_leads_to_the_same_run(tmp_path: Path) -> None:
    one, other, third = (run(seed, tmp_path / str(n)) for n, seed in enumerate((7, 7, 8)))
    assert one.trace == other.trace
    assert one.trace != third.trace
    assert one.did == other.did


def test_much_happens(tmp_path: Path) -> None:
    """Seeds are worth nothing if nothing is tried in them: few of them try everything."""
    left = set(TRIED)
    for seed in dict.fromkeys([27, 13, *range(1, 31)]):
        left -= (+run(seed, tmp_path / str(seed)).did).keys()
        if not left:
            return
    pytest.fail(f"thirty seeds did not try {left}", pytrace=False)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    refuse(run(FOUND_BY[name], tmp_path / "sound"))
    FAULTS[name](monkeypatch)
    for seed in dict.fromkeys([FOUND_BY[name], *range(1, 41)]):
        try:
            if run(seed, tmp_path / str(seed)).wrongs:
                return
        except LedgerError:  # a desk is told what it must not be told
            return
    pytest.fail("40 seeds did not find it", pytrace=False)
