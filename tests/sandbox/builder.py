"""A small builder of EXP301 and EXP311 documents, written from the element table and from nothing else.

It shares no code with the composer of the engine: the sandbox must be judged by what is written here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from xml.sax.saxutils import escape

EXP = "http://www.chinaport.gov.cn/Exp"
SENDER, PORT = "DXPESW0000000001", "E010000"


def names(text: str) -> list[str]:
    return text.split()


HEAD_301 = names(
    "OpType PreEntryId EntryId IEFlag IEPort IEDate DDate DestinationPort TrafName VoyageNo TrafMode TradeCo "
    "TradeName DistrictCode OwnerCode OwnerName AgentType AgentCode AgentName ContrNo BillNo AssBillNo "
    "TradeCountry TradeMode CutMode TransMode FeeMark FeeCurr FeeRate InsurMark InsurCurr InsurRate OtherMark "
    "OtherCurr OtherRate PackNo GrossWt NetWt WrapType NoteS DeclPort CoOwner RelativeId InputNo "
    "InputCompanyCo InputCompanyName DeclareNo CustomsField KjId SendName ReceiveName SendCountry SendCity "
    "SendId TotalValue CurrCode MainGName EntryType SendIdType TradeScc OwnerScc AgentScc SendAddress "
    "SendTelNo ReceiveAddress ReceiveTelNo ReceiveCountry ReceiveCity StopCityEn SendNameEn SendAddressEn "
    "SendCityEn ReceiveNameEn ReceiveAddressEn WoodWrap MainGNameEn GoodsUsed LowTempTrans"
)
LINE_301 = names(
    "OpType GNo CodeTS GName GModel OriginCountry TradeCurr TradeTotal DeclPrice DeclTotal UseTo DutyMode GQty "
    "GUnit Qty1 Unit1 Qty2 Unit2 GGrossWt MName OriginCity GNameEn Backup1 Backup2 Backup3 Backup4 Backup5"
)
PAPER_301 = names("OpType OrderNo DocuCode CertCode")
HEAD_311 = names(
    "OpType BillNo VoyageNo IEFlag TrafCnName TrafEnName GrossWt PackNo BillNum TrafMode IEDate "
    "DestinationPort IEPort TradeCo TradeName InputNo InputOpName InputCompanyCode InputCompanyName"
)
LINE_311 = names("BillNo AssBillNo VoyageNo MainGName PackNo GrossWt TradeTotal TradeCurr")

# A class B parcel coming in: everything the filling texts ask of it and no more. Nobody and nothing real.
IMPORT_B = {
    "OpType": "ADD",
    "IEFlag": "I",
    "IEPort": "2910",
    "IEDate": "20261123",
    "DDate": "20261123021500",
    "DestinationPort": "1100",
    "TrafName": "DEMO AIR",
    "VoyageNo": "ZZ8801",
    "TrafMode": "5",
    "OwnerName": "虚构快件有限公司",
    "AgentType": "0",
    "AgentCode": "330196DEM0",
    "AgentName": "虚构快件有限公司",
    "BillNo": "99912345675",
    "AssBillNo": "DEMO000001",
    "TradeCountry": "502",
    "PackNo": "1",
    "GrossWt": "0.8",
    "NetWt": "0.7",
    "WrapType": "2",
    "DeclPort": "2910",
    "CoOwner": "6",
    "InputNo": "8900000000001",
    "InputCompanyCo": "330196DEM0",
    "InputCompanyName": "虚构快件有限公司",
    "DeclareNo": "33010001",
    "CustomsField": "DEMO01",
    "SendName": "Imaginary Sender",
    "ReceiveName": "虚某",
    "SendCountry": "502",
    "SendId": "330100199001010001",
    "TotalValue": "300",
    "CurrCode": "142",
    "MainGName": "面霜",
    "EntryType": "B",
    "SendIdType": "1",
    "SendTelNo": "12025550100",
    "ReceiveAddress": "虚构区想象路1号",
    "ReceiveTelNo": "0571-00000000",
    "ReceiveCountry": "142",
    "ReceiveCity": "杭州",
    "StopCityEn": "N",
    "SendNameEn": "Imaginary Sender",
    "SendAddressEn": "1 Nowhere Street",
    "SendCityEn": "Nowhere",
    "WoodWrap": "0",
    "MainGNameEn": "Face cream",
    "GoodsUsed": "0",
    "LowTempTrans": "0",
}
LINE_B = {
    "OpType": "ADD",
    "GNo": "1",
    "CodeTS": "09020220",
    "GName": "面霜",
    "GModel": "虚构牌|50ml",
    "OriginCountry": "502",
    "TradeCurr": "142",
    "TradeTotal": "300",
    "DeclPrice": "150",
    "DeclTotal": "300",
    "GQty": "2",
    "GUnit": "011",
    "Qty1": "2",
    "Unit1": "011",
    "GGrossWt": "0.8",
    "GNameEn": "Face cream",
}
# A class C parcel going out.
EXPORT_C = IMPORT_B | {
    "IEFlag": "E",
    "TradeCo": "3301961Q43",
    "TradeName": "虚构贸易有限公司",
    "TradeMode": "0110",
    "CutMode": "101",
    "TransMode": "3",
    "SendCountry": "142",
    "ReceiveCountry": "502",
    "SendCity": "杭州",
    "SendAddress": "虚构区想象路2号",
    "SendId": "",
    "SendIdType": "",
    "EntryType": "C",
    "ReceiveCity": "虚构城",
    "ReceiveNameEn": "Imaginary Receiver",
    "ReceiveAddressEn": "2 Nowhere Street",
    "ReceiveAddress": "",
    "StopCityEn": "",
    "SendNameEn": "",
    "SendAddressEn": "",
    "SendCityEn": "",
    "MainGNameEn": "",
}
LINE_C = LINE_B | {"CodeTS": "3304990099", "DutyMode": "1", "GNameEn": ""}

_serials = count(1)


@dataclass(frozen=True)
class Message:
    """One message as it goes over the wire."""

    message_id: str
    message_type: str
    body: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/xml",
            "X-Message-Id": self.message_id,
            "X-Message-Type": self.message_type,
            "X-Content-SHA256": self.digest,
        }


def fields(name: str, order: Sequence[str], values: Mapping[str, str]) -> str:
    unknown = set(values) - set(order)
    assert not unknown, f"no such element in {name}: {unknown}"
    inner = "".join(f"<{e}>{escape(values.get(e, ''))}</{e}>" for e in order)
    return f"<{name}>{inner}</{name}>"


def package(message_type: str, inner: str, message_id: str = "") -> Message:
    """The envelope around a body, in the form senders write: only the message element has a namespace."""
    message_id = message_id or f"{SENDER}{PORT}20261123021500{next(_serials):011d}"
    envelope = {
        "version": "1.0",
        "message_id": message_id,
        "file_name": f"{message_id}.EXP",
        "message_type": message_type,
        "sender_id": SENDER,
        "receiver_id": PORT,
        "send_time": "2026-11-23T02:15:00",
    }
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><Package>'
        + fields("EnvelopInfo", list(envelope), envelope)
        + f'<DataInfo><SignedData><Data><{message_type} xmlns="{EXP}">{inner}</{message_type}></Data>'
        + "<HashSign></HashSign><SignerInfo></SignerInfo></SignedData></DataInfo></Package>"
    )
    return Message(message_id, message_type, text.encode())


def declaration(
    house: str = "DEMO000001",
    *,
    base: Mapping[str, str] = IMPORT_B,
    lines: Sequence[Mapping[str, str]] | None = None,
    papers: Sequence[Mapping[str, str]] = (),
    message_id: str = "",
    **head: str,
) -> Message:
    """An EXP301; `head` overrides elements of `base`."""
    goods = lines if lines is not None else [LINE_B if base["EntryType"] == "B" else LINE_C]
    inner = fields("EntryHead", HEAD_301, {**base, "AssBillNo": house, **head})
    inner += "".join(fields("EntryList", LINE_301, line) for line in goods)
    inner += "".join(fields("EntryDocu", PAPER_301, paper) for paper in papers)
    return package("EXP301", inner, message_id)


def manifest(
    houses: Sequence[str],
    *,
    lines: Sequence[Mapping[str, str]] | None = None,
    message_id: str = "",
    **head: str,
) -> Message:
    """An EXP311 of one piece of 0.8 kg per house waybill; `head` overrides its elements."""
    both = {"BillNo": head.get("BillNo", "99912345675"), "VoyageNo": head.get("VoyageNo", "ZZ8801")}
    rows = lines or [
        {
            **both,
            "AssBillNo": house,
            "MainGName": "面霜",
            "PackNo": "1",
            "GrossWt": "0.8",
            "TradeTotal": "300",
            "TradeCurr": "142",
        }
        for house in houses
    ]
    tenths = 8 * len(rows)
    values = {
        "OpType": "ADD",
        "IEFlag": "I",
        "TrafCnName": "虚构航空",
        "TrafEnName": "DEMO AIR",
        "GrossWt": f"{tenths // 10}.{tenths % 10}",
        "PackNo": str(len(rows)),
        "BillNum": str(len(rows)),
        "TrafMode": "5",
        "IEDate": "20261123",
        "DestinationPort": "1100",
        "IEPort": "2910",
        "TradeCo": "330196DEM0",
        "TradeName": "虚构快件有限公司",
        "InputNo": "8900000000001",
        "InputOpName": "虚构录入员",
        "InputCompanyCode": "330196DEM0",
        "InputCompanyName": "虚构快件有限公司",
    }
    inner = fields("ExpMftHead", HEAD_311, {**values, **both, **head})
    inner += "".join(fields("ExpMftList", LINE_311, row) for row in rows)
    return package("EXP311", inner, message_id)
