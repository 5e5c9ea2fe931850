"""What the ledger is asked for block by block, lot by lot, is found by its key, not by looking through what there is.

Broken by: a question for a few keys that SQLite answers by reading a whole batch, which a small day does not show.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine as Database

from .cutting import in_blocks
from .firm import day, firm

LONG = "attempts|shipments|manifest_houses|findings|receipts|receipt_lines|events|payload"
ALL_OF_IT = re.compile(rf"SCAN ({LONG})$|USING INDEX ix_attempts_batch_id_state \(batch_id=\?\)$")


@contextmanager
def overheard() -> Iterator[dict[str, Any]]:
    """Every statement that any ledger is given meanwhile, with the first values it was given with."""
    found: dict[str, Any] = {}

    def hear(_c: Any, _k: Any, statement: str, values: Any, _x: Any, many: bool) -> None:
        found.setdefault(statement, values[0] if many else values)

    event.listen(Database, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        event.remove(Database, "before_cursor_execute", hear)


def read_through(database: Path, statements: dict[str, Any]) -> dict[str, list[str]]:
    """The statements that would read a whole table or a whole batch, and how."""
    found = {}
    with closing(sqlite3.connect(database)) as connection:
        for statement, values in statements.items():
            if re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)\b", statement):
                rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
                plan = [str(row[-1]) for row in rows]
                if any(map(ALL_OF_IT.search, plan)):
                    found[" ".join(statement.split())] = plan
    return found


def test_blocks_and_lots_ask_for_nothing_that_is_looked_for_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Handed in in blocks, filed, handed in again, and the answers taken in."""
    with firm(tmp_path) as desk:
        in_blocks(monkeypatch, 2)
        with overheard() as statements:
            done = desk.prepare(day(6))
            desk.prepare(day(6))
            desk.prepare(day(4, seed=8, port="3101"))
        desk.engine.submit([done.batch], wait=20.0)
        with overheard() as more:
            desk.settled()
    assert len(statements) > 25
    assert more
    assert read_through(desk.home / "ledger.sqlite3", statements | more) == {}


def test_a_question_that_reads_everything_is_noticed(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        desk.prepare(day(2))
    batch = "SELECT key FROM attempts WHERE batch_id = ? AND live"
    every = "SELECT id FROM shipments WHERE outcome = ?"
    known = "SELECT id FROM attempts WHERE key = ? AND kind = 'declaration'"
    asked = dict.fromkeys((batch, every, known), ("x",))
    assert set(read_through(desk.home / "ledger.sqlite3", asked)) == {batch, every}
