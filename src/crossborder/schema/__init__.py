"""The schema room: XSDs and filling tables, read once and handed out as plain values.

Everything here comes from the data under `schemas/`; nothing is written twice in code. The functions ask the packaged
`Library`; another one can be made of any folder of the same shape. They raise `NotFound` for a message nobody knows,
`SchemaError` (with file and line) for broken data, `UnsupportedType` for a simple type that is not compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lxml import etree

from crossborder import resources
from crossborder.schema.conditions import Clause, parse_when
from crossborder.schema.facets import facet_failures, holds, lengths, looks_at
from crossborder.schema.library import ENVELOPE, Form, Library
from crossborder.schema.model import Element, ElementTree, Group
from crossborder.schema.simple import compile_simple_type
from crossborder.schema.simple.regex import to_rust
from crossborder.schema.tables import FACETS, CodeRow, FillingRow
from crossborder.schema.words import Row

__all__ = [
    "ENVELOPE",
    "FACETS",
    "Clause",
    "CodeRow",
    "Element",
    "ElementTree",
    "FillingRow",
    "Form",
    "Group",
    "Library",
    "Row",
    "code_lists",
    "compile_simple_type",
    "describe",
    "envelope_elements",
    "facet_failures",
    "facet_rules",
    "family",
    "filling",
    "holds",
    "lengths",
    "load_elements",
    "looks_at",
    "messages",
    "packaged",
    "parse_when",
    "to_rust",
    "validator",
    "xsd_path",
]


def packaged() -> Library:
    """The library of the packaged data."""
    return _library(resources.path("schemas"))


@cache
def _library(folder: Path) -> Library:
    return Library(folder)


def messages() -> tuple[str, ...]:
    """Every message of every family, sorted."""
    return tuple(sorted(packaged().families()))


def family(message: str) -> str:
    """The family a message belongs to, e.g. `express`."""
    return packaged().family(message)


def load_elements(message: str) -> ElementTree:
    """Groups and elements of a message, read from its XSD."""
    return packaged().load_elements(message)


def envelope_elements() -> tuple[Element, ...]:
    """The elements of the envelope: those of `EnvelopInfo`, then those of `SignedData`."""
    return packaged().envelope_elements()


def xsd_path(message: str, form: str = "written") -> Path:
    """The XSD of a whole document in the form `written` or `strict`."""
    return packaged().xsd_path(message, form)


def validator(message: str, form: str = "written") -> etree.XMLSchema:
    """libxml2's validator for whole documents in the form `written` or `strict`."""
    return packaged().validator(message, form)


def filling(message: str) -> tuple[FillingRow, ...]:
    """What must be filled or empty, and when; also for `ENVELOPE`."""
    return packaged().filling(message)


def facet_rules(message: str) -> Mapping[tuple[str, str], str]:
    """Rule ids of facet violations by (element, facet), where they are not `XSD-<Element>-<facet>`."""
    return packaged().facet_rules(message)


def code_lists(message: str) -> tuple[CodeRow, ...]:
    """Value lists, code tables and forms of the elements that hold codes."""
    return packaged().code_lists(message)


def describe(message: str) -> list[Row]:
    """One row per element for people to read; the keys are listed at `crossborder.schema.words.rows`."""
    return packaged().describe(message)
