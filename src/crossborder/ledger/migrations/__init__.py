"""Versions of the ledger's tables. A released file here is never changed; a change is a new file."""

HEAD = "0007"
"""The version this package writes and reads; a test compares it with the newest file."""
