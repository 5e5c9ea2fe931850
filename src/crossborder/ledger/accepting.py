"""Letting pass: a person accepts a rule for a batch, and what waited for nothing else becomes prepared.

A shipment that waits for a person (`states.HELD`) has its document in the ledger since it was recorded: in `held_drafts`,
or, where only the end of its hand-in showed that it must wait, with the attempt that was voided when its batch was
sealed. Letting it pass composes nothing: the document becomes that of an attempt, in the one transaction that records
the decision, moves the shipment and corrects what the batch counts. So a crash leaves all of it or nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from crossborder import china_time
from crossborder.errors import LedgerError, NotFound
from crossborder.keys import normalise
from crossborder.ledger import passing, tables
from crossborder.ledger.accepted import Acceptance, Accepted
from crossborder.ledger.base import Base, EventRow, event
from crossborder.ledger.batches import OUTCOMES_DIGEST, SEALED, batch_row, outcomes_digest
from crossborder.ledger.datakeys import refuse_erased
from crossborder.ledger.decisions import reasoned
from crossborder.ledger.dialects import chunks, texts
from crossborder.ledger.passing import Waiting
from crossborder.ledger.states import DECLARATION, HELD

A = tables.attempts
S = tables.shipments
F = tables.findings
E = tables.events
ACCEPTED = "rule_accepted"
"""The event of a batch in which a rule was accepted; its detail says which, why, and for which shipments."""
MOVED = "moved"
"""What its detail calls the shipments that passed (`_moved`)."""

REPEATED, FILED, LATER, NO_DOCUMENT = (
    "repeated",
    "filed_otherwise",
    "handed_in_later",
    "no_document",
)
"""Why a shipment whose rules are all accepted stays nevertheless: its house waybill is in the batch twice, is filed with
other content, was handed in with other content later, or was recorded before documents of held shipments were kept."""
_NAMED = 20


class Accepting(Base):
    """The verb that lets held shipments pass."""

    def accept(
        self,
        batch_id: str,
        rule: str,
        reason: str,
        who: str,
        now: datetime,
        *,
        waybills: Sequence[str] = (),
        dry_run: bool = False,
    ) -> Accepted:
        """A person accepts a rule for a batch, or for single house waybills of it (written in any way).

        Shipments that wait for accepted rules only become prepared, with the document composed when they were recorded;
        what is filed with the same content since is already filed; the others stay, and the answer says by which rule.
        Accepting again records nothing new, but lets pass what can pass by now. Raises `NotFound` for a batch or
        waybill nobody knows, `PayloadErased` if its documents were erased, `LedgerError` if the batch is not sealed, no
        reason is given, the rule rejects, or no shipment waits for it.
        """
        reason = reasoned(reason)
        with self.write() as connection:
            row = batch_row(connection, batch_id)
            if row["state"] != SEALED:
                raise LedgerError(
                    "only of a batch that is completely recorded can a rule be accepted", "批次录入完毕后才能放过规则",
                    place=batch_id, fix_en="hand the same file in again first", fix_zh="请先重新提交同一文件",
                )  # fmt: skip
            refuse_erased(connection, batch_id)
            chosen = _positions(connection, batch_id, waybills)
            before = acceptances_of(connection, [batch_id])
            waits = _waiting(connection, batch_id, rule, chosen)
            again = any(a.rule == rule and a.covers(chosen) for a in before)
            if not waits and not again:
                raise _nothing(connection, batch_id, rule, chosen)
            mine = Acceptance(batch_id, rule, china_time.iso(now), who, reason, chosen, 0)
            rules = [*before, mine]
            stays = {w.position: left for w in waits if (left := _left(w, rules))}
            free = [w for w in waits if w.position not in stays]
            stays |= {w.position: (why,) for w, why in _cannot(connection, free)}
            passed = [w for w in free if w.position not in stays]
            filed = [w for w in passed if w.filed is not None]
            fresh = [w for w in passed if w.filed is None]
            answer = Accepted(
                batch_id, rule, dry_run, again, len(waits), len(fresh), len(filed),
                dict(Counter(name for names in stays.values() for name in names).most_common()),
                tuple((w.shown_as, stays[w.position]) for w in waits if w.position in stays)[:_NAMED],
                len(stays),
            )  # fmt: skip
            if dry_run or (again and not passed):
                return answer
            made = self._let_pass(connection, row["counts"], batch_id, fresh, filed, rules, who, now)  # fmt: skip
            detail: dict[str, Any] = {
                "rule": rule, "reason": reason, "prepared": len(fresh), "already_filed": len(filed), "staying": len(stays),
                MOVED: [_moved(w, made) for w in passed], OUTCOMES_DIGEST: outcomes_digest(connection, batch_id),
            }  # fmt: skip
            if chosen is not None:
                detail["positions"] = sorted(chosen)
            self._record(connection, [event(now, who, ACCEPTED, batch_id=batch_id, detail=detail)])
        return answer

    def held_by(self, batch_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Batch → rule → how many of its shipments wait for a person because of it, most first.

        A shipment that a later batch brought again is not counted: it waits there, or no more.
        """
        found: dict[str, dict[str, int]] = {}
        with self.read() as connection:
            for batch_id in batch_ids:
                query = _by_rule(batch_id, "hold", None).where(~passing.brought_again().exists())
                counts = connection.execute(query).all()
                if counts:
                    found[batch_id] = {row.rule: row.shipments for row in counts}
        return found

    def acceptances(self, batch_ids: Sequence[str]) -> list[Acceptance]:
        """What was accepted in some batches, by whom and why, in the order of time."""
        with self.read() as connection:
            return acceptances_of(connection, batch_ids)

    def _let_pass(
        self,
        connection: Connection,
        counts: str,
        batch_id: str,
        fresh: Sequence[Waiting],
        filed: Sequence[Waiting],
        rules: Sequence[Acceptance],
        who: str,
        now: datetime,
    ) -> Mapping[int, int]:
        """Move them; position → the attempt that was made for it."""
        new = [w for w in fresh if w.attempt_id is None]
        numbered = passing.numbers(connection, new)
        ids = self._reserve(connection, "attempt", len(new))
        made = dict(zip((w.position for w in new), ids, strict=True))
        passing.insert(connection, batch_id, new, ids, numbered, china_time.iso(now))
        passing.revive(connection, [w for w in fresh if w.attempt_id is not None], now)
        passing.move(connection, fresh, filed)
        passing.forget(connection, [*fresh, *filed])
        passing.recount(connection, batch_id, json.loads(counts))
        self._record(connection, list(_events(batch_id, fresh, made, rules, who, now)))
        return made


