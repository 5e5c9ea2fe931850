"""Where things stand: accounts, stories of parcels, the day's report, and the proof that nothing is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from crossborder import china_time
from crossborder import reconcile as proving
from crossborder.engine import accepting, kept, once
from crossborder.engine.answers import Reconciled
from crossborder.engine.brought import ASKING
from crossborder.errors import InputError
from crossborder.ledger import AttemptRecord, BatchRecord, Ledger, ReceiptRecord, ShipmentRecord
from crossborder.ledger.states import HELD
from crossborder.log import mask_text
from crossborder.reports import DayReport, grouped
from crossborder.settings import Settings
from crossborder.shipments import findings as found

LATEST = 50
"""How many batches are listed where no day is named."""


def select(ledger: Ledger, only: Sequence[str], day: str) -> list[BatchRecord]:
    """Batches by id, else of a day (`yyyy-mm-dd`), else all. Raises `NotFound`, `InputError`."""
    if only:
        return [ledger.batch(batch) for batch in only]
    if day:
        try:
            return ledger.batches(date.fromisoformat(day).strftime("%Y%m%d"))
        except ValueError as error:
            raise InputError(
                f"--date {day!r}: yyyy-mm-dd", f"--date {day!r}：应为 yyyy-mm-dd"
            ) from error
    return ledger.batches()


def recorded_elsewhere(ledger: Ledger, batches: Sequence[str]) -> dict[str, int]:
    """Other batches that nobody has submitted → how many shipments of these batches are recorded there, not here."""
    found: Counter[str] = Counter()
    for batch in batches:
        found.update(ledger.already_filed_in(batch))
    return {
        batch: count for batch, count in sorted(found.items())
        if batch not in batches and ledger.batch(batch).submitted_at is None
    }  # fmt: skip


def batch_as_dict(batch: BatchRecord) -> dict[str, Any]:
    """A batch as JSON shows it."""
    return {
        "id": batch.id, "day": batch.day, "state": batch.state, "source_name": batch.source_name,
        "mapping": batch.mapping, "profile": batch.profile, "rows": batch.rows, "shipments": batch.recorded,
        "counts": dict(batch.counts), "created_at": batch.created_at, "sealed_at": batch.sealed_at,
        "submitted_at": batch.submitted_at, "submitted_by": batch.submitted_by,
    }  # fmt: skip


def account(ledger: Ledger, only: Sequence[str], day: str) -> dict[str, tuple[int, int]]:
    """Line → (shipments, rows) of the chosen batches."""
    return closing(ledger, [b.id for b in select(ledger, only, day)])


def closing(ledger: Ledger, batches: Sequence[str]) -> dict[str, tuple[int, int]]:
    """The account as pairs, `handed_in` first."""
    found_account = proving.account(ledger, batches)
    lines = {name: (count.shipments, count.rows) for name, count in found_account.lines.items()}
    return {"handed_in": (found_account.handed_in.shipments, found_account.handed_in.rows), **lines}


def states(ledger: Ledger, only: Sequence[str]) -> dict[str, int]:
    """Declarations of batches by state, most first."""
    found_states = Counter(a.state for a in ledger.attempts_in(batch_ids=only, kind="declaration"))
    return dict(found_states.most_common())


def stories(ledger: Ledger, waybill: str, partner: str | None) -> list[dict[str, Any]]:
    """Every attempt of a waybill, newest last, and hand-ins that made none."""
    shipments = ledger.shipments_of(waybill)
    own = {s.attempt_id: s for s in shipments if s.outcome == "prepared"}
    told = [
        _story(ledger, a) | {"accepted": _accepted(ledger, own.get(a.id))}
        for a in ledger.attempts_of(waybill)
        if _of_partner(ledger, a.batch_id, partner)
    ]
    made = {s["attempt_id"] for s in told}
    for shipment in shipments:
        if shipment.attempt_id in made or not _of_partner(ledger, shipment.batch_id, partner):
            continue
        told.append(
            {
                "attempt_id": shipment.attempt_id, "message_type": "", "number": 0, "batch_id": shipment.batch_id,
                "endpoint": "", "master_waybill": shipment.master_waybill, "house_waybill": shipment.shown_as,
                "state": shipment.outcome, "state_since": "", "next": "", "next_zh": "", "receipts": [],
                "timeline": [], "attention": [], "findings": _findings_at(ledger, shipment),
                "accepted": _accepted(ledger, shipment),
            }
        )  # fmt: skip
    return told


def _accepted(ledger: Ledger, shipment: ShipmentRecord | None) -> list[dict[str, Any]]:
    """What a person accepted of the rules that a shipment waited, or waits, for."""
    if shipment is None:
        return []
    return accepting.of_shipment(ledger, shipment.batch_id, shipment.position)


def _findings_at(ledger: Ledger, shipment: ShipmentRecord) -> list[dict[str, Any]]:
    """Why nothing was composed for a shipment; what is told once for many is told here of this one."""
    return [kept.finding(f) for f in ledger.findings_at(shipment.batch_id, shipment.position)]


def _of_partner(ledger: Ledger, batch_id: str, partner: str | None) -> bool:
    return partner is None or ledger.batch(batch_id).brought_by(partner)


def _story(ledger: Ledger, attempt: AttemptRecord) -> dict[str, Any]:
    said = ledger.receipts_of(attempt.id)
    following = proving.advice(attempt.message_type, attempt.last_code, attempt.state)
    if attempt.kind == "declaration" and "house_refused" in attempt.attention:
        of_manifest = ledger.house_refused_by(attempt.key)
        said, following = [*of_manifest, *said], _house_refused(of_manifest)
    return {
        "attempt_id": attempt.id, "message_type": attempt.message_type, "number": attempt.number,
        "batch_id": attempt.batch_id, "endpoint": attempt.endpoint, "master_waybill": attempt.master_waybill,
        "house_waybill": attempt.house_waybill, "state": attempt.state, "state_since": attempt.state_since,
        "message_id": attempt.message_id, "digest": attempt.digest, "pre_entry_id": attempt.pre_entry_id,
        "entry_id": attempt.entry_id, "released": attempt.released, "final": attempt.final,
        "attention": list(attempt.attention), "next": following[1], "next_zh": following[0],
        "receipts": [_receipt(r) for r in said],
        "timeline": _timeline(ledger, attempt, said),
    }  # fmt: skip


def _house_refused(said: Sequence[ReceiptRecord]) -> tuple[str, str]:
    """(zh, en): what the port said of a parcel's house on its manifest, and what to do."""
    todo_zh, todo_en = proving.mark("house_refused")
    if not said:
        return todo_zh, todo_en
    last = said[-1]
    status = proving.StatusTable.load().get(last.message_type, last.code)
    label_zh, label_en = (status.label_zh, status.label_en) if status else ("", "")
    note = mask_text(last.notes or "—")
    return (
        f"舱单回执 {last.code} {label_zh}（{note}）。{todo_zh}",
        f"the port answered its manifest with {last.code}, {label_en} ({note}): {todo_en}",
    )


