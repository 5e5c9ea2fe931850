"""What a person must look at: what holds declarations up, what receipts brought, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crossborder.cli import common
from crossborder.cli.words import t

if TYPE_CHECKING:
    from crossborder.engine import Brought, Holdup


def show_holdups(found: Sequence[Holdup]) -> None:
    """Each on a line: how many of what stand still and why, what waits for it, the remedy."""
    lang = common.lang()
    for holdup in found:
        common.line(
            f"{holdup.cause(lang)} → {holdup.remedy(lang)}",
            style="bold red" if holdup.person else "yellow",
        )


def show_brought(brought: Sequence[Brought]) -> None:
    """What this run brought that needs a person: a line per kind, with count, examples and what to do."""
    from crossborder.reports import label

    for one in brought:
        word = label(one.what, "zh") if common.lang() == "zh" else one.what.replace("_", " ")
        kind = f"{word} {one.code}".rstrip()
        named = ", ".join(one.examples) + (" …" if one.count > len(one.examples) else "")
        common.line(f"{kind} × {one.count:,}: {named} → {t(one.zh, one.en)}", style="bold red")
