"""Switches of the rules that no text of law states: `[profiles.NAME.rules]`, rule → off, note, hold or reject.

A rule is *inferred* where its catalogue entry says so: it is practice, or our reading. Unless a profile says otherwise it
does what its entry says, which is the safe default. A switch says what follows at most: cases that are graver than, or as
grave as, the rule itself follow it, weaker ones stay as weak as they are. A check that is switched off does not run, and
every result says so once (promise P2). What could not be filed at all is refused whatever is set (`Case.fixed`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from crossborder.errors import SettingsError
from crossborder.rules.beside import beside
from crossborder.rules.context import Context
from crossborder.rules.grades import GRADES, action_of
from crossborder.rules.limits import RATES
from crossborder.rules.model import registered
from crossborder.settings import Profile
from crossborder.shipments import findings

_UNJUDGED = ("note", "hold")
SET_ELSEWHERE = {
    "ID-18": (
        "endpoints.NAME.districts",
        "端点受理的关区；没有端点的口岸无处可报，因此总是拒收",
        "the districts that an endpoint serves; what is declared at another one can be filed nowhere, so it is always refused",
    ),
    "TAX-06": (
        "codes import tax_parameters",
        "税率是带日期的数据，可整表替换",
        "the rates are dated data; the whole table can be replaced",
    ),
}
"""Inferred rules that another setting switches: its key, and what it means (zh, en)."""


@dataclass(frozen=True, slots=True)
class Switch:
    """What a rule may be set to, and what it is unless a profile sets it."""

    rule: str
    default: str
    choices: tuple[str, ...] = GRADES


def switches() -> dict[str, Switch]:
    """Every rule that `[profiles.NAME.rules]` may set, by id."""
    inferred = [r for r in registered() if r.certainty == "inferred"]
    inferred += [b.rule for b in beside() if b.rule.certainty == "inferred"]
    found = [Switch(r.id, r.action) for r in inferred if r.id not in SET_ELSEWHERE]
    found.append(Switch(RATES, "hold", _UNJUDGED))
    return {one.rule: one for one in sorted(found, key=lambda s: s.rule)}


def refuse_wrong(profile: Profile) -> None:
    """Raise `SettingsError` for a rule that nobody knows or that cannot be set, and for a word that is no grade."""
    known = switches()
    for written, grade in profile.rules.items():
        name, place = named(written), f"rules.{written}"
        if name in SET_ELSEWHERE:
            key, zh, en = SET_ELSEWHERE[name]
            raise SettingsError(f"{name} is set by {key}: {en}", f"{name} 由 {key} 设定：{zh}", place=place)  # fmt: skip
        if name not in known:
            raise _unknown(name, place, known)
        if grade not in known[name].choices:
            allowed = " | ".join(known[name].choices)
            raise SettingsError(f"{grade!r} is no value of this setting", f"设置值 {grade!r} 无效", place=place, fix_en=allowed)  # fmt: skip


def _unknown(name: str, place: str, known: Iterable[str]) -> SettingsError:
    if name in {r.id for r in registered()} | {b.rule.id for b in beside()}:
        return SettingsError(
            f"{name} rests on a text of law or a report of one and cannot be switched", f"{name} 有明文依据，不能设置",
            place=place, fix_en=f"crossborder explain {name} says what it rests on", fix_zh=f"依据见 crossborder explain {name}",
        )  # fmt: skip
    near = difflib.get_close_matches(name, list(known), 1, 0.0)[0]
    return SettingsError(
        f"no rule {name!r} that can be switched", f"没有可设置的规则 {name!r}", place=place,
        fix_en=f"nearest: {near}", fix_zh=f"最接近的是：{near}",
    )  # fmt: skip


def named(written: str) -> str:
    """A rule as a settings file or an environment variable writes it: `exp_13` is EXP-13."""
    return written.upper().replace("_", "-")


def grade_of(ctx: Context, rule: str) -> str:
    """What the profile sets a rule to; empty where it sets nothing."""
    return ctx.grades.get(rule, "")


def graded(found: pl.DataFrame, ctx: Context, rules: Mapping[str, str]) -> pl.DataFrame:
    """Findings of rules that other rooms carry out (id → own action), as the profile sets them."""
    for rule, own in rules.items():
        grade = grade_of(ctx, rule)
        mine = pl.col("rule") == rule
        if grade == "off":
            found = found.filter(~mine)
        elif grade:
            pairs = found.filter(mine).select("severity", "action").unique().rows()
            for severity, action in pairs:
                new = action_of(grade, own, severity, action)
                same = mine & (pl.col("severity") == severity) & (pl.col("action") == action)
                found = found.with_columns(
                    pl.when(same).then(pl.lit(new[0])).otherwise("severity").alias("severity"),
                    pl.when(same).then(pl.lit(new[1])).otherwise("action").alias("action"),
                )
    return found


def off(ctx: Context) -> list[str]:
    """The rules that the profile switches off."""
    return sorted(rule for rule, grade in ctx.grades.items() if grade == "off")


def told_off(ctx: Context) -> pl.DataFrame:
    """A finding about the whole hand-in for each rule that is switched off: it did not run."""
    return findings.build(
        {
            "rule": rule, "severity": "not_evaluated", "action": "mark",
            "zh": f"规则 {rule} 已在设置中关闭，未作检查", "en": f"rule {rule} is switched off by the settings: it was not checked",
            "fix_zh": f"如需检查，请去掉企业档案中的 rules.{rule}", "fix_en": f"take rules.{rule} out of the profile to have it checked",
        }
        for rule in off(ctx)
    )  # fmt: skip
