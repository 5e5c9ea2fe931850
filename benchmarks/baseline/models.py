"""Pydantic models of the express declaration, one field per element with the facets of its type."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel, Field, create_model

from benchmarks.baseline.spec import DOCU, HEAD, LINE
from crossborder import schema


@cache
def declaration() -> type[BaseModel]:
    """The head with its lines and documents."""
    line, docu = _model(LINE), _model(DOCU)
    return _model(
        HEAD,
        lines=(list[line], Field(max_length=20)),  # type: ignore[valid-type]  # made at run time
        docs=(list[docu], Field()),  # type: ignore[valid-type]  # made at run time
    )


def _model(group: str, **more: Any) -> type[BaseModel]:
    fields: dict[str, Any] = {
        e.name: (str | None, Field(default=None, **_facets(e)))
        for e in schema.load_elements("EXP301").group(group).elements
    }
    return create_model(group, **fields, **more)


def _facets(element: schema.Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if element.pattern:
        found["pattern"] = schema.to_rust(element.pattern, place=element.name)
    elif element.enumeration:
        found["pattern"] = f"^(?:{'|'.join(element.enumeration)})$"
    if element.max_length is not None and not element.total_digits:
        found["max_length"] = element.max_length
    if element.min_length:
        found["min_length"] = element.min_length
    return found
