"""The one way to find packaged data: the same call in a checkout and in a wheel.

In a checkout `schemas/`, `mappings/` and `fixtures/demo/` stand beside `src/`; in a wheel they are
`crossborder/_data/`. No other module builds such a path. A path that leaves its folder is refused.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path, PurePosixPath

from crossborder.errors import MissingExtra, NotFound

_PACKAGE = Path(__file__).resolve().parent
_BESIDE_CODE = {"codes": _PACKAGE / "codes" / "tables", "rules": _PACKAGE / "rules" / "data"}
"""Data that stands in the folder of the room that owns it."""


@cache
def root() -> Path:
    """The folder that holds `schemas/`, `mappings/` and `fixtures/`."""
    packed = _PACKAGE / "_data"
    return packed if packed.is_dir() else _PACKAGE.parents[1]


def path(relative: str) -> Path:
    """A packaged file or folder, e.g. `schemas/xsd/express/EXP301.xsd` or `codes/countries.csv`.

    Raises `NotFound` if there is none, or if `relative` tries to leave the data folder.
    """
    parts = PurePosixPath(relative).parts
    if not parts or ".." in parts or PurePosixPath(relative).is_absolute():
        raise NotFound(f"not a packaged path: {relative!r}", f"不是内置数据路径：{relative!r}")
    base = _BESIDE_CODE.get(parts[0], root() / parts[0])
    found = base.joinpath(*parts[1:])
    if not found.exists():
        raise NotFound(f"packaged data is missing: {relative}", f"缺少内置数据：{relative}")
    return found


def text(relative: str) -> str:
    """The text of a packaged file (UTF-8)."""
    return path(relative).read_text(encoding="utf-8")


def names(folder: str, suffix: str) -> list[str]:
    """Names (without suffix) of the packaged files of one folder, sorted."""
    return sorted(p.name[: -len(suffix)] for p in path(folder).iterdir() if p.name.endswith(suffix))


def require(extra: str, package: str) -> None:
    """Raise `MissingExtra` (one line naming the command that installs it) unless `package` can be imported."""
    if importlib.util.find_spec(package) is None:
        raise MissingExtra(extra, package)
