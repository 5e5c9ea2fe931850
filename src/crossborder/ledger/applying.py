"""What reconcile needs of the ledger: receipt lines to apply, attempts they may belong to, one way to move them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import repeat
from typing import Any

import polars as pl
from sqlalchemy import Connection, Update, and_, bindparam, false, func, null, select, update

from crossborder import china_time
from crossborder.ledger import chain, tables
from crossborder.ledger.base import Base, EventRow, event, with_attention
from crossborder.ledger.dialects import among, chunks
from crossborder.ledger.driver import columns_of, run_rows, update_columns
from crossborder.ledger.houses import next_part_ready, set_houses
from crossborder.ledger.leaving import may_have_left
from crossborder.ledger.lots import NOT_APPLIED, ReadLot, having, save_lines, take_out
from crossborder.ledger.receipts import seal_notes
from crossborder.ledger.records import Candidate, Move, PendingLine
from crossborder.ledger.states import (
    ACCEPTED,
    DECLARATION,
    MANIFEST,
    NOT_RECEIVED,
    SUSPENDED,
    VOIDED,
    WAITING,
)

A = tables.attempts
L = tables.receipt_lines
R = tables.receipts
H = tables.manifest_houses
APPLIED, UNMATCHED = "applied", "unmatched"

_LINE = (
    L.c.id, L.c.receipt_id, R.c.endpoint, R.c.received_at, L.c.line, L.c.message_type, L.c.key, L.c.code,
    L.c.op_type, L.c.op_time, L.c.pre_entry_id, L.c.entry_id, L.c.outcome, L.c.attempt_id,
)  # fmt: skip
_CANDIDATE = (
    A.c.id, A.c.kind, A.c.key, A.c.number, A.c.live, A.c.batch_id, A.c.direction, A.c.state, A.c.stage,
    A.c.first_sent_at, A.c.pre_entry_id, A.c.entry_id, A.c.released, A.c.final, A.c.attention,
    A.c.last_code, A.c.last_op_time,
)  # fmt: skip
_FREE: dict[str, Any] = dict.fromkeys(("owner", "lease_until", "unknown_since", "retry_at"), null())
"""An attempt that is answered is in nobody's hands any more."""
_ADVANCED = ("state", "stage", "state_since", "last_code", "last_op_time", "released", "final")
_NUMBERED = (*_ADVANCED[:3], "pre_entry_id", "entry_id", *_ADVANCED[3:])
_MOVED = (*_NUMBERED, "attention")
_LIVE = update(A).where(A.c.id == bindparam("attempt")).values(live=bindparam("live_"))
_OUTCOME = (
    update(L)
    .where(L.c.id == bindparam("line_id"))
    .values(outcome=bindparam("outcome_"), attempt_id=bindparam("attempt_"))
)

_HANDED_OVER = A.c.first_sent_at.is_not(None) & (A.c.state != VOIDED)
"""What may be answered. Of what was voided no byte ever left, whatever was tried: no receipt can be about it, even if the
clock was set back since and it seems the younger one."""
_SENT = (A.c.kind == DECLARATION) & _HANDED_OVER
_TRIED = (NOT_RECEIVED, SUSPENDED)
"""States of what may have been tried and have never left."""
UNTIMED = "~"
"""Sorts behind every moment."""
STANDING: dict[str, pl.DataType | type[pl.DataType]] = {
    "attempt_id": pl.Int64, "key": pl.String, "batch_id": pl.String, "live": pl.Boolean, "ready": pl.Boolean,
    "state": pl.String, "stage": pl.String, "released": pl.Boolean, "pre_entry_id": pl.String, "entry_id": pl.String,
    "first_sent_at": pl.String, "heard": pl.String,
}  # fmt: skip
"""Columns of `Desk.standing`."""
_STANDING = ("id", *list(STANDING)[1:-1])


Timely = Callable[[str, str, str], bool]
"""(OpTime of a line or nothing, when it was received, when an attempt was first sent) → whether it may answer that."""


