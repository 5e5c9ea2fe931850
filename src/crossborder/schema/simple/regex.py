"""Regular expressions of XML Schema 1.0 (Part 2, appendix F), translated to Rust's `regex` by their own grammar.

What the grammar does not derive is refused as `pattern`, never passed on: Rust reads `a+?`, `[a-z-[b]]`, `^` and `$`
as something else. A pattern that Rust cannot hold within its size limit is refused as `pattern-size`.
"""

from __future__ import annotations

import re
from functools import cache

import polars as pl

from crossborder.schema.simple.characters import CATEGORIES, blocks, complement, name_class
from crossborder.schema.simple.refusal import refuse

_SINGLE = {"n": "\n", "r": "\r", "t": "\t"} | {c: c for c in "\\|.-^?*+{}()[]"}
_META = set(".\\?*+{}()[]|")
_COUNT = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?\}")
_PROPERTY = re.compile(r"\{(?:(Is[a-zA-Z0-9-]+)|([A-Z][a-z]?))\}")
_SPACE = r"\x{20}\t\n\r"
_DEEPEST = 60
_LONGEST_COUNT = 5


def to_rust(pattern: str, *, place: str = "") -> str:
    r"""The pattern for the whole text, `\A(?:…)\z`: a line feed at the end does not slip through.

    Raises `UnsupportedType`: `pattern`, `block` or `pattern-size`.
    """
    return anchored((pattern,), place=place)


@cache
def anchored(patterns: tuple[str, ...], *, place: str = "") -> str:
    """One Rust pattern for the whole text that matches where any of these XSD patterns does.

    Raises `UnsupportedType` as `to_rust` does.
    """
    made = r"\A(?:" + "|".join(_Parser(pattern, place).whole() for pattern in patterns) + r")\z"
    try:
        pl.select(pl.lit("").str.contains(made))
    except pl.exceptions.ComputeError as error:
        raise refuse("pattern-size", f"{len(made)} characters", place=place) from error
    return made


