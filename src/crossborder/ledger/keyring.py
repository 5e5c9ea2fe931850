"""The key ring: named keys that wrap the data keys, from the settings, else from a key file in the home folder.

Where the settings name keys, those of the file are still read, until nothing is wrapped by them any more. A key of the ring is 32 bytes. The ring encrypts nothing but data keys; which of its keys wraps a data key stands beside
it, by name. `fingerprint` tells whether a key is the one it was, and tells nothing else of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path

from crossborder.errors import SettingsError
from crossborder.settings import LedgerSettings, Secret

FILE = "ledger.keys"
"""The key file in the home folder, where the settings name no keys."""
KEY_BYTES = 32
_HEAD = (
    "# Keys of the ledger beside this file: without them its personal data cannot be read, by anybody.\n"
    "# 台账密钥：丢失后，台账中的个人信息将无法读取。请另行备份，勿与台账备份放在一起。\n"
)
_LINE = re.compile(r"([0-9A-Za-z._-]{1,64}) ([0-9a-f]{64})")


class KeyRing:
    """Keys by name; read when one is first needed. Thread-safe.

    `sealing`: whether new data is to be encrypted; what was encrypted before is read either way.
    """

    def __init__(
        self, secrets: Mapping[str, Secret], current: str, file: Path, *, sealing: bool = True
    ) -> None:
        self.sealing = sealing
        self.file = file
        self.in_file = not secrets
        self._secrets = dict(secrets)
        self._current = current or next(iter(secrets), "")
        self._keys: dict[str, bytes] = {}
        self._guard = threading.Lock()

    @classmethod
    def of(cls, chosen: LedgerSettings, home: Path) -> KeyRing:
        """The ring that the settings describe."""
        return cls(chosen.keys, chosen.key, home / FILE, sealing=chosen.encryption == "on")

    def wanted(self) -> str:
        """The name of the key that shall wrap data keys: as the settings say, else the latest of the file.

        Makes the key file if there is none.
        """
        if not self.in_file:
            return self._current
        with self._guard:
            return max(self._from_file() or self._add_to_file(), key=_number)

    def names(self) -> list[str]:
        """Every key there is, by name."""
        with self._guard:
            return sorted({*self._secrets, *self._from_file()}, key=_number)

    def key(self, name: str) -> bytes:
        """A key. Raises `SettingsError` if it is not in the ring, cannot be had, or is no key."""
        with self._guard:
            if name not in self._keys:
                if name in self._secrets:
                    self._keys[name] = _decoded(self._secrets[name].reveal(), f"ledger.keys.{name}")
                else:
                    self._keys |= self._from_file()
            if name not in self._keys:
                raise self._missing(name)
            return self._keys[name]

    def fingerprint(self, name: str) -> str:
        """By what a key is known again."""
        return hmac.new(self.key(name), b"crossborder key ring", hashlib.sha256).hexdigest()[:32]

    def add(self) -> str:
        """A new key in the key file, on the disk when this returns; its name. Only for rings in a file."""
        with self._guard:
            return max(self._add_to_file(), key=_number)

    def keep_only(self, name: str) -> list[str]:
        """Take every other key out of the key file, which is gone if none is left; the names of those."""
        with self._guard:
            keys = self._from_file()
            gone = [other for other in keys if other != name]
            if gone and name in keys:
                self._write({name: keys[name]})
            elif gone:
                self.file.unlink()
            for other in gone:
                self._keys.pop(other, None)
            return gone

    # -- the file

    def _from_file(self) -> dict[str, bytes]:
        try:
            lines = self.file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise self._unusable(type(error).__name__) from error
        found: dict[str, bytes] = {}
        for line in filter(None, map(str.strip, lines)):
            if line.startswith("#"):
                continue
            parts = _LINE.fullmatch(line)
            if parts is None:
                raise self._unusable("?")
            found[parts[1]] = bytes.fromhex(parts[2])
        return found

    def _add_to_file(self) -> dict[str, bytes]:
        keys = self._from_file()
        name = f"file-{max(map(_number, keys), default=0) + 1}"
        return self._write({**keys, name: os.urandom(KEY_BYTES)})

    def _write(self, keys: Mapping[str, bytes]) -> dict[str, bytes]:
        """Replace the file, for its owner alone, flushed; what stands in it."""
        text = _HEAD + "".join(f"{name} {key.hex()}\n" for name, key in keys.items())
        part = self.file.with_name(f"{self.file.name}.{os.getpid()}.part")
        try:
            for left in self.file.parent.glob(f"{self.file.name}.*.part"):  # by who was killed here
                left.unlink(missing_ok=True)
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.file)
            flush_folder(self.file.parent)
        except OSError as error:
            raise self._unusable(error.strerror or type(error).__name__) from error
        self._keys |= keys
        return dict(keys)

    # -- errors

    def _missing(self, name: str) -> SettingsError:
        place = str(self.file) if self.in_file or name.startswith("file-") else "ledger.keys"
        return SettingsError(
            f"the ledger is encrypted with the key {name!r}, which is not there",
            f"台账以密钥 {name!r} 加密，但找不到该密钥",
            place=place,
            fix_en="put the key back from its backup; without it nobody can read the ledger's personal data",
            fix_zh="请从备份恢复该密钥；没有它，任何人都无法读取台账中的个人信息",
        )

    def _unusable(self, why: str) -> SettingsError:
        return SettingsError(
            f"the key file cannot be used ({why})",
            f"密钥文件无法使用（{why}）",
            place=str(self.file),
            fix_en="check its rights, or put it back from its backup",
            fix_zh="请检查权限，或从备份恢复",
        )


def flush_folder(folder: Path) -> None:
    """Flush a folder's own entry (POSIX only; Windows cannot open a folder)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _decoded(text: str, place: str) -> bytes:
    """32 bytes written as 64 hexadecimal digits or as base64. Raises `SettingsError`, without the text."""
    try:
        short = len(text) != 2 * KEY_BYTES
        key = base64.b64decode(text, validate=True) if short else bytes.fromhex(text)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError(
            "what is found there is no key: 32 bytes as 64 hexadecimal digits or as base64",
            "该处内容不是密钥：应为 32 字节，写作 64 位十六进制或 base64",
            place=place,
            fix_en="make one with `openssl rand -hex 32`",
            fix_zh="可用 `openssl rand -hex 32` 生成",
        )
    return key


def _number(name: str) -> int:
    tail = name.rpartition("-")[2]
    return int(tail) if tail.isdecimal() else 0
