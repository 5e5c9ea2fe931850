"""Composed declarations back to canonical frames: the inverse of what `plan.project` and `compose` do.

Facts that no element of the message holds (supervision conditions, whether a refund is claimed, …) are not there any
more. Elements set when a document is composed (DDate) are not read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl
from lxml import etree

from crossborder.errors import SchemaError
from crossborder.messages.mapping import MessageMapping, message_mapping
from crossborder.shipments import frames
from crossborder.shipments.columns import FrameName

_MESSAGE = "EXP301"
_Rows = dict[FrameName, list[dict[str, Any]]]


def read_declarations(documents: Iterable[tuple[int, bytes]]) -> frames.FrameSet:
    """(`ship`, EXP301) pairs as frames; `row` is the position of the shipment, counted from 1.

    Raises `SchemaError` for what is no declaration: they are our own documents.
    """
    mapping = message_mapping(_MESSAGE)
    columns = {name: _columns(mapping, name) for name in mapping.groups}
    rows: _Rows = {"shipments": [], "goods": [], "documents": []}
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    for ship, body in documents:
        message = etree.fromstring(body, parser).find(f".//{{*}}{_MESSAGE}")
        if message is None:
            raise SchemaError(f"not an {_MESSAGE}", f"不是 {_MESSAGE} 报文", place=f"ship {ship}")
        for group in message:
            name = etree.QName(group).localname
            frame = mapping.groups[name].frame
            said = {columns[name][e]: e_.text for e_ in group if (e := etree.QName(e_).localname) in columns[name]}  # fmt: skip
            rows[frame].append({"ship": ship, "row": ship + 1, "sheet": "", **_filled(said)})
    return _framed(rows)


def _columns(mapping: MessageMapping, group: str) -> Mapping[str, str]:
    """Element → canonical column it was filled from."""
    sources = mapping.groups[group].elements
    return {e: s.column for e, s in sources.items() if s.column is not None and s.given is None}


def _filled(said: Mapping[str, str | None]) -> dict[str, str]:
    """What holds text. A transit's TrafName is `@` + transit declaration + `/` + first leg."""
    filled = {column: text for column, text in said.items() if text}
    number, slash, leg = filled.get("transport_name", "").partition("/")
    if slash and number.startswith("@"):
        filled |= {"transit_declaration": number[1:], "transport_name": leg}
    return filled


def _framed(rows: _Rows) -> frames.FrameSet:
    def made(name: FrameName, **more: pl.Expr) -> pl.DataFrame:
        if not rows[name]:
            return frames.empty(name)
        found = pl.DataFrame(rows[name], infer_schema_length=None)
        return frames.complete(name, found.with_columns(**more))

    def place(name: str) -> dict[str, pl.Expr]:
        return {name: pl.int_range(pl.len()).over("ship")}

    heads = made("shipments", rows=pl.concat_list(pl.col("row")), unreadable=pl.lit(value=False))
    return frames.FrameSet(heads, made("goods", **place("line")), made("documents", **place("doc")))
