"""Alembic's entry: it runs on the connection that `ledger.database` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from crossborder.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
