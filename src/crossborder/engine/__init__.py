"""The façade that library, command line and service all call."""

from __future__ import annotations

from crossborder.engine.answers import (
    STAYS,
    Accepted,
    Posted,
    Prepared,
    Received,
    Reconciled,
    Submitted,
    Waiting,
)
from crossborder.engine.audit import Audited, Exported
from crossborder.engine.brought import Brought
from crossborder.engine.checking import Checking
from crossborder.engine.deciding import Ruled
from crossborder.engine.engine import Engine
from crossborder.engine.explaining import explain_rule, rule_records
from crossborder.engine.lookups import write_sample
from crossborder.engine.pure import check, compose, read_receipts
from crossborder.engine.replaying import Replayed
from crossborder.engine.results import Checked, Composed, Receipts, findings_frame
from crossborder.engine.setup import Examined, examine, settings_template, write_settings_template
from crossborder.engine.summary import Summary
from crossborder.engine.taxing import Taxed, Taxing, tax, tax_records
from crossborder.ledger import KeyInUse
from crossborder.reconcile import Holdup

__all__ = [
    "STAYS",
    "Accepted",
    "Audited",
    "Brought",
    "Checked",
    "Checking",
    "Composed",
    "Engine",
    "Examined",
    "Exported",
    "Holdup",
    "KeyInUse",
    "Posted",
    "Prepared",
    "Receipts",
    "Received",
    "Reconciled",
    "Replayed",
    "Ruled",
    "Submitted",
    "Summary",
    "Taxed",
    "Taxing",
    "Waiting",
    "check",
    "compose",
    "examine",
    "explain_rule",
    "findings_frame",
    "read_receipts",
    "rule_records",
    "settings_template",
    "tax",
    "tax_records",
    "write_sample",
    "write_settings_template",
]
