"""The whole check of a file, shipment by shipment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lxml import etree
from pydantic import BaseModel, ValidationError

from benchmarks.baseline import conditions, documents, models, rules
from benchmarks.baseline.conditions import Judge
from benchmarks.baseline.documents import Sender
from benchmarks.baseline.found import Found
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
    """One shipment, its business key, what it is found to break, and its tree if one was built."""

    ship: Shipment
    key: rules.Key
    found: Found
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
    # only the last row shows that no other one speaks against the first shipment
    judged = [_unread(one.ship) if one.ship["broken"] else one for one in judged]
    rules.compare([one for one in judged if not one.ship["broken"]], at.facts)
    return judged


def by_rules(ships: Iterable[Shipment], facts: rules.Facts) -> list[Found]:
    """What the rules alone find of shipments that were read."""
    judged = [Judged(ship, rules.key(ship), Found(), None) for ship in ships]
    for one in judged:
        rules.judge(one.ship, one.key, facts, one.found)
    rules.compare(judged, facts)
    return [one.found for one in judged]


def _unread(ship: Shipment) -> Judged:
    """A shipment whose rows contradict each other: refused, and nothing else is said of it."""
    found = Found()
    found.refuse("INT")
    return Judged(ship, rules.key(ship), found, None)


def _one(ship: Shipment, at: Desk, *, xsd: bool) -> Judged:
    found, key = Found(), rules.key(ship)
    refused = found.refused
    try:
        at.model.model_validate(ship)
    except ValidationError:
        refused.add("facet")
    at.judges[HEAD](ship, ship, refused)
    for line in ship["lines"]:
        at.judges[LINE](line, ship, refused)
    for docu in ship["docs"]:
        at.judges[DOCU](docu, ship, refused)
    rules.judge(ship, key, at.facts, found)
    tree = None
    if xsd:
        try:
            tree = documents.declaration(ship, IDENTITY, at.sender)
        except ValueError:
            refused.add("TXT-04")
        else:
            if not at.judge_xsd.validate(tree):
                refused.add("facet")
    return Judged(ship, key, found, tree)


IDENTITY = "DXPESW0000000001E0100002026112009300000000000000"
"""A draft's message id."""
