"""For tests: encrypted ledgers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from crossborder.ledger import KeyRing, Ledger
from crossborder.settings import LedgerSettings, Secret

PERSON = "张三丰 330100199001011234 13800000001"


def ring(home: Path, **chosen: object) -> KeyRing:
    return KeyRing.of(LedgerSettings.model_validate(chosen), home)


def opened(home: Path, **chosen: object) -> Ledger:
    return Ledger.open(home, ring=ring(home, **chosen))


def key_in(folder: Path, name: str, text: str) -> dict[str, Secret]:
    """A key of the ring in a file of its own."""
    file = folder / f"{name}.key"
    file.write_text(text, encoding="utf-8")
    return {name: Secret(file=file)}


def on_disk(home: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a home, but the key file."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.name != "ledger.keys":
            yield path.relative_to(home).as_posix(), path.read_bytes()


def pieces(keys: Iterable[bytes]) -> list[bytes]:
    """Eight bytes from each place of wrapped keys: what is left of one may be only a part of it."""
    return [key[n : n + 8] for key in keys for n in range(0, len(key) - 7, 4)]


def found_in(home: Path, *texts: str | bytes) -> list[tuple[str, str]]:
    """(file, text) of each text that can be read on the disk."""
    wanted = [t.encode() if isinstance(t, str) else t for t in texts]
    return [(name, str(t)) for name, data in on_disk(home) for t in wanted if t in data]
