"""Manifests (EXP311): whole, one per master waybill, voyage and direction, with totals from their own lines.

Every readable shipment on the master waybill is listed, also one whose declaration is rejected, unless its
line cannot be written: then it is left out, with the reason. Source: EXP311 of the 2019 schema set; rules
EXP-36, EXP-40, MFT-01 to MFT-03.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from crossborder import codes, schema
from crossborder.errors import SchemaError
from crossborder.keys import normalise_expr, normalised
from crossborder.messages.compose import Form, checked_ids, shell
from crossborder.messages.envelope import Envelope
from crossborder.messages.manifest_checks import (
    most,
    not_in_tables,
    off_the_master,
    stated,
    too_many,
)
from crossborder.messages.manifest_survey import (
    Survey,
    already_told,
    grouped,
    head_and_line,
    survey,
)
from crossborder.messages.plan import compile_plan
from crossborder.messages.render import Rows, render
from crossborder.shipments import findings
from crossborder.shipments.decimals import shortest
from crossborder.shipments.frames import FrameSet

Operation = Literal["ADD", "APD"]
_OPTIONS = ("manifest_name_cut",)
_TOLERANCE = "manifest_total_percent"


@dataclass(frozen=True)
class Manifests:
    """Composed manifests.

    `documents`: `manifest` (UInt32, the number that `manifest_groups` gives), `message_id`, `xml`,
    `master_waybill`, `voyage`, `direction` as written in the head, and its totals `houses` (UInt32),
    `pieces`, `gross_weight` (String decimals). `houses`: `manifest`, `ship` of every line written.
    `left_out`: `ship`, `zh`, `en` for every other shipment that was to be listed. `findings`: as
    `manifest_findings`.
    """

    documents: pl.DataFrame
    houses: pl.DataFrame
    left_out: pl.DataFrame
    findings: pl.DataFrame


def manifest_groups(frames: FrameSet) -> pl.DataFrame:
    """`manifest` (UInt32, from 0), `master_waybill`, `voyage`, `direction`, `shipments` (count).

    One row per normalised master waybill, normalised voyage and direction of the readable shipments; the
    texts are those of the first shipment.
    """
    head, _ = head_and_line(compile_plan("EXP311"))
    return grouped(frames, head.mapping.by)[0]


def survey_manifests(frames: FrameSet, options: Mapping[str, str] | None = None) -> Survey:
    """What manifests the readable shipments of `frames` make, as findings and composing both want to know it."""
    return survey(frames, _switched_on(options))


def manifest_findings(
    frames: FrameSet,
    tables: codes.Tables,
    on: str | None = None,
    *,
    options: Mapping[str, str] | None = None,
    most_houses: int | None = None,
    masters: pl.DataFrame | None = None,
    surveyed: Survey | None = None,
) -> pl.DataFrame:
    """Findings that only the manifest has: shorter fields, its own facts, shipments that differ from their master.

    What the check of the declaration tells of the same value is not told again. `on` as in `Plan.check`;
    `options` are the profile's; `most_houses` may lower the limit of 9,999 house waybills, never raise it.
    `masters` (`master_waybill`, `pieces`, `gross_weight`) is what the operator knows of the master waybills;
    else what their shipments say (`master_pieces`, `master_gross_weight`) counts, and where none says anything MFT-02 is
    silent. `surveyed` is `survey_manifests` of the same frames and options, where it is
    known already.
    """
    found = surveyed or survey_manifests(frames, options)
    unknown = not_in_tables(found, frames, tables, on)
    large = too_many(found, frames, most_houses)
    own = findings.gather([found.faults, found.deviating, unknown])
    if own.height:
        told = already_told(frames, found.plan, own.get_column("ship").unique())
        own = own.join(
            told, on=["ship", "column"], how="anti", nulls_equal=True, maintain_order="left"
        ).unique(["ship", "column"], keep="first", maintain_order=True)
    return findings.gather([own, large, _noted_totals(found, frames, masters, options)])


def compose_manifests(
    frames: FrameSet,
    *,
    form: Form,
    sender: str,
    receiver: str,
    at: datetime,
    ids: Sequence[str],
    operation: Operation = "ADD",
    only_ships: pl.Series | None = None,
    before: pl.DataFrame | None = None,
    options: Mapping[str, str] | None = None,
    most_houses: int | None = None,
    surveyed: Survey | None = None,
) -> Manifests:
    """The manifests of `frames`. Nothing is raised for bad shipments: they are left out, with the reason.

    `ids` are message ids by manifest number (`manifest_groups(frames)`). `operation` APD appends: only
    `only_ships` are listed, while the totals of the head count every line of `frames` and what stood on
    the manifest `before` (`master_waybill`, `voyage`, `direction`, `houses`, `pieces`, `gross_weight` as in
    `Manifests.documents`). `surveyed` as for `manifest_findings`. Raises `SchemaError` for a wrong number or shape of
    ids.
    """
    found = surveyed or survey_manifests(frames, options)
    names = checked_ids(ids, found.groups.height)
    good, left_out = _listable(found, frames)
    heads, blocked = _heads(found, good, before, most(found, most_houses))
    listed = good if only_ships is None else good.filter(pl.col("ship").is_in(only_ships.implode()))
    written = listed.join(heads, on="manifest", how="semi", maintain_order="left").sort(
        "manifest", "ship"
    )
    heads = heads.join(written, on="manifest", how="semi", maintain_order="left")
    left_out = pl.concat([left_out, _blocked_ships(good, blocked)])
    if only_ships is not None:
        left_out = left_out.filter(pl.col("ship").is_in(only_ships.implode()))
    documents = render(
        shell("EXP311", form),
        [
            Rows(found.head.name, found.head.names, heads),
            Rows(found.line.name, found.line.names, written),
        ],
        key="manifest",
        ids=names.gather(heads["manifest"]),
        envelope=Envelope(sender, receiver, at),
        fixed=dict.fromkeys(found.plan.mapping.given("operation"), operation),
    )
    return Manifests(
        documents=documents.join(_totals(found, heads), on="manifest", maintain_order="left"),
        houses=written.select("manifest", "ship"),
        left_out=left_out.sort("ship"),
        findings=findings.gather(
            [found.faults, found.deviating, too_many(found, frames, most_houses)]
        ),
    )


def _switched_on(options: Mapping[str, str] | None) -> Collection[str]:
    given = options or {}
    for name in _OPTIONS:
        if given.get(name, "off") not in ("on", "off"):
            raise SchemaError(
                f"{given[name]!r} is no value of this setting", f"设置值 {given[name]!r} 无效",
                place=f"options.{name}", fix_en="on | off", fix_zh="on | off",
            )  # fmt: skip
    return [name for name in _OPTIONS if given.get(name) == "on"]


def _noted_totals(
    found: Survey, frames: FrameSet, masters: pl.DataFrame | None, options: Mapping[str, str] | None
) -> pl.DataFrame:
    masters = stated(frames) if masters is None else masters
    if masters is None:
        return findings.empty()
    percent = (options or {}).get(_TOLERANCE, "3")
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,5})?", percent):
        raise SchemaError(
            f"{percent!r} is no value of this setting",
            f"设置值 {percent!r} 无效",
            place=f"options.{_TOLERANCE}",
        )
    return off_the_master(_listable(found, frames)[0], found, frames, masters, percent)


def _listable(found: Survey, frames: FrameSet) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines that can be written, and for every other readable shipment the reason."""
    ships = frames.shipments.filter(~pl.col("unreadable").fill_null(value=False)).select(
        "ship", "row", "house_waybill"
    )
    left_out = [found.flawed]
    if found.ships.height < ships.height:
        left_out.insert(0, _nowhere(found, ships))
    sound = found.lines
    if found.flawed.height:
        sound = sound.join(found.flawed, on="ship", how="anti", maintain_order="left")
    keyed = sound.join(
        ships.with_columns(normalised(ships["house_waybill"]).alias("_house")),
        on="ship", maintain_order="left",
    )  # fmt: skip
    again = keyed.select(~pl.struct("manifest", "_house").is_first_distinct()).to_series()
    if again.any():
        first = keyed.filter(~again).select(
            "manifest", "_house", pl.col("row").cast(pl.String).alias("_row")
        )
        left_out.append(_repeated(keyed.filter(again), first))
        sound = sound.filter(~again)
    return sound, pl.concat(left_out)


