"""A receipt's row is written once: that it was read is noted elsewhere; no index that is never asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LOOSE = "outcome <> 'applied'"
OF_BATCHES = "attempt_id IS NULL"


def upgrade() -> None:
    op.create_table(
        "unread",
        sa.Column("receipt_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_unread_receipt_id")),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_unread")),
    )
    op.create_table(
        "unreadable",
        sa.Column("receipt_id", sa.Integer(), nullable=False),
        sa.Column("message_type", sa.String(length=8), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["receipts.id"], name=op.f("fk_unreadable_receipt_id")
        ),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_unreadable")),
    )
    op.execute("INSERT INTO unread SELECT id FROM receipts WHERE state = 'stored'")
    op.execute(
        "INSERT INTO unreadable SELECT id, message_type, coalesce(problem, '') FROM receipts"
        " WHERE state = 'unreadable'"
    )
    op.drop_index(op.f("ix_receipts_state"), "receipts")
    for column in ("state", "message_type", "problem"):
        op.drop_column("receipts", column)
    op.drop_index(op.f("ix_receipt_lines_key"), "receipt_lines")
    op.drop_index(op.f("ix_receipt_lines_outcome"), "receipt_lines")
    _partial("ix_receipt_lines_loose", "receipt_lines", "outcome", LOOSE)
    op.drop_index(op.f("ix_events_batch_id"), "events")
    _partial("ix_events_batch", "events", "batch_id", OF_BATCHES)


def downgrade() -> None:
    op.drop_index("ix_events_batch", "events")
    op.create_index(op.f("ix_events_batch_id"), "events", ["batch_id"])
    op.drop_index("ix_receipt_lines_loose", "receipt_lines")
    op.create_index(op.f("ix_receipt_lines_outcome"), "receipt_lines", ["outcome"])
    op.create_index(op.f("ix_receipt_lines_key"), "receipt_lines", ["key"])
    read = sa.Column("state", sa.String(length=12), nullable=False, server_default="read")
    op.add_column("receipts", read)
    op.add_column("receipts", sa.Column("message_type", sa.String(length=8), nullable=True))
    op.add_column("receipts", sa.Column("problem", sa.Text(), nullable=True))
    op.execute(
        "UPDATE receipts SET message_type = (SELECT message_type FROM receipt_lines"
        " WHERE receipt_id = receipts.id AND line = 0)"
    )
    op.execute("UPDATE receipts SET state = 'stored' WHERE id IN (SELECT receipt_id FROM unread)")
    op.execute(
        "UPDATE receipts SET state = 'unreadable',"
        " message_type = (SELECT message_type FROM unreadable WHERE receipt_id = receipts.id),"
        " problem = (SELECT problem FROM unreadable WHERE receipt_id = receipts.id)"
        " WHERE id IN (SELECT receipt_id FROM unreadable)"
    )
    op.create_index(op.f("ix_receipts_state"), "receipts", ["state"])
    op.drop_table("unreadable")
    op.drop_table("unread")


def _partial(name: str, table: str, column: str, where: str) -> None:
    op.create_index(
        name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )
