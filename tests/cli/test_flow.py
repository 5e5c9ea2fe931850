"""The desk's day by command: prepare, submit, receive, reconcile, status, batches, report, resolve."""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.cli.conftest import Run, Said, settings

from crossborder import china_time
from crossborder.sandbox import EndpointSpec, Mix, Sandbox, receipts

ACCOUNT = [
    "handed_in", "unreadable", "rejected", "to_general", "not_evaluated", "on_hold", "already_filed", "prepared",
    "suspended_or_voided", "unknown", "in_flight", "refused", "released", "other_final",
]  # fmt: skip


def prepare(run: Run, file: Path, *more: object) -> Said:
    return run("prepare", file, "--profile", "demo", *more)


def arrived(port: Sandbox) -> int:
    return sum(port.account(name)["arrivals"] for name in ("hangzhou", "ningbo"))


def test_prepare_says_last_that_nothing_was_filed(run: Run, dirty_day: Path) -> None:
    said = prepare(run, dirty_day)
    assert said.code == 1
    batch = run("batches", "--json").json["batches"][0]["id"]
    assert said.lines[-1] == f"PREPARED, NOT FILED: 36 declarations. Next: crossborder submit {batch}"  # fmt: skip
    assert said.lines[-2] == "40 shipments: 36 new attempts, 0 already filed, 4 to correct"
    again = prepare(run, dirty_day, "--lang", "zh")
    assert again.lines[-3:] == [
        "40 票：新申报 0，此前已申报 36，待更正 4",
        f"其中 36 票已录入批次 {batch}，该批次尚未申报",
        f"已制单，未申报：0 份报关单。下一步：crossborder submit {batch}",
    ]


def test_what_is_recorded_in_a_batch_that_nobody_has_submitted_is_filed_with_that_batch(
    run: Run, port: Sandbox, clean_day: Path
) -> None:
    first = prepare(run, clean_day, "--json").json["batch"]
    said = prepare(run, clean_day)
    assert said.lines[-3:] == [
        "12 shipments: 0 new attempts, 12 already filed, 0 to correct",
        f"of these, 12 are recorded in batch {first}, which is not submitted yet",
        f"PREPARED, NOT FILED: 0 declarations. Next: crossborder submit {first}",
    ]
    second = run("batches", "--json").json["batches"][-1]["id"]
    vain = run("submit", second, "--yes", "--wait", "0")
    assert vain.code == 1
    assert vain.lines == [
        f"Nothing of {second} is waiting to be filed.", f"Batches with something to file: {first}",
        f"of these, 12 are recorded in batch {first}, which is not submitted yet",
        f"Next: crossborder submit {first}",
    ]  # fmt: skip
    assert run("submit", first, "--yes").code == 0
    done = run("submit", second, "--yes", "--wait", "0")
    assert (done.code, done.lines[0]) == (0, f"Nothing of {second} is waiting to be filed.")
    assert len(done.lines) == 2


def test_a_part_in_an_earlier_batch_and_a_part_in_this_one_name_both(
    run: Run, clean_day: Path, tmp_path: Path
) -> None:
    lines = clean_day.read_text("utf-8").splitlines()
    house = lines[0].split(",").index("AssBillNo")
    one = tmp_path / "one.csv"
    own = [line for line in lines[1:] if line.split(",")[house] == lines[1].split(",")[house]]
    one.write_text("\n".join([lines[0], *own]) + "\n", encoding="utf-8")
    first = prepare(run, one, "--json").json["batch"]
    said = prepare(run, clean_day)
    second = run("batches", "--json").json["batches"][-1]["id"]
    assert said.lines[-1] == f"PREPARED, NOT FILED: 11 declarations. Next: crossborder submit {first} {second}"  # fmt: skip


def test_manifests_alone_are_named_as_what_waits(run: Run, clean_day: Path, tmp_path: Path) -> None:
    """No declaration is fit to go, but its manifest lists every parcel."""
    lines = clean_day.read_text("utf-8").splitlines()
    city = lines[0].split(",").index("ReceiveCity")
    faulty = tmp_path / "faulty.csv"
    rows = [line.split(",") for line in lines[1:]]
    faulty.write_text(
        "\n".join([lines[0], *(",".join([*r[:city], "London", *r[city + 1 :]]) for r in rows)]) + "\n",
        encoding="utf-8",
    )  # fmt: skip
    said = prepare(run, faulty)
    (batch,) = run("batches", "--json").json["batches"]
    assert batch["counts"] == {"rejected": 12}
    (waits,) = {sum(w["manifests"] for w in run("submit", "--json").json["waiting"])}
    assert said.lines[-1] == (
        f"PREPARED, NOT FILED: 0 declarations, {waits} manifests. Next: crossborder submit {batch['id']}"
    )


