"""Translates the regular expressions of XSD into those of Rust's `regex`, as polars uses it.

Only what needs no guessing: characters, `.`, classes with ranges, groups, alternatives, counts, and escapes of single
characters. `\\d \\w \\s \\p \\i \\c` and class subtraction are refused: engines disagree about them.
"""

from __future__ import annotations

import re
from functools import cache

from crossborder.errors import UnsupportedType

_SINGLE = {"n": "\n", "r": "\r", "t": "\t"}
_ESCAPABLE = set("\\|.-^?*+{}()[]")
_COUNT = re.compile(r"[?*+]|\{[0-9]+(?:,[0-9]*)?\}")


@cache
def to_rust(pattern: str, *, place: str = "") -> str:
    """The pattern for the whole text, `\\A(?:…)\\z`: a line feed at the end does not slip through.

    Raises `UnsupportedType` (reason `pattern`) for what is not translated.
    """
    return _Translation(pattern, place).whole()


class _Translation:
    """One pass over one pattern."""

    def __init__(self, pattern: str, place: str) -> None:
        self.pattern = pattern
        self.place = place
        self.at = 0

    def whole(self) -> str:
        made = self._alternatives()
        if self.at < len(self.pattern):
            raise self._refuse("an unmatched bracket")
        return rf"\A(?:{made})\z"

    def _refuse(self, what: str) -> UnsupportedType:
        return UnsupportedType(
            "pattern",
            f"the pattern {self.pattern!r} has {what} at {self.at}",
            f"模式 {self.pattern!r} 第 {self.at} 位不支持",
            place=self.place,
        )

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _next(self) -> str:
        character = self._peek()
        if not character:
            raise self._refuse("an early end")
        self.at += 1
        return character

    def _alternatives(self) -> str:
        made = [self._branch()]
        while self._peek() == "|":
            self.at += 1
            made.append(self._branch())
        return "|".join(made)

    def _branch(self) -> str:
        made = ""
        while self._peek() and self._peek() not in "|)":
            made += self._atom()
            count = _COUNT.match(self.pattern, self.at)
            if count:
                made += count[0]
                self.at = count.end()
        return made

    def _atom(self) -> str:
        character = self._next()
        if character == "(":
            inner = self._alternatives()
            if self._next() != ")":
                raise self._refuse("an unmatched bracket")
            return f"(?:{inner})"
        if character == "[":
            return self._class()
        if character == ".":
            return r"[^\n\r]"
        if character == "\\":
            return _literal(self._escaped())
        if character in "?*+{}]":
            raise self._refuse(f"{character!r} where a character should stand")
        return _literal(character)

    def _escaped(self) -> str:
        character = self._next()
        if character in _SINGLE:
            return _SINGLE[character]
        if character not in _ESCAPABLE:
            raise self._refuse(f"the escape \\{character}")
        return character

    def _class(self) -> str:
        made = "["
        if self._peek() == "^":
            self.at += 1
            made += "^"
        first = True
        while first or self._peek() != "]":
            low = self._member(first)
            first = False
            if self._peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high = self._member(first=False)
                if high < low:
                    raise self._refuse("a range that runs backwards")
                made += f"{_literal(low)}-{_literal(high)}"
            else:
                made += _literal(low)
        self.at += 1
        return made + "]"

    def _member(self, first: bool) -> str:
        character = self._next()
        if character == "\\":
            return self._escaped()
        if character in "[]" or (character == "-" and not first and self._peek() != "]"):
            raise self._refuse(f"{character!r} inside a class")
        return character


def _literal(character: str) -> str:
    """A character that means itself, inside a class and outside."""
    if character.isascii() and not character.isalnum():
        return rf"\x{{{ord(character):X}}}"
    return character
