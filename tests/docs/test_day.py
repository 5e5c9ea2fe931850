"""The day of the README is run: the same commands, against a sandbox, print what is shown."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, blocks, files, read

from crossborder import china_time, samples
from crossborder.cli import main
from crossborder.codes import import_table
from crossborder.engine import Engine
from crossborder.sandbox import DEFAULT_ENDPOINTS, Sandbox
from crossborder.settings import load

README, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
CHANGES_NOTHING = ("check", "reconcile", "report")


def day_of(page: Path) -> list[tuple[str, list[str]]]:
    """Command and shown lines of each step of the block marked `the day`."""
    block = next(b for b in blocks(page) if b.mark == "the day")
    steps: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return steps


class Desk:
    """A folder with today's file, a home, and a sandbox at the addresses of the README."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox, self.batch = folder, sandbox, ""
        home = folder / "home"
        home.mkdir()
        said = files(README)["crossborder.toml"].replace("http://127.0.0.1:8760", sandbox.base)
        (home / "crossborder.toml").write_text(said, encoding="utf-8")
        samples.create(folder / "today.csv", shipments=500, seed=1, dirty=0.01, mapping="zh-desk")

    def run(self, command: str, lang: str) -> list[str]:
        """The lines a command prints; the batch of the README is the one that was prepared last."""
        words = command.replace("20261124-01", self.batch).split()
        assert words[0] == "crossborder"
        out = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(out):
            assert main([*words[1:], "--lang", lang]) in (0, 1)
        said = [line.rstrip() for line in out.getvalue().splitlines()]
        if words[1] == "prepare":
            self.batch = said[-1].split()[-1]
        return said


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("day")
    with Sandbox(folder / "port", DEFAULT_ENDPOINTS, speed=0) as sandbox:
        with pytest.MonkeyPatch.context() as patch:
            for name in [n for n in os.environ if n.startswith("CROSSBORDER_")]:
                patch.delenv(name)
            patch.setenv("CROSSBORDER_HOME", str(folder / "home"))
            patch.setenv("COLUMNS", "100")
            yield Desk(folder, sandbox)
        assert sandbox.problems == []


def test_the_day_prints_what_is_shown(desk: Desk) -> None:
    for command, shown in day_of(README):
        assert desk.sandbox.wait_idle()
        compare(desk.run(command, "en"), shown, command)
    for command, shown in day_of(CHINESE):
        if command.split()[1] in CHANGES_NOTHING:
            compare(desk.run(command, "zh"), shown, command)


def compare(said: list[str], shown: list[str], command: str) -> None:
    """Shown lines appear in order; `…` stands for lines or an end left out; passing counts may differ."""
    at = 0
    for line in filter(None, shown):
        if line.strip() == "…":
            continue
        found = next((n for n in range(at, len(said)) if _same(said[n], line)), None)
        assert found is not None, f"{command}: not printed: {line!r}; printed: {said[at:]}"
        at = found + 1


def _same(said: str, shown: str) -> bool:
    said, shown = (re.sub(r"\b20\d{6}-\d\d\b", "BATCH", text) for text in (said, shown))
    if shown.endswith("…"):
        passing = re.sub(r"[\d,]+", "#", shown.removesuffix("…"))
        return re.sub(r"[\d,]+", "#", said).startswith(passing.rstrip())
    return said == shown


def test_both_readmes_show_the_same_commands() -> None:
    assert [c for c, _ in day_of(README)] == [c for c, _ in day_of(CHINESE)]
    assert len(day_of(README)) == 6
    shown = [re.findall(r"^\$ ((?:make|crossborder|pip) .*?)(?:\s+#.*)?$", read(p), re.MULTILINE) for p in (README, CHINESE)]  # fmt: skip
    assert shown[0] == shown[1]


@pytest.mark.parametrize("page", [README, CHINESE], ids=lambda p: p.name)
def test_the_closing_table_shown_adds_up(page: Path) -> None:
    lines = next(shown for command, shown in day_of(page) if command.endswith("reconcile"))
    rows = [re.findall(r"[\d,]+", line) for line in lines if re.search(r"│\s+[\d,]+ │", line)]
    counts = [[int(n.replace(",", "")) for n in row] for row in rows]
    handed_in, *parts, total = counts
    assert len(parts) == 13
    assert [sum(column) for column in zip(*parts, strict=True)] == handed_in == total


def test_the_settings_and_rates_of_the_desk_page_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its profile and operator give all that a desk's sheet leaves empty; its rates can be imported."""
    page = files(ROOT / "docs/desk.zh-CN.md")
    (tmp_path / "crossborder.toml").write_text(page["crossborder.toml"], encoding="utf-8")
    (tmp_path / "rates.csv").write_text(page["rates.csv"], encoding="utf-8")
    for name in [n for n in os.environ if n.startswith("CROSSBORDER_")]:
        monkeypatch.delenv(name)
    loaded = load(home=tmp_path)
    month = china_time.now().date().replace(day=1)
    assert import_table(tmp_path / "codes", "exchange_rates", tmp_path / "rates.csv", month) == 3
    samples.create(tmp_path / "today.csv", shipments=60, seed=3, mapping="zh-desk")
    with Engine(loaded, home=tmp_path) as engine:
        checked = engine.check(tmp_path / "today.csv")
    assert checked.counts["rejected"] == 0
    assert (
        0 < checked.counts["valid"] < 60
    )  # parcels in currencies that the page gives no rate for hold
    assert checked.counts["not_evaluated"] == 60 - checked.counts["valid"]
