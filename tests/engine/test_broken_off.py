"""A hand-in whose recording broke off must not keep its parcels: whatever file brings them next, they are filed.

Broken by: counting as already filed what stands in a batch that can never be sent, or mixing in one batch what a file
was judged to be before and after the facts changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossborder.engine import Engine, Posted
from crossborder.ledger import Ledger
from crossborder.settings import ServiceSettings

from .firm import Firm, changed, day, firm, houses, only


class Died(Exception):
    """Stands for the end of a process."""


def break_off(desk: Firm, file: Path, monkeypatch: pytest.MonkeyPatch, blocks: int, *, sealing: bool = False) -> None:  # fmt: skip
    """Record `blocks` blocks of two shipments each (and, with `sealing`, all but the seal), then no more."""
    record = Ledger.record_block
    done: list[None] = []

    def dying(self: Ledger, *asked: Any) -> None:
        if len(done) == blocks:
            raise Died
        done.append(record(self, *asked))

    def unsealed(*_asked: Any, **_more: Any) -> None:
        raise Died

    with monkeypatch.context() as patched:
        if sealing:
            patched.setattr(Ledger, "seal", unsealed)
        else:
            patched.setattr(Ledger, "record_block", dying)
        with pytest.raises(Died):
            desk.engine.prepare(file, mapping="elements")


def in_twos(desk: Firm) -> None:
    """Blocks of two shipments."""
    small = desk.settings.ledger.model_copy(update={"block": 2})
    desk.settings = desk.settings.model_copy(update={"ledger": small})
    desk.engine.close()
    desk.engine = Engine(desk.settings, home=desk.home)


@pytest.mark.parametrize("sealing", [False, True], ids=["blocks", "seal"])
def test_another_file_brings_the_same_parcels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sealing: bool
) -> None:
    sample = day(6)
    with firm(tmp_path) as desk:
        in_twos(desk)
        break_off(desk, desk.file(sample), monkeypatch, 2, sealing=sealing)
        corrected = desk.prepare(changed(sample, "remarks", {5: "corrected"}))
        assert corrected.counts == {"prepared": 6}
        desk.engine.submit([corrected.batch], wait=20)
        desk.settled()
        assert desk.arrivals() == dict.fromkeys(houses(sample), 1)
        assert desk.lines(corrected.batch) == {"released": 6}
        states = {b["id"]: b["state"] for b in desk.engine.batches()}
        assert sorted(states.values()) == ["discarded", "sealed"]
        assert desk.lines()["suspended_or_voided"] == (6 if sealing else 4)
        desk.balanced()


def test_the_account_adds_up_while_a_batch_is_unfinished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with firm(tmp_path) as desk:
        in_twos(desk)
        break_off(desk, desk.file(day(6)), monkeypatch, 2)
        desk.balanced()
        assert desk.lines() == {"prepared": 4}


def test_the_same_file_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = day(6)
    with firm(tmp_path) as desk:
        in_twos(desk)
        file = desk.file(sample)
        break_off(desk, file, monkeypatch, 2)
        first = desk.engine.prepare(desk.file(only(day(6, seed=8), [0])), mapping="elements")
        again = desk.engine.prepare(file, mapping="elements")
        assert again.counts == {"prepared": 6}
        assert sorted(b["state"] for b in desk.engine.batches()) == ["sealed", "sealed"]
        desk.engine.submit([first.batch, again.batch], wait=20)
        desk.settled()
        assert set(desk.arrivals().values()) == {1}
        desk.balanced()


def test_the_same_file_is_judged_otherwise_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two, the endpoint's districts were changed: nothing prepared under the old ones is filed."""
    sample = day(6)
    with firm(tmp_path) as desk:
        in_twos(desk)
        file = desk.file(sample)
        break_off(desk, file, monkeypatch, 2)
        moved = {
            name: e.model_copy(update={"districts": ("28",)}) if name == "hangzhou" else e
            for name, e in desk.settings.endpoints.items()
        }
        with Engine(desk.settings.model_copy(update={"endpoints": moved}), home=desk.home) as other:
            again = other.prepare(file, mapping="elements")
            assert again.counts == {"rejected": 6}
            account = {n: pair[0] for n, pair in other.account([again.batch]).items() if pair[0]}
            assert account == {"handed_in": 6, "rejected": 6}
            assert other.reconcile(ask_endpoints=False).differences == []


def test_another_partner_brings_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not go on in the batch of who died: its own holds the parcels, and who died is told so when it asks again."""
    desk = Firm(tmp_path, None)
    desk.settings = desk.settings.model_copy(update={"service": ServiceSettings(profile="demo")})
    file = desk.file(day(6))
    with Engine(desk.settings, home=desk.home) as engine:
        shop, other = (engine.partner(engine.add_key(name)) for name in ("shop", "other"))
        assert shop is not None
        assert other is not None

        def posted(by: tuple[int, str]) -> Posted:
            return engine.post(file, mapping="elements", partner=by, idempotency_key="k", body_digest="d")  # fmt: skip

        def unsealed(*_asked: Any, **_more: Any) -> None:
            raise Died

        with monkeypatch.context() as patched:
            patched.setattr(Ledger, "seal", unsealed)
            with pytest.raises(Died):
                posted(shop)
        theirs = posted(other).batch
        assert theirs["counts"] == {"prepared": 6}
        again = posted(shop).batch
        assert again["counts"] == {"already_filed": 6}
        assert again["already_filed_in"] == [{"batch": None, "submitted": False, "shipments": 6}]
        states = [b["state"] for b in engine.batches()]
        assert states == ["discarded", "sealed", "sealed"]
        assert posted(shop).batch["id"] == again["id"]
        assert engine.reconcile(ask_endpoints=False).differences == []
