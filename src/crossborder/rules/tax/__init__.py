"""Tax: what each line and each consignment pays, every figure explained. `assess` is the way in.

`parameters` and the code tables hold the dated figures, `money` the exact arithmetic, `lines` the typed lines,
`postal`, `goods` and `customs_value` the formulas, `result` the columns of the answer.
"""

from crossborder.rules.tax.assess import REGIMES, Regime, assess
from crossborder.rules.tax.goods import ecommerce_tax
from crossborder.rules.tax.money import plain
from crossborder.rules.tax.result import CONSIGNMENTS, LINES, OUTCOMES, Assessed
from crossborder.rules.tax.shown import SHOWN, Shown

__all__ = [
    "CONSIGNMENTS",
    "LINES",
    "OUTCOMES",
    "REGIMES",
    "SHOWN",
    "Assessed",
    "Regime",
    "Shown",
    "assess",
    "ecommerce_tax",
    "plain",
]
