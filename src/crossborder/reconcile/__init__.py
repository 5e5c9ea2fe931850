"""Reconcile: receipts move states, the account is closed, and promise P3 is proven."""

from crossborder.reconcile.account import LINES, Account, Count, account
from crossborder.reconcile.apply import Applied, apply_receipts
from crossborder.reconcile.difference import Difference
from crossborder.reconcile.holdups import Holdup, holdups
from crossborder.reconcile.prove import differences
from crossborder.reconcile.status_table import Status, StatusTable
from crossborder.reconcile.taking import take_in
from crossborder.reconcile.words import RECEIPT_OF, advice, mark

__all__ = [
    "LINES",
    "RECEIPT_OF",
    "Account",
    "Applied",
    "Count",
    "Difference",
    "Holdup",
    "Status",
    "StatusTable",
    "account",
    "advice",
    "apply_receipts",
    "differences",
    "holdups",
    "mark",
    "take_in",
]
