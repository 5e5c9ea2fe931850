"""A block of a hand-in as the ledger takes it: rows as tuples straight from columns, documents in one piece."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import cast

import polars as pl

from crossborder.engine import utf8
from crossborder.engine.batches import Manifested
from crossborder.engine.handing_in import HandIn
from crossborder.engine.results import JSON_FIELDS
from crossborder.keys import normalised
from crossborder.ledger import (
    AttemptRow,
    Attempts,
    FindingRow,
    Marked,
    Payload,
    ShipmentRow,
)
from crossborder.ledger.driver import rows_of
from crossborder.ledger.states import HELD


@dataclass(frozen=True)
class Piece:
    """Shipments from position `first` on, by position; declarations belong to prepared ones of them, `held` to those
    that wait for a person.

    `replaced`: (position, attempt) of attempts that give way to these shipments. `marked`: what they may have in common
    with shipments of other batches.
    """

    first: int
    shipments: Sequence[ShipmentRow]
    declarations: Attempts
    findings: Sequence[FindingRow]
    replaced: Sequence[tuple[int, int]] = ()
    marked: Marked | None = None
    held: Attempts | None = None

    @property
    def stop(self) -> int:
        """The position after the last one."""
        return self.first + len(self.shipments)

    def part(self, first: int, stop: int) -> Piece:
        """Its shipments from `first` to before `stop`, with what belongs to them."""
        if (first, stop) == (self.first, self.stop):
            return self
        own = [f for f in self.findings if f[0] is not None and first <= f[0] < stop]
        rows = self.shipments[first - self.first : stop - self.first]
        replaced = [r for r in self.replaced if first <= r[0] < stop]
        marked = self.marked and self.marked.part(first, stop)
        held = self.held and self.held.part(first, stop)
        return Piece(first, rows, self.declarations.part(first, stop), own, replaced, marked, held)

    def without(self, keys: Collection[str]) -> Piece:
        """The same, but these keys are not prepared: their shipments are rejected."""
        rows = [
            row if row[1] not in keys or row[9] != "prepared" else (*row[:9], "rejected", *row[10:])
            for row in self.shipments
        ]
        dropped = [n for n, row in enumerate(self.declarations.rows) if row[2] in keys]
        shipments = cast("list[ShipmentRow]", rows)
        kept = [r for r in self.replaced if self.shipments[r[0] - self.first][1] not in keys]
        declarations = self.declarations.without(dropped)
        return replace(self, shipments=shipments, declarations=declarations, replaced=kept)


def piece_of(hand_in: HandIn, documents: pl.DataFrame, marked: Marked | None = None) -> Piece:
    """A hand-in (or block) and its documents as `batches.draft_declarations` gives them; findings of shipments only."""
    rows = shipment_rows(hand_in)
    first = rows[0][0] if rows else 0
    about = hand_in.checked.by_shipment.filter(pl.col("ship").is_not_null())
    replaced = hand_in.plan.filter(pl.col("replaces").is_not_null()).unique(
        "replaces", keep="first"
    )
    waits = hand_in.plan.filter(pl.col("outcome").is_in(HELD))
    held = None
    if waits.height:
        held = declarations(
            hand_in, documents.join(waits, on="ship", how="semi", maintain_order="left")
        )
        documents = documents.join(waits, on="ship", how="anti", maintain_order="left")
    return Piece(
        first, rows, declarations(hand_in, documents), finding_rows(about),
        cast("list[tuple[int, int]]", replaced.select("ship", "replaces").rows()), marked, held,
    )  # fmt: skip


def shipment_rows(hand_in: HandIn) -> list[ShipmentRow]:
    """Every shipment in the order of `ShipmentRow`, by position."""
    kind = pl.col("declaration_class").str.slice(0, 1)
    heads = hand_in.checked.frames.shipments.join(hand_in.plan, on="ship", maintain_order="left")
    if not heads["ship"].is_sorted():
        heads = heads.sort("ship")
    wanted = heads.select(
        "ship", "key", "master_waybill", "house_waybill",
        pl.coalesce("house_waybill", pl.format("#{}", "row")).alias("shown_as"),
        pl.when(pl.col("direction").is_in(["I", "E"])).then("direction"),
        pl.when(kind != "").then(kind),
        ranges(heads["rows"]),
        pl.col("rows").list.len().alias("row_count"),
        "outcome", "digest", "attempt_id",
        normalised(heads["house_waybill"]).alias("house_key"),
    )  # fmt: skip
    return cast("list[ShipmentRow]", rows_of(wanted))


def ranges(rows: pl.Series) -> pl.Series:
    """Source rows of each shipment in short: `[5, 6, 7]` → `5-7`, `[5, 6, 7, 9]` → `5-7,9`."""
    frame = pl.DataFrame({"rows": rows})
    first, last, count = (
        pl.col("rows").list.min(),
        pl.col("rows").list.max(),
        pl.col("rows").list.len(),
    )
    short = (
        pl.when(count == 1)
        .then(pl.format("{}", first))
        .when(last - first + 1 == count)
        .then(pl.format("{}-{}", first, last))
    )
    made = frame.select(short.alias("rows")).to_series()
    if not made.null_count():
        return made
    apart = made.is_null().arg_true()
    texts = [_ranges(rows[position]) for position in apart]
    return made.scatter(apart, pl.Series(texts, dtype=pl.String))


def _ranges(rows: pl.Series) -> str:
    parts: list[list[int]] = []
    for row in rows.sort():
        if parts and row == parts[-1][1] + 1:
            parts[-1][1] = row
        else:
            parts.append([row, row])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def declarations(hand_in: HandIn, documents: pl.DataFrame) -> Attempts:
    """Declarations with their documents, by position."""
    facts = hand_in.checked.frames.shipments.select(
        "ship", "master_waybill", "house_waybill", "voyage", "direction"
    )
    rows = documents.join(facts, on="ship", maintain_order="left").select(
        pl.lit("declaration").alias("kind"), pl.lit("EXP301").alias("type"), "key", "endpoint", "master_waybill",
        "house_waybill", "voyage", "direction", "digest",
    )  # fmt: skip
    return Attempts(
        cast("list[AttemptRow]", rows_of(rows)),
        documents["ship"].to_list(),
        payload(documents["xml"]),
    )


def payload(documents: pl.Series) -> Payload:
    """Documents as UTF-8 one after another, where polars keeps them."""
    return Payload.cut(*utf8.runs(documents))


def manifests(made: Manifested) -> Attempts:
    """Manifests with the houses they list, by position."""
    bodies = payload(made.manifests["xml"])
    rows = made.manifests.select(
        pl.lit("manifest").alias("kind"), pl.lit("EXP311").alias("type"), "key", "endpoint", "master_waybill",
        pl.lit(None, dtype=pl.String).alias("house_waybill"), "voyage", "direction",
        pl.Series("digest", map(_content, bodies.bodies()), dtype=pl.String),
    )  # fmt: skip
    houses = made.houses.sort("manifest", "key").select("manifest", "key", "house_waybill")
    return Attempts(
        cast("list[AttemptRow]", rows_of(rows)), [None] * rows.height, bodies,
        cast("list[tuple[int, str, str]]", rows_of(houses)),
    )  # fmt: skip


_DATA = re.compile(rb"<Data>.*</Data>", re.DOTALL)


def _content(body: memoryview) -> str:
    """SHA-256 of a manifest's own data: without envelope, so without id and moment."""
    found = _DATA.search(body)
    return hashlib.sha256(found[0] if found else body).hexdigest()


def finding_rows(findings: pl.DataFrame) -> list[FindingRow]:
    """Findings with their text in both languages as JSON, by position."""
    if not findings.height:
        return []
    fields = [pl.col("fix_en").alias("fix") if n == "fix" else pl.col(n) for n in JSON_FIELDS]
    record = pl.struct(*fields, "fix_zh", "action").struct.json_encode()
    rows = findings.sort("ship", nulls_last=True, maintain_order=True).select(
        "ship", "rule", "severity", "action", record.alias("record")
    )
    return cast("list[FindingRow]", rows_of(rows))
