"""What the shipments say about their manifests: which belong together, which lines can be written, which facts hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import polars as pl

from crossborder.keys import normalise_expr
from crossborder.messages.checks import CODE, FILLING, Check, Gate, GroupChecks
from crossborder.messages.findings import failures, first_faults, numbered, to_findings
from crossborder.messages.plan import Plan, PlannedGroup, compile_plan
from crossborder.messages.render import ILLEGAL
from crossborder.messages.texts import Text
from crossborder.shipments import findings
from crossborder.shipments.frames import FrameSet

MESSAGE = "EXP311"


@dataclass(frozen=True)
class Survey:
    """The manifests in a set of shipments, before any is composed.

    `groups`: `manifest` (UInt32, from 0), the columns the head is grouped by as first written, `shipments`
    (count). `ships`: `ship`, `manifest` of every shipment that belongs to one. `lines`: `ship`, `manifest`
    and the elements of a line. `facts`: `manifest` and the head elements taken from shipments, each the value
    most shipments give (of equals the first). `faults` and `deviating`: findings. `flawed`: `ship`, `zh`,
    `en` where the line cannot be written.
    """

    plan: Plan
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
    found |= {c for g in plan.groups for c in g.mapping.by} | {"direction", "house_waybill"}
    if plan.mapping.after is None:
        return frozenset(found)
    group, gates = _gates_in_common(plan)
    asked = {n for gate in gates for e in _asked(gate) for n in e.meta.root_names()}
    return frozenset(found).union(
        *(group.source(n).expr().meta.root_names() for n in asked if n in group.names)
    )


def _asked(gate: Gate) -> list[pl.Expr]:
    return [gate.any_fails, *(check.fails for check in gate.checks)]


def _gates_in_common(plan: Plan) -> tuple[PlannedGroup, tuple[Gate, ...]]:
    """The head of the message that is checked before, and its checks of columns that `plan` uses too."""
    other = compile_plan(str(plan.mapping.after))
    here = {
        c for g in plan.groups for s in g.mapping.elements.values() for c in s.columns()
    }  # fmt: skip
    group, checks = other.groups[0], other.checks[0]
    shared = {n for n in group.names if here & set(group.source(n).columns())}
    return group, tuple(g for g in checks.gates if g.checks[0].element in shared)


def survey(frames: FrameSet, switched_on: Collection[str] = ()) -> Survey:
    """Everything about the manifests of `frames` that does not depend on what was filed before."""
    plan = compile_plan(MESSAGE)
    head, line = head_and_line(plan)
    elements = plan.project(frames, switched_on)
    groups, ships = grouped(frames, head.mapping.by)
    lines = elements.groups[line.name].join(ships, on="ship", maintain_order="left")
    facts = elements.groups[head.name].join(ships, on="ship", maintain_order="left")
    line_faults = _faults(lines, plan, line, frames)
    head_faults = _faults(facts, plan, head, frames)
    from_ships = [n for n in head.names if head.source(n).columns() or head.source(n).sql]
    usable = _usable(facts, head_faults, from_ships)
    chosen = _most_given(usable, from_ships)
    flawed = pl.concat([line_faults.select("ship", "zh", "en"), _illegal(lines, line.names)])
    return Survey(
        plan=plan,
        groups=groups,
        ships=ships,
        lines=lines,
        facts=chosen,
        faults=findings.gather([line_faults, _missing_everywhere(head_faults, ships, chosen)]),
        deviating=_deviating(usable, chosen, head, frames, plan),
        flawed=flawed.unique("ship", keep="first", maintain_order=True),
    )


def grouped(frames: FrameSet, by: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Shipments by the normalised columns `by`, which must all be filled: groups, and ship → group."""
    named = frames.shipments.filter(
        ~pl.col("unreadable").fill_null(value=False),
        *(pl.col(c).is_not_null() for c in by),
        pl.col("direction").is_in(["I", "E"]),
    ).select("ship", *by)  # fmt: skip
    keys = [f"_{c}" for c in by]
    spelled = named.select(by).unique(maintain_order=True).with_columns(
        normalise_expr(pl.col(c)).alias(k) for c, k in zip(by, keys, strict=True)
    )  # fmt: skip
    keyed = named.join(spelled, on=list(by), maintain_order="left").sort("ship")
    groups = (
        keyed.group_by(keys, maintain_order=True)
        .agg(*(pl.col(c).first() for c in by), pl.len().alias("shipments"))
        .with_row_index("manifest")
    )
    ships = keyed.join(groups.select("manifest", *keys), on=keys, maintain_order="left")
    return groups.drop(keys), ships.select("ship", "manifest")


