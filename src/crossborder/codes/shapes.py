"""What the cells of a table must look like before it may be used: what rules and tax read from it must be readable."""

from __future__ import annotations

from collections.abc import Mapping

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_AMOUNT = r"[0-9]{1,9}(\.[0-9]{1,5})?"
_PERCENT = r"[0-9]{1,3}(\.[0-9]{1,4})?"

SHAPES: Mapping[str, Mapping[str, str]] = {
    "limits": {
        "direction": r"I|E",
        "declaration_class": r"B|C",
        "territory": r"any|in|not_in",
        "countries": r"|[0-9]{3}(;[0-9]{3})*",
        "value_cny": r"[0-9]{1,12}(\.[0-9]{1,5})?",
        "effective_from": r".+",
    },
    "parcel_tax": {
        "code": r"[0-9]{8}",
        "tax_rate_pct": _PERCENT,
        "dutiable_value_cny": rf"|{_AMOUNT}",
    },
    "parcel_tax_pairs": {
        "premium": r"[0-9]{8}",
        "ordinary": r"[0-9]{8}",
        "measure": r"cosmetic|watch",
    },
    "tariff": {
        "code": r"[0-9]{10}",
        "mfn_rate_pct": rf"|{_PERCENT}",
        "vat_rate_pct": rf"|{_PERCENT}",
        "consumption_rate_pct": rf"|{_PERCENT}",
        "consumption_per_unit_cny": rf"|{_AMOUNT}",
        "consumption_unit_zh": r"|升|毫升|千克|克",
        "consumption_from_cny": rf"|{_AMOUNT}",
        "consumption_from_measure": r"|g|ml|g;ml|sheet|each",
    },
    "tax_parameters": {
        "value": rf"{_AMOUNT}|{_PERCENT}(;{_PERCENT})*|[a-z_]+",
        "dated_by": r"movement|declaration",
        "effective_from": _DAY,
    },
    "unit_measures": {
        "unit": r"[0-9]{3}",
        "measure": r"g|ml|sheet|m2",
        "amount": _AMOUNT,
    },
}
"""Table → column → the whole text of a cell as a regular expression. A column that the file does not have is not asked."""
