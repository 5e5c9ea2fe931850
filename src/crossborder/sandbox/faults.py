"""Faults on purpose: how often the sandbox behaves as badly as a real line may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, TypeVar, get_args

from crossborder.errors import SettingsError
from crossborder.sandbox.endings import Answers, Wire, normalise
from crossborder.sandbox.mix import share_of

_T = TypeVar("_T", bound=str)
ManifestFault = Literal["DN", "DY", "NN", "never"]
_WIRE: dict[str, Wire] = {
    "lost_answers": "error_after",
    "resets": "reset_after",
    "hangs": "hang_after",
    "nonsense": "nonsense_after",
    "not_taken": "not_taken_first",
}
_ANSWERS: dict[str, Answers] = {"never_answered": "never", "answered_twice": "twice"}


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares from 0 to 1 of all messages that meet a fault; all 0 by default.

    `lost_answers` HTTP 500 after taking; `resets` connection broken after taking; `hangs` no answer for
    `hang_seconds` after taking; `nonsense` an answer that is none after taking; `not_taken` HTTP 503 at the
    first arrival, which is not taken; `delays` the answer comes `delay_seconds` late; `never_answered` no
    receipt ever; `answered_twice` every receipt twice. The wire faults exist on the HTTP door only. Seconds
    are real ones, not divided by the speed. `manifests`: master waybill → `DN`, `NN`, `DY` (nothing after
    it) or `never`. Which message meets a fault depends on the seed and its business key only.
    """

    lost_answers: float = 0.0
    resets: float = 0.0
    hangs: float = 0.0
    nonsense: float = 0.0
    not_taken: float = 0.0
    delays: float = 0.0
    never_answered: float = 0.0
    answered_twice: float = 0.0
    delay_seconds: float = 0.2
    hang_seconds: float = 60.0
    manifests: Mapping[str, ManifestFault] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shares = [getattr(self, name) for name in (*_WIRE, *_ANSWERS, "delays")]
        if any(not 0 <= share <= 1 for share in shares):
            raise SettingsError("a share of faults must be from 0 to 1", "故障比例应在 0 至 1 之间")
        if sum(getattr(self, n) for n in _WIRE) > 1 or sum(getattr(self, n) for n in _ANSWERS) > 1:
            raise SettingsError("the shares of faults exceed 1", "故障比例之和超过 1")
        if any(fault not in get_args(ManifestFault) for fault in self.manifests.values()):
            raise SettingsError(
                "a manifest fault is one of DN, NN, DY, never", "舱单故障只能为 DN、NN、DY、never"
            )

    @classmethod
    def parse(cls, text: str) -> Faults:
        """`lost_answers=0.1,hang_seconds=2,manifest:99912345675=NN` → Faults. Raises `SettingsError`."""
        numbers: dict[str, float] = {}
        manifests: dict[str, ManifestFault] = {}
        known = {f.name for f in fields(cls)} - {"manifests"}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, _, value = part.partition("=")
            if name.startswith("manifest:"):
                kind = next((k for k in get_args(ManifestFault) if k == value), None)
                if kind is None:
                    raise _unknown(part)
                manifests[normalise(name.removeprefix("manifest:"))] = kind
                continue
            try:
                numbers[name] = float(value)
            except ValueError as error:
                raise _unknown(part) from error
            if name not in known:
                raise _unknown(part)
        return cls(**numbers, manifests=manifests)

    def manifest(self, master: str) -> ManifestFault | None:
        """The fault asked for on a master waybill, if any."""
        wanted = normalise(master)
        return next((f for m, f in self.manifests.items() if normalise(m) == wanted), None)

    def wire(self, seed: int, key: str) -> Wire:
        """What happens to the answer of the door."""
        return _among(_WIRE, self, share_of(seed, "wire", key)) or "normal"

    def answers(self, seed: int, key: str) -> Answers:
        """What happens to the receipts."""
        return _among(_ANSWERS, self, share_of(seed, "answers", key)) or "normal"

    def wait(self, seed: int, key: str) -> float:
        """Real seconds by which the answer of the door is late."""
        return self.delay_seconds if share_of(seed, "late", key) < self.delays else 0.0


def _among(kinds: Mapping[str, _T], faults: Faults, share: float) -> _T | None:
    limit = 0.0
    for name, kind in kinds.items():
        limit += getattr(faults, name)
        if share < limit:
            return kind
    return None


def _unknown(part: str) -> SettingsError:
    names = ", ".join(f.name for f in fields(Faults) if f.name != "manifests")
    return SettingsError(
        f"unknown fault {part!r}; known: {names}, manifest:MASTER=DN|NN|DY|never",
        f"未知的故障选项 {part!r}；可用：{names}、manifest:总运单号=DN|NN|DY|never",
    )
