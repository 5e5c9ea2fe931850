"""All commands under one name. Each is a thin function; what it needs it imports when it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import typer

from crossborder.cli import check, desk, filing, looking, lookup, play, serving
from crossborder.cli.words import LANG, asked_in, t
from crossborder.errors import CrossborderError

_ABOUT = t(
    "跨境快件申报引擎：预报清单 → 校验 → 制单 → 申报 → 收回执 → 对账。"
    "一天六条命令：check、prepare、submit、receive、reconcile、report。退出码：0 一切正常；1 有事要处理；2 未能执行、未作改动。",
    "Express declarations for the single window: file → check → prepare → submit → receive → reconcile → report. "
    "Exit 0: all good; 1: something needs attention; 2: could not run, nothing changed.",
)

app = typer.Typer(
    help=_ABOUT,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
mapping_app = typer.Typer(
    help=t("对照表：起草、试读", "partner mappings: draft one, see how rows are read"),
    no_args_is_help=True,
    rich_markup_mode=None,
)
keys_app = typer.Typer(
    help=t("合作方密钥", "keys of partners"), no_args_is_help=True, rich_markup_mode=None
)
codes_app = typer.Typer(
    help=t("查代码、导入代码表与汇率", "look up codes; import tables and exchange rates"),
    no_args_is_help=True,
    rich_markup_mode=None,
)

_COMMANDS: tuple[tuple[str, Callable[..., Any], str], ...] = (
    ("demo", play.demo, t("演示：离线跑完整流程", "the whole flow against the sandbox, offline")),
    ("init", desk.init, t("初始化：写出带说明的设置文件", "write the commented settings file")),
    ("doctor", desk.doctor, t("自检：设置、文件夹、台账、时钟", "show every effective value and try what they name")),
    ("check", check.check, t("校验：只看问题，不存不发", "check a file: findings only, nothing stored")),
    ("prepare", filing.prepare, t("制单：校验、组报、入账，不发送", "check, compose, record the batch; nothing leaves the house")),
    ("submit", filing.submit, t("申报：发送已制单的批次", "file what is prepared")),
    ("receive", filing.receive, t("收回执：取回或导入回执", "fetch or import receipts")),
    ("reconcile", filing.reconcile, t("对账：证明每票每行去向唯一", "prove that every parcel is in exactly one place")),
    ("status", looking.status, t("查询：去向、时间线、报文原文", "where things stand")),
    ("batches", looking.batches, t("批次：列出批次", "the batches of a day")),
    ("report", looking.report, t("日报：HTML、XLSX、JSON", "the day as HTML, XLSX, JSON")),
    ("resolve", filing.resolve, t("处置：人工认定去向不明的报关单", "decide an unknown, with a reason")),
    ("explain", lookup.explain, t("查规则：法源、日期、例子", "a rule: law, dates, certainty, examples")),
    ("schema", lookup.schema, t("查报文：元素、长度、填制条件", "a message: elements, lengths, filling conditions")),
    ("sample", play.sample, t("样例：生成一天的预报清单", "compose a sample file")),
    ("sandbox", play.sandbox, t("模拟口岸", "run the simulated port")),
    ("serve", serving.serve, t("服务：合作方 HTTP 接口", "the HTTP service for partners")),
)  # fmt: skip

for _name, _function, _help in _COMMANDS:
    app.command(_name, help=_help + ("\n\n" + (_function.__doc__ or "") if LANG == "en" else ""))(
        _function
    )
mapping_app.command("draft", help=t("由表头起草对照表", "draft a mapping from a file's header"))(
    desk.mapping_draft
)
mapping_app.command(
    "test", help=t("显示各行将如何读入", "show how the rows of a file will be read")
)(desk.mapping_test)
app.add_typer(mapping_app, name="mapping")
codes_app.command("find", help=t("按代码或名称查找", "search a table by code or name"))(
    lookup.codes_find
)
codes_app.command(
    "import", help=t("导入代码表或汇率", "replace a table, or import exchange rates")
)(lookup.codes_import)
codes_app.command("list", help=t("有哪些代码表", "which tables there are"))(lookup.codes_list)
app.add_typer(codes_app, name="codes")
keys_app.command("add", help=t("新增密钥（只显示一次）", "make a key; it is shown once"))(
    serving.keys_add
)
keys_app.command("list", help=t("列出密钥名称", "names of keys"))(serving.keys_list)
keys_app.command("revoke", help=t("吊销密钥", "revoke a key"))(serving.keys_revoke)
app.add_typer(keys_app, name="keys")


def run(args: list[str]) -> int:
    """Run a command line; every clear error is one message in the person's language and exit code 2."""
    lang = asked_in(args) or LANG
    try:
        done = app(args, standalone_mode=False)
    except CrossborderError as error:
        sys.stderr.write(error.text(lang) + "\n")
        return 2
    except (typer.Abort, KeyboardInterrupt):
        sys.stderr.write(t("已中断。\n", "Interrupted.\n"))
        return 2
    except _usage_errors() as error:
        sys.stderr.write(f"{error.format_message()}\n")
        return 2
    except BrokenPipeError:
        return 0
    return done if isinstance(done, int) else 0


def _usage_errors() -> type[Any]:
    """The class of errors that typer's own parser raises."""
    import click

    return click.ClickException