def test_prepare_json_is_the_check_and_what_became_of_it(run: Run, clean_day: Path) -> None:
    said = prepare(run, clean_day, "--json")
    assert said.code == 0
    assert said.err == ""
    answer = said.json
    assert answer["outcomes"] == {"prepared": 12}
    assert answer["manifests"] > 0
    assert answer["not_manifested"] == 0
    assert answer["shipments"] == answer["valid"] == 12


def test_the_export_is_one_file_per_message_and_loses_nothing_when_deleted(
    run: Run, clean_day: Path, tmp_path: Path
) -> None:
    out = tmp_path / "xml"
    said = prepare(run, clean_day, "-o", out, "--json").json
    files = sorted(out.glob("*.xml"))
    assert len(files) == said["written"] == 12 + said["manifests"]
    assert {f.name.partition("_")[0] for f in files} == {"EXP301", "EXP311"}
    declaration = next(f for f in files if f.name.startswith("EXP301"))
    house = declaration.name.split("-")[-2]
    shown = run("status", house, "--xml", "--json").json["shipments"][house]
    assert shown[0]["xml"].encode() == declaration.read_bytes()
    declaration.unlink()
    assert run("status", house, "--xml", "--json").json["shipments"][house] == shown


def test_a_bundle_has_an_index_that_finds_each_document(
    run: Run, clean_day: Path, tmp_path: Path
) -> None:
    out = tmp_path / "bundle"
    assert prepare(run, clean_day, "-o", out, "--layout", "bundle").code == 0
    count = 0
    for index in out.glob("*.index.csv"):
        bundle = out / index.name.replace(".index.csv", ".tar")
        raw = bundle.read_bytes()
        frame = pl.read_csv(index)
        assert frame.columns == ["key", "offset", "length", "sha256"]
        with tarfile.open(fileobj=io.BytesIO(raw)) as opened:
            members = opened.getmembers()
        assert len(members) == frame.height
        for key, offset, length, digest in frame.iter_rows():
            body = raw[offset : offset + length]
            assert body.startswith(b"<?xml")
            assert hashlib.sha256(body).hexdigest() == digest
            assert "|" in key
        count += frame.height
    assert count == 12 + len(list(out.glob("*EXP311.tar"))) or count > 12


def test_without_a_batch_submit_lists_and_sends_nothing(
    run: Run, port: Sandbox, clean_day: Path
) -> None:
    assert run("submit").out == "Nothing is waiting to be filed.\n"
    batch = prepare(run, clean_day, "--json").json["batch"]
    shown = run("submit")
    assert shown.code == 0
    assert all(text in shown.out for text in (batch, "hangzhou", "ningbo", "SANDBOX", "示范快件有限公司（虚构）", "clean.csv"))  # fmt: skip
    waiting = run("submit", "--json").json["waiting"]
    assert sum(w["declarations"] for w in waiting) == 12
    assert {w["kind"] for w in waiting} == {"sandbox"}
    assert arrived(port) == 0


