"""Why a shipment without a class is not of class A, B or C: every reason that holds, class by class, in two languages.

The same conditions decide the class (`classify.py`): a class fits where none of its reasons holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from crossborder.rules.prepare import plain

_FIRM = pl.col("trading_company_code").is_not_null()
_PERSON = pl.col("party_id").is_not_null()
_BOUGHT = pl.col("platform_purchase") == "1"
_MODES = ("0110", "3010", "3039")


@dataclass(frozen=True)
class Refusal:
    """One reason against a class; null counts as no reason. `{}` in a text is the value in CNY."""

    when: pl.Expr
    zh: str
    en: str

    @property
    def holds(self) -> pl.Expr:
        """The condition, never null."""
        return self.when.fill_null(value=False)


def _every_line(column: str) -> pl.Expr:
    """Something that holds of every goods line; not of a shipment without any."""
    return pl.col(column).fill_null(value=False)


REFUSALS: dict[str, tuple[Refusal, ...]] = {
    "A": (
        Refusal(_FIRM, "填有企业海关编码", "an enterprise's code is given"),
        Refusal(~_every_line("_uncoded"), "填有商品编号", "its goods have numbers"),
        Refusal(~_every_line("_papers"), "品名不是文件单证", "its goods are not named as papers"),
    ),
    "B": (
        Refusal(_BOUGHT, "平台三单商品，应按跨境电商清单申报", "bought on a platform: e-commerce inventory"),
        Refusal(_FIRM, "收发货人为企业", "an enterprise trades"),
        Refusal(~_PERSON, "没有自然人证件号码", "no natural person's document"),
        Refusal(pl.col("separated_luggage") == "1", "分离运输行李", "separated luggage"),
        Refusal(
            pl.col("_over_b") & ~pl.col("_single").fill_null(value=False),
            "价值折合人民币 {} 元，超过B类限值且不止一件", "worth CNY {}, above the class B limit, and more than one article",
        ),
    ),
    "C": (
        Refusal(_BOUGHT, "平台三单商品，应按跨境电商清单申报", "bought on a platform: e-commerce inventory"),
        Refusal(~_FIRM, "没有企业海关编码", "no enterprise's code"),
        Refusal(pl.col("_over_c"), "价值折合人民币 {} 元，超过C类限值", "worth CNY {}, above the class C limit"),
        Refusal(pl.col("_licence"), "涉及许可证等监管条件", "a licence or other condition is required"),
        Refusal(pl.col("tax_refund_claimed") == "1", "申请退税", "a tax refund is claimed"),
        Refusal(pl.col("foreign_exchange_settled") == "1", "收付汇", "foreign exchange is settled"),
        Refusal(~pl.col("supervision_mode").is_in(_MODES), "监管方式不符", "another supervision mode"),
        Refusal(pl.col("levy_nature") != "101", "征免性质不符", "another levy nature"),
    ),
}  # fmt: skip
"""Columns beside those of the shipments: `_uncoded`, `_papers`, `_licence`, `_over_b`, `_over_c`, `_single`, `_value`."""
CLASSES: Sequence[str] = tuple(REFUSALS)


def fits(klass: str, allowed: Sequence[str]) -> pl.Expr:
    """Whether nothing speaks against a class; never where the profile does not file it."""
    if klass not in allowed:
        return pl.lit(value=False)
    return ~pl.any_horizontal(reason.holds for reason in REFUSALS[klass])


def refused(allowed: Sequence[str], chosen: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """`不属A类：…；不属B类：…` and the same in English: the classes before the chosen one, or all; "" for none."""
    parts_zh, parts_en = [], []
    for klass in CLASSES:
        asked = chosen.is_null() | (chosen > klass)
        zh, en = _reasons(klass, allowed)
        parts_zh.append(pl.when(asked).then(pl.format(f"不属{klass}类：{{}}", zh)))
        parts_en.append(pl.when(asked).then(pl.format(f"not {klass}: {{}}", en)))
    return _joined(parts_zh, "；"), _joined(parts_en, "; ")


def _reasons(klass: str, allowed: Sequence[str]) -> tuple[pl.Expr, pl.Expr]:
    if klass not in allowed:
        return pl.lit("企业档案未启用该类别"), pl.lit("the profile does not file it")
    reasons = REFUSALS[klass]
    zh = [pl.when(r.holds).then(_text(r.zh)) for r in reasons]
    en = [pl.when(r.holds).then(_text(r.en)) for r in reasons]
    return _joined(zh, "、"), _joined(en, ", ")


def _text(text: str) -> pl.Expr:
    return pl.format(text, plain(pl.col("_value")).fill_null("?")) if "{}" in text else pl.lit(text)


def _joined(parts: Sequence[pl.Expr], between: str) -> pl.Expr:
    return pl.concat_str(parts, separator=between, ignore_nulls=True)
