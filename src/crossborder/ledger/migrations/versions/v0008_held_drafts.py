"""Documents of shipments that wait for a person are kept, so that they need not be composed again when they may pass."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "held_drafts",
        sa.Column("shipment_id", sa.Integer(), nullable=False),
        sa.Column("message_type", sa.String(length=8), nullable=False),
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("voyage", sa.Text(), nullable=True),
        sa.Column("draft_segment", sa.String(length=64), nullable=False),
        sa.Column("draft_offset", sa.Integer(), nullable=False),
        sa.Column("draft_length", sa.Integer(), nullable=False),
        sa.Column("draft_digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_held_drafts_shipment_id")
        ),
        sa.PrimaryKeyConstraint("shipment_id", name=op.f("pk_held_drafts")),
    )


def downgrade() -> None:
    op.drop_table("held_drafts")
