"""Rules that look at earlier batches: one purchase split up (CLS-17), one house waybill under two masters (EXP-50).

What the ledger knows is handed in as frames; without a ledger these parts are not evaluated. Parcels of earlier batches
are known by their marks (`marks.py`) and by nothing that would be personal data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import polars as pl

from crossborder.rules.beside import HOUSE_AGAIN
from crossborder.rules.check import registry
from crossborder.rules.context import Context
from crossborder.rules.elements import element
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.marks import SOURCES, marks_of
from crossborder.rules.model import Example, Rule
from crossborder.rules.prepare import plain
from crossborder.rules.switches import graded
from crossborder.shipments import findings
from crossborder.shipments.frames import FrameSet

SPLIT, AGAIN = "CLS-17", HOUSE_AGAIN.rule.id
OF_LEDGER = (SPLIT, AGAIN)
"""Rules of which at least a part needs the ledger."""
ELSEWHERE: dict[str, pl.DataType | type[pl.DataType]] = {
    "ship": pl.UInt32,
    "master": pl.String,
    "batch": pl.String,
}
"""Columns of `again`'s second frame: where else the house waybill of a shipment is live."""
_SHOWN = 10
_MILLION = 1_000_000


def split_days(ctx: Context) -> timedelta:
    """How far the movement days of parcels may lie apart."""
    return timedelta(days=int(ctx.number("split_days")))


def house_days(ctx: Context) -> timedelta:
    """How long a house waybill is looked for under other master waybills."""
    return timedelta(days=int(ctx.number("house_days")))


def partners(own: pl.DataFrame, earlier: pl.DataFrame, ctx: Context) -> pl.DataFrame:
    """`batch, position` of earlier parcels that may, with some of `own`, be one purchase split up.

    `own` has the columns `MARKS`, `earlier` the same with `batch, position` in the place of `ship`. What became of them
    is to be asked next: only those whose declaration is live belong to the `earlier` of `split`.
    """
    parts = [earlier.select("batch", "position").clear()]
    for mark in SOURCES:
        groups = _groups(own, earlier, mark, ctx).filter(_too_much(ctx))
        parts.append(_before(groups, earlier, mark, ctx).select("batch", "position"))
    return pl.concat(parts).unique(maintain_order=True)


def split(own: pl.DataFrame, earlier: pl.DataFrame, heads: FrameSet, ctx: Context) -> pl.DataFrame:
    """Findings of CLS-17 about parcels that with earlier ones are above the limit; columns of `findings.SCHEMA`.

    `earlier` has `house` besides. `heads` are the shipments of `own` at least where they are concerned. What the hand-in
    shows by itself is told by the rule itself and not here.
    """
    told = [findings.empty()]
    for mark in SOURCES:
        groups = _groups(own, earlier, mark, ctx).filter(_too_much(ctx) & _suspicious(mark, ctx))
        if groups.height:
            told.append(_told(mark, groups, own, earlier, heads, ctx))
    return findings.gather(told)


def concerned(own: pl.DataFrame, earlier: pl.DataFrame, ctx: Context) -> pl.Series:
    """The `ship` of those of `own` that have something in common with what `partners` names."""
    parts = [own["ship"].clear()]
    for mark in SOURCES:
        groups = _groups(own, earlier, mark, ctx).filter(_too_much(ctx))
        parts.append(own.join(groups, on=[mark, "export"], how="semi")["ship"])
    return pl.concat(parts).unique().sort()


def _groups(own: pl.DataFrame, earlier: pl.DataFrame, mark: str, ctx: Context) -> pl.DataFrame:
    """Per mark, direction and day of `own`: what there is of it in the hand-in, and earlier within the window."""
    same = [mark, "export"]
    mine = own.filter(pl.col(mark).is_not_null())
    other = earlier.filter(pl.col(mark).is_not_null()).join(mine, on=same, how="semi")
    by_day = other.group_by(*same, "day").agg(_summed()).rename({"day": "_then"})
    near = (pl.col("day") - pl.col("_then")).abs() <= split_days(ctx)
    days = mine.select(*same, "day").unique().join(by_day, on=same).filter(near)
    before = days.group_by(*same, "day").agg(_again())
    return before.join(mine.group_by(same).agg(_summed()), on=same, suffix="_own")


def _summed() -> list[pl.Expr]:
    ends = [
        getattr(pl.col(mark).fill_null(0), end)().alias(f"{mark}_{end}")
        for mark in ("id_mark", "phone_mark") for end in ("min", "max")
    ]  # fmt: skip
    return [
        pl.len().alias("count"),
        pl.col("value").sum().alias("sum"),
        pl.col("limit").max(),
        (pl.col("value") <= pl.col("limit")).all().alias("within"),
        *ends,
    ]


