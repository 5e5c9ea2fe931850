"""What the shipments say about their manifests: which belong together, which lines can be written, which facts hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import polars as pl

from crossborder.keys import normalise
from crossborder.messages.checks import CODE, FILLING, Check, Gate
from crossborder.messages.findings import failures, first_faults, to_findings
from crossborder.messages.inquiry import Inquiry, inquiry
from crossborder.messages.plan import Elements, Plan, PlannedGroup, compile_plan
from crossborder.messages.render import ILLEGAL
from crossborder.messages.texts import Text
from crossborder.shipments import findings
from crossborder.shipments.asking import AS_WRITTEN, MANY, Panel, Question
from crossborder.shipments.columns import OF_MASTER
from crossborder.shipments.frames import FrameSet, in_order

MESSAGE = "EXP311"
_NO_FLAWS = pl.DataFrame(schema={"ship": pl.UInt32, "zh": pl.String, "en": pl.String})
_NO_FAULTS = pl.DataFrame(schema={**findings.SCHEMA, "_rank": pl.Int32})


@dataclass(frozen=True)
class Survey:
    """The manifests in a set of shipments, before any is composed.

    `groups`: `manifest` (UInt32, from 0), the columns the head is grouped by as first written, `shipments`
    (count). `ships`: `ship`, `manifest` of every shipment that belongs to one. `elements`: as the plan projects
    them, of every readable shipment. `lines`: `ship`, `manifest`
    and the elements of a line. `facts`: `manifest` and the head elements taken from shipments, each the value
    most shipments give (of equals the first). `faults` and `deviating`: findings. `flawed`: `ship`, `zh`,
    `en` where the line cannot be written.
    """

    plan: Plan
    elements: Elements
    groups: pl.DataFrame
    ships: pl.DataFrame
    lines: pl.DataFrame
    facts: pl.DataFrame
    faults: pl.DataFrame
    deviating: pl.DataFrame
    flawed: pl.DataFrame

    @property
    def head(self) -> PlannedGroup:
        """The group of the manifest head."""
        return head_and_line(self.plan)[0]

    @property
    def line(self) -> PlannedGroup:
        """The group of the house lines."""
        return head_and_line(self.plan)[1]


def head_and_line(plan: Plan) -> tuple[PlannedGroup, PlannedGroup]:
    """The two groups of a manifest message: the one that is grouped, and its lines."""
    head = next(g for g in plan.groups if g.mapping.by)
    line = next(g for g in plan.groups if not g.mapping.by)
    return head, line


def columns_needed() -> frozenset[str]:
    """The columns of a shipments frame that anything about its manifests depends on."""
    plan = compile_plan(MESSAGE)
    sources = [g.source(n) for g in plan.groups for n in g.names]
    found = {c for s in sources for c in s.expr().meta.root_names()}
    found |= {c for g in plan.groups for c in g.mapping.by} | {
        "direction",
        "house_waybill",
        *OF_MASTER,
    }
    if plan.mapping.after is None:
        return frozenset(found)
    group, common = _in_common(MESSAGE)
    asked = {n for gate in common.gates for e in _asked(gate) for n in e.meta.root_names()}
    return frozenset(found).union(
        *(group.source(n).expr().meta.root_names() for n in asked if n in group.names)
    )


def _asked(gate: Gate) -> list[pl.Expr]:
    return [gate.question.when, *(check.fails for check in gate.checks)]


@cache
def _in_common(message: str) -> tuple[PlannedGroup, Inquiry]:
    """The head of the message that is checked before, and its checks of columns that `message` uses too."""
    plan = compile_plan(message)
    other = compile_plan(str(plan.mapping.after))
    here = {
        c for g in plan.groups for s in g.mapping.elements.values() for c in s.columns()
    }  # fmt: skip
    group, checks = other.groups[0], other.checks[0]
    shared = {n for n in group.names if here & set(group.source(n).columns())}
    return group, Inquiry(tuple(g for g in checks.gates if g.checks[0].element in shared))


def survey(frames: FrameSet, switched_on: Collection[str] = ()) -> Survey:
    """Everything about the manifests of `frames` that does not depend on what was filed before."""
    plan = compile_plan(MESSAGE)
    head, line = head_and_line(plan)
    elements = plan.project(frames, switched_on)
    groups, ships = grouped(frames, head.mapping.by)
    lines = _beside(elements.groups[line.name], ships)
    facts = _beside(elements.groups[head.name], ships)
    line_faults = _faults(lines, plan, line, frames)
    head_faults = _faults(facts, plan, head, frames)
    from_ships = [n for n in head.names if head.source(n).columns() or head.source(n).sql]
    usable = _usable(facts, head_faults, from_ships)
    chosen, disputed = _most_given(usable, from_ships)
    flawed = _flawed(lines, line_faults, line.names)
    return Survey(
        plan=plan,
        elements=elements,
        groups=groups,
        ships=ships,
        lines=lines,
        facts=chosen,
        faults=findings.gather([line_faults, _missing_everywhere(head_faults, ships, chosen)]),
        deviating=_deviating(usable, chosen, disputed, head, frames, plan),
        flawed=flawed,
    )


def _beside(rows: pl.DataFrame, ships: pl.DataFrame) -> pl.DataFrame:
    """The rows (one per shipment) that belong to a manifest, with its number; mostly they all do."""
    if rows.get_column("ship").equals(ships.get_column("ship")):
        return rows.hstack([ships.get_column("manifest")])
    return rows.join(ships, on="ship", maintain_order="left")


def grouped(frames: FrameSet, by: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Shipments by the normalised columns `by`, which must all be filled: groups, and ship → group."""
    ships = in_order(_named(frames.shipments, by), ["ship"])
    spelled = ships[list(by)] if ships.height <= 1 else ships.select(by).unique(maintain_order=True)
    numbers: dict[tuple[str, ...], int] = {}
    mine = [
        numbers.setdefault(tuple(map(normalise, texts)), len(numbers))
        for texts in spelled.iter_rows()
    ]
    manifest = pl.Series("manifest", mine, dtype=pl.UInt32)
    if len(numbers) <= 1:
        own = pl.Series("manifest", [0], dtype=pl.UInt32).new_from_index(0, ships.height)
        counts = pl.Series("shipments", [ships.height] * len(numbers), dtype=pl.get_index_type())
    else:
        known = spelled.with_columns(manifest)
        own = ships.join(known, on=list(by), maintain_order="left").get_column("manifest")
        sizes = own.to_frame().group_by("manifest").len("shipments").sort("manifest")
        counts = sizes.get_column("shipments")
    leads = spelled.filter(manifest.is_first_distinct()) if len(numbers) < len(mine) else spelled
    groups = pl.Series("manifest", range(len(numbers)), dtype=pl.UInt32)
    return (
        pl.DataFrame([groups, *leads.iter_columns(), counts]),
        ships[["ship"]].hstack([own]),
    )


