"""Applying the rules: first one question per case over the whole frame, then rows for those that are broken.

A hand-in without faults costs one aggregate per case; findings are made only where an answer was yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import polars as pl

from crossborder.rules.context import Context
from crossborder.rules.elements import element
from crossborder.rules.model import Case, Rule, registered
from crossborder.rules.prepare import Prepared, prepare
from crossborder.shipments import findings
from crossborder.shipments.columns import FRAME_NAMES, FrameName
from crossborder.shipments.frames import FrameSet

Pair = tuple[Rule, Case]
Asked = tuple[int, Rule, Case, pl.Expr]


def registry() -> tuple[Rule, ...]:
    """Every implemented rule, family by family."""
    return registered()


def check(frames: FrameSet, ctx: Context) -> pl.DataFrame:
    """Findings of all rules over a hand-in, in the order of its shipments; never raises for bad data."""
    return check_rules(frames, ctx, registry())


def check_rules(frames: FrameSet, ctx: Context, rules: Iterable[Rule]) -> pl.DataFrame:
    """The same for some rules only."""
    prepared = prepare(frames, ctx)
    pairs = [(rule, case) for rule in rules for case in cases(rule, ctx)]
    parts: list[pl.DataFrame] = []
    for name in FRAME_NAMES:
        df = prepared.frames[name]
        mine = [pair for pair in pairs if pair[1].frame == name]
        if df.height and mine:
            parts += _broken(prepared, name, mine, ctx)
    found = findings.gather(parts)
    return found.sort("ship", "row", nulls_last=True, maintain_order=True)


def cases(rule: Rule, ctx: Context) -> tuple[Case, ...]:
    """The cases of a rule in a context, made once for each context."""
    if rule.id not in ctx.memo:
        ctx.memo[rule.id] = tuple(rule.cases(ctx))
    found: tuple[Case, ...] = ctx.memo[rule.id]
    return found


def _constants(df: pl.DataFrame, columns: Iterable[str]) -> frozenset[str]:
    """Which of the columns hold the same text (or none) in every row."""
    names = list(dict.fromkeys(columns))
    if not names:
        return frozenset()
    same = df.select((pl.col(n).eq_missing(pl.col(n).first())).all() for n in names).row(0)
    return frozenset(n for n, one in zip(names, same, strict=True) if one)


def _broken(
    prepared: Prepared, name: FrameName, pairs: Sequence[Pair], ctx: Context
) -> list[pl.DataFrame]:
    """Finding rows of the cases that fire somewhere in one frame, in the order of the rules."""
    df = prepared.frames[name]
    days = _days(df)
    asked: list[Asked] = []
    for position, (rule, case) in enumerate(pairs):
        force = _in_force(rule, ctx, days)
        if force is None:
            continue
        when = case.when & force
        if rule.applies_to in ("A", "B", "C"):
            when = (pl.col("_class") == rule.applies_to) & when
        asked.append((position, rule, case, when))
    parts = _fired(prepared, name, df, [a for a in asked if a[2].screen is None])
    for screen, mine in _screened(df, [a for a in asked if a[2].screen is not None]):
        parts += _fired(prepared, name, df.filter(screen), mine)
    return [part for _, part in sorted(parts, key=lambda p: p[0])]


def _screened(
    df: pl.DataFrame, asked: Sequence[Asked]
) -> Iterator[tuple[pl.Expr, Sequence[Asked]]]:
    """The screens that let rows through, each with its cases.

    A screen about the text of one column is asked of one row where the column is the same in all.
    """
    groups: dict[int, list[Asked]] = {}
    for one in asked:
        groups.setdefault(id(one[2].screen), []).append(one)
    textual = [g for g in groups.values() if g[0][2].textual]
    constant = _constants(df, (g[0][2].column for g in textual))
    short = [g for g in textual if g[0][2].column in constant]
    long = [g for g in groups.values() if not (g[0][2].textual and g[0][2].column in constant)]
    for part, members in ((df.head(1), short), (df, long)):
        screens = [g[0][2].screen for g in members]
        answers = _answers(part, screens)
        for screen, answer, mine in zip(screens, answers, members, strict=True):
            if answer and screen is not None:
                yield screen, mine


def _answers(df: pl.DataFrame, questions: Sequence[pl.Expr | None]) -> list[bool]:
    """Whether each condition holds in any row."""
    wanted = [q.any().alias(str(i)) for i, q in enumerate(questions) if q is not None]
    return [bool(a) for a in df.lazy().select(wanted).collect().row(0)] if wanted else []


def _fired(
    prepared: Prepared, name: FrameName, df: pl.DataFrame, asked: Sequence[Asked]
) -> list[tuple[int, pl.DataFrame]]:
    answers = _answers(df, [when for *_, when in asked])
    return [
        (position, _rows(prepared, name, rule, case, df.filter(when)))
        for (position, rule, case, when), answer in zip(asked, answers, strict=True)
        if answer
    ]


def _days(df: pl.DataFrame) -> tuple[date | None, date | None, bool]:
    """First and last movement day of a frame, and whether one is unknown."""
    if "_day" not in df.columns:
        return None, None, True
    first, last, gap = df.select(
        pl.col("_day").min().alias("a"),
        pl.col("_day").max().alias("b"),
        pl.col("_day").is_null().any().alias("c"),
    ).row(0)
    return first, last, gap


def _in_force(
    rule: Rule, ctx: Context, days: tuple[date | None, date | None, bool]
) -> pl.Expr | None:
    """Where a rule is in force; None: nowhere in this frame.

    A row without a readable movement date is judged by the rules that have no end.
    """
    if rule.bounds:
        return pl.lit(True)
    start = date.fromisoformat(rule.effective_from) if rule.effective_from else date.min
    end = date.fromisoformat(rule.effective_to) if rule.effective_to else date.max
    if rule.dated_by == "declaration":
        return pl.lit(True) if start <= ctx.declaration_day <= end else None
    first, last, gap = days
    if first is None or last is None:
        return None if rule.effective_to else pl.lit(True)
    if start <= first and last <= end and not (gap and rule.effective_to):
        return pl.lit(True)
    return pl.col("_day").is_between(start, end).fill_null(not rule.effective_to)


def _rows(
    prepared: Prepared, name: FrameName, rule: Rule, case: Case, hit: pl.DataFrame
) -> pl.DataFrame:
    if name != "shipments":
        heads = prepared.frames["shipments"].select(
            "ship", "house_waybill", "master_waybill", _head_row="row"
        )
        hit = hit.join(heads, on="ship", how="left", maintain_order="left")
    row = pl.col("row" if name == "shipments" else "_head_row")
    column = case.column
    known = column in hit.columns
    severity, action = case.severity or rule.severity, case.action or rule.action
    if case.severity == "warn" and not case.action:
        action = "note"
    return hit.select(
        "ship",
        "sheet",
        "row",
        pl.lit(prepared.source.header(name, column) if column else None).alias("column"),
        pl.lit(element(name, column), dtype=pl.String).alias("element"),
        pl.coalesce("house_waybill", pl.format("#{}", row)).alias("shipment"),
        pl.col("master_waybill").alias("master"),
        pl.lit(rule.id).alias("rule"),
        pl.lit(severity).alias("severity"),
        pl.lit(action).alias("action"),
        (pl.col(column) if known else pl.lit(None, dtype=pl.String)).alias("value"),
        case.text(case.zh).alias("zh"),
        case.text(case.en).alias("en"),
        case.text(case.fix_zh or rule.fix_zh).alias("fix_zh"),
        case.text(case.fix_en or rule.fix_en).alias("fix_en"),
        (pl.lit(None) if case.suggest is None else case.suggest).cast(pl.String).alias("suggest"),
        pl.lit(rule.legal_source).alias("source"),
    )
