"""Transport `folder`: the boxes of an import client.

`OutBox`: we put messages there, the client takes them. `SentBox`: it moved them there, so it has them.
`FailBox`: it refused them, the reason beside it in a `.txt`. `InBox`: receipts; once stored we move them to
`InBox/done`. A file name holds a time, the message type and the beginning of the content digest, never
personal data.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from crossborder.china_time import CHINA
from crossborder.errors import TransportError
from crossborder.transport.boxes import (
    PART,
    Finder,
    digest_of,
    publish,
    read_bounded,
    write_new,
)
from crossborder.transport.port import (
    Incoming,
    LookedUp,
    Outgoing,
    Refusal,
    Submitted,
    detail,
    shown,
)

_PER_CALL = 200
_MAX_RECEIPT = 64 * 1024**2
_MAX_REASON = 4096
_STILL_NS = 3_000_000_000
_UNFINISHED = re.compile(r"^[.~]|\.(?:part|tmp|temp|filepart|crdownload)$", re.IGNORECASE)
_ROOT = re.compile(rb"<([A-Za-z_][^\s<>/]*)")

_Stamp = tuple[int, int]


class FolderSettings(Protocol):
    """The part of `settings.Endpoint` that this transport reads."""

    @property
    def address(self) -> str: ...


class FolderTransport:
    """Speaks to one import client through its boxes. Not thread-safe: an instance per worker thread.

    Raises `TransportError` when opened on a folder that is missing or in which the boxes cannot be written.
    """

    can_look_up = True

    def __init__(self, endpoint: FolderSettings, name: str) -> None:
        place = f"endpoints.{name}.address"
        base = Path(endpoint.address).expanduser() if endpoint.address else None
        if base is None or not _is_folder(base):
            raise TransportError(
                f"the folder of the import client does not exist: {endpoint.address or '(none)'}",
                f"导入客户端文件夹不存在：{endpoint.address or '（未设置）'}", place=place,
                fix_en="create it, or correct the address", fix_zh="请建立该文件夹或更正地址",
            )  # fmt: skip
        self.outbox, self.sentbox = base / "OutBox", base / "SentBox"
        self.failbox, self.inbox = base / "FailBox", base / "InBox"
        self._done = self.inbox / "done"
        _prepare((self.outbox, self.sentbox, self.failbox, self._done), place)
        self._finder = Finder()
        self._stored: dict[str, _Stamp] = {}
        self.trouble = ""

    def submit(self, message: Outgoing) -> Submitted:
        """Put the message into OutBox, durably. A try repeated finds the file of the first one and writes none."""
        name = file_name(message.created, message.message_type, message.digest[:8])
        try:
            there = self._same_name(name)
            if there and digest_of(there) != message.digest:  # a foreign file, or 32 equal bits
                name = file_name(message.created, message.message_type, message.digest)
                there = self._same_name(name)
                if there and digest_of(there) != message.digest:
                    return Submitted("unknown", conflict=True, detail=detail("other_digest"))
            if there and there.parent == self.failbox:
                return Submitted("declined", detail=detail("declined", _reason(there)))
        except OSError as error:
            return Submitted("unknown", detail=_failed("cannot_read", error))
        if there:
            return Submitted("received", detail=detail("already_there"))
        part = self.outbox / (name + PART)
        try:
            write_new(part, message.body)
        except OSError as error:
            return Submitted("unknown", nothing_left=True, detail=_failed("cannot_write", error))
        try:
            publish(part, name)
        except OSError as error:
            return Submitted("unknown", detail=_failed("cannot_write", error))
        return Submitted("received", detail=detail("handed_over"))

    def _same_name(self, name: str) -> Path | None:
        boxes = (self.outbox, self.sentbox, self.failbox)
        return next((box / name for box in boxes if (box / name).exists()), None)

    def look_up(self, key: str, message_id: str, digest: str) -> LookedUp:
        """Search the boxes by content, in the order in which a file wanders, and twice before saying no."""
        complete = True
        try:
            for box in (self.outbox, self.sentbox, self.failbox) * 2:
                found = self._finder.find(box, digest)
                complete = complete and self._finder.complete
                if found is None:
                    continue
                if box == self.failbox:
                    reason = detail("declined", _reason(found))
                    return LookedUp("not_received", declined=True, detail=reason)
                code = "taken" if box == self.sentbox else "handed_over"
                return LookedUp("received", detail=detail(code))
        except OSError as error:
            return LookedUp("unknown", detail=_failed("cannot_read", error))
        if not complete:
            return LookedUp("unknown", detail=detail("more_to_read"))
        return LookedUp("not_received", detail=detail("not_there"))

    def refusals(self) -> Iterator[Refusal]:
        """Everything in FailBox: what the client refused after it was handed over. Raises `OSError`."""
        for path, digest in self._finder.contents(self.failbox):
            yield Refusal(digest, detail("declined", _reason(path)))

    def receipts(self) -> Iterator[Incoming]:
        """Complete files of InBox, by name. One that may still be growing is left until nobody has touched it
        for three seconds; one that is too large or cannot be read is left and named in `trouble`."""
        self.trouble = ""
        try:
            waiting = self._waiting()
        except OSError as error:
            self.trouble = _failed("cannot_read", error)
            return
        there = dict(waiting)
        self._stored = {n: s for n, s in self._stored.items() if there.get(n) == s}
        given = 0
        for name, stamp in waiting:
            if given == _PER_CALL:
                return
            path = self.inbox / name
            if name in self._stored:  # stored before, but could not be moved
                self._put_away(path, stamp)
                continue
            try:
                data = read_bounded(path, _MAX_RECEIPT)
            except OSError as error:
                self.trouble = self.trouble or _failed("cannot_read", error)
                continue
            if data is None:
                self.trouble = self.trouble or detail("too_large", name)
            elif _looks_whole(data) or self._now_ns() - stamp[1] >= _STILL_NS:
                given += 1
                yield Incoming(shown(name, 120), data, partial(self._put_away, path, stamp))
            else:
                self.trouble = self.trouble or detail("still_written", name)

    def _waiting(self) -> list[tuple[str, _Stamp]]:
        """(name, size and time of change) of the finished-looking files of InBox, by name."""
        found = []
        with os.scandir(self.inbox) as entries:
            for entry in entries:
                if _UNFINISHED.search(entry.name) or not entry.is_file(follow_symlinks=False):
                    continue
                stat = entry.stat(follow_symlinks=False)
                found.append((entry.name, (stat.st_size, stat.st_mtime_ns)))
        return sorted(found)

    def _now_ns(self) -> int:
        """The present moment by the clock that dates the files, which may be another machine's."""
        probe = self._done / _probe_name()
        try:
            write_new(probe, b"")
            now = probe.stat().st_mtime_ns
            probe.unlink()
        except OSError:
            return 0
        return now

    def _put_away(self, path: Path, stamp: _Stamp) -> None:
        """Move a receipt to `done`, unless it has changed since it was read: then it comes again."""
        try:
            stat = path.stat(follow_symlinks=False)
            if (stat.st_size, stat.st_mtime_ns) != stamp:
                return
            self._stored[path.name] = stamp
            target = self._done / path.name
            count = 1
            while target.exists():
                count += 1
                target = self._done / f"{path.stem}.{count}{path.suffix}"
            path.replace(target)
        except OSError as error:
            self.trouble = self.trouble or _failed("cannot_write", error)


