"""What fits none of the express classes leaves the flow with a word of its own: to general declaration (CLS-11).

Broken by: a parcel that counts as a mistake to be corrected, one that is missing from the account, or one that no manifest
lists although it lies on the aeroplane.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from crossborder.errors import LedgerError
from crossborder.samples import Sample

from .cutting import in_blocks
from .firm import Firm, changed, day, firm, houses


def cargo() -> Sample:
    """Eight parcels; of 1 and 3, goods of an enterprise, the class is left to us and a tax refund is claimed."""
    sample = changed(day(8), "declaration_class", {1: None, 3: None})
    return changed(sample, "tax_refund_claimed", {1: "1", 3: "1"})


@pytest.mark.parametrize("size", [0, 1, 3])
def test_it_is_an_outcome_of_its_own_everywhere(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if size:
        in_blocks(monkeypatch, size)
    with firm(tmp_path) as desk:
        sample = cargo()
        done = desk.prepare(sample)
        assert done.counts == {"to_general": 2, "prepared": 6}
        assert (done.summary.to_general, done.summary.verdicts["rejected"]) == (2, 2)
        assert sum(done.summary.verdicts.values()) == 8
        told = [(f["position"], f["rule"], f["action"]) for f in desk.findings(done) if f["position"] in (1, 3) and f["action"] != "note"]  # fmt: skip
        assert told == [(1, "CLS-11", "transfer"), (3, "CLS-11", "transfer")]
        assert desk.engine.account([done.batch])["to_general"][0] == 2
        batch = desk.engine.batch(done.batch)
        assert {"to_general": 2}.items() <= batch["counts"].items()
        assert ("to_general", 2) in [(n["what"], n["count"]) for n in batch["needs_attention"]]
        keys = [s.key for s in desk.engine.ledger.shipments_in(done.batch) if s.outcome == "to_general"]  # fmt: skip
        assert (
            len(desk.engine.ledger.manifested([str(k) for k in keys])) == 2
        )  # they lie on the aeroplane
        desk.balanced(done.batch)
        desk.engine.submit([done.batch], wait=20)
        desk.settled()
        assert desk.lines(done.batch) == {"to_general": 2, "released": 6}
        assert not set(desk.arrivals()) & {houses(sample)[n] for n in (1, 3)}
        desk.balanced(done.batch)
        (story,) = desk.engine.status(houses(sample)[1])
        assert (story["state"], story["findings"][-1]["rule"]) == ("to_general", "CLS-11")


def test_other_faults_of_it_do_not_make_it_a_mistake(tmp_path: Path) -> None:
    """What leaves the express flow is not judged by its rules."""
    desk = Firm(tmp_path, None)
    with desk.engine:
        file = desk.file(changed(cargo(), "net_weight", {1: "99", 5: "99"}))
        checked = desk.engine.check(file, mapping="elements")
        assert checked.counts["to_general"] == 2
        assert (
            checked.counts["rejected"] == checked.rejected.height == 3
        )  # the four verdicts add up
        assert checked.to_general["ship"].to_list() == [1, 3]
        with desk.engine.checking(file, mapping="elements") as checking:
            assert sum(frame.height for frame in checking.findings()) == checked.findings.height
            assert checking.summary.verdicts == {n: checked.counts[n] for n in checking.summary.verdicts}  # fmt: skip
            assert checking.summary.counts == checked.counts
            (faulty,) = [len(rows) for _, rows in checking.faulty_rows()]
        assert faulty == len(checked.rejected["rows"].explode())


def test_a_class_that_was_given_is_refused_not_transferred(tmp_path: Path) -> None:
    desk = Firm(tmp_path, None)
    with desk.engine:
        done = desk.prepare(changed(day(8), "tax_refund_claimed", {1: "1"}))
        assert done.counts == {"rejected": 1, "prepared": 7}


def test_what_is_live_with_other_content_needs_a_person_first(tmp_path: Path) -> None:
    desk = Firm(tmp_path, None)
    with desk.engine:
        first = desk.prepare(day(8))
        assert first.counts == {"prepared": 8}
        done = desk.prepare(cargo())
        assert done.counts == {"already_filed": 6, "rejected": 2}
        assert {f["rule"] for f in desk.findings(done, action="reject")} == {"INT-live-differs"}
        desk.balanced(first.batch, done.batch)


def test_no_person_can_accept_it_into_the_express_flow(tmp_path: Path) -> None:
    desk = Firm(tmp_path, None)
    with desk.engine:
        done = desk.prepare(cargo())
        with pytest.raises(LedgerError, match="no shipment waits for CLS-11"):
            desk.engine.accept("CLS-11", done.batch, reason="never")
