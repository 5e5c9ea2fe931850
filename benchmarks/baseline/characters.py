"""Which characters are what, as patterns and functions over one text.

Unicode is that of the interpreter: what was assigned after it counts as unassigned here.
"""

from __future__ import annotations

import re
import unicodedata

HAN = (
    "\u2e80-\u2e99\u2e9b-\u2ef3\u2f00-\u2fd5\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufa6d\ufa70-\ufad9\U00016fe2\U00016fe3\U00016ff0\U00016ff1\U00020000-\U0003fffd"
)
"""Chinese characters, as the inside of a character class."""
_LATIN = (
    "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02b8\u02e0-\u02e4\u1d00-\u1d25\u1d2c-\u1d5c\u1d62-\u1d65"
    "\u1d6b-\u1d77\u1d79-\u1dbe\u1e00-\u1eff\u2071\u207f\u2090-\u209c\u212a\u212b\u2132\u214e\u2160-\u2188\u2c60-\u2c7f"
    "\ua722-\ua787\ua78b-\ua7dc\ua7f2-\ua7ff\uab30-\uab5a\uab5c-\uab64\uab66-\uab69\ufb00-\ufb06\uff21-\uff3a\uff41-\uff5a"
)
_EMOJI = (
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be"
    "\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757"
    "\u2764\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\ufe0f\U0001f000-\U0001faff"
)
_ILLEGAL = frozenset(("Cc", "Cf", "Cn", "Co", "Zl", "Zp"))
_emoji = re.compile(f"[{_EMOJI}]").search
_has_latin = re.compile(f"[{_LATIN}]").search
_letter = re.compile("[A-Za-z]").search
has_han = re.compile(f"[{HAN}]").search
full_width = re.compile("[\uff01-\uff5e\u3000]").search
"""A full-width form of any character of ASCII, the blank included."""
wide_letter = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]").search
"""A full-width digit or letter."""
rare = re.compile("[\U00020000-\U0003fffd]").search
"""An ideograph outside the basic plane."""


def illegal(text: str) -> bool:
    """Whether a text holds a control, format, unassigned or private-use character or an emoji."""
    if text.isascii():
        return not text.isprintable()
    if _emoji(text):
        return True
    return not text.isprintable() and any(
        unicodedata.category(c) in _ILLEGAL and not rare(c) for c in text
    )


def written(text: str | None) -> str | None:
    """A code as it is, None where its characters are not fit for one: TXT-04 speaks about it then."""
    if text is None or full_width(text) or illegal(text):
        return None
    return text


def not_latin(text: str | None) -> bool:
    """No Latin letter in a text, or a Chinese character; what holds illegal characters is another rule's."""
    if text is None:
        return False
    if text.isascii():
        return not _letter(text) and text.isprintable()
    return (not _has_latin(text) or bool(has_han(text))) and not illegal(text)


def digits(text: str) -> bool:
    """Whether there is nothing but the digits 0 to 9."""
    return text.isascii() and text.isdigit()
