"""One run: a day is recorded and filed by real processes that are killed at random, then everything comes to rest."""

from __future__ import annotations

import json
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from . import planted
from .evidence import Evidence
from .judge import wrongs
from .plan import Plan, write_settings
from .port import Port
from .process import PATIENCE, Process, begin, command

ROUNDS = 12
"""How often at most everything is looked after until nothing moves."""
ANSWERS = ("reconcile", "audit verify", "status --state unknown")
AGAIN = "hand the file in again"
_OPEN = "'prepared','queued','sending','not_received','unknown'"
_LOOK = 0.004


@dataclass
class Done:
    """What a run came to."""

    seed: int
    name: str
    figures: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    wrongs: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For a report of many runs."""
        return {
            "seed": self.seed, "name": self.name, "figures": dict(self.figures), "states": dict(self.states),
            "wrongs": self.wrongs,
        }  # fmt: skip


@dataclass
class Slot:
    """A place where one process after another does the same; each has its moment to die, drawn beforehand."""

    start: Callable[[random.Random], Process]
    draw: random.Random
    filing: bool
    pause: float
    process: Process | None = None
    kill_at: float = 0.0
    kill_after: int | None = None

    def begin(self, handed_over: Callable[[], int]) -> None:
        """Begin the next one. Its moment: so long after its beginning, or so many messages later and a little more."""
        self.process = self.start(self.draw)
        self.kill_after = None
        if self.filing and self.draw.random() < 0.6:
            self.kill_after = handed_over() + self.draw.randint(1, 6)
            self.kill_at = self.draw.uniform(0, 0.04)
        else:
            self.kill_at = time.monotonic() + self.draw.uniform(0, 1.2)

    def due(self, handed_over: Callable[[], int]) -> bool:
        """Whether its moment has come."""
        if self.kill_after is not None and handed_over() >= self.kill_after:
            self.kill_after = None
            self.kill_at += time.monotonic()
        return self.kill_after is None and time.monotonic() >= self.kill_at

    def end(self) -> bool:
        """Kill it; whether that hit. The next one begins a little later."""
        self.pause = time.monotonic() + self.draw.uniform(0, 0.2 if self.filing else 1.5)
        return self.process is not None and self.process.kill()


class Run:
    """The processes of one run, and what is told of them. `say` gets a line for whatever happens."""

    def __init__(
        self, chosen: Plan, folder: Path, url: str | None, fault: str, say: Callable[[str], None]
    ) -> None:
        self.plan, self.folder, self.url, self.fault, self.say = chosen, folder, url, fault, say
        self.done = Done(chosen.seed, chosen.name)
        self.homes = [folder / f"home{n}" for n in range(chosen.hosts)]
        self._ledger = url or f"sqlite:///{self.homes[0] / 'ledger.sqlite3'}"
        self._all: list[Process] = []
        self._began = time.monotonic()

    def whole(self) -> None:
        """The day from its beginning to its end."""
        files = [self._compose(n, *file) for n, file in enumerate(self.plan.files)]
        self.port = Port(self.folder / "port", self.plan)
        try:
            for home in self.homes:
                write_settings(home, self.plan, self.port.doors, self.url)
            self._prepare(files)
            batches = self._batches()
            self._file(batches)
            self._come_to_rest(batches)
            answers = {what: self._asked(0, *what.split(), "--json") for what in ANSWERS}
        finally:
            for process in self._all:
                process.kill()
            self._count("sandbox", self.port.stop() == 0, self.port.process)
        evidence = Evidence.gather(
            files, self._ledger, self.port.folder, self.plan.transport, answers
        )
        evidence.write(self.folder / "evidence.json")
        judged = wrongs(evidence)
        self.done.wrongs += judged.wrongs
        self.done.figures.update(judged.figures)
        self.done.states.update(judged.states)

    # -- processes

    def _start(self, host: int, *args: str) -> Process:
        out = self.folder / f"{len(self._all) + 1:03d}-{args[0]}"
        work = command(*args, "--lang", "en")
        if self.fault:
            work = planted.with_fault(self.fault, work)
        environment = {"CROSSBORDER_HOME": str(self.homes[host])}
        self._all.append(begin(f"{args[0]} on host {host}", work, out, environment))
        return self._all[-1]

    def _ended(self, process: Process, *, killed: bool, contended: bool = False) -> None:
        """Keep count; whoever was not killed must have ended in order.

        Of several that record the same file at once, one may have been told to hand it in again.
        """
        good = killed or process.code in (0, 1)
        if contended and process.code == 2 and AGAIN in process.said():
            self.done.figures["told_to_come_again"] += 1
            good = True
        self._count("killed" if killed else "ended", good, process)

    def _count(self, how: str, good: bool, process: Process) -> None:
        self.done.figures["kills"] += how == "killed"
        self.done.figures["processes"] += 1
        self.done.figures["cpu_ms"] += round(process.cpu * 1000)
        self._tell(f"{process.what} {how} ({process.code})")
        if not good:
            self.done.wrongs.append(
                f"{process.what} ends with {process.code}: {process.said()[-1500:]}"
            )

    def _asked(self, host: int, *args: str) -> Any:
        """A command to its end, left in peace; what it answers, or None."""
        process = self._start(host, *args)
        process.wait()
        self._ended(process, killed=False)
        said = [line for line in process.said().splitlines() if line.startswith("{")]
        return json.loads(said[-1]) if said else None

    def _tell(self, what: str) -> None:
        self.say(f"{time.monotonic() - self._began:7.2f} {what}")

    # -- the day

    def _compose(self, number: int, shipments: int, dirty: float) -> Path:
        file = self.folder / f"day{number}.csv"
        process = begin(
            "sample",
            command(
                "sample", "-o", str(file), "--shipments", str(shipments), "--dirty", str(dirty),
                "--seed", str(2 * self.plan.seed + number), "--mapping", "elements", "--json",
            ),
            self.folder / f"sample{number}",
        )  # fmt: skip
        process.wait()
        self._count("ended", process.code == 0, process)
        return file

    def _prepare(self, files: Sequence[Path]) -> None:
        """Record every file, now and then on both hosts at once; killed a few times, then to its end."""
        draw, hosts = self.plan.draw("prepare"), range(self.plan.hosts)
        for left in range(self.plan.kills_of_prepare, -1, -1):
            at_work = []
            for number, file in enumerate(files):
                for host in hosts:
                    if host == number % self.plan.hosts or draw.random() < 0.3:
                        kill_at = time.monotonic() + draw.uniform(0, 0.9)
                        at_work.append((self._start(host, *_prepare(file)), kill_at))
            self._wait_out(at_work, last=not left)
        for number, file in enumerate(files):
            self._asked(number % self.plan.hosts, *_prepare(file))

    def _wait_out(self, at_work: Sequence[tuple[Process, float]], *, last: bool) -> None:
        for process, kill_at in sorted(at_work, key=lambda one: one[1]):
            while not last and time.monotonic() < kill_at and not process.ended():
                time.sleep(_LOOK)
            killed = not last and process.kill()
            process.wait()
            self._ended(process, killed=killed, contended=len(at_work) > 1)

    def _file(self, batches: Sequence[str]) -> None:
        """Submit, receive, look on: killed at random, begun again, on every host at once."""
        submit = ("submit", *batches, "--yes", "--json", "--wait", "4")
        slots = []
        for host in range(self.plan.hosts):
            draw, now = self.plan.draw("submit", host), time.monotonic()
            slots.append(Slot(lambda _, h=host: self._start(h, *submit), draw, True, now))
            draw = self.plan.draw("other", host)
            pause = now + draw.uniform(0.1, 1.0)
            slots.append(Slot(self._other(host, submit), draw, False, pause))
        kills = ended = 0
        while any(slot.process for slot in slots) or (kills < self.plan.kills and ended < 2):
            for slot in slots:
                if slot.process is None:
                    if kills < self.plan.kills and ended < 2 and time.monotonic() >= slot.pause:
                        slot.begin(self.port.handed_over)
                elif slot.process.ended() or slot.due(self.port.handed_over):
                    killed = slot.end()
                    kills += slot.filing and killed
                    ended += slot.filing and not killed
                    self._ended(slot.process, killed=killed)
                    slot.process = None
            time.sleep(_LOOK)

    def _other(self, host: int, submit: Sequence[str]) -> Callable[[random.Random], Process]:
        """What else is done on a host while it files: receipts are fetched, a second `submit` looks on."""

        def start(draw: random.Random) -> Process:
            if draw.random() < 0.7:
                return self._start(
                    host, "receive", "--follow", f"{draw.uniform(0, 1):.2f}", "--json"
                )
            return self._start(host, *submit)

        return start

    def _come_to_rest(self, batches: Sequence[str]) -> None:
        """Nobody is killed any more; until nothing moves."""
        for number in range(ROUNDS):
            for host in range(self.plan.hosts):
                self._asked(host, "submit", *batches, "--yes", "--json", "--wait", "1.5")
            self._wait_until(self.port.silent)
            self._asked(number % self.plan.hosts, "receive", "--json")
            rows = self._query(f"SELECT count(*) FROM attempts WHERE state IN ({_OPEN})")
            left = int(rows[0][0])
            self._tell(f"at rest? {left} open")
            if not left and self.port.silent() and self.port.emptied():
                return

    def _wait_until(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not done() and time.monotonic() < until:
            time.sleep(0.02)

    def _batches(self) -> list[str]:
        """What can be let go, as the ledger's table says."""
        rows = self._query("SELECT id FROM batches WHERE state = 'sealed' ORDER BY id")
        return [str(row[0]) for row in rows]

    def _query(self, sql: str) -> list[Any]:
        """Rows, through a connection that is gone when the next process begins."""
        engine = create_engine(self._ledger, poolclass=NullPool)
        with engine.connect() as connection:
            return list(connection.execute(text(sql)))


def _prepare(file: Path) -> tuple[str, ...]:
    return ("prepare", str(file), "--mapping", "elements", "--json")


def run(
    chosen: Plan, folder: Path, url: str | None = None, *, fault: str = "", say: Callable[[str], None] = lambda _: None
) -> Done:  # fmt: skip
    """One run in an empty folder; on PostgreSQL in the database at `url`."""
    folder.mkdir(parents=True)
    one = Run(chosen, folder, url, fault, say)
    began = time.monotonic()
    with _told(one.done):
        one.whole()
    one.done.figures["seconds"] = round(time.monotonic() - began)
    return one.done


@contextmanager
def _told(done: Done) -> Iterator[None]:
    """A run that breaks off is a wrong of its own."""
    try:
        yield
    except Exception:
        done.wrongs.append(f"the run broke off: {traceback.format_exc()[-3000:]}")
