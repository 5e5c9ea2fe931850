"""Facts, keys of partners, idempotency."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.backends import open_ledger

from crossborder.errors import LedgerError, NotFound
from crossborder.ledger import Idempotent, KeyInUse, Ledger, partner_source, tables

from .desk import NOW, source


def test_the_first_value_of_a_fact_stays(ledger: Ledger) -> None:
    assert ledger.get_fact("x") is None
    assert ledger.set_fact("x", "1") == "1"
    assert ledger.set_fact("x", "2") == "1"
    assert ledger.get_fact("x") == "1"


def test_a_ledger_keeps_to_one_kind_of_endpoint(ledger: Ledger) -> None:
    ledger.require_kind("sandbox")
    ledger.require_kind("sandbox")
    with pytest.raises(LedgerError, match="refuses live"):
        ledger.require_kind("live")


def test_keys_are_kept_as_hashes_only(ledger: Ledger, home: Path) -> None:
    key_id = ledger.add_api_key("shop", "cb-very-secret", NOW)
    assert ledger.api_key("cb-very-secret") == (key_id, "shop")
    assert ledger.api_key("cb-very-secre") is None
    with pytest.raises(LedgerError):
        ledger.add_api_key("shop", "other", NOW)
    with ledger.read() as connection:
        assert "very-secret" not in str(connection.execute(tables.api_keys.select()).all())
    ledger.close()
    assert not any(b"very-secret" in p.read_bytes() for p in home.rglob("*") if p.is_file())


def test_a_revoked_key_counts_no_longer(ledger: Ledger) -> None:
    ledger.add_api_key("shop", "token", NOW)
    ledger.revoke_api_key("shop", NOW)
    assert ledger.api_key("token") is None
    assert ledger.api_keys()[0][3] is not None
    with pytest.raises(NotFound):
        ledger.revoke_api_key("shop", NOW)


def test_idempotency_survives_a_restart(home: Path) -> None:
    with open_ledger(home) as ledger:
        who = ledger.add_api_key("shop", "token", NOW)
        first = ledger.idempotent(who, "k1", "a" * 64, NOW)
        assert first == Idempotent(new=True, same_body=True, batch_id=None)
        batch = ledger.begin_batch(replace(source(), idempotency=(who, "k1")), NOW)
    with open_ledger(home) as ledger:
        again = ledger.idempotent(who, "k1", "a" * 64, NOW)
        assert again == Idempotent(new=False, same_body=True, batch_id=batch.id)
        other = ledger.idempotent(who, "k1", "b" * 64, NOW)
        assert not other.same_body
        assert ledger.idempotent(who, "k2", "b" * 64, NOW).new


def test_a_request_has_one_batch_whoever_else_works_on_it(home: Path) -> None:
    """Two processes are sent the same request: the slower begins nothing; after a death or a discard another may."""
    with open_ledger(home) as first, open_ledger(home) as second:
        draft = replace(source(), idempotency=(first.add_api_key("shop", "token", NOW), "k1"))
        for ledger in (first, second):
            ledger.idempotent(draft.idempotency[0], "k1", "a" * 64, NOW)
        batch = first.begin_batch(draft, NOW)
        with pytest.raises(KeyInUse) as told:
            second.begin_batch(draft, NOW)
        assert told.value.batch_id == batch.id
        assert (second.being_recorded(), second.abandoned()) == ([batch.id], [])
        assert [b.id for b in second.batches()] == [batch.id]
        first.leave_batch(batch.id)
        assert (second.being_recorded(), second.abandoned()) == ([], [batch.id])
        again = second.begin_batch(draft, NOW)
        assert (again.id, again.continued) == (batch.id, True)
        second.leave_batch(batch.id)
        second.discard_batch(batch.id, "who", "why", NOW)
        other = first.begin_batch(draft, NOW)
        assert other.id != batch.id
        first.seal(other.id, {}, NOW, rows=0)
        with pytest.raises(KeyInUse) as told:
            second.begin_batch(draft, NOW)
        assert told.value.batch_id == other.id
        assert first.idempotent(draft.idempotency[0], "k1", "a" * 64, NOW).batch_id == other.id


@pytest.mark.parametrize(
    ("broken_off", "comes", "goes_on"),
    [
        ("api:shop/k1", "api:shop/k2", True),
        ("api:shop/k1", "api:shop-two/k1", False),
        ("api:shop/k1", "day.csv", False),
        ("day.csv", "api:shop/k1", False),
        ("day.csv", "other-name.csv", True),
        ("api:day.csv", "day.csv", True),
    ],
)
def test_only_who_brought_it_goes_on_in_a_batch(
    home: Path, broken_off: str, comes: str, goes_on: bool
) -> None:
    """A partner would not see, or another would see, what was posted."""
    with open_ledger(home) as dead:
        batch = dead.begin_batch(replace(source(), source_name=broken_off), NOW)
    with open_ledger(home) as ledger:
        again = ledger.begin_batch(replace(source(), source_name=comes), NOW)
        assert again.continued == goes_on == (again.id == batch.id)


def test_what_a_partner_posted_is_told_by_the_name_of_its_source(home: Path) -> None:
    with open_ledger(home) as ledger:
        posted = ledger.begin_batch(
            replace(source(), source_name=partner_source("shop", "a/b")), NOW
        )
    assert posted.source_name == "api:shop/a/b"
    assert posted.brought_by("shop")
    assert posted.brought_by(None)
    assert not posted.brought_by("sho")
    assert not posted.brought_by("shop/a")
