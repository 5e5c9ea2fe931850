"""Values that must agree with each other: weights, countries, totals, line numbers, the main goods name."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from crossborder.rules.charsets import ILLEGAL, written
from crossborder.rules.context import CHINA, SCHEMA_2019, Context
from crossborder.rules.model import Case, Cases, Parcel, rule
from crossborder.rules.prepare import AMOUNT, plain
from crossborder.shipments.columns import FrameName

_OURS = "our reading"
_FORM = r"^[0-9]{3}$"
_HUNDRED = Decimal(100)


@rule(
    "EXP-13",
    title=("毛重不小于净重，且均大于零", "Gross weight not below net, both above zero"),
    applies="all",
    fields="GrossWt;NetWt",
    source=_OURS,
    start="2019-01-01",
    certainty="inferred",
    fix=("请核对毛重、净重（千克）", "check gross and net weight (kg)"),
    passing=Parcel(head={"gross_weight": "1", "net_weight": "1"}),
    failing=Parcel(head={"gross_weight": "1", "net_weight": "1.00001"}),
)
def weights(_: Context) -> Cases:
    """Gross ≥ net > 0."""
    gross, net = pl.col("_gross"), pl.col("_net")
    yield Case(
        when=(gross < net) & (gross > 0),
        column="gross_weight",
        zh="毛重 {gross_weight} 小于净重 {net_weight}",
        en="gross weight {gross_weight} is below net weight {net_weight}",
    )
    yield Case(
        when=gross == 0,
        column="gross_weight",
        zh="毛重为零",
        en="the gross weight is zero",
    )
    yield Case(
        when=net == 0,
        column="net_weight",
        zh="净重为零",
        en="the net weight is zero",
    )


@rule(
    "EXP-34",
    title=("件数为正整数", "Pieces are a whole number above zero"),
    fields="PackNo",
    source=_OURS,
    start="2019-01-01",
    certainty="inferred",
    fix=("请填实际件数", "give the number of packages"),
    passing=Parcel(head={"pieces": "1"}),
    failing=Parcel(head={"pieces": "0"}),
)
def pieces(_: Context) -> Cases:
    """At least one package (the form of the number is a facet)."""
    yield Case(
        when=pl.col("_pieces") == 0,
        column="pieces",
        zh="件数为零",
        en="the number of pieces is zero",
    )


@rule(
    "EXP-14",
    title=("贸易国别不能是中国", "The country of trade is never China"),
    fields="TradeCountry",
    source=SCHEMA_2019,
    start="2019-01-01",
    fix=("填起运（抵运）国家或地区", "give the country of departure or arrival"),
    passing=Parcel(head={"trade_country": "110", "sender_address": "示范道1号"}),
    failing=Parcel(head={"trade_country": "142"}),
)
def trade_country(_: Context) -> Cases:
    """The country of departure (import) or arrival (export) lies abroad."""
    yield Case(
        when=pl.col("trade_country") == CHINA,
        column="trade_country",
        zh="贸易国别（起/抵运地）不能是中国（142）",
        en="the country of trade may not be China (142)",
    )


@rule(
    "EXP-15",
    title=("收发件人国别与进出口方向一致", "Countries of sender and receiver fit the direction"),
    fields="SendCountry;ReceiveCountry;IEFlag",
    source=SCHEMA_2019,
    start="2019-01-01",
    fix=("请核对进出口标志与收发件人国别", "check direction and countries"),
    passing=Parcel("B", "E"),
    failing=Parcel("B", "E", {"receiver_country": "142"}),
)
def country_pair(_: Context) -> Cases:
    """Import: from abroad to China; export: from China to abroad."""
    sides = (
        ("sender_country", "_export", "_import", "发件人国别", "the sender's country"),
        ("receiver_country", "_import", "_export", "收件人国别", "the receiver's country"),
    )
    for column, chinese, foreign, zh, en in sides:
        value = written(column)
        form = value.str.contains(_FORM)
        yield Case(
            when=pl.col(chinese) & form & (value != CHINA),
            column=column,
            zh=f"{zh}应为中国（142），现为 {{{column}}}",
            en=f"{en} should be China (142), it is {{{column}}}",
            suggest=pl.lit(CHINA),
        )
        yield Case(
            when=pl.col(foreign) & (value == CHINA),
            column=column,
            zh=f"{zh}不能是中国（142）",
            en=f"{en} may not be China (142)",
        )


@rule(
    "EXP-18",
    title=("商品编号位数", "Digits of the code of goods"),
    fields="CodeTS",
    source=_OURS,
    start="2019-01-01",
    certainty="inferred",
    fix=(
        "B类填8位行邮税号，C、D类填10位商品编号；注意前导零",
        "8-digit tax number in class B, 10-digit commodity number in C and D; mind leading zeros",
    ),
    passing=Parcel("C", goods=({"commodity_code": "0302340000"},)),
    failing=Parcel("C", goods=({"commodity_code": "302340000"},)),
)
def code_digits(_: Context) -> Cases:
    """Class B: 8 digits, classes C and D: 10 (a mixture on one waybill is CLS-13's)."""
    code = written("commodity_code")
    for klass, digits, own in ((["B"], 8, r"^[0-9]{8}$"), (["C", "D"], 10, r"^[0-9]{10}$")):
        yield Case(
            when=(code.str.len_chars() <= 16) & ~pl.col("_mixed_codes"),
            screen=pl.col("_class").is_in(klass) & ~pl.col("commodity_code").str.contains(own),
            column="commodity_code",
            frame="goods",
            zh=f"{'/'.join(klass)}类商品编号应为{digits}位数字，现为 {{commodity_code}}",
            en=f"the code in class {'/'.join(klass)} has {digits} digits, not {{commodity_code}}",
        )


@rule(
    "EXP-19",
    title=("法定数量大于零", "The statutory quantity is above zero"),
    fields="Qty1;Unit1",
    source=SCHEMA_2019,
    start="2019-01-01",
    fix=("请填第一（法定）数量", "give the first statutory quantity"),
    passing=Parcel(goods=({"quantity_1": "0.5"},)),
    failing=Parcel(goods=({"quantity_1": "0"},)),
)
def statutory_quantity(_: Context) -> Cases:
    """A quantity of zero declares nothing."""
    yield Case(
        when=pl.col("_quantity_1") == 0,
        column="quantity_1",
        frame="goods",
        zh="第一（法定）数量为零",
        en="the first statutory quantity is zero",
    )


@rule(
    "EXP-20",
    title=("第二数量与单位成对", "Second quantity and unit come as a pair"),
    fields="Qty1;Unit1;Qty2;Unit2;CodeTS",
    source=_OURS,
    severity="reject",
    action="reject",
    start="2019-01-01",
    certainty="inferred",
    fix=("第二数量与第二计量单位同时填写或同时为空", "fill both or neither"),
    passing=Parcel("C", goods=({"quantity_2": "1", "unit_2": "035"},)),
    failing=Parcel("C", goods=({"quantity_2": "1"},)),
)
def second_pair(_: Context) -> Cases:
    """Both or neither, a note. (Units against the tariff: not evaluated, there is no tariff table.)"""
    quantity, unit = pl.col("quantity_2").is_not_null(), pl.col("unit_2").is_not_null()
    yield Case(
        when=quantity & ~unit,
        column="unit_2",
        blank=True,
        frame="goods",
        zh="有第二数量 {quantity_2}，缺第二计量单位",
        en="a second quantity ({quantity_2}) without its unit",
        severity="warn",
        action="note",
    )
    yield Case(
        when=unit & ~quantity,
        column="quantity_2",
        blank=True,
        frame="goods",
        zh="有第二计量单位 {unit_2}，缺第二数量",
        en="a second unit ({unit_2}) without its quantity",
        severity="warn",
        action="note",
    )


@rule(
    "EXP-21",
    title=("成交总价等于申报总价", "Transaction total equals declared total"),
    fields="TradeTotal;DeclTotal",
    source=SCHEMA_2019,
    start="2019-01-01",
    fix=("请核对成交总价与申报总价", "check the two totals of the line"),
    passing=Parcel(goods=({"total": "200.00", "declared_total": "200"},)),
    failing=Parcel(goods=({"total": "200", "declared_total": "200.01"},)),
)
def two_totals(_: Context) -> Cases:
    """Compared as numbers: 200 and 200.00 agree."""
    yield Case(
        when=pl.col("_total") != pl.col("_declared_total"),
        column="declared_total",
        frame="goods",
        zh="申报总价 {declared_total} 与成交总价 {total} 不一致",
        en="declared total {declared_total} differs from transaction total {total}",
    )


@rule(
    "EXP-22",
    title=("商品序号从1起连续", "Lines are numbered from 1 without gaps"),
    fields="GNo",
    source=_OURS,
    start="2019-01-01",
    certainty="inferred",
    fix=(
        "商品序号从1起连续编号，至少一项商品",
        "number the lines from 1 upwards; at least one line",
    ),
    passing=Parcel(goods=({}, {})),
    failing=Parcel(goods=({}, {"line_number": "3"})),
)
def line_numbers(_: Context) -> Cases:
    """1 to n, each once, in any order; a shipment without goods has nothing to declare."""
    yield Case(
        when=pl.col("_lines") == 0,
        column="",
        blank=True,
        zh="没有商品项",
        en="the shipment has no goods line",
    )
    yield Case(
        when=pl.col("_misnumbered"),
        column="line_number",
        frame="goods",
        zh="商品序号 {line_number} 不连续或重复，本票应为1至{_of}",
        en="line number {line_number} repeats or leaves a gap; the lines are 1 to {_of}",
        suggest=pl.col("line") + 1,
    )


@rule(
    "EXP-23",
    title=("主要商品名称取总价最高项", "The main goods name is that of the dearest line"),
    fields="MainGName;MainGNameEn",
    source=_OURS,
    start="2019-01-01",
    certainty="inferred",
    fix=(
        "取成交总价最高一项的名称，相同则取序号最小者",
        "take the name of the line with the greatest total, on a tie the lowest number",
    ),
    passing=Parcel(goods=({}, {"name": "棉袜", "name_en": "socks"})),
    failing=Parcel(head={"main_goods_name_en": "socks"}),
)
def main_name(_: Context) -> Cases:
    """The schema text rules it for the English name; the Chinese one only gets a note."""
    grades = (
        ("main_goods_name_en", "_main_en", "reject", "英文主要货物名称", "the English main goods name"),
        ("main_goods_name", "_main", "warn", "主要商品名称", "the main goods name"),
    )  # fmt: skip
    for column, expected, grade, zh, en in grades:
        yield Case(
            when=~pl.col(column).str.contains(ILLEGAL),
            screen=pl.col(column) != pl.col(expected),
            column=column,
            zh=f"{zh}与总价最高一项的名称不一致",
            en=f"{en} is not that of the line with the greatest total",
            severity="reject" if grade == "reject" else "warn",
            action="reject" if grade == "reject" else "note",
            suggest=pl.col(expected),
        )


@rule(
    "EXP-38",
    title=("经营单位性质为注册编码第6位", "Ownership type is the sixth character of the code"),
    fields="CoOwner;TradeCo",
    source=SCHEMA_2019,
    start="2019-01-01",
    fix=("取收发货人海关编码第6位", "take the sixth character of the trading company's code"),
    passing=Parcel("C", head={"ownership_type": "6"}),
    failing=Parcel("C", head={"ownership_type": "9"}),
)
def ownership(_: Context) -> Cases:
    """Where a trading enterprise is given (classes C and D)."""
    sixth = written("trading_company_code").str.slice(5, 1)
    yield Case(
        when=pl.col("_class").is_in(["C", "D"])
        & (pl.col("trading_company_code").str.len_chars() == 10)
        & (written("ownership_type") != sixth),
        column="ownership_type",
        zh="经营单位性质 {ownership_type} 不是收发货人编号第6位 {sixth}",
        en="ownership type {ownership_type} is not the sixth character ({sixth}) of the company code",
        values={"sixth": sixth},
        suggest=sixth,
    )


@rule(
    "EXP-44",
    title=("单价、数量、总价、价值核对", "Prices, quantities and totals agree"),
    fields="DeclTotal;GQty;DeclPrice;TotalValue;TradeCurr;CurrCode",
    source=SCHEMA_2019,
    start="2019-01-01",
    certainty="inferred",
    fix=("请核对数量、单价、总价和总价值", "check quantity, price, total and value"),
    passing=Parcel(goods=({"declared_price": "100.5"},)),
    failing=Parcel(goods=({"declared_price": "111"},)),
)
def totals(ctx: Context) -> Cases:
    """Quantity × price against the line's total; sum of lines against the value in one currency.

    Within `total_tolerance` + `total_tolerance_percent` of the total nothing is said; above
    `total_reject_percent` it is refused, in between noted.
    """
    yield from _grades(
        ctx, pl.col("_apart"), "_product", "_declared_total", "declared_total", "goods",
        ("数量×单价为 {a}，申报总价为 {declared_total}", "quantity × price is {a}, the declared total {declared_total}"),
    )  # fmt: skip
    comparable = pl.col("_currency") == pl.col("currency")
    yield from _grades(
        ctx, pl.when(comparable).then(pl.col("_apart")), "_sum", "_total", "total_value", "shipments",
        ("各项申报总价合计 {a}，总价值为 {total_value}", "the lines add up to {a}, the value is {total_value}"),
    )  # fmt: skip
    yield Case(
        when=(pl.col("_lines") > 0) & _currencies_differ(),
        column="total_value",
        blank=True,
        zh="商品项币制与总价值币制不同，未核对合计",
        en="lines and value are in different currencies: the sum is not evaluated",
        severity="not_evaluated",
        action="mark",
    )


def _currencies_differ() -> pl.Expr:
    head = pl.col("currency")
    return pl.col("_sum").is_not_null() & (
        pl.col("_several_currencies") | ((pl.col("_currency") != head) & head.str.contains(_FORM))
    )


def _grades(
    ctx: Context,
    apart: pl.Expr,
    a: str,
    b: str,
    column: str,
    frame: FrameName,
    texts: tuple[str, str],
) -> Cases:
    """`a` and the total `b` are `apart`: a note above the tolerance, refused far above it."""
    amount = pl.lit(ctx.number("total_tolerance"), dtype=AMOUNT)
    beyond = apart - amount
    tolerated = _share(b, ctx.number("total_tolerance_percent"))
    refused = _share(b, ctx.number("total_reject_percent"))
    shown = {"a": plain(pl.col(a))}
    outside = beyond > tolerated
    yield Case(
        when=beyond > refused, screen=outside, column=column, frame=frame,
        zh=texts[0], en=texts[1], values=shown,
    )  # fmt: skip
    yield Case(
        when=~(beyond > refused), screen=outside, column=column, frame=frame,
        zh=texts[0], en=texts[1], values=shown, severity="warn", action="note",
    )  # fmt: skip


def _share(column: str, percent: Decimal) -> pl.Expr:
    return pl.col(column) * pl.lit(percent / _HUNDRED, dtype=AMOUNT)


@rule(
    "EXP-47",
    title=("B类重量合理性", "Plausible weight of a class B parcel"),
    fields="GrossWt;PackNo",
    source="practice",
    severity="warn",
    action="note",
    certainty="inferred",
    fix=("请核对毛重、件数", "check gross weight and pieces"),
    passing=Parcel(head={"gross_weight": "30", "net_weight": "29"}),
    failing=Parcel(head={"gross_weight": "30.1", "net_weight": "29"}),
)
def heavy(ctx: Context) -> Cases:
    """Over `house_weight_kg` together or over `piece_weight_kg` a piece: asked about."""
    house, piece = ctx.number("house_weight_kg"), ctx.number("piece_weight_kg")
    parcel = pl.col("_class") == "B"
    whole = pl.col("_gross") > house
    yield Case(
        when=parcel & whole,
        column="gross_weight",
        zh=f"毛重 {{gross_weight}} 千克，超过 {house} 千克",
        en=f"gross weight {{gross_weight}} kg is above {house} kg",
    )
    yield Case(
        when=parcel
        & (pl.col("_gross") > pl.col("_pieces") * piece)
        & (pl.col("_pieces") > 0)
        & ~whole,
        column="gross_weight",
        zh=f"毛重 {{gross_weight}} 千克、{{pieces}} 件，单件超过 {piece} 千克",
        en=f"gross weight {{gross_weight}} kg in {{pieces}} pieces: above {piece} kg a piece",
    )


@rule(
    "EXP-32",
    title=("旧物品须人工确认", "Used goods need a person"),
    fields="GoodsUsed",
    source=SCHEMA_2019,
    severity="warn",
    action="hold",
    start="2019-01-01",
    fix=(
        "旧机电、旧服装、旧医疗用品受限，请人工确认后放行",
        "used machinery, clothing and medical goods are restricted: a person decides",
    ),
    passing=Parcel("C", head={"used_goods": "0"}),
    failing=Parcel("C", head={"used_goods": "1"}),
)
def used(_: Context) -> Cases:
    """Used goods in class B or C."""
    yield Case(
        when=pl.col("_class").is_in(["B", "C"]) & (pl.col("used_goods") == "1"),
        column="used_goods",
        zh="申报为旧物品",
        en="declared as used goods",
    )


@rule(
    "EXP-42",
    title=("申报时限", "Time limit for declaring"),
    fields="IEDate;DDate",
    source="GACC Decree 104 (2003), last amended by Decree 240 (2018)",
    severity="warn",
    action="note",
    start="2004-01-01",
    certainty="inferred",
    inputs="departure_time",
    fix=(
        "请核对进出口日期；逾期申报可能产生滞报金",
        "check the date; a late declaration may be charged",
    ),
    passing=Parcel(head={"movement_date": "20261109"}),
    failing=Parcel(head={"movement_date": "20261108"}),
)
def late(ctx: Context) -> Cases:
    """Import: within 14 days of the movement date; export: not after it (the hour is not known here)."""
    waited = (pl.lit(ctx.declared_day) - pl.col("_moved")).dt.total_days()
    yield Case(
        when=pl.col("_import") & (waited > 14),
        column="movement_date",
        zh="进口已 {days} 天，超过14天申报期限",
        en="{days} days since the import date, more than 14",
        values={"days": waited},
    )
    yield Case(
        when=pl.col("_export") & (waited > 0),
        column="movement_date",
        zh="出口日期已过 {days} 天",
        en="the export date passed {days} days ago",
        values={"days": waited},
    )


@rule(
    "EXP-07",
    title=("自然人申报仅限B类", "Only class B may be declared by a natural person"),
    fields="AgentType",
    source=SCHEMA_2019,
    start="2019-01-01",
    fix=("申报单位类别填0（企业）", "use 0, enterprise"),
    passing=Parcel("B", head={"declarant_type": "1", "declarant_person": None}),
    failing=Parcel("C", head={"declarant_type": "1", "declarant_person": None}),
)
def declarant(_: Context) -> Cases:
    """A, C and D are declared by an enterprise."""
    yield Case(
        when=pl.col("_class").is_in(["A", "C", "D"]) & (pl.col("declarant_type") == "1"),
        column="declarant_type",
        zh="{declaration_class}类不能由自然人申报",
        en="class {declaration_class} cannot be declared by a natural person",
        suggest=pl.lit("0"),
    )
