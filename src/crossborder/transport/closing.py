"""Close a transport, whoever made it."""

from __future__ import annotations

import contextlib

from crossborder.transport.port import Transport


def close_transport(transport: Transport) -> None:
    """Close a transport, if it has a `close`; what goes wrong there concerns nobody any more."""
    close = getattr(transport, "close", None)
    if callable(close):
        with contextlib.suppress(Exception):
            close()
