"""What every primitive type of Part 2 offers the compiler, as polars expressions.

All expressions take the text after white space processing (String) and are only meaningful where `valid` is true;
elsewhere they may be null or anything. The compiler joins them with `valid &`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import polars as pl

from crossborder.schema.simple.characters import XML_CHARACTER

WhiteSpace = Literal["preserve", "replace", "collapse"]

LENGTHS = frozenset({"length", "minLength", "maxLength"})
BOUNDS = frozenset({"minInclusive", "minExclusive", "maxInclusive", "maxExclusive"})
DIGITS = frozenset({"totalDigits", "fractionDigits"})
EVERYWHERE = frozenset({"pattern", "whiteSpace"})


@dataclass(frozen=True, slots=True)
class Order:
    """How values stand to one literal; all three false: the two cannot be compared (NaN, missing zones)."""

    less: pl.Expr
    equal: pl.Expr
    greater: pl.Expr


class Primitive(ABC):
    """A primitive type: lexical space, equality and length. The default is a type of plain texts."""

    facets = EVERYWHERE | LENGTHS | {"enumeration"}
    white_space: WhiteSpace = "collapse"

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def valid(self, text: pl.Expr) -> pl.Expr:
        """True where the text is in the lexical space."""

    def key(self, text: pl.Expr) -> pl.Expr:
        """A text that is the same for two literals exactly where their values are equal; it holds no line feed."""
        return text

    def unsuitable(self, literal: str) -> str:
        """The reason for which a facet with this literal is refused; empty if it is not."""
        return ""

    def length(self, text: pl.Expr) -> pl.Expr:
        """Length in the unit of the type: characters, or octets of binary types."""
        return text.str.len_chars()


class Ordered(Primitive):
    """A primitive type with a (partial) order, so that bounds apply to it."""

    @abstractmethod
    def order(self, text: pl.Expr, literal: str) -> Order:
        """How values stand to a literal of this type that is not `unsuitable`."""


class Text(Primitive):
    """xs:string: any characters that XML allows (2.2 of XML 1.0), in any number."""

    white_space: WhiteSpace = "preserve"

    def valid(self, text: pl.Expr) -> pl.Expr:
        return ~text.str.contains(f"[^{XML_CHARACTER}]")


class Pattern(Primitive):
    """A primitive whose lexical space is one regular expression (in Rust's dialect)."""

    def __init__(self, name: str, pattern: str) -> None:
        super().__init__(name)
        self.pattern = rf"\A(?:{pattern})\z"

    def valid(self, text: pl.Expr) -> pl.Expr:
        return text.str.contains(self.pattern)


class Boolean(Pattern):
    """xs:boolean: `true`, `false`, `1`, `0`."""

    facets = EVERYWHERE

    def __init__(self) -> None:
        super().__init__("boolean", "true|false|1|0")

    def key(self, text: pl.Expr) -> pl.Expr:
        return text.replace({"true": "1", "false": "0"})


class HexBinary(Pattern):
    """xs:hexBinary: pairs of hexadecimal digits; the length counts octets."""

    def __init__(self) -> None:
        super().__init__("hexBinary", "(?:[0-9a-fA-F]{2})*")

    def key(self, text: pl.Expr) -> pl.Expr:
        return text.str.to_uppercase()

    def length(self, text: pl.Expr) -> pl.Expr:
        return text.str.len_bytes() // 2


class Base64Binary(Pattern):
    """xs:base64Binary by the grammar of 3.2.16: one space may follow any character; the length counts octets."""

    def __init__(self) -> None:
        final = "[A-Za-z0-9+/] ?[AQgw] ?= ?=|(?:[A-Za-z0-9+/] ?){2}[AEIMQUYcgkosw048] ?="
        four = "(?:[A-Za-z0-9+/] ?){4}"
        super().__init__("base64Binary", f"(?:{four})*(?:{final})?")

    def valid(self, text: pl.Expr) -> pl.Expr:
        return text.str.contains(self.pattern) & ~text.str.ends_with(" ")

    def key(self, text: pl.Expr) -> pl.Expr:
        return text.str.replace_all(" ", "", literal=True)

    def length(self, text: pl.Expr) -> pl.Expr:
        bare = self.key(text)
        return bare.str.len_bytes() // 4 * 3 - bare.str.count_matches("=", literal=True)
