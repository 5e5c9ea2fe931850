"""Handing in: what the ledger already knows of a file's shipments, and what therefore is to be done with each.

Handing in a file again is normal work. Per business key: live with the same content → *already filed*, no
finding; live with other content → a finding that names the differing fields; ended and free → a new attempt. A
declaration that never left, and whose house the port has refused on its manifest, gives way to other content: the
manifest is sent again with what the file says now, and both must tell the same facts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from crossborder import messages
from crossborder.engine import pure
from crossborder.engine.results import Checked
from crossborder.errors import PayloadDamaged
from crossborder.keys import declaration_key_expr
from crossborder.ledger import Known, Ledger
from crossborder.reconcile import RECEIPT_OF, StatusTable
from crossborder.shipments import FrameSet
from crossborder.shipments import findings as found

_KNOWN: dict[str, pl.DataType | type[pl.DataType]] = {
    "key": pl.String, "attempt_id": pl.Int64, "live": pl.Boolean, "state": pl.String,
    "content_digest": pl.String, "batch_id": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class HandIn:
    """A checked hand-in joined with the ledger.

    `plan`: `ship, key, digest, outcome, attempt_id, replaces`, where `outcome` is unreadable, rejected, not_evaluated,
    on_hold, already_filed or prepared, `attempt_id` the live attempt of what is already filed, and `replaces` the
    attempt that gives way to this shipment. No key is prepared twice.
    """

    checked: Checked
    plan: pl.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """Shipments by outcome."""
        return dict(self.plan.group_by("outcome").len().sort("outcome").iter_rows())

    def without(self, keys: Collection[str]) -> HandIn:
        """The same, but keys that an earlier block of this hand-in has prepared are not prepared again.

        What is said about it, and about the first one, is said when the whole hand-in is known.
        """
        again = (pl.col("outcome") == "prepared") & pl.col("key").is_in(list(keys))
        outcome = pl.when(again).then(pl.lit("rejected")).otherwise("outcome").alias("outcome")
        return replace(self, plan=self.plan.with_columns(outcome))


def keys_of(frames: FrameSet) -> pl.DataFrame:
    """`ship, key`: the business key of every shipment, null where a part of it is missing."""
    return frames.shipments.select(
        "ship",
        declaration_key_expr(
            pl.col("master_waybill"), pl.col("house_waybill"), pl.col("direction")
        ).alias("key"),
    )


def meet_ledger(checked: Checked, ledger: Ledger, now: datetime, *, own_batch: str) -> HandIn:
    """Join a checked hand-in with what the ledger knows of its keys.

    What stands in `own_batch` is this very hand-in, recorded in part before a crash: it is not "already filed".
    """
    keys = keys_of(checked.frames)
    known = {
        k.key: k
        for k in ledger.known(keys["key"].drop_nulls().to_list())
        if k.batch_id != own_batch
    }
    facts = _known_frame(known.values())
    plan = (
        keys.join(checked.digests, on="ship", how="left")
        .join(facts, on="key", how="left")
        .with_columns(pl.col("live").fill_null(value=False))
        .sort("ship")
    )
    same = pl.col("live") & (pl.col("content_digest") == pl.col("digest"))
    already = plan.filter(same)["ship"]
    checked = _forgive(checked, already)
    plan = plan.with_columns(_replaces(plan, plan.filter(same)["attempt_id"], ledger, own_batch))
    conflicts = plan.filter(pl.col("live") & ~same & pl.col("replaces").is_null())
    checked = pure.narrowed(checked, _conflict_findings(checked, conflicts, known, ledger, now))
    unreadable = checked.frames.shipments.select("ship", "unreadable")
    outcome = (
        pl.when(pl.col("unreadable"))
        .then(pl.lit("unreadable"))
        .when(same)
        .then(pl.lit("already_filed"))
        .when(pl.col("verdict") == "valid")
        .then(pl.lit("prepared"))
        .otherwise(pl.col("verdict"))
    )
    settled = (
        plan.join(checked.verdicts, on="ship")
        .join(unreadable, on="ship")
        .sort("ship")
        .select(
            "ship",
            "key",
            "digest",
            outcome.alias("outcome"),
            pl.when(same).then(pl.col("attempt_id")).alias("attempt_id"),
            pl.when(~pl.col("unreadable")).then(pl.col("replaces")).alias("replaces"),
        )
    )
    return HandIn(checked, _once(settled))


def _replaces(plan: pl.DataFrame, same: pl.Series, ledger: Ledger, own_batch: str) -> pl.Series:
    """Per row of the plan, the live attempt that gives way to it; null as a rule. What is `same` stays."""
    other = plan.filter(pl.col("live") & ~pl.col("attempt_id").is_in(same.implode()))["attempt_id"]
    found = ledger.replaceable(other.to_list(), own_batch) if len(other) else ()
    replaced = pl.when(pl.col("attempt_id").is_in(list(found))).then("attempt_id")
    return plan.select(replaced.alias("replaces")).to_series()


def _once(plan: pl.DataFrame) -> pl.DataFrame:
    """Of a key that would be prepared more than once, only the first: the others are rejected."""
    prepared = plan.filter(pl.col("outcome") == "prepared")
    if prepared["key"].n_unique() == prepared.height:
        return plan
    later = prepared.filter(~pl.col("key").is_first_distinct())["ship"]
    outcome = pl.when(pl.col("ship").is_in(later.implode())).then(pl.lit("rejected"))
    return plan.with_columns(outcome.otherwise("outcome").alias("outcome"))


def _known_frame(known: Iterable[Known]) -> pl.DataFrame:
    rows = [(k.key, k.attempt_id, k.live, k.state, k.content_digest, k.batch_id) for k in known]
    return pl.DataFrame(rows, schema=_KNOWN, orient="row")


def _forgive(checked: Checked, already: pl.Series) -> Checked:
    """What is already filed with the same content has no findings and no verdict but that."""
    if already.is_empty():
        return checked
    kept = checked.by_shipment.filter(
        pl.col("ship").is_null() | ~pl.col("ship").is_in(already.implode())
    )
    verdicts = found.verdicts(checked.verdicts.select("ship"), kept)
    return replace(checked, by_shipment=kept, verdicts=verdicts)


def _conflict_findings(
    checked: Checked,
    conflicts: pl.DataFrame,
    known: Mapping[str, Known],
    ledger: Ledger,
    now: datetime,
) -> pl.DataFrame:
    """INT-live-differs: the key is live with other content; names the elements that differ."""
    if conflicts.is_empty():
        return found.empty()
    differing = _differing_fields(checked, conflicts, known, ledger, now)
    where = checked.frames.shipments.select(
        "ship", "sheet", "row", "house_waybill", "master_waybill"
    )
    rows = []
    for one in conflicts.join(where, on="ship").iter_rows(named=True):
        fields = differing.get(one["ship"], [])
        shown = ", ".join(fields) if fields else "—"
        rows.append(
            {
                "ship": one["ship"],
                "sheet": one["sheet"],
                "row": one["row"],
                "column": checked.frames.header("shipments", "house_waybill"),
                "element": "AssBillNo",
                "shipment": one["house_waybill"],
                "master": one["master_waybill"],
                "rule": "INT-live-differs",
                "severity": "reject",
                "action": "reject",
                "value": one["house_waybill"],
                "zh": f"该分运单已有有效的报关单（批次 {one['batch_id']}，状态 {one['state']}），且内容不同：{shown}",
                "en": f"this house waybill already has a live declaration (batch {one['batch_id']}, state "
                f"{one['state']}) with other content: {shown}",
                **dict(zip(("fix_zh", "fix_en"), _remedy(known[one["key"]]), strict=True)),
                "source": "EXP301 business key",
            }
        )
    return found.build(rows)


def _remedy(live: Known) -> tuple[str, str]:
    """(zh, en): what to do with a parcel whose live declaration has other content."""
    said = StatusTable.load().get(RECEIPT_OF["EXP301"], live.last_code or "")
    if said is None or said.state != live.state or said.fresh_attempt != "person":
        return (
            "同一分运单不得重复申报：请恢复原内容，或等海关退单后再更正申报",
            "never declare a parcel twice: restore the former content, or wait until customs has "
            "returned the declaration and correct it then",
        )
    return (
        f"海关回执代码 {said.code}（{said.label_zh}），状态 {live.state}：须由人工决定能否重新申报。{said.next_zh}",
        f"customs answered {said.code} ({said.label_en}), state {live.state}: whether the parcel may be declared again "
        f"needs a person's decision. {said.next_en}",
    )


def _differing_fields(
    checked: Checked,
    conflicts: pl.DataFrame,
    known: Mapping[str, Known],
    ledger: Ledger,
    now: datetime,
) -> Mapping[int, list[str]]:
    """ship → names of elements whose text differs from the live attempt's document."""
    composable = checked.valid["ship"]
    ships = conflicts["ship"].filter(conflicts["ship"].is_in(composable.implode()))
    if ships.is_empty():
        return {}
    fresh = pure.compose(checked, at=now, ships=ships).documents
    answer: dict[int, list[str]] = {}
    for ship, key, xml in (
        fresh.filter(pl.col("ship").is_not_null()).select("ship", "key", "xml").iter_rows()
    ):
        try:
            stored = ledger.payload(known[key].ref, now)
        except (
            PayloadDamaged
        ):  # the ledger has named it; one damaged document stops no other shipment
            continue
        answer[ship] = messages.differing(stored, xml.encode("utf-8"))
    return answer
