"""For tests: a ledger with filed declarations and manifests, and receipts that say what the test wants."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from tests.backends import open_ledger

from crossborder.china_time import CHINA
from crossborder.ledger import (
    AttemptDraft,
    AttemptRecord,
    BatchDraft,
    Frozen,
    HouseRow,
    Known,
    Outgoing,
    ReceiptLine,
    Sent,
    ShipmentRow,
)
from crossborder.reconcile import Applied, apply_receipts

START = datetime(2026, 11, 23, 18, 0, tzinfo=CHINA)
MASTER, VOYAGE = "99900000001", "CX123"


def house(n: int) -> str:
    return f"TST{n:06d}"


def key(n: int) -> str:
    return f"{MASTER}|{house(n)}|I"


def at(minutes: float) -> str:
    """OpTime, 17 digits, so many minutes after START."""
    moment = START + timedelta(minutes=minutes)
    return moment.strftime("%Y%m%d%H%M%S") + f"{moment.microsecond // 1000:03d}"


class Book:
    """A ledger, a clock that the test moves, and everything between handing in and receipts done for it."""

    def __init__(self, home: Path) -> None:
        self.ledger = open_ledger(home)
        self.now = START
        self._receipts = itertools.count(1)
        self._files = itertools.count(1)

    def later(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    @property
    def owner(self) -> str:
        return f"{self.ledger.owner}/w"

    def hand_in(
        self,
        numbers: Iterable[int],
        *,
        listed: Iterable[int] | None = (),
        part: int = 1,
        outcomes: Mapping[int, str] | None = None,
        content: str = "",
        release: bool = True,
        manifest_first: bool = False,
    ) -> str:
        """A sealed batch: declarations of `numbers` (those of `outcomes` only as shipments), a manifest of `listed`."""
        name = f"{next(self._files)}.csv"
        digest = hashlib.sha256(name.encode()).hexdigest()
        batch = self.ledger.begin_batch(BatchDraft(name, digest, "canonical", "demo"), self.now)
        said = {**dict.fromkeys(numbers, "prepared"), **(outcomes or {})}
        rows, drafts = [], []
        for position, (n, outcome) in enumerate(said.items()):
            rows.append(
                ShipmentRow(position, key(n), MASTER, house(n), house(n), "I", "B", f"{position + 2}",
                            1 + n % 3, outcome, digest, self._live(n, outcome))
            )  # fmt: skip
            if outcome == "prepared":
                body = f"<EXP301>{house(n)} {content}</EXP301>".encode()
                drafts.append(
                    AttemptDraft("declaration", "EXP301", key(n), "hangzhou", MASTER, house(n), VOYAGE, "I",
                                 digest, body, position)
                )  # fmt: skip
        houses = [HouseRow(key(n), house(n)) for n in listed or ()]
        if houses:
            drafts.append(
                AttemptDraft("manifest", "EXP311", f"{MASTER}|{VOYAGE}|I|{part}", "hangzhou", MASTER, None,
                             VOYAGE, "I", digest, repr(houses).encode(), None, houses)
            )  # fmt: skip
        self.ledger.record_block(batch.id, rows, drafts, [], [], self.now)
        counts: dict[str, int] = {}
        for outcome in said.values():
            counts[outcome] = counts.get(outcome, 0) + 1
        self.ledger.seal(batch.id, counts, self.now, rows=sum(r.row_count for r in rows))
        if release:
            self.ledger.release([batch.id], "tester", self.now, {"hangzhou": manifest_first})
        return batch.id

    def _live(self, n: int, outcome: str) -> int | None:
        return self.ledger.known([key(n)])[0].attempt_id if outcome == "already_filed" else None

    def queue(self) -> int:
        drafts = self.ledger.freezable(1000)
        serials = self.ledger.reserve_serials(len(drafts))
        frozen = [
            Frozen(d.attempt_id, f"ID{n:011d}", b"<!-- %d -->" % n + self.ledger.payload(d.ref, self.now))
            for d, n in zip(drafts, serials, strict=True)
        ]  # fmt: skip
        return len(self.ledger.freeze(frozen, self.now))

    def send(self, outcome: str = "received", limit: int = 1000) -> list[Outgoing]:
        """Freeze, claim and answer whatever waits."""
        self.queue()
        claimed = self.ledger.claim("hangzhou", self.owner, limit, self.now, timedelta(minutes=2))
        answers = [Sent(o.attempt_id, outcome) for o in claimed]
        self.ledger.record_outcomes(answers, self.now, self.owner)
        return claimed

    def filed(self, numbers: Iterable[int]) -> str:
        """Handed in, let go, sent and received."""
        batch = self.hand_in(numbers)
        self.send()
        return batch

    def say(self, n: int, code: str, minutes: float, **more: str | None) -> int:
        """An EXP302 about house `n`; applied only by `apply`."""
        line = ReceiptLine(0, "EXP302", MASTER, house(n), None, "I", "ADD", code, at(minutes))
        return self.store([line._replace(**more)])  # type: ignore[arg-type]  # fields by name

    def say_manifest(
        self,
        code: str | None,
        minutes: float,
        houses: Mapping[int, str] | None = None,
        voyage: str | None = VOYAGE,
    ) -> int:
        """An EXP312: head `code`, and codes of houses."""
        head = ReceiptLine(0, "EXP312", MASTER, None, voyage, None, None, code or "", at(minutes))
        lines = [head] if code is not None else []
        lines += [
            head._replace(line=i, house_waybill=house(n), code=said)
            for i, (n, said) in enumerate((houses or {}).items(), 1)
        ]
        return self.store(lines)

    def store(self, lines: Sequence[ReceiptLine]) -> int:
        number = next(self._receipts)
        ref = self.ledger.store_receipt("hangzhou", f"{number}.xml", b"receipt %d" % number, self.now)  # fmt: skip
        self.ledger.save_read(ref.id, lines[0].message_type, lines)
        return ref.id

    def apply(self) -> Applied:
        """Apply everything that waits."""
        done = Applied(0)
        while (one := apply_receipts(self.ledger, 7, self.now)).lines:
            done = done + one
        return done

    def told(self, n: int, *said: tuple[str, float]) -> AttemptRecord:
        """Receipts about house `n`, applied one by one; the attempt afterwards."""
        for code, minutes in said:
            self.say(n, code, minutes)
            self.apply()
        return self.of(n)

    def of(self, n: int) -> AttemptRecord:
        """The newest attempt of house `n`."""
        return self.ledger.attempts_of(house(n))[-1]

    def known(self, n: int) -> Known:
        return self.ledger.known([key(n)])[0]

    def outcomes(self, n: int) -> list[tuple[str, str]]:
        """(code, outcome) of every receipt about house `n`, in the order they came."""
        lines = sorted(self.ledger.receipts_for(key(n)), key=lambda r: r.receipt_id)
        return [(r.code, r.outcome) for r in lines]
