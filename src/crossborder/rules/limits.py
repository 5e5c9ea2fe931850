"""Value limits of classes B and C: CLS-04, LIM-01 to LIM-05; quantities: LIM-08, LIM-10. Bounds are the dated rows of `limits.csv`.

The value is that of `prepare.py` (`_value`, CNY). Which row of `limits.csv` counts is chosen by the movement
date, direction and the other country. Without an exchange rate a limit is not evaluated and holds; what a whole
hand-in then says is of LIM-12, the rule about rates (`of_rates`).
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from crossborder.rules import bounds
from crossborder.rules.context import Context
from crossborder.rules.elements import element
from crossborder.rules.model import Case, Cases, Example, Parcel, rule
from crossborder.rules.prepare import plain

RATES = "LIM-12"
"""The rule that a missing exchange rate is about: whatever limit it is missed by, one id is told and accepted."""
_NO_RATE_ZH = "缺少币制 {currency} {month} 的汇率，限值规则未评估"
_NO_RATE_EN = "no exchange rate for currency {currency} in {month}: value limits are not evaluated"
_RATE_FIX = (
    "请导入当月海关汇率：crossborder codes import exchange_rates 文件 --from 日期",
    "import the customs rates of the month: crossborder codes import exchange_rates FILE --from DATE",
)


_LIMITS = ("CLS-04", "LIM-01", "LIM-02", "LIM-03", "LIM-04")
_SHOWN = {"value": plain(pl.col("_value")), "limit": plain(pl.col("_limit"))}


def _within(ctx: Context, *rules: str) -> pl.Expr:
    """Shipments whose bound is one of these rules'."""
    return pl.col("_bound").is_in(pl.Series(bounds.numbers(ctx, rules), dtype=pl.Int8).implode())


def _no_bound(klass: str, direction: str) -> Case:
    """A movement date for which no bound is known at all: the limit cannot be judged."""
    way = pl.col("_import" if direction == "I" else "_export")
    unknown = pl.col("_day").is_not_null() & pl.col("_bound").is_null()
    return Case(
        when=(pl.col("_class") == klass) & way & unknown,
        column="movement_date",
        blank=True,
        zh="进出口日期 {movement_date} 没有已知限值，限值规则未评估",
        en="no value limit is known for the movement date {movement_date}: not evaluated",
        severity="not_evaluated",
        action="hold",
        fix_zh="请核对进出口日期",
        fix_en="check the movement date",
    )


def _limit(ctx: Context, rule_id: str, zh: str, en: str, *, single: bool) -> Cases:
    """The cases of one limit rule: above its bound, and without a rate."""
    within = _within(ctx, rule_id)
    beyond = within & pl.col("_beyond")
    yield Case(
        when=beyond & ~pl.col("_single") if single else beyond,
        column="total_value",
        blank=True,
        zh=f"{zh}：价值折合人民币 {{value}} 元，限值 {{limit}} 元",
        en=f"{en}: the value is CNY {{value}}, the limit CNY {{limit}}",
        values=_SHOWN,
    )
    yield Case(
        when=within & pl.col("_no_rate").is_not_null(),
        column="currency",
        blank=True,
        zh=_NO_RATE_ZH,
        en=_NO_RATE_EN,
        severity="not_evaluated",
        action="hold",
        values={"currency": pl.col("_no_rate"), "month": pl.lit(ctx.month)},
        says="_no_rate",
        fix_zh=_RATE_FIX[0],
        fix_en=_RATE_FIX[1],
    )


def of_rates(findings: pl.DataFrame, ctx: Context) -> pl.DataFrame:
    """Findings where those of limits that miss an exchange rate are of LIM-12, whichever limit it is.

    A profile may set that rule to `note`: then what misses a rate goes on, marked.
    """
    if not (findings.get_column("severity") == "not_evaluated").any():
        return findings
    missed = (
        (pl.col("severity") == "not_evaluated")
        & (pl.col("element") == element("shipments", "currency"))
        & pl.col("rule").is_in(_LIMITS)
    )
    rule_id = pl.when(missed).then(pl.lit(RATES)).otherwise("rule")
    named = [rule_id.alias("rule")]
    if ctx.grades.get(RATES) == "note":
        named.append(pl.when(missed).then(pl.lit("mark")).otherwise("action").alias("action"))
    return findings.with_columns(named)


