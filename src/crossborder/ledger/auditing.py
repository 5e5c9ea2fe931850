"""Verifying the audit chain (promise P9), and that the ledger is what its history says.

In one reading transaction, streamed: every entry follows from the one before, none is missing or moved, the head is the
last one; what each block recorded is still there, and every attempt stands where its last entry left it.

What it cannot show: that nobody has written the whole chain and its head anew. For that an earlier head must have been
kept elsewhere (`since`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from crossborder.errors import LedgerError
from crossborder.ledger import chain, tables
from crossborder.ledger.audit_faults import Fault, Faults, entry_fault
from crossborder.ledger.audit_story import blocks, standing
from crossborder.ledger.base import Base
from crossborder.ledger.chain import Head
from crossborder.ledger.dialects import among

E = tables.events.c
Progress = Callable[[int, int], None]
_LOT = 5_000
_SUSPECTS = 20
"""So many entries that do not follow are looked at together: two of them may have been swapped."""


@dataclass(frozen=True)
class Audit:
    """What an audit found: `entries` read, the `head` that is kept apart, `faults` (at most `Faults.MOST`; `more` beyond).

    `chained_later`: (number, moment) of entries that say that those before were only chained then. `blocks` and `attempts`
    are how many of them were compared with the history.
    """

    entries: int
    head: Head
    faults: Sequence[Fault]
    more: int = 0
    chained_later: Sequence[tuple[int, str]] = ()
    blocks: int = 0
    attempts: int = 0

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.faults and not self.more


@dataclass
class _Suspect:
    """An entry that does not follow from the one before: its columns, its digest, and the digest that it should follow."""

    row: tuple[Any, ...]
    digest: str
    before: str

    @property
    def number(self) -> int:
        return int(self.row[0])


@dataclass
class _Walk:
    """The chain from its beginning to where one has come."""

    faults: Faults
    last: int = 0
    stored: str = chain.GENESIS
    computed: str = chain.GENESIS
    entries: int = 0
    later: list[tuple[int, str]] = field(default_factory=list)
    suspects: list[_Suspect] = field(default_factory=list)

    def take(self, row: tuple[Any, ...]) -> None:
        """The next entry that is there: `chain.COLUMNS` and its digest."""
        number, digest, line = int(row[0]), str(row[-1]), _line(row[:-1])
        gap = number != self.last + 1
        follows = line is not None and chain.following(self.stored, line) == digest
        if not follows and line is not None and self.computed != self.stored:
            follows = chain.following(self.computed, line) == digest
            if follows:
                self.faults.turn(self.last, "digest_changed")
                self.suspects = [s for s in self.suspects if s.number != self.last]
        if gap:
            self._gap(row, follows=follows)
        elif not follows:
            self.faults.add(entry_fault("changed", row))
            if len(self.suspects) < _SUSPECTS:
                self.suspects.append(_Suspect(row[:-1], digest, self.stored))
        self.computed = digest if line is None or gap else chain.following(self.stored, line)
        self.last, self.stored = number, digest
        self.entries += 1
        if row[3] == "chained":
            self.later.append((number, str(row[1])))

    def _gap(self, row: tuple[Any, ...], *, follows: bool) -> None:
        first, stop = self.last + 1, int(row[0])
        if stop < first:
            self.faults.add(entry_fault("foreign", row))
            return
        self.faults.add(entry_fault("missing_before_chain" if follows else "missing", row, first))

    def settle(self) -> None:
        """Entries that do not follow may have changed places: name them as what they are, and clear their neighbours."""
        kept = self.suspects
        digests = [s.digest for s in kept]
        for one in kept:
            own = _line(one.row)
            if own is not None and any(chain.following(d, own) == one.digest for d in digests):
                self.faults.drop(one.number)
                continue
            for other in kept:
                if other is not one and _stands_for(one, other, digests):
                    self.faults.turn(one.number, "moved", other.number)


def _stands_for(one: _Suspect, other: _Suspect, digests: Sequence[str]) -> bool:
    """Whether what stands at the place of `one` is the entry of the place of `other`."""
    line = _line((other.number, *one.row[1:]))
    if line is None:
        return False
    wanted = {one.digest, other.digest}
    return any(chain.following(before, line) in wanted for before in (other.before, *digests))


def _line(row: Sequence[Any]) -> str | None:
    """The line of an entry as it stands; None if it holds what no entry holds."""
    try:
        line = chain.written(*row)
        line.encode()
    except (TypeError, ValueError):
        return None
    return line if isinstance(row[-1], str) else None


class Auditing(Base):
    """Looking at the chain; changes nothing."""

    def audit(
        self, since: Sequence[Head] = (), progress: Progress = lambda done, total: None
    ) -> Audit:
        """Verify everything. `since` are heads that were kept elsewhere: each must still be in the chain.

        `progress` is told entries done and in all. Memory is bounded, however long the chain is.
        """
        faults = Faults()
        with self.read() as connection:
            head = _head(connection, faults)
            walk = self._walk(connection, faults, head, progress)
            for one in since:
                _still_there(connection, one, faults)
            counted = blocks(connection, faults)
            attempts = standing(connection, faults)
        return Audit(
            walk.entries, head, faults.found, faults.more, tuple(walk.later), counted, attempts
        )

    def audit_entries(
        self, last: int, batches: Sequence[str] | None = None
    ) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Entries up to number `last` (those of some batches and their attempts), lot by lot, from one moment.

        Each is `chain.COLUMNS`, its digest, and the digest of the entry before it.
        """
        before = tables.events.alias()
        query = (
            select(*(E[name] for name in chain.COLUMNS), E.digest, func.coalesce(before.c.digest, chain.GENESIS))
            .select_from(tables.events.outerjoin(before, before.c.id == E.id - 1))
            .where(E.id <= last)
            .order_by(E.id)
        )  # fmt: skip
        with self.read() as connection:
            if batches is not None:
                mine = tables.attempts.c
                own = select(mine.id).where(among(connection, mine.batch_id, batches))
                query = query.where(among(connection, E.batch_id, batches) | E.attempt_id.in_(own))
            streamed = connection.execute(query.execution_options(yield_per=_LOT))
            for lot in streamed.partitions(_LOT):
                yield [tuple(row) for row in lot]

    def audit_head(self) -> Head:
        """Number and digest of the last entry. Raises `LedgerError` if the head is gone."""
        with self.read() as connection:
            return chain.head(connection)

    def _walk(
        self, connection: Connection, faults: Faults, head: Head, progress: Progress
    ) -> _Walk:
        walk = _Walk(faults)
        for lot in entries(connection):
            for row in lot:
                walk.take(row)
            progress(walk.entries, max(head.last, walk.entries))
        walk.settle()
        _compare(walk, head, faults)
        return walk