def test_submit_asks_and_without_a_yes_sends_nothing(
    run: Run, port: Sandbox, clean_day: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = prepare(run, clean_day, "--json").json["batch"]
    unasked = run("submit", batch)
    assert unasked.code == 2
    assert "--yes" in unasked.err
    for answer in ("n\n", "\n"):
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        said = run("submit", batch)
        assert said.code == 2
        assert "nothing was sent" in said.err
        assert "file now?" in said.err
        assert "SANDBOX" in said.out
    assert arrived(port) == 0
    assert run("batches", "--json").json["batches"][0]["submitted_at"] is None
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert run("submit", batch).code == 0
    assert arrived(port) > 12


class Terminal(io.StringIO):
    """A person at the keyboard."""

    def isatty(self) -> bool:
        return True


def test_a_live_endpoint_wants_its_name_typed(
    run: Run, port: Sandbox, home: Path, clean_day: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crossborder.cli.filing import confirmed
    from crossborder.engine import Waiting

    waiting = [Waiting("b", "f", name, "live", "d", 1, 2) for name in ("hangzhou", "ningbo")]
    for typed, good in (("y\n", False), ("hangzhou\nno\n", False), ("hangzhou\nningbo\n", True)):
        monkeypatch.setattr(sys, "stdin", Terminal(typed))
        assert confirmed(waiting) is good


def test_the_whole_day(run: Run, port: Sandbox, clean_day: Path, tmp_path: Path) -> None:
    batch = prepare(run, clean_day, "--json").json["batch"]
    filed = run("submit", batch, "--yes", "--wait", "30")
    assert filed.code == 0
    assert filed.lines[-1] == "Next: crossborder receive"
    assert any(line.startswith("declarations: ") for line in filed.lines)
    assert port.wait_idle()
    got = run("receive", "--json")
    assert got.code == 0
    assert got.json["unreadable"] == 0
    assert got.json["troubles"] == {}
    proof = run("reconcile", "--json")
    assert proof.code == 0
    assert list(proof.json["account"]) == ACCOUNT
    assert proof.json["account"]["released"] == proof.json["account"]["handed_in"]
    assert proof.json["differences"] == []
    table = run("reconcile")
    assert "total (adds up)" in table.out
    assert "No differences" in table.out
    assert run("submit", batch, "--yes").out.count("released 12") == 1
    listed = run("batches")
    assert listed.lines[0].startswith(batch)
    assert "filed" in listed.lines[0]
    assert listed.lines[1].strip() == "prepared 12"
    report = tmp_path / "day.html"
    assert run("report", "-o", report).code == 0
    assert report.stat().st_size > 2000
    assert run("report", "--json").json["account"]["released"][0] == 12
    house = run("status", "--master", waybill(port), "--json").json["attempts"][0]["house_waybill"]
    story = run("status", house)
    assert story.code == 0
    assert story.lines[0] == f"{house}  released"
    assert story.lines[2] == "  → Hand the parcel on"
    assert sum("EXP302 11" in line for line in story.lines) == 1
    zh = run("status", house, "--lang", "zh")
    assert zh.lines[0] == f"{house}  released 已放行"
    assert any("回执 EXP302 11" in line for line in zh.lines)
    assert not any("receipt:" in line or "claimed" in line for line in zh.lines)


def waybill(port: Sandbox) -> str:
    return str(port.account("hangzhou")["messages"][0]["master"])


def test_damaged_bytes_are_named_with_cause_and_remedy(
    run: Run, port: Sandbox, home: Path, clean_day: Path, tmp_path: Path
) -> None:
    batch = prepare(run, clean_day, "--json").json["batch"]
    (segment,) = (home / "payload").glob("*.seg")
    segment.write_bytes(segment.read_bytes()[:100])
    said = run("submit", batch, "--yes", "--wait", "0")
    assert said.code == 1
    told = [line for line in said.lines if line.startswith("manifests suspended: ")]
    assert told
    assert all(
        "damaged" in line and "→ restore" in line and f"submit {batch}" in line for line in told
    )
    assert "once receipts are in" not in said.out
    for command in (("status",), ("reconcile", "--no-endpoints")):
        assert told[0] in run(*command).lines
        assert "已挂起：存储的报文已损坏" in run(*command, "--lang", "zh").out
        assert run(*command, "--json").json["holdups"][0]["what"] == "manifest_damaged"
    told_by_report = run("report", "--json").json["attention"]
    assert {row["what"] for row in told_by_report} == {"manifest_damaged", "suspended"}


def test_the_batch_that_must_go_first_is_named(
    run: Run, port: Sandbox, clean_day: Path, tmp_path: Path
) -> None:
    """One master over two files: the second brings what is appended to the first."""
    lines = clean_day.read_text("utf-8").splitlines()
    masters, house = (lines[0].split(",").index(n) for n in ("BillNo", "AssBillNo"))
    named = [line.split(",") for line in lines[1:]]
    common = next(
        m
        for m in {r[masters] for r in named}
        if len({r[house] for r in named if r[masters] == m}) > 1
    )
    first_house = next(r[house] for r in named if r[masters] == common)
    batches = []
    for name, kept in (
        ("one", lambda r: r[house] == first_house),
        ("two", lambda r: r[masters] == common),
    ):
        file = tmp_path / f"{name}.csv"
        file.write_text(
            "\n".join([lines[0], *(",".join(r) for r in named if kept(r))]) + "\n", encoding="utf-8"
        )
        batches.append(prepare(run, file, "--json").json["batch"])
    first, second = batches
    said = run("submit", second, "--yes", "--wait", "0")
    assert said.code == 1
    assert any(
        f"→ run crossborder submit {first} first, then crossborder submit {second}" in line
        for line in said.lines
    )
    assert "once receipts are in" not in said.out
    assert run("submit", first, "--yes", "--wait", "20").code == 0
    assert run("submit", second, "--yes", "--wait", "20").code == 0


def test_receive_tells_what_this_run_brought_and_what_to_do(
    run: Run, port: Sandbox, clean_day: Path, tmp_path: Path
) -> None:
    """Customs takes a released parcel back: told once by `receive`, and for ever by the report."""
    batch = prepare(run, clean_day, "--json").json["batch"]
    assert run("submit", batch, "--yes").code == 0
    assert port.wait_idle()
    assert run("receive").code == 0
    released = run("status", "--batch", batch, "--state", "released", "--json").json["attempts"][0]
    house, master = released["house_waybill"], released["master_waybill"]
    later = china_time.digits14(china_time.now() + timedelta(minutes=1)) + "000"
    made = receipts.exp302(
        serial=1, moment=0, receiver="DEMO", op_type="ADD", master=master, house=house, direction="I",
        op_time=later, code="00", pre_entry_id="", entry_id="", text="", spelling=receipts.Spelling(),
    )  # fmt: skip
    file = tmp_path / "back.xml"
    file.write_bytes(made.body)
    said = run("receive", file)
    assert said.code == 1
    told = [line for line in said.lines if f"× 1: {house} →" in line]
    assert [line.split(" ×")[0] for line in told] == ["sent back 00", "reopened"]
    assert told[0].endswith("→ Repair and file again as a new attempt")
    again = run("receive", file, "--json")
    assert (again.code, again.json["brought"], again.json["before"]) == (0, [], {})


def test_a_report_before_anything_is_filed_says_what_is_next(run: Run, clean_day: Path) -> None:
    batch = prepare(run, clean_day, "--json").json["batch"]
    said = run("report", "--json")
    assert said.code == 1
    told = said.json["attention"]
    assert {(row["what"], row["shipment"]) for row in told} == {("not_submitted", batch)}
    assert all(f"crossborder submit {batch}" in row["en"] for row in told)


def test_a_report_is_written_where_it_is_asked_for_also_with_json(
    run: Run, clean_day: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(run, clean_day)
    answer = run("report", "-o", tmp_path / "r.html", "--json").json
    assert answer["format"] == 1
    assert (tmp_path / "r.html").read_text("utf-8").startswith("<!doctype html>")
    run("report", "--json")
    assert not (tmp_path / "report.html").exists()
    assert "report written to report.html" in run("report").out
    assert (tmp_path / "report.html").exists()


def test_status_of_nobody_is_exit_1(run: Run) -> None:
    said = run("status", "NOBODY1", "NOBODY2")
    assert said.code == 1
    assert said.lines == ["NOBODY1: not in the ledger", "NOBODY2: not in the ledger"]
    assert run("status", "NOBODY1", "--json").json == {"format": 1, "shipments": {"NOBODY1": []}}
    assert run("status", "--state", "unknown").out == "None.\n"


def test_status_shows_the_account(run: Run, clean_day: Path) -> None:
    prepare(run, clean_day)
    answer = run("status", "--json").json
    assert list(answer["account"]) == ACCOUNT
    assert answer["account"]["prepared"][0] == 12
    assert answer["not_manifested"] == []
    shown = run("status")
    assert "handed in" in shown.out
    assert "prepared" in shown.out


def test_what_stands_on_no_manifest_heads_the_status(run: Run, tmp_path: Path, clean_day: Path) -> None:  # fmt: skip
    lines = clean_day.read_text("utf-8").splitlines()
    at = lines[0].split(",").index("IEFlag")
    cells = lines[1].split(",")
    cells[at] = ""
    file = tmp_path / "no-flag.csv"
    file.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n", encoding="utf-8")
    said = prepare(run, file)
    assert said.code == 1
    assert any(line.startswith("NOT MANIFESTED: 1 ") for line in said.lines)
    shown = run("status")
    assert shown.lines[0] == "ON NO MANIFEST: 1"
    assert run("report", "--json").json["attention"][0]["what"] == "not_manifested"


def test_an_unknown_is_shown_and_resolved_by_a_person(run: Run, home: Path, tmp_path: Path, clean_day: Path) -> None:  # fmt: skip
    """The answer to one declaration is lost and nobody can be asked any more."""
    slow = tmp_path / "slow.toml"
    slow.write_text("[delays]\nD0 = [600, 600]\nD2 = [600, 600]\n", encoding="utf-8")
    doors = [EndpointSpec(name, "both", districts=(n,)) for name, n in (("hangzhou", "29"), ("ningbo", "31"))]  # fmt: skip
    lines = clean_day.read_text("utf-8").splitlines()
    at, ports = (lines[0].split(",").index(name) for name in ("AssBillNo", "DeclPort"))
    house = next(line.split(",")[at] for line in lines[1:] if line.split(",")[ports].startswith("29"))  # fmt: skip
    lost = house[:-4] + "SBW6"  # the port takes it and never answers
    file = tmp_path / "lost.csv"
    file.write_text(clean_day.read_text("utf-8").replace(house, lost), encoding="utf-8")
    home.mkdir()
    with Sandbox(tmp_path / "port", doors, Mix.load(slow), speed=1, require_manifest=False) as port:
        text = settings(port).replace("settle_seconds = 0.2", "settle_seconds = 600.0\nmanifest_first = false")  # fmt: skip
        text = text.replace('transport = "http"', 'transport = "http"\ntimeout_seconds = 0.5')
        (home / "crossborder.toml").write_text(text, encoding="utf-8")
        batch = prepare(run, file, "--json").json["batch"]
        said = run("submit", batch, "--yes", "--wait", "3")
    assert said.code == 1
    assert any(line.startswith("UNKNOWN: 1") for line in said.lines)
    assert lost in run("status", "--state", "unknown").out
    bad = run("resolve", lost, "--as", "perhaps", "--reason", "x")
    assert bad.code == 2
    assert run("resolve", lost, "--as", "received", "--reason", " ").code == 2
    dry = run("resolve", lost, "--as", "received", "--reason", "seen at the port", "--dry-run")
    assert dry.out == f"{lost}: unknown → sent (dry run: nothing changed)\n"
    done = run("resolve", lost, "--as", "received", "--reason", "seen at the port", "--json")
    assert (done.json["from"], done.json["to"], done.code) == ("unknown", "sent", 0)
    assert run("resolve", lost, "--as", "received", "--reason", "again").code == 2
    assert run("resolve", "NOBODY", "--as", "received", "--reason", "x").code == 2


@pytest.mark.parametrize(
    "args",
    [
        ("batches",), ("status",), ("submit",), ("reconcile", "--no-endpoints"), ("report",), ("doctor",),
        ("explain", "LIM-02"), ("explain", "--all"), ("codes", "list"), ("codes", "countries", "502"), ("schema",),
        ("schema", "EXP301"), ("keys", "list"), ("status", "NOBODY"), ("init",),
    ],
)  # fmt: skip
def test_json_leaves_nothing_else_on_stdout(run: Run, args: tuple[str, ...]) -> None:
    said = run(*args, "--json")
    assert said.json["format"] == 1
    assert said.out.count("\n") == 1
    assert said.err == ""


def test_interrupted_is_said_and_is_exit_1(
    run: Run, monkeypatch: pytest.MonkeyPatch, clean_day: Path
) -> None:
    from crossborder.engine import Engine

    def stop(*_args: object, **_asked: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "prepare", stop)
    said = prepare(run, clean_day)
    assert said.code == 1
    assert "goes on from there" in said.err


def test_a_reader_that_has_seen_enough_is_no_failure(home: Path, tmp_path: Path) -> None:
    import subprocess

    code = "import sys; from crossborder.cli import main; sys.exit(main(['schema', 'EXP301']))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_standard_output_is_utf_8_whatever_the_console(home: Path) -> None:
    import os
    import subprocess

    code = (
        "import sys; from crossborder.cli import main; sys.exit(main(['--help', '--lang', 'zh']))"
    )
    env = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=env)
    assert "预报清单".encode() in done.stdout
