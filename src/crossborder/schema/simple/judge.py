"""Turns a resolved simple type into expressions: is a text valid, which facet does it break, which value is it.

White space is processed first (4.3.6), then lexical space and facets are judged on what is left. Lists are judged
item by item with `list.eval`, unions by the first member that accepts the text (2.5.1.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from crossborder.schema.simple.decimals import Decimal
from crossborder.schema.simple.model import SimpleType
from crossborder.schema.simple.primitive import Ordered, Primitive, WhiteSpace
from crossborder.schema.simple.refusal import refuse
from crossborder.schema.simple.regex import anchored


def verdict(kind: SimpleType, value: pl.Expr) -> pl.Expr:
    """True where the value is valid, false where it is not, null where it is null.

    Raises `UnsupportedType` (`pattern-size`, `bound`, `invalid`, `block`).
    """
    return pl.when(value.is_not_null()).then(valid(kind, value))


def valid(kind: SimpleType, value: pl.Expr) -> pl.Expr:
    """True where the value, as written, is valid, else false; not defined for null."""
    broken = failures(kind, value, text_of(kind, value)).values()
    return _sure(pl.all_horizontal(in_space(kind, value), *(~fails for fails in broken)))


def in_space(kind: SimpleType, value: pl.Expr) -> pl.Expr:
    """True where the value is in the lexical space that the type has before any facet."""
    if kind.variety == "union":
        return pl.any_horizontal([valid(member, value) for member in kind.members])
    text = text_of(kind, value)
    if kind.item is None:
        return _primitive(kind).valid(text)
    return _items(text).list.eval(valid(kind.item, pl.element())).list.all()


def failures(kind: SimpleType, value: pl.Expr, text: pl.Expr) -> dict[str, pl.Expr]:
    """By facet in force, true where a value of the type's lexical space breaks it.

    `text` is the value after white space processing (`text_of`). Order: digits, lengths, bounds, `pattern`,
    `enumeration`.
    """
    counts = kind.counts()
    made = {name: _miscounted(kind, name, number, text) for name, number in counts.items()}
    made |= {name: ~_bound(kind, name, literal, text) for name, literal in kind.bounds().items()}
    patterns = kind.patterns()
    if patterns:
        missed = [~text.str.contains(anchored(choice)) for choice in patterns]
        made["pattern"] = missed[0] if len(missed) == 1 else pl.any_horizontal(missed)
    listed = kind.enumeration()
    if listed is not None:
        made["enumeration"] = ~key_of(kind, value).is_in(list(listed))
    return made


def text_of(kind: SimpleType, value: pl.Expr) -> pl.Expr:
    """The value after white space processing; for a union, that of the member that accepts it."""
    if kind.variety != "union":
        return _normalised(value, kind.white_space)
    spaces = {member.white_space for member in kind.members}
    if len(spaces) == 1:
        return _normalised(value, spaces.pop())
    return _first_member(kind, value, lambda member: text_of(member, value), value)


def key_of(kind: SimpleType, value: pl.Expr) -> pl.Expr:
    """A text that is the same for two valid literals exactly where they are the same value."""
    if kind.variety == "union":
        return _first_member(kind, value, lambda member: _tagged(member, value), value)
    text = text_of(kind, value)
    if kind.item is None:
        return _primitive(kind).key(text)
    return _items(text).list.eval(key_of(kind.item, pl.element())).list.join("\n")


def keys(kind: SimpleType, literals: Iterable[str]) -> list[str]:
    """The keys of literals that are valid for the type."""
    return _evaluate(literals, key_of(kind, pl.col("literal"))).to_list()


def all_valid(kind: SimpleType, literals: Iterable[str]) -> bool:
    """True if every literal is valid for the type."""
    return bool(_evaluate(literals, verdict(kind, pl.col("literal"))).all())


def _evaluate(literals: Iterable[str], expression: pl.Expr) -> pl.Series:
    frame = pl.DataFrame({"literal": list(literals)}, schema={"literal": pl.String})
    return frame.select(expression.alias("made")).to_series()


def _primitive(kind: SimpleType) -> Primitive:
    if kind.primitive is None:
        raise refuse("invalid", f"{kind.name} has no primitive type")
    return kind.primitive


def _sure(verdict: pl.Expr) -> pl.Expr:
    """What could not be worked out (a text outside the lexical space) is not valid."""
    return verdict.fill_null(False)


def _normalised(value: pl.Expr, space: WhiteSpace) -> pl.Expr:
    if space == "preserve":
        return value
    if space == "replace":
        return value.str.replace_all(r"[\t\n\r]", " ")
    return value.str.replace_all(r"[\t\n\r ]+", " ").str.strip_chars(" ")


def _items(text: pl.Expr) -> pl.Expr:
    """The items of a list; none for an empty text."""
    return pl.when(text != "").then(text.str.split(" ")).otherwise(pl.lit([], pl.List(pl.String)))


def _first_member(
    kind: SimpleType, value: pl.Expr, of: Callable[[SimpleType], pl.Expr], otherwise: pl.Expr
) -> pl.Expr:
    """What `of` gives for the first member that accepts the value."""
    made = otherwise
    for member in reversed(kind.members):
        made = pl.when(valid(member, value)).then(of(member)).otherwise(made)
    return made


def _tagged(member: SimpleType, value: pl.Expr) -> pl.Expr:
    """Values of different primitive types are never the same (4.2.1): the key names the type."""
    name = "list" if member.variety == "list" else _primitive(member).name
    return pl.concat_str(pl.lit(f"{name}:"), key_of(member, value))


def _miscounted(kind: SimpleType, name: str, number: int, text: pl.Expr) -> pl.Expr:
    """True where the text has a length, or digits, that the facet does not allow."""
    if name in ("totalDigits", "fractionDigits"):
        primitive = _primitive(kind)
        if not isinstance(primitive, Decimal):
            raise refuse("invalid", f"{name} of {kind.name}")
        total, fraction = primitive.digits(text)
        return (total if name == "totalDigits" else fraction) > number
    size = _items(text).list.len() if kind.variety == "list" else _primitive(kind).length(text)
    if name == "length":
        return size != number
    return size < number if name == "minLength" else size > number


def _bound(kind: SimpleType, name: str, literal: str, text: pl.Expr) -> pl.Expr:
    """True where the text's value is certainly within the bound; what cannot be compared is not."""
    primitive = _primitive(kind)
    if not isinstance(primitive, Ordered):
        raise refuse("invalid", f"{name} of {kind.name}")
    order = primitive.order(text, literal)
    towards = order.greater if name.startswith("min") else order.less
    return towards if name.endswith("Exclusive") else towards | order.equal
