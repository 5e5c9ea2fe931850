"""The collector of cycles while many rows pass: what is there rests, what is made is collected, and all ends as it began."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossborder.engine.collector import passing_over_what_is_there

from .cutting import in_blocks
from .firm import Firm, day


class Cycle:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    assert gc.get_freeze_count() == 0
    yield
    assert gc.get_freeze_count() == 0


def test_what_was_there_rests_and_is_collected_afterwards() -> None:
    before = weakref.ref(Cycle())
    with passing_over_what_is_there():
        meanwhile = weakref.ref(Cycle())
        gc.collect()
        assert before() is not None
        assert meanwhile() is None
    gc.collect()
    assert before() is None


def test_it_ends_after_a_fault_and_within_itself() -> None:
    def faulty() -> None:
        with passing_over_what_is_there():
            with passing_over_what_is_there():
                pass
            assert gc.get_freeze_count()
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        faulty()


def test_an_application_that_froze_its_objects_finds_them_frozen() -> None:
    gc.freeze()
    try:
        with passing_over_what_is_there():
            pass
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()


def test_a_hand_in_of_several_blocks_lets_the_collector_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_blocks(monkeypatch, 2)
    seen: list[int] = []
    desk = Firm(tmp_path, None)
    with desk.engine:
        desk.prepare(day(6), progress=lambda _done, _total: seen.append(gc.get_freeze_count()))
    assert seen
    assert all(seen)
