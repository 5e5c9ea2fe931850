"""The simulation on an encrypted ledger, with faults of encryption planted: each is found within a few seeds."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, select

from crossborder import china_time
from crossborder.ledger import datakeys, payloads, sealing
from crossborder.ledger.datakeys import DataKeys
from crossborder.ledger.sealing import DataKey

from .backend import Sqlite
from .conftest import Seeds, refuse, seeds

K = datakeys.K
SEEDS = 60
Plant = Callable[[pytest.MonkeyPatch], None]
_Used = dict[tuple[bytes, bytes], tuple[bytes, bytes]]


class Watcher:
    """A cipher that notes which nonce it was used with for what. `used` is of all keys, dead processes included."""

    def __init__(self, key: bytes, used: _Used, twice: list[str]) -> None:
        self._key, self._cipher, self._used, self._twice = key, AESGCM(key), used, twice

    def encrypt(self, nonce: bytes, data: Any, where: bytes | None) -> bytes:
        self._note(nonce, data, where)
        return self._cipher.encrypt(nonce, data, where)

    def encrypt_into(self, nonce: bytes, data: Any, where: bytes | None, into: Any) -> int:
        self._note(nonce, data, where)
        return self._cipher.encrypt_into(nonce, data, where, into)

    def decrypt(self, nonce: Any, data: Any, where: bytes | None) -> bytes:
        return self._cipher.decrypt(nonce, data, where)

    def _note(self, nonce: bytes, data: Any, where: bytes | None) -> None:
        what = (bytes(data), where or b"")
        if self._used.setdefault((self._key, bytes(nonce)), what) != what:
            self._twice.append(f"one nonce for two texts, at {where!r}")


@pytest.fixture
def twice(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every use of a nonce for a second text under the same key, in whichever process."""
    used: _Used = {}
    found: list[str] = []
    monkeypatch.setattr(sealing, "cipher", lambda key: Watcher(key, used, found))
    return found


@pytest.fixture
def simulate(sealed: Sqlite, tmp_path: Path, twice: list[str]) -> Seeds:
    """Run a seed on an encrypted ledger; nonces used twice are wrong too."""
    one = seeds(sealed, tmp_path)

    def watched(seed: int) -> Any:
        twice.clear()
        done = one(seed)
        done.wrongs.extend(twice)
        return done

    return watched


@pytest.mark.parametrize(
    "first", [1, pytest.param(11, marks=pytest.mark.slow), pytest.param(21, marks=pytest.mark.slow)]
)
def test_ten_seeds(simulate: Seeds, first: int) -> None:
    for seed in range(first, first + 10):
        refuse(simulate(seed), "--sealed")


def nonce_taken_from_the_place(patch: pytest.MonkeyPatch) -> None:
    """A counter that is not kept: the nonce is where the document lies, and its end is written again after a crash."""
    real = sealing.seal_payload

    def seal(payload: Any, keys: Any, segment: str, offsets: Any) -> Any:
        counted = b"".join(offset.to_bytes(sealing.NONCE, "big") for offset in offsets)
        patch.setattr(sealing, "nonces", lambda count: counted)
        try:
            return real(payload, keys, segment, offsets)
        finally:
            patch.setattr(sealing, "nonces", lambda count: os.urandom(sealing.NONCE * count))

    patch.setattr(payloads, "seal_payload", seal)


def key_committed_after_the_bytes(patch: pytest.MonkeyPatch) -> None:
    """The key of a batch is kept in memory and written down when the batch is used for the third time."""
    made: dict[tuple[DataKeys, str], list[Any]] = {}
    real = DataKeys.writing

    def writing(
        self: DataKeys, connection: Connection, scope: str, now: datetime
    ) -> DataKey | None:
        there = connection.execute(select(K).where(K.c.scope == scope)).first()
        if there is not None or not scope.startswith("batch|"):
            return real(self, connection, scope, now)
        kept = made.setdefault((self, scope), [0, os.urandom(32), secrets.randbits(30)])
        kept[0] += 1
        if kept[0] == 3:
            name, wrapped = self._wrap(connection, scope, kept[1])
            connection.execute(
                K.insert().values(id=kept[2], scope=scope, key_name=name, wrapped=wrapped, made_at=china_time.iso(now))
            )  # fmt: skip
        return DataKey(kept[2], scope, sealing.cipher(kept[1]))

    patch.setattr(DataKeys, "writing", writing)


FAULTS = {nonce_taken_from_the_place: 53, key_committed_after_the_bytes: 21}
"""Each with the first seed that found it when it was last looked for: tried first, which spares the others."""


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_it_is_found(simulate: Seeds, monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    plant(monkeypatch)
    for seed in dict.fromkeys([FAULTS[plant], *range(1, SEEDS + 1)]):
        if simulate(seed).wrongs:
            return
    pytest.fail(f"{SEEDS} seeds did not find it", pytrace=False)