def entries(connection: Connection, *which: Any) -> Iterator[Sequence[tuple[Any, ...]]]:
    """All entries (those of some conditions) in their order, lot by lot: `chain.COLUMNS` and the digest of each."""
    query = select(*(E[name] for name in chain.COLUMNS), E.digest).where(*which).order_by(E.id)
    streamed = connection.execute(query.execution_options(yield_per=_LOT))
    for lot in streamed.partitions(_LOT):
        yield [tuple(row) for row in lot]


def _head(connection: Connection, faults: Faults) -> Head:
    try:
        return chain.head(connection)
    except LedgerError:
        faults.add(Fault("head_gone"))
        return Head(0, chain.GENESIS)


def _compare(walk: _Walk, head: Head, faults: Faults) -> None:
    """The end of the chain against the head, which is kept apart."""
    if faults.has("head_gone"):
        return
    if walk.last < head.last:
        faults.add(Fault("tail_missing", walk.last + 1, to=head.last))
    elif walk.last > head.last:
        faults.add(Fault("beyond_head", head.last + 1, to=walk.last))
    elif walk.stored != head.digest:
        faults.add(Fault("head_changed", head.last))


def _still_there(connection: Connection, kept: Head, faults: Faults) -> None:
    """Whether a head that was kept elsewhere is still in the chain."""
    if kept == Head(0, chain.GENESIS):
        return
    found = connection.execute(select(E.at, E.digest).where(E.id == kept.last)).first()
    if found is None or found.digest != kept.digest:
        faults.add(Fault("since_gone", kept.last, at="" if found is None else str(found.at)))
