"""The built-in types of Part 2, chapter 3, as `SimpleType` values.

`tables/builtin_types.csv` holds the derived ones. `ID`, `IDREF` and `IDREFS` are judged as values only: that an
identifier is unique and a reference has its identifier is a matter of the document (Part 1, `cvc-id`).
`QName`, `NOTATION`, `ENTITY` and `ENTITIES` cannot be judged without the document and are refused.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import cast

from crossborder.schema.simple.dates import FORMS, Date
from crossborder.schema.simple.decimals import Decimal
from crossborder.schema.simple.durations import Duration
from crossborder.schema.simple.floats import Float
from crossborder.schema.simple.model import SimpleType, Step
from crossborder.schema.simple.primitive import (
    Base64Binary,
    Boolean,
    HexBinary,
    Primitive,
    Text,
    WhiteSpace,
)
from crossborder.schema.simple.refusal import refuse
from crossborder.schema.simple.uris import AnyUri

XSD = "http://www.w3.org/2001/XMLSchema"
CONTEXT = frozenset({"QName", "NOTATION", "ENTITY", "ENTITIES"})
_TABLE = Path(__file__).resolve().parent / "tables" / "builtin_types.csv"


def builtin(name: str) -> SimpleType:
    """A built-in type by its local name. Raises `UnsupportedType` (`context`, `unknown-type`)."""
    if name in CONTEXT:
        raise refuse("context", f"xs:{name}")
    found = _types().get(name)
    if found is None:
        raise refuse("unknown-type", f"xs:{name}")
    return found


@cache
def _types() -> dict[str, SimpleType]:
    primitives: list[Primitive] = [
        Text("string"),
        Boolean(),
        Decimal(),
        Duration(),
        HexBinary(),
        Base64Binary(),
    ]
    primitives += [Float("float"), Float("double"), AnyUri(), *(Date(name) for name in FORMS)]
    made = {p.name: SimpleType(p.name, "atomic", p.white_space, primitive=p) for p in primitives}
    made["anySimpleType"] = SimpleType(
        "anySimpleType", "atomic", "preserve", primitive=Text("anySimpleType")
    )
    with _TABLE.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            made[row["type"]] = _derived(row, made)
    return made


def _derived(row: dict[str, str], made: dict[str, SimpleType]) -> SimpleType:
    counts = {name: int(row[name]) for name in ("minLength", "fractionDigits") if row[name]}
    bounds = {name: row[name] for name in ("minInclusive", "maxInclusive") if row[name]}
    step = Step((row["pattern"],) if row["pattern"] else (), None, counts, bounds)
    space = cast("WhiteSpace", row["whiteSpace"])
    if row["item"]:
        return SimpleType(row["type"], "list", space, item=made[row["item"]], steps=(step,))
    base = made[row["base"]]
    return SimpleType(
        row["type"],
        "atomic",
        space,
        primitive=base.primitive,
        base=base,
        steps=(*base.steps, step),
        fixed=base.fixed | (counts.keys() & {"fractionDigits"}),
    )
