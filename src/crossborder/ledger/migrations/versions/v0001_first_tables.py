"""The first tables: batches, shipments, attempts, receipts, events, partners' keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.String(160).with_variant(sa.String(160, collation="C"), "postgresql")
TABLES = (
    "api_keys",
    "batches",
    "events",
    "facts",
    "receipts",
    "serials",
    "attempts",
    "findings",
    "idempotency",
    "receipt_lines",
    "shipments",
    "manifest_houses",
    "not_manifested",
)


def upgrade() -> None:
    _api_keys()
    _batches()
    _events()
    _facts()
    _receipts()
    _serials()
    _attempts()
    _findings()
    _idempotency()
    _receipt_lines()
    _shipments()
    _manifest_houses()
    _not_manifested()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("revoked_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
        sa.UniqueConstraint("name", name=op.f("uq_api_keys_name")),
    )


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("day", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("recorder", sa.Text(), nullable=True),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("source_digest", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("recorded", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("sealed_at", sa.String(length=32), nullable=True),
        sa.Column("submitted_at", sa.String(length=32), nullable=True),
        sa.Column("submitted_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_index(op.f("ix_batches_day"), "batches", ["day"], unique=False)
    op.create_index(op.f("ix_batches_source_digest"), "batches", ["source_digest"], unique=False)


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("verb", sa.String(length=32), nullable=False),
        sa.Column("batch_id", sa.String(length=16), nullable=True),
        sa.Column("attempt_id", sa.Integer(), nullable=True),
        sa.Column("from_state", sa.String(length=24), nullable=True),
        sa.Column("to_state", sa.String(length=24), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_attempt_id"), "events", ["attempt_id"], unique=False)
    op.create_index(op.f("ix_events_batch_id"), "events", ["batch_id"], unique=False)


def _facts() -> None:
    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
    )


def _receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("message_type", sa.String(length=8), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("endpoint", "digest", name=op.f("uq_receipts_endpoint_digest")),
    )
    op.create_index(op.f("ix_receipts_state"), "receipts", ["state"], unique=False)


def _serials() -> None:
    op.create_table(
        "serials",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("next", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_serials")),
    )


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("message_type", sa.String(length=8), nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("batch_id", sa.String(length=16), nullable=False),
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("master_waybill", sa.Text(), nullable=False),
        sa.Column("house_waybill", sa.Text(), nullable=True),
        sa.Column("voyage", sa.Text(), nullable=True),
        sa.Column("direction", sa.String(length=1), nullable=False),
        sa.Column("content_digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("state_since", sa.String(length=32), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("draft_segment", sa.String(length=64), nullable=False),
        sa.Column("draft_offset", sa.Integer(), nullable=False),
        sa.Column("draft_length", sa.Integer(), nullable=False),
        sa.Column("draft_digest", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=True),
        sa.Column("segment", sa.String(length=64), nullable=True),
        sa.Column("offset", sa.Integer(), nullable=True),
        sa.Column("length", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("queued_at", sa.String(length=32), nullable=True),
        sa.Column("first_sent_at", sa.String(length=32), nullable=True),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("unknown_since", sa.String(length=32), nullable=True),
        sa.Column("retry_at", sa.String(length=32), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.String(length=32), nullable=True),
        sa.Column("pre_entry_id", sa.String(length=18), nullable=True),
        sa.Column("entry_id", sa.String(length=18), nullable=True),
        sa.Column("last_code", sa.String(length=4), nullable=True),
        sa.Column("last_op_time", sa.String(length=17), nullable=True),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("attention", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_attempts_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("message_id", name=op.f("uq_attempts_message_id")),
    )
    op.create_index(
        "ix_attempts_attention",
        "attempts",
        ["attention"],
        unique=False,
        sqlite_where=sa.text("attention IS NOT NULL"),
        postgresql_where=sa.text("attention IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_attempts_batch_id_state"), "attempts", ["batch_id", "state"], unique=False
    )
    op.create_index(
        "ix_attempts_entry_id",
        "attempts",
        ["entry_id"],
        unique=False,
        sqlite_where=sa.text("entry_id IS NOT NULL"),
        postgresql_where=sa.text("entry_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_attempts_key"), "attempts", ["key"], unique=False)
    op.create_index(
        "ix_attempts_pre_entry_id",
        "attempts",
        ["pre_entry_id"],
        unique=False,
        sqlite_where=sa.text("pre_entry_id IS NOT NULL"),
        postgresql_where=sa.text("pre_entry_id IS NOT NULL"),
    )
    op.create_index(
        "ix_attempts_ready",
        "attempts",
        ["kind", "id"],
        unique=False,
        sqlite_where=sa.text("ready = 1"),
        postgresql_where=sa.text("ready"),
    )
    op.create_index(
        op.f("ix_attempts_state_endpoint_kind"),
        "attempts",
        ["state", "endpoint", "kind"],
        unique=False,
    )
    op.create_index(
        "uq_attempts_live",
        "attempts",
        ["kind", "key"],
        unique=True,
        sqlite_where=sa.text("live = 1"),
        postgresql_where=sa.text("live"),
    )


def _findings() -> None:
    op.create_table(
        "findings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_findings_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
    )
    op.create_index(
        op.f("ix_findings_batch_id_position"), "findings", ["batch_id", "position"], unique=False
    )


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("api_key_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("body_digest", sa.String(length=64), nullable=False),
        sa.Column("batch_id", sa.String(length=16), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_idempotency_api_key_id")
        ),
        sa.PrimaryKeyConstraint("api_key_id", "key", name=op.f("pk_idempotency")),
    )


def _receipt_lines() -> None:
    op.create_table(
        "receipt_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("receipt_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("message_type", sa.String(length=8), nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("code", sa.String(length=4), nullable=False),
        sa.Column("op_type", sa.String(length=3), nullable=True),
        sa.Column("op_time", sa.String(length=17), nullable=False),
        sa.Column("pre_entry_id", sa.String(length=18), nullable=True),
        sa.Column("entry_id", sa.String(length=18), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("attempt_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["receipts.id"], name=op.f("fk_receipt_lines_receipt_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_lines")),
        sa.UniqueConstraint("receipt_id", "line", name=op.f("uq_receipt_lines_receipt_id_line")),
    )
    op.create_index(
        op.f("ix_receipt_lines_attempt_id"), "receipt_lines", ["attempt_id"], unique=False
    )
    op.create_index(op.f("ix_receipt_lines_key"), "receipt_lines", ["key"], unique=False)
    op.create_index(op.f("ix_receipt_lines_outcome"), "receipt_lines", ["outcome"], unique=False)


def _shipments() -> None:
    op.create_table(
        "shipments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", KEY, nullable=True),
        sa.Column("master_waybill", sa.Text(), nullable=True),
        sa.Column("house_waybill", sa.Text(), nullable=True),
        sa.Column("house_key", sa.Text(), nullable=True),
        sa.Column("shown_as", sa.Text(), nullable=False),
        sa.Column("direction", sa.String(length=1), nullable=True),
        sa.Column("declaration_class", sa.String(length=1), nullable=True),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("content_digest", sa.String(length=64), nullable=True),
        sa.Column("attempt_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_shipments_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipments")),
        sa.UniqueConstraint("batch_id", "position", name=op.f("uq_shipments_batch_id_position")),
    )
    op.create_index(op.f("ix_shipments_house_key"), "shipments", ["house_key"], unique=False)
    op.create_index(op.f("ix_shipments_key"), "shipments", ["key"], unique=False)


def _manifest_houses() -> None:
    op.create_table(
        "manifest_houses",
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("declaration_key", KEY, nullable=False),
        sa.Column("house_waybill", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_manifest_houses_attempt_id")
        ),
        sa.PrimaryKeyConstraint("attempt_id", "declaration_key", name=op.f("pk_manifest_houses")),
    )
    op.create_index(
        op.f("ix_manifest_houses_declaration_key"),
        "manifest_houses",
        ["declaration_key"],
        unique=False,
    )


def _not_manifested() -> None:
    op.create_table(
        "not_manifested",
        sa.Column("shipment_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_not_manifested_shipment_id")
        ),
        sa.PrimaryKeyConstraint("shipment_id", name=op.f("pk_not_manifested")),
    )
