"""Taking in a lot of receipts: what was read is written down and, where it takes the ordinary course, applied at once."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from crossborder.ledger import Desk, Ledger, ReadLot
from crossborder.reconcile.ordinary import NUMBERS, answers, course
from crossborder.reconcile.status_table import StatusTable


def take_in(ledger: Ledger, lot: ReadLot, now: datetime, table: StatusTable | None = None) -> int:
    """Write down what stored receipts say, in one transaction; how many of their lines were applied.

    The others wait for `apply_receipts`. Receipts that were read before are left as they are. Raises `LedgerError`.
    """
    table = table or StatusTable.load()
    with ledger.applying(now) as desk:
        lines = desk.fresh(lot)
        said = answers(lines, table)
        standing = desk.standing(said["key"].unique().to_list())
        taken = course(said, standing, _borne(desk, said, standing))
        desk.write_down(lines, taken.steps)
        desk.advance(taken.moves)
    return taken.steps.height


def _borne(desk: Desk, said: pl.DataFrame, standing: pl.DataFrame) -> pl.DataFrame:
    """Who bears the numbers that lines tell of a declaration which does not bear them yet."""
    own = standing.unique("key", keep="any").select("key", *(pl.col(n).alias(f"own_{n}") for n in NUMBERS))  # fmt: skip
    told = said.join(own, on="key", how="left")
    news = [told.filter(pl.col(n).ne_missing(pl.col(f"own_{n}")))[n] for n in NUMBERS]
    return desk.bearers(pl.concat(news).drop_nulls().unique().to_list())
