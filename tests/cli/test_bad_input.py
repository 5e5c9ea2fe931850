"""Bad input: one clear message naming file, place and remedy; exit 2, or findings with exit 1; nothing half-done."""

from __future__ import annotations

import csv
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.conftest import Run, Said

from crossborder import china_time, samples
from crossborder.engine import Engine
from crossborder.sandbox import Sandbox

Make = Callable[[Path, Path], Path]
"""A bad file made from a good one in a folder."""


def write(folder: Path, name: str, body: bytes) -> Path:
    file = folder / name
    file.write_bytes(body)
    return file


def nothing(folder: Path, _good: Path) -> Path:
    return folder / "nobody.csv"


def a_folder(folder: Path, _good: Path) -> Path:
    (folder / "day.csv").mkdir()
    return folder / "day.csv"


def empty(folder: Path, _good: Path) -> Path:
    return write(folder, "empty.csv", b"")


def header_only(folder: Path, good: Path) -> Path:
    return write(folder, "header.csv", good.read_bytes().partition(b"\n")[0] + b"\n")


def wrong_encoding(folder: Path, good: Path) -> Path:
    return write(folder, "encoding.csv", good.read_bytes() + b"\xff\xfe\x81\x00\n")


def missing_column(folder: Path, good: Path) -> Path:
    return write(folder, "column.csv", good.read_bytes().replace(b"AssBillNo", b"Assbill", 1))


def column_twice(folder: Path, good: Path) -> Path:
    return write(folder, "twice.csv", good.read_bytes().replace(b"NoteS", b"GName", 1))


def no_workbook(folder: Path, _good: Path) -> Path:
    return write(folder, "day.xlsx", b"this is text")


def torn_workbook(folder: Path, _good: Path) -> Path:
    return write(folder, "torn.xlsx", b"PK\x03\x04" + b"\x00" * 200)


def no_json(folder: Path, _good: Path) -> Path:
    return write(folder, "day.json", b'{"shipments": [')


def no_parquet(folder: Path, _good: Path) -> Path:
    return write(folder, "day.parquet", b"PAR1 and no more")


def unknown_kind(folder: Path, _good: Path) -> Path:
    return write(folder, "day.docx", b"PK\x03\x04")


CANNOT_BE_READ: list[tuple[Make, str]] = [
    (nothing, "no such file"),
    (a_folder, "folder"),
    (empty, "empty"),
    (header_only, "no row below"),
    (wrong_encoding, "encoding"),
    (missing_column, "missing columns: AssBillNo"),
    (column_twice, "more than once: GName"),
    (no_workbook, "not an Excel workbook"),
    (torn_workbook, ""),
    (no_json, "line 1"),
    (no_parquet, ""),
    (unknown_kind, ""),
]


def refused(said: Said, place: str, text: str = "") -> None:
    """Exit 2 with one line that names the place, what is wrong, and the remedy."""
    assert said.code == 2
    assert said.out == ""
    assert len(said.err.splitlines()) == 1, said.err
    assert place in said.err
    assert text in said.err
    assert " → " in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(("make", "text"), CANNOT_BE_READ, ids=[m.__name__ for m, _ in CANNOT_BE_READ])  # fmt: skip