def _receipt(receipt: ReceiptRecord) -> dict[str, Any]:
    return {
        "code": receipt.code, "op_time": receipt.op_time, "received_at": receipt.received_at,
        "notes": mask_text(receipt.notes) if receipt.notes else receipt.notes,
        "outcome": receipt.outcome, "copies": receipt.copies, "name": receipt.name,
    }  # fmt: skip


def _timeline(
    ledger: Ledger, attempt: AttemptRecord, said: Sequence[ReceiptRecord]
) -> list[dict[str, str]]:
    """Events in the order in which they were recorded, receipts where their time falls among them."""
    lines: list[tuple[str, str, str]] = []
    latest = ""
    for e in ledger.timeline(attempt.id):
        latest = max(latest, e.at)  # a moment may have been taken before a lock was waited for
        what = f"{e.verb}: {e.from_state or '—'} → {e.to_state}" if e.to_state else e.verb
        lines.append((latest, e.at, what))
    lines += [
        (
            r.received_at,
            r.received_at,
            f"{r.message_type} {r.code} ({r.op_time[:14]}) {r.outcome} {mask_text(r.notes or '')}".rstrip(),
        )
        for r in said
    ]
    return [{"at": at, "what": what} for _, at, what in sorted(lines, key=lambda line: line[0])]


def attempts(
    ledger: Ledger, state: str, master: str, batches: Sequence[str]
) -> list[dict[str, Any]]:
    """Attempts by state, master waybill, batches."""
    chosen = ledger.attempts_in(
        batch_ids=list(batches) or None, states=[state] if state else None, master=master or None
    )
    return [
        {
            "attempt_id": a.id, "message_type": a.message_type, "number": a.number, "batch_id": a.batch_id,
            "endpoint": a.endpoint, "master_waybill": a.master_waybill, "house_waybill": a.house_waybill,
            "state": a.state, "state_since": a.state_since, "attention": list(a.attention),
        }
        for a in chosen
    ]  # fmt: skip


