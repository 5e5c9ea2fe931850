"""Blocks: all of them together are what `read` gives, however small they are and however dirty the file."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from crossborder import intake, samples
from crossborder.intake import Block, Intake
from crossborder.shipments import FRAME_NAMES

DAY = date(2026, 11, 23)
PORTS = ("2901", "3105")
FAR = 1 << 40

Mutation = tuple[int, str]


def together(path: Path, **how: Any) -> tuple[list[Block], intake.Blocks]:
    with intake.open_blocks(path, **how) as blocks:
        return list(blocks), blocks


def same(whole: Intake, parts: list[Block], head: intake.Blocks) -> None:
    """Frames, rows, headers, findings and the source's own rows are those of `read`."""
    done = [p.intake for p in parts]
    for frame in FRAME_NAMES:
        found = pl.concat([getattr(d.frames, frame) for d in done])
        assert found.equals(getattr(whole.frames, frame)), frame
    assert all(d.frames.headers == whole.frames.headers for d in done)
    assert sum(d.rows for d in done) == whole.rows
    assert (head.mapping, head.source_name, head.source_digest) == (
        whole.mapping, whole.source_name, whole.source_digest,
    )  # fmt: skip
    findings = pl.concat([d.findings for d in done])
    about_file = pl.col("ship").is_null()
    assert findings.filter(~about_file).equals(whole.findings.filter(~about_file))
    assert sorted(findings.filter(about_file).rows(), key=repr) == sorted(
        whole.findings.filter(about_file).rows(), key=repr
    )
    assert [p.done for p in parts] == sorted(p.done for p in parts)
    assert parts[-1].done == head.total
    if whole.raw.header:
        empty = pl.exclude("row").replace("", None)
        cells = pl.concat([d.raw.cells for d in done]).with_columns(empty)
        assert cells.equals(whole.raw.cells.with_columns(empty))
        assert [b for d in done for b in d.raw.broken] == list(whole.raw.broken)
        assert all((d.raw.header, d.raw.preamble) == (whole.raw.header, whole.raw.preamble) for d in done)  # fmt: skip
    for d in done:
        rows = set(d.raw.cells["row"]) | {b.row for b in d.raw.broken} if d.raw.header else None
        assert rows is None or set(d.frames.shipments.explode("rows")["rows"]) <= rows


