"""The envelope around every message, and the numbers that stand in it.

Source: envelope types of the EXP schema set (2019 copy) for order and lengths; the split of message_id into
sender, receiver, time and serial from observed messages (five of 2012 to 2019 split this way).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from crossborder import china_time
from crossborder.errors import SchemaError

VERSION = "1.0"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_PARTY = re.compile(r"[0-9A-Za-z]{1,18}", re.ASCII)
_SERIAL = re.compile(r"[0-9A-Za-z]{11}", re.ASCII)
_ID = re.compile(r"[0-9A-Za-z]{1,36}[0-9]{14}[0-9A-Za-z]{11}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is the same in the envelope of every document of one call.

    `sender`, `receiver`: exchange ids, 1 to 18 letters and digits. `at`: the moment of sending; written as
    China time, to the second.
    """

    sender: str
    receiver: str
    at: datetime

    def __post_init__(self) -> None:
        _party(self.sender, "sender_id")
        _party(self.receiver, "receiver_id")

    def values(self, message: str) -> dict[str, str]:
        """Element → value for all envelope elements but `message_id` and `file_name`."""
        return {
            "version": VERSION,
            "message_type": message,
            "sender_id": self.sender,
            "receiver_id": self.receiver,
            "send_time": china_time.send_time(self.at),
        }


def message_id(sender: str, receiver: str, at: datetime, serial: int | str) -> str:
    """sender (≤ 18) + receiver (≤ 18) + yyyyMMddHHmmss in China time + serial (11): at most 61 characters.

    `serial` is a number from 0 to 99,999,999,999 or exactly 11 letters and digits. Raises `SchemaError`.
    """
    tail = f"{serial:011d}" if isinstance(serial, int) and serial >= 0 else str(serial)
    if not _SERIAL.fullmatch(tail):
        raise SchemaError(
            f"a serial has 11 letters or digits, not {tail!r}",
            f"流水号须为11位字母或数字，而不是 {tail!r}",
            place="message_id",
        )
    return (
        _party(sender, "sender_id") + _party(receiver, "receiver_id")
        + china_time.digits14(at) + tail
    )  # fmt: skip


def file_name(identity: str) -> str:
    """`message_id` + `.EXP` (schema limit 65 = 61 + 4)."""
    return f"{identity}.EXP"


def checked_id(identity: str) -> str:
    """`identity` itself if it has the shape that `message_id` gives; else raises `SchemaError`."""
    if not _ID.fullmatch(identity):
        raise SchemaError(
            f"not a message id: {identity!r}", f"报文编号格式不符：{identity!r}",
            place="message_id",
            fix_en="sender + receiver + 14 digits of time + 11 of serial",
            fix_zh="发送方 + 接收方 + 14位时间 + 11位流水号",
        )  # fmt: skip
    return identity


def _party(value: str, name: str) -> str:
    if not _PARTY.fullmatch(value):
        raise SchemaError(
            f"{name} has 1 to 18 letters or digits, not {value!r}",
            f"{name} 须为1至18位字母或数字，而不是 {value!r}",
            place=name,
        )
    return value
