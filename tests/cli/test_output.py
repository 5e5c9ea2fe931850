"""Where things are written: answers to stdout, progress to stderr and only where a person watches."""

from __future__ import annotations

import io
import sys
import time

import pytest

from crossborder.cli import common, words
from crossborder.cli.following import show_differences


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_shows_how_far_how_fast_and_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "120")
    words.choose("en")
    with common.progress("filing") as report:
        for done in range(0, 101, 20):
            report(done, 100)
            time.sleep(0.15)
    shown = screen.getvalue()
    assert "filing" in shown
    assert "100/100" in shown
    assert "/s" in shown
    assert "0:00:0" in shown


@pytest.mark.parametrize("quiet", [True, False])
def test_no_progress_where_nobody_watches(
    quiet: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if quiet:
        monkeypatch.setattr(sys, "stderr", Screen())
    with common.progress("filing", quiet=quiet) as report:
        report(1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_line_is_never_broken_and_never_markup(capsys: pytest.CaptureFixture[str]) -> None:
    common.line("[bold]x[/] " + "y" * 300)
    assert capsys.readouterr().out == "[bold]x[/] " + "y" * 300 + "\n"


def test_who_does_it_is_the_login_unless_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import getpass

    assert common.who_am_i("wang") == "wang"
    monkeypatch.setattr(getpass, "getuser", lambda: "li")
    assert common.who_am_i("") == "li"

    def nobody() -> str:
        raise OSError("no login")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert common.who_am_i("") == "unknown"


def test_differences_are_grouped_with_count_and_examples(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def one(what: str, n: int) -> dict[str, str]:
        return {"what": what, "where": f"B {n}", "detail": f"because {n}", "detail_zh": f"缘由 {n}"}

    words.choose("en")
    show_differences([one("payload_damaged", 1), *(one("not_ours", n) for n in range(120))])
    assert capsys.readouterr().out.splitlines() == [
        "✗ payload_damaged × 1", "   B 1: because 1",
        "✗ not_ours × 120", "   B 0: because 0", "   B 1: because 1", "   B 2: because 2",
        "   … and 117 more (--json lists all)",
    ]  # fmt: skip
    words.choose("zh")
    show_differences([one("lost", 7)])
    assert capsys.readouterr().out.splitlines() == ["✗ lost 口岸没有收到 × 1", "   B 7: 缘由 7"]
    words.choose("en")
