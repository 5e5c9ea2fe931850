"""Typed settings: one `crossborder.toml`, each key also as environment variable.

Found by `--config`, else `CROSSBORDER_CONFIG`, else `crossborder.toml` in the home folder, never the current
folder. `endpoints.hangzhou.address` in the file is `CROSSBORDER_ENDPOINTS__HANGZHOU__ADDRESS` in the
environment, which wins. An unknown key stops the start and names the nearest one. Secrets are `{env=…}`,
`{file=…}` or `{command=[…]}`; a literal one stops the start.
"""

from __future__ import annotations

import difflib
import os
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from urllib.parse import parse_qs, quote, urlsplit

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from crossborder import resources
from crossborder.errors import NotFound, SettingsError

PREFIX = "CROSSBORDER_"
_RESERVED = {"CROSSBORDER_HOME", "CROSSBORDER_CONFIG"}


class Section(BaseModel):
    """A section of the settings file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Secret(Section):
    """Where a secret is found; it is read when it is needed and never shown."""

    env: str | None = None
    file: Path | None = None
    command: list[str] | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_literal(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError("a literal secret; write {env=…}, {file=…} or {command=[…]}")
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> Secret:
        if sum(x is not None for x in (self.env, self.file, self.command)) != 1:
            raise ValueError("a secret needs exactly one of env, file, command")
        return self

    def reveal(self) -> str:
        """The secret itself. Raises `SettingsError` if it cannot be had."""
        try:
            if self.env is not None:
                return os.environ[self.env]
            if self.file is not None:
                return self.file.read_text(encoding="utf-8").strip()
            done = subprocess.run(
                self.command or [], capture_output=True, text=True, timeout=30, check=True
            )
            return done.stdout.strip()
        except (KeyError, OSError, subprocess.SubprocessError) as error:
            raise SettingsError(
                f"a secret cannot be read ({type(error).__name__})",
                f"无法读取密钥（{type(error).__name__}）",
                place=str(self.env or self.file or (self.command or ["?"])[0]),
            ) from error


class Profile(Section):
    """The firm's own constants: what fills canonical columns that the shipment file leaves empty.

    `values` are for shipments columns, `values_by_class` win over them for one class, `goods_values` are for
    goods columns. `options` switch rules that are settings; `rules` set inferred rules (`EXP-13 = "note"`). A `demo` profile never files to a live endpoint,
    and only under it do fictional exchange rates count.
    """

    title_zh: str = ""
    title_en: str = ""
    demo: bool = False
    sender_id: str = Field("", description="exchange id of the enterprise, DXPENT… or DXPESW…")
    classes: tuple[str, ...] = ("A", "B", "C")
    values: dict[str, str] = {}
    values_by_class: dict[str, dict[str, str]] = {}
    goods_values: dict[str, str] = {}
    options: dict[str, str] = {}
    rules: dict[str, str] = Field(
        {}, description="inferred rules: RULE = off | note | hold | reject; see docs/rules.md"
    )


class Operator(Section):
    """A person's numbers; they change with the shift."""

    title: str = ""
    values: dict[str, str] = {}


class Endpoint(Section):
    """Where messages are left and receipts picked up. No live address ships with the project."""

    title_zh: str = ""
    title_en: str = ""
    kind: Literal["sandbox", "live"] = "sandbox"
    districts: tuple[str, ...] = Field(
        (), description="prefixes of DeclPort that this endpoint serves"
    )
    transport: str = Field("http", description="http, folder, or module:Class")
    address: str = Field("", description="URL of the gateway, or folder of the import client")
    dialect: str = Field(
        "http-gateway", description="how the gateway is spoken to (transport http)"
    )
    account: str = Field(
        "", description="sandbox only: URL where it says what it received; `reconcile` compares"
    )
    profile: str = Field(
        "", description="profile that must be used here; empty: any of the same kind"
    )
    form: Literal["written", "strict"] = Field(
        "written", description="spelling of namespaces: as senders write, or as the schema set says"
    )
    receiver_id: str = Field("E010000", description="receiver in the envelope: the electronic port")
    message_id_policy: Literal["unique"] = "unique"
    max_houses: int = Field(
        9999, ge=1, le=9999, description="house waybills on one manifest; BillNum has 4 characters"
    )
    manifest_first: bool = Field(True, description="a declaration waits for its house's NY")
    workers: int = Field(2, ge=1, le=64)
    lot: int = Field(20, ge=1, le=500, description="declarations claimed in one transaction")
    timeout_seconds: float = Field(30.0, gt=0)
    settle_seconds: float = Field(
        2.0,
        ge=0,
        description="how long an unknown rests before a look-up's 'not received' is believed",
    )
    retry_seconds: float = Field(5.0, gt=0)
    lease_seconds: float = Field(120.0, gt=0)
    answer_due_hours: float = Field(
        24.0, gt=0, description="an unanswered declaration is named after this"
    )
    poll_seconds: float = Field(2.0, gt=0)
    token: Secret | None = Field(None, description="sent as Authorization: Bearer (transport http)")


