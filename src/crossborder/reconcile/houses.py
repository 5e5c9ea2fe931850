"""What receipts say of the house waybills of a manifest.

A house's own NY or NN counts, the latest of them (on a tie NN); a house without one follows the head: accepted
with NY, refused with NN or DN. A house that is refused after it was accepted counts as refused, and a person must
look. Like the judgement of heads, this depends only on the set of lines, not on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crossborder.ledger import Candidate, PendingLine
from crossborder.reconcile.order import moment

_HOUSE = {"NY": "accepted", "NN": "refused"}
_HEAD_ONLY = frozenset({"DY", "DN"})
_BY_HEAD = {"accepted": "accepted", "refused": "refused", "platform_failed": "refused"}
_MOVES = "moves"


def weigh_houses(
    attempt: Candidate,
    state: str,
    listed: Mapping[str, str],
    old: Sequence[PendingLine],
    new: Sequence[PendingLine],
) -> tuple[dict[str, str], dict[int, str], set[str]]:
    """Houses of a manifest that change, the outcomes of new house lines, reasons for a person to look.

    `state` is what the head has made of the manifest; `listed` is declaration key → present state of the house.
    """
    known = {line.id for line in old}
    judged = _judge([*old, *new])
    own: dict[str, str] = {}
    reasons: set[str] = set()
    for line, verdict in judged:
        key = line.key + attempt.direction
        fresh = line.id not in known
        if verdict == _MOVES:
            if fresh and line.code == "NN" and own.get(key) == "NY":
                reasons.add("contradictory")
            own[key] = line.code
        elif fresh and verdict == "unknown_code":
            reasons.add(verdict)
    head = _BY_HEAD.get(state)
    wanted = {k: _HOUSE[own[k]] if k in own else head or present for k, present in listed.items()}
    changed = {k: state for k, state in wanted.items() if state != listed[k]}
    return changed, _outcomes(judged, known), reasons


def _judge(lines: Sequence[PendingLine]) -> list[tuple[PendingLine, str]]:
    seen: set[tuple[str, str, str]] = set()
    judged = []
    for line in sorted((x for x in lines if x.line > 0), key=_order):
        said = (line.key, line.op_time, line.code)
        if line.code in _HEAD_ONLY:
            verdict = "noted"
        elif line.code not in _HOUSE:
            verdict = "unknown_code"
        else:
            verdict = "repeated" if said in seen else _MOVES
        seen.add(said)
        judged.append((line, verdict))
    return judged


def _outcomes(judged: Sequence[tuple[PendingLine, str]], known: set[int]) -> dict[int, str]:
    """Outcomes of new lines: applied, unless a later line of the same house was applied before them."""
    outcomes: dict[int, str] = {}
    later: set[str] = set()
    for line, verdict in reversed(judged):
        if line.id in known:
            if verdict == _MOVES and line.outcome == "applied":
                later.add(line.key)
        elif verdict == _MOVES:
            outcomes[line.id] = "older" if line.key in later else "applied"
        else:
            outcomes[line.id] = verdict
    return outcomes


def _order(line: PendingLine) -> tuple[str, bool, int]:
    return (moment(line), line.code == "NN", line.id)
