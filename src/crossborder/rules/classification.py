"""Rules on the class that a partner gave: CLS-*. A given class is checked and never changed.

Facts that no element holds (tax refund, foreign exchange, …) come with the shipment. Where one is not stated
the setting `unstated_facts` decides: `hold` makes the shipment not evaluated, `mark` lets it go on marked, `assume_no`
takes it as no. A profile may state a fact once for all parcels of the firm; for supervision conditions `/` means none.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from crossborder.rules.context import SCHEMA_2019, Context
from crossborder.rules.model import Case, Cases, Example, Parcel, rule
from crossborder.rules.prepare import countable, head_value, plain

_NO_19 = "GACC Announcement 2016 No. 19"
_ORDINARY = (
    "改按一般货物报关（转普货），或更正该事实",
    "declare as ordinary goods, or correct the fact",
)
_MODES = ["0110", "3010"]
_MODE_B = "3039"
CONDITION = r"[^\s/;,|-]"
"""A supervision condition; a text without one, such as `/`, states that there are none."""
_SHOWN = 10
"""Parcels that a text about several of them names."""


def _stated(column: str) -> pl.Expr:
    return pl.col(column) == "1"


def _unstated(ctx: Context, column: str, zh: str, en: str) -> Cases:
    """Where a fact is missing and the profile wants it stated."""
    action = ctx.option("unstated_facts")
    if action != "assume_no":
        frame = "goods" if column == "supervision_conditions" else "shipments"
        none = '"/"' if frame == "goods" else '"0"'
        yield Case(
            when=pl.col(column).is_null(),
            column=column,
            blank=True,
            frame="goods" if frame == "goods" else "shipments",
            zh=f"未说明{zh}，该规则未评估",
            en=f"it is not stated whether {en}: not evaluated",
            severity="not_evaluated",
            action="hold" if action == "hold" else "mark",
            fix_zh=f"请在预报清单中补充该项；全部货物相同的，可在企业档案中写明一次（{column} = {none}）",
            fix_en=f"state it in the shipment file, or once for all parcels in the profile ({column} = {none})",
        )


_COMMERCIAL = {
    "tax_refund_claimed": ("申请退税", "a tax refund is claimed"),
    "foreign_exchange_settled": ("收付汇", "foreign exchange is settled"),
    "platform_purchase": ("平台购买", "it was bought on a platform"),
    "separated_luggage": ("分离运输行李", "it is separated luggage"),
}


@rule(
    "CLS-01",
    title=("A类仅限无商业价值的文件单证", "Class A is for papers without commercial value"),
    applies="A",
    fields="EntryType;GName;CodeTS;DeclTotal",
    source=_NO_19,
    start="2016-06-01",
    certainty="primary",
    fix=("改报B类或C类", "declare it in class B or C"),
    passing=Parcel("A", head={"foreign_exchange_settled": "0"}),
    failing=Parcel("A", head={"foreign_exchange_settled": "1"}),
)
def a_papers_only(_: Context) -> Cases:
    """A fact that only goods or articles have: refund, foreign exchange, purchase, luggage, licence.

    (A commodity number in class A is found by the filling condition of CodeTS.)
    """
    for column, (zh, en) in _COMMERCIAL.items():
        yield Case(
            when=_stated(column),
            column=column,
            zh=f"A类文件不应有此情形：{zh}",
            en=f"not a paper without commercial value: {en}",
        )
    yield Case(
        when=pl.col("supervision_conditions").str.contains(CONDITION),
        column="supervision_conditions",
        frame="goods",
        zh="A类文件不应有监管条件 {supervision_conditions}",
        en="papers have no supervision conditions ({supervision_conditions})",
    )


@rule(
    "CLS-02",
    title=("B类不含分离运输行李", "Class B is not for separated luggage"),
    applies="B",
    fields="EntryType;AgentType",
    source=_NO_19,
    start="2016-06-01",
    certainty="primary",
    inputs="separated_luggage",
    fix=("按分离运输行李办理，不得走快件B类", "clear it as separated luggage, not in class B"),
    passing=Parcel("B", head={"separated_luggage": "0"}),
    failing=Parcel("B", head={"separated_luggage": "1"}),
)
def b_no_luggage(ctx: Context) -> Cases:
    """Class B holds own-use articles of natural persons, but not the separated luggage of a traveller."""
    yield Case(
        when=_stated("separated_luggage"),
        column="separated_luggage",
        zh="分离运输行李不得按B类申报",
        en="separated luggage may not be declared in class B",
    )
    yield from _unstated(ctx, "separated_luggage", "是否分离运输行李", "it is separated luggage")


@rule(
    "CLS-05",
    title=("C类不得有许可证件管理商品", "Class C holds no licence goods"),
    applies="C",
    fields="CodeTS;EntryDocu",
    source=_NO_19,
    start="2016-06-01",
    certainty="primary",
    inputs="supervision_conditions",
    fix=("改按一般货物报关并提交许可证件", "declare as ordinary goods and hand in the licence"),
    passing=Parcel("C", goods=({"supervision_conditions": "/"},)),
    failing=Parcel("C", goods=({"supervision_conditions": "4x"},)),
)
def c_no_licence(ctx: Context) -> Cases:
    """Any supervision condition other than inspection and quarantine (A, B) means a licence document."""
    yield Case(
        when=pl.col("supervision_conditions").str.contains(r"[^ABab\s/;,|-]"),
        column="supervision_conditions",
        frame="goods",
        zh="商品涉及监管条件 {supervision_conditions}，需许可证件，不得按C类申报",
        en="supervision conditions {supervision_conditions} need a licence document: not class C",
    )
    yield from _unstated(
        ctx, "supervision_conditions", "监管条件", "the commodity number has supervision conditions"
    )


@rule(
    "CLS-06",
    title=("C类不得退税", "Class C excludes an export tax refund"),
    applies="C",
    fields="TradeMode",
    source=_NO_19,
    start="2016-06-01",
    certainty="primary",
    inputs="tax_refund_claimed",
    fix=_ORDINARY,
    passing=Parcel("C", "E", {"tax_refund_claimed": "0"}),
    failing=Parcel("C", "E", {"tax_refund_claimed": "1"}),
)
def c_no_refund(ctx: Context) -> Cases:
    """Goods for which an export tax refund will be claimed are ordinary goods."""
    yield Case(
        when=_stated("tax_refund_claimed"),
        column="tax_refund_claimed",
        zh="申请退税的货物不得按C类申报",
        en="goods with a tax refund may not be declared in class C",
    )
    yield from _unstated(ctx, "tax_refund_claimed", "是否申请退税", "a tax refund is claimed")


@rule(
    "CLS-07",
    title=("C类不得收付汇", "Class C excludes foreign exchange under verification"),
    applies="C",
    fields="TradeMode",
    source=_NO_19,
    start="2016-06-01",
    certainty="primary",
    inputs="foreign_exchange_settled",
    fix=_ORDINARY,
    passing=Parcel("C", head={"foreign_exchange_settled": "0"}),
    failing=Parcel("C", head={"foreign_exchange_settled": "1"}),
)
def c_no_exchange(ctx: Context) -> Cases:
    """Goods paid for in foreign exchange under verification are ordinary goods."""
    yield Case(
        when=_stated("foreign_exchange_settled"),
        column="foreign_exchange_settled",
        zh="需收付汇的货物不得按C类申报",
        en="goods with foreign exchange settlement may not be declared in class C",
    )
    yield from _unstated(
        ctx, "foreign_exchange_settled", "是否收付汇", "foreign exchange is settled"
    )


@rule(
    "CLS-08",
    title=("C类监管方式0110或3010", "Class C supervision mode is 0110 or 3010"),
    applies="C",
    fields="TradeMode",
    source=_NO_19,
    start="2016-06-01",
    certainty="primary",
    fix=(
        "一般贸易填0110，货样广告品填3010",
        "0110 for general trade, 3010 for samples and advertising articles",
    ),
    passing=Parcel("C", head={"supervision_mode": "3010"}),
    failing=Parcel("C", head={"supervision_mode": "9610"}),
)
def c_mode(_: Context) -> Cases:
    """Only general trade and samples may use class C (3039: CLS-09)."""
    mode = pl.col("supervision_mode")
    yield Case(
        when=mode.str.contains(r"^[0-9]{4}$") & ~mode.is_in([*_MODES, _MODE_B]),
        column="supervision_mode",
        zh="C类不能使用监管方式 {supervision_mode}",
        en="supervision mode {supervision_mode} is not possible in class C",
    )


@rule(
    "CLS-09",
    title=("C类监管方式3039待确认", "Mode 3039 in class C is doubtful"),
    applies="C",
    fields="TradeMode",
    source=SCHEMA_2019,
    severity="warn",
    action="note",
    start="2019-01-01",
    certainty="inferred",
    fix=("请与申报现场确认，或改填3010", "ask the site whether it takes 3039, or use 3010"),
    passing=Parcel("C", head={"supervision_mode": "3010"}),
    failing=Parcel("C", head={"supervision_mode": "3039"}),
)
def c_mode_3039(ctx: Context) -> Cases:
    """3039 stands in the message schema but not in the announcement; setting `mode_3039`."""
    grade = ctx.option("mode_3039")
    if grade != "pass":
        yield Case(
            when=pl.col("supervision_mode") == _MODE_B,
            column="supervision_mode",
            zh="公告未列监管方式3039，仅报文规范列出",
            en="mode 3039 is in the message schema only, not in the announcement",
            severity="reject" if grade == "reject" else "warn",
            action="reject" if grade == "reject" else "note",
        )


@rule(
    "CLS-10",
    title=("C类征免性质101", "Class C levy nature is 101"),
    applies="C",
    fields="CutMode",
    source=_NO_19,
    start="2016-06-01",
    certainty="primary",
    fix=("征免性质填101（一般征税）", "use 101, general levy"),
    passing=Parcel("C", head={"levy_nature": "101"}),
    failing=Parcel("C", head={"levy_nature": "299"}),
)
def c_levy(_: Context) -> Cases:
    """Class C is levied generally."""
    nature = pl.col("levy_nature")
    yield Case(
        when=nature.str.contains(r"^[0-9]{3}$") & (nature != "101"),
        column="levy_nature",
        zh="C类征免性质应为101，现为 {levy_nature}",
        en="the levy nature of class C is 101, not {levy_nature}",
        suggest=pl.lit("101"),
    )


@rule(
    "CLS-12",
    title=("D类默认不启用", "Class D is off unless the profile allows it"),
    fields="EntryType",
    source=SCHEMA_2019,
    severity="warn",
    action="hold",
    start="2019-01-01",
    certainty="inferred",
    fix=(
        "请与申报现场确认；可用后在企业档案 classes 中加入 D，否则转一般货物报关",
        "ask the site; add D to the profile's classes, or declare as ordinary goods",
    ),
    passing=Example((Parcel("D"),), classes=("A", "B", "C", "D")),
    failing=Parcel("D"),
)
def d_switched_off(ctx: Context) -> Cases:
    """D stands in the message schema only; a site that takes it is named by the profile."""
    if "D" not in ctx.profile.classes:
        yield Case(
            when=pl.col("_class") == "D",
            column="declaration_class",
            zh="D类仅见于报文规范，企业档案未启用",
            en="class D is in the message schema only and not switched on",
        )


@rule(
    "CLS-13",
    title=("一份分运单只能一种类别", "One house waybill, one class"),
    fields="EntryType",
    source=SCHEMA_2019,
    start="2019-01-01",
    certainty="inferred",
    fix=(
        "个人物品与货物应分单申报，请核对各项商品编号",
        "articles and goods need house waybills of their own; check the codes of the lines",
    ),
    passing=Parcel("B", goods=({}, {})),
    failing=Parcel("B", goods=({}, {"commodity_code": "6205200099"})),
)
def one_class(_: Context) -> Cases:
    """Postal-articles tax numbers (8 digits) and commodity numbers (10 digits) on one waybill."""
    yield Case(
        when=pl.col("_has8") & pl.col("_has10"),
        column="declaration_class",
        blank=True,
        zh="同一分运单既有8位行邮税号又有10位商品编号",
        en="8-digit tax numbers and 10-digit commodity numbers on one house waybill",
    )


@rule(
    "CLS-14",
    title=("C类涉检商品须人工确认", "Inspection goods in class C need a person"),
    applies="C",
    fields="CodeTS",
    source=_NO_19,
    severity="warn",
    action="hold",
    start="2018-04-20",
    certainty="inferred",
    inputs="supervision_conditions",
    fix=(
        "确认检验检疫手续后放行，或改按一般货物报关",
        "confirm inspection and quarantine, or declare as ordinary goods",
    ),
    passing=Parcel("C", goods=({"supervision_conditions": "/"},)),
    failing=Parcel("C", goods=({"supervision_conditions": "AB"},)),
)
def c_inspection(_: Context) -> Cases:
    """Conditions A and B (inspection, quarantine) alone are no licence in the strict sense: a person decides."""
    yield Case(
        when=pl.col("supervision_conditions").str.contains(r"^[ABab\s/;,|]*[ABab][ABab\s/;,|]*$"),
        column="supervision_conditions",
        frame="goods",
        zh="商品涉及检验检疫（{supervision_conditions}）",
        en="the goods are subject to inspection or quarantine ({supervision_conditions})",
    )


@rule(
    "CLS-16",
    title=("平台三单商品应走跨境电商清单", "Platform purchases go as e-commerce inventory"),
    applies="B",
    fields="EntryType",
    source="GACC Announcement 2018 No. 194",
    start="2022-03-01",
    inputs="platform_purchase",
    fix=("按跨境电商零售进出口清单申报", "declare with an e-commerce inventory"),
    passing=Parcel("B", head={"platform_purchase": "0"}),
    failing=Parcel("B", head={"platform_purchase": "1"}),
)
def b_no_platform(ctx: Context) -> Cases:
    """A platform that sends order, payment and waybill to customs: an inventory, not class B."""
    yield Case(
        when=_stated("platform_purchase"),
        column="platform_purchase",
        zh="平台已传输三单的商品不得按B类申报",
        en="bought on a platform that sends the three documents: not class B",
    )
    yield from _unstated(
        ctx, "platform_purchase", "是否平台三单商品", "it was bought on a platform"
    )


@rule(
    "CLS-17",
    title=("疑似非自用（重复、大量）", "Repeated or many articles for one receiver"),
    applies="B",
    fields="EntryList;ReceiveName;SendName",
    source="Customs Law art. 46",
    severity="warn",
    action="hold",
    start="1987-07-01",
    inputs="filing_history",
    fix=(
        "由人工判断是否自用、合理数量；否则改报C类或一般货物",
        "a person judges own use and reasonable quantity; else class C or ordinary goods",
    ),
    passing=tuple(Parcel("B") for _ in range(5)),
    failing=tuple(Parcel("B") for _ in range(6)),
)
def b_own_use(ctx: Context) -> Cases:
    """Within one hand-in: parcels per identity number (`repeat_parcels`), pieces (`resale_quantity`), and parcels that are
    each within the value limit and together above it (`split_parcels`): of one identity number; of one telephone or one
    address under several identity numbers. The law limits each consignment, so this is a note, unless the setting
    `split_signal` lets a person decide.

    With a ledger, parcels of earlier batches that moved within `split_days` are compared in the same way, those that are
    live; the parcels are listed with their batch. Without one that part is not evaluated.
    """
    parcels = int(ctx.number("repeat_parcels"))
    counted = pl.col("_class").eq("B").sum().over("party_id")
    number = pl.col("party_id")
    repeated = number.is_not_null() & (number.is_duplicated() | pl.lit(parcels <= 1))
    yield Case(
        when=counted >= parcels,
        over=("party_id",),
        screen=repeated,
        column="party_id",
        zh="本批同一证件号码共有 {count} 个B类包裹",
        en="{count} class B parcels for one identity number in this file",
        values={"count": counted},
    )
    yield Case(
        when=countable(ctx) & (pl.col("_quantity") >= ctx.number("resale_quantity")),
        column="quantity",
        frame="goods",
        zh="单项商品 {quantity} 件，疑似非自用",
        en="{quantity} pieces of one article: doubtful for own use",
    )
    grade, least = ctx.option("split_signal"), int(ctx.number("split_parcels"))
    if grade != "pass":
        yield from _split(ctx, counted < parcels, least, hold=grade == "hold")


def _split(ctx: Context, few: pl.Expr, least: int, *, hold: bool) -> Cases:
    """One purchase in `least` parcels or more; where `few` is false the number of parcels speaks already."""
    same_id = _Together("party_id")
    yield Case(
        when=few & same_id.above(ctx, least),
        over=("party_id",),
        screen=_again("party_id"),
        column="party_id",
        zh="同一证件号码的 {count} 个B类包裹各未超限，合计约 {sum} 元，超过限值 {limit} 元，疑似拆单：{houses}",
        en="{count} class B parcels for one identity number, each within the limit, together CNY {sum}, limit {limit}: "
        "one purchase split up? {houses}",
        severity="warn",
        action="hold" if hold else "note",
        values=same_id.values(ctx),
    )
    for name, column, zh, en in (
        ("_party_phone", "phone", "电话", "telephone"),
        ("_party_address", "address", "地址", "address"),
    ):
        same = _Together(name)
        several = pl.col("party_id").n_unique().over(name, "direction") > 1
        if name == "_party_address":  # else the telephone speaks already
            several &= pl.col("_party_phone").n_unique().over(name, "direction") > 1
        again = _again(name)
        for way, party in (("I", "receiver"), ("E", "sender")):
            yield Case(
                when=several & same.above(ctx, least) & (pl.col("direction") == way),
                over=(name,),
                screen=again,
                column=f"{party}_{column}",
                zh=f"同一{zh}、不同证件号码的 {{count}} 个B类包裹各未超限，合计约 {{sum}} 元，超过限值 {{limit}} 元，疑似拆单：{{houses}}",
                en=f"{{count}} class B parcels to one {en} under several identity numbers, each within the limit, together "
                "CNY {sum}, limit {limit}: one purchase split up? {houses}",
                severity="warn",
                action="note",
                values=same.values(ctx),
            )


def _again(name: str) -> pl.Expr:
    """Parcels of class B that have something in common with another one."""
    return (pl.col("_class") == "B") & pl.col(name).is_not_null() & pl.col(name).is_duplicated()


@dataclass(frozen=True)
class _Together:
    """Class B parcels of one direction that have a column in common; each is worth what its head says."""

    name: str

    def _over(self, expr: pl.Expr) -> pl.Expr:
        return expr.over(self.name, "direction")

    def _value(self, ctx: Context) -> pl.Expr:
        return pl.when(pl.col("_class") == "B").then(head_value(ctx))

    def above(self, ctx: Context, least: int) -> pl.Expr:
        """Whether there are `least` of them, each is within its limit, and their sum is above it."""
        value, limit = self._value(ctx), pl.col("_limit")
        enough = self._over(value.is_not_null().sum()) >= least
        within = self._over((value <= limit).fill_null(True).all())
        return enough & within & (self._over(value.sum()) > self._over(limit.max()))

    def values(self, ctx: Context) -> dict[str, pl.Expr]:
        """What the texts show; of the parcels the first ten."""
        houses = self._over(pl.col("house_waybill").head(_SHOWN).str.join(", "))
        count = self._over(pl.len())
        more = pl.when(count > _SHOWN).then(pl.lit(" …")).otherwise(pl.lit(""))
        return {
            "count": count,
            "sum": plain(self._over(self._value(ctx).sum()).round(2)),
            "limit": plain(self._over(pl.col("_limit").max())),
            "houses": houses + more,
        }


@rule(
    "CLS-20",
    title=("商品项不超过20项", "At most 20 goods lines"),
    fields="EntryList",
    source="EXP301 schema (2019)",
    start="2019-01-01",
    fix=(
        "请在源头合并相同商品项，或改按一般货物报关；系统不拆单",
        "merge equal lines at the source, or declare as ordinary goods; a shipment is never split",
    ),
    passing=Parcel("C", goods=({},) * 20),
    failing=Parcel("C", goods=({},) * 21),
)
def twenty_lines(_: Context) -> Cases:
    """A declaration holds at most 20 lines."""
    yield Case(
        when=pl.col("_lines") > 20,
        column="",
        blank=True,
        zh="共 {_lines} 项商品，最多20项",
        en="{_lines} goods lines, at most 20 are possible",
    )
