"""Open the transport that an endpoint's settings name."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossborder.errors import TransportError
from crossborder.settings import Endpoint
from crossborder.transport.closing import close_transport
from crossborder.transport.dialect import load_dialect
from crossborder.transport.folder import FolderTransport
from crossborder.transport.http import HttpTransport
from crossborder.transport.late import LateTransport
from crossborder.transport.port import Transport


def open_transport(endpoint: Endpoint, name: str, folders: Sequence[Path] = ()) -> Transport:
    """A transport of its own for one thread: `http`, `folder`, or a class named as `module:Class`.

    `name` is the endpoint's name in the settings; `folders` may hold gateway dialects of the firm's own.
    Raises `TransportError` naming the settings key, `SettingsError` when the token cannot be read.
    """
    if endpoint.transport == "http":
        return HttpTransport(endpoint, name, load_dialect(endpoint.dialect, folders))
    if endpoint.transport == "folder":
        return FolderTransport(endpoint, name)
    if ":" in endpoint.transport:
        return _plug_in(endpoint, name)
    raise TransportError(
        f"no transport {endpoint.transport!r}", f"没有名为 {endpoint.transport!r} 的通道",
        place=f"endpoints.{name}.transport",
        fix_en="write http, folder, or module:Class", fix_zh="请写 http、folder 或 module:Class",
    )  # fmt: skip


def open_late(endpoint: Endpoint, name: str, folders: Sequence[Path] = ()) -> Transport:
    """As `open_transport`, but what cannot be opened is a trouble of this endpoint, and is tried again."""
    return LateTransport(lambda: open_transport(endpoint, name, folders))


def probe(endpoint: Endpoint, name: str, folders: Sequence[Path] = ()) -> str:
    """Try an endpoint without sending anything: an empty text if it answers, else why not, as `say` takes it.

    Asks for a message that nobody has filed. Raises as `open_transport`.
    """
    transport = open_transport(endpoint, name, folders)
    try:
        if not transport.can_look_up:
            return ""
        said = transport.look_up("PROBE", "PROBE", "0" * 64)
        return said.detail if said.outcome == "unknown" else ""
    except Exception as error:
        return f"transport_failed: {type(error).__name__}"
    finally:
        close_transport(transport)


def _plug_in(endpoint: Endpoint, name: str) -> Transport:
    module, _, attribute = endpoint.transport.partition(":")
    place = f"endpoints.{name}.transport"
    try:
        made: Any = getattr(importlib.import_module(module), attribute)(endpoint, name)
    except TransportError:
        raise
    except Exception as error:
        raise TransportError(
            f"{endpoint.transport} cannot be opened: {type(error).__name__}: {error}",
            f"{endpoint.transport} 无法打开：{type(error).__name__}：{error}", place=place,
            fix_en="the class is called with the endpoint's settings and its name",
            fix_zh="该类以端点设置和端点名称为参数创建",
        ) from error  # fmt: skip
    missing = [m for m in ("submit", "look_up", "receipts") if not callable(getattr(made, m, None))]
    missing += [a for a in ("can_look_up", "trouble") if not hasattr(made, a)]
    if missing:
        raise TransportError(
            f"{endpoint.transport} is no transport: it lacks {', '.join(missing)}",
            f"{endpoint.transport} 不是通道：缺少 {'、'.join(missing)}", place=place,
            fix_en="see crossborder.testing.transport_contract", fix_zh="参见 crossborder.testing.transport_contract",
        )  # fmt: skip
    transport: Transport = made
    return transport
