"""Taking in lots over columns ends, in every table, as going through the lines attempt by attempt does."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from crossborder.ledger import Ledger, ReadLot, ReceiptLine, Unread
from crossborder.ledger.inbox import line_key
from crossborder.ledger.lots import LINES, keyed
from crossborder.reconcile import apply_receipts, differences, take_in

from .book import MASTER, VOYAGE, Book, at, house

CODES = [
    "D0",
    "D2",
    "D2",
    "Y",
    "03",
    "10",
    "11",
    "11",
    "18",
    "D1",
    "D3",
    "N",
    "A",
    "00",
    "22",
    "77",
]
NUMBERS = [None] * 8 + ["201900001507083001", "201900001507083002"]
PLAIN, ODD = range(4), range(4, 7)
"""Houses filed once; houses with a past: refused and filed again, heard of before, not sent."""
TABLES = {
    "attempts": "SELECT * FROM attempts ORDER BY id",
    "receipts": "SELECT * FROM receipts ORDER BY id",
    "unread": "SELECT * FROM unread ORDER BY 1",
    "unreadable": "SELECT * FROM unreadable ORDER BY 1",
    "receipt_lines": "SELECT receipt_id, line, key, code, op_type, op_time, pre_entry_id, entry_id, notes, outcome,"
    " attempt_id FROM receipt_lines ORDER BY receipt_id, line",
    "events": "SELECT attempt_id, at, CASE verb WHEN 'receipt' THEN who END, verb, batch_id, from_state, to_state, detail FROM events"
    " WHERE verb <> 'houses' ORDER BY attempt_id, id",
    "houses": "SELECT * FROM manifest_houses ORDER BY 1, 2",
}  # fmt: skip


@st.composite
def sayings(draw: st.DrawFn) -> list[ReceiptLine]:
    """Receipts in the order in which they come: mostly one after the other, some nonsense in between."""
    said = []
    for minute in range(draw(st.integers(1, 14))):
        n = draw(st.sampled_from([*PLAIN, *PLAIN, *ODD]))
        if draw(st.integers(0, 12)) == 0:
            said.append(ReceiptLine(0, "EXP312", MASTER, None, VOYAGE, None, None, draw(st.sampled_from(["DY", "NY", "NN"])), at(20 + minute)))  # fmt: skip
            continue
        late = draw(st.sampled_from([20] * 12 + [12, 0.5, -40]))
        moment = draw(st.sampled_from([at(late + minute)] * 20 + [at(22), ""]))
        said.append(
            ReceiptLine(
                0, "EXP302", draw(st.sampled_from([MASTER] * 12 + [""])), house(n), None, "I",
                draw(st.sampled_from(["ADD"] * 12 + ["MOD", None])), draw(st.sampled_from(CODES)), moment,
                draw(st.sampled_from([f"2019000015070{n:05d}"] * 14 + NUMBERS)), draw(st.sampled_from(NUMBERS)),
            )
        )  # fmt: skip
    return said


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a ledger with declarations of every past, and a manifest."""
    home = tmp_path_factory.mktemp("filed") / "home"
    book = Book(home)
    book.hand_in(range(4), listed=range(4))
    book.send()
    book.filed([4, 5])
    book.told(4, ("D0", 1), ("N", 2))
    book.later(10)
    book.filed([4])
    book.told(5, ("D0", 1), ("Y", 21))
    book.hand_in([6], release=False)
    book.ledger.close()
    return home


