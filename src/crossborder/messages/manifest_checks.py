"""Checks that only a manifest knows: how many houses fit, codes of its own fields, the master's own figures."""

from __future__ import annotations

import polars as pl

from crossborder import codes, schema
from crossborder.keys import normalise_expr
from crossborder.messages.findings import failures, first_faults, place, to_findings
from crossborder.messages.inquiry import only_tables
from crossborder.messages.manifest_survey import Survey
from crossborder.shipments import findings
from crossborder.shipments.columns import OF_MASTER
from crossborder.shipments.decimals import shortest
from crossborder.shipments.frames import FrameSet


def most(found: Survey, most_houses: int | None) -> int:
    """How many house waybills fit: as many as the digits of the counting element can say."""
    counted = next(e for e in found.head.elements if found.head.source(e.name).count)
    fits = int("9" * (counted.max_length or 1))
    return min(fits, most_houses) if most_houses is not None else fits


def too_many(found: Survey, frames: FrameSet, most_houses: int | None) -> pl.DataFrame:
    """The same finding for every shipment of a master waybill with too many house waybills."""
    limit = most(found, most_houses)
    counted = next(e for e in found.head.elements if found.head.source(e.name).count)
    if all(count <= limit for count in found.groups.get_column("shipments").to_list()):
        return findings.empty()
    large = found.groups.filter(pl.col("shipments") > limit)
    rule = schema.facet_rules("EXP311").get(
        (counted.name, "maxLength"), f"XSD-{counted.name}-maxLength"
    )
    ships = found.ships.join(large, on="manifest", maintain_order="left").select(
        "ship",
        pl.lit(frames.header("shipments", "master_waybill")).alias("column"),
        pl.lit(counted.name).alias("element"),
        pl.lit(rule).alias("rule"),
        pl.lit("reject").alias("severity"),
        pl.lit("reject").alias("action"),
        pl.col("master_waybill").alias("value"),
        pl.format(f"总运单下有 {{}} 票分运单，最多 {limit:,} 票", "shipments").alias("zh"),
        pl.format(
            f"the master waybill has {{}} house waybills, at most {limit:,} fit", "shipments"
        ).alias("en"),
        pl.lit("分到多个总运单").alias("fix_zh"),
        pl.lit("divide them among several master waybills").alias("fix_en"),
        pl.lit(found.plan.mapping.source).alias("source"),
    )
    return place(ships, frames)


def off_the_master(
    lines: pl.DataFrame, found: Survey, frames: FrameSet, masters: pl.DataFrame, percent: str
) -> pl.DataFrame:
    """MFT-02: totals that differ from what the operator says of the master by more than `percent`.

    `lines` are those that can be written; `masters` has `master_waybill`, `pieces`, `gross_weight` (String,
    null where not known), and `said_by`, the shipment that says it, which has the note; without one the first shipment of
    the manifest has it.
    """
    exact = pl.Decimal(38, 5)
    figures = {"PackNo": "pieces", "GrossWt": "gross_weight"}
    if "said_by" not in masters.columns:
        masters = masters.with_columns(said_by=pl.lit(None, dtype=pl.UInt32))
    known = masters.select(
        normalise_expr(pl.col("master_waybill")).alias("_master"),
        "said_by",
        *(pl.col(c).cast(exact, strict=False).alias(f"_{c}") for c in figures.values()),
    ).unique("_master", keep="first", maintain_order=True)
    sums = (
        lines.group_by("manifest", maintain_order=True)
        .agg(pl.col("ship").first(), *(pl.col(e).cast(exact).sum() for e in figures))
        .join(found.groups, on="manifest", maintain_order="left")
        .with_columns(normalise_expr(pl.col("master_waybill")).alias("_master"))
        .join(known, on="_master", maintain_order="left")
        .with_columns(pl.coalesce("said_by", "ship").alias("ship"))
    )
    parts = []
    for element, column in figures.items():
        off = (pl.col(element) - pl.col(f"_{column}")).abs() * 100
        rows = sums.filter(off > pl.col(f"_{column}") * pl.lit(percent).cast(exact))
        if rows.height:
            parts.append(_noted(rows, element, column, found, frames))
    return findings.gather(parts)


def stated(frames: FrameSet) -> pl.DataFrame | None:
    """What the shipments themselves say of their master waybills, the first that says anything; None if none does."""
    ships = frames.shipments
    if all(ships.get_column(name).null_count() == ships.height for name in OF_MASTER):
        return None
    said = ships.filter(pl.any_horizontal(pl.col(*OF_MASTER).is_not_null()))
    figures = {name.removeprefix("master_"): name for name in OF_MASTER}
    return (
        said.sort("ship")
        .with_columns(_master=normalise_expr(pl.col("master_waybill")))
        .group_by("_master", maintain_order=True)
        .agg(
            pl.col("master_waybill", "ship").first(),
            *(pl.col(column).drop_nulls().first().alias(name) for name, column in figures.items()),
        )
        .rename({"ship": "said_by"})
    )


def _noted(
    rows: pl.DataFrame, element: str, column: str, found: Survey, frames: FrameSet
) -> pl.DataFrame:
    label = next(e.label_zh for e in found.head.elements if e.name == element)
    total, said = (shortest(pl.col(c).cast(pl.String)) for c in (element, f"_{column}"))
    noted = rows.select(
        "ship",
        pl.when(pl.col("said_by").is_null())
        .then(pl.lit(frames.header("shipments", column)))
        .otherwise(pl.lit(frames.header("shipments", f"master_{column}")))
        .alias("column"),
        pl.lit(element).alias("element"),
        pl.lit("MFT-02").alias("rule"),
        pl.lit("warn").alias("severity"),
        pl.lit("note").alias("action"),
        total.alias("value"),
        pl.format("舱单{}合计 {}，与总运单的 {} 相差过大", pl.lit(label), total, said).alias("zh"),
        pl.format(
            "the manifest's {} is {}, the master waybill says {}", pl.lit(element), total, said
        ).alias("en"),
        pl.lit("核对是否漏列或多列分运单").alias("fix_zh"),
        pl.lit("look for house waybills that are missing or do not belong here").alias("fix_en"),
        pl.lit(found.plan.mapping.source).alias("source"),
    )
    return place(noted, frames)


def not_in_tables(
    found: Survey, frames: FrameSet, tables: codes.Tables, on: str | None
) -> pl.DataFrame:
    """Codes of the manifest that complete tables do not hold."""
    parts = []
    for group, checks in zip(found.plan.groups, found.plan.checks, strict=True):
        asked = only_tables(checks, tables, on)
        faults = failures(found.elements.groups[group.name], asked) if asked.gates else None
        if faults is not None:
            of = group.rows(found.plan.mapping)
            parts.append(to_findings(first_faults(faults, ["ship"]), asked.checks, frames, of))
    return findings.gather(parts)
