"""The port between filing and an endpoint: three methods, and answers that are data.

A transport never raises for what the far side does: a refusal, a time-out, nonsense are answers. Only settings
that cannot work raise `TransportError`, when the transport is opened. An instance belongs to one thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from crossborder.log import mask_text

MAX_DETAIL = 300
"""Longest foreign text that is kept in an answer, in characters."""
_BOTH = " ‖ "
"""Stands between the Chinese and the English text of a detail that has both."""


@dataclass(frozen=True)
class Outgoing:
    """One message as it leaves the house: id and bytes are frozen and stored before this exists.

    `digest` is the lower-case hexadecimal SHA-256 of `body`; `created` is when the bytes were frozen, the same
    for every try of the same message; `key` is the normalised business key.
    """

    message_type: str
    key: str
    message_id: str
    digest: str
    body: bytes
    created: datetime


@dataclass(frozen=True)
class Submitted:
    """What became of one try.

    `received`: the far side has the message, by its own word. `declined`: it refused it, by its own word, and
    keeps nothing. `unknown`: everything else. `nothing_left` goes with unknown and says that certainly no byte
    of the message was handed over, so that the same bytes may be tried again. `conflict` says that the far side
    holds *other* bytes under this id: a person must look. `detail` is one of `SAYINGS`, perhaps followed by
    `: ` and what the far side wrote (shortened, personal numbers masked).
    """

    outcome: Literal["received", "declined", "unknown"]
    nothing_left: bool = False
    conflict: bool = False
    detail: str = ""


@dataclass(frozen=True)
class LookedUp:
    """What the far side says it has. `declined` goes with not_received: it had the message and refused it.

    `not_received` is only said on positive evidence; whatever cannot be asked or read is `unknown`.
    """

    outcome: Literal["received", "not_received", "unknown"]
    declined: bool = False
    conflict: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A receipt, raw. Call `acknowledge` only when `data` is stored; unacknowledged ones come again."""

    name: str
    data: bytes
    acknowledge: Callable[[], None]


@dataclass(frozen=True)
class Refusal:
    """A message that was handed over and refused afterwards: the digest of its bytes, and a `detail`."""

    digest: str
    detail: str = ""


@runtime_checkable
class Transport(Protocol):
    """How an endpoint is spoken to. One instance per thread; `close`, where there is one, is called at the end.

    Where handing over does not yet say that the far side accepts (boxes of an import client), a transport also has
    `refusals() -> Iterator[Refusal]`: everything that was refused afterwards, old and new; it is asked at each poll.

    A class of your own is built as `Class(endpoint_settings, endpoint_name)` and named in the settings as
    `transport = "module:Class"`; `crossborder.testing.transport_contract` is its test.
    """

    can_look_up: bool
    trouble: str
    """Why the last `receipts()` ended early (a detail as in `Submitted`), empty if it did not."""

    def submit(self, message: Outgoing) -> Submitted:
        """Hand one message over, once, within the endpoint's time limit."""

    def look_up(self, key: str, message_id: str, digest: str) -> LookedUp:
        """Ask whether a message is there. Says `unknown` where `can_look_up` is false."""

    def receipts(self) -> Iterator[Incoming]:
        """Receipts that wait, at most a bounded number per call; fewer is no promise that none is left."""


SAYINGS: dict[str, tuple[str, str]] = {
    "connect_failed": ("连接失败，报文未发出", "no connection; nothing was sent"),
    "no_answer": ("在时限内未收到应答", "no answer within the time limit"),
    "connection_lost": ("应答前连接中断", "the connection broke before the answer"),
    "bad_answer": ("应答无法识别", "an answer that cannot be understood"),
    "too_large": ("数据超过大小限制", "larger than the limit"),
    "other_digest": ("对方以同一报文编号存有不同内容", "other content is there under the same id"),
    "already_there": ("对方已有同一报文", "the same message was already there"),
    "declined": ("对方拒收", "declined"),
    "handed_over": ("已放入发件箱", "handed over to the out-box"),
    "taken": ("导入客户端已取走", "taken by the import client"),
    "not_there": ("对方没有该报文", "it is not there"),
    "cannot_write": ("无法写入文件夹", "the folder cannot be written"),
    "cannot_read": ("无法读取", "it cannot be read"),
    "still_written": ("文件可能仍在写入，下次再取", "perhaps still being written; taken next time"),
    "more_to_read": ("尚有文件未核对，下次继续", "more files to compare; goes on next time"),
    "cannot_ask": ("该通道不能查询", "this transport cannot look up"),
    "given_back": ("未发送，已退回队列", "not sent; back in the queue"),
    "transport_failed": ("通道程序出错", "the transport itself failed"),
    "cannot_open": ("端点无法打开", "the endpoint cannot be opened"),
}
"""Every code a `detail` begins with, in Chinese and English."""


def shown(text: str, limit: int = MAX_DETAIL) -> str:
    """Foreign text fit to be kept: no control characters, no numbers of persons, at most `limit` characters."""
    clean = re.sub(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+", " ", text[: 4 * limit]).strip()
    return mask_text(clean)[:limit]


def detail(code: str, foreign: str = "") -> str:
    """`code`, or `code: foreign`, the foreign part as `shown`."""
    said = shown(foreign)
    return f"{code}: {said}" if said else code


def detail_in_both(code: str, zh: str, en: str) -> str:
    """A `detail` whose second part is ours, in both languages: `say` shows the one that is asked for."""
    return f"{code}: {shown(zh)}{_BOTH}{shown(en)}"


def say(text: str, lang: str = "en") -> str:
    """A `detail` in words, for people."""
    code, _, foreign = text.partition(": ")
    if _BOTH in foreign:
        foreign = foreign.split(_BOTH)[lang != "zh"]
    zh, en = SAYINGS.get(code, (code, code))
    said = zh if lang == "zh" else en
    between = "：" if lang == "zh" else ": "
    return f"{said}{between}{foreign}" if foreign else said
