"""`serve` and `keys`: the HTTP service for partners."""

from __future__ import annotations

from typing import Annotated

import typer

from crossborder.cli import common
from crossborder.cli.words import t

Name = Annotated[str, typer.Argument(help=t("合作方名称", "name of the partner"))]


def serve(
    host: Annotated[str, typer.Option("--host", help=t("监听地址", "address to listen on"))] = "",
    port: Annotated[int, typer.Option("--port", help=t("端口", "port"))] = -1,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:
    """Run the HTTP service with one filing worker and one receipt poller (extra `[server]`)."""
    from crossborder import resources

    resources.require("server", "fastapi")
    resources.require("server", "uvicorn")
    from crossborder.service import run_service

    loaded = common.load_settings(config)
    run_service(loaded, host=host or loaded.settings.service.host,
                port=loaded.settings.service.port if port < 0 else port)  # fmt: skip
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
        common.out().print(key, markup=False, soft_wrap=True)
        common.warn(t("此密钥只显示这一次。", "This key is shown only this once."))
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
    for one in keys:
        state = t("已吊销", "revoked") if one["revoked_at"] else t("有效", "valid")
        common.out().print(f"{one['name']:<24} {one['created_at'][:19]}  {state}", markup=False)
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
    return 0
