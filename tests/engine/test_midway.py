"""What may happen while the blocks of a hand-in pass: keys that no rule refuses twice, faults, other processes.

Broken by: a key that is prepared twice or refused without a word, a batch that keeps its parcels although its file could
not be read to the end, or a block that is recorded from what was known before others took its keys.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crossborder import rules
from crossborder.engine import Engine, handing_in, recording, sources
from crossborder.errors import InputError, LedgerError, SettingsError
from crossborder.ledger import Ledger
from crossborder.rules import model
from crossborder.samples import Sample
from crossborder.settings import Settings

from .cutting import Cut, in_blocks, opened
from .firm import Firm, changed, day, endpoints, houses, only


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Firm]:
    """A firm that files nothing."""
    made = Firm(tmp_path, None)
    with made.engine:
        yield made


def twins(sample: Sample, one: int, other: int) -> Sample:
    """The sample with shipment `other` under the waybills of `one`, written otherwise."""
    for column in ("master_waybill", "voyage", "house_waybill"):
        sample = changed(sample, column, {other: sample.frames.shipments[column][one]})
    house = houses(sample)[one]
    return changed(sample, "house_waybill", {other: house[:3] + "-" + house[3:]})


@pytest.mark.parametrize("size", [0, 1, 3])
def test_a_key_is_refused_twice_even_where_no_rule_is_in_force(
    desk: Firm, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule about repeated house waybills is in force from a day on; the ledger's key always."""
    if size:
        in_blocks(monkeypatch, size)
    rule = next(r for r in rules.registry() if r.id == "EXP-48")
    later = dataclasses.replace(rule, effective_from="2099-01-01")
    monkeypatch.setitem(model._REGISTRY, rule.id, later)
    done = desk.prepare(twins(day(6), 1, 4))
    refused = {f["position"]: f for f in desk.findings(done, rule="EXP-48")}
    assert sorted(refused) == [1, 4]
    assert {f["severity"] for f in refused.values()} == {"reject"}
    assert all("more than once" in f["en"] for f in refused.values())
    assert not {1, 4} & {
        s.position for s in desk.engine.ledger.shipments_in(done.batch, "prepared")
    }
    live = [a.key for a in desk.engine.ledger.attempts_in(kind="declaration") if a.live]
    assert len(live) == len(set(live)) == done.counts["prepared"]
    assert desk.engine.reconcile(ask_endpoints=False).differences == []


