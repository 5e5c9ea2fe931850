"""Setting the house up: the commented settings file, and the examination behind `doctor`."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from crossborder import settings
from crossborder.engine import profiles
from crossborder.errors import CrossborderError, SettingsError
from crossborder.ledger import KeyRing, Ledger, RingState
from crossborder.settings import Endpoint, Loaded, Settings
from crossborder.transport import close_transport, open_transport, probe, say


@dataclass(frozen=True)
class Examined:
    """One thing that was tried: whether it is good, and what was found, in both languages."""

    good: bool
    zh: str
    en: str

    def as_json(self) -> dict[str, Any]:
        """As `doctor --json` shows it."""
        return asdict(self)


def settings_template(lang: str = "en") -> str:
    """Every key with its default, commented; the two endpoints as they would stand."""
    zh = lang == "zh"
    head = (
        "# crossborder 设置。每个键也可用环境变量给出：endpoints.hangzhou.address 即 "
        "CROSSBORDER_ENDPOINTS__HANGZHOU__ADDRESS。\n# 密钥只写来源：{env=…}、{file=…} 或 {command=[…]}。\n"
        "# 本软件不附带任何正式口岸地址；与海关无隶属关系。\n"
        if zh
        else "# Settings of crossborder. Each key is also an environment variable: endpoints.hangzhou.address is\n"
        "# CROSSBORDER_ENDPOINTS__HANGZHOU__ADDRESS. Secrets name their source only: {env=…}, {file=…}, {command=[…]}.\n"
        "# No address of a live port ships with this software, and it is not affiliated with customs.\n"
    )
    parts = [head, *_keys(Settings, skip={"profiles", "operators", "endpoints"})]
    parts.append(
        '\n# [profiles.ourfirm]\n# sender_id = "DXPENT…"\n# [profiles.ourfirm.values]\n# declarant_code = ""\n'
    )
    parts.append(
        '\n# [operators.wang]\n# [operators.wang.values]\n# input_person = ""\n# declarant_person = ""\n'
    )
    for name, endpoint in Settings().endpoints.items():
        parts.append(f"\n[endpoints.{name}]\n")
        given = endpoint.model_dump(exclude_unset=True)
        parts += [f"{key} = {_toml(value)}\n" for key, value in given.items()]
        parts += list(_keys(Endpoint, skip=set(given)))
    return "".join(parts)


def _keys(model: type[BaseModel], skip: set[str], prefix: str = "") -> Iterator[str]:
    """`# key = default  # meaning` lines; sections below as `[section]` with their keys commented."""
    sections: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if name in skip:
            continue
        if isinstance(default, BaseModel):
            sections.append((name, type(default)))
        else:
            said = f"  # {field.description}" if field.description else ""
            yield f"# {name} = {_toml(default)}{said}\n"
    for name, section in sections:
        yield f"\n[{prefix}{name}]\n"
        yield from _keys(section, set(), f"{prefix}{name}.")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return (
        '"'
        + str(value if value is not None else "").replace("\\", "\\\\").replace('"', '\\"')
        + '"'
    )


def write_settings_template(file: Path, *, force: bool = False, lang: str = "en") -> None:
    """Write the commented settings file. Raises `SettingsError` if it exists and `force` is false."""
    if file.exists() and not force:
        raise SettingsError(
            "the file exists already", "文件已存在", place=str(file),
            fix_en="--force replaces it, --out writes elsewhere", fix_zh="--force 覆盖，--out 另存",
        )  # fmt: skip
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(settings_template(lang), encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"cannot be written ({error.strerror})",
            f"无法写入（{error.strerror}）",
            place=str(file),
        ) from error


def examine(loaded: Loaded, *, connect: bool = False) -> list[Examined]:
    """Try home folder, disk, clock, profiles, ledger and (asked) every endpoint's address."""
    found = [_home(loaded.home), _disk(loaded.home), _clock(), *_profiles(loaded)]
    found += _ledger(loaded)
    for name, endpoint in loaded.settings.endpoints.items():
        found.append(_endpoint(name, endpoint, loaded.home, connect=connect))
    return found


def _home(home: Path) -> Examined:
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            return Examined(True, f"主文件夹可写：{home}", f"home folder can be written: {home}")
    except OSError as error:
        return Examined(
            False,
            f"主文件夹不可写：{home}（{error.strerror}）",
            f"home folder cannot be written: {home} ({error.strerror})",
        )


