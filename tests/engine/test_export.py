"""Exports: one file per message, or a tar per endpoint and message type with an index that a tool can seek by.

Broken by: an offset that does not point at the first byte, a name that tells something personal, or bytes that are not
those of the ledger.
"""

from __future__ import annotations

import csv
import hashlib
import tarfile
from pathlib import Path

import pytest
from lxml import etree

from crossborder import resources
from crossborder.errors import InputError, NotFound

from .firm import FOLDER, HTTP, Firm, changed, day, firm

SCHEMAS = {name: etree.XMLSchema(file=str(resources.path(f"schemas/xsd/express/{name}.written.xsd"))) for name in ("EXP301", "EXP311")}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Firm:
    """A firm with a batch for both endpoints, not filed."""
    made = Firm(tmp_path, None)
    made.prepare(changed(day(9), "declaration_port", dict.fromkeys((1, 4, 7), "3101")))
    return made


def bodies(desk: Firm) -> dict[str, bytes]:
    """Message type and key → bytes in the ledger."""
    ledger = desk.engine.ledger
    return {f"{a.message_type} {a.key}": desk.engine.document(a.id) for a in ledger.attempts_in()}


def batch(desk: Firm) -> str:
    """The one batch."""
    (found,) = desk.engine.batches()
    return str(found["id"])


def test_files_are_the_bytes_of_the_ledger_and_valid(desk: Firm, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with desk.engine:
        written = desk.engine.export(batch(desk), out)
        files = sorted(out.iterdir())
        assert len(files) == written == len(bodies(desk)) > 9
        assert sorted(f.read_bytes() for f in files) == sorted(bodies(desk).values())
    for file in files:
        document = etree.fromstring(file.read_bytes())
        SCHEMAS[file.name.partition("_")[0]].assertValid(document)


def test_names_tell_nothing_personal(desk: Firm, tmp_path: Path) -> None:
    with desk.engine:
        desk.engine.export(batch(desk), tmp_path / "out")
    heads = day(9).frames.shipments
    personal = {*heads["receiver_name_en"], *heads["receiver_name"], *heads["receiver_phone"], *heads["party_id"]} - {None}  # fmt: skip
    for file in (tmp_path / "out").iterdir():
        assert file.name.isascii()
        assert not any(value in file.name for value in personal)


def test_a_bundle_is_a_tar_whose_index_points_at_the_bytes(desk: Firm, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    with desk.engine:
        written = desk.engine.export(batch(desk), out, "bundle")
        known = bodies(desk)
    tars = sorted(p.name for p in out.glob("*.tar"))
    assert tars == [f"{HTTP}_EXP301.tar", f"{HTTP}_EXP311.tar", f"{FOLDER}_EXP301.tar"]
    found: dict[str, bytes] = {}
    for name in tars:
        path = out / name
        raw = path.read_bytes()
        with tarfile.open(path) as bundle:
            members = {m.name: m for m in bundle.getmembers()}
            contents = {m.offset_data: bundle.extractfile(m).read() for m in members.values()}  # type: ignore[union-attr]  # plain files
        with path.with_suffix(".index.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(members)
        for row in rows:
            start, length = int(row["offset"]), int(row["length"])
            body = raw[start : start + length]
            assert contents[start] == body
            assert hashlib.sha256(body).hexdigest() == row["sha256"]
            found[f"{name[-10:-4]} {row['key']}"] = body
    assert found == known
    assert written == len(known)


def test_after_filing_the_export_has_the_bytes_that_left(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        made = desk.flow(day(4))
        desk.engine.export(made, tmp_path / "out")
        assert desk.sandbox is not None
        there = {
            desk.sandbox.received(HTTP, m["message_id"])
            for m in desk.sandbox.account(HTTP)["messages"]
        }
        assert {f.read_bytes() for f in (tmp_path / "out").iterdir()} == there


def test_deleting_an_export_loses_nothing(desk: Firm, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with desk.engine:
        desk.engine.export(batch(desk), out)
        before = {f.name: f.read_bytes() for f in out.iterdir()}
        for file in out.iterdir():
            file.unlink()
        desk.engine.export(batch(desk), out)
    assert {f.name: f.read_bytes() for f in out.iterdir()} == before


def test_what_cannot_be_written_or_is_unknown_is_named(desk: Firm, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    with desk.engine:
        with pytest.raises(InputError) as told:
            desk.engine.export(batch(desk), blocked / "out")
        assert str(blocked) in told.value.place
        with pytest.raises(InputError, match="bundle"):
            desk.engine.export(batch(desk), tmp_path / "out", "zip")
        with pytest.raises(NotFound):
            desk.engine.export("20200101-99", tmp_path / "out")
