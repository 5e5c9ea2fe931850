"""Promise P8: two workers never hold the same message."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.backends import open_ledger

from crossborder.ledger import KeysTaken, Ledger, Outgoing, Sent

from .desk import MINUTE, NOW, claim, declaration, key, ready, shipment, source

COUNT = 200


def test_claims_of_many_threads_and_two_ledgers_never_overlap(ledger: Ledger, home: Path) -> None:
    ready(ledger, COUNT)
    other = open_ledger(home)
    got: dict[str, list[Outgoing]] = {}
    start = threading.Barrier(8)

    def worker(book: Ledger, name: str) -> None:
        mine = got.setdefault(name, [])
        owner = f"{book.owner}/{name}"
        start.wait()
        while claimed := book.claim("hangzhou", owner, 7, NOW, MINUTE):
            mine += claimed
            done = [Sent(o.attempt_id, "received") for o in claimed]
            assert book.record_outcomes(done, NOW, owner) == ["sent"] * len(claimed)

    threads = [
        threading.Thread(target=worker, args=(ledger if n % 2 else other, f"w{n}"))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    everything = [o.attempt_id for mine in got.values() for o in mine]
    assert len(everything) == len(set(everything)) == COUNT
    assert [a.sends for a in ledger.attempts_in()] == [1] * COUNT


def test_hand_ins_of_the_same_parcels_at_once_make_each_attempt_once(ledger: Ledger) -> None:
    start = threading.Barrier(6)
    taken: list[str] = []

    def worker(name: str) -> None:
        start.wait()
        batch = ledger.begin_batch(source(name), NOW)
        position = 0
        for n in range(20):
            try:
                row, draft = shipment(n, position), declaration(n, position)
                ledger.record_block(batch.id, [row], [draft], [], [], NOW)
                position += 1
            except KeysTaken as error:
                taken.extend(error.keys)
        ledger.seal(batch.id, {}, NOW)

    threads = [threading.Thread(target=worker, args=(f"{n}.csv",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.key for a in ledger.attempts_in()) == [key(n) for n in range(20)]
    assert sorted(taken) == sorted(5 * [key(n) for n in range(20)])
    assert len({b.id for b in ledger.batches()}) == 6


def test_an_answer_from_who_does_not_hold_it_moves_nothing(ledger: Ledger) -> None:
    ready(ledger, 2)
    (first,) = claim(ledger, 1, part="a")
    (second,) = claim(ledger, 1, part="b")
    told = ledger.record_outcomes(
        [Sent(second.attempt_id, "not_received")], NOW, f"{ledger.owner}/a"
    )
    assert told == ["sending"]
    assert ledger.attempt(first.attempt_id).state == "sending"
