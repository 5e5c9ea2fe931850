"""The row-by-row baseline carries out every rule as the engine does, and the proofs notice where it does not."""

from __future__ import annotations

import csv
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from crossborder import china_time
from crossborder import rules as ours
from crossborder.rules import charsets
from crossborder.shipments import FrameSet
from crossborder.shipments.columns import COLUMNS, FrameName

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules of the baseline and of the contests that ask it."""
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks.baseline import (
        characters,
        checking,
        facts,
        in_force,
        marks,
        nested,
        rules,
        words,
    )
    from benchmarks.baseline import rules_amounts as amounts
    from benchmarks.baseline import rules_names as names
    from benchmarks.baseline import rules_persons as persons
    from benchmarks.baseline import rules_text as text
    from benchmarks.baseline import rules_together as together
    from benchmarks.contests import check, contest, ledger, single

    from benchmarks import data

    return SimpleNamespace(
        characters=characters, checking=checking, facts=facts, in_force=in_force, marks=marks, nested=nested, rules=rules, words=words,
        amounts=amounts, names=names, persons=persons, text=text, together=together, check=check, contest=contest,
        ledger=ledger, single=single, data=data,
    )  # fmt: skip


def silent(*_: Any, **__: Any) -> bool:
    """Finds nothing."""
    return False


def test_the_baseline_has_every_rule_once(bench: SimpleNamespace) -> None:
    assert sorted(bench.rules.RULES) == sorted(rule.id for rule in ours.registry())


def test_rules_are_in_force_from_the_same_days(bench: SimpleNamespace) -> None:
    mine = {rule: day for day, ids in bench.in_force.STARTS.items() for rule in ids.split()}
    by_movement = (r for r in ours.registry() if not r.bounds and r.dated_by == "movement")
    assert mine == {rule.id: rule.effective_from for rule in by_movement if rule.effective_from}
    assert not any(rule.effective_to for rule in ours.registry() if not rule.bounds)


@pytest.mark.parametrize(
    ("module", "function", "rule"),
    [
        ("amounts", "_weights", "EXP-13 refused"),
        ("persons", "_odd_phone", "ID-15 noted"),
        ("together", "_twins", "EXP-48 refused"),
        ("text", "_free_texts", "TXT-04"),
    ],
)
def test_a_rule_that_one_side_forgets_is_noticed_of_a_dirty_day(
    bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str, function: str, rule: str
) -> None:  # fmt: skip
    monkeypatch.setattr(bench.check, "prove_examples", silent)
    bench.check.prove(300, tmp_path)
    monkeypatch.setattr(getattr(bench, module), function, silent)
    with pytest.raises(bench.contest.Disagreement, match=f"verdicts and rules.*{rule}"):
        bench.check.prove(300, tmp_path)


def test_a_rule_that_no_day_breaks_is_noticed_too(
    bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.check.prove_examples()
    monkeypatch.setattr(bench.names, "_articles", silent)
    with pytest.raises(bench.contest.Disagreement, match=r"failing example of PRO-01.*PRO-01 held"):
        bench.check.prove_examples()


def test_one_by_one_a_rule_that_one_side_forgets_is_noticed(
    bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench.single.prove(20, tmp_path)
    monkeypatch.setattr(bench.amounts, "_weights", silent)
    with pytest.raises(bench.contest.Disagreement, match=r"one by one.*EXP-13"):
        bench.single.prove(20, tmp_path)


def test_another_mark_in_the_ledger_is_noticed(
    bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bench.marks.Marker, "_hashed", lambda self, kind, text: 1)
    with pytest.raises(bench.contest.Disagreement, match="marks"):
        bench.ledger.prove(20, tmp_path)


def test_what_waits_for_a_person_is_recorded_so_by_both(
    bench: SimpleNamespace, tmp_path: Path
) -> None:
    today = china_time.now().date()
    path = bench.data.write(tmp_path / "day.csv", 12, day=today)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header, *rows = csv.reader(stream)
    house, used, kind = map(header.index, ("AssBillNo", "GoodsUsed", "EntryType"))
    waiting = next(row[house] for row in rows if row[kind] == "B")
    for row in rows:
        row[used] = "1" if row[house] == waiting else row[used]
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    homes = [bench.ledger.empty_home(tmp_path / name) for name in ("ours", "theirs")]
    bench.ledger.by_engine(path, homes[0])
    bench.ledger.by_rows(path, homes[1], bench.data.desk(f"{today:%Y%m%d}"))
    outcomes = [_outcomes(home / bench.ledger.DATABASE) for home in homes]
    assert outcomes[0] == outcomes[1]
    assert outcomes[1][waiting] == "on_hold"
    assert list(outcomes[1].values()).count("prepared") == 11


def _outcomes(database: Path) -> dict[str, str]:
    with closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute("SELECT house_waybill, outcome FROM shipments"))


@pytest.mark.parametrize(
    ("pattern", "judge"),
    [
        (charsets.HAN, "has_han"), (charsets.FULL_WIDTH, "wide_letter"), (charsets.FULL_WIDTH_ANY, "full_width"),
        (charsets.SUPPLEMENTARY, "rare"), (charsets.ILLEGAL, "illegal"),
    ],
)  # fmt: skip
def test_characters_are_what_the_engine_takes_them_for(
    bench: SimpleNamespace, pattern: str, judge: str
) -> None:
    # without the ranges in which versions of Unicode after the interpreter's have put characters
    known = [*range(0x0897), *range(0x20A0, 0x2427), *range(0x2440, 0x2FF0), *range(0x3000, 0x31E0),
             *range(0x3400, 0xA48D), *range(0xAC00, 0xD7A4), *range(0xE000, 0x10000), *range(0x1F000, 0x1FB00),
             *range(0x20000, 0x2A000)]  # fmt: skip
    every = [chr(c) for c in known]
    said = pl.Series(every).str.contains(pattern).to_list()
    mine = getattr(bench.characters, judge)
    assert [c for c, there in zip(every, said, strict=True) if bool(mine(c)) is not there] == []


# -- days spoiled at random


@pytest.mark.parametrize("seed", range(3))
def test_of_days_spoiled_at_random_both_sides_find_the_same(
    bench: SimpleNamespace, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    path = bench.data.write(tmp_path / "day.csv", 120, dirty=0.2, direction="IE"[seed % 2])
    given = bench.data.check(path).frames
    firm = bench.data.firm()
    profile = firm.profile.model_copy(update={"options": OPTIONS[seed]})
    context = ours.Context(firm.tables, profile, "20261123", None, frozenset({"29", "31"}))
    words = [w for name in ("goods_words", "words") for w in firm.tables.frame(name)["word"]]
    spoil = {kind: _spoiling(draw, values) for kind, values in VALUES.items()}
    spoil["text"] = spoil["name"] = _wording(draw, words, VALUES["text"])
    frames = FrameSet(
        _spoilt(given.shipments, "shipments", draw, spoil).with_columns(unreadable=pl.lit(value=False)),
        _spoilt(given.goods, "goods", draw, spoil), given.documents, given.headers,
    )  # fmt: skip
    told = ours.of_rates(ours.check(frames, context), context)
    ships = bench.nested.shipments(frames)
    found = bench.checking.by_rules(ships.values(), bench.facts.facts(context, ("29", "31")))
    mine: dict[int, set[str]] = {ship: set() for ship in ships}
    for ship, said in bench.check.said_of(told, "ship"):
        mine[ship].add(said)
    for ship, one in zip(ships, found, strict=True):
        assert mine[ship] == {f"{rule} {follows}" for rule, follows in one.each()}, ships[ship]
    assert len({said.split()[0] for each in mine.values() for said in each}) > 35


OPTIONS: tuple[dict[str, str], ...] = (
    {},
    {"unstated_facts": "mark", "mode_3039": "reject", "require_chinese_name": "reject", "split_signal": "hold",
     "supplementary_ideographs": "reject", "repeat_parcels": "3", "phone_identities": "2", "house_weight_kg": "20"},
    {"unstated_facts": "assume_no", "mode_3039": "pass", "require_chinese_name": "pass", "split_signal": "pass",
     "supplementary_ideographs": "pass", "resale_quantity": "1", "milk_powder_kg": "0.5"},
)  # fmt: skip
VALUES = {
    "text": "陈示例;陈先生;阿阿阿;Jörg;R&D \u200bx;a\x07b;😀;𠮷田;ＡＢ;臺灣;某公司;123;示例商贸店;北京市朝阳区1号;花园;杭州HZ;棉；大;a|b;N;-;１",
    "code": "142;502;110;USD;US;９９９;0110;3039;1210;101;299;5;1;0;A;B;01010100;99999999;6205200099;302340000;02050000;035;011;AB;4x;/;2202",
    "identity": "330100199001010001;33010019900101036x;990100199001010012;330100900101001;E12345678;H123;91110000600037341L;00330100MAY000010K;"
                "４４０１;330100188001010012;RR123456784CN;demo_1;- -;999-12345674;440316T004;3301961O43;29012026",
    "decimal": "0;1;2;0.5;100;150;2000.01;1000.01;5000.01;61;33;12.345678;1.2E+2;-1;abc;１２;00012.50;800.01;30.00001",
    "integer": "0;1;2;3;00;12;abc;１", "flag": "0;1",
    "date": "20261101;20241130;20200101;20180701;20150101;20100101;20050101;19800101;20260230;2026/11/23;46349;20270101",
    "phone": "13800000000;0574-12345678-801;(0571)1;400-123-4567;+8613800000000;12345;13800000000|0571-87654321;１３８;1380∣",
}  # fmt: skip
OFTEN = ("name", "name_en", "movement_date", "party_id", "declaration_class")
SHARED = ("receiver_address", "sender_address", "receiver_phone", "party_id")
"""Columns into which values of other shipments are put as well."""
NOT_READ = (
    "transit_declaration", "master_pieces", "master_gross_weight", "manifest_foreign_port", "transport_name_zh",
    "transport_name_en", "input_person_name", "manifest_operator_code", "manifest_operator_name", "declaration_time",
)  # fmt: skip
"""Columns that the baseline's reader leaves out or puts together with others."""
Spoil = Callable[[], str]


