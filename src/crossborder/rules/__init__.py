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
from crossborder.rules.catalogue import Entry, catalogue
from crossborder.rules.check import broken, check, check_rules, in_order, registry
from crossborder.rules.classify import classify
from crossborder.rules.context import Context
from crossborder.rules.earlier import ELSEWHERE, OF_LEDGER
from crossborder.rules.earlier import again as told_again
from crossborder.rules.earlier import concerned as split_concerned
from crossborder.rules.earlier import house_days, judged_with_earlier, split_days
from crossborder.rules.earlier import partners as split_partners
from crossborder.rules.earlier import split as told_split
from crossborder.rules.elements import element
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.limits import RATES, of_rates
from crossborder.rules.marks import MARKS, marks_of
from crossborder.rules.marks import wanted as marks_wanted
from crossborder.rules.model import Case, Example, Parcel, Rule
from crossborder.rules.options import OPTIONS, Option, largest
from crossborder.rules.packs import Pack, find_pack, packs
from crossborder.rules.prepare import prepare
from crossborder.rules.switches import (
    SET_ELSEWHERE,
    Switch,
    graded,
    refuse_wrong,
    switches,
    told_off,
)
from crossborder.rules.unevaluated import unevaluated

__all__ = [
    "ACROSS_COLUMNS",
    "ELSEWHERE",
    "MARKS",
    "OF_LEDGER",
    "OPTIONS",
    "RATES",
    "SET_ELSEWHERE",
    "Case",
    "Context",
    "Entry",
    "Example",
    "Option",
    "Pack",
    "Parcel",
    "Rule",
    "Switch",
    "bonds",
    "broken",
    "catalogue",
    "check",
    "check_across",
    "check_alone",
    "check_rules",
    "classify",
    "context_of",
    "element",
    "find_pack",
    "frames_of",
    "graded",
    "house_days",
    "in_common",
    "in_order",
    "judged_with_earlier",
    "largest",
    "marks_of",
    "marks_wanted",
    "of_rates",
    "packs",
    "prepare",
    "refuse_wrong",
    "registry",
    "split_concerned",
    "split_days",
    "split_partners",
    "switches",
    "told_again",
    "told_off",
    "told_split",
    "unevaluated",
]
