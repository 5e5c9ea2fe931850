"""Fixed-seed samples, as files, frames and nested dictionaries."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import crossborder
from benchmarks.baseline import checking
from benchmarks.baseline.documents import Sender
from benchmarks.sizes import AT, DAY, DECLARED_ON, PORTS, RECEIVER, SEED, SENDER, SERVED
from crossborder import china_time, messages, samples
from crossborder.codes import Tables
from crossborder.engine import profiles
from crossborder.engine.results import Checked
from crossborder.sandbox import receipts
from crossborder.sandbox.receipts import Spelling
from crossborder.settings import Profile
from crossborder.shipments import FrameSet

MAPPING = "elements"
MASTER = "999-12345675"


def house(serial: int) -> str:
    """A house waybill."""
    return f"HZ{serial:010d}"


@dataclass(frozen=True)
class Firm:
    """The demonstration firm, and the code tables with its made-up rates."""

    profile: Profile
    tables: Tables


@cache
def firm(month: str = DECLARED_ON[:6]) -> Firm:
    """The demonstration firm in a month (yyyyMM)."""
    import polars as pl

    made_up = samples.compose(1, SEED, day=DAY).rates.select(
        "currency", pl.lit(month).alias("month"), "rate", pl.lit(value=True).alias("fictional")
    )
    return Firm(profiles.find("demo"), Tables.load().with_rates(made_up))


def write(
    path: Path, shipments: int, *, dirty: float = 0.0, direction: str = "I", day: date = DAY
) -> Path:
    """A day as a flat elements CSV, one row per goods line."""
    samples.create(
        path, shipments=shipments, seed=SEED, dirty=dirty, direction=direction, day=day, districts=PORTS, mapping=MAPPING,
    )  # fmt: skip
    return path


def check(path: Path) -> Checked:
    """The engine's pure check."""
    return crossborder.check(
        path, MAPPING, firm().profile, tables=firm().tables, declared_on=DECLARED_ON, served=SERVED.values()
    )  # fmt: skip


def sender() -> Sender:
    """The envelope of the baselines."""
    return Sender(SENDER, RECEIVER, china_time.send_time(AT), china_time.digits14(AT))


def desk(day: str = DECLARED_ON) -> checking.Desk:
    """The baseline's desk for a day (yyyyMMdd)."""
    own = firm(day[:6])
    return checking.desk(own.profile, own.tables, day, list(SERVED.values()), sender())


def valid_frames(checked: Checked) -> FrameSet:
    """The shipments that may be composed."""
    return checked.frames.take(checked.valid["ship"])


def ids(count: int) -> list[str]:
    """Message ids with serials from 1."""
    start = messages.message_id(SENDER, RECEIVER, AT, 0)[:-11]
    return [f"{start}{serial:011d}" for serial in range(1, count + 1)]


def receipt_items(count: int) -> list[tuple[str, bytes]]:
    """Receipts as customs writes them: 1 % with entities in the notes, 0.2 % with line breaks, four namespaces."""
    draw = random.Random(SEED)
    codes = ("11", "12", "D0", "4", "K", "1", "A", "H")
    made = []
    for serial in range(count):
        moment = AT.timestamp() + serial / 7
        text = "报关单已放行" if draw.random() > 0.01 else "品名 <R&D> 与申报不符"
        spelling = Spelling(
            draw.choice(("none", "Exp", "exp", "xmldsig")), pretty=draw.random() < 0.002
        )
        one = receipts.exp302(
            serial=serial, moment=moment, receiver=SENDER, op_type="ADD", master=MASTER,
            house=house(serial), direction="I", op_time=receipts.digits17(moment), code=draw.choice(codes),
            pre_entry_id=f"{202600000000000000 + serial}", entry_id=f"{292820261000000000 + serial}", text=text,
            spelling=spelling,
        )  # fmt: skip
        made.append((one.name, one.body))
    return made


COURSES = (
    (("D0", 1), ("D2", 3), ("Y", 60), ("11", 600)),
    (("D0", 1), ("D2", 3), ("Y", 45), ("03", 120), ("11", 900)),
    (("D0", 1), ("D2", 3), ("Y", 90), ("05", 300), ("18", 2400)),
    (("D0", 1), ("D2", 3), ("N", 30)),
)
"""What customs says of a declaration: codes, and seconds after it was sent."""
_SHARES = (90, 4, 3, 3)


def receipt_stream(count: int) -> tuple[int, list[tuple[str, bytes]]]:
    """How many declarations, and about `count` receipts of them in the order in which they come.

    A hundred declarations a second are sent; 0.5 % of the receipts come twice, 0.2 % name a declaration nobody sent.
    """
    draw = random.Random(SEED)
    declarations = max(count // 4, 1)
    start = AT.timestamp()
    said = sorted(
        (start + n / 100 + seconds + draw.random(), n, code)
        for n in range(declarations)
        for code, seconds in draw.choices(COURSES, _SHARES)[0]
    )
    made: list[tuple[str, bytes]] = []
    for serial, (moment, n, code) in enumerate(said):
        stray = draw.random() < 0.002
        one = receipts.exp302(
            serial=serial, moment=moment, receiver=SENDER, op_type="ADD", master=MASTER,
            house=house(n + declarations) if stray else house(n), direction="I",
            op_time=receipts.digits17(moment), code=code, pre_entry_id="" if stray else f"{202600000000000000 + n}",
            entry_id="" if stray or code in ("D0", "D2", "N") else f"{292820261000000000 + n}",
            text="报关单已处理" if draw.random() > 0.01 else "品名 <R&D> 与申报不符",
            spelling=Spelling(draw.choice(("none", "Exp", "exp", "xmldsig")), pretty=draw.random() < 0.002),
        )  # fmt: skip
        made += [(one.name, one.body)] * (2 if draw.random() < 0.005 else 1)
    return declarations, made
