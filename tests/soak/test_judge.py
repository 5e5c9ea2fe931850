"""One run for each transport on each back end, and the judge's eyes: whatever is changed in what a run left, it sees."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import Server

from .evidence import Evidence, Row
from .judge import wrongs
from .lot import lot, refuse, total

SEEDS = (16, 9, 26, 35)
"""Small days: http and folder on SQLite, http and folder on PostgreSQL."""
Left = tuple[list[dict[str, Any]], Path]


@pytest.fixture(scope="module")
def left(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """What the runs came to, and the folder with all they left."""
    folder = tmp_path_factory.mktemp("soak") / "runs"
    return lot(postgres.address, *map(str, SEEDS), "--keep", str(folder)), folder


@pytest.fixture(scope="module")
def whole(left: Left) -> Evidence:
    """The evidence of the first run, in which nothing is wrong."""
    seen = Evidence.read(left[1] / str(SEEDS[0]) / "evidence.json")
    assert wrongs(seen).wrongs == []
    return seen


def test_killed_at_random_nothing_is_lost_and_nothing_filed_twice(left: Left) -> None:
    runs, _ = left
    refuse(runs)
    assert [run["name"] for run in runs] == [
        "http sqlite", "folder sqlite", "http postgresql", "folder postgresql",
    ]  # fmt: skip
    figures = total(runs)
    assert figures["kills"] >= 12
    assert figures["recovered"] >= 1, "no kill hit a message on its way"
    assert figures["arrivals"] == sum(run["figures"]["arrivals"] for run in runs) > 40


def _declaration(seen: Evidence) -> Row:
    return next(a for a in seen.ledger["attempts"] if a["state"] == "released")


def _message(seen: Evidence) -> Row:
    number = _declaration(seen)["message_id"]
    return next(m for m in seen.port["messages"] if m["message_id"] == number)


def arrives_twice(seen: Evidence) -> None:
    arrived = next(
        a for a in seen.port["arrivals"] if a["message_id"] == _message(seen)["message_id"]
    )
    seen.port["arrivals"].append({**arrived, "outcome": "duplicate"})


def is_filed_under_two_numbers(seen: Evidence) -> None:
    seen.port["messages"].append({**_message(seen), "message_id": "another", "repeat_of": 1})


def never_arrives(seen: Evidence) -> None:
    number = _message(seen)["message_id"]
    seen.port["arrivals"] = [a for a in seen.port["arrivals"] if a["message_id"] != number]


def arrives_with_other_bytes(seen: Evidence) -> None:
    _message(seen)["digest"] = "0" * 64


def stands_on_two_manifests(seen: Evidence) -> None:
    """As two processes that draft manifests of the same file at the same time would leave it."""
    house = next(h for h in seen.ledger["houses"] if h["state"] != "refused")
    another = next(
        a for a in seen.ledger["attempts"]
        if a["kind"] == "manifest" and a["live"] and a["id"] != house["attempt_id"]
    )  # fmt: skip
    seen.ledger["houses"].append({**house, "attempt_id": another["id"]})


def waits_though_its_house_was_accepted(seen: Evidence) -> None:
    never_arrives(seen)
    made = _declaration(seen)
    seen.port["messages"].remove(_message(seen))
    made |= {"state": "awaiting_manifest", "message_id": None}


def waits_and_nobody_says_so(seen: Evidence) -> None:
    waits_though_its_house_was_accepted(seen)
    seen.port["accepted"].clear()


def is_unknown_and_nobody_says_so(seen: Evidence) -> None:
    never_arrives(seen)
    made = _declaration(seen)
    seen.port["messages"].remove(_message(seen))
    made["state"] = "unknown"


def is_left_half_done(seen: Evidence) -> None:
    _declaration(seen)["state"] = "sending"


def stands_elsewhere_than_the_port_said(seen: Evidence) -> None:
    _declaration(seen)["state"] = "sent_back"


def was_never_let_go_by_its_history(seen: Evidence) -> None:
    number = _declaration(seen)["id"]
    events = seen.ledger["events"]
    events.remove(next(e for e in events if e["attempt_id"] == number and e["verb"] == "claimed"))


def a_receipt_is_lost(seen: Evidence) -> None:
    lost = seen.ledger["receipts"].pop()["id"]
    seen.ledger["lines"] = [line for line in seen.ledger["lines"] if line["receipt_id"] != lost]


def a_receipt_is_kept_twice(seen: Evidence) -> None:
    first = seen.ledger["receipts"][0]
    seen.ledger["receipts"].append({**first, "id": 10**6})


def a_receipt_is_not_read(seen: Evidence) -> None:
    seen.ledger["unread"].append({"receipt_id": seen.ledger["receipts"][0]["id"]})


def a_receipt_lies_at_the_port(seen: Evidence) -> None:
    seen.port["handed_out"][0]["settled"] = 0


def a_shipment_is_gone(seen: Evidence) -> None:
    seen.ledger["shipments"].remove(_prepared(seen))


def a_shipment_is_prepared_twice(seen: Evidence) -> None:
    again = next(s for s in seen.ledger["shipments"] if s["outcome"] == "already_filed")
    again["outcome"] = "prepared"


def a_shipment_is_refused_and_prepared(seen: Evidence) -> None:
    again = next(s for s in seen.ledger["shipments"] if s["outcome"] == "already_filed")
    again["outcome"] = "rejected"


def a_row_is_in_no_shipment(seen: Evidence) -> None:
    seen.files[0]["rows"].append(seen.files[0]["rows"][-1])


def a_declaration_is_gone(seen: Evidence) -> None:
    seen.ledger["attempts"].remove(_declaration(seen))


def a_batch_was_never_finished(seen: Evidence) -> None:
    seen.ledger["batches"][0]["state"] = "recording"


def reconcile_differs(seen: Evidence) -> None:
    seen.answers["reconcile"]["differences"].append({"what": "lost"})


def the_account_does_not_close(seen: Evidence) -> None:
    seen.answers["reconcile"]["account"]["released"][0] -= 1


def the_chain_is_broken(seen: Evidence) -> None:
    seen.answers["audit verify"]["intact"] = False


def _prepared(seen: Evidence) -> Row:
    return next(s for s in seen.ledger["shipments"] if s["outcome"] == "prepared")


SPOILED: dict[Callable[[Evidence], None], str] = {
    arrives_twice: "ARRIVED 2 TIMES",
    is_filed_under_two_numbers: "FILED 2 TIMES",
    never_arrives: "LOST",
    arrives_with_other_bytes: "other bytes",
    stands_on_two_manifests: "LISTED 2 TIMES",
    waits_though_its_house_was_accepted: "FORGOTTEN",
    waits_and_nobody_says_so: "of 1 nobody says so",
    is_unknown_and_nobody_says_so: "nobody says so",
    is_left_half_done: "is left sending",
    stands_elsewhere_than_the_port_said: "the port said",
    was_never_let_go_by_its_history: "begins in",
    a_receipt_is_lost: "is kept 0 times",
    a_receipt_is_kept_twice: "is kept 2 times",
    a_receipt_is_not_read: "not read",
    a_receipt_lies_at_the_port: "never fetched",
    a_shipment_is_gone: "positions",
    a_shipment_is_prepared_twice: "not in one state",
    a_shipment_is_refused_and_prepared: "not in one state",
    a_row_is_in_no_shipment: "in none or in several",
    a_declaration_is_gone: "do not meet",
    a_batch_was_never_finished: "is recording",
    reconcile_differs: "reconcile:",
    the_account_does_not_close: "does not close",
    the_chain_is_broken: "audit:",
}


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
def test_the_judge_sees_it(whole: Evidence, spoil: Callable[[Evidence], None]) -> None:
    seen = deepcopy(whole)
    spoil(seen)
    found = wrongs(seen).wrongs
    assert any(SPOILED[spoil] in wrong for wrong in found), found
