"""On PostgreSQL the bytes of every attempt lie in a table; on SQLite they stay in files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql" or _is_there():
        return
    op.execute("CREATE SEQUENCE payload_segments")
    op.create_table(
        "payload",
        sa.Column("segment", sa.String(length=64), nullable=False),
        sa.Column("offset", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("segment", "offset", name=op.f("pk_payload")),
    )


def downgrade() -> None:
    """Bytes are never thrown away: where there are any, the table stays, and is found again on the way up."""
    if op.get_bind().dialect.name != "postgresql":
        return
    if op.get_bind().execute(sa.text("SELECT 1 FROM payload LIMIT 1")).first() is None:
        op.drop_table("payload")
        op.execute("DROP SEQUENCE payload_segments")


def _is_there() -> bool:
    return sa.inspect(op.get_bind()).has_table("payload")