def document(ledger: Ledger, attempt_id: int, now: datetime) -> bytes:
    """The exact bytes of an attempt. Raises `PayloadDamaged`, `NotFound`."""
    attempt = ledger.attempt(attempt_id)
    return ledger.payload(attempt.frozen or attempt.draft, now)


def not_manifested(ledger: Ledger, only: Sequence[str], day: str) -> list[dict[str, str]]:
    """Shipments on no manifest, with the reason."""
    chosen = [b.id for b in select(ledger, only, day)]
    return [
        {
            "batch": s.batch_id,
            "master": s.master_waybill or "",
            "shipment": s.shown_as,
            "reason": reason,
        }
        for s, reason in ledger.not_manifested(chosen)
    ]


def holdups(ledger: Ledger, only: Sequence[str], day: str) -> list[proving.Holdup]:
    """What holds declarations of the chosen batches up, the worst first."""
    return proving.holdups(ledger, [b.id for b in select(ledger, only, day)])


def reconcile(
    ledger: Ledger, settings: Settings, only: Sequence[str], day: str, *, ask_endpoints: bool
) -> Reconciled:
    """The account of the chosen batches and every difference in the whole ledger, endpoints asked if wanted."""
    from crossborder.engine.filing import endpoint_accounts

    chosen = [b.id for b in select(ledger, only, day)]
    said = endpoint_accounts(settings) if ask_endpoints else None
    differences = [
        {"what": d.what, "where": d.where, "detail": d.detail, "detail_zh": d.detail_zh}
        for d in proving.differences(ledger, said)
    ]
    return Reconciled(closing(ledger, chosen), differences, proving.holdups(ledger, chosen))


# -- the day's report


def report(
    ledger: Ledger, settings: Settings, only: Sequence[str], day: str, now: datetime
) -> DayReport:
    """Everything the day's report shows."""
    if not only and not day:
        day = china_time.day(now, settings.day_starts).isoformat()
    batches = select(ledger, only, day)
    ids = [b.id for b in batches]
    made = ledger.attempts_in(batch_ids=ids)
    sandbox = ledger.get_fact("endpoint_kind") != "live"
    title = "crossborder " + (day or ", ".join(ids))
    held = [b.id for b in batches if any(map(b.counts.get, HELD))]
    return DayReport(
        title=title,
        made_at=china_time.iso(now),
        sandbox=sandbox,
        batches=[batch_as_dict(b) for b in batches],
        account=closing(ledger, ids),
        attention=[
            *_not_manifested(ledger, ids), *_held(ledger, held), *_held_up(proving.holdups(ledger, ids)),
            *_attention(ledger, settings, made, now), *_loose_receipts(ledger),
        ],
        masters=_masters(made),
        findings=_findings(ledger, ids),
        accepted=accepting.acceptances(ledger, ids),
    )  # fmt: skip


def _not_manifested(ledger: Ledger, ids: Sequence[str]) -> list[dict[str, str]]:
    """These head every report."""
    return [
        {"what": "not_manifested", "master": s.master_waybill or "", "shipment": s.shown_as, "state": s.outcome,
         "zh": "未列入任何舱单", "en": f"on no manifest: {reason}"}
        for s, reason in ledger.not_manifested(ids)
    ]  # fmt: skip


def _held(ledger: Ledger, ids: Sequence[str]) -> list[dict[str, str]]:
    """Shipments that wait for a person, by the rule they wait for."""
    return [
        {"what": "on_hold", "master": "", "shipment": batch, "state": "",
         "zh": f"{rule}：{count:,} 票待人工 → 更正后重新提交，或放过：crossborder accept {rule} --batch {batch} --reason 说明",
         "en": f"{rule}: {count:,} waiting for a person → correct and hand in again, or let them pass: crossborder accept {rule} "
               f"--batch {batch} --reason TEXT"}
        for batch, rules in ledger.held_by(ids).items() for rule, count in rules.items()
    ]  # fmt: skip


