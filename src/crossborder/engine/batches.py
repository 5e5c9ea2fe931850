"""Recording a hand-in: drafts are composed, then shipments, findings, attempts and bytes go to the ledger in blocks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from crossborder import messages
from crossborder.engine import endpoints, profiles
from crossborder.engine.handing_in import HandIn
from crossborder.engine.results import Checked, findings_json
from crossborder.errors import LedgerError
from crossborder.keys import manifest_key, normalise
from crossborder.ledger import AttemptDraft, FindingRow, HouseRow, Ledger, ShipmentRow
from crossborder.settings import Endpoint

Progress = Callable[[int, int], None]
SMALL = 500
"""Batches below this many documents are always checked in full by libxml2 (issue B, composing)."""


@dataclass(frozen=True)
class Drafts:
    """What a hand-in becomes: draft documents with all that the ledger must know of them.

    `declarations`: `ship, endpoint, key, number, digest, xml`; `manifests`: `manifest, endpoint, key, part,
    number, master_waybill, voyage, direction, xml`; `houses`: `manifest, ship, key, house_waybill`;
    `left_out`: `ship, zh, en`.
    """

    declarations: pl.DataFrame
    manifests: pl.DataFrame
    houses: pl.DataFrame
    left_out: pl.DataFrame


def draft(
    hand_in: HandIn, ledger: Ledger, served: Mapping[str, Endpoint], form_of: Mapping[str, str], at: datetime
) -> Drafts:  # fmt: skip
    """Compose what is new: declarations of prepared shipments, manifests of houses that stand on none."""
    checked = hand_in.checked
    sender = profiles.sender(checked.profile)
    where = checked.frames.shipments.select("ship", endpoints.by_port(served).alias("endpoint"))
    declarations = _declarations(hand_in, where, served, form_of, sender, at)
    manifests, houses, left_out = _manifests(hand_in, where, ledger, served, form_of, sender, at)
    return Drafts(declarations, manifests, houses, left_out)


def _declarations(
    hand_in: HandIn, where: pl.DataFrame, served: Mapping[str, Endpoint], form_of: Mapping[str, str],
    sender: str, at: datetime,
) -> pl.DataFrame:  # fmt: skip
    todo = hand_in.plan.filter(pl.col("outcome") == "prepared").join(where, on="ship")
    parts = []
    for (name,), group in todo.group_by("endpoint", maintain_order=True):
        endpoint = served[str(name)]
        xml = messages.compose_declarations(
            hand_in.checked.frames.take(group["ship"]),
            form=form_of[str(name)],
            sender=sender,
            receiver=endpoint.receiver_id,
            at=at,
            ids=_draft_ids(sender, endpoint.receiver_id, at, group.height),
        )
        parts.append(group.join(xml.select("ship", "xml"), on="ship", maintain_order="left"))
    columns = ["ship", "endpoint", "key", "number", "digest", "xml"]
    empty = pl.DataFrame(schema=dict.fromkeys(columns, pl.String)).cast(
        {"ship": pl.UInt32, "number": pl.Int64}
    )
    return pl.concat([p.select(columns) for p in parts]).sort("ship") if parts else empty


def _manifests(
    hand_in: HandIn, where: pl.DataFrame, ledger: Ledger, served: Mapping[str, Endpoint],
    form_of: Mapping[str, str], sender: str, at: datetime,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:  # fmt: skip
    """Every readable shipment of a served district that stands on no live manifest, per endpoint."""
    frames = hand_in.checked.frames
    keyed = hand_in.plan.filter(pl.col("key").is_not_null() & (pl.col("outcome") != "unreadable"))
    listed = ledger.manifested(keyed["key"].to_list())
    todo = keyed.filter(~pl.col("key").is_in(list(listed))).join(
        where.filter(pl.col("endpoint").is_not_null()), on="ship"
    )
    documents, houses, left_out = [], [], []
    count = 0
    for (name,), group in todo.group_by("endpoint", maintain_order=True):
        endpoint = served[str(name)]
        own = frames.take(group["ship"])
        parts = _parts(messages.manifest_groups(own), ledger)
        for operation in ("ADD", "APD"):
            masters = [m for m, part in parts.items() if (part == 1) == (operation == "ADD")]
            chosen = own.take(_ships_of(own, masters))
            made = messages.compose_manifests(
                chosen, form=form_of[str(name)], sender=sender, receiver=endpoint.receiver_id, at=at,
                ids=_draft_ids(sender, endpoint.receiver_id, at, len(masters)), operation=operation,
            )  # fmt: skip
            documents += _manifest_rows(made.documents, str(name), parts, count, ledger)
            houses.append(made.houses.with_columns((pl.col("manifest") + count).cast(pl.UInt32)))
            left_out.append(made.left_out)
            count += made.documents.height
    keyless = hand_in.plan.filter(pl.col("key").is_null() & (pl.col("outcome") != "unreadable"))
    left_out.append(_without_key(keyless))
    named = hand_in.plan.select("ship", "key").join(
        frames.shipments.select("ship", "house_waybill"), on="ship"
    )
    return (
        pl.DataFrame(documents, schema=_MANIFEST, orient="row"),
        pl.concat(houses).join(named, on="ship") if houses else pl.DataFrame(schema=_HOUSES),
        pl.concat([part.cast({"ship": pl.UInt32}) for part in left_out]).unique("ship"),
    )


_MANIFEST: dict[str, pl.DataType | type[pl.DataType]] = {
    "manifest": pl.UInt32, "endpoint": pl.String, "key": pl.String, "number": pl.Int64,
    "master_waybill": pl.String, "voyage": pl.String, "direction": pl.String, "xml": pl.String,
}  # fmt: skip
_HOUSES: dict[str, pl.DataType | type[pl.DataType]] = {
    "manifest": pl.UInt32, "ship": pl.UInt32, "key": pl.String, "house_waybill": pl.String,
}  # fmt: skip

Group = tuple[str, str, str]


def _parts(groups: pl.DataFrame, ledger: Ledger) -> dict[Group, int]:
    """(master, voyage, direction), normalised → the part of the manifest now due: 1 is ADD, later ones APD."""
    found: dict[Group, int] = {}
    for master, voyage, direction in groups.select(
        "master_waybill", "voyage", "direction"
    ).iter_rows():
        stem = manifest_key(master, voyage, direction, 0)[:-1]
        found[(normalise(master), normalise(voyage), direction)] = (
            ledger.live_manifest_parts(stem) + 1
        )
    return found


def _ships_of(frames: messages.FrameSet, masters: list[Group]) -> pl.Series:
    wanted = pl.DataFrame(
        masters,
        schema=["m", "v", "d"],
        orient="row",
        schema_overrides=dict.fromkeys("mvd", pl.String),
    )
    from crossborder.keys import normalise_expr

    return frames.shipments.select(
        "ship",
        normalise_expr(pl.col("master_waybill")).alias("m"),
        normalise_expr(pl.col("voyage")).alias("v"),
        pl.col("direction").alias("d"),
    ).join(wanted, on=["m", "v", "d"], how="semi")["ship"]


def _manifest_rows(
    documents: pl.DataFrame, endpoint: str, parts: Mapping[Group, int], offset: int, ledger: Ledger
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for number, master, voyage, direction, xml in documents.select(
        "manifest", "master_waybill", "voyage", "direction", "xml"
    ).iter_rows():
        part = parts[(normalise(master), normalise(voyage), direction)]
        key = manifest_key(master, voyage, direction, part)
        known = ledger.known([key], kind="manifest")
        attempt = (known[0].number if known else 0) + 1
        rows.append((number + offset, endpoint, key, attempt, master, voyage, direction, xml))
    return rows


def _without_key(keyless: pl.DataFrame) -> pl.DataFrame:
    return keyless.select(
        "ship",
        pl.lit("缺少总运单号、分运单号或进出口标志，无法列入舱单").alias("zh"),
        pl.lit(
            "without master waybill, house waybill and direction it cannot stand on a manifest"
        ).alias("en"),
    )


def _draft_ids(sender: str, receiver: str, at: datetime, count: int) -> list[str]:
    """Ids of drafts: serial 0. The real id is reserved in the ledger when the document is queued."""
    return [messages.message_id(sender, receiver, at, 0)] * count