class _Parser:
    """One pass over one pattern; `at` is where it stands."""

    def __init__(self, pattern: str, place: str) -> None:
        self.pattern = pattern
        self.place = place
        self.at = 0
        self.depth = 0

    def whole(self) -> str:
        made = self._branches()
        if self.at < len(self.pattern):
            raise self._bad("an unmatched bracket")
        return made

    def _bad(self, what: str) -> Exception:
        return refuse("pattern", f"{what} at {self.at} of {self.pattern!r}", place=self.place)

    def _peek(self, ahead: int = 0) -> str:
        return self.pattern[self.at + ahead : self.at + ahead + 1]

    def _next(self) -> str:
        character = self._peek()
        if not character:
            raise self._bad("an early end")
        self.at += 1
        return character

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise refuse(
                "pattern-size", f"brackets nested deeper than {_DEEPEST}", place=self.place
            )

    def _branches(self) -> str:
        """[1] regExp ::= branch ( '|' branch )*, [2] branch ::= piece*"""
        made = ""
        while self._peek() not in ("", ")"):
            if self._peek() == "|":
                self.at += 1
                made += "|"
            else:
                made += self._atom() + self._quantifier()
        return made

    def _quantifier(self) -> str:
        """[4] quantifier ::= [?*+] | ( '{' quantity '}' )"""
        if self._peek() in ("?", "*", "+"):
            return self._next()
        if self._peek() != "{":
            return ""
        found = _COUNT.match(self.pattern, self.at)
        if not found:
            raise self._bad("no quantity")
        low, high = found[1].lstrip("0") or "0", (found[3] or "").lstrip("0")
        if found[3] and not high:
            high = "0"
        if max(len(low), len(high)) > _LONGEST_COUNT:
            raise refuse("pattern-size", f"a quantity in {self.pattern!r}", place=self.place)
        if high and int(high) < int(low):
            raise self._bad("a quantity that runs backwards")
        self.at = found.end()
        return f"{{{low},{high}}}" if found[2] else f"{{{low}}}"

    def _atom(self) -> str:
        """[9] atom ::= Char | charClass | ( '(' regExp ')' )"""
        character = self._next()
        if character == "(":
            self._deeper()
            inner = self._branches()
            if self._next() != ")":
                raise self._bad("an unmatched bracket")
            self.depth -= 1
            return f"(?:{inner})"
        if character == "[":
            return self._class()
        if character == ".":
            return r"[^\n\r]"
        if character == "\\":
            single, many = self._escape()
            return f"[{many}]" if single is None else _literal(single)
        if character in _META:
            raise self._bad(f"{character!r} where an atom should stand")
        return _literal(character)

    def _escape(self) -> tuple[str | None, str]:
        """After a backslash: the one character it stands for, or None and the inside of a class."""
        character = self._next()
        if character in _SINGLE:
            return _SINGLE[character], ""
        if character in "pP":
            return None, self._property(character == "P")
        kind = character.lower()
        insides = {
            "s": _SPACE,
            "d": r"\p{Nd}",
            "w": r"\p{P}\p{Z}\p{C}",
            "i": "initial",
            "c": "name",
        }
        if kind not in insides:
            raise self._bad(f"the escape \\{character}")
        inside = name_class(insides[kind]) if kind in "ic" else insides[kind]
        negative = character.isupper() != (kind == "w")
        return None, _class_of(inside, negative)

    def _property(self, negative: bool) -> str:
        """[25] catEsc, [26] complEsc, [36] IsBlock."""
        found = _PROPERTY.match(self.pattern, self.at)
        if not found:
            raise self._bad("no property")
        self.at = found.end()
        if found[1]:
            name = found[1][2:]
            if name not in blocks():
                raise refuse("block", name, place=self.place)
            return _class_of(blocks()[name], negative)
        if not CATEGORIES.fullmatch(found[2]):
            raise self._bad(f"no category {found[2]!r}")
        return _class_of(rf"\p{{{found[2]}}}", negative)

    def _class(self) -> str:
        """[12] charClassExpr ::= '[' charGroup ']', after its opening bracket."""
        self._deeper()
        negative = self._peek() == "^"
        self.at += negative
        made = _class_of(self._group(), negative)
        if self._peek() == "-":
            self.at += 2
            made = f"[{made}--{self._class()}]"
            if self._peek() != "]":
                raise self._bad("something after a subtraction")
        self.at += 1
        self.depth -= 1
        return made

    def _group(self) -> str:
        """[14] posCharGroup ::= ( charRange | charClassEsc )+, up to `]` or `-[`."""
        made = ""
        first = True
        while first or not self._group_ends():
            made += self._member(first)
            first = False
        return made

    def _group_ends(self) -> bool:
        return self._peek() == "]" or (self._peek() == "-" and self._peek(1) == "[")

    def _member(self, first: bool) -> str:
        """[17] charRange ::= seRange | XmlCharIncDash; `-` stands for itself only at an end of its group."""
        character = self._next()
        if character == "\\":
            single, many = self._escape()
            if single is None:
                return many
        elif character in "[]":
            raise self._bad(f"{character!r} inside a class")
        elif character == "-":
            if not first and not self._group_ends():
                raise self._bad("'-' in the middle of a class")
            if self._peek() == "-" and not self._group_ends():
                raise self._bad("'--' in a class")
            return _literal("-")
        else:
            single = character
        if self._peek() != "-" or self._group_ends() or self._peek(1) == "]":
            return _literal(single)
        self.at += 1
        return self._range(single)

    def _range(self, low: str) -> str:
        """[18] seRange ::= charOrEsc '-' charOrEsc, after its hyphen."""
        if self._peek() == "-" and self._peek(1) == "[":
            raise self._bad("a hyphen before a subtraction")
        high: str | None = self._next()
        if high == "\\":
            high, _ = self._escape()
        elif high in ("[", "]", "-"):
            raise self._bad(f"{high!r} at the end of a range")
        if high is None or high < low:
            raise self._bad("a range that runs backwards or ends in a class")
        return f"{_literal(low)}-{_literal(high)}"


def _class_of(inside: str, negative: bool) -> str:
    return complement(inside) if negative else f"[{inside}]"


def _literal(character: str) -> str:
    """A character that means itself, inside a class and outside."""
    if character.isascii() and not character.isalnum():
        return rf"\x{{{ord(character):X}}}"
    return character
