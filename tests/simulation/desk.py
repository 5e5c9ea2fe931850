"""The people: they hand files in, let batches go, ring the port up about what is unknown, and correct what was refused.

Now and then they suspend, resume or void whatever they lay their hands on, also while it is being sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crossborder import china_time
from crossborder.errors import LedgerError
from crossborder.filing.jobs import Work
from crossborder.ledger import (
    AttemptDraft,
    AttemptRecord,
    BatchDraft,
    KeysTaken,
    Ledger,
    Ruling,
    Selection,
    ShipmentRow,
)
from crossborder.reconcile import differences

from . import papers
from .process import Process

if TYPE_CHECKING:
    from .world import World

ANSWER_DUE = timedelta(seconds=60)
"""How long an unknown rests before a person rings up: longer than anything can be on the line."""
AGAIN_AFTER = timedelta(minutes=5)
"""How long after a refusal a corrected declaration is handed in: longer than clocks may differ."""
REFUSED = ("refused", "platform_failed", "sent_back")
_STOPPED = frozenset({"payload_damaged", "older_stands"})
"""Why a message is suspended, if not by a person."""
_REST, _PAUSE = timedelta(seconds=20), timedelta(seconds=1)
_WHO = "desk"
_WHY = "the desk thinks so"


def suspended(ledger: Ledger) -> list[AttemptRecord]:
    """What a person has suspended."""
    found = ledger.attempts_in(states=["suspended"])
    return [a for a in found if not _STOPPED & set(a.attention)]


def _holds(_message: str, code: str) -> bool:
    """Whether what was ended so keeps its key: by the codes that this port says."""
    return code not in ("D1", "D3", "N", "DN", "NN", "00", "20")


@dataclass(eq=False)
class File:
    """A file in the desk's folder: which parcels of a flight, in which version; it stays when the computer dies."""

    name: str
    flight: int
    parcels: dict[int, int]
    listed: bool
    wanted: bool = True
    sealed: bool = False
    released: bool = False
    batch: str = ""

    @property
    def digest(self) -> str:
        return papers.digest(self.name.encode())

    def rows(self) -> list[tuple[ShipmentRow, AttemptDraft]]:
        """Every shipment of the file with the declaration that it would get."""
        return [
            papers.declaration(self.flight, n, v, i)
            for i, (n, v) in enumerate(self.parcels.items())
        ]


@dataclass(eq=False)
class Folder:
    """All files of a run, and what everybody knows that they say."""

    files: list[File] = field(default_factory=list)
    houses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)

    def put(self, file: File) -> None:
        """A file arrives."""
        self.files.append(file)
        drafts = [draft for _, draft in file.rows()]
        if file.listed:
            drafts.append(papers.manifest(file.flight, list(file.parcels)))
            self.houses[drafts[-1].key] = tuple(h.house_waybill for h in drafts[-1].houses)
        self.bodies |= {draft.content_digest: draft.body for draft in drafts}


class Desk(Process):
    """A process of its own, as every command is; its memory is the folder and the ledger."""

    def make(self) -> list[tuple[str, Work]]:
        return [("desk", Hands(self.world, self))]


