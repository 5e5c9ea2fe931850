"""Writing receipts: EXP302 for a declaration, EXP312 for a manifest, as the real ones were seen to look.

No namespace by default, times of 17 digits ending in milliseconds (EXP302) or of 14 digits (EXP312), no
reference to the message answered but its business key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from xml.sax.saxutils import escape

from crossborder.sandbox.checks import Fault

CHINA = timezone(timedelta(hours=8), "China")
PORT_ID = "E010000"
MARK = "SANDBOX"
NOTES_302 = 4096
NOTES_312 = 30
_EXP = "http://www.chinaport.gov.cn/Exp"
_EXP_LOWER = "http://www.chinaport.gov.cn/exp"
_XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"

Tree = tuple[str, "str | Sequence[Tree]"]


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a receipt is written: one of `none`, `Exp`, `exp`, `xmldsig`, and with line breaks or not."""

    namespace: str = "none"
    pretty: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A finished receipt: its message id, its file name, its bytes."""

    message_id: str
    name: str
    body: bytes


def china(moment: float) -> datetime:
    """China time of seconds since the epoch."""
    return datetime.fromtimestamp(moment, CHINA)


def digits17(moment: float) -> str:
    """`yyyyMMddHHmmssSSS`; a started millisecond is counted as full, so that no receipt precedes its cause."""
    milliseconds = -int(-moment * 1000 // 1)
    at = china(milliseconds // 1000)
    return f"{at:%Y%m%d%H%M%S}{milliseconds % 1000:03d}"


def next_digits17(moment: float, after: str) -> str:
    """`digits17(moment)`, or one millisecond after `after` if that is not earlier."""
    now = digits17(moment)
    if now > after:
        return now
    last = datetime.strptime(f"{after}000 +0800", "%Y%m%d%H%M%S%f %z")
    later = last + timedelta(milliseconds=1)
    return f"{later:%Y%m%d%H%M%S}{later.microsecond // 1000:03d}"


def notes(text_zh: str, text_en: str = "", *, limit: int = NOTES_302) -> str:
    """`SANDBOX …`, cut to the length of the field; English only where there is room for both."""
    both = f"{MARK} {text_zh} / {text_en}" if text_en else f"{MARK} {text_zh}"
    return both if len(both) <= limit else f"{MARK} {text_zh}"[:limit]


def fault_notes(faults: Sequence[Fault], *, limit: int = NOTES_302) -> str:
    """All faults in one Notes text: element, Chinese and English where they fit, else Chinese only."""
    if limit < NOTES_302:
        return f"{MARK} {faults[0].element} {faults[0].zh}"[:limit]
    return (
        f"{MARK} "
        + "; ".join(f"[{f.element}] {f.zh} {f.en}" for f in faults)[: limit - len(MARK) - 1]
    )


def exp302(
    *,
    serial: int,
    moment: float,
    receiver: str,
    op_type: str,
    master: str,
    house: str,
    direction: str,
    op_time: str,
    code: str,
    pre_entry_id: str,
    entry_id: str,
    text: str,
    spelling: Spelling,
) -> Written:
    """One receipt for one declaration. `serial` numbers receipts, `op_time` has 17 digits."""
    head: Tree = (
        "EntryHead",
        [
            ("PreEntryId", pre_entry_id[:18]),
            ("OpType", op_type[:3] or "ADD"),
            ("BillNo", master[:32]),
            ("AssBillNo", house[:32]),
            ("IEFlag", direction if direction in ("I", "E") else "I"),
            ("EntryId", entry_id[:18]),
            ("OpTime", op_time),
            ("OpResult", code),
            ("Notes", text[:NOTES_302]),
        ],
    )
    return _package("EXP302", [head], serial, moment, receiver, spelling)


def exp312(
    *,
    serial: int,
    moment: float,
    receiver: str,
    master: str,
    voyage: str,
    entry_date: str,
    code: str,
    text: str,
    houses: Sequence[tuple[str, str, str]],
    spelling: Spelling,
) -> Written:
    """One receipt for one manifest; `houses` are (house waybill, result code, notes)."""
    head: Tree = (
        "ExpMftHead",
        [
            ("BillNo", master[:32]),
            ("VoyageNo", voyage[:15]),
            ("EntryDate", entry_date),
            ("RtnFlag", code),
            ("Notes", text[:NOTES_312]),
        ],
    )
    lines: list[Tree] = [
        (
            "ExpMftList",
            [
                ("BillNo", master[:32]),
                ("AssBillNo", house[:32]),
                ("EntryDate", entry_date),
                ("RtnFlag", house_code),
                ("Notes", house_text[:NOTES_312]),
            ],
        )
        for house, house_code, house_text in houses
    ]
    return _package("EXP312", [head, *lines], serial, moment, receiver, spelling)


def _package(
    message_type: str,
    content: list[Tree],
    serial: int,
    moment: float,
    receiver: str,
    spelling: Spelling,
) -> Written:
    at = china(moment)
    message_id = f"{PORT_ID}{receiver[:18]}{at:%Y%m%d%H%M%S}{serial:011d}"
    envelope: Tree = (
        "EnvelopInfo",
        [
            ("version", "1.0"),
            ("message_id", message_id),
            ("file_name", f"{message_id}.EXP"),
            ("message_type", message_type),
            ("sender_id", PORT_ID),
            ("receiver_id", receiver[:18]),
            ("send_time", f"{at:%Y-%m-%dT%H:%M:%S}"),
        ],
    )
    signed: Tree = (
        "SignedData",
        [("Data", [(message_type, content)]), ("HashSign", ""), ("SignerInfo", "")],
    )
    spaces = {
        "Exp": {message_type: _EXP},
        "exp": {"Package": _EXP_LOWER},
        "xmldsig": {message_type: _XMLDSIG},
    }.get(spelling.namespace, {})
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', "\n" if spelling.pretty else ""]
    package: Tree = ("Package", [envelope, ("DataInfo", [signed])])
    _write(package, parts, spaces, "\n" if spelling.pretty else "")
    name = f"Receipt_{message_id}_{digits17(moment)}.xml"
    return Written(message_id, name, "".join(parts).encode("utf-8"))


def _write(tree: Tree, parts: list[str], spaces: dict[str, str], line: str) -> None:
    name, content = tree
    space = f' xmlns="{spaces[name]}"' if name in spaces else ""
    if isinstance(content, str):
        parts.append(f"<{name}{space}>{escape(content)}</{name}>")
        return
    inner = f"{line}  " if line else ""
    parts.append(f"<{name}{space}>")
    for child in content:
        parts.append(inner)
        _write(child, parts, spaces, inner)
    parts.append(line)
    parts.append(f"</{name}>")
