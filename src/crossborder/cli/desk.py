"""`init`, `doctor`, `mapping`: setting the house up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossborder.cli import common
from crossborder.cli.words import both, t

if TYPE_CHECKING:
    from crossborder.engine import Examined
    from crossborder.settings import Loaded

File = Annotated[
    Path, typer.Argument(metavar="FILE", help=both("合作方的文件", "a partner's file"))
]


def init(
    path: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help=both("写到哪里（默认：主文件夹）", "where to (default: the home folder)"))] = None,
    force: Annotated[bool, typer.Option("--force", help=both("覆盖已有文件", "replace an existing file"))] = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
) -> int:  # fmt: skip
    """Write a settings file in which every key stands with its meaning and default."""
    from crossborder import settings
    from crossborder.engine import write_settings_template

    file = path or settings.home_folder() / "crossborder.toml"
    write_settings_template(file, force=force, lang=common.lang())
    if as_json:
        common.answer({"format": 1, "file": str(file)})
    else:
        common.line(t(f"已写入 {file}", f"written: {file}"))
        common.line(t("下一步：填写企业档案和口岸地址，再运行 crossborder doctor", "Next: fill in profile and endpoint addresses, then run crossborder doctor"))  # fmt: skip
    return 0


def doctor(
    connect: Annotated[bool, typer.Option("--connect", help=both("同时试连各口岸", "also try each endpoint's address"))] = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Show every effective value with its origin, and try folders, ledger and clock."""
    from crossborder.engine import examine

    loaded = common.load_settings(config)
    found = examine(loaded, connect=connect)
    if as_json:
        rows = [{"key": key, "value": value, "origin": origin} for key, value, origin in loaded.rows()]  # fmt: skip
        common.answer({"format": 1, "settings": rows, "checks": [c.as_json() for c in found]})
    else:
        _show(loaded, found)
    return 1 if any(not c.good for c in found) else 0


def _show(loaded: Loaded, found: Sequence[Examined]) -> None:
    from crossborder.reports import plain_table

    heads = (t("设置项", "key"), t("值", "value"), t("来源", "origin"))
    rows = [(key, value, _origin(origin)) for key, value, origin in loaded.rows()]
    common.out().print(plain_table(heads, rows, title=t("生效设置", "effective settings")))
    common.line()
    for one in found:
        common.line(f"{'✓' if one.good else '✗'} {t(one.zh, one.en)}", style=None if one.good else "bold red")  # fmt: skip


def _origin(origin: str) -> str:
    kind, _, name = origin.partition(" ")
    words = {"default": t("默认", "default"), "file": t("文件", "file"), "environment": t("环境变量", "environment")}  # fmt: skip
    return f"{words.get(kind, kind)} {name}".strip()


def mapping_draft(
    file: File,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help=both("写入此文件（默认：标准输出）", "write it here (default: standard output)"))] = None,
    as_json: common.Json = False,
    lang: common.Lang = "",
) -> int:  # fmt: skip
    """Draft a partner mapping from a file's header: likely columns matched, the rest left as comments."""
    from crossborder import intake
    from crossborder.cli.files import write_text

    text = intake.draft(file)
    if out:
        write_text(out, text)
    if as_json:
        common.answer({"format": 1, "file": str(out) if out else None, "mapping": text})
    elif out:
        common.line(
            t(f"已写入 {out}；请逐行核对后使用 --mapping {out}", f"written to {out}; look it over, then use --mapping {out}")
        )  # fmt: skip
    else:
        common.line(text.rstrip("\n"))
    return 0


def mapping_test(
    file: File,
    mapping: common.MappingName = "",
    rows: Annotated[int, typer.Option("--rows", metavar="N", min=1, help=both("显示几行", "how many rows"))] = 3,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Show how the first rows of a file will be read: canonical column, source column, value."""
    from crossborder import intake
    from crossborder.wide import padded

    loaded = common.load_settings(config)
    shown = intake.explain_rows(file, mapping or None, rows, folders=[loaded.home / "mappings"])
    if as_json:
        keys = ("column", "header", "value")
        answered = [[dict(zip(keys, cell, strict=True)) for cell in row] for row in shown]
        common.answer({"format": 1, "rows": answered})
        return 0
    for number, row in enumerate(shown, 1):
        common.line(t(f"第 {number} 行", f"row {number}"), style="bold")
        for column, header, value in row:
            if value is not None:
                common.line(f"  {column:<36} ← {padded(header, 24)}  {value}")
    return 0
