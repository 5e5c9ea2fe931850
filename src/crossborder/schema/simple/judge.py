"""Turns a resolved simple type into expressions: is a text valid, which facet does it break, which value is it.

White space is processed first (4.3.6), then lexical space and facets are judged on what is left. A text is taken apart
once, into a struct (`Parts`): of an atomic type the parts of its primitive, of a list `text` and `items`, of a union
the `value`, which members accept it (`accepts0`, …), and the `text` as the first of them reads it (2.5.1.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from crossborder.schema.simple.decimals import Decimal
from crossborder.schema.simple.model import SimpleType
from crossborder.schema.simple.primitive import Ordered, Parts, Primitive, WhiteSpace
from crossborder.schema.simple.refusal import refuse
from crossborder.schema.simple.regex import anchored


def verdict(kind: SimpleType, value: pl.Expr) -> pl.Expr:
    """True where the value is valid, false where it is not, null where it is null.

    The result is called like the value. Raises `UnsupportedType` (`pattern-size`, `bound`, `invalid`, `block`).
    """
    null_of_that_name = value.str.len_bytes() < 0
    return pl.when(value.is_null()).then(null_of_that_name).otherwise(valid(kind, value))


def valid(kind: SimpleType, value: pl.Expr) -> pl.Expr:
    """True where the value, as written, is valid, else false; not defined for null."""
    broken = failures(kind, pl.field).values()
    verdict = pl.all_horizontal(in_space(kind, pl.field), *(~fails for fails in broken))
    # what could not be worked out (a text outside the lexical space) is not valid
    return _of_parts(kind, value, verdict.fill_null(False), whole=_compares(kind))


def in_space(kind: SimpleType, part: Parts) -> pl.Expr:
    """True where the value is in the lexical space that the type has before any facet."""
    if kind.variety == "union":
        return pl.any_horizontal([part(name) for name in _accepts(kind)])
    if kind.item is not None:
        return part("items").list.eval(valid(kind.item, pl.element())).list.all()
    return _primitive(kind).valid(part)


def failures(kind: SimpleType, part: Parts) -> dict[str, pl.Expr]:
    """By facet in force, true where a value of the type's lexical space breaks it.

    Order: digits and lengths, bounds, `pattern`, `enumeration`.
    """
    made = {name: _miscounted(kind, name, n, part) for name, n in kind.counts().items()}
    made |= {name: ~_within(kind, name, literal, part) for name, literal in kind.bounds().items()}
    patterns = kind.patterns()
    if patterns:
        missed = [~part("text").str.contains(anchored(choice)) for choice in patterns]
        made["pattern"] = missed[0] if len(missed) == 1 else pl.any_horizontal(missed)
    listed = kind.enumeration()
    if listed is not None:
        made["enumeration"] = ~_key(kind, part).is_in(list(listed))
    return made


def normalised(value: pl.Expr, space: WhiteSpace) -> pl.Expr:
    """The value after white space processing."""
    if space == "preserve":
        return value
    if space == "replace":
        return value.str.replace_all(r"[\t\n\r]", " ")
    return value.str.replace_all(r"[\t\n\r ]+", " ").str.strip_chars(" ")


def text_of(kind: SimpleType, literal: str) -> str:
    """One literal after the white space processing of the type."""
    made: str = pl.select(_of_parts(kind, pl.lit(literal), pl.field("text"), whole=False)).item()
    return made


def keys(kind: SimpleType, literals: Iterable[str]) -> list[str]:
    """For literals that are valid: texts that are the same exactly where they are the same value."""
    return _evaluate(literals, _keyed(kind, pl.col("literal"))).to_list()


def all_valid(kind: SimpleType, literals: Iterable[str]) -> bool:
    """True if every literal is valid for the type."""
    return bool(_evaluate(literals, verdict(kind, pl.col("literal"))).all())


def _evaluate(literals: Iterable[str], expression: pl.Expr) -> pl.Series:
    frame = pl.DataFrame({"literal": list(literals)}, schema={"literal": pl.String})
    return frame.select(expression.alias("made")).to_series()


def _compares(kind: SimpleType) -> bool:
    """Whether the type has facets for which the text alone is not enough."""
    asked = {"totalDigits", "fractionDigits"} & kind.counts().keys()
    return bool(asked or kind.bounds()) or kind.enumeration() is not None


def _of_parts(kind: SimpleType, value: pl.Expr, made: pl.Expr, *, whole: bool = True) -> pl.Expr:
    """What an expression over the parts gives for the value; over `text` alone unless the parts are `whole`."""
    parts = _taken_apart(kind, value, whole)
    return parts.struct.with_fields(made.alias("made")).struct.field("made")


def _taken_apart(kind: SimpleType, value: pl.Expr, whole: bool) -> pl.Expr:
    if kind.variety == "atomic":
        text = normalised(value, kind.white_space)
        return _primitive(kind).taken_apart(text) if whole else pl.struct(text.alias("text"))
    if kind.variety == "list":
        texts = pl.struct(normalised(value, "collapse").alias("text"))
        return texts.struct.with_fields(_items(pl.field("text")).alias("items"))
    members = zip(_accepts(kind), kind.members, strict=True)
    judged = pl.struct(value.alias("value")).struct.with_fields(
        *(valid(member, pl.field("value")).alias(name) for name, member in members)
    )
    text = _of_first(kind, pl.field, _read_by)
    return judged.struct.with_fields(text.alias("text"))


def _read_by(member: SimpleType, value: pl.Expr) -> pl.Expr:
    return _of_parts(member, value, pl.field("text"), whole=False)


def _accepts(kind: SimpleType) -> list[str]:
    """The parts of a union that say which member accepts the value."""
    return [f"accepts{place}" for place in range(len(kind.members))]


def _items(text: pl.Expr) -> pl.Expr:
    """The items of a list; none for an empty text."""
    return pl.when(text != "").then(text.str.split(" ")).otherwise(pl.lit([], pl.List(pl.String)))


def _of_first(
    kind: SimpleType, part: Parts, of: Callable[[SimpleType, pl.Expr], pl.Expr]
) -> pl.Expr:
    """What `of` gives for the first member that accepts the value."""
    made = part("value")
    for name, member in reversed(list(zip(_accepts(kind), kind.members, strict=True))):
        made = pl.when(part(name)).then(of(member, part("value"))).otherwise(made)
    return made


def _keyed(kind: SimpleType, value: pl.Expr) -> pl.Expr:
    return _of_parts(kind, value, _key(kind, pl.field))


def _key(kind: SimpleType, part: Parts) -> pl.Expr:
    """A text that is the same for two valid literals exactly where they are the same value."""
    if kind.variety == "union":
        return _of_first(kind, part, _tagged)
    if kind.item is not None:
        return part("items").list.eval(_keyed(kind.item, pl.element())).list.join("\n")
    return _primitive(kind).key(part)


def _tagged(member: SimpleType, value: pl.Expr) -> pl.Expr:
    """Values of different primitive types are never the same (4.2.1): the key names the type."""
    name = "list" if member.variety == "list" else _primitive(member).name
    return pl.concat_str(pl.lit(f"{name}:"), _keyed(member, value))


def _primitive(kind: SimpleType) -> Primitive:
    if kind.primitive is None:
        raise refuse("invalid", f"{kind.name} has no primitive type")
    return kind.primitive


def _miscounted(kind: SimpleType, name: str, number: int, part: Parts) -> pl.Expr:
    """True where the text has a length, or digits, that the facet does not allow."""
    if name in ("totalDigits", "fractionDigits"):
        primitive = _primitive(kind)
        if not isinstance(primitive, Decimal):
            raise refuse("invalid", f"{name} of {kind.name}")
        total, fraction = primitive.count(part)
        return (total if name == "totalDigits" else fraction) > number
    size = part("items").list.len() if kind.variety == "list" else _primitive(kind).length(part)
    if name == "length":
        return size != number
    return size < number if name == "minLength" else size > number


def _within(kind: SimpleType, name: str, literal: str, part: Parts) -> pl.Expr:
    """True where the text's value is certainly within the bound; what cannot be compared is not."""
    primitive = _primitive(kind)
    if not isinstance(primitive, Ordered):
        raise refuse("invalid", f"{name} of {kind.name}")
    order = primitive.order(part, literal)
    towards = order.greater if name.startswith("min") else order.less
    return towards if name.endswith("Exclusive") else towards | order.equal
