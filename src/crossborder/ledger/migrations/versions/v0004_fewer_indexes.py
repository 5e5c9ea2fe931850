"""Attempts have one index by key instead of two, shipments none: each index is written with every row of a hand-in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_shipments_key", "shipments")
    op.drop_index("ix_attempts_key", "attempts")
    op.drop_index("uq_attempts_live", "attempts")
    once = sa.text("(CASE WHEN live THEN 0 ELSE number END)")
    op.create_index("uq_attempts_key", "attempts", ["key", "kind", once], unique=True)


def downgrade() -> None:
    op.drop_index("uq_attempts_key", "attempts")
    op.create_index(
        "uq_attempts_live", "attempts", ["kind", "key"], unique=True,
        sqlite_where=sa.text("live = 1"), postgresql_where=sa.text("live"),
    )  # fmt: skip
    op.create_index("ix_attempts_key", "attempts", ["key"], unique=False)
    op.create_index("ix_shipments_key", "shipments", ["key"], unique=False)
