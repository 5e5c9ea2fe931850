"""Text laid out by the columns it takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossborder.wide import padded, width, wrapped


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("报关单", 6), ("ａ", 2), ("e\u0301", 1), ("→", 1), ("", 0)]
)
def test_a_wide_character_takes_two_columns(text: str, columns: int) -> None:
    assert width(text) == columns
    assert width(padded(text, 9)) == 9


def test_lines_break_at_blanks_and_between_chinese_characters() -> None:
    assert wrapped("one two three", 8) == ["one two", "three"]
    assert wrapped("报关单已制单", 6) == ["报关单", "已制单"]
    assert wrapped("a\nb", 10) == ["a", "b"]
    assert wrapped("", 10) == [""]


def test_a_closing_mark_never_begins_a_line() -> None:
    assert wrapped("报关单，舱单", 6) == ["报关", "单，舱", "单"]
    assert wrapped("aaa bbb, ccc", 7) == ["aaa", "bbb,", "ccc"]


@given(st.text(alphabet="ab 报关，。, ", max_size=60), st.integers(12, 40))
def test_nothing_is_lost_and_nothing_passes_the_edge(text: str, columns: int) -> None:
    lines = wrapped(text, columns)
    assert "".join("".join(lines).split()) == "".join(text.split())
    longest = max((width(word) for word in text.split()), default=0)
    if longest <= columns:
        assert all(width(line) <= columns for line in lines)
