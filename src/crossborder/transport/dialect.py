"""A gateway dialect: paths, headers and the patterns of answers, declared as data and read once."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from crossborder import resources
from crossborder.errors import NotFound, TransportError
from crossborder.transport.port import detail

_SLOT = re.compile(r"\{([^{}]*)\}")
_SLOTS = frozenset({"message_id", "message_type", "key", "digest", "limit", "token"})


def _known_slots(template: str) -> str:
    unknown = sorted(set(_SLOT.findall(template)) - _SLOTS)
    if unknown:
        raise ValueError(f"unknown placeholder {{{unknown[0]}}}")
    return template


def _absolute(path: str) -> str:
    if not path.startswith("/") or "//" in path or ".." in path:
        raise ValueError("a path begins with one / and stays below the address")
    if "{token}" in path:
        raise ValueError("a token belongs in a header, paths are written to logs")
    return path


Template = Annotated[str, AfterValidator(_known_slots)]
PathTemplate = Annotated[str, AfterValidator(_known_slots), AfterValidator(_absolute)]
Method = Literal["GET", "POST", "PUT"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(_Part):
    """One pattern of an answer. `digest` and `message_id` name fields that must be there and equal ours; `reason` is quoted."""

    status: tuple[int, ...] = Field(min_length=1)
    when: dict[str, str] = {}
    outcome: str
    message_id: str = ""
    digest: str = ""
    reason: str = ""


class SubmitAnswer(Answer):
    """`received`, `duplicate` (it was already there; the digest must prove that it is the same) or `declined`."""

    outcome: Literal["received", "duplicate", "declined"]

    @model_validator(mode="after")
    def _proved(self) -> SubmitAnswer:
        if self.outcome == "duplicate" and not self.digest:
            raise ValueError("a duplicate counts as received only by its digest: name the field")
        return self


class LookUpAnswer(Answer):
    """`received`, `not_received`, or `declined`: it had the message and refused it."""

    outcome: Literal["received", "not_received", "declined"]


class Submit(_Part):
    """The request that carries a message; its body is the bytes of the message."""

    method: Method = "POST"
    path: PathTemplate
    headers: dict[str, Template] = {}
    answers: tuple[SubmitAnswer, ...] = Field(min_length=1)


class LookUp(_Part):
    """The request that asks for one message."""

    method: Method = "GET"
    path: PathTemplate
    headers: dict[str, Template] = {}
    answers: tuple[LookUpAnswer, ...] = Field(min_length=1)


class Acknowledge(_Part):
    """The request that says which receipts are stored: a JSON object with the list of ids under `ids`."""

    method: Method = "POST"
    path: PathTemplate
    headers: dict[str, Template] = {}
    ids: str = "ids"
    status: tuple[int, ...] = (200,)


class Receipts(_Part):
    """The request that fetches receipts: a JSON object with a list of objects under `list`."""

    method: Method = "GET"
    path: PathTemplate
    headers: dict[str, Template] = {}
    limit: int = Field(200, ge=1, le=10_000)
    status: tuple[int, ...] = (200,)
    list: str = "receipts"
    id: str = "id"
    receipt_name: str = "name"
    body: str = "body_base64"
    encoding: Literal["base64", "text"] = "base64"
    acknowledge: Acknowledge


class Dialect(_Part):
    """How one kind of gateway is spoken to. Without `look_up` nothing can be asked, without `receipts` none come."""

    name: str
    headers: dict[str, Template] = {}
    max_answer_bytes: int = Field(65_536, ge=256, le=16 * 1024**2)
    max_receipts_bytes: int = Field(64 * 1024**2, ge=1024, le=1024**3)
    submit: Submit
    look_up: LookUp | None = None
    receipts: Receipts | None = None


def load_dialect(name: str, folders: Sequence[Path] = ()) -> Dialect:
    """The dialect `name.toml`, from one of `folders`, else a packaged one.

    Raises `TransportError` naming the file and the first key that is wrong, or the dialects there are.
    """
    file = next((f / f"{name}.toml" for f in folders if (f / f"{name}.toml").is_file()), None)
    try:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise NotFound(f"not a name: {name!r}")
        file = file or resources.path(f"mappings/dialects/{name}.toml")
    except NotFound as error:
        known = ", ".join(resources.names("mappings/dialects", ".toml"))
        raise TransportError(
            f"no gateway dialect {name!r}", f"没有名为 {name!r} 的网关对接方式",
            fix_en=f"known: {known}", fix_zh=f"现有：{known}",
        ) from error  # fmt: skip
    try:
        return Dialect.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        said = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    except (OSError, ValueError) as error:
        said = str(error)
    raise TransportError(
        f"the gateway dialect cannot be used: {said}", f"网关对接方式文件无法使用：{said}", place=file.name
    )  # fmt: skip


def fill(template: str, values: Mapping[str, str], *, in_path: bool = False) -> str | None:
    """The template with its placeholders filled; None if one of them has no value."""
    if any(not values.get(slot) for slot in _SLOT.findall(template)):
        return None
    return _SLOT.sub(lambda m: quote(values[m[1]], safe="") if in_path else values[m[1]], template)


def read_object(data: bytes) -> dict[str, Any] | None:
    """The JSON object that `data` is; None for anything else."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


_CODES = {"duplicate": "already_there", "declined": "declined", "not_received": "not_there"}


def judge(
    answers: Sequence[Answer],
    status: int,
    said: dict[str, Any] | None,
    message_id: str,
    digest: str,
) -> tuple[str, bool, str]:
    """(outcome, conflict, detail) of an answer: the first pattern that fits; `unknown` if none does."""
    for answer in answers:
        fields = said or {}
        if status not in answer.status or any(fields.get(k) != v for k, v in answer.when.items()):
            continue
        if answer.message_id and fields.get(answer.message_id) != message_id:
            return "unknown", False, detail("bad_answer", f"{status}, another message id")
        if answer.digest and fields.get(answer.digest) != digest:
            there = fields.get(answer.digest)
            if isinstance(there, str) and re.fullmatch("[0-9a-f]{64}", there):
                return "unknown", True, detail("other_digest", there)
            return "unknown", False, detail("bad_answer", f"{status}, no digest")
        reason = str(fields.get(answer.reason) or "") if answer.reason else ""
        code = _CODES.get(answer.outcome)
        return answer.outcome, False, detail(code, reason) if code else ""
    shown = "not a JSON object" if said is None else f"status field {said.get('status')!r:.60}"
    return "unknown", False, detail("bad_answer", f"HTTP {status}, {shown}")