def already_told(frames: FrameSet, plan: Plan) -> pl.DataFrame:
    """`ship`, `column` of the values that the check of the declaration itself finds faulty."""
    shape = {"ship": pl.UInt32, "column": pl.String}
    if plan.mapping.after is None:
        return pl.DataFrame(schema=shape)
    other = compile_plan(plan.mapping.after)
    group, gates = _gates_in_common(plan)
    checks = replace(other.checks[0], gates=gates)
    rows = other.project(frames).groups[group.name]
    found = _found(rows, other, group, frames, checks)
    return found.select("ship", "column") if found.height else pl.DataFrame(schema=shape)


def _faults(rows: pl.DataFrame, plan: Plan, group: PlannedGroup, frames: FrameSet) -> pl.DataFrame:
    checks = next(c for c in plan.checks if c.group == group.name)
    return _found(rows, plan, group, frames, checks)


def _found(
    rows: pl.DataFrame, plan: Plan, group: PlannedGroup, frames: FrameSet, checks: GroupChecks
) -> pl.DataFrame:
    """Findings of one group plus `_rank`, one row per shipment and element."""
    parts = failures(rows, checks)
    if not parts:
        return findings.empty().with_columns(pl.lit(0).alias("_rank"))
    faults = first_faults(parts, ["ship"])
    ranks = faults.select("ship", pl.col("_element").alias("element"), "_rank")
    made = to_findings(faults, numbered(checks), frames, group.rows(plan.mapping))
    return findings.gather([made]).join(ranks, on=["ship", "element"], maintain_order="left")


def _illegal(lines: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    bad = pl.any_horizontal(pl.col(list(names)).str.contains_any(ILLEGAL))
    return lines.filter(bad).select(
        "ship",
        pl.lit("舱单行含有 XML 不允许的字符").alias("zh"),
        pl.lit("its line would hold a character that XML forbids").alias("en"),
    )


def _usable(facts: pl.DataFrame, faults: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The facts without the values that could not be written."""
    wrong = {
        str(element): part["ship"]
        for (element,), part in faults.filter(pl.col("_rank") > FILLING).group_by("element")
    }
    legal = ~pl.col(list(names)).str.contains_any(ILLEGAL)
    hits = facts.select(legal.all()).row(0) if facts.height else ()
    cleared = [n for n, good in zip(names, hits, strict=False) if good is False]
    return facts.with_columns(
        *(
            pl.when(~pl.col("ship").is_in(ships.implode())).then(pl.col(n)).alias(n)
            for n, ships in wrong.items()
        )
    ).with_columns(
        pl.when(~pl.col(n).str.contains_any(ILLEGAL)).then(pl.col(n)).alias(n) for n in cleared
    )


def _most_given(facts: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """For each manifest and element the value given most often; of equals the one that comes first."""
    first = facts.group_by("manifest", maintain_order=True).agg(
        pl.col(list(names)).drop_nulls().first()
    )
    beside = facts.join(first, on="manifest", suffix="_1", maintain_order="left")
    differs = beside.select((pl.col(n) != pl.col(f"{n}_1")).any().alias(n) for n in names)
    for name in (n for n in names if differs[n][0]):
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
    return first.select("manifest", *names)


def _missing_everywhere(
    faults: pl.DataFrame, ships: pl.DataFrame, chosen: pl.DataFrame
) -> pl.DataFrame:
    """Head faults; an empty fact counts only where no shipment of the manifest gives it."""
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
    facts: pl.DataFrame, chosen: pl.DataFrame, head: PlannedGroup, frames: FrameSet, plan: Plan
) -> pl.DataFrame:
    """Shipments that give another value than the rest of their master waybill."""
    found = []
    beside = facts.join(chosen, on="manifest", suffix="_1", maintain_order="left")
    for element in head.elements:
        source = head.source(element.name)
        other = pl.col(f"{element.name}_1")
        if source.agree is None:
            continue
        rows = beside.filter(pl.col(element.name) != other)
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
        pl.col(f"{name}_1").alias("_agreed"),
    )
    return to_findings(faults, [check], frames, head.rows(plan.mapping))
