"""Blocks in threads: order is kept, few are in hand at a time, and a fault ends it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from crossborder.engine.threads import begun, both, in_order, with_last


def test_results_come_in_the_order_of_the_items() -> None:
    first_may_end = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            first_may_end.wait(10)
        if item == 1:
            first_may_end.set()
        return item * item

    assert list(in_order(work, range(20))) == [n * n for n in range(20)]


@pytest.mark.parametrize(("workers", "ahead"), [(1, 0), (2, 1), (3, 2)])
def test_no_more_items_are_taken_than_are_in_hand(workers: int, ahead: int) -> None:
    taken = given = most = 0

    def items() -> Iterator[int]:
        nonlocal taken, most
        for n in range(30):
            taken += 1
            most = max(most, taken - given)
            yield n

    for _ in in_order(lambda n: n, items(), workers, ahead):
        given += 1
    assert (taken, given) == (30, 30)
    assert most == max(1, workers + ahead)


def test_a_fault_is_raised_in_its_turn_and_nothing_new_is_begun() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 3:
            raise ValueError("third")
        return item

    results = in_order(work, range(100))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="third"):
        next(results)
    assert max(begun) <= 6


def test_a_caller_who_stops_early_waits_for_what_was_begun() -> None:
    ended: list[int] = []

    def work(item: int) -> int:
        ended.append(item)
        return item

    for result in in_order(work, range(100)):
        assert result == 0
        break
    assert len(ended) <= 4
    assert not [t for t in threading.enumerate() if t.name.startswith("block")]


def test_items_are_taken_beside_the_caller_and_by_one_worker_at_a_time() -> None:
    here = threading.current_thread()

    def items() -> Iterator[int]:
        for n in range(200):
            assert threading.current_thread() is not here
            time.sleep(0.0001)  # a generator that two threads enter at once raises ValueError
            yield n

    assert list(in_order(lambda n: n, items(), 4, 4)) == list(range(200))


def test_a_fault_in_taking_is_raised_after_the_results_before_it() -> None:
    def items() -> Iterator[int]:
        yield from (0, 1, 2)
        raise ValueError("the fourth cannot be read")

    results = in_order(lambda n: n, items())
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="fourth"):
        next(results)
    assert list(in_order(lambda n: n, [])) == []


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_the_last_item_is_known_as_such(count: int) -> None:
    marked = list(with_last(range(count)))
    assert [item for item, _ in marked] == list(range(count))
    assert [last for _, last in marked] == [False] * (count - 1) + [True] * min(count, 1)


def test_work_goes_on_before_the_caller_asks_and_ends_when_he_leaves() -> None:
    done = threading.Event()
    taken: list[int] = []

    def work(item: int) -> int:
        taken.append(item)
        done.set()
        return item

    with begun(work, range(100), 1, 0):
        assert done.wait(10)
    assert taken == [0]
    assert not [t for t in threading.enumerate() if t.name.startswith("block")]


def test_two_pieces_of_work_are_done_at_the_same_time_and_always_by_the_same_thread() -> None:
    meeting = threading.Barrier(2)

    def who() -> int:
        meeting.wait(10)
        return threading.get_ident()

    pairs = [both(who, who) for _ in range(3)]
    assert {mine for mine, _ in pairs} == {threading.get_ident()}
    assert len({other for _, other in pairs}) == 1
    assert pairs[0][0] != pairs[0][1]


def test_where_the_thread_is_taken_both_are_done_one_after_the_other() -> None:
    order: list[str] = []

    def inner() -> tuple[None, None]:
        return both(lambda: order.append("first"), lambda: order.append("second"))

    assert both(inner, lambda: None) == ((None, None), None)
    assert order == ["first", "second"]


@pytest.mark.parametrize("faulty", ["first", "second", "first second"])
def test_what_either_raises_is_raised_when_both_have_ended(faulty: str) -> None:
    ended: list[str] = []

    def work(name: str) -> None:
        try:
            if name in faulty.split():
                raise ValueError(name)
            time.sleep(0.02)
        finally:
            ended.append(name)

    with pytest.raises(ValueError, match=faulty.split()[0]):
        both(lambda: work("first"), lambda: work("second"))
    assert sorted(ended) == ["first", "second"]
    assert both(lambda: 1, lambda: 2) == (1, 2)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_has_a_thread_of_its_own() -> None:
    assert both(lambda: 1, lambda: 2) == (1, 2)
    child = os.fork()
    if child == 0:  # pragma: no cover  # another process
        code = 1
        try:
            code = 0 if both(lambda: 3, threading.get_ident)[1] != threading.get_ident() else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