def _named(shipments: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """`ship` and the columns `by` of the shipments that name their manifest; mostly they all do."""
    direction = shipments.get_column("direction")
    known = (direction == "I") | (direction == "E")
    filled = not any(shipments.get_column(c).null_count() for c in by)
    if filled and not shipments.get_column("unreadable").any() and known.all(ignore_nulls=False):
        return shipments[["ship", *by]]
    named = shipments.lazy().filter(
        ~pl.col("unreadable").fill_null(value=False),
        *(pl.col(c).is_not_null() for c in by),
        pl.col("direction").is_in(["I", "E"]),
    ).select("ship", *by)  # fmt: skip
    return named.collect(engine="in-memory", optimizations=AS_WRITTEN)


def already_told(frames: FrameSet, plan: Plan, ships: pl.Series) -> pl.DataFrame:
    """`ship`, `column` of the values of some shipments that the check of the declaration itself finds faulty."""
    shape = {"ship": pl.UInt32, "column": pl.String}
    if plan.mapping.after is None or not ships.len():
        return pl.DataFrame(schema=shape)
    few = frames.take(ships)
    other = compile_plan(plan.mapping.after)
    group, asked = _in_common(plan.message)
    rows = group.project(few.shipments)
    found = _found(rows, other, group, few, asked)
    return found.select("ship", "column") if found.height else pl.DataFrame(schema=shape)


def _faults(rows: pl.DataFrame, plan: Plan, group: PlannedGroup, frames: FrameSet) -> pl.DataFrame:
    checks = next(c for c in plan.checks if c.group == group.name)
    return _found(rows, plan, group, frames, inquiry(checks))


def _found(
    rows: pl.DataFrame, plan: Plan, group: PlannedGroup, frames: FrameSet, asked: Inquiry
) -> pl.DataFrame:
    """Findings of one group plus `_rank`, one row per shipment and element."""
    every = failures(rows, asked)
    if every is None:
        return _NO_FAULTS.clone()
    faults = first_faults(every, ["ship"])
    ranks = faults.select("ship", pl.col("_element").alias("element"), "_rank")
    made = to_findings(faults, asked.checks, frames, group.rows(plan.mapping))
    return made.join(ranks, on=["ship", "element"], maintain_order="left")


def _any_illegal(rows: pl.DataFrame, names: Sequence[str]) -> bool:
    """Whether any of the columns holds a character that XML forbids."""
    one_by_one = rows.height >= MANY
    return bool(_illegal(tuple(names), one_by_one=one_by_one).ask(rows, sparing=True))


@lru_cache(maxsize=16)
def _illegal(names: tuple[str, ...], *, one_by_one: bool) -> Panel:
    """The question for each column, of which most are the same in all of many rows, or for all of them together."""
    texts = map(pl.col, names) if one_by_one else [pl.concat_str(names, ignore_nulls=True)]
    return Panel(Question(text.str.contains_any(ILLEGAL)) for text in texts)


def _flawed(lines: pl.DataFrame, faults: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """`ship`, `zh`, `en`: why the line of a shipment cannot be written, the first reason of each."""
    flawed = faults.select("ship", "zh", "en") if faults.height else _NO_FLAWS.clone()
    if _any_illegal(lines, names):
        bad = lines.filter(pl.any_horizontal(pl.col(names).str.contains_any(ILLEGAL))).select(
            "ship",
            pl.lit("舱单行含有 XML 不允许的字符").alias("zh"),
            pl.lit("its line would hold a character that XML forbids").alias("en"),
        )
        flawed = pl.concat([flawed, bad])
    return flawed.unique("ship", keep="first", maintain_order=True) if flawed.height else flawed


def _usable(facts: pl.DataFrame, faults: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The facts without the values that could not be written."""
    if faults.height:
        wrong = {
            str(element): part["ship"]
            for (element,), part in faults.filter(pl.col("_rank") > FILLING).group_by("element")
        }
        facts = facts.with_columns(
            pl.when(~pl.col("ship").is_in(ships.implode())).then(pl.col(n)).alias(n)
            for n, ships in wrong.items()
        )
    if not _any_illegal(facts, names):
        return facts
    return facts.with_columns(
        pl.when(~pl.col(n).str.contains_any(ILLEGAL)).then(pl.col(n)).alias(n) for n in names
    )


def _most_given(facts: pl.DataFrame, names: Sequence[str]) -> tuple[pl.DataFrame, list[str]]:
    """For each manifest and element the value given most often, of equals the one that comes first; and the
    elements of which not all shipments of a manifest say the same."""
    if facts.get_column("manifest").n_unique() == facts.height:
        return facts[["manifest", *names]], []
    first = facts.group_by("manifest", maintain_order=True).agg(
        pl.col(list(names)).drop_nulls().first()
    )
    beside = facts.lazy().join(first.lazy(), on="manifest", suffix="_1", maintain_order="left")
    differs = beside.select((pl.col(n) != pl.col(f"{n}_1")).any().alias(n) for n in names)
    told = differs.collect(engine="in-memory", optimizations=AS_WRITTEN)
    disputed = [n for n in names if told[n][0]]
    for name in disputed:
        most = (
            facts.drop_nulls(name)
            .group_by("manifest", name, maintain_order=True)
            .len()
            .sort("len", descending=True, maintain_order=True)
            .unique("manifest", keep="first", maintain_order=True)
        )
        first = first.drop(name).join(
            most.drop("len"), on="manifest", how="left", maintain_order="left"
        )
    return first.select("manifest", *names), disputed


def _missing_everywhere(
    faults: pl.DataFrame, ships: pl.DataFrame, chosen: pl.DataFrame
) -> pl.DataFrame:
    """Head faults; an empty fact counts only where no shipment of the manifest gives it."""
    if not faults.height:
        return faults
    empty = faults.filter(pl.col("_rank") == FILLING)
    if not empty.height:
        return faults
    nobody = chosen.unpivot(index="manifest", variable_name="element").filter(
        pl.col("value").is_null()
    )
    of = ships.join(nobody, on="manifest").select("ship", "element")
    return pl.concat(
        [
            faults.filter(pl.col("_rank") > FILLING),
            empty.join(of, on=["ship", "element"], how="semi", maintain_order="left"),
        ]
    )


def _deviating(
    facts: pl.DataFrame, chosen: pl.DataFrame, disputed: Sequence[str], head: PlannedGroup,
    frames: FrameSet, plan: Plan,
) -> pl.DataFrame:  # fmt: skip
    """Shipments that give another value than the rest of their master waybill."""
    found = []
    for element in head.elements:
        if head.source(element.name).agree is None or element.name not in disputed:
            continue
        agreed = chosen.select("manifest", pl.col(element.name).alias("_agreed"))
        rows = facts.join(agreed, on="manifest", maintain_order="left").filter(
            pl.col(element.name) != pl.col("_agreed")
        )
        if rows.height:
            found.append(_told_apart(rows, element.name, element.label_zh, head, frames, plan))
    return findings.gather(found)


def _told_apart(
    rows: pl.DataFrame, name: str, label: str, head: PlannedGroup, frames: FrameSet, plan: Plan
) -> pl.DataFrame:
    agreed = pl.col("_agreed")
    text = Text(
        pl.concat_str(pl.lit(f"{label}（{name}）与同一总运单的其他分运单不一致，其他为 "), agreed),
        pl.concat_str(pl.lit(f"{name} differs from the other shipments of the master waybill, which say "), agreed),
        "改为与同一总运单一致，或核对总运单号",
        "make it agree with the master waybill, or check the master waybill number",
    )  # fmt: skip
    check = Check(name, CODE, str(head.source(name).agree), pl.lit(value=True), text)
    faults = rows.select(
        "ship",
        pl.lit(name).alias("_element"),
        pl.lit(CODE).alias("_rank"),
        pl.lit(0).alias("_check"),
        pl.col(name).alias("_value"),
        "_agreed",
    )
    return to_findings(faults, [check], frames, head.rows(plan.mapping))
