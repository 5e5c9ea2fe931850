"""What stands beside an account: what holds declarations up, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crossborder.cli import common

if TYPE_CHECKING:
    from crossborder.engine import Holdup


def show_holdups(found: Sequence[Holdup]) -> None:
    """Each on a line: how many of what stand still and why, what waits for it, the remedy."""
    lang = common.lang()
    for holdup in found:
        common.line(
            f"{holdup.cause(lang)} → {holdup.remedy(lang)}",
            style="bold red" if holdup.person else "yellow",
        )
