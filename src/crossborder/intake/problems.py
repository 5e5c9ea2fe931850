"""The findings intake can give, all texts in one place. Rule ids are `INT-` and a kind; none is ever renamed."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Problem:
    """Severity, action and texts of one kind. `{a}` and `{b}` in a text are filled per finding."""

    severity: str
    action: str
    zh: str
    en: str
    fix_zh: str
    fix_en: str


def _reject(zh: str, en: str, fix_zh: str, fix_en: str) -> Problem:
    return Problem("reject", "reject", zh, en, fix_zh, fix_en)


def _note(zh: str, en: str, fix_zh: str, fix_en: str) -> Problem:
    return Problem("warn", "note", zh, en, fix_zh, fix_en)


PROBLEMS: dict[str, Problem] = {
    "ragged": _reject(
        "本行有 {a} 个字段，表头有 {b} 个，无法对应到列",
        "this row has {a} fields, the header {b}; it cannot be matched to the columns",
        "检查本行是否多了或少了分隔符，含分隔符的内容请加引号",
        "look for a missing or extra delimiter; put text that holds one in quotes",
    ),
    "ragged-line": _reject(
        "第 {a} 行属于本分运单，但无法读取，商品项可能不全",
        "row {a} names this waybill but cannot be read, so a goods line may be missing",
        "先更正该行再提交",
        "mend that row first",
    ),
    "quote": _reject(
        "引号不成对，或引号后还有文字，无法读取本行",
        "a quote is never closed, or text follows it: the row cannot be read",
        "更正引号；内容中的引号请写两个",
        "mend the quotes; write a quote inside text twice",
    ),
    "json": _reject(
        "这条记录不是有效的 JSON 对象", "this record is not a valid JSON object",
        "按对象格式更正这条记录", "mend the record: an object of names and values",
    ),
    "json-twice": _reject(
        "同一对象中有重复的键", "a key occurs twice in one object",
        "每个键只写一次", "write every key once",
    ),
    "value-type": _reject(
        "这里应为文字或数字，而不是列表或对象", "text or a number belongs here, not a list or an object",
        "改为单个值", "write one value",
    ),
    "orphan": _reject(
        "找不到这条记录所属的分运单", "no shipment has the waybill this record names",
        "检查总运单号、分运单号和进出口标志", "check master waybill, house waybill and direction",
    ),
    "twice": _reject(
        "同一分运单在 shipments 中出现不止一次，无法确定商品项归属",
        "the waybill stands in shipments more than once, so its lines cannot be assigned",
        "每票只保留一条，或用 ship 列关联", "keep one record each, or link by the column ship",
    ),
    "cell-too-long": _reject(
        "单元格有 {a} 个字符，超过上限 {b}", "the cell has {a} characters; at most {b} are read",
        "缩短内容；检查是否粘贴了整份文件", "shorten it; look whether a whole file was pasted",
    ),
    "number-cell": _reject(
        "Excel 把这里存成了数字，号码或代码的前导零、第 15 位以后的数字可能已丢失",
        "Excel stored a number here: leading zeros or digits after the fifteenth may be lost",
        "把该列设为文本格式，按原始单据重新输入", "format the column as text and enter it again from the original",
    ),
    "date-cell": _reject(
        "Excel 把这里存成了日期，原来的内容可能已改变",
        "Excel stored a date here: what was typed may have been changed",
        "把该列设为文本格式后重新输入", "format the column as text and enter it again",
    ),
    "boolean-cell": _reject(
        "Excel 把这里存成了逻辑值", "Excel stored TRUE or FALSE here",
        "把该列设为文本格式后重新输入", "format the column as text and enter it again",
    ),
    "error-cell": _reject(
        "公式出错，单元格没有值（如 #N/A、#DIV/0!）", "the formula has failed: the cell holds an error such as #N/A",
        "更正公式，或粘贴为数值", "mend the formula, or paste it as a value",
    ),
    "scientific": _reject(
        "号码被写成科学计数法，原来的数字已丢失", "a number of digits was turned into scientific notation; digits are lost",
        "把该列设为文本格式，按原始单据重新输入", "format the column as text and enter it again from the original",
    ),
    "not-adjacent": _reject(
        "同一分运单的行没有排在一起：前面的行从第 {a} 行开始",
        "rows of one waybill do not stand together: the earlier ones begin on row {a}",
        "按总运单号、分运单号排序；若是两票，请更正号码", "sort by master and house waybill; if these are two parcels, mend the number",
    ),
    "head-differs": _reject(
        "同一分运单各行的这一列不一致：第 {a} 行为 {b}", "rows of one waybill differ in this column: row {a} says {b}",
        "各行写成相同的值", "write the same value on each row",
    ),
    "unknown-column": _note(
        "对照表没有用到这一列，未读取", "the mapping does not use this column; it was not read",
        "如需要，请在对照表中加入", "add it to the mapping if it is needed",
    ),
    "sheet-full": Problem(
        "warn", "note",
        "工作表已写满最后一行（{a}），后面的数据可能被截断", "the sheet is full to its last row ({a}): what came after may have been cut off",
        "拆分后重新导出，核对票数", "export in parts and compare the counts",
    ),
    "other-sheets": Problem(
        "warn", "note",
        "这些工作表也符合对照表，但未读取：{a}", "these sheets fit the mapping too and were not read: {a}",
        "用 --sheet 逐个提交，或合并到一个工作表", "hand each in with --sheet, or put them on one sheet",
    ),
    "transformed": _note(
        "按对照表的 {a} 规则改为 {b}", "changed to {b} by the mapping's {a}",
        "如不正确，请在对照表中停用该规则", "switch the transform off in the mapping if this is wrong",
    ),
}  # fmt: skip

ABOUT_FILE = ("unknown-column", "sheet-full", "other-sheets")
"""Kinds that concern the file as a whole: their findings belong to no shipment."""

COLUMNS: dict[str, pl.DataType] = {
    "kind": pl.String(), "row": pl.UInt32(), "sheet": pl.String(), "column": pl.String(),
    "value": pl.String(), "a": pl.String(), "b": pl.String(),
}  # fmt: skip
"""What a stage says of a problem; `finish` makes findings of it."""

_SHOWN = 200
_NONE = pl.DataFrame(schema=COLUMNS)


def none() -> pl.DataFrame:
    """No problems."""
    return _NONE


def many(kind: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Problems of one kind: `rows` has `row` and any of sheet, column, value, a, b."""
    have = set(rows.columns)
    return rows.select(
        [
            pl.lit(kind).alias("kind"),
            *(
                pl.col(n).cast(t) if n in have else pl.lit(None, dtype=t).alias(n)
                for n, t in COLUMNS.items()
                if n != "kind"
            ),
        ]
    )


