"""What the judge looks at: the files that were handed in, the ledger's tables, the sandbox's books, what commands answered.

Read without the package: the files with `csv`, the tables with plain SQL.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

Row = dict[str, Any]
_LEDGER = {
    "batches": "SELECT id, state, source_digest, recorded, counts FROM batches ORDER BY id",
    "shipments": 'SELECT batch_id, position, key, house_waybill, "rows", row_count, outcome, attempt_id '
    "FROM shipments ORDER BY id",
    "attempts": "SELECT id, kind, key, number, live, endpoint, state, message_id, digest, last_code, attention, owner "
    "FROM attempts ORDER BY id",
    "houses": "SELECT attempt_id, declaration_key, state FROM manifest_houses",
    "receipts": "SELECT id, endpoint, digest, copies FROM receipts ORDER BY id",
    "unread": "SELECT receipt_id FROM unread",
    "unreadable": "SELECT receipt_id FROM unreadable",
    "lines": "SELECT receipt_id, line, code, outcome, attempt_id FROM receipt_lines ORDER BY id",
    "events": "SELECT verb, attempt_id, from_state, to_state FROM events ORDER BY id",
}
_PORT = {
    "messages": "SELECT n, endpoint, message_id, message_type, key, scope, house, digest, repeat_of, state, path, codes "
    "FROM messages ORDER BY n",
    "arrivals": "SELECT n, endpoint, message_id, digest, outcome FROM arrivals ORDER BY n",
    "accepted": "SELECT scope, house, state FROM houses ORDER BY n",
    "handed_out": "SELECT r.n, r.endpoint, r.name, r.settled, k.body FROM receipts r LEFT JOIN kept k ON k.n = r.n ORDER BY r.n",
}


@dataclass
class Evidence:
    """Everything as rows. `files`: `digest` of the bytes and `rows` as `csv` reads them."""

    transport: str
    files: list[Row]
    ledger: dict[str, list[Row]]
    port: dict[str, list[Row]]
    answers: dict[str, Any]

    @classmethod
    def gather(
        cls, files: Sequence[Path], ledger: str, port: Path, transport: str, answers: Mapping[str, Any]
    ) -> Self:  # fmt: skip
        """Read it all, after everything has ended."""
        return cls(
            transport, [_file(file) for file in files], _of_ledger(ledger), _of_port(port), dict(answers)
        )  # fmt: skip

    def write(self, path: Path) -> None:
        """As JSON, for whoever wants to look."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `write` wrote."""
        return cls(**json.loads(path.read_text("utf-8")))


def _file(path: Path) -> Row:
    data = path.read_bytes()
    lines = data.decode("utf-8-sig").splitlines(keepends=True)
    return {"name": path.name, "digest": hashlib.sha256(data).hexdigest(), "rows": list(csv.DictReader(lines))}  # fmt: skip


def _of_ledger(url: str) -> dict[str, list[Row]]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return {
            name: [dict(row) for row in connection.execute(text(sql)).mappings()]
            for name, sql in _LEDGER.items()
        }


def _of_port(folder: Path) -> dict[str, list[Row]]:
    connection = sqlite3.connect(folder / "sandbox.sqlite")
    try:
        connection.row_factory = sqlite3.Row
        found = {
            name: [dict(row) for row in connection.execute(sql)] for name, sql in _PORT.items()
        }
    finally:
        connection.close()
    for receipt in found["handed_out"]:
        body = receipt.pop("body")
        receipt["digest"] = hashlib.sha256(body).hexdigest() if body is not None else ""
    return found
