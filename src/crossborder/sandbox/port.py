"""The port behind its doors: takes messages in, remembers them, and answers over time.

A message is recorded and scheduled in one transaction before its sender is answered. Everything later
(judging, the data centre, customs) happens in `step`, which one thread calls whenever something is due.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from crossborder.errors import InputError
from crossborder.sandbox.declarations import Declarations
from crossborder.sandbox.endings import NO_ENDING, Ending, Wire, ending_of, normalise
from crossborder.sandbox.faults import Faults
from crossborder.sandbox.manifests import Manifests
from crossborder.sandbox.mix import Mix, result_codes
from crossborder.sandbox.outbox import Outbox
from crossborder.sandbox.reading import Incoming, read
from crossborder.sandbox.storage import Row, Store, packed

BATCH = 32
Outcome = Literal["received", "duplicate", "conflict", "declined", "not_taken"]
Door = Literal["http", "folder"]


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the sender says of a message beside it; an empty text says nothing."""

    message_id: str = ""
    message_type: str = ""
    digest: str = ""

    def compare(self, incoming: Incoming, digest: str) -> None:
        """Raise `InputError` if what was said is not what is in the message."""
        for name, said, true in (
            ("X-Content-SHA256", self.digest.lower(), digest),
            ("X-Message-Id", self.message_id, incoming.message_id),
            ("X-Message-Type", self.message_type, incoming.message_type),
        ):
            if said and said != true:
                raise InputError(f"{name} does not agree with the body", f"{name} 与报文内容不一致")


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one arrival. `digest` is that of the message already there, where there is one.

    `wire` is how the HTTP door is to misbehave, `wait` by how many real seconds it is to be late.
    """

    arrival: int
    outcome: Outcome
    message_id: str
    digest: str
    reason_zh: str = ""
    reason_en: str = ""
    wire: Wire = "normal"
    wait: float = 0.0


class Port:
    """The life of all messages of one sandbox; `take` from any thread, `step` from one."""

    def __init__(
        self,
        store: Store,
        *,
        mix: Mix,
        faults: Faults,
        seed: int,
        speed: float,
        require_manifest: bool,
        districts: dict[str, tuple[str, ...]],
        wake: Callable[[], None],
    ) -> None:
        self._store, self._mix, self._faults = store, mix, faults
        self._seed, self._speed, self._wake = seed, speed, wake
        self._codes = result_codes("EXP302")
        outbox = Outbox(store, mix, seed)
        self._declarations = Declarations(
            store, mix, faults, seed, outbox, require_manifest=require_manifest, districts=districts
        )
        self._manifests = Manifests(store, faults, seed, outbox)

    def take(
        self,
        endpoint: str,
        door: Door,
        body: bytes,
        *,
        file: str = "",
        claimed: Claimed | None = None,
    ) -> Taken:
        """Count an arrival and file its message unless it is there already or cannot be read."""
        digest = hashlib.sha256(body).hexdigest()
        said = claimed or Claimed()
        try:
            incoming = read(body)
            said.compare(incoming, digest)
        except InputError as refusal:
            return self.refuse(
                endpoint, door, said.message_id, refusal, digest=digest, size=len(body), file=file
            )
        with self._store.work():
            taken = self._take(endpoint, door, incoming, body, digest, file)
        if taken.outcome == "received":
            self._wake()
        return taken

    def refuse(
        self,
        endpoint: str,
        door: Door,
        message_id: str,
        refusal: InputError,
        *,
        digest: str = "",
        size: int = 0,
        file: str = "",
    ) -> Taken:
        """Count an arrival that is not taken; nothing is kept of it but its size and digest."""
        arrival = self._arrived(
            endpoint, door, message_id, digest, size, "declined", refusal.en, file
        )
        return Taken(arrival, "declined", message_id, digest, refusal.zh, refusal.en)

    def _take(
        self, endpoint: str, door: Door, incoming: Incoming, body: bytes, digest: str, file: str
    ) -> Taken:
        message_id, size = incoming.message_id, len(body)
        there = self._store.one(
            "SELECT digest FROM messages WHERE endpoint = ? AND message_id = ?",
            endpoint,
            message_id,
        )
        if there is not None:
            same = there["digest"] == digest
            outcome: Outcome = "duplicate" if same else "conflict"
            arrival = self._arrived(endpoint, door, message_id, digest, size, outcome, "", file)
            return Taken(
                arrival,
                outcome,
                message_id,
                there["digest"],
                "" if same else "该报文编号已有内容不同的报文",
                "" if same else "another message is already filed under this id",
            )
        filing = _Filing.of(incoming, self._store)
        ending = self._ending(filing)
        wire = (
            ending.wire if ending.wire != "normal" else self._faults.wire(self._seed, filing.draw)
        )
        if wire == "decline":
            arrival = self._arrived(
                endpoint, door, message_id, digest, size, "declined", wire, file
            )
            text = (
                "分运单号的特殊结尾要求拒收",
                "declined as the ending of the house waybill asks",
            )
            return Taken(arrival, "declined", message_id, digest, *text)
        if wire == "not_taken_first" and door == "http" and not self._seen(endpoint, message_id):
            arrival = self._arrived(
                endpoint, door, message_id, digest, size, "not_taken", wire, file
            )
            return Taken(arrival, "not_taken", message_id, digest, wire=wire)
        if wire == "not_taken_first":
            wire = "normal"
        arrival = self._arrived(endpoint, door, message_id, digest, size, "received", "", file)
        self._file(endpoint, door, incoming, body, digest, filing, ending)
        wait = self._faults.wait(self._seed, filing.draw)
        return Taken(arrival, "received", message_id, digest, wire=wire, wait=wait)

    def _file(
        self,
        endpoint: str,
        door: Door,
        incoming: Incoming,
        body: bytes,
        digest: str,
        filing: _Filing,
        ending: Ending,
    ) -> None:
        head, document = incoming.document.head, incoming.document
        values = {
            "endpoint": endpoint,
            "door": door,
            "message_id": incoming.message_id,
            "message_type": incoming.message_type,
            "sender": incoming.sender,
            "op_type": head.get("OpType", ""),
            "master": head.get("BillNo", ""),
            "house": filing.house,
            "direction": head.get("IEFlag", ""),
            "voyage": head.get("VoyageNo", ""),
            "ie_date": head.get("IEDate", ""),
            "decl_port": head.get("DeclPort", ""),
            "houses": len(document.lines) if incoming.message_type == "EXP311" else 0,
            "key": filing.key,
            "scope": filing.scope,
            "digest": digest,
            "body": packed(body),
            "at": time.time(),
            "attempt": filing.attempt,
            "repeat_of": filing.repeat_of,
            "lives": 1 if filing.repeat_of is None else 0,
        }
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        number = self._store.run(
            f"INSERT INTO messages ({columns}) VALUES ({marks})", *values.values()
        )
        answers = ending.answers
        if answers == "normal":
            answers = self._faults.answers(self._seed, filing.draw)
        manifest = incoming.message_type == "EXP311"
        silent = manifest and self._faults.manifest(head.get("BillNo", "")) == "never"
        if answers != "never" and not silent:
            self._schedule(number, 0, "DY" if manifest else "D0", filing.draw)

    def _ending(self, filing: _Filing) -> Ending:
        if not filing.house or filing.repeat_of is not None:
            return NO_ENDING
        return ending_of(filing.house, filing.attempt, self._codes)

    def _seen(self, endpoint: str, message_id: str) -> bool:
        sql = "SELECT 1 FROM arrivals WHERE endpoint = ? AND message_id = ? LIMIT 1"
        return self._store.one(sql, endpoint, message_id) is not None

    def _arrived(
        self,
        endpoint: str,
        door: Door,
        message_id: str,
        digest: str,
        size: int,
        outcome: Outcome,
        reason: str,
        file: str,
    ) -> int:
        return self._store.run(
            "INSERT INTO arrivals (endpoint, door, at, message_id, digest, size, outcome, reason, file,"
            " settled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            endpoint, door, time.time(), message_id, digest, size, outcome, reason, file, int(not file),
        )  # fmt: skip

    def _schedule(self, message: int, step: int, code: str, draw: str) -> None:
        seconds = self._mix.delay(self._seed, code, draw)
        due = time.time() + (seconds / self._speed if self._speed > 0 else 0.0)
        self._store.run(
            "INSERT INTO schedule (due, message, step) VALUES (?, ?, ?)", due, message, step
        )

    def step(self) -> int:
        """Do what is due, at most `BATCH` answers, in one transaction; returns how many were done."""
        due = self._store.all(
            "SELECT n, message, step FROM schedule WHERE due <= ? ORDER BY due, n LIMIT ?",
            time.time(),
            BATCH,
        )
        if not due:
            return 0
        with self._store.work():
            for event in due:
                row = self._store.one("SELECT * FROM messages WHERE n = ?", event["message"])
                if row is not None:
                    self._answer(row, event["step"])
                self._store.run("DELETE FROM schedule WHERE n = ?", event["n"])
        return len(due)

    def _answer(self, row: Row, step: int) -> None:
        kind = self._declarations if row["message_type"] == "EXP301" else self._manifests
        following = kind.answer(row, step)
        if following:
            self._schedule(row["n"], step + 1, following, f"{row['key']}|{row['attempt']}")

    def next_due(self) -> float | None:
        """When the next answer is due, in seconds since the epoch; None if nothing is."""
        row = self._store.one("SELECT min(due) AS due FROM schedule")
        return None if row is None else row["due"]


@dataclass(frozen=True, slots=True)
class _Filing:
    """What a message is to the port before it is filed."""

    house: str
    key: str
    scope: str
    attempt: int
    repeat_of: int | None

    @property
    def draw(self) -> str:
        return f"{self.key}|{self.attempt}"

    @classmethod
    def of(cls, incoming: Incoming, store: Store) -> _Filing:
        head = incoming.document.head
        master, voyage, direction = (_part(head, name) for name in ("BillNo", "VoyageNo", "IEFlag"))
        scope = f"{master}|{voyage}|{direction}"
        house = head.get("AssBillNo", "") if incoming.message_type == "EXP301" else ""
        if incoming.message_type == "EXP301":
            key = f"{master}|{_part(head, 'AssBillNo')}|{direction}"
        else:
            key = f"{incoming.message_type}|{scope}|{head.get('OpType', '')}"
        earlier = store.all(
            "SELECT n, lives FROM messages WHERE key = ? AND repeat_of IS NULL ORDER BY n", key
        )
        alive = next((row["n"] for row in earlier if row["lives"]), None)
        if incoming.message_type == "EXP311" and head.get("OpType") == "APD":
            alive = None
        return cls(house, key, scope, len(earlier), alive)


def _part(head: dict[str, str], element: str) -> str:
    return normalise(head.get(element, "")).replace("|", "/")
