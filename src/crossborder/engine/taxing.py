"""What a hand-in pays: the pure function `tax`, and `Taxing` for files of any size. Nothing is stored, nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from crossborder import intake, rules
from crossborder.codes import Tables
from crossborder.engine import profiles
from crossborder.engine.checking import Progress
from crossborder.engine.pure import Judge, packaged_tables
from crossborder.engine.results import FORMAT
from crossborder.engine.sources import Blocks
from crossborder.errors import InputError
from crossborder.rules import tax as room
from crossborder.rules.tax import OUTCOMES, REGIMES, Assessed, Regime, plain
from crossborder.settings import Operator, Profile
from crossborder.shipments import FrameSet, apply_profile

_SUMS = ("tax_cny", "payable_cny")


@dataclass(frozen=True)
class Taxed:
    """The tax of a hand-in.

    `lines`: a row per goods line and kind of tax (columns `crossborder.rules.tax.LINES`); `consignments`: a row per
    shipment (columns `CONSIGNMENTS`), every one of them. Amounts are Decimal(38, 2), CNY. `declared_on` (yyyyMMdd) is
    the day by which tables and rates were chosen. Thread-safe: nothing in it changes.
    """

    lines: pl.DataFrame
    consignments: pl.DataFrame
    declared_on: str
    regime: Regime
    mapping: str

    @property
    def counts(self) -> dict[str, int]:
        """`shipments` and the four outcomes, which add up to it."""
        return TaxTotals().add(self).counts

    @property
    def totals(self) -> dict[str, Decimal]:
        """`tax_cny` and `payable_cny` of the shipments that were evaluated."""
        return TaxTotals().add(self).sums

    def as_json(self, lang: str = "en") -> dict[str, Any]:
        """The answer of `crossborder tax --json`: amounts as text, lines below their shipment."""
        return {
            "format": FORMAT, "declared_on": self.declared_on, "as": self.regime, "mapping": self.mapping,
            "shipments": list(tax_records(self, lang)), "counts": self.counts,
            "totals": {name: str(value) for name, value in self.totals.items()},
        }  # fmt: skip


class TaxTotals:
    """Counts and sums over the parts of a hand-in."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {"shipments": 0, **dict.fromkeys(OUTCOMES, 0)}
        self.sums: dict[str, Decimal] = dict.fromkeys(_SUMS, Decimal("0.00"))

    def add(self, part: Taxed | Assessed) -> TaxTotals:
        """Count a further part; returns itself."""
        self.counts["shipments"] += part.consignments.height
        for outcome, number in part.consignments.group_by("outcome").len().iter_rows():
            self.counts[outcome] += number
        for name in _SUMS:
            amount = part.consignments[name].drop_nulls().sum()
            self.sums[name] += Decimal(amount) if amount is not None else Decimal(0)
        return self


class Taxing:
    """A hand-in whose tax is worked out block by block. For one thread.

    Iterating gives the parts, each an `Assessed`, and must go to the end; then `totals` is that of the whole.
    """

    def __init__(
        self, judge: Judge, blocks: Blocks, regime: Regime, only: Sequence[str], progress: Progress
    ) -> None:
        self._judge = judge
        self._blocks = blocks
        self._only = list(only)
        self._progress = progress
        self.regime: Regime = regime
        self.mapping = blocks.mapping
        self.declared_on = judge.context.declared_on
        self.totals = TaxTotals()

    def __iter__(self) -> Iterator[Assessed]:
        read = 0
        for block in self._blocks:
            frames = block.intake.frames
            part = _assessed(frames, self._judge, self.regime, self._only)
            self.totals.add(part)
            read += frames.shipments.height
            self._progress(read, max(read, round(read * self._blocks.total / block.done)))
            yield part
        self._progress(read, read)


