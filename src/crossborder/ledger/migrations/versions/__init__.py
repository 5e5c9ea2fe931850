"""Alembic finds the steps of the ledger here, one file each."""
