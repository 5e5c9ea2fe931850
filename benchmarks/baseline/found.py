"""What a shipment is found to break, by what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Set


class Found:
    """Ids of rules: `refused` are those that refuse the shipment. Most shipments break none, so what holds them, what
    could not be judged and what is only noted has a set of its own once there is any."""

    __slots__ = ("others", "refused")

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.others: set[tuple[str, str]] | None = None

    def refuse(self, rule: str) -> None:
        """The shipment must not be sent."""
        self.refused.add(rule)

    def hold(self, rule: str) -> None:
        """It waits for a person."""
        self._other(rule, "held")

    def unjudge(self, rule: str) -> None:
        """It waits because the rule could not be judged."""
        self._other(rule, "unjudged")

    def note(self, rule: str) -> None:
        """It goes on."""
        self._other(rule, "noted")

    def grade(self, rule: str, *, refuse: bool) -> None:
        """Refused, or noted only."""
        (self.refuse if refuse else self.note)(rule)

    def _other(self, rule: str, follows: str) -> None:
        if self.others is None:
            self.others = set()
        self.others.add((rule, follows))

    @property
    def verdict(self) -> str:
        """`rejected`, else `not_evaluated`, else `on_hold`, else `valid`."""
        if self.refused:
            return "rejected"
        follows = {follows for _, follows in self.others or ()}
        if "unjudged" in follows:
            return "not_evaluated"
        return "on_hold" if "held" in follows else "valid"

    def each(self) -> Iterator[tuple[str, str]]:
        """(id, what follows) of everything that was found: refused, unjudged, held or noted."""
        yield from ((rule, "refused") for rule in self.refused)
        yield from self.others or ()

    def add(self, other: Found, without: Set[str]) -> None:
        """What was found apart from it, `without` some rules."""
        self.refused |= other.refused - without
        for rule, follows in other.others or ():
            if rule not in without:
                self._other(rule, follows)
