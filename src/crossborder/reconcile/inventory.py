"""Counting: batches, shipments, attempts and manifest houses against each other."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, and_, case, exists, func, or_, select

from crossborder.ledger import tables
from crossborder.ledger.states import HOUSE_REFUSED, OUTCOMES, SETTLED
from crossborder.reconcile.difference import Difference

A = tables.attempts.c
B = tables.batches.c
S = tables.shipments.c
H = tables.manifest_houses.c


def inventory(connection: Connection, being_recorded: Collection[str] = ()) -> Iterator[Difference]:
    """Every difference between what was recorded and what is there; `being_recorded` are batches that may yet be sealed."""
    yield from _batches(connection)
    yield from _prepared_without_attempt(connection)
    yield from _kept_documents(connection)
    yield from _filed_nowhere(connection, being_recorded)
    yield from _attempts_without_shipment(connection)
    yield from _flags(connection)
    yield from _houses(connection)
    yield from _listed_twice(connection)


def _batches(connection: Connection) -> Iterator[Difference]:
    there = (
        select(
            S.batch_id,
            func.count().label("shipments"),
            func.sum(S.row_count).label("rows"),
            func.max(S.position).label("last"),
        )
        .group_by(S.batch_id)
        .subquery()
    )
    query = (
        select(B.id, B.state, B.rows, B.recorded, B.counts, there.c.shipments, there.c.rows, there.c.last)
        .select_from(tables.batches.outerjoin(there, there.c.batch_id == B.id))
        .order_by(B.id)
    )  # fmt: skip
    outcomes = _outcomes(connection)
    for batch, state, rows, recorded, counts, shipments, found, last in connection.execute(query):
        if (shipments or 0) != recorded or (last is not None and last + 1 != recorded):
            yield Difference(
                "shipments_missing", batch, f"{recorded} shipments recorded, {shipments or 0} found",
                f"登记 {recorded} 票，实有 {shipments or 0} 票",
            )  # fmt: skip
        if state != "sealed":
            continue
        if rows != (found or 0):
            yield Difference(
                "rows_differ", batch, f"{rows} rows in the file, {found or 0} in its shipments",
                f"文件共 {rows} 行，各票合计 {found or 0} 行",
            )  # fmt: skip
        yield from _counts(batch, json.loads(counts), outcomes.get(batch, {}))


def _outcomes(connection: Connection) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    rows = connection.execute(
        select(S.batch_id, S.outcome, func.count()).group_by(S.batch_id, S.outcome)
    )
    for batch, outcome, count in rows:
        found.setdefault(batch, {})[outcome] = count
    return found


def _counts(
    batch: str, sealed: Mapping[str, Any], found: Mapping[str, int]
) -> Iterator[Difference]:
    if not any(outcome in sealed for outcome in OUTCOMES):
        return
    for outcome in OUTCOMES:
        kept, there = sealed.get(outcome, 0), found.get(outcome, 0)
        if kept != there:
            yield Difference(
                "counts_differ", batch, f"{outcome}: sealed with {kept}, found {there}",
                f"{outcome}：封存时 {kept} 票，实有 {there} 票",
            )  # fmt: skip


def _prepared_without_attempt(connection: Connection) -> Iterator[Difference]:
    none = or_(A.id.is_(None), A.key != S.key)
    wrong = or_(
        and_(S.outcome == "prepared", or_(none, A.batch_id != S.batch_id)),
        and_(S.outcome == "already_filed", none),
    )
    query = (
        select(S.batch_id, S.shown_as, S.outcome)
        .select_from(tables.shipments.outerjoin(tables.attempts, A.id == S.attempt_id))
        .where(wrong)
        .order_by(S.id)
    )
    for batch, shown_as, outcome in connection.execute(query):
        yield Difference(
            "attempt_missing", f"{batch} {shown_as}", f"{outcome}, but its declaration is not there",
            f"登记为 {outcome}，但没有对应的报关单",
        )  # fmt: skip


def _kept_documents(connection: Connection) -> Iterator[Difference]:
    """Documents kept of shipments that wait for a person, although these wait no more."""
    query = (
        select(S.batch_id, S.shown_as, S.outcome)
        .join(tables.held_drafts, tables.held_drafts.c.shipment_id == S.id)
        .where(S.outcome.in_(("prepared", "already_filed")))
        .order_by(S.id)
    )
    for batch, shown_as, outcome in connection.execute(query):
        yield Difference(
            "document_left", f"{batch} {shown_as}", f"it is {outcome}, but its document is still kept as that of a held one",
            f"登记为 {outcome}，但仍按待人工保留报文",
        )  # fmt: skip


def _filed_nowhere(connection: Connection, being_recorded: Collection[str]) -> Iterator[Difference]:
    """Shipments that count as already filed with a batch that was never completed, and were filed nowhere else since."""
    live = tables.attempts.alias()
    other = tables.batches.alias()
    elsewhere = exists(
        select(live.c.id)
        .join(other, other.c.id == live.c.batch_id)
        .where(
            live.c.kind == "declaration", live.c.key == S.key, or_(live.c.live, live.c.id > A.id)
        )
        .where(other.c.state == "sealed")
    )
    query = (
        select(S.batch_id, S.shown_as, A.batch_id)
        .join(tables.attempts, A.id == S.attempt_id)
        .join(tables.batches, B.id == A.batch_id)
        .where(S.outcome == "already_filed", B.state != "sealed", ~elsewhere)
        .order_by(S.id)
    )
    for batch, shown_as, first in connection.execute(query):
        if first in being_recorded:
            continue
        yield Difference(
            "filed_nowhere", f"{batch} {shown_as}",
            f"it counts as already filed with batch {first}, which was never completed: hand the file in again",
            f"按已申报计，但所属批次 {first} 未录入完毕：请重新提交该文件",
        )  # fmt: skip


def _attempts_without_shipment(connection: Connection) -> Iterator[Difference]:
    """Declarations of no prepared shipment; what was voided may be of one that was refused when its batch was sealed."""
    prepared = case((S.outcome == "prepared", 1), else_=0)
    owned = (
        select(S.attempt_id, func.sum(prepared).label("prepared"), func.count().label("shipments"))
        .where(S.outcome.in_(("prepared", *SETTLED)), S.attempt_id.is_not(None))
        .group_by(S.attempt_id)
        .subquery()
    )
    mine = case((A.state == "voided", owned.c.shipments), else_=owned.c.prepared)
    query = (
        select(A.batch_id, A.key, func.coalesce(mine, 0))
        .select_from(tables.attempts.outerjoin(owned, owned.c.attempt_id == A.id))
        .where(A.kind == "declaration", func.coalesce(mine, 0) != 1)
        .order_by(A.id)
    )
    for batch, key, count in connection.execute(query):
        yield Difference(
            "attempt_without_shipment", f"{batch} {key}", f"{count} shipments belong to it, not one",
            f"该报关单对应 {count} 票货物，应为一票",
        )  # fmt: skip


def _flags(connection: Connection) -> Iterator[Difference]:
    """Attempts whose own columns do not fit together."""
    frozen = A.segment.is_not(None) & A.digest.is_not(None) & A.message_id.is_not(None)
    waiting = A.state.in_(("prepared", "awaiting_manifest"))
    wrong = or_(
        and_(~waiting, ~A.state.in_(("voided", "suspended")), ~frozen),
        and_(waiting, frozen),
        and_(A.ready, ~waiting),
        and_(A.state == "sending", A.owner.is_(None)),
        and_(A.state == "unknown", A.unknown_since.is_(None)),
        and_(
            A.state.in_(("sending", "sent", "unknown", "not_received")), A.first_sent_at.is_(None)
        ),
        and_(A.released, ~A.live, A.attention.is_(None)),
    )
    query = select(A.batch_id, A.key, A.state).where(wrong).order_by(A.id)
    for batch, key, state in connection.execute(query):
        yield Difference(
            "state_impossible", f"{batch} {key}", f"its columns do not fit the state {state}",
            f"记录内容与状态 {state} 不符",
        )  # fmt: skip


def _houses(connection: Connection) -> Iterator[Difference]:
    """Manifests without houses, and declarations that wait for a manifest nobody made."""
    listed = exists().where(H.attempt_id == A.id)
    query = select(A.batch_id, A.key).where(A.kind == "manifest", ~listed).order_by(A.id)
    for batch, key in connection.execute(query):
        yield Difference(
            "manifest_empty", f"{batch} {key}", "it lists no house waybill", "舱单未列任何分运单"
        )
    stands = exists().where(H.declaration_key == A.key)
    query = select(A.batch_id, A.key).where(
        A.kind == "declaration", A.state == "awaiting_manifest", ~stands
    )
    for batch, key in connection.execute(query.order_by(A.id)):
        yield Difference(
            "awaits_no_manifest", f"{batch} {key}", "it waits for a manifest, but stands on none",
            "等待舱单，但未列入任何舱单",
        )  # fmt: skip


def _listed_twice(connection: Connection) -> Iterator[Difference]:
    """Houses that stand on several live manifests, none of which has refused them: customs is told of them more than once."""
    standing = (
        select(H.declaration_key, A.id, A.key)
        .join(tables.attempts, A.id == H.attempt_id)
        .where(A.live, H.state != HOUSE_REFUSED)
    )
    often = standing.subquery()
    several = (
        select(often.c.declaration_key).group_by(often.c.declaration_key).having(func.count() > 1)
    )
    query = standing.where(H.declaration_key.in_(several)).order_by(H.declaration_key, A.id)
    found: dict[str, list[str]] = {}
    for key, _, manifest in connection.execute(query):
        found.setdefault(key, []).append(manifest)
    for key, manifests in found.items():
        yield Difference(
            "listed_twice", key, f"it stands on several manifests: {', '.join(manifests)}",
            f"列入多份舱单：{'、'.join(manifests)}",
        )  # fmt: skip
