"""What is handed to the ledger and what it hands back. Rows that come in thousands are named tuples."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from crossborder.errors import LedgerError
from crossborder.ledger.bodies import Payload
from crossborder.ledger.posted import partner_of


class KeysTaken(LedgerError):
    """Between asking and recording, other attempts under these keys became live. Nothing was recorded.

    Ask `known` again, hand those shipments in as already filed (or with a finding), and record the block anew.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__(
            f"{len(keys)} business keys were taken meanwhile by another hand-in",
            f"{len(keys)} 个业务主键已被另一批次占用",
            fix_en="hand the file in again",
            fix_zh="请重新提交该文件",
        )
        self.keys = keys


class KeyInUse(LedgerError):
    """A request under the same Idempotency-Key has begun a batch already: it is sealed, or another process records it."""

    def __init__(self, batch_id: str) -> None:
        super().__init__(
            "another request with this Idempotency-Key is being worked on",
            "同一 Idempotency-Key 的另一请求正在处理",
            fix_en="send the same request again in a moment",
            fix_zh="请稍后重发同一请求",
        )
        self.batch_id = batch_id


# ------------------------------------------------------------------ recording a batch


@dataclass(frozen=True)
class BatchDraft:
    """What is known of a hand-in before its first shipment is recorded.

    The same `source_digest`, `mapping` and `profile` as a batch that a dead process left unsealed continue that
    batch, if the same partner (or no partner) brought it. `day` is the working day `yyyyMMdd` (empty: the day of `now`
    in China). `rows` may be 0 until the batch is sealed. `idempotency` is (api key id, Idempotency-Key) of the request that brought it.
    """

    source_name: str
    source_digest: str
    mapping: str
    profile: str
    rows: int = 0
    day: str = ""
    idempotency: tuple[int, str] | None = None


@dataclass(frozen=True)
class BatchRecord:
    """A batch as the ledger holds it. `recorded` shipments are committed: the next position to record."""

    id: str
    day: str
    state: str
    source_name: str
    source_digest: str
    mapping: str
    profile: str
    rows: int
    recorded: int
    counts: Mapping[str, int]
    created_at: str
    sealed_at: str | None
    submitted_at: str | None
    submitted_by: str | None
    continued: bool = False

    def brought_by(self, partner: str | None) -> bool:
        """Whether a partner posted it; None: whoever brought it."""
        return partner is None or partner_of(self.source_name) == partner


class ShipmentRow(NamedTuple):
    """One shipment handed in, whatever became of it. Positions of a batch count from 0 without gaps.

    `outcome` is one of `states.OUTCOMES`. `rows` are the source rows (`"5-7,9"`), `row_count` how many.
    `attempt_id` only for already_filed (the live attempt); for prepared the ledger sets it. `house_key` is the
    house waybill normalised; left out, the ledger makes it.
    """

    position: int
    key: str | None
    master_waybill: str | None
    house_waybill: str | None
    shown_as: str
    direction: str | None
    declaration_class: str | None
    rows: str
    row_count: int
    outcome: str
    content_digest: str | None
    attempt_id: int | None = None
    house_key: str | None = None


class HouseRow(NamedTuple):
    """A house waybill that a manifest lists: the key of its declaration, the waybill as written."""

    declaration_key: str
    house_waybill: str


class AttemptDraft(NamedTuple):
    """A declaration or a manifest to be kept, with its composed bytes.

    `position` is the shipment's (None for a manifest). `houses` are what a manifest lists. The attempt's number
    is counted by the ledger.
    """

    kind: str
    message_type: str
    key: str
    endpoint: str
    master_waybill: str
    house_waybill: str | None
    voyage: str | None
    direction: str
    content_digest: str
    body: bytes
    position: int | None = None
    houses: Sequence[HouseRow] = ()


AttemptRow = tuple[str, str, str, str, str, str | None, str | None, str, str]
"""The first nine fields of an `AttemptDraft`: `kind` to `content_digest`."""


@dataclass(frozen=True)
class Attempts:
    """Attempts of a block in bulk: `rows` as plain tuples, their bytes in the same order.

    `positions` are the shipments' (None for a manifest); `houses` (number of the row, declaration key, house
    waybill) are what manifests list.
    """

    rows: Sequence[AttemptRow]
    positions: Sequence[int | None]
    payload: Payload
    houses: Sequence[tuple[int, str, str]] = ()

    @classmethod
    def of(cls, drafts: Iterable[AttemptDraft]) -> Attempts:
        """Attempts that were drafted one by one."""
        kept = list(drafts)
        return cls(
            [draft[:9] for draft in kept], [draft.position for draft in kept],
            Payload.of(draft.body for draft in kept),
            tuple((n, *house) for n, draft in enumerate(kept) for house in draft.houses),
        )  # fmt: skip

    def part(self, first: int, stop: int) -> Attempts:
        """Those of the shipments at the positions `first` to before `stop`; for declarations by position."""
        a = bisect_left(self.positions, first, key=_at)
        b = bisect_left(self.positions, stop, key=_at)
        return Attempts(self.rows[a:b], self.positions[a:b], self.payload.part(a, b))

    def without(self, numbers: Iterable[int]) -> Attempts:
        """All but some, by the number of their row."""
        dropped = set(numbers)
        kept = [n for n in range(len(self.rows)) if n not in dropped]
        now = {before: n for n, before in enumerate(kept)}
        return Attempts(
            [self.rows[n] for n in kept], [self.positions[n] for n in kept], self.payload.without(dropped),
            tuple((now[n], key, house) for n, key, house in self.houses if n in now),
        )  # fmt: skip


