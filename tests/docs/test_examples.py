"""Every Python example of the documents runs, and prints what is shown below it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, Block, files, of_language, read

import crossborder
from crossborder import Engine

SERVICE = "against crossborder serve"
"""Mark of the examples that `test_service.py` runs."""
EXAMPLES = [b for b in of_language("python") if b.mark != SERVICE]


def test_pages_have_examples() -> None:
    pages = {b.page.name for b in EXAMPLES}
    assert {"README.md", "library.md", "sandbox.md"} <= pages
    assert not [b.name for b in EXAMPLES if b.mark.startswith("not run") and len(b.mark) < 12]


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda b: b.name)
def test_example_runs(block: Block, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    needs_port = "Engine(" in block.text
    for wanted in ("port",) if needs_port else ("on_the_day", "folder"):
        request.getfixturevalue(wanted)
    for name, text in files(block.page).items():
        Path(name).write_text(text, encoding="utf-8")
    exec(compile(block.text, block.name, "exec"), {"__name__": "__main__"})
    said = capsys.readouterr().out
    if block.output is not None:
        assert said == block.output


def test_the_methods_of_the_engine_are_those_of_the_page() -> None:
    page = read(ROOT / "docs/library.md").partition("## The ledger half")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    said = {
        m[1]: m[2] for row in rows for m in re.finditer(r"`(\w+)(\([^`]*?\))?(?: ->[^`]*)?`", row)
    }
    assert set(said) == {n for n in dir(Engine) if not n.startswith("_")}
    for name, shown in said.items():
        if shown:
            there = inspect.signature(getattr(Engine, name)).parameters
            named = [p.partition("=")[0].strip() for p in shown.strip("()").split(",")]
            assert [p for p in named if p and p not in ("*", "…") and p not in there] == [], name


def test_every_exported_name_stands_on_the_page() -> None:
    page = read(ROOT / "docs/library.md")
    assert [n for n in crossborder.__all__ if n not in page] == []
