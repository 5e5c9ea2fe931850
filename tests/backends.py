"""The two back ends of the ledger for tests: whoever opens the ledger of a home opens the one that belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from crossborder.ledger import Ledger, PayloadRef
from crossborder.ledger.dialects import open_engine

BACKENDS = ("sqlite", "postgresql")
URLS: dict[Path, str] = {}
"""Homes whose ledger is on PostgreSQL."""


def open_ledger(home: Path, checkpoint: Callable[[str], None] = lambda _: None) -> Ledger:
    """`Ledger.open` on whatever back end the home has."""
    return Ledger.open(home, url=URLS.get(home), checkpoint=checkpoint)


def stored(home: Path, ref: PayloadRef) -> bytes:
    """The bytes of one document as they lie in the payload store."""
    if home not in URLS:
        data = (home / "payload" / ref.segment).read_bytes()
        return data[ref.offset : ref.offset + ref.length]
    (row,) = _on_server(home, 'SELECT body FROM payload WHERE segment = :s AND "offset" = :o', ref)
    return bytes(row[0])


def put(home: Path, ref: PayloadRef, body: bytes) -> None:
    """Other bytes of the same length in their place, behind the ledger's back."""
    assert len(body) == ref.length
    if home not in URLS:
        path = home / "payload" / ref.segment
        data = path.read_bytes()
        path.write_bytes(data[: ref.offset] + body + data[ref.offset + ref.length :])
        return
    sql = 'UPDATE payload SET body = :body WHERE segment = :s AND "offset" = :o RETURNING 1'
    assert _on_server(home, sql, ref, body=body)


def spoil(home: Path, ref: PayloadRef, at: int = 0) -> bytes:
    """One byte rots; what was there before."""
    good = stored(home, ref)
    put(home, ref, good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
    return good


def plan_of(connection: Connection, sql: str) -> list[str]:
    """How the database would find what a query asks for, if tables were long."""
    if connection.dialect.name == "sqlite":
        return [str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    return [str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {sql}")]


def _on_server(home: Path, sql: str, ref: PayloadRef, **more: Any) -> list[Any]:
    engine = open_engine(URLS[home])
    try:
        with engine.begin() as connection:
            values = {"s": ref.segment, "o": ref.offset, **more}
            return list(connection.execute(text(sql), values))
    finally:
        engine.dispose()