def acceptances_of(connection: Connection, batch_ids: Sequence[str]) -> list[Acceptance]:
    """Every acceptance of some batches, in the order of time."""
    found: list[Acceptance] = []
    for block in chunks(batch_ids):
        query = (
            select(E.c.batch_id, E.c.at, E.c.who, E.c.detail)
            .where(E.c.batch_id.in_(block), E.c.attempt_id.is_(None), E.c.verb == ACCEPTED)
            .order_by(E.c.id)
        )
        for batch_id, at, who, text in connection.execute(query):
            said = json.loads(text)
            positions = frozenset(said["positions"]) if "positions" in said else None
            passed = said["prepared"] + said["already_filed"]
            found.append(
                Acceptance(batch_id, said["rule"], at, who, said["reason"], positions, passed)
            )
    return found


def _left(waiting: Waiting, rules: Iterable[Acceptance]) -> tuple[str, ...]:
    """The rules of a shipment that nobody has accepted for it."""
    accepted = {a.rule for a in rules if a.holds_for(waiting.position)}
    return tuple(sorted(waiting.rules - accepted | waiting.rejecting))


def _moved(waiting: Waiting, made: Mapping[int, int]) -> list[int | str | None]:
    """What an audit must know of a shipment that passed: position, its attempt before and now, the digest of the document
    that was kept for it (null where an attempt had it)."""
    now = waiting.filed or waiting.attempt_id or made[waiting.position]
    return [waiting.position, waiting.row.attempt_id, now, waiting.row.draft_digest]


def _events(
    batch_id: str, fresh: Sequence[Waiting], made: Mapping[int, int], rules: Sequence[Acceptance],
    who: str, now: datetime,
) -> Iterator[EventRow]:  # fmt: skip
    """One of each attempt, so that the time line of a parcel says which rules were accepted, by whom, and why."""
    at = china_time.iso(now)
    for w in fresh:
        why = [
            {"rule": a.rule, "who": a.who, "reason": a.reason} for a in rules
            if a.rule in w.rules and a.holds_for(w.position)
        ]  # fmt: skip
        attempt = made.get(w.position, w.attempt_id)
        yield event(at, who, passing.PASSED, batch_id=batch_id, attempt_id=attempt, from_state=w.outcome,
                    to_state="prepared", detail={"accepted": why})  # fmt: skip


def _positions(
    connection: Connection, batch_id: str, waybills: Sequence[str]
) -> frozenset[int] | None:
    """The positions of house waybills in a batch; None for the whole batch. Raises `NotFound`."""
    if not waybills:
        return None
    wanted = {normalise(w): w for w in waybills}
    found: dict[str, set[int]] = {}
    for block in chunks(wanted):
        query = select(S.c.house_key, S.c.position).where(
            S.c.batch_id == batch_id, S.c.house_key.in_(block)
        )
        for house, position in connection.execute(query):
            found.setdefault(house, set()).add(position)
    missing = [written for house, written in wanted.items() if house not in found]
    if missing:
        raise NotFound(
            f"not in this batch: {', '.join(missing[:_NAMED])}", f"该批次中没有：{'、'.join(missing[:_NAMED])}",
            place=batch_id, fix_en="crossborder status WAYBILL tells the batch", fix_zh="可用 crossborder status 分运单号 查询所在批次",
        )  # fmt: skip
    return frozenset(p for positions in found.values() for p in positions)


