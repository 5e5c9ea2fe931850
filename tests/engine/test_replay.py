"""Replay between two rule packs: exactly the shipments that fare differently, with the rule that makes the difference."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from crossborder import intake, samples
from crossborder.engine import Engine, sources
from crossborder.errors import NotFound
from crossborder.settings import Settings

OLD, NEW = "2024-11-30", "2024-12-01"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(Settings(profile="demo"), home=tmp_path / "home") as made:
        yield made


def day_of(tmp_path: Path, moved: date, values: list[str]) -> Path:
    """Class B imports of one line each, with these values in CNY."""
    file = tmp_path / "day.csv"
    samples.create(
        file, shipments=len(values) * 6, seed=4, dirty=0, direction="I", mapping="elements", day=moved
    )  # fmt: skip
    frame = pl.read_csv(file, infer_schema=False)
    alone = pl.len().over("AssBillNo") == 1
    chosen = frame.filter(alone, pl.col("EntryType") == "B", pl.col("GQty") != "1").head(
        len(values)
    )
    assert chosen.height == len(values)
    value = pl.Series(values)
    price = pl.Series([str(float(v)) for v in values])
    chosen.with_columns(
        TotalValue=value, TradeTotal=value, DeclTotal=value, CurrCode=pl.lit("142"), TradeCurr=pl.lit("142"),
        GQty=pl.lit("2"), DeclPrice=(price.cast(pl.Float64) / 2).cast(pl.String),
    ).write_csv(file)  # fmt: skip
    return file


def verdicts(engine: Engine, file: Path) -> list[str]:
    return engine.check(file, mapping="elements").verdicts.sort("ship")["verdict"].to_list()


def test_a_limit_that_was_raised_frees_exactly_what_lies_between(
    engine: Engine, tmp_path: Path
) -> None:
    file = day_of(tmp_path, date(2026, 11, 23), ["700", "1000", "1500", "2000", "2500"])
    done = engine.replay(OLD, NEW, file, mapping="elements")
    assert done.shipments == 5
    assert done.changes["ship"].to_list() == [2, 3]
    assert (
        done.changes.select("verdict_before", "verdict_after").rows() == [("rejected", "valid")] * 2
    )
    assert done.changes["rules_before"].to_list() == [["LIM-01"]] * 2
    assert done.changes["rules_after"].to_list() == [[]] * 2
    assert done.by_rule.rows() == [("LIM-01", 2, 0)]
    assert dict(done.verdicts.select(pl.concat_str("before", pl.lit(">"), "after"), "shipments").iter_rows()) == {
        "rejected>rejected": 1, "rejected>valid": 2, "valid>valid": 2,
    }  # fmt: skip


def test_without_replay_the_day_of_movement_decides(engine: Engine, tmp_path: Path) -> None:
    for moved, expected in ((date(2024, 11, 30), "rejected"), (date(2024, 12, 1), "valid")):
        file = day_of(tmp_path, moved, ["1500"])
        found = engine.check(file, mapping="elements")
        limits = set(found.findings.filter(pl.col("rule").str.starts_with("LIM"))["rule"])
        assert limits == ({"LIM-01"} if expected == "rejected" else set())


def test_the_same_pack_twice_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    file = day_of(tmp_path, date(2026, 11, 23), ["700", "1500"])
    done = engine.replay("2023-05-05", OLD, file, mapping="elements")
    assert (done.before, done.changes.height, done.by_rule.height) == (done.after, 0, 0)


def test_a_recorded_batch_is_judged_again_as_its_file_is(engine: Engine, tmp_path: Path) -> None:
    file = day_of(tmp_path, date(2026, 11, 23), ["700", "1500", "1900"])
    from_file = engine.replay(NEW, OLD, file, mapping="elements")
    batch = engine.prepare(file, mapping="elements").batch
    from_batch = engine.replay(NEW, OLD, batches=[batch])
    for name in ("house_waybill", "verdict_before", "verdict_after", "rules_after"):
        assert from_batch.changes[name].to_list() == from_file.changes[name].to_list()
    assert from_batch.changes.height == 2


def test_read_in_blocks_it_finds_the_same(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "day.csv"
    samples.create(file, shipments=300, seed=9, dirty=0.2, direction="I", mapping="elements")
    whole = engine.replay(OLD, NEW, file, mapping="elements")
    monkeypatch.setattr(
        sources,
        "open_blocks",
        lambda data, **how: intake.open_blocks(data, block_bytes=20_000, **how),
    )
    cut = engine.replay(OLD, NEW, file, mapping="elements")
    assert whole.changes.height > 10
    assert cut.changes.equals(whole.changes)
    assert cut.by_rule.equals(whole.by_rule)


def test_a_tax_that_another_pack_makes_different_is_told_with_its_rules(
    engine: Engine, tmp_path: Path
) -> None:
    file = day_of(tmp_path, date(2026, 11, 23), ["18", "20", "300", "400"])
    frame = pl.read_csv(file, infer_schema=False)
    # two bottles of beer: listed at 5 each; shirts stand in no table before December 2024
    codes = ["02010100", "02010100", "02010100", "04010400"]
    frame.with_columns(CodeTS=pl.Series(codes), GUnit=pl.lit("142")).write_csv(file)
    done = engine.replay(OLD, NEW, file, mapping="elements")
    assert done.changes.height == 0
    assert (
        done.taxes.height == 0
    )  # 5 or 9 to 10 is not collected, 150 is the actual price before and after
    high = frame.with_columns(
        CodeTS=pl.Series(["02040000"] * 3 + ["04010400"]), GUnit=pl.lit("142"), DeclPrice=pl.Series(["260", "900", "999", "200"])
    )  # fmt: skip
    high.write_csv(file)
    done = engine.replay(OLD, NEW, file, mapping="elements")
    told = done.taxes.select(
        "ship", pl.col("^payable_.*$").cast(pl.String), "rules_before", "rules_after"
    ).rows()
    old, new = ["TAX-03", "TAX-05"], ["TAX-02", "TAX-04"]
    assert told == [
        (0, "500.00", "260.00", old, new), (1, "500.00", "900.00", old, new), (2, "500.00", "999.00", old, new),
    ]  # fmt: skip
    assert done.as_json()["taxes"][0]["payable_after"] == "260.00"


def test_an_unknown_pack_is_named(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no rule pack"):
        engine.replay("someday", NEW, day_of(tmp_path, date(2026, 11, 23), ["700"]))
