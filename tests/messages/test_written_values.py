"""What composing writes differently from what was handed in: two facts of the message, nothing else."""

from __future__ import annotations

import polars as pl
import pytest

from crossborder import messages
from crossborder.shipments.frames import FrameSet, complete, empty


def projected(**columns: str) -> dict[str, str]:
    head = complete(
        "shipments",
        pl.DataFrame({"ship": [0], "unreadable": [False], **{k: [v] for k, v in columns.items()}}),
    )
    frames = FrameSet(head, empty("goods"), empty("documents"))
    return messages.compile_plan("EXP301").project(frames).groups["EntryHead"].row(0, named=True)


@pytest.mark.parametrize(
    ("kind", "number", "written"),
    [
        ("1", "33010019900101036x", "33010019900101036X"),
        ("1", "330100199001010001", "330100199001010001"),
        ("2", "e1234567x", "e1234567x"),
    ],
)
def test_identity_card_numbers_end_in_a_capital(kind: str, number: str, written: str) -> None:
    assert projected(party_id_type=kind, party_id=number)["SendId"] == written


@pytest.mark.parametrize("column", ["sender_phone", "receiver_phone"])
def test_the_other_bar_is_written_as_the_ascii_bar(column: str) -> None:
    element = {"sender_phone": "SendTelNo", "receiver_phone": "ReceiveTelNo"}[column]
    assert projected(**{column: "0571-1\u22232"})[element] == "0571-1|2"
    assert projected(**{column: "0571-1|2"})[element] == "0571-1|2"
