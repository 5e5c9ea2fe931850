"""Drafts of a hand-in: declarations of what is new, manifests of houses that stand on none yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl
from lxml import etree

from crossborder import messages
from crossborder.engine import endpoints, profiles
from crossborder.engine.handing_in import HandIn
from crossborder.errors import SchemaError
from crossborder.keys import manifest_key, normalise, normalise_expr
from crossborder.ledger import Known, Ledger
from crossborder.settings import Endpoint
from crossborder.shipments import FrameSet

Schema = dict[str, pl.DataType | type[pl.DataType]]
DECLARATIONS: Schema = {
    "ship": pl.UInt32, "endpoint": pl.String, "key": pl.String, "digest": pl.String, "xml": pl.String,
}  # fmt: skip
MANIFESTS: Schema = {
    "manifest": pl.UInt32, "endpoint": pl.String, "key": pl.String, "master_waybill": pl.String,
    "voyage": pl.String, "direction": pl.String, "xml": pl.String,
}  # fmt: skip
HOUSES: Schema = {
    "manifest": pl.UInt32,
    "ship": pl.UInt32,
    "key": pl.String,
    "house_waybill": pl.String,
}
LEFT_OUT: Schema = {"ship": pl.UInt32, "zh": pl.String, "en": pl.String}


@dataclass(frozen=True)
class Drafts:
    """What a hand-in becomes; the frames have the columns of the schemas above."""

    declarations: pl.DataFrame
    manifests: pl.DataFrame
    houses: pl.DataFrame
    left_out: pl.DataFrame


def draft(hand_in: HandIn, ledger: Ledger, served: Mapping[str, Endpoint], at: datetime) -> Drafts:
    """Compose what is new. Nothing is recorded."""
    frames = hand_in.checked.frames
    where = frames.shipments.select("ship", endpoints.by_port(served).alias("endpoint"))
    manifests = _Manifests(hand_in, ledger, at)
    for (name,), group in _to_list(hand_in, where, ledger).group_by(
        "endpoint", maintain_order=True
    ):
        manifests.add(str(name), served[str(name)], frames.take(group["ship"]))
    return Drafts(
        _declarations(hand_in, where, served, at), manifests.documents(), manifests.houses(), manifests.left_out()
    )  # fmt: skip


def _declarations(
    hand_in: HandIn, where: pl.DataFrame, served: Mapping[str, Endpoint], at: datetime
) -> pl.DataFrame:
    todo = hand_in.plan.filter(pl.col("outcome") == "prepared").join(
        where, on="ship", maintain_order="left"
    )
    sender = profiles.sender(hand_in.checked.profile)
    parts = []
    for (name,), group in todo.group_by("endpoint", maintain_order=True):
        endpoint = served[str(name)]
        xml = messages.compose_declarations(
            hand_in.checked.frames.take(group["ship"]),
            form=endpoint.form,
            sender=sender,
            receiver=endpoint.receiver_id,
            at=at,
            ids=draft_ids(sender, endpoint.receiver_id, at, group.height),
        )
        parts.append(
            group.join(xml.select("ship", "xml"), on="ship", maintain_order="left").select(
                *DECLARATIONS
            )
        )
    return pl.concat(parts).sort("ship") if parts else pl.DataFrame(schema=DECLARATIONS)


def _to_list(hand_in: HandIn, where: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    """Readable shipments with a key, of a served district, that stand on no live manifest."""
    keyed = hand_in.plan.filter(
        pl.col("key").is_not_null() & (pl.col("outcome") != "unreadable")
    ).unique("key", keep="first", maintain_order=True)
    listed = [key for key, found in ledger.manifested(keyed["key"].to_list()).items() if found.live]
    return keyed.filter(~pl.col("key").is_in(listed)).join(
        where.filter(pl.col("endpoint").is_not_null()), on="ship", maintain_order="left"
    )


Group = tuple[str, str, str]
"""Master waybill, voyage (both normalised) and direction: what a manifest is whole for."""


class _Manifests:
    """Manifests of one hand-in: an ADD where none is live for the master waybill, else an APD."""

    def __init__(self, hand_in: HandIn, ledger: Ledger, at: datetime) -> None:
        self._hand_in = hand_in
        self._ledger = ledger
        self._at = at
        self._rows: list[tuple[object, ...]] = []
        self._houses: list[pl.DataFrame] = []
        self._left_out: list[pl.DataFrame] = []

    def add(self, name: str, endpoint: Endpoint, frames: FrameSet) -> None:
        """Manifests of the shipments of one endpoint."""
        live = {group: self._live_parts(group) for group in _groups(frames)}
        for operation in ("ADD", "APD"):
            chosen = [g for g, parts in live.items() if bool(parts) == (operation == "APD")]
            if chosen:
                self._compose(name, endpoint, _of_groups(frames, chosen), operation, live)

    def _compose(
        self, name: str, endpoint: Endpoint, frames: FrameSet, operation: Literal["ADD", "APD"],
        live: Mapping[Group, Sequence[Known]],
    ) -> None:  # fmt: skip
        firm = self._hand_in.checked.profile
        sender = profiles.sender(firm)
        groups = messages.manifest_groups(frames)
        made = messages.compose_manifests(
            frames, form=endpoint.form, sender=sender, receiver=endpoint.receiver_id, at=self._at,
            ids=draft_ids(sender, endpoint.receiver_id, self._at, groups.height), operation=operation,
            before=self._before(groups, live) if operation == "APD" else None, options=firm.options, most_houses=endpoint.max_houses,
        )  # fmt: skip
        first = len(self._rows)
        renumbered = {old: first + n for n, old in enumerate(made.documents["manifest"].to_list())}
        for old, master, voyage, direction, xml in made.documents.select(
            "manifest", "master_waybill", "voyage", "direction", "xml"
        ).iter_rows():
            part = len(live[(normalise(master), normalise(voyage), direction)]) + 1
            key = manifest_key(master, voyage, direction, part)
            self._rows.append((renumbered[old], name, key, master, voyage, direction, xml))
        self._houses.append(
            made.houses.with_columns(
                pl.col("manifest").replace_strict(renumbered, return_dtype=pl.UInt32)
            )
        )
        self._left_out.append(made.left_out.select(*LEFT_OUT))

    def _live_parts(self, group: Group) -> list[Known]:
        """The live attempts of a manifest, ADD first."""
        parts: list[Known] = []
        while True:
            key = manifest_key(*group, part=len(parts) + 1)
            found = [k for k in self._ledger.known([key], kind="manifest") if k.live]
            if not found:
                return parts
            parts.append(found[0])

    def _before(self, groups: pl.DataFrame, live: Mapping[Group, Sequence[Known]]) -> pl.DataFrame:
        """What stands on each manifest already: the totals of its last live part's head."""
        rows = []
        for master, voyage, direction in groups.select(
            "master_waybill", "voyage", "direction"
        ).iter_rows():
            last = live[(normalise(master), normalise(voyage), direction)][-1]
            head = manifest_head(self._ledger.payload(last.ref, self._at))
            rows.append(
                (master, voyage, direction, int(head["BillNum"]), head["PackNo"], head["GrossWt"])
            )
        schema: Schema = {
            "master_waybill": pl.String, "voyage": pl.String, "direction": pl.String, "houses": pl.UInt32,
            "pieces": pl.String, "gross_weight": pl.String,
        }  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row")

    def documents(self) -> pl.DataFrame:
        """Every manifest, columns of `MANIFESTS`."""
        return pl.DataFrame(self._rows, schema=MANIFESTS, orient="row")

    def houses(self) -> pl.DataFrame:
        """Which shipment stands on which, columns of `HOUSES`."""
        named = self._hand_in.plan.select("ship", "key").join(
            self._hand_in.checked.frames.shipments.select("ship", "house_waybill"), on="ship"
        )
        if not self._houses:
            return pl.DataFrame(schema=HOUSES)
        return pl.concat(self._houses).join(named, on="ship", maintain_order="left").select(*HOUSES)

    def left_out(self) -> pl.DataFrame:
        """Shipments on no manifest, with the reason, columns of `LEFT_OUT`."""
        keyless = self._hand_in.plan.filter(
            pl.col("key").is_null() | (pl.col("outcome") == "unreadable")
        ).select(
            "ship",
            pl.lit("缺少总运单号、分运单号或进出口标志，无法列入舱单").alias("zh"),
            pl.lit(
                "without master waybill, house waybill and direction it cannot stand on a manifest"
            ).alias("en"),
        )
        return pl.concat([*self._left_out, keyless]).unique("ship", keep="first").sort("ship")


