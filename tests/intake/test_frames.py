"""Frames, Parquet, JSON and NDJSON: typed values become canonical text, nothing is guessed, nothing is lost."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from crossborder import intake
from crossborder.errors import InputError, MappingError
from crossborder.shipments import Shipments

ROW: dict[str, Any] = {"BillNo": "999-1", "AssBillNo": "H1", "IEFlag": "I", "GName": "shoe"}


def found(read: intake.Intake) -> list[tuple[object, ...]]:
    return read.findings.select("row", "shipment", "column", "rule").rows()


@pytest.mark.parametrize(
    ("column", "values", "canonical", "becomes"),
    [
        (
            "AssBillNo",
            pl.Series([123456789012345678], dtype=pl.Int64),
            "house_waybill",
            "123456789012345678",
        ),
        ("GrossWt", pl.Series([1.0]), "gross_weight", "1"),
        ("GrossWt", pl.Series([1e-7]), "gross_weight", "0.0000001"),
        ("GrossWt", pl.Series([1e16]), "gross_weight", "10000000000000000"),
        ("GrossWt", pl.Series([0.1 + 0.2]), "gross_weight", "0.30000000000000004"),
        ("GrossWt", pl.Series([Decimal("12.5000")]), "gross_weight", "12.5"),
        ("GrossWt", pl.Series([Decimal("100")]), "gross_weight", "100"),
        ("GrossWt", pl.Series([float("nan")]), "gross_weight", "NaN"),
        ("IEDate", pl.Series([dt.date(2026, 11, 23)]), "movement_date", "20261123"),
        (
            "IEDate",
            pl.Series([dt.datetime.fromisoformat("2026-11-23T09:00:00")]),
            "movement_date",
            "20261123",
        ),
        ("DDate", pl.Series([dt.date(2026, 11, 23)]), "declaration_time", "20261123000000"),
        (
            "DDate",
            pl.Series([dt.datetime(2026, 11, 23, 1, 2, 3, tzinfo=dt.UTC)]),
            "declaration_time",
            "20261123090203",
        ),
        ("WoodWrap", pl.Series([True]), "wooden_packaging", "1"),
        ("IEFlag", pl.Series(["I"], dtype=pl.Categorical), "direction", "I"),
        ("NoteS", pl.Series([b"ok"]), "remarks", "ok"),
        ("NoteS", pl.Series([None]), "remarks", None),
    ],
)
def test_typed_columns(column: str, values: pl.Series, canonical: str, becomes: str | None) -> None:
    frame = pl.DataFrame([ROW]).with_columns(values.alias(column))
    read = intake.read(frame)
    assert read.frames.shipments[canonical].to_list() == [becomes]
    assert read.findings.is_empty()
    assert (
        read.rows,
        read.frames.shipments["row"].to_list(),
        read.frames.shipments["sheet"].to_list(),
    ) == (1, [1], [""])


def test_arrow_and_lazy_frames_are_the_same_as_polars() -> None:
    table = pa.table({k: [v] for k, v in ROW.items()})
    frame = pl.DataFrame([ROW])
    digests = {
        intake.read(data).source_digest
        for data in (
            table,
            frame,
            frame.lazy(),
            pa.RecordBatchReader.from_batches(table.schema, table.to_batches()),
        )
    }
    assert len(digests) == 1
    assert intake.read([ROW]).frames.goods["name"].to_list() == ["shoe"]


def test_a_digest_is_that_of_the_text_as_it_was_read() -> None:
    frame = pl.DataFrame([ROW])
    read, again = intake.read(frame), intake.read(pl.DataFrame([ROW]))
    frame.insert_column(0, pl.Series("later", ["x"]))
    assert read.source_digest == again.source_digest != intake.read(frame).source_digest
    assert read.source_digest is read.source_digest


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame([ROW, {**ROW, "AssBillNo": "H2"}]).write_parquet(path)
    read = intake.read(path)
    assert read.frames.shipments["row"].to_list() == [1, 2]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="damaged"):
        intake.read(path)


def test_a_frame_of_lists_is_refused() -> None:
    with pytest.raises(InputError, match="'NoteS' holds lists"):
        intake.read(pl.DataFrame([{**ROW, "NoteS": [1, 2]}]))
    with pytest.raises(InputError, match="not a frame"):
        intake.read(object())
    with pytest.raises(InputError, match="no shipment"):
        intake.read(pl.DataFrame([ROW]).clear())


def put(folder: Path, text: str, name: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_flat_json_keeps_the_digits(tmp_path: Path) -> None:
    text = '[{"BillNo":"999-1","AssBillNo":123456789012345678901234567890,"IEFlag":"I","GName":"shoe","GrossWt":1.50,"NetWt":1E-3,"WoodWrap":false,"NoteS":null}]'
    read = intake.read(put(tmp_path, text, "a.json"))
    assert read.mapping == "elements"
    row = read.frames.shipments.select(
        "house_waybill", "gross_weight", "net_weight", "wooden_packaging", "remarks"
    ).row(0)
    assert row == ("123456789012345678901234567890", "1.5", "0.001", "0", None)


NESTED: list[dict[str, Any]] = [
    {
        "master_waybill": "999-1", "house_waybill": "H1", "direction": "I", "gross_weight": 1.5,
        "goods": [{"line_number": 1, "name": "shoe", "total": Decimal("3.50")}, {"line_number": 2, "name": "hat"}],
        "documents": [{"order_number": 1, "number": "C1"}],
    },
    {"master_waybill": "999-1", "house_waybill": "H2", "direction": "I", "movement_date": dt.date(2026, 11, 23), "goods": []},
]  # fmt: skip


def test_nested_records() -> None:
    read = intake.read(NESTED)
    assert read.mapping == "canonical"
    assert read.frames.shipments.select("row", "house_waybill", "gross_weight", "movement_date").rows() == [
        (1, "H1", "1.5", None), (2, "H2", None, "20261123"),
    ]  # fmt: skip
    assert read.frames.goods.select("ship", "line", "row", "name", "total").rows() == [
        (0, 0, 1, "shoe", "3.5"), (0, 1, 1, "hat", None),
    ]  # fmt: skip
    assert read.frames.documents.select("ship", "doc", "number").rows() == [(0, 0, "C1")]
    assert read.findings.is_empty()
    assert read.rows == 2


def test_nested_json_says_the_same_as_a_flat_sheet(tmp_path: Path) -> None:
    plain = json.loads(json.dumps(NESTED, default=str))
    plain[1]["movement_date"] = "20261123"
    as_file = intake.read(put(tmp_path, json.dumps({"shipments": plain}), "a.json"))
    flat = intake.flatten(as_file.frames, intake.load_mapping("canonical"))
    again = intake.read(flat, mapping="canonical")
    for frame in ("shipments", "goods", "documents"):
        a, b = (
            getattr(r.frames, frame).drop("row", "rows", strict=False) for r in (as_file, again)
        )
        assert a.equals(b)


def test_what_is_wrong_inside_records() -> None:
    read = intake.read(
        [
            {**NESTED[0], "colour": "red", "sender_name": {"first": "A"}, "goods": ["shoe", {"name": "hat"}]},
            {**NESTED[1], "house_waybill": "1.2E+17", "goods": [{"name": "x" * 10_001}]},
        ]
    )  # fmt: skip
    assert sorted(found(read), key=str) == sorted(
        [
            (None, None, "colour", "INT-unknown-column"),
            (1, "H1", "sender_name", "INT-value-type"),
            (1, "H1", "goods", "INT-json"),
            (2, "1.2E+17", "house_waybill", "INT-scientific"),
            (2, "1.2E+17", "name", "INT-cell-too-long"),
        ],
        key=str,
    )
    assert read.frames.shipments["unreadable"].to_list() == [False, True]


def test_ndjson_counts_records(tmp_path: Path) -> None:
    lines = [
        json.dumps(ROW),
        "",
        "{not json",
        '{"BillNo":"1","BillNo":"2"}',
        "[1]",
        json.dumps({**ROW, "AssBillNo": "H2"}),
    ]
    read = intake.read(put(tmp_path, "\n".join(lines), "a.ndjson"))
    assert found(read) == [
        (2, "#2", None, "INT-json"), (3, "#3", None, "INT-json"), (4, "#4", None, "INT-json"),
    ]  # fmt: skip
    assert read.frames.shipments.select("row", "house_waybill", "unreadable").rows() == [
        (1, "H1", False), (2, None, True), (3, None, True), (4, None, True), (5, "H2", False),
    ]  # fmt: skip
    assert "twice" in read.findings["en"][1]


def test_nested_ndjson_with_a_broken_line(tmp_path: Path) -> None:
    nested = {
        "master_waybill": "M",
        "house_waybill": "H1",
        "direction": "I",
        "goods": [{"name": "shoe"}],
    }
    read = intake.read(put(tmp_path, f"oops\n{json.dumps(nested)}\n", "a.jsonl"))
    assert read.frames.shipments.select("row", "house_waybill", "unreadable").rows() == [
        (1, None, True),
        (2, "H1", False),
    ]
    assert read.frames.goods.select("ship", "row").rows() == [(1, 2)]
    out = tmp_path / "out.json"
    assert intake.write_rows(read.raw, [2], out) == 1
    assert json.loads(out.read_text()) == [nested]
    assert intake.write_rows(read.raw, [2], tmp_path / "out.csv") == 1
    assert intake.read(tmp_path / "out.csv").frames.goods["name"].to_list() == ["shoe"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[{"a": 1}', "line 1, column"),
        ("[" * 100_000, "nested too deeply"),
        ('"text"', "array of objects"),
        ('{"shipments": []}', "no shipment"),
        ("[]", "no shipment"),
        ('[{"a": 1, "a": 2}]', "'?a'? occurs twice"),
        ('[{"BillNo": [1], "AssBillNo": 2, "IEFlag": "I", "GName": "x"}]', "'BillNo' holds a list"),
    ],
)
def test_json_that_cannot_be_read(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        intake.read(put(tmp_path, text, "a.json"))


def test_lone_surrogates_do_not_stop_the_others(tmp_path: Path) -> None:
    text = '[{"BillNo":"1","AssBillNo":"H1","IEFlag":"I","GName":"a\\ud800"},{"BillNo":"1","AssBillNo":"H2","IEFlag":"I","GName":"hat"}]'
    read = intake.read(put(tmp_path, text, "a.json"))
    assert read.frames.goods["name"].to_list() == ["a\ufffd", "hat"]


def test_flat_records_that_fit_no_mapping() -> None:
    with pytest.raises(MappingError, match="nearest"):
        intake.read([{"BillNo": "1", "colour": "red"}])


HEADS = pl.DataFrame(
    {
        "master_waybill": ["M", "M"],
        "house_waybill": ["H1", "H2"],
        "direction": ["I", "I"],
        "pieces": [1, 2],
    }
)
LINES = pl.DataFrame(
    {
        "master_waybill": ["M", "M", "M"],
        "house_waybill": ["H2", "H1", "H2"],
        "direction": ["I", "I", "I"],
        "name": ["a", "b", "c"],
    }
)


def test_three_frames_linked_by_waybill() -> None:
    read = intake.read(Shipments(HEADS, LINES.to_arrow(), None))
    assert read.frames.shipments.select("sheet", "row", "pieces").rows() == [
        ("shipments", 1, "1"),
        ("shipments", 2, "2"),
    ]
    assert read.frames.goods.select("ship", "line", "sheet", "row", "name").rows() == [
        (0, 0, "goods", 2, "b"), (1, 0, "goods", 1, "a"), (1, 1, "goods", 3, "c"),
    ]  # fmt: skip
    assert read.findings.is_empty()
    assert (read.mapping, read.rows) == ("canonical", 2)


def test_three_frames_linked_by_number() -> None:
    goods = pl.DataFrame({"ship": [7, 5, 7], "name": ["a", "b", "c"]})
    papers = pl.DataFrame({"ship": [5], "number": ["C1"]})
    read = intake.read(Shipments(HEADS.with_columns(ship=pl.Series([5, 7])), goods, papers))
    assert read.frames.goods.select("ship", "name").rows() == [(0, "b"), (1, "a"), (1, "c")]
    assert read.frames.documents.select("ship", "number").rows() == [(0, "C1")]


def test_lines_without_a_shipment_are_kept_and_told() -> None:
    lost = LINES.with_columns(house_waybill=pl.Series(["H2", "H9", "H2"]))
    read = intake.read(Shipments(HEADS, lost))
    assert read.findings.select("ship", "sheet", "row", "shipment", "rule").rows() == [
        (2, "goods", 2, "#2", "INT-orphan")
    ]
    assert read.frames.shipments["unreadable"].to_list() == [False, False, True]
    assert read.rows == 3


def test_a_waybill_twice_among_three_frames() -> None:
    read = intake.read(Shipments(pl.concat([HEADS, HEADS.head(1)]), LINES))
    assert read.findings.select("ship", "row", "rule").rows() == [
        (0, 1, "INT-twice"),
        (2, 3, "INT-twice"),
    ]
    assert read.frames.goods.height == 3


def test_a_cell_too_long_in_a_line_spoils_its_shipment() -> None:
    read = intake.read(Shipments(HEADS, LINES.with_columns(name=pl.lit("x" * 10_001))))
    assert read.frames.shipments["unreadable"].to_list() == [True, True]
    assert set(read.findings["rule"]) == {"INT-cell-too-long"}


def test_three_frames_that_cannot_be_linked() -> None:
    with pytest.raises(InputError, match="direction"):
        intake.read(Shipments(HEADS, LINES.drop("direction")))
    with pytest.raises(InputError, match="no shipment"):
        intake.read(Shipments(HEADS.clear(), LINES))
