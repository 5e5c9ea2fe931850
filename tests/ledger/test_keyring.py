"""The key ring: where keys are found, what happens without them, and how they are changed."""

from __future__ import annotations

import base64
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crossborder.errors import LedgerError, SettingsError
from crossborder.ledger import Ledger, database, lookup_hashes
from crossborder.ledger.keyring import FILE
from crossborder.settings import LedgerSettings, Secret

from .desk import NOW, declaration, hand_in, key
from .sealed import found_in, key_in, on_disk, opened, pieces, ring

A, B = "aa" * 32, "bb" * 32


def wrapped_in(home: Path) -> dict[str, bytes]:
    """Scope → the wrapped key, as it lies in the database."""
    with closing(sqlite3.connect(home / database.FILE)) as other:
        rows = other.execute("SELECT scope, wrapped FROM data_keys WHERE wrapped IS NOT NULL")
        return dict(rows.fetchall())


def readable(ledger: Ledger, *numbers: int) -> bool:
    return all(ledger.peek(ledger.known([key(n)])[0].ref) == declaration(n, n % 10).body for n in numbers)  # fmt: skip


def test_without_keys_in_the_settings_a_key_file_is_made_for_its_owner_alone(home: Path) -> None:
    with opened(home) as ledger:
        hand_in(ledger, 1)
        state = ledger.ring()
        assert (state.current, state.keys, state.file) == (
            "file-1",
            {"file-1": 1},
            str(home / FILE),
        )
    if os.name == "posix":
        assert (home / FILE).stat().st_mode & 0o777 == 0o600
    kept = (home / FILE).read_text(encoding="utf-8")
    with opened(home) as ledger:
        assert readable(ledger, 0)
    assert (home / FILE).read_text(encoding="utf-8") == kept


def test_no_key_stands_in_the_database(home: Path) -> None:
    with opened(home) as ledger:
        hand_in(ledger, 1)
        data_key = ledger._keys.reading(1)
        assert data_key.scope.startswith("batch|")
    own = bytes.fromhex((home / FILE).read_text(encoding="utf-8").split()[-1])
    assert found_in(home, own, own.hex()) == []
    assert len(wrapped_in(home)) == 1


@pytest.mark.parametrize("written", [A, base64.b64encode(bytes.fromhex(A)).decode(), f"{A}\n"])
def test_keys_of_the_settings_are_hexadecimal_or_base64(
    home: Path, tmp_path: Path, written: str
) -> None:
    with opened(home, keys=key_in(tmp_path, "main", written)) as ledger:
        hand_in(ledger, 1)
        assert ledger.ring().keys == {"main": 1}
    assert not (home / FILE).exists()
    with opened(home, keys=key_in(tmp_path, "main", A)) as ledger:
        assert readable(ledger, 0)