def _again() -> list[pl.Expr]:
    """The sums of several sums."""
    ends = [
        getattr(pl.col(f"{mark}_{end}"), end)()
        for mark in ("id_mark", "phone_mark") for end in ("min", "max")
    ]  # fmt: skip
    return [pl.col("count", "sum").sum(), pl.col("limit").max(), pl.col("within").all(), *ends]


_ALL_LIMIT = pl.max_horizontal("limit", "limit_own")
_ALL_SUM = pl.col("sum") + pl.col("sum_own")
_ALL_COUNT = pl.col("count") + pl.col("count_own")


def _too_much(ctx: Context) -> pl.Expr:
    """Enough parcels, together above the limit."""
    enough = int(ctx.number("split_parcels")) <= _ALL_COUNT
    return enough & (_ALL_SUM > _ALL_LIMIT)


def _suspicious(mark: str, ctx: Context) -> pl.Expr:
    """Each within its limit, and the hand-in alone does not say it; the number speaks before the telephone, and so on."""
    least = int(ctx.number("split_parcels"))
    alone = (pl.col("count_own") >= least) & (pl.col("sum_own") > pl.col("limit_own"))
    found = pl.col("within") & pl.col("within_own") & ~alone
    if mark == "id_mark":
        return found & (pl.col("count_own") < int(ctx.number("repeat_parcels")))
    found &= _several("id_mark")
    return found & _several("phone_mark") if mark == "address_mark" else found


def _several(mark: str) -> pl.Expr:
    least = pl.min_horizontal(f"{mark}_min", f"{mark}_min_own")
    return least < pl.max_horizontal(f"{mark}_max", f"{mark}_max_own")


def _before(groups: pl.DataFrame, earlier: pl.DataFrame, mark: str, ctx: Context) -> pl.DataFrame:
    """`mark, export, day` of groups with the rows of `earlier` that belong to each."""
    other = earlier.rename({"day": "_then"}).drop("value", "limit")
    kept = groups.select(mark, "export", "day").join(other, on=[mark, "export"])
    return kept.filter((pl.col("day") - pl.col("_then")).abs() <= split_days(ctx))


@dataclass(frozen=True)
class _Words:
    """What is the same, in both languages, and the columns (import, export) that hold it."""

    zh: str
    en: str
    columns: tuple[str, str]


_SAID = {
    "id_mark": _Words("同一证件号码的", "for one identity number", ("party_id", "party_id")),
    "phone_mark": _Words(
        "同一电话、不同证件号码的", "to one telephone under several identity numbers", ("receiver_phone", "sender_phone")
    ),
    "address_mark": _Words(
        "同一地址、不同证件号码的", "to one address under several identity numbers", ("receiver_address", "sender_address")
    ),
}  # fmt: skip


def _told(
    mark: str, groups: pl.DataFrame, own: pl.DataFrame, earlier: pl.DataFrame, heads: FrameSet, ctx: Context
) -> pl.DataFrame:  # fmt: skip
    same, said = [mark, "export"], _SAID[mark]
    houses = heads.shipments.select("ship", pl.col("house_waybill").fill_null("—"))
    mine = own.join(groups.select(same).unique(), on=same, how="semi").join(houses, on="ship")
    own_houses = (
        mine.sort("ship").group_by(same).agg(_first(pl.col("house_waybill")).alias("houses"))
    )
    before = _before(groups, earlier, mark, ctx).sort("batch", "position")
    listed = pl.format("{} ({})", "house", "batch")
    other = before.group_by(*same, "day").agg(_first(listed).alias("earlier"))
    shown = groups.join(own_houses, on=same).join(other, on=[*same, "day"])
    rows = mine.select("ship", *same, "day").join(shown, on=[*same, "day"])
    count, amount, limit = (
        e.alias(n) for e, n in ((_ALL_COUNT, "n"), (_ALL_SUM, "s"), (_ALL_LIMIT, "l"))
    )
    made = rows.select(
        "ship", "export", "houses", "earlier", "count", count, _yuan(amount), _yuan(limit)
    ).with_columns(
        zh=pl.format(
            said.zh + " {} 个B类包裹（其中以往批次 {} 个）各未超限，合计约 {} 元，超过限值 {} 元，疑似拆单：{}；以往：{}",
            "n", "count", "s", "l", "houses", "earlier",
        ),
        en=pl.format(
            "{} class B parcels " + said.en + ", {} of them in earlier batches, each within the limit, together CNY {}, "
            "limit {}: one purchase split up? {}; earlier: {}",
            "n", "count", "s", "l", "houses", "earlier",
        ),
    )  # fmt: skip
    held = ctx.option("split_signal") == "hold" and mark == "id_mark"
    return _findings(made, said.columns, "hold" if held else "note", heads, _rule(SPLIT))


