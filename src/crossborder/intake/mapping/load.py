"""Finding and reading mapping files; every mistake in one is said with its nearest right key."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Table
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from crossborder import resources
from crossborder.errors import MappingError, NotFound
from crossborder.intake.mapping.model import Mapping, all_keys, column_of, date_pattern

_FOLDER = "mappings/partners"
_FACTOR = re.compile(r"[0-9]+(\.[0-9]+)?")


def mapping_names(folders: Sequence[Path] = ()) -> list[str]:
    """Names of the built-in mappings and of those in `folders` (which win over a built-in of that name)."""
    own = {p.stem for folder in folders if folder.is_dir() for p in folder.glob("*.toml")}
    return sorted(own | set(resources.names(_FOLDER, ".toml")))


def load_mapping(name_or_path: str | Path, folders: Sequence[Path] = ()) -> Mapping:
    """A mapping by name or path. Raises `MappingError` naming file, key and the nearest right one."""
    text = str(name_or_path)
    looks_like_path = isinstance(name_or_path, Path) or text.endswith(".toml") or "/" in text
    if looks_like_path:
        return read_file(Path(name_or_path))
    for folder in folders:
        if (folder / f"{text}.toml").is_file():
            return read_file(folder / f"{text}.toml")
    known = mapping_names(folders)
    if text not in known:
        near = difflib.get_close_matches(text, known, 1)
        raise MappingError(
            f"there is no mapping {text!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            f"没有名为 {text!r} 的对照表" + (f"，是否应为 {near[0]!r}？" if near else ""),
            place="--mapping",
            fix_en=f"known mappings: {', '.join(known)}; or give the path of a .toml file",
            fix_zh=f"现有对照表：{'、'.join(known)}；也可指定 .toml 文件路径",
        )
    return _built_in(text)


@lru_cache(maxsize=32)
def _built_in(name: str) -> Mapping:
    return read_file(resources.path(f"{_FOLDER}/{name}.toml"))


def read_file(path: Path) -> Mapping:
    """A mapping from a TOML file. Raises `MappingError`."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise MappingError(
            "there is no such mapping file", "对照表文件不存在", place=str(path)
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingError(
            f"the mapping cannot be read: {error}", f"对照表无法读取：{error}", place=path.name,
            fix_en="mend the TOML at that place", fix_zh="请在该处更正 TOML 语法",
        ) from error  # fmt: skip
    return parse(data, path.name, path.stem)


def parse(data: Table[str, Any], place: str, name: str) -> Mapping:
    """A mapping from a parsed TOML table. Raises `MappingError`."""
    _refuse_unknown(Mapping, data, place, "")
    for section in ("columns", "constants"):
        part = data.get(section)
        _refuse_strangers(part if isinstance(part, dict) else {}, all_keys(), place, f"{section}.")
    try:
        mapping = Mapping.model_validate({**data, "name": name})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise _mistake(f"{key}: {first['msg']}", f"{key}：{first['msg']}", place) from error
    _check(mapping, place)
    return mapping


def _check(mapping: Mapping, place: str) -> None:
    """What the types cannot say: word tables that exist, factors, date forms."""
    for key, rule in mapping.columns.items():
        column = column_of(key)
        if rule.words and rule.words not in mapping.words:
            _refuse_strangers([rule.words], list(mapping.words), place, f"columns.{key}.words = ")
        if rule.factor and (column is None or column.kind not in ("decimal", "integer")):
            raise _mistake(
                f"columns.{key}: a factor needs a number column",
                f"columns.{key}：只有数值列才能换算单位",
                place,
            )
        if rule.factor and not _FACTOR.fullmatch(rule.factor):
            raise _mistake(
                f"columns.{key}: not a decimal: {rule.factor!r}",
                f"columns.{key}：不是十进制数：{rule.factor!r}",
                place,
            )
        for form in rule.dates:
            try:
                date_pattern(form)
            except ValueError as error:
                raise _mistake(
                    f"columns.{key}: {error}",
                    f"columns.{key}：日期格式须含 yyyy、M、d 各一次：{form!r}",
                    place,
                ) from error
    for name, words in mapping.words.items():
        if words.table:
            _check_table(name, words.table, [words.code, *words.source, *words.where], place)


def _check_table(name: str, table: str, columns: Iterable[str], place: str) -> None:
    try:
        path = resources.path(f"codes/{table}.csv")
    except NotFound as error:
        raise _mistake(
            f"words.{name}: no code table {table!r}", f"words.{name}：没有代码表 {table!r}", place
        ) from error
    with path.open(encoding="utf-8") as file:
        header = file.readline().strip().split(",")
    _refuse_strangers(columns, header, place, f"words.{name}: column ")


def _refuse_unknown(model: type[BaseModel], data: object, place: str, path: str) -> None:
    """Refuse keys a section does not have, at every depth."""
    if not isinstance(data, dict):
        return
    fields = {f.alias or n: f for n, f in model.model_fields.items() if path or n != "name"}
    _refuse_strangers(data, list(fields), place, path)
    for key, value in data.items():
        annotation = fields[key].annotation
        section = _as_model(annotation)
        if section is not None:
            _refuse_unknown(section, value, place, f"{path}{key}.")
            continue
        named = next((m for a in get_args(annotation) if (m := _as_model(a)) is not None), None)
        if named is not None and isinstance(value, dict):
            for name, part in value.items():
                _refuse_unknown(named, part, place, f"{path}{key}.{name}.")


def _as_model(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None


def _refuse_strangers(keys: Iterable[str], known: Sequence[str], place: str, path: str) -> None:
    for key in keys:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1, 0.4)
            nearest = near[0] if near else ", ".join(known)
            raise MappingError(
                f"unknown key {path}{key}", f"未知的键 {path}{key}", place=place,
                fix_en=f"nearest: {nearest}", fix_zh=f"最接近的是：{nearest}",
            )  # fmt: skip


def _mistake(en: str, zh: str, place: str) -> MappingError:
    return MappingError(
        en, zh, place=place,
        fix_en="mend the mapping; `crossborder mapping test FILE` shows how rows are read",
        fix_zh="请更正对照表；crossborder mapping test FILE 可查看读取结果",
    )  # fmt: skip
