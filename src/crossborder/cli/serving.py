"""`serve` and `keys`: the HTTP service for partners."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from crossborder.cli import common
from crossborder.cli.words import both, t

Name = Annotated[
    str, typer.Argument(metavar="NAME", help=both("合作方名称", "name of the partner"))
]


def serve(
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help=both("监听地址（默认取自设置）", "address to listen on (default: the settings')"))] = "",
    port: Annotated[int, typer.Option("--port", metavar="N", min=-1, max=65535, help=both("端口，0 为任选（默认取自设置）", "port; 0: any free one (default: the settings')"))] = -1,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Run the HTTP service with one filing worker and one receipt poller (extra `[server]`)."""
    from crossborder import resources

    resources.require("server", "fastapi")
    resources.require("server", "uvicorn")
    from crossborder.service import run_service

    loaded = common.load_settings(config)
    chosen = loaded.settings.service

    def ready(address: str) -> None:
        if as_json:
            common.answer({"format": 1, "ready": True, "address": address})
        else:
            common.line(
                t(
                    f"合作方接口已就绪：{address}（Ctrl-C 结束）",
                    f"ready for partners: {address} (Ctrl-C ends it)",
                )
            )
        sys.stdout.flush()

    run_service(
        loaded, host=host or chosen.host, port=chosen.port if port < 0 else port, ready=ready
    )
    return 0


def keys_add(
    name: Name, as_json: common.Json = False, lang: common.Lang = "", config: common.Config = None
) -> int:
    """Make a key for a partner. It is shown this once and stored only as a digest."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        key = engine.add_key(name)
    if as_json:
        common.answer({"format": 1, "name": name, "key": key})
    else:
        common.line(key)
        common.warn(
            t("此密钥只显示这一次，请立即保存。", "This key is shown only this once: keep it now.")
        )
    return 0


def keys_list(
    as_json: common.Json = False, lang: common.Lang = "", config: common.Config = None
) -> int:
    """Names of keys, when they were made, and whether they are revoked."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        keys = engine.keys()
    if as_json:
        common.answer({"format": 1, "keys": keys})
        return 0
    if not keys:
        common.line(t("还没有密钥。", "No keys yet."))
        return 0
    from crossborder.reports import plain_table

    heads = (t("合作方", "partner"), t("新增于", "made"), t("状态", "state"))
    rows = [
        (one["name"], one["created_at"][:16].replace("T", " "), t("已吊销", "revoked") if one["revoked_at"] else t("有效", "valid"))
        for one in keys
    ]  # fmt: skip
    common.out().print(plain_table(heads, rows))
    return 0


def keys_revoke(
    name: Name, as_json: common.Json = False, lang: common.Lang = "", config: common.Config = None
) -> int:
    """Revoke a partner's key at once."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        engine.revoke_key(name)
    if as_json:
        common.answer({"format": 1, "name": name, "revoked": True})
    else:
        common.line(t(f"{name}：已吊销", f"{name}: revoked"))
    return 0