def test_what_was_voided_is_never_filed_nor_exported(
    desk: Firm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    in_blocks(monkeypatch, 2)
    done = desk.prepare(twins(day(6), 1, 4))
    assert done.counts == {"prepared": 4, "rejected": 2}
    voided = desk.engine.ledger.attempts_in(batch_ids=[done.batch], states=["voided"])
    assert [a.live for a in voided] == [False]
    assert desk.engine.waiting()[0].declarations == 4
    desk.engine.ledger.release([done.batch], "tester", recording_time(), {"hangzhou": False, "ningbo": False})  # fmt: skip
    assert {a.state for a in desk.engine.ledger.attempts_in(batch_ids=[done.batch])} >= {"voided"}
    assert voided[0].id not in {d.attempt_id for d in desk.engine.ledger.freezable(100)}
    written = desk.engine.export(done.batch, tmp_path / "out")
    assert written == 4 + done.manifests
    again = desk.prepare(only(day(6), [1]))
    assert again.counts == {"prepared": 1}


def recording_time() -> Any:
    """Now, in China."""
    from crossborder import china_time

    return china_time.now()


def broken_after(blocks: int, error: Exception) -> Any:
    """In the place of `sources.open_blocks`: blocks of two, then a fault."""

    class Breaking(Cut):
        def __iter__(self) -> Iterator[Any]:
            for number, block in enumerate(super().__iter__()):
                if number == blocks:
                    raise error
                yield block

    @contextmanager
    def cut(data: Any, **asked: Any) -> Iterator[Cut]:
        with opened(2)(data, **asked) as whole:
            whole.__class__ = Breaking
            yield whole

    return cut


def test_a_file_that_cannot_be_read_to_its_end_keeps_no_parcels(
    desk: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = day(8)
    with monkeypatch.context() as patched:
        patched.setattr(sources, "open_blocks", broken_after(3, InputError("cut off", "中断")))
        with pytest.raises(InputError, match="cut off"):
            desk.prepare(sample)
    (batch,) = desk.engine.batches()
    assert batch["state"] == "discarded"
    assert 0 < batch["shipments"] < 8
    assert not (desk.home / "spool").exists()
    assert desk.prepare(sample).counts == {"prepared": 8}
    assert desk.engine.reconcile(ask_endpoints=False).differences == []


def test_a_fault_of_the_ledger_leaves_the_batch_to_be_continued(
    desk: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = day(8)
    with monkeypatch.context() as patched:
        patched.setattr(sources, "open_blocks", broken_after(3, LedgerError("full", "已满")))
        with pytest.raises(LedgerError, match="full"):
            desk.prepare(sample)
    assert [b["state"] for b in desk.engine.batches()] == ["recording"]
    in_blocks(monkeypatch, 2)
    done = desk.prepare(sample)
    assert done.counts == {"prepared": 8}
    assert [b["id"] for b in desk.engine.batches()] == [done.batch]


def test_a_value_that_nobody_gives_in_any_block_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a file that is judged in one piece; by then blocks were recorded, and are given up."""
    desk = Firm(tmp_path, None)
    nothing = desk.engine.profile("demo")[1].model_copy(
        update={"values": {}, "values_by_class": {}}
    )
    settings = Settings(
        profile="poor", profiles={"poor": nothing}, endpoints=endpoints(None, profile="poor")
    )
    file, told = desk.file(day(6)), []
    for size in (6, 2):
        in_blocks(monkeypatch, size)
        with Engine(settings, home=tmp_path / f"home-{size}") as engine:
            with pytest.raises(
                SettingsError, match="neither the profile nor the file gives"
            ) as error:
                engine.prepare(file, mapping="elements")
            told.append(error.value.en)
            assert [b["state"] for b in engine.batches()] == ([] if size == 6 else ["discarded"])
            with pytest.raises(SettingsError, match="neither"), engine.checking(file) as checking:
                list(checking.findings())
    assert told[0] == told[1]


def test_keys_that_others_take_meanwhile_are_asked_for_again(
    desk: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = day(8)
    mine = desk.file(sample)
    other = desk.file(only(sample, [4]))
    write = Ledger.record_block
    done: list[Any] = []

    def overtaken(self: Ledger, *asked: Any) -> None:
        if len(done) == 1:
            done.append(None)
            with Engine(desk.settings, home=desk.home) as elsewhere:
                elsewhere.prepare(other, mapping="elements")
        done.append(None)
        write(self, *asked)

    with monkeypatch.context() as patched:
        patched.setattr(sources, "open_blocks", _large_or_cut(other))
        patched.setattr(Ledger, "record_block", overtaken)
        batch = desk.engine.prepare(mine, mapping="elements")
    assert batch.counts == {"already_filed": 1, "prepared": 7}
    assert desk.engine.reconcile(ask_endpoints=False).differences == []


def _large_or_cut(whole: Path) -> Any:
    """In the place of `sources.open_blocks`: one file in one piece, every other in blocks of two."""

    @contextmanager
    def cut(data: Any, **asked: Any) -> Iterator[Cut]:
        with opened(100 if data == whole else 2)(data, **asked) as blocks:
            yield blocks

    return cut


def test_parts_of_a_block_are_about_as_large_as_asked() -> None:
    assert list(recording._cut(0, 6, 2)) == [(0, 2), (2, 4), (4, 6)]
    assert list(recording._cut(3, 8, 5000)) == [(3, 8)]
    assert list(recording._cut(0, 5600, 5000)) == [(0, 5600)]
    assert list(recording._cut(0, 11000, 5000)) == [(0, 5500), (5500, 11000)]
    assert list(recording._cut(7, 7, 5)) == []


def test_a_plan_prepares_no_key_twice() -> None:
    plan = pl.DataFrame(
        {"ship": [0, 1, 2, 3], "key": ["a", "b", "a", "a"], "outcome": ["prepared", "prepared", "on_hold", "prepared"]}
    )  # fmt: skip
    assert handing_in._once(plan)["outcome"].to_list() == ["prepared", "prepared", "on_hold", "rejected"]  # fmt: skip


def test_no_house_is_listed_twice_where_another_process_lists_it_meanwhile(
    desk: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who drafts a manifest asks which houses stand on one, then which parts there are; another process records between."""
    file = desk.file(day(4))
    other = Engine(desk.settings, home=desk.home)
    asked = Ledger.manifested
    met: list[int] = []

    def overtaken(ledger: Ledger, keys: Any, **more: Any) -> Any:
        found = asked(ledger, keys, **more)
        if not met:
            met.append(len(keys))
            with other:
                other.prepare(file, mapping="elements")
        return found

    monkeypatch.setattr(Ledger, "manifested", overtaken)
    done = desk.engine.prepare(file, mapping="elements")
    assert met == [4]
    assert done.counts["prepared"] == 4
    manifests = desk.engine.ledger.attempts_in(kind="manifest")
    assert {m.key[-2:] for m in manifests} == {"|1"}
    assert done.batch not in {m.batch_id for m in manifests}
    assert desk.engine.reconcile(ask_endpoints=False).differences == []
