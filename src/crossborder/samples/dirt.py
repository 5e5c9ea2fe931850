"""Dirt: spoils valid values, one kind a shipment, and names the rule that must see it.

`data/dirt.csv` is written by hand from the facts. Its columns:

- `kind`; `directions` and `classes` it may be dealt to; `not_in`: mappings that cannot express it, `*.xlsx`
  for a kind of file
- `asks`: what the shipment must be before it is spoiled: `lines`, `pieces`, `value` (CNY), `grams`,
  `place` (`near`: Hong Kong, Macao, Taiwan; `far`), `terms`, `id_type`
- `where`: canonical columns, `goods.name@0` for the first line; `op` and `arg`: what is done to them.
  `twin` takes the master and house waybill of the dirty shipment before it (whose own kind is `original`);
  `apart` and `differ` are done to the sheet, see `shape.py`
- `rule`, `severity`: what must be found; `also`: the only other rules that may speak up

Nothing here knows a rule or a check.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import polars as pl

from crossborder.samples.draws import Draws
from crossborder.samples.plan import Order
from crossborder.samples.vocabulary import table

_FULL_WIDTH = {str(d): chr(0xFF10 + d) for d in range(10)}
_NEXT = dict(zip("0123456789X", "1234567890" + "0", strict=True))
_S10 = (8, 6, 4, 2, 3, 5, 9, 7)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True)
class Target:
    """A column to spoil; `line` is the goods line, None for a shipments column."""

    frame: str
    column: str
    line: int | None


@dataclass(frozen=True)
class Kind:
    """One row of `dirt.csv`."""

    name: str
    directions: str
    classes: str
    asks: dict[str, str]
    targets: tuple[Target, ...]
    op: str
    args: tuple[str, ...]
    rule: str
    severity: str
    also: tuple[str, ...]
    not_in: tuple[str, ...]

    @property
    def line(self) -> int | None:
        """The goods line it spoils; None where it spoils the head or the whole."""
        lines = {t.line for t in self.targets}
        return next(iter(lines)) if len(lines) == 1 else None

    def fits(self, order: Order) -> bool:
        """Whether an order's direction, mapping and kind of file can express it."""
        barred = order.mapping in self.not_in or f"*{order.suffix}" in self.not_in
        return order.direction in self.directions and not barred


@cache
def kinds() -> tuple[Kind, ...]:
    """All kinds, those that break a reject rule first."""
    found = [_kind(row) for row in table("dirt").iter_rows(named=True)]
    return tuple(sorted(found, key=lambda k: k.severity != "reject"))


def _kind(row: dict[str, str]) -> Kind:
    asks = dict(part.split("=") for part in _parts(row["asks"]))
    targets = tuple(_target(part) for part in _parts(row["where"]))
    arg = _ESCAPE.sub(lambda m: chr(int(m[1], 16)), row["arg"])
    args = tuple(arg.split(";")) if len(targets) > 1 else (arg,)
    return Kind(
        row["kind"], row["directions"], row["classes"], asks, targets, row["op"], args, row["rule"],
        row["severity"], tuple(_parts(row["also"])), tuple(_parts(row["not_in"])),
    )  # fmt: skip


def _parts(text: str) -> list[str]:
    return text.split(";") if text else []


def _target(text: str) -> Target:
    frame, _, column = text.partition(".")
    name, _, line = column.partition("@")
    return Target(frame, name, int(line) if line else None)


def deal(order: Order) -> pl.DataFrame:
    """`ship`, `kind` (position in the dealt list), `twin_of`: exactly round(shipments x dirty) rows, in rotation.

    `twin_of` is the shipment whose waybill a `twin` repeats, null for every other kind.
    """
    wanted = round(order.shipments * order.dirty)
    ship = pl.int_range(order.shipments, dtype=pl.UInt32, eager=True).alias("ship")
    mixed = pl.DataFrame({"ship": ship, "_by": Draws(ship, order.root).word("dirty")})
    chosen = mixed.sort("_by", "ship").head(wanted).select("ship").sort("ship")
    kinds = dealt(order)
    turn = pl.int_range(wanted, eager=True) % max(len(kinds), 1)
    if wanted and kinds[turn[-1]].op == "original":  # nobody is left to repeat it
        turn[-1] = next(i for i, k in enumerate(kinds) if k.op not in ("original", "twin"))
    twins = [i for i, k in enumerate(kinds) if k.op == "twin"]
    return chosen.with_columns(turn.cast(pl.UInt32).alias("kind")).with_columns(
        pl.when(pl.col("kind").is_in(twins)).then(pl.col("ship").shift(1)).alias("twin_of")
    )


@cache
def dealt(order: Order) -> tuple[Kind, ...]:
    """The kinds this order can express, in the order in which they are dealt."""
    return tuple(k for k in kinds() if k.fits(order))


