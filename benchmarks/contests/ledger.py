"""`bundle`: a file to checked, composed, recorded, digested documents; `bundle_encrypted`: the same, encrypted."""

from __future__ import annotations

import io
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, Literal

import polars as pl

from benchmarks import data
from benchmarks.baseline import marks, recording
from benchmarks.baseline.checking import Desk
from benchmarks.baseline.recording import SEGMENT, Book
from benchmarks.contests.contest import Contest, Disagreement, Line, same, same_xml
from benchmarks.sizes import SERVED, Sizes
from benchmarks.timing import Case
from crossborder import Engine, china_time
from crossborder.ledger import KeyRing, Ledger, PayloadRef
from crossborder.ledger.marks import HASHES, MARKS
from crossborder.ledger.sealing import SEALED_SEGMENT
from crossborder.settings import Endpoint, LedgerSettings, Settings

DATABASE = "ledger.sqlite3"
Encryption = Literal["on", "off"]
_ROWS = "csv + pydantic + Python rules + lxml + XSD + executemany, same transactions"
_VARIABLE = re.compile(rb"(<(message_id|file_name|send_time|DDate)>)[^<]*(?=</)")


def contest(sizes: Sizes, folder: Path) -> Contest:
    """`Engine.prepare` against the same rows recorded by plain Python; each round in an empty ledger.

    The sample's day is today, because the engine's check goes by the clock: an old day would be noted as late on
    every import.
    """
    today = china_time.now().date()
    large = data.write(folder / "large.csv", sizes.columnar, day=today)
    small = data.write(folder / "small.csv", sizes.rowwise, day=today)
    homes = _homes(folder)
    desk = data.desk(f"{today:%Y%m%d}")
    return Contest(
        lambda: prove(sizes.proof, folder),
        [
            Case("Engine.prepare", _handed(lambda home: by_engine(large, home)), sizes.columnar, homes),
            Case(
                "Engine.prepare, encrypted", _handed(lambda home: by_engine(large, home, "on")), sizes.columnar, homes,
            ),
            Case("rows", _handed(lambda home: by_rows(small, home, desk)), sizes.rowwise, homes),
        ],
        [
            Line(
                "bundle", "file to checked, composed, digested, recorded documents",
                _ROWS, "Engine.prepare", "rows",
            ),
            Line(
                "bundle_encrypted", "the same, AES-256-GCM where it rests", f"{_ROWS}, not encrypted",
                "Engine.prepare, encrypted", "rows",
            ),
        ],
    )  # fmt: skip


def _homes(folder: Path) -> Callable[[], object]:
    """Gives an empty home with a fresh ledger, and takes the one before away."""
    numbers: Iterator[int] = count()

    def fresh() -> object:
        number = next(numbers)
        shutil.rmtree(folder / f"home{number - 1}", ignore_errors=True)
        return empty_home(folder / f"home{number}")

    return fresh


def _handed(run: Callable[[Path], object]) -> Callable[[object], object]:
    def with_home(home: object) -> object:
        return run(Path(str(home)))

    return with_home


def empty_home(home: Path) -> Path:
    """A home folder whose ledger has its tables and nothing in them."""
    Ledger.open(home).close()
    return home


def settings(home: Path, encryption: Encryption = "on") -> Settings:
    """One firm, an endpoint for each district."""
    return Settings(
        profile="demo",
        ledger=LedgerSettings(encryption=encryption),
        endpoints={
            name: Endpoint(
                transport="folder", address=str(home / name), districts=(prefix,), profile="demo"
            )
            for name, prefix in SERVED.items()
        },
    )


def by_engine(path: Path, home: Path, encryption: Encryption = "off") -> int:
    """How many were prepared."""
    with Engine(settings(home, encryption), home=home) as engine:
        return int(engine.prepare(path, mapping=data.MAPPING).counts.get("prepared", 0))


def by_rows(path: Path, home: Path, desk: Desk) -> int:
    """How many documents were recorded."""
    now = china_time.now()
    book = Book(
        home / DATABASE, home / "payload" / SEGMENT, {prefix: name for name, prefix in SERVED.items()},
        settings(home).ledger.block, china_time.iso(now), f"{now:%Y%m%d}",
    )  # fmt: skip
    return recording.prepare(path, desk, book)


