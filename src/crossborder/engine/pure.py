"""The pure half of the façade: no ledger, no home folder, no network.

Time, ids, tables and rates are handed in; what is not handed in is taken from packaged data, and the day from
the clock once, here at the edge. The same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import polars as pl

from crossborder import china_time, intake, log, messages, rules
from crossborder.codes import Tables
from crossborder.engine import profiles
from crossborder.engine.results import Checked, Composed, Receipts
from crossborder.engine.threads import both
from crossborder.errors import InputError
from crossborder.keys import declaration_key_expr, manifest_key
from crossborder.samples.vocabulary import table
from crossborder.settings import Operator, Profile
from crossborder.shipments import FrameSet, apply_profile, personal_names
from crossborder.shipments import findings as found

log.know_personal(personal_names())


_MANIFEST = {"EXP-40": "reject", "MFT-02": "note"}
"""Inferred rules that the manifest carries out, and what follows where nothing is set."""
NOTHING = intake.SourceTable((), 0, pl.DataFrame())
"""The source rows of a block, which are not kept."""


@cache
def packaged_tables() -> Tables:
    """The code tables that ship with the package, read once per process."""
    return Tables.load()


def check(
    data: Any,
    mapping: str | Path | intake.Mapping | None = None,
    profile: str | Path | Profile | None = None,
    as_of: str | None = None,
    *,
    operator: Operator | None = None,
    tables: Tables | None = None,
    declared_on: str | None = None,
    served: Iterable[str] | None = None,
    folders: Sequence[Path] = (),
    sheet: str | None = None,
    limits: intake.Limits | None = None,
    most_houses: int | None = None,
) -> Checked:
    """Read, classify and check a hand-in. Bad rows never raise: they are findings.

    `data` is a path, a flat frame in the shape of `mapping`, a list of dictionaries, or `Shipments`.
    `declared_on` (`yyyyMMdd`, China time, else today) chooses rates and tax tables; `as_of` overrides the date
    by which rules are chosen; `served` are the prefixes of DeclPort that an endpoint serves; `most_houses` may
    lower the 9,999 house waybills of one manifest.
    Raises `InputError`, `MappingError`, `SettingsError`, `NotFound`.
    """
    judge = Judge.of(
        profiles.find(profile), operator or Operator(), tables or packaged_tables(), as_of=as_of,
        declared_on=declared_on, served=served, most_houses=most_houses,
    )  # fmt: skip
    read = intake.read(
        data, mapping=mapping, folders=folders, sheet=sheet, limits=limits or intake.Limits()
    )
    return judge.whole(read)


@dataclass(frozen=True)
class Judge:
    """What a hand-in is judged by; the same for all of its blocks. Thread-safe: nothing in it changes."""

    firm: Profile
    person: Operator
    context: rules.Context
    most_houses: int | None = None

    @classmethod
    def of(
        cls,
        firm: Profile,
        person: Operator,
        tables: Tables,
        *,
        as_of: str | None = None,
        declared_on: str | None = None,
        served: Iterable[str] | None = None,
        most_houses: int | None = None,
    ) -> Judge:
        """For a firm and a person, by the tables of the day of declaration (default: today in China).

        Raises `SettingsError` for settings of the rules that cannot be used.
        """
        rules.refuse_wrong(firm)
        day = declared_on or china_time.now().strftime("%Y%m%d")
        context = rules.Context.of(
            tables=_with_fictional_rates(tables, day[:6]) if firm.demo else tables,
            profile=firm,
            declared_on=day,
            as_of=as_of.replace("-", "") if as_of else None,
            served_prefixes=frozenset(served) if served is not None else None,
        )
        return cls(firm, person, context, most_houses)

    def whole(self, read: intake.Intake) -> Checked:
        """The verdict on a hand-in that was read in one piece. Raises `SettingsError`."""
        profiles.refuse_incomplete(self.firm, self.person, read.frames)
        filled = apply_profile(read.frames, self.firm, self.person)
        frames, findings = _judge(filled, self.context, self.person, self.most_houses)
        return self._checked(read, frames, findings)

    def block(self, read: intake.Intake) -> JudgedBlock:
        """What a block shows by itself: each shipment alone, nothing of what compares it with others."""
        missing = profiles.incomplete(self.firm, self.person, read.frames)
        filled = apply_profile(read.frames, self.firm, self.person)
        frames, findings, unanswered, elements = _judge_alone(filled, self.context, self.person)
        checked = self._checked(read, frames, findings)
        of_file = pl.col("ship").is_null()
        return JudgedBlock(
            replace(checked, by_shipment=checked.by_shipment.filter(~of_file), source=NOTHING),
            checked.by_shipment.filter(of_file), unanswered, frozenset(missing), elements,
        )  # fmt: skip

    def _checked(self, read: intake.Intake, frames: FrameSet, findings: pl.DataFrame) -> Checked:
        every = found.gather([read.findings, findings])
        return Checked(
            frames=frames,
            by_shipment=every,
            verdicts=found.verdicts(read.frames.shipments[["ship"]], every),
            unevaluated=rules.unevaluated(self.context),
            rows=read.rows,
            mapping=read.mapping,
            source_name=read.source_name,
            source_hash=read.digest,
            source=read.raw,
            profile=self.firm,
            operator=self.person,
            declared_on=self.context.declared_on,
            given=read.frames,
        )


@dataclass(frozen=True)
class JudgedBlock:
    """A block of a hand-in, judged by itself.

    `checked` has the findings about shipments only, and no source rows; `about_file` are the others. `unanswered` counts codes that no table could judge (`messages.unanswered`); `missing` are columns that
    always must be filled and that neither the firm nor this block fills. `elements` are the values of the declarations, as
    long as they are wanted.
    """

    checked: Checked
    about_file: pl.DataFrame
    unanswered: pl.DataFrame
    missing: frozenset[str]
    elements: messages.Elements | None = None


@lru_cache(maxsize=8)
def _with_fictional_rates(tables: Tables, month: str) -> Tables:
    """For a demonstration profile, the made-up rates of the samples beside whatever was imported."""
    made_up = table("rates").select(
        "currency",
        pl.lit(month).alias("month"),
        "rate",
        pl.lit(value=True).alias("fictional"),
    )
    return tables.with_rates(made_up).with_rates(tables.rates())


def judged_example(example: rules.Example) -> pl.DataFrame:
    """What the whole of judging finds in an example of a rule; its option `most_houses` stands for an endpoint's."""
    most = example.options.get("most_houses")
    made = rules.frames_of(example), rules.context_of(example)
    found_here = _judge(*made, Operator(), int(most) if most else None)[1]
    return found.gather([found_here, rules.judged_with_earlier(example)])


