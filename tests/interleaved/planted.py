"""Faults planted in our own code that only show where one process overtakes another: each must be found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, update

from crossborder.ledger import batches, blocks, tables
from crossborder.ledger.batches import Batches

KEYS = tables.idempotency


def lists_what_another_has_listed(patch: pytest.MonkeyPatch) -> None:
    """Which houses stand on a manifest is asked while it is drafted, and not again when it is recorded."""
    patch.setattr(blocks, "refuse_listed", lambda *_: None)


def the_last_request_has_the_key(patch: pytest.MonkeyPatch) -> None:
    """A request under an Idempotency-Key takes it from the batch of another one."""

    def bind(
        self: Batches, connection: Connection, idempotency: tuple[int, str], batch_id: str
    ) -> None:
        mine = (KEYS.c.api_key_id == idempotency[0]) & (KEYS.c.key == idempotency[1])
        connection.execute(update(KEYS).where(mine).values(batch_id=batch_id))

    patch.setattr(Batches, "_bind", bind)


def goes_on_in_what_another_records(patch: pytest.MonkeyPatch) -> None:
    """A batch that is not sealed counts as left by the dead, whoever records it."""

    def held(self: Batches, batch_id: str, recorder: str | None) -> bool:
        return recorder == self.owner and batch_id in self._recording

    patch.setattr(Batches, "_held", held)


def whoever_comes_may_record(patch: pytest.MonkeyPatch) -> None:
    """Who records a block is not asked whether the batch is his."""

    def mine(self: Batches, connection: Connection, batch_id: str) -> int:
        return int(batches.batch_row(connection, batch_id)["recorded"])

    goes_on_in_what_another_records(patch)
    patch.setattr(Batches, "_mine", mine)


def nobody_is_told_that_his_keys_were_taken(patch: pytest.MonkeyPatch) -> None:
    """Attempts that have become live since `known` was asked are put aside for the new ones."""
    real = blocks.numbers

    def numbers(connection: Connection, attempts: Any) -> list[int]:
        a = tables.attempts
        keys = [row[2] for row in attempts.rows]
        connection.execute(update(a).where(a.c.key.in_(keys), a.c.live).values(live=False))
        return real(connection, attempts)

    patch.setattr(blocks, "numbers", numbers)


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    plant.__name__: plant
    for plant in (
        lists_what_another_has_listed,
        the_last_request_has_the_key,
        goes_on_in_what_another_records,
        whoever_comes_may_record,
        nobody_is_told_that_his_keys_were_taken,
    )
}
