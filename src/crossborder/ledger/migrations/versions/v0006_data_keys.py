"""What rests is encrypted from now on, each batch and each day's receipts with a key of their own.

What was written before stays as it is and is read as it was: segments whose names do not end in `.aes.seg`, receipts
without `data_key`, findings and notes that do not begin with `aes:` are plain.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crossborder.errors import LedgerError

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "data_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("key_name", sa.String(length=64), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.String(length=32), nullable=False),
        sa.Column("erased_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_keys")),
        sa.UniqueConstraint("scope", name=op.f("uq_data_keys_scope")),
    )
    op.add_column("receipts", sa.Column("data_key", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Raises `LedgerError` if anything is encrypted: an older version could never read it again."""
    sealing = "SELECT count(*) FROM data_keys WHERE scope <> 'look-up'"
    if op.get_bind().execute(sa.text(sealing)).scalar_one():
        raise LedgerError(
            "an encrypted ledger cannot go back to a version that knows no encryption",
            "已加密的台账不能退回到不支持加密的版本",
        )
    op.drop_column("receipts", "data_key")
    op.drop_table("data_keys")
    op.execute("DELETE FROM facts WHERE name LIKE 'ring/%'")
