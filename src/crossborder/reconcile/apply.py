"""Applying receipts: lines that were read are matched, judged with all that came before, and move states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crossborder.ledger import Candidate, Desk, Ledger, Move, PendingLine, Step
from crossborder.reconcile.houses import weigh_houses
from crossborder.reconcile.matching import match, timely
from crossborder.reconcile.order import Judged, deciding, judge, moment, numbers
from crossborder.reconcile.status_table import StatusTable

NOT_APPLIED, UNMATCHED = "read", "unmatched"
APPLIED, OLDER, CONTRADICTORY = "applied", "older", "contradictory"
_PROVED_BY_ANY_RECEIPT = frozenset({"sending", "unknown", "not_received", "queued"})


@dataclass(frozen=True)
class Applied:
    """What one run did: receipt lines by outcome, attempts moved, attempts that newly need a person."""

    lines: int
    outcomes: Mapping[str, int] = field(default_factory=dict)
    moved: int = 0
    attention: int = 0
    houses: int = 0

    def __add__(self, other: Applied) -> Applied:
        return Applied(
            self.lines + other.lines,
            Counter(self.outcomes) + Counter(other.outcomes),
            self.moved + other.moved,
            self.attention + other.attention,
            self.houses + other.houses,
        )


def apply_receipts(
    ledger: Ledger, limit: int, now: datetime, table: StatusTable | None = None
) -> Applied:
    """Apply about `limit` receipt lines in one transaction; call again while `lines` is not 0.

    Each line is applied, older, repeated, noted, contradictory, unknown_code, or unmatched; an unmatched one is
    tried again when an attempt appears that it may belong to. Raises `LedgerError`.
    """
    table = table or StatusTable.load()
    with ledger.applying(now) as desk:
        after = 0
        while lines := desk.pending(limit, timely, after):
            done = _apply(desk, lines, table)
            if done.lines:
                return done
            after = lines[
                -1
            ].id  # none of these belongs to anything: they must not hold back later ones
    return Applied(0)


def _apply(desk: Desk, lines: Sequence[PendingLine], table: StatusTable) -> Applied:
    matched = match(desk, lines)
    attempts = {c.attempt_id: c for c in matched.values()}
    fresh: dict[int, list[PendingLine]] = {}
    for line in lines:
        if line.id in matched:
            fresh.setdefault(matched[line.id].attempt_id, []).append(line)
    before: dict[int, list[PendingLine]] = {}
    for line in desk.lines_of(list(attempts)):
        if line.attempt_id is not None:
            before.setdefault(line.attempt_id, []).append(line)
    outcomes: dict[int, tuple[str, int | None]] = {
        line.id: (UNMATCHED, None)
        for line in lines
        if line.id not in matched and line.outcome != UNMATCHED
    }
    moves: list[Move] = []
    houses: dict[int, dict[str, str]] = {}
    marks: dict[int, set[str]] = {}
    listed = desk.houses([i for i, c in attempts.items() if c.kind == "manifest"])
    for attempt_id, attempt in attempts.items():
        old, new = before.get(attempt_id, []), fresh[attempt_id]
        move, decided = weigh(attempt, _heads(old), _heads(new), table)
        if move is not None:
            moves.append(move)
        outcomes |= {i: (outcome, attempt_id) for i, outcome in decided.items()}
        if attempt.kind == "manifest":
            state = move.state if move is not None else attempt.state
            changed, decided, reasons = weigh_houses(attempt, state, listed[attempt_id], old, new)
            outcomes |= {i: (outcome, attempt_id) for i, outcome in decided.items()}
            if changed:
                houses[attempt_id] = changed
            if reasons:
                marks[attempt_id] = reasons
    changed_lines = [(i, o, a) for i, (o, a) in outcomes.items()]
    desk.save(moves, changed_lines, houses)
    desk.mark(marks)
    mine = {line.id for line in lines if line.outcome == NOT_APPLIED or line.id in matched}
    return Applied(
        lines=len(mine),
        outcomes=Counter(o for i, (o, _) in outcomes.items() if i in mine),
        moved=sum(any(s.from_state != s.to_state for s in m.steps) for m in moves),
        attention=len({m.attempt.attempt_id for m in moves if m.attention} | set(marks)),
        houses=sum(len(changed) for changed in houses.values()),
    )


def weigh(
    attempt: Candidate, old: Sequence[PendingLine], new: Sequence[PendingLine], table: StatusTable
) -> tuple[Move | None, dict[int, str]]:
    """What new lines, judged together with the old ones, change about an attempt; and each line's outcome."""
    if not new:
        return None, {}
    earlier = judge(old, attempt.key, table)
    judged = judge([*old, *new], attempt.key, table)
    outcomes = _outcomes(judged, {line.id for line in old})
    attention = _flags(judged) - _flags(earlier)
    decides, decided = deciding(judged), deciding(earlier)
    changed = decides is not None and (decided is None or decided.line.id != decides.line.id)
    state, steps = _steps(attempt, judged, outcomes, new, decides, changed=changed)
    pre_entry_id, entry_id = numbers(judged)
    status = decides.status if decides is not None else None
    frees = None
    if changed and status is not None:
        frees = status.terminal and status.fresh_attempt == "yes"
    move = Move(
        attempt=attempt,
        state=state,
        stage=status.stage if status is not None else attempt.stage,
        final=status.terminal if status is not None else attempt.final and state == attempt.state,
        released=status.released if status is not None else attempt.released,
        last_code=status.code if status is not None else None,
        last_op_time=moment(decides.line) if decides is not None else None,
        pre_entry_id=pre_entry_id or attempt.pre_entry_id,
        entry_id=entry_id or attempt.entry_id,
        frees=frees,
        steps=steps,
        attention=tuple(sorted({reason for _, reason in attention})),
    )
    return move, outcomes


