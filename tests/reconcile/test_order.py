"""The order of receipts: states depend on what was said, not on when we heard it."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from crossborder import resources
from crossborder.ledger import Candidate, PendingLine
from crossborder.reconcile import StatusTable
from crossborder.reconcile.apply import weigh
from crossborder.reconcile.order import moment

TABLE = StatusTable.load()
KEY = "99900000001|TST000001|I"
CODES = ["D0", "D1", "D2", "D3", "Y", "N", "A", "R", "00", "03", "05", "11", "18", "22", "32", "77"]
Said = tuple[str, int, str]


def reference(said: Iterable[Said]) -> tuple[str, str | None, bool]:
    """(state, last code, key free) by the words of the notes, from the CSV itself; nothing incremental."""
    with resources.path("codes/status_codes.csv").open(encoding="utf-8", newline="") as file:
        rows = {r["code"]: (i, r) for i, r in enumerate(csv.DictReader(file)) if r["message"] == "EXP302"}  # fmt: skip
    heard = [
        (minute, rows[code][0], code) for code, minute, op_type in set(said)
        if code in rows and rows[code][1]["state"] and not (op_type == "MOD" and code in {"D0", "D1", "D2", "D3", "N", "Y"})
    ]  # fmt: skip
    customs = [h for h in heard if rows[h[2]][1]["stage"] == "customs"]
    accepted = [h for h in customs if h[2] != "N"]
    stored = [h for h in heard if h[2] in ("D0", "D2")]

    def contradicted(one: tuple[int, int, str]) -> bool:
        against = {"D1": accepted + stored, "N": accepted, "D3": accepted + [h for h in stored if h[2] == "D2"]}  # fmt: skip
        return any(other < one for other in against.get(one[2], []))

    standing = [h for h in heard if not contradicted(h)]
    last = max((h for h in standing if h in customs), default=None) or max(standing, default=None)
    if last is None:
        return "sent", None, False
    row = rows[last[2]][1]
    return row["state"], last[2], row["terminal"] == "yes" and row["fresh_attempt"] == "yes"


def candidate() -> Candidate:
    return Candidate(1, "declaration", KEY, 1, True, "20261123-01", "I", "unknown", "ours",
                     "2026-11-23T18:00:00.000000+08:00", None, None, False, False, None)  # fmt: skip


def pending(number: int, said: Said) -> PendingLine:
    code, minute, op_type = said
    return PendingLine(number, number, "hangzhou", "2026-11-23T20:00:00.000000+08:00", 0, "EXP302", KEY, code,
                       op_type, f"202611231800{minute:02d}000", None, None, "read", None)  # fmt: skip


class Told:
    """An attempt that hears lines in lots and remembers what became of each."""

    def __init__(self) -> None:
        self.attempt = candidate()
        self.old: list[PendingLine] = []
        self.last_code: str | None = None
        self.live = True
        self.attention: set[str] = set()

    def hear(self, lines: list[PendingLine]) -> None:
        move, outcomes = weigh(self.attempt, self.old, lines, TABLE)
        assert move is not None
        assert set(outcomes) >= {line.id for line in lines}
        if move.frees is not None:
            self.live = not move.frees
        state = self.attempt.state
        for step in move.steps:
            assert step.from_state == state
            state = step.to_state
        assert state == move.state
        self.last_code = move.last_code
        self.attention |= set(move.attention)
        self.attempt = self.attempt._replace(
            state=move.state, stage=move.stage, released=move.released, final=move.final
        )
        self.old = [
            line._replace(outcome=outcomes.get(line.id, line.outcome)) for line in [*self.old, *lines]
        ]  # fmt: skip

    def summary(self) -> tuple[str, str | None, bool]:
        return self.attempt.state, self.last_code, not self.live


sayings = st.lists(
    st.tuples(
        st.sampled_from(CODES), st.integers(0, 9), st.sampled_from(["ADD", "ADD", "ADD", "MOD"])
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=400, deadline=None)
@given(sayings, st.randoms(use_true_random=False))
def test_any_order_and_any_lots_end_as_the_reference_says(said: list[Said], random: Random) -> None:
    expected = reference(said)
    arrivals = list(enumerate(said, 1))
    random.shuffle(arrivals)
    told = Told()
    lines = [pending(number, one) for number, (_, one) in enumerate(arrivals, 1)]
    while lines:
        size = random.randint(1, len(lines))
        told.hear(lines[:size])
        lines = lines[size:]
    assert told.summary() == expected


@settings(max_examples=200, deadline=None)
@given(sayings, st.randoms(use_true_random=False))
def test_what_calls_a_person_does_not_depend_on_the_order_either(
    said: list[Said], random: Random
) -> None:
    straight, shuffled = Told(), Told()
    straight.hear([pending(n, one) for n, one in enumerate(said, 1)])
    lines = [pending(n, one) for n, one in enumerate(said, 1)]
    random.shuffle(lines)
    for line in lines:
        shuffled.hear([line])
    assert shuffled.attention == straight.attention


@settings(max_examples=100, deadline=None)
@given(sayings)
def test_hearing_everything_again_changes_nothing(said: list[Said]) -> None:
    told = Told()
    told.hear([pending(n, one) for n, one in enumerate(said, 1)])
    before = (told.summary(), told.attempt)
    told.hear([pending(100 + n, one) for n, one in enumerate(said, 1)])
    assert (told.summary(), told.attempt) == before
    again = [line.outcome for line in told.old if line.id > 100]
    assert set(again) <= {"repeated", "unknown_code", "contradictory"}


def test_the_reference_itself() -> None:
    """The reference is worth nothing if it is wrong."""
    assert reference([("D0", 1, "ADD"), ("Y", 3, "ADD"), ("D2", 5, "ADD")]) == ("accepted", "Y", False)  # fmt: skip
    assert reference([("D1", 1, "ADD")]) == ("platform_failed", "D1", True)
    assert reference([("D0", 1, "ADD"), ("D1", 2, "ADD")]) == ("stored", "D0", False)
    assert reference([("Y", 1, "ADD"), ("N", 2, "MOD")]) == ("accepted", "Y", False)
    assert reference([("05", 4, "ADD"), ("11", 4, "ADD")]) == ("released", "11", False)
    assert reference([("77", 4, "ADD"), ("A", 4, "ADD")]) == ("sent", None, False)


def test_lines_know_their_moment() -> None:
    line = pending(1, ("D0", 5, "ADD"))
    assert moment(line) == "20261123180005000"
    assert moment(line._replace(op_time="")) == "20261123200000000"
