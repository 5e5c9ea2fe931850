"""When all is quiet: the port's truth, the desk's files and the ledger must tell the same story (promises P3 to P8).

Every rule here is written anew from the facts and the promises, none is taken from the code that is judged; in the end
the house's own proof (`reconcile.differences`) is asked too.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import RowMapping, Table, exists, select

from crossborder import reconcile, resources
from crossborder.errors import PayloadDamaged
from crossborder.ledger import Ledger, PayloadRef, tables

from . import papers
from .port import Filing, Said

if TYPE_CHECKING:
    from .world import World

_OVERRULES = {
    "D1": {"D0", "D2", "customs"}, "D3": {"D2", "customs"}, "N": {"customs"},
    "DN": {"DY", "customs"}, "NN": {"customs"},
}  # fmt: skip
"""A refusal, and what must not have been said before it: then it contradicts, and a person must look."""
_UNDONE = ("queued", "sending", "not_received", "unknown")


def judge(world: World, ledger: Ledger) -> list[str]:
    """Everything that is wrong, in words; empty means that the promises were kept."""
    return list(Judge(world, ledger).everything())


def at_any_moment(ledger: Ledger) -> list[str]:
    """What must hold between any two steps: nothing is lost from the count, and no state moved without a kept receipt."""
    a, line = tables.attempts.c, tables.receipt_lines.c
    told = exists().where(line.attempt_id == a.id, line.code == a.last_code)
    query = select(a.message_id, a.state, a.last_code).where(a.last_code.is_not(None), ~told)
    with ledger.read() as connection:
        moved = connection.execute(query).all()
    wrongs = [
        f"P6 {ident} is {state} by {code}, but no such receipt is kept"
        for ident, state, code in moved
    ]
    if not reconcile.account(ledger).conserved:
        wrongs.append("P3 the account does not close in the middle")
    return wrongs


class Judge:
    """All rows of the ledger, and what the others know."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._world, self._ledger = world, ledger
        self._batches = {b["id"]: b for b in self._all(tables.batches)}
        self._shipments = self._all(tables.shipments)
        self._attempts = self._all(tables.attempts)
        self._receipts = [
            {**row, "raw": self._raw(row["id"])} for row in self._all(tables.receipts)
        ]
        self._lines = self._all(tables.receipt_lines)
        self._unread = {row["receipt_id"] for row in self._all(tables.unread)}
        self._unreadable = {row["receipt_id"] for row in self._all(tables.unreadable)}
        self._events = self._all(tables.events)
        self._by_a_person = {
            e["attempt_id"]
            for e in self._events
            if e["verb"] == "voided" and '"reason"' in e["detail"]
        }
        self._by_id = {a["message_id"]: a for a in self._attempts if a["message_id"]}

    def _all(self, table: Table) -> list[RowMapping]:
        with self._ledger.read() as connection:
            order = list(table.primary_key.columns)
            return list(connection.execute(select(table).order_by(*order)).mappings())

    def _raw(self, receipt_id: int) -> bytes:
        """The bytes of a receipt; none if they cannot be had any more."""
        try:
            return self._ledger.receipt_raw(receipt_id)
        except PayloadDamaged:
            return b""

    def everything(self) -> Iterator[str]:
        """P3 to P8, one after the other."""
        yield from self._conserved()
        yield from self._let_go_whole()
        yield from self._one_attempt()
        yield from self._bytes()
        yield from self._arrived()
        yield from self._receipts_kept()
        yield from self._lines_explained()
        yield from self._states_explained()
        yield from self._history()
        yield from self._voided()
        yield from self._own_proof()

    # -- P3

    def _conserved(self) -> Iterator[str]:
        files = {file.digest: file for file in self._world.folder.files}
        sealed = [b for b in self._batches.values() if b["state"] == "sealed"]
        for digest, count in Counter(b["source_digest"] for b in sealed).items():
            if count != 1 or digest not in files:
                yield f"P3 {count} sealed batches of one file"
        for file in files.values():
            if file.wanted and not any(b["source_digest"] == file.digest for b in sealed):
                yield f"P3 {file.name} was handed in and is nowhere"
        there = defaultdict(list)
        for row in self._shipments:
            there[row["batch_id"]].append((row["position"], row["key"], row["row_count"]))
        for batch in sealed:
            file = files[batch["source_digest"]]
            wanted = [(row.position, row.key, row.row_count) for row, _ in file.rows()]
            if sorted(there[batch["id"]]) != wanted:
                yield f"P3 {file.name}: {there[batch['id']]} recorded, {wanted} handed in"
        made = Counter(a["id"] for a in self._attempts if a["kind"] == "declaration")
        owned = Counter(s["attempt_id"] for s in self._shipments if s["outcome"] == "prepared")
        if made != owned:
            yield f"P3 declarations {made}, prepared shipments {owned}"
        if not reconcile.account(self._ledger).conserved:
            yield "P3 the account does not close"

    def _let_go_whole(self) -> Iterator[str]:
        whole = set()
        for event in self._events:
            whole |= {event["batch_id"]} if event["verb"] == "sealed" else set()
            submitted = event["verb"] == "submitted" and event["attempt_id"] is None
            if submitted and event["batch_id"] not in whole:
                yield f"P3 {event['batch_id']} was let go before it was complete"

    # -- P4

    def _one_attempt(self) -> Iterator[str]:
        alive = Counter((a["kind"], a["key"]) for a in self._attempts if a["live"])
        for key, count in alive.items():
            if count > 1:
                yield f"P4 {count} live attempts of {key}"
        keys = Counter(s["key"] for s in self._shipments if s["outcome"] == "prepared")
        for filing in self._world.port.filings.values():
            row = self._by_id.get(filing.ident)
            if row is None or (row["key"], row["digest"]) != (filing.key, filing.digest):
                yield f"P4 the port knows {filing.ident} of {filing.key}, the ledger does not"
        for (kind, key), rows in _by(self._attempts, "kind", "key").items():
            if kind == "declaration" and len(rows) != keys[key]:
                yield f"P4 {len(rows)} attempts of {key} for {keys[key]} shipments"
            if [row["number"] for row in rows] != list(range(1, len(rows) + 1)):
                yield f"P4 the attempts of {key} are numbered {[row['number'] for row in rows]}"

    def _bytes(self) -> Iterator[str]:
        for row in self._attempts:
            draft = self._peek(row, "draft_")
            whole = self._world.folder.bodies.get(row["content_digest"])
            if row["id"] in self._world.rotten:
                continue
            if draft != whole:
                yield f"P7 the draft of {row['key']} is not what was handed in"
            if row["segment"] is None:
                continue
            frozen, ident = self._peek(row, ""), str(row["message_id"]).encode()
            if whole is None or frozen != whole.replace(papers.NO_ID, ident):
                yield f"P7 the bytes of {row['message_id']} are not those that were frozen"

    def _peek(self, row: RowMapping, prefix: str) -> bytes | None:
        names = ("segment", "offset", "length", "digest")
        try:
            return self._ledger.peek(PayloadRef(*(row[prefix + name] for name in names)))
        except PayloadDamaged:
            return None

    # -- P5, P7

    def _arrived(self) -> Iterator[str]:
        for row in self._attempts:
            filing = self._world.port.filings.get(row["message_id"] or "")
            batch = self._batches[row["batch_id"]]
            if filing is not None and (batch["state"] != "sealed" or not batch["submitted_at"]):
                yield f"P3 {row['message_id']} left though nobody let its batch go"
            if batch["state"] != "sealed":
                continue
            here = filing is not None and filing.arrivals > 0
            where = f"{row['message_id'] or row['key']} is {row['state']}"
            if row["state"] in _UNDONE:
                yield f"P7 {where} in the end"
            elif not here and not (filing and filing.declined) and not self._may_stay(row):
                yield f"P7 {where}, but the port never had it"
            elif here and row["state"] in ("prepared", "awaiting_manifest", "suspended", "voided"):
                yield f"P5 {where}, but the port has it"

    def _may_stay(self, row: RowMapping) -> bool:
        """Whether a message may rightly never have left."""
        marks = set((row["attention"] or "").split(","))
        if row["state"] == "suspended":
            return row["id"] in self._world.rotten or "older_stands" in marks
        if row["state"] == "voided":
            return row["id"] in self._by_a_person
        if row["state"] != "awaiting_manifest":
            return False
        return row["key"] not in self._world.port.accepted_houses

    # -- P6

    def _receipts_kept(self) -> Iterator[str]:
        said = {s.data: s for s in self._world.answers.receipts}
        kept = Counter(row["raw"] for row in self._receipts)
        for data, one in said.items():
            if data not in kept:
                how = "acknowledged" if one.acknowledged else "handed out"
                yield f"P6 receipt {one.name} ({one.code or one.kind}) was {how} and is nowhere"
        for row in self._receipts:
            one = said.get(row["raw"])
            if one is None:
                yield f"P6 receipt #{row['id']} is nothing that the port ever said"
            elif kept[row["raw"]] > 1:
                yield f"P6 receipt {one.name} is kept {kept[row['raw']]} times"
            elif row["id"] in self._unread:
                yield f"P6 receipt {one.name} ({one.kind}) was never read"
            elif (row["id"] in self._unreadable) != (one.kind == "unreadable"):
                yield f"P6 receipt {one.name} ({one.kind}) is not kept as what it is"

    def _lines_explained(self) -> Iterator[str]:
        """Every line belongs to the message that it answers, and nothing is applied twice."""
        said = {s.data: s for s in self._world.answers.receipts}
        of = {row["id"]: said[row["raw"]] for row in self._receipts if row["raw"] in said}
        idents = {a["id"]: a["message_id"] for a in self._attempts}
        applied: Counter[tuple[Any, ...]] = Counter()
        for line in self._lines:
            one = of.get(line["receipt_id"])
            if one is None:
                continue
            about = idents.get(line["attempt_id"], "")
            if about != one.about:
                yield f"P6 {one.name} {one.code} answers {one.about or 'nobody'}, but was given to {about or 'nobody'}"
            if (line["outcome"] == "unmatched") != (not one.about) or line["outcome"] == "read":
                yield f"P6 a line of {one.name} ({one.code or one.kind}) is {line['outcome']}"
            if line["outcome"] == "applied" and line["line"] == 0:
                applied[line["attempt_id"], line["code"], line["op_time"]] += 1
        for what, count in applied.items():
            if count > 1:
                yield f"P6 {what} was applied {count} times"

    # -- states

    def _states_explained(self) -> Iterator[str]:
        heard = {row["raw"] for row in self._receipts}
        for row in self._attempts:
            filing = self._world.port.filings.get(row["message_id"] or "")
            if filing is None or not filing.arrivals:
                continue
            told = [s for s in filing.said if s.data in heard]
            expected = _state(filing, told)
            if expected is None:
                expected = "platform_failed" if filing.declined else "sent"
            if row["state"] != expected:
                codes = " ".join(s.code for s in told)
                yield f"P6 {filing.ident} is {row['state']}, but {codes or 'nothing'} makes it {expected}"

    def _history(self) -> Iterator[str]:
        """Each change begins where the one before ended; what is claimed is nobody's at that moment (P8)."""
        stands = {a["id"]: "prepared" for a in self._attempts}
        for event in self._events:
            number = event["attempt_id"]
            if number is None or event["to_state"] is None:
                continue
            if event["from_state"] != stands[number]:
                yield f"P8 #{number} {event['verb']} from {event['from_state']}, but it was {stands[number]}"
            if event["verb"] == "claimed" and event["from_state"] not in ("queued", "not_received"):
                yield f"P8 #{number} was claimed while it was {event['from_state']}"
            stands[number] = event["to_state"]
        for row in self._attempts:
            if row["state"] != stands[row["id"]]:
                yield f"P6 #{row['id']} is {row['state']}, but its history ends with {stands[row['id']]}"

    def _voided(self) -> Iterator[str]:
        """What was voided has never left, and a key whose declaration the port still holds is taken."""
        taken = {(a["kind"], a["key"]) for a in self._attempts if a["live"]}
        for row in self._attempts:
            filing = self._world.port.filings.get(row["message_id"] or "")
            if row["state"] == "voided" and filing is not None:
                yield f"P4 {row['message_id']} was voided, but it had left"
            alive = filing is not None and filing.arrivals and not (filing.over or filing.declined)
            if alive and (row["kind"], row["key"]) not in taken:
                yield f"P4 the key of {row['message_id']} is free, but the port has it"

    def _own_proof(self) -> Iterator[str]:
        """What `crossborder reconcile` would say."""
        told = [
            {"message_id": f.ident, "digest": f.digest, "arrivals": 1}
            for f in self._world.port.filings.values() if f.arrivals
        ]  # fmt: skip
        rotten = {a["key"] for a in self._attempts if a["id"] in self._world.rotten}
        for one in reconcile.differences(self._ledger, {papers.ENDPOINT: told}):
            if one.what == "payload_damaged" and one.where.partition(" ")[2] in rotten:
                continue
            yield f"reconcile: {one.what} {one.where} {one.detail}"
        for fault in self._ledger.audit().faults:
            yield f"P9 {fault.text('en')}"


