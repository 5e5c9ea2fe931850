"""What an auditor gets: checked by the script that goes with it, in a Python without this package."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from crossborder import china_time
from crossborder.engine import Engine
from crossborder.engine.audit import ENTRIES, HEAD
from crossborder.errors import InputError
from crossborder.shipments import personal_names

from .firm import Firm, day, houses, only

SAMPLE = day(6)


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """Two batches, one of them let go."""
    made = Firm(tmp_path_factory.mktemp("audited"), None)
    first = made.prepare(only(SAMPLE, [0, 1, 2]), who="desk").batch
    made.engine.ledger.release([first], "王关务", china_time.now(), {})
    made.prepare(only(SAMPLE, [3, 4, 5]), who="desk")
    return made


@pytest.fixture
def exported(firm: Firm, tmp_path: Path) -> Path:
    done = firm.engine.audit_export(tmp_path / "audit")
    assert done.whole
    assert done.head == firm.engine.audit_verify().head
    return done.folder


def check(folder: Path, *heads: str) -> tuple[int, list[str]]:
    """Run the script as an auditor would: nothing but the standard library can be imported (`-I -S`)."""
    ran = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify.py"), *heads], capture_output=True, text=True, encoding="utf-8",
        check=False,
    )  # fmt: skip
    assert ran.stderr == ""
    return ran.returncode, ran.stdout.splitlines()


def edit(folder: Path, change: Callable[[list[str]], None]) -> None:
    file = folder / ENTRIES
    lines = file.read_text("utf-8").split("\n")[:-1]
    change(lines)
    file.write_text("".join(line + "\n" for line in lines), "utf-8", newline="\n")


def test_the_engine_finds_it_whole(firm: Firm) -> None:
    found = firm.engine.audit_verify()
    assert found.intact
    assert found.as_json()["faults"] == []
    assert (found.audit.blocks, found.audit.attempts) == (
        4,
        8,
    )  # two manifests are blocks of their own


def test_the_rule_packs_of_a_batch_are_in_its_history(firm: Firm) -> None:
    (batch, _) = sorted(b.id for b in firm.engine.ledger.batches())
    verbs = [e.verb for e in firm.engine.ledger.batch_events(batch)]
    assert verbs == ["begun", "recorded", "recorded", "judged", "sealed", "submitted"]
    told = firm.engine.ledger.batch_events(batch)[3].detail
    known = {pack.id: pack.version for pack in firm.engine.packs()}
    assert told["packs"]
    assert all(known[pack["id"]] == pack["version"] for pack in told["packs"])
    moved = SAMPLE.frames.shipments["movement_date"]
    assert [d.replace("-", "") for d in told["movement"]] == [moved.min(), moved.max()]
    last = max(known)
    assert any(
        pack["id"] <= max(told["movement"][1], told["declared_on"]) for pack in told["packs"]
    )
    assert told["packs"][-1]["id"] <= last


def test_the_packs_of_another_time_are_those_of_that_time(tmp_path: Path) -> None:
    firm = Firm(tmp_path, None)
    batch = firm.prepare(only(SAMPLE, [0]), as_of="2024-11-30").batch
    (told,) = [e.detail for e in firm.engine.ledger.batch_events(batch) if e.verb == "judged"]
    assert told["as_of"] == "2024-11-30"
    (pack,) = told["packs"]
    (own,) = [p for p in firm.engine.packs() if p.id == pack["id"]]
    assert own.start.isoformat() <= "2024-11-30"
    assert own.end is not None
    assert own.end.isoformat() >= "2024-11-30"


def test_what_is_exported_is_whole(exported: Path) -> None:
    assert check(exported) == (0, ["whole: no entry was changed, is missing or moved"])
    assert {f.name for f in exported.iterdir()} == {"entries.jsonl", "head.json", "verify.py", "README.md"}  # fmt: skip
    first = json.loads((exported / ENTRIES).read_text("utf-8").split("\n")[0])
    assert list(first) == [
        "id", "at", "who", "verb", "batch_id", "attempt_id", "from_state", "to_state", "detail", "prev", "digest",
    ]  # fmt: skip


def test_the_script_needs_nothing_of_the_package_and_is_short(exported: Path) -> None:
    text = (exported / "verify.py").read_text("utf-8")
    assert "crossborder" not in text
    assert len(text.splitlines()) < 60


def test_it_exports_twice_into_the_same_folder(firm: Firm, exported: Path) -> None:
    before = (exported / ENTRIES).read_bytes()
    firm.engine.audit_export(exported)
    assert (exported / ENTRIES).read_bytes() == before


@pytest.mark.parametrize("number", [1, 5, 9])
def test_one_byte_was_changed(exported: Path, number: int) -> None:
    def change(lines: list[str]) -> None:
        lines[number - 1] = lines[number - 1].replace('"who":"', '"who":"x', 1)

    edit(exported, change)
    assert check(exported) == (1, [f"entry {number} (line {number}) was changed"])


def test_one_was_deleted(exported: Path) -> None:
    edit(exported, lambda lines: lines.__delitem__(4))
    code, said = check(exported)
    assert code == 1
    assert said[0] == "entry 6 (line 5) stands after 4: missing or moved"


def test_two_were_swapped(exported: Path) -> None:
    def swap(lines: list[str]) -> None:
        lines[4], lines[7] = lines[7], lines[4]

    edit(exported, swap)
    code, said = check(exported)
    assert code == 1
    assert said[0] == "entry 8 (line 5) stands after 4: missing or moved"
    assert "entry 5 (line 8) stands after 7: missing or moved" in said


def test_the_tail_was_cut_off(exported: Path) -> None:
    edit(exported, lambda lines: lines.__delitem__(-1))
    last = json.loads((exported / HEAD).read_text())["last"]
    assert f"it ends with entry {last - 1}, not with its head {last}" in check(exported)[1]


def test_an_entry_was_rewritten_with_its_digest(exported: Path) -> None:
    import hashlib

    def rewrite(lines: list[str]) -> None:
        said, _, rest = lines[4].rpartition(',"prev":"')
        said = said.replace('"who":"', '"who":"x', 1)
        digest = hashlib.sha256((rest[:64] + said + "}").encode()).hexdigest()
        lines[4] = f'{said},"prev":"{rest[:64]}","digest":"{digest}"}}'

    edit(exported, rewrite)
    assert "entry 6 (line 6) does not follow from the one before" in check(exported)[1]


def test_the_head_was_changed(exported: Path) -> None:
    told = json.loads((exported / HEAD).read_text())
    (exported / HEAD).write_text(json.dumps({**told, "digest": "0" * 64}))
    assert check(exported)[0] == 1


def test_a_head_that_was_kept(firm: Firm, exported: Path) -> None:
    lines = (exported / ENTRIES).read_text("utf-8").split("\n")
    earlier = f"4:{json.loads(lines[3])['digest']}"
    assert check(exported, earlier)[0] == 0
    assert check(exported, f"4:{'0' * 64}") == (
        1, ["entry 4 is not the head that was kept: history was rewritten"],
    )  # fmt: skip
    assert check(exported, f"999:{'0' * 64}")[0] == 1
    assert firm.engine.audit_verify([earlier]).intact
    assert firm.engine.audit_verify([str(exported / HEAD)]).intact
    (fault,) = firm.engine.audit_verify([f"4:{'0' * 64}"]).audit.faults
    assert (fault.what, fault.entry) == ("since_gone", 4)


@pytest.mark.parametrize("word", ["", "4", "4:abc", "nothing.json", "x:" + "0" * 64])
def test_what_is_no_head_is_an_error(firm: Firm, word: str) -> None:
    with pytest.raises(InputError, match="not a head"):
        firm.engine.audit_verify([word])


def test_some_batches(firm: Firm, tmp_path: Path) -> None:
    batches = sorted(b.id for b in firm.engine.ledger.batches())
    parts = [firm.engine.audit_export(tmp_path / b, [b]) for b in batches]
    day_ = firm.engine.audit_export(tmp_path / "day", day=f"{batches[0][:4]}-{batches[0][4:6]}-{batches[0][6:8]}")  # fmt: skip
    assert [check(p.folder)[0] for p in (*parts, day_)] == [0, 0, 0]
    assert not any(p.whole for p in (*parts, day_))
    assert sum(p.entries for p in parts) == day_.entries == firm.engine.audit_verify().audit.entries
    edit(parts[0].folder, lambda lines: lines.__delitem__(2))
    assert check(parts[0].folder)[0] == 1


def test_no_personal_data_is_in_it(firm: Firm, exported: Path) -> None:
    """Nor what leads to a person from outside: no waybill."""
    text = (exported / ENTRIES).read_text("utf-8")
    planted = [*houses(SAMPLE), *SAMPLE.frames.shipments["master_waybill"]]
    for frame in (SAMPLE.frames.shipments, SAMPLE.frames.goods):
        for column in personal_names() & {*frame.columns}:
            planted += [v for v in frame[column].to_list() if v]
    assert len(planted) > 20
    assert not [value for value in planted if str(value) in text]


def test_an_empty_ledger(tmp_path: Path) -> None:
    with Engine(Firm(tmp_path, None).settings, home=tmp_path / "new") as engine:
        assert engine.audit_verify(["0:" + "0" * 64]).intact
        done = engine.audit_export(tmp_path / "out")
    assert done.entries == 0
    assert check(done.folder, done.head) == (
        0,
        ["whole: no entry was changed, is missing or moved"],
    )


def test_a_folder_that_cannot_be(firm: Firm, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be made"):
        firm.engine.audit_export(tmp_path / "file" / "audit")
