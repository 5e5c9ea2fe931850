"""Documents of the Chinese party: grades by class and type, dates, ages, misuse within a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from crossborder.rules.model import Parcel

Check = Callable[..., pl.DataFrame]
GOOD = "330100199001010001"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def whole(body: str) -> str:
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, WEIGHTS, strict=True)) % 11]


def document(
    number: str | None, kind: str | None = "1", klass: Any = "B", direction: Any = "I"
) -> Parcel:
    return Parcel(klass, direction, {"party_id": number, "party_id_type": kind})


def told(found: pl.DataFrame) -> list[tuple[str, str, str]]:
    mine = found.filter(pl.col("rule").str.starts_with("ID-"))
    return mine.select("rule", "severity", "action").rows()


@pytest.mark.parametrize(
    "number",
    ["33010019900101000", "3301001990010100011", "33010019900101000A", "330100 99001010001",
     "3.30100199001010001E", "身份证330100199", "330100199002300006", "330100190002290000",
     "330100199013010003", "330100199001010002", "X30100199001010001"],
)  # fmt: skip
@pytest.mark.parametrize("direction", ["I", "E"])
def test_class_b_type_1_rejects(check: Check, number: str, direction: str) -> None:
    assert told(check(document(number, direction=direction))) == [("ID-01", "reject", "reject")]


def test_birth_dates_at_the_edges(check: Check) -> None:
    today, tomorrow = whole("33010020261123000"), whole("33010020261124000")
    assert ("ID-01", "reject", "reject") not in told(check(document(today)))
    assert told(check(document(tomorrow))) == [("ID-01", "reject", "reject")]
    assert ("ID-01", "reject", "reject") not in told(check(document(whole("33010019000101000"))))
    assert told(check(document(whole("33010018991231000")))) == [("ID-01", "reject", "reject")]


def test_lower_case_x_is_noted_with_the_capital(check: Check) -> None:
    number = next(n for i in range(99) if (n := whole(f"330100199001010{i:02d}")).endswith("X"))
    found = check(document(number.lower()))
    assert told(found) == [("ID-01", "warn", "note")]
    assert found["suggest"].to_list() == [number]
    assert told(check(document(number))) == []


@pytest.mark.parametrize("klass", ["A", "C"])
def test_other_classes_only_note(check: Check, klass: str) -> None:
    assert told(check(document("330100199001010002", None, klass))) == [("ID-01", "warn", "note")]
    assert told(check(document("330100900101001", None, klass))) == [("ID-02", "warn", "note")]
    assert told(check(document("E12345678", None, klass))) == []
    assert told(check(document(GOOD, None, klass))) == []
    assert told(check(document("330100199001010002", "1", klass))) == []  # the type is the fault


def test_a_credit_code_of_digits_is_no_identity_number(check: Check) -> None:
    for i in range(100):
        body = f"911100006000373{i:02d}"
        check_character = (31 - sum(int(c) * 3**n for n, c in enumerate(body)) % 31) % 31
        number = f"{body}{check_character}"
        if check_character < 10 and whole(body) != number:
            assert told(check(document(number, None, "C"))) == []
            return
    pytest.fail("no such code among a hundred")


def test_fifteen_digits(check: Check) -> None:
    assert told(check(document("330100900101001"))) == [("ID-02", "reject", "reject")]
    assert told(check(document("33010090010100", "1"))) == [("ID-01", "reject", "reject")]


@pytest.mark.parametrize("number", [GOOD, "810000199001010019", "933001199001010015"])
def test_known_districts(check: Check, number: str) -> None:
    assert told(check(document(number))) == []


@pytest.mark.parametrize("body", ["66010019900101000", "81010019900101000", "90000019900101000"])
def test_unknown_districts(check: Check, body: str) -> None:
    assert told(check(document(whole(body)))) == [("ID-03", "warn", "note")]


@pytest.mark.parametrize(
    ("born", "noted"),
    [
        ("20101123", False),
        ("20101124", True),
        ("19151124", False),
        ("19151123", True),
        ("20240229", True),
    ],
)
def test_ages(check: Check, born: str, noted: bool) -> None:
    found = told(check(document(whole(f"330100{born}000"))))
    assert found == ([("ID-04", "warn", "note")] if noted else [])


def test_other_documents(check: Check) -> None:
    note = [("ID-05", "warn", "note")]
    for good in ("E12345678", "EA1234567", "12345", "A" * 20):
        assert told(check(document(good, "2"))) == []
    for bad in ("1234", "E 1234567", "护照12345"):
        assert told(check(document(bad, "2"))) == note
    for good in ("H12345678", "M1234567890", "12345678", "1234567890A", "CHN310056053001", "A123456789",
                 "810000199001010019"):  # fmt: skip
        assert told(check(document(good, "3"))) == []
    for bad in ("H1234567", "X12345678", "123456789", "h12345678"):
        assert told(check(document(bad, "3"))) == [("ID-06", "warn", "note")]


def test_full_width_is_one_finding_of_another_rule(check: Check) -> None:
    found = check(document("３３０１００１９９００１０１０００１"))
    assert set(found["rule"]) == {"TXT-04"}
    assert found["suggest"].to_list() == [GOOD]
    assert found["action"].to_list() == ["reject"]


def test_over_long_numbers_are_left_to_the_facet(check: Check) -> None:
    assert told(check(document("3" * 21))) == []


def test_one_number_with_two_names(check: Check) -> None:
    other = Parcel(head={"receiver_name": "李示例"})
    found = check(Parcel(), other, document(whole("33010019900101100")))
    assert found.select("ship", "rule").rows() == [(0, "ID-07"), (1, "ID-07")]


def test_one_telephone_with_many_numbers(check: Check) -> None:
    people = [document(whole(f"330100199001012{i:02d}")) for i in range(4)]
    assert set(check(*people)["rule"]) == {"ID-07"}
    assert check(*people[:3]).height == 0
    assert set(check(*people[:3], options={"phone_identities": "3"})["rule"]) == {"ID-07"}


def test_an_impossible_birth_date_is_told_as_one(check: Check) -> None:
    (text,) = check(document("330100199002300004"))["en"]
    assert "birth date" in text
    (text,) = check(document("330100199001010002"))["en"]
    assert "check character" in text


def test_a_telephone_that_is_missing_or_stands_once_is_no_sign(check: Check) -> None:
    people = [whole(f"330100199001012{i:02d}") for i in range(4)]
    silent = [Parcel(head={"party_id": number, "receiver_phone": None}) for number in people]
    assert check(*silent).height == 0
    alone = [Parcel(head={"party_id": n, "receiver_phone": f"1380000000{i}"}) for i, n in enumerate(people)]  # fmt: skip
    assert check(*alone, options={"phone_identities": "1"}).height == 0


def test_who_gives_no_number_is_not_one_more(check: Check) -> None:
    """A class C parcel need not name the receiver's number."""
    known = [document(whole(f"330100199001012{i:02d}")) for i in range(3)]
    assert check(*known, Parcel("C", head={"party_id": None})).height == 0


def test_one_character_and_a_blank_and_it_again_is_a_placeholder(check: Check) -> None:
    found = check(Parcel(head={"receiver_name": "陈 陈"}))
    assert found.select("rule", "action").rows() == [("TXT-02", "note")]


def test_a_bad_number_does_not_stop_the_others(check: Check) -> None:
    found = check(document(GOOD), document("1"), document(None))
    assert found.filter(pl.col("rule") == "ID-01")["ship"].to_list() == [1]
