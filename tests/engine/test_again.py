"""Handing in again is normal work: per business key, what is live is not filed twice, what ended may be filed anew.

Broken by: comparing anything but the canonical content, forgetting a key, numbering attempts wrongly, or letting a
finding through for what is already filed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .firm import Firm, changed, day, ending, firm, houses, only, put, rows


def test_the_same_file_again_is_already_filed_without_a_finding(tmp_path: Path) -> None:
    sample = day(6)
    with firm(tmp_path) as desk:
        desk.flow(sample)
        again = desk.prepare(sample)
        assert again.counts == {"already_filed": 6}
        assert again.to_correct == again.manifests == again.not_manifested == 0
        assert all(f["position"] is None for f in desk.findings(again))
        desk.engine.submit([again.batch], wait=1)
        assert desk.arrivals() == dict.fromkeys(houses(sample), 1)
        assert desk.engine.account([again.batch])["already_filed"] == (6, rows(sample))
        desk.balanced(again.batch)


def test_the_same_shipments_in_another_shape_and_order_are_already_filed(tmp_path: Path) -> None:
    from crossborder import samples

    sample = day(6)
    with firm(tmp_path) as desk:
        desk.flow(sample)
        other = tmp_path / "again.ndjson"
        samples.write(sample, "canonical", other)
        lines = other.read_text(encoding="utf-8").splitlines()
        by_ship: dict[str, list[str]] = {}
        for line in lines:
            by_ship.setdefault(json.loads(line)["house_waybill"], []).append(line)
        turned = [line for house in reversed(by_ship) for line in by_ship[house]]
        other.write_text("\n".join(turned) + "\n", encoding="utf-8")
        again = desk.engine.prepare(other, mapping="canonical")
        assert again.counts == {"already_filed": 6}


def test_before_it_is_filed_the_same_file_is_already_in_the_house(tmp_path: Path) -> None:
    sample = day(4)
    with firm(tmp_path) as desk:
        first, second = desk.prepare(sample), desk.prepare(sample)
        assert (first.counts, second.counts) == ({"prepared": 4}, {"already_filed": 4})
        desk.engine.submit([second.batch, first.batch], wait=20)
        desk.settled()
        assert desk.arrivals() == dict.fromkeys(houses(sample), 1)
        desk.balanced(first.batch, second.batch)


def test_live_with_other_content_names_the_elements_that_differ(tmp_path: Path) -> None:
    sample = day(6)
    one, two = houses(sample)[:2]
    other = changed(
        changed(sample, "receiver_address", {0: "新桥区栀子路1号"}), "pieces", {0: "7", 1: "9"}
    )
    with firm(tmp_path) as desk:
        desk.flow(sample)
        again = desk.prepare(other)
        assert again.counts == {"already_filed": 4, "rejected": 2}
        assert again.to_correct == 2
        said = {f["shipment"]: f for f in desk.findings(again, rule="INT-live-differs")}
        assert set(said) == {one, two}
        for language in ("zh", "en"):
            assert "ReceiveAddress, PackNo" in said[one][language] or "PackNo, ReceiveAddress" in said[one][language]  # fmt: skip
            assert "PackNo" in said[two][language]
            assert "ReceiveAddress" not in said[two][language]
        assert all(row["severity"] == "reject" and row["fix_zh"] for row in said.values())
        desk.engine.submit([again.batch], wait=1)
        assert desk.arrivals() == dict.fromkeys(houses(sample), 1)
        desk.balanced(again.batch)


def test_a_changed_goods_line_differs_too(tmp_path: Path) -> None:
    sample = day(6)
    other = changed(sample, "name", {3: "红色棉布"}, frame="goods")
    with firm(tmp_path) as desk:
        desk.flow(sample)
        again = desk.prepare(other)
        assert again.counts == {"already_filed": 5, "rejected": 1}
        (told,) = desk.findings(again, rule="INT-live-differs")
        assert "GName" in told["en"]


@pytest.mark.parametrize(
    "code",
    ["D1", "20", *(pytest.param(code, marks=pytest.mark.slow) for code in ("00", "NX", "D3"))],
)
def test_what_ended_is_a_new_attempt_with_history(tmp_path: Path, code: str) -> None:
    sample = ending(day(4), {1: f"SF{code}"})
    house = houses(sample)[1]
    with firm(tmp_path) as desk:
        first = desk.flow(sample)
        assert desk.lines(first) == {"refused": 1, "released": 3}
        second = desk.prepare(changed(sample, "remarks", {1: "second try"}))
        assert second.counts == {"already_filed": 3, "prepared": 1}
        assert second.manifests == 0
        desk.engine.submit([second.batch], wait=20)
        desk.settled()
        one, two = desk.engine.status(house)
        assert (one["number"], two["number"]) == (1, 2)
        assert (one["batch_id"], two["batch_id"]) == (first, second.batch)
        assert (one["state"], two["state"]) == (STATES_AFTER[code], "released")
        assert one["message_id"] != two["message_id"]
        assert b"second try" not in desk.engine.document(one["attempt_id"])
        assert b"second try" in desk.engine.document(two["attempt_id"])
        assert desk.arrivals()[house] == 2
        assert desk.lines(first) == {"refused": 1, "released": 3}
        assert desk.lines(second.batch) == {"already_filed": 3, "released": 1}
        desk.balanced(first, second.batch)


STATES_AFTER = {"D1": "platform_failed", "00": "sent_back", "NX": "refused", "20": "sent_back", "D3": "platform_failed"}  # fmt: skip


def test_the_same_content_may_be_filed_again_after_it_was_refused(tmp_path: Path) -> None:
    sample = ending(day(4), {2: "SFD1"})
    with firm(tmp_path) as desk:
        desk.flow(sample)
        again = desk.prepare(sample)
        assert again.counts == {"already_filed": 3, "prepared": 1}


def test_a_key_that_only_a_person_may_free_stays_taken(tmp_path: Path) -> None:
    sample = ending(day(4), {2: "SBDX", 3: "SB22"})
    with firm(tmp_path) as desk:
        desk.flow(sample)
        again = desk.prepare(changed(sample, "remarks", {2: "again", 3: "again"}))
        assert again.counts == {"already_filed": 2, "rejected": 2}
        assert "INT-live-differs" in {f["rule"] for f in desk.findings(again)}


@pytest.mark.parametrize(
    ("code", "state"), [("43", "sent_back"), ("22", "reclass"), ("DX", "deleted")]
)
def test_what_customs_ended_but_a_person_must_free_says_so(
    tmp_path: Path, code: str, state: str
) -> None:
    """The status table asks for a decision: waiting for customs to return it would be waiting for ever."""
    sample = ending(day(4), {1: f"SB{code}"})
    with firm(tmp_path) as desk:
        desk.flow(sample)
        (told,) = desk.findings(
            desk.prepare(changed(sample, "remarks", {1: "again"})), rule="INT-live-differs"
        )
        said = code.removesuffix("X")
        assert all(word in told["fix"] for word in (f" {said} (", state, "a person's decision"))
        assert all(word in told["fix_zh"] for word in (f" {said}（", state, "须由人工决定"))
        assert "wait until" not in told["fix"]
        assert "等海关退单" not in told["fix_zh"]


def test_what_customs_has_not_ended_waits_for_customs(tmp_path: Path) -> None:
    sample = ending(day(4), {1: "SB03"})
    with firm(tmp_path) as desk:
        desk.flow(sample)
        (told,) = desk.findings(
            desk.prepare(changed(sample, "remarks", {1: "again"})), rule="INT-live-differs"
        )
        assert "wait until customs has returned" in told["fix"]


def test_rejected_before_is_corrected_now(tmp_path: Path) -> None:
    sample = day(6)
    broken = changed(sample, "gross_weight", {0: "0.00000001", 4: "abc"})
    with firm(tmp_path) as desk:
        first = desk.prepare(broken)
        assert first.counts == {"prepared": 4, "rejected": 2}
        desk.engine.submit([first.batch], wait=20)
        desk.settled()
        second = desk.prepare(sample)
        assert second.counts == {"already_filed": 4, "prepared": 2}
        desk.engine.submit([second.batch], wait=20)
        desk.settled()
        assert desk.lines(first.batch) == {"rejected": 2, "released": 4}
        assert desk.lines(second.batch) == {"already_filed": 4, "released": 2}
        history = desk.engine.status(houses(sample)[4])
        assert sorted((s["batch_id"], s["state"]) for s in history) == [
            (first.batch, "rejected"), (second.batch, "released"),
        ]  # fmt: skip
        desk.balanced(first.batch, second.batch)


@pytest.mark.parametrize("beside", [1, 3], ids=["adjacent", "apart"])
def test_the_same_waybill_twice_in_one_file_is_not_filed(tmp_path: Path, beside: int) -> None:
    sample = day(4)
    twice = changed(sample, "house_waybill", {beside: houses(sample)[0]})
    twice = changed(twice, "master_waybill", {beside: sample.frames.shipments["master_waybill"][0]})
    with firm(tmp_path) as desk:
        batch = desk.flow(twice)
        assert desk.lines(batch) == {"rejected": 1, "released": 2}
        assert desk.arrivals()[houses(sample)[0]] == 0
        assert desk.engine.account([batch])["handed_in"] == (3, rows(sample))
        desk.balanced(batch)


def test_two_hand_ins_of_a_program_are_told_apart_by_content(tmp_path: Path) -> None:
    sample = day(4)
    with firm(tmp_path) as desk:
        first = desk.prepare(only(sample, [0, 1]))
        second = desk.prepare(sample)
        assert second.counts == {"already_filed": 2, "prepared": 2}
        assert first.batch != second.batch
        desk.engine.submit([first.batch, second.batch], wait=20)
        desk.settled()
        assert desk.arrivals() == dict.fromkeys(houses(sample), 1)
        desk.balanced(first.batch, second.batch)


def test_preparing_is_the_same_from_a_file_and_from_a_frame(tmp_path: Path) -> None:
    import polars as pl

    sample = day(4)
    flat = pl.read_csv(put(sample, tmp_path / "day.csv"), infer_schema=False)
    firms = []
    for name, source in (("file", tmp_path / "day.csv"), ("frame", flat)):
        desk = Firm(tmp_path / name, None)
        with desk.engine as engine:
            done = engine.prepare(source, mapping="elements")
            firms.append({a.key: a.content_digest for a in engine.ledger.attempts_in()})
            assert done.counts == {"prepared": 4}
    assert firms[0] == firms[1]


def test_a_damaged_document_of_one_stops_no_other(tmp_path: Path) -> None:
    """What differs cannot be named any more; that it is live can."""
    sample = day(6)
    new = day(2, seed=8)
    with firm(tmp_path) as desk:
        desk.flow(sample)
        desk.engine.close()
        for segment in (desk.home / "payload").glob("*.seg"):
            segment.unlink()
        again = desk.prepare(changed(sample, "remarks", {0: "again"}))
        assert again.counts == {"already_filed": 5, "rejected": 1}
        (told,) = desk.findings(again, rule="INT-live-differs")
        assert told["shipment"] == houses(sample)[0]
        assert desk.prepare(new).counts == {"prepared": 2}
