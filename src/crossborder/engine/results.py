"""What the façade answers with: frozen dataclasses around polars frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from crossborder.engine import once
from crossborder.intake import Digest, SourceTable
from crossborder.settings import Operator, Profile
from crossborder.shipments import FrameSet, content_digests
from crossborder.shipments.findings import TO_GENERAL, VERDICTS

FORMAT = 1
"""Version of every JSON answer."""

JSON_FIELDS = (
    "sheet", "row", "column", "element", "shipment", "master", "rule", "severity", "value", "zh", "en",
    "fix", "suggest", "source",
)  # fmt: skip


def findings_json(findings: pl.DataFrame, lang: str = "en") -> list[dict[str, Any]]:
    """Findings as the CLI and the service show them; `fix` is in the asked language."""
    return findings_frame(findings, lang).to_dicts()


def findings_frame(findings: pl.DataFrame, lang: str) -> pl.DataFrame:
    """The columns that are shown, `JSON_FIELDS`."""
    fix = pl.col("fix_zh" if lang == "zh" else "fix_en").alias("fix")
    return findings.with_columns(fix).select(JSON_FIELDS)


@dataclass(frozen=True)
class Checked:
    """A hand-in after intake, classification and every check. Nothing was stored, nothing was sent.

    `frames` hold the shipments after the profile filled what the file left empty; `verdicts` is
    `ship, verdict` (valid, rejected, not_evaluated, on_hold, to_general). `by_shipment` has a finding of its own for every shipment
    that is at fault or held, and those about the file (columns of `crossborder.shipments.findings.SCHEMA`): what verdicts
    follow from; `findings` is the same as it is told. `unevaluated` lists rules that did not run for want of facts:
    `rule, reason_zh, reason_en`.
    Thread-safe: nothing in it changes.
    """

    frames: FrameSet
    by_shipment: pl.DataFrame
    verdicts: pl.DataFrame
    unevaluated: pl.DataFrame
    rows: int
    mapping: str
    source_name: str
    source_hash: Digest | str
    source: SourceTable
    profile: Profile
    operator: Operator
    declared_on: str
    given: FrameSet
    """The shipments as the file gave them, before the profile filled anything."""

    @property
    def source_digest(self) -> str:
        """The SHA-256 (hex) of the file's bytes, or of a frame's text; made when it is first asked for."""
        return str(self.source_hash)

    @cached_property
    def digests(self) -> pl.DataFrame:
        """`ship`, `digest` of what the file itself said; made when it is first asked for."""
        return content_digests(self.given)

    @cached_property
    def findings(self) -> pl.DataFrame:
        """What people and programs are told: as `by_shipment`, but a missing exchange rate once for currency and month.

        Such a finding (LIM-12, `ship` null) says how many shipments it concerns, and names the first ones.
        """
        return once.once_each(self.by_shipment)

    @property
    def counts(self) -> dict[str, int]:
        """`rows`, `shipments` and the four verdicts, which add up to `shipments`; `to_general`, how many of the rejected
        leave the express flow."""
        by_verdict = dict(self.verdicts.group_by("verdict").len().iter_rows())
        return {
            "rows": self.rows,
            "shipments": self.verdicts.height,
            **{v: by_verdict.get(v, 0) for v in VERDICTS},
            "rejected": by_verdict.get("rejected", 0) + by_verdict.get(TO_GENERAL, 0),
            TO_GENERAL: by_verdict.get(TO_GENERAL, 0),
        }

    def of(self, *verdicts: str) -> pl.DataFrame:
        """The shipments frame of some verdicts."""
        ships = self.verdicts.filter(pl.col("verdict").is_in(verdicts))["ship"]
        return self.frames.shipments.filter(pl.col("ship").is_in(ships.implode()))

    @property
    def valid(self) -> pl.DataFrame:
        """Shipments that may be composed and filed."""
        return self.of("valid")

    @property
    def rejected(self) -> pl.DataFrame:
        """Shipments that must not be sent by express: with a finding that rejects, or fitting no class (`to_general`)."""
        return self.of("rejected", TO_GENERAL)

    @property
    def not_evaluated(self) -> pl.DataFrame:
        """Shipments held because a rule could not be evaluated."""
        return self.of("not_evaluated")

    @property
    def on_hold(self) -> pl.DataFrame:
        """Shipments that wait for a person."""
        return self.of("on_hold")

    @property
    def to_general(self) -> pl.DataFrame:
        """Those of the rejected that fit none of the express classes: they are declared as ordinary goods, outside this
        flow."""
        return self.of(TO_GENERAL)

    def as_json(self, lang: str = "en") -> dict[str, Any]:
        """The answer of `crossborder check --json`."""
        return {"format": FORMAT, **self.counts, "findings": findings_json(self.findings, lang)}


@dataclass(frozen=True)
class Composed:
    """XML documents of a hand-in: declarations (one per valid shipment) and manifests (one per master).

    `documents`: `message_type, key, ship (null for a manifest), manifest (null for a declaration), message_id,
    xml (String)`. `houses`: `manifest, ship`, which shipment stands on which manifest. `left_out`: `ship, zh, en`,
    shipments that no manifest line can be written for. Thread-safe: nothing in it changes.
    """

    documents: pl.DataFrame
    houses: pl.DataFrame
    left_out: pl.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """Documents by message type."""
        return dict(self.documents.group_by("message_type").len().sort("message_type").iter_rows())

    def iter_messages(self) -> Iterator[tuple[str, bytes]]:
        """(business key, bytes) of every document, manifests first."""
        for key, xml in self.documents.select("key", "xml").iter_rows():
            yield key, xml.encode("utf-8")


@dataclass(frozen=True)
class Receipts:
    """Receipts read: `lines`, one row per thing said; `problems`, what could not be read and why.

    Columns as `crossborder.messages.ReceiptSet`. Thread-safe: nothing in it changes.
    """

    lines: pl.DataFrame
    problems: pl.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """Lines by message type, and `unreadable`."""
        found = dict(self.lines.group_by("message_type").len().sort("message_type").iter_rows())
        return {**found, "unreadable": self.problems.height}
