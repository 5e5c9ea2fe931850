"""Numbers of enterprises: unified social credit code, customs registration code."""

from __future__ import annotations

import polars as pl

from crossborder.rules.charsets import written
from crossborder.rules.checksums import USCC_FORM, uscc_good
from crossborder.rules.context import Context
from crossborder.rules.model import Case, Cases, Parcel, rule

_SCC = (
    ("trading_company_scc", "收发货人", "of the trading company"),
    ("declarant_scc", "申报单位", "of the declarant"),
    ("owner_scc", "货主单位", "of the owner"),
)
_REGISTERED = (
    ("trading_company_code", "收发货人", "of the trading company"),
    ("declarant_code", "申报单位", "of the declarant"),
    ("owner_code", "货主单位", "of the owner"),
    ("input_company_code", "录入单位", "of the data-entry enterprise"),
)
_REGISTRATION_FORM = r"^[0-9]{4}[0-9A-HJ-NP-Z]{6}$"
_USUAL = r"^[1-9ANY].[0-9]{6}"  # registration body, category, district


def _suspect(column: str) -> pl.Expr:
    """Anything ID-09 or ID-10 may have to say about."""
    code = pl.col(column)
    right = code.str.contains(USCC_FORM) & uscc_good(code) & code.str.contains(_USUAL)
    return ~right


_SUSPECT = {column: _suspect(column) for column, _, _ in _SCC}


@rule(
    "ID-09",
    title=("统一社会信用代码校验", "Check of the social credit code"),
    applies="all",
    fields="TradeScc;AgentScc",
    source="GB 32100-2015",
    start="2015-10-01",
    fix=("请核对统一社会信用代码（18位）", "check the unified social credit code (18 characters)"),
    passing=Parcel("C", head={"trading_company_scc": "91110000600037341L"}),
    failing=Parcel("C", head={"trading_company_scc": "91110000600037341M"}),
)
def credit_code(_: Context) -> Cases:
    """18 characters without I, O, S, V, Z; the last is a check character (longer ones are the facet's)."""
    for column, zh, en in _SCC:
        value, screen = written(column), _SUSPECT[column]
        form = value.str.contains(USCC_FORM)
        yield Case(
            when=~form & (value.str.len_chars() <= 18),
            screen=screen,
            column=column,
            zh=f"{zh}统一社会信用代码格式不符",
            en=f"the social credit code {en} has not the form of one",
        )
        yield Case(
            when=form & ~uscc_good(value),
            screen=screen,
            column=column,
            zh=f"{zh}统一社会信用代码校验位不符",
            en=f"the check character of the social credit code {en} is wrong",
        )


@rule(
    "ID-10",
    title=("统一社会信用代码结构", "Structure of the social credit code"),
    applies="all",
    fields="TradeScc",
    source="GB 32100-2015",
    severity="warn",
    action="note",
    start="2015-10-01",
    fix=("请核对登记管理部门代码和行政区划", "check the registration body and the district"),
    passing=Parcel("C", head={"trading_company_scc": "91110000600037341L"}),
    failing=Parcel("C", head={"trading_company_scc": "9111000A6000373415"}),
)
def credit_code_parts(_: Context) -> Cases:
    """First character a registration body, characters 3 to 8 a district: digits."""
    value = pl.col("trading_company_scc")
    yield Case(
        when=value.str.contains(USCC_FORM) & uscc_good(value) & ~value.str.contains(_USUAL),
        screen=_SUSPECT["trading_company_scc"],
        column="trading_company_scc",
        zh="统一社会信用代码第1位或第3至8位不合常规",
        en="the first or the third to eighth characters of the credit code are unusual",
    )


@rule(
    "ID-11",
    title=("海关注册编码格式", "Form of the customs registration code"),
    applies="all",
    fields="TradeCo;AgentCode",
    source="customs registration rules",
    start="2014-03-13",
    fix=(
        "海关注册编码10位：前4位数字，其余为数字或大写字母（不含I、O）",
        "10 characters: 4 digits, then digits or capitals without I and O",
    ),
    passing=Parcel("C", head={"trading_company_code": "440316T004", "ownership_type": "6"}),
    failing=Parcel("C", head={"trading_company_code": "3301961O43"}),
)
def registration_code(_: Context) -> Cases:
    """Ten characters; letters do occur from the fifth on (longer ones are the facet's)."""
    for column, zh, en in _REGISTERED:
        value = written(column)
        yield Case(
            when=value.str.len_chars() <= 10,
            screen=~pl.col(column).str.contains(_REGISTRATION_FORM),
            column=column,
            zh=f"{zh}海关编码格式不符：{{{column}}}",
            en=f"the registration code {en} has not the form of one: {{{column}}}",
            suggest=_upper(value),
        )


def _upper(value: pl.Expr) -> pl.Expr:
    upper = value.str.to_uppercase()
    return pl.when(upper.str.contains(_REGISTRATION_FORM)).then(upper)
