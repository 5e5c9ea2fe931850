"""Settings: found where the docs say, each key also from the environment, unknown keys refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossborder import settings
from crossborder.errors import NotFound, SettingsError


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CROSSBORDER_CONFIG", "CROSSBORDER_LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CROSSBORDER_HOME", str(tmp_path / "home"))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_have_both_endpoints_and_no_address() -> None:
    loaded = settings.load()
    assert {n: e.districts for n, e in loaded.settings.endpoints.items()} == {
        "hangzhou": ("29",),
        "ningbo": ("31",),
    }
    assert not any(e.address for e in loaded.settings.endpoints.values())


def test_config_option_wins_over_variable_and_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "home" / "crossborder.toml", 'day_starts = "01:00"')
    assert settings.load().settings.day_starts == "01:00"
    monkeypatch.setenv(
        "CROSSBORDER_CONFIG", str(write(tmp_path / "env.toml", 'day_starts = "02:00"'))
    )
    assert settings.load().settings.day_starts == "02:00"
    named = write(tmp_path / "named.toml", 'day_starts = "03:00"')
    assert settings.load(named).settings.day_starts == "03:00"


def test_the_current_folder_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "crossborder.toml", 'day_starts = "09:00"')
    monkeypatch.chdir(tmp_path)
    assert settings.load().settings.day_starts == "00:00"


def test_environment_wins_and_is_named_as_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(
        tmp_path / "c.toml", '[endpoints.hangzhou]\ndistricts = ["29"]\naddress = "from-file"\n'
    )
    monkeypatch.setenv("CROSSBORDER_ENDPOINTS__HANGZHOU__ADDRESS", "from-env")
    loaded = settings.load(file)
    assert loaded.settings.endpoints["hangzhou"].address == "from-env"
    origins = {key: origin for key, _, origin in loaded.rows()}
    assert (
        origins["endpoints.hangzhou.address"]
        == "environment CROSSBORDER_ENDPOINTS__HANGZHOU__ADDRESS"
    )
    assert origins["endpoints.hangzhou.districts"] == "file c.toml"
    assert origins["day_starts"] == "default"


@pytest.mark.parametrize(
    ("text", "wrong", "near"),
    [
        ('day_start = "06:00"', "day_start", "day_starts"),
        (
            '[endpoints.hangzhou]\nadress = "x"',
            "endpoints.hangzhou.adress",
            "endpoints.hangzhou.address",
        ),
        ("[service]\nportt = 1", "service.portt", "service.port"),
    ],
)
def test_unknown_key_names_the_nearest(tmp_path: Path, text: str, wrong: str, near: str) -> None:
    with pytest.raises(SettingsError) as raised:
        settings.load(write(tmp_path / "c.toml", text))
    assert f"unknown key {wrong}" in str(raised.value)
    assert raised.value.fix_en == f"nearest: {near}"


def test_unknown_variable_names_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSBORDER_DAY_START", "06:00")
    with pytest.raises(SettingsError, match="day_starts"):
        settings.load()


def test_literal_secret_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="literal secret"):
        settings.load(write(tmp_path / "c.toml", '[endpoints.hangzhou]\ntoken = "hunter2"'))


def test_secrets_from_environment_file_and_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "a")
    held = write(tmp_path / "token", "b\n")
    assert settings.Secret(env="MY_TOKEN").reveal() == "a"
    assert settings.Secret(file=held).reveal() == "b"
    assert settings.Secret(command=["echo", "c"]).reveal() == "c"
    with pytest.raises(SettingsError, match="cannot be read"):
        settings.Secret(env="NOT_SET_ANYWHERE").reveal()


def test_a_secret_is_not_among_the_shown_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "very-secret")
    file = write(tmp_path / "c.toml", '[endpoints.hangzhou]\ntoken = {env = "MY_TOKEN"}')
    shown = " ".join(" ".join(row) for row in settings.load(file).rows())
    assert "MY_TOKEN" in shown
    assert "very-secret" not in shown


def test_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(NotFound, match="did you mean 'demo'"):
        settings.find_profile(settings.Settings(), "demoo")


def test_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        settings.load(tmp_path / "nowhere.toml")


def test_broken_toml_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        settings.load(write(tmp_path / "c.toml", "day_starts = "))


@pytest.mark.parametrize(
    ("section", "address"),
    [
        ('url = "postgresql://wang@db/book"', "postgresql://wang@db/book"),
        ('url = "postgresql://wang@db/book"\npassword = {env = "PW"}', "postgresql://wang:p%40ss%2Fword@db/book"),
        ('url = {env = "DB"}', "postgresql://wang:other@db/book"),
        ('url = {env = "DB"}\npassword = {env = "PW"}', "postgresql://wang:p%40ss%2Fword@db/book"),
        ('password = {env = "PW"}', None),
        ("block = 7", None),
    ],
)  # fmt: skip
def test_the_ledgers_address_is_made_of_url_and_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: str, address: str | None
) -> None:
    monkeypatch.setenv("PW", "p@ss/word")
    monkeypatch.setenv("DB", "postgresql://wang:other@db/book")
    loaded = settings.load(write(tmp_path / "c.toml", f"[ledger]\n{section}"))
    assert loaded.settings.ledger.address() == address
    shown = "\n".join(map(str, loaded.rows()))
    assert "p@ss" not in shown
    assert "other" not in shown


@pytest.mark.parametrize(
    "url", ["postgresql://wang:hunter2@db/book", "postgresql://db/book?user=wang&password=hunter2"]
)
def test_a_password_in_the_ledgers_address_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with pytest.raises(SettingsError, match="literal secret") as told:
        settings.load(write(tmp_path / "c.toml", f'[ledger]\nurl = "{url}"'))
    assert "hunter2" not in told.value.text("en") + told.value.text("zh")
    monkeypatch.setenv("CROSSBORDER_LEDGER__URL", url)
    with pytest.raises(SettingsError, match="literal secret"):
        settings.load(home=tmp_path)


def test_a_password_needs_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "x")
    file = write(
        tmp_path / "c.toml", '[ledger]\nurl = "postgresql://db/book"\npassword = {env = "PW"}'
    )
    with pytest.raises(SettingsError, match="without a user"):
        settings.load(file).settings.ledger.address()
