"""`tax`: lines, sums written out, totals, files, JSON, exit codes."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from tests.cli.conftest import Run

from crossborder import samples

DAY = ("--profile", "demo", "--declared-on", "2026-11-26")


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two class B parcels in the canonical shape: two face creams, and a shirt."""
    file = tmp_path_factory.mktemp("tax") / "two.csv"
    head = "house_waybill,master_waybill,direction,declaration_class,movement_date,goods_commodity_code,goods_name,goods_model,goods_quantity,goods_unit,goods_declared_price,goods_currency,goods_declared_total"  # fmt: skip
    rows = (
        "HX1,999-12345675,I,B,20261126,09020220,面霜,50ml,2,012,150,142,300",
        "HX2,999-12345675,I,B,20261126,04010400,=衬衫,棉|L,1,011,200,142,200",
    )
    file.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return file


def test_lines_show_rule_base_rate_amount_and_the_total(run: Run, parcels: Path) -> None:
    said = run("tax", parcels, *DAY)
    assert said.code == 0
    assert said.err == ""
    first = next(line.split() for line in said.lines if line.startswith("HX1"))
    assert first == ["HX1", "2", "1", "09020220", "postal", "articles", "TAX-02;TAX-04", "300.00", "20", "60.00"]  # fmt: skip
    assert said.lines[-1] == "2 shipments (declared 2026-11-26): 1 pay CNY 60.00 in all; 1 not collected, 0 not taxed, 0 not evaluated"  # fmt: skip
    zh = run("tax", parcels, *DAY, "--lang", "zh").out
    assert "行邮税" in zh
    assert "2 票（申报日 2026-11-26）：应缴 1，共 60.00 元；不征收 1，不征税 0，未能评估 0" in zh


def test_a_named_waybill_is_written_out(run: Run, parcels: Path) -> None:
    said = run("tax", parcels, "HX1", *DAY)
    assert said.lines[:4] == [
        "HX1  B  due  60.00", "  1. 09020220 面霜 postal articles TAX-02;TAX-04",
        "     150 × 2 = CNY 300.00; 300.00 × 20 % = 60.00",
        "  → the tax of 60.00 is above 50: all of it is collected (LIM-06)",
    ]  # fmt: skip
    zh = run("tax", parcels, "HX2", *DAY, "--lang", "zh").out
    assert "税额 40.00 元，不超过 50 元，不征收（LIM-06）" in zh
    assert "HX1" not in zh
    none = run("tax", parcels, "HX9", *DAY)
    assert (none.code, none.err) == (1, "The file does not hold these waybills.\n")


def test_json_holds_every_line_below_its_shipment(run: Run, parcels: Path) -> None:
    answer = run("tax", parcels, *DAY, "--json").json
    assert (answer["format"], answer["declared_on"], answer["as"]) == (1, "20261126", "declared")
    assert [s["shipment"] for s in answer["shipments"]] == ["HX1", "HX2"]
    one = answer["shipments"][0]
    assert (one["tax_cny"], one["payable_cny"], one["outcome"], one["rule"]) == (
        "60.00",
        "60.00",
        "due",
        "LIM-06",
    )
    line = one["lines"][0]
    assert (line["base_cny"], line["rate_pct"], line["amount_cny"], line["rule"]) == ("300.00", "20", "60.00", "TAX-02;TAX-04")  # fmt: skip
    assert answer["counts"] == {"shipments": 2, "due": 1, "not_collected": 1, "not_taxed": 0, "not_evaluated": 0}  # fmt: skip
    assert answer["totals"] == {"tax_cny": "100.00", "payable_cny": "60.00"}


def test_what_is_missing_is_named_and_ends_with_1(run: Run, parcels: Path) -> None:
    said = run("tax", parcels, "--profile", "demo", "--declared-on", "2024-11-30")
    assert said.code == 1
    assert said.out.count("not evaluated") >= 3
    assert (
        "  × 1  line 1: the tax table of 2024-11-30 is not complete and does not hold 04010400"
        in said.lines
    )
    ecommerce = run("tax", parcels, *DAY, "--as", "ecommerce", "--json")
    assert ecommerce.code == 1
    assert ecommerce.json["as"] == "ecommerce"
    assert {s["payable_cny"] for s in ecommerce.json["shipments"]} == {None}


def test_every_line_goes_into_a_csv(run: Run, parcels: Path, tmp_path: Path) -> None:
    out = tmp_path / "tax.csv"
    said = run("tax", parcels, *DAY, "-o", out)
    assert said.lines[-1] == f"every line: {out}"
    raw = out.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [(r["shipment"], r["line"], r["rate_pct"], r["amount_cny"], r["payable_cny"], r["outcome"]) for r in rows] == [
        ("HX1", "1", "20", "60.00", "60.00", "due"), ("HX2", "1", "20", "40.00", "0.00", "not_collected"),
    ]  # fmt: skip
    assert rows[1]["name"] == "'=衬衫"
    answer = run("tax", parcels, *DAY, "-o", out, "--json")
    assert answer.json["counts"]["shipments"] == 2
    assert out.read_bytes() == raw


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_workbook_holds_shipments_and_lines(
    run: Run, parcels: Path, tmp_path: Path, lang: str
) -> None:
    out = tmp_path / "tax.xlsx"
    run("tax", parcels, *DAY, "-o", out, "--lang", lang)
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == (["分运单", "明细"] if lang == "zh" else ["shipments", "lines"])
    shipments, lines = ([[c.value for c in row] for row in sheet.iter_rows()] for sheet in book)
    assert (len(shipments), len(lines)) == (3, 3)
    paid = dict(zip(shipments[0], shipments[1], strict=True))
    assert paid["应缴" if lang == "zh" else "payable_cny"] == 60
    assert paid["结果" if lang == "zh" else "outcome"] == ("应缴" if lang == "zh" else "due")
    second = dict(zip(lines[0], lines[2], strict=True))
    assert second["品名" if lang == "zh" else "name"] == "=衬衫"
    assert book.worksheets[1].cell(3, 7).data_type == "s"
    assert second["税额" if lang == "zh" else "amount_cny"] == 40
    assert book.worksheets[1].auto_filter.ref is not None


def test_a_large_day_shows_the_first_lines_and_says_how_many_more(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    samples.create(file, shipments=60, seed=3, mapping="elements")
    shown = run("tax", file, *DAY)
    answer = run("tax", file, *DAY, "--json").json
    lines = sum(len(s["lines"]) for s in answer["shipments"])
    assert (
        f"… and {lines - 40} more lines (-o writes all; name a waybill to see its sums)"
        in shown.lines
    )
    paid = sum(
        (Decimal(s["payable_cny"]) for s in answer["shipments"] if s["payable_cny"]), Decimal(0)
    )
    assert f"pay CNY {paid:,} in all" in shown.lines[-1]
    assert answer["totals"]["payable_cny"] == str(paid)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--as", "best"), "declared or ecommerce"),
        (("--declared-on", "soon"), "not a date"),
        (("-o", "tax.pdf"), "a tax file is .csv or .xlsx, not .pdf"),
        (("--profile", "nobody"), "nobody"),
    ],
)
def test_what_cannot_run_is_one_clear_line(
    run: Run, parcels: Path, args: tuple[str, ...], said: str
) -> None:
    answer = run("tax", parcels, *args)
    assert answer.code == 2
    assert said in answer.err
    assert answer.out == ""
    assert not Path("tax.pdf").exists()
