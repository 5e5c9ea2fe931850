"""Which rules could not be evaluated for a whole hand-in, and why (promise P2).

What is missing for single shipments (a rate, a fact that the profile wants stated) is a finding of theirs; what
is missing for all of them stands here once, so that a report can say which checks did not run.
"""

from __future__ import annotations

import polars as pl

from crossborder.rules.context import Context

SCHEMA = {"rule": pl.String, "reason_zh": pl.String, "reason_en": pl.String}
_Row = tuple[str, str, str]

_NO_INPUT: tuple[_Row, ...] = (
    ("EXP-36", "需与舱单核对，舱单由同一数据生成", "needs the manifest, which is made from the same data"),
    ("EXP-41", "需委托协议数据", "needs the agency agreements"),
    ("CLS-17", "未与以往批次比较：没有台账", "parcels of earlier batches are not compared: there is no ledger"),
    ("EXP-50", "需历史申报记录：没有台账", "needs the filing history: there is no ledger"),
    ("ID-08", "姓名与号码是否相符须由外部核验", "name and number can only be checked by an outside service"),
)  # fmt: skip
_STATED = (
    ("CLS-02", "separated_luggage"),
    ("CLS-06", "tax_refund_claimed"),
    ("CLS-07", "foreign_exchange_settled"),
    ("CLS-16", "platform_purchase"),
    ("CLS-05", "supervision_conditions"),
    ("CLS-14", "supervision_conditions"),
)


def unevaluated(ctx: Context) -> pl.DataFrame:
    """Columns `rule`, `reason_zh`, `reason_en`: once per hand-in, whatever its shipments are."""
    if "unevaluated" not in ctx.memo:
        ctx.memo["unevaluated"] = _unevaluated(ctx)
    found: pl.DataFrame = ctx.memo["unevaluated"]
    return found.clone()


def _unevaluated(ctx: Context) -> pl.DataFrame:
    rows: list[_Row] = list(_NO_INPUT)
    if ctx.option("unstated_facts") == "assume_no":
        rows += [
            (rule, f"未填写 {fact} 时视为否", f"{fact} is taken as no where it is not stated")
            for rule, fact in _STATED
        ]
    if ctx.tables.coverage("tariff") != "complete":
        rows.append(
            (
                "EXP-20",
                "没有完整税则，法定单位未核对",
                "statutory units: there is no complete tariff",
            )
        )
    if ctx.tables.coverage("parcel_tax", ctx.declaration_day.isoformat()) != "complete":
        rows.append(
            (
                "TAX-01",
                "申报日期没有完整的行邮税号表",
                "no complete table of tax numbers on that day",
            )
        )
    rows += [
        (rule, "已在设置中关闭", "switched off by the settings")
        for rule, grade in sorted(ctx.grades.items()) if grade == "off"
    ]  # fmt: skip
    if ctx.served_prefixes is None:
        rows.append(("ID-18", "未提供申报端点", "the endpoints are not known here"))
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return frame.unique("rule", keep="last", maintain_order=True)
