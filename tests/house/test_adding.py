"""CONTRIBUTING's table "To add something", row by row: each thing is added as it says, and works by the public door."""

from __future__ import annotations

import re
import shutil
import sys
import types
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import crossborder
from crossborder import codes, messages, resources, rules
from crossborder.messages.mapping import message_mapping
from crossborder.rules.model import _REGISTRY, Case, Cases, Parcel, rule
from crossborder.settings import Endpoint
from crossborder.transport import Submitted, open_transport

ROOT = Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "fixtures" / "checks" / "independent.csv"
DAY = "20261120"


def test_every_row_of_the_table_names_a_test_that_is_here() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"test_adding\.py::(\w+)", table))
    assert len(named) == 5
    assert named <= set(globals())


def test_a_partner_is_one_toml(tmp_path: Path) -> None:
    """A partner who calls the house waybill PARCEL: one file in a folder of mappings, named on the command line."""
    built_in = resources.text("mappings/partners/elements.toml")
    (tmp_path / "parcels.toml").write_text(
        built_in.replace("AssBillNo", "PARCEL"), encoding="utf-8"
    )
    theirs = tmp_path / "theirs.csv"
    pl.read_csv(FIXTURE, infer_schema=False).rename({"AssBillNo": "PARCEL"}).write_csv(theirs)
    read = crossborder.check(theirs, "parcels", "demo", declared_on=DAY, folders=[tmp_path])
    ours = crossborder.check(FIXTURE, "elements", "demo", declared_on=DAY)
    assert read.mapping == "parcels"
    assert (
        read.frames.shipments["house_waybill"].to_list()
        == ours.frames.shipments["house_waybill"].to_list()
    )
    assert read.counts == ours.counts


def test_a_rule_is_one_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule of our own: no parcel of fewer than two pieces. It is checked, and `registry` lists it."""
    monkeypatch.setattr("crossborder.rules.model._REGISTRY", dict(_REGISTRY))
    before = crossborder.check(FIXTURE, "elements", "demo", declared_on=DAY)

    @rule(
        "OWN-01",
        title=("至少两件", "At least two pieces"),
        fields="PackNo",
        source="house rule",
        fix=("合并包裹", "consolidate"),
        passing=Parcel(head={"pieces": "2"}),
        failing=Parcel(head={"pieces": "1"}),
    )
    def two_pieces(_: rules.Context) -> Cases:
        yield Case(
            when=pl.col("pieces") == "1", column="pieces", zh="只有一件", en="a single piece"
        )

    assert "OWN-01" in {r.id for r in rules.registry()}
    after = crossborder.check(FIXTURE, "elements", "demo", declared_on=DAY)
    hit = after.findings.filter(pl.col("rule") == "OWN-01")
    single = before.frames.shipments.filter(pl.col("pieces") == "1").height
    assert 0 < single == hit.height
    assert after.counts["rejected"] > before.counts["rejected"]


def test_a_message_is_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EXP301 under a new number: copies of its data files, not a line of code."""
    for folder in ("schemas", "mappings"):
        shutil.copytree(resources.path(folder), tmp_path / folder)
    for old in [*tmp_path.rglob("EXP301.*")]:
        text = old.read_text(encoding="utf-8").replace("EXP301", "EXP999")
        old.with_name(old.name.replace("EXP301", "EXP999")).write_text(text, encoding="utf-8")
    resources.root.cache_clear()
    message_mapping.cache_clear()
    messages.compile_plan.cache_clear()
    monkeypatch.setattr(resources, "root", lambda: tmp_path)
    try:
        checked = crossborder.check(FIXTURE, "elements", "demo", declared_on=DAY)
        plan = messages.compile_plan("EXP999")
        heads = plan.project(checked.frames).groups["EntryHead"]
        assert heads.height == checked.counts["shipments"]
        assert "AssBillNo" in heads.columns
    finally:
        message_mapping.cache_clear()
        messages.compile_plan.cache_clear()


class Pigeon:
    """A transport of one's own: what it is given flies away, and it says so."""

    can_look_up = False
    trouble = ""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self.flown: list[str] = []

    def submit(self, message: object) -> Submitted:
        self.flown.append(type(message).__name__)
        return Submitted("received")

    def look_up(self, key: str, message_id: str, digest: str) -> object:
        raise AssertionError("never asked: it cannot look up")

    def receipts(self) -> object:
        return iter(())


def test_a_transport_is_one_class(monkeypatch: pytest.MonkeyPatch) -> None:
    pigeons = types.ModuleType("ourfirm_pigeons")
    pigeons.Pigeon = Pigeon  # type: ignore[attr-defined]  # a module made by hand
    monkeypatch.setitem(sys.modules, "ourfirm_pigeons", pigeons)
    endpoint = Endpoint(districts=("29",), transport="ourfirm_pigeons:Pigeon", address="the loft")
    opened = open_transport(endpoint, "loft")
    assert isinstance(opened, Pigeon)
    assert opened.submit("message").outcome == "received"
    assert opened.flown == ["str"]


def test_a_code_table_is_one_csv(tmp_path: Path) -> None:
    """From its date on the new table counts, and a code it lacks is a fault; before, the packaged one."""
    full = codes.Tables.load().frame("countries")
    known = crossborder.check(FIXTURE, "elements", "demo", declared_on=DAY)
    used = known.frames.goods["origin_country"].drop_nulls().unique().sort()[0]
    source = tmp_path / "official.csv"
    full.filter(pl.col("customs_code") != used).write_csv(source)
    folder = tmp_path / "codes"
    start = date(2026, 11, 1)
    assert codes.import_table(folder, "countries", source, start) == full.height - 1
    tables = codes.Tables.load(folder)
    after = crossborder.check(FIXTURE, "elements", "demo", declared_on=DAY, tables=tables)
    missed = after.findings.filter(
        (pl.col("rule") == "COD-OriginCountry") & (pl.col("value") == used)
    )
    assert missed.height == known.frames.goods.filter(pl.col("origin_country") == used).height > 0
    earlier = crossborder.check(FIXTURE, "elements", "demo", declared_on="20261031", tables=tables)
    assert earlier.findings.filter(pl.col("rule") == "COD-OriginCountry").is_empty()
