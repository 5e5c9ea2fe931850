"""Limits need exchange rates: without one they are not evaluated, hold, and say so once per currency and month.

Broken by: taking a missing rate for a good one, or letting fictional rates count for a real firm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crossborder import china_time, codes, samples, settings
from crossborder.engine import Engine
from crossborder.settings import Profile, Settings

from .cutting import in_blocks
from .firm import Firm, changed, day, endpoints, firm, houses


def real(desk: Firm) -> Firm:
    """The same firm with the demonstration's values, but real: made-up rates do not count for it."""
    demo = settings.find_profile(Settings(), "demo")
    values = demo.model_dump() | {"demo": False}
    served = {
        n: e.model_copy(update={"profile": "ourfirm"}) for n, e in endpoints(desk.sandbox).items()
    }
    desk.settings = Settings(
        profile="ourfirm", profiles={"ourfirm": Profile(**values)}, endpoints=served
    )
    desk.engine = Engine(desk.settings, home=desk.home)
    return desk


def rates(folder: Path, *, fictional: str) -> Path:
    """A table of this month's rates, as a user imports it."""
    made_up, out = folder / "made-up.csv", folder / f"rates-{fictional}.csv"
    samples.write_rates(made_up, china_time.now().date())
    pl.read_csv(made_up, infer_schema=False).with_columns(
        pl.lit(fictional).alias("fictional")
    ).write_csv(out)
    return out


@pytest.fixture
def foreign() -> list[int]:
    """Positions of the sample's shipments of classes B and C in a foreign currency: their limits need a rate."""
    heads = day(8).frames.shipments
    return [
        n for n, (currency, kind) in enumerate(heads.select("currency", "declaration_class").iter_rows())
        if currency != "142" and kind in ("B", "C")
    ]  # fmt: skip


def currencies(sample: samples.Sample, foreign: list[int]) -> Counter[str]:
    """Currency of the shipments whose limits need a rate → how many there are."""
    return Counter(sample.frames.shipments["currency"][n] for n in foreign)