def file_name(created: datetime, message_type: str, digest: str) -> str:
    """`S_<17 digits of China time>_<type>_<digest>.xml`."""
    at = created.astimezone(CHINA)
    kind = re.sub("[^A-Z0-9]", "", message_type.upper())[:16] or "X"
    return f"S_{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}_{kind}_{digest}.xml"


def _looks_whole(data: bytes) -> bool:
    """Whether a document ends with the end tag of its first element."""
    root = _ROOT.search(data)
    return root is not None and data.rstrip().endswith(b"</" + root[1] + b">")


def _is_folder(path: Path) -> bool:
    """Whether there is a folder, as far as this user may see."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _reason(refused: Path) -> str:
    """What the client wrote beside a refused file: `NAME.txt` or `NAME.xml.txt`."""
    for beside in (refused.with_suffix(".txt"), refused.with_name(refused.name + ".txt")):
        try:
            with beside.open("rb") as file:
                data = file.read(_MAX_REASON)
        except OSError:
            continue
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return data.decode("gb18030", errors="replace")
    return ""


def _prepare(boxes: tuple[Path, ...], place: str) -> None:
    """Create the boxes and prove that each can be written."""
    for box in boxes:
        probe = box / _probe_name()
        try:
            box.mkdir(parents=True, exist_ok=True)
            write_new(probe, b"")
            probe.unlink()
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise TransportError(
                f"the box {box.name} cannot be written: {why}", f"文件夹 {box.name} 无法写入：{why}", place=place,
                fix_en=f"let this user write {box}", fix_zh=f"请授予本用户对 {box} 的写权限",
            ) from error  # fmt: skip


def _probe_name() -> str:
    return f".crossborder-{os.getpid()}-{threading.get_ident()}{PART}"


def _failed(code: str, error: OSError) -> str:
    return detail(code, error.strerror or type(error).__name__)
