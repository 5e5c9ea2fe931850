"""The two sheets that an annotation adds: what was found by rule and by partner, and every finding with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl

from crossborder.reports.annotate.comments import consequence
from crossborder.reports.annotate.marks import HOLD, NOTE, REJECT, Place, letters
from crossborder.reports.annotate.styles import COLOURS, Styles
from crossborder.reports.annotate.texts import HEAD, MOST, escaped
from crossborder.reports.labels import label
from crossborder.wide import wrapped

SUMMARY, FINDINGS = "校验汇总 check", "校验问题 findings"
"""Names of the two sheets."""
MOST_LINKS = 20_000
_LINE, _MOST_LINES = 15, 27
_KIND = {"reject": REJECT, "transfer": REJECT, "not_evaluated": HOLD, "hold": HOLD}
_GREY = "FFEEF2F6"
_VERDICTS = (
    ("valid", "通过 valid"), ("rejected", "未通过 rejected"), ("not_evaluated", "未能评估 not evaluated"),
        ("on_hold", "待人工 on hold"),

)  # fmt: skip
_BY_RULE = (
    "后果 consequence",
    "规则 rule",
    "条数 findings",
    "票数 in shipments",
    "问题",
    "what is wrong",
    "处理",
    "remedy",
)
_BY_PARTNER = (
    "合作方（收发货人或货主）partner",
    "票数 in shipments",
    *(name for _, name in _VERDICTS),
)
_LISTED = (
    "行 in row", "列 in column", "运单 of waybill", "后果 consequence", "规则 rule", "所填 value", "问题", "what is wrong",
    "处理", "remedy", "建议值 suggested", "依据 legal source",
)  # fmt: skip
_LEGEND = (
    "红：未通过，须更正  red: refused, correct it",
    "黄：须人工决定或未能评估  yellow: a person decides, or not evaluated",
    "蓝：提示，可照常申报  blue: a note, it may be filed",
)


@dataclass(frozen=True)
class Told:
    """What the first sheet says: `counts` (shipments, rows, the four verdicts), `by_rule` as
    `crossborder.reports.grouped`, `partners` with `partner, shipments` and the four verdicts, `unevaluated`
    with `rule, reason_zh, reason_en`, `findings` how many there are."""

    source_name: str
    mapping: str
    counts: Mapping[str, int]
    by_rule: pl.DataFrame
    partners: pl.DataFrame
    unevaluated: pl.DataFrame
    findings: int


Cell = tuple[str | int | None, int]
"""A value and its style."""


def summary(told: Told, styles: Styles, *, listed: int, frozen: int) -> Iterator[bytes]:
    """The XML of the first sheet; `frozen` formulas became values, `listed` findings stand on the second."""
    rows: list[Sequence[Cell]] = [
        *_head(told, styles, listed, frozen),
        *_by_rule(told, styles),
        [],
        *_by_partner(told, styles),
    ]
    if told.unevaluated.height:
        bold, plain = styles.own(bold=True), styles.own(wrap=True)
        rows += [[], [("未能运行的检查 checks that could not run", bold)]]
        rows += [[(v, plain) for v in row] for row in told.unevaluated.iter_rows()]
    return _sheet(styles, rows, (24, 30, 16, 18, 44, 44, 34, 34))


def findings(listed: pl.DataFrame, place: Place, styles: Styles) -> Iterator[bytes]:
    """The XML of the second sheet: a row for each finding, by row, with a link to its cell and a filter."""
    head = [(name, styles.own(bold=True, colour=_GREY)) for name in _LISTED]
    plain, wrap = styles.own(), styles.own(wrap=True)

    def rows() -> Iterator[Sequence[Cell]]:
        yield head
        for one in listed.iter_rows(named=True):
            what = consequence(one)
            shade = styles.own(colour=COLOURS[_KIND.get(what, NOTE)])
            texts: list[Cell] = [(one[n], wrap) for n in ("zh", "en", "fix_zh", "fix_en")]
            yield [
                (one["row"], plain), (one["column"], plain), (one["shipment"], plain), (_both(what), shade),
                (one["rule"], plain), (one["value"], plain), *texts, (one["suggest"], plain), (one["source"], plain),
            ]  # fmt: skip

    links = _links(listed, place)
    return _sheet(
        styles,
        rows(),
        (8, 20, 20, 20, 12, 24, 40, 40, 34, 34, 20, 30),
        listed.height + 1,
        links,
    )


def _links(listed: pl.DataFrame, place: Place) -> Iterator[bytes]:
    sheet = escaped(place.sheet.replace("'", "''")).replace('"', "&quot;")
    there = listed.with_row_index("line", offset=2).filter(pl.col("row") > 0).head(MOST_LINKS)
    for line, row, at in there.select("line", "row", "at").iter_rows():
        yield f'<hyperlink ref="A{line}" location="\'{sheet}\'!{letters(at)}{row}"/>'.encode()


def _head(told: Told, styles: Styles, listed: int, frozen: int) -> list[Sequence[Cell]]:
    bold, plain = styles.own(bold=True), styles.own()
    counts = told.counts
    rows: list[Sequence[Cell]] = [
        [("crossborder 校验结果 · what a check found", bold)],
        [(f"文件 file: {told.source_name}    对照表 mapping: {told.mapping}", plain)],
        [(f"共 {counts['shipments']:,} 票，{counts['rows']:,} 行  shipments, rows", plain)],
        *([(f"{name}: {counts[verdict]:,}", plain)] for verdict, name in _VERDICTS),
        [],
        [("请在原工作表中更正有颜色的单元格，保存后原样重新提交  Correct the coloured cells in your own sheet, save, and hand the file in again", bold)],
        *([(text, styles.own(colour=colour))] for text, colour in zip(_LEGEND, COLOURS, strict=True)),
    ]  # fmt: skip
    if listed < told.findings:
        rows.append([(f"共 {told.findings:,} 条问题，“{FINDINGS}”列出其中 {listed:,} 条；全部见 --findings  of {told.findings:,} findings {listed:,} are listed", plain)])  # fmt: skip
    if frozen:
        rows.append([(f"{frozen:,} 个公式已改为其结果，不会再计算  formulas became their values and are not calculated any more", plain)])  # fmt: skip
    return [*rows, []]


def _by_rule(told: Told, styles: Styles) -> Iterator[Sequence[Cell]]:
    wrap, head = styles.own(wrap=True), styles.own(bold=True, colour=_GREY)
    yield [("按规则 by rule", styles.own(bold=True))]
    yield [(name, head) for name in _BY_RULE]
    for one in told.by_rule.iter_rows(named=True):
        shade = styles.own(colour=COLOURS[_KIND.get(one["what"], NOTE)])
        numbers: list[Cell] = [(one["count"], wrap), (one["shipments"], wrap)]
        several = "" if one["texts"] == 1 else " …"
        texts: list[Cell] = [
            (f"{one[n] or ''}{several}", wrap) for n in ("zh", "en")
        ] + [(one[n], wrap) for n in ("fix_zh", "fix_en")]  # fmt: skip
        yield [(_both(one["what"]), shade), (one["rule"], wrap), *numbers, *texts]


def _by_partner(told: Told, styles: Styles) -> Iterator[Sequence[Cell]]:
    wrap, head = styles.own(wrap=True), styles.own(bold=True, colour=_GREY)
    yield [("按合作方 by partner", styles.own(bold=True))]
    yield [(name, head) for name in _BY_PARTNER]
    for one in told.partners.iter_rows(named=True):
        named = one["partner"] or "（未填 not given）"
        yield [(named, wrap), (one["shipments"], wrap), *((one[v], wrap) for v, _ in _VERDICTS)]


def _both(what: str) -> str:
    return f"{label(what, 'zh')} {label(what, 'en')}"


def _sheet(
    styles: Styles,
    rows: Iterable[Sequence[Cell]],
    widths: Sequence[int],
    filtered: int = 0,
    links: Iterable[bytes] = (),
) -> Iterator[bytes]:
    """A sheet; with `filtered` rows its first row is a header that stays in sight and filters the others."""
    yield HEAD + f'<worksheet xmlns="{styles.namespace}">'.encode()
    if filtered:
        yield b'<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    columns = "".join(f'<col min="{i}" max="{i}" width="{w}" customWidth="1"/>' for i, w in enumerate(widths, 1))  # fmt: skip
    yield f"<cols>{columns}</cols><sheetData>".encode()
    for number, row in enumerate(rows, 1):
        cells = "".join(_cell(f"{letters(at)}{number}", *cell) for at, cell in enumerate(row))
        height = _LINE * _lines(row, widths, styles)
        yield f'<row r="{number}" ht="{height}" customHeight="1">{cells}</row>'.encode()
    yield b"</sheetData>"
    if filtered:
        yield f'<autoFilter ref="A1:{letters(len(widths) - 1)}{filtered}"/>'.encode()
    linked = b"".join(links)
    if linked:
        yield b"<hyperlinks>" + linked + b"</hyperlinks>"
    yield b"</worksheet>"


def _lines(row: Sequence[Cell], widths: Sequence[int], styles: Styles) -> int:
    """How many lines the texts of a row take where they are wrapped."""
    texts = [
        _wrapped(value, room - 1)
        for (value, style), room in zip(row, widths, strict=False)
        if style in styles.wrapping and isinstance(value, str)
    ]
    return min(max(texts, default=1), _MOST_LINES)


@lru_cache(maxsize=4096)
def _wrapped(text: str, room: int) -> int:
    return len(wrapped(text, room))


def _cell(ref: str, value: Any, style: int) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, int):
        return f'<c r="{ref}" s="{style}"><v>{value}</v></c>'
    text = escaped(str(value)[:MOST])
    return f'<c r="{ref}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
