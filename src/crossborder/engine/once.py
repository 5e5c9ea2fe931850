"""Findings that are told once for many shipments: what is missing for all of them alike, an exchange rate.

Every shipment that misses it has a row of its own, from which its verdict follows and by which it is accepted; people and
programs are told once, with how many it concerns and which are the first. Counted block by block, in bounded size: a row
for each currency and month.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from crossborder import rules
from crossborder.shipments import findings as found

RULES = (rules.RATES,)
"""Ids of the rules that are told so."""

_ALIKE = ("rule", "severity", "action", "value", "zh", "en")
_SAID = ("column", "element", "fix_zh", "fix_en", "source")
_NAMED = 3
_LONGEST = 40

_COUNTED = {
    **{name: found.SCHEMA[name] for name in (*_ALIKE, *_SAID)},
    "count": pl.UInt32,
    "first": pl.List(pl.String),
}


def apart(findings: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(findings that are told as they are, rows of shipments that are told once for all)."""
    mine = findings.get_column("rule").is_in(RULES)
    if not mine.any():
        return findings, findings.clear()
    shared = mine & findings.get_column("ship").is_not_null()
    return findings.filter(~shared), findings.filter(shared)


def counted(once: pl.DataFrame) -> pl.DataFrame:
    """Of such rows: one for each thing that is missing, `count` shipments miss it, the `first` of them by name."""
    if not once.height:
        return pl.DataFrame(schema=_COUNTED)
    return once.group_by(_ALIKE, maintain_order=True).agg(
        pl.col(_SAID).first(),
        pl.col("ship").n_unique().cast(pl.UInt32).alias("count"),
        pl.col("shipment").unique(maintain_order=True).head(_NAMED).alias("first"),
    )


def summed(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Several answers of `counted`, about different shipments in their order, as one."""
    return (
        pl.concat(parts)
        .group_by(_ALIKE, maintain_order=True)
        .agg(
            pl.col(_SAID).first(),
            pl.col("count").sum().cast(pl.UInt32),
            pl.col("first").explode().drop_nulls().head(_NAMED),
        )
    )


def told(counts: pl.DataFrame) -> pl.DataFrame:
    """What is said of them: findings about the hand-in as a whole, those first that concern most shipments."""
    ordered = counts.sort("rule", "count", "value", "en", descending=[False, True, False, False])
    return found.build(_finding(row) for row in ordered.iter_rows(named=True))


def once_each(findings: pl.DataFrame) -> pl.DataFrame:
    """Findings with a row for each shipment, as they are told; what is told once comes last."""
    own, once = apart(findings)
    return found.gather([own, told(counted(once))]) if once.height else own


def _finding(row: dict[str, Any]) -> dict[str, Any]:
    zh, en = _concerned(row["count"], row["first"])
    said = {name: row[name] for name in (*_ALIKE, *_SAID)}
    return said | {"zh": f"{row['zh']}；{zh}", "en": f"{row['en']}; {en}"}


def _concerned(count: int, first: Iterable[str]) -> tuple[str, str]:
    """(zh, en): `涉及 5,000 票，如 A、B、C`."""
    names = [name[:_LONGEST] for name in first]
    zh, en = ("：", ": ") if count <= len(names) else ("，如 ", ", e.g. ")
    which = "shipment" if count == 1 else "shipments"
    return (
        f"涉及 {count:,} 票{zh}{'、'.join(names)}",
        f"it concerns {count:,} {which}{en}{', '.join(names)}",
    )