def dump(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    with ledger.read() as connection:
        return {name: [tuple(row) for row in connection.exec_driver_sql(sql)] for name, sql in TABLES.items()}  # fmt: skip


def lot_of(said: Sequence[tuple[int, ReceiptLine]]) -> ReadLot:
    rows = [(receipt, "hangzhou", *line) for receipt, line in said]
    return ReadLot(pl.DataFrame(rows, schema=LINES, orient="row"))


class Desk:
    """A copy of the filed ledger that hears lots, the one way or the other."""

    def __init__(self, filed: Path, *, columns: bool) -> None:
        self.folder = Path(tempfile.mkdtemp())
        shutil.copytree(filed, self.folder / "home")
        self.book = Book(self.folder / "home")
        self.book.later(60)
        self.columns = columns
        self.at_once = 0

    def hear(self, lines: Sequence[ReceiptLine], number: int) -> None:
        ledger, now = self.book.ledger, self.book.now
        raw = [(f"{number}-{n}.xml", f"{number}-{n}".encode()) for n in range(len(lines))]
        refs = ledger.store_receipts("hangzhou", raw, now)
        lot = lot_of([(ref.id, line) for ref, line in zip(refs, lines, strict=True)])
        if self.columns:
            self.at_once += take_in(ledger, lot, now)
            assert take_in(ledger, lot, now) == 0
        else:
            ledger.save_lot(lot)
        while apply_receipts(ledger, 1000, now).lines:
            pass

    def close(self) -> None:
        self.book.ledger.close()
        shutil.rmtree(self.folder)


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(said=sayings(), random=st.randoms(use_true_random=False))
def test_both_ways_end_in_equal_tables(
    filed: Path, said: list[ReceiptLine], random: Random
) -> None:
    desks = Desk(filed, columns=True), Desk(filed, columns=False)
    try:
        number = 0
        while said:
            size = random.randint(1, len(said))
            for desk in desks:
                desk.hear(said[:size], number)
            number, said = number + 1, said[size:]
        assert dump(desks[0].book.ledger) == dump(desks[1].book.ledger)
        assert differences(desks[0].book.ledger) == []
    finally:
        for desk in desks:
            desk.close()


def ordinary(n: int, code: str, minute: float, number: str | None = None) -> ReceiptLine:
    return ReceiptLine(0, "EXP302", MASTER, house(n), None, "I", "ADD", code, at(minute), number)


@pytest.mark.parametrize("last", ["11", "00", "05", "32"])
def test_the_ordinary_course_is_applied_at_once(filed: Path, last: str) -> None:
    """In one lot and over several, whatever order a lot has: nothing is left for the other way."""
    desk = Desk(filed, columns=True)
    lots = [
        [("Y", 23), ("D0", 21), ("D2", 22)],
        [("03", 24)],
        [(last, 26), ("10", 25)],
    ]
    for number, lot in enumerate(lots):
        desk.hear([ordinary(n, code, minute, f"20190000150708300{n}") for code, minute in lot for n in PLAIN], number)  # fmt: skip
    assert desk.at_once == 6 * len(PLAIN)
    for n in PLAIN:
        assert desk.book.of(n).last_code == last
        assert desk.book.known(n).live is (last != "00")
        assert [e.to_state for e in desk.book.ledger.timeline(desk.book.of(n).id)][-6:-1] == [
            "stored", "forwarded", "accepted", "manual_review", "review_passed",
        ]  # fmt: skip
    assert differences(desk.book.ledger) == []
    desk.close()


@pytest.mark.parametrize(
    "lines",
    [
        [ordinary(0, "D0", 21), ordinary(0, "D0", 21)],
        [ordinary(0, "Y", 21), ordinary(0, "D2", 22)],
        [ordinary(0, "Y", 21), ordinary(0, "N", 22)],
        [ordinary(0, "D0", 21), ordinary(0, "D1", 22)],
        [ordinary(0, "11", 21), ordinary(0, "05", 22)],
        [ordinary(0, "77", 21)],
        [ordinary(0, "A", 21)],
        [ordinary(0, "Y", 21)._replace(op_type="mod")],
        [ordinary(0, "D0", 21)._replace(op_time="")],
        [ordinary(4, "D0", 21)],
        [ordinary(5, "03", 20.5)],
        [ordinary(5, "Y", 21)],
        [ordinary(6, "D0", 21)],
        [ordinary(0, "D0", 21, "201900001507083001"), ordinary(1, "D0", 21, "201900001507083001")],
    ],
)  # fmt: skip
def test_everything_else_is_left_to_the_other_way(filed: Path, lines: list[ReceiptLine]) -> None:
    desk = Desk(filed, columns=True)
    desk.hear(lines, 0)
    assert desk.at_once == 0
    desk.close()


def test_a_number_borne_by_another_declaration_is_left_too(filed: Path) -> None:
    desk = Desk(filed, columns=True)
    desk.hear([ordinary(0, "D0", 21, "201900001507083001")], 0)
    desk.hear(
        [ordinary(1, "D0", 22, "201900001507083001"), ordinary(0, "D2", 23), ordinary(2, "D0", 22)],
        1,
    )
    assert desk.at_once == 2
    assert desk.book.of(0).attention == ("contradictory",)
    desk.close()


def test_what_cannot_be_read_and_what_was_read_before(filed: Path) -> None:
    desk = Desk(filed, columns=True)
    ledger, now = desk.book.ledger, desk.book.now
    refs = ledger.store_receipts("hangzhou", [("a", b"a"), ("b", b"b")], now)
    lot = ReadLot(
        lot_of([(refs[0].id, ordinary(0, "D0", 21))]).lines, [Unread(refs[1].id, None, "no XML")]
    )
    assert [take_in(ledger, lot, now) for _ in range(2)] == [1, 0]
    assert [row[3] for row in ledger.unreadable_receipts()] == ["no XML"]
    assert [r.code for r in ledger.receipts_of(desk.book.of(0).id)] == ["D0"]
    assert ledger.unread_count() == 0
    desk.close()


words = st.one_of(
    st.none(),
    st.sampled_from(["999-0000 0001", "ＡＢ－１２", "ß", " ", "", "CX 1"]),
    st.text(max_size=5),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["EXP302", "EXP312"]), words, words, words, st.sampled_from([None, "I", "E"]), st.booleans()), min_size=1))  # fmt: skip
def test_keys_over_columns_are_the_keys_of_the_lines(said: list[Any]) -> None:
    lines = [
        ReceiptLine(
            int(of_house), message, master or "", houses, voyage, direction, "ADD", "D0", at(1)
        )
        for message, master, houses, voyage, direction, of_house in said
    ]
    made = keyed(lot_of(list(enumerate(lines))).lines)
    assert made["key"].to_list() == [line_key(line) for line in lines]
