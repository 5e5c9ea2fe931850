"""A firm for tests: files of a composed day, a home folder with its engine, and a simulated port with both doors."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from crossborder import samples
from crossborder.engine import Engine, Prepared
from crossborder.samples import Sample
from crossborder.sandbox import EndpointSpec, Faults, Mix, Sandbox
from crossborder.settings import Endpoint, Settings

HTTP, FOLDER = "hangzhou", "ningbo"
DISTRICTS = {HTTP: ("29",), FOLDER: ("31",)}
PORTS = {HTTP: ("2901",), FOLDER: ("3101",)}
RELEASED = Mix.load().with_shares(**{"11": 1})
"""A port that releases everything that is not forced otherwise by its ending."""


@cache
def day(count: int = 6, seed: int = 7, direction: str = "I", port: str = "2901") -> Sample:
    """A clean composed day; every shipment is declared at `port`."""
    return samples.compose(count, seed, direction=direction, districts=(port,))


def changed(sample: Sample, column: str, values: Mapping[int, str | None], frame: str = "shipments") -> Sample:  # fmt: skip
    """The sample with other values of a column at some shipments (by position)."""
    old: pl.DataFrame = getattr(sample.frames, frame)
    at = pl.DataFrame(
        {"ship": list(values), "_new": list(values.values())},
        schema={"ship": pl.UInt32, "_new": pl.String},
    )
    new = (
        old.join(at.with_columns(_hit=True), on="ship", how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("_hit").fill_null(value=False))
            .then(pl.col("_new"))
            .otherwise(pl.col(column))
            .alias(column)
        )
        .select(old.columns)
    )
    return dataclasses.replace(sample, frames=dataclasses.replace(sample.frames, **{frame: new}))


def ending(sample: Sample, endings: Mapping[int, str]) -> Sample:
    """The sample with house waybills that end so at some shipments: `{0: "SBD1"}`."""
    houses = sample.frames.shipments["house_waybill"].to_list()
    return changed(sample, "house_waybill", {n: houses[n][:-4] + end for n, end in endings.items()})


def only(sample: Sample, ships: Sequence[int]) -> Sample:
    """Some shipments of the sample."""
    return dataclasses.replace(sample, frames=sample.frames.take(pl.Series(ships, dtype=pl.UInt32)))


def houses(sample: Sample) -> list[str]:
    """House waybills in the order of the file."""
    return list(sample.frames.shipments["house_waybill"])


def rows(sample: Sample) -> int:
    """Goods lines, which are the rows of the file."""
    return sample.frames.goods.height


def put(sample: Sample, file: Path) -> Path:
    """Write the sample as a file with element names."""
    samples.write(sample, "elements", file)
    return file


class Firm:
    """One home folder and its engine, filing to one sandbox."""

    def __init__(self, folder: Path, sandbox: Sandbox | None, **changes: Any) -> None:
        self.folder, self.sandbox = folder, sandbox
        self.home = folder / "home"
        self.settings = Settings(profile="demo", endpoints=endpoints(sandbox, **changes))
        self.engine = Engine(self.settings, home=self.home)
        self._files = 0

    def file(self, sample: Sample, name: str = "") -> Path:
        """The sample as a file of this firm."""
        self._files += 1
        return put(sample, self.folder / (name or f"day-{self._files}.csv"))

    def prepare(self, sample: Sample, **asked: Any) -> Any:
        """Hand a sample in."""
        return self.engine.prepare(self.file(sample), mapping="elements", **asked)

    def settled(self) -> None:
        """Wait until the port has answered everything it will answer, then take the answers in."""
        assert self.sandbox is not None
        assert self.sandbox.wait_idle()
        self.engine.receive()

    def flow(self, sample: Sample, wait: float = 20.0) -> str:
        """Prepare, submit, receive; the batch."""
        batch = self.prepare(sample).batch
        self.engine.submit([batch], wait=wait)
        self.settled()
        return str(batch)

    def lines(self, *batches: str) -> dict[str, int]:
        """The account in shipments, lines that are not empty, without `handed_in`."""
        account = self.engine.account(batches)
        return {n: pair[0] for n, pair in account.items() if n != "handed_in" and pair[0]}

    def states(self, *batches: str) -> dict[str, str]:
        """House waybill → state of the latest declaration."""
        return {
            a["house_waybill"]: a["state"]
            for a in self.engine.attempts(batches=batches)
            if a["message_type"] == "EXP301"
        }

    def findings(self, done: Prepared, **wanted: str) -> list[dict[str, Any]]:
        """The findings kept with a batch (those with the wanted values), each with the `position` of its shipment."""
        kept = self.engine.ledger.findings_of(done.batch)
        told = [json.loads(row.record) | {"position": row.position} for row in kept]
        return [f for f in told if wanted.items() <= f.items()]

    def houses_that_are(self, done: Prepared, outcome: str) -> list[str | None]:
        """House waybills of a batch by what became of them."""
        return [s.house_waybill for s in self.engine.ledger.shipments_in(done.batch, outcome)]

    def arrivals(self, message_type: str = "EXP301") -> Counter[str]:
        """House (or master) waybill → messages that it took, at both doors, repeated ids counted.

        What lies in an OutBox is sent but not taken: the port is waited for first.
        """
        assert self.sandbox is not None
        assert self.sandbox.wait_idle()
        found: Counter[str] = Counter()
        for name in self.sandbox.endpoints:
            for message in self.sandbox.account(name)["messages"]:
                if message["message_type"] == message_type:
                    found[message["house"] or message["master"]] += (
                        message["arrivals"] - message["not_taken"]
                    )
        return found

    def balanced(self, *batches: str) -> None:
        """The account adds up in shipments and rows, and nothing differs, also from what the port says."""
        proof = self.engine.reconcile(batches)
        for column in (0, 1):
            assert (
                sum(p[column] for n, p in proof.account.items() if n != "handed_in")
                == (proof.account["handed_in"][column])
            )
        assert proof.differences == [], proof.differences


def endpoints(sandbox: Sandbox | None, **changes: Any) -> dict[str, Endpoint]:
    """Hangzhou over http and Ningbo through folders, quick; `transport_for` names other transports."""
    other = changes.pop("transport_for", {})
    quick = {
        "poll_seconds": 0.05, "settle_seconds": 0.1, "retry_seconds": 0.05, "timeout_seconds": 10.0, "profile": "demo",
    } | changes  # fmt: skip
    made = {}
    for name, transport in ((HTTP, "http"), (FOLDER, "folder")):
        address = account = ""
        if sandbox is not None and name in sandbox.endpoints:
            boxes = sandbox.boxes(name)
            address = sandbox.address(name) if transport == "http" else str(boxes)
            account = f"{sandbox.base}/{name}/account" if sandbox.base else ""
        made[name] = Endpoint(
            transport=other.get(name, transport),
            address=address,
            account=account,
            districts=DISTRICTS[name],
            **quick,
        )
    return made


@contextmanager
def firm(folder: Path, *, mix: Mix = RELEASED, faults: Faults | None = None, manifest: bool = True, **changes: Any) -> Iterator[Firm]:  # fmt: skip
    """A firm and its port, both doors at both endpoints; the port must end in good health."""
    doors = [EndpointSpec(HTTP, "both", districts=("29",)), EndpointSpec(FOLDER, "both", districts=("31",))]  # fmt: skip
    port = Sandbox(folder / "port", doors, mix, speed=0, faults=faults, require_manifest=manifest)
    with port as sandbox:
        made = Firm(folder, sandbox, **changes)
        with made.engine:
            yield made
        assert sandbox.problems == []
