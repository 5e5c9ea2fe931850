"""The partner's examples run against `crossborder serve`, which files to a sandbox."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.docs.pages import ROOT, Block, files, of_language, read
from tests.docs.test_examples import SERVICE

from crossborder.engine import Engine
from crossborder.sandbox import Sandbox
from crossborder.service import build_app

EXAMPLES = [b for b in of_language("python") if b.mark == SERVICE]
RUN = "import sys; from crossborder.cli import main; sys.exit(main())"


@pytest.fixture
def address(folder: Path, port: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """`crossborder serve` on a free port, and a partner's key in the environment."""
    for name, text in files(ROOT / "docs/partner.md").items():
        (folder / name).write_text(text, encoding="utf-8")
    with Engine() as engine:
        monkeypatch.setenv("PARTNER_KEY", engine.add_key("shop-one"))
    server = subprocess.Popen(
        [sys.executable, "-c", RUN, "serve", "--port", "0", "--json"], stdout=subprocess.PIPE, env=dict(os.environ)
    )  # fmt: skip
    try:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        yield ready["address"]
    finally:
        server.terminate()
        server.communicate(timeout=60)
    assert server.returncode == 0


def test_there_are_examples() -> None:
    assert sorted(b.page.name for b in EXAMPLES) == [
        "README.md",
        "README.zh-CN.md",
        "partner.md",
        "partner.md",
    ]


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda b: b.name)
def test_example_runs(block: Block, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = block.text.replace("http://127.0.0.1:8750", address)
    assert text != block.text
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, block.name, "exec"), space)
    space["api"].close()
    said = capsys.readouterr().out
    if block.output is not None:
        assert said == block.output
    if block.page.name.startswith("README"):
        assert said == "{'handed_in': 40, 'rejected': 4, 'released': 36}\n"


def test_the_readme_needs_ten_lines() -> None:
    block = next(b for b in EXAMPLES if b.page.name == "README.md")
    assert len([line for line in block.text.splitlines() if line.strip()]) <= 10 + 1


def test_every_route_named_is_there(folder: Path) -> None:
    with Engine() as engine:
        there = set(build_app(engine).openapi()["paths"])
    named = {p.split("?")[0] for p in re.findall(r"`(?:GET|POST) (/[^`\s]+)`", read(ROOT / "docs/partner.md"))}  # fmt: skip
    assert {re.sub(r"\{\w+\}", "{}", n) for n in named} == {
        re.sub(r"\{\w+\}", "{}", t) for t in there if t != "/health"
    }
