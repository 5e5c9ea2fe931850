"""`erase`, `keys ring`, `keys rotate`, and what happens to every command without the key."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from crossborder.ledger.keyring import FILE

from .conftest import Run


def prepared(run: Run, file: Path) -> str:
    batch = run("prepare", file, "--profile", "demo", "--json").json["batch"]
    return str(batch)


def text(run: Run, *args: object) -> str:
    said = run(*args)
    return said.out + said.err


def test_erased_says_so_to_every_reader_and_the_account_closes(run: Run, dirty_day: Path) -> None:
    batch = prepared(run, dirty_day)
    lines = dirty_day.read_text("utf-8").splitlines()
    column = lines[0].split(",").index("AssBillNo")
    houses = list(dict.fromkeys(line.split(",")[column] for line in lines[1:]))
    told = {house: text(run, "status", house, "--xml") for house in houses}
    waybill = next(house for house, said in told.items() if "<EXP301" in said)
    refused = next(house for house, said in told.items() if "nothing composed" in said)
    account = run("reconcile", "--batch", batch, "--json").json["account"]
    said = run("erase", batch, "--force", "--reason", "a test", "--yes")
    assert said.code == 0
    assert re.match(
        r"erased: 1 batches, \d+ documents, \d+ findings, 0 raw receipts$", said.lines[0]
    )
    assert "cannot be any more" in said.out
    for lang, word in (("en", "erased on "), ("zh", "销毁")):
        shown_xml = run("status", waybill, "--xml", "--lang", lang)
        assert (shown_xml.code, "damaged" in shown_xml.err) == (2, False)
        assert word in shown_xml.err
        assert word in text(run, "status", refused, "--lang", lang)
        exported = run("prepare", dirty_day, "--profile", "demo", "--lang", lang)
        assert exported.code in (0, 1)
    proof = run("reconcile", "--batch", batch, "--json")
    assert proof.json["differences"] == []
    handed_in, *parts = proof.json["account"].values()
    assert handed_in == account["handed_in"]
    assert sum(shipments for shipments, _ in parts) == handed_in[0]
    again = run("erase", batch, "--force", "--reason", "a test", "--yes")
    assert (again.code, "erased before" in again.out) == (1, True)


def test_nothing_is_erased_without_a_word(run: Run, clean_day: Path, home: Path) -> None:
    batch = prepared(run, clean_day)
    ring = run("keys", "ring", "--json").json
    assert run("erase").lines == ["Nothing is due: nothing was changed."]
    assert run("erase", batch).code == 1
    assert "not settled" in run("erase", batch).out
    assert run("erase", batch, "--force").code == 2
    assert run("erase", batch, "--force", "--reason", "x", "--dry-run").code == 0
    assert not sys.stdin.isatty()
    unasked = run("erase", batch, "--force", "--reason", "x")
    assert (unasked.code, "--yes" in unasked.err) == (2, True)
    assert run("keys", "ring", "--json").json == ring
    assert ring["erased"] == 0


def test_the_ring_is_shown_by_name_and_rotates(run: Run, clean_day: Path, home: Path) -> None:
    batch = prepared(run, clean_day)
    key = (home / FILE).read_text("utf-8").split()[-1]
    shown = run("keys", "ring")
    assert shown.lines[:2] == ["encryption: on", "  file-1 (current): wraps 2 data keys"]
    assert run("keys", "rotate").lines[:2] == [
        "file-2: 2 data keys wrapped anew", "taken out of the key file: file-1",
    ]  # fmt: skip
    assert run("keys", "ring", "--json").json["keys"] == {"file-2": 2}
    assert key not in (home / FILE).read_text("utf-8")
    for said in (shown, run("keys", "ring", "--lang", "zh"), run("doctor")):
        assert key not in said.out + said.err
    assert run("reconcile", "--batch", batch).code == 0


@pytest.mark.parametrize(
    "command", [["batches"], ["status"], ["prepare"], ["reconcile"], ["keys", "list"]]
)
def test_without_its_key_no_command_goes_on(
    run: Run, clean_day: Path, home: Path, command: list[str]
) -> None:
    prepared(run, clean_day)
    (home / FILE).unlink()
    said = run(*command, *([clean_day, "--profile", "demo"] if command == ["prepare"] else []))
    assert (said.code, said.out) == (2, "")
    assert "'file-1', which is not there" in said.err
    assert not (home / FILE).exists()


def test_doctor_tells_where_the_key_lies_and_that_encryption_is_off(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = run("doctor")
    assert beside.code == 0
    assert "its key lies beside it" in beside.out.replace("\n", " ")
    (home / FILE).chmod(0o644)
    assert run("doctor").code == 1
    key = tmp_path / "main.key"
    key.write_text("ab" * 32, encoding="utf-8")
    monkeypatch.setenv("CROSSBORDER_LEDGER__KEYS__MAIN__FILE", str(key))
    pending = run("doctor", "--json")
    assert any("keys rotate" in one["en"] for one in pending.json["checks"])
    assert run("keys", "rotate").code == 0
    assert "current key main" in run("doctor").out
    assert "ab" * 32 not in json.dumps(run("doctor", "--json").json)
    monkeypatch.setenv("CROSSBORDER_LEDGER__ENCRYPTION", "off")
    off = run("doctor")
    assert (off.code, "encryption is off" in off.out) == (1, True)