class LedgerSettings(Section):
    """Where the ledger lives: in a SQLite file in the home folder on a local disk, or on PostgreSQL."""

    url: str | Secret = Field(
        "",
        description="postgresql://USER@HOST/DATABASE (needs the extra `postgresql`), or where that address is found; "
        "empty: a SQLite file in the home folder",
    )
    password: Secret | None = Field(None, description="of the user that `url` names")
    block: int = Field(
        5000, ge=1, description="shipments committed at a time while a batch is recorded"
    )
    encryption: Literal["on", "off"] = Field(
        "on", description="whether documents, receipts and findings are encrypted where they rest"
    )
    keys: dict[str, Secret] = Field(
        {},
        description="key ring: name = where the key is found (32 bytes as hex or base64); none: a key file in the home folder",
    )
    key: str = Field(
        "", description="name of the key that wraps new data keys; empty: the only one in keys"
    )
    retention_days: int = Field(
        1096, ge=0, description="`erase` takes batches at rest for longer than this: three years"
    )

    @model_validator(mode="after")
    def _key_in_ring(self) -> LedgerSettings:
        if self.key and self.key not in self.keys:
            raise ValueError(f"ledger.key names {self.key!r}, which is not in ledger.keys")
        if len(self.keys) > 1 and not self.key:
            raise ValueError("ledger.keys has several keys: ledger.key must name the current one")
        return self

    @field_validator("url")
    @classmethod
    def _no_password(cls, value: str | Secret) -> str | Secret:
        if isinstance(value, str) and _password_in(value):
            raise ValueError(
                "a literal secret; leave the password out of url and write password = {env=…}"
            )
        return value

    def address(self) -> str | None:
        """The address with its password, None for the file in the home folder. Raises `SettingsError`.

        It must be shown to nobody.
        """
        url = self.url.reveal() if isinstance(self.url, Secret) else self.url
        if self.password is None or not url:
            return url or None
        scheme, mark, rest = url.partition("://")
        user, at, host = rest.rpartition("@")
        if not (mark and at and user):
            raise SettingsError(
                "a password without a user", "设有密码但没有用户名", place="[ledger] url",
                fix_en="url = \"postgresql://USER@HOST/DATABASE\"", fix_zh="请设 url = \"postgresql://用户@主机/数据库\"",
            )  # fmt: skip
        name = user.partition(":")[0]
        return f"{scheme}://{name}:{quote(self.password.reveal(), safe='')}@{host}"


def _password_in(url: str) -> bool:
    parts = urlsplit(url)
    asked = {name.lower() for name in parse_qs(parts.query)}
    return bool(parts.password) or bool(asked & {"password", "sslpassword"})


class ServiceSettings(Section):
    """The HTTP service for partners."""

    host: str = "127.0.0.1"
    port: int = Field(8750, ge=0, le=65535)
    max_body_bytes: int = Field(64 * 1024 * 1024, gt=0)
    max_shipments: int = Field(20_000, gt=0)
    profile: str = ""
    operator: str = ""


class IntakeSettings(Section):
    """Limits on what is read from outside."""

    max_bytes: int = Field(2 * 1024**3, gt=0)
    max_rows: int = Field(5_000_000, gt=0)
    max_cell_chars: int = Field(10_000, gt=0)