def test_a_file_that_cannot_be_read(
    run: Run, home: Path, clean_day: Path, tmp_path: Path, make: Make, text: str
) -> None:
    file = make(tmp_path, clean_day)
    for lang in ("en", "zh"):
        for command in ("check", "prepare"):
            asked = (command, file, "--profile", "demo", "--mapping", "elements", "--lang", lang)
            refused(run(*asked), file.name, text if lang == "en" else "")
    with Engine() as engine:
        assert engine.batches() == []


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])  # fmt: skip
def test_a_file_that_is_locked(
    run: Run, clean_day: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    real = Path.open

    def locked(self: Path, *args: object, **asked: object) -> object:
        if self.name == clean_day.name:
            raise error
        return real(self, *args, **asked)  # type: ignore[call-overload]  # passed on as it came

    monkeypatch.setattr(Path, "open", locked)
    monkeypatch.setattr(Path, "read_bytes", locked)
    said = run("check", clean_day, "--profile", "demo")
    assert said.code == 2
    assert clean_day.name in said.err
    assert len(said.err.splitlines()) == 1


def test_a_cell_of_50_mb_is_a_finding(run: Run, clean_day: Path, tmp_path: Path) -> None:
    with clean_day.open(encoding="utf-8-sig", newline="") as good:
        rows = list(csv.reader(good))
    at = rows[0].index("GModel")
    rows[1][at] = "x" * 50_000_000
    file = tmp_path / "huge.csv"
    with file.open("w", encoding="utf-8", newline="") as bad:
        csv.writer(bad).writerows(rows)
    said = run("check", file, "--profile", "demo", "--json")
    assert said.code == 1
    assert said.json["rejected"] == 1
    assert said.json["valid"] == 11
    assert len(said.out) < 50_000
    finding = next(f for f in said.json["findings"] if f["rule"] == "INT-cell-too-long")
    assert (finding["row"], finding["column"]) == (2, "GModel")


def test_an_unknown_mapping_or_key(run: Run, clean_day: Path, tmp_path: Path) -> None:
    refused(run("check", clean_day, "--mapping", "nobody"), "nobody", "known mappings")
    file = write(tmp_path, "theirs.toml", b'title_en = "x"\nheeder = 1\n[columns]\n')
    refused(run("check", clean_day, "--mapping", file), "theirs.toml", "nearest: header")
    file.write_text("[columns\n", encoding="utf-8")
    refused(run("check", clean_day, "--mapping", file), "theirs.toml")
    refused(run("mapping", "draft", tmp_path / "nobody.csv"), "nobody.csv")
    refused(run("mapping", "test", clean_day, "--mapping", "zh-desk"), clean_day.name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("profil = 1\n", "profil"),
        ("profile = \n", "crossborder.toml"),
        ("[endpoints.hangzhou]\ntransport = 5\n", "endpoints.hangzhou.transport"),
        ('day_starts = "25:00"\n', "day_starts"),
    ],
)
def test_wrong_settings(run: Run, home: Path, clean_day: Path, text: str, said: str) -> None:
    home.mkdir()
    (home / "crossborder.toml").write_text(text, encoding="utf-8")
    for command in (("check", clean_day), ("doctor",), ("submit",), ("serve",)):
        answer = run(*command)
        assert answer.code == 2
        assert said in answer.err
        assert len(answer.err.splitlines()) == 1


def test_a_sheet_of_what_is_no_workbook(run: Run, clean_day: Path) -> None:
    for command in ("check", "prepare"):
        asked = (command, clean_day, "--profile", "demo", "--sheet", "进口")
        refused(run(*asked), clean_day.name, "only a workbook has sheets")
        refused(run(*asked, "--lang", "zh"), clean_day.name, "只有 Excel 工作簿才有工作表")
    with Engine() as engine:
        assert engine.batches() == []


def test_a_settings_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    refused(run("doctor", "--config", tmp_path / "nobody.toml"), "nobody.toml", "init")


def test_a_profile_nobody_has_and_one_that_is_incomplete(run: Run, clean_day: Path) -> None:
    said = run("check", clean_day, "--profile", "dmo")
    assert said.code == 2
    assert "did you mean 'demo'" in said.err
    refused(run("prepare", clean_day), "owner_name", "--profile demo")
    assert run("check", clean_day, "--profile", "demo", "--operator", "nobody").code == 2


BOMB = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">%s]><l>&j;</l>' % b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
)
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>'


@pytest.mark.parametrize("raw", [b"<a><b></a>", b"", b"\x00\xff", BOMB, OUTSIDE, b"<a/>", b"<?xml version='1.0' encoding='x'?><a/>"])  # fmt: skip
def test_a_receipt_that_cannot_be_read_is_kept_and_named(
    run: Run, tmp_path: Path, raw: bytes
) -> None:
    file = write(tmp_path, "answer.xml", raw)
    said = run("receive", file)
    assert said.code == 1
    assert "unreadable 1" in said.lines[0]
    assert any("answer.xml: cannot be read (" in line and " → " in line for line in said.lines)
    attention = run("report", "--json").json["attention"]
    assert [(a["what"], a["shipment"]) for a in attention] == [("unreadable_receipt", "answer.xml")]
    again = run("receive", file, "--json").json
    assert (again["receipts"], again["repeated"]) == (0, 1)