def _spoiling(draw: random.Random, values: str) -> Spoil:
    return lambda: draw.choice(values.split(";"))


def _wording(draw: random.Random, words: list[str], values: str) -> Spoil:
    """A listed word: as it is, with a letter wrong, a mark within, in the plural, full width, or among others."""
    ways: tuple[Callable[[str], str], ...] = (
        lambda w: w, lambda w: w, str.upper, lambda w: f"{w}s", lambda w: f"（{w}）", lambda w: f"红色{w}杯", lambda w: f"new {w} set",
        lambda w: w[:1] + draw.choice("abc王") + w[2:], lambda w: w[:1] + draw.choice(" ·-，") + w[1:],
        lambda w: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in w),
    )  # fmt: skip

    def spoil() -> str:
        if draw.random() < 0.3:
            return draw.choice(values.split(";"))
        return draw.choice(ways)(draw.choice(words))

    return spoil


def _spoilt(
    frame: pl.DataFrame, name: FrameName, draw: random.Random, spoil: dict[str, Spoil]
) -> pl.DataFrame:
    columns = [c for c in COLUMNS[name].values() if c.name not in NOT_READ]
    return frame.with_columns(
        pl.Series(
            c.name, _values(c.name, frame[c.name].to_list(), draw, spoil[c.kind]), dtype=pl.String
        )
        for c in columns
    )


def _values(
    column: str, given: list[str | None], draw: random.Random, spoil: Spoil
) -> Iterator[str | None]:
    share = 0.15 if column in OFTEN else 0.03
    for value in given:
        if draw.random() >= share:
            yield value
        elif draw.random() < 0.15:
            yield None
        elif column in SHARED and draw.random() < 0.5:
            yield draw.choice(given)
        elif column in ("direction", "declaration_class"):
            yield draw.choice("IEX" if column == "direction" else "ABCDK")
        else:
            yield spoil().strip() or None
