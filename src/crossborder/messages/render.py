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
from crossborder.shipments.asking import AS_WRITTEN, constant

CHUNK = 20_000
"""Documents rendered at a time: memory stays bounded, speed is the same from 5,000 up."""

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
ILLEGAL = [*(chr(c) for c in range(32) if chr(c) not in "\t\n\r"), "\ufffe", "\uffff"]
"""Characters that no XML 1.0 document can hold, not even escaped (rule TXT-04 reports them)."""
_SPECIAL = [*_ESCAPES, *ILLEGAL]
_ESCAPED = str.maketrans(_ESCAPES)
_ILLEGAL = frozenset(ILLEGAL)


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
    whole = groups[0].frame.lazy().with_columns(ids.alias("message_id"))
    bodies = []
    for group in groups[1:]:
        if not group.frame.height:
            continue
        text = pl.concat_str(_written(group, fixed), ignore_nulls=True)
        rows = group.frame.lazy().select(key, text.alias(group.name))
        gathered = rows.group_by(key, maintain_order=True).agg(pl.col(group.name))
        # a list joined row by row costs a third of joining while grouping
        body = gathered.select(key, pl.col(group.name).list.join(""))
        whole = whole.join(body, on=key, how="left", maintain_order="left")
        bodies.append(pl.col(group.name))
    before, between, after = shell.opening(envelope.values(shell.message))
    parts = [
        pl.lit(before), pl.col("message_id"), pl.lit(between), pl.col("message_id"),
        *_written(groups[0], fixed, after), *bodies, pl.lit(shell.closing()),
    ]  # fmt: skip
    made = whole.select(key, "message_id", pl.concat_str(parts, ignore_nulls=True).alias("xml"))
    return made.collect(engine="in-memory", optimizations=AS_WRITTEN)


def _written(group: Rows, fixed: Mapping[str, str], before: str = "") -> list[pl.Expr]:
    """Literals and values by turns; neighbouring literals are merged, a null value leaves its tags empty.

    What all rows have in common is written into the literals.
    """
    names = [name for name in group.elements if name not in fixed]
    same = constant(group.frame, names)
    common = {name: group.frame.get_column(name)[0] for name in sorted(same)}
    _refuse_illegal(group.name, common)
    special = _special(group, [name for name in names if name not in same])
    parts: list[pl.Expr] = []
    literal = f"{before}<{group.name}>"
    for name in group.elements:
        if name in fixed or name in same:
            text = fixed[name] if name in fixed else (common[name] or "").translate(_ESCAPED)
            literal += f"<{name}>{text}</{name}>"
            continue
        value = pl.col(name)
        if name in special:
            value = value.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))
        parts += [pl.lit(f"{literal}<{name}>"), value]
        literal = f"</{name}>"
    return [*parts, pl.lit(f"{literal}</{group.name}>")]


def _special(group: Rows, names: Sequence[str]) -> frozenset[str]:
    """Columns whose values need escaping; raises where a value cannot be written at all."""
    found = _columns_with(group.frame, names, _SPECIAL)
    illegal = _columns_with(group.frame, sorted(found), ILLEGAL)
    _refuse_illegal(group.name, dict.fromkeys(sorted(illegal), ILLEGAL[0]))
    return found


def _columns_with(
    frame: pl.DataFrame, names: Sequence[str], characters: Sequence[str]
) -> frozenset[str]:
    if not names:
        return frozenset()
    query = frame.lazy().select(pl.col(names).str.contains_any(characters).any())
    found = query.collect(engine="in-memory", optimizations=AS_WRITTEN).row(0)
    return frozenset(name for name, hit in zip(names, found, strict=True) if hit)


def _refuse_illegal(group: str, values: Mapping[str, str | None]) -> None:
    """Raise `SchemaError` for the first value with a character that XML forbids."""
    for name, value in values.items():
        if value and not _ILLEGAL.isdisjoint(value):
            raise SchemaError(
                f"{name} holds a character that XML forbids", f"{name} 含有 XML 不允许的字符",
                place=f"{group}.{name}",
            )  # fmt: skip


def _xmlns(namespace: str) -> str:
    return f' xmlns="{namespace}"' if namespace else ""
