"""Does a mapping fit a header, and which one does?"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from crossborder.errors import MappingError
from crossborder.intake.grid import Record
from crossborder.intake.mapping.model import Mapping


def plain(name: str) -> str:
    """A header name for comparing: half width, no blanks or line ends, lower case."""
    half = name if name.isascii() else unicodedata.normalize("NFKC", name)
    return "".join(half.split()).casefold()


@lru_cache(maxsize=4096)
def _plain_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The accepted headers of one column of a mapping, for comparing."""
    return tuple(plain(name) for name in names)


@dataclass(frozen=True)
class Fit:
    """How a mapping meets a header.

    `header`: position of the header among the previewed records. `found`: canonical key → position of its
    column. `missing`: preferred names of required columns that are not there. `unknown`: positions of named
    columns nobody asked for. `twice`: names that occur more than once.
    """

    mapping: Mapping
    header: int
    found: dict[str, int]
    missing: tuple[str, ...]
    unknown: tuple[int, ...]
    twice: tuple[str, ...]
    names: tuple[str, ...] = field(default=())

    @property
    def fits(self) -> bool:
        """Whether every required column is there."""
        return not self.missing


def fits(mappings: Sequence[Mapping], records: Sequence[Record]) -> list[Fit]:
    """Meet each mapping with the first records of a file; the header is the row that knows most names."""
    headers: dict[int, _Header] = {}

    def header(at: int) -> _Header:
        if at not in headers:
            headers[at] = _Header.of(records[at])
        return headers[at]

    return [_fit(mapping, records, header) for mapping in mappings]


@dataclass(frozen=True, eq=False)
class _Header:
    """A record taken for a header: its names for comparing, and where each stands first."""

    names: tuple[str, ...]
    first: dict[str, int]

    @cached_property
    def twice(self) -> tuple[str, ...]:
        """Names that occur more than once."""
        return tuple(name for name, times in Counter(self.names).items() if times > 1)

    @staticmethod
    def of(record: Record) -> _Header:
        return _header(record.fields)

    def found(self, mapping: Mapping) -> dict[str, int]:
        """Canonical key → position of its column; the preferred name wins."""
        found = {}
        for key, rule in mapping.columns.items():
            at = next((self.first[n] for n in _plain_names(rule.names) if n in self.first), None)
            if at is not None:
                found[key] = at
        return found


@lru_cache(maxsize=64)
def _header(fields: tuple[str, ...]) -> _Header:
    """The last ones are kept: a partner's header comes again and again."""
    names = tuple(plain(n) for n in fields)
    return _Header(names, {name: i for i, name in reversed(list(enumerate(names)))})


def _fit(mapping: Mapping, records: Sequence[Record], header: Callable[[int], _Header]) -> Fit:
    rule = mapping.header
    if rule.row is not None:
        places = [i for i, r in enumerate(records) if r.row == rule.row]
    else:
        places = list(range(min(rule.within, len(records))))
    if not places:
        return _met(mapping, 0, Record(1, ()), _Header((), {}))
    best = places[0]
    if len(places) > 1:
        best = max(places, key=lambda at: (len(header(at).found(mapping)), -at))
    return _met(mapping, best, records[best], header(best))


def _met(mapping: Mapping, place: int, record: Record, header: _Header) -> Fit:
    found = header.found(mapping)
    taken = set(found.values())
    return Fit(
        mapping,
        place,
        found,
        tuple(r.names[0] for k, r in mapping.required().items() if k not in found),
        tuple(i for i, n in enumerate(header.names) if n and i not in taken),
        tuple(record.fields[header.first[n]] for n in header.twice if n),
        record.fields,
    )


def choose(tried: Sequence[Fit], place: str) -> Fit:
    """The one mapping that fits. Raises `MappingError` if there is none, or more than one."""
    good = [f for f in tried if f.fits]
    if len(good) == 1:
        return good[0]
    if good:
        names = ", ".join(f.mapping.name for f in good)
        raise MappingError(
            f"more than one mapping fits: {names}", f"有多个对照表适用：{names}", place=place,
            fix_en="say which one with --mapping", fix_zh="请用 --mapping 指定其中一个",
        )  # fmt: skip
    nearest = max(tried, key=lambda f: (len(f.found), -len(f.missing)))
    raise not_fitting(nearest, place, automatic=True)


def not_fitting(fit: Fit, place: str, *, automatic: bool = False) -> MappingError:
    """The error that names a mapping, the columns it misses and those it does not know."""
    missing, unknown = ", ".join(fit.missing), ", ".join(fit.names[i] for i in fit.unknown) or "–"
    name = fit.mapping.name or "mapping"
    what_en = (
        f"no mapping fits; the nearest is {name}"
        if automatic
        else f"the file does not fit the mapping {name}"
    )
    what_zh = f"没有适用的对照表，最接近的是 {name}" if automatic else f"文件与对照表 {name} 不符"
    return MappingError(
        f"{what_en}: missing columns: {missing}; unknown columns: {unknown}",
        f"{what_zh}：缺少列：{missing}；未知列：{unknown}",
        place=place,
        fix_en="rename the columns, name a mapping with --mapping, or write one: crossborder mapping draft FILE",
        fix_zh="请修改列名，用 --mapping 指定对照表，或用 crossborder mapping draft FILE 起草一个",
    )


def refuse_twice(fit: Fit, place: str) -> None:
    """Raise `MappingError` if a column name occurs more than once."""
    if fit.twice:
        names = ", ".join(fit.twice)
        raise MappingError(
            f"column names occur more than once: {names}", f"列名重复：{names}", place=place,
            fix_en="rename or remove one of them", fix_zh="请改名或删除其中一列",
        )  # fmt: skip
