"""Whole documents of all nine messages: the compiled facets and libxml2 refuse the same elements of the same documents.

Documents are drawn as frames, one per group, from the facts alone: sound values, then a list of mutations. Every element
stands on a line of its own, so that libxml2's errors name elements by their line. Presence and number are judged by the
element tree; what is out of order is composed as text, for no plan writes it.
"""

from __future__ import annotations

import functools
import random
import re
from typing import Any, NamedTuple

import polars as pl
import pytest
from lxml import etree

from crossborder import schema

SLOW_SEEDS = range(1, 51)
DOCUMENTS = {
    "EXP301": 3600, "EXP304": 2000, "EXP306": 2000, "EXP311": 3600,
    "EXP302": 1800, "EXP307": 1800, "EXP308": 1800, "EXP310": 1800, "EXP312": 1800,
}  # fmt: skip
PIECES = [
    "", "0", "00", "1", "-1", "+1", ".5", "5.", "1e5", "1.23456", "1.234567", "0.0000100", "12345678901234", "123456789012345",
    "9" * 19, "9" * 20, "1.00000000", "１２", "1 ", " 1", "1,5", "x", "长", "𠮷", "20260230", "20260228", "20240229",
    "21000229", "20261123180509", "20261123246060", "2026112", "20261123180509+08", "abc", "ADD", "ADDX", "&<>\"'", "a\tb", "a\nb",
    "a\rb", "]]>", "%s", "\u00a0", "e\u0301", "\ufffd", "EXP301", "EXP3012", "2026-11-23T01:02:03", "2026-11-23T01:02:03Z", "n.EXP",
    *(letter * n for letter in "9长𠮷" for n in (2, 3, 4, 5, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 30, 31, 32, 33, 50, 51, 64, 65, 100, 101, 255, 256, 512, 513, 2000, 2001)),
]  # fmt: skip
DAMAGE = ["\n", " ", "0", "9", ".", "长", "𠮷", "x", "-", "\t"]
ENVELOPE = "EnvelopInfo"


class Frame(NamedTuple):
    """One group: `doc` of every row, and a column of texts for each element (null: the element is left out)."""

    group: schema.Group
    rows: pl.DataFrame


@functools.cache
def groups(message: str) -> tuple[schema.Group, ...]:
    """The groups as they stand in a document; the envelope's head is the first of them."""
    head = tuple(e for e in schema.envelope_elements() if e.group == ENVELOPE)
    return (schema.Group(ENVELOPE, "", 1, 1, head), *schema.load_elements(message).groups)


def drawn(message: str, count: int, draw: random.Random, facts: Any) -> list[Frame]:
    """Sound documents, then one or two mutations in most of them."""
    frames = []
    for group in groups(message):
        sizes = [group.min_occurs, 1, 2, group.max_occurs or 3, (group.max_occurs or 3) + 1]
        weights = [1, 30, 20, 0.5, 0.5 if group.max_occurs != 1 else 0]
        rows = [1] * count if group.once else draw.choices(sizes, weights, k=count)
        columns: dict[str, list[Any]] = {"doc": [d for d in range(count) for _ in range(rows[d])]}
        for row in facts.children("ENVELOPE" if group.name == ENVELOPE else message, group.name):
            sound = [facts.value(row, size) for size in ("smallest", "largest")]
            if row["element"] == "message_type":
                sound = [message]
            columns[row["element"]] = draw.choices(
                sound, (3, 1) if len(sound) > 1 else None, k=sum(rows)
            )
        names = [e.name for e in group.elements]
        assert list(columns)[1:] == names
        share = {ENVELOPE: 0.1}.get(group.name, 0.7)
        for _ in range(round(share * count) if sum(rows) else 0):
            column = columns[draw.choice(names)]
            at = draw.randrange(len(column))
            column[at] = mutated(column[at], draw)
        frames.append(
            Frame(
                group,
                pl.DataFrame(columns, schema={"doc": pl.Int64, **dict.fromkeys(names, pl.String)}),
            )
        )
    return frames


def mutated(value: str | None, draw: random.Random) -> str | None:
    """Left out, another text, or the same with one character put in, replaced or taken away."""
    kind = draw.random()
    if value is None or kind < 0.03:
        return None
    if kind < 0.6:
        return draw.choice(PIECES)
    at, cut = draw.randrange(len(value) + 1), draw.randrange(2)
    return value[:at] + draw.choice([*DAMAGE, ""]) + value[at + cut :]


def rendered(message: str, form: str, count: int, frames: list[Frame], facts: Any) -> list[str]:
    """The documents; an element that is left out leaves its line behind."""
    inside: list[pl.Series] = []
    for group, rows in frames:
        lines = [pl.lit("" if group.name == message else f"<{group.name}>")]
        for element in group.elements:
            text = pl.col(element.name)
            for character, entity in (
                ("&", "&amp;"),
                ("<", "&lt;"),
                (">", "&gt;"),
                ("\n", "&#10;"),
                ("\r", "&#13;"),
                ("\t", "&#9;"),
            ):
                text = text.str.replace_all(character, entity, literal=True)
            lines.append((pl.lit(f"<{element.name}>") + text + f"</{element.name}>").fill_null(""))
        lines.append(pl.lit("" if group.name == message else f"</{group.name}>"))
        made = rows.select("doc", xml=pl.concat_str(lines, separator="\n") + "\n")
        joined = made.group_by("doc", maintain_order=True).agg(pl.col("xml").str.join(""))
        whole = pl.DataFrame({"doc": range(count)}).join(
            joined, "doc", "left", maintain_order="left"
        )
        inside.append(whole["xml"].fill_null(""))
    outer, inner = facts.namespaces(message, form)
    signature = "<HashSign></HashSign><SignerInfo></SignerInfo>"
    before, after = (signature, "") if message == "EXP307" else ("", signature)
    start = f'<Package xmlns="{outer}">\n' if outer else "<Package>\n"
    middle = f'<DataInfo><SignedData>{before}<Data><{message} xmlns="{inner}">\n'
    end = f"</{message}></Data>{after}</SignedData></DataInfo></Package>"
    return [
        start + first + middle + "".join(rest) + end for first, *rest in zip(*inside, strict=True)
    ]