def one(kind: str, **values: object) -> pl.DataFrame:
    """One problem."""
    return many(
        kind, pl.DataFrame([{k: str(v) if k not in ("row",) else v for k, v in values.items()}])
    )


def finish(problems: pl.DataFrame, ships: pl.DataFrame) -> pl.DataFrame:
    """Findings of `problems`; `ships` has one line per source row: `row`, `sheet`, `ship`, `shipment`, `master`."""
    texts = pl.DataFrame(
        [
            {
                "kind": kind,
                "rule": "INT-" + kind.replace("ragged-line", "ragged").replace("json-twice", "json"),
                "severity": p.severity, "action": p.action,
                "zh": p.zh, "en": p.en, "fix_zh": p.fix_zh, "fix_en": p.fix_en,
            }
            for kind, p in PROBLEMS.items()
        ]
    )  # fmt: skip
    filled = [
        pl.col(n)
        .str.replace("{a}", pl.col("a").fill_null(""), literal=True)
        .str.replace("{b}", pl.col("b").fill_null(""), literal=True)
        for n in ("zh", "en")
    ]
    return (
        problems.join(texts, on="kind", how="left", maintain_order="left")
        .join(ships, on=["row", "sheet"], how="left", maintain_order="left", nulls_equal=True)
        .with_columns(*filled, pl.col("value").str.slice(0, _SHOWN), pl.col("sheet").fill_null(""))
    )
