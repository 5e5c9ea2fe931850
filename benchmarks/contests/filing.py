"""`filing`: the outbox drained to the simulated port over http; against the http client alone, and two hosts against one.

Every side is a process of its own and the port another; each round begins with an empty port. `BENCH_FILING` sets how
many declarations are filed (4000 if not said). `python -m benchmarks.contests.filing 100000` proves the same of a hundred
thousand, each side once, and says how long each took.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import weakref
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from tests.postgres import Server, running

from benchmarks import data
from benchmarks.contests import compose
from benchmarks.contests.contest import Contest, Disagreement, Line
from benchmarks.sizes import AT, Sizes
from benchmarks.timing import Case
from crossborder.ledger import AttemptDraft, BatchDraft, Frozen, Ledger, ShipmentRow

ROOT = Path(__file__).resolve().parents[2]
NOW: datetime = AT
MASTER = "99900000001"
USUAL = 4_000
ROUNDS = 3
"""A round of all four sides takes more than a minute."""
SIDES = ((0, False), (1, False), (1, True), (2, True))
"""Workers (0: the http client alone), and whether the ledger is on PostgreSQL."""


def contest(sizes: Sizes, folder: Path) -> Contest:
    """One worker on SQLite against posting alone; two workers on PostgreSQL, of two hosts, against one."""
    count = int(os.environ.get("BENCH_FILING", 0)) or min(sizes.rowwise, USUAL)
    field = Field(folder, count)
    kinds = {
        "post": (0, False),
        "one": (1, False),
        "one_postgresql": (1, True),
        "two_postgresql": (2, True),
    }
    cases = [
        Case(name, go, len(field.documents), lambda kind=kind: field.ready(*kind))
        for name, kind in kinds.items()
    ]
    return Contest(
        lambda: prove(field),
        cases,
        [
            Line("filing", "one worker drains the outbox over http", "httpx posts the same documents, records nothing", "one", "post"),
            Line("filing_two", "two workers on PostgreSQL", "one worker on PostgreSQL", "two_postgresql", "one_postgresql"),
        ],
        most_rounds=ROUNDS,
    )  # fmt: skip


class Round:
    """A port, and those who will send to it, all of them ready."""

    def __init__(
        self, held: ExitStack, senders: list[subprocess.Popen[str]], home: Path, url: str | None
    ) -> None:
        self.senders, self.home, self.url = senders, home, url
        self.close = weakref.finalize(self, held.close)


def go(given: object) -> list[int]:
    """Give the word; how many each sent."""
    assert isinstance(given, Round)
    for sender in given.senders:
        assert sender.stdin is not None
        sender.stdin.write("go\n")
        sender.stdin.flush()
    return [int(said(sender)) for sender in given.senders]


class Field:
    """The documents, and the server for the ledgers on PostgreSQL."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder, self._rounds = folder, itertools.count(1)
        frames = data.valid_frames(data.check(data.write(folder / "day.csv", count)))
        idents = data.ids(frames.shipments.height)
        bodies = compose.engine(frames, idents)["xml"].to_list()
        self.documents = [(i, xml.encode()) for i, xml in zip(idents, bodies, strict=True)]
        (folder / "documents").mkdir()
        for ident, body in self.documents:
            (folder / "documents" / f"{ident}.xml").write_bytes(body)
        held = ExitStack()
        self._server: Server = held.enter_context(running())
        self.close = weakref.finalize(self, held.close)

    def ready(self, workers: int, shared: bool) -> Round:
        """A new port, a ledger whose outbox is full, and its workers; without workers the http client alone."""
        home = self._folder / f"{next(self._rounds)}"
        held = ExitStack()
        port = start(held, "crossborder.sandbox", "--folder", str(home / "port"), "--endpoint", "hangzhou:http",
                     "--no-manifest", "--until-eof", "--speed", "1")  # fmt: skip
        address = json.loads(said(port))["endpoints"]["hangzhou"]["http"]
        if not workers:
            poster = start(
                held, "benchmarks.filing_child", "post", address, str(self._folder / "documents")
            )
            return _all_ready(Round(held, [poster], home, None))
        url = self._server.database() if shared else None
        if url is not None:
            held.callback(self._server.give_back, url)
        with Ledger.open(home / "desk", url=url) as ledger:
            self.fill(ledger)
        own = home / "host-" if shared else home / "desk"
        senders = [
            start(
                held,
                "benchmarks.filing_child",
                "file",
                address,
                f"{own}{n if shared else ''}",
                *filter(None, [url]),
            )
            for n in range(workers)
        ]
        return _all_ready(Round(held, senders, home / "desk", url))

    def fill(self, ledger: Ledger) -> None:
        """A batch that was let go, every declaration frozen and queued."""
        batch = ledger.begin_batch(BatchDraft("filing.csv", "0" * 64, "canonical", "bench"), NOW)
        rows, drafts = [], []
        for n, (_, body) in enumerate(self.documents):
            house, key = f"B{n:08d}", f"{MASTER}|B{n:08d}|I"
            rows.append(
                ShipmentRow(
                    n, key, MASTER, house, house, "I", "B", f"{n + 2}", 1, "prepared", f"{n:064d}"
                )
            )
            drafts.append(
                AttemptDraft(
                    "declaration",
                    "EXP301",
                    key,
                    "hangzhou",
                    MASTER,
                    house,
                    None,
                    "I",
                    f"{n:064d}",
                    body,
                    n,
                )
            )
        ledger.record_block(batch.id, rows, drafts, [], [], NOW)
        ledger.seal(batch.id, {"prepared": len(rows)}, NOW, rows=len(rows))
        ledger.release([batch.id], "bench", NOW, {"hangzhou": False})
        queued = ledger.freezable(len(rows))
        ledger.freeze(
            [
                Frozen(d.attempt_id, *document)
                for d, document in zip(queued, self.documents, strict=True)
            ],
            NOW,
        )


