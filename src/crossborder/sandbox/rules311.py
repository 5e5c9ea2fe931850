"""The port's own filling rules for a manifest (EXP311), written from the interface facts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from crossborder.sandbox import checks
from crossborder.sandbox.checks import Fault, Faults
from crossborder.sandbox.endings import normalise
from crossborder.sandbox.reading import Document, Record

MAX_HOUSES = 9_999
HEAD = (
    "BillNo", "VoyageNo", "IEFlag", "TrafCnName", "TrafEnName", "GrossWt", "PackNo", "BillNum", "TrafMode",
    "DestinationPort", "IEPort", "TradeCo", "TradeName", "InputNo", "InputOpName", "InputCompanyCode",
    "InputCompanyName",
)  # fmt: skip
LINE = (
    "BillNo", "AssBillNo", "VoyageNo", "MainGName", "PackNo", "GrossWt", "TradeTotal", "TradeCurr",
)  # fmt: skip
_THREE = re.compile(r"[0-9]{3}")
_FOUR = re.compile(r"[0-9]{4}")
_COUNT = re.compile(r"[0-9]{1,4}")

Totals = tuple[int, int, Decimal]
"""House waybills, packages, gross weight in kilograms."""


def faults(message: Document, before: Totals = (0, 0, Decimal(0))) -> list[Fault]:
    """Why this manifest cannot be stored; empty = nothing.

    `before` are the totals of what earlier messages put on the same manifest: an appending message may give
    the totals of its own lines or those of the whole.
    """
    found, head = Faults(), message.head
    found.one_of(head, "OpType", "ADD", "APD")
    found.required(head, "OpType", *HEAD)
    found.one_of(head, "IEFlag", "I", "E")
    found.shaped(head, "IEPort", _FOUR, "应为四位关区代码", "must be a 4-digit customs district")
    code = head.get("TradeCo", "")
    found.check(
        not code or checks.is_registration_code(code),
        "TradeCo", "不是有效的海关注册编码", "no customs registration code",
    )  # fmt: skip
    own = _lines(found, message)
    if own is not None:
        _totals(found, head, own, before)
    for record in (head, *message.lines):
        for element, value in record.items():
            found.check(
                checks.is_writable(value), element, "含有不允许的字符", "a character not allowed"
            )
    return found.found


def _lines(found: Faults, message: Document) -> Totals | None:
    packages, weight, complete = 0, Decimal(0), True
    for place, line in enumerate(message.lines, 1):
        found.where = f"[{place}]"
        found.required(line, *LINE)
        for element in ("BillNo", "VoyageNo"):
            same = normalise(line.get(element, "")) == normalise(message.head.get(element, ""))
            found.check(same, element, "与表头不符", "differs from the head")
        found.shaped(line, "TradeCurr", _THREE, "应为三位数字代码", "must be a 3-digit code")
        found.decimal(line, "TradeTotal", 11, 2)
        pieces, gross = found.whole(line, "PackNo"), found.decimal(line, "GrossWt", 18, 5)
        complete = complete and pieces is not None and gross is not None
        packages, weight = packages + (pieces or 0), weight + (gross or 0)
    found.where = ""
    twice = [
        house
        for house, times in Counter(
            normalise(line.get("AssBillNo", "")) for line in message.lines
        ).items()
        if times > 1
    ]
    found.check(not twice, "AssBillNo", "分运单重复", "a house waybill is listed twice")
    count = len(message.lines)
    found.check(count > 0, "ExpMftList", "没有分运单", "no house waybill")
    return (count, packages, weight) if complete else None


def _totals(found: Faults, head: Record, own: Totals, before: Totals) -> None:
    whole = (own[0] + before[0], own[1] + before[1], own[2] + before[2])
    good = (own, whole) if head.get("OpType") == "APD" else (own,)
    found.shaped(head, "BillNum", _COUNT, "应为不超过四位的整数", "must be at most four digits")
    pieces = found.pieces(head, "PackNo")
    weight = found.above_zero(head, "GrossWt", 18, 5)
    number = head.get("BillNum", "")
    found.check(
        not _COUNT.fullmatch(number) or int(number) in [totals[0] for totals in good],
        "BillNum", "与分运单数不符", "differs from the number of house waybills",
    )  # fmt: skip
    found.check(
        pieces is None or pieces in [totals[1] for totals in good],
        "PackNo", "与各分运单件数之和不符", "differs from the sum of the lines",
    )  # fmt: skip
    found.check(
        weight is None or weight in [totals[2] for totals in good],
        "GrossWt", "与各分运单毛重之和不符", "differs from the sum of the lines",
    )  # fmt: skip
    found.check(
        whole[0] <= MAX_HOUSES, "BillNum", "分运单超过 9999 票", "more than 9,999 house waybills"
    )


def line_fault(line: Record) -> Fault | None:
    """Why customs would refuse this one line of a manifest that is otherwise in order, or None."""
    found = Faults()
    found.pieces(line, "PackNo")
    found.above_zero(line, "GrossWt", 18, 5)
    return found.found[0] if found.found else None


def totals(lines: Sequence[Record]) -> Totals:
    """House waybills, packages and gross weight of lines that have no faults."""
    return (
        len(lines),
        sum(int(line["PackNo"]) for line in lines),
        sum((Decimal(line["GrossWt"]) for line in lines), Decimal(0)),
    )