def _first(values: pl.Expr) -> pl.Expr:
    """The first few of a group as one text."""
    more = pl.when(pl.len() > _SHOWN).then(pl.lit(" …")).otherwise(pl.lit(""))
    return values.head(_SHOWN).str.join(", ") + more


def _yuan(millionths: pl.Expr) -> pl.Expr:
    exact = millionths.cast(pl.Decimal(38, 6)) / pl.lit(_MILLION).cast(pl.Decimal(38, 0))
    return plain(exact.cast(pl.Decimal(38, 6)).round(2))


def _rule(rule_id: str) -> Rule:
    return next(rule for rule in registry() if rule.id == rule_id)


def again(heads: FrameSet, elsewhere: pl.DataFrame, ctx: Context) -> pl.DataFrame:
    """Findings of EXP-50: `elsewhere` (columns `ELSEWHERE`) says where the house waybill of a shipment is live already."""
    if not elsewhere.height:
        return findings.empty()
    places = elsewhere.unique(maintain_order=True).group_by("ship", maintain_order=True)
    listed = places.agg(_first(pl.format("{} ({})", "master", "batch")).alias("where"))
    made = listed.with_columns(
        export=pl.lit(value=False),
        zh=pl.format("同一分运单已在其他总运单下申报有效：{}；重复申报或分批到货？", "where"),
        en=pl.format("this house waybill is live under another master waybill: {}. Declared twice, or a split arrival?", "where"),
    )  # fmt: skip
    columns = ("house_waybill", "house_waybill")
    told = _findings(made, columns, HOUSE_AGAIN.rule.action, heads, HOUSE_AGAIN.rule)
    return graded(told, ctx, {AGAIN: HOUSE_AGAIN.rule.action})


def _findings(
    made: pl.DataFrame, columns: tuple[str, str], action: str, heads: FrameSet, rule: Rule
) -> pl.DataFrame:
    """Findings from `ship, export, zh, en`; `columns` are those spoken of on import and on export."""
    incoming, outgoing = columns
    said: Mapping[str, str | None] = {
        "rule": rule.id, "severity": "warn", "action": action, "fix_zh": rule.fix_zh, "fix_en": rule.fix_en,
        "source": rule.legal_source, "suggest": None,
    }  # fmt: skip
    known = heads.shipments.select(
        "ship", "sheet", "row", pl.coalesce("house_waybill", pl.format("#{}", "row")).alias("shipment"),
        pl.col("master_waybill").alias("master"), pl.col(incoming).alias("_in"), pl.col(outgoing).alias("_out"),
    )  # fmt: skip
    is_in = ~pl.col("export")
    rows = made.select("ship", "export", "zh", "en").join(known, on="ship").sort("ship")
    return rows.select(
        "ship", "sheet", "row", "shipment", "master", "zh", "en",
        _by(is_in, heads.header("shipments", incoming), heads.header("shipments", outgoing)).alias("column"),
        _by(is_in, element("shipments", incoming), element("shipments", outgoing)).alias("element"),
        pl.when(is_in).then("_in").otherwise("_out").alias("value"),
        *(pl.lit(text, dtype=pl.String).alias(name) for name, text in said.items()),
    ).select(*findings.SCHEMA)  # fmt: skip


def _by(is_in: pl.Expr, incoming: str | None, outgoing: str | None) -> pl.Expr:
    return pl.when(is_in).then(pl.lit(incoming, dtype=pl.String)).otherwise(pl.lit(outgoing, dtype=pl.String))  # fmt: skip


def judged_with_earlier(example: Example, context: Context | None = None) -> pl.DataFrame:
    """What is found of an example because of the parcels that were handed in before it, which all are live."""
    if not example.earlier:
        return findings.empty()
    frames, ctx = frames_of(example), context or context_of(example)
    before = frames_of(replace(example, parcels=example.earlier)).shipments
    batch = pl.lit("20261101-01")
    own, known = (marks_of(f, ctx, b"example") for f in (frames, replace(frames, shipments=before)))
    other = known.rename({"ship": "position"}).with_columns(batch=batch).join(
        before.select(position="ship", house="house_waybill"), on="position"
    )  # fmt: skip
    same = before.select("house_waybill", "direction", master="master_waybill").join(
        frames.shipments.select("ship", "house_waybill", "direction", "master_waybill"), on=["house_waybill", "direction"]
    )  # fmt: skip
    elsewhere = same.filter(pl.col("master") != pl.col("master_waybill")).with_columns(batch=batch)
    return findings.gather(
        [split(own, other, frames, ctx), again(frames, elsewhere.select(*ELSEWHERE), ctx)]
    )
