"""Magic endings: the last four characters of a house waybill that force what the port does with it.

`SB` + two characters holds for every filing of that house waybill; `SF` + two characters for its first
filing only (a corrected one is then released), `SFNN` for its first line in a manifest only. The two characters
are a result code of EXP302, a one-letter code being filled up with `X` (`SBYX`), or one of the specials below.
Compared normalised (half width, upper case, no blanks or hyphens), so `…-sb05` works as well. The table stands
in `docs/sandbox.md`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Wire = Literal[
    "normal",
    "decline",
    "error_after",
    "hang_after",
    "reset_after",
    "nonsense_after",
    "not_taken_first",
]
Answers = Literal["normal", "never", "twice", "reversed", "nonsense_first", "stray_first"]

RELEASED = "11"

_WIRE: dict[str, Wire] = {
    "W2": "decline",
    "W5": "error_after",
    "W6": "hang_after",
    "W7": "reset_after",
    "W8": "nonsense_after",
    "W9": "not_taken_first",
}
_ANSWERS: dict[str, Answers] = {
    "Z0": "never",
    "Z1": "twice",
    "Z2": "reversed",
    "Z3": "nonsense_first",
    "Z6": "stray_first",
}
_PATHS = {"Z4": "contradicted", "Z5": "reopened"}
SPECIALS = frozenset({*_WIRE, *_ANSWERS, *_PATHS, "NN"})


@dataclass(frozen=True, slots=True)
class Ending:
    """What an ending forces. `path` is the name of a path of the mix, empty = drawn from the mix."""

    path: str = ""
    wire: Wire = "normal"
    answers: Answers = "normal"
    refused_in_manifest: bool = False


NO_ENDING = Ending()


def normalise(text: str) -> str:
    """Half width, upper case, without blanks and hyphens."""
    if text.isalnum() and text.isascii():
        return text.upper()
    half = unicodedata.normalize("NFKC", text)
    return "".join(
        c for c in half if not c.isspace() and unicodedata.category(c) != "Pd" and c != "\u2212"
    ).upper()


def ending_of(house: str, attempt: int, codes: Collection[str]) -> Ending:
    """What the house waybill forces at its `attempt`-th filing (from 0), or as a line of a manifest that was refused
    `attempt` times before; `codes` are those of EXP302."""
    tail = normalise(house)[-4:]
    if len(tail) < 4 or tail[:2] not in ("SB", "SF"):
        return NO_ENDING
    what = tail[2:]
    code = what[0] if what[1] == "X" else what
    if code in codes:
        once_over = tail[:2] == "SF" and attempt > 0
        return Ending(path=RELEASED if once_over else code)
    if what == "NN":
        return Ending(path=RELEASED, refused_in_manifest=tail[:2] == "SB" or attempt == 0)
    if tail[:2] == "SF" or what not in SPECIALS:
        return NO_ENDING
    return Ending(
        path=_PATHS.get(what, RELEASED),
        wire=_WIRE.get(what, "normal"),
        answers=_ANSWERS.get(what, "normal"),
    )
