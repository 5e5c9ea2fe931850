"""What holds declarations up: their manifest, as a rule; and what is to be done about it.

The closing account counts shipments. What became of manifests stands in none of its lines, and a declaration that
waits for a manifest waits as long as nobody looks at that one: this is what is said beside the account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, func, or_, select

from crossborder.ledger import Ledger, tables
from crossborder.ledger.states import (
    ACCEPTED,
    AWAITING_MANIFEST,
    DECLARATION,
    HOUSE_REFUSED,
    MANIFEST,
    NOT_RECEIVED,
    PREPARED,
    QUEUED,
    SENDING,
    SUSPENDED,
    UNKNOWN,
)
from crossborder.reconcile import causes

A = tables.attempts
B = tables.batches
H = tables.manifest_houses
_TO_SEND = (QUEUED, SENDING, NOT_RECEIVED)
_DAMAGED = "payload_damaged"


@dataclass(frozen=True)
class Holdup:
    """Messages of one batch and endpoint that stand still for one reason, and the declarations that wait for them.

    `what` is a stable name, a key of `causes.CAUSES`. `masters`: master waybills of manifests that stand still.
    `waiting` declarations, of the batches `waiting_in`, cannot go before. `since`: when the latest of them came to
    stand there (China time).
    """

    what: str
    batch: str
    endpoint: str
    messages: int
    since: str
    masters: tuple[str, ...] = ()
    waiting: int = 0
    waiting_in: tuple[str, ...] = ()

    @property
    def person(self) -> bool:
        """Whether it stays so until a person does something."""
        return causes.CAUSES[self.what].person

    def cause(self, lang: str, *, named: bool = True) -> str:
        """How many of what stand still, and why; `named`: with endpoint and batch."""
        where = (self.endpoint, self.batch) if named else None
        return causes.cause(self.what, where, self.messages, self.waiting, lang)

    def remedy(self, lang: str) -> str:
        """What to do, with the command."""
        return causes.remedy(self.what, self.batch, self.masters, self.waiting_in, lang)

    def as_dict(self) -> dict[str, Any]:
        """As `--json` shows it."""
        return {
            "what": self.what, "batch": self.batch, "endpoint": self.endpoint, "messages": self.messages,
            "since": self.since, "masters": list(self.masters), "waiting": self.waiting, "waiting_in": list(self.waiting_in),
            "needs_person": self.person, "zh": self.cause("zh"), "en": self.cause("en"),
            "fix": self.remedy("en"), "fix_zh": self.remedy("zh"),
        }  # fmt: skip


class _Held(NamedTuple):
    """A manifest that stands still, and how many declarations of one batch wait for it."""

    what: str
    manifest: RowMapping
    waiting: int = 0
    waiting_in: str = ""


def holdups(ledger: Ledger, batch_ids: Sequence[str]) -> list[Holdup]:
    """What holds up declarations of these batches, and what became of their manifests; in the order of `CAUSES`.

    A manifest of another batch is named where declarations of these wait for it. What moves by itself and merely
    takes its time is in it too (`person` is false).
    """
    with ledger.read() as connection:
        held = [*_awaited(connection, batch_ids), *_ended(connection, batch_ids)]
        held += _listed_nowhere(connection, batch_ids)
        found = [*_gathered(held), *_declarations(connection, batch_ids)]
        found += _not_submitted(connection, batch_ids)
    order = list(causes.CAUSES)
    return sorted(found, key=lambda h: (order.index(h.what), h.batch, h.endpoint))


def _awaited(connection: Connection, batch_ids: Sequence[str]) -> Iterator[_Held]:
    """Per batch: the manifests that waiting declarations stand on last, or the earlier part those wait for."""
    waits, manifest = A.alias(), A.alias()
    last = (
        select(waits.c.batch_id, waits.c.key, func.max(H.c.attempt_id).label("manifest"))
        .join(H, H.c.declaration_key == waits.c.key)
        .join(manifest, manifest.c.id == H.c.attempt_id)
        .join(B, (B.c.id == manifest.c.batch_id) & (B.c.state == "sealed"))
        .where(waits.c.kind == DECLARATION, waits.c.state == AWAITING_MANIFEST)
        .where(waits.c.batch_id.in_(list(batch_ids)), manifest.c.state != "voided")
        .group_by(waits.c.batch_id, waits.c.key)
        .subquery()
    )
    house = (H.c.attempt_id == last.c.manifest) & (H.c.declaration_key == last.c.key)
    counted = (
        select(last.c.manifest, last.c.batch_id, H.c.state, func.count())
        .join(H, house)
        .group_by(last.c.manifest, last.c.batch_id, H.c.state)
        .order_by(last.c.manifest, last.c.batch_id)
    )
    for number, waiting_in, house_state, waiting in connection.execute(counted).all():
        stands_on = connection.execute(_manifests().where(A.c.id == number)).mappings().one()
        first = _first_open(connection, stands_on)
        what = _why(first)
        if what is None and house_state == HOUSE_REFUSED:
            what = "house_refused"
        if what is not None:
            yield _Held(what, first, waiting, waiting_in)


def _listed_nowhere(connection: Connection, batch_ids: Sequence[str]) -> Iterator[_Held]:
    """Per batch: waiting declarations whose manifests were all voided."""
    waits, manifest = A.alias(), A.alias()
    stands = (
        select(H.c.attempt_id)
        .join(manifest, manifest.c.id == H.c.attempt_id)
        .where(H.c.declaration_key == waits.c.key, manifest.c.state != "voided")
    )
    last = (
        select(waits.c.batch_id, waits.c.key, func.max(H.c.attempt_id).label("manifest"))
        .join(H, H.c.declaration_key == waits.c.key)
        .where(waits.c.kind == DECLARATION, waits.c.state == AWAITING_MANIFEST)
        .where(waits.c.batch_id.in_(list(batch_ids)), ~stands.correlate(waits).exists())
        .group_by(waits.c.batch_id, waits.c.key)
        .subquery()
    )
    counted = (
        select(last.c.manifest, last.c.batch_id, func.count())
        .group_by(last.c.manifest, last.c.batch_id)
        .order_by(last.c.manifest, last.c.batch_id)
    )
    for number, waiting_in, waiting in connection.execute(counted).all():
        voided = connection.execute(_manifests().where(A.c.id == number)).mappings().one()
        yield _Held("manifest_voided", voided, waiting, waiting_in)


def _first_open(connection: Connection, manifest: RowMapping) -> RowMapping:
    """The manifest itself, or the part of it that must be accepted before it may be queued."""
    while manifest["state"] == PREPARED and not manifest["ready"]:
        stem, _, part = manifest["key"].rpartition("|")
        before = _manifests().where(A.c.key == f"{stem}|{int(part) - 1}", A.c.live)
        found = connection.execute(before).mappings().first()
        if found is None or found["state"] == ACCEPTED:
            return manifest
        manifest = found
    return manifest


def _ended(connection: Connection, batch_ids: Sequence[str]) -> Iterator[_Held]:
    """Manifests of these batches that are unknown, suspended or refused; those not repaired since."""
    later = A.alias()
    repaired = select(later.c.id).where(
        later.c.kind == MANIFEST, later.c.key == A.c.key, later.c.number > A.c.number
    )
    bad = A.c.state.in_((UNKNOWN, SUSPENDED)) | (A.c.final & (A.c.state != ACCEPTED))
    query = _manifests().where(A.c.batch_id.in_(list(batch_ids)), bad, ~repaired.exists())
    for manifest in connection.execute(query.order_by(A.c.id)).mappings().all():
        what = _why(manifest)
        if what is not None:
            yield _Held(what, manifest)


def _manifests() -> Select[Any]:
    return (
        select(
            A.c.id, A.c.key, A.c.batch_id, A.c.endpoint, A.c.master_waybill, A.c.state, A.c.state_since, A.c.attention, A.c.ready,
            A.c.final, B.c.submitted_at,
        )
        .join(B, B.c.id == A.c.batch_id)
        .where(A.c.kind == MANIFEST)
    )  # fmt: skip


def _why(manifest: RowMapping) -> str | None:
    """Why a manifest that declarations wait for has not been accepted; None if it has."""
    state = manifest["state"]
    if state == ACCEPTED or state == "voided":
        return None
    if state == PREPARED and not manifest["ready"] and manifest["submitted_at"] is None:
        return "manifest_not_submitted"
    if state in (PREPARED, *_TO_SEND):
        return "manifest_not_sent"
    if state == UNKNOWN:
        return "manifest_unknown"
    if state == SUSPENDED:
        return "manifest_damaged" if _damaged(manifest["attention"]) else "manifest_suspended"
    return "manifest_refused" if manifest["final"] else "manifest_unanswered"


def _damaged(attention: str | None) -> bool:
    return _DAMAGED in (attention or "").split(",")


def _gathered(held: Iterable[_Held]) -> list[Holdup]:
    """Those of one reason, batch and endpoint together; a manifest counts once, whoever waits for it."""
    groups: dict[tuple[str, str, str], list[_Held]] = {}
    for one in held:
        key = (one.what, one.manifest["batch_id"], one.manifest["endpoint"])
        groups.setdefault(key, []).append(one)
    return [
        Holdup(
            what, batch, endpoint, len({h.manifest["id"] for h in mine}), max(h.manifest["state_since"] for h in mine),
            tuple(sorted({h.manifest["master_waybill"] for h in mine})),
            sum(h.waiting for h in mine), tuple(sorted({h.waiting_in for h in mine if h.waiting_in})),
        )
        for (what, batch, endpoint), mine in groups.items()
    ]  # fmt: skip


def _declarations(connection: Connection, batch_ids: Sequence[str]) -> Iterator[Holdup]:
    """Declarations that stand still for a reason of their own."""
    query = (
        select(A.c.batch_id, A.c.endpoint, A.c.state, A.c.attention, func.count(), func.max(A.c.state_since))
        .where(A.c.kind == DECLARATION, A.c.batch_id.in_(list(batch_ids)))
        .where(A.c.state.in_((UNKNOWN, SUSPENDED, *_TO_SEND)))
        .group_by(A.c.batch_id, A.c.endpoint, A.c.state, A.c.attention)
    )  # fmt: skip
    found: dict[tuple[str, str, str], tuple[int, str]] = {}
    for batch, endpoint, state, attention, count, since in connection.execute(query):
        what = "declaration_unknown" if state == UNKNOWN else "declaration_not_sent"
        if state == SUSPENDED:
            what = "declaration_damaged" if _damaged(attention) else "declaration_suspended"
        before, latest = found.get((what, batch, endpoint), (0, ""))
        found[what, batch, endpoint] = (before + count, max(latest, since))
    for (what, batch, endpoint), (count, since) in found.items():
        yield Holdup(what, batch, endpoint, count, since)


def _not_submitted(connection: Connection, batch_ids: Sequence[str]) -> Iterator[Holdup]:
    """Messages of batches that nobody has let go, and declarations of shipments that were let pass afterwards."""
    query = (
        select(A.c.batch_id, A.c.endpoint, func.count(), func.max(A.c.state_since))
        .join(B, B.c.id == A.c.batch_id)
        .where(A.c.batch_id.in_(list(batch_ids)), A.c.state == PREPARED, ~A.c.ready)
        .where(B.c.state == "sealed", or_(B.c.submitted_at.is_(None), A.c.kind == DECLARATION))
        .group_by(A.c.batch_id, A.c.endpoint)
    )
    for batch, endpoint, count, since in connection.execute(query):
        yield Holdup("not_submitted", batch, endpoint, count, since)
