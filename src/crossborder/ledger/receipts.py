"""Receipts where they rest: their raw bytes, and the notes of their lines, sealed with the key of their endpoint and day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl
from sqlalchemy import Connection, Row, select

from crossborder.errors import PayloadDamaged, PayloadErased
from crossborder.ledger import sealing, tables
from crossborder.ledger.datakeys import DataKeys
from crossborder.ledger.dialects import among
from crossborder.ledger.sealing import DataKey, Unsealable

R = tables.receipts
_RAW, _NOTES = "receipt", "notes"


def seal_receipts(
    key: DataKey, raws: Iterable[bytes], ids: Iterable[int], digests: Iterable[str]
) -> Iterator[bytes]:
    """Raw bytes sealed, each for its id and digest."""
    for raw, number, digest in zip(raws, ids, digests, strict=True):
        yield sealing.seal(key, raw, sealing.place(_RAW, key.scope, number, digest))


def opened_receipt(row: Row[Any], keys: DataKeys) -> bytes:
    """The raw bytes of a row of `receipts`. Raises `PayloadErased`; `PayloadDamaged` if they cannot be opened."""
    raw = bytes(row.raw)
    if row.data_key is None:
        return raw
    try:
        return keys.unseal(raw, _RAW, row.id, row.digest)
    except PayloadErased as error:
        raise PayloadErased(error.day, f"{row.endpoint} #{row.id}") from None
    except Unsealable:
        raise PayloadDamaged(
            "the stored bytes of a receipt are damaged",
            "已存储的回执损坏",
            place=f"{row.endpoint} #{row.id}",
            fix_en="restore the ledger from a backup",
            fix_zh="请从备份恢复台账",
        ) from None


def proven(row: Row[Any], keys: DataKeys) -> str | None:
    """SHA-256 of the raw bytes of a receipt as they are now; None if they were erased, empty if they cannot be opened."""
    try:
        return hashlib.sha256(opened_receipt(row, keys)).hexdigest()
    except PayloadErased:
        return None
    except PayloadDamaged:
        return ""


def seal_notes(connection: Connection, lines: pl.DataFrame, keys: DataKeys) -> pl.DataFrame:
    """Lines (`lots.keyed`) whose notes are sealed with the keys of their receipts, where those are sealed."""
    noted = lines["notes"].is_not_null()
    if not keys.sealing or not noted.any():
        return lines
    wanted = lines.filter(noted)["receipt_id"].unique().to_list()
    query = select(R.c.id, R.c.data_key).where(
        among(connection, R.c.id, wanted), R.c.data_key.is_not(None)
    )
    number_of = {row.id: row.data_key for row in connection.execute(query)}
    sealers = {number: keys.reading(number) for number in set(number_of.values())}

    def sealed(receipt: int, line: int, notes: str | None) -> str | None:
        key = sealers.get(number_of.get(receipt, 0))
        if key is None or notes is None:
            return notes
        return sealing.seal_text(key, notes, sealing.place(_NOTES, key.scope, receipt, line))

    made = map(sealed, lines["receipt_id"], lines["line"], lines["notes"])
    return lines.with_columns(pl.Series("notes", list(made), dtype=pl.String))


def opened_notes(text: str | None, receipt: int, line: int, keys: DataKeys) -> str | None:
    """The notes of a line; what was erased or cannot be opened says so instead."""
    if text is None:
        return None
    try:
        return keys.text(text, _NOTES, receipt, line)
    except PayloadErased as error:
        return f"[erased on {error.day} 已于 {error.day} 销毁]"
    except Unsealable:
        return "[damaged 已损坏]"
