"""What the HTTP service keeps: partners' keys (hashes only) and which request made which batch."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import select, update

from crossborder import china_time
from crossborder.errors import LedgerError, NotFound
from crossborder.ledger import tables
from crossborder.ledger.base import Base
from crossborder.ledger.records import Idempotent

K = tables.api_keys
_IDEM = tables.idempotency


class Partners(Base):
    """Keys and idempotency."""

    def add_api_key(self, name: str, token: str, now: datetime) -> int:
        """Keep the hash of a new key. Raises `LedgerError` if the name is taken."""
        with self.write() as connection:
            if connection.execute(select(K.c.id).where(K.c.name == name)).first():
                raise LedgerError(f"a key {name!r} exists", f"密钥 {name!r} 已存在", place=name)
            (key_id,) = self._reserve(connection, "api_key", 1)
            connection.execute(
                K.insert().values(
                    id=key_id, name=name, digest=_digest(token), created_at=china_time.iso(now)
                )
            )
            return key_id

    def api_key(self, token: str) -> tuple[int, str] | None:
        """(id, name) of the key that is not revoked, or None."""
        with self.read() as connection:
            row = connection.execute(
                select(K.c.id, K.c.name).where(
                    K.c.digest == _digest(token), K.c.revoked_at.is_(None)
                )
            ).first()
        return (row.id, row.name) if row else None

    def api_keys(self) -> list[tuple[int, str, str, str | None]]:
        """(id, name, created_at, revoked_at) of every key."""
        with self.read() as connection:
            rows = connection.execute(
                select(K.c.id, K.c.name, K.c.created_at, K.c.revoked_at).order_by(K.c.id)
            )
            return [(r.id, r.name, r.created_at, r.revoked_at) for r in rows]

    def revoke_api_key(self, name: str, now: datetime) -> None:
        """A key counts no longer. Raises `NotFound`."""
        with self.write() as connection:
            done = connection.execute(
                update(K)
                .where(K.c.name == name, K.c.revoked_at.is_(None))
                .values(revoked_at=china_time.iso(now))
            )
            if not done.rowcount:
                raise NotFound(f"no key {name!r}", f"没有密钥 {name!r}")

    def idempotent(self, api_key_id: int, key: str, body_digest: str, now: datetime) -> Idempotent:
        """Note a request under its Idempotency-Key, or say what the first one under it did.

        `batch_id` is None as long as the first request has begun no batch; hand the pair (api key id, key) to
        `BatchDraft.idempotency`, so that batch and key are bound in one transaction.
        """
        with self.write() as connection:
            row = connection.execute(
                select(_IDEM.c.body_digest, _IDEM.c.batch_id).where(
                    _IDEM.c.api_key_id == api_key_id, _IDEM.c.key == key
                )
            ).first()
            if row is None:
                connection.execute(
                    _IDEM.insert().values(
                        api_key_id=api_key_id, key=key, body_digest=body_digest,
                        created_at=china_time.iso(now),
                    )
                )  # fmt: skip
                return Idempotent(new=True, same_body=True, batch_id=None)
            return Idempotent(False, row.body_digest == body_digest, row.batch_id)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8")).hexdigest()