def _held_up(found: Sequence[proving.Holdup]) -> list[dict[str, str]]:
    """What waits until a person does something: batches not filed, manifests that keep declarations waiting."""
    return [
        {"what": h.what, "master": " ".join(h.masters), "shipment": h.batch, "state": "",
         "zh": f"{h.cause('zh')} → {h.remedy('zh')}", "en": f"{h.cause('en')} → {h.remedy('en')}"}
        for h in found
        if h.person and (h.waiting or h.what == "not_submitted")
    ]  # fmt: skip


def _attention(
    ledger: Ledger, settings: Settings, made: Sequence[AttemptRecord], now: datetime
) -> list[dict[str, str]]:
    asking = [a for a in made if a.state in ASKING or a.attention]
    rows = []
    for attempt in _not_superseded(ledger, asking):
        words = proving.advice(attempt.message_type, attempt.last_code, attempt.state)
        if attempt.attention:
            words = _marked(attempt.attention)
        rows.append(_row(attempt, attempt.state, words))
    for name, endpoint in settings.endpoints.items():
        before = china_time.iso(now - timedelta(hours=endpoint.answer_due_hours))
        late = (
            f"超过 {endpoint.answer_due_hours:g} 小时无回执",
            f"no receipt for {endpoint.answer_due_hours:g} hours",
        )
        rows += [_row(a, "no_answer", late) for a in ledger.unanswered(name, before)]
    return sorted(
        rows, key=lambda r: (r["what"] != "unknown", r["what"], r["master"], r["shipment"])
    )


def _marked(marks: Sequence[str]) -> tuple[str, str]:
    """What the marks of an attempt mean and what to do, in both languages."""
    named = ", ".join(marks)
    zh, en = (
        "；".join(filter(None, texts)) for texts in zip(*map(proving.mark, marks), strict=True)
    )
    return (f"须人工核实：{named} {zh}".rstrip(), f"a person must look: {named} {en}".rstrip())


def _not_superseded(ledger: Ledger, made: Sequence[AttemptRecord]) -> list[AttemptRecord]:
    """Without those that were repaired: a later attempt under the same key has taken their place."""
    number = {
        known.key: known.number
        for kind in ("declaration", "manifest")
        for known in ledger.known([a.key for a in made if a.kind == kind], kind)
    }
    return [a for a in made if a.number >= number.get(a.key, 0)]


def _row(attempt: AttemptRecord, what: str, words: tuple[str, str]) -> dict[str, str]:
    return {
        "what": what, "master": attempt.master_waybill, "shipment": attempt.house_waybill or attempt.message_type,
        "state": attempt.state, "zh": words[0], "en": words[1],
    }  # fmt: skip


def _loose_receipts(ledger: Ledger) -> list[dict[str, str]]:
    """Receipts that could not be read, matched or believed: each has a place here (promise P6)."""
    rows = [
        {"what": "unreadable_receipt", "master": "", "shipment": name, "state": endpoint, "zh": f"回执无法读取：{problem}",
         "en": f"receipt cannot be read: {problem}"}
        for _, endpoint, name, problem in ledger.unreadable_receipts()
    ]  # fmt: skip
    said = {
        "unmatched": ("回执没有对应的申报", "a receipt that fits no attempt"),
        "contradictory": ("回执前后矛盾", "contradicts what came before"),
        "unknown_code": ("回执代码未知", "a code nobody knows"),
    }
    for one in ledger.receipts_by_outcome(said):
        zh, en = said[one.outcome]
        rows.append({"what": f"{one.outcome}_receipt", "master": one.key, "shipment": one.name, "state": one.code,
                     "zh": zh, "en": en})  # fmt: skip
    return rows


def _masters(made: Sequence[AttemptRecord]) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for attempt in made:
        row = rows.setdefault(
            (attempt.master_waybill, attempt.endpoint),
            {"master": attempt.master_waybill, "endpoint": attempt.endpoint, "manifest": "—", "declarations": 0, "released": 0},
        )  # fmt: skip
        if attempt.kind == "manifest":
            row["manifest"] = attempt.state
        else:
            row["declarations"] += 1
            row["released"] += attempt.released
    return list(rows.values())


def _findings(ledger: Ledger, ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    records = [kept.finding(f) for batch in ids for f in ledger.findings_of(batch, once=once.RULES)]
    if not records:
        return []
    frame = found.gather(
        [pl.DataFrame(records, infer_schema_length=None).rename({"fix": "fix_en"})]
    )
    return grouped(frame).select("what", "rule", "count", "zh", "en").to_dicts()
