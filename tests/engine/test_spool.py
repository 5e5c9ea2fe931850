"""The spool: what has something in common comes back together, and nothing is left lying about."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path

import polars as pl
import pytest

from crossborder.engine import spool
from crossborder.engine.spool import Spool
from crossborder.errors import LedgerError


def block(first: int, marks: list[int | None]) -> pl.DataFrame:
    """Shipments from `first` on, each with a mark."""
    ships = range(first, first + len(marks))
    return pl.DataFrame(
        {"ship": ships, "mark": marks, "name": [f"s{n}" for n in ships]},
        schema={"ship": pl.UInt32, "mark": pl.UInt64, "name": pl.String},
    )


MEMORIES = (0, 60, spool.MEMORY)
"""Nothing fits, the first block only, everything."""


@pytest.mark.parametrize("memory", MEMORIES)
def test_groups_come_back_whole_however_far_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    monkeypatch.setattr(spool, "LOT", 3)
    monkeypatch.setattr(spool, "MEMORY", memory)
    with Spool(tmp_path) as kept:
        kept.add(block(0, [1, 2, 1, None]))
        kept.add(block(4, [3, 3, 2, 4]))
        kept.add(block(8, [1, None, 5, 4]))
        lots = [lot["ship"].to_list() for lot in kept.lots("mark", ["ship", "name"])]
        twice = [lot["ship"].to_list() for lot in kept.lots("mark", ["ship"], least=2)]
        alone = [lot["ship"].to_list() for lot in kept.without("mark", ["ship"])]
    assert lots == [[0, 2, 8], [1, 4, 5, 6], [7, 11], [10]]
    assert twice == [[0, 2, 8], [1, 4, 5, 6], [7, 11]]
    assert alone == [[3], [9]]


@pytest.mark.parametrize("memory", [0, spool.MEMORY])
def test_lots_that_fit_into_one_are_the_same_rows_in_the_order_of_the_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    monkeypatch.setattr(spool, "MEMORY", memory)
    with Spool(tmp_path) as kept:
        kept.add(block(0, [1, 2, 1, None]))
        kept.add(block(4, [3, 3, 2, 4]))
        assert [lot.rows() for lot in kept.lots("mark", ["ship", "name"])] == [
            [(n, f"s{n}") for n in (0, 1, 2, 4, 5, 6, 7)]
        ]
        assert [lot["ship"].to_list() for lot in kept.lots("mark", ["ship"], least=2)] == [
            [0, 1, 2, 4, 5, 6]
        ]
        written = list((tmp_path / "spool").glob("*/*.arrow"))
    assert len(written) == (0 if memory else 2)


@pytest.mark.parametrize("memory", [0, spool.MEMORY])
def test_what_is_kept_comes_back_in_order_and_blocks_may_be_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    monkeypatch.setattr(spool, "MEMORY", memory)
    with Spool(tmp_path) as kept:
        kept.keep(block(0, [1]))
        kept.keep(block(1, []))
        kept.keep(block(1, [2]))
        assert [frame["ship"].to_list() for frame in kept.kept()] == [[0], [1]]
        assert list(kept.lots("mark", ["ship"])) == []


def test_it_is_the_owners_alone_and_gone_afterwards(tmp_path: Path) -> None:
    home = tmp_path / "spool"
    with Spool(tmp_path) as kept:
        kept.add(block(0, [1]))
        (folder,) = [p for p in home.iterdir() if p.is_dir()]
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not home.exists()
    with contextlib.suppress(ValueError), Spool(tmp_path) as kept:
        kept.add(block(0, [1]))
        raise ValueError
    assert not home.exists()


def test_what_a_dead_process_left_is_emptied_and_what_a_living_one_holds_is_not(
    tmp_path: Path,
) -> None:
    home = tmp_path / "spool"
    (home / "dead").mkdir(parents=True)
    (home / "dead" / "block-000000.arrow").write_bytes(b"personal")
    (home / "dead.lock").touch()
    with Spool(tmp_path) as first:
        first.add(block(0, [7]))
        assert not (home / "dead").exists()
        assert not (home / "dead.lock").exists()
        with Spool(tmp_path) as second:
            second.add(block(0, [7]))
        assert [lot["ship"].to_list() for lot in first.lots("mark", ["ship"])] == [[0]]
    assert not home.exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way", encoding="utf-8")
    with pytest.raises(LedgerError) as told, Spool(tmp_path):
        pass
    assert str(tmp_path) in told.value.place