class Desk:
    """One transaction of applying receipts: everything read in it is true until it is committed."""

    def __init__(self, book: Base, connection: Connection, now: datetime) -> None:
        self._book = book
        self._connection = connection
        self._at = china_time.iso(now)

    def pending(self, limit: int, timely: Timely, after: int = 0) -> list[PendingLine]:
        """About `limit` lines that were never applied (whole receipts), then unmatched ones that now may match.

        `timely` says whether what was said then may answer what was first sent at that moment. Of unmatched lines, those
        with a number above `after` are looked at.
        """
        lines = self._lines(having([NOT_APPLIED]), limit)
        if len(lines) == limit:
            rest = (L.c.receipt_id == lines[-1].receipt_id) & (L.c.id > lines[-1].id)
            lines += self._lines(rest & having([NOT_APPLIED]), None)
        if len(lines) < limit:
            ids = self._matchable(timely, after)[: limit - len(lines)]
            for block in chunks(ids):
                lines += self._lines(L.c.id.in_(block), None)
        return lines

    def fresh(self, lot: ReadLot) -> pl.DataFrame:
        """The lines (`lots.keyed`) of receipts of a lot that are not read yet; see `lots.take_out`."""
        said = take_out(self._connection, lot)
        return seal_notes(self._connection, said, self._book._keys)

    def standing(self, keys: Iterable[str]) -> pl.DataFrame:
        """Declarations once handed over, by key; columns `STANDING`, `heard` is the latest OpTime heard of each.

        `heard` is empty where nothing was heard, and `UNTIMED` where something without a time was.
        """
        query = select(*(A.c[name] for name in _STANDING)).where(
            _SENT, among(self._connection, A.c.key, sorted(keys))
        )
        rows = self._connection.execute(query).all()
        heard = self._heard([row[0] for row in rows])
        return pl.DataFrame(
            [(*row, heard.get(row[0], "")) for row in rows], schema=STANDING, orient="row"
        )

    def bearers(self, numbers: Iterable[str]) -> pl.DataFrame:
        """Declarations once handed over that bear a PreEntryId or EntryId: columns `number`, `key`."""
        wanted = sorted(numbers)
        rows: list[tuple[Any, ...]] = []
        for column in (A.c.pre_entry_id, A.c.entry_id):
            query = select(column, A.c.key).where(_SENT, among(self._connection, column, wanted))
            rows += map(tuple, self._connection.execute(query))
        return pl.DataFrame(rows, schema={"number": pl.String, "key": pl.String}, orient="row")

    def write_down(self, lines: pl.DataFrame, steps: pl.DataFrame) -> None:
        """Write the lines of a lot; those of `steps` (`place` among the lines) are applied, the others wait."""
        placed = lines.with_row_index("place")
        own = steps.select("place", "attempt_id", pl.lit(APPLIED).alias("outcome"))
        told = placed.join(own, on="place", how="left", maintain_order="left")
        save_lines(self._connection, told.with_columns(pl.col("outcome").fill_null(NOT_APPLIED)))
        moved = steps.with_columns(
            lines[steps["place"]].select("endpoint", "code", "line", "op_time", "receipt_id")
        )
        detail = pl.concat_str(
            pl.lit('{"code":"'), "code", pl.lit('","line":'), "line", pl.lit(',"op_time":"'), "op_time",
            pl.lit('","receipt":'), "receipt_id", pl.lit("}"),
        )  # fmt: skip
        events = moved.select(
            pl.col("endpoint").alias("who"), "batch_id", "attempt_id", "from_state", "to_state", detail.alias("detail")
        )  # fmt: skip
        fixed = {"at": self._at, "verb": "receipt"}
        chain.record_columns(self._connection, events, fixed)

    def advance(self, moves: pl.DataFrame) -> None:
        """Set attempts (`attempt_id`, and the columns of `_NUMBERED`) to what the lines of a lot made them."""
        moves = moves.with_columns(pl.lit(self._at).alias("state_since"))
        quiet, telling = moves.filter(~pl.col("tells")), moves.filter(pl.col("tells"))
        for rows, names in ((quiet, _ADVANCED), (telling, _NUMBERED)):
            values = columns_of(rows.select(*names, pl.col("attempt_id").alias("attempt")))
            update_columns(self._connection, _move(names), values)
        freed = moves.filter(pl.col("frees"))["attempt_id"].to_list()
        update_columns(self._connection, _LIVE, {"live_": repeat(False), "attempt": freed})

    def lines_of(self, attempt_ids: Sequence[int]) -> list[PendingLine]:
        """All lines that belong to some attempts."""
        found: list[PendingLine] = []
        for block in chunks(attempt_ids):
            found += self._lines(L.c.attempt_id.in_(block), None)
        return found

    def declarations(self, keys: Iterable[str], numbers: Iterable[str]) -> list[Candidate]:
        """Declarations once handed over, by key or by PreEntryId or EntryId; see `_that_left`."""
        found: dict[int, Candidate] = {}
        for column, values in (
            (A.c.key, keys),
            (A.c.pre_entry_id, numbers),
            (A.c.entry_id, numbers),
        ):
            for block in chunks(dict.fromkeys(values)):
                rows = self._connection.execute(select(*_CANDIDATE).where(_SENT, column.in_(block)))
                found |= {row.id: Candidate._make(row) for row in rows}
        return self._that_left(found.values())

    def manifests(self, stems: Iterable[str]) -> list[Candidate]:
        """Manifests once handed over, by the beginning of their key (`MASTER|` or `MASTER|VOYAGE|`); see `_that_left`."""
        found: dict[int, Candidate] = {}
        for stem in dict.fromkeys(stems):
            rows = self._connection.execute(
                select(*_CANDIDATE)
                .where(A.c.kind == MANIFEST, _HANDED_OVER)
                .where(A.c.key >= stem, A.c.key < stem[:-1] + "}")
            )
            found |= {row.id: Candidate._make(row) for row in rows}
        return self._that_left(found.values())

    def houses(self, attempt_ids: Sequence[int]) -> dict[int, dict[str, str]]:
        """Declaration key → state of every house, per manifest."""
        found: dict[int, dict[str, str]] = {i: {} for i in attempt_ids}
        for block in chunks(attempt_ids):
            rows = self._connection.execute(
                select(H.c.attempt_id, H.c.declaration_key, H.c.state).where(
                    H.c.attempt_id.in_(block)
                )
            )
            for attempt_id, key, state in rows:
                found[attempt_id][key] = state
        return found

    def save(
        self,
        moves: Sequence[Move],
        outcomes: Sequence[tuple[int, str, int | None]],
        houses: Mapping[int, Mapping[str, str]],
    ) -> None:
        """Move attempts, note what became of each line (id, outcome, attempt), set the houses that changed."""
        if outcomes:
            rows = [(outcome, attempt, line) for line, outcome, attempt in outcomes]
            run_rows(self._connection, _OUTCOME, ("outcome_", "attempt_", "line_id"), rows)
        if moves:
            made = [self._values(move) for move in moves]
            run_rows(self._connection, _move(_MOVED, ready=false()), (*_MOVED, "attempt"), made)
        ended = [{"attempt": m.attempt.attempt_id, "live_": False} for m in moves if m.frees]
        if ended:
            self._connection.execute(_LIVE, ended)
        events = [row for move in moves for row in self._events(move)]
        for move in moves:
            if move.frees is False and not move.attempt.live:
                events += self._stand_again(move)
            if move.attempt.kind == MANIFEST and move.state == ACCEPTED:
                next_part_ready(self._connection, move.attempt.key)
        for attempt_id, states in houses.items():
            set_houses(self._connection, attempt_id, states)
            events.append(self._houses_event(attempt_id, states))
        self._book._record(self._connection, events)

    def mark(self, reasons: Mapping[int, Iterable[str]]) -> None:
        """Raise attention on attempts without moving them."""
        for attempt_id, why in reasons.items():
            present = self._connection.execute(
                select(A.c.attention).where(A.c.id == attempt_id)
            ).scalar_one()
            self._connection.execute(
                update(A)
                .where(A.c.id == attempt_id)
                .values(attention=with_attention(present, *why))
            )

    # -- parts of the above

    def _that_left(self, found: Collection[Candidate]) -> list[Candidate]:
        """Of several with the same key those of which a byte may have left.

        What was tried in vain is on nobody's desk but ours: a late receipt of an older attempt would move it, and it would
        never be sent. Of a key with one attempt only, a receipt proves that the port has it whatever the transport said.
        """
        times = Counter((c.kind, c.key) for c in found)
        doubtful = {c.attempt_id for c in found if times[c.kind, c.key] > 1 and c.state in _TRIED}
        if not doubtful:
            return list(found)
        query = select(A.c.id, A.c.sends).where(among(self._connection, A.c.id, doubtful))
        left = may_have_left(self._connection, dict(map(tuple, self._connection.execute(query))))
        return [c for c in found if c.attempt_id not in doubtful or c.attempt_id in left]

    def _heard(self, attempt_ids: Sequence[int]) -> dict[int, str]:
        """Attempt → the latest OpTime of its heads, `UNTIMED` where one has none."""
        first, last = func.min(L.c.op_time), func.max(L.c.op_time)
        query = (
            select(L.c.attempt_id, first, last)
            .where(among(self._connection, L.c.attempt_id, attempt_ids), L.c.line == 0)
            .group_by(L.c.attempt_id)
        )
        return {
            attempt_id: most if least else UNTIMED
            for attempt_id, least, most in self._connection.execute(query).all()
        }

    def _lines(self, which: Any, limit: int | None) -> list[PendingLine]:
        query = (
            select(*_LINE)
            .join(R, R.c.id == L.c.receipt_id)
            .where(which)
            .order_by(L.c.id)
            .limit(limit)
        )
        return [PendingLine._make(row) for row in self._connection.execute(query)]

    def _matchable(self, timely: Timely, after: int) -> list[int]:
        """Unmatched lines for which there now is an attempt, in ascending order."""
        loose = having([UNMATCHED]) & (L.c.id > after)
        if self._connection.execute(select(L.c.id).where(loose).limit(1)).first() is None:
            return []
        waiting = select(L.c.id, L.c.op_time, R.c.received_at, func.min(A.c.first_sent_at))
        waiting = waiting.join(R, R.c.id == L.c.receipt_id).where(loose).group_by(L.c.id, L.c.op_time, R.c.received_at)  # fmt: skip
        bearing = select(L.c.id).where(loose)
        head = and_(L.c.message_type == "EXP312", L.c.line == 0)
        house = and_(L.c.message_type == "EXP312", L.c.line > 0)
        beyond = func.substr(L.c.key, 1, func.length(L.c.key) - 1) + "}"
        under = and_(A.c.kind == MANIFEST, _HANDED_OVER, A.c.key >= L.c.key, A.c.key < beyond)
        listed = H.c.declaration_key.in_([L.c.key + "I", L.c.key + "E"])
        by_number = (
            bearing.join(A, A.c.pre_entry_id == L.c.pre_entry_id).where(_SENT),
            bearing.join(A, A.c.entry_id == L.c.entry_id).where(_SENT),
        )
        by_time = (
            waiting.join(A, A.c.key == L.c.key).where(_SENT, L.c.message_type != "EXP312"),
            waiting.join(A, under).where(head),
            waiting.join(H, listed).join(A, A.c.id == H.c.attempt_id).where(house, _HANDED_OVER),
        )
        found: set[int] = set()
        for query in by_number:
            found.update(self._connection.execute(query).scalars())
        for query in by_time:
            rows = self._connection.execute(query)
            found.update(number for number, said, came, first in rows if timely(said, came, first))
        return sorted(found)

    def _values(self, move: Move) -> tuple[Any, ...]:
        attention = with_attention(move.attempt.attention, *move.attention)
        return (
            move.state, move.stage, self._at, move.pre_entry_id, move.entry_id, move.last_code, move.last_op_time,
            move.released, move.final, attention, move.attempt.attempt_id,
        )  # fmt: skip

    def _events(self, move: Move) -> list[EventRow]:
        return [
            event(
                self._at, step.line.endpoint, "receipt", batch_id=move.attempt.batch_id,
                attempt_id=move.attempt.attempt_id, from_state=step.from_state, to_state=step.to_state,
                detail={"receipt": step.line.receipt_id, "line": step.line.line, "code": step.line.code,
                        "op_time": step.line.op_time},
            )
            for step in move.steps
        ]  # fmt: skip

    def _stand_again(self, move: Move) -> list[EventRow]:
        """An attempt whose key was free stands after all. A newer one that has not left is stopped."""
        own = move.attempt
        newer = self._connection.execute(
            select(A.c.id, A.c.state, A.c.attention, A.c.batch_id).where(
                A.c.kind == own.kind, A.c.key == own.key, A.c.live, A.c.id != own.attempt_id
            )
        ).first()
        if newer is None:
            self._connection.execute(_LIVE, [{"attempt": own.attempt_id, "live_": True}])
            return [self._stand_event(own, move.state)]
        marks = with_attention(own.attention, *move.attention, "stands_after_all")
        self._connection.execute(update(A).where(A.c.id == own.attempt_id).values(attention=marks))
        values: dict[str, Any] = {"attention": with_attention(newer.attention, "older_stands")}
        if newer.state in WAITING:
            values |= {"state": SUSPENDED, "state_since": self._at, "ready": False}
        self._connection.execute(update(A).where(A.c.id == newer.id).values(values))
        return [
            self._stand_event(own, move.state),
            event(
                self._at, self._book.owner, "older_stands", batch_id=newer.batch_id, attempt_id=newer.id,
                from_state=newer.state, to_state=values.get("state", newer.state),
                detail={"older": own.attempt_id},
            ),
        ]  # fmt: skip

    def _stand_event(self, own: Candidate, state: str) -> EventRow:
        """It stands in the state to which the receipt before this event has moved it."""
        return event(
            self._at, self._book.owner, "stands_after_all", batch_id=own.batch_id,
            attempt_id=own.attempt_id, from_state=state, to_state=state,
        )  # fmt: skip

    def _houses_event(self, attempt_id: int, states: Mapping[str, str]) -> EventRow:
        counts: dict[str, int] = {}
        for state in states.values():
            counts[state] = counts.get(state, 0) + 1
        return event(self._at, self._book.owner, "houses", attempt_id=attempt_id, detail=counts)


def _move(names: Sequence[str], **also: Any) -> Update:
    """Set columns of an attempt by number. One that an index holds is named only where it changes."""
    values = {**{name: bindparam(name) for name in names}, **_FREE, **also}
    return update(A).where(A.c.id == bindparam("attempt")).values(values)


class Applying(Base):
    """The door to a `Desk`."""

    @contextmanager
    def applying(self, now: datetime) -> Iterator[Desk]:
        """One write transaction in which receipt lines are applied; committed at the end, or nothing is."""
        with self.write() as connection:
            yield Desk(self, connection, now)
