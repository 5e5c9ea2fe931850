"""The demonstration, run for real; and that it notices one declaration that never arrived."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run

from crossborder import samples, schema
from crossborder.cli.demo import DAYS
from crossborder.transport import HttpTransport, Outgoing, Submitted

LINES = ("unreadable", "rejected", "to_general", "not_evaluated", "on_hold", "already_filed", "prepared", "suspended_or_voided",
         "unknown", "in_flight", "refused", "released", "other_final")  # fmt: skip


def test_it_closes_the_account_and_agrees_with_the_sandbox(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "演示 folder"
    said = run("demo", "--shipments", 500, "--seed", 2, "--folder", folder, "--json")
    assert said.code == 0, said.err
    answer = said.json
    account = answer["account"]
    assert account["handed_in"][0] == 500 + 300  # two files, and the first one again, corrected
    for column in (0, 1):
        assert sum(account[name][column] for name in LINES) == account["handed_in"][column]
    assert account["unknown"] == account["prepared"] == [0, 0]
    assert min(account[name][0] for name in ("rejected", "already_filed", "released")) > 0
    assert answer["differences"] == []
    assert answer["adds_up"] is True
    assert set(answer["sandbox_received"]) == {"hangzhou", "ningbo"}
    assert min(answer["sandbox_received"].values()) > 10
    assert "corrected" in said.err
    assert "SANDBOX" in said.err
    documents = list(Path(answer["xml"]).rglob("*.xml"))
    kinds = {"EXP301": 0, "EXP311": 0}
    for document in documents:
        kinds[document.name[:6]] += 1
    assert kinds["EXP311"] >= 4
    assert sum(kinds.values()) == sum(answer["sandbox_received"].values())
    check = schema.validator("EXP301", "written")
    from lxml import etree

    assert all(check.validate(etree.parse(str(d))) for d in documents[:50] if "EXP301" in d.name)
    assert Path(answer["report"]).read_text("utf-8").startswith("<!doctype html>")
    again = run("demo", "--folder", folder)
    assert again.code == 2
    assert "not empty" in again.err


def test_import_export_and_three_classes_take_part(tmp_path: Path) -> None:
    for day in DAYS:
        made = samples.compose(round(600 * day.share), 1, day.dirty, day.direction)
        assert set(made.frames.shipments["declaration_class"].drop_nulls()) >= {"A", "B", "C"}
        assert made.dirt.height > 5
    assert {day.direction for day in DAYS} == {"I", "E"}


def test_the_corrected_file_holds_the_same_parcels(tmp_path: Path) -> None:
    day = DAYS[0]
    dirty = samples.compose(300, 2, day.dirty, day.direction, mapping=day.mapping)
    clean = samples.compose(300, 2, 0.0, day.direction, mapping=day.mapping)
    ours, theirs = clean.frames.shipments, dirty.frames.shipments
    spoiled = set(dirty.dirt["ship"])
    same = [s not in spoiled for s in ours["ship"]]
    assert ours.filter(same)["house_waybill"].equals(theirs.filter(same)["house_waybill"])


@pytest.fixture
def one_lost(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Drop one message of a type between the ledger and the sandbox: the transport says received, and sends nothing."""

    def drop(message_type: str) -> list[str]:
        dropped: list[str] = []
        real = HttpTransport.submit

        def submit(self: Any, message: Outgoing) -> Submitted:
            if message.message_type == message_type and not dropped:
                dropped.append(message.message_id)
                return Submitted("received", detail="taken")
            return real(self, message)

        monkeypatch.setattr(HttpTransport, "submit", submit)
        return dropped

    return drop


def test_one_declaration_dropped_on_the_way_is_noticed(
    run: Run, tmp_path: Path, one_lost: Callable[[str], list[str]]
) -> None:
    dropped = one_lost("EXP301")
    said = run("demo", "--shipments", 500, "--folder", tmp_path / "demo", "--json")
    assert said.code == 1
    assert len(dropped) == 1
    differences = said.json["differences"]
    assert [d["what"] for d in differences] == ["lost"]
    assert dropped[0] in differences[0]["where"]
    assert differences[0]["detail_zh"]
