"""`facets`: lengths, digits, patterns and filling conditions of every element."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import xmlschema
from lxml import etree

from benchmarks import data
from benchmarks.contests.compose import engine
from benchmarks.contests.contest import Contest, Disagreement, Line, same
from benchmarks.sizes import Sizes
from benchmarks.timing import Case
from crossborder import messages, schema
from crossborder.messages.checks import FACET, FILLING
from crossborder.messages.findings import failures
from crossborder.messages.inquiry import Inquiry
from crossborder.messages.plan import with_context
from crossborder.shipments import FrameSet

DIRTY = 0.01
PROOF_DIRTY = 0.6


def contest(sizes: Sizes, folder: Path) -> Contest:
    """Columnar facet and filling checks against parsing and validating the finished XML."""
    large = data.check(data.write(folder / "large.csv", sizes.columnar, dirty=DIRTY)).frames
    small = data.check(data.write(folder / "small.csv", sizes.rowwise)).frames
    xmls = [x.encode() for x in engine(small, data.ids(sizes.rowwise))["xml"]]
    few = [x.decode() for x in xmls[: sizes.slow]]
    work = "facets and filling of every element"
    return Contest(
        lambda: prove(sizes.proof, folder),
        [
            Case("columns", lambda _: broken(large, (FILLING, FACET)), sizes.columnar),
            Case("lxml", lambda _: by_lxml(xmls), len(xmls)),
            Case("xmlschema", lambda _: by_xmlschema(few), len(few)),
        ],
        [
            Line("facets_lxml", work, "lxml parse + XSD (facets only)", "columns", "lxml"),
            Line("facets_xmlschema", work, "xmlschema (facets only)", "columns", "xmlschema"),
        ],
    )


def broken(frames: FrameSet, ranks: tuple[int, ...] = (FACET,)) -> list[pl.DataFrame]:
    """The rows whose values break a facet (and a filling condition, if asked)."""
    plan = messages.compile_plan("EXP301")
    elements = plan.project(frames)
    found = [
        failures(with_context(elements, group, checks), asked)
        for group, checks, asked in zip(plan.groups, plan.checks, _asked(ranks), strict=True)
    ]
    return [faults for faults in found if faults is not None]


@cache
def _asked(ranks: tuple[int, ...]) -> list[Inquiry]:
    """The checks of these ranks, group by group."""
    plan = messages.compile_plan("EXP301")
    return [
        Inquiry(tuple(g for g in checks.gates if g.checks[0].rank in ranks))
        for checks in plan.checks
    ]


def by_lxml(xmls: Iterable[bytes]) -> list[bool]:
    """Parsed and validated by libxml2."""
    judge = schema.validator("EXP301", "written")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return [judge.validate(etree.fromstring(xml, parser)) for xml in xmls]


@cache
def _schema() -> Any:
    return xmlschema.XMLSchema(str(schema.xsd_path("EXP301", "written")))


def by_xmlschema(xmls: Iterable[str]) -> list[bool]:
    """Parsed and validated in pure Python."""
    judge = _schema()
    return [judge.is_valid(xml) for xml in xmls]


def prove(shipments: int, folder: Path) -> None:
    """The columns and libxml2 refuse the same elements of the same shipments; xmlschema agrees on a few."""
    frames = _writable(
        data.check(data.write(folder / "proof.csv", shipments, dirty=PROOF_DIRTY)).frames
    )
    ours: dict[str, set[str]] = defaultdict(set)
    for part in broken(frames):
        for ship, element in part.select("ship", "_element").iter_rows():
            ours[str(ship)].add(element)
    made = engine(frames, data.ids(frames.shipments.height))
    theirs: dict[str, set[str]] = {}
    for ship, xml in made.select("ship", "xml").iter_rows():
        refused = _refused(xml.encode())
        if refused:
            theirs[str(ship)] = refused
    if not 0 < len(theirs) < frames.shipments.height:
        raise Disagreement(f"libxml2 refuses {len(theirs)} documents: nothing is proven")
    same("elements that break a facet", ours, theirs)
    few = made.head(20)["xml"].to_list()
    if by_xmlschema(few) != by_lxml(map(str.encode, few)):
        raise Disagreement("xmlschema and libxml2 disagree")


def _writable(frames: FrameSet) -> FrameSet:
    """Without shipments that hold a character XML forbids."""
    forbidden = pl.any_horizontal(pl.col(pl.String).str.contains(r"[\x00-\x08\x0b\x0c\x0e-\x1f]"))
    bad = pl.concat(
        [getattr(frames, name).filter(forbidden)["ship"] for name in ("shipments", "goods", "documents")]
    )  # fmt: skip
    return frames.take(frames.shipments.filter(~pl.col("ship").is_in(bad.implode()))["ship"])


def _refused(xml: bytes) -> set[str]:
    """Elements with a text that libxml2 refuses."""
    judge = schema.validator("EXP301", "written")
    document: Any = etree.fromstring(xml)  # the stubs know neither entries nor what a path gives
    judge.validate(document)
    entries: Any = judge.error_log
    wrong = [document.xpath(entry.path)[0] for entry in entries]
    return {etree.QName(element).localname for element in wrong if element.text}