def _waiting(
    connection: Connection, batch_id: str, rule: str, chosen: frozenset[int] | None
) -> list[Waiting]:
    """The shipments of a batch that wait for a rule, each with every rule it waits for, by position."""
    held = (S.c.batch_id == batch_id) & S.c.outcome.in_(HELD)
    of_shipment = (F.c.batch_id == S.c.batch_id) & (F.c.position == S.c.position)
    mine = (
        select(S.c.position)
        .join(F, of_shipment)
        .where(held, F.c.rule == rule, F.c.action == "hold")
        .distinct()
    )
    query = (
        select(S.c.position, F.c.rule, F.c.action)
        .join(F, of_shipment)
        .where(held, F.c.action.in_(("hold", "reject")), S.c.position.in_(mine))
    )
    rules: dict[int, set[str]] = {}
    rejecting: dict[int, set[str]] = {}
    for position, name, action in connection.execute(query):
        rules.setdefault(position, set()).add(name)
        if action == "reject":
            rejecting.setdefault(position, set()).add(name)
    return [
        Waiting(row, frozenset(rules[row.position]), frozenset(rejecting.get(row.position, ())))
        for row in passing.documents(connection, batch_id, held & S.c.position.in_(mine))
        if chosen is None or row.position in chosen
    ]


def _cannot(connection: Connection, free: Sequence[Waiting]) -> Iterator[tuple[Waiting, str]]:
    """Shipments that no rule keeps any more and that cannot pass nevertheless; what is filed is noted on the others."""
    times = Counter(w.key for w in free)
    live: dict[str, tuple[int, str, str]] = {}
    if free:
        wanted = texts(connection, times)
        query = (
            select(A.c.key, A.c.id, A.c.content_digest, A.c.batch_id)
            .select_from(wanted.join(A, A.c.key == wanted.c.value))
            .where(A.c.kind == DECLARATION, A.c.live)
        )
        live = {key: (i, digest, batch) for key, i, digest, batch in connection.execute(query)}
    newer = passing.changed_since(connection, free)
    for w in free:
        filed = live.get(w.key)
        if times[w.key] > 1 or (filed is not None and filed[2] == w.batch_id):
            yield w, REPEATED
        elif filed is not None and filed[1] != w.content_digest:
            yield w, FILED
        elif filed is not None:
            w.filed = filed[0]
        elif w.position in newer:
            yield w, LATER
        elif not w.has_document:
            yield w, NO_DOCUMENT


def _nothing(
    connection: Connection, batch_id: str, rule: str, chosen: frozenset[int] | None
) -> LedgerError:
    """Why there is nothing to accept."""
    rejected = connection.execute(_by_rule(batch_id, "reject", chosen))
    rejects: dict[str, int] = {row.rule: row.shipments for row in rejected}
    if rule in rejects:
        return LedgerError(
            f"{rule} rejects {rejects[rule]:,} of these shipments; a rejection cannot be accepted",
            f"{rule} 拒收其中 {rejects[rule]:,} 票；拒收不能放过",
            place=batch_id, fix_en="correct what its findings name and hand the file in again",
            fix_zh="请按问题说明更正后重新提交",
        )  # fmt: skip
    waits = connection.execute(_by_rule(batch_id, "hold", chosen)).all()
    en = ", ".join(f"{name} ({count:,})" for name, count in waits) or "nothing waits for a person"
    zh = "、".join(f"{name}（{count:,} 票）" for name, count in waits) or "没有待人工的分运单"
    return LedgerError(
        f"no shipment waits for {rule}", f"没有分运单因 {rule} 待人工", place=batch_id,
        fix_en=f"here: {en}", fix_zh=f"本批次：{zh}",
    )  # fmt: skip


def _by_rule(batch_id: str, action: str, chosen: frozenset[int] | None) -> Any:
    """rule, shipments: of how many shipments of a batch a rule says so, most first; `hold` only where they still wait."""
    query = (
        select(F.c.rule, func.count(func.distinct(F.c.position)).label("shipments"))
        .join(S, (S.c.batch_id == F.c.batch_id) & (S.c.position == F.c.position))
        .where(F.c.batch_id == batch_id, F.c.action == action)
        .group_by(F.c.rule)
        .order_by(func.count(func.distinct(F.c.position)).desc(), F.c.rule)
    )
    if action == "hold":
        query = query.where(S.c.outcome.in_(HELD))
    if chosen is not None:
        query = query.where(S.c.position.in_(sorted(chosen)))
    return query
