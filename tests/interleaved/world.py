"""One run: desks that hand the same parcels in, let batches go and meddle, workers that file them, and a port.

Each is an actor with an engine of its own, as processes have them. What happens in which order is drawn from the seed; in
the end everybody comes to rest, and what the port took is compared with what the ledger says.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import types
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from tests.engine.cutting import in_blocks
from tests.engine.firm import changed, day, ending, only, put

from crossborder import china_time
from crossborder.engine import Engine, handing
from crossborder.engine import filing as driving
from crossborder.engine.deciding import FILE_AGAIN, persons_codes
from crossborder.errors import CrossborderError, LedgerError, NotFound
from crossborder.filing import Tally
from crossborder.ledger import KeyInUse
from crossborder.samples import Sample
from crossborder.sandbox import books, declarations, outbox, port
from crossborder.settings import Endpoint, LedgerSettings, ServiceSettings, Settings

from .door import DISTRICTS, NAME, QUAYS, Door, Quay
from .judge import judge
from .turns import Killed, Turns, before_transactions, one_after_the_other

START = datetime(2026, 11, 23, 18, 0, tzinfo=china_time.CHINA)
TRIES = 8
"""What a desk does one after the other."""
ROUNDS = 400
"""How often a worker calls its steps at most once the desks are done."""
_WHY = "the desk thinks so"


@dataclass(frozen=True)
class Run:
    """What a seed led to: the digest of who took which turn, how many turns, and everything that must not be."""

    seed: int
    trace: str
    turns: int
    did: Counter[str]
    wrongs: list[str]
    lines: list[str]


def run(seed: int, folder: Path, url: str = "") -> Run:
    """Run one seed in a new folder; `url`: in that PostgreSQL database, whose users have homes of their own."""
    with pytest.MonkeyPatch.context() as patched:
        return World(seed, folder, url, patched).run()


class World:
    """Everybody, and everything that the seed decides."""

    def __init__(self, seed: int, folder: Path, url: str, patched: pytest.MonkeyPatch) -> None:
        self.seed, self.folder, self.url = seed, folder, url
        self.draw = random.Random(seed)
        self.now = START
        self.did: Counter[str] = Counter()
        self.lines: list[str] = []
        self._digest = hashlib.sha256()
        self.count = 0
        self.restless = False
        self.wrongs: list[str] = []
        self.posted: dict[int, set[str]] = {}
        """The batches that a partner was told for each key."""
        self.desks = self.draw.choice((2, 2, 3))
        self.workers = self.draw.choice((1, 2))
        self.losses = self.draw.choice((0.0, 0.0, 0.1))
        self.blocks = self.draw.choice((0, 0, 1, 2))
        self.deadly = self.draw.choice((0.0, 0.002, 0.01))
        self.turns = Turns(self.draw, self.draw.choice((0.0, 0.5, 0.8, 0.95)), self._passed)
        self.quay = Quay(folder / "port", self._on_the_line, look_up=self.draw.random() < 0.5)
        folder.joinpath("files").mkdir(parents=True)
        self.files = list(_files(folder / "files", self.draw))
        self.at_work, self.filing = self.desks, self.workers
        QUAYS[str(folder)] = self.quay
        patched.setattr(china_time, "now", lambda: self.now)
        clock = types.SimpleNamespace(time=lambda: self.now.timestamp())
        for module in (books, declarations, outbox, port):
            patched.setattr(module, "time", clock)
        before_transactions(self.turns, patched)
        patched.setattr(handing, "working", one_after_the_other)
        if self.blocks:
            in_blocks(patched, self.blocks)

    def run(self) -> Run:
        """Everybody until the end, and the judgement."""
        with Engine(self._settings(), home=self._home("desk-1")) as engine:
            self.partner = engine.partner(engine.add_key("shop"))
        self._hand_out_keys()
        works: dict[str, Callable[[], None]] = {
            f"desk-{n}": self._actor(f"desk-{n}", self._desk(f"desk-{n}"))
            for n in range(1, self.desks + 1)
        }
        for n in range(1, self.workers + 1):
            works[f"worker-{n}"] = self._actor(f"worker-{n}", self._worker)
        works["port"] = self._port
        self.turns.run(works)
        with Engine(self._settings(), home=self._home("desk-1")) as engine:
            wrongs = [*self.wrongs, *judge(engine, self.quay)]
        wrongs += ["NO REST: something moves on and on"] * self.restless
        wrongs += [f"KEY {at}: {told}" for at, told in self.posted.items() if len(told) > 1]
        self.quay.close()
        del QUAYS[str(self.folder)]
        return Run(
            self.seed, self._digest.hexdigest(), self.count, self.did, wrongs, self.lines
        )  # fmt: skip

    # -- time, the line, and who is whose

    def _passed(self, name: str, where: str) -> bool:
        self.count += 1
        self.now += timedelta(seconds=self.draw.choice((0.01, 0.1, 0.5)))
        dies = bool(self.at_work) and name != "port" and self.draw.random() < self.deadly
        self.note(name, where, *["and dies"] * dies)
        self.did["kills"] += dies
        return not dies

    def note(self, *words: object) -> None:
        """One thing that happened."""
        line = " ".join(map(str, words))
        self._digest.update(line.encode() + b"\n")
        self.lines.append(f"{self.now:%H:%M:%S} {line}")

    def _on_the_line(self, where: str) -> bool:
        """A word passes; whether it is heard."""
        self.turns.pause(where)
        return self.at_work == 0 or self.draw.random() >= self.losses

    def _hand_out_keys(self) -> None:
        """The key file that the first home has made, for those of the other hosts."""
        for name in [f"desk-{n}" for n in range(2, 4)] + [f"worker-{n}" for n in range(1, 3)]:
            if self.url:
                self._home(name).mkdir()
                shutil.copy(self._home("desk-1") / "ledger.keys", self._home(name))

    def _home(self, name: str) -> Path:
        return self.folder / (name if self.url else "home")

    def _settings(self) -> Settings:
        endpoint = Endpoint(
            transport=f"{Door.__module__}:{Door.__name__}", address=str(self.folder), districts=DISTRICTS, profile="demo",
            workers=1, lot=2, poll_seconds=0.5, settle_seconds=0.2, retry_seconds=0.5, timeout_seconds=5,
        )  # fmt: skip
        return Settings(
            profile="demo", endpoints={NAME: endpoint}, ledger=LedgerSettings(url=self.url, block=2),
            service=ServiceSettings(profile="demo"),
        )  # fmt: skip

    def _actor(self, name: str, work: Callable[[str, Engine], bool]) -> Callable[[], None]:
        """Works until its end, and begins anew with another engine whenever it is killed."""

        def live() -> None:
            done = False
            while not done:
                engine = Engine(self._settings(), home=self._home(name))
                try:
                    done = work(name, engine)
                except Killed:
                    self.turns.reborn()
                engine.close()

        return live

    # -- the desks

    def _desk(self, name: str) -> Callable[[str, Engine], bool]:
        """Some things in a row, drawn beforehand, so that who overtakes whom does not change what is tried."""
        verbs = [
            self._hand_in, self._hand_in, self._post, self._let_go, self._let_go, self._meddle, self._settle, self._accept,
            self._look, self._wait, self._wait,
        ]  # fmt: skip
        whim = random.Random(f"{self.seed} {name}")
        left = [self._hand_in, *whim.choices(verbs, k=TRIES - 1)]

        def work(_: str, engine: Engine) -> bool:
            while left:  # who was killed tries the same again
                verb, same = left[0], random.Random(f"{self.seed} {name} {len(left)}")
                try:
                    said = verb(engine, same, name)
                except CrossborderError as error:
                    self.did[f"refused: {verb.__name__}"] += 1
                    said = f"{type(error).__name__}: {error.text('en')}"
                    if not _may_be_said(error):
                        raise
                self.note(name, verb.__name__, said)
                del left[0]
            for batch in engine.ledger.batches():  # in the end everything goes
                if batch.state == "sealed":
                    if engine.held([batch.id]).get(batch.id):
                        self.note(name, "accepts", self._accepted(engine, batch.id, name))
                    engine.let_go(batch.id, name)
            self.at_work -= 1
            return True

        return work

    def _hand_in(self, engine: Engine, whim: random.Random, name: str) -> str:
        done = engine.prepare(whim.choice(self.files), mapping="elements", who=name)
        self.did["handed in"] += 1
        self.did.update({f"shipments {outcome}": n for outcome, n in done.counts.items()})
        return f"{done.batch} {done.counts}"

    def _post(self, engine: Engine, whim: random.Random, name: str) -> str:
        """As the service: the same key with the same body, perhaps by another at the same time, and again as it is told."""
        at, submit = whim.randrange(2), whim.random() < 0.5
        body = self.files[at].read_bytes()
        while True:
            try:
                posted = engine.post(
                    self.files[at], mapping="elements", partner=self.partner, idempotency_key=f"key-{at}",
                    body_digest=hashlib.sha256(body).hexdigest(), submit=submit,
                )  # fmt: skip
                break
            except KeyInUse:
                self.did["keys in use"] += 1
                self.turns.pause("again")
        self.did["repeated posts" if posted.repeated else "posts"] += 1
        self.posted.setdefault(at, set()).add(posted.batch["id"])
        return f"{posted.batch['id']} again={posted.repeated}"

    def _let_go(self, engine: Engine, whim: random.Random, name: str) -> str:
        sealed = [b for b in engine.ledger.batches() if b.state == "sealed"]
        if not sealed:
            return "nothing"
        batch = whim.choice(sealed)
        engine.let_go(batch.id, name)
        self.did["let go"] += 1
        return batch.id

    def _meddle(self, engine: Engine, whim: random.Random, name: str) -> str:
        """Suspend, resume or void what is there, whatever becomes of it at this moment."""
        alive = [a for a in engine.ledger.attempts_in() if a.live]
        if not alive:
            return "nothing"
        one = whim.choice(alive)
        waybill = one.house_waybill or one.master_waybill
        verb = whim.choice(("suspend", "resume", "void"))
        ruled = getattr(engine, verb)([waybill], reason=_WHY, who=name)
        self.did[verb] += len(ruled.done)
        return f"{verb} {waybill} {[(r.key, r.to_state, r.why) for r in ruled.rulings]}"

    def _accept(self, engine: Engine, whim: random.Random, name: str) -> str:
        """Let pass what waits for a person, in one batch."""
        held = [batch for batch, rules in engine.held().items() if rules]
        return self._accepted(engine, whim.choice(held), name) if held else "nothing"

    def _accepted(self, engine: Engine, batch: str, name: str) -> str:
        held = engine.held([batch]).get(batch, {})
        said = [engine.accept(rule, batch, reason=_WHY, who=name) for rule in held]
        self.did["accepted"] += sum(one.prepared for one in said)
        return f"{batch} {[(one.rule, one.prepared, one.already_filed) for one in said]}"

    def _look(self, engine: Engine, whim: random.Random, name: str) -> str:
        """Whoever looks sees everything accounted for, whatever is going on; only what counts as filed with a batch whose
        recorder was killed is named, until that is gone on with."""
        proof = engine.reconcile(ask_endpoints=False)
        for column in (0, 1):
            told = sum(pair[column] for line, pair in proof.account.items() if line != "handed_in")
            if told != proof.account["handed_in"][column]:
                self.wrongs.append(f"ACCOUNT while others work: {proof.account}")
        left = self.did["kills"] > 0
        self.wrongs += [
            f"RECONCILE while others work: {d}"
            for d in proof.differences if not (left and d["what"] == "filed_nowhere")
        ]  # fmt: skip
        self.did["looked"] += 1
        return f"{len(proof.differences)} differences"

    def _wait(self, engine: Engine, whim: random.Random, name: str) -> str:
        """The port has time to answer."""
        turns = whim.choice((10, 40))
        for _ in range(turns):
            self.turns.pause("waits")
        return f"{turns} turns"

    def _settle(self, engine: Engine, whim: random.Random, name: str) -> str:
        """Ring the port up about what is unknown, and resume what was suspended."""
        return " ".join([*self._settled(engine, name), *self._freed(engine, name)])

    def _freed(self, engine: Engine, name: str) -> Iterator[str]:
        """What customs has left to a person may be filed again; whoever hands it in corrected does so."""
        for one in engine.ledger.attempts_in(kind="declaration"):
            if one.live and one.final and one.last_code in LEFT_TO_A_PERSON:
                engine.resolve(str(one.house_waybill), FILE_AGAIN, reason=_WHY, who=name)
                self.did["freed"] += 1
                yield f"{one.key} may be filed again"

    def _settled(self, engine: Engine, name: str) -> Iterator[str]:
        for one in engine.ledger.attempts_in(states=["unknown"]):
            there = self.quay.books.digest_of(NAME, str(one.message_id)) is not None
            said = "received" if there else "not-received"
            engine.ledger.resolve(one.id, said, "rang the port up", name, self.now)
            self.did[f"resolved {said}"] += 1
            yield f"{one.key} {said}"
        for one in engine.ledger.attempts_in(states=["suspended"]):
            waybill = one.house_waybill or one.master_waybill
            engine.resume([waybill], reason=_WHY, who=name)
            yield f"{one.key} resumed"

    # -- the workers and the port

    def _worker(self, name: str, engine: Engine) -> bool:
        with ExitStack() as opened:
            jobs = driving.jobs(engine.ledger, engine.settings, Tally(), Event())
            steps = [(job.name, opened.enter_context(job.open())) for job in jobs]
            rounds = quiet = 0
            while rounds < ROUNDS and quiet < 4:
                self.draw.shuffle(steps)
                for _, step in steps:
                    step.step(china_time.now())
                self.turns.pause("round")
                if self.at_work:
                    continue
                rounds += 1
                quiet = quiet + 1 if not self._moving(engine, name) else 0
        self.did["worker rounds"] += rounds
        self.filing -= 1
        self.restless = self.restless or rounds == ROUNDS
        return True

    def _moving(self, engine: Engine, name: str) -> bool:
        """Whether something may still move by itself; what a person must say is said, and time passes."""
        self.now += timedelta(seconds=1)
        try:
            for said in self._settled(engine, name):
                self.note(name, said)
        except LedgerError as error:  # the other worker said it
            self.note(name, error.text("en"))
        account = self.quay.books.account(NAME)
        left = engine.ledger.pending([NAME])
        waiting = sum(n for state, n in left.items() if state not in ("awaiting_manifest", "ready"))
        return bool(waiting or account["answers_to_come"] or account["receipts_waiting"])

    def _port(self) -> None:
        while self.at_work or self.filing:
            self.quay.port.step()
            self.turns.pause("port")


def _may_be_said(error: CrossborderError) -> bool:
    """Whether a desk may be told this because another was quicker."""
    said = error.text("en")
    return isinstance(error, NotFound) or any(words in said for words in MAY_BE_SAID)


LEFT_TO_A_PERSON = frozenset(code for _, code in persons_codes())
MAY_BE_SAID = (
    "other processes keep recording",
    "is being recorded",
    "cannot be submitted",
    "is not unknown",
)
"""What another process may be the reason of."""


def _files(folder: Path, draw: random.Random) -> Iterator[Path]:
    """Files about the same six parcels of two master waybills: parts, corrections, the same ones under another one."""
    arms = {
        n: "合金仿真枪" for n in (0, 2) if draw.random() < 0.3
    }  # held by PRO-01 until a person accepts it
    day_ = ending(changed(day(6), "name", dict(arms), frame="goods"), _endings(draw))
    yield put(only(day_, [0, 1, 2]), folder / "first.csv")
    yield put(day_, folder / "all.csv")
    yield put(only(day_, [1, 2, 3, 4]), folder / "middle.csv")
    yield put(changed(day_, "remarks", {1: "改单", 4: "改单"}), folder / "corrected.csv")
    yield put(only(day_, [5]), folder / "last.csv")
    yield put(_moved(only(day_, [2])), folder / "elsewhere.csv")


def _endings(draw: random.Random) -> dict[int, str]:
    """Waybills of which the port makes something: refused once, not on the manifest at first, lost, answered twice."""
    kinds: Sequence[str] = (
        "",
        "",
        "SFD1",
        "SF22",
        "SFDX",
        "SFNN",
        "SBW7",
        "SBZ1",
        "SBZ6",
        "SBW9",
        "SBW2",
    )
    drawn = {n: draw.choice(kinds) for n in range(6)}
    return {n: kind for n, kind in drawn.items() if kind}


def _moved(sample: Sample) -> Sample:
    """The same house waybills under another master waybill."""
    other = dict.fromkeys(range(sample.frames.shipments.height), "991-53210754")
    return changed(sample, "master_waybill", other)
