"""Events become a chain: each carries a digest over itself and all before it; the head stands apart.

What is there already is chained as it is found, and the next entry says so, with the moment: of what happened to it before,
nothing can be proven.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import sqlalchemy as sa
from alembic import op

from crossborder import china_time
from crossborder.ledger import chain, dialects

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WHO = "migration 0005"
_LOT = 10_000


def upgrade() -> None:
    connection = op.get_bind()
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    for statement in dialects.append_only_undone(connection.dialect, "events"):
        op.execute(statement)
    op.add_column("events", sa.Column("digest", sa.String(length=64), nullable=True))
    last, digest = 0, chain.GENESIS
    for lot in _lots(connection):
        digests = chain.chained(digest, (chain.written(*row) for row in lot))
        numbers = [row[0] for row in lot]
        connection.execute(
            sa.text("UPDATE events SET digest = :digest WHERE id = :id"),
            [{"id": n, "digest": d} for n, d in zip(numbers, digests, strict=True)],
        )
        last, digest = numbers[-1], digests[-1]
    for statement in dialects.append_only(connection.dialect, "events"):
        op.execute(statement)
    if last:
        last, digest = _say_so(connection, last, digest)
    insert = sa.text("INSERT INTO audit_head (id, last, digest) VALUES (1, :last, :digest)")
    connection.execute(insert, {"last": last, "digest": digest})


def downgrade() -> None:
    dialect = op.get_bind().dialect
    for statement in dialects.append_only_undone(dialect, "events"):
        op.execute(statement)
    op.drop_column("events", "digest")
    for statement in dialects.append_only(dialect, "events"):
        op.execute(statement)
    op.drop_table("audit_head")


def _say_so(connection: sa.Connection, last: int, before: str) -> tuple[int, str]:
    """The entry that tells when the older ones were chained."""
    detail = json.dumps({"last": last}, separators=(",", ":"))
    at = china_time.iso(china_time.now())
    row = (last + 1, at, WHO, "chained", None, None, None, None, detail)
    digest = chain.following(before, chain.written(*row))
    names = (*chain.COLUMNS, "digest")
    insert = f"INSERT INTO events ({', '.join(names)}) VALUES ({', '.join(':' + n for n in names)})"
    connection.execute(sa.text(insert), dict(zip(names, (*row, digest), strict=True)))
    return last + 1, digest


def _lots(connection: sa.Connection) -> Iterator[list[Any]]:
    """All entries in their order, so many at a time."""
    query = sa.text(
        f"SELECT {', '.join(chain.COLUMNS)} FROM events WHERE id > :after ORDER BY id LIMIT {_LOT}"
    )
    after = 0
    for _ in count():
        lot = list(connection.execute(query, {"after": after}))
        if not lot:
            return
        yield lot
        after = lot[-1][0]