def _nowhere(found: Survey, ships: pl.DataFrame) -> pl.DataFrame:
    """Shipments that belong to no manifest."""
    return ships.join(found.ships, on="ship", how="anti", maintain_order="left").select(
        "ship",
        pl.lit("缺少总运单号、航次号或进出口标志，无法归入舱单").alias("zh"),
        pl.lit("without master waybill, voyage and direction it belongs to no manifest").alias(
            "en"
        ),
    )


def _repeated(again: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """Shipments whose house waybill stands on the manifest already."""
    beside = again.drop("row").join(
        first, on=["manifest", "_house"], nulls_equal=True, maintain_order="left"
    )
    return beside.select(
        "ship",
        pl.format("分运单号重复，第 {} 行已列入舱单", "_row").alias("zh"),
        pl.format("its house waybill is listed already, for row {}", "_row").alias("en"),
    )


def _heads(
    found: Survey, lines: pl.DataFrame, before: pl.DataFrame | None, limit: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Complete heads, and `manifest`, `zh`, `en` of those that cannot be written."""
    sources = {e: found.head.source(e.name) for e in found.head.elements}
    sums = {e: s.sum for e, s in sources.items() if s.sum}
    counts = [e.name for e, s in sources.items() if s.count]
    exact = [
        pl.col(str(line)).cast(pl.Decimal(38, e.fraction_digits or 0)).sum().alias(f"_{e.name}")
        for e, line in sums.items()
    ]  # fmt: skip
    totals = lines.group_by("manifest", maintain_order=True).agg(*exact, pl.len().alias("_houses"))
    totals = _added(found, totals, before)
    counted = found.groups.select("manifest", "shipments")
    heads = (
        found.facts.join(totals, on="manifest", maintain_order="left")
        .join(counted, on="manifest", maintain_order="left")
        .with_columns(
            *(shortest(pl.col(f"_{e.name}").cast(pl.String)).alias(e.name) for e in sums),
            *(pl.col("_houses").cast(pl.String).alias(n) for n in counts),
        )
    )
    given = [e for e, s in sources.items() if not s.given]
    reasons = [
        (
            pl.max_horizontal("_houses", "shipments") > limit,
            f"分运单超过 {limit} 票",
            f"more than {limit} house waybills",
        )
    ]
    reasons += [
        (
            pl.col(e.name).is_null(),
            f"舱单表头缺少{e.label_zh}（{e.name}）",
            f"the head lacks {e.name}",
        )
        for e in given
    ]
    reasons += [
        (~schema.holds(e, pl.col(e.name)), f"舱单表头的{e.label_zh}合计过大（{e.name}）", f"the total {e.name} is too large")
        for e in sums
    ]  # fmt: skip
    told = heads.select(wrong.any().alias(str(n)) for n, (wrong, _, _) in enumerate(reasons))
    fired = [reason for reason, yes in zip(reasons, told.row(0), strict=True) if yes]
    blocked = pl.concat(
        [
            heads.select("manifest", zh=pl.lit("", pl.String), en=pl.lit("", pl.String)).clear(),
            *(
                heads.filter(wrong).select(
                    "manifest", pl.lit(zh).alias("zh"), pl.lit(en).alias("en")
                )
                for wrong, zh, en in fired
            ),
        ]
    ).unique("manifest", keep="first", maintain_order=True)
    complete = heads.join(blocked, on="manifest", how="anti", maintain_order="left")
    missing = [n for n in found.head.names if n not in complete.columns]
    return complete.with_columns(pl.lit(None, dtype=pl.String).alias(n) for n in missing), blocked


def _added(found: Survey, totals: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    """Totals together with what stood on the manifests before."""
    if before is None:
        return totals
    by = found.head.mapping.by
    keys = [f"_{c}" for c in by]
    named = found.groups.select(
        "manifest", *(normalise_expr(pl.col(c)).alias(k) for c, k in zip(by, keys, strict=True))
    )
    known = before.select(
        *(normalise_expr(pl.col(c)).alias(k) for c, k in zip(by, keys, strict=True)),
        pl.col("houses").cast(pl.UInt32).alias("_houses_1"),
        *(pl.col(c).cast(pl.String).alias(c) for c in ("pieces", "gross_weight")),
    )
    joined = totals.join(named, on="manifest", maintain_order="left").join(
        known, on=keys, how="left", maintain_order="left"
    )
    columns = {e: s.columns() for e, s in ((n, found.line.source(n)) for n in found.line.names)}
    extra = {
        f"_{name}": columns[str(found.head.source(name).sum)][0]
        for name in found.head.names if found.head.source(name).sum
    }  # fmt: skip
    return joined.with_columns(
        pl.col("_houses") + pl.col("_houses_1").fill_null(0),
        *(
            (pl.col(name) + pl.col(column).cast(totals.schema[name]).fill_null(0)).alias(name)
            for name, column in extra.items()
        ),
    ).select(totals.columns)


def _totals(found: Survey, heads: pl.DataFrame) -> pl.DataFrame:
    """What the heads say, under canonical names."""
    line_of = {
        n: str(found.head.source(n).sum) for n in found.head.names if found.head.source(n).sum
    }
    named = {n: found.line.source(line).columns()[0] for n, line in line_of.items()}
    by = {found.head.source(n).column: n for n in found.head.names}
    return heads.select(
        "manifest",
        *(pl.col(str(by[c])).alias(c) for c in found.head.mapping.by),
        pl.col("_houses").cast(pl.UInt32).alias("houses"),
        *(pl.col(n).alias(column) for n, column in named.items()),
    )


def _blocked_ships(lines: pl.DataFrame, blocked: pl.DataFrame) -> pl.DataFrame:
    return lines.join(blocked, on="manifest", maintain_order="left").select("ship", "zh", "en")
