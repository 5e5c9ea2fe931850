"""`init`, `doctor`, `mapping`: setting the house up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossborder.cli import common
from crossborder.cli.words import t

File = Annotated[Path, typer.Argument(metavar="FILE")]


def init(
    path: Annotated[Path | None, typer.Option("-o", "--out", help=t("写到哪里（默认：主文件夹）", "where to (default: the home folder)"))] = None,
    force: Annotated[bool, typer.Option("--force", help=t("覆盖已有文件", "replace an existing file"))] = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Write a settings file in which every key stands with its meaning and default."""
    from crossborder import settings
    from crossborder.engine import write_settings_template

    file = path or settings.home_folder() / "crossborder.toml"
    write_settings_template(file, force=force, lang=common.lang_of(lang))
    common.out().print(t(f"已写入 {file}", f"written: {file}"), soft_wrap=True)
    return 0


def doctor(
    connect: Annotated[bool, typer.Option("--connect", help=t("同时试连各口岸", "also try each endpoint's address"))] = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Show every effective value with its origin, and try folders, ledger and clock."""
    from crossborder.engine import examine

    loaded = common.load_settings(config)
    found = examine(loaded, connect=connect)
    if as_json:
        common.answer(
            {
                "format": 1,
                "settings": [list(r) for r in loaded.rows()],
                "checks": [c.as_json() for c in found],
            }
        )
    else:
        _show(loaded, found)
    return 1 if any(not c.good for c in found) else 0


def _show(loaded: object, found: list[object]) -> None:
    from rich.table import Table

    from crossborder.engine import Examined
    from crossborder.settings import Loaded

    assert isinstance(loaded, Loaded)
    table = Table(title=t("生效设置", "effective settings"))
    for head in (t("设置项", "key"), t("值", "value"), t("来源", "origin")):
        table.add_column(head, overflow="fold")
    for key, value, origin in loaded.rows():
        table.add_row(key, value, origin, style="dim" if origin == "default" else "")
    common.out().print(table)
    for one in found:
        assert isinstance(one, Examined)
        sign = "[green]✓[/]" if one.good else "[bold red]✗[/]"
        common.out().print(f"{sign} {t(one.zh, one.en)}")


def mapping_draft(
    file: File,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help=t("写入此文件", "write it here"))
    ] = None,
    lang: common.Lang = "",
) -> int:
    """Draft a partner mapping from a file's header: likely columns matched, the rest left as comments."""
    from crossborder import intake
    from crossborder.cli.files import write_text

    text = intake.draft(file)
    if out:
        write_text(out, text)
        common.out().print(
            t(
                f"已写入 {out}；请核对后使用 --mapping {out}",
                f"written to {out}; look it over, then use --mapping {out}",
            ),
            soft_wrap=True,
        )
    else:
        common.out().print(text, markup=False, soft_wrap=True)
    return 0


def mapping_test(
    file: File,
    mapping: common.MappingName = "",
    rows: Annotated[int, typer.Option("--rows", help=t("显示几行", "how many rows"))] = 3,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:
    """Show how the first rows of a file will be read: canonical column, source column, value."""
    from crossborder import intake

    loaded = common.load_settings(config)
    shown = intake.explain_rows(file, mapping or None, rows, folders=[loaded.home / "mappings"])
    if as_json:
        common.answer({"format": 1, "rows": shown})
        return 0
    for number, row in enumerate(shown, 1):
        common.out().print(f"[bold]{t('第', 'row ')}{number}{t('行', '')}[/]")
        for column, header, value in row:
            if value is not None:
                common.out().print(f"  {column:<36} ← {header:<24} {value}", markup=False)
    return 0
