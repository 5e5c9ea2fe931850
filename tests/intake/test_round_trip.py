"""Property: canonical frames written in the shape of a mapping, in any file kind, read back equal."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossborder import intake
from crossborder.errors import CrossborderError
from crossborder.shipments import COLUMNS, FRAME_NAMES, FrameSet, content_digests
from crossborder.shipments.columns import Column
from crossborder.shipments.frames import complete, empty

MAPPINGS = ("canonical", "elements", "zh-desk")
KEYS = ("master_waybill", "house_waybill", "direction")

_SHOWN = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Co", "Cn"))
_FREE = st.text(_SHOWN | st.sampled_from(",;\"\t\n|'=合计 "), min_size=1, max_size=12)


def _usable(text: str) -> bool:
    """Trimmed already, not a word a desk's mapping would translate, not Excel damage."""
    return text == text.strip() and bool(text) and "\r" not in text


_BY_KIND: dict[str, st.SearchStrategy[str]] = {
    "decimal": st.decimals(0, 10**9, places=3, allow_nan=False, allow_infinity=False).map(str),
    "integer": st.integers(0, 10**6).map(str),
    "date": st.dates().map(lambda d: d.strftime("%Y%m%d").zfill(8)),
    "datetime": st.datetimes().map(lambda d: d.strftime("%Y%m%d%H%M%S").zfill(14)),
    "flag": st.sampled_from("01"),
    "code": st.text("0123456789", min_size=1, max_size=5),
    "identity": st.text("0123456789ABCDX-", min_size=1, max_size=18).filter(_usable),
    "phone": st.text("0123456789-|", min_size=3, max_size=15),
}


def _values(columns: dict[str, Column], names: list[str]) -> st.SearchStrategy[dict[str, str]]:
    chosen = {n: _BY_KIND.get(columns[n].kind, _FREE.filter(_usable)) for n in names}
    return st.fixed_dictionaries({}, optional=chosen)


_HEAD = _values(COLUMNS["shipments"], [n for n in COLUMNS["shipments"] if n not in KEYS])
_LINE = st.tuples(_values(COLUMNS["goods"], list(COLUMNS["goods"])), _FREE.filter(_usable))
_PAPER = _values(COLUMNS["documents"], [n for n in COLUMNS["documents"] if n != "order_number"])


@st.composite
def frame_sets(draw: st.DrawFn) -> FrameSet:
    """A few shipments with lines and documents, as `read` would give them."""
    shipments: list[dict[str, Any]] = []
    goods: list[dict[str, Any]] = []
    documents: list[dict[str, Any]] = []
    for ship in range(draw(st.integers(1, 3))):
        keys = {
            "master_waybill": "999-1",
            "house_waybill": f"H{ship}",
            "direction": draw(st.sampled_from("IE")),
        }
        shipments.append({"ship": ship, **draw(_HEAD), **keys})
        for line, (values, name) in enumerate(draw(st.lists(_LINE, min_size=1, max_size=3))):
            goods.append({"ship": ship, "line": line, **values, "name": name})
        for doc, values in enumerate(draw(st.lists(_PAPER, max_size=2))):
            documents.append({"ship": ship, "doc": doc, **values, "order_number": str(doc + 1)})
    frames = [
        complete(f, pl.DataFrame(rows, infer_schema_length=None)) if rows else empty(f)
        for f, rows in zip(FRAME_NAMES, (shipments, goods, documents), strict=True)
    ]
    return FrameSet(frames[0], frames[1], frames[2])


def facts(frames: FrameSet) -> list[pl.DataFrame]:
    """The canonical columns with their positions, without where they were read."""
    return [
        frames.shipments.drop("sheet", "row", "rows", "unreadable"),
        frames.goods.drop("sheet", "row"),
        frames.documents.drop("sheet", "row"),
    ]


def same(a: FrameSet, b: FrameSet) -> bool:
    return all(x.equals(y) for x, y in zip(facts(a), facts(b), strict=True))


def _xlsx(table: pl.DataFrame) -> bytes:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held, {"strings_to_formulas": False}) as book:
        page = book.add_worksheet()
        for r, row in enumerate([tuple(table.columns), *table.rows()]):
            for c, cell in enumerate(row):
                if cell is not None:
                    page.write_string(r, c, cell)
    return held.getvalue()


@pytest.mark.parametrize("mapping", MAPPINGS)
@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    frames=frame_sets(),
    kind=st.sampled_from(["csv", "gbk", "tsv", "xlsx", "parquet", "ndjson", "frame"]),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, mapping: str, frames: FrameSet, kind: str
) -> None:
    table = intake.flatten(frames, intake.load_mapping(mapping))
    path: Path = tmp_path_factory.mktemp("trip") / {"gbk": "a.csv", "frame": "a"}.get(
        kind, f"a.{kind}"
    )
    source: Any = path
    if kind in ("csv", "gbk"):
        path.write_bytes(table.write_csv().encode("gb18030" if kind == "gbk" else "utf-8"))
    elif kind == "tsv":
        path.write_text(table.write_csv(separator="\t"), encoding="utf-8", newline="")
    elif kind == "xlsx":
        path.write_bytes(_xlsx(table))
    elif kind == "parquet":
        table.write_parquet(path)
    elif kind == "ndjson":
        table.write_ndjson(path)
    else:
        source = table
    read = intake.read(source, mapping=mapping)
    assert read.findings.is_empty(), read.findings.to_dicts()
    assert same(read.frames, frames)
    assert content_digests(read.frames).equals(content_digests(frames))


@settings(deadline=None, max_examples=40)
@given(text=st.text(_SHOWN | st.sampled_from(' \u3000\u00a0\t"'), max_size=20))
def test_only_outer_white_space_is_touched(text: str) -> None:
    row = {"BillNo": "1", "AssBillNo": "H", "IEFlag": "I", "GName": "x", "NoteS": text}
    read = intake.read([row], mapping="elements")
    kept = read.frames.shipments["remarks"][0]
    assert (kept or "") == text.strip()
    if kept is not None:
        assert unicodedata.is_normalized("NFC", kept) == unicodedata.is_normalized(
            "NFC", text.strip()
        )


@settings(deadline=None, max_examples=60)
@given(
    data=st.binary(max_size=300),
    name=st.sampled_from(["a.csv", "a.xlsx", "a.xls", "a.json", "a.ndjson", "a.parquet"]),
    office=st.booleans(),
)
def test_rubbish_is_findings_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str, office: bool
) -> None:
    head = b"BillNo,AssBillNo,IEFlag,GName\n" if name == "a.csv" else b""
    start = (
        {"a.xlsx": b"PK\x03\x04", "a.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}.get(name, b"")
        if office
        else b""
    )
    path = tmp_path_factory.mktemp("rubbish") / name
    path.write_bytes(head + start + data)
    error: CrossborderError | None = None
    try:
        read = intake.read(path)
    except CrossborderError as caught:
        error = caught
    if error is None:
        assert read.rows == read.frames.shipments["rows"].list.len().sum()
    else:
        assert error.zh
        assert error.place
