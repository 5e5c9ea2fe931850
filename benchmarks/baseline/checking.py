"""The whole check of a file, shipment by shipment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree
from pydantic import BaseModel, ValidationError

from benchmarks.baseline import conditions, documents, models, rules
from benchmarks.baseline.conditions import Judge
from benchmarks.baseline.documents import Sender
from benchmarks.baseline.reading import read
from benchmarks.baseline.spec import DOCU, HEAD, LINE, Constants, Shipment, constants
from crossborder import schema
from crossborder.codes import Tables
from crossborder.rules import Context
from crossborder.settings import Profile


@dataclass(frozen=True)
class Desk:
    """Everything a check needs, made once."""

    fill: Constants
    judges: dict[str, Judge]
    facts: rules.Facts
    model: type[BaseModel]
    judge_xsd: etree.XMLSchema
    sender: Sender


@dataclass(frozen=True)
class Judged:
    """One shipment, the rules it breaks, and its tree if one was built."""

    ship: Shipment
    found: set[str]
    tree: etree._Element | None


def desk(profile: Profile, tables: Tables, day: str, served: list[str], sender: Sender) -> Desk:
    """A desk for one firm and one day (yyyyMMdd)."""
    context = Context(tables=tables, profile=profile, declared_on=day)
    return Desk(
        constants(profile),
        conditions.judges(tables, day),
        rules.facts(context, served),
        models.declaration(),
        schema.validator("EXP301", "written"),
        sender,
    )


def check(path: Path, at: Desk, *, xsd: bool = True) -> list[Judged]:
    """Every shipment of the file with the rules it breaks; with `xsd` each is also built and judged by libxml2."""
    return check_shipments(read(path, at.fill), at, xsd=xsd)


def check_shipments(ships: Iterable[Shipment], at: Desk, *, xsd: bool = True) -> list[Judged]:
    """The same for shipments that were read."""
    judged = [_one(ship, at, xsd=xsd) for ship in ships]
    owners: dict[str, Judged] = {}
    for one in judged:
        if one.ship["BillNo"] and one.ship["AssBillNo"] and one.ship["IEFlag"]:
            first = owners.setdefault(rules.key(one.ship), one)
            if first is not one:
                first.found.add("EXP-48")
                one.found.add("EXP-48")
        if one.ship["broken"]:
            one.found.add("INT")
    return judged


def rejected(judged: list[Judged]) -> Iterator[str | None]:
    """House waybills of the shipments that break a rule, in file order."""
    return (one.ship["AssBillNo"] for one in judged if one.found)


def _one(ship: Shipment, at: Desk, *, xsd: bool) -> Judged:
    found: set[str] = set()
    try:
        at.model.model_validate(ship)
    except ValidationError:
        found.add("facet")
    at.judges[HEAD](ship, ship, found)
    for line in ship["lines"]:
        at.judges[LINE](line, ship, found)
    for docu in ship["docs"]:
        at.judges[DOCU](docu, ship, found)
    rules.judge(ship, at.facts, found)
    tree = None
    if xsd:
        try:
            tree = documents.declaration(ship, IDENTITY, at.sender)
        except ValueError:
            found.add("TXT-04")
        else:
            if not at.judge_xsd.validate(tree):
                found.add("facet")
    return Judged(ship, found, tree)


IDENTITY = "DXPESW0000000001E0100002026112009300000000000000"
"""A draft's message id."""
