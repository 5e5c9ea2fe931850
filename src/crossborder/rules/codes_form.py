"""Form and place of codes: countries, currencies, the declaring district, postal-articles tax numbers."""

from __future__ import annotations

import polars as pl

from crossborder.codes import nearest_texts
from crossborder.rules.charsets import written
from crossborder.rules.context import Context
from crossborder.rules.model import Case, Cases, Parcel, rule
from crossborder.shipments.columns import FrameName

_FORM = r"^[0-9]{3}$"
_LISTS = "GACC Announcement 2018 No. 60 (general declaration); message specifications"
_COUNTRIES: tuple[tuple[FrameName, str, str], ...] = (
    ("shipments", "trade_country", "贸易国别"),
    ("shipments", "sender_country", "发件人国别"),
    ("shipments", "receiver_country", "收件人国别"),
    ("goods", "origin_country", "产销国"),
)
_CURRENCIES: tuple[tuple[FrameName, str, str], ...] = (
    ("shipments", "currency", "币制"),
    ("shipments", "freight_currency", "运费币制"),
    ("shipments", "insurance_currency", "保险费币制"),
    ("shipments", "other_charges_currency", "杂费币制"),
    ("goods", "currency", "成交币制"),
)


def _numeric(
    ctx: Context,
    table: str,
    letters: tuple[str, ...],
    columns: tuple[tuple[FrameName, str, str], ...],
) -> Cases:
    """Cases for values that are not three digits; letters of a table are translated as a suggestion.

    Longer values are the facet's.
    """
    frame = ctx.tables.frame(table)
    known: dict[str, str] = {}
    for name in letters:
        if name in frame.columns:
            active = (
                frame.filter(pl.col("status") == "active") if "status" in frame.columns else frame
            )
            known |= dict(
                zip(
                    active[name].fill_null("").to_list(),
                    active["customs_code"].to_list(),
                    strict=True,
                )
            )
    known.pop("", None)
    for where, column, zh in columns:
        value = written(column)
        yield Case(
            when=value.str.len_chars() <= 3,
            screen=~pl.col(column).str.contains(_FORM),
            column=column,
            frame=where,
            zh=f"{zh}应为3位数字海关代码，现为 {{{column}}}",
            en=f"{{{column}}} is not a customs code of three digits",
            suggest=value.str.to_uppercase().replace_strict(
                pl.Series(list(known), dtype=pl.String),
                pl.Series(list(known.values()), dtype=pl.String),
                default=None,
                return_dtype=pl.String,
            ),
        )


@rule(
    "ID-16",
    title=("国别（地区）代码为3位数字", "Country codes are three digits"),
    applies="all",
    fields="TradeCountry;SendCountry;ReceiveCountry;OriginCountry",
    source=_LISTS,
    start="2018-08-01",
    fix=("用海关国别（地区）数字代码，如美国502", "use the customs number, for instance 502 for the United States"),
    passing=Parcel(goods=({"origin_country": "116"},)),
    failing=Parcel(goods=({"origin_country": "JPN"},)),
)  # fmt: skip
def countries(ctx: Context) -> Cases:
    """Express messages use customs numbers; letters belong to the general declaration since 2018-08."""
    yield from _numeric(ctx, "countries", ("iso_alpha2", "iso_alpha3"), _COUNTRIES)


@rule(
    "ID-17",
    title=("币制代码为3位数字", "Currency codes are three digits"),
    applies="all",
    fields="CurrCode;TradeCurr;FeeCurr;InsurCurr;OtherCurr",
    source=_LISTS,
    start="2018-08-01",
    fix=(
        "用海关币制数字代码，如人民币142、美元502",
        "use the customs number, for instance 142 CNY, 502 USD",
    ),
    passing=Parcel("A", head={"other_charges_currency": "502"}),
    failing=Parcel("A", head={"other_charges_currency": "USD"}),
)
def currencies(ctx: Context) -> Cases:
    """As ID-16, for currencies."""
    yield from _numeric(ctx, "currencies", ("iso_alpha",), _CURRENCIES)


@rule(
    "ID-18",
    title=("申报口岸须有申报通道", "The declaring district is served"),
    applies="all",
    fields="DeclPort;IEPort",
    source="district table",
    certainty="inferred",
    fix=(
        "请核对申报口岸，或在设置中配置该关区的申报端点",
        "check the port, or configure an endpoint for its district",
    ),
    passing=Parcel(head={"declaration_port": "3104"}),
    failing=Parcel(head={"declaration_port": "2202"}),
)
def served(ctx: Context) -> Cases:
    """The first digits choose the endpoint; a district nobody serves cannot be declared at."""
    if ctx.served_prefixes is None:
        return
    port = pl.col("declaration_port")
    ours = pl.any_horizontal(
        pl.lit(False), *(port.str.starts_with(p) for p in sorted(ctx.served_prefixes))
    )
    yield Case(
        when=port.str.contains(r"^[0-9]{4}$"),
        screen=~ours,
        column="declaration_port",
        zh="申报口岸 {declaration_port} 没有对应的申报端点",
        en="no endpoint serves the district {declaration_port}",
    )


@rule(
    "TAX-01",
    title=("行邮税号在税表中", "The tax number stands in the table"),
    applies="B",
    fields="CodeTS",
    source="GACC Announcement 2024 No. 175",
    start="2024-12-01",
    dated_by="declaration",
    fix=("请按行邮税号表更正", "correct it by the postal-articles table"),
    passing=Parcel(goods=({"commodity_code": "01010100"},)),
    failing=Parcel(goods=({"commodity_code": "99999999"},)),
)
def tax_number(ctx: Context) -> Cases:
    """Looked up in the table valid on the day of declaration, where that table is complete."""
    day = ctx.declaration_day.isoformat()
    if ctx.tables.coverage("parcel_tax", day) != "complete":
        return
    code = pl.col("commodity_code")
    codes = sorted(ctx.tables.codes("parcel_tax", day))
    known = pl.Series(codes, dtype=pl.String)
    near = code.map_batches(lambda unknown: nearest_texts(codes, unknown), return_dtype=pl.String)
    yield Case(
        when=code.str.contains(r"^[0-9]{8}$") & ~code.is_in(known.implode()),
        column="commodity_code",
        frame="goods",
        zh="行邮税号 {commodity_code} 不在现行税表中{near_zh}",
        en="the tax number {commodity_code} is not in the table in force{near_en}",
        values={
            "near_zh": pl.concat_str(pl.lit("，最接近："), near),
            "near_en": pl.concat_str(pl.lit("; nearest: "), near),
        },
    )
