"""Data keys: one for each batch, one for each endpoint and day of receipts, wrapped by a key of the ring.

A data key stands in the database, wrapped, in the transaction that records what it sealed, or in an earlier one: bytes
whose key was not committed do not count, as bytes whose rows were not committed do not. Which key of the ring wraps new
ones stands in `facts` (`ring/current`), so that a process that does not know of a rotation yet cannot wrap with a key
that is about to be thrown away.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, func, select, update

from crossborder import china_time
from crossborder.errors import LedgerError, PayloadErased, SettingsError
from crossborder.ledger import sealing, tables
from crossborder.ledger.driver import insert_columns
from crossborder.ledger.keyring import KEY_BYTES, KeyRing
from crossborder.ledger.sealing import DataKey, Unsealable

K = tables.data_keys
F = tables.facts
CURRENT = "ring/current"
LOOK_UP = "look-up"
REMEMBERED = 60.0
"""Seconds for which a process may go on reading with a key that another has erased meanwhile."""
_MOST = 256


class _Held(NamedTuple):
    wrapped: bytes
    key: DataKey
    until: float


class DataKeys:
    """The data keys of a ledger. Thread-safe. Without a ring nothing is encrypted, and nothing encrypted is read."""

    def __init__(
        self, engine: Engine, ring: KeyRing | None, checkpoint: Callable[[str], None]
    ) -> None:
        self._engine = engine
        self.ring = ring
        self._checkpoint = checkpoint
        self._held: dict[int, _Held] = {}
        self._guard = threading.Lock()

    @property
    def sealing(self) -> bool:
        """Whether new data is encrypted."""
        return self.ring is not None and self.ring.sealing

    def open(self, begin: Callable[[], Connection]) -> None:
        """Prove that every key is there that this ledger needs, and is the one it was; make the first one.

        `begin` begins a transaction that writes. Raises `SettingsError`, `LedgerError`; nothing is changed then.
        """
        with self._engine.connect() as connection:
            used = names_in_use(connection)
            kept = _facts(connection)
        if self.ring is None:
            if used:
                raise LedgerError(
                    "this ledger is encrypted, and no key ring was given",
                    "该台账已加密，但未提供密钥",
                )
            return
        if self.sealing and CURRENT not in kept:
            with begin() as connection, connection.begin():
                if CURRENT not in _facts(connection):
                    make_current(connection, self.ring, self.ring.wanted())
            self._checkpoint("ring:made")
            return
        for name in used | ({kept[CURRENT]} if self.sealing else set()):
            if self.ring.fingerprint(name) != kept.get(f"ring/{name}"):
                raise _another(name)

    # -- to write

    def writing(self, connection: Connection, scope: str, now: datetime) -> DataKey | None:
        """The key that seals what belongs to a scope, made if there is none; None where nothing is encrypted.

        Raises `PayloadErased` if it was destroyed.
        """
        if not self.sealing:
            return None
        row = connection.execute(select(K).where(K.c.scope == scope)).first()
        if row is not None:
            return self._opened(row)
        row, key = self._make(connection, scope, china_time.iso(now))
        # not remembered: if this transaction comes to nothing, so has the key
        return DataKey(row.id, scope, sealing.cipher(key))

    def receiving(self, connection: Connection, endpoint: str, now: datetime) -> DataKey | None:
        """The key of what comes to an endpoint today: another one if a clock was set back and today's is erased."""
        scope = receipts_scope(endpoint, now)
        for again in count(2):
            try:
                return self.writing(connection, scope, now)
            except PayloadErased:
                scope = f"{receipts_scope(endpoint, now)}|{again}"
        raise AssertionError("unreachable: numbers do not end")

    def _make(self, connection: Connection, scope: str, at: str) -> tuple[Row[Any], bytes]:
        """The row of a new key and the key itself; where another process was faster, those of its key."""
        key = os.urandom(KEY_BYTES)
        name, wrapped = self._wrap(connection, scope, key)
        row = {"scope": scope, "key_name": name, "wrapped": wrapped, "made_at": at}
        insert_columns(connection, K, {n: [value] for n, value in row.items()}, missing=True)
        made = connection.execute(select(K).where(K.c.scope == scope)).one()
        if made.wrapped == wrapped:
            return made, key
        return made, unwrap(self.ring, made.key_name, scope, made.wrapped)

    def _wrap(self, connection: Connection, scope: str, key: bytes) -> tuple[str, bytes]:
        current = select(F.c.value).where(F.c.name == CURRENT).with_for_update(read=True)
        name = connection.execute(current).scalar()
        if self.ring is None or name is None:
            return "", key
        return str(name), wrap(self.ring, str(name), scope, key)

    # -- to read

    def reading(self, number: int, *, anew: bool = False) -> DataKey:
        """A data key by its number. Raises `PayloadErased`, `SettingsError`, `Unsealable` if there is none."""
        held = self._held.get(number)
        if held is not None and not anew and time.monotonic() < held.until:
            return held.key
        with self._engine.connect() as connection:
            row = connection.execute(select(K).where(K.c.id == number)).first()
        if row is None:
            raise Unsealable
        return self._opened(row)

    def _opened(self, row: Row[Any]) -> DataKey:
        if row.wrapped is None:
            self.forget(row.id)
            raise PayloadErased(day_of(row.erased_at))
        held = self._held.get(row.id)
        if held is not None and held.wrapped == row.wrapped and held.key.scope == row.scope:
            key = held.key
        else:
            plain = unwrap(self.ring, row.key_name, row.scope, row.wrapped)
            key = DataKey(row.id, row.scope, sealing.cipher(plain))
        with self._guard:
            while len(self._held) >= _MOST:
                del self._held[next(iter(self._held))]
            self._held[row.id] = _Held(row.wrapped, key, time.monotonic() + REMEMBERED)
        return key

    def forget(self, *numbers: int) -> None:
        """Forget keys that were erased."""
        with self._guard:
            for number in numbers:
                self._held.pop(number, None)

    def unseal(self, stored: bytes, kind: str, *parts: object) -> bytes:
        """What was sealed for a place (`sealing.place`, without its scope). Raises as `reading`, and `Unsealable`."""
        return self.unsealed(stored, lambda scope: sealing.place(kind, scope, *parts))

    def unsealed(self, stored: bytes, where: Callable[[str], bytes]) -> bytes:
        """The same, where the place is made from the scope of the key."""
        number = sealing.number_of(stored)
        key = self.reading(number)
        try:
            return sealing.unseal(key, stored, where(key.scope))
        except Unsealable:
            key = self.reading(number, anew=True)
            return sealing.unseal(key, stored, where(key.scope))

    def text(self, text: str, kind: str, *parts: object) -> str:
        """A text as it was, whether it is sealed or not. Raises as `unseal`."""
        stored = sealing.sealed_of(text)
        return text if stored is None else self.unseal(stored, kind, *parts).decode("utf-8")

    # -- to look people up

    def look_up(self, connection: Connection, *, make: bool) -> bytes | None:
        """The key of keyed hashes of this ledger, always the same 32 bytes; None if there is none yet."""
        row = connection.execute(select(K).where(K.c.scope == LOOK_UP)).first()
        if row is not None:
            return unwrap(self.ring, row.key_name, LOOK_UP, row.wrapped)
        return self._make(connection, LOOK_UP, "")[1] if make else None


