"""Bodies of requests: bounded in size and depth, JSON or a shipment file."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import Request

_SUFFIX = {
    "text/csv": ".csv",
    "application/x-ndjson": ".ndjson",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}
DEPTH = 6


class NotAccepted(Exception):
    """A body that is not taken; nothing was recorded."""

    def __init__(self, status: int, title: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.more = status, title, detail, more


@dataclass
class Upload:
    """What a partner posted: records, or a file in a temporary place that goes when this does."""

    data: Any
    mapping: str | None
    submit: bool = False
    held: list[Any] = field(default_factory=list)


async def read_body(request: Request, most: int) -> bytes:
    """The whole body, at most `most` bytes."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise NotAccepted(
                413, "Content Too Large", f"at most {most} bytes; post several batches"
            )
        parts.append(part)
    return b"".join(parts)


def read_upload(raw: bytes, content_type: str, mapping: str, most: int) -> Upload:
    """JSON `{"submit": false, "shipments": [...]}`, or a file of a type that intake reads."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("application/json", ""):
        return _records(raw, mapping, most)
    if kind not in _SUFFIX:
        raise NotAccepted(
            415, "Unsupported Media Type", f"not {kind or 'nothing'}; send application/json or one of {', '.join(_SUFFIX)}"
        )  # fmt: skip
    folder = tempfile.TemporaryDirectory(prefix="crossborder-post-")
    file = Path(folder.name) / f"upload{_SUFFIX[kind]}"
    file.write_bytes(raw)
    return Upload(file, mapping or None, held=[folder])


def _records(raw: bytes, mapping: str, most: int) -> Upload:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NotAccepted(422, "Unprocessable Content", f"the body is not JSON: {error}") from error
    if not isinstance(body, dict) or not isinstance(body.get("shipments"), list):
        raise NotAccepted(
            422, "Unprocessable Content", 'expected {"submit": false, "shipments": [...]}'
        )
    unknown = sorted(set(body) - {"submit", "shipments"})
    if unknown:
        raise NotAccepted(422, "Unprocessable Content", f"unknown keys: {', '.join(unknown)}")
    shipments = body["shipments"]
    if not 1 <= len(shipments) <= most:
        raise NotAccepted(
            422, "Unprocessable Content", f"1 to {most} shipments; got {len(shipments)}"
        )
    if not all(isinstance(s, dict) for s in shipments):
        raise NotAccepted(422, "Unprocessable Content", "every shipment is an object")
    if _depth(shipments) > DEPTH:
        raise NotAccepted(422, "Unprocessable Content", f"nested deeper than {DEPTH}")
    if not isinstance(body.get("submit", False), bool):
        raise NotAccepted(422, "Unprocessable Content", "submit is true or false")
    return Upload(shipments, mapping or None, submit=body.get("submit", False))


def _depth(value: Any, at: int = 1) -> int:
    if at > DEPTH or not isinstance(value, (dict, list)):
        return at
    inside = value.values() if isinstance(value, dict) else value
    return max((_depth(v, at + 1) for v in inside), default=at)
