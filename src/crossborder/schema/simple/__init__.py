"""A compiler of XML Schema simple types into polars expressions.

It follows the text of XML Schema 1.0 Part 2 (second edition); `tables/libxml2_differences.csv` lists where libxml2 is
known to judge otherwise. What cannot be judged exactly is refused by name (`crossborder.schema.simple.refusal`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl

from crossborder.schema.simple.definitions import Definitions
from crossborder.schema.simple.documents import Documents, Name
from crossborder.schema.simple.judge import verdict
from crossborder.schema.simple.model import SimpleType
from crossborder.schema.simple.refusal import REASONS, refuse

__all__ = ["REASONS", "compile_simple_type", "compiled"]

_TYPE_NAME = re.compile(r"(?:\{([^{}]*)\})?([^{}:]+)")


def compile_simple_type(xsd_path: str | Path, type_name: str) -> Callable[[pl.Expr], pl.Expr]:
    """A function from a String expression to a Boolean one: is each value valid for the simple type?

    `type_name` is `{namespace}local`, or `local` for a type without namespace; built-in types have the namespace
    `http://www.w3.org/2001/XMLSchema`. White space is processed by the function. Null gives null.

    Raises `UnsupportedType` for a type that is not compiled; `.reason` is a key of `REASONS`.
    """
    found = _TYPE_NAME.fullmatch(type_name)
    if not found:
        raise refuse("unknown-type", type_name)
    definitions = Definitions(Documents(Path(xsd_path)))
    return compiled(definitions.named(Name(found[1] or "", found[2])))


def compiled(kind: SimpleType) -> Callable[[pl.Expr], pl.Expr]:
    """The same for a type already resolved. The whole type is compiled here, so that the function never refuses."""
    verdict(kind, pl.lit(None, pl.String))

    def judge(value: pl.Expr) -> pl.Expr:
        return verdict(kind, value)

    return judge
