"""Parcels of earlier batches: one purchase split up (CLS-17), a house waybill under another master waybill (EXP-50).

Broken by: a parcel that counts twice, one that never went and counts, one of a batch that is not sealed, a window that is a
day too long, an answer that depends on how the hand-in was cut, and personal data in what the ledger keeps.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crossborder import china_time, settings
from crossborder.engine import Engine, check, history
from crossborder.ledger import Ledger
from crossborder.samples import Sample
from crossborder.settings import Profile, Settings

from .cutting import in_blocks
from .firm import Firm, changed, day, endpoints, firm, houses, only

IDS = ("330100199001010001", "810000199001010019", "933001199001010015")
PHONE, ADDRESS = "13800138000", "余杭区示范街道虚构路9号"
MARKED = ("SendId", "ReceiveTelNo", "ReceiveAddress")
LINE = ("total", "declared_total", "declared_price")


def candidates() -> tuple[Sample, list[int]]:
    """A clean day and its class B shipments of one line."""
    sample = day(40, 11)
    lines = sample.frames.goods.group_by("ship").len().filter(pl.col("len") == 1)["ship"]
    heads = sample.frames.shipments.filter(
        pl.col("declaration_class") == "B", pl.col("ship").is_in(lines.implode())
    )
    return sample, heads["ship"].to_list()


def parcels(*values: str, **heads: str) -> Sample:
    """Class B parcels of these values (CNY), each to a receiver of its own but for what `heads` say."""
    sample, found = candidates()
    ships = found[: len(values)]
    worth = dict(zip(ships, values, strict=True))
    for column in LINE:
        sample = changed(sample, column, worth, "goods")
    for column, frame in (("quantity", "goods"), ("quantity_1", "goods")):
        sample = changed(sample, column, dict.fromkeys(ships, "1"), frame)
    for frame in ("goods", "shipments"):
        sample = changed(sample, "currency", dict.fromkeys(ships, "142"), frame)
    sample = changed(sample, "total_value", worth)
    own = {
        "receiver_phone": [f"1380000{n:04d}" for n in ships],
        "receiver_address": [f"余杭区示范街道虚构路{n + 10}号" for n in ships],
    }  # fmt: skip
    for column, texts in own.items():
        sample = changed(sample, column, dict(zip(ships, texts, strict=True)))
    for column, text in heads.items():
        sample = changed(sample, column, dict.fromkeys(ships, text))
    return only(sample, ships)


def other(sample: Sample, mark: str = "X", master: str = "999-00000022") -> Sample:
    """The same parcels as new ones: other waybills under another master waybill."""
    heads = sample.frames.shipments.with_columns(
        house_waybill=pl.col("house_waybill").str.head(-1) + mark, master_waybill=pl.lit(master)
    )
    return dataclasses.replace(sample, frames=dataclasses.replace(sample.frames, shipments=heads))


def said(desk: Firm, done: Any, rule: str = "CLS-17") -> list[dict[str, Any]]:
    return [f for f in desk.findings(done, rule=rule) if "earlier" in f["en"] or rule != "CLS-17"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Firm]:
    with firm(tmp_path) as made:
        yield made


def test_parcels_of_two_days_are_one_purchase(desk: Firm) -> None:
    first = parcels("1200", "300", party_id=IDS[0])
    second = other(parcels("800.01", party_id=IDS[0]))
    one = desk.prepare(first)
    assert one.counts == {"prepared": 2}
    assert said(desk, one) == []
    two = desk.prepare(second)
    (found,) = said(desk, two)
    assert two.counts == {"prepared": 1}
    assert (found["element"], found["severity"], found["action"]) == ("SendId", "warn", "note")
    assert found["value"] == IDS[0]
    assert found["position"] == 0
    for text in (found["zh"], found["en"]):
        assert "2300.01" in text
        assert "2000" in text
        assert houses(second)[0] in text
        for house in houses(first):
            assert f"{house} ({one.batch})" in text
        assert IDS[0] not in text
    assert "CLS-17" not in set(two.summary.unevaluated["rule"])


def test_just_the_limit_is_no_split(desk: Firm) -> None:
    desk.prepare(parcels("1200", party_id=IDS[0]))
    assert said(desk, desk.prepare(other(parcels("800", party_id=IDS[0])))) == []


@pytest.mark.parametrize(("column", "text", "element"), [
    ("receiver_phone", PHONE, "ReceiveTelNo"), ("receiver_address", ADDRESS, "ReceiveAddress"),
])  # fmt: skip
def test_one_telephone_or_address_under_several_numbers(
    desk: Firm, column: str, text: str, element: str
) -> None:
    desk.prepare(
        changed(parcels("1200", **{column: text}), "party_id", {candidates()[1][0]: IDS[0]})
    )
    second = other(parcels("900", **{column: text}, party_id=IDS[1]))
    if column == "receiver_address":
        second = changed(second, "receiver_phone", {candidates()[1][0]: "13800000077"})
    (found,) = said(desk, desk.prepare(second))
    assert (found["element"], found["value"], found["action"]) == (element, text, "note")


def test_the_same_parcel_does_not_count_twice(desk: Firm) -> None:
    """Handed in again it is already filed; corrected under its own key it takes its own place."""
    first = parcels("1500", party_id=IDS[0])
    one = desk.prepare(first)
    again = desk.prepare(first)
    assert again.counts == {"already_filed": 1}
    assert said(desk, again) == []
    dearer = desk.prepare(parcels("1600", party_id=IDS[0]))
    assert dearer.counts == {"rejected": 1}
    assert said(desk, dearer) == []
    assert desk.findings(dearer, rule="EXP-50") == []
    (found,) = said(desk, desk.prepare(other(parcels("600", party_id=IDS[0]))))
    assert "2100" in found["en"]
    assert f"({one.batch})" in found["en"]
    assert f"({again.batch})" not in found["en"]
    assert f"({dearer.batch})" not in found["en"]


def test_what_was_refused_or_voided_does_not_count(desk: Firm) -> None:
    first = parcels("1500", "400", party_id=IDS[0])
    ships = first.frames.shipments["ship"].to_list()
    refused, released = "DEMO0000D1", "DEMO0000S11"
    first = changed(first, "house_waybill", {ships[0]: f"{refused}SBD1", ships[1]: f"{released}"})
    batch = desk.flow(first, wait=30)
    states = desk.states(batch)
    assert states[f"{released}"] == "released"
    assert not desk.engine.ledger.attempts_of(f"{refused}SBD1")[0].live, states
    assert said(desk, desk.prepare(other(parcels("600", party_id=IDS[0])))) == []
    more = other(parcels("1700", party_id=IDS[0]), "V", "999-00000044")
    (found,) = said(desk, desk.prepare(more))
    assert f"{released} ({batch})" in found["en"]
    assert refused + "SBD1" not in found["en"]


def test_a_rejected_parcel_does_not_count(desk: Firm) -> None:
    wrong = changed(parcels("1500", party_id=IDS[0]), "net_weight", {candidates()[1][0]: "999"})
    assert desk.prepare(wrong).counts == {"rejected": 1}
    assert said(desk, desk.prepare(other(parcels("900", party_id=IDS[0])))) == []


def written(days: int) -> str:
    return (china_time.now().date() + timedelta(days=days)).strftime("%Y%m%d")


@pytest.mark.parametrize(("apart", "told"), [(7, 1), (8, 0), (-7, 1), (-8, 0)])
def test_the_window_is_of_movement_days(desk: Firm, apart: int, told: int) -> None:
    desk.prepare(parcels("1200", party_id=IDS[0], movement_date=written(apart)))
    second = other(parcels("900", party_id=IDS[0], movement_date=written(0)))
    assert len(said(desk, desk.prepare(second))) == told


def test_the_hand_in_itself_speaks_first(desk: Firm) -> None:
    """What stands in one file is told once, by the rule for one file."""
    desk.prepare(parcels("300", party_id=IDS[0]))
    done = desk.prepare(other(parcels("1200", "900", party_id=IDS[0])))
    assert len(desk.findings(done, rule="CLS-17")) == 2
    assert said(desk, done) == []


def with_options(desk: Firm, **options: str) -> None:
    demo = settings.find_profile(Settings(), "demo")
    mine = Profile(**(demo.model_dump() | {"options": demo.options | options}))
    served = {
        n: e.model_copy(update={"profile": "mine"}) for n, e in endpoints(desk.sandbox).items()
    }
    desk.engine.close()
    desk.settings = Settings(profile="mine", profiles={"mine": mine}, endpoints=served)
    desk.engine = Engine(desk.settings, home=desk.home)


@pytest.mark.parametrize("size", [0, 1])
def test_a_person_decides_where_the_setting_says_so(
    desk: Firm, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_options(desk, split_signal="hold")
    desk.prepare(parcels("1200", party_id=IDS[0]))
    if size:
        in_blocks(monkeypatch, size)
    done = desk.prepare(other(parcels("900", "100", party_id=IDS[0])))
    assert done.counts == {"on_hold": 2}
    assert {f["action"] for f in said(desk, done)} == {"hold"}
    desk.engine.submit([done.batch])
    assert set(desk.lines(done.batch)) == {"on_hold"}
    desk.engine.close()


def test_nothing_is_kept_where_nobody_asks(desk: Firm) -> None:
    with_options(desk, split_signal="pass")
    desk.prepare(parcels("1200", party_id=IDS[0]))
    assert list(desk.engine.ledger.marks_since(0)) == []
    with_options(desk, split_signal="note")
    assert said(desk, desk.prepare(other(parcels("900", party_id=IDS[0])))) == []
    assert len(list(desk.engine.ledger.marks_since(0))) == 1
    desk.engine.close()


def mixed() -> tuple[Sample, Sample]:
    """Two days that share receivers, telephones and addresses, in many ways."""
    first, second = (parcels(*["700"] * 12), other(parcels(*["700"] * 12)))
    ships = candidates()[1]
    for column, texts, step in (
        ("party_id", IDS, 3), ("receiver_phone", (PHONE, "13800138001"), 4),
        ("receiver_address", (ADDRESS, "余杭区示范街道虚构路8号"), 5),
    ):  # fmt: skip
        some = {n: texts[n % len(texts)] for n in ships[::2]}
        first = changed(first, column, some)
        more = {n: texts[(n + 1) % len(texts)] for n in ships[::step]}
        second = changed(second, column, more)
    shared = "13800138099"
    first = changed(first, "receiver_phone", {ships[n]: shared for n in (9, 11)})
    return first, changed(second, "receiver_phone", {ships[7]: shared})


def test_the_findings_do_not_depend_on_the_size_of_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = mixed()
    told = []
    for size in (0, 1, 5):
        with firm(tmp_path / str(size)) as desk:
            if size:
                in_blocks(monkeypatch, size)
            desk.prepare(first)
            done = desk.prepare(second)
            told.append(sorted(map(repr, desk.findings(done))))
            desk.engine.close()
    assert any("earlier" in one and "CLS-17" in one for one in told[0])
    named = {e for e in MARKED if any(f"'element': '{e}'" in t and "earlier" in t for t in told[0])}
    assert named == set(MARKED)
    assert told[1] == told[0]
    assert told[2] == told[0]


def test_a_large_hand_in_finds_what_a_small_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = mixed()
    told = []
    for small in (history.SMALL, 0):
        monkeypatch.setattr(history, "SMALL", small)
        with firm(tmp_path / str(small)) as desk:
            desk.prepare(first)
            told.append(sorted(map(repr, said(desk, desk.prepare(second)))))
            desk.engine.close()
    assert told[0]
    assert told[1] == told[0]


def test_marks_are_forgotten_after_the_window(desk: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.prepare(parcels("1200", party_id=IDS[0]))
    now = china_time.now()
    for days, kept in ((7, 2), (8, 2), (40, 1)):
        monkeypatch.setattr(china_time, "now", lambda d=days: now + timedelta(days=d))
        moved = (now + timedelta(days=days)).strftime("%Y%m%d")
        master = f"999-000000{days:02d}"
        desk.prepare(other(parcels("100", party_id=IDS[1], movement_date=moved), "W", master))
        assert len(list(desk.engine.ledger.marks_since(0))) == kept


def test_the_ledger_keeps_no_number_telephone_or_address_in_its_marks(desk: Firm) -> None:
    desk.prepare(parcels("1200", party_id=IDS[0], receiver_phone=PHONE, receiver_address=ADDRESS))
    ((_, _, marks),) = list(desk.engine.ledger.marks_since(0))
    assert marks.height == 1
    shown = repr(marks.to_dicts())
    for text in (IDS[0], PHONE, ADDRESS):
        assert text not in shown
    assert all(marks.schema[n] == pl.UInt64 for n in ("id_mark", "phone_mark", "address_mark"))


def test_two_ledgers_have_marks_of_their_own(tmp_path: Path) -> None:
    keys = []
    for name in ("a", "b"):
        with Ledger.open(tmp_path / name) as ledger:
            keys.append(ledger.marks_key())
            assert ledger.marks_key() == keys[-1]
        with Ledger.open(tmp_path / name) as ledger:
            assert ledger.marks_key() == keys[-1]
    assert len(keys[0]) == 32
    assert keys[0] != keys[1]


# one house waybill under two master waybills


def moved_master(sample: Sample, master: str = "999-00000022", **heads: str) -> Sample:
    made = sample.frames.shipments.with_columns(
        master_waybill=pl.lit(master), **{n: pl.lit(t) for n, t in heads.items()}
    )
    return dataclasses.replace(sample, frames=dataclasses.replace(sample.frames, shipments=made))


@pytest.mark.parametrize("size", [0, 1])
def test_a_house_waybill_that_is_live_under_another_master_is_held(
    desk: Firm, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = parcels("100", "100")
    one = desk.prepare(first)
    if size:
        in_blocks(monkeypatch, size)
    master = first.frames.shipments["master_waybill"][0]
    second = moved_master(first)
    second = changed(second, "house_waybill", {candidates()[1][1]: "DEMONEW0001"})
    done = desk.prepare(second)
    assert done.counts == {"on_hold": 1, "prepared": 1}
    (found,) = desk.findings(done, rule="EXP-50")
    assert (found["position"], found["element"], found["severity"], found["action"]) == (
        0,
        "AssBillNo",
        "warn",
        "hold",
    )
    assert f"{master} ({one.batch})" in found["en"]
    assert f"{master} ({one.batch})" in found["zh"]
    assert "EXP-50" not in set(done.summary.unevaluated["rule"])


def test_it_is_compared_as_keys_are(desk: Firm) -> None:
    first = parcels("100")
    desk.prepare(first)
    spelled = moved_master(first, house_waybill=houses(first)[0].lower())
    assert len(desk.findings(desk.prepare(spelled), rule="EXP-50")) == 1


def test_the_window_of_a_house_waybill(desk: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    first = parcels("100")
    desk.prepare(first)
    now = china_time.now()
    for days, told in ((181, 0), (180, 1)):
        monkeypatch.setattr(china_time, "now", lambda d=days: now + timedelta(days=d))
        moved = (now + timedelta(days=days)).strftime("%Y%m%d")
        master = f"999-00000{days}"
        done = desk.prepare(moved_master(first, master, movement_date=moved))
        assert len(desk.findings(done, rule="EXP-50")) == told


def test_what_is_already_filed_is_told_nothing(desk: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live under two master waybills, because they came too far apart: handing the second in again says nothing anew."""
    first = parcels("100")
    desk.prepare(first)
    later = china_time.now() + timedelta(days=181)
    monkeypatch.setattr(china_time, "now", lambda: later)
    second = moved_master(first, movement_date=later.strftime("%Y%m%d"))
    assert desk.prepare(second).counts == {"prepared": 1}
    with_options(desk, house_days="400")
    again = desk.prepare(second)
    assert again.counts == {"already_filed": 1}
    assert desk.findings(again, rule="EXP-50") == []
    desk.engine.close()


def test_without_a_ledger_neither_is_evaluated(tmp_path: Path) -> None:
    sample = parcels("100")
    named = Firm(tmp_path, None).file(sample)
    found = check(named, mapping="elements", profile="demo")
    assert {"CLS-17", "EXP-50"} <= set(found.unevaluated["rule"])
