"""What goes wrong in a run and how often: drawn once per seed, so that some runs are calm and some are wild."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from crossborder.filing import EndpointPolicy

POLICY = EndpointPolicy(
    workers=2,
    lot=3,
    lease=timedelta(seconds=30),
    longest=timedelta(seconds=10),
    settle=timedelta(seconds=2),
    retry=timedelta(seconds=3),
    retry_most=timedelta(seconds=20),
    poll=timedelta(seconds=2),
)
"""As in the settings, with shorter rests: a clock that is wrong by more than two minutes cannot be told from a receipt
of another attempt (`reconcile.order.CLOCKS_DIFFER`), so a lease must be shorter than that to run out here."""
ON_THE_LINE = 0.9 * POLICY.settle / timedelta(seconds=1)
"""How long (seconds) a message may still be on its way after its sender has given up, and how long the port may then
need until a look-up sees it. The resolver waits for twice `settle`: more than both together."""
CLOCK_WRONG = 100.0
"""By how much our clock may be wrong at most, in seconds."""

SENDS = ("lost", "answer_lost", "delayed", "twice", "down", "declined", "declined_lost", "nonsense", "raises",
         "conflict", "declined_but_kept")  # fmt: skip
"""What may become of one try: it is lost; it arrives and the answer is lost; it arrives after the sender gave up; the
line doubles it; nothing leaves; the port declines it, and perhaps that answer is lost; the answer is nonsense, or the
transport itself fails; the port says it holds other bytes under this id, and takes ours not; it declines and keeps the message all the same."""
ASKS = ("no_answer", "raises", "nonsense", "conflict")
"""What may become of a look-up, beside the truth as far as the port's index knows it."""
RECEIPTS = (
    "lost",
    "late",
    "doubled",
    "repeated",
    "unreadable",
    "foreign",
    "contradictory",
    "unknown_code",
)
"""What may become of a receipt: it never comes; it comes late; its bytes come twice; it is said again in other bytes;
or another one comes beside it: bytes that nobody can read, a parcel that is not ours, a contradiction, a new code."""


@dataclass(frozen=True)
class Weather:
    """Chances, each between 0 and 1. `kill`, `full` are per numbered point, `jump` to `stop` per step."""

    look_up: bool
    manifest_first: bool
    kill: float
    cut: float
    full: float
    jump: float
    stall: float
    doze: float
    rot: float
    stop: float
    overlap: float
    mess: float
    send: tuple[float, ...]
    ask: tuple[float, ...]
    receipt: tuple[float, ...]
    steps: int

    @classmethod
    def of(cls, draw: random.Random) -> Weather:
        """Some kinds of trouble are absent from a run, some are frequent."""

        def one(*often: float) -> float:
            return draw.choice((0.0, *often))

        drowsy = (
            draw.random() < 0.25
        )  # little goes wrong on the line, but workers sleep and clocks are set
        return cls(
            look_up=drowsy or draw.random() < 0.7,
            manifest_first=not drowsy and draw.random() < 0.6,
            kill=0.0 if drowsy else one(0.005, 0.015, 0.03),
            cut=one(0.2, 1.0),
            full=0.0 if drowsy else one(0.005, 0.02),
            jump=0.03 if drowsy else one(0.01, 0.05),
            stall=0.1 if drowsy else one(0.02, 0.1),
            doze=0.5 if drowsy else 0.0,
            rot=one(0.01),
            stop=0.0 if drowsy else one(0.002, 0.01),
            overlap=one(0.3, 0.9),
            mess=0.1 if drowsy else one(0.1, 0.4, 0.8),
            send=(*(one(0.1, 0.5, 1.0) for _ in SENDS[:-1]), one(0.05)),
            ask=tuple(one(0.1, 0.5) for _ in ASKS),
            receipt=tuple(one(0.1, 0.5) for _ in RECEIPTS),
            steps=draw.randint(90, 170),
        )


def pick(
    draw: random.Random, chance: float, kinds: tuple[str, ...], weights: tuple[float, ...]
) -> str:
    """One kind of trouble, or an empty text for none."""
    if not any(weights) or draw.random() >= chance:
        return ""
    return draw.choices(kinds, weights)[0]
