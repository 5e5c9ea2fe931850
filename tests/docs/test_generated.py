"""Generated documents are what the generator writes, and hold what they must."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.docs.pages import ROOT, read

from crossborder.ledger.states import OURS
from crossborder.reconcile import StatusTable
from crossborder.settings import Endpoint
from crossborder.shipments import COLUMNS


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import generate_docs
    finally:
        sys.path.remove(str(ROOT / "tools"))
    return generate_docs


def test_generated_documents_are_current(generator: ModuleType) -> None:
    made = generator.documents()
    stale = [name for name, text in made.items() if read(ROOT / "docs" / name) != text]
    assert not stale, "run tools/generate_docs.py"


def test_check_tells_a_stale_document_and_writes_nothing(
    generator: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path)
    assert generator.main(["--out", out]) == 0
    assert generator.main(["--out", out, "--check"]) == 0
    page = tmp_path / "states.md"
    page.write_text("old", encoding="utf-8")
    capsys.readouterr()
    assert generator.main(["--out", out, "--check"]) == 1
    assert "states.md" in capsys.readouterr().out
    assert page.read_text(encoding="utf-8") == "old"


def test_every_key_has_its_variable_and_meaning() -> None:
    page = read(ROOT / "docs/configuration.md")
    for name in Endpoint.model_fields:
        row = re.search(rf"^\| `endpoints\.NAME\.{name}` \|(.+)\|$", page, re.MULTILINE)
        assert row is not None
        assert f"CROSSBORDER_ENDPOINTS__NAME__{name.upper()}" in row[1]
        assert len(row[1].split(" | ")[2].strip()) > 10


def test_every_column_stands_in_the_glossary() -> None:
    page = read(ROOT / "docs/glossary.md")
    columns = {f"{frame}.{name}" for frame, names in COLUMNS.items() for name in names}
    assert {c for c in columns if f"`{c}`" not in page} == {"shipments.transit_declaration"}


def test_every_state_and_code_is_explained_and_drawn() -> None:
    page, picture = read(ROOT / "docs/states.md"), read(ROOT / "docs/img/states.svg")
    table = StatusTable.load()
    assert [
        s for s in (*OURS, *table.states()) if f"`{s}`" not in page and s not in AGREEMENT
    ] == []
    drawn = [*OURS, *{s.state for s in table.of_message("EXP302") if s.state}]
    assert [s for s in drawn if f">{s}<" not in picture] == []
    assert [s.code for s in table.of_message("EXP302") if f"| `{s.code}` |" not in page] == []


AGREEMENT = ("in_force", "not_approved", "ended_early")
"""States of EXP308, which is neither composed nor read yet."""