def _judge(
    filled: FrameSet, context: rules.Context, person: Operator, most_houses: int | None
) -> tuple[FrameSet, pl.DataFrame]:
    """Classify, fill class values, then facets, filling, codes, rules and the manifest's own limits."""
    classed, whole, f_class = _classed(filled, context, person)

    def by_declaration() -> pl.DataFrame:
        plan = messages.compile_plan("EXP301")
        told = plan.check(plan.project(classed), classed, context.tables, context.declared_on)
        return _of_express(told, f_class)

    def of_lines() -> tuple[list[pl.DataFrame], pl.DataFrame]:
        """What rules find below the heads of shipments, and what the manifest finds."""
        of_houses = messages.manifest_findings(
            classed, context.tables, context.declared_on, options=context.profile.options,
            most_houses=most_houses,
        )  # fmt: skip
        below = rules.broken(prepared, context, ("goods", "documents"))
        return below, of_manifest(of_houses, context)

    told, prepared = both(by_declaration, lambda: rules.prepare(classed, context))
    (below, of_houses), heads = both(
        of_lines, lambda: rules.broken(prepared, context, ("shipments",))
    )
    ruled = rules.of_rates(rules.in_order(prepared, [*heads, *below]), context)
    parts = [f_class, told, ruled, of_houses, rules.told_off(context)]
    return whole, _once(found.gather(parts))


