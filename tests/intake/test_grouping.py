"""Rows to shipments: who belongs together, what does not agree, what is counted."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from crossborder import intake
from crossborder.errors import InputError

HEAD = "BillNo,AssBillNo,IEFlag,GrossWt,SendName,GNo,GName,OrderNo,CertCode"


def read(folder: Path, *lines: str) -> intake.Intake:
    path = folder / "a.csv"
    path.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    return intake.read(path, mapping="elements")


def found(read: intake.Intake) -> list[tuple[object, ...]]:
    return read.findings.select("row", "shipment", "column", "rule", "value").rows()


def test_one_row_per_line(tmp_path: Path) -> None:
    got = read(tmp_path, "M,H1,I,1,a,1,shoe,,", "M,H1,I,1,a,2,hat,,", "M,H2,I,1,b,1,cap,,")
    assert got.findings.is_empty()
    assert got.frames.shipments.select("ship", "row", "rows", "unreadable").rows() == [
        (0, 2, [2, 3], False), (1, 4, [4], False),
    ]  # fmt: skip
    assert got.frames.goods.select("ship", "line", "row", "name").rows() == [
        (0, 0, 2, "shoe"), (0, 1, 3, "hat"), (1, 0, 4, "cap"),
    ]  # fmt: skip
    assert got.rows == 3


def test_the_same_house_under_another_master_or_direction_is_another_shipment(
    tmp_path: Path,
) -> None:
    got = read(tmp_path, "M,H1,I,1,a,1,shoe,,", "N,H1,I,1,a,1,shoe,,", "N,H1,E,1,a,1,shoe,,")
    assert got.frames.shipments.height == 3
    assert got.findings.is_empty()


def test_rows_that_stand_apart_are_one_shipment_with_a_finding(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        "M,H1,I,1,a,1,shoe,,",
        "M,H2,I,1,b,1,cap,,",
        "M,H1,I,2,a,2,hat,,",
        "M,H1,I,3,a,3,bag,,",
    )
    assert got.frames.shipments.select("house_waybill", "rows").rows() == [
        ("H1", [2, 4, 5]),
        ("H2", [3]),
    ]
    assert got.frames.goods.select("ship", "line", "name").rows() == [
        (0, 0, "shoe"), (0, 1, "hat"), (0, 2, "bag"), (1, 0, "cap"),
    ]  # fmt: skip
    assert found(got) == [
        (4, "H1", "AssBillNo", "INT-not-adjacent", "H1"),
        (4, "H1", "GrossWt", "INT-head-differs", "2"),
    ]
    assert set(got.findings["action"]) == {"reject"}
    assert "row 2" in got.findings["en"][0]


def test_head_columns_that_differ(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        "M,H1,I,1,,1,shoe,,",
        "M,H1,I,,a,2,hat,,",
        "M,H1,I,2,,3,bag,,",
        "M,H1,I,3,,4,cap,,",
    )
    assert found(got) == [
        (3, "H1", "SendName", "INT-head-differs", "a"),
        (4, "H1", "GrossWt", "INT-head-differs", "2"),
    ]
    assert got.frames.shipments.select("gross_weight", "sender_name").row(0) == ("1", None)
    assert "row 2 says –" in got.findings["en"][0]


def test_a_head_cell_left_blank_below_says_nothing(tmp_path: Path) -> None:
    assert read(
        tmp_path, "M,H1,I,1,a,1,shoe,,", "M,H1,I,,,2,hat,,", "M,H1,I,1,a,3,cap,,"
    ).findings.is_empty()


def test_rows_without_a_house_waybill_stand_alone(tmp_path: Path) -> None:
    got = read(
        tmp_path, "M,,I,1,a,1,shoe,,", "M,,I,2,b,1,hat,,", ",H3,I,1,c,1,cap,,", ",H3,I,1,c,2,bag,,"
    )
    assert got.frames.shipments.select("row", "house_waybill", "rows").rows() == [
        (2, None, [2]), (3, None, [3]), (4, "H3", [4, 5]),
    ]  # fmt: skip
    assert got.findings.is_empty()
    assert not got.frames.shipments["unreadable"].any()


def test_documents(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        "M,H1,I,1,a,1,shoe,1,C1", "M,H1,I,1,a,2,hat,1,C1", "M,H1,I,1,a,,,2,C2",
        "M,H2,I,1,a,1,shoe,,C9", "M,H2,I,1,a,2,shoe,,C9",
    )  # fmt: skip
    assert got.frames.documents.select("ship", "doc", "row", "number").rows() == [
        (0, 0, 2, "C1"), (0, 1, 4, "C2"), (1, 0, 5, "C9"), (1, 1, 6, "C9"),
    ]  # fmt: skip
    assert got.frames.goods["ship"].to_list() == [0, 0, 1, 1]


def test_a_shipment_without_lines_is_kept(tmp_path: Path) -> None:
    got = read(tmp_path, "M,H1,I,1,a,,,,")
    assert (got.frames.shipments.height, got.frames.goods.height) == (1, 0)


def test_unreadable_rows_keep_their_place(tmp_path: Path) -> None:
    got = read(tmp_path, "x", "M,H1,I,1,a,1,shoe,,", "y,z", "M,H2,I,1,a,1,shoe,,")
    assert got.frames.shipments.select("ship", "row", "unreadable").rows() == [
        (0, 2, True), (1, 3, False), (2, 4, True), (3, 5, False),
    ]  # fmt: skip
    assert got.frames.goods["ship"].to_list() == [1, 3]


def test_only_unreadable_rows(tmp_path: Path) -> None:
    got = read(tmp_path, "x", "y,z")
    assert got.frames.shipments["unreadable"].to_list() == [True, True]
    assert got.findings["shipment"].to_list() == ["#2", "#3"]


def test_rows_are_conserved(tmp_path: Path) -> None:
    lines = [f"M,H{n // 3},I,1,a,{n % 3 + 1},shoe,," for n in range(300)]
    lines[10] = "broken"
    lines[50], lines[200] = lines[200], lines[50]
    got = read(tmp_path, *lines, ",,,,,,,,")
    rows = got.frames.shipments.explode("rows")["rows"]
    assert got.rows == 300 == rows.n_unique() == len(rows)
    assert got.frames.shipments["ship"].to_list() == list(range(got.frames.shipments.height))
    assert got.frames.goods.height == 299


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_rows_written_back_can_be_handed_in_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "清单,,,,\n总运单号,分运单号,进出口标志,商品名称,自家列\nM,H1,I,鞋,x\nM,H2,I,=1+1,y\n少了\nM,H3,I,+帽,\n合计,,,,\n",
        encoding="utf-8",
    )
    first = intake.read(path)
    out = tmp_path / f"out{suffix}"
    chosen = first.frames.shipments.filter(
        pl.col("house_waybill").is_in(["H2", "H3"]) | pl.col("unreadable")
    )
    wanted = chosen.explode("rows").select("sheet", pl.col("rows").alias("row"))
    assert intake.write_rows(first.raw, wanted, out) == 3
    again = intake.read(out, mapping="zh-desk")
    assert again.frames.shipments["house_waybill"].to_list()[0] == "H2"
    assert again.frames.goods["name"].to_list() == ["=1+1", "+帽"]
    assert again.raw.header == first.raw.header
    assert again.raw.preamble[0][0] == "清单"
    assert again.frames.shipments["row"].to_list() == [3, 4, 5]
    if suffix == ".csv":
        assert "\t=1+1" in out.read_text(encoding="utf-8-sig")
        assert again.findings.filter(pl.col("rule") == "INT-ragged").height == 1


def test_rows_cannot_be_written_just_anywhere(tmp_path: Path) -> None:
    got = read(tmp_path, "M,H1,I,1,a,1,shoe,,")
    with pytest.raises(InputError, match="cannot be written"):
        intake.write_rows(got.raw, [2], tmp_path / "none" / "out.csv")
    with pytest.raises(InputError, match=r"use \.csv or \.xlsx"):
        intake.write_rows(got.raw, [2], tmp_path / "out.pdf")
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