def batch_scope(batch_id: str) -> str:
    """The scope of the documents and findings of a batch."""
    return f"batch|{batch_id}"


def receipts_scope(endpoint: str, now: datetime) -> str:
    """The scope of receipts that came to an endpoint on a day (China time)."""
    return f"receipts|{endpoint}|{china_time.day(now):%Y%m%d}"


def day_of(moment: str | None) -> str:
    """`yyyy-mm-dd` of a kept moment."""
    return (moment or "?")[:10]


def names_in_use(connection: Connection) -> set[str]:
    """Names of the keys of the ring that wrap data keys."""
    query = select(K.c.key_name).where(K.c.wrapped.is_not(None), K.c.key_name != "").distinct()
    return {str(name) for name in connection.execute(query).scalars()}


def wrapped_by(connection: Connection) -> dict[str, int]:
    """How many data keys each key of the ring wraps."""
    query = (
        select(K.c.key_name, func.count()).where(K.c.wrapped.is_not(None)).group_by(K.c.key_name)
    )
    return {str(name): int(count) for name, count in connection.execute(query)}


def make_current(connection: Connection, ring: KeyRing, name: str) -> None:
    """From now on this key of the ring wraps new data keys."""
    for fact, value in ((f"ring/{name}", ring.fingerprint(name)), (CURRENT, name)):
        done = connection.execute(update(F).where(F.c.name == fact).values(value=value))
        if not done.rowcount:
            connection.execute(F.insert().values(name=fact, value=value))


def wrap(ring: KeyRing, name: str, scope: str, key: bytes) -> bytes:
    """A data key wrapped by a key of the ring."""
    nonce = sealing.nonces(1)
    return nonce + sealing.cipher(ring.key(name)).encrypt(nonce, key, sealing.place("key", scope))


def unwrap(ring: KeyRing | None, name: str, scope: str, wrapped: bytes) -> bytes:
    """The data key. Raises `SettingsError` if the ring has not that key, or another one of that name."""
    from cryptography.exceptions import InvalidTag

    if not name:
        return wrapped
    if ring is None:
        raise _another(name)
    nonce, rest = wrapped[: sealing.NONCE], wrapped[sealing.NONCE :]
    try:
        return sealing.cipher(ring.key(name)).decrypt(nonce, rest, sealing.place("key", scope))
    except InvalidTag as error:
        raise _another(name) from error


def _facts(connection: Connection) -> dict[str, str]:
    query = select(F.c.name, F.c.value).where(F.c.name.like("ring/%"))
    return {row.name: row.value for row in connection.execute(query)}


def _another(name: str) -> SettingsError:
    return SettingsError(
        f"the key {name!r} is not the one this ledger was encrypted with",
        f"密钥 {name!r} 不是该台账加密时所用的密钥",
        place=f"ledger.keys.{name}",
        fix_en="put the right key back from its backup; nothing was changed",
        fix_zh="请从备份恢复正确的密钥；未作任何改动",
    )


def refuse_erased(connection: Connection, batch_id: str) -> None:
    """Raise `PayloadErased` if the key of a batch was destroyed."""
    keys = tables.data_keys.c
    query = select(keys.erased_at).where(keys.scope == batch_scope(batch_id))
    erased = connection.execute(query).scalar()
    if erased:
        raise PayloadErased(day_of(erased), batch_id)
