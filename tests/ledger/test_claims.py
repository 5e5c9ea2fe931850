"""Promise P8: two workers never hold the same message."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from tests.backends import URLS, open_ledger

from crossborder import china_time
from crossborder.ledger import KeysTaken, Ledger, Outgoing, Sent, outbox
from crossborder.ledger.dialects import RECORDING, SENDING

from .desk import MINUTE, NOW, claim, declaration, hand_in, key, ready, shipment, source

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


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_two_hosts_drain_thousands_and_never_claim_the_same(ledger: Ledger, home: Path) -> None:
    """Two processes, each with an empty home folder; meanwhile a third records another batch."""
    count = 2000
    ready(ledger, count)
    root = Path(__file__).parents[2]
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.ledger.worker_child", str(home.with_name(f"host-{n}")), URLS[home], "20"],
            cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))},
        )
        for n in range(2)
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    hand_in(ledger, 50, first=count, name="meanwhile.csv", listed=False)
    told = [json.loads(worker.communicate()[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    everything = [number for mine in told for number in mine]
    assert len(everything) == len(set(everything)) == count
    counted = Counter((a.state, a.sends) for a in ledger.attempts_in(kind="declaration"))
    assert counted == {("sent", 1): count, ("prepared", 0): 50}


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_who_claims_waits_for_nobody_who_records_or_claims(ledger: Ledger, home: Path) -> None:
    """While one transaction holds claims and another records, a third claims what is left."""
    ready(ledger, 4)
    with open_ledger(home) as other, ledger.write(SENDING) as held, ledger.write(RECORDING):
        held_ids = [row["id"] for row in outbox._due(held, "hangzhou", 2, china_time.iso(NOW))]
        free = other.claim("hangzhou", f"{other.owner}/w", 4, NOW, MINUTE)
        assert len(held_ids) == len(free) == 2
        assert not set(held_ids) & {one.attempt_id for one in free}


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
