"""Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crossborder import samples

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


PAGE = {
    "crossborder", "crossborder.cli", "crossborder.cli.front", "crossborder.cli.helptext", "crossborder.cli.pages",
    "crossborder.cli.words", "crossborder.wide",
}  # fmt: skip
"""What the first help page may load of ours; of others nothing."""
SLOW = {
    "argparse", "asyncio", "dataclasses", "datetime", "decimal", "email", "http", "importlib.metadata", "inspect", "json",
    "locale", "logging", "pathlib", "shutil", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "tomllib", "urllib", "zoneinfo",
}  # fmt: skip
"""Of the standard library, what takes its time and is no help to help."""


@pytest.mark.parametrize(
    "args", [["--help"], ["-h"], [], ["--lang", "zh", "--help"], ["--help", "--lang=zh"]]
)
def test_the_first_page_loads_these_modules_and_no_others(args: list[str]) -> None:
    doing = f"import os; os.environ['LANG'] = 'C'; from crossborder.cli import main; main({args!r})"
    new = loaded_by(doing) - loaded_by("import os")
    assert {name for name in new if name.partition(".")[0] == "crossborder"} == PAGE
    foreign = {name for name in new if name.partition(".")[0] not in sys.stdlib_module_names}
    assert foreign - PAGE == set()
    assert new & SLOW == set()


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["check", "--help"], "check"), (["--lang", "zh", "keys", "--help"], "serving"), (["batches", "-h"], "looking"),
        (["codes", "import", "--help", "--lang", "zh"], "lookup"),
    ],
)  # fmt: skip
def test_the_page_of_a_command_loads_the_module_of_that_command_and_no_pydantic(
    args: list[str], wanted: str
) -> None:
    loaded = loaded_by(f"from crossborder.cli import main; main({args!r})")
    assert not HEAVY & loaded
    families = {"check", "desk", "filing", "following", "looking", "lookup", "play", "serving"}
    of_ours = {name.removeprefix("crossborder.cli.") for name in loaded} & families
    assert of_ours == {wanted}


def test_the_list_of_heavy_modules_means_something() -> None:
    assert {"polars", "lxml", "pydantic"} <= HEAVY & loaded_by("import crossborder.engine")


WITHOUT = {
    "version": "--version", "help": "--help", "explain": "explain IDT-01", "codes": "codes countries 142", "schema": "schema EXP301",
    "check": "check {file} --mapping elements --profile demo", "batches": "batches", "ring": "keys ring",
}  # fmt: skip
"""Commands that read nothing encrypted and write nothing."""


@pytest.mark.parametrize("command", WITHOUT.values(), ids=WITHOUT)
def test_who_encrypts_nothing_does_not_load_what_encrypts(tmp_path: Path, command: str) -> None:
    file = tmp_path / "day.csv"
    samples.create(file, shipments=3, seed=1, mapping="elements")
    args = command.format(file=file.as_posix()).split()
    doing = (
        f"import os; os.environ['CROSSBORDER_HOME'] = {str(tmp_path / 'home')!r}\n"
        f"from crossborder.cli import main; main({args!r})"
    )
    assert not {name for name in loaded_by(doing) if name.partition(".")[0] == "cryptography"}


def test_who_encrypts_does(tmp_path: Path) -> None:
    """The planted fault: the search above can find it."""
    doing = "from crossborder.ledger import sealing; sealing.cipher(bytes(32))"
    assert "cryptography" in loaded_by(doing)
