"""A day from file to decision through `Engine`, over both doors of a simulated port.

Broken by: a state moved wrongly by a code, a shipment counted in no line or in two, a declaration filed twice or
not at all, an APD or ADD manifest that does not list its houses.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crossborder.sandbox import Mix

from .firm import FOLDER, HTTP, Firm, day, ending, firm, houses, rows

# What each code of EXP302, said last, makes of a declaration: written from the interface facts, by hand.
STATES = {
    "D0": "stored", "D1": "platform_failed", "D2": "forwarded", "D3": "platform_failed", "YX": "accepted",
    "NX": "refused", "AX": "accepted", "RX": "accepted", "00": "sent_back", "02": "transferred",
    "03": "manual_review", "04": "papers_requested", "05": "inspection", "06": "detained", "07": "confiscated",
    "08": "to_be_amended", "DX": "deleted", "10": "review_passed", "11": "released", "12": "released",
    "13": "released", "14": "released", "15": "released", "16": "released", "17": "released", "18": "released",
    "19": "pending_other", "20": "sent_back", "21": "transferred", "22": "reclass", "23": "reclass",
    "24": "amendment_after_inspection", "30": "released", "31": "released", "32": "returned_abroad",
    "33": "returned_abroad", "34": "returned_abroad", "35": "returned_abroad", "36": "destroyed",
    "37": "destroyed", "38": "destroyed", "39": "destroyed", "40": "rectification", "41": "quarantine",
    "42": "released", "43": "sent_back", "44": "sent_back",
}  # fmt: skip
REFUSED = {"platform_failed", "refused", "sent_back", "reclass"}
ENDED = {"transferred", "confiscated", "deleted", "returned_abroad", "destroyed"}
A_PERSON_ACTS = REFUSED | {
    "papers_requested", "inspection", "detained", "transferred", "quarantine", "rectification", "to_be_amended",
    "amendment_after_inspection", "pending_other", "deleted",
}  # fmt: skip


def line_of(state: str) -> str:
    """The line of the closing account that a state belongs to."""
    if state == "released":
        return state
    return "refused" if state in REFUSED else "other_final" if state in ENDED else "in_flight"


@pytest.fixture(scope="module", params=[("2901", HTTP), ("3101", FOLDER)], ids=[HTTP, FOLDER])
def every_state(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Firm, str, dict[str, str]]]:
    """A batch in which every code is the last word on one parcel; house waybill → code."""
    port, name = request.param
    sample = day(len(STATES), seed=11, port=port)
    forced = ending(sample, {n: f"SB{code}" for n, code in enumerate(STATES)})
    with firm(tmp_path_factory.mktemp(name)) as desk:
        batch = desk.flow(forced)
        yield desk, batch, dict(zip(houses(forced), STATES, strict=True))


def test_every_code_gives_its_state(every_state: tuple[Firm, str, dict[str, str]]) -> None:
    desk, batch, codes = every_state
    assert desk.states(batch) == {house: STATES[code] for house, code in codes.items()}


def test_the_account_has_every_parcel_on_its_line(
    every_state: tuple[Firm, str, dict[str, str]],
) -> None:
    desk, batch, codes = every_state
    expected: dict[str, int] = {}
    for code in codes.values():
        line = line_of(STATES[code])
        expected[line] = expected.get(line, 0) + 1
    assert desk.lines(batch) == expected
    desk.balanced(batch)


def test_each_parcel_arrived_once_and_each_master_once(
    every_state: tuple[Firm, str, dict[str, str]],
) -> None:
    desk, _, codes = every_state
    assert desk.arrivals() == dict.fromkeys(codes, 1)
    assert set(desk.arrivals("EXP311").values()) == {1}


def test_nothing_more_is_fetched_or_applied_a_second_time(
    every_state: tuple[Firm, str, dict[str, str]],
) -> None:
    desk, batch, _ = every_state
    before = desk.states(batch)
    again = desk.engine.receive()
    assert again.counts["receipts"] == again.counts["applied"] == 0
    assert not again.needs_attention
    assert desk.states(batch) == before


def test_attention_names_what_a_person_must_do(
    every_state: tuple[Firm, str, dict[str, str]],
) -> None:
    desk, batch, codes = every_state
    named = {row["shipment"]: row for row in desk.engine.report([batch]).attention}
    wanted = REFUSED | {
        "papers_requested", "inspection", "detained", "transferred", "to_be_amended", "amendment_after_inspection",
        "rectification", "quarantine", "pending_other", "deleted",
    }  # fmt: skip
    assert set(named) == {h for h, code in codes.items() if STATES[code] in wanted}
    assert all(row["zh"] and row["en"] for row in named.values())


def test_import_and_export_masters_of_both_ports_reach_release(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        made = []
        for seed, direction, port in ((1, "I", "2901"), (2, "E", "3101"), (3, "I", "3101"), (4, "E", "2901")):  # fmt: skip
            sample = day(5, seed=seed, direction=direction, port=port)
            made.append((desk.flow(sample), sample))
        assert desk.lines() == {"released": 20}
        for batch, sample in made:
            assert desk.engine.account([batch])["handed_in"] == (5, rows(sample))
            assert desk.states(batch) == dict.fromkeys(houses(sample), "released")
        desk.balanced()


def test_a_mix_of_decisions_is_accounted_for_to_the_last_row(tmp_path: Path) -> None:
    with firm(tmp_path, mix=Mix.load()) as desk:
        batch = desk.flow(day(40, seed=31))
        desk.balanced(batch)
        lines = desk.lines(batch)
        assert sum(lines.values()) == 40
        assert lines["released"] > 20
        assert not lines.keys() & {"prepared", "unknown", "rejected"}
