"""Logs: one structlog chain whose first link masks personal data.

This room knows no columns. Until the engine has handed over the names of personal columns (`know_personal`)
every value is masked; afterwards values under those names are, and identity numbers and telephones inside any
text always are. Logs go to stderr; standard output carries only answers.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, cast

import structlog

MASK = "***"
_OPEN = frozenset({"event", "level", "timestamp", "room"})
_INSIDE = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9]{17}[0-9Xx]|[0-9]{15}|1[3-9][0-9]{9})(?![0-9A-Za-z])"
)
_personal: frozenset[str] | None = None


def know_personal(names: Iterable[str]) -> None:
    """Hand over the names of columns that hold personal data."""
    global _personal
    _personal = frozenset(names)


def mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """First link of the chain: nothing personal passes."""
    for key, value in list(event.items()):
        if key in _OPEN:
            event[key] = mask_text(value) if isinstance(value, str) and key == "event" else value
        elif _personal is None or key in _personal:
            event[key] = MASK
        else:
            event[key] = _masked(value)
    return event


def mask_text(text: str) -> str:
    """Identity numbers and mobile telephones inside a text, masked."""
    return _INSIDE.sub(MASK, text)


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        names = _personal or frozenset()
        return {k: MASK if k in names else _masked(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(v) for v in value]
    return value


def configure(*, verbose: bool = False, as_json: bool = False) -> None:
    """Set the chain up once, at the start of a command or the service."""
    last = structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else _plain
    structlog.configure(
        processors=[
            mask,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.WARNING
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _plain(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    time, level, said = event.pop("timestamp"), event.pop("level"), event.pop("event")
    rest = " ".join(f"{k}={v}" for k, v in event.items())
    return f"{time} {level:<7} {said} {rest}".rstrip()


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger; usable before `configure` (then structlog's own defaults apply, after masking is bound)."""
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger(room=name))
