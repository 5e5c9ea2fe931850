"""Set the moment and the id of a finished document without composing it again.

A declaration is composed and shown long before it is queued; only then are its id and DDate fixed
(design, section 7). Every byte outside the four slots stays as it was.
"""

from __future__ import annotations

import re
from datetime import datetime

from crossborder import china_time
from crossborder.errors import SchemaError
from crossborder.messages.envelope import checked_id, file_name
from crossborder.messages.mapping import message_mapping

_TYPE = re.compile(rb"<message_type>([A-Z0-9]{1,16})</message_type>")


def stamp(xml: bytes, *, message_id: str, at: datetime) -> bytes:
    """`xml` with message_id, file_name, send_time and what the mapping gives as `moment` (EXP301: DDate) set.

    `xml` is a document composed here (UTF-8, values escaped, so a tag can only be a tag). Each slot must
    occur exactly once. Raises `SchemaError` otherwise.
    """
    identity = checked_id(message_id)
    values = {
        b"message_id": identity,
        b"file_name": file_name(identity),
        b"send_time": china_time.send_time(at),
    }
    for element in message_mapping(_message_type(xml)).given("moment"):
        values[element.encode("ascii")] = china_time.digits14(at)
    for slot, value in values.items():
        xml = _set(xml, slot, value.encode("ascii"))
    return xml


def _message_type(xml: bytes) -> str:
    found = _TYPE.search(xml)
    if found is None:
        raise SchemaError(
            "the document has no message_type", "报文中没有 message_type", place="message_type"
        )
    return found.group(1).decode("ascii")


def _set(xml: bytes, slot: bytes, value: bytes) -> bytes:
    start_tag, end_tag = b"<%s>" % slot, b"</%s>" % slot
    begin, end = xml.find(start_tag) + len(start_tag), xml.find(end_tag)
    if xml.count(start_tag) != 1 or xml.count(end_tag) != 1 or end < begin:
        name = slot.decode("ascii")
        raise SchemaError(
            f"<{name}> does not stand exactly once in the document",
            f"报文中 <{name}> 不是恰好出现一次",
            place=name,
        )
    return xml[:begin] + value + xml[end:]
