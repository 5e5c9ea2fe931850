"""Rules by family: classification, limits, consistency, codes, identity, text, goods names, parties, waybills.

A rule is one object in one of the family files, with its two examples; `registry()` lists them in the order of
the families. Nothing here reads a clock, a disk or a network: what is needed is in `Context`.
"""

from crossborder.rules import (  # noqa: I001  families register in reading order
    classification as classification,
    limits as limits,
    consistency as consistency,
    codes_form as codes_form,
    waybills as waybills,
    identity as identity,
    enterprises as enterprises,
    party as party,
    text as text,
    names as names,
)
from crossborder.rules.across import bonds, check_across, check_alone, in_common
from crossborder.rules.across import NEEDED as ACROSS_COLUMNS
from crossborder.rules.check import check, check_rules, registry
from crossborder.rules.classify import classify
from crossborder.rules.context import Context
from crossborder.rules.model import Case, Example, Parcel, Rule
from crossborder.rules.options import OPTIONS, Option
from crossborder.rules.unevaluated import unevaluated

__all__ = [
    "ACROSS_COLUMNS",
    "OPTIONS",
    "Case",
    "Context",
    "Example",
    "Option",
    "Parcel",
    "Rule",
    "bonds",
    "check",
    "check_across",
    "check_alone",
    "check_rules",
    "classify",
    "in_common",
    "registry",
    "unevaluated",
]
