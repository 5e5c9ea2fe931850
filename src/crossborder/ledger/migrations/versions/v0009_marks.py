"""Marks: what the shipments of a block may have in common with later ones, as keyed hashes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "marks",
        sa.Column("batch_id", sa.String(length=16), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.String(length=8), nullable=False),
        sa.Column("last_day", sa.String(length=8), nullable=False),
        sa.Column("kept_from", sa.String(length=8), nullable=False),
        sa.Column("shipments", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_marks_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "first", name=op.f("pk_marks")),
    )
    op.create_index(op.f("ix_marks_sealed"), "marks", ["sealed"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_marks_sealed"), "marks")
    op.drop_table("marks")
