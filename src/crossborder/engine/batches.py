"""Drafts of a hand-in: declarations of what is new, manifests of houses that stand on none yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Literal

import polars as pl

from crossborder import messages
from crossborder.engine import endpoints, profiles
from crossborder.engine.handing_in import HandIn
from crossborder.engine.standing import standing
from crossborder.keys import manifest_key, normalise, normalised
from crossborder.ledger import Ledger, ManifestPart
from crossborder.ledger.states import HELD
from crossborder.settings import Endpoint, Profile
from crossborder.shipments import FrameSet

Group = tuple[str, str, str]
"""Master waybill, voyage (both normalised) and direction: what a manifest is whole for."""
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
_COMPOSED = ("prepared", *HELD)


@dataclass(frozen=True)
class Listing:
    """Every shipment of some master waybills, with what their manifests need to know of them.

    `plan` is `ship, key, outcome, endpoint` (null where nobody serves its port). Of the columns of `frames` only
    `messages.manifest_columns()` need be filled. `survey` is what their manifests hold, where it is known already.
    """

    frames: FrameSet
    plan: pl.DataFrame
    firm: Profile
    survey: messages.Survey | None = None

    def narrowed(self, ships: pl.Series) -> Listing:
        """The same for some of the shipments only."""
        if ships.len() == self.frames.shipments.height:
            return self
        plan = self.plan.filter(pl.col("ship").is_in(ships.implode()))
        return Listing(self.frames.take(ships), plan, self.firm)

    def surveyed(self) -> messages.Survey:
        """What the manifests hold."""
        return self.survey or messages.survey_manifests(self.frames, self.firm.options)


@dataclass(frozen=True)
class Manifested:
    """Manifests of a listing; the frames have the columns of the schemas above."""

    manifests: pl.DataFrame
    houses: pl.DataFrame
    left_out: pl.DataFrame


def draft_declarations(
    hand_in: HandIn, served: Mapping[str, Endpoint], at: datetime, since: int = 0,
    elements: messages.Elements | None = None,
) -> pl.DataFrame:  # fmt: skip
    """A document for each prepared or held shipment from position `since` on, columns of `DECLARATIONS`, by `ship`.

    Held ones (`states.HELD`) are composed too: a person may let them pass when the file is gone.
    `elements` are those of all readable shipments, where they are known already.
    """
    where = hand_in.checked.frames.shipments.select(
        "ship", endpoints.by_port(served).alias("endpoint")
    )
    prepared = pl.col("outcome").is_in(_COMPOSED) & (pl.col("ship") >= since)
    todo = hand_in.plan.filter(prepared).join(where, on="ship", maintain_order="left")
    sender = profiles.sender(hand_in.checked.profile)
    parts = []
    for (name,), group in todo.group_by("endpoint", maintain_order=True):
        endpoint = served[str(name)]
        xml = messages.compose_declarations(
            _taken(hand_in.checked.frames, group["ship"]),
            form=endpoint.form,
            sender=sender,
            receiver=endpoint.receiver_id,
            at=at,
            ids=draft_ids(sender, endpoint.receiver_id, at, group.height),
            elements=elements.of(group["ship"]) if elements else None,
        )
        parts.append(
            group.join(xml.select("ship", "xml"), on="ship", maintain_order="left").select(
                *DECLARATIONS
            )
        )
    return pl.concat(parts).sort("ship") if parts else pl.DataFrame(schema=DECLARATIONS)


def _taken(frames: FrameSet, ships: pl.Series) -> FrameSet:
    """Some shipments of frames, mostly all of them."""
    return frames if ships.len() == frames.shipments.height else frames.take(ships)


def draft_manifests(
    listing: Listing, ledger: Ledger, served: Mapping[str, Endpoint], at: datetime, own_batch: str,
    done: Sequence[str] = (),
) -> Manifested:  # fmt: skip
    """Manifests of houses that stand on none yet. Every shipment stands on one or in `left_out`.

    `done` are keys of manifests that `own_batch` recorded before a crash. They stay as they are: they are not
    drafted again, and their shipments are in neither answer.
    """
    listing = _without(listing, [_part_of(key) for key in done])
    keyed = listing.plan.filter(
        pl.col("key").is_not_null() & (pl.col("outcome") != "unreadable")
    ).unique("key", keep="first", maintain_order=True)
    listed = list(ledger.manifested(keyed["key"].to_list(), beside=own_batch))
    manifests = _Manifests(listing, ledger, at, listed)
    new = keyed.filter(~pl.col("key").is_in(listed))
    for (name,), group in _placed(new, listing.frames, ledger, served).group_by(
        "endpoint", maintain_order=True
    ):
        if name is None:
            manifests.leave_unserved(group["ship"])
        else:
            manifests.add(str(name), served[str(name)], listing.narrowed(group["ship"]))
    houses = manifests.houses()
    return Manifested(manifests.documents(), houses, manifests.left_out(houses))


def _without(listing: Listing, groups: Sequence[Group]) -> Listing:
    """The listing without the shipments of some manifests."""
    if not groups:
        return listing
    names = ["_master", "_voyage", "direction"]
    wanted = pl.DataFrame(groups, schema=names, orient="row")
    left = _group_columns(listing.frames).join(wanted, on=names, how="anti", maintain_order="left")
    return listing.narrowed(left["ship"])


def _part_of(key: str) -> Group:
    """What a manifest is whole for, from its key."""
    master, voyage, direction, _ = key.rsplit("|", 3)
    return master, voyage, direction


def _placed(
    new: pl.DataFrame, frames: FrameSet, ledger: Ledger, served: Mapping[str, Endpoint]
) -> pl.DataFrame:
    """`ship, endpoint` of shipments that stand on no live manifest.

    A manifest is whole: all shipments of one go to one endpoint, where it is live already, else where most of
    them are declared (the first of equals); null where nobody serves any of them.
    """
    names = ["_master", "_voyage", "direction"]
    new = new.select("ship", "endpoint").join(
        _group_columns(frames), on="ship", maintain_order="left"
    )
    chosen = (
        new.filter(pl.col("endpoint").is_not_null())
        .group_by(*names, "endpoint", maintain_order=True)
        .len()
        .sort("len", descending=True, maintain_order=True)
        .unique(names, keep="first", maintain_order=True)
        .select(*names, "endpoint")
    )
    live = _live_at(new.select(names).unique(maintain_order=True), ledger, served)
    chosen = pl.concat([live, chosen]).unique(names, keep="first", maintain_order=True)
    return new.drop("endpoint").join(
        chosen, on=names, how="left", nulls_equal=True, maintain_order="left"
    )


def _live_at(groups: pl.DataFrame, ledger: Ledger, served: Mapping[str, Endpoint]) -> pl.DataFrame:
    """`_master, _voyage, direction, endpoint` of the groups whose manifest is live at an endpoint of ours."""
    keys = {
        manifest_key(master, voyage or "", direction, 1): (master, voyage, direction)
        for master, voyage, direction in groups.iter_rows()
    }
    rows = [
        (*keys[known.key], known.endpoint)
        for known in ledger.known(list(keys), kind="manifest")
        if known.live and known.endpoint in served
    ]
    schema = {**groups.schema, "endpoint": pl.String()}
    return pl.DataFrame(rows, schema=schema, orient="row")


class _Manifests:
    """Manifests of one listing: an ADD where none is live for the master waybill, else an APD."""

    def __init__(
        self, listing: Listing, ledger: Ledger, at: datetime, listed: Sequence[str]
    ) -> None:
        self._listing = listing
        self._ledger = ledger
        self._at = at
        self._listed = listed
        self._rows: list[tuple[object, ...]] = []
        self._houses: list[pl.DataFrame] = []
        self._left_out: list[pl.DataFrame] = []

    def leave_unserved(self, ships: pl.Series) -> None:
        """Shipments of a district that no endpoint serves: nobody takes their manifest."""
        reason = {
            "zh": "申报口岸没有对应的端点，无法报送舱单",
            "en": "no endpoint serves its port of declaration",
        }
        self._left_out.append(
            pl.DataFrame({"ship": ships}).select(
                "ship", *(pl.lit(text).alias(lang) for lang, text in reason.items())
            )
        )

    def add(self, name: str, endpoint: Endpoint, listing: Listing) -> None:
        """Manifests of the shipments of one endpoint."""
        found = listing.surveyed()
        live = self._live_parts(_groups(found))
        for operation in ("ADD", "APD"):
            chosen = [g for g, parts in live.items() if bool(parts) == (operation == "APD")]
            if len(chosen) == len(live):
                self._compose(name, endpoint, listing, found, operation, live)
            elif chosen:
                part = listing.narrowed(_of_groups(listing.frames, chosen))
                self._compose(name, endpoint, part, part.surveyed(), operation, live)

    def _compose(
        self, name: str, endpoint: Endpoint, listing: Listing, found: messages.Survey,
        operation: Literal["ADD", "APD"], live: Mapping[Group, Sequence[ManifestPart]],
    ) -> None:  # fmt: skip
        sender, options = profiles.sender(listing.firm), listing.firm.options
        made = messages.compose_manifests(
            listing.frames, form=endpoint.form, sender=sender, receiver=endpoint.receiver_id, at=self._at,
            ids=draft_ids(sender, endpoint.receiver_id, self._at, found.groups.height), operation=operation,
            before=self._before(found.groups, live) if operation == "APD" else None, options=options,
            most_houses=endpoint.max_houses, surveyed=found,
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

    def _live_parts(self, groups: Sequence[Group]) -> dict[Group, list[ManifestPart]]:
        """The live parts of each manifest, ADD first, as far as none is missing between them."""
        first = {manifest_key(*group, part=1): group for group in groups}
        parts: dict[Group, list[ManifestPart]] = {group: [] for group in groups}
        for known in self._ledger.known(list(first), kind="manifest"):
            if known.live:
                group = first[known.key]
                found = self._ledger.live_manifest_parts(f"{'|'.join(group)}|")
                own = takewhile(lambda pair: pair[0] == pair[1].part, enumerate(found, 1))
                parts[group] = [part for _, part in own]
        return parts

    def _before(
        self, groups: pl.DataFrame, live: Mapping[Group, Sequence[ManifestPart]]
    ) -> pl.DataFrame:
        """What stands on each manifest already: the lines of its live parts that customs has not refused."""
        rows = []
        for master, voyage, direction in groups.select(
            "master_waybill", "voyage", "direction"
        ).iter_rows():
            parts = live[(normalise(master), normalise(voyage), direction)]
            sums = standing(self._ledger, parts, direction, self._at)
            rows.append((master, voyage, direction, *sums.told()))
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
        named = self._listing.plan.select("ship", "key").join(
            self._listing.frames.shipments.select("ship", "house_waybill"), on="ship"
        )
        if not self._houses:
            return pl.DataFrame(schema=HOUSES)
        return pl.concat(self._houses).join(named, on="ship", maintain_order="left").select(*HOUSES)

    def left_out(self, houses: pl.DataFrame) -> pl.DataFrame:
        """Shipments on no manifest (`houses` are all that stand on one), with the reason, columns of `LEFT_OUT`."""
        missing = self._listing.plan.filter(
            pl.col("key").is_null()
            | (pl.col("outcome") == "unreadable")
            | ~(pl.col("key").is_in(self._listed) | pl.col("ship").is_in(houses["ship"].implode()))
        ).select("ship", twice=pl.col("key").is_in(houses["key"].implode()).fill_null(value=False))
        told = [*self._left_out, pl.DataFrame(schema=LEFT_OUT)]
        reasons = pl.concat(told).unique("ship", keep="first")
        return (
            missing.join(reasons, on="ship", how="left", maintain_order="left")
            .with_columns(
                pl.coalesce("zh", pl.when("twice").then(pl.lit(_TWICE[0])), pl.lit(_KEYLESS[0])).alias("zh"),
                pl.coalesce("en", pl.when("twice").then(pl.lit(_TWICE[1])), pl.lit(_KEYLESS[1])).alias("en"),
            )
            .select(*LEFT_OUT)
            .sort("ship")
        )  # fmt: skip


_KEYLESS = (
    "缺少总运单号、航次号、分运单号或进出口标志，无法列入舱单",
    "without master waybill, voyage, house waybill and direction it cannot stand on a manifest",
)
_TWICE = (
    "同一分运单号在文件中出现多次，舱单只列一次",
    "its house waybill stands more than once in the file, and once on the manifest",
)


def _groups(found: messages.Survey) -> list[Group]:
    return [
        (normalise(master), normalise(voyage), direction)
        for master, voyage, direction in found.groups.select(
            "master_waybill", "voyage", "direction"
        ).iter_rows()
    ]


def _group_columns(frames: FrameSet) -> pl.DataFrame:
    """`ship, _master, _voyage, direction`: what a manifest is whole for, compared normalised."""
    ships = frames.shipments
    return ships.select(
        "ship",
        normalised(ships["master_waybill"]).alias("_master"),
        normalised(ships["voyage"]).alias("_voyage"),
        "direction",
    )


def _of_groups(frames: FrameSet, groups: Sequence[Group]) -> pl.Series:
    """The shipments of some manifests."""
    names = ["_master", "_voyage", "direction"]
    wanted = pl.DataFrame(groups, schema=names, orient="row")
    return (
        _group_columns(frames)
        .join(wanted, on=names, how="semi", maintain_order="left")
        .get_column("ship")
    )


def draft_ids(sender: str, receiver: str, at: datetime, count: int) -> list[str]:
    """Ids of drafts: serial 0. The real one is reserved in the ledger when the document is queued."""
    return [messages.message_id(sender, receiver, at, 0)] * count
