"""What partners posted, told by the `source_name` of its batch."""

from __future__ import annotations

_POSTED = "api:"


def partner_source(partner: str, request: str) -> str:
    """The `source_name` of what a partner posted."""
    return f"{_POSTED}{partner}/{request}"


def partner_of(source_name: str) -> str | None:
    """Who posted it; None where nobody did."""
    before, posted, rest = source_name.partition(_POSTED)
    partner, slash, _ = rest.partition("/")
    return partner if posted and slash and not before else None
