"""The ring turns: data keys are wrapped anew by another key, what they sealed stays as it is. And the key of look-ups."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from crossborder.errors import LedgerError
from crossborder.ledger import datakeys, dialects, tables
from crossborder.ledger.base import Base, event

F = tables.facts
K = tables.data_keys


@dataclass(frozen=True)
class RingState:
    """The ring as the ledger uses it: name → how many data keys it wraps; `current` wraps new ones.

    `wanted` is what the settings name as current: if it differs, the ring has not been rotated yet. `erased` data keys
    are destroyed. `file` is the key file, empty if the settings name keys. `plain`: batches without a key.
    """

    sealing: bool
    current: str
    wanted: str
    keys: dict[str, int]
    erased: int
    plain: int
    file: str


@dataclass(frozen=True)
class Rotated:
    """`key` wraps every data key now; `wrapped` of them it did not wrap before. `gone`: keys taken out of the key file.

    `wiped`: what the old keys had wrapped is out of the database's log too.
    """

    key: str
    wrapped: int
    gone: tuple[str, ...]
    wiped: bool


class Rotating(Base):
    """The ring, and what stands on it."""

    def ring(self) -> RingState:
        """How things stand."""
        ring = self._keys.ring
        b = tables.batches.c
        own = select(K.c.id).where(K.c.scope == "batch|" + b.id).exists()
        with self.read() as connection:
            current = connection.execute(select(F.c.value).where(F.c.name == datakeys.CURRENT))
            name = current.scalar() or ""
            wrapped = datakeys.wrapped_by(connection)
            erased = len(connection.execute(select(K.c.id).where(K.c.wrapped.is_(None))).all())
            plain = len(connection.execute(select(b.id).where(~own)).all())
        if ring is None:
            return RingState(False, name, "", wrapped, erased, plain, "")
        names = {**dict.fromkeys(ring.names(), 0), **wrapped}
        wanted = ring.wanted() if not ring.in_file else name
        file = str(ring.file) if ring.in_file else ""
        return RingState(ring.sealing, name, wanted, names, erased, plain, file)

    def rotate(self, who: str, now: datetime) -> Rotated:
        """Wrap every data key by the key that the settings name; of a key file, by a new key, the old one is taken out.

        A rotation that was broken off is finished first. Raises `LedgerError` if nothing is encrypted, `SettingsError`
        if a key is missing; nothing is changed then.
        """
        ring = self._keys.ring
        if ring is None or not ring.sealing:
            raise LedgerError(
                "encryption is off: there is nothing to rotate",
                "未启用加密，无需更换密钥",
                fix_en='set ledger.encryption = "on"',
                fix_zh='请设置 ledger.encryption = "on"',
            )
        with self.write() as connection:
            dialects.wipe_deleted(connection, on=True)
            current = connection.execute(select(F.c.value).where(F.c.name == datakeys.CURRENT))
            name = current.scalar_one()
            rows = connection.execute(select(K).where(K.c.wrapped.is_not(None))).all()
            if not ring.in_file:
                name = ring.wanted()
            elif all(row.key_name == name for row in rows):
                name = ring.add()
                self._checkpoint("ring:added")
            datakeys.make_current(connection, ring, name)
            old = [row for row in rows if row.key_name != name]
            for row in old:
                key = datakeys.unwrap(ring, row.key_name, row.scope, row.wrapped)
                again = datakeys.wrap(ring, name, row.scope, key)
                connection.execute(
                    update(K).where(K.c.id == row.id).values(key_name=name, wrapped=again)
                )
            kept = [datakeys.CURRENT, f"ring/{name}"]
            connection.execute(delete(F).where(F.c.name.like("ring/%"), F.c.name.not_in(kept)))
            detail = {"key": name, "wrapped": len(old)}
            self._record(connection, [event(now, who, "keys_rotated", detail=detail)])
            dialects.wipe_deleted(connection, on=False)
        wiped = dialects.empty_log(self._engine)
        self._checkpoint("ring:turned")
        return Rotated(name, len(old), tuple(ring.keep_only(name)), wiped)


def lookup_hashes(key: bytes, kind: str, values: Iterable[str]) -> list[str]:
    """Keyed hashes of personal values: HMAC-SHA256 of kind and value, 32 hexadecimal digits.

    `kind` (`id_number`, `telephone`) keeps equal digits of different meaning apart. Values must be normalised by who
    calls: the same person must be written the same way.
    """
    head = f"{kind}\0".encode()
    return [hmac.digest(key, head + v.encode("utf-8"), "sha256")[:16].hex() for v in values]
