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

from crossborder import messages, rules
from crossborder.engine import earlier, pure
from crossborder.engine.results import Checked
from crossborder.errors import PayloadDamaged
from crossborder.keys import normalised
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
    on_hold, to_general, already_filed or prepared, `attempt_id` the live attempt of what is already filed, and `replaces` the
    attempt that gives way to this shipment. No key is prepared twice.
    """

    checked: Checked
    plan: pl.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """Shipments by outcome."""
        return dict(self.plan.group_by("outcome").len().sort("outcome").iter_rows())

    def told(self, findings: pl.DataFrame) -> HandIn:
        """The same with further findings, which may keep what was prepared from being so."""
        if not findings.height:
            return self
        checked = pure.narrowed(self.checked, findings)
        plan = self.plan.join(checked.verdicts, on="ship", how="left", maintain_order="left")
        fell = (pl.col("outcome") == "prepared") & (pl.col("verdict") != "valid")
        outcome = pl.when(fell).then("verdict").otherwise("outcome").alias("outcome")
        return HandIn(checked, plan.with_columns(outcome).drop("verdict"))

    def without(self, keys: Collection[str]) -> HandIn:
        """The same, but keys that an earlier block of this hand-in has prepared are not prepared again.

        What is said about it, and about the first one, is said when the whole hand-in is known.
        """
        again = (pl.col("outcome") == "prepared") & pl.col("key").is_in(list(keys))
        outcome = pl.when(again).then(pl.lit("rejected")).otherwise("outcome").alias("outcome")
        return replace(self, plan=self.plan.with_columns(outcome))


def keys_of(frames: FrameSet) -> pl.DataFrame:
    """`ship, key`: the business key of every shipment, null where a part of it is missing."""
    ships = frames.shipments
    parts = ships.select(
        "ship", "direction", master=normalised(ships["master_waybill"]), house=normalised(ships["house_waybill"])
    )  # fmt: skip
    filled = (pl.when(pl.col(name) != "").then(name) for name in ("master", "house"))
    return parts.select("ship", pl.concat_str(*filled, "direction", separator="|").alias("key"))


def meet_ledger(
    checked: Checked, ledger: Ledger, now: datetime, *, own_batch: str, context: rules.Context
) -> HandIn:
    """Join a checked hand-in with what the ledger knows of its keys, and of its house waybills.

    What stands in `own_batch` is this very hand-in, recorded in part before a crash: it is not "already filed".
    """
    keys, digests = keys_of(checked.frames), checked.digests
    known = {
        k.key: k
        for k in ledger.known(keys["key"].drop_nulls().to_list())
        if k.batch_id != own_batch
    }
    plan = keys.with_columns(
        pl.lit(None, dtype=pl.Int64).alias("attempt_id"),
        pl.lit(None, dtype=pl.Int64).alias("replaces"),
        same=pl.lit(value=False),
    )
    if known:
        plan = _met(keys.join(digests, on="ship", how="left"), known, ledger, own_batch)
        checked = _forgive(checked, plan.filter("same")["ship"])
        conflicts = plan.filter(pl.col("live") & ~pl.col("same") & pl.col("replaces").is_null())
        told = _conflict_findings(checked, conflicts, known, ledger, now)
        checked = pure.narrowed(checked, told)
    fresh = plan.filter(~pl.col("same")).select("ship", "key")
    told = earlier.again(checked.frames, fresh, ledger, context, now, own_batch)
    if told.height:
        checked = pure.narrowed(checked, told)
    checked = _with_ledger(checked)
    return HandIn(checked, _once(_settled(checked, digests, plan)))


def _with_ledger(checked: Checked) -> Checked:
    """Nothing is left unevaluated for want of a ledger."""
    ran = pl.col("rule").is_in(rules.OF_LEDGER)
    return replace(checked, unevaluated=checked.unevaluated.filter(~ran))


def _met(
    plan: pl.DataFrame, known: Mapping[str, Known], ledger: Ledger, own_batch: str
) -> pl.DataFrame:
    """`ship, key, digest` with what is known of each key, whether it is the `same`, and what it `replaces`."""
    plan = (
        plan.join(_known_frame(known.values()), on="key", how="left")
        .with_columns(pl.col("live").fill_null(value=False))
        .with_columns(
            same=(pl.col("live") & (pl.col("content_digest") == pl.col("digest"))).fill_null(
                value=False
            )
        )
        .sort("ship")
    )
    return plan.with_columns(_replaces(plan, plan.filter("same")["attempt_id"], ledger, own_batch))


def _settled(checked: Checked, digests: pl.DataFrame, plan: pl.DataFrame) -> pl.DataFrame:
    """The plan of `HandIn`; `plan` is `ship, key, attempt_id, replaces, same`."""
    lost, same = pl.col("unreadable"), pl.col("same")
    outcome = (
        pl.when(lost)
        .then(pl.lit("unreadable"))
        .when(same)
        .then(pl.lit("already_filed"))
        .when(pl.col("verdict") == "valid")
        .then(pl.lit("prepared"))
        .otherwise(pl.col("verdict"))
    )
    facts = (
        checked.frames.shipments.lazy().select("ship", "unreadable"),
        digests.lazy(),
        checked.verdicts.lazy(),
    )
    joined = plan.lazy().select("ship", "key", "attempt_id", "replaces", "same")
    for one in facts:
        joined = joined.join(one, on="ship", how="left", maintain_order="left")
    made = joined.sort("ship").select(
        "ship",
        "key",
        "digest",
        outcome.alias("outcome"),
        pl.when(same).then(pl.col("attempt_id")).alias("attempt_id"),
        pl.when(~lost).then(pl.col("replaces")).alias("replaces"),
    )
    return made.collect(engine="in-memory")


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
                "rule": found.LIVE_DIFFERS,
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
