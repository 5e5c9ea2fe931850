"""Every rule of the catalogue that judges shipments, row by row, in plain Python with exact decimals.

The rules stand in modules by what they look at (`rules_*.py`); `RULES` are their ids. Each speaks under the same conditions
as the engine's, refuses, holds and notes alike, and has no words for what it finds. A shipment without class is refused,
for nothing is classified.
"""

from __future__ import annotations

from benchmarks.baseline import (
    rules_amounts,
    rules_class,
    rules_codes,
    rules_names,
    rules_persons,
    rules_text,
    rules_together,
)
from benchmarks.baseline.facts import Facts, facts
from benchmarks.baseline.found import Found
from benchmarks.baseline.in_force import not_yet
from benchmarks.baseline.rules_together import Key, key
from benchmarks.baseline.spec import Shipment

__all__ = ["RULES", "Facts", "Key", "compare", "facts", "judge", "key"]

RULES = (
    *rules_amounts.RULES, *rules_class.RULES, *rules_codes.RULES, *rules_names.RULES, *rules_persons.RULES,
    *rules_text.RULES, *rules_together.RULES,
)  # fmt: skip


def judge(ship: Shipment, own: Key, look: Facts, found: Found) -> None:
    """Add what a shipment breaks by itself. `own` is its key."""
    later = not_yet(ship["IEDate"])
    if later:
        apart = Found()
        _judge(ship, own, look, apart)
        found.add(apart, without=later)
    else:
        _judge(ship, own, look, found)


def _judge(ship: Shipment, own: Key, look: Facts, found: Found) -> None:
    rules_class.judge(ship, look, found)
    rules_codes.judge(ship, look, found)
    rules_together.waybills(own, found)
    rules_persons.judge(ship, look, found)
    rules_text.judge(ship, look, found)
    main = rules_amounts.judge(ship, look, found)
    rules_names.judge(ship, main, look, found)


compare = rules_together.judge
"""Add what shipments of a file break together."""