def prove(field: Field) -> None:
    """Every declaration arrives, none was claimed twice, and every one is recorded as sent."""
    for workers, shared in SIDES:
        once(field, workers, shared)


def once(field: Field, workers: int, shared: bool) -> float:
    """Microseconds for each declaration, once. Raises `Disagreement` if one did not arrive or was claimed twice."""
    given = field.ready(workers, shared)
    began = time.perf_counter()
    sent = go(given)
    took = time.perf_counter() - began
    if sum(sent) != len(field.documents):
        raise Disagreement(f"{workers} workers sent {sent} of {len(field.documents)} documents")
    if workers:
        with Ledger.open(given.home, url=given.url) as ledger:
            stand = {(a.state, a.sends) for a in ledger.attempts_in()}
        if stand != {("sent", 1)}:
            raise Disagreement(f"{workers} workers left {sorted(stand)}")
    given.close()
    return took / len(field.documents) * 1e6


def start(held: ExitStack, module: str, *arguments: str) -> subprocess.Popen[str]:
    """A process that ends when its standard input is closed or its work is done."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    held.callback(process.communicate)
    return process


def said(process: subprocess.Popen[str]) -> str:
    """The next line it says."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise Disagreement(f"a process ended with {process.wait()}: {process.args}")
    return line


def _all_ready(given: Round) -> Round:
    for sender in given.senders:
        said(sender)
    return given


def main() -> None:
    """As many declarations as the first argument says."""
    with tempfile.TemporaryDirectory() as folder:
        field = Field(Path(folder), int(sys.argv[1]))
        print(f"{len(field.documents):,} declarations", flush=True)
        for workers, shared in SIDES:
            took = once(field, workers, shared)
            who = (
                f"{workers} on {'PostgreSQL' if shared else 'SQLite'}"
                if workers
                else "http client alone"
            )
            print(f"{who}: {took:,.0f} us each; all arrived, none was claimed twice", flush=True)
        field.close()


if __name__ == "__main__":
    main()
