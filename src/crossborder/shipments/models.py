"""Pydantic models of one shipment, generated from the columns: the strict way in for single records.

`Shipment` holds its `goods` and `documents`. Python numbers, dates and booleans are accepted and become
canonical text; unknown keys are refused; only the lexical form of a value is looked at (a weight is a number,
a date a day of the calendar). Whether it may be declared is said by the checks.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model
from pydantic_core import PydanticCustomError

from crossborder.china_time import CHINA
from crossborder.shipments.columns import COLUMNS, Column, FrameName, Kind

_FORMS: dict[Kind, tuple[re.Pattern[str], str]] = {
    "decimal": (re.compile(r"[0-9]+(\.[0-9]+)?"), "digits with an optional point, such as 12.5"),
    "integer": (re.compile(r"[0-9]+"), "digits"),
    "date": (re.compile(r"[0-9]{8}"), "a day of the calendar as yyyyMMdd"),
    "datetime": (re.compile(r"[0-9]{14}"), "a moment in China time as yyyyMMddHHmmss"),
    "flag": (re.compile(r"[01]"), "0 or 1"),
    "phone": (re.compile(r"[0-9|-]+"), "digits, hyphen, and | between two numbers"),
}


class Canonical(BaseModel):
    """Base of the generated models: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def canonical_text(value: object, kind: Kind) -> object:
    """A Python value as canonical text; what is no single value is given back for pydantic to refuse."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        local = value.astimezone(CHINA) if value.tzinfo else value
        return local.strftime("%Y%m%d" if kind == "date" else "%Y%m%d%H%M%S")
    if isinstance(value, date):
        return value.strftime("%Y%m%d" if kind == "date" else "%Y%m%d000000")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal):
        number = Decimal(str(value))
        if not number.is_finite():
            return str(value)
        text = format(number, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, str):
        return value.strip() or None
    return value


def _validator(column: Column) -> BeforeValidator:
    form = _FORMS.get(column.kind)

    def check(value: object) -> object:
        text = canonical_text(value, column.kind)
        if not isinstance(text, str) or form is None:
            return text
        if not form[0].fullmatch(text) or not _on_calendar(text, column.kind):
            raise PydanticCustomError(
                "lexical_form", "{label}: {wanted}", {"label": column.label_zh, "wanted": form[1]}
            )
        return text

    return BeforeValidator(check)


def _on_calendar(text: str, kind: Kind) -> bool:
    if kind not in ("date", "datetime"):
        return True
    try:
        datetime.strptime(text, "%Y%m%d" if kind == "date" else "%Y%m%d%H%M%S").replace(
            tzinfo=CHINA
        )
    except ValueError:
        return False
    return True


def _fields(frame: FrameName) -> dict[str, Any]:
    return {
        name: (
            Annotated[str | None, _validator(column)],
            Field(
                None,
                title=column.label_zh,
                description=column.meaning + (f" ({column.unit})" if column.unit else ""),
            ),
        )
        for name, column in COLUMNS[frame].items()
    }


GoodsLine = create_model(
    "GoodsLine", __base__=Canonical, __doc__="One goods line of a shipment.", **_fields("goods")
)
Document = create_model(
    "Document", __base__=Canonical, __doc__="One accompanying document.", **_fields("documents")
)
Shipment = create_model(
    "Shipment",
    __base__=Canonical,
    __doc__="One house waybill with its goods lines and documents.",
    **_fields("shipments"),
    goods=(list[GoodsLine], Field(default_factory=list, title="商品", description="goods lines")),
    documents=(
        list[Document],
        Field(default_factory=list, title="随附单证", description="accompanying documents"),
    ),
)
