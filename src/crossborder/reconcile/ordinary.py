"""The ordinary course, over columns: receipt lines of a lot that simply move their declaration on.

Most lines are of this kind: one declaration of their key was sent before, they come after everything heard of it, none
contradicts another. For these, and only these, `order.judge` says *moves* of every one of them whatever was heard before,
so that the last one decides. Everything else (manifests, second attempts, repetitions, contradictions, codes nobody knows,
lines that come late) is left to `apply_receipts`, which looks at each attempt by itself. What decides is the status table,
here and there.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from crossborder.reconcile.order import CHANGES, CLOCKS_DIFFER, CONTRADICTED_BY, DECIDES_CHANGE
from crossborder.reconcile.status_table import CUSTOMS, StatusTable

ANSWER = "EXP302"
"""The receipt that answers a declaration."""
NUMBERS = ("pre_entry_id", "entry_id")


@dataclass(frozen=True)
class Course:
    """`steps`: one row per line that moves its attempt (`place` among the lines, `attempt_id`, `from_state`, `to_state`),
    in the order in which they move it. `moves`: one row per attempt moved, sorted by `attempt_id`, with the columns of the
    attempt as they become; `tells` where its numbers change, `frees` where its key becomes free."""

    steps: pl.DataFrame
    moves: pl.DataFrame


def answers(lines: pl.DataFrame, table: StatusTable) -> pl.DataFrame:
    """The lines that may be ordinary by what they say alone, each with its row of the status table; `place` is their row.

    `lines` has the columns of `ledger.lots.keyed`.
    """
    known = pl.DataFrame(
        [(s.code, s.state, s.stage, s.terminal, s.released, s.fresh_attempt == "yes", s.order)
         for s in table.of_message(ANSWER)],
        schema={"code": pl.String, "state": pl.String, "stage": pl.String, "final": pl.Boolean,
                "released": pl.Boolean, "fresh": pl.Boolean, "order": pl.Int64},
        orient="row",
    )  # fmt: skip
    change = pl.col("op_type").fill_null("").str.strip_chars().str.to_uppercase().is_in(CHANGES)
    decides_change = change & pl.col("code").is_in(DECIDES_CHANGE)
    plain = (pl.col("state") != "") & (pl.col("op_time") != "") & ~decides_change
    return (
        lines.with_row_index("place")
        .filter(pl.col("message_type") == ANSWER)
        .join(known, on="code", how="left", maintain_order="left")
        .with_columns(plain.fill_null(value=False).alias("plain"))
    )


def course(said: pl.DataFrame, standing: pl.DataFrame, borne: pl.DataFrame) -> Course:
    """What of a lot takes the ordinary course.

    `said`: see `answers`. `standing`: the declarations once sent that have the keys of these lines, several of a key
    where there were several attempts; `heard` is the latest OpTime heard of each (empty: nothing; above every digit:
    something without a time). `borne`: PreEntryIds and EntryIds (`number`) and the `key` of a declaration that bears them.
    """
    alone = standing.filter(pl.col("key").is_unique() & pl.col("live") & ~pl.col("ready"))
    alone = alone.with_columns(_since())
    lines = said.join(alone, on="key", how="inner", maintain_order="left", suffix="_now")
    odd = pl.concat([lines.filter(~pl.col("plain"))["key"], _entangled(said, borne)])
    lines = lines.filter(~pl.col("key").is_in(odd.unique().implode()))
    lines = lines.sort("attempt_id", "op_time", "order", "place").with_columns(_first())
    odd = lines.filter(~_moves())["attempt_id"]
    if odd.len():
        lines = lines.filter(~pl.col("attempt_id").is_in(odd.unique().implode()))
    return Course(_steps(lines), _moved(lines))


def _since() -> pl.Expr:
    """As `order.earliest_answer`, over a column."""
    sent = pl.col("first_sent_at").str.slice(0, 26).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f")
    return (sent - CLOCKS_DIFFER).dt.strftime("%Y%m%d%H%M%S%3f").alias("since")


def _first() -> pl.Expr:
    """Whether a line is the first of its attempt; lines stand sorted by attempt."""
    own = pl.col("attempt_id")
    return (own != own.shift(1)).fill_null(value=True).alias("first")


def _entangled(said: pl.DataFrame, borne: pl.DataFrame) -> pl.Series:
    """Keys of declarations that share a PreEntryId or EntryId, by what lines tell or by what they bear."""
    told = [said.select(pl.col(name).alias("number"), "key") for name in NUMBERS]
    bearing = pl.concat([*told, borne.select("number", "key")]).drop_nulls("number").unique()
    return bearing.filter(pl.col("number").is_duplicated())["key"].unique()


def _moves() -> pl.Expr:
    """Whether `order.judge` lets a line move its attempt, given that all before it in the attempt move it too."""
    first = pl.col("first")
    customs = pl.col("stage") == CUSTOMS
    by_customs = (pl.col("stage_now") == CUSTOMS) | _before(customs)
    released = pl.col("released_now") | _before(pl.col("released"))
    after = ~first | (pl.col("op_time") > pl.col("heard"))
    timely = pl.col("op_time") >= pl.col("since")
    again = (
        ~first
        & (pl.col("op_time") == pl.col("op_time").shift(1))
        & (pl.col("order") == pl.col("order").shift(1))
    )
    spoken = ~first | (pl.col("heard") != "")
    contradicted = pl.lit(value=False)
    for code, by in CONTRADICTED_BY.items():
        heard = by_customs if by == {CUSTOMS} else spoken
        contradicted = contradicted | ((pl.col("code") == code) & heard)
    outranked = ~customs & by_customs
    return timely & after & ~again & ~released & ~outranked & ~contradicted


def _before(flag: pl.Expr) -> pl.Expr:
    """Whether an earlier line of the same attempt has the flag."""
    earlier = flag.cast(pl.Int32).cum_sum() - flag.cast(pl.Int32)
    return earlier > pl.when("first").then(earlier).forward_fill()


def _steps(lines: pl.DataFrame) -> pl.DataFrame:
    before = pl.when("first").then("state_now").otherwise(pl.col("state").shift(1))
    return lines.select(
        "place", "attempt_id", "batch_id", before.alias("from_state"), pl.col("state").alias("to_state")
    )  # fmt: skip


def _moved(lines: pl.DataFrame) -> pl.DataFrame:
    last = pl.col("first").shift(-1).fill_null(value=True)
    now = {
        name: pl.when("first").then(pl.coalesce(name, f"{name}_now", pl.lit(""))).otherwise(name).forward_fill()
        for name in NUMBERS
    }  # fmt: skip
    tells = pl.any_horizontal(now[name] != pl.col(f"{name}_now").fill_null("") for name in NUMBERS)
    return lines.select(
        "attempt_id", "state", "stage", "final", "released",
        pl.col("code").alias("last_code"), pl.col("op_time").alias("last_op_time"),
        *(pl.when(now[name] != "").then(now[name]).alias(name) for name in NUMBERS),
        tells.alias("tells"), (pl.col("final") & pl.col("fresh")).alias("frees"), last.alias("last"),
    ).filter("last").drop("last")  # fmt: skip
