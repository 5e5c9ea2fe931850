"""The figures and dates of the law that are packaged: each as the facts state it, to the unit and to the day.

The short tables are written out from the facts (thresholds by date, tax of each class, exact measures). Of the long ones the
sum over all rows is known; whoever changes a row on purpose states the new sum.
"""

from __future__ import annotations

import hashlib

import polars as pl
import pytest

from crossborder.codes import Tables

LIMITS = """
LIM-01 B I in 110;121;143 800 2010-09-01 2024-11-30
LIM-01 B I not_in 110;121;143 1000 2010-09-01 2024-11-30
LIM-02 B I any - 2000 2024-12-01 -
LIM-03 B E in 110;121;143 800 2010-09-01 -
LIM-04 B E not_in 110;121;143 1000 2010-09-01 -
CLS-04 C I any - 5000 2016-06-01 -
CLS-04 C E any - 5000 2016-06-01 -
"""
PARAMETERS = """
postal_rates_pct 3;13;20;50 2024-12-01 - declaration TAX-04
postal_rates_pct 3;13;20;50 2019-04-09 2024-11-30 declaration TAX-05
postal_rates_pct 15;25;50 2018-11-01 2019-04-08 declaration TAX-06
postal_rates_pct 15;30;60 2016-04-08 2018-10-31 declaration TAX-07
postal_valuation actual_first 2024-12-01 - declaration TAX-02
postal_valuation listed_unless_far 2012-04-15 2024-11-30 declaration TAX-03
postal_far_above 2 2012-04-15 2024-11-30 declaration TAX-03
postal_far_below 0.5 2012-04-15 2024-11-30 declaration TAX-03
postal_exemption_cny 50 2010-09-01 2024-11-30 movement LIM-06
postal_exemption_cny 50 2024-12-01 - movement LIM-06
premium_per_ml_cny 10 2016-10-01 - declaration TAX-13
premium_per_g_cny 10 2016-10-01 - declaration TAX-13
premium_per_sheet_cny 15 2016-10-01 - declaration TAX-13
premium_per_watch_cny 10000 2024-12-01 - declaration TAX-04
goods_formula composite 2024-12-01 - declaration TAX-08
goods_exemption_cny 50 2004-01-01 - movement TAX-09
ecommerce_formula composite 2016-04-08 - declaration TAX-10
ecommerce_duty_pct 0 2016-04-08 - declaration TAX-10
ecommerce_share_pct 70 2016-04-08 - declaration TAX-10
ecommerce_limit_cny 2000 2016-04-08 2018-12-31 movement CBL-02
ecommerce_limit_cny 5000 2019-01-01 - movement CBL-01
ecommerce_single_item full_tax 2019-01-01 - movement CBL-03
"""
BRACKETS = """
2011-01-27 10 1
2011-01-27 20 2
2011-01-27 30 3
2011-01-27 50 4
2016-04-08 15 1
2016-04-08 30 2
2016-04-08 60 3
2018-11-01 15 1
2018-11-01 25 2
2018-11-01 50 3
2019-04-09 13 1
2019-04-09 20 2
2019-04-09 50 3
2024-12-01 13 1
2024-12-01 20 2
2024-12-01 50 3
"""
MEASURES = """
035 g 1000
036 g 1
047 g 100000
070 g 1000000
075 g 500
063 ml 1000000
095 ml 1000
096 ml 1
010 sheet 1
020 sheet 1
032 m2 1
"""
PAIRS = """
07010100 07010210 watch 2024-12-01 -
07010100 07010220 watch 2024-12-01 -
07010100 07010290 watch 2024-12-01 -
09010100 09010200 cosmetic 2024-12-01 -
09010300 09010400 cosmetic 2024-12-01 -
09010500 09010600 cosmetic 2024-12-01 -
09010700 09010800 cosmetic 2024-12-01 -
09010900 09011000 cosmetic 2024-12-01 -
09019910 09019920 cosmetic 2024-12-01 -
09020210 09020220 cosmetic 2024-12-01 -
09020230 09020240 cosmetic 2024-12-01 -
09020291 09020292 cosmetic 2024-12-01 -
"""
STATED = {
    "limits": ("rule declaration_class direction territory countries value_cny effective_from effective_to", LIMITS),
    "tax_parameters": ("name value effective_from effective_to dated_by rule", PARAMETERS),
    "parcel_tax_brackets": ("effective_from rate_pct bracket", BRACKETS),
    "unit_measures": ("unit measure amount", MEASURES),
    "parcel_tax_pairs": ("premium ordinary measure effective_from effective_to", PAIRS),
}  # fmt: skip
SUMS = {
    "parcel_tax": ("code dutiable_value_cny value_basis tax_rate_pct effective_from effective_to", "ea51015181fec00a"),
    "parcel_tax_2019_partial": ("code dutiable_value_cny value_basis tax_rate_pct effective_from effective_to", "a17edb51117b7662"),
    "goods_words": ("list word match effective_from effective_to", "e3acca9ed3505661"),
    "words": ("list word effective_from effective_to", "1d5edf85596f1ff1"),
}  # fmt: skip
"""Columns, and the beginning of the SHA-256 of their rows."""


def said(table: str, columns: str) -> list[str]:
    frame = Tables().frame(table).select(pl.col(columns.split()).fill_null("-"))
    return [" ".join(row) for row in frame.iter_rows()]


@pytest.mark.parametrize("table", STATED)
def test_figures_and_days_are_those_of_the_facts(table: str) -> None:
    columns, stated = STATED[table]
    assert said(table, columns) == stated.strip().splitlines()


@pytest.mark.parametrize("table", SUMS)
def test_no_row_of_a_long_table_has_changed(table: str) -> None:
    columns, known = SUMS[table]
    rows = "\n".join(sorted(said(table, columns)))
    assert hashlib.sha256(rows.encode()).hexdigest()[:16] == known
