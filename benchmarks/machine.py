"""What the figures were measured on, and what the machine itself can do."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.timing import Case, Spread, race

PACKAGES = ("polars", "lxml", "pydantic", "xmlschema", "SQLAlchemy")
MEGABYTES = 64


def describe() -> dict[str, Any]:
    """Processor, cores, system and how busy it is; no name of the machine."""
    load = os.getloadavg() if hasattr(os, "getloadavg") else (0.0, 0.0, 0.0)
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "polars_threads": pl.thread_pool_size(),
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_at_start": round(load[0], 2),
    }


def versions() -> dict[str, str]:
    """Python and the libraries that do the work, of both sides."""
    found = {"python": platform.python_version(), "implementation": sys.implementation.name}
    for name in PACKAGES:
        try:
            found[name.lower()] = version(name)
        except PackageNotFoundError:
            found[name.lower()] = "not installed"
    return found


def limits(document: bytes, rounds: int, megabytes: int = MEGABYTES) -> list[dict[str, Any]]:
    """Copying, writing and hashing, in microseconds for a document of the size of `document`."""
    size, length = len(document), megabytes * 1024 * 1024
    source, target = bytes(length), bytearray(length)
    many = [document] * 2000

    def copy(_: object) -> None:
        target[:] = source

    def digest(_: object) -> list[str]:
        return [hashlib.sha256(one).hexdigest() for one in many]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "written"

        def write(_: object, *, sync: bool = False) -> None:
            with path.open("wb", buffering=0) as file:
                file.write(source)
                if sync:
                    os.fsync(file.fileno())

        cases = [
            Case("memory copy", copy, length // size),
            Case("file write", write, length // size),
            Case("file write and fsync", lambda _: write(None, sync=True), length // size),
            Case("one SHA-256", digest, len(many)),
        ]
        times = race(cases, rounds)
    return [
        {
            "name": name,
            "us_per_document": Spread.of(t.wall).as_json(),
            "gb_per_second": round(size / Spread.of(t.wall).middle / 1000, 2),
        }
        for name, t in times.items()
    ]


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]  # fmt: skip
    return names[0] if names else platform.machine()


def _memory_gb() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)
    except (ValueError, OSError, AttributeError):
        return None
