"""`Context`: everything a rule may know besides the frames. Nothing in it asks the clock or the disk."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

import polars as pl

from crossborder.codes import Tables
from crossborder.errors import SettingsError
from crossborder.rules.options import OPTIONS, option
from crossborder.settings import Profile

CNY = "142"
CHINA = "142"
SCHEMA_2019 = "EXP301 schema annotations (2019)"
"""How the message schema's filling text is cited."""


@dataclass(frozen=True, eq=False)
class Context:
    """Code tables, profile, dates.

    `declared_on` is the day of declaration (yyyyMMdd, China time); `as_of` (yyyyMMdd) overrides the date by
    which each rule is chosen. `served_prefixes` are the districts that endpoints serve (`29`); None: unknown,
    ID-18 is not evaluated. Raises `SettingsError` for a date or an option that cannot be used.
    """

    tables: Tables
    profile: Profile
    declared_on: str
    as_of: str | None = None
    served_prefixes: frozenset[str] | None = None
    memo: dict[str, Any] = field(default_factory=dict, repr=False)
    """What rules made of this context, by name: expressions, kept for the next hand-in. Several threads may use it:
    what two of them make at once is equal, and either may stay."""

    @classmethod
    def of(
        cls,
        tables: Tables,
        profile: Profile,
        declared_on: str,
        as_of: str | None = None,
        served_prefixes: frozenset[str] | None = None,
    ) -> Context:
        """The context of these facts: the same object for the same ones, so that nothing is made twice.

        The last few are kept; `tables` are told apart by identity, profiles by what they say.
        """
        said = profile.model_dump_json()
        return _context(tables, said, type(profile), declared_on, as_of, served_prefixes)

    def __post_init__(self) -> None:
        _date(self.declared_on, "declared_on")
        if self.as_of is not None:
            _date(self.as_of, "as_of")
        for name in OPTIONS:
            option(self.profile, name)

    @cached_property
    def declared_day(self) -> date:
        """The day of declaration itself."""
        return _date(self.declared_on, "declared_on")

    @cached_property
    def declaration_day(self) -> date:
        """The day by which rules dated by the declaration are chosen."""
        return _date(self.as_of or self.declared_on, "declared_on")

    @cached_property
    def fixed_day(self) -> date | None:
        """The day that `as_of` puts in the place of every movement date."""
        return None if self.as_of is None else _date(self.as_of, "as_of")

    @property
    def month(self) -> str:
        """The month whose exchange rates count: that of the declaration (LIM-12), yyyyMM."""
        return self.declared_on[:6]

    def option(self, name: str) -> str:
        """A setting of the profile, or its default."""
        return option(self.profile, name)

    def number(self, name: str) -> Decimal:
        """The same as a number."""
        return Decimal(self.option(name))

    @cached_property
    def grades(self) -> dict[str, str]:
        """What the profile sets inferred rules to, by rule id (`rules.switches`)."""
        return {rule.upper().replace("_", "-"): grade for rule, grade in self.profile.rules.items()}

    @cached_property
    def rates(self) -> dict[str, Decimal]:
        """CNY per one unit, by currency code, of the month.

        Fictional ones count only for a demo profile, and there only where there is no real one.
        """
        frame = self.tables.rates().filter(pl.col("month") == self.month)
        if not self.profile.demo:
            frame = frame.filter(~pl.col("fictional"))
        frame = frame.sort("fictional", descending=True, maintain_order=True)
        rates = {
            currency: Decimal(rate)
            for currency, rate in zip(frame["currency"], frame["rate"], strict=True)
            if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,8})?", rate)
        }
        return {**rates, CNY: Decimal(1)}

    def words(self, name: str) -> list[str]:
        """A word list of `words.csv` as it stands on the day of declaration."""
        frame = self.tables.frame("words", self.declaration_day.isoformat())
        return frame.filter(pl.col("list") == name).get_column("word").to_list()

    def pattern(self, *lists: str, whole: bool = False) -> str:
        """A regular expression for any word of these lists; one that matches nothing if they are empty.

        `whole` asks that a word in Latin letters stands by itself.
        """
        words = [word.lower() for name in lists for word in self.words(name)]
        shaped = [_alone(word) if whole and word.isascii() else re.escape(word) for word in words]
        return "|".join(shaped) or r"[^\s\S]"


@lru_cache(maxsize=16)
def _context(
    tables: Tables,
    profile: str,
    kind: type[Profile],
    declared_on: str,
    as_of: str | None,
    served_prefixes: frozenset[str] | None,
) -> Context:
    firm = kind.model_validate_json(profile)
    return Context(tables, firm, declared_on, as_of, served_prefixes)


def _alone(word: str) -> str:
    """A word as a regular expression that does not match within a longer one."""
    before = r"\b" if word[:1].isalnum() else ""
    after = r"\b" if word[-1:].isalnum() else ""
    return f"{before}{re.escape(word)}{after}"


def _date(text: str, name: str) -> date:
    try:
        if not re.fullmatch(r"[0-9]{8}", text):
            raise ValueError
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise SettingsError(
            f"not a date: {text!r}", f"不是日期：{text!r}", place=name, fix_en="yyyyMMdd"
        ) from None