def _groups(frames: FrameSet) -> list[Group]:
    return [
        (normalise(master), normalise(voyage), direction)
        for master, voyage, direction in messages.manifest_groups(frames)
        .select("master_waybill", "voyage", "direction")
        .iter_rows()
    ]


def _of_groups(frames: FrameSet, groups: Sequence[Group]) -> FrameSet:
    names = ["_master", "_voyage", "direction"]
    wanted = pl.DataFrame(groups, schema=names, orient="row")
    ships = (
        frames.shipments.select(
            "ship",
            normalise_expr(pl.col("master_waybill")).alias("_master"),
            normalise_expr(pl.col("voyage")).alias("_voyage"),
            "direction",
        )
        .join(wanted, on=names, how="semi", maintain_order="left")
        .get_column("ship")
    )
    return frames.take(ships)


def manifest_head(xml: bytes) -> dict[str, str]:
    """The head elements of one of our own manifests by local name. Raises `SchemaError`."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    found = etree.fromstring(xml, parser).find(".//{*}ExpMftHead")
    if found is None:
        raise SchemaError("a stored manifest has no head", "台账中的舱单没有表头")
    return {etree.QName(child).localname: child.text or "" for child in found}


def draft_ids(sender: str, receiver: str, at: datetime, count: int) -> list[str]:
    """Ids of drafts: serial 0. The real one is reserved in the ledger when the document is queued."""
    return [messages.message_id(sender, receiver, at, 0)] * count