def prove(shipments: int, folder: Path) -> None:
    """All ledgers hold the same shipments, attempts, houses on manifests, and canonically the same documents; with the
    same key, the same marks of parcels.

    Of the encrypted one no document can be read but through the ledger.
    """
    today = china_time.now().date()
    path = data.write(folder / "proof.csv", shipments, day=today)
    desk = data.desk(f"{today:%Y%m%d}")
    ours, theirs = empty_home(folder / "ours"), empty_home(folder / "theirs")
    if by_engine(path, ours) != shipments:
        raise Disagreement("the engine did not prepare every shipment of a clean day")
    _lend_key(ours, theirs)
    by_rows(path, theirs, desk)
    sealed = empty_home(folder / "sealed")
    by_engine(path, sealed, "on")
    a, b = contents(ours), contents(theirs)
    same("encrypted", contents(sealed), a)
    if any(b"<EXP301" in file.read_bytes() for file in (sealed / "payload").iterdir()):
        raise Disagreement("a document lies there in the clear")
    for table in ("shipments", "attempts", "houses"):
        same(table, a[table], b[table])
    if not _marks(ours):
        raise Disagreement("no parcel has marks: nothing is proven of them")
    same("marks", _marks(ours), _marks(theirs))
    same("payload", dict.fromkeys(a["documents"], True), dict.fromkeys(b["documents"], True))
    for key, xml in a["documents"].items():
        same_xml(key, xml, b["documents"][key])


def contents(home: Path) -> dict[str, dict[str, Any]]:
    """What a ledger holds, without ids, moments and digests; documents without id and moment."""
    with closing(sqlite3.connect(home / DATABASE)) as connection:

        def rows(sql: str) -> dict[str, Any]:
            return {str(row[0]): tuple(row) for row in connection.execute(sql)}

        found = {
            "shipments": rows(
                "SELECT position, key, master_waybill, house_waybill, house_key, shown_as, direction,"
                " declaration_class, rows, row_count, outcome FROM shipments"
            ),
            "attempts": rows(
                "SELECT kind || key, message_type, number, live, endpoint, master_waybill, house_waybill, voyage,"
                " direction, state, stage, ready, sends, released, final FROM attempts"
            ),
            "houses": rows(
                "SELECT h.declaration_key, h.house_waybill, h.state, a.key FROM manifest_houses h"
                " JOIN attempts a ON a.id = h.attempt_id"
            ),
        }
        places = rows(
            "SELECT kind || key, draft_segment, draft_offset, draft_length, draft_digest FROM attempts"
        )
    found["documents"] = {
        key: _VARIABLE.sub(rb"\1", body) for key, body in _documents(home, places.values())
    }
    return found


def _lend_key(ours: Path, theirs: Path) -> None:
    """The other ledger hashes with the same key."""
    with closing(sqlite3.connect(ours / DATABASE)) as lender:
        row = lender.execute("SELECT scope, key_name, wrapped, made_at FROM data_keys").fetchone()
    with closing(sqlite3.connect(theirs / DATABASE)) as borrower, borrower:
        columns = "scope, key_name, wrapped, made_at"
        borrower.execute(f"INSERT INTO data_keys ({columns}) VALUES (?, ?, ?, ?)", row)


def _marks(home: Path) -> dict[str, Any]:
    """The rows of marks, and what each says of every parcel."""
    query = (
        "SELECT first, batch_id, first_day, last_day, kept_from, shipments, sealed, body FROM marks"
    )
    with closing(sqlite3.connect(home / DATABASE)) as connection:
        return {str(row[0]): (*row[1:-1], _parcels(row[-1])) for row in connection.execute(query)}


def _parcels(body: bytes) -> list[marks.Mark]:
    """The marks of a block, as Arrow or packed."""
    if not body.startswith(b"ARROW"):
        return marks.unpacked(body)
    day = pl.col("day").dt.strftime("%Y%m%d").cast(pl.UInt32)
    frame = pl.read_ipc(io.BytesIO(body)).with_columns(day, pl.col(HASHES).fill_null(0))
    return frame.select(*MARKS).rows()


def _documents(home: Path, places: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, bytes]]:
    """Key and bytes of documents, as they lie there, or opened by the ledger where they are encrypted."""
    read = {path.name: path.read_bytes() for path in (home / "payload").iterdir()}
    if not any(name.endswith(SEALED_SEGMENT) for name in read):
        for key, segment, offset, length, _ in places:
            yield key, read[segment][offset : offset + length]
        return
    with Ledger.open(home, ring=KeyRing.of(LedgerSettings(), home)) as ledger:
        for key, *place in places:
            yield key, ledger.peek(PayloadRef(*place))
