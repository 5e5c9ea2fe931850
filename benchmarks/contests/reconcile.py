"""`reconcile`: receipts as they come to bytes kept, lines, events and states.

`python -m benchmarks.contests.reconcile 1000000` takes a million receipts in, each side once, proves that both ledgers are
equal at the end, and says how long each took.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

from benchmarks import data
from benchmarks.baseline import reconciling
from benchmarks.contests.contest import Contest, Disagreement, Line, same
from benchmarks.sizes import Sizes
from benchmarks.timing import Case
from crossborder import Engine, china_time
from crossborder.keys import declaration_key
from crossborder.ledger import Ledger
from crossborder.settings import Endpoint, LedgerSettings, Settings
from crossborder.transport import Incoming, LookedUp, Outgoing, Submitted

DATABASE = "ledger.sqlite3"
ENDPOINT = "hangzhou"
SENT = "2026-11-23T18:05:09.000000+08:00"
_TABLES = {
    "receipts": "SELECT digest, endpoint, name, length(raw), copies, id IN (SELECT receipt_id FROM unread),"
    " id IN (SELECT receipt_id FROM unreadable) FROM receipts",
    "lines": "SELECT r.digest, l.line, l.message_type, l.key, l.code, l.op_type, l.op_time, l.pre_entry_id, l.entry_id,"
    " l.notes, l.outcome, l.attempt_id FROM receipt_lines l JOIN receipts r ON r.id = l.receipt_id",
    "events": "SELECT r.digest, e.attempt_id, e.who, e.batch_id, e.from_state, e.to_state, e.detail ->> 'code',"
    " e.detail ->> 'line', e.detail ->> 'op_time' FROM events e JOIN receipts r ON r.id = e.detail ->> 'receipt'"
    " WHERE e.verb = 'receipt'",
    "attempts": "SELECT key, live, state, stage, final, released, last_code, last_op_time, pre_entry_id, entry_id,"
    " attention, ready, owner, sends FROM attempts",
}  # fmt: skip


class Pile:
    """A transport whose receipts lie in memory."""

    waiting: ClassVar[Sequence[tuple[str, bytes]]] = ()
    can_look_up = False
    trouble = ""

    def __init__(self, endpoint: object, name: str) -> None:
        self._left = iter([self.waiting])

    def submit(self, message: Outgoing) -> Submitted:
        """Nothing is sent here."""
        return Submitted("unknown")

    def look_up(self, key: str, message_id: str, digest: str) -> LookedUp:
        """Nothing was sent here."""
        return LookedUp("unknown")

    def receipts(self) -> Iterator[Incoming]:
        """All of them, once."""
        for name, raw in next(self._left, ()):
            yield Incoming(name, raw, _nothing)

    def close(self) -> None:
        """Nothing is held."""


def _nothing() -> None:
    """An acknowledgement that costs nothing."""


def contest(sizes: Sizes, folder: Path) -> Contest:
    """`Engine.receive` against a loop over receipts in one transaction; each round in a ledger of its own."""
    full = _Day(sizes.columnar, folder / "full")
    part = _Day(max(sizes.rowwise, sizes.columnar // 4), folder / "part")
    proof = _Day(max(sizes.proof, sizes.columnar // 4), folder / "proof")
    return Contest(
        lambda: prove(proof),
        [
            Case("Engine.receive", lambda home: by_engine(full, home), len(full.items), full.home),
            Case("row by row", lambda home: by_rows(part, home), len(part.items), part.home),
            Case("preloaded", lambda home: by_rows(part, home, preload=True), len(part.items), part.home),
        ],
        [
            Line(
                "reconcile", "receipts to bytes kept, lines, events and states",
                "lxml, one statement each, attempts looked up, one transaction", "Engine.receive", "row by row",
            ),
            Line(
                "reconcile_preloaded", "the same", "the same, every attempt in a dictionary beforehand",
                "Engine.receive", "preloaded",
            ),
        ],
    )  # fmt: skip


class _Day:
    """Receipts and, anew for each run, the home of a ledger whose declarations were sent."""

    def __init__(self, receipts: int, folder: Path) -> None:
        declarations, self.items = data.receipt_stream(receipts)
        self._folder = folder
        self._numbers = count()
        Ledger.open(folder / "sent").close()
        send(folder / "sent" / DATABASE, declarations)

    def home(self) -> object:
        number = next(self._numbers)
        shutil.rmtree(self._folder / f"home{number - 2}", ignore_errors=True)
        return shutil.copytree(self._folder / "sent", self._folder / f"home{number}")


def send(database: Path, declarations: int) -> None:
    """Declarations that were sent, as rows."""
    row = {
        "kind": "declaration", "message_type": "EXP301", "number": 1, "live": 1, "batch_id": "20261123-01",
        "endpoint": ENDPOINT, "master_waybill": data.MASTER, "direction": "I", "content_digest": "0" * 64,
        "state": "sent", "stage": "ours", "state_since": SENT, "ready": 0, "draft_segment": "000001.seg",
        "draft_offset": 0, "draft_length": 4200, "draft_digest": "0" * 64, "segment": "000001.seg", "offset": 0,
        "length": 4200, "digest": "0" * 64, "queued_at": SENT, "first_sent_at": SENT, "sends": 1, "released": 0,
        "final": 0,
    }  # fmt: skip
    own = ("key", "house_waybill", "message_id")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO batches (id, day, state, source_name, source_digest, mapping, profile, rows, recorded, counts,"
            " created_at) VALUES ('20261123-01', '20261123', 'sealed', '', '', '', '', 0, 0, '{}', ?)",
            (SENT,),
        )
        connection.executemany(
            f"INSERT INTO attempts ({', '.join((*row, *own))}) VALUES ({', '.join('?' * (len(row) + 3))})",
            (
                (*row.values(), declaration_key(data.MASTER, data.house(n), "I"), data.house(n), f"ID{n:011d}")
                for n in range(declarations)
            ),
        )  # fmt: skip


def by_engine(day: _Day, home: object) -> int:
    """How many lines were applied."""
    Pile.waiting = day.items
    endpoint = Endpoint(transport=f"{__name__}:Pile", address="memory")
    plain = LedgerSettings(encryption="off")  # the loop does not encrypt either
    chosen = Settings(endpoints={ENDPOINT: endpoint}, ledger=plain)
    with Engine(chosen, home=Path(str(home))) as engine:
        return int(engine.receive().counts["applied"])


def by_rows(day: _Day, home: object, *, preload: bool = False) -> int:
    """How many lines were applied."""
    database, at = Path(str(home)) / DATABASE, china_time.iso(china_time.now())
    return reconciling.receive(database, day.items, ENDPOINT, at, preload=preload)


def prove(day: _Day) -> None:
    """All ledgers hold the same receipts, lines, events and states."""
    ours, theirs, preloaded = (finished(run, day)[0] for run in _sides(day).values())
    agree(ours, theirs)
    agree(ours, preloaded)


Contents = dict[str, dict[str, Any]]
"""Table → key of a row → the row."""


def agree(ours: Contents, theirs: Contents) -> None:
    """Raise `Disagreement` unless two ledgers hold the same, and something happened in them."""
    for table in _TABLES:
        same(table, ours[table], theirs[table])
    if not any(row[6] for row in ours["attempts"].values()):
        raise Disagreement("no declaration was moved")


def _sides(day: _Day) -> dict[str, Callable[[object], int]]:
    return {
        "engine": partial(by_engine, day),
        "row by row": partial(by_rows, day),
        "row by row, preloaded": partial(by_rows, day, preload=True),
    }


def finished(run: Callable[[object], int], day: _Day) -> tuple[Contents, float]:
    """What a ledger holds in which a side has worked, and seconds it took."""
    home = Path(str(day.home()))
    start = time.perf_counter()
    run(home)
    took = time.perf_counter() - start
    return contents(home / DATABASE), took


def contents(database: Path) -> Contents:
    """What a ledger holds, without ids of receipts and moments of writing."""
    with closing(sqlite3.connect(database)) as connection:
        return {
            name: {str(row[0]): tuple(row) for row in connection.execute(sql)}
            for name, sql in _TABLES.items()
        }


def main() -> None:
    """As many receipts as the first argument says."""
    with tempfile.TemporaryDirectory() as folder:
        day = _Day(int(sys.argv[1]), Path(folder))
        print(f"{len(day.items):,} receipts", flush=True)
        ours: Contents = {}
        for name, run in _sides(day).items():
            found, took = finished(run, day)
            if ours:
                agree(ours, found)
            ours = ours or found
            print(f"{name}: {took / len(day.items) * 1e6:,.1f} us each", flush=True)
    print("all ledgers are equal")


if __name__ == "__main__":
    main()
