"""Bodies of requests: bounded in size and depth, JSON or a shipment file. What has a wrong shape is refused whole."""

from __future__ import annotations

import difflib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import Request

from crossborder.service.problems import NotAccepted
from crossborder.shipments.columns import COLUMNS, FrameName

FILES = {
    "text/csv": ".csv",
    "application/x-ndjson": ".ndjson",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}
"""Media type of a posted shipment file → how it is read."""
JSON = "application/json"
DEPTH = 6
_MOST_ERRORS = 20
_CANONICAL = ("", "canonical")


@dataclass
class Upload:
    """What a partner posted: records, or a file in a temporary place that goes when this does."""

    data: Any
    mapping: str | None
    submit: bool = False
    held: list[Any] = field(default_factory=list)

    def close(self) -> None:
        """Remove the temporary file."""
        for folder in self.held:
            folder.cleanup()


async def read_body(request: Request, most: int) -> bytes:
    """The whole body, at most `most` bytes. Raises `NotAccepted`."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise _too_large(most)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise _too_large(most)
        parts.append(part)
    return b"".join(parts)


def _too_large(most: int) -> NotAccepted:
    return NotAccepted(
        413, f"at most {most} bytes; post several batches", f"最多 {most} 字节，请分批提交"
    )


def read_upload(raw: bytes, content_type: str, mapping: str, most: int) -> Upload:
    """JSON `{"submit": false, "shipments": [...]}`, or a file of a type that intake reads. Raises `NotAccepted`."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in (JSON, ""):
        return _records(raw, mapping, most)
    if kind not in FILES:
        known = ", ".join((JSON, *FILES))
        raise NotAccepted(
            415,
            f"{kind} is not read here; send one of {known}",
            f"不支持 {kind}；可用类型：{known}",
        )
    folder = tempfile.TemporaryDirectory(prefix="crossborder-post-")
    file = Path(folder.name) / f"upload{FILES[kind]}"
    file.write_bytes(raw)
    return Upload(file, mapping or None, held=[folder])


def _records(raw: bytes, mapping: str, most: int) -> Upload:
    body = _loads(raw)
    if not isinstance(body, dict) or not isinstance(body.get("shipments"), list):
        raise NotAccepted(
            422, 'expected {"submit": false, "shipments": [...]}', '应为 {"submit": false, "shipments": [...]}'
        )  # fmt: skip
    unknown = sorted(set(body) - {"submit", "shipments"})
    if unknown:
        raise _refused([_unknown(f"/{key}", key, ("submit", "shipments")) for key in unknown])
    submit = body.get("submit", False)
    if not isinstance(submit, bool):
        raise _refused([_error("/submit", "true or false", "应为 true 或 false")])
    shipments = body["shipments"]
    if not 1 <= len(shipments) <= most:
        raise NotAccepted(
            422, f"1 to {most} shipments a post; got {len(shipments)}", f"每次 1 至 {most} 票，收到 {len(shipments)} 票"
        )  # fmt: skip
    errors = []
    for error in _wrong(shipments, canonical=mapping in _CANONICAL):
        errors.append(error)
        if len(errors) == _MOST_ERRORS:
            break
    if errors:
        raise _refused(errors)
    return Upload(shipments, mapping or None, submit=submit)


def _loads(raw: bytes) -> Any:
    """JSON whose numbers keep the digits they were written with, and whose keys occur once."""
    try:
        return json.loads(
            raw, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_once
        )
    except (ValueError, RecursionError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise NotAccepted(422, f"the body is not JSON: {said}", f"正文不是有效的 JSON：{said}") from error  # fmt: skip


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice!r} occurs twice in one object")
    return table


Error = Mapping[str, str]


def _error(pointer: str, en: str, zh: str) -> Error:
    return {"pointer": pointer, "detail": en, "detail_zh": zh}


def _refused(errors: list[Error]) -> NotAccepted:
    first = errors[0]
    return NotAccepted(
        422, f"{first['pointer']}: {first['detail']}", f"{first['pointer']}：{first['detail_zh']}", errors
    )  # fmt: skip


def _wrong(shipments: list[Any], *, canonical: bool) -> Iterator[Error]:
    """Where the shape is wrong; flat records in a partner's own columns are judged by their mapping."""
    for number, shipment in enumerate(shipments):
        place = f"/shipments/{number}"
        if not isinstance(shipment, dict):
            yield _error(place, "every shipment is an object", "每一票应为一个对象")
        elif canonical and ("house_waybill" in shipment or "goods" in shipment):
            yield from _wrong_shipment(shipment, place)
        elif _depth(shipment) > DEPTH:
            yield _error(place, f"nested deeper than {DEPTH}", f"嵌套超过 {DEPTH} 层")


def _wrong_shipment(shipment: Mapping[str, Any], place: str) -> Iterator[Error]:
    head = {key: value for key, value in shipment.items() if key not in ("goods", "documents")}
    yield from _wrong_record(head, "shipments", place)
    for name in ("goods", "documents"):
        lines = shipment.get(name, [])
        if not isinstance(lines, list):
            yield _error(f"{place}/{name}", "a list of objects", "应为对象数组")
            continue
        for at, line in enumerate(lines):
            if isinstance(line, dict):
                frame: FrameName = "goods" if name == "goods" else "documents"
                yield from _wrong_record(line, frame, f"{place}/{name}/{at}")
            else:
                yield _error(f"{place}/{name}/{at}", "an object", "应为对象")


def _wrong_record(record: Mapping[str, Any], frame: FrameName, place: str) -> Iterator[Error]:
    known = COLUMNS[frame]
    for key, value in record.items():
        if key not in known:
            names = (*known, "goods", "documents") if frame == "shipments" else tuple(known)
            yield _unknown(f"{place}/{_escaped(key)}", key, names)
        elif isinstance(value, dict | list):
            yield _error(
                f"{place}/{key}",
                "text, a number, true or false belongs here",
                "此处应为文字、数字或布尔值",
            )


def _unknown(pointer: str, key: str, names: tuple[str, ...]) -> Error:
    near = difflib.get_close_matches(key, names, 1)
    en = f"; did you mean {near[0]!r}?" if near else ""
    zh = f"，是否应为 {near[0]!r}？" if near else ""
    return _error(pointer, f"unknown key{en}", f"未知的键{zh}")


def _escaped(key: str) -> str:
    """A key inside a JSON pointer (RFC 6901)."""
    return key[:100].replace("~", "~0").replace("/", "~1")


def _depth(value: Any, at: int = 1) -> int:
    if at > DEPTH or not isinstance(value, dict | list):
        return at
    inside = value.values() if isinstance(value, dict) else value
    return max((_depth(v, at + 1) for v in inside), default=at)
