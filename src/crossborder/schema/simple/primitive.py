"""What every primitive type of Part 2 offers the compiler, as polars expressions.

A text is first taken apart into named parts: `text` itself (after white space processing) and what a type's stages make
of it. All expressions speak of parts, so that each is worked out once. They are only meaningful where `valid` is true;
elsewhere they may be null or anything. The compiler joins them with `valid &`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from crossborder.schema.simple.characters import XML_CHARACTER, complement

WhiteSpace = Literal["preserve", "replace", "collapse"]
Parts = Callable[[str], pl.Expr]
"""Part by name."""
Stage = Callable[[Parts], dict[str, pl.Expr]]
"""Further parts, made of those before."""

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
    stages: tuple[Stage, ...] = ()

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def valid(self, part: Parts) -> pl.Expr:
        """True where the text is in the lexical space."""

    def key(self, part: Parts) -> pl.Expr:
        """A text that is the same for two literals exactly where their values are equal; it holds no line feed."""
        return part("text")

    def unsuitable(self, literal: str) -> str:
        """The reason for which a facet with this literal is refused; empty if it is not."""
        return ""

    def length(self, part: Parts) -> pl.Expr:
        """Length in the unit of the type: characters, or octets of binary types."""
        return part("text").str.len_chars()

    def taken_apart(self, text: pl.Expr) -> pl.Expr:
        """A struct whose fields are the parts of a text."""
        made = pl.struct(text.alias("text"))
        for stage in self.stages:
            parts = stage(pl.field)
            made = made.struct.with_fields(*(part.alias(name) for name, part in parts.items()))
        return made

    def parts_of(self, literal: str) -> dict[str, Any]:
        """The parts of one literal, as Python values."""
        parts: dict[str, Any] = pl.select(self.taken_apart(pl.lit(literal))).item()
        return parts


class Ordered(Primitive):
    """A primitive type with a (partial) order, so that bounds apply to it."""

    @abstractmethod
    def order(self, part: Parts, literal: str) -> Order:
        """How values stand to a literal of this type that is not `unsuitable`."""


class Text(Primitive):
    """xs:string: any characters that XML allows (2.2 of XML 1.0), in any number."""

    white_space: WhiteSpace = "preserve"

    def valid(self, part: Parts) -> pl.Expr:
        return ~part("text").str.contains(complement(XML_CHARACTER))


class Pattern(Primitive):
    """A primitive whose lexical space is one regular expression (in Rust's dialect)."""

    def __init__(self, name: str, pattern: str) -> None:
        super().__init__(name)
        self.pattern = rf"\A(?:{pattern})\z"

    def valid(self, part: Parts) -> pl.Expr:
        return part("text").str.contains(self.pattern)


class Boolean(Pattern):
    """xs:boolean: `true`, `false`, `1`, `0`."""

    facets = EVERYWHERE

    def __init__(self) -> None:
        super().__init__("boolean", "true|false|1|0")

    def key(self, part: Parts) -> pl.Expr:
        return part("text").replace({"true": "1", "false": "0"})


class HexBinary(Pattern):
    """xs:hexBinary: pairs of hexadecimal digits; the length counts octets."""

    def __init__(self) -> None:
        super().__init__("hexBinary", "(?:[0-9a-fA-F]{2})*")

    def key(self, part: Parts) -> pl.Expr:
        return part("text").str.to_uppercase()

    def length(self, part: Parts) -> pl.Expr:
        return part("text").str.len_bytes() // 2


class Base64Binary(Pattern):
    """xs:base64Binary by the grammar of 3.2.16: one space may follow any character; the length counts octets."""

    def __init__(self) -> None:
        final = "[A-Za-z0-9+/] ?[AQgw] ?= ?=|(?:[A-Za-z0-9+/] ?){2}[AEIMQUYcgkosw048] ?="
        four = "(?:[A-Za-z0-9+/] ?){4}"
        super().__init__("base64Binary", f"(?:{four})*(?:{final})?")

    def valid(self, part: Parts) -> pl.Expr:
        return part("text").str.contains(self.pattern) & ~part("text").str.ends_with(" ")

    def key(self, part: Parts) -> pl.Expr:
        return part("text").str.replace_all(" ", "", literal=True)

    def length(self, part: Parts) -> pl.Expr:
        bare = self.key(part)
        return bare.str.len_bytes() // 4 * 3 - bare.str.count_matches("=", literal=True)