def about_rates(findings: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [f for f in findings if f["severity"] == "not_evaluated" and f["element"] == "CurrCode"]


def test_without_rates_the_limits_hold_and_say_so_once_per_currency(
    tmp_path: Path, foreign: list[int]
) -> None:
    sample = day(8)
    with firm(tmp_path) as desk:
        done = real(desk).prepare(sample)
        held = {houses(sample)[n] for n in foreign}
        assert held
        assert done.counts == {"not_evaluated": len(held), "prepared": 8 - len(held)}
        told = about_rates(desk.engine.findings(done.batch))
        missing = currencies(sample, foreign)
        assert Counter(f["value"] for f in told) == Counter(missing.keys())
        month = china_time.now().strftime("%Y%m")
        for f in told:
            assert (f["rule"], f["shipment"], f["row"]) == ("LIM-12", None, None)
            assert all(f["value"] in f[text] and month in f[text] for text in ("zh", "en"))
            count = missing[f["value"]]
            assert f"涉及 {count} 票" in f["zh"]
            assert f"concerns {count} shipment" in f["en"]
            first = [houses(sample)[n] for n in foreign if sample.frames.shipments["currency"][n] == f["value"]]  # fmt: skip
            assert f["zh"].endswith("、".join(first[:3]))
        desk.engine.submit([done.batch], wait=20)
        desk.settled()
        assert not held & desk.arrivals().keys()
        assert desk.lines(done.batch) == {"not_evaluated": len(held), "released": 8 - len(held)}
        desk.engine.close()


def test_every_way_to_look_says_it_once_and_every_parcel_says_why(
    tmp_path: Path, foreign: list[int]
) -> None:
    sample = day(8)
    kinds = len(currencies(sample, foreign))
    with firm(tmp_path) as desk:
        engine = real(desk).engine
        done = desk.prepare(sample)
        kept = engine.findings(done.batch)
        assert len(about_rates(kept)) == len(about_rates(engine.iter_findings(done.batch))) == kinds
        pages = [engine.findings(done.batch, limit=1, after=n) for n in range(len(kept))]
        assert [page[0] for page in pages] == kept
        assert engine.findings(done.batch, after=len(kept)) == []
        assert done.summary.findings == len(kept)
        (line,) = done.summary.by_rule.filter(rule="LIM-12").to_dicts()
        assert (line["what"], line["count"], line["shipments"]) == ("not_evaluated", kinds, len(foreign))  # fmt: skip
        assert {e["en"] for e in line["examples"]} <= {f["en"] for f in about_rates(kept)}
        (reported,) = [f for f in engine.report([done.batch]).findings if f["rule"] == "LIM-12"]
        assert reported["count"] == kinds
        checked = engine.check(desk.file(sample), mapping="elements")
        assert len(about_rates(checked.findings.to_dicts())) == kinds
        assert len(about_rates(checked.by_shipment.to_dicts())) == len(foreign)
        assert set(checked.not_evaluated["house_waybill"]) == {houses(sample)[n] for n in foreign}
        for n in foreign:
            (story,) = engine.status(houses(sample)[n])
            (why,) = about_rates(story["findings"])
            assert (why["rule"], why["shipment"]) == ("LIM-12", houses(sample)[n])
            assert why["value"] == sample.frames.shipments["currency"][n]
            assert why["fix"]
            assert why["fix_zh"]
        engine.close()


def test_in_the_ledger_every_held_shipment_has_its_own(tmp_path: Path, foreign: list[int]) -> None:
    """Verdicts and a person's decisions go by shipment, under the rule that is told."""
    with firm(tmp_path) as desk:
        done = real(desk).prepare(day(8))
        own = [f["position"] for f in desk.findings(done, rule="LIM-12")]
        assert sorted(p for p in own if p is not None) == foreign
        assert own.count(None) == len(currencies(day(8), foreign))
        desk.engine.close()


@pytest.mark.parametrize("size", [1, 3])
def test_however_it_is_cut_into_blocks_it_is_said_once(
    size: int, tmp_path: Path, foreign: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = day(8)
    with firm(tmp_path) as desk:
        engine = real(desk).engine
        file = desk.file(sample)
        whole = about_rates(engine.check(file, mapping="elements").findings.to_dicts())
        assert max(currencies(sample, foreign).values()) > 1
        in_blocks(monkeypatch, size)
        with engine.checking(file, mapping="elements") as checking:
            frames = list(checking.findings())
            assert about_rates(pl.concat(frames).to_dicts()) == whole
            assert checking.summary.findings == sum(frame.height for frame in frames)
        with engine.checking(file, mapping="elements") as every:
            own = pl.concat(every.by_shipment()).filter(rule="LIM-12")
            assert sorted(own["ship"]) == foreign
        done = engine.prepare(file, mapping="elements")
        told = about_rates(engine.findings(done.batch))
        assert [(f["value"], f["zh"], f["en"]) for f in told] == [(f["value"], f["zh"], f["en"]) for f in whole]  # fmt: skip
        assert done.summary.counts == checking.summary.counts
        assert done.summary.verdicts["not_evaluated"] == len(foreign)
        engine.close()


def test_what_is_already_filed_is_not_counted(tmp_path: Path, foreign: list[int]) -> None:
    """With the rates it was filed; handed in again without them, nothing is missing for it."""
    sample = day(8)
    with firm(tmp_path) as desk:
        demo = desk.prepare(sample)
        assert demo.counts == {"prepared": 8}
        again = real(desk).prepare(changed(sample, "receiver_name", {foreign[0]: "王小明"}))
        told = about_rates(desk.engine.findings(again.batch))
        assert [f["value"] for f in told] == [sample.frames.shipments["currency"][foreign[0]]]
        assert "concerns 1 shipment:" in told[0]["en"]
        desk.engine.close()


def test_the_currency_that_is_named_is_the_one_without_a_rate(tmp_path: Path) -> None:
    """Goods may be in another currency than the sum."""
    sample = changed(day(8), "currency", dict.fromkeys(range(day(8).frames.goods.height), "116"), "goods")  # fmt: skip
    with firm(tmp_path) as desk:
        real(desk)
        given = rates(tmp_path, fictional="0")
        file = tmp_path / "dollars.csv"
        pl.read_csv(given, infer_schema=False).filter(pl.col("currency") != "116").write_csv(file)
        first_of_month = china_time.now().date().replace(day=1)
        codes.import_table(desk.home / "codes", "exchange_rates", file, first_of_month)
        told = about_rates(desk.engine.findings(desk.prepare(sample).batch))
        assert {f["value"] for f in told} == {"116"}
        assert "116" in told[0]["en"]
        desk.engine.close()


def test_a_rate_imported_makes_the_same_file_valid(tmp_path: Path, foreign: list[int]) -> None:
    sample = day(8)
    first_of_month = china_time.now().date().replace(day=1)
    with firm(tmp_path) as desk:
        real(desk)
        first = desk.prepare(sample)
        fictional = rates(tmp_path, fictional="1")
        codes.import_table(desk.home / "codes", "exchange_rates", fictional, first_of_month)
        assert desk.prepare(sample).counts["not_evaluated"] == len(foreign)
        given = rates(tmp_path, fictional="0")
        assert codes.import_table(desk.home / "codes", "exchange_rates", given, first_of_month) > 0
        second = desk.prepare(sample)
        assert second.counts == {"already_filed": 8 - len(foreign), "prepared": len(foreign)}
        desk.engine.submit([first.batch, second.batch], wait=20)
        desk.settled()
        assert set(desk.states(first.batch, second.batch)) == set(houses(sample))
        assert desk.lines(second.batch) == {
            "already_filed": 8 - len(foreign),
            "released": len(foreign),
        }
        desk.balanced()
        desk.engine.close()


def test_rates_of_another_month_do_not_count(tmp_path: Path, foreign: list[int]) -> None:
    with firm(tmp_path) as desk:
        real(desk)
        given = pl.read_csv(rates(tmp_path, fictional="0"), infer_schema=False)
        now = china_time.now().strftime("%Y%m")
        file = tmp_path / "old.csv"
        given.filter(pl.col("month") < now).write_csv(file)
        codes.import_table(desk.home / "codes", "exchange_rates", file, date(2020, 1, 1))
        assert desk.prepare(day(8)).counts["not_evaluated"] == len(foreign)
        desk.engine.close()


def test_for_the_demonstration_firm_made_up_rates_count(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        assert desk.prepare(day(8)).counts == {"prepared": 8}


def test_the_rate_that_was_imported_decides_about_the_limit(
    tmp_path: Path, foreign: list[int]
) -> None:
    now = china_time.now()
    with firm(tmp_path) as desk:
        real(desk)
        dear = pl.read_csv(rates(tmp_path, fictional="0"), infer_schema=False).filter(
            pl.col("month") == now.strftime("%Y%m")
        )
        file = tmp_path / "dear.csv"
        dear.with_columns(rate=pl.lit("900000")).write_csv(file)
        codes.import_table(desk.home / "codes", "exchange_rates", file, now.date().replace(day=1))
        done = desk.prepare(day(8))
        assert done.counts == {"rejected": len(foreign), "prepared": 8 - len(foreign)}
        rejected = pl.DataFrame(desk.findings(done, severity="reject"))
        assert set(rejected["shipment"]) == {houses(day(8))[n] for n in foreign}
        assert set(rejected["rule"]) == {"CLS-04", "LIM-02"}
        desk.engine.close()


def test_tables_are_read_again_only_when_something_was_imported(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        first = desk.engine.tables()
        assert desk.engine.tables() is first
        file = tmp_path / "rates.csv"
        samples.write_rates(file, china_time.now().date())
        codes.import_table(
            desk.home / "codes", "exchange_rates", file, china_time.now().date().replace(day=1)
        )
        second = desk.engine.tables()
        assert second is not first
        assert second.rates().height > first.rates().height
        assert desk.engine.tables() is second
