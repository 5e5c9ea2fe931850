"""What must be true when everybody has come to rest, whatever the order was: P3 to P8, from the port's books and the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import text

from crossborder.engine import Engine

from .door import Quay

_LISTED = """
SELECT h.declaration_key, count(*) FROM manifest_houses h JOIN attempts a ON a.id = h.attempt_id
WHERE a.live AND h.state <> 'refused' GROUP BY h.declaration_key HAVING count(*) > 1
"""


def judge(engine: Engine, quay: Quay) -> list[str]:
    """Everything that is not as it must be."""
    return [*_at_the_port(quay), *_in_the_ledger(engine), *_both(engine, quay)]


def _at_the_port(quay: Quay) -> Iterator[str]:
    """Nothing is declared while the same is alive there, and no id has two contents."""
    for message in quay.messages():
        name = f"{message['message_type']} {message['message_id']} {message['house'] or message['master']}"
        if message["message_type"] == "EXP301" and message["repeat_of"]:
            yield f"TWICE: {name} repeats {message['repeat_of']}"
        if message["conflicts"]:
            yield f"CONFLICT: {name}"


def _in_the_ledger(engine: Engine) -> Iterator[str]:
    ledger = engine.ledger
    attempts = ledger.attempts_in()
    for (kind, key), times in Counter((a.kind, a.key) for a in attempts if a.live).items():
        if times > 1:
            yield f"LIVE {times} TIMES: {kind} {key}"
    for batch in ledger.batches():
        if batch.state == "recording":
            yield f"NOT SEALED: {batch.id}"
    proof = engine.reconcile(ask_endpoints=False)
    for difference in proof.differences:
        yield f"RECONCILE: {difference}"
    for column in (0, 1):
        told = sum(pair[column] for name, pair in proof.account.items() if name != "handed_in")
        if told != proof.account["handed_in"][column]:
            yield f"ACCOUNT: {proof.account}"
    audited = engine.audit_verify()
    if not audited.intact:
        yield f"AUDIT: {audited.audit.faults}"
    with ledger.read() as connection:
        for key, times in connection.execute(text(_LISTED)):
            yield f"LISTED {times} TIMES: {key}"


def _both(engine: Engine, quay: Quay) -> Iterator[str]:
    """What the port has, the ledger has handed over, and the other way round."""
    there = {m["message_id"]: m for m in quay.messages()}
    handed_over = {
        a.message_id: a for a in engine.ledger.attempts_in() if a.message_id and a.first_sent_at
    }
    for ident, message in there.items():
        attempt = handed_over.get(ident)
        if attempt is None:
            yield f"UNKNOWN TO THE LEDGER: {ident} {message['house'] or message['master']}"
        elif attempt.state in ("not_received", "queued", "voided", "prepared"):
            yield f"THERE, BUT {attempt.state}: {ident} {attempt.key}"
    for ident, attempt in handed_over.items():
        if attempt.state in ("sending", "unknown"):
            yield f"LEFT {attempt.state}: {ident} {attempt.key}"
