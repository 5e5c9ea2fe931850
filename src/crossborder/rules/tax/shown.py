"""The rules that give figures, each with what it means and a parcel on which it can be seen.

`explain` works the example out and shows the sum; law, dates and certainty stand in `rules/computed.csv`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crossborder.rules.model import Example, Parcel


@dataclass(frozen=True, slots=True)
class Shown:
    """What a figure's rule means, and an example. `told_as` are the ids under which lines and consignments name it."""

    meaning: str
    example: Example
    told_as: tuple[str, ...]
    regime: Literal["declared", "ecommerce"] = "declared"


def _parcel(kind: Literal["B", "C"], day: str, **line: str | None) -> Example:
    """One import with one line, moved and declared on a day; what goods come from is the sample tariff."""
    own = {"quantity": "1", "declared_total": None, "model": "L", **line}
    return Example((Parcel(kind, "I", {"movement_date": day}, (own,)),), declared_on=day)


_NOW, _OLD = "20261123", "20241130"
_CREAM = {"commodity_code": "09020220", "declared_price": "150", "quantity": "2", "model": "50ml"}
_SHIRT = {"commodity_code": "04010400", "declared_price": "200"}
_BEER = {"commodity_code": "02010100", "declared_price": "9", "unit": "142"}
_BERRIES = {"commodity_code": "0811100000", "declared_price": "200"}
_SPIRITS = {
    "commodity_code": "2208300000", "declared_price": "100", "quantity": "2", "quantity_1": "1.4", "unit_1": "095",
}  # fmt: skip

SHOWN: dict[str, Shown] = {
    "LIM-06": Shown(
        "The tax of one consignment of postal articles is not collected up to CNY 50; above that all of it is.",
        _parcel("B", _NOW, **_SHIRT), ("LIM-06",),
    ),
    "LIM-07": Shown(
        "After 2024-12-01 the CNY 50 rest on carriers' notices: a dated figure of their own in `tax_parameters`.",
        _parcel("B", _NOW, **_SHIRT), ("LIM-06",),
    ),
    "TAX-02": Shown(
        "The actual price counts; the listed one only where there is no price; without either, nothing is evaluated.",
        _parcel("B", _NOW, **_BEER), ("TAX-02",),
    ),
    "TAX-03": Shown(
        "The listed price counts, unless the actual one is at least twice or at most half of it.",
        _parcel("B", _OLD, **_BEER), ("TAX-03",),
    ),
    "TAX-04": Shown(
        "Tax of a line: value × quantity × rate of its tax number; of the consignment: the sum of its lines.",
        _parcel("B", _NOW, **_CREAM), ("TAX-04",),
    ),
    "TAX-05": Shown(
        "The same at the rates of 2019; of that table only groups 01 to 03 are packaged.",
        _parcel("B", _OLD, **_BEER), ("TAX-05",),
    ),
    "TAX-06": Shown(
        "The same at the rates of 2018-11; its table is not packaged, so lines are not evaluated until it is imported.",
        _parcel("B", "20181101", **_BEER), ("TAX-06",),
    ),
    "TAX-07": Shown(
        "The same at the rates of 2016; its table is not packaged, so lines are not evaluated until it is imported.",
        _parcel("B", "20160408", **_BEER), ("TAX-07",),
    ),
    "TAX-08": Shown(
        "An estimate: duty at the MFN rate, consumption tax on the price that holds it, VAT on both.",
        _parcel("C", _NOW, **_BERRIES), ("TAX-08",),
    ),
    "TAX-09": Shown(
        "Each of the three taxes is perhaps not collected below CNY 50; noted, or applied if the setting says so.",
        _parcel("C", _NOW, **_BERRIES), ("TAX-09",),
    ),
    "TAX-10": Shown(
        "As retail e-commerce within the limit: no duty, and 70 percent of consumption tax and VAT.",
        _parcel("C", _NOW, **_SPIRITS), ("TAX-10",), "ecommerce",
    ),
    "TAX-11": Shown(
        "The value is the actual price with freight and insurance, shared out by value.",
        _parcel("C", _NOW, **_BERRIES), ("TAX-11",), "ecommerce",
    ),
    "TAX-12": Shown(
        "Follows from TAX-10: (VAT + consumption tax) ÷ (1 − consumption tax) × 70 percent of the value.",
        _parcel("C", _NOW, **_BERRIES), ("TAX-10",), "ecommerce",
    ),
    "TAX-13": Shown(
        "The price per ml, g or sheet decides whether cosmetics are premium ones: consumption tax for goods, the tax "
        "number for postal articles.",
        _parcel("C", _NOW, commodity_code="3304990029", declared_price="600", model="50g"), ("TAX-13",), "ecommerce",
    ),
}  # fmt: skip
"""By rule id."""
