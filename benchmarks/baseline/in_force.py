"""From which movement day on rules are in force."""

from __future__ import annotations

from functools import lru_cache

from benchmarks.baseline.facts import day

STARTS = {
    "1987-07-01": "CLS-17",
    "1993-03-01": "LIM-08 PRO-01 PRO-02 PRO-03 PRO-04",
    "1999-10-01": "ID-01",
    "2004-01-01": "EXP-42",
    "2013-01-01": "ID-02",
    "2014-03-13": "ID-11",
    "2015-10-01": "ID-09 ID-10",
    "2016-06-01": "CLS-01 CLS-02 CLS-05 CLS-06 CLS-07 CLS-08 CLS-10",
    "2018-04-20": "CLS-14",
    "2018-08-01": "ID-16 ID-17",
    "2018-09-01": "ID-03",
    "2019-01-01": "CLS-09 CLS-12 CLS-13 CLS-20 EXP-01 EXP-07 EXP-13 EXP-14 EXP-15 EXP-18 EXP-19 EXP-20 EXP-21 EXP-22 "
                  "EXP-23 EXP-24 EXP-25 EXP-26 EXP-27 EXP-28 EXP-32 EXP-34 EXP-37 EXP-38 EXP-44 EXP-48 ID-07 TXT-03",
    "2019-02-01": "EXP-45",
    "2021-10-20": "PRO-05",
    "2022-03-01": "CLS-16",
    "2022-11-01": "LIM-09",
}  # fmt: skip
"""The day from which on rules are in force; limits have days of their own, and the others always are."""


@lru_cache(maxsize=1024)
def not_yet(moved: str | None) -> frozenset[str]:
    """The rules that are not in force yet on a movement day; where it cannot be read all of them are."""
    if moved is None or day(moved) is None:
        return frozenset()
    later = (ids for start, ids in STARTS.items() if start.replace("-", "") > moved)
    return frozenset(" ".join(later).split())
