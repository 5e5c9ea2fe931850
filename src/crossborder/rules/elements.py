"""Which schema element a canonical column fills: the message mapping of EXP301, read backwards."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from crossborder import resources
from crossborder.shipments.columns import FrameName


@cache
def elements() -> Mapping[FrameName, Mapping[str, str]]:
    """`{frame: {column: element}}`; columns that fill no element are missing."""
    mapping: dict[str, Any] = tomllib.loads(resources.text("mappings/messages/EXP301.toml"))
    found: dict[FrameName, dict[str, str]] = {"shipments": {}, "goods": {}, "documents": {}}
    for group in mapping["groups"].values():
        columns = found[group["frame"]]
        for element, source in group["elements"].items():
            column = source if isinstance(source, str) else source.get("column", "")
            if column:
                columns.setdefault(column, element)
    return found


def element(frame: FrameName, column: str) -> str | None:
    """The element that a column fills, if any."""
    return elements()[frame].get(column)
