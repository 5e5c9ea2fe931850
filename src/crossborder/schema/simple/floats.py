"""xs:float and xs:double: IEEE numbers of 32 and 64 bits, with one NaN and one zero."""

from __future__ import annotations

import polars as pl

from crossborder.schema.simple.primitive import BOUNDS, EVERYWHERE, Order, Ordered, Parts

_LEXICAL = r"\A(?:[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|-?INF|NaN)\z"


class Float(Ordered):
    """xs:float or xs:double (3.2.4, 3.2.5). NaN equals itself and cannot be compared with anything else."""

    facets = EVERYWHERE | BOUNDS | {"enumeration"}

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.dtype = pl.Float32 if name == "float" else pl.Float64
        self.stages = (lambda part: {"number": part("text").cast(self.dtype, strict=False)},)

    def valid(self, part: Parts) -> pl.Expr:
        return part("text").str.contains(_LEXICAL)

    def key(self, part: Parts) -> pl.Expr:
        number = part("number")
        return pl.when(number == 0).then(pl.lit("0")).otherwise(number.cast(pl.String))

    def order(self, part: Parts, literal: str) -> Order:
        theirs = self.parts_of(literal)["number"]
        mine = part("number").cast(pl.Float64)
        number = mine.is_not_nan()
        if theirs != theirs:
            never = pl.lit(False)
            return Order(never, ~number, never)
        return Order(number & (mine < theirs), number & (mine == theirs), number & (mine > theirs))
