"""CSV: encodings, delimiters, physical lines, records that do not fit. Nothing is inferred, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossborder import intake
from crossborder.errors import InputError
from crossborder.intake import csvparse
from crossborder.intake.limits import LIMITS
from crossborder.intake.records import cut

HEAD = "BillNo,AssBillNo,IEFlag,GName,NoteS"


def rules(read: intake.Intake) -> list[tuple[object, ...]]:
    """(row, shipment, rule) of every finding."""
    return read.findings.select("row", "shipment", "rule").rows()


def put(folder: Path, text: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-32"])
def test_encodings_give_the_same_text(tmp_path: Path, encoding: str) -> None:
    text = f"{HEAD}\r\n999-1,H1,I,真丝围巾,寄给 𠮷田 先生\r\n"
    read = intake.read(put(tmp_path, text.encode(encoding)))
    assert read.frames.goods["name"].to_list() == ["真丝围巾"]
    assert read.frames.shipments["remarks"].to_list() == ["寄给 𠮷田 先生"]
    assert read.findings.is_empty()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_told_apart(tmp_path: Path, delimiter: str) -> None:
    text = f"{HEAD}\n999-1,H1,I,shoe,x\n".replace(",", delimiter)
    assert intake.read(put(tmp_path, text)).frames.goods["name"].to_list() == ["shoe"]


def test_everything_stays_text(tmp_path: Path) -> None:
    read = intake.read(put(tmp_path, f"{HEAD}\n00123,007,I,1e5,0012.50\n"))
    assert read.frames.shipments.select("master_waybill", "house_waybill", "remarks").row(0) == (
        "00123",
        "007",
        "0012.50",
    )
    assert read.frames.goods["name"].to_list() == ["1e5"]


def test_white_space_is_trimmed_and_empty_is_null(tmp_path: Path) -> None:
    read = intake.read(put(tmp_path, f'{HEAD}\n\u3000999-1 ,\u00a0H1\t,I," 鞋 子 ",""\n'))
    assert read.frames.shipments.select("master_waybill", "house_waybill", "remarks").row(0) == (
        "999-1",
        "H1",
        None,
    )
    assert read.frames.goods["name"].to_list() == ["鞋 子"]


def test_rows_are_physical_lines(tmp_path: Path) -> None:
    text = f'{HEAD}\n999-1,H1,I,shoe,"two\nlines"\n\n999-1,H2,I,"a ""b""",x\n'
    read = intake.read(put(tmp_path, text))
    assert read.frames.shipments["row"].to_list() == [2, 5]
    assert read.frames.shipments["remarks"].to_list() == ["two\nlines", "x"]
    assert read.frames.goods["name"].to_list() == ["shoe", 'a "b"']


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path: Path, newline: str) -> None:
    text = newline.join([HEAD, "999-1,H1,I,shoe,", "", "999-1,H2,I,hat,"])
    read = intake.read(put(tmp_path, text))
    assert read.frames.shipments.select("row", "house_waybill").rows() == [(2, "H1"), (4, "H2")]


def test_blank_lines_right_below_the_header_keep_the_numbers(tmp_path: Path) -> None:
    read = intake.read(put(tmp_path, f"{HEAD}\n\n\n999-1,H1,I,shoe,\n"))
    assert read.frames.shipments["row"].to_list() == [4]
    assert read.rows == 1


@pytest.mark.parametrize("quoted", ["", '"q"'])
def test_ragged_rows_become_shipments_of_their_own(tmp_path: Path, quoted: str) -> None:
    lines = [f"999-1,H1,I,shoe,{quoted}", "999-1,H2,I", "999-1,H3,I,hat,x,y", "999-1,H4,I,cap,"]
    read = intake.read(put(tmp_path, "\n".join([HEAD, *lines])))
    assert rules(read) == [(3, "#3", "INT-ragged"), (4, "#4", "INT-ragged")]
    assert read.frames.shipments["unreadable"].to_list() == [False, True, True, False]
    assert read.frames.goods["ship"].to_list() == [0, 3]
    assert read.rows == 4


