"""Queuing: an id of its own for each, the bytes frozen once and for all, before anything can be sent."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import datetime

import pytest
from tests.backends import spoil

from crossborder.errors import CrossborderError, NotFound, SchemaError, SettingsError
from crossborder.filing import Queuer, Tally
from crossborder.ledger import Draft

from .office import START, Far, Office, message_id, stamp


def test_each_gets_an_id_of_its_own(office: Office) -> None:
    office.prepare(7)
    queuer = Queuer(office.ledger, stamp, message_id, lot=3)
    steps = 0
    while queuer.step(office.now) is not None:
        steps += 1
    assert steps == 3
    assert office.states() == {"queued": 7}
    ids = [str(row[0]) for row in office.rows("message_id")]
    assert len(set(ids)) == 7
    assert all(i.startswith("DXPENT0000000001E01000020261123180000") for i in ids)


def test_frozen_bytes_never_change(office: Office) -> None:
    office.queue(3)
    before = office.rows('message_id, digest, segment, "offset", length')
    office.later(3600)
    queuer = Queuer(office.ledger, stamp, message_id)
    assert queuer.step(office.now) is None
    far = Far()
    office.run(office.filer(far))
    assert office.rows('message_id, digest, segment, "offset", length') == before
    for sent in far.arrived:
        assert hashlib.sha256(sent.body).hexdigest() == sent.digest
        assert sent.message_id.encode() in sent.body
        assert sent.created == START


def test_a_serial_is_never_given_twice_even_when_freezing_fails(office: Office) -> None:
    office.prepare(2)

    def broken(xml: bytes, *, message_id: str, at: object) -> bytes:
        raise SchemaError("no slot")

    Queuer(office.ledger, broken, message_id).step(office.now)
    Queuer(office.ledger, stamp, message_id).step(office.now)
    serials = [int(str(row[0])[-11:]) for row in office.rows("message_id")]
    assert serials == [3, 4]


def test_a_draft_that_cannot_be_stamped_stops_nobody_else(office: Office) -> None:
    office.prepare(5)
    tally = Tally()

    def picky(xml: bytes, *, message_id: str, at: object) -> bytes:
        if b"CB00000002" in xml:
            raise SchemaError("no slot")
        return stamp(xml, message_id=message_id, at=START)

    queuer = Queuer(office.ledger, picky, message_id, tally=tally, lot=1)
    for _ in range(10):
        queuer.step(office.now)
    states = office.attempts()
    assert states.pop("CB00000002") == "prepared"
    assert set(states.values()) == {"queued"}
    assert tally.counts == {"queued": 4, "unstamped": 1}


@pytest.mark.parametrize("error", [NotFound("no endpoint"), SettingsError("no sender_id")])
def test_a_draft_whose_settings_are_gone_stops_nobody_else(
    office: Office, error: CrossborderError
) -> None:
    office.prepare(3)
    tally = Tally()

    def lacking(draft: Draft, at: datetime, serial: int) -> str:
        if draft.key.endswith("CB00000001|I"):
            raise error
        return message_id(draft, at, serial)

    queuer = Queuer(office.ledger, stamp, lacking, tally=tally, lot=1)
    for _ in range(10):
        queuer.step(office.now)
    assert Counter(office.attempts().values()) == {"queued": 2, "prepared": 1}
    assert tally.counts == {"queued": 2, "unstamped": 1}


def test_a_damaged_draft_is_suspended_and_named(office: Office) -> None:
    office.prepare(3)
    second = office.ledger.attempts_in()[1]
    spoil(office.home, second.draft, at=5)
    tally = Tally()
    queuer = Queuer(office.ledger, stamp, message_id, tally=tally)
    while queuer.step(office.now) is not None:
        pass
    assert office.rows("state, attention") == [
        ("queued", None), ("suspended", "payload_damaged"), ("queued", None),
    ]  # fmt: skip
    assert tally.counts == {"queued": 2, "damaged": 1}


def test_nothing_is_queued_when_the_end_is_near(office: Office) -> None:
    office.prepare(1)
    queuer = Queuer(office.ledger, stamp, message_id, stopping=lambda: True)
    assert queuer.step(office.now) is None
    assert office.states() == {"prepared": 1}
