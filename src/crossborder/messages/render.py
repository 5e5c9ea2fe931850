"""Element frames to finished documents, column by column.

The bytes are canonical by construction: UTF-8, one XML declaration, no attribute but the default namespace,
no self-closing tag, no white space between tags, `&`, `<`, `>` and carriage return escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from crossborder.errors import SchemaError
from crossborder.messages.envelope import DECLARATION, Envelope

CHUNK = 20_000
"""Documents rendered at a time: memory stays bounded, speed is the same from 5,000 up."""

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
ILLEGAL = [*(chr(c) for c in range(32) if chr(c) not in "\t\n\r"), "\ufffe", "\uffff"]
"""Characters that no XML 1.0 document can hold, not even escaped (rule TXT-04 reports them)."""
_SPECIAL = [*_ESCAPES, *ILLEGAL]


@dataclass(frozen=True)
class Shell:
    """Names and namespaces around the groups of a message in one written form; empty = no namespace."""

    message: str
    package_namespace: str
    message_namespace: str
    envelope: Sequence[str]

    def opening(self, values: Mapping[str, str]) -> tuple[str, str, str]:
        """The text before the id, between id and file name, and from the file name to the first group."""
        inside = ""
        for name in self.envelope:
            value = {"message_id": "\x00", "file_name": "\x00.EXP"}.get(name) or values[name]
            inside += f"<{name}>{value}</{name}>"
        text = (
            f"{DECLARATION}<Package{_xmlns(self.package_namespace)}><EnvelopInfo>{inside}</EnvelopInfo>"
            f"<DataInfo><SignedData><Data><{self.message}{_xmlns(self.message_namespace)}>"
        )
        before, between, after = text.split("\x00")
        return before, between, after

    def closing(self) -> str:
        """The text behind the last group; both signature elements are written, empty."""
        return (
            f"</{self.message}></Data><HashSign></HashSign><SignerInfo></SignerInfo>"
            "</SignedData></DataInfo></Package>"
        )


@dataclass(frozen=True)
class Rows:
    """One group of elements, ready to be written: `frame` has `key`, then one String column per element."""

    name: str
    elements: Sequence[str]
    frame: pl.DataFrame


def render(
    shell: Shell,
    groups: Sequence[Rows],
    *,
    key: str,
    ids: pl.Series,
    envelope: Envelope,
    fixed: Mapping[str, str],
) -> pl.DataFrame:
    """One document per row of the first group: `key`, `message_id`, `xml` (String).

    The other groups follow in order, their rows joined by `key` (sorted by it, rows of one key in the order
    they are to be written). `ids` names the documents in order. `fixed` are element values that are the same
    everywhere. Raises `SchemaError` if a value holds a character that XML forbids.
    """
    parts = [
        _chunk(shell, rows, key, chunk_ids, envelope, fixed)
        for rows, chunk_ids in _chunks(groups, key, ids)
    ]
    if not parts:
        nothing = groups[0].frame.select(key).clear()
        return nothing.with_columns(message_id=pl.lit(""), xml=pl.lit(""))
    return pl.concat(parts)


def _chunks(
    groups: Sequence[Rows], key: str, ids: pl.Series
) -> Iterator[tuple[list[Rows], pl.Series]]:
    heads = groups[0].frame
    for start in range(0, heads.height, CHUNK):
        part = heads.slice(start, CHUNK)
        first, last = part[key][0], part[key][-1]
        rows = [Rows(groups[0].name, groups[0].elements, part)]
        for group in groups[1:]:
            keys = group.frame[key]
            begin = int(keys.search_sorted(first, "left"))
            end = int(keys.search_sorted(last, "right"))
            rows.append(Rows(group.name, group.elements, group.frame.slice(begin, end - begin)))
        yield rows, ids.slice(start, CHUNK)


def _chunk(
    shell: Shell,
    groups: Sequence[Rows],
    key: str,
    ids: pl.Series,
    envelope: Envelope,
    fixed: Mapping[str, str],
) -> pl.DataFrame:
    frame = groups[0].frame.with_columns(ids.alias("message_id"))
    bodies = []
    for group in groups[1:]:
        if not group.frame.height:
            continue
        rows = group.frame.select(
            key, pl.concat_str(_written(group, fixed), ignore_nulls=True).alias(group.name)
        )
        joined = rows.group_by(key, maintain_order=True).agg(pl.col(group.name).str.join(""))
        frame = frame.join(joined, on=key, how="left", maintain_order="left")
        bodies.append(pl.col(group.name))
    before, between, after = shell.opening(envelope.values(shell.message))
    whole = [
        pl.lit(before), pl.col("message_id"), pl.lit(between), pl.col("message_id"),
        *_written(groups[0], fixed, after), *bodies, pl.lit(shell.closing()),
    ]  # fmt: skip
    return frame.select(key, "message_id", pl.concat_str(whole, ignore_nulls=True).alias("xml"))


def _written(group: Rows, fixed: Mapping[str, str], before: str = "") -> list[pl.Expr]:
    """Literals and values by turns; neighbouring literals are merged, a null value leaves its tags empty."""
    special = _special(group)
    parts: list[pl.Expr] = []
    literal = f"{before}<{group.name}>"
    for name in group.elements:
        if name in fixed:
            literal += f"<{name}>{fixed[name]}</{name}>"
            continue
        if group.frame[name].null_count() == group.frame.height:
            literal += f"<{name}></{name}>"
            continue
        value = pl.col(name)
        if name in special:
            value = value.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))
        parts += [pl.lit(f"{literal}<{name}>"), value]
        literal = f"</{name}>"
    return [*parts, pl.lit(f"{literal}</{group.name}>")]


def _special(group: Rows) -> set[str]:
    """Elements whose values need escaping; raises where a value cannot be written at all."""
    names = list(group.elements)
    found = group.frame.select(pl.col(names).str.contains_any(_SPECIAL).any()).row(0)
    special = {name for name, hit in zip(names, found, strict=True) if hit}
    if special:
        bad = group.frame.select(pl.col(sorted(special)).str.contains_any(ILLEGAL).any())
        for name in bad.columns:
            if bad[name][0]:
                raise SchemaError(
                    f"{name} holds a character that XML forbids", f"{name} 含有 XML 不允许的字符",
                    place=f"{group.name}.{name}",
                )  # fmt: skip
    return special


def _xmlns(namespace: str) -> str:
    return f' xmlns="{namespace}"' if namespace else ""