def _at(position: int | None) -> int:
    return -1 if position is None else position


class Settled(NamedTuple):
    """What only the whole hand-in shows of a shipment that was recorded as something better.

    `outcome` is one of `states.SETTLED`; it counts unless the shipment's own is worse.
    """

    position: int
    outcome: str


class FindingRow(NamedTuple):
    """A finding kept with its batch; `position` None means the file as a whole; `record` is its JSON."""

    position: int | None
    rule: str
    severity: str
    action: str
    record: str


class Known(NamedTuple):
    """The latest attempt under a key. `sealed` is false while its batch is still being recorded."""

    key: str
    attempt_id: int
    number: int
    live: bool
    state: str
    final: bool
    released: bool
    content_digest: str
    batch_id: str
    sealed: bool
    endpoint: str
    sent: bool
    last_code: str | None
    ref: PayloadRef

    @property
    def fresh_attempt(self) -> str:
        """`yes` if the key is free for a new attempt, else `no`."""
        return "no" if self.live else "yes"


class Listed(NamedTuple):
    """A house waybill on a live manifest that has not refused it."""

    declaration_key: str
    attempt_id: int
    manifest_key: str
    manifest_state: str
    house_state: str
    live: bool = True


# ------------------------------------------------------------------ outbox


class PayloadRef(NamedTuple):
    """Where bytes lie, and their SHA-256. `attempt_id` says whose they are."""

    segment: str
    offset: int
    length: int
    digest: str
    attempt_id: int | None = None


class ManifestPart(NamedTuple):
    """A live part of a manifest: 1 is the ADD. `ref` are the bytes of its draft."""

    part: int
    attempt_id: int
    ref: PayloadRef


class Draft(NamedTuple):
    """An attempt that may be queued now: read its draft with `Ledger.payload(ref, now)`, stamp it, `freeze` it."""

    attempt_id: int
    kind: str
    message_type: str
    key: str
    endpoint: str
    direction: str
    batch_id: str
    ref: PayloadRef


class Frozen(NamedTuple):
    """The final bytes of an attempt: id and moment are in them and never change again."""

    attempt_id: int
    message_id: str
    body: bytes


class Outgoing(NamedTuple):
    """A frozen message: to be sent (after `claim`) or to be asked for (`unknowns`).

    `created` is when the bytes were frozen; `sends` counts the tries, this one included; `unknown_since` is set
    for unknown ones.
    """

    attempt_id: int
    kind: str
    message_type: str
    key: str
    message_id: str
    endpoint: str
    ref: PayloadRef
    created: datetime
    sends: int
    unknown_since: datetime | None

    @property
    def digest(self) -> str:
        """SHA-256 of the frozen bytes, lower-case hexadecimal."""
        return self.ref.digest


class Sent(NamedTuple):
    """What became of one try. `outcome`: received | declined | not_received | unknown.

    `not_received` is certain: no byte was handed over; it goes again, with the same bytes, at `retry_at` (None:
    at once). `attention` names why a person must look, e.g. `other_digest`.
    """

    attempt_id: int
    outcome: str
    detail: str = ""
    retry_at: datetime | None = None
    attention: str | None = None


@dataclass(frozen=True)
class Released:
    """What letting batches go moved: attempts by state they now have."""

    batches: tuple[str, ...]
    manifests: int
    declarations: int
    awaiting_manifest: int


@dataclass(frozen=True)
class Resolution:
    """What a person's decision changes, or (dry run) would change."""

    attempt_id: int
    key: str
    from_state: str
    to_state: str
    dry_run: bool


@dataclass(frozen=True)
class Selection:
    """Which messages a verb is about: `waybills` (house: its declaration; master: its manifest), `masters` (manifest and
    declarations), `batches`. Batches beside the others narrow them down; alone they mean all of their messages.
    """

    waybills: Sequence[str] = ()
    masters: Sequence[str] = ()
    batches: Sequence[str] = ()


