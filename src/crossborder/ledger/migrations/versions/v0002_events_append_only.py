"""Events can be added, never changed or deleted."""

from __future__ import annotations

from alembic import op

from crossborder.ledger import dialects

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in dialects.append_only(op.get_bind().dialect, "events"):
        op.execute(statement)


def downgrade() -> None:
    for statement in dialects.append_only_undone(op.get_bind().dialect, "events"):
        op.execute(statement)