def test_a_long_row_does_not_hide_a_short_one(tmp_path: Path) -> None:
    """One field too many and one too few add up to the right number of delimiters."""
    lines = ["999-1,H1,I,shoe", "999-1,H2,I,hat,x,y", "999-1,H3,I,cap,"]
    read = intake.read(put(tmp_path, "\n".join([HEAD, *lines])))
    assert rules(read) == [(2, "#2", "INT-ragged"), (3, "#3", "INT-ragged")]


def test_a_line_that_cannot_be_read_stops_its_waybill(tmp_path: Path) -> None:
    lines = ["999-1,H1,I,shoe,", "999-1,H1,I,hat, red,", "999-1,H2,I,cap,"]
    read = intake.read(put(tmp_path, "\n".join([HEAD, *lines])))
    found = read.findings.filter(pl.col("shipment") == "H1")
    assert found.select("rule", "action").rows() == [("INT-ragged", "reject")]
    assert "row 3" in found["en"][0]
    assert read.findings.filter(pl.col("shipment") == "H2").is_empty()


def test_an_open_quote_spoils_only_its_own_record(tmp_path: Path) -> None:
    lines = ['999-1,H1,I,"shoe,', "999-1,H2,I,hat,", "999-1,H3,I,cap,"]
    read = intake.read(put(tmp_path, "\n".join([HEAD, *lines])))
    assert rules(read) == [(2, "#2", "INT-quote")]
    assert read.frames.shipments["house_waybill"].to_list() == [None, "H2", "H3"]


def test_text_behind_a_quote_spoils_only_its_own_record(tmp_path: Path) -> None:
    lines = ['999-1,H1,I,"shoe"s,', '999-1,H2,I,5" screen,']
    read = intake.read(put(tmp_path, "\n".join([HEAD, *lines])))
    assert rules(read) == [(2, "#2", "INT-quote")]
    assert read.frames.goods["name"].to_list() == ['5" screen']


def test_zero_bytes_inside_a_cell_are_kept_for_the_checks(tmp_path: Path) -> None:
    read = intake.read(put(tmp_path, f"{HEAD}\n999-1,H1,I,sh\x00oe,\n"))
    assert read.frames.goods["name"].to_list() == ["sh\x00oe"]


def test_a_cell_of_50_mb_is_a_finding(tmp_path: Path) -> None:
    huge = "x" * 50_000_000
    read = intake.read(put(tmp_path, f"{HEAD}\n999-1,H1,I,{huge},\n999-1,H2,I,hat,\n"))
    assert rules(read) == [(2, "H1", "INT-cell-too-long")]
    assert read.frames.shipments["unreadable"].to_list() == [True, False]
    assert read.findings["value"].str.len_chars().to_list() == [100]
    assert read.frames.goods["name"].null_count() == 0
    assert read.findings["column"].to_list() == ["GName"]


def test_limits_are_errors_that_state_the_limit(tmp_path: Path) -> None:
    path = put(tmp_path, f"{HEAD}\n999-1,H1,I,shoe,\n999-1,H2,I,hat,\n")
    for limits in (
        intake.Limits(max_rows=1),
        intake.Limits(max_columns=4),
        intake.Limits(max_bytes=50),
    ):
        with pytest.raises(InputError, match="at most"):
            intake.read(path, limits=limits)


