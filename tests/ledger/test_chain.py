"""The chain itself: what an entry's digest is over, however the entry was written."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from crossborder.errors import LedgerError
from crossborder.ledger import Ledger, chain
from crossborder.ledger.base import event

from .desk import MINUTE, NOW, claim, hand_in, queue

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MAYBE = st.none() | TEXT
ROWS = st.lists(
    st.tuples(TEXT, MAYBE, st.none() | st.integers(0, 2**40), MAYBE, MAYBE,
              st.dictionaries(TEXT, TEXT | st.integers(), max_size=2)),
    min_size=1, max_size=5,
)  # fmt: skip


def entries(ledger: Ledger) -> list[tuple[Any, ...]]:
    with ledger.read() as connection:
        names = ", ".join((*chain.COLUMNS, "digest"))
        return [tuple(r) for r in connection.execute(text(f"SELECT {names} FROM events ORDER BY id"))]  # fmt: skip


def recomputed(rows: list[tuple[Any, ...]]) -> list[str]:
    """As `docs/safety.md` tells it, with nothing of the package."""
    digests, before = [], "0" * 64
    for *values, _ in rows:
        said = dict(zip(chain.COLUMNS, values, strict=True))
        said["detail"] = json.loads(said["detail"])
        line = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        before = hashlib.sha256(before.encode() + line.encode()).hexdigest()
        digests.append(before)
    return digests


def test_every_entry_has_the_digest_of_itself_and_of_what_was_before(ledger: Ledger) -> None:
    hand_in(ledger, 3, name="a.csv")
    ledger.release(["20261123-01"], '王关务 "night\\shift"\n', NOW, {"hangzhou": True})
    queue(ledger)
    claim(ledger)
    rows = entries(ledger)
    assert len(rows) > 6
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert [row[-1] for row in rows] == recomputed(rows)
    assert ledger.audit_head() == (rows[-1][0], rows[-1][-1])


@given(ROWS, TEXT, TEXT)
def test_columns_and_rows_are_written_alike(
    rows: list[tuple[Any, ...]], at: str, verb: str
) -> None:
    names = ("who", "batch_id", "attempt_id", "from_state", "to_state", "detail")
    made = [(*row[:-1], json.dumps(row[-1], ensure_ascii=False)) for row in rows]
    schema: Any = {n: pl.Int64 if n == "attempt_id" else pl.String for n in names}
    frame = pl.DataFrame(made, schema=schema, orient="row").with_row_index("id", 7)
    lines = chain.lines_of(frame, {"at": at, "verb": verb})
    assert lines == [
        chain.written(number, at, who, verb, *rest)
        for number, (who, *rest) in enumerate(made, 7)
    ]  # fmt: skip
    for line, row in zip(lines, rows, strict=True):
        said = json.loads(line)
        assert (said["who"], said["attempt_id"], said["detail"]) == (row[0], row[2], row[-1])


def test_a_line_break_and_a_quote_are_written_as_json_does() -> None:
    """So rarely there that columns without them take a shorter way."""
    frame = pl.DataFrame({
        "id": [1, 2], "who": ['a"b', "c\\d\n"], "batch_id": [None, "x"], "attempt_id": [None, 2],
        "from_state": ["s", None], "to_state": [None, "t"], "detail": ["{}", "{}"],
    })  # fmt: skip
    first, second = (json.loads(x) for x in chain.lines_of(frame, {"at": "now", "verb": "v"}))
    assert (first["who"], first["batch_id"], first["attempt_id"]) == ('a"b', None, None)
    assert (second["who"], second["from_state"], second["to_state"]) == ("c\\d\n", None, "t")


def record_twice_and_fail(connection: Connection) -> None:
    for who in ("tester", "tester", None):
        chain.record(connection, [event(NOW, who, "tried")])  # type: ignore[arg-type]


def test_what_is_rolled_back_leaves_no_gap(ledger: Ledger) -> None:
    hand_in(ledger, 1)
    before = ledger.audit_head()
    with pytest.raises(TypeError), ledger.write() as connection:
        record_twice_and_fail(connection)
    assert ledger.audit_head() == before
    with ledger.write() as connection:
        chain.record(connection, [event(NOW, "tester", "tried")])
        chain.record(connection, [event(NOW, "tester", "again"), event(NOW, "tester", "once more")])
    assert ledger.audit_head().last == before.last + 3
    assert [row[-1] for row in entries(ledger)] == recomputed(entries(ledger))


def test_two_ledgers_go_on_with_one_chain(ledger: Ledger) -> None:
    with Ledger.open(ledger.home) as other:
        for n, one in enumerate((ledger, other, ledger, other)):
            hand_in(one, 1, first=n, listed=False, name=f"{n}.csv", now=NOW + n * MINUTE)
    assert [row[-1] for row in entries(ledger)] == recomputed(entries(ledger))


def test_nothing_is_recorded_without_a_head_or_beyond_it(ledger: Ledger) -> None:
    hand_in(ledger, 1)
    last = ledger.audit_head().last
    with ledger.write() as connection:
        connection.execute(
            text(f"INSERT INTO events (id, at, who, verb, detail) VALUES ({last + 1}, 'x', 'x', 'x', '{{}}')")
        )  # fmt: skip
    with pytest.raises(LedgerError, match="beyond the head"):
        hand_in(ledger, 1, first=5, listed=False, name="b.csv")
    with ledger.write() as connection:
        connection.execute(text("DELETE FROM audit_head"))
    with pytest.raises(LedgerError, match="head of the audit chain is gone"):
        hand_in(ledger, 1, first=5, listed=False, name="b.csv")
