"""A partner mapping: how one partner's sheet becomes canonical. Written as TOML, one file a partner.

::

    title_zh = "示例伙伴"
    title_en = "example partner"
    sheet = "预报"                     # name, or number from 0; left out: the first sheet

    [header]
    within = 10                       # the header is looked for in the first ten rows; or: row = 2
    skip_after = 0                    # rows below the header that are no data, such as a row of units

    [totals]
    words = ["合计"]                   # a row whose first filled cell begins with this is left out

    [columns]
    "shipments.house_waybill" = { names = ["分运单号", "分单号"], required = true }
    "shipments.gross_weight" = { names = "毛重(克)", factor = "0.001" }
    "shipments.trade_country" = { names = "国别", words = "countries" }
    "shipments.movement_date" = { names = "日期", dates = ["yyyy-MM-dd"] }
    "shipments.receiver_address" = { names = "地址", transforms = ["strip_region"] }

    [constants]
    "shipments.direction" = "I"

    [words.countries]
    table = "countries"
    code = "customs_code"
    from = ["name_zh", "iso_alpha2"]
    values = { "美国" = "502" }
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from crossborder.shipments.columns import COLUMNS, Column, FrameName

TransformName = Literal["strip_region", "phone", "ascii_name", "city_zh"]


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_several)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class HeaderRule(_Part):
    """Where the header stands: `row` as the user counts, or the best row `within` the first few."""

    row: int | None = Field(None, ge=1)
    within: int = Field(10, ge=1, le=50)
    skip_after: int = Field(0, ge=0)


class TotalsRule(_Part):
    """A row is a totals row, and left out, if a cell of `columns` (none named: its first filled cell)
    equals, begins with or contains one of `words`."""

    columns: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    match: Literal["equals", "starts", "contains"] = "starts"


class WordTable(_Part):
    """Words that stand for codes: `values` by hand, and the columns `from` of a packaged code `table`.

    A word of the table that names two codes is not used; `values` win. Words are compared without regard
    to case, width and inner blanks; a value that already is a code is left alone.
    """

    table: str = ""
    code: str = "code"
    source: tuple[str, ...] = Field((), alias="from")
    where: dict[str, str] = {}
    values: dict[str, str] = {}


class ColumnRule(_Part):
    """How one canonical column is read.

    `names`: accepted headers, the preferred one first. `words`: a word table. `dates`: formats such as
    `yyyy-MM-dd`. `factor`: decimal text every number is multiplied by (grams: `0.001`). `transforms`:
    opt-in changes, each leaving a note. `number_cells`: numeric Excel cells are welcome although the
    column holds codes, because none of its codes begins with 0.
    """

    names: Words
    required: bool = False
    words: str = ""
    dates: tuple[str, ...] = ()
    factor: str = ""
    transforms: tuple[TransformName, ...] = ()
    number_cells: bool = False


def _rules(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {k: {"names": v} if isinstance(v, str | list | tuple) else v for k, v in value.items()}


class Mapping(_Part):
    """One partner mapping. Keys of `columns` and `constants` are `frame.column`, e.g. `goods.name`."""

    name: str = ""
    title_zh: str = ""
    title_en: str = ""
    sheet: str | int | None = None
    delimiter: str = Field("", max_length=1)
    encoding: str = ""
    header: HeaderRule = HeaderRule()
    skip_rows: tuple[int, ...] = ()
    totals: TotalsRule = TotalsRule()
    columns: Annotated[dict[str, ColumnRule], BeforeValidator(_rules)]
    constants: dict[str, str] = {}
    words: dict[str, WordTable] = {}

    def required(self) -> dict[str, ColumnRule]:
        """The columns without which a file does not fit."""
        return {key: rule for key, rule in self.columns.items() if rule.required}


@lru_cache(maxsize=1024)
def column_of(key: str) -> Column | None:
    """The canonical column of `goods.name`, or None."""
    frame, _, name = key.partition(".")
    frames: dict[str, FrameName] = {str(f): f for f in COLUMNS}
    return COLUMNS[frames[frame]].get(name) if frame in frames else None


def all_keys() -> list[str]:
    """`frame.column` of every canonical column, in order."""
    return [f"{frame}.{name}" for frame, columns in COLUMNS.items() for name in columns]


_DATE_PARTS = {"yyyy": "[0-9]{4}", "MM": "[0-9]{2}", "M": "[0-9]{1,2}", "dd": "[0-9]{2}", "d": "[0-9]{1,2}",
               "HH": "[0-9]{2}", "H": "[0-9]{1,2}", "mm": "[0-9]{2}", "m": "[0-9]{1,2}", "ss": "[0-9]{2}", "s": "[0-9]{1,2}"}  # fmt: skip
_DATE_TOKEN = re.compile("yyyy|MM?|dd?|HH?|mm?|ss?")


def date_pattern(form: str) -> re.Pattern[str]:
    """`yyyy/M/d` as a pattern with groups y, M, d, H, m, s. Raises `ValueError` without year, month, day."""
    seen: list[str] = []

    def part(found: re.Match[str]) -> str:
        token = found.group()
        seen.append(token[0])
        return f"(?P<{token[0]}>{_DATE_PARTS[token]})"

    pieces, at = [], 0
    for found in _DATE_TOKEN.finditer(form):
        pieces += [re.escape(form[at : found.start()]), part(found)]
        at = found.end()
    pieces.append(re.escape(form[at:]))
    if not {"y", "M", "d"} <= set(seen) or len(seen) != len(set(seen)):
        raise ValueError(f"a date form needs yyyy, M and d once each: {form!r}")
    return re.compile("".join(pieces))
