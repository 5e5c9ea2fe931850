"""What the port decides: paths, their shares, delays and the writing of receipts, as data (`mix.toml`).

Every draw is a pure function of the seed and of what it is drawn for, so that the decision on a parcel does
not depend on the order in which parcels arrive.
"""

from __future__ import annotations

import csv
import hashlib
import io
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources as package_files
from itertools import accumulate
from pathlib import Path
from typing import Any

from crossborder import resources
from crossborder.errors import SettingsError

NAMESPACES = ("none", "Exp", "exp", "xmldsig")


@dataclass(frozen=True, slots=True)
class Code:
    """One result code of `codes/status_codes.csv`: labels, and whether it frees the business key."""

    code: str
    label_zh: str
    label_en: str
    frees: bool


@cache
def result_codes(message: str) -> dict[str, Code]:
    """The result codes of one receipt kind (`EXP302`, `EXP312`), in the order of the table."""
    rows = csv.DictReader(io.StringIO(resources.text("codes/status_codes.csv")))
    return {
        row["code"]: Code(
            row["code"],
            row["label_zh"],
            row["label_en"],
            row["fresh_attempt"] in ("yes", "person"),
        )
        for row in rows
        if row["message"] == message
    }


def share_of(seed: int, *what: str) -> float:
    """A number in [0, 1) that depends on nothing but `seed` and `what`."""
    text = "\x1f".join((str(seed), *what))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / 2**56


@dataclass(frozen=True, slots=True)
class Mix:
    """Paths by name, weights of the paths, delays in seconds of port time, and how receipts are written.

    `receipts` holds the weights of the four namespaces and, under `pretty`, a share from 0 to 1.
    """

    paths: Mapping[str, tuple[str, ...]]
    shares: Mapping[str, float]
    delays: Mapping[str, tuple[float, float]]
    receipts: Mapping[str, float]

    @classmethod
    def load(cls, file: Path | None = None) -> Mix:
        """The packaged mix, or it with the sections of `file` laid over it.

        `[shares]` of a file replaces the packaged shares as a whole; the other sections are merged key by
        key. Raises `SettingsError` naming the file and the key that cannot be used.
        """
        packaged = (
            package_files.files("crossborder.sandbox").joinpath("mix.toml").read_text("utf-8")
        )
        table = tomllib.loads(packaged)
        place = "mix.toml"
        if file is not None:
            place = str(file)
            try:
                over = tomllib.loads(file.read_text("utf-8"))
            except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                raise SettingsError(
                    f"the mix cannot be read: {type(error).__name__}",
                    f"无法读取处理结果配置：{type(error).__name__}",
                    place=place,
                ) from error
            table = _laid_over(table, over, place)
        return _checked(table, place)

    def with_shares(self, **shares: float) -> Mix:
        """The same port with other shares: `mix.with_shares(**{"11": 1})` releases everything."""
        return _checked(
            {
                "paths": self.paths,
                "shares": shares,
                "delays": self.delays,
                "receipts": self.receipts,
            },
            "shares",
        )

    def draw(self, seed: int, house: str, attempt: int) -> str:
        """Name of the path of the `attempt`-th filing (from 0) of a house waybill."""
        return _pick(self.shares, share_of(seed, "decision", house, str(attempt)))

    def namespace(self, seed: int, what: str) -> str:
        """Which of the four spellings a receipt is written in."""
        weights = {name: self.receipts.get(name, 0.0) for name in NAMESPACES}
        return _pick(weights, share_of(seed, "namespace", what))

    def pretty(self, seed: int, what: str) -> bool:
        """Whether a receipt is written with line breaks."""
        return share_of(seed, "pretty", what) < self.receipts.get("pretty", 0.0)

    def delay(self, seed: int, code: str, what: str) -> float:
        """Seconds of port time before the receipt `code` of `what`."""
        low, high = self.delays.get(code, self.delays["customs"])
        return low + (high - low) * share_of(seed, "delay", code, what)

    def plain_receipts(self) -> Mix:
        """The same port writing every receipt without namespace and without line breaks."""
        return replace(self, receipts={"none": 1.0})


def _pick(weights: Mapping[str, float], share: float) -> str:
    sums = list(accumulate(weights.values()))
    wanted = share * sums[-1]
    return next(
        name for name, limit in zip(weights, sums, strict=True) if wanted < limit and weights[name]
    )


def _laid_over(table: dict[str, Any], over: dict[str, Any], place: str) -> dict[str, Any]:
    for section, values in over.items():
        if section not in table or not isinstance(values, dict):
            raise SettingsError(
                f"unknown section [{section}]; known: {', '.join(table)}",
                f"未知的配置段 [{section}]，可用：{'、'.join(table)}",
                place=place,
            )
        table[section] = values if section == "shares" else {**table[section], **values}
    return table


def _checked(table: Mapping[str, Any], place: str) -> Mix:
    _check_paths(table["paths"], place)
    for name in table["shares"]:
        if name not in table["paths"]:
            raise _refusal(place, f"shares.{name}", "no path of this name", "没有这个名称的路径")
    _check_weights("shares", table["shares"], list(table["shares"]), place)
    _check_weights("receipts", table["receipts"], list(NAMESPACES), place)
    for name, pair in table["delays"].items():
        two = isinstance(pair, list | tuple) and len(pair) == 2 and all(map(_is_weight, pair))
        if not two or pair[0] > pair[1]:
            raise _refusal(
                place, f"delays.{name}", "two seconds, from and to, are needed", "须为起止两个秒数"
            )
    return Mix(
        {name: tuple(path) for name, path in table["paths"].items()},
        {name: float(share) for name, share in table["shares"].items()},
        {name: (float(pair[0]), float(pair[1])) for name, pair in table["delays"].items()},
        {name: float(share) for name, share in table["receipts"].items()},
    )


def _check_paths(paths: Mapping[str, Any], place: str) -> None:
    known = result_codes("EXP302")
    for name, path in paths.items():
        if not isinstance(path, list | tuple) or not path or any(c not in known for c in path):
            raise _refusal(
                place, f"paths.{name}", "not a list of EXP302 result codes", "不是回执代码的列表"
            )


def _check_weights(
    section: str, weights: Mapping[str, Any], names: Sequence[str], place: str
) -> None:
    for name, weight in weights.items():
        if not _is_weight(weight):
            raise _refusal(
                place, f"{section}.{name}", "a number from 0 upwards is needed", "须为不小于 0 的数"
            )
    if not sum(weights.get(name, 0) for name in names) > 0:
        raise _refusal(place, section, "the weights add up to nothing", "权重之和为零")


def _refusal(place: str, key: str, en: str, zh: str) -> SettingsError:
    return SettingsError(f"{key}: {en}", f"{key}：{zh}", place=place)


def _is_weight(value: object) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
    )