def columnar(count: int, frames: list[Frame]) -> tuple[list[bool], list[set[int]]]:
    """By document: has every group and element its number, and the lines whose values break a facet."""
    whole = pl.repeat(True, count, eager=True)
    before = pl.repeat(1, count, dtype=pl.Int64, eager=True)
    lines: list[set[int]] = [set() for _ in range(count)]
    for group, rows in frames:
        height = len(group.elements) + 2
        number = pl.DataFrame({"doc": range(count)}).join(
            rows.group_by("doc").len(), "doc", "left", maintain_order="left"
        )
        number = number["len"].fill_null(0).cast(pl.Int64)
        whole &= number.is_between(group.min_occurs, group.max_occurs or 10**9)
        judged = rows.select(
            "doc",
            line=pl.lit(before).gather(pl.col("doc"))
            + (pl.int_range(pl.len()).over("doc") * height)
            + 1,
            missing=pl.any_horizontal(
                pl.col(e.name).is_null() for e in group.elements if e.min_occurs
            ),
            broken=pl.concat_list(
                pl.when(~schema.holds(e, pl.col(e.name))).then(pl.lit(at))
                for at, e in enumerate(group.elements, 1)
            ).list.drop_nulls(),
        )
        missing = judged.filter("missing")["doc"].unique()
        whole &= ~pl.int_range(count, eager=True).is_in(missing.implode())
        broken = judged.filter(pl.col("broken").list.len() > 0).explode("broken")
        for document, line, at in broken.select("doc", "line", "broken").iter_rows():
            lines[document].add(line + at)
        before = before + number * height + (1 if group.name == ENVELOPE else 0)
    return whole.to_list(), lines


def by_libxml2(message: str, form: str, documents: list[str]) -> list[set[int]]:
    """The lines that libxml2 refuses; none of a valid document."""
    judge = schema.validator(message, form)
    refused = []
    for document in documents:
        tree = etree.fromstring(document)
        entries: Any = () if judge.validate(tree) else judge.error_log
        refused.append({entry.line for entry in entries})
    return refused


def compare(message: str, seed: int, count: int, facts: Any) -> list[str]:
    """Draws documents, has both sides judge them, and returns those that both found valid."""
    draw = random.Random(f"{message}/{seed}")
    form = draw.choice(facts.forms)
    frames = drawn(message, count, draw, facts)
    documents = rendered(message, form, count, frames, facts)
    whole, broken = columnar(count, frames)
    for document, sound, ours, theirs in zip(
        documents, whole, broken, by_libxml2(message, form, documents), strict=True
    ):
        if sound:
            assert ours == theirs, document
        else:
            assert theirs, document
    valid = [
        d for d, sound, ours in zip(documents, whole, broken, strict=True) if sound and not ours
    ]
    assert count * 0.1 < len(valid) < count * 0.9
    return valid


@pytest.mark.parametrize("message", sorted(DOCUMENTS))
def test_same_elements_refused(message: str, documents: Any) -> None:
    """All messages together: 20,000 documents, in frames of several hundred, in both forms."""
    assert sum(DOCUMENTS.values()) >= 20_000
    for seed in range(-4, 0):
        compare(message, seed, DOCUMENTS[message] // 4, documents)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SLOW_SEEDS)
def test_same_elements_refused_at_length(seed: int, documents: Any) -> None:
    """All seeds together: a million documents."""
    assert sum(DOCUMENTS.values()) * len(SLOW_SEEDS) >= 1_000_000
    for message, count in DOCUMENTS.items():
        compare(message, seed, count, documents)


def disordered(document: str, message: str, draw: random.Random) -> str:
    """The document with one element of the message out of its place."""
    lines = document.split("\n")
    first = next(i for i, line in enumerate(lines) if f"<{message} xmlns" in line)
    places = [
        at for at, line in enumerate(lines) if at > first and re.fullmatch(r"<(\w+)>.*</\1>", line)
    ]
    at = draw.choice(places)
    line = lines[at]
    name = line[1 : line.index(">")]
    lines[at] = draw.choice([
        f"{line}\n{line}",
        line.replace(name, name + "X"),
        f"text{line}",
        line.replace(">", ' a="1">', 1),
        line.replace(">", ' xmlns="urn:other">', 1),
        f"<Unknown/>{line}",
        line.replace("</", "<b/></", 1),
    ])  # fmt: skip
    if draw.random() < 0.3 and at + 1 in places:
        lines[at], lines[at + 1] = lines[at + 1], line
    return "\n".join(lines)


@pytest.mark.parametrize("message", sorted(DOCUMENTS))
def test_what_no_plan_writes_is_refused(message: str, documents: Any) -> None:
    """One element doubled, renamed, moved, in another namespace, with an attribute, or text where none may stand."""
    draw = random.Random(message)
    form = draw.choice(documents.forms)
    count = 200
    frames = drawn(message, count, draw, documents)
    whole, broken = columnar(count, frames)
    texts = rendered(message, form, count, frames, documents)
    sound = [t for t, ok, bad in zip(texts, whole, broken, strict=True) if ok and not bad]
    assert len(sound) > 20
    assert not any(by_libxml2(message, form, sound))
    assert all(by_libxml2(message, form, [disordered(t, message, draw) for t in sound]))
