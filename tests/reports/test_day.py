"""The account and the day's report: as table, page, workbook and JSON."""

from __future__ import annotations

import builtins
import io
import json
from importlib import util
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from lxml import html as parser
from rich.console import Console

from crossborder.errors import InputError, MissingExtra
from crossborder.reports import (
    LABELS,
    LINES,
    DayReport,
    account_rows,
    account_table,
    adds_up,
    label,
    plain_table,
    write_report,
)
from crossborder.reports.day import SECTIONS

ACCOUNT = {
    "handed_in": (1000, 2100), "rejected": (20, 41), "already_filed": (5, 9), "unknown": (1, 1), "in_flight": (4, 9),
    "released": (970, 2040),
}  # fmt: skip


def report(**changes: Any) -> DayReport:
    """A day with something of everything."""
    given: dict[str, Any] = {
        "title": "crossborder 2026-11-23", "made_at": "2026-11-23T18:00:01.123+08:00", "sandbox": True,
        "account": ACCOUNT,
        "batches": [{"id": "20261123-01", "source_name": "进口<b>.csv", "shipments": 1000, "rows": 2100, "state": "sealed",
                     "counts": {"prepared": 980, "rejected": 20, "on_hold": 0}, "created_at": "2026-11-23T09:00:00.000+08:00",
                     "submitted_at": None}],
        "attention": [
            {"what": "not_manifested", "master": "999-1", "shipment": "=HX1", "state": "rejected", "zh": "未列入任何舱单", "en": "on no manifest"},
            {"what": "unknown", "master": "999-1", "shipment": "HX2", "state": "unknown", "zh": "去向不明", "en": "fate unknown"},
        ],
        "masters": [{"master": "999-1", "endpoint": "hangzhou", "manifest": "accepted", "declarations": 1980, "released": 970}],
        "findings": [{"what": "reject", "rule": "EXP-13", "count": 1234, "zh": "毛重小于净重", "en": "gross below net"}],
    }  # fmt: skip
    return DayReport(**{**given, **changes})


def table_text(account: dict[str, tuple[int, int]], lang: str) -> str:
    console = Console(width=100, color_system=None)
    with console.capture() as caught:
        console.print(account_table(account, lang, "title"))
    return caught.get()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_account_shows_shipments_and_rows_and_that_it_adds_up(lang: str) -> None:
    shown = table_text(ACCOUNT, lang)
    for name in ("handed_in", *LINES):
        assert label(name, lang) in shown
    assert "1,000" in shown
    assert "2,040" in shown
    assert ("合计（平）" if lang == "zh" else "total (adds up)") in shown
    assert adds_up(ACCOUNT)


@pytest.mark.parametrize("wrong", [{"released": (969, 2040)}, {"released": (970, 2039)}])
def test_an_account_that_does_not_add_up_says_so_loudly(wrong: dict[str, tuple[int, int]]) -> None:
    account = {**ACCOUNT, **wrong}
    assert not adds_up(account)
    assert "DOES NOT ADD UP" in table_text(account, "en")
    assert "不平" in table_text(account, "zh")
    page = text(report(account=account), "en")
    assert "DOES NOT ADD UP" in page


def test_the_lines_are_those_of_the_issue_in_their_order() -> None:
    assert [name for name, _, _ in account_rows({})] == ["handed_in", *LINES]
    assert all(set(pair) == {0} for pair in ((s, r) for _, s, r in account_rows({})))


def text(given: DayReport, lang: str, folder: Path | None = None) -> str:
    from crossborder.reports.page import html

    return html(given, lang)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_is_whole_and_needs_nothing_else(lang: str) -> None:
    page = text(report(), lang)
    tree = parser.document_fromstring(page)
    assert tree.get("lang") == ("zh-CN" if lang == "zh" else "en")
    assert not tree.xpath("//script|//link|//img|//iframe")
    assert "http" not in page
    assert tree.xpath("count(//table)") == 5
    assert "SANDBOX" in page
    assert "2026-11-23 18:00:01" in page
    sums = tree.xpath("//tr[@class='sum']/td/text()")
    assert "1,000" in sums
    cards = [c.text_content() for c in tree.xpath("//div[starts-with(@class, 'card ')]")]
    assert cards[0].startswith("1,000")
    assert cards[1] == f"970{label('released', lang)}"
    assert cards[3].startswith("20")
    assert "SANDBOX" not in text(report(sandbox=False), lang)


def test_the_page_speaks_the_language_and_escapes_what_others_wrote() -> None:
    zh, en = text(report(), "zh"), text(report(), "en")
    assert "未列入任何舱单" in zh
    assert "on no manifest" in en
    assert "未列入任何舱单" not in en
    for page in (zh, en):
        assert "进口&lt;b&gt;.csv" in page
        assert "<b>.csv" not in page
    rows = parser.document_fromstring(en).xpath("(//table)[1]/tbody/tr")
    cells = [[c.text_content() for c in row] for row in rows]
    assert cells[0][:4] == ["on no manifest", "=HX1", "999-1", "rejected"]
    assert cells[1][3] == ""  # the state only repeats what it is about


