"""`Verbs`: what a person decides, and what proves it afterwards. `Engine` has all of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from crossborder import china_time
from crossborder.engine import accepting, audit, deciding, looking
from crossborder.engine.answers import Accepted
from crossborder.ledger import Erasure, Ledger, RingState, Rotated, Selection
from crossborder.ledger.states import HELD
from crossborder.settings import Settings

Progress = Callable[[int, int], None]


def _no_progress(_done: int, _total: int) -> None:
    """Nobody watches."""


class Verbs(ABC):
    """The operator's verbs on a ledger, each one transaction with who and why, and the audit. Thread-safe."""

    settings: Settings

    @property
    @abstractmethod
    def ledger(self) -> Ledger:
        """The ledger of this home."""

    # -- deciding

    def resolve(
        self, waybill: str, as_: str, *, reason: str, who: str = "library", dry_run: bool = False
    ) -> dict[str, Any]:
        """Record a person's decision about an unknown: `received`, `not-received`, `declined`; or `file-again`, about what
        customs has ended and left to a person whether it is filed again. Raises `NotFound`, `LedgerError`.
        """
        done = deciding.resolve(self.ledger, waybill, as_, reason, who, dry_run=dry_run)
        return {"key": done.key, "from": done.from_state, "to": done.to_state, "dry_run": done.dry_run}  # fmt: skip

    def suspend(
        self, waybills: Sequence[str] = (), *, masters: Sequence[str] = (), batches: Sequence[str] = (), reason: str,
        who: str = "library", dry_run: bool = False,
    ) -> deciding.Ruled:  # fmt: skip
        """Keep what waits from being sent until `resume`. What is being sent or has left is left alone, with the reason.

        `waybills`: houses (their declarations), masters (their manifests); `masters`: manifest and declarations; `batches`:
        all of a batch, or what of it is named. Raises `NotFound`, `LedgerError`.
        """
        which = Selection(waybills, masters, batches)
        return deciding.rule(self.ledger, self.settings, "suspend", which, reason, who, dry_run=dry_run)  # fmt: skip

    def resume(
        self, waybills: Sequence[str] = (), *, masters: Sequence[str] = (), batches: Sequence[str] = (), reason: str,
        who: str = "library", dry_run: bool = False,
    ) -> deciding.Ruled:  # fmt: skip
        """Let what was suspended go on where it was; it is sent by `submit` or the service as before. As `suspend`."""
        which = Selection(waybills, masters, batches)
        return deciding.rule(self.ledger, self.settings, "resume", which, reason, who, dry_run=dry_run)  # fmt: skip

    def void(
        self, waybills: Sequence[str] = (), *, masters: Sequence[str] = (), batches: Sequence[str] = (), reason: str,
        who: str = "library", dry_run: bool = False,
    ) -> deciding.Ruled:  # fmt: skip
        """Give up that of which no byte has left: it never goes, its key is free for a new hand-in. As `suspend`."""
        which = Selection(waybills, masters, batches)
        return deciding.rule(self.ledger, self.settings, "void", which, reason, who, dry_run=dry_run)  # fmt: skip

    # -- auditing

    def audit_verify(
        self, since: Sequence[str] = (), *, progress: Progress = _no_progress
    ) -> audit.Audited:
        """Prove that no entry of the history was edited, is missing or moved, and that the ledger is what it says.

        `since`: heads that were kept elsewhere (`NUMBER:DIGEST`, or a `head.json`); each must still be in the chain.
        Changes nothing. Raises `InputError` for what is no head.
        """
        return audit.verify(self.ledger, since, progress)

    def audit_export(
        self,
        folder: Path,
        only: Sequence[str] = (),
        *,
        day: str = "",
        progress: Progress = _no_progress,
    ) -> audit.Exported:
        """Write the history (of some batches, or a day's) for an auditor, with a script that checks it offline.

        Raises `InputError`, `NotFound`.
        """
        return audit.export(self.ledger, folder, only, day, progress)

    # -- letting pass

    def accept(
        self, rule: str, batch: str, *, reason: str, waybills: Sequence[str] = (), who: str = "library", dry_run: bool = False,
    ) -> Accepted:  # fmt: skip
        """Let pass what waits for a rule in a batch (or single house waybills of it): a person's decision, recorded.

        Shipments that wait for nothing else become prepared and can be submitted; the answer says what keeps the others.
        A rule that rejects cannot be accepted. Accepting twice is harmless. Raises `NotFound`, `LedgerError`.
        """
        now = china_time.now()
        return accepting.accept(
            self.ledger, rule, batch, waybills, reason, who, now, dry_run=dry_run
        )

    def acceptances(self, only: Sequence[str] = (), *, day: str = "") -> list[dict[str, Any]]:
        """What was accepted in batches: `batch, rule, who, at, reason, shipments, passed`, in the order of time.

        `shipments` are those it was accepted for, empty where it was for the whole batch; `passed` how many it freed.
        """
        return accepting.acceptances(
            self.ledger, [b.id for b in looking.select(self.ledger, only, day)]
        )

    def held(self, only: Sequence[str] = (), *, day: str = "") -> dict[str, dict[str, int]]:
        """Batch → rule → how many shipments wait for a person because of it."""
        batches = looking.select(self.ledger, only, day)
        return self.ledger.held_by([b.id for b in batches if any(map(b.counts.get, HELD))])

    # -- what rests

    def erase(
        self, batches: Sequence[str] = (), *, days: int | None = None, reason: str = "", who: str = "library",
        force: bool = False, dry_run: bool = False,
    ) -> Erasure:  # fmt: skip
        """Destroy the keys of batches that have rested for the retention time (`days` instead of the settings'), for ever.

        Named batches only, else all that are due; see `Ledger.erase`. Raises `NotFound`, `LedgerError`.
        """
        rest = self.settings.ledger.retention_days if days is None else days
        return self.ledger.erase(
            batches, timedelta(days=rest), who, reason, china_time.now(), force=force, dry_run=dry_run
        )  # fmt: skip

    def ring(self) -> RingState:
        """The keys that wrap the keys of what is encrypted, by name, never the keys."""
        return self.ledger.ring()

    def rotate_keys(self, who: str = "library") -> Rotated:
        """Wrap everything by the key that the settings name, or by a new one of the key file. See `Ledger.rotate`."""
        return self.ledger.rotate(who, china_time.now())