class RulesSettings(Section):
    """How rules are applied, whoever the partner is."""

    as_of: str = Field("", description="yyyy-mm-dd: overrides the date by which rules are chosen")


def _default_endpoints() -> dict[str, Endpoint]:
    return {
        "hangzhou": Endpoint(title_zh="杭州", title_en="Hangzhou", districts=("29",)),
        "ningbo": Endpoint(title_zh="宁波", title_en="Ningbo", districts=("31",)),
    }


class Settings(BaseSettings):
    """Every setting with its default; `load` reads file and environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    lang: Literal["", "zh", "en"] = Field("", description="zh or en; empty: the system's language")
    day_starts: str = Field("00:00", description="HH:MM, China time: when a working day begins")
    profile: str = Field("", description="profile used where none is named")
    operator: str = Field("", description="operator on shift where none is named")
    profiles: dict[str, Profile] = {}
    operators: dict[str, Operator] = {}
    endpoints: dict[str, Endpoint] = Field(default_factory=_default_endpoints)
    ledger: LedgerSettings = LedgerSettings()
    service: ServiceSettings = ServiceSettings()
    intake: IntakeSettings = IntakeSettings()
    rules: RulesSettings = RulesSettings()

    @field_validator("day_starts")
    @classmethod
    def _clock(cls, value: str) -> str:
        hours, _, minutes = value.partition(":")
        if not (hours.isdigit() and minutes.isdigit() and int(hours) < 24 and int(minutes) < 60):
            raise ValueError("HH:MM, for example 06:00")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is handed in is already merged (`load`): no source reads on its own."""
        return (init_settings,)


@dataclass(frozen=True)
class Loaded:
    """Settings together with where they came from."""

    settings: Settings
    home: Path
    file: Path | None
    origins: Mapping[str, str]

    def origin(self, key: str) -> str:
        """`file crossborder.toml`, `environment CROSSBORDER_…` or `default`."""
        return self.origins.get(key, "default")

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """(key, shown value, origin) of every effective value; secrets are shown as their source only."""
        for key, value in _leaves(self.settings.model_dump(mode="json", exclude_none=True)):
            yield key, str(value), self._nearest_origin(key)

    def _nearest_origin(self, key: str) -> str:
        while key:
            if key in self.origins:
                return self.origins[key]
            key = key.rpartition(".")[0]
        return "default"


def home_folder() -> Path:
    """`CROSSBORDER_HOME`, else the platform's folder for data of this user."""
    named = os.environ.get("CROSSBORDER_HOME")
    return Path(named).expanduser() if named else user_data_path("crossborder", appauthor=False)


def load(config: Path | None = None, home: Path | None = None) -> Loaded:
    """Read the settings. Raises `SettingsError` naming file, key and remedy."""
    home = home or home_folder()
    file = config or (
        Path(os.environ["CROSSBORDER_CONFIG"]) if "CROSSBORDER_CONFIG" in os.environ else None
    )
    if file is None and (home / "crossborder.toml").is_file():
        file = home / "crossborder.toml"
    from_file: dict[str, Any] = _read_toml(file) if file else {}
    _refuse_unknown(from_file, file.name if file else "")
    _refuse_unknown_environment()
    from_env = EnvSettingsSource(Settings)()
    if "endpoints" not in from_file:  # a variable for one endpoint does not remove the other
        shipped = {n: e.model_dump(exclude_unset=True) for n, e in _default_endpoints().items()}
        merged = _merge({**from_file, "endpoints": shipped}, from_env)
    else:
        merged = _merge(from_file, from_env)
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        raise _invalid(error, file) from error
    origins = {key: f"file {file.name}" for key, _ in _leaves(from_file)} if file else {}
    origins |= {
        key: f"environment {PREFIX}{key.upper().replace('.', '__')}" for key, _ in _leaves(from_env)
    }
    return Loaded(settings, home, file, origins)