def _outcomes(judged: Sequence[Judged], old: set[int]) -> dict[int, str]:
    """Outcomes of new lines, and of old ones that have become contradictory."""
    standing = max(
        (i for i, one in enumerate(judged) if one.line.id in old and one.moves and one.line.outcome == APPLIED),
        default=-1,
    )  # fmt: skip
    outcomes: dict[int, str] = {}
    for i, one in enumerate(judged):
        if one.line.id in old:
            if one.verdict == CONTRADICTORY and one.line.outcome != CONTRADICTORY:
                outcomes[one.line.id] = CONTRADICTORY
        elif one.moves:
            outcomes[one.line.id] = APPLIED if i > standing else OLDER
        elif one.verdict == "outranked":
            outcomes[one.line.id] = OLDER
        else:
            outcomes[one.line.id] = one.verdict
    return outcomes


def _flags(judged: Iterable[Judged]) -> set[tuple[int, str]]:
    """(line, reason) for everything in a judgement that a person must look at."""
    found: set[tuple[int, str]] = set()
    for one in judged:
        if one.verdict in (CONTRADICTORY, "unknown_code"):
            found.add((one.line.id, one.verdict))
        elif one.verdict == "reopens":
            found.add((one.line.id, "reopened"))
    return found


def _steps(
    attempt: Candidate,
    judged: Sequence[Judged],
    outcomes: Mapping[int, str],
    new: Sequence[PendingLine],
    decides: Judged | None,
    *,
    changed: bool,
) -> tuple[str, tuple[Step, ...]]:
    """The state reached and the moves that led there, one per new line that applies or is contradictory."""
    steps: list[Step] = []
    state = attempt.state
    for one in judged:
        outcome = outcomes.get(one.line.id)
        if outcome == APPLIED and one.status is not None:
            steps.append(Step(one.line, state, one.status.state))
            state = one.status.state
        elif outcome in (CONTRADICTORY, "unknown_code"):
            steps.append(Step(one.line, state, state))
    moved = changed or any(step.from_state != step.to_state for step in steps)
    if moved and decides is not None and decides.status is not None and decides.status.state != state:  # fmt: skip
        steps.append(Step(decides.line, state, decides.status.state))
        state = decides.status.state
    if state == attempt.state and state in _PROVED_BY_ANY_RECEIPT:
        steps.append(Step(new[-1], state, "sent"))
        state = "sent"
    return state, tuple(steps)


def _heads(lines: Sequence[PendingLine]) -> list[PendingLine]:
    return [line for line in lines if line.line == 0]