def _of_express(told: pl.DataFrame, f_class: pl.DataFrame) -> pl.DataFrame:
    """Without the complaint that a class is missing, of shipments that go to general declaration because none fits."""
    if not f_class.height:
        return told
    leave = f_class.filter(pl.col("action") == "transfer")["ship"]
    if leave.is_empty():
        return told
    classless = pl.col("ship").is_in(leave.implode()) & (pl.col("element") == "EntryType")
    return told.filter(~classless.fill_null(value=False))


def of_manifest(told: pl.DataFrame, context: rules.Context) -> pl.DataFrame:
    """Findings of the manifest's own checks, where a profile sets one of these rules."""
    return rules.graded(told, context, _MANIFEST) if context.grades else told


def _judge_alone(
    filled: FrameSet, context: rules.Context, person: Operator
) -> tuple[FrameSet, pl.DataFrame, pl.DataFrame, messages.Elements]:
    """As `_judge`, but without what compares shipments; also the codes that no table could judge, counted, and the
    elements that were judged."""
    classed, whole, f_class = _classed(filled, context, person)
    plan = messages.compile_plan("EXP301")
    elements = plan.project(classed)
    told, unanswered = plan.judge(elements, classed, context.tables, context.declared_on)
    parts = [
        f_class,
        _of_express(told, f_class),
        rules.of_rates(rules.check_alone(classed, context), context),
        rules.told_off(context),
    ]
    return whole, _once(found.gather(parts)), unanswered, elements


def _classed(
    filled: FrameSet, context: rules.Context, person: Operator
) -> tuple[FrameSet, FrameSet, pl.DataFrame]:
    """The readable shipments with their class and its values, all shipments, and what classifying found."""
    readable, unreadable = _parted(filled)
    classed, f_class = rules.classify(readable, context)
    if classed is not readable:
        classed = apply_profile(classed, context.profile, person)
    return classed, _joined(classed, unreadable), f_class


def _parted(frames: FrameSet) -> tuple[FrameSet, pl.DataFrame]:
    """The shipments that could be read, and the rows of those that could not (they have nothing below)."""
    lost = frames.shipments.get_column("unreadable")
    if not lost.any():
        return frames, frames.shipments.clear()
    return frames.take(frames.shipments.filter(~lost)["ship"]), frames.shipments.filter(lost)


def _joined(readable: FrameSet, unreadable: pl.DataFrame) -> FrameSet:
    if not unreadable.height:
        return readable
    return replace(readable, shipments=pl.concat([readable.shipments, unreadable]).sort("ship"))


def _once(findings: pl.DataFrame) -> pl.DataFrame:
    """The same fault told by two stages stands once; the later one knows more (a rule may suggest a value)."""
    if findings.height <= 1:
        return findings
    keys = ["ship", "row", "element", "rule", "value"]
    return (
        findings.lazy()
        .unique(keys, keep="last", maintain_order=True)
        .sort("ship", "row", nulls_last=True, maintain_order=True)
        .collect(engine="in-memory")
    )


