"""Profiles meet the messages: a profile is checked once, when it is loaded, never parcel by parcel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import polars as pl

from crossborder import messages, rules, schema, settings
from crossborder.errors import SettingsError
from crossborder.settings import Operator, Profile
from crossborder.shipments import FrameSet
from crossborder.shipments.columns import COLUMNS


def find(profile: str | Path | Profile | None) -> Profile:
    """A profile by name, file or as it is; none at all is an empty one. Checked against both messages."""
    if isinstance(profile, Profile):
        firm = profile
    elif profile is None:
        firm = Profile()
    elif isinstance(profile, Path) or str(profile).endswith(".toml"):
        firm = settings.load_profile_file(Path(profile))
    else:
        firm = settings.find_profile(settings.Settings(), profile)
    refuse_wrong(firm)
    return firm


def refuse_wrong(firm: Profile) -> None:
    """Raise `SettingsError` for a value under no known column, or one that a message would refuse, or a rule that
    cannot be set so."""
    rules.refuse_wrong(firm)
    tables = [firm.values, *firm.values_by_class.values()]
    for values in tables:
        for column, value in values.items():
            _refuse_value("shipments", column, value)
    for column, value in firm.goods_values.items():
        _refuse_value("goods", column, value)


@lru_cache(maxsize=4096)
def _refuse_value(frame: str, column: str, value: str) -> None:
    known = COLUMNS["goods" if frame == "goods" else "shipments"]
    if column not in known:
        raise SettingsError(
            f"the profile fills {column!r}, which is no column of {frame}",
            f"企业档案中的 {column!r} 不是 {frame} 的列",
            fix_en="see docs/glossary.md for the columns", fix_zh="列名参见 docs/glossary.md",
        )  # fmt: skip
    for message in ("EXP301", "EXP311"):
        for element in _elements_of(message, f"{frame}.{column}"):
            probe = pl.DataFrame({"v": [value]})
            failures = schema.facet_failures(element, pl.col("v"))
            broken = probe.select(**failures).row(0, named=True)
            facet = next((name for name, failed in broken.items() if failed), None)
            if facet:
                raise SettingsError(
                    f"the profile's {column} breaks {message} {element.name} ({facet})",
                    f"企业档案的 {column} 不符合 {message} 的 {element.name}（{facet}）",
                    fix_en=f"at most {element.max_length} characters; see `crossborder schema {message}`",
                    fix_zh=f"最长 {element.max_length} 个字符；参见 crossborder schema {message}",
                )


@cache
def _elements_of(message: str, source: str) -> tuple[schema.Element, ...]:
    names = messages.elements_from(message, source)
    tree = schema.load_elements(message)
    return tuple(
        e for group in tree.groups for e in group.elements if (group.name, e.name) in names
    )


def refuse_incomplete(firm: Profile, person: Operator, frames: FrameSet) -> None:
    """Raise `SettingsError` naming every value that always must be there and nobody gives.

    A column whose value the profile or the operator may give, which an unconditional filling rule of EXP301 or
    EXP311 requires, and for which neither they nor a single row of the file has a value.
    """
    missing = incomplete(firm, person, frames)
    if missing:
        raise not_given(missing)


def incomplete(firm: Profile, person: Operator, frames: FrameSet) -> list[str]:
    """The columns that `refuse_incomplete` names; none where there are no shipments."""
    if not frames.shipments.height:
        return []
    return [
        column.name
        for column in COLUMNS["shipments"].values()
        if column.default_from in ("profile", "operator")
        and _always_required(column.name)
        and not firm.values.get(column.name)
        and not person.values.get(column.name)
        and not any(v.get(column.name) for v in firm.values_by_class.values())
        and frames.shipments[column.name].null_count() == frames.shipments.height
    ]


def not_given(missing: Sequence[str]) -> SettingsError:
    """Columns that always must be filled, and are not: not by the profile, the operator, or any row."""
    return SettingsError(
        f"neither the profile nor the file gives: {', '.join(missing)}",
        f"企业档案与预报清单都没有给出：{'、'.join(missing)}",
        fix_en="add them under [profiles.NAME.values] or [operators.NAME.values]; `--profile demo` shows how",
        fix_zh="请写入 [profiles.名称.values] 或 [operators.名称.values]；可参考 --profile demo",
    )


@cache
def _always_required(column: str) -> bool:
    for message in ("EXP301", "EXP311"):
        names = {name for _, name in messages.elements_from(message, f"shipments.{column}")}
        if any(
            row.element in names and row.need == "R" and not row.when
            for row in schema.filling(message)
        ):
            return True
    return False


def sender(firm: Profile) -> str:
    """The exchange id that stands in every envelope. Raises `SettingsError` if the profile has none."""
    if not firm.sender_id:
        raise SettingsError(
            "the profile has no sender_id", "企业档案没有 sender_id",
            fix_en="set sender_id = \"DXPENT…\" in the profile", fix_zh="请在企业档案中设置 sender_id（DXPENT… 或 DXPESW…）",
        )  # fmt: skip
    return firm.sender_id