def test_a_wide_file_still_goes_the_exact_way(tmp_path: Path) -> None:
    extra = [f"x{i}" for i in range(900)]
    good, short = ",".join(["1"] * 900), ",".join(["1"] * 899)
    lines = [f"{HEAD},{','.join(extra)}", f'999-1,H1,I,shoe,"q",{good}', f"999-1,H2,I,hat,,{short}"]
    read = intake.read(put(tmp_path, "\n".join(lines)))
    assert [r for r in rules(read) if r[2] == "INT-ragged"] == [(3, "#3", "INT-ragged")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"  \r\n\r\n", "empty"),
        (HEAD.encode() + b"\n", "no row below"),
        (HEAD.encode() + b"\n,,,,\n", "no row below"),
        (
            (HEAD + "\n999-1,H1,I,真丝围巾，上等,真\n").encode() + b"999-1,H2,I,\xe7\x9c,\n",
            "line 3",
        ),
        ("".join(f"{c}\0" for c in HEAD).encode(), "UTF-16"),
        (HEAD.encode() + b"\n1,2,I,\xff\xff\xff,\n", "encoding"),
        (b"PK\x03\x04rest", "workbook"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        intake.read(put(tmp_path, content))
    assert caught.value.place.startswith("a.csv")
    assert caught.value.fix_zh
    assert caught.value.zh


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        intake.read(tmp_path / "none.csv")
    with pytest.raises(InputError, match="folder"):
        intake.read(tmp_path)
    with pytest.raises(InputError, match="not read"):
        intake.read(put(tmp_path, "x", "a.pdf"))


_FIELD = st.sampled_from(["", "a", " b ", '"c"', '"d,e"', '"f\ng"', '"h\n\n""i"', "合", '"'])
_LINES = st.lists(st.lists(_FIELD, min_size=1, max_size=4).map(",".join), min_size=1, max_size=6)


SHAPE = csvparse.Shape(3, ",")


def cells(found: pl.DataFrame) -> list[tuple[object, ...]]:
    """Rows of cells, empty text as null."""
    return found.with_columns(pl.exclude("row").replace("", None)).rows()


@settings(deadline=None, max_examples=500)
@given(lines=_LINES, end=st.sampled_from(["", "\n", "\n\n"]))
def test_the_bulk_way_and_the_slow_way_agree(lines: list[str], end: str) -> None:
    body = ("\n".join(lines) + end).encode()
    fast = csvparse.bulk(body, 2, SHAPE)
    slow = csvparse.slow(body, 2, SHAPE, "a.csv", LIMITS)
    if fast is None:
        assert '"' in body.decode()
        return
    assert cells(fast.cells) == cells(slow.cells)
    assert (fast.broken, fast.end) == (slow.broken, slow.end)


@settings(deadline=None, max_examples=500)
@given(lines=_LINES, size=st.integers(1, 20))
def test_text_parsed_in_parts_is_the_text_parsed_whole(lines: list[str], size: int) -> None:
    body = "\n".join(lines).encode()
    whole = csvparse.slow(body, 2, SHAPE, "a.csv", LIMITS)
    found, broken, text, line = [], [], b"", 2
    for at in range(0, len(body), size):
        text += body[at : at + size]
        last = at + size >= len(body)
        part = csvparse.parse(text, line, SHAPE, "a.csv", LIMITS, last=last)
        found += cells(part.cells)
        broken += part.broken
        text, line = text[part.end :], line + part.lines
    assert (found, broken, text) == (cells(whole.cells), whole.broken, b"")


def test_quoted_lines_take_the_bulk_way() -> None:
    body = b'1,"two\nlines",3\n\n1,2\n"x","y","z"\n'
    fast = csvparse.bulk(body, 2, SHAPE)
    assert fast is not None
    assert fast.cells.rows() == [(2, "1", "two\nlines", "3"), (6, "x", "y", "z")]
    assert [(b.row, b.found) for b in fast.broken] == [(5, 2)]


def test_a_field_too_many_at_the_very_end_does_not_hide_one_too_few() -> None:
    fast = csvparse.bulk(b'1,2\n"a,b",2,3,', 2, SHAPE)
    assert fast is not None
    assert (fast.cells.height, [(b.row, b.found) for b in fast.broken]) == (0, [(2, 2), (3, 4)])


def test_cutting_records() -> None:
    (record,) = cut(b'a,"b,""c""",', ",")
    assert record.fields == ["a", 'b,"c"', ""]
    assert [c.whole for c in cut(b'a,"b"c', ",")] == [False]
    found = [(c.line, c.fields, c.whole) for c in cut(b'a,"b\nc"\nd,e\n"open\nf,g', ",")]
    assert found == [
        (1, ["a", "b\nc"], True),
        (3, ["d", "e"], True),
        (4, ['"open'], False),
        (5, ["f", "g"], True),
    ]


def test_a_locked_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(self: Path, mode: str) -> bytes:
        raise PermissionError(13, "in use", str(self))

    path = put(tmp_path, f"{HEAD}\n999-1,H1,I,shoe,\n")
    monkeypatch.setattr(Path, "open", locked)
    with pytest.raises(InputError, match="close it in other programs") as caught:
        intake.read(path)
    assert caught.value.place == str(path)
