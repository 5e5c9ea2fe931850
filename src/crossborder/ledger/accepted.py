"""What a person accepted, and what accepting moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Acceptance:
    """A rule that a person accepted for a batch, or (`positions`) for some of its shipments; `passed`: how many that freed."""

    batch_id: str
    rule: str
    at: str
    who: str
    reason: str
    positions: frozenset[int] | None
    passed: int

    def holds_for(self, position: int) -> bool:
        """Whether it was accepted for this shipment."""
        return self.positions is None or position in self.positions

    def covers(self, positions: frozenset[int] | None) -> bool:
        """Whether it was accepted for all of these shipments (None: the whole batch)."""
        if self.positions is None or positions is None:
            return self.positions is None
        return positions <= self.positions


@dataclass(frozen=True)
class Accepted:
    """What accepting a rule moves, or (dry run) would move.

    `waiting` shipments wait for the rule: `prepared` of them become a declaration that can be submitted,
    `already_filed` are filed with the same content since, `staying` do not move; `by`: what keeps how many of these (a
    rule, or `repeated`, `filed_otherwise`, `no_document`), `examples` names the first with what keeps them. `again`: it
    had been accepted before.
    """

    batch: str
    rule: str
    dry_run: bool
    again: bool
    waiting: int
    prepared: int
    already_filed: int
    by: Mapping[str, int]
    examples: Sequence[tuple[str, tuple[str, ...]]]
    staying: int
