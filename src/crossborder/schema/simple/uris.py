"""xs:anyURI (3.2.17): what is a URI reference of RFC 2396, amended by RFC 2732, once XLink 5.4 has escaped it.

Characters that XLink escapes count as escaped octets here; `%`, `#`, `[` and `]` are not among them.
"""

from __future__ import annotations

import re
from typing import Final

from crossborder.schema.simple.primitive import Pattern

_UNWISE: Final = re.compile(r"[{}|\\^`]")
_FREE: Final = r"(?:[A-Za-z0-9\-_.!~*'()<>{}|\\^`\x{22}\x{20}\x{7F}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}]|%[0-9A-Fa-f]{2})"
_ANY: Final = rf"(?:{_FREE}|[;/?:@&=+$,\[\]])"
_ABSOLUTE_PATH: Final = rf"/(?:{_FREE}|[:@&=+$,;/])*"
_IPV4: Final = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
_HEX: Final = "[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*"
_IPV6: Final = rf"\[(?:{_HEX}(?:::(?:{_HEX})?)?|::(?:{_HEX})?)(?::{_IPV4})?\](?::[0-9]*)?"
_AUTHORITY: Final = rf"(?:(?:(?:{_FREE}|[;:&=+$,])*@)?{_IPV6}|(?:{_FREE}|[$,;:@&=+])*)"
_HIERARCHY: Final = rf"(?://{_AUTHORITY}(?:{_ABSOLUTE_PATH})?|{_ABSOLUTE_PATH})"
_ABSOLUTE: Final = (
    rf"[A-Za-z][A-Za-z0-9+\-.]*:(?:{_HIERARCHY}(?:\?{_ANY}*)?|(?:{_FREE}|[;?:@&=+$,]){_ANY}*)"
)
_RELATIVE_PATH: Final = rf"(?:{_FREE}|[;@&=+$,])+(?:{_ABSOLUTE_PATH})?"
_RELATIVE: Final = rf"(?:{_HIERARCHY}|{_RELATIVE_PATH})?(?:\?{_ANY}*)?"


class AnyUri(Pattern):
    """xs:anyURI; its length counts characters as written."""

    def __init__(self) -> None:
        super().__init__("anyURI", rf"(?:{_ABSOLUTE}|{_RELATIVE})(?:#{_ANY}*)?")

    def unsuitable(self, literal: str) -> str:
        """XLink escapes what RFC 2396 calls unwise; the W3C ruled otherwise of a listed value (test `anyURI_b006`)."""
        return "uri" if _UNWISE.search(literal) else ""