def load_profile_file(path: Path) -> Profile:
    """A profile from a TOML file of its own (as `mappings/profiles/demo.toml`)."""
    data = _read_toml(path)
    _refuse_unknown_in(Profile, data, path.name, "")
    try:
        return Profile(**data)
    except ValidationError as error:
        raise _invalid(error, path) from error


def find_profile(settings: Settings, name: str) -> Profile:
    """The profile of that name: from the settings, else a built-in one. Raises `NotFound`."""
    if name in settings.profiles:
        return settings.profiles[name]
    built_in = resources.names("mappings/profiles", ".toml")
    if name in built_in:
        return load_profile_file(resources.path(f"mappings/profiles/{name}.toml"))
    known = [*settings.profiles, *built_in]
    near = difflib.get_close_matches(name, known, 1)
    raise NotFound(
        f"no profile {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
        f"没有名为 {name!r} 的企业档案" + (f"，是否应为 {near[0]!r}？" if near else ""),
        fix_en=f"known profiles: {', '.join(known)}",
        fix_zh=f"现有档案：{'、'.join(known)}",
    )


def find_operator(settings: Settings, name: str) -> Operator:
    """The operator of that name, or an empty one for an empty name. Raises `NotFound`."""
    if not name:
        return Operator()
    if name not in settings.operators:
        raise NotFound(f"no operator {name!r}", f"没有名为 {name!r} 的操作员")
    return settings.operators[name]


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        tomllib.loads(file.read_text(encoding="utf-8-sig"))
        return TomlConfigSettingsSource(Settings, toml_file=file).toml_data
    except FileNotFoundError as error:
        raise SettingsError(
            "the settings file does not exist", "设置文件不存在", place=str(file),
            fix_en="run `crossborder init`, or check --config", fix_zh="请运行 crossborder init，或检查 --config",
        ) from error  # fmt: skip
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"the settings file cannot be read: {error}",
            f"设置文件无法读取：{error}",
            place=str(file),
        ) from error


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(dict(old or {}), value) if both else value
    return merged


def _leaves(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _section_of(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """(model, is a table of named models) of a field's type."""
    if get_origin(annotation) is dict:
        inner = get_args(annotation)[1]
        return (
            (inner, True)
            if isinstance(inner, type) and issubclass(inner, BaseModel)
            else (None, True)
        )
    candidates = (annotation, *get_args(annotation))
    found = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
    return found, False


def _refuse_unknown(data: Mapping[str, Any], place: str) -> None:
    _refuse_unknown_in(Settings, data, place, "")


def _refuse_unknown_in(model: type[BaseModel], data: Any, place: str, path: str) -> None:
    if not isinstance(data, Mapping):
        return
    for key, value in data.items():
        if key not in model.model_fields:
            near = difflib.get_close_matches(str(key), model.model_fields, 1, 0.4)
            nearest = near[0] if near else ", ".join(model.model_fields)
            raise SettingsError(
                f"unknown key {path}{key}", f"未知设置项 {path}{key}", place=place,
                fix_en=f"nearest: {path}{nearest}", fix_zh=f"最接近的是：{path}{nearest}",
            )  # fmt: skip
        inner, named = _section_of(model.model_fields[key].annotation)
        if inner is None:
            continue
        parts = value.items() if named and isinstance(value, Mapping) else [("", value)]
        for name, part in parts:
            below = f"{path}{key}.{name}." if name else f"{path}{key}."
            _refuse_unknown_in(inner, part, place, below)


def _refuse_unknown_environment() -> None:
    for name in os.environ:
        if name.startswith(PREFIX) and name not in _RESERVED:
            path = name.removeprefix(PREFIX).lower().split("__")
            nested: Any = ""
            for part in reversed(path):
                nested = {part: nested}
            _refuse_unknown(nested, f"environment {name}")


def _invalid(error: ValidationError, file: Path | None) -> SettingsError:
    first = error.errors(include_input=False, include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    return SettingsError(
        f"{key}: {first['msg']}", f"{key}：{first['msg']}", place=str(file or "environment"),
        fix_en="see docs/configuration.md, or `crossborder doctor`", fix_zh="参见 docs/configuration.md，或运行 crossborder doctor",
    )  # fmt: skip