@cache
def day(mapping: str, seed: int, dirty: float) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a day whose waybills stand together."""
    held = Path(tempfile.mkdtemp()) / "day.csv"
    samples.create(
        held, shipments=40, seed=seed, dirty=dirty, day=DAY, districts=PORTS, mapping=mapping
    )
    whole = intake.read(held, mapping=mapping)
    apart = whole.findings.filter(pl.col("rule") == "INT-not-adjacent")["ship"].to_list()
    gone = set(whole.frames.shipments.filter(pl.col("ship").is_in(apart)).explode("rows")["rows"])
    with held.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        rows = [(reader.line_num, row) for row in reader]
    assert rows[whole.raw.header_row - 1][1] == list(whole.raw.header)
    body = [row for line, row in rows[whole.raw.header_row :] if line not in gone]
    return list(whole.raw.header), body


def text_of(rows: list[list[str]], delimiter: str, quoting: int) -> list[str]:
    lines = []
    for row in rows:
        held = io.StringIO()
        csv.writer(held, delimiter=delimiter, quoting=quoting, lineterminator="").writerow(row)
        lines.append(held.getvalue())
    return lines


def mutate(lines: list[str], mutations: list[Mutation], delimiter: str) -> list[str]:
    """Lines with faults between them; what a torn line names stands right above it."""
    out = list(lines)
    faults: dict[str, Callable[[str], str]] = {
        "blank": lambda _: "",
        "empty": lambda _: delimiter * (lines[0].count(delimiter)),
        "spaces": lambda line: f" {delimiter}\u3000{delimiter}{line.count(delimiter)}",
        "short": lambda line: line.rpartition(delimiter)[0],
        "long": lambda line: f"{line}{delimiter}x",
        "open": lambda line: line.replace(delimiter, f'{delimiter}"', 1),
        "torn": lambda line: line.replace(delimiter, f'{delimiter}"a"b', 1),
        "inch": lambda line: line.replace(delimiter, f'5"{delimiter}', 1),
        "lines": lambda _: f'"a\n\nb"{delimiter}',
        "total": lambda line: f"合计{delimiter}{line.partition(delimiter)[2]}",
    }
    for at, kind in mutations:
        place = at % (len(out) + 1)
        out.insert(place, faults[kind](out[place - 1] if place else lines[0]))
    return out


_FAULTS = ["blank", "empty", "spaces", "short", "long", "open", "torn", "inch", "lines", "total"]
_MUTATIONS = st.lists(st.tuples(st.integers(0, FAR), st.sampled_from(_FAULTS)), max_size=6)


@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(
    mapping=st.sampled_from(["elements", "zh-desk", "canonical"]),
    seed=st.integers(1, 3),
    dirty=st.sampled_from([0.0, 0.6]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    titles=st.integers(0, 2),
    mutations=_MUTATIONS,
    ending=st.booleans(),
    size=st.sampled_from([1, 300, 2_000, 20_000, 10_000_000]),
)
def test_csv(
    tmp_path_factory: pytest.TempPathFactory, mapping: str, seed: int, dirty: float, delimiter: str,
    quoting: int, newline: str, encoding: str, titles: int, mutations: list[Mutation], ending: bool, size: int,
) -> None:  # fmt: skip
    header, rows = day(mapping, seed, dirty)
    lines = mutate(text_of(rows, delimiter, quoting), mutations, delimiter)
    text = ["预报清单"] * titles + text_of([header], delimiter, quoting) + lines
    path = tmp_path_factory.mktemp("blocks") / "a.csv"
    whole_text = newline.join(line.replace("\n", newline) for line in text)
    path.write_bytes((whole_text + newline * ending).encode(encoding))
    whole = intake.read(path, mapping=mapping)
    assume("INT-not-adjacent" not in whole.findings["rule"])
    same(whole, *together(path, mapping=mapping, block_bytes=size))


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(
    mapping=st.sampled_from(["elements", "zh-desk"]),
    dirty=st.sampled_from([0.0, 0.6]),
    group=st.sampled_from([7, 1000]),
    size=st.sampled_from([1, 2_000, 20_000, 10_000_000]),
)
def test_parquet(
    tmp_path_factory: pytest.TempPathFactory, mapping: str, dirty: float, group: int, size: int
) -> None:
    header, rows = day(mapping, 1, dirty)
    even = [row for row in rows if len(row) == len(header)]
    frame = pl.DataFrame(even, schema=header, orient="row").with_columns(
        pl.exclude("x").replace("", None)
    )
    path = tmp_path_factory.mktemp("blocks") / "a.parquet"
    frame.write_parquet(path, row_group_size=group)
    whole = intake.read(path, mapping=mapping)
    assert whole.rows > 40
    same(whole, *together(path, mapping=mapping, block_bytes=size))


_BROKEN = st.lists(
    st.tuples(st.integers(0, FAR), st.sampled_from(["", "{", "[1]", "3", '{"a":1,"a":2}'])), max_size=5
)  # fmt: skip


@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(
    nested=st.booleans(),
    dirty=st.sampled_from([0.0, 0.6]),
    broken=_BROKEN,
    late=st.booleans(),
    size=st.sampled_from([1, 2_000, 20_000, 10_000_000]),
)
def test_ndjson(
    tmp_path_factory: pytest.TempPathFactory, nested: bool, dirty: float, broken: list[Mutation], late: bool, size: int
) -> None:  # fmt: skip
    header, rows = day("elements", 2, dirty)
    items: list[dict[str, Any]]
    if nested:
        items = [
            {"master_waybill": "M", "house_waybill": f"H{n}", "direction": "I", "goods": [{"name": row[3], "oddity": 1}] * (n % 3)}
            for n, row in enumerate(rows)
        ]  # fmt: skip
    else:
        items = [{k: v for k, v in zip(header, row, strict=False) if v} for row in rows]
    if late:
        items[-1]["late"] = "x"
    lines = [json.dumps(item, ensure_ascii=False) for item in items]
    for at, text in broken:
        lines.insert(at % (len(lines) + 1), text)
    path = tmp_path_factory.mktemp("blocks") / "a.ndjson"
    path.write_text("\n".join(lines), encoding="utf-8")
    whole = intake.read(path)
    assert whole.mapping == ("canonical" if nested else "elements")
    same(whole, *together(path, block_bytes=size))