def test_receipts_are_taken_all_or_none(run: Run, tmp_path: Path) -> None:
    good = write(tmp_path, "good.xml", b"<a/>")
    refused(run("receive", good, tmp_path / "nobody.xml"), "nobody.xml", "cannot be read")
    assert run("receive", good, "--json").json["receipts"] == 1
    refused(run("receive"), "endpoints", "no endpoint has an address")
    assert run("receive", good, "--endpoint", "nowhere").code == 2


def test_what_cannot_be_written(run: Run, home: Path, clean_day: Path, tmp_path: Path) -> None:
    blocked = write(tmp_path, "file", b"") / "below"
    demo = ("--profile", "demo")
    refused(run("check", clean_day, *demo, "--findings", blocked / "f.csv"), "f.csv", "cannot be written")  # fmt: skip
    refused(run("check", clean_day, *demo, "--only-rejected", blocked / "r.csv"), "r.csv")
    refused(run("check", clean_day, *demo, "--only-rejected", tmp_path / "r.docx"), "r.docx", ".csv")  # fmt: skip
    refused(run("prepare", clean_day, *demo, "-o", blocked), "below", "nothing was recorded")
    refused(run("sample", "-o", blocked / "s.csv"), "s.csv")
    assert "not '.docx'" in run("sample", "-o", tmp_path / "s.docx").err
    refused(run("report", "-o", blocked / "r.html"), "r.html")
    refused(run("report", "-o", tmp_path / "r.pdf"), "r.pdf", ".html, .xlsx or .json")
    refused(run("mapping", "draft", clean_day, "-o", blocked / "m.toml"), "m.toml")
    refused(run("codes", "import", "currencies", tmp_path / "nobody.csv", "--from", "2026-11-01"), "nobody.csv")  # fmt: skip
    assert run("prepare", clean_day, *demo, "-o", tmp_path / "x", "--layout", "zip").code == 2
    with Engine() as engine:
        assert engine.batches() == []


def test_a_home_that_is_no_folder(
    run: Run, clean_day: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSBORDER_HOME", str(write(tmp_path, "home-file", b"")))
    for command in (("prepare", clean_day, "--profile", "demo"), ("batches",), ("keys", "add", "a")):  # fmt: skip
        said = run(*command)
        assert said.code == 2
        assert "home-file" in said.err
        assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    "args",
    [
        ("submit", "20261123-99", "--yes"), ("reconcile", "--batch", "20261123-99"), ("report", "--batch", "x"),
        ("status", "--batch", "x"), ("batches", "--date", "yesterday"), ("report", "--date", "2026-13-01"),
        ("explain", "LIM-99"), ("schema", "EXP999"), ("codes", "nobody", "x"), ("keys", "revoke", "nobody"),
        ("sample", "-o", "s.csv", "--on", "today"), ("sample", "-o", "s.csv", "--direction", "X"),
        ("sample", "-o", "s.csv", "--mapping", "nobody"), ("codes", "import", "currencies", "x.csv", "--from", "now"),
    ],
)  # fmt: skip
def test_something_nobody_knows(run: Run, args: tuple[str, ...]) -> None:
    said = run(*args)
    assert said.code == 2
    assert said.out == ""
    assert len(said.err.splitlines()) == 1, said.err


# -- endpoints that refuse, hang, or answer nonsense