@rule(
    "CLS-04",
    title=("C类限值5000元", "Class C value limit"),
    applies="C",
    fields="DeclTotal;CurrCode",
    source="GACC Announcement 2016 No. 19",
    start="2016-06-01",
    certainty="primary",
    bounds="limits",
    fix=("改按一般货物报关（转普货），不得走快件C类", "declare as ordinary goods, not in class C"),
    passing=Parcel(
        "C", head={"total_value": "5000"},
        goods=({"total": "5000", "declared_total": "5000", "declared_price": "2500"},),
    ),
    failing=Parcel(
        "C", head={"total_value": "5000.01"},
        goods=({"total": "5000.01", "declared_total": "5000.01", "declared_price": "2500.005"},),
    ),
)  # fmt: skip
def c_limit(ctx: Context) -> Cases:
    """A class C consignment is worth at most CNY 5000, freight, insurance and other charges not counted."""
    yield from _limit(ctx, "CLS-04", "C类超过限值", "above the class C limit", single=False)
    yield _no_bound("C", "I")
    yield _no_bound("C", "E")


_FIX_B = (
    "超限的退运，或改按货物报关",
    "return the parcel, or declare it as goods",
)
_OLD = "GACC Announcement 2010 No. 43"
_KEPT = "GACC Announcement 2010 No. 43; kept by 2024 No. 176"


def _import(amount: str, **head: str) -> Parcel:
    """A class B import of two equal articles worth `amount` CNY together."""
    line = {"total": amount, "declared_total": amount, "declared_price": str(Decimal(amount) / 2)}
    return Parcel("B", "I", {"total_value": amount, **head}, (line,))


def _on_last_day(amount: str) -> Example:
    """The same, moved and declared on the last day of the old limits."""
    return Example((_import(amount, movement_date="20241130"),), declared_on="20241130")


def _export(amount: str, country: str) -> Parcel:
    """The same as an export to a country."""
    line = dict(_import(amount).goods[0])
    head = {"total_value": amount, "receiver_country": country, "trade_country": country}
    if country in ("110", "121", "143"):
        head["receiver_address"] = "示范道1号"
    return Parcel("B", "E", head, (line,))


@rule(
    "LIM-01",
    title=("B类进口限值（2024年11月30日前）", "Class B import limit until 2024-11-30"),
    applies="B",
    fields="IEFlag;SendCountry;DeclTotal",
    source=_OLD,
    start="2010-09-01",
    end="2024-11-30",
    certainty="primary",
    bounds="limits",
    fix=_FIX_B,
    passing=_on_last_day("1000"),
    failing=_on_last_day("1500"),
)
def b_import_limit_old(ctx: Context) -> Cases:
    """Up to 2024-11-30: CNY 800 from Hong Kong, Macao and Taiwan, CNY 1000 from elsewhere."""
    yield from _limit(
        ctx, "LIM-01", "B类进口超过限值", "above the class B import limit", single=True
    )


@rule(
    "LIM-02",
    title=("B类进口限值2000元", "Class B import limit"),
    applies="B",
    fields="IEFlag;DeclTotal",
    source="GACC Announcement 2024 No. 176 amending 2010 No. 43",
    start="2024-12-01",
    bounds="limits",
    fix=_FIX_B,
    passing=_import("2000"),
    failing=_import("2000.01"),
)
def b_import_limit(ctx: Context) -> Cases:
    """From 2024-12-01 a class B import is worth at most CNY 2000, whatever the origin."""
    yield from _limit(
        ctx, "LIM-02", "B类进口超过限值", "above the class B import limit", single=True
    )
    yield _no_bound("B", "I")


@rule(
    "LIM-03",
    title=("B类出口至港澳台限值800元", "Class B export limit to Hong Kong, Macao, Taiwan"),
    applies="B",
    fields="IEFlag;ReceiveCountry;DeclTotal",
    source=_KEPT,
    start="2010-09-01",
    certainty="primary",
    bounds="limits",
    fix=_FIX_B,
    passing=_export("800", "110"),
    failing=_export("800.01", "110"),
)
def b_export_limit_near(ctx: Context) -> Cases:
    """A class B export to Hong Kong, Macao or Taiwan is worth at most CNY 800."""
    yield from _limit(
        ctx, "LIM-03", "B类出口超过限值", "above the class B export limit", single=True
    )


@rule(
    "LIM-04",
    title=("B类出口至其他国家（地区）限值1000元", "Class B export limit to elsewhere"),
    applies="B",
    fields="IEFlag;ReceiveCountry;DeclTotal",
    source=_KEPT,
    start="2010-09-01",
    certainty="primary",
    bounds="limits",
    fix=_FIX_B,
    passing=_export("1000", "502"),
    failing=_export("1000.01", "502"),
)
def b_export_limit(ctx: Context) -> Cases:
    """A class B export to other countries and regions is worth at most CNY 1000."""
    yield from _limit(
        ctx, "LIM-04", "B类出口超过限值", "above the class B export limit", single=True
    )
    yield _no_bound("B", "E")


_ONE = {"total": "3000", "declared_total": "3000", "declared_price": "3000", "quantity": "1", "quantity_1": "1"}  # fmt: skip


