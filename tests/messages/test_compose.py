"""Composing: any legal text survives, illegal ones never become a document, order and chunks change nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from crossborder import messages
from crossborder.errors import SchemaError
from crossborder.messages import decimals, render
from crossborder.messages.envelope import Envelope
from crossborder.shipments.decimals import tidied

QUIET = settings(
    deadline=None, max_examples=40, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
# every character of XML 1.0, the special ones often
LEGAL = st.text(
    st.one_of(
        st.sampled_from("&<>'\"\r\n\t]; 长𠮷"),
        st.characters(blacklist_categories=["Cs"]).filter(lambda c: re.match("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", c)),
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


def _texts(xml: bytes) -> dict[str, str | None]:
    body = etree.fromstring(xml).find(".//{*}EXP301")
    assert body is not None
    return {etree.QName(e).localname: e.text for group in body for e in group}


@QUIET
@given(st.lists(st.tuples(LEGAL, LEGAL, LEGAL), min_size=1, max_size=4))
def test_any_legal_text_survives(build, example, envelope, ids, drawn):
    base = example("import-b")
    said = [
        {
            "shipment": {**base["shipment"], "sender_name": a, "remarks": b},
            "goods": [{**base["goods"][0], "model": c}],
        }
        for a, b, c in drawn
    ]
    made = messages.compose_declarations(
        build(*said), form="written", ids=ids(len(said)), **envelope
    )
    for (sender, remarks, model), xml in zip(drawn, made["xml"], strict=True):
        raw = xml.encode("utf-8")
        texts = _texts(raw)
        assert (texts["SendName"], texts["NoteS"], texts["GModel"]) == (sender, remarks, model)
        canonical = etree.tostring(etree.fromstring(raw), method="c14n", exclusive=True)
        assert raw == b'<?xml version="1.0" encoding="UTF-8"?>' + canonical


@pytest.mark.parametrize("bad", ["\x00", "\x07", "\x0b", "\x1f", "\ufffe", "\uffff"])
@pytest.mark.parametrize("place", ["shipment", "goods", "documents"])
def test_illegal_characters_are_never_written(bad, place, build, example, envelope, ids):
    one = example("export-c-transit")
    column = {"shipment": "remarks", "goods": "model", "documents": "number"}[place]
    target = one["shipment"] if place == "shipment" else one[place][0]
    target[column] = f"a{bad}b"
    for others in ([], [example("export-c-transit")] * 2):
        with pytest.raises(SchemaError, match="XML forbids"):
            messages.compose_declarations(
                build(*others, one), form="written", ids=ids(len(others) + 1), **envelope
            )


def test_order_of_rows_does_not_matter(build, example, envelope, ids):
    frames = build(*(example(n) for n in ("import-c", "export-c-transit", "import-b")))
    straight = messages.compose_declarations(frames, form="written", ids=ids(3), **envelope)
    shuffled = replace(
        frames,
        shipments=frames.shipments.reverse(),
        goods=frames.goods.reverse(),
        documents=frames.documents.reverse(),
    )
    assert messages.compose_declarations(shuffled, form="written", ids=ids(3), **envelope).equals(
        straight
    )


def test_chunks_change_nothing(build, example, envelope, ids, monkeypatch):
    said = [
        example(n) for n in ("import-c", "export-a", "import-b", "export-c-transit", "import-c")
    ]
    frames = build(*said)
    whole = messages.compose_declarations(frames, form="written", ids=ids(5), **envelope)
    monkeypatch.setattr(render, "CHUNK", 2)
    assert messages.compose_declarations(frames, form="written", ids=ids(5), **envelope).equals(
        whole
    )


def test_some_shipments_of_many_keep_their_lines(build, example, envelope, ids):
    frames = build(*(example(n) for n in ("import-c", "export-a", "import-b")))
    taken = frames.take(pl.Series([2], dtype=pl.UInt32))
    made = messages.compose_declarations(taken, form="written", ids=ids(1), **envelope)
    alone = messages.compose_declarations(
        build(example("import-b")), form="written", ids=ids(1), **envelope
    )
    assert made["ship"].to_list() == [2]
    assert made["xml"].to_list() == alone["xml"].to_list()


def test_nothing_gives_nothing(build, example, envelope):
    nothing = build(example("import-b")).take(pl.Series([], dtype=pl.UInt32))
    made = messages.compose_declarations(nothing, form="written", ids=[], **envelope)
    assert made.schema == {"ship": pl.UInt32, "message_id": pl.String, "xml": pl.String}
    assert made.is_empty()


def test_a_shipment_without_lines_or_documents_is_still_one_document(build, example, envelope, ids):
    one = {"shipment": example("import-b")["shipment"]}
    xml = messages.compose_declarations(build(one), form="written", ids=ids(1), **envelope)["xml"][
        0
    ]
    assert "</EntryHead></EXP301>" in xml
    assert messages.verify([xml.encode()], "EXP301", "written") == [None]


@pytest.mark.parametrize("wrong", [[], ["X"], ["DXPESW0000000001E010000"], ["&" * 40]])
def test_ids_are_counted_and_shaped(wrong, build, example, envelope):
    with pytest.raises(SchemaError):
        messages.compose_declarations(
            build(example("import-b")), form="written", ids=wrong, **envelope
        )


@pytest.mark.parametrize(
    ("sender", "receiver", "serial"),
    [("", "E010000", 1), ("A" * 19, "E010000", 1), ("A", "E 1", 1), ("A", "E", -1), ("A", "E", 10**11), ("A", "E", "x" * 10)],
)  # fmt: skip
def test_message_id_limits(sender, receiver, serial, moment):
    with pytest.raises(SchemaError):
        messages.message_id(sender, receiver, moment, serial)


def test_message_id_is_sender_receiver_china_time_serial(moment):
    made = messages.message_id("S" * 18, "R" * 18, moment, 7)
    assert made == "S" * 18 + "R" * 18 + "20261123180509" + "00000000007"
    assert len(made) == 61
    assert messages.message_id("A", "B", moment, "07303304013") == "AB2026112318050907303304013"


def test_envelope_refuses_what_would_break_it(moment):
    with pytest.raises(SchemaError):
        Envelope("A<B", "E010000", moment)


def test_stamp_is_composing_again_at_another_moment(build, example, envelope):
    draft = messages.compose_declarations(
        build(example("import-c")), form="written", ids=[_id(envelope["at"], 0)], **envelope
    )["xml"][0].encode()  # fmt: skip
    later = datetime(2026, 12, 31, 16, 0, 1, tzinfo=UTC)  # already 2027 in China
    stamped = messages.stamp(draft, message_id=_id(later, 42), at=later)
    fresh = messages.compose_declarations(
        build(example("import-c")), form="written", ids=[_id(later, 42)], **{**envelope, "at": later}
    )["xml"][0].encode()  # fmt: skip
    assert stamped == fresh
    assert b"<DDate>20270101000001</DDate>" in stamped
    assert messages.differing(draft, stamped) == []


def test_stamp_of_a_manifest_sets_three_slots(golden, envelope):
    xml = (golden / "exp311-import-apd-strict.xml").read_bytes()
    later = datetime(2026, 11, 23, 11, 0, 0, tzinfo=UTC)
    stamped = messages.stamp(xml, message_id=_id(later, 1), at=later)
    assert stamped == xml.replace(b"20261123180509", b"20261123190000").replace(
        b"00000000010<", b"00000000001<").replace(b"00000000010.EXP", b"00000000001.EXP").replace(
        b"2026-11-23T18:05:09", b"2026-11-23T19:00:00")  # fmt: skip
    assert messages.verify([stamped], "EXP311", "strict") == [None]


@pytest.mark.parametrize("slot", ["message_id", "file_name", "send_time", "DDate", "message_type"])
@pytest.mark.parametrize("times", [0, 2])
def test_stamp_wants_every_slot_exactly_once(slot, times, golden, moment):
    xml = (golden / "exp301-import-b.xml").read_bytes()
    whole = re.search(rb"<%s>[^<]*</%s>" % (slot.encode(), slot.encode()), xml)
    assert whole is not None
    broken = xml.replace(whole[0], whole[0] * times)
    if (slot, times) == ("message_type", 2):  # it is only read
        assert messages.stamp(broken, message_id=_id(moment, 1), at=moment) == broken
        return
    with pytest.raises(SchemaError):
        messages.stamp(broken, message_id=_id(moment, 1), at=moment)


@pytest.mark.parametrize("tag", [b"<DDate>", b"</DDate>"])
def test_stamp_wants_both_tags_once(tag, golden, moment):
    xml = (golden / "exp301-import-b.xml").read_bytes()
    with pytest.raises(SchemaError, match="exactly once"):
        messages.stamp(xml.replace(tag, tag * 2), message_id=_id(moment, 1), at=moment)


def _id(at: datetime, serial: int) -> str:
    return messages.message_id("DXPESW0000000001", "E010000", at, serial)


def test_differing_names_elements_and_lines(build, example, envelope, ids):
    def xml(change):
        one = example("import-c")
        change(one)
        return messages.compose_declarations(build(one), form="written", ids=ids(1), **envelope)[
            "xml"
        ][0].encode()

    def changed(one):
        one["shipment"]["gross_weight"] = "13"
        one["goods"][1]["name"] = "键盘"
        one["goods"].append(dict(one["goods"][1], line_number="3"))

    names = messages.differing(xml(lambda one: None), xml(changed))
    assert names[:2] == ["GrossWt", "EntryList[2].GName"]
    assert {n.partition(".")[0] for n in names[2:]} == {"EntryList[3]"}


DECIMALS = st.one_of(
    st.from_regex(r"[0-9]{1,25}(\.[0-9]{1,9})?", fullmatch=True),
    st.sampled_from(["0", "00", "0.0", "0.005", "0.0049999", "2.675", "1.", ".5", "-1", "1e5", "9.995", "99999999999999999999.995", "abc", "１２"]),
)  # fmt: skip


@QUIET
@given(st.lists(DECIMALS, min_size=1, max_size=20))
def test_decimals_keep_their_value_in_the_shortest_form(drawn):
    frame = tidied(pl.DataFrame({"v": drawn}), ["v"])
    for before, after in zip(drawn, frame["v"], strict=True):
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", before) and before.isascii():
            assert Decimal(after) == Decimal(before)
            assert re.fullmatch(r"(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", after)
        else:
            assert after == before


@QUIET
@given(st.lists(DECIMALS, min_size=1, max_size=20), st.integers(0, 4))
def test_rounding_is_half_up_and_exact(drawn, places):
    frame = decimals.rounded(pl.DataFrame({"v": drawn}), "v", places)
    for before, after in zip(drawn, frame["v"], strict=True):
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", before) and before.isascii():
            expected = Decimal(before).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
            assert Decimal(after) == expected or Decimal(before) == Decimal(after)
            assert len(after.partition(".")[2]) <= max(places, 0) or after == before
            if len(before.partition(".")[2]) > places:
                assert Decimal(after) == expected
        else:
            assert after == before


def test_transit_needs_the_name_of_the_first_leg(build, example, tables):
    one = example("export-c-transit")
    del one["shipment"]["transport_name"]
    frames = build(one)
    plan = messages.compile_plan("EXP301")
    found = plan.check(plan.project(frames), frames, tables)
    assert "FIL-TrafName" in found["rule"].to_list()
