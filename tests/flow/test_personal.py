"""Promise P10: persons who are in the files that are handed in are nowhere on the disk afterwards, and in no log or report.

Made-up names, identity numbers, telephones and addresses go the whole way, with a crash in the middle; then every byte of
the home folder (database, its log, segments, spool), of the folder for temporary files, of what commands said and of the
report is searched for them. Broken by: `ledger.encryption = "off"`, which is tried too, and finds them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from crossborder import china_time, intake, samples
from crossborder.ledger.keyring import FILE
from crossborder.sandbox import receipts
from crossborder.shipments import COLUMNS

from .house import House, port, wait_until

CHILD = Path(__file__).with_name("personal_child.py")
BESIDE = CHILD.parents[1] / "engine"
NOTED = ("330100199001011234", "13899990000")
"""An identity number and a telephone that the port writes into a receipt."""


@dataclass(frozen=True)
class Watched:
    """What was left on the disk: after the crash, and in the end. What commands said. Whom to look for."""

    crashed: dict[str, bytes]
    ended: dict[str, bytes]
    said: dict[str, bytes]
    persons: dict[str, frozenset[str]]

    def found(self, where: dict[str, bytes]) -> set[tuple[str, str]]:
        """(file or command, column) of every value that can be read there."""
        return {
            (name, column)
            for name, data in where.items()
            for column, values in self.persons.items()
            if any(v.encode(code) in data for v in values for code in ("utf-8", "utf-16-le", "gb18030"))
        }  # fmt: skip


def bytes_below(*folders: Path) -> dict[str, bytes]:
    """Every file but the settings and the key file."""
    return {
        path.relative_to(folder.parent).as_posix(): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("crossborder.toml", FILE)
    }


def persons_of(file: Path) -> dict[str, frozenset[str]]:
    """Column → the personal values of a file that are long enough to be looked for."""
    frames = intake.read(file, mapping="elements").frames
    found: dict[str, frozenset[str]] = {}
    for column in COLUMNS["shipments"].values():
        if column.personal:
            values = frames.shipments[column.name].drop_nulls().unique().to_list()
            found[column.name] = frozenset(v for v in values if len(v.encode()) >= 6)
    return {name: values for name, values in found.items() if values}


def watched(folder: Path, encryption: str) -> Watched:
    folder.mkdir()
    file, temporary = folder / "day.csv", folder / "tmp"
    temporary.mkdir()
    samples.create(
        file, shipments=40, seed=3, dirty=0.3, mapping="elements", districts=("2901",), day=china_time.now().date(),
    )  # fmt: skip
    persons = persons_of(file)
    with port(folder / "port") as doors:
        house = House(folder, "http", doors["hangzhou"])
        settings = house.home / "crossborder.toml"
        text = settings.read_text("utf-8").replace(
            "[ledger]", f'[ledger]\nencryption = "{encryption}"'
        )
        settings.write_text(text, encoding="utf-8")
        environment = house.environment() | {"TMPDIR": str(temporary), "PYTHONPATH": str(BESIDE)}

        def command(*args: str) -> subprocess.CompletedProcess[bytes]:
            return subprocess.run(args, env=environment, cwd=folder, capture_output=True, check=False)  # fmt: skip

        died = command(sys.executable, str(CHILD), str(file))
        assert died.returncode == 9, died.stderr.decode()
        crashed = bytes_below(house.home, temporary)
        assert sum(name.endswith(".arrow") for name in crashed) >= 4
        said: dict[str, bytes] = {}

        def run(*wanted: str, good: tuple[int, ...] = (0, 1)) -> list[str]:
            """Commands, words apart by blanks, in one process; what each answered."""
            asked = [[*words.split(), "--lang", "en"] for words in wanted]
            done = command(sys.executable, str(CHILD), "--commands", json.dumps(asked))
            assert done.returncode == 0, done.stderr.decode()[-2000:]
            answers = json.loads(done.stdout)
            for words, (code, out, err) in zip(wanted, answers, strict=True):
                assert code in good, (words, code, err[-2000:])
                said[words] = (out + err).encode()
            return [out for _, out, _ in answers]

        (prepared,) = run(f"prepare {file} --mapping elements")
        batch = re.findall(r"\d{8}-\d{2}", prepared)[-1]
        run(f"submit {batch} --yes")
        wait_until(house.silent)
        *_, released = run("receive", "status --state released --json")
        told = json.loads(released)["attempts"][-1]
        waybill = told["house_waybill"]
        answer = folder / "answer.xml"
        answer.write_bytes(noted(told["master_waybill"], waybill))
        reports = [f"report -o {folder / 'report'}.{kind}" for kind in ("html", "json", "xlsx")]
        run(
            f"receive {answer}", f"status {waybill}", f"status --batch {batch}", "batches", "reconcile", *reports, "doctor",
            "keys ring", "erase --dry-run",
        )  # fmt: skip
        run("submit 20010101-01 --yes", f"prepare {folder / 'nowhere.csv'}", good=(2,))
        for kind in ("html", "json"):
            said[f"report.{kind}"] = (folder / f"report.{kind}").read_bytes()
        with zipfile.ZipFile(folder / "report.xlsx") as workbook:
            said |= {name: workbook.read(name) for name in workbook.namelist()}
        return Watched(crashed, bytes_below(house.home, temporary), said, persons)


def noted(master: str, waybill: str) -> bytes:
    """A receipt in which the port names a person."""
    return receipts.exp302(
        serial=1, moment=0, receiver="DEMO", op_type="ADD", master=master, house=waybill, direction="I",
        op_time=receipts.digits17(china_time.now().timestamp() + 60), code="11", pre_entry_id="", entry_id="",
        text=f"请核对收件人 {' '.join(NOTED)}", spelling=receipts.Spelling(),
    ).body  # fmt: skip


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return watched(tmp_path_factory.mktemp("personal") / "sealed", "on")


def test_there_are_persons_to_look_for(sealed: Watched) -> None:
    assert {"receiver_name", "receiver_phone", "receiver_address", "party_id"} <= set(
        sealed.persons
    )
    assert sum(map(len, sealed.persons.values())) > 100
    assert {name.rsplit("/", 1)[-1] for name in sealed.ended} >= {
        "ledger.sqlite3",
        "000001.aes.seg",
    }


def test_after_a_crash_nobody_is_on_the_disk(sealed: Watched) -> None:
    assert sealed.found(sealed.crashed) == set()


def test_in_the_end_nobody_is_on_the_disk(sealed: Watched) -> None:
    assert sealed.found(sealed.ended) == set()
    assert [(n, v) for n, data in sealed.ended.items() for v in NOTED if v.encode() in data] == []


def test_nobody_is_in_what_commands_say_nor_in_logs_nor_in_the_report(sealed: Watched) -> None:
    assert sealed.found(sealed.said) == set()
    assert [(n, v) for n, data in sealed.said.items() for v in NOTED if v.encode() in data] == []
    assert len(sealed.said) > 12


def test_without_encryption_the_same_search_finds_them(tmp_path: Path) -> None:
    """The planted fault: this search can find what it looks for, in each kind of place that encryption protects."""
    plain = watched(tmp_path / "plain", "off")
    columns = {"receiver_name", "receiver_phone", "receiver_address", "party_id"}
    found = plain.found(plain.ended)
    assert {(n, c) for n, c in found if n.endswith("000001.seg")} >= {
        ("home/payload/000001.seg", column) for column in columns
    }
    database = [name for name in plain.ended if name.startswith("home/ledger.sqlite3")]
    assert {column for name, column in found if name in database}
    assert any(v.encode() in plain.ended[name] for v in NOTED for name in database)
    assert plain.found({n: d for n, d in plain.crashed.items() if n.endswith(".arrow")}) == set()