def compose(
    checked: Checked,
    *,
    at: datetime,
    ids: Sequence[str] | None = None,
    form: Literal["written", "strict"] = "written",
    receiver: str = "E010000",
    ships: pl.Series | None = None,
) -> Composed:
    """XML of every valid shipment (EXP301) and of every master waybill (EXP311), manifests first.

    `at` is the moment of declaring (DDate, send_time), China time. `ids` are message ids, one per document;
    without them draft ids are used, whose serial is counted from 1: what the ledger half files gets its real
    id when it is queued. `ships` narrows the declarations. Raises `SettingsError` without a sender id.
    """
    sender = profiles.sender(checked.profile)
    valid = checked.valid["ship"]
    if ships is not None:
        valid = valid.filter(valid.is_in(ships.implode()))
    readable = checked.frames.shipments.filter(~pl.col("unreadable"))["ship"]
    drafted = messages.manifest_groups(checked.frames.take(readable)).height
    wanted = drafted + valid.len()
    if ids is None:
        ids = [messages.message_id(sender, receiver, at, serial) for serial in range(1, wanted + 1)]
    elif len(ids) < wanted:
        raise InputError(
            f"{wanted} documents need {wanted} ids; {len(ids)} were given",
            f"共 {wanted} 份报文，需要 {wanted} 个编号，只给了 {len(ids)} 个",
        )
    manifests = messages.compose_manifests(
        checked.frames.take(readable), form=form, sender=sender, receiver=receiver, at=at, ids=ids[:drafted],
        options=checked.profile.options,
    )  # fmt: skip
    declarations = messages.compose_declarations(
        checked.frames.take(valid), form=form, sender=sender, receiver=receiver, at=at, ids=ids[drafted:]
    )  # fmt: skip
    return Composed(
        documents=pl.concat(
            [
                _manifest_rows(manifests.documents),
                _declaration_rows(declarations, checked.frames.shipments),
            ]
        ),
        houses=manifests.houses,
        left_out=manifests.left_out,
    )


def _declaration_rows(documents: pl.DataFrame, shipments: pl.DataFrame) -> pl.DataFrame:
    key = declaration_key_expr(
        pl.col("master_waybill"), pl.col("house_waybill"), pl.col("direction")
    )
    return documents.join(
        shipments.select("ship", key.alias("key")), on="ship", how="left", maintain_order="left"
    ).select(
        pl.lit("EXP301").alias("message_type"),
        "key",
        pl.col("ship").cast(pl.UInt32),
        pl.lit(None, dtype=pl.UInt32).alias("manifest"),
        "message_id",
        "xml",
    )


def _manifest_rows(documents: pl.DataFrame) -> pl.DataFrame:
    keys = [
        manifest_key(master, voyage, direction, 1)
        for master, voyage, direction in documents.select(
            "master_waybill", "voyage", "direction"
        ).iter_rows()
    ]
    return documents.select(
        pl.lit("EXP311").alias("message_type"),
        pl.Series("key", keys, dtype=pl.String),
        pl.lit(None, dtype=pl.UInt32).alias("ship"),
        pl.col("manifest").cast(pl.UInt32),
        "message_id",
        "xml",
    )


def read_receipts(source: Any) -> Receipts:
    """Read receipts from paths (a file, or a folder's `*.xml`) or from bytes, one or many.

    Unreadable ones are `problems`, never exceptions. Raises `InputError` only if a path cannot be opened.
    """
    items = list(_receipt_items(source))
    read = messages.read_receipts(items)
    return Receipts(read.lines, read.problems)


def _receipt_items(source: Any) -> Iterable[tuple[str, bytes]]:
    if isinstance(source, bytes):
        yield "receipt", source
        return
    if isinstance(source, (str, Path)):
        path = Path(source)
        files = sorted(path.glob("*.xml")) if path.is_dir() else [path]
        for file in files:
            try:
                yield file.name, file.read_bytes()
            except OSError as error:
                raise InputError(
                    f"the receipt cannot be read ({error.strerror})",
                    f"回执文件无法读取（{error.strerror}）",
                    place=str(file),
                ) from error
        return
    for number, one in enumerate(source):
        if isinstance(one, tuple):
            yield one
        elif isinstance(one, bytes):
            yield f"receipt-{number + 1}", one
        else:
            yield from _receipt_items(one)


def narrowed(checked: Checked, findings: pl.DataFrame) -> Checked:
    """`checked` with further findings (those that only the ledger knows) and the verdicts that follow."""
    every = found.gather([checked.by_shipment, findings])
    return replace(
        checked,
        by_shipment=every,
        verdicts=found.verdicts(checked.verdicts.select("ship"), every),
    )
