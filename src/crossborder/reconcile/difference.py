"""One thing that does not agree."""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """`what` is a stable name; `where` the batch, key, receipt or message; then what is wrong, in words."""

    what: str
    where: str
    detail: str
    detail_zh: str
