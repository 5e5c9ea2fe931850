"""Looking codes up for whole columns, each on its own day, and what an unknown code may have been meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

import polars as pl

from crossborder.codes.tables import Coverage, Tables, info

_FIRST, _LAST = date(1, 1, 1), date(9999, 12, 31)
_ONE_DAY = timedelta(days=1)
_MOST_ASKED = 200


def spans(tables: Tables, name: str) -> list[tuple[date, date, Coverage, pl.DataFrame]]:
    """The editions of a table with the days they are valid: first day, last day, coverage, rows.

    An imported edition is valid from its start until the day before the next one's, the packaged one before
    all of them. Rows keep their own dates of validity (`effective_from`, `effective_to`).
    """
    found = {
        "": (tables.edition(name, "00010101").coverage, tables.edition(name, "00010101").frame)
    }
    for edition in tables.imported.get(name, ()):
        found[edition.start] = (edition.coverage, edition.frame)
    starts = sorted(found)
    firsts = [date.fromisoformat(start) if start else _FIRST for start in starts]
    lasts = [*(first - _ONE_DAY for first in firsts[1:]), _LAST]
    return [
        (first, last, *found[start])
        for start, first, last in zip(starts, firsts, lasts, strict=True)
    ]


def look_up(
    frame: pl.DataFrame,
    tables: Tables,
    name: str,
    *,
    code: str,
    day: str,
    columns: Sequence[str],
) -> pl.DataFrame:
    """For every row of `frame` the row of table `name` that is valid for its code on its day.

    `code` is a text column, `day` a column of dates. The answer has the rows of `frame` in their order and the
    columns `found` (Boolean), `coverage` (what a miss means on that day; `absent` also where no row of the table
    is valid then) and `columns` of the table, null where nothing was found or the table has no such column.
    Raises `NotFound` for an unknown table.
    """
    asked = frame.select(pl.col(code).alias("_code"), pl.col(day).alias("_day")).with_row_index(
        "_at"
    )
    editions = [_edition(info(name).key[-1], columns, *span) for span in spans(tables, name)]
    rows = pl.concat(rows for rows, _ in editions)
    covered = pl.concat(days for _, days in editions)
    in_force = pl.col("_day").is_between(pl.col("_from"), pl.col("_to"))
    hits = (
        asked.join(rows, on="_code", how="inner")
        .filter(in_force)
        .unique("_at", keep="first", maintain_order=True)
        .drop("_code", "_day", "_from", "_to")
        .with_columns(found=pl.lit(value=True))
    )
    days = asked.select("_day").unique().drop_nulls()
    valid = (
        days.join(covered, how="cross").filter(in_force).unique("_day", keep="first")
        .select("_day", "coverage")
    )  # fmt: skip
    return (
        asked.join(hits, on="_at", how="left", maintain_order="left")
        .join(valid, on="_day", how="left", maintain_order="left")
        .select(
            pl.col("found").fill_null(value=False),
            pl.col("coverage").fill_null("absent"),
            *columns,
        )
    )


def _edition(
    key: str,
    columns: Sequence[str],
    first: date,
    last: date,
    coverage: Coverage,
    frame: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of an edition with the days each is valid, and the days on which any of them is."""
    shown = frame.select(
        pl.col(key).alias("_code"),
        _bound(frame, "effective_from", first, pl.max_horizontal).alias("_from"),
        _bound(frame, "effective_to", last, pl.min_horizontal).alias("_to"),
        *(
            pl.col(c) if c in frame.columns else pl.lit(None, dtype=pl.String).alias(c)
            for c in columns
        ),
    ).filter(pl.col("_from") <= pl.col("_to"))
    days = shown.select("_from", "_to").unique().with_columns(coverage=pl.lit(coverage))
    return shown, days


def _bound(
    frame: pl.DataFrame, column: str, edge: date, narrower: Callable[..., pl.Expr]
) -> pl.Expr:
    """A row's own date of validity within those of its edition."""
    edge_ = pl.lit(edge, dtype=pl.Date)
    if column not in frame.columns:
        return edge_
    own = pl.col(column).str.to_date("%Y-%m-%d", strict=False)
    return narrower(own, edge_)


def nearest(codes: Iterable[str], wanted: str, count: int = 3) -> list[str]:
    """The codes most like `wanted`: first those that begin as it does, then those that differ least; at most `count`.

    For people, not for whole columns: an unknown code is looked at by itself.
    """
    known = sorted(set(codes))
    text = wanted.strip()
    if not text:
        return []
    begins = [
        c for length in range(len(text) - 1, 1, -1) for c in known if c.startswith(text[:length])
    ]
    alike = difflib.get_close_matches(text, known, count, 0.6)
    ranked = sorted(
        dict.fromkeys([*alike, *begins[: 10 * count]]), key=lambda c: _distance(text, c)
    )
    return ranked[:count]


def nearest_texts(codes: Iterable[str], wanted: pl.Series) -> pl.Series:
    """For a column of unknown codes the nearest of each as a text ("04010400, 04010100"); null where none is near.

    Each distinct code is looked at once, the first 200 of them, and none that is longer than any code: hostile files
    hold more.
    """
    return _of_each(codes, wanted, lambda known, code: ", ".join(nearest(known, code)))


def meant_texts(codes: Iterable[str], wanted: pl.Series) -> pl.Series:
    """For a column of unknown codes the one that each was meant to be: the only one that is a single slip away, else null.

    Looked at are as many as by `nearest_texts`.
    """
    return _of_each(codes, wanted, _only_slip)


def _of_each(
    codes: Iterable[str], wanted: pl.Series, told: Callable[[Sequence[str], str], str]
) -> pl.Series:
    known = sorted(set(codes))
    longest = max(map(len, known), default=0) + 2
    asked = wanted.drop_nulls().unique(maintain_order=True)
    short = asked.filter(asked.str.len_chars() <= longest).head(_MOST_ASKED)
    said = {code: told(known, code) for code in short}
    found = {code: text for code, text in said.items() if text}
    return wanted.replace_strict(
        list(found), pl.Series(list(found.values()), dtype=pl.String), default=None,
        return_dtype=pl.String,
    )  # fmt: skip


def _only_slip(known: Sequence[str], code: str) -> str:
    close = [one for one in known if one != code and _one_slip(code, one)]
    return close[0] if len(close) == 1 else ""


def _distance(wanted: str, code: str) -> tuple[int, float, str]:
    """How far a code is from what was written: one slip (a digit changed, dropped, added, two swapped) comes first."""
    slips = int(not _one_slip(wanted, code))
    return slips, -difflib.SequenceMatcher(None, wanted, code).ratio(), code


def _one_slip(a: str, b: str) -> bool:
    if len(a) == len(b):
        apart = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
        swapped = len(apart) == 2 and a[apart[0]] == b[apart[1]] and a[apart[1]] == b[apart[0]]
        return len(apart) <= 1 or (swapped and apart[1] == apart[0] + 1)
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    return any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))
