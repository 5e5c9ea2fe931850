"""Limits need exchange rates: without one they are not evaluated, hold, and say so once per currency and month.

Broken by: taking a missing rate for a good one, or letting fictional rates count for a real firm.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from crossborder import china_time, codes, samples, settings
from crossborder.engine import Engine
from crossborder.settings import Profile, Settings

from .firm import Firm, day, endpoints, firm, houses


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


def test_without_rates_the_limits_hold_with_one_text_per_currency(
    tmp_path: Path, foreign: list[int]
) -> None:
    sample = day(8)
    with firm(tmp_path) as desk:
        done = real(desk).prepare(sample)
        held = {houses(sample)[n] for n in foreign}
        assert held
        assert done.counts == {"not_evaluated": len(held), "prepared": 8 - len(held)}
        told = pl.DataFrame(desk.findings(done, severity="not_evaluated", action="hold"))
        assert set(told["shipment"].drop_nulls()) <= held
        currencies = {sample.frames.shipments["currency"][n] for n in foreign}
        assert set(told["value"]) == currencies
        month = china_time.now().strftime("%Y%m")
        for language in ("zh", "en"):
            said = told.select("value", language).unique()
            assert said.height == len(currencies), (
                "one text per currency and month, whatever the rule"
            )
            assert all(value in text and month in text for value, text in said.iter_rows())
        desk.engine.submit([done.batch], wait=20)
        desk.settled()
        assert not held & desk.arrivals().keys()
        assert desk.lines(done.batch) == {"not_evaluated": len(held), "released": 8 - len(held)}
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