def _by(rows: Iterable[RowMapping], *names: str) -> dict[tuple[Any, ...], list[RowMapping]]:
    found: dict[tuple[Any, ...], list[RowMapping]] = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in names)].append(row)
    return found


def _codes() -> dict[tuple[str, str], tuple[int, str, str]]:
    """(message, code) → (row of the table, state, stage): facts."""
    rows = list(csv.DictReader(io.StringIO(resources.text("codes/status_codes.csv"))))
    return {(r["message"], r["code"]): (n, r["state"], r["stage"]) for n, r in enumerate(rows)}


_CODES = _codes()


def _state(filing: Filing, told: Iterable[Said]) -> str | None:
    """What the receipts of one message make of it: customs before the platform, then the later one (design, section 7)."""
    message = "EXP312" if filing.kind == "manifest" else "EXP302"
    lines: set[tuple[str, int, str]] = set()
    for one in told:
        op_time = one.op_time if message == "EXP302" else f"{one.op_time[:14]}000"
        if (message, one.code) in _CODES:
            lines.add((op_time, _CODES[message, one.code][0], one.code))
    state, by_customs = None, False
    said: set[str] = set()
    for _, _, code in sorted(lines):
        _, means, stage = _CODES[message, code]
        if not means or said & _OVERRULES.get(code, set()):
            continue
        said.add(code)
        if stage == "customs" and code not in ("N", "NN"):
            said.add("customs")
        if stage == "customs" or not by_customs:
            state = means
        by_customs = by_customs or stage == "customs"
    return state
