"""One filing process per home folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crossborder.errors import LedgerError
from crossborder.filing.lock import filing_lock

HOLD = """
import sys
from pathlib import Path
from crossborder.filing.lock import filing_lock
with filing_lock(Path(sys.argv[1]), "serve"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_turned_away_by_name_and_a_killed_one_frees_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(LedgerError) as caught, filing_lock(tmp_path, "submit"):
                pass
            assert f"serve (pid {holder.pid})" in caught.value.en
            assert f"serve (pid {holder.pid})" in caught.value.zh
            assert caught.value.fix_zh != caught.value.fix_en
        finally:
            holder.kill()
    with filing_lock(tmp_path, "submit"):
        pass


def test_it_can_be_had_again_and_not_twice(tmp_path: Path) -> None:
    for _ in range(2):
        with (
            filing_lock(tmp_path, "submit"),
            pytest.raises(LedgerError, match="submit"),
            filing_lock(tmp_path, "serve"),
        ):
            pass


def test_an_error_inside_frees_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), filing_lock(tmp_path, "submit"):
        raise ValueError("inside")
    with filing_lock(tmp_path, "submit"):
        pass


def test_a_damaged_name_does_not_hide_the_lock(tmp_path: Path) -> None:
    with filing_lock(tmp_path, "submit"):
        (tmp_path / "filing.holder.json").write_text("{", encoding="utf-8")
        with pytest.raises(LedgerError, match="submit / serve"), filing_lock(tmp_path, "submit"):
            pass


def test_a_home_that_cannot_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / "filing.lock").mkdir()
    with pytest.raises(LedgerError, match="cannot be locked"), filing_lock(tmp_path, "submit"):
        pass
