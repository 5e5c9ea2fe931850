"""`compose`: checked shipments to finished XML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import data
from benchmarks.baseline import documents, models, reading
from benchmarks.baseline.spec import DOCU, HEAD, LINE, Shipment, constants, names
from benchmarks.contests.contest import Contest, Disagreement, Line, same_xml
from benchmarks.sizes import AT, RECEIVER, SENDER, Sizes
from benchmarks.timing import Case
from crossborder import messages
from crossborder.shipments import FrameSet


def contest(sizes: Sizes, folder: Path) -> Contest:
    """Columnar composing against pydantic with an lxml tree, and against generated f-strings without XSD.

    The engine starts from frames, the baselines from nested dictionaries; neither is timed.
    """
    large = data.valid_frames(data.check(data.write(folder / "large.csv", sizes.columnar)))
    ours_ids = data.ids(large.shipments.height)
    ships = nested(data.write(folder / "small.csv", sizes.rowwise))
    flat = [emptied(ship) for ship in ships]
    work = "checked shipments to EXP301 documents"
    return Contest(
        lambda: prove(sizes.proof, folder),
        [
            Case("compose", lambda _: engine(large, ours_ids), large.shipments.height),
            Case("pydantic + lxml", lambda _: by_lxml(ships), len(ships)),
            Case("f-strings", lambda _: by_f_string(flat), len(flat)),
        ],
        [
            Line("compose_lxml", work, "pydantic + lxml builder", "compose", "pydantic + lxml"),
            Line("compose_fstring", work, "generated f-strings, nothing validated", "compose", "f-strings"),
        ],
    )  # fmt: skip


def engine(frames: FrameSet, ids: list[str]) -> pl.DataFrame:
    """Columns `ship`, `message_id`, `xml`."""
    return messages.compose_declarations(
        frames, form="written", sender=SENDER, receiver=RECEIVER, at=AT, ids=ids
    )


def nested(path: Path) -> list[Shipment]:
    """Nested dictionaries of a file."""
    return list(reading.read(path, constants(data.firm().profile)))


def by_lxml(ships: list[Shipment]) -> list[bytes]:
    """Validated by pydantic, built and written by lxml."""
    model, sender = models.declaration(), data.sender()
    made = []
    for ship, identity in zip(ships, data.ids(len(ships)), strict=True):
        model.model_validate(ship)
        made.append(documents.written(documents.declaration(ship, identity, sender)))
    return made


def by_f_string(ships: list[dict[str, Any]]) -> list[bytes]:
    """Written by f-strings; values are taken as they are."""
    sender = data.sender()
    return [
        documents.by_f_string(ship, identity, sender)
        for ship, identity in zip(ships, data.ids(len(ships)), strict=True)
    ]


def emptied(ship: Shipment) -> dict[str, Any]:
    """The elements of a shipment, `""` for what is empty."""

    def row(values: Shipment, group: str) -> dict[str, Any]:
        return {name: values[name] or "" for name in names("EXP301", group).elements}

    lines, docs = ship["lines"], ship["docs"]
    return row(ship, HEAD) | {
        "lines": [row(r, LINE) for r in lines],
        "docs": [row(r, DOCU) for r in docs],
    }


def prove(shipments: int, folder: Path) -> None:
    """All three write canonically the same documents, and libxml2 finds them valid."""
    for direction in ("I", "E"):
        path = data.write(folder / f"proof{direction}.csv", shipments, direction=direction)
        frames = data.check(path).frames
        ours = engine(frames, data.ids(frames.shipments.height))["xml"].to_list()
        ships = nested(path)
        built, strung = by_lxml(ships), by_f_string([emptied(ship) for ship in ships])
        if not len(ours) == len(built) == len(strung) == shipments:
            raise Disagreement(f"{shipments} shipments, {len(ours)} and {len(built)} documents")
        for number, xml in enumerate(ours):
            same_xml(str(number), xml.encode(), built[number])
            same_xml(str(number), xml.encode(), strung[number])
        wrong = [w for w in messages.verify(map(str.encode, ours), "EXP301", "written") if w]
        if wrong:
            raise Disagreement(f"libxml2 refuses {len(wrong)} documents: {wrong[0]}")