def test_a_key_comes_from_the_environment_or_a_command_too(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_KEY", A)
    with opened(home, keys={"main": Secret(env="LEDGER_KEY")}) as ledger:
        hand_in(ledger, 1)
    monkeypatch.delenv("LEDGER_KEY")
    with opened(home, keys={"main": Secret(command=["echo", A])}) as ledger:
        assert readable(ledger, 0)
    with pytest.raises(SettingsError, match="LEDGER_KEY"):
        opened(home, keys={"main": Secret(env="LEDGER_KEY")})


@pytest.mark.parametrize("written", ["", "secret", A[:-2], A + "00", "zz" * 32])
def test_what_is_no_key_is_refused_and_not_shown(home: Path, tmp_path: Path, written: str) -> None:
    with pytest.raises(SettingsError, match="no key") as refused:
        opened(home, keys=key_in(tmp_path, "main", written))
    assert not written or written not in str(refused.value)


def state_of(home: Path) -> dict[str, bytes]:
    return {n: d for n, d in on_disk(home) if not n.endswith(("-wal", "-shm", ".lock"))}


def test_a_missing_or_wrong_key_stops_before_anything_is_changed(
    home: Path, tmp_path: Path
) -> None:
    with opened(home, keys=key_in(tmp_path, "main", A)) as ledger:
        hand_in(ledger, 1)
    before = state_of(home)
    for chosen, said in (
        ({"keys": key_in(tmp_path, "main", B)}, "not the one"),
        ({"keys": key_in(tmp_path, "other", A)}, "'main', which is not there"),
        ({}, "'main', which is not there"),
        ({"encryption": "off", "keys": key_in(tmp_path, "other", A)}, "'main', which is not there"),
    ):
        with pytest.raises(SettingsError, match=said) as refused:
            opened(home, **chosen)
        assert refused.value.fix_zh
        assert state_of(home) == before
    with pytest.raises(LedgerError, match="no key ring"):
        Ledger.open(home)
    assert not (home / FILE).exists()


def test_a_lost_key_file_is_named_and_none_is_made_in_its_place(home: Path) -> None:
    with opened(home) as ledger:
        hand_in(ledger, 1)
    kept = (home / FILE).read_bytes()
    (home / FILE).unlink()
    with pytest.raises(SettingsError, match=r"ledger\.keys.*'file-1'"):
        opened(home)
    assert not (home / FILE).exists()
    (home / FILE).write_text("rubbish", encoding="utf-8")
    with pytest.raises(SettingsError, match="cannot be used"):
        opened(home)
    (home / FILE).write_bytes(kept)
    with opened(home) as ledger:
        assert readable(ledger, 0)


def test_the_settings_must_say_which_of_several_keys_is_current() -> None:
    keys = {"a": Secret(env="A"), "b": Secret(env="B")}
    with pytest.raises(ValueError, match=r"ledger\.key must name"):
        LedgerSettings(keys=keys)
    with pytest.raises(ValueError, match="which is not in"):
        LedgerSettings(keys=keys, key="c")
    assert LedgerSettings(keys=keys, key="b").key == "b"


def test_a_key_file_rotates_and_what_was_encrypted_stays_readable(home: Path) -> None:
    with opened(home) as ledger, opened(home) as meanwhile:
        hand_in(ledger, 1)
        look_up = ledger.lookup_key()
        old_file, old = (home / FILE).read_text(encoding="utf-8"), wrapped_in(home)
        segment = (home / "payload" / "000001.aes.seg").read_bytes()
        done = ledger.rotate("wang", NOW)
        assert (done.key, done.wrapped, done.gone, done.wiped) == ("file-2", 2, ("file-1",), True)
        assert (home / "payload" / "000001.aes.seg").read_bytes() == segment
        assert readable(ledger, 0)
        assert ledger.lookup_key() == look_up
        hand_in(meanwhile, 1, first=10, name="b.csv", listed=False)  # did not know of it
        assert readable(ledger, 0, 10)
        assert meanwhile.ring().keys == {"file-2": 3}
        assert [e.verb for e in ledger._events(True)].count("keys_rotated") == 1
    assert old_file.split()[-1] not in (home / FILE).read_text(encoding="utf-8")
    assert found_in(home, *pieces(old.values())) == []
    with opened(home) as ledger:
        assert readable(ledger, 0, 10)


def test_keys_of_the_settings_rotate_when_it_is_said_and_not_before(
    home: Path, tmp_path: Path
) -> None:
    both = {**key_in(tmp_path, "a", A), **key_in(tmp_path, "b", B)}
    with opened(home, keys=both, key="a") as ledger:
        hand_in(ledger, 1)
    with opened(home, keys=both, key="b") as ledger:
        state = ledger.ring()
        assert (state.current, state.wanted) == ("a", "b")
        hand_in(ledger, 1, first=10, name="b.csv", listed=False)
        assert ledger.ring().keys == {"a": 2, "b": 0}
        assert ledger.rotate("wang", NOW).wrapped == 2
        assert ledger.ring().keys == {"a": 0, "b": 2}
        assert ledger.rotate("wang", NOW).wrapped == 0
    with opened(home, keys=key_in(tmp_path, "b", B)) as ledger:
        assert readable(ledger, 0, 10)
    with pytest.raises(SettingsError, match="'b', which is not there"):
        opened(home, keys=key_in(tmp_path, "a", A))


def test_from_the_key_file_to_keys_of_the_settings(home: Path, tmp_path: Path) -> None:
    with opened(home) as ledger:
        hand_in(ledger, 1)
    keys = key_in(tmp_path, "main", A)
    with opened(home, keys=keys) as ledger:
        assert ledger.ring().current == "file-1"
        assert ledger.rotate("wang", NOW).gone == ("file-1",)
    assert not (home / FILE).exists()
    with opened(home, keys=keys) as ledger:
        assert readable(ledger, 0)


@pytest.mark.parametrize("point", ["ring:added", "rows:written", "rows:committed", "ring:turned"])
def test_a_rotation_that_is_broken_off_loses_nothing_and_is_finished_by_the_next(
    home: Path, point: str
) -> None:
    class Died(Exception):
        pass

    def dying(name: str) -> None:
        if armed and name == point:
            raise Died

    armed: list[bool] = []
    ledger = Ledger.open(home, ring=ring(home), checkpoint=dying)
    hand_in(ledger, 1)
    armed.append(True)
    with pytest.raises(Died):
        ledger.rotate("wang", NOW)
    ledger.close()
    with opened(home) as again:
        assert readable(again, 0)
        hand_in(again, 1, first=10, name="b.csv", listed=False)
        again.rotate("wang", NOW)
        assert list(again.ring().keys.values()) == [2]
    with opened(home) as again:
        assert readable(again, 0, 10)


def test_what_a_killed_process_left_of_a_key_file_does_not_stay(home: Path) -> None:
    with opened(home) as ledger:
        (home / f"{FILE}.4711.part").write_bytes((home / FILE).read_bytes())
        ledger.rotate("wang", NOW)
    assert [path.name for path in home.glob(f"{FILE}*")] == [FILE]


def test_there_is_nothing_to_rotate_where_nothing_is_encrypted(home: Path) -> None:
    with opened(home, encryption="off") as ledger, pytest.raises(LedgerError, match="off"):
        ledger.rotate("wang", NOW)


def test_the_key_of_look_ups_is_one_for_ever_and_never_stands_in_the_clear(home: Path) -> None:
    with opened(home) as one, opened(home) as other:
        made = one.lookup_key()
        assert len(made) == 32
        assert other.lookup_key() == made
    assert found_in(home, made, made.hex()) == []
    with opened(home) as again:
        assert again.lookup_key() == made


def test_also_where_encryption_comes_later(home: Path) -> None:
    with Ledger.open(home) as plain:
        made = plain.lookup_key()
    with opened(home) as sealed:
        assert sealed.lookup_key() == made
        sealed.rotate("wang", NOW)
        assert sealed.lookup_key() == made
    assert found_in(home, made) == []


def test_keyed_hashes_tell_nothing_without_the_key() -> None:
    one, two = lookup_hashes(b"k" * 32, "id_number", ["330100199001011234", "330100199001011235"])
    assert one != two
    assert lookup_hashes(b"k" * 32, "id_number", ["330100199001011234"]) == [one]
    assert lookup_hashes(b"l" * 32, "id_number", ["330100199001011234"]) != [one]
    assert lookup_hashes(b"k" * 32, "telephone", ["330100199001011234"]) != [one]
    assert len(one) == 32
