"""`Engine`: the ledger half of the façade. Library, command line and service all call it; there is no second path."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from crossborder import china_time, intake, log, rules, settings
from crossborder.codes import Tables
from crossborder.engine import (
    endpoints,
    exports,
    filing,
    handing,
    kept,
    looking,
    once,
    outlook,
    profiles,
    pure,
    replaying,
    sources,
    taxing,
)
from crossborder.engine.answers import (
    Posted,
    Prepared,
    Received,
    Reconciled,
    Submitted,
    Waiting,
)
from crossborder.engine.checking import Checking
from crossborder.engine.collector import passing_over_what_is_there
from crossborder.engine.proving import Verify
from crossborder.engine.recorded import RecordedBatches
from crossborder.engine.recording import Desk, JudgedOtherwise
from crossborder.engine.replaying import Replayed
from crossborder.engine.results import JSON_FIELDS, Checked
from crossborder.engine.verbs import Verbs
from crossborder.errors import CrossborderError, LedgerError, NotFound
from crossborder.filing import filing_lock
from crossborder.ledger import KeyInUse, KeyRing, Ledger, partner_source
from crossborder.reconcile import Holdup
from crossborder.reports import DayReport
from crossborder.settings import Loaded, Operator, Profile, Settings
from crossborder.shipments import personal_names

Progress = Callable[[int, int], None]
_LOOKS = 3
"""How often a hand-in is recorded anew because what was recorded before a crash does not fit any more."""


def _no_progress(_done: int, _total: int) -> None:
    """Nobody watches."""


class Engine(Verbs):
    """Prepare, submit, receive, reconcile, look. Use it as a context manager.

    `settings` is what `crossborder.settings.load` gives, a `Settings`, or None: then file and environment are read
    as the command line reads them. The ledger is opened when it is first needed. Thread-safe: methods may be called
    from several threads; filing itself is done by one process per home at a time. Raises only `CrossborderError`.
    """

    def __init__(
        self, settings: Loaded | Settings | None = None, *, home: Path | None = None
    ) -> None:
        self.loaded = _loaded(settings, home)
        self.settings = self.loaded.settings
        self.home = self.loaded.home
        self._ledger: Ledger | None = None
        self._tables: tuple[_State, Tables] | None = None
        self._guard = threading.RLock()
        self._recording = (
            threading.RLock()
        )  # held while a hand-in is recorded; looking goes on meanwhile
        log.know_personal(personal_names())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the ledger; the engine opens it again if it is used again."""
        with self._guard:
            if self._ledger is not None:
                self._ledger.close()
                self._ledger = None

    @property
    def ledger(self) -> Ledger:
        """The ledger of this home, opened (and migrated) on first use. Raises `LedgerError`."""
        with self._guard:
            if self._ledger is None:
                self.home.mkdir(parents=True, exist_ok=True)
                at = self.settings.ledger
                ring = KeyRing.of(at, self.home)
                self._ledger = Ledger.open(self.home, url=at.address(), ring=ring)
            return self._ledger

    # -- what is known of the firm

    def profile(self, name: str = "") -> tuple[str, Profile]:
        """(name, profile) asked for, else the one the settings name. Raises `NotFound`, `SettingsError`."""
        chosen = name or self.settings.profile
        if not chosen:
            return "", Profile()
        firm = settings.find_profile(self.settings, chosen)
        profiles.refuse_wrong(firm)
        return chosen, firm

    def operator(self, name: str = "") -> Operator:
        """The operator asked for, else the one on shift by the settings."""
        return settings.find_operator(self.settings, name or self.settings.operator)

    def tables(self) -> Tables:
        """Code tables and rates: packaged ones, replaced by what was imported into this home.

        The same object as long as nothing is imported: what was made of it need not be made again.
        """
        folder = self.home / "codes"
        with self._guard:
            state = _state_of(folder)
            if self._tables is None or self._tables[0] != state:
                loaded = Tables.load(folder) if state else pure.packaged_tables()
                self._tables = (state, loaded)
            return self._tables[1]

    # -- checking and preparing

    def check(
        self, data: Any, *, mapping: Any = None, profile: str = "", operator: str = "", as_of: str | None = None,
        sheet: str | None = None,
    ) -> Checked:  # fmt: skip
        """Findings only: nothing is stored. As `crossborder.check`, with this home's tables and mappings."""
        judge = self._judge(self.profile(profile)[1], operator, as_of)
        return judge.whole(intake.read(data, **self._reading(mapping, sheet)))

    @contextmanager
    def checking(
        self, data: Any, *, mapping: Any = None, profile: str = "", operator: str = "", as_of: str | None = None,
        sheet: str | None = None, progress: Progress = _no_progress,
    ) -> Iterator[Checking]:  # fmt: skip
        """As `check`, for a hand-in of any size: block by block, in bounded memory."""
        judge = self._judge(self.profile(profile)[1], operator, as_of)

        def opened() -> AbstractContextManager[sources.Blocks]:
            return sources.open_blocks(data, **self._reading(mapping, sheet))

        with opened() as blocks:
            yield Checking(judge, blocks, opened, self.home, progress, data)

    # -- what it pays

    def tax(
        self, data: Any, *, mapping: Any = None, profile: str = "", operator: str = "", as_of: str | None = None,
        declared_on: str | None = None, sheet: str | None = None, regime: str = "declared", waybills: Sequence[str] = (),
    ) -> taxing.Taxed:  # fmt: skip
        """What the shipments of a hand-in pay. As `crossborder.tax`, with this home's tables, profiles and mappings."""
        return taxing.tax(
            data, profile=self.profile(profile)[1], operator=self.operator(operator), tables=self.tables(),
            as_of=as_of or self.settings.rules.as_of or None, declared_on=declared_on,
            regime=taxing.checked_regime(regime), waybills=waybills, **self._reading(mapping, sheet),
        )  # fmt: skip

    @contextmanager
    def taxing(
        self, data: Any, *, mapping: Any = None, profile: str = "", operator: str = "", as_of: str | None = None,
        declared_on: str | None = None, sheet: str | None = None, regime: str = "declared", waybills: Sequence[str] = (),
        progress: Progress = _no_progress,
    ) -> Iterator[taxing.Taxing]:  # fmt: skip
        """As `tax`, for a hand-in of any size: block by block, in bounded memory."""
        judge = taxing.judge_of(
            self.profile(profile)[1], self.operator(operator), self.tables(),
            as_of or self.settings.rules.as_of or None, declared_on,
        )  # fmt: skip
        asked = taxing.checked_regime(regime)
        with sources.open_blocks(data, **self._reading(mapping, sheet)) as blocks:
            yield taxing.Taxing(judge, blocks, asked, waybills, progress)

    def packs(self) -> tuple[rules.Pack, ...]:
        """The rule packs by time, with this home's tables."""
        return rules.packs(self.tables())

    def replay(
        self, before: str, after: str, data: Any = None, *, batches: Sequence[str] = (), day: str = "",
        mapping: Any = None, profile: str = "", operator: str = "", sheet: str | None = None,
        progress: Progress = _no_progress,
    ) -> Replayed:  # fmt: skip
        """Which shipments of a file, of batches or of a day's batches would fare differently under another rule pack.

        Packs are named by a day (yyyy-mm-dd) on which they are in force. Changes nothing. Raises `NotFound`, and for a
        file what `check` raises. Of a recorded batch only what was composed can be judged again.
        """
        sides = [
            (pack, self._judge(self.profile(profile)[1], operator, pack.id))
            for pack in (rules.find_pack(name, self.tables()) for name in (before, after))
        ]
        chosen = [b.id for b in looking.select(self.ledger, batches, day)] if data is None else []

        def opened() -> AbstractContextManager[sources.Blocks]:
            if data is None:
                return nullcontext(RecordedBatches(self.ledger, chosen))
            return sources.open_blocks(data, **self._reading(mapping, sheet))

        return replaying.replay(sides[0], sides[1], opened, self.home, progress)

    def prepare(
        self, data: Any, *, mapping: Any = None, profile: str = "", operator: str = "", as_of: str | None = None,
        sheet: str | None = None, who: str = "library", source_name: str = "", verify: Verify = "sample",
        idempotency: tuple[int, str] | None = None, progress: Progress = _no_progress,
    ) -> Prepared:  # fmt: skip
        """Check, compose and record a hand-in of any size as a batch. Nothing leaves the house.

        A crash while recording loses nothing: preparing the same file again goes on at the last committed block.
        `verify` says how many documents libxml2 looks at: `none`, a `sample` (one in a hundred), `all`; of a
        hand-in with fewer than 500 it always looks at all. `progress` is told shipments done and in all (an
        estimate until the end).
        """
        name, firm = self.profile(profile)
        desk = Desk(
            self.ledger, self.settings, self._judge(firm, operator, as_of), name, china_time.now(), who,
            source_name, idempotency, verify, progress, self._recording,
        )  # fmt: skip
        for _ in range(_LOOKS):
            with sources.open_blocks(data, **self._reading(mapping, sheet)) as blocks:
                try:
                    return handing.record(blocks, desk)
                except JudgedOtherwise:
                    continue
        raise LedgerError(
            "other processes keep recording the same waybills", "其他进程正在录入相同的运单",
            place=source_name, fix_en="wait until they are done and hand the file in again", fix_zh="请等待其完成后重新提交",
        )  # fmt: skip

    def _judge(self, firm: Profile, operator: str, as_of: str | None) -> pure.Judge:
        return pure.Judge.of(
            firm,
            self.operator(operator),
            self.tables(),
            as_of=as_of or self.settings.rules.as_of or None,
            served=endpoints.prefixes(self.settings.endpoints),
            most_houses=min((e.max_houses for e in self.settings.endpoints.values()), default=None),
        )

    def _reading(self, mapping: Any, sheet: str | None) -> dict[str, Any]:
        """How this home reads a hand-in."""
        limits = self.settings.intake
        return {
            "mapping": mapping,
            "folders": [self.home / "mappings"],
            "sheet": sheet,
            "limits": intake.Limits(
                max_bytes=limits.max_bytes, max_rows=limits.max_rows, max_cell_chars=limits.max_cell_chars
            ),
        }  # fmt: skip

    def export(self, batch: str, folder: Path, layout: str = "files") -> int:
        """Write a batch's documents as files or as a tar bundle per endpoint and type; how many. An export only."""
        return exports.export(self.ledger, batch, folder, layout)

    # -- filing

    def waiting(self, only: Sequence[str] | None = None) -> list[Waiting]:
        """What is prepared and not filed, per batch and endpoint."""
        return filing.waiting(self.ledger, self.settings, only)

    def submit(
        self,
        only: Sequence[str],
        *,
        who: str = "library",
        wait: float = 60.0,
        progress: Progress = _no_progress,
    ) -> Submitted:
        """Let batches go and file what may be filed now: manifests, then declarations whose house is accepted.

        Waits up to `wait` seconds while nothing moves. Raises `LedgerError` if another process files from this home
        (nothing is let go then; see `let_go`), `SettingsError` if an endpoint has no address or must not be used
        with the profile.
        """
        filing.refuse(self.ledger, self.settings, only)
        with self.filing_alone("submit"):
            self._release(only, who)
            return filing.file(self.ledger, self.settings, only, wait=wait, progress=progress)

    def watch(
        self, only: Sequence[str], *, wait: float = 60.0, progress: Progress = _no_progress
    ) -> Submitted:
        """Look on while another process of this home files batches, until nothing moves for `wait` seconds."""
        return filing.watch(self.ledger, only, wait=wait, progress=progress)

    def filing_alone(self, doing: str) -> AbstractContextManager[None]:
        """Hold the right to file from this home. Raises `LedgerError` naming who holds it."""
        self.home.mkdir(parents=True, exist_ok=True)
        return filing_lock(self.home, doing)

    def work(self, stop: threading.Event) -> None:
        """File and follow everything that was let go, until `stop` is set (the service's worker and poller)."""
        filing.work(self.ledger, self.settings, stop)

    def receive(
        self,
        files: Sequence[Path] = (),
        *,
        endpoint: str = "",
        follow: float = 0.0,
        progress: Progress = _no_progress,
    ) -> Received:
        """Fetch receipts of every endpoint, or import files: stored raw, then read, matched, applied."""
        with passing_over_what_is_there():
            return filing.receive(
                self.ledger,
                self.settings,
                files,
                endpoint=endpoint,
                follow=follow,
                progress=progress,
            )

    # -- looking

    def reconcile(
        self, only: Sequence[str] = (), *, day: str = "", ask_endpoints: bool = True
    ) -> Reconciled:
        """Prove that every shipment and row is in exactly one place; changes nothing."""
        return looking.reconcile(self.ledger, self.settings, only, day, ask_endpoints=ask_endpoints)

    def account(self, only: Sequence[str] = (), *, day: str = "") -> dict[str, tuple[int, int]]:
        """The closing account: line → (shipments, rows), `handed_in` and the lines it is the sum of."""
        return looking.account(self.ledger, only, day)

    def states(self, only: Sequence[str]) -> dict[str, int]:
        """Declarations of batches by state."""
        return looking.states(self.ledger, only)

    def status(self, waybill: str, partner: str | None = None) -> list[dict[str, Any]]:
        """Every attempt of a waybill with its time line and receipts; of one partner only, if named.

        A hand-in of which nothing was composed says why: `findings`, as `Engine.findings` has them.
        """
        return looking.stories(self.ledger, waybill, partner)

    def attempts(
        self, *, state: str = "", master: str = "", batches: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Attempts of a state, a master waybill, or batches."""
        return looking.attempts(self.ledger, state, master, batches)

    def document(self, attempt_id: int) -> bytes:
        """The exact bytes of an attempt: frozen ones if it was queued, else its draft."""
        return looking.document(self.ledger, attempt_id, china_time.now())

    def not_manifested(self, only: Sequence[str] = (), *, day: str = "") -> list[dict[str, str]]:
        """Shipments that stand on no manifest because their line cannot be written."""
        return looking.not_manifested(self.ledger, only, day)

    def holdups(self, only: Sequence[str] = (), *, day: str = "") -> list[Holdup]:
        """What stands beside the account: what holds declarations up, and what to do about it; the worst first."""
        return looking.holdups(self.ledger, only, day)

    def batches(self, day: str = "") -> list[dict[str, Any]]:
        """Batches of a day (`yyyy-mm-dd`), or the latest."""
        return [looking.batch_as_dict(b) for b in looking.select(self.ledger, (), day)]

    def batch(self, batch_id: str, partner: str | None = None) -> dict[str, Any]:
        """One batch with its account. Raises `NotFound`, also where it is another partner's."""
        found = self.ledger.batch(batch_id)
        if not found.brought_by(partner):
            raise NotFound(f"no batch {batch_id!r}", f"没有批次 {batch_id!r}")
        return looking.batch_as_dict(found) | outlook.outlook(
            self.ledger, found, partner, china_time.now()
        )

    def findings(self, batch_id: str, limit: int = 1000, after: int = 0) -> list[dict[str, Any]]:
        """Findings kept with a batch, in order; those told once for many shipments (a missing rate) come last."""
        rows = self.ledger.findings_of(batch_id, after, limit, once=once.RULES)
        return [kept.finding(row) for row in rows]

    def iter_findings(self, batch_id: str, lang: str = "en") -> Iterator[dict[str, Any]]:
        """All findings kept with a batch, as `prepare --json` shows them."""
        for row in self.ledger.each_finding(batch_id, once=once.RULES):
            record = kept.finding(row)
            yield {n: record["fix_zh" if (n, lang) == ("fix", "zh") else n] for n in JSON_FIELDS}

    def unreadable(self, latest: int) -> list[dict[str, str]]:
        """The latest receipts that could not be read: `endpoint, name, problem`."""
        kept = self.ledger.unreadable_receipts()[-latest:] if latest else []
        return [{"endpoint": e, "name": name, "problem": why} for _, e, name, why in kept]

    def report(self, only: Sequence[str] = (), *, day: str = "") -> DayReport:
        """The day (or some batches) as a report."""
        return looking.report(self.ledger, self.settings, only, day, china_time.now())

    # -- partners

    def post(
        self, data: Any, *, mapping: str | None, partner: tuple[int, str], idempotency_key: str = "",
        body_digest: str = "", submit: bool = False,
    ) -> Posted:  # fmt: skip
        """A partner's hand-in. The same idempotency key with the same body gives the batch it made the first time.

        What was broken off the first time is finished: recorded to the end, let go if that was asked for. Letting go
        includes earlier batches of the same partner that hold what is already known of this one. Raises `KeyInUse` while
        another process records what was posted with the same key.
        """
        key_id, name = partner
        chosen = self.settings.service
        with self._recording:
            first = ""
            if idempotency_key:
                known = self.ledger.idempotent(
                    key_id, idempotency_key, body_digest, china_time.now()
                )
                if not known.same_body:
                    return Posted(same_body=False, repeated=True, batch={})
                first = self._sealed(known.batch_id)
            try:
                batch = first or self.prepare(
                    data, mapping=mapping, profile=chosen.profile, operator=chosen.operator, who=f"partner {name}",
                    source_name=partner_source(name, idempotency_key or secrets.token_hex(6)),
                    idempotency=(key_id, idempotency_key) if idempotency_key else None,
                ).batch  # fmt: skip
            except KeyInUse as other:  # another process was quicker
                batch = first = self._sealed(other.batch_id)
                if not first:
                    raise
            not_filed, let_go = None, outlook.to_let_go(self.ledger, batch, name) if submit else []
            try:
                for one in let_go:
                    self.let_go(one, f"partner {name}")
            except CrossborderError as error:  # it is recorded: the desk sees it waiting
                not_filed = error
        gone = [one for one in let_go if self.ledger.batch(one).submitted_at]
        return Posted(True, bool(first), self.batch(batch, name), not_filed, gone)

    def _sealed(self, batch: str | None) -> str:
        """The batch if it is recorded to its end; empty else."""
        return batch if batch and self.ledger.batch(batch).state == "sealed" else ""

    def let_go(self, batch: str, who: str) -> None:
        """Let a batch go to the process of this home that files. Raises as `submit` does before anything moves."""
        filing.refuse(self.ledger, self.settings, [batch])
        self._release([batch], who)

    def _release(self, batches: Sequence[str], who: str) -> None:
        manifest_first: Mapping[str, bool] = {
            name: e.manifest_first for name, e in self.settings.endpoints.items()
        }
        self.ledger.release(list(batches), who, china_time.now(), manifest_first)

    def add_key(self, name: str) -> str:
        """A new key for a partner, shown this once; only its digest is kept.

        Raises `LedgerError` if the name is taken, or is not 1 to 64 letters, digits, dots, hyphens or underscores.
        """
        if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}", name):
            raise LedgerError(
                f"not usable as the name of a partner: {name!r}", f"不能用作合作方名称：{name!r}",
                fix_en="1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first",
                fix_zh="1 至 64 个字母、数字、点、连字符或下划线，以字母或数字开头",
            )  # fmt: skip
        key = f"cb_{secrets.token_urlsafe(32)}"
        self.ledger.add_api_key(name, key, china_time.now())
        return key

    def keys(self) -> list[dict[str, Any]]:
        """Names of partners' keys, never the keys."""
        return [
            {"name": name, "created_at": made, "revoked_at": revoked}
            for _, name, made, revoked in self.ledger.api_keys()
        ]

    def revoke_key(self, name: str) -> None:
        """Revoke a partner's key. Raises `NotFound`."""
        self.ledger.revoke_api_key(name, china_time.now())

    def partner(self, key: str) -> tuple[int, str] | None:
        """(id, name) of the partner whose key this is, None for an unknown or revoked one."""
        return self.ledger.api_key(key)


_State = list[tuple[str, int, int]]
"""Names, moments and sizes of the files of a folder."""


def _state_of(folder: Path) -> _State:
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [(f.name, (stat := f.stat()).st_mtime_ns, stat.st_size) for f in files]


def _loaded(given: Loaded | Settings | None, home: Path | None) -> Loaded:
    if isinstance(given, Loaded):
        return given
    if isinstance(given, Settings):
        return Loaded(given, home or settings.home_folder(), None, {})
    return settings.load(home=home)