@contextmanager
def door(answer: bytes | None) -> Iterator[str]:
    """A gateway that answers every request with these bytes, or (None) never."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            held.append(caller)
            if answer is not None:
                threading.Thread(target=reply, args=(caller,), daemon=True).start()

    def reply(caller: socket.socket) -> None:
        with caller:
            caller.settimeout(5)
            try:
                caller.recv(65536)
                caller.sendall(answer or b"")
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ended.set()
        listener.close()
        for caller in held:
            caller.close()


def closed_door() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def point_to(home: Path, address: str) -> None:
    home.mkdir(exist_ok=True)
    ends = "".join(
        f'[endpoints.{name}]\ndistricts = ["{d}"]\naddress = "{address}"\ntimeout_seconds = 0.3\nretry_seconds = 0.2\n'
        f"settle_seconds = 0.1\npoll_seconds = 0.1\nmanifest_first = false\n"
        for name, d in (("hangzhou", "29"), ("ningbo", "31"))
    )
    (home / "crossborder.toml").write_text(f'profile = "demo"\n{ends}', encoding="utf-8")


def try_to_file(run: Run, home: Path, address: str) -> tuple[Said, dict[str, int]]:
    point_to(home, address)
    day = home / "three.csv"
    samples.create(
        day,
        shipments=3,
        seed=2,
        mapping="elements",
        day=china_time.now().date(),
        districts=("2901",),
    )
    batch = run("prepare", day, "--json").json["batch"]
    said = run("submit", batch, "--yes", "--wait", "2")
    with Engine() as engine:
        return said, engine.states([batch])


def test_an_endpoint_that_refuses(run: Run, home: Path) -> None:
    said, states = try_to_file(run, home, closed_door())
    assert said.code == 1
    assert "endpoint hangzhou: no connection; nothing was sent" in said.out
    assert "endpoints.hangzhou.address" in said.out
    assert "unknown" not in states
    assert sum(states.values()) == 3
    got = run("receive", "--lang", "zh")
    assert got.code == 1
    assert "口岸 ningbo：连接失败" in got.out
    told = run("doctor", "--connect")
    assert told.code == 1
    assert "✗ endpoint hangzhou" in told.out


def test_an_endpoint_that_hangs(run: Run, home: Path) -> None:
    with door(None) as address:
        said, states = try_to_file(run, home, address)
    assert said.code == 1
    assert "no answer within the time limit" in said.out
    assert states.get("unknown", 0) > 0
    assert "UNKNOWN" in said.out


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"220 smtp ready\r\n",
    ],
)
def test_an_endpoint_that_answers_nonsense(run: Run, home: Path, answer: bytes) -> None:
    with door(answer) as address:
        said, states = try_to_file(run, home, address)
        assert run("receive").code == 1
    assert said.code == 1
    assert "released" not in states
    assert "sent" not in states
    assert "endpoint hangzhou: " in said.out
    assert run("reconcile", "--no-endpoints").code == 0


def test_an_endpoint_that_cannot_be_opened(
    run: Run, home: Path, port: Sandbox, clean_day: Path, tmp_path: Path
) -> None:
    """It is named with place and remedy and its rows wait; the other is filed to. All of them broken: exit 2."""
    config, gone = home / "crossborder.toml", tmp_path / "gone"
    good = config.read_text("utf-8")
    one = good.replace(str(port.boxes("ningbo")), str(gone))
    batch = run("prepare", clean_day, "--json").json["batch"]
    config.write_text(one.replace('"http"', '"carrier-pigeon"'), encoding="utf-8")
    refused(run("submit", batch, "--yes", "--json"), "endpoints.ningbo.address", "endpoints.hangzhou.transport")  # fmt: skip
    assert run("batches", "--json").json["batches"][0]["submitted_at"] is None
    config.write_text(one, encoding="utf-8")
    said = run("submit", batch, "--yes", "--wait", "2", "--lang", "zh")
    assert said.code == 1
    (told,) = [line for line in said.lines if line.startswith("口岸 ningbo")]
    assert all(
        part in told for part in ("endpoints.ningbo.address", str(gone), " → 请建立该文件夹")
    )
    assert port.account("hangzhou")["messages"]
    assert "ningbo: the endpoint cannot be opened" in run("receive").out
    refused(
        run("submit", batch, "--yes", "--json"), "endpoints.ningbo.address"
    )  # only its rows are left
    config.write_text(good, encoding="utf-8")
    assert run("submit", batch, "--yes", "--wait", "30").code == 0
    assert port.wait_idle()
    assert run("receive").code == 0
    assert run("status", "--json").json["account"]["released"][0] == 12