class Hands:
    """One decision or one transaction per step."""

    def __init__(self, world: World, process: Process) -> None:
        self._world, self._process = world, process
        self._doing: Iterator[None] | None = None

    def step(self, now: datetime) -> datetime | None:
        """Do one thing. `now` if there is more to do at once."""
        self._now = now
        if not self._world.calm and self._world.draw.random() < 0.1:
            self._too_early()
            return now
        world = self._world
        if not world.calm and (world.pressed or world.whim.random() < world.meddling):
            self._meddle()
            return now + _PAUSE
        if self._doing is None:
            self._doing = self._next(now)
        if self._doing is None:
            restless = self._world.meddling and not self._world.calm
            return now + (_PAUSE if restless else _REST)
        try:
            next(self._doing)
        except StopIteration:
            self._doing = None
        return now

    def close(self, now: datetime) -> None:
        """Nothing is held."""

    def _next(self, now: datetime) -> Iterator[None] | None:
        world = self._world
        open_ = [f for f in world.folder.files if f.wanted and not f.sealed]
        ready = [f for f in world.folder.files if f.sealed and not f.released]
        if ready and (world.calm or world.draw.random() < 0.5):
            return self._release(ready[0])
        if open_:
            return self._hand_in(world.draw.choice(open_))
        if world.calm and suspended(self._process.ledger):
            return self._resume_all()
        if world.calm:
            self._hand_in_what_was_forgotten()
        unknown = [a for a in self._attempts("unknown") if self._due(a, now)]
        if unknown:
            return self._resolve(unknown[0])
        return self._again(now)

    # -- handing in

    def _hand_in(self, file: File) -> Iterator[None]:
        """As `engine.recording`: begin or go on, block by block, the manifest, the seal."""
        ledger, draw = self._process.ledger, self._world.draw
        done = [
            b for b in ledger.batches() if b.source_digest == file.digest and b.state != "recording"
        ]
        if done:  # the computer died after the last commit, before anybody saw it
            file.sealed, file.batch = done[0].state == "sealed", done[0].id
            file.wanted = file.sealed
            return
        batch = ledger.begin_batch(
            BatchDraft(file.name, file.digest, "canonical", "demo"), self._now
        )
        file.batch = batch.id
        yield
        rows, at = file.rows(), batch.recorded
        while at < len(rows):
            if not self._world.calm and draw.random() < 0.02:
                ledger.leave_batch(batch.id)
                ledger.discard_batch(batch.id, _WHO, "not wanted", self._now)
                file.wanted = False
                return
            block = rows[at : at + draw.randint(1, 2)]
            if self._record(batch.id, block):
                at += len(block)
            yield
        if file.listed:
            ledger.record_block(
                batch.id, [], [papers.manifest(file.flight, list(file.parcels))], [], [], self._now
            )
            yield
        count = sum(row.row_count for row, _ in rows)
        ledger.seal(batch.id, {}, self._now, rows=count)
        file.sealed = True

    def _record(self, batch_id: str, block: list[tuple[ShipmentRow, AttemptDraft]]) -> bool:
        ledger = self._process.ledger
        live = {
            k.key: k.attempt_id for k in ledger.known([row.key or "" for row, _ in block]) if k.live
        }
        if self._world.draw.random() < 0.2:
            live = {}  # nobody asked: the ledger must refuse what is live
        shipments = [
            row._replace(outcome="already_filed", attempt_id=live[row.key]) if row.key in live else row
            for row, _ in block
        ]  # fmt: skip
        drafts = [draft for row, draft in block if row.key not in live]
        try:
            ledger.record_block(batch_id, shipments, drafts, [], [], self._now)
        except KeysTaken:
            return False
        return True

    def _release(self, file: File) -> Iterator[None]:
        first = {papers.ENDPOINT: self._world.weather.manifest_first}
        self._process.ledger.release([file.batch], _WHO, self._now, first)
        file.released = True
        yield

    def _too_early(self) -> None:
        """Somebody presses the button for a batch that is not complete."""
        first = {papers.ENDPOINT: self._world.weather.manifest_first}
        ledger = self._process.ledger
        for batch in ledger.batches():
            if batch.state == "recording":
                try:
                    ledger.release([batch.id], _WHO, self._now, first)
                except LedgerError as error:
                    if "cannot be submitted" not in error.text("en"):
                        raise

    # -- afterwards

    def _attempts(self, state: str) -> list[AttemptRecord]:
        return self._process.ledger.attempts_in(states=[state])

    def _due(self, attempt: AttemptRecord, now: datetime) -> bool:
        if self._world.weather.look_up:
            return False
        since = attempt.unknown_since
        return since is not None and china_time.parse(since) + ANSWER_DUE <= now

    def _resolve(self, attempt: AttemptRecord) -> Iterator[None]:
        port, ident = self._world.port, str(attempt.message_id)
        filing = port.filings.get(ident)
        if filing and filing.declined and not filing.arrivals and self._world.whim.random() < 0.5:
            said = "declined"
        else:
            said = "received" if port.ring_up(ident) else "not-received"
        self._world.trace.note("desk", "rings up", attempt.message_id, said)
        self._process.ledger.resolve(attempt.id, said, "rang the port up", _WHO, self._now)
        yield

    def _meddle(self) -> None:
        """One verb over one message, whatever becomes of it at this moment."""
        whim, ledger = self._world.whim, self._process.ledger
        alive = [a for a in ledger.attempts_in() if a.live]
        stopped = [a for a in alive if a.state == "suspended"]
        if not alive:
            return
        moving = [a for a in alive if a.state not in ("prepared", "suspended")]
        verb = whim.choice(("suspend", "resume", "void"))
        again = [a for a in moving if a.state == "not_received"]
        chosen = whim.choice((stopped if verb == "resume" else again) or moving or alive)
        if verb == "void" and chosen.state == "awaiting_manifest" and whim.random() < 0.7:
            return  # not so often: what is voided is declared by nobody
        for one in self._rule(verb, chosen):
            if verb == "void" and not one.why and one.kind == "manifest":
                self._list_again(chosen)

    def _rule(self, verb: str, attempt: AttemptRecord) -> list[Ruling]:
        """Say it of one message (a manifest: of every part of it)."""
        ledger, now = self._process.ledger, self._now
        which = Selection([attempt.house_waybill or attempt.master_waybill])
        if verb == "suspend":
            done = ledger.suspend(which, _WHY, _WHO, now)
        elif verb == "void":
            done = ledger.void(which, _WHY, _WHO, now, _holds)
        else:
            first = {papers.ENDPOINT: self._world.weather.manifest_first}
            done = ledger.resume(which, _WHY, _WHO, now, first)
        for one in done:
            self._world.trace.note("desk", verb, one.key, one.from_state, one.to_state, one.why)
        return done

    def _list_again(self, manifest: AttemptRecord) -> None:
        """The file of a voided manifest is handed in again, which makes a new one."""
        folder = self._world.folder
        (first,) = [
            f for f in folder.files
            if f.listed and papers.master(f.flight) == manifest.master_waybill
            and f.name.startswith("day") and "-listed-" not in f.name
        ]  # fmt: skip
        name = f"{first.name}-listed-{manifest.number + 1}"
        if all(file.name != name for file in folder.files):
            folder.put(File(name, first.flight, dict(first.parcels), listed=True))

    def _hand_in_what_was_forgotten(self) -> None:
        """What counts as filed with a file that nobody wanted in the end is handed in again, as reconcile says."""
        folder, ledger = self._world.folder, self._process.ledger
        if all(file.wanted for file in folder.files):
            return
        told = {d.where.split()[0] for d in differences(ledger) if d.what == "filed_nowhere"}
        known = {file.name for file in folder.files}
        for file in [f for f in folder.files if f.batch in told]:
            name = f"{file.name}-forgotten"
            if name not in known:
                manifests = ledger.attempts_of(papers.master(file.flight))
                listed = not any(m.live for m in manifests)
                folder.put(File(name, file.flight, dict(file.parcels), listed=listed))

    def _mine(self, attempt: AttemptRecord) -> bool:
        """Whether a person voided it and its key is free: not with its whole batch, not for an older one that stands."""
        ledger = self._process.ledger
        if any(a.live for a in ledger.attempts_of(attempt.house_waybill or attempt.master_waybill)):
            return False
        return ledger.timeline(attempt.id)[-1].detail.get("reason") == _WHY

    def _resume_all(self) -> Iterator[None]:
        for attempt in suspended(self._process.ledger):
            self._rule("resume", attempt)
            yield

    def _again(self, now: datetime) -> Iterator[None] | None:
        """What was refused is handed in once more, corrected: a new attempt under the same key."""
        if self._world.calm:
            return None
        folder, long_ago = self._world.folder, china_time.iso(now - AGAIN_AFTER)
        free = {a.key: a for state in REFUSED for a in self._attempts(state) if not a.live}
        free |= {a.key: a for a in self._attempts("voided") if a.final and self._mine(a)}
        old = [a for a in free.values() if a.kind == "declaration" and a.state_since <= long_ago]
        if not old:
            return None
        flight, number = papers.numbers(old[0].key)
        name = f"again-{number}-{old[0].number}"
        if all(file.name != name for file in folder.files):
            folder.put(File(name, flight, {number: old[0].number + 1}, listed=False))
        return None