class Ruling(NamedTuple):
    """What a verb does, or (dry run) would do, to one message: `why` says why it is left alone, empty if it is not.

    `waiting` declarations wait for it, if it is a manifest.
    """

    attempt_id: int
    kind: str
    key: str
    batch_id: str
    from_state: str
    to_state: str
    why: str = ""
    waiting: int = 0


# ------------------------------------------------------------------ inbox


class ReceiptRef(NamedTuple):
    """A stored receipt; `new` is false if the same bytes were there already."""

    id: int
    new: bool


class StoredReceipt(NamedTuple):
    """A receipt that is stored and not yet read."""

    id: int
    endpoint: str
    name: str
    raw: bytes


class ReceiptLine(NamedTuple):
    """One thing a receipt says, as read: of a declaration (EXP302), a manifest or one of its houses (EXP312).

    `line` 0 is the head, 1… the houses. Waybills as written; `op_time` 17 digits China time or empty.
    """

    line: int
    message_type: str
    master_waybill: str
    house_waybill: str | None
    voyage: str | None
    direction: str | None
    op_type: str | None
    code: str
    op_time: str
    pre_entry_id: str | None = None
    entry_id: str | None = None
    notes: str | None = None


class Read(NamedTuple):
    """What reading a stored receipt gave: its lines, or the `problem` that makes it unreadable."""

    receipt_id: int
    message_type: str | None
    lines: tuple[ReceiptLine, ...] = ()
    problem: str | None = None


class PendingLine(NamedTuple):
    """A receipt line that reconcile must apply, or (with its outcome) already has applied."""

    id: int
    receipt_id: int
    endpoint: str
    received_at: str
    line: int
    message_type: str
    key: str
    code: str
    op_type: str | None
    op_time: str
    pre_entry_id: str | None
    entry_id: str | None
    outcome: str
    attempt_id: int | None


class Candidate(NamedTuple):
    """An attempt that a receipt may belong to: it has been handed to the endpoint at least once, and was not voided."""

    attempt_id: int
    kind: str
    key: str
    number: int
    live: bool
    batch_id: str
    direction: str
    state: str
    stage: str
    first_sent_at: str
    pre_entry_id: str | None
    entry_id: str | None
    released: bool
    final: bool
    attention: str | None
    last_code: str | None = None
    last_op_time: str | None = None


class Step(NamedTuple):
    """One move of an attempt, caused by one receipt line."""

    line: PendingLine
    from_state: str
    to_state: str


@dataclass(frozen=True)
class Move:
    """What receipts change about one attempt. `frees` is None where the key's hold does not change."""

    attempt: Candidate
    state: str
    stage: str
    final: bool
    released: bool
    last_code: str | None
    last_op_time: str | None
    pre_entry_id: str | None
    entry_id: str | None
    frees: bool | None
    steps: tuple[Step, ...] = ()
    attention: tuple[str, ...] = ()


# ------------------------------------------------------------------ looking


@dataclass(frozen=True)
class AttemptRecord:
    """An attempt as it stands. Moments are China time texts; `attention` lists why a person must look."""

    id: int
    kind: str
    message_type: str
    key: str
    number: int
    live: bool
    batch_id: str
    endpoint: str
    master_waybill: str
    house_waybill: str | None
    voyage: str | None
    direction: str
    state: str
    stage: str
    state_since: str
    message_id: str | None
    digest: str | None
    content_digest: str
    queued_at: str | None
    first_sent_at: str | None
    sends: int
    unknown_since: str | None
    pre_entry_id: str | None
    entry_id: str | None
    last_code: str | None
    last_op_time: str | None
    released: bool
    final: bool
    attention: tuple[str, ...]
    draft: PayloadRef
    frozen: PayloadRef | None


@dataclass(frozen=True)
class ShipmentRecord:
    """A shipment as it was handed in."""

    id: int
    batch_id: str
    position: int
    key: str | None
    master_waybill: str | None
    house_waybill: str | None
    shown_as: str
    direction: str | None
    declaration_class: str | None
    rows: str
    row_count: int
    outcome: str
    attempt_id: int | None


@dataclass(frozen=True)
class Event:
    """One entry of the append-only history; `detail` holds no personal data."""

    id: int
    at: str
    who: str
    verb: str
    batch_id: str | None
    attempt_id: int | None
    from_state: str | None
    to_state: str | None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ReceiptRecord:
    """A receipt line with the receipt it stands in."""

    receipt_id: int
    endpoint: str
    name: str
    received_at: str
    copies: int
    message_type: str
    line: int
    key: str
    code: str
    op_type: str | None
    op_time: str
    pre_entry_id: str | None
    entry_id: str | None
    notes: str | None
    outcome: str
    attempt_id: int | None


@dataclass(frozen=True)
class Idempotent:
    """What is known of an Idempotency-Key: `new`, and the batch it made; `same_body` false means: refuse (422)."""

    new: bool
    same_body: bool
    batch_id: str | None