def tax(
    data: Any,
    mapping: str | Path | intake.Mapping | None = None,
    profile: str | Path | Profile | None = None,
    as_of: str | None = None,
    *,
    regime: Regime = "declared",
    operator: Operator | None = None,
    tables: Tables | None = None,
    declared_on: str | None = None,
    folders: Sequence[Path] = (),
    sheet: str | None = None,
    limits: intake.Limits | None = None,
    waybills: Iterable[str] = (),
) -> Taxed:
    """What the shipments of a hand-in pay, line by line. Bad rows never raise: they are not evaluated.

    `data`, `mapping`, `profile`, `as_of`, `declared_on` and the rest as for `check`; the profile may lack what only
    composing needs. `regime` `ecommerce` asks what imports would pay as retail e-commerce. `waybills` narrows the answer.
    Raises `InputError`, `MappingError`, `SettingsError`, `CodesError`, `NotFound`.
    """
    judge = judge_of(
        profiles.find(profile),
        operator or Operator(),
        tables or packaged_tables(),
        as_of,
        declared_on,
    )
    read = intake.read(data, mapping=mapping, folders=folders, sheet=sheet, limits=limits or intake.Limits())  # fmt: skip
    part = _assessed(read.frames, judge, checked_regime(regime), list(waybills))
    return Taxed(part.lines, part.consignments, judge.context.declared_on, regime, read.mapping)


def judge_of(
    firm: Profile, person: Operator, tables: Tables, as_of: str | None, declared_on: str | None
) -> Judge:
    """What tax is judged by. Raises `SettingsError` for a day that cannot be used."""
    day = declared_on.replace("-", "") if declared_on else None
    return Judge.of(firm, person, tables, as_of=as_of, declared_on=day)


def checked_regime(regime: str) -> Regime:
    """The regime of that name. Raises `InputError`."""
    for known in REGIMES:
        if known == regime:
            return known
    raise InputError(
        f"--as {regime!r}: {' or '.join(REGIMES)}", f"--as {regime!r}：应为 {' 或 '.join(REGIMES)}",
        fix_en="declared: by the class of each shipment; ecommerce: as retail e-commerce",
        fix_zh="declared 按各票报关类别；ecommerce 按跨境电商零售进口",
    )  # fmt: skip


def tax_records(part: Taxed | Assessed, lang: str) -> Iterator[dict[str, Any]]:
    """Every shipment with its lines, as JSON shows them: amounts as text, texts in one language."""
    lines: dict[int, list[dict[str, Any]]] = {}
    for line in _texts(part.lines, lang).to_dicts():
        lines.setdefault(line.pop("ship"), []).append(
            {
                name: value
                for name, value in line.items()
                if name not in ("sheet", "shipment", "master")
            }
        )
    for shipment in _texts(part.consignments, lang).to_dicts():
        ship = shipment.pop("ship")
        yield {**shipment, "lines": lines.get(ship, [])}


def _texts(frame: pl.DataFrame, lang: str) -> pl.DataFrame:
    """One language, decimals as text, lines counted from 1."""
    said = [name for name in ("how", "note") if f"{name}_{lang}" in frame.columns]
    shown = frame.with_columns(pl.col(f"{name}_{lang}").alias(name) for name in said)
    if "line" in shown.columns:
        shown = shown.with_columns(pl.col("line") + 1)
    dropped = [f"{name}_{other}" for name in ("how", "note") for other in ("zh", "en")]
    return shown.drop(dropped, strict=False).with_columns(
        (plain(pl.col(name)) if name == "rate_pct" else pl.col(name).cast(pl.String)).alias(name)
        for name, kind in shown.schema.items()
        if kind.is_decimal()
    )


def _assessed(frames: FrameSet, judge: Judge, regime: Regime, only: list[str]) -> Assessed:
    """Fill, classify, assess; every shipment, also those that could not be read."""
    if only:
        wanted = frames.shipments.filter(
            pl.col("house_waybill").is_in(only) | pl.col("master_waybill").is_in(only)
        )
        frames = frames.take(wanted["ship"])
    filled = apply_profile(frames, judge.firm, judge.person)
    return room.assess(_classed(filled, judge.context), judge.context, regime)


def _classed(frames: FrameSet, context: rules.Context) -> FrameSet:
    """The readable shipments with their class, the others as they are."""
    lost = frames.shipments.filter("unreadable")
    readable = frames.shipments.filter(~pl.col("unreadable"))["ship"] if lost.height else None
    classed, _ = rules.classify(frames if readable is None else frames.take(readable), context)
    if not lost.height:
        return classed
    return replace(classed, shipments=pl.concat([classed.shipments, lost]).sort("ship"))
