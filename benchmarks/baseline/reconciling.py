"""Receipts to events and states, one after the other: lxml, dictionaries, plain SQLite, one transaction.

Statements are prepared once, and each receipt is done with before the next: its bytes are kept, it is parsed, its attempt
is looked up by key (and what was said of it before, where its code may contradict that), its line and its event are
written, its attempt is moved. The rows are those that the engine writes, in the same tables with the same pragmas.

`preload` reads every attempt into a dictionary first, which spares the look-ups. That is right only for a ledger that has
heard nothing yet and whose attempts fit into memory.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
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
    "INSERT INTO receipts (id, endpoint, digest, name, raw, received_at, copies) VALUES (?, ?, ?, ?, ?, ?, 1)"
    " ON CONFLICT DO NOTHING"
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
_ATTEMPTS = (
    "SELECT key, id, batch_id, state, stage, pre_entry_id, entry_id, coalesce(last_op_time, ''), coalesce(last_code, ''),"
    " released, attention FROM attempts WHERE kind = 'declaration' AND live AND first_sent_at IS NOT NULL"
)
_SAID = "SELECT code FROM receipt_lines WHERE attempt_id = ? AND outcome <> 'contradictory'"
_FAILURES = {"D1": {"D0", "D2", "customs"}, "D3": {"D2", "customs"}, "N": {"customs"}}


class Code(NamedTuple):
    """What a result code makes of a declaration."""

    state: str
    stage: str
    final: bool
    released: bool
    frees: bool


@dataclass(slots=True)
class Attempt:
    """A declaration as it stands; `said` are the codes said of it before, once they were needed."""

    key: str
    number: int
    batch: str
    state: str
    stage: str
    pre_entry_id: str | None
    entry_id: str | None
    last_time: str
    last_code: str
    released: bool
    attention: str | None
    said: set[str] | None = None


def receive(
    database: Path, items: Iterable[tuple[str, bytes]], endpoint: str, at: str, *, preload: bool = False
) -> int:  # fmt: skip
    """Take in all of (name, bytes), in one transaction; how many lines were applied."""
    codes = _codes()
    applied = number = 0
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")
        find = _dictionary(connection) if preload else _look_up(connection)
        for name, raw in items:
            digest = hashlib.sha256(raw).hexdigest()
            kept = connection.execute(_STORE, (number + 1, endpoint, digest, name, raw, at))
            if not kept.rowcount:
                connection.execute(_AGAIN, (endpoint, digest))
                continue
            number += 1
            message, said = read(raw)
            key = declaration_key(said["BillNo"] or "", said["AssBillNo"] or "", said["IEFlag"] or "")  # fmt: skip
            attempt = find(key)
            code, moment = said["OpResult"] or "", said["OpTime"] or ""
            outcome, before = "unmatched", ""
            if attempt is not None:
                before = attempt.state
                outcome = _hear(connection, attempt, code, moment, codes, said)
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
            row = codes[code]
            connection.execute(
                _MOVE,
                (attempt.state, attempt.stage, at, row.final, row.released, not row.frees, code, moment,
                 attempt.pre_entry_id, attempt.entry_id, attempt.attention, attempt.number),
            )  # fmt: skip
        connection.execute("COMMIT")
    return applied


def _look_up(connection: sqlite3.Connection) -> Callable[[str], Attempt | None]:
    """Each attempt when it is needed, by the index of keys."""
    query = f"{_ATTEMPTS} AND key = ?"

    def find(key: str) -> Attempt | None:
        row = connection.execute(query, (key,)).fetchone()
        return None if row is None else Attempt(*row)

    return find


def _dictionary(connection: sqlite3.Connection) -> Callable[[str], Attempt | None]:
    """Every attempt at once, and nothing said of any."""
    return {row[0]: Attempt(*row, said=set()) for row in connection.execute(_ATTEMPTS)}.get


def read(raw: bytes) -> tuple[str, dict[str, str | None]]:
    """Message type and texts of a receipt."""
    head = next(etree.fromstring(raw, PARSER).iter("{*}EntryHead"))
    found = {local(child.tag): child.text for child in head.iterchildren("*")}
    said = {name: (found.get(name) or "").strip() or None for name in ELEMENTS}
    said["OpTime"] = seventeen_digits(said["OpTime"])
    parent = head.getparent()
    return local(parent.tag) if parent is not None else "", said


def _hear(
    connection: sqlite3.Connection,
    attempt: Attempt,
    code: str,
    moment: str,
    codes: Mapping[str, Code],
    said: Mapping[str, str | None],
) -> str:
    """Judge one line by what was said before; the outcome. The attempt is moved if it applies.

    Receipts must come in the order of their times for it to end as the engine does.
    """
    row = codes.get(code)
    if row is None:
        return "unknown_code"
    if moment == attempt.last_time and code == attempt.last_code:
        return "repeated"
    if not row.state:
        return "noted"
    if code in _FAILURES and _FAILURES[code] & _before(connection, attempt, codes):
        return "contradictory"
    attempt.pre_entry_id = said["PreEntryId"] or attempt.pre_entry_id
    attempt.entry_id = said["EntryId"] or attempt.entry_id
    if attempt.said is not None:
        attempt.said.add(code)
    if moment < attempt.last_time or (attempt.stage == "customs" and row.stage != "customs"):
        return "older"
    if attempt.released and attempt.last_code != code:
        attempt.attention = "reopened"
    attempt.state, attempt.stage, attempt.released = row.state, row.stage, row.released
    attempt.last_time, attempt.last_code = moment, code
    return "applied"


def _before(
    connection: sqlite3.Connection, attempt: Attempt, codes: Mapping[str, Code]
) -> set[str]:
    """Codes said of an attempt, and `customs` if customs has said anything but N."""
    told = attempt.said
    if told is None:
        told = {code for (code,) in connection.execute(_SAID, (attempt.number,))}
    by_customs = any(code != "N" and code in codes and codes[code].stage == "customs" for code in told)  # fmt: skip
    return told | {"customs"} if by_customs else told


def _codes() -> dict[str, Code]:
    with resources.path("codes/status_codes.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Code(
                row["state"], row["stage"], row["terminal"] == "yes", row["released"] == "yes",
                row["terminal"] == row["fresh_attempt"] == "yes",
            )
            for row in csv.DictReader(file) if row["message"] == "EXP302"
        }  # fmt: skip