def _disk(home: Path) -> Examined:
    try:
        free = shutil.disk_usage(home if home.exists() else home.anchor).free // 2**30
    except OSError as error:
        return Examined(
            False, f"无法查询磁盘（{error.strerror}）", f"disk cannot be asked ({error.strerror})"
        )
    return Examined(free >= 1, f"磁盘剩余 {free} GiB", f"{free} GiB free on disk")


def _clock() -> Examined:
    year = time.gmtime().tm_year
    return Examined(year >= 2024, f"系统时钟：{year} 年", f"system clock says {year}")


def _profiles(loaded: Loaded) -> Iterator[Examined]:
    for name in sorted({*loaded.settings.profiles, loaded.settings.profile} - {""}):
        try:
            profiles.refuse_wrong(settings.find_profile(loaded.settings, name))
            yield Examined(True, f"企业档案 {name} 可用", f"profile {name} is usable")
        except CrossborderError as error:
            yield Examined(
                False, f"企业档案 {name}：{error.text('zh')}", f"profile {name}: {error.text('en')}"
            )


def _ledger(loaded: Loaded) -> Iterator[Examined]:
    at = loaded.settings.ledger
    try:
        ring = KeyRing.of(at, loaded.home)
        with Ledger.open(loaded.home, url=at.address(), ring=ring) as ledger:
            where, state = ledger.place, ledger.ring()
    except CrossborderError as error:
        yield Examined(False, f"台账：{error.text('zh')}", f"ledger: {error.text('en')}")
        return
    yield Examined(True, f"台账可用（{where}）", f"the ledger opens and is up to date ({where})")
    yield from _encrypted(state)


def _encrypted(state: RingState) -> Iterator[Examined]:
    """How personal data rests."""
    if not state.sealing:
        yield Examined(
            False, "加密已关闭：个人信息以明文保存（ledger.encryption）",
            "encryption is off: personal data rests in the clear (ledger.encryption)",
        )  # fmt: skip
        return
    if not state.file:
        yield Examined(
            True, f"台账已加密，当前密钥 {state.current}", f"the ledger is encrypted, current key {state.current}"
        )  # fmt: skip
    else:
        yield Examined(
            True,
            f"台账已加密，但密钥与数据同在一处（{state.file}）：只保护不含密钥的备份，并使销毁成为可能；请在 ledger.keys 中另行指定",
            f"the ledger is encrypted, but its key lies beside it ({state.file}): that protects copies without the key and "
            "makes erasing possible, no more; name keys kept elsewhere in ledger.keys",
        )
        if os.name == "posix" and Path(state.file).stat().st_mode & 0o077:
            yield Examined(
                False, f"密钥文件他人可读：{state.file}（请 chmod 600）",
                f"others may read the key file: {state.file} (chmod 600)",
            )  # fmt: skip
    if state.wanted != state.current:
        yield Examined(
            False, f"密钥 {state.wanted} 尚未启用：请运行 crossborder keys rotate",
            f"the key {state.wanted} is not in use yet: run crossborder keys rotate",
        )  # fmt: skip
    if state.plain:
        yield Examined(
            True, f"{state.plain} 个批次在加密启用前录入，仍为明文",
            f"{state.plain} batches were recorded before encryption and rest in the clear",
        )  # fmt: skip


def _endpoint(name: str, endpoint: Endpoint, home: Path, *, connect: bool) -> Examined:
    if not endpoint.address:
        return Examined(
            True, f"口岸 {name}：未设地址（不能申报）", f"endpoint {name}: no address set (nothing can be filed)"
        )  # fmt: skip
    folders = [home / "dialects"]
    try:
        close_transport(open_transport(endpoint, name, folders))
        trouble = probe(endpoint, name, folders) if connect else ""
    except CrossborderError as error:
        return Examined(
            False, f"口岸 {name}：{error.text('zh')}", f"endpoint {name}: {error.text('en')}"
        )
    if trouble:
        return Examined(
            False, f"口岸 {name}：{say(trouble, 'zh')}", f"endpoint {name}: {say(trouble)}"
        )
    if connect:
        return Examined(True, f"口岸 {name}：有应答", f"endpoint {name}: it answers")
    return Examined(True, f"口岸 {name}：设置有效", f"endpoint {name}: settings hold together")