def wishes(order: Order, plan: pl.DataFrame) -> pl.DataFrame:
    """`plan` (with `kind`) as the dirt needs it: class and lines changed, wishes added (null for clean ones)."""
    asked = pl.DataFrame(
        [(i, *_asked(kind)) for i, kind in enumerate(dealt(order))],
        schema={
            "kind": pl.UInt32, "_classes": pl.String, "_lines": pl.Int64, "pieces_wish": pl.Int64,
            "target": pl.Float64, "grams_wish": pl.Int64, "place_wish": pl.String, "terms_wish": pl.String,
            "id_type_wish": pl.String,
        },
        orient="row",
    )  # fmt: skip
    fits = pl.col("_classes").str.contains(pl.col("declaration_class"), literal=True)
    return (
        plan.join(asked, on="kind", how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("_classes").is_null() | fits)
            .then("declaration_class")
            .otherwise(pl.col("_classes").str.slice(0, 1))
            .alias("declaration_class"),
            pl.coalesce("_lines", "lines").alias("lines"),
        )
        .drop("_classes", "_lines")
    )


def _asked(kind: Kind) -> tuple[object, ...]:
    def number(name: str) -> int | None:
        return int(kind.asks[name]) if name in kind.asks else None

    value = kind.asks.get("value")
    return (
        kind.classes, number("lines"), number("pieces"), float(value) if value else None, number("grams"),
        *(kind.asks.get(name) for name in ("place", "terms", "id_type")),
    )  # fmt: skip


_ELSEWHERE = ("original", "apart", "differ")
"""Ops that change no value of the canonical frames."""


def spoil(order: Order, frame_name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` (with `_dirt`, the kind, goods also with `line`) with its dirt; clean rows are untouched."""
    dirty = frame.filter(pl.col("_dirt").is_not_null())
    if not dirty.height:
        return frame
    changed: dict[str, pl.Expr] = {}
    for number, kind in enumerate(dealt(order)):
        for target in kind.targets:
            if target.frame != frame_name or kind.op in _ELSEWHERE:
                continue
            here = pl.col("_dirt") == number
            if target.line is not None:
                here = here & (pl.col("line") == target.line)
            before = changed.get(target.column, pl.col(target.column))
            changed[target.column] = pl.when(here).then(_made(kind, target)).otherwise(before)
    spoiled = dirty.with_columns(expr.alias(name) for name, expr in changed.items())
    keys = [key for key in ("ship", "line", "doc") if key in frame.columns]
    return pl.concat([frame.filter(pl.col("_dirt").is_null()), spoiled]).sort(keys)


def _made(kind: Kind, target: Target) -> pl.Expr:
    """The spoiled value of one column."""
    place = kind.targets.index(target)
    arg = kind.args[place] if len(kind.args) > place else kind.args[0]
    if kind.op == "swap":
        return pl.col(kind.targets[1 - place].column)
    return _OPS[kind.op](pl.col(target.column), arg)


def _turn(value: pl.Expr, _: str) -> pl.Expr:
    """The last digit is another one: a wrong check digit."""
    return value.str.slice(0, value.str.len_chars() - 1) + value.str.slice(-1).replace(_NEXT)


def _hyphen(value: pl.Expr, _: str) -> pl.Expr:
    return pl.format("{}-{}", value.str.slice(0, 6), value.str.slice(6))


def _s10(value: pl.Expr, _: str) -> pl.Expr:
    """A postal number of the form S10 whose check digit is one too high."""
    digits = value.str.slice(-8)
    total = sum((digits.str.slice(i, 1).cast(pl.Int64) * w for i, w in enumerate(_S10)), pl.lit(0))
    check = (11 - total % 11).replace({10: 0, 11: 5})
    return pl.format("RX{}{}CN", digits, (check + 1) % 10)


def _scientific(value: pl.Expr, _: str) -> pl.Expr:
    """Eighteen digits as a spreadsheet shows them when it takes them for a number."""
    return pl.format("{}.{}E+17", value.str.slice(0, 1), value.str.slice(1, 14))


_OPS: dict[str, Callable[[pl.Expr, str], pl.Expr]] = {
    "set": lambda value, arg: pl.lit(arg or None, dtype=pl.String),
    "clear": lambda value, arg: pl.lit(None, dtype=pl.String),
    "append": lambda value, arg: value + arg,
    "lower": lambda value, arg: value.str.to_lowercase(),
    "widen": lambda value, arg: value.str.replace_many(
        list(_FULL_WIDTH), list(_FULL_WIDTH.values())
    ),
    "turn": _turn,
    "twin": _hyphen,
    "s10": _s10,
    "scientific": _scientific,
    "fifteen": lambda value, arg: (
        value.str.slice(0, 6) + value.str.slice(8, 6) + value.str.slice(14, 3)
    ),
    "number": lambda value, arg: value.str.slice(0, 15) + "000",
    "pad": lambda value, arg: value.str.pad_end(int(arg[1:]), arg[0]),
    "scale": lambda value, arg: (value.cast(pl.Float64) * float(arg)).round(2).cast(pl.String),
}
"""What may be done to a value. `number`: as a workbook keeps it in a number cell, fifteen digits."""
