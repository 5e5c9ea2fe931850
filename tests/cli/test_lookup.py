"""`explain`, `codes`, `schema`: looking things up."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Run

from crossborder import codes, rules, schema
from crossborder.engine import Engine, explain_rule
from crossborder.intake.problems import PROBLEMS

KEYS = {
    "id", "family", "title_zh", "title_en", "applies_to", "fields", "inputs", "severity", "action", "legal_source",
    "effective_from", "effective_to", "dated_by", "certainty", "bounds", "meaning", "fix_zh", "fix_en", "passing",
    "failing", "status", "kind", "reason", "reason_zh", "reason_en", "enforced_by", "told_as", "switches",
}  # fmt: skip


def test_every_rule_is_listed(run: Run) -> None:
    records = run("explain", "--all", "--json").json["rules"]
    assert [r["id"] for r in records] == [entry.id for entry in rules.catalogue()]
    assert {r["status"] for r in records} == {"implemented", "not_checkable"}
    assert all(bool(r["reason"]) == (r["status"] == "not_checkable") for r in records)
    assert all(r["reason"] == r["reason_en"] for r in records)
    assert all(set(r) == KEYS for r in records)
    assert run("explain", "--json").json["rules"] == records
    shown = run("explain", "--all", "--lang", "zh").out
    assert all(record["id"] in shown for record in records)


def test_a_rule_is_explained_with_law_dates_certainty_and_two_examples(run: Run) -> None:
    record = run("explain", "lim-02", "--json").json["rules"][0]
    assert record["id"] == "LIM-02"
    assert record["passing"]
    assert record["failing"]
    assert record["passing"] != record["failing"]
    assert record["finding_zh"]
    assert record["finding_en"]
    shown = run("explain", "LIM-02")
    for text in (record["title_en"], record["legal_source"], record["fix_en"], record["finding_en"][0]):  # fmt: skip
        assert text.split()[0] in shown.out
    zh = run("explain", "LIM-02", "--lang", "zh").out
    assert record["title_zh"] in zh
    for head in ("来源", "有效期", "可信度", "处理", "通过的例子", "不通过的例子"):
        assert head in zh


def test_the_failing_example_of_every_rule_speaks_for_itself() -> None:
    for rule in rules.registry():
        record = explain_rule(rule.id)
        assert record["finding_en"], rule.id


def test_every_id_a_finding_can_have_is_explained(run: Run) -> None:
    ids = {row.rule for m in ("EXP301", "EXP311") for row in schema.filling(m)} - {""}
    ids |= {rule for m in ("EXP301", "EXP311") for rule in schema.facet_rules(m).values()}
    ids |= {code.rule for m in ("EXP301", "EXP311") for code in schema.code_lists(m)} - {""}
    ids |= {f"INT-{kind}" for kind in PROBLEMS} | {"INT-live-differs", "INT-classified", "XSD-GName-maxLength"}  # fmt: skip
    ids |= {"CLS-11", "LIM-12", "MFT-02", "EXP-36", "ID-08"}
    for rule_id in sorted(ids):
        record = explain_rule(rule_id)
        assert record["id"] == rule_id
        assert record["title_zh"], rule_id
        assert record["title_en"], rule_id
    shown = run("explain", "FIL-IEPort", "--lang", "zh").out
    assert "IEPort" in shown
    assert "EXP301" in shown


@pytest.mark.parametrize("rule_id", ["XSD-Nobody-maxLength", "XSD-GName-colour", "FIL-Nobody", "INT-nobody", "LIM-99"])  # fmt: skip
def test_an_id_nobody_has_names_the_nearest(run: Run, rule_id: str) -> None:
    said = run("explain", rule_id)
    assert said.code == 2
    assert rule_id in said.err
    assert " → " in said.err


def test_a_code_is_found_by_code_and_by_name_in_both_forms(run: Run) -> None:
    short = run("codes", "countries", "美国", "--json")
    assert short.code == 0
    assert [r["customs_code"] for r in short.json["rows"]] == ["502"]
    assert run("codes", "find", "countries", "美国", "--json").json == short.json
    assert run("codes", "countries", "united states", "--json").json["rows"][0] == short.json["rows"][0]  # fmt: skip
    assert run("--lang", "zh", "codes", "countries", "美国").code == 0
    assert "502" in run("codes", "countries", "502").out
    whole = run("codes", "countries", "--json").json["rows"]
    assert len(whole) > 200
    assert "more (--json lists all)" in run("codes", "countries").lines[-2]
    none = run("codes", "countries", "nowhere at all")
    assert (none.code, none.lines[0]) == (1, "Nothing found.")
    assert "perhaps" in run("codes", "contries", "x").err


def test_tables_are_listed_with_what_a_miss_means(run: Run) -> None:
    tables = run("codes", "list", "--json").json["tables"]
    assert [t["table"] for t in tables] == sorted(codes.infos())
    by_name = {t["table"]: t for t in tables}
    assert by_name["countries"]["coverage"] == "complete"
    assert by_name["countries"]["rows"] > 200
    assert by_name["exchange_rates"] | {"note": ""} == {
        "table": "exchange_rates", "coverage": "absent", "rows": 0, "key": by_name["exchange_rates"]["key"],
        "from": "", "first": "", "last": "", "unverified": 0, "sources": {}, "title_zh": by_name["exchange_rates"]["title_zh"],
        "title_en": by_name["exchange_rates"]["title_en"], "note": "",
    }  # fmt: skip
    assert "完整" in run("codes", "list", "--lang", "zh").out


def test_rates_are_imported_into_this_home(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("currency,rate\nUSD,7.1\n502,7.2\n", encoding="utf-8")
    bad = run("codes", "import", "exchange_rates", file, "--from", "2026-11-01")
    assert bad.code == 2
    assert "rates.csv" in bad.err
    file.write_text("currency,rate\n502,7.1\n", encoding="utf-8")
    said = run("codes", "import", "exchange_rates", file, "--from", "2026-11-01", "--json")
    assert said.json == {"format": 1, "table": "exchange_rates", "from": "2026-11-01", "rows": 1}
    with Engine() as engine:
        assert engine.tables().rates().rows() == [("502", "202611", "7.1", False)]
    listed = {t["table"]: t for t in run("codes", "list", "--json").json["tables"]}
    assert listed["exchange_rates"]["rows"] == 1


def test_a_word_of_another_language_finds_the_code_and_a_slip_the_nearest(run: Run) -> None:
    assert run("codes", "countries", "Allemagne", "--json").json["rows"][0]["customs_code"] == "304"
    answer = run("codes", "parcel_tax", "09020221", "--json")
    assert (answer.code, answer.json["rows"]) == (1, [])
    assert answer.json["nearest"][0]["code"] == "09020220"
    said = run("codes", "parcel_tax", "09020221")
    assert said.code == 1
    assert said.lines[0] == "Nothing found. Nearest:"
    assert "09020220" in said.out
    assert run("codes", "parcel_tax", "04010400", "--on", "2024-11-30", "--json").json["rows"] == []
    assert (
        run("codes", "parcel_tax", "04010400", "--on", "2024-12-01", "--json").json["nearest"] == []
    )


def test_a_table_says_what_it_is_worth(run: Run) -> None:
    assert run("codes", "customs_districts", "2901").lines[-1].startswith("coverage: partial; a miss is no fault; unverified rows: ")  # fmt: skip
    zh = run("codes", "parcel_tax", "奶粉", "--lang", "zh").lines[-1]
    assert zh == "完整性：完整；2024-12-01 – …；来源 S24"
    listed = {t["table"]: t for t in run("codes", "list", "--json").json["tables"]}
    assert listed["domestic_districts"]["unverified"] > 20
    assert listed["parcel_tax"]["sources"] == {"S24": "public re-implementation of the postal-articles tax calculator"}  # fmt: skip
    assert (listed["parcel_tax"]["first"], listed["parcel_tax"]["last"]) == ("2024-12-01", "")


def test_a_table_is_replaced_from_a_day_on(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    rows = run("codes", "units", "--json").json["rows"]
    names = list(rows[0])
    cells = [[str(r[n] or "") for n in names] for r in rows[:3]]
    file.write_text("\n".join(",".join(line) for line in [names, *cells]) + "\n", encoding="utf-8")
    said = run("codes", "import", "units", file, "--from", "2026-11-01", "--partial")
    assert said.out == "units: 3 rows from 2026-11-01\n"
    listed = {t["table"]: t for t in run("codes", "list", "--json").json["tables"]}["units"]
    assert (listed["coverage"], listed["rows"], listed["from"]) == ("partial", 3, "2026-11-01")


def test_a_message_is_shown_element_by_element(run: Run) -> None:
    assert run("schema").lines == list(schema.messages())
    answer = run("schema", "exp301", "--json").json
    assert answer["message"] == "EXP301"
    assert answer["elements"] == schema.describe("EXP301")
    one = run("schema", "EXP301", "--element", "grosswt", "--json").json["elements"]
    assert {e["element"] for e in one} == {"GrossWt"}
    zh = run("schema", "EXP301", "--element", "GrossWt", "--lang", "zh").out
    assert "毛重" in zh
    assert "必填" in zh
    assert "19,5" in zh
    assert run("schema", "EXP301", "--element", "Nobody").code == 1
