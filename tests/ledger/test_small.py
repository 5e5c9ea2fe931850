"""Facts, keys of partners, idempotency."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.backends import open_ledger

from crossborder.errors import LedgerError, NotFound
from crossborder.ledger import Idempotent, Ledger, tables

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
