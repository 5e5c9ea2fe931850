"""Every Python example of the documents runs, and prints what is shown below it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs.pages import Block, files, of_language

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
    request.getfixturevalue("port" if needs_port else "folder")
    for name, text in files(block.page).items():
        Path(name).write_text(text, encoding="utf-8")
    exec(compile(block.text, block.name, "exec"), {"__name__": "__main__"})
    said = capsys.readouterr().out
    if block.output is not None:
        assert said == block.output