@rule(
    "LIM-05",
    title=("超限但仅一件且不可分割", "Over the limit, one indivisible article"),
    applies="B",
    fields="EntryList;GQty;DeclTotal",
    source=_OLD,
    start="2010-09-01",
    certainty="primary",
    severity="warn",
    action="hold",
    bounds="limits",
    fix=(
        "由人工确认确属个人自用且不可分割后放行，否则退运或按货物报关",
        "a person confirms own use and that it cannot be divided; else return it or declare as goods",
    ),
    passing=_import("1500"),
    failing=Parcel("B", head={"total_value": "3000"}, goods=(_ONE,)),
)
def indivisible(ctx: Context) -> Cases:
    """A parcel over the limit with one line, quantity 1 of a countable unit, may stay class B: it waits."""
    yield Case(
        when=_within(ctx, "LIM-01", "LIM-02", "LIM-03", "LIM-04")
        & pl.col("_beyond")
        & pl.col("_single"),
        column="total_value",
        blank=True,
        zh="价值折合人民币 {value} 元，超过限值 {limit} 元，但包裹内仅一件商品",
        en="the value is CNY {value}, above the limit of CNY {limit}, but it is a single article",
        values=_SHOWN,
    )


_KILOGRAM = "035"


@rule(
    "LIM-08",
    title=("B类烟酒限自用少量", "Tobacco and alcohol in class B: a small own-use quantity"),
    applies="B",
    fields="CodeTS;GQty",
    source="GACC Order 43 (1993)",
    severity="warn",
    action="hold",
    start="1993-03-01",
    certainty="inferred",
    fix=(
        "由人工判断是否自用、合理数量；快件限量未有明文",
        "a person judges whether it is a small quantity for own use; no limit for parcels was found",
    ),
    passing=Parcel(goods=({"commodity_code": "01010100"},)),
    failing=Parcel(goods=({"commodity_code": "02050000"},)),
)
def restricted_quantity(ctx: Context) -> Cases:
    """Lines whose tax number is one of alcohol or tobacco, from a declared quantity on (setting `restricted_quantity`)."""
    prefixes = "|".join(ctx.words("restricted_tax_numbers")) or r"[^\s\S]"
    code = pl.col("commodity_code")
    yield Case(
        when=pl.col("_quantity") >= ctx.number("restricted_quantity"),
        screen=code.str.contains(f"^(?:{prefixes})[0-9]{{6}}$"),
        column="quantity",
        frame="goods",
        zh="烟酒（税号 {commodity_code}）数量 {quantity}，限自用少量",
        en="{quantity} of tobacco or alcohol (tax number {commodity_code}): only small quantities for own use",
    )


@rule(
    "LIM-10",
    title=(
        "B类奶粉净重不超过5公斤（快件企业做法）",
        "Milk powder: 5 kg net a parcel (carriers' practice)",
    ),
    applies="B",
    fields="GName;NetWt",
    source="carrier notice",
    severity="warn",
    action="note",
    certainty="inferred",
    fix=("核对承运人的限重，必要时分票寄递", "look at the carrier's limit"),
    passing=Parcel(head={"gross_weight": "6", "net_weight": "5"}, goods=({"name": "婴儿奶粉"},)),
    failing=Parcel(
        head={"gross_weight": "6", "net_weight": "5.00001"}, goods=({"name": "婴儿奶粉"},)
    ),
)
def milk_powder(ctx: Context) -> Cases:
    """By name. Of a parcel that holds nothing else the net weight counts, of several lines what they say in kilograms as
    first quantity; where that is another unit, how much of the parcel is milk powder is not known.

    The limit is the setting `milk_powder_kg`.
    """
    words, most = ctx.pattern("milk_powder", whole=True), ctx.number("milk_powder_kg")
    zh = "奶粉净重 {kg} 千克，超过 {most} 千克"
    en = "milk powder of {kg} kg net, more than {most} kg"
    limit = pl.lit(str(most))
    yield Case(
        when=(pl.col("_lines") == 1) & pl.col("_main").str.contains(f"(?i){words}"),
        screen=pl.col("_net") > most,
        column="net_weight",
        zh=zh,
        en=en,
        values={"kg": plain(pl.col("_net")), "most": limit},
    )
    weight = pl.when(pl.col("unit_1") == _KILOGRAM).then(pl.col("_quantity_1")).sum().over("ship")
    yield Case(
        when=(pl.col("_of") > 1) & (weight > most) & (pl.col("unit_1") == _KILOGRAM),
        screen=pl.col("name").str.contains(f"(?i){words}"),
        column="quantity_1",
        frame="goods",
        zh=zh,
        en=en,
        values={"kg": plain(weight), "most": limit},
    )
