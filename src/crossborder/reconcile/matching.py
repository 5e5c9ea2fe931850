"""Matching: to which attempt a receipt line belongs.

A declaration's receipt belongs to the attempt whose PreEntryId or EntryId it repeats; else, by key and OpTime, to
the attempt then live: where OpTime precedes the first send of an attempt, the one before, and where there is none before,
it belongs to none. A manifest's receipt
carries no direction and perhaps no voyage: it is looked for by master waybill (and voyage), the attempt that
lists the houses it names first, then by time. Only attempts that were handed over at least once are candidates: not what
was voided, nor, where another one has the same key, what was tried in vain (`ledger.Desk.declarations`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from crossborder.ledger import Candidate, Desk, PendingLine
from crossborder.reconcile.order import digits17, earliest_answer, moment

MANIFEST_RECEIPT = "EXP312"


def match(desk: Desk, lines: Sequence[PendingLine]) -> dict[int, Candidate]:
    """Line id → attempt, for every line that finds one."""
    told = [line for line in lines if line.message_type != MANIFEST_RECEIPT]
    found = _declarations(desk, told)
    of_manifests = [line for line in lines if line.message_type == MANIFEST_RECEIPT]
    found.update(_manifests(desk, of_manifests))
    return found


class _Numbers:
    """Which attempt bears which PreEntryId or EntryId, as stored and as learnt from the lines at hand."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._bearers: dict[str, list[Candidate]] = {}
        self._borne: dict[int, str] = {}
        for one in candidates:
            self._note(one, one.pre_entry_id, one.entry_id)

    def learn(self, line: PendingLine, attempt: Candidate) -> None:
        """A line of the attempt's own key tells its numbers."""
        if line.key == attempt.key:
            self._note(attempt, line.pre_entry_id, line.entry_id)

    def bearer(self, line: PendingLine) -> Candidate | None:
        """The attempt that bears a number the line repeats; one of the line's own key before others."""
        numbers = (line.pre_entry_id, line.entry_id)
        bearing = [c for n in numbers if n for c in self._bearers.get(n, ())]
        own = [c for c in bearing if c.key == line.key]
        return next(iter(own or bearing), None)

    def not_another(self, line: PendingLine, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Candidates that bear no other PreEntryId than the line's; all of them if that leaves none."""
        number = line.pre_entry_id
        fits = [c for c in candidates if number and self._borne.get(c.attempt_id, number) == number]
        return fits or list(candidates)

    def _note(self, attempt: Candidate, pre_entry_id: str | None, entry_id: str | None) -> None:
        if pre_entry_id:
            self._borne.setdefault(attempt.attempt_id, pre_entry_id)
        for number in (pre_entry_id, entry_id):
            if number:
                self._bearers.setdefault(number, []).append(attempt)


def _declarations(desk: Desk, lines: Sequence[PendingLine]) -> dict[int, Candidate]:
    if not lines:
        return {}
    told = {n for line in lines for n in (line.pre_entry_id, line.entry_id) if n}
    candidates = desk.declarations([line.key for line in lines], told)
    by_key: dict[str, list[Candidate]] = {}
    for one in candidates:
        by_key.setdefault(one.key, []).append(one)
    numbers = _Numbers(candidates)
    found: dict[int, Candidate] = {}
    for line in sorted(lines, key=lambda x: (moment(x), x.id)):
        chosen = numbers.bearer(line)
        if chosen is None:
            fitting = numbers.not_another(line, by_key.get(line.key, []))
            chosen = live_at(moment(line), fitting, line.code)
        if chosen is not None:
            found[line.id] = chosen
            numbers.learn(line, chosen)
    return found


def live_at(when: str, candidates: Iterable[Candidate], code: str = "") -> Candidate | None:
    """The newest candidate whose first send does not come after `when` (17 digits); none if it precedes them all.

    A time without milliseconds is compared by the second. The port's clock may be a little behind ours (`CLOCKS_DIFFER`):
    what is said that much before a candidate was sent, and after the one before had ended, is said of it; not so the
    same `code` again that ended the one before, which is a repetition.
    """
    ordered = _in_order(candidates)
    if not ordered or _too_early(when, ordered[0][0]):
        return None
    chosen = 0
    for place, (sent, _) in enumerate(ordered):
        if not _before(when, digits17(sent)):
            chosen = place
    for sent, _ in ordered[chosen + 1 :]:
        before = ordered[chosen][1]
        over = not before.live and before.last_code != code and (before.last_op_time or "") < when
        if not over or _too_early(when, sent):
            break
        chosen += 1
    return ordered[chosen][1]


def _in_order(candidates: Iterable[Candidate]) -> list[tuple[str, Candidate]]:
    """Candidates with the moment of their first send, oldest first.

    Of one key the earlier attempt was sent before the later one, whatever the clock said: where it has been set back
    between them, the later one's moment is that of both.
    """
    moments: dict[str, str] = {}
    found = []
    for one in sorted(candidates, key=lambda c: c.number, reverse=True):
        sent = moments[one.key] = min(one.first_sent_at, moments.get(one.key, one.first_sent_at))
        found.append((sent, one))
    return sorted(found, key=lambda pair: (pair[0], pair[1].attempt_id))


def timely(op_time: str, received_at: str, first_sent_at: str) -> bool:
    """Whether a line that was said then (if it told no time: received then) may answer what was first sent at that moment."""
    return not _too_early(op_time or digits17(received_at), first_sent_at)


def _too_early(when: str, sent: str) -> bool:
    """Whether what was said at `when` cannot answer what was sent at `sent` (as in the ledger)."""
    return _before(when, earliest_answer(sent))


def _before(when: str, moment17: str) -> bool:
    """Whether `when` comes before; by the second where it tells no milliseconds."""
    return when[:14] < moment17[:14] if when.endswith("000") else when < moment17


def _manifests(desk: Desk, lines: Sequence[PendingLine]) -> dict[int, Candidate]:
    if not lines:
        return {}
    stems = {line.key.split("|", 1)[0] + "|" for line in lines}
    candidates = desk.manifests(stem for stem in stems if stem != "|")
    houses = desk.houses([c.attempt_id for c in candidates])
    by_master: dict[str, list[Candidate]] = {}
    for one in candidates:
        by_master.setdefault(one.key.split("|", 1)[0], []).append(one)
    named: dict[int, list[str]] = {}
    for line in lines:
        if line.line > 0:
            named.setdefault(line.receipt_id, []).append(line.key)
    found: dict[int, Candidate] = {}
    heads: dict[int, Candidate] = {}
    for line in sorted(lines, key=lambda one: (one.line > 0, one.id)):
        fitting = by_master.get(line.key.split("|", 1)[0], [])
        if line.line == 0:
            fitting = [c for c in fitting if c.key.startswith(line.key)]
            fitting = _listing_most(fitting, named.get(line.receipt_id, ()), houses)
        else:
            fitting = [c for c in fitting if line.key + c.direction in houses[c.attempt_id]]
            head = heads.get(line.receipt_id)
            fitting = [head] if head in fitting and head is not None else fitting
        chosen = live_at(moment(line), fitting, line.code)
        if chosen is not None:
            found[line.id] = chosen
            if line.line == 0:
                heads[line.receipt_id] = chosen
    return found


def _listing_most(
    candidates: list[Candidate], named: Sequence[str], houses: Mapping[int, Mapping[str, str]]
) -> list[Candidate]:
    """The candidates that list most of the houses a receipt names; all of them if it names none."""
    if len(candidates) < 2 or not named:
        return candidates
    counts = [sum(key + c.direction in houses[c.attempt_id] for key in named) for c in candidates]
    return [c for c, count in zip(candidates, counts, strict=True) if count == max(counts)]
