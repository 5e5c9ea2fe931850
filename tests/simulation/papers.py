"""Documents as the pure wing would hand them in, and receipts as the port writes them; nobody's data in them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from crossborder.errors import SchemaError
from crossborder.ledger import AttemptDraft, Draft, HouseRow, ShipmentRow

ENDPOINT, VOYAGE, NO_ID = "hangzhou", "CX123", b"ID-NOT-SET"


def master(batch: int) -> str:
    return f"999{batch:08d}"


def house(number: int) -> str:
    return f"TST{number:06d}"


def numbers(key: str) -> tuple[int, int]:
    """Flight and number of a parcel, by the key of its declaration."""
    bill, house_waybill, _ = key.split("|")
    return int(bill[3:]), int(house_waybill[3:])


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def stamp(xml: bytes, *, message_id: str, at: datetime) -> bytes:
    """As `messages.stamp`, on these documents."""
    if xml.count(NO_ID) != 1:
        raise SchemaError("no place for the id")
    return xml.replace(NO_ID, message_id.encode())


def message_id(draft: Draft, at: datetime, serial: int) -> str:
    return f"DXPENT0000000001E010000{at:%Y%m%d%H%M%S}{serial:011d}"


def declaration(
    flight: int, number: int, version: int, position: int
) -> tuple[ShipmentRow, AttemptDraft]:
    """One shipment and its EXP301."""
    key = f"{master(flight)}|{house(number)}|I"
    body = b"<EXP301><id>%s</id><key>%s</key><v>%d</v></EXP301>" % (NO_ID, key.encode(), version)
    content = digest(body)
    row = ShipmentRow(position, key, master(flight), house(number), house(number), "I", "B",
                      f"{position + 2}", 1 + number % 3, "prepared", content)  # fmt: skip
    draft = AttemptDraft("declaration", "EXP301", key, ENDPOINT, master(flight), house(number), VOYAGE, "I",
                         content, body, position)  # fmt: skip
    return row, draft


def manifest(flight: int, numbers: Sequence[int]) -> AttemptDraft:
    """The EXP311 that lists them."""
    houses = [HouseRow(f"{master(flight)}|{house(n)}|I", house(n)) for n in numbers]
    listed = " ".join(h.house_waybill for h in houses).encode()
    body = b"<EXP311><id>%s</id><houses>%s</houses></EXP311>" % (NO_ID, listed)
    return AttemptDraft("manifest", "EXP311", f"{master(flight)}|{VOYAGE}|I|1", ENDPOINT, master(flight), None,
                        VOYAGE, "I", digest(body), body, None, houses)  # fmt: skip


def _package(message: str, serial: int, at: datetime, body: str) -> bytes:
    ident = f"E010000DXPENT0000000001{at:%Y%m%d%H%M%S}{serial:011d}"
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Package><EnvelopInfo><version>1.0</version>'
        f"<message_id>{ident}</message_id><file_name>{ident}.EXP</file_name><message_type>{message}</message_type>"
        "<sender_id>E010000</sender_id><receiver_id>DXPENT0000000001</receiver_id>"
        f"<send_time>{at:%Y%m%d%H%M%S}</send_time></EnvelopInfo><DataInfo><SignedData><Data><{message}>{body}"
        f"</{message}></Data><HashSign></HashSign><SignerInfo></SignerInfo></SignedData></DataInfo></Package>"
    ).encode()  # fmt: skip


def exp302(
    key: str, code: str, op_time: str, pre_entry_id: str, entry_id: str, serial: int, at: datetime
) -> bytes:
    """What the port says of one declaration."""
    bill, house_waybill, direction = key.split("|")
    return _package(
        "EXP302", serial, at,
        f"<EntryHead><PreEntryId>{pre_entry_id}</PreEntryId><OpType>ADD</OpType><BillNo>{bill}</BillNo>"
        f"<AssBillNo>{house_waybill}</AssBillNo><IEFlag>{direction}</IEFlag><EntryId>{entry_id}</EntryId>"
        f"<OpTime>{op_time}</OpTime><OpResult>{code}</OpResult><Notes></Notes></EntryHead>",
    )  # fmt: skip


def exp312(
    key: str, code: str, op_time: str, houses: Sequence[tuple[str, str]], serial: int, at: datetime
) -> bytes:
    """What the port says of a manifest, and of (house waybill, code) on it."""
    bill, voyage = key.split("|")[:2]
    lines = "".join(
        f"<ExpMftList><BillNo>{bill}</BillNo><AssBillNo>{house_waybill}</AssBillNo>"
        f"<EntryDate>{op_time[:14]}</EntryDate><RtnFlag>{said}</RtnFlag><Notes></Notes></ExpMftList>"
        for house_waybill, said in houses
    )  # fmt: skip
    return _package(
        "EXP312", serial, at,
        f"<ExpMftHead><BillNo>{bill}</BillNo><VoyageNo>{voyage}</VoyageNo><EntryDate>{op_time[:14]}</EntryDate>"
        f"<RtnFlag>{code}</RtnFlag><Notes></Notes></ExpMftHead>{lines}",
    )  # fmt: skip
