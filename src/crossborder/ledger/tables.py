"""The ledger's tables (SQLAlchemy Core), for SQLite and PostgreSQL alike.

Moments are text `yyyy-MM-ddTHH:mm:ss.ffffff+08:00` (China time), so that they sort and read the same in both.
Digests are lower-case hexadecimal SHA-256 of the plain bytes. `key` columns hold the normalised business key
(half width, upper case, no blanks or hyphens): `MASTER|HOUSE|I` for a declaration, `MASTER|VOYAGE|I|1` for a
manifest (the last part counts the ADD and each later APD).
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

KEY = String(160).with_variant(String(160, collation="C"), "postgresql")
"""Business keys compare by code point in both databases, so that a prefix is a range."""

LOOSE = ("read", "unmatched", "contradictory", "unknown_code")
"""Outcomes of receipt lines that still wait, or that a person must look at."""
LOOSE_LINES = "outcome <> 'applied'"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

facts = Table(  # one value per name: ledger id, kind of endpoint first filed to, payload high-water mark
    "facts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

# Keys that encrypt what rests here, each wrapped by a key of the ring. Erasing takes `wrapped` away, for ever.
data_keys = Table(
    "data_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    # `batch|20261123-07`: its documents and findings; `receipts|hangzhou|20261123`: what came there that day;
    # `look-up`: for keyed hashes
    Column("scope", String(96), nullable=False, unique=True),
    Column(
        "key_name", String(64), nullable=False
    ),  # of the ring; empty: `wrapped` is the key itself
    Column("wrapped", LargeBinary),
    Column("made_at", String(32), nullable=False),
    Column("erased_at", String(32)),
)

serials = Table(  # blocks of message-id serials are reserved here, never reused
    "serials",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("next", Integer, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("id", String(16), primary_key=True),  # 20261123-07
    Column("day", String(8), nullable=False),
    Column("state", String(12), nullable=False),  # recording | sealed | discarded
    Column("recorder", Text),  # owner (a process) that records it, while it does
    Column("source_name", Text, nullable=False),
    Column("source_digest", String(64), nullable=False),
    Column("mapping", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("recorded", Integer, nullable=False),  # shipments committed so far (next position)
    Column("counts", Text, nullable=False),  # JSON, final when sealed
    Column("created_at", String(32), nullable=False),
    Column("sealed_at", String(32)),
    Column("submitted_at", String(32)),  # when a person (or a partner's flag) let it go
    Column("submitted_by", Text),
    Index(None, "day"),
    Index(None, "source_digest"),
)

shipments = Table(  # one row per shipment handed in, whatever became of it
    "shipments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("batch_id", ForeignKey("batches.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("key", KEY),  # null where there is no usable key
    Column("master_waybill", Text),
    Column("house_waybill", Text),  # as written
    Column("house_key", Text),  # normalised, for looking up
    Column("shown_as", Text, nullable=False),  # house waybill or "#row"
    Column("direction", String(1)),
    Column("declaration_class", String(1)),
    Column("rows", Text, nullable=False),  # "5-7,9" source rows
    Column("row_count", Integer, nullable=False),
    # unreadable | rejected | to_general | not_evaluated | on_hold | already_filed | prepared
    Column("outcome", String(16), nullable=False),
    Column("content_digest", String(64)),
    Column("attempt_id", Integer),  # the attempt made, or the live one for already_filed
    UniqueConstraint("batch_id", "position"),
    Index(None, "house_key"),
)

findings = Table(
    "findings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("batch_id", ForeignKey("batches.id"), nullable=False),
    Column("position", Integer),  # shipment position, null: the file
    Column("rule", String(64), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("action", String(16), nullable=False),
    Column("record", Text, nullable=False),  # JSON of the finding, or that sealed (`aes:…`)
    Index(None, "batch_id", "position"),
)

attempts = Table(  # a declaration or a manifest: one try, one id, one set of bytes for ever
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(12), nullable=False),  # declaration | manifest
    Column("message_type", String(8), nullable=False),  # EXP301, EXP311
    Column("key", KEY, nullable=False),
    Column("number", Integer, nullable=False),  # 1 for the first attempt of this key
    Column("live", Boolean, nullable=False),  # at most one live attempt per kind and key
    Column("batch_id", ForeignKey("batches.id"), nullable=False),
    Column("endpoint", String(64), nullable=False),
    Column("master_waybill", Text, nullable=False),
    Column("house_waybill", Text),
    Column("voyage", Text),
    Column("direction", String(1), nullable=False),
    Column("content_digest", String(64), nullable=False),
    Column("state", String(24), nullable=False),
    Column("stage", String(12), nullable=False),  # ours | platform | customs
    Column("state_since", String(32), nullable=False),
    # may be queued: let go by a person and, where the endpoint wants that, its house accepted
    Column("ready", Boolean, nullable=False),
    # draft bytes (composed at prepare), then the frozen ones (id and DDate set when queued)
    Column("draft_segment", String(64), nullable=False),
    Column("draft_offset", Integer, nullable=False),
    Column("draft_length", Integer, nullable=False),
    Column("draft_digest", String(64), nullable=False),
    Column("message_id", String(64)),
    Column("segment", String(64)),
    Column("offset", Integer),
    Column("length", Integer),
    Column("digest", String(64)),
    Column("queued_at", String(32)),
    Column("first_sent_at", String(32)),
    Column("sends", Integer, nullable=False),
    Column("unknown_since", String(32)),
    Column("retry_at", String(32)),
    Column("owner", Text),  # lease of the worker that holds it
    Column("lease_until", String(32)),
    # what customs has told
    Column("pre_entry_id", String(18)),
    Column("entry_id", String(18)),
    Column("last_code", String(4)),
    Column("last_op_time", String(17)),
    Column("released", Boolean, nullable=False),
    Column("final", Boolean, nullable=False),
    # why a person must look: reopened, contradictory, payload_damaged, … (several: comma between)
    Column("attention", Text),
    UniqueConstraint("message_id"),
    # one index for whatever is asked by key, and for the promise that at most one attempt of a key is live
    Index("uq_attempts_key", "key", "kind", text("(CASE WHEN live THEN 0 ELSE number END)"), unique=True),
    Index(None, "state", "endpoint", "kind"),
    Index(None, "batch_id", "state"),
    Index("ix_attempts_ready", "kind", "id",
          sqlite_where=text("ready = 1"), postgresql_where=text("ready")),
    Index("ix_attempts_attention", "attention",
          sqlite_where=text("attention IS NOT NULL"), postgresql_where=text("attention IS NOT NULL")),
    Index("ix_attempts_pre_entry_id", "pre_entry_id",
          sqlite_where=text("pre_entry_id IS NOT NULL"), postgresql_where=text("pre_entry_id IS NOT NULL")),
    Index("ix_attempts_entry_id", "entry_id",
          sqlite_where=text("entry_id IS NOT NULL"), postgresql_where=text("entry_id IS NOT NULL")),
)  # fmt: skip

held_drafts = Table(  # the composed document of a shipment that waits for a person; no attempt, so nothing can send it
    "held_drafts",
    metadata,
    Column("shipment_id", ForeignKey("shipments.id"), primary_key=True),
    Column("message_type", String(8), nullable=False),
    Column("endpoint", String(64), nullable=False),
    Column("voyage", Text),
    Column("draft_segment", String(64), nullable=False),
    Column("draft_offset", Integer, nullable=False),
    Column("draft_length", Integer, nullable=False),
    Column("draft_digest", String(64), nullable=False),
)

# which house waybill stands on which manifest, and what customs said of it
manifest_houses = Table(
    "manifest_houses",
    metadata,
    Column("attempt_id", ForeignKey("attempts.id"), primary_key=True),
    Column("declaration_key", KEY, primary_key=True),
    Column("house_waybill", Text, nullable=False),
    Column("state", String(24), nullable=False),  # listed | accepted | refused
    Index(None, "declaration_key"),
)

# what the class B shipments of a block may have in common with those of other batches: keyed hashes, values, days. One
# row for a block, not for a shipment; forgotten when no later batch can ask any more
marks = Table(
    "marks",
    metadata,
    Column("batch_id", ForeignKey("batches.id"), primary_key=True),
    Column("first", Integer, primary_key=True),  # the first position that it may speak about
    Column("first_day", String(8), nullable=False),  # movement days, yyyyMMdd
    Column("last_day", String(8), nullable=False),
    Column("kept_from", String(8), nullable=False),  # the later of the batch's day and `last_day`
    Column("shipments", Integer, nullable=False),
    Column("sealed", Integer),  # number in the order in which batches were sealed
    Column("body", LargeBinary, nullable=False),  # `marks.MARKS` as Arrow, compressed
    Index(None, "sealed"),
)

not_manifested = Table(  # shipments that stand on no manifest because their line cannot be written
    "not_manifested",
    metadata,
    Column("shipment_id", ForeignKey("shipments.id"), primary_key=True),
    Column("reason", Text, nullable=False),
)

receipts = Table(  # raw and never changed, but that copies are counted; read and applied afterwards
    "receipts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("endpoint", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("received_at", String(32), nullable=False),
    Column("copies", Integer, nullable=False),  # how often the same bytes have come
    Column("data_key", Integer),  # number of the key that sealed `raw`; null: it is plain
    UniqueConstraint("endpoint", "digest"),
)

# Every receipt stands in `unread` (since it was stored), or in `unreadable`, or was read and has lines. That it was read
# is noted by taking its number out of `unread`, and not beside its bytes, which would be written a second time.
unread = Table(
    "unread",
    metadata,
    Column("receipt_id", ForeignKey("receipts.id"), primary_key=True),
)

unreadable = Table(
    "unreadable",
    metadata,
    Column("receipt_id", ForeignKey("receipts.id"), primary_key=True),
    Column("message_type", String(8)),
    Column("problem", Text, nullable=False),
)

# what a receipt says of one declaration, one manifest or one house waybill of it
receipt_lines = Table(
    "receipt_lines",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("receipt_id", ForeignKey("receipts.id"), nullable=False),
    Column("line", Integer, nullable=False),  # 0 head, 1… lines
    Column("message_type", String(8), nullable=False),
    # EXP302: the declaration's key; EXP312 head: `MASTER|VOYAGE|` (`MASTER|` without voyage); EXP312 house
    # line: `MASTER|HOUSE|`, for it tells no direction
    Column("key", KEY, nullable=False),
    Column("code", String(4), nullable=False),
    Column("op_type", String(3)),
    Column("op_time", String(17), nullable=False),  # 17 digits, China time; empty if it told none
    Column("pre_entry_id", String(18)),
    Column("entry_id", String(18)),
    Column("notes", Text),  # what the port wrote, or that sealed (`aes:…`)
    # read (not yet applied) | applied | older | repeated | contradictory | unmatched | noted | unknown_code
    Column("outcome", String(16), nullable=False),
    Column("attempt_id", Integer),
    UniqueConstraint("receipt_id", "line"),
    Index(None, "attempt_id"),
    # the many that took their course are looked for by attempt; an index of them all would only cost
    Index("ix_receipt_lines_loose", "outcome",
          sqlite_where=text(LOOSE_LINES), postgresql_where=text(LOOSE_LINES)),
)  # fmt: skip

events = Table(  # append-only and chained: every change of state, every operator verb; ids without gaps
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", String(32), nullable=False),
    Column("who", Text, nullable=False),
    Column("verb", String(32), nullable=False),
    Column("batch_id", String(16)),
    Column("attempt_id", Integer),
    Column("from_state", String(24)),
    Column("to_state", String(24)),
    Column("detail", Text, nullable=False),  # JSON, without personal data
    Column("digest", String(64)),  # over this entry and the digest before it (`ledger.chain`); never empty
    Index(None, "attempt_id"),
    Index("ix_events_batch", "batch_id",  # those of the batch itself
          sqlite_where=text("attempt_id IS NULL"), postgresql_where=text("attempt_id IS NULL")),
)  # fmt: skip

audit_head = (
    Table(  # one row: the last entry of `events`; whoever writes events holds it until the commit
        "audit_head",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("last", Integer, nullable=False),
        Column("digest", String(64), nullable=False),
    )
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("api_key_id", ForeignKey("api_keys.id"), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("body_digest", String(64), nullable=False),
    Column("batch_id", String(16)),
    Column("created_at", String(32), nullable=False),
)

only_postgresql = MetaData(naming_convention=metadata.naming_convention)
"""What only a ledger on PostgreSQL has, beside `metadata`."""

payload_segments = Sequence("payload_segments", metadata=only_postgresql)

payload = Table(  # the bytes of every attempt, which on SQLite lie in files
    "payload",
    only_postgresql,
    Column("segment", String(64), primary_key=True),  # one for each transaction that kept bytes
    Column("offset", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
