"""Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "polars", "lxml", "sqlalchemy", "alembic", "httpx", "pydantic", "pydantic_settings", "cryptography", "xmlschema",
    "fastexcel", "fastapi", "uvicorn", "rich.table", "rich.progress",
}  # fmt: skip
SCRIPT = """
import sys
{doing}
print("\\n".join(sorted(sys.modules)), file=sys.stderr)
"""


def loaded_by(doing: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(doing=doing)], capture_output=True, text=True, check=True
    )  # fmt: skip
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "doing",
    [
        "import crossborder",
        "from crossborder.cli import main; main(['--version'])",
        "from crossborder.cli import main; main(['--help'])",
    ],
)
def test_nothing_heavy_is_loaded(doing: str) -> None:
    assert not HEAVY & loaded_by(doing)


def test_help_of_one_command_loads_only_what_typer_itself_asks_for() -> None:
    """typer looks at pydantic's types when it builds the parameters of a command."""
    doing = "from crossborder.cli import main; main(['check', '--help'])"
    assert HEAVY & loaded_by(doing) <= {"pydantic"}


def test_the_list_of_heavy_modules_means_something() -> None:
    assert {"polars", "lxml", "pydantic"} <= HEAVY & loaded_by("import crossborder.engine")
