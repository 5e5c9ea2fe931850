"""The judge: whether every shipment is in exactly one state, and everything went and came exactly once.

It stands on the files, on the ledger's tables and on the sandbox's own books, with rules that are written anew; that
`crossborder reconcile` finds no difference is asked too, and is not enough.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from .evidence import Evidence, Row

CODES = Path(__file__).parents[2] / "src/crossborder/codes/tables/status_codes.csv"
REFUSED = frozenset({"rejected", "unreadable", "not_evaluated", "on_hold", "to_general"})
TAKEN = ("received", "duplicate", "conflict")
"""What an arrival is called that the port has taken, or would have taken had it not been there."""


@dataclass
class Judged:
    """Wrongs, empty where all is well, and figures."""

    wrongs: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)


def wrongs(seen: Evidence) -> Judged:
    """Judge one run."""
    judged = Judged()
    for part in (
        _shipments,
        _attempts,
        _arrivals,
        _messages,
        _receipts,
        _lines,
        _states,
        _steps,
        _answers,
    ):
        judged.wrongs += part(seen, judged)
    return judged


# -- every shipment of every file is in exactly one state


def _shipments(seen: Evidence, judged: Judged) -> Iterator[str]:
    batches = {batch["id"]: batch for batch in seen.ledger["batches"]}
    rows: dict[str, list[Row]] = {name: [] for name in batches}
    for shipment in seen.ledger["shipments"]:
        rows.setdefault(shipment["batch_id"], []).append(shipment)
    for name in rows.keys() - batches.keys():
        yield f"shipments of batch {name}, which is not there"
    for name, batch in batches.items():
        if batch["state"] != "sealed":
            yield f"batch {name} is {batch['state']}"
    told = {file["digest"] for file in seen.files}
    for batch in batches.values():
        if batch["source_digest"] not in told:
            yield f"batch {batch['id']} is of no file"
    for file in seen.files:
        of_file = [
            name for name, batch in batches.items() if batch["source_digest"] == file["digest"]
        ]
        if not of_file:
            yield f"file {file['name']} has no batch"
        for name in of_file:
            yield from _batch(file, batches[name], rows[name])
        yield from _outcomes(file, [rows[name] for name in of_file], judged)


def _batch(file: Row, batch: Row, rows: list[Row]) -> Iterator[str]:
    """One hand-in: its shipments are the whole file, each row in one of them."""
    where = f"batch {batch['id']} of {file['name']}"
    positions = sorted(row["position"] for row in rows)
    if positions != list(range(len(rows))) or len(rows) != batch["recorded"]:
        yield f"{where}: positions {positions}, recorded {batch['recorded']}"
    covered = Counter(number for row in rows for number in _numbers(row["rows"]))
    expected = dict.fromkeys(range(2, len(file["rows"]) + 2), 1)
    if covered != expected:
        yield f"{where}: rows that are in none or in several shipments: {_unlike(covered, expected)}"
    for row in rows:
        numbers = _numbers(row["rows"])
        written = {
            file["rows"][number - 2]["AssBillNo"]
            for number in numbers
            if number - 2 < len(file["rows"])
        }
        if row["row_count"] != len(numbers) or (
            row["house_waybill"] and written != {row["house_waybill"]}
        ):
            yield f"{where}: position {row['position']} is {row['house_waybill']}, its rows {sorted(written)}"
    counts = {name: count for name, count in json.loads(batch["counts"]).items() if count}
    if counts != Counter(row["outcome"] for row in rows):
        yield f"{where}: counts {counts}"


def _outcomes(file: Row, hand_ins: list[list[Row]], judged: Judged) -> Iterator[str]:
    """Whatever is handed in again, a shipment is prepared once, or refused each time."""
    by_position: dict[int, list[Row]] = {}
    for rows in hand_ins:
        for row in rows:
            by_position.setdefault(row["position"], []).append(row)
    for position, same in by_position.items():
        outcomes = Counter(row["outcome"] for row in same)
        prepared, again = outcomes["prepared"], outcomes["already_filed"]
        refused = sum(outcomes[name] for name in REFUSED)
        judged.figures["shipments"] += 1
        if len(same) != len(hand_ins) or prepared + again + refused != len(same):
            yield f"{file['name']}: position {position} came to {dict(outcomes)} in {len(hand_ins)} hand-ins"
        if (prepared, bool(refused)) not in ((1, False), (0, True)) or (again and not prepared):
            yield f"{file['name']}: position {position} is not in one state: {dict(outcomes)}"
        if len({row["attempt_id"] for row in same if row["outcome"] not in REFUSED}) > 1:
            yield f"{file['name']}: position {position} belongs to several declarations"


def _numbers(spans: str) -> list[int]:
    """`5-7,9` → 5, 6, 7, 9."""
    found: list[int] = []
    for span in filter(None, spans.split(",")):
        first, _, last = span.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def _unlike(found: Counter[int], expected: dict[int, int]) -> dict[int, int]:
    return {n: found[n] for n in found.keys() | expected.keys() if found[n] != expected.get(n, 0)}


# -- every prepared shipment has one declaration, of one key


def _attempts(seen: Evidence, judged: Judged) -> Iterator[str]:
    attempts = seen.ledger["attempts"]
    declarations = {a["id"]: a for a in attempts if a["kind"] == "declaration"}
    judged.figures["declarations"] += len(declarations)
    judged.figures["manifests"] += len(attempts) - len(declarations)
    judged.states.update(a["state"] for a in declarations.values())
    prepared = Counter(
        s["attempt_id"] for s in seen.ledger["shipments"] if s["outcome"] == "prepared"
    )
    if prepared != Counter(dict.fromkeys(declarations, 1)):
        yield f"prepared shipments and declarations do not meet: {prepared - Counter(dict.fromkeys(declarations, 1))}"
    for shipment in seen.ledger["shipments"]:
        made = declarations.get(shipment["attempt_id"])
        if shipment["outcome"] in ("prepared", "already_filed") and (
            not made or made["key"] != shipment["key"]
        ):
            yield f"shipment {shipment['key']} has no declaration of its key"
    for (kind, key), count in Counter((a["kind"], a["key"]) for a in attempts).items():
        if count > 1:
            yield f"{kind} {key} has {count} attempts"
    live = {a["id"] for a in attempts if a["kind"] == "manifest" and a["live"]}
    listed = Counter(
        h["declaration_key"] for h in seen.ledger["houses"]
        if h["attempt_id"] in live and h["state"] != "refused"
    )  # fmt: skip
    for key, count in listed.items():
        if count > 1:
            yield f"LISTED {count} TIMES: {key}"
    for attempt in attempts:
        if (
            attempt["state"] in ("prepared", "queued", "sending", "not_received")
            or attempt["owner"]
        ):
            yield f"{attempt['kind']} {attempt['key']} is left {attempt['state']} by {attempt['owner']}"


# -- everything that went arrived once


def _arrivals(seen: Evidence, judged: Judged) -> Iterator[str]:
    """Each message was taken once, and each that was made was taken."""
    attempts = {a["message_id"] for a in seen.ledger["attempts"] if a["message_id"]}
    arrived = Counter(a["message_id"] for a in seen.port["arrivals"] if a["outcome"] in TAKEN)
    judged.figures["arrivals"] += sum(arrived.values())
    judged.figures["turned_away"] += sum(a["outcome"] == "not_taken" for a in seen.port["arrivals"])
    for verb in ("recovered", "looked_up"):
        judged.figures[verb] += sum(e["verb"] == verb for e in seen.ledger["events"])
    for message_id, count in arrived.items():
        if count > 1:
            judged.figures["arrived_twice"] += 1
            yield f"ARRIVED {count} TIMES: {message_id}"
        if message_id not in attempts:
            yield f"{message_id} arrived and no attempt has this number"
    for arrival in seen.port["arrivals"]:
        if arrival["outcome"] == "declined":
            yield f"{arrival['message_id']} was declined"
    for attempt in seen.ledger["attempts"]:
        if not arrived[attempt["message_id"]]:
            yield from _not_there(seen, attempt, judged)


def _messages(seen: Evidence, judged: Judged) -> Iterator[str]:
    """What the port has is what was made: one message of each key, with the same bytes."""
    attempts = {a["message_id"]: a for a in seen.ledger["attempts"] if a["message_id"]}
    messages = seen.port["messages"]
    for key, count in Counter((m["message_type"], m["key"]) for m in messages).items():
        if count > 1:
            judged.figures["filed_twice"] += 1
            yield f"FILED {count} TIMES: {key}"
    for message in messages:
        if message["repeat_of"] is not None:
            yield f"{message['message_id']} repeats what is live at the port"
        made = attempts.get(message["message_id"])
        if made is None:
            continue
        if (made["digest"], made["endpoint"]) != (message["digest"], message["endpoint"]):
            yield f"{message['message_id']} arrived with other bytes, or elsewhere"
        if made["kind"] == "declaration" and made["key"] != message["key"]:
            yield f"{message['message_id']} arrived under the key {message['key']}, not {made['key']}"


def _not_there(seen: Evidence, attempt: Row, judged: Judged) -> Iterator[str]:
    """A message may be missing at the port only where everybody can see why."""
    what = f"{attempt['kind']} {attempt['key']} ({attempt['state']})"
    if attempt["state"] == "unknown":
        judged.figures["unknown_left"] += 1
        if attempt["key"] not in json.dumps(seen.answers["status --state unknown"]):
            yield f"unknown, and nobody says so: {what}"
        return
    if attempt["state"] == "awaiting_manifest" and attempt["kind"] == "declaration":
        master, house, direction = attempt["key"].split("|")
        judged.figures["awaiting"] += 1
        accepted = [
            line for line in seen.port["accepted"]
            if line["state"] == "NY" and line["house"] == house and line["scope"].split("|")[0] == master
            and line["scope"].split("|")[-1] == direction
        ]  # fmt: skip
        if not accepted:
            return
        yield f"FORGOTTEN, its house was accepted: {what}"
    judged.figures["lost"] += 1
    yield f"LOST: {what}"


# -- every receipt is kept once


def _receipts(seen: Evidence, judged: Judged) -> Iterator[str]:
    """Whatever was handed out was fetched and is kept once, however often it came."""
    given = Counter((r["endpoint"], r["digest"]) for r in seen.port["handed_out"])
    kept = Counter((r["endpoint"], r["digest"]) for r in seen.ledger["receipts"])
    copies = {(r["endpoint"], r["digest"]): r["copies"] for r in seen.ledger["receipts"]}
    judged.figures["receipts"] += len(given)
    judged.figures["fetched_again"] += sum(copies.values()) - sum(given.values())
    for receipt in seen.port["handed_out"]:
        if receipt["settled"] != 1:
            yield f"receipt {receipt['name']} was never fetched"
    for place in given.keys() | kept.keys():
        if kept[place] != 1 or not given[place]:
            judged.figures["receipts_lost"] += not kept[place]
            yield f"receipt {place} was handed out {given[place]} times and is kept {kept[place]} times"
        elif copies[place] < given[place]:
            yield f"receipt {place} came {given[place]} times and is counted {copies[place]} times"


def _lines(seen: Evidence, judged: Judged) -> Iterator[str]:
    """Each receipt was read once, and each line of it found its declaration."""
    lines: dict[int, list[Row]] = {}
    for line in seen.ledger["lines"]:
        lines.setdefault(line["receipt_id"], []).append(line)
        if line["outcome"] in ("read", "unmatched", "unknown_code"):
            yield f"receipt {line['receipt_id']} line {line['line']} is {line['outcome']}"
    waiting = {row["receipt_id"] for name in ("unread", "unreadable") for row in seen.ledger[name]}
    receipts = {receipt["id"] for receipt in seen.ledger["receipts"]}
    judged.figures["lines"] += sum(map(len, lines.values()))
    if waiting or receipts != lines.keys():
        yield f"receipts that were not read, or lines of no receipt: {waiting | (receipts ^ lines.keys())}"
    for receipt, own in lines.items():
        if len({line["line"] for line in own}) != len(own):
            yield f"receipt {receipt} was read twice"


# -- the state is the one that the port gave last


@cache
def _state_of() -> dict[tuple[str, str], str]:
    with CODES.open(encoding="utf-8", newline="") as file:
        return {(row["message"], row["code"]): row["state"] for row in csv.DictReader(file)}


def _states(seen: Evidence, judged: Judged) -> Iterator[str]:
    messages = {m["message_id"]: m for m in seen.port["messages"]}
    for attempt in seen.ledger["attempts"]:
        message = messages.get(attempt["message_id"])
        codes = message["codes"].split() if message else []
        if message is None or _agrees(attempt, codes):
            continue
        yield f"{attempt['kind']} {attempt['key']} is {attempt['state']} ({attempt['last_code']}), the port said {codes}"


def _agrees(attempt: Row, codes: list[str]) -> bool:
    if codes[-2:] == ["Y", "N"]:  # it contradicts itself, and a person must see that
        return "contradictory" in (attempt["attention"] or "")
    if not codes:
        return (attempt["state"], attempt["last_code"]) == ("sent", None)
    answer = "EXP302" if attempt["kind"] == "declaration" else "EXP312"
    return (attempt["state"], attempt["last_code"]) == (_state_of()[answer, codes[-1]], codes[-1])


def _steps(seen: Evidence, judged: Judged) -> Iterator[str]:
    """Each change of state begins where the one before ended."""
    stands: dict[int, str] = {}
    for event in seen.ledger["events"]:
        number, before = event["attempt_id"], event["from_state"]
        if number is None or event["to_state"] is None:
            continue
        if before is not None and before != stands.get(number, before):
            yield f"attempt {number}: {event['verb']} begins in {before}, it was in {stands[number]}"
        stands[number] = event["to_state"]


# -- what commands answer


def _answers(seen: Evidence, judged: Judged) -> Iterator[str]:
    proof, audit = seen.answers["reconcile"], seen.answers["audit verify"]
    if not proof or not audit:
        yield f"reconcile or audit gave no answer: {proof}, {audit}"
        return
    for difference in proof["differences"]:
        yield f"reconcile: {difference}"
    if not audit["intact"]:
        yield f"audit: {audit['faults']}"
    waiting = sum(a["state"] == "awaiting_manifest" for a in seen.ledger["attempts"])
    said = sum(holdup["waiting"] for holdup in proof["holdups"])
    if said < waiting:
        yield f"{waiting} declarations wait for their manifest, and of {waiting - said} nobody says so"
    account = dict(proof["account"])
    handed_in = account.pop("handed_in")
    shipments = seen.ledger["shipments"]
    whole = [len(shipments), sum(s["row_count"] for s in shipments)]
    if handed_in != whole or [sum(line[n] for line in account.values()) for n in (0, 1)] != whole:
        yield f"the account does not close: {handed_in} handed in, {account}, {whole} in the table"
