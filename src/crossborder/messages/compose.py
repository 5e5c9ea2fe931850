"""Shipments that passed every check to finished declarations, one document each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Literal

import polars as pl
from lxml import etree

from crossborder import china_time, schema
from crossborder.errors import SchemaError
from crossborder.messages.envelope import Envelope
from crossborder.messages.plan import Elements, compile_plan
from crossborder.messages.receipt_tree import parser
from crossborder.messages.render import Rows, Shell, render
from crossborder.shipments.frames import FrameSet

Form = Literal["written", "strict"]
"""How namespaces are spelled: as senders really write, or as the schema set of 2019 says."""

_ID_SHAPE = "^[0-9A-Za-z]{1,36}[0-9]{14}[0-9A-Za-z]{11}$"


def compose_declarations(
    frames: FrameSet, *, form: Form, sender: str, receiver: str, at: datetime, ids: Sequence[str],
    elements: Elements | None = None,
) -> pl.DataFrame:  # fmt: skip
    """One EXP301 per shipment: `ship` (UInt32), `message_id`, `xml` (String), in the order of `ship`.

    `frames` hold only shipments that are to be written; `ids` has one message id per shipment, in the order
    of `ship`. DDate and send_time are `at`. `elements` are what the plan projects of these frames, where it has done so
    already. Raises `SchemaError` for a wrong number or shape of ids and for
    a character that XML forbids (rule TXT-04 reports such a shipment before).
    """
    envelope = Envelope(sender, receiver, at)
    return _composed("EXP301", elements or compile_plan("EXP301").project(frames), form, envelope, ids)  # fmt: skip


def compose(
    message: str,
    frames: FrameSet,
    *,
    form: Form,
    sender: str,
    receiver: str,
    at: datetime,
    ids: Sequence[str],
) -> pl.DataFrame:
    """One document of any message that is made one per shipment; see `compose_declarations`."""
    elements = compile_plan(message).project(frames)
    return _composed(message, elements, form, Envelope(sender, receiver, at), ids)


def _composed(
    message: str, elements: Elements, form: Form, envelope: Envelope, ids: Sequence[str]
) -> pl.DataFrame:
    plan = compile_plan(message)
    groups = [Rows(g.name, g.names, elements.groups[g.name]) for g in plan.groups]
    fixed = dict.fromkeys(plan.mapping.given("moment"), china_time.digits14(envelope.at))
    return render(
        shell(message, form), groups, key="ship",
        ids=checked_ids(ids, groups[0].frame.height),
        envelope=envelope, fixed=fixed,
    )  # fmt: skip


@cache
def shell(message: str, form: Form) -> Shell:
    """Names and namespaces around the groups of a message in one form, as its XSD says."""
    root = etree.parse(str(schema.xsd_path(message, form)), parser()).getroot()
    whole = root.get("targetNamespace") or ""
    imported = root.find("{*}import")
    inner = "" if whole or imported is None else str(imported.get("namespace"))
    envelope = schema.envelope_elements()
    return Shell(message, whole, inner, [e.name for e in envelope if e.group == "EnvelopInfo"])


def checked_ids(ids: Sequence[str], wanted: int) -> pl.Series:
    """`ids` as a Series. Raises `SchemaError` unless there are `wanted` of the right shape."""
    series = pl.Series("message_id", ids, dtype=pl.String)
    if series.len() != wanted:
        raise SchemaError(
            f"{wanted} documents need {wanted} message ids, not {series.len()}",
            f"{wanted} 份报文需要 {wanted} 个报文编号，实际给出 {series.len()} 个",
        )
    shaped = series.str.contains(_ID_SHAPE).fill_null(value=False)
    if not shaped.all():
        wrong = series.filter(~shaped)[0]
        raise SchemaError(f"not a message id: {wrong!r}", f"报文编号格式不符：{wrong!r}")
    return series
