"""Check digits over columns, against python-stdnum where it is right and against made-up arithmetic."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_11_2

from crossborder.rules import checksums

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
digits = st.text("0123456789", min_size=17, max_size=17)


def column(values: list[str], expr: Callable[[pl.Expr], pl.Expr]) -> list[object]:
    return pl.DataFrame({"v": values}).select(expr(pl.col("v"))).to_series().to_list()


@given(st.lists(digits, min_size=1, max_size=20))
def test_identity_check_character_equals_stdnum(bodies: list[str]) -> None:
    expected = [mod_11_2.calc_check_digit(b) for b in bodies]
    assert column([b + "0" for b in bodies], checksums.identity_check) == expected
    whole = [b + c for b, c in zip(bodies, expected, strict=True)]
    assert all(column(whole, checksums.identity_good))
    assert all(column([w.lower() for w in whole], checksums.identity_good))


@given(digits, st.integers(0, 16), st.integers(1, 9))
def test_identity_finds_every_changed_digit(body: str, place: int, step: int) -> None:
    good = body + mod_11_2.calc_check_digit(body)
    other = str((int(good[place]) + step) % 10)
    changed = good[:place] + other + good[place + 1 :]
    assert column([changed], checksums.identity_good) == [False]


@pytest.mark.parametrize(
    "number", ["330100199001010001", "810000199001010019", "933001199001010015"]
)
def test_published_identity_numbers(number: str) -> None:
    assert column([number], checksums.identity_good) == [True]


def test_stdnum_ric_agrees_where_it_knows_the_district() -> None:
    bodies = [f"11010519491231{n:03d}" for n in range(40)]
    whole = [b + mod_11_2.calc_check_digit(b) for b in bodies]
    assert all(ric.is_valid(w) for w in whole)
    assert all(column(whole, checksums.identity_good))


@given(st.text(ALPHABET, min_size=17, max_size=17))
def test_credit_code_equals_stdnum(body: str) -> None:
    good = body + uscc.calc_check_digit(body)
    assert column([body + c for c in ALPHABET], checksums.uscc_good) == [
        body + c == good for c in ALPHABET
    ]


def test_published_credit_code() -> None:
    assert column(["91110000600037341L", "91110000600037341M"], checksums.uscc_good) == [
        True,
        False,
    ]


@given(st.integers(0, 9_999_999), st.sampled_from(["", "-", " "]))
def test_air_waybill(serial: int, gap: str) -> None:
    numbers = [f"999{gap}{serial:07d}{d}" for d in range(10)]
    assert column(numbers, checksums.air_waybill_good) == [d == serial % 7 for d in range(10)]


def test_published_air_waybill_and_s10() -> None:
    assert column(["999-12345675"], checksums.air_waybill_good) == [True]
    assert column(["RR123456785CN", "RR123456784CN"], checksums.s10_good) == [True, False]


@given(st.integers(0, 99_999_999))
def test_s10(number: int) -> None:
    rest = (
        sum(int(c) * w for c, w in zip(f"{number:08d}", (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
    )
    check = {10: 0, 11: 5}.get(11 - rest, 11 - rest)
    numbers = [f"EB{number:08d}{d}CN" for d in range(10)]
    assert column(numbers, checksums.s10_good) == [d == check for d in range(10)]


def test_forms() -> None:
    wanted = {
        checksums.IDENTITY_FORM: (["33010019900101000x"], ["3301001990010100x1", "33010019900101000"]),
        checksums.USCC_FORM: (["91110000600037341L"], ["9111000060003734IL", "91110000600037341l"]),
        checksums.AIR_WAYBILL_FORM: (["999-12345675", "99912345675"], ["99-12345675", "999--12345675"]),
        checksums.S10_FORM: (["RR123456785CN"], ["rr123456785CN", "R1123456785CN"]),
    }  # fmt: skip
    for form, (good, bad) in wanted.items():
        assert all(column(good, lambda v, f=form: v.str.contains(f))), form
        assert not any(column(bad, lambda v, f=form: v.str.contains(f))), form