def test_numbers_are_not_mistaken_for_text_and_outcomes_are_words() -> None:
    page = parser.document_fromstring(text(report(), "en"))
    assert "1,980" in page.xpath("//td[@class='n']/text()")
    assert "1,234" in page.xpath("//td[@class='n']/text()")
    assert "prepared 980, rejected 20" in page.text_content()
    assert "on hold 0" not in page.text_content()
    assert "2026-11-23 09:00:00" in page.text_content()


def test_an_empty_day_says_so() -> None:
    page = text(report(batches=[], account={}, attention=[], masters=[], findings=[]), "en")
    for said in (
        "Nothing waits for a person.",
        "No master waybills.",
        "No findings.",
        "No batches.",
    ):
        assert said in page


def test_a_long_list_is_cut_and_says_where_the_rest_is() -> None:
    many = [{"what": "unknown", "master": "9", "shipment": f"HX{n}", "state": "unknown", "zh": "x", "en": "x"} for n in range(700)]  # fmt: skip
    page = text(report(attention=many), "en")
    assert "HX499" in page
    assert "HX500<" not in page
    assert "200 more" in page
    sheet = book(report(attention=many), "en")["A person must look"]
    assert sheet.max_row == 701


def book(given: DayReport, lang: str) -> Any:
    from crossborder.reports.workbook import workbook

    return openpyxl.load_workbook(io.BytesIO(workbook(given, lang)))


def test_the_workbook_has_a_sheet_per_section_and_no_formula() -> None:
    zh = book(report(), "zh")
    assert zh.sheetnames == [
        "总账",
        "需要人工处理",
        "总运单",
        "校验发现的问题",
        "放过的规则",
        "批次",
    ]
    en = book(report(), "en")
    account = [[c.value for c in row] for row in en["Account"].iter_rows()]
    assert account[0] == ["where", "shipments", "rows"]
    assert account[1] == ["handed in", 1000, 2100]
    assert account[-3][0] == "adds up"
    assert "SANDBOX" in account[-2][0]
    attention = en["A person must look"]
    assert attention["B2"].value == "=HX1"
    assert attention["B2"].data_type == "s"
    assert attention.freeze_panes == "A2"
    assert en["Master waybills"]["D2"].value == 1980


def test_json_is_the_report_as_data(tmp_path: Path) -> None:
    file = tmp_path / "day.json"
    write_report(report(), file, "en")
    data = json.loads(file.read_text("utf-8"))
    assert data == json.loads(json.dumps(report().as_json()))
    assert data["format"] == 1
    assert list(data["account"]) == ["handed_in", *LINES]
    assert data["account"]["released"] == [970, 2040]
    assert data["adds_up"] is True
    assert report().needs_attention
    assert not report(attention=[]).needs_attention


@pytest.mark.parametrize("name", ["day.html", "day.HTM", "day.xlsx", "day.json"])
def test_the_suffix_chooses(tmp_path: Path, name: str) -> None:
    write_report(report(), tmp_path / name, "zh")
    write_report(report(), tmp_path / name, "zh")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_another_suffix_or_place_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.html, \.xlsx or \.json"):
        write_report(report(), tmp_path / "day.pdf", "en")
    (tmp_path / "day.html").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_report(report(), tmp_path / "day.html", "en")
    assert [p.name for p in tmp_path.iterdir()] == ["day.html"]


def test_a_missing_extra_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *a: None if name == "xlsxwriter" else real(name, *a))  # fmt: skip
    with pytest.raises(MissingExtra) as told:
        write_report(report(), tmp_path / "day.xlsx", "en")
    assert told.value.text("en").endswith("pip install 'crossborder[report]'")
    assert "\n" not in told.value.text("zh")
    write_report(report(), tmp_path / "day.html", "en")


def test_html_and_json_need_no_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **asked: Any) -> Any:
        assert name not in ("xlsxwriter", "openpyxl")
        return real(name, *args, **asked)

    monkeypatch.setattr(builtins, "__import__", without)
    write_report(report(), tmp_path / "day.html", "en")
    write_report(report(), tmp_path / "day.json", "en")


def test_every_name_has_two_words() -> None:
    for name, (zh, en) in LABELS.items():
        assert zh
        assert en
        assert zh != en, name
    assert label("no_such_name", "zh") == "no_such_name"


def test_a_column_that_only_repeats_another_is_not_shown() -> None:
    section = next(s for s in SECTIONS if s.rows == "attention")
    plain = {"what": "unknown", "state": "unknown"}
    assert "state" not in [c.key for c in section.shown([plain], "en")]
    assert "state" in [c.key for c in section.shown([plain, plain | {"state": "sent"}], "en")]


def test_every_state_and_line_has_a_word() -> None:
    from crossborder.ledger.states import OUTCOMES
    from crossborder.reconcile import LINES as ROOM_LINES
    from crossborder.reconcile import StatusTable

    assert LINES == ROOM_LINES
    assert set(LINES) | set(OUTCOMES) | set(StatusTable.load().states()) <= set(LABELS)


def test_a_table_shows_numbers_on_the_right_and_markup_as_text() -> None:
    console = Console(width=60, color_system=None)
    with console.capture() as caught:
        console.print(plain_table(("name", "count"), [("[bold]a[/]", 1200), ("b", 7)]))
    lines = caught.get().splitlines()
    assert lines[2].split() == ["[bold]a[/]", "1,200"]
    assert lines[3].rstrip().endswith("    7")
