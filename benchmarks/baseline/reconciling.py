"""Receipts to events and states, one after the other: lxml, dictionaries, plain SQLite, one transaction.

Attempts are read into a dictionary once, statements are prepared once, and each receipt is done with before the next:
its bytes are kept, it is parsed, its line and its event are written, its attempt is moved. The rows are those that the
engine writes, in the same tables with the same pragmas.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from benchmarks.baseline.receipts import ELEMENTS, PARSER, local, seventeen_digits
from crossborder import resources
from crossborder.keys import declaration_key

PRAGMAS = (
    "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536", "temp_store=MEMORY",
)  # fmt: skip
_STORE = (
    "INSERT INTO receipts (id, endpoint, digest, name, raw, received_at, copies, state, message_type)"
    " VALUES (?, ?, ?, ?, ?, ?, 1, 'read', ?)"
)
_AGAIN = "UPDATE receipts SET copies = copies + 1 WHERE endpoint = ? AND digest = ?"
_LINE = (
    "INSERT INTO receipt_lines (receipt_id, line, message_type, key, code, op_type, op_time, pre_entry_id, entry_id,"
    " notes, outcome, attempt_id) VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_EVENT = (
    "INSERT INTO events (at, who, verb, batch_id, attempt_id, from_state, to_state, detail)"
    " VALUES (?, ?, 'receipt', ?, ?, ?, ?, ?)"
)
_MOVE = (
    "UPDATE attempts SET state = ?, stage = ?, state_since = ?, final = ?, released = ?, live = ?, last_code = ?,"
    " last_op_time = ?, pre_entry_id = ?, entry_id = ?, attention = ?, owner = NULL, lease_until = NULL,"
    " unknown_since = NULL, retry_at = NULL, ready = 0 WHERE id = ?"
)
_FAILURES = {"D1": {"D0", "D2", "customs"}, "D3": {"D2", "customs"}, "N": {"customs"}}


class Code(NamedTuple):
    """What a result code makes of a declaration."""

    state: str
    stage: str
    final: bool
    released: bool
    frees: bool


@dataclass
class Attempt:
    """A declaration as it stands, and what was said of it."""

    number: int
    batch: str
    state: str
    stage: str
    pre_entry_id: str | None
    entry_id: str | None
    last: tuple[str, str] = ("", "")
    released: bool = False
    attention: str | None = None
    said: set[str] = field(default_factory=set)


def receive(database: Path, items: Iterable[tuple[str, bytes]], endpoint: str, at: str) -> int:
    """Take in all of (name, bytes), in one transaction; how many lines were applied."""
    codes = _codes()
    applied = 0
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")
        attempts = {
            row[0]: Attempt(*row[1:])
            for row in connection.execute(
                "SELECT key, id, batch_id, state, stage, pre_entry_id, entry_id FROM attempts"
                " WHERE kind = 'declaration' AND live AND first_sent_at IS NOT NULL"
            )
        }
        seen: set[str] = set()
        for name, raw in items:
            digest = hashlib.sha256(raw).hexdigest()
            if digest in seen:
                connection.execute(_AGAIN, (endpoint, digest))
                continue
            seen.add(digest)
            number = len(seen)
            message, said = read(raw)
            connection.execute(_STORE, (number, endpoint, digest, name, raw, at, message))
            key = declaration_key(said["BillNo"] or "", said["AssBillNo"] or "", said["IEFlag"] or "")  # fmt: skip
            attempt = attempts.get(key)
            code, moment = said["OpResult"] or "", said["OpTime"] or ""
            outcome, before = "unmatched", ""
            if attempt is not None:
                before = attempt.state
                outcome = _hear(attempt, code, moment, codes.get(code), said)
            connection.execute(
                _LINE,
                (number, message, key, code, said["OpType"], moment, said["PreEntryId"], said["EntryId"], said["Notes"],
                 outcome, attempt.number if attempt else None),
            )  # fmt: skip
            if attempt is None:
                continue
            if outcome in ("applied", "contradictory", "unknown_code"):
                detail = {"code": code, "line": 0, "op_time": moment, "receipt": number}
                connection.execute(
                    _EVENT,
                    (at, endpoint, attempt.batch, attempt.number, before, attempt.state,
                     json.dumps(detail, separators=(",", ":"))),
                )  # fmt: skip
            if outcome != "applied":
                continue
            applied += 1
            row = codes[attempt.last[1]]
            connection.execute(
                _MOVE,
                (attempt.state, attempt.stage, at, row.final, row.released, not row.frees, attempt.last[1],
                 attempt.last[0], attempt.pre_entry_id, attempt.entry_id, attempt.attention, attempt.number),
            )  # fmt: skip
        connection.execute("COMMIT")
    return applied


def read(raw: bytes) -> tuple[str, dict[str, str | None]]:
    """Message type and texts of a receipt."""
    head = next(etree.fromstring(raw, PARSER).iter("{*}EntryHead"))
    found = {local(child.tag): child.text for child in head.iterchildren("*")}
    said = {name: (found.get(name) or "").strip() or None for name in ELEMENTS}
    said["OpTime"] = seventeen_digits(said["OpTime"])
    parent = head.getparent()
    return local(parent.tag) if parent is not None else "", said


def _hear(
    attempt: Attempt, code: str, moment: str, row: Code | None, said: dict[str, str | None]
) -> str:
    """Judge one line by what was said before; the outcome. The attempt is moved if it applies.

    Receipts must come in the order of their times for it to end as the engine does.
    """
    if row is None:
        return "unknown_code"
    if (moment, code) == attempt.last:
        return "repeated"
    if not row.state:
        return "noted"
    if attempt.said & _FAILURES.get(code, set()):
        return "contradictory"
    attempt.pre_entry_id = said["PreEntryId"] or attempt.pre_entry_id
    attempt.entry_id = said["EntryId"] or attempt.entry_id
    attempt.said.add(code)
    if row.stage == "customs" and code != "N":
        attempt.said.add("customs")
    if moment < attempt.last[0] or (attempt.stage == "customs" and row.stage != "customs"):
        return "older"
    if attempt.released and attempt.last[1] != code:
        attempt.attention = "reopened"
    attempt.state, attempt.stage, attempt.released = row.state, row.stage, row.released
    attempt.last = (moment, code)
    return "applied"


def _codes() -> dict[str, Code]:
    with resources.path("codes/status_codes.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Code(
                row["state"], row["stage"], row["terminal"] == "yes", row["released"] == "yes",
                row["terminal"] == row["fresh_attempt"] == "yes",
            )
            for row in csv.DictReader(file) if row["message"] == "EXP302"
        }  # fmt: skip
