"""Filing and receiving: the wired rooms joined to the pure ones, and driven until nothing more can be done now."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from crossborder import china_time, messages, reconcile
from crossborder import settings as configured
from crossborder.engine import brought, endpoints, looking, profiles
from crossborder.engine.answers import Received, Submitted, Waiting
from crossborder.engine.brought import Brought
from crossborder.errors import (
    CrossborderError,
    InputError,
    NotFound,
    SettingsError,
    TransportError,
)
from crossborder.filing import (
    EndpointPolicy,
    Job,
    Reader,
    ReceiptPoller,
    Step,
    Tally,
    drain,
    endpoint_jobs,
    queue_job,
    read_job,
)
from crossborder.ledger import AttemptRecord, Draft, Ledger, ReadLot, StoredLot, Unread, lots
from crossborder.settings import Endpoint, Settings
from crossborder.transport import Transport, close_transport, open_late, open_transport

Progress = Callable[[int, int], None]
MOST_RECEIPT_BYTES = 16 * 1024 * 1024
APPLY_LOT = 2000
PATIENCE = timedelta(seconds=1)
"""How long at least nothing must move before filing gives up what an endpoint does not take."""
_OPEN = ("prepared", "awaiting_manifest", "queued", "sending", "not_received", "unknown")
_NOT_THERE = frozenset({"queued", "sending", "not_received", "unknown"})
"""Between these a message goes to and fro while its endpoint takes none: a try is no step forward."""
_VAIN = frozenset({"not_received", "unknown", "looked_up"})
"""What a tally counts of tries that may have come to nothing; if one led to something, a state says so."""


# -- what waits, and what may go where


def waiting(ledger: Ledger, settings: Settings, only: Sequence[str] | None) -> list[Waiting]:
    """Per batch and endpoint: what is sealed and not yet with the endpoint. Raises `NotFound` for a wrong id."""
    batches = [ledger.batch(b) for b in only] if only else ledger.batches()
    rows: list[Waiting] = []
    for batch in batches:
        if batch.state != "sealed":
            continue
        attempts = ledger.attempts_in(batch_ids=[batch.id], states=_OPEN)
        by_endpoint: dict[str, Counter[str]] = {}
        for attempt in attempts:
            by_endpoint.setdefault(attempt.endpoint, Counter())[attempt.kind] += 1
        for name, kinds in sorted(by_endpoint.items()):
            endpoint = settings.endpoints.get(name)
            rows.append(
                Waiting(
                    batch.id, batch.source_name, name, endpoint.kind if endpoint else "?",
                    _declarant(settings, batch.profile), kinds["manifest"], kinds["declaration"],
                )
            )  # fmt: skip
    return rows


def _declarant(settings: Settings, profile: str) -> str:
    try:
        firm = configured.find_profile(settings, profile)
    except NotFound:
        return profile
    return firm.values.get("declarant_name") or profile


def refuse(ledger: Ledger, settings: Settings, only: Sequence[str]) -> None:
    """Raise before anything moves: unknown batch, no address, wrong profile, other kind of endpoint (P12).

    One endpoint that cannot be opened is no reason, as long as another one of these batches can.
    """
    served = _served(ledger, settings, only)
    kinds = {endpoint.kind for endpoint in served.values()}
    if ledger.get_fact("endpoint_kind") is not None:  # before any of them is touched
        for kind in kinds:
            ledger.require_kind(kind)
    _refuse_unopened(ledger, served)
    for kind in kinds:
        ledger.require_kind(kind)


def _served(ledger: Ledger, settings: Settings, only: Sequence[str]) -> dict[str, Endpoint]:
    """The endpoints that something of these batches still goes to. Raises `NotFound`, `SettingsError`."""
    served: dict[str, Endpoint] = {}
    for batch_id in only:
        batch = ledger.batch(batch_id)
        firm = configured.find_profile(settings, batch.profile) if batch.profile else None
        for name in sorted(
            {a.endpoint for a in ledger.attempts_in(batch_ids=[batch_id], states=_OPEN)}
        ):
            endpoint = settings.endpoints.get(name)
            if endpoint is None or not endpoint.address:
                raise SettingsError(
                    f"endpoint {name!r} has no address", f"口岸 {name!r} 未设置地址", place=f"endpoints.{name}.address",
                    fix_en="set it in crossborder.toml; `crossborder sandbox` gives one to try",
                    fix_zh="请在 crossborder.toml 中设置；可用 crossborder sandbox 试用",
                )  # fmt: skip
            if firm is not None:
                endpoints.refuse_wrong_profile(name, endpoint, batch.profile, firm)
            served[name] = endpoint
    return served


def _refuse_unopened(ledger: Ledger, served: Mapping[str, Endpoint]) -> None:
    """Raise the error of the transports where none of the endpoints can be opened."""
    errors: list[CrossborderError] = []
    for name, endpoint in served.items():
        try:
            close_transport(open_transport(endpoint, name, dialects(ledger)))
        except (TransportError, SettingsError) as error:
            errors.append(error)
    if not errors or len(errors) < len(served):
        return
    if len(errors) == 1:
        raise errors[0]
    raise TransportError(
        "none of the endpoints can be opened: " + "; ".join(e.text("en") for e in errors),
        "所涉端点均无法打开：" + "；".join(e.text("zh") for e in errors),
    )


# -- the steps, with what they need from the pure rooms


class _Ids:
    """Message ids: sender by the batch's profile, receiver by the endpoint (policy `unique`).

    Raises `NotFound` or `SettingsError` where the settings no longer name the one or the other.
    """

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger, self._settings = ledger, settings
        self._senders: dict[str, str] = {}

    def __call__(self, draft: Draft, at: datetime, serial: int) -> str:
        sender = self._senders.get(draft.batch_id)
        if sender is None:
            profile = self._ledger.batch(draft.batch_id).profile
            sender = profiles.sender(configured.find_profile(self._settings, profile))
            self._senders[draft.batch_id] = sender
        endpoint = self._settings.endpoints.get(draft.endpoint)
        if endpoint is None:
            raise NotFound(f"no endpoint {draft.endpoint!r}", f"没有口岸 {draft.endpoint!r}")
        return messages.message_id(sender, endpoint.receiver_id, at, serial)


def read_stored(stored: StoredLot) -> ReadLot:
    """Raw receipts → what each says, or why it cannot be read."""
    found = messages.read_receipts(zip(stored.names, stored.raws, strict=True))
    ids = pl.Series("receipt_id", stored.ids, dtype=pl.Int64)
    endpoints = pl.Series("endpoint", stored.endpoints, dtype=pl.String)
    index = found.lines["index"]
    lines = found.lines.with_columns(ids.gather(index), endpoints.gather(index), pl.col("line").cast(pl.Int64))  # fmt: skip
    problems = found.problems.select("index", "message_type", "reason_en").iter_rows()
    return ReadLot(
        lines.select(*lots.LINES), [Unread(ids[index], said, reason) for index, said, reason in problems]
    )  # fmt: skip


def jobs(ledger: Ledger, settings: Settings, tally: Tally, stop: threading.Event) -> list[Job]:
    """Everything that files and follows: one queuer, one reader, and what each endpoint with an address needs.

    An endpoint that cannot be opened is named in the tally's troubles and tried again; the others go on.
    """
    made = [
        queue_job(ledger, messages.stamp, _Ids(ledger, settings), stop=stop, tally=tally),
        read_job(
            ledger, read_stored, _applier(ledger), save=_taker(ledger), stop=stop, tally=tally
        ),
    ]
    for name, endpoint in settings.endpoints.items():
        if endpoint.address:
            made += endpoint_jobs(
                ledger, name, endpoint, stop=stop, tally=tally, folders=dialects(ledger)
            )
    return made


def dialects(ledger: Ledger) -> list[Path]:
    """Where a desk keeps gateway dialects of its own."""
    return [ledger.home / "dialects"]


def _applier(ledger: Ledger) -> Callable[[datetime], int]:
    def apply(now: datetime) -> int:
        return reconcile.apply_receipts(ledger, APPLY_LOT, now).lines

    return apply


def _taker(ledger: Ledger) -> Callable[[ReadLot, datetime], int]:
    def take(lot: ReadLot, now: datetime) -> int:
        return reconcile.take_in(ledger, lot, now)

    return take


@contextlib.contextmanager
def _opened(ledger: Ledger, name: str, endpoint: Endpoint) -> Iterator[Transport]:
    transport = open_late(endpoint, name, dialects(ledger))
    try:
        yield transport
    finally:
        close_transport(transport)


# -- driving them


def file(
    ledger: Ledger, settings: Settings, only: Sequence[str], *, wait: float, progress: Progress
) -> Submitted:
    """File until nothing of these batches can move any more, or nothing has moved for `wait` seconds."""
    stop = threading.Event()
    tally, receipts = Tally(), brought.Watch(ledger)
    watch = _Watch(ledger, only, timedelta(seconds=wait), tally, progress)
    drain(jobs(ledger, settings, tally, stop), finished=watch.finished, stop=stop, rest=0.05)
    return submitted(ledger, only, tally.troubles, receipts.came())


def watch(ledger: Ledger, only: Sequence[str], *, wait: float, progress: Progress) -> Submitted:
    """Look on while another process of this home files: until nothing moves for `wait` seconds."""
    look = _Watch(ledger, only, timedelta(seconds=wait), Tally(), progress)
    pause = threading.Event()
    while not look.finished():
        pause.wait(0.1)
    return submitted(ledger, only, {})


def work(ledger: Ledger, settings: Settings, stop: threading.Event) -> None:
    """File and follow everything that was let go, until `stop`."""
    drain(jobs(ledger, settings, Tally(), stop), finished=lambda: False, stop=stop)


class _Watch:
    """Whether filing is finished: looks at the batches' own attempts, never more than a twentieth of the time."""

    def __init__(
        self, ledger: Ledger, only: Sequence[str], wait: timedelta, tally: Tally, progress: Progress
    ) -> None:
        self._ledger, self._only, self._tally, self._progress = ledger, list(only), tally, progress
        self._wait = wait
        self._followers = _followers(ledger, only)
        self._seen: tuple[dict[str, int], Counter[str]] | None = None
        self._since = china_time.now()
        self._look_at = 0.0

    def finished(self) -> bool:
        began = time.monotonic()
        if began < self._look_at:
            return False
        done = self._finished(china_time.now())
        self._look_at = began + 20 * (time.monotonic() - began)
        return done

    def _finished(self, now: datetime) -> bool:
        own = self._ledger.attempts_in(batch_ids=self._only)
        seen = (
            {name: n for name, n in self._tally.counts.items() if name not in _VAIN},
            Counter("not_there" if a.state in _NOT_THERE else a.state for a in own),
        )
        if seen != self._seen:
            self._seen, self._since = seen, now
        still = now - self._since
        open_ = [a.state for a in own if _may_move(a)] + self._following(own)
        self._progress(len(own) - min(len(open_), len(own)), len(own))
        if not open_:
            return True
        moving = any(state in ("prepared", "queued", "sending") for state in open_)
        if not moving and still >= self._wait:
            return True
        return still >= max(self._wait, PATIENCE)

    def _following(self, own: Sequence[AttemptRecord]) -> list[str]:
        """States of what other batches wait for: manifests of ours without an answer, then those declarations."""
        if not self._followers:
            return []
        undecided = {_master(a): a.state for a in own if a.kind == "manifest" and not a.final}
        waiting = [
            a for a in self._ledger.attempts_in(batch_ids=[b for b, _ in self._followers])
            if a.kind == "declaration" and (a.batch_id, _master(a)) in self._followers
        ]  # fmt: skip
        moving = [a.state for a in waiting if _may_move(a)]
        stuck = {_master(a) for a in waiting if a.state == "awaiting_manifest"}
        return moving + [state for master, state in undecided.items() if master in stuck]


def _master(attempt: AttemptRecord) -> str:
    """The master waybill as it stands in the key: compared normalised."""
    return attempt.key.partition("|")[0]


def _may_move(attempt: AttemptRecord) -> bool:
    """Whether filing may still move it: a declaration whose house was refused waits for another manifest."""
    refused = attempt.state == "awaiting_manifest" and "house_refused" in attempt.attention
    return attempt.state in _OPEN and not refused


def _followers(ledger: Ledger, only: Sequence[str]) -> set[tuple[str, str]]:
    """(batch, master waybill) of declarations of other batches, let go before, that wait for a manifest of these."""
    masters = {_master(a) for a in ledger.attempts_in(batch_ids=list(only), kind="manifest")}
    return {
        (a.batch_id, master)
        for master in masters
        for a in ledger.attempts_in(master=master, states=["awaiting_manifest"])
        if a.batch_id not in only
    }


def submitted(
    ledger: Ledger, only: Sequence[str], troubles: Mapping[str, str], came: Sequence[Brought] = ()
) -> Submitted:
    """How the attempts of these batches stand now."""
    made = ledger.attempts_in(batch_ids=list(only))
    held = reconcile.holdups(ledger, only)
    elsewhere = looking.recorded_elsewhere(ledger, only)
    return Submitted(
        _count(made, "declaration"), _count(made, "manifest"), troubles, held, elsewhere, came
    )


def _count(made: Sequence[AttemptRecord], kind: str) -> dict[str, int]:
    return dict(Counter(a.state for a in made if a.kind == kind).most_common())


# -- receiving


def receive(
    ledger: Ledger, settings: Settings, files: Sequence[Path], *, endpoint: str, follow: float, progress: Progress
) -> Received:  # fmt: skip
    """Import files, or fetch from every endpoint that has an address; then read and apply.

    `progress` is told (done, total) of the step at hand: files stored, then receipts read; the total of what an
    endpoint has is not known before it is fetched (0).
    """
    tally, watch = Tally(), brought.Watch(ledger)
    if files:
        _import(ledger, settings, files, endpoint, tally, progress)
        _read_waiting(ledger, _reader(ledger, tally), tally, progress)
    else:
        _fetch(ledger, settings, tally, follow, progress)
    counts = {
        name: tally.counts.get(name, 0)
        for name in ("receipts", "repeated", "read", "unreadable", "applied")
    }
    came = watch.came()
    loose = Counter({b.what: 0 for b in came if b.what in brought.LOOSE})
    for one in came:
        if one.what in loose:
            loose[one.what] += one.count
    troubled = {"trouble": len(tally.troubles)} if tally.troubles else {}
    return Received({**counts, **loose, **troubled}, tally.troubles, came, watch.before())


_STORE_LOT = 1000


def _reader(ledger: Ledger, tally: Tally) -> Reader:
    return Reader(ledger, read_stored, _applier(ledger), save=_taker(ledger), tally=tally)


def _read_waiting(ledger: Ledger, reader: Reader, tally: Tally, progress: Progress) -> None:
    """Read and apply until nothing waits; (receipts read, receipts that waited) after each lot."""
    total = ledger.unread_count()
    before = _looked_at(tally)
    while _more_at_once(reader):
        done = _looked_at(tally) - before
        progress(done, max(total, done))


def _looked_at(tally: Tally) -> int:
    counts = tally.counts
    return counts.get("read", 0) + counts.get("unreadable", 0)


def _more_at_once(step: Step) -> bool:
    """Take one step; whether the next one is due already."""
    now = china_time.now()
    wake = step.step(now)
    return wake is not None and wake <= now


def _fetch(
    ledger: Ledger, settings: Settings, tally: Tally, follow: float, progress: Progress
) -> None:
    until = china_time.now() + timedelta(seconds=follow)
    pause = threading.Event()
    served = {n: e for n, e in settings.endpoints.items() if e.address}
    with contextlib.ExitStack() as held:
        reader = _reader(ledger, tally)

        def stored(_: datetime) -> None:
            """What was stored is read before more is fetched: its bytes are still at hand."""
            _more_at_once(reader)
            progress(tally.counts.get("receipts", 0), 0)

        pollers = [
            ReceiptPoller(
                ledger,
                n,
                held.enter_context(_opened(ledger, n, e)),
                EndpointPolicy.of(e),
                tally=tally,
                stored=stored,
            )
            for n, e in served.items()
        ]
        while True:
            for poller in pollers:
                while _more_at_once(poller):
                    pass
            _read_waiting(ledger, reader, tally, progress)
            if china_time.now() >= until:
                return
            pause.wait(0.2)


def _import(
    ledger: Ledger, settings: Settings, files: Sequence[Path], endpoint: str, tally: Tally, progress: Progress
) -> None:  # fmt: skip
    """Store files in lots; all of them can be read, or none is stored. Raises `NotFound`, `InputError`."""
    name = endpoint or (
        next(iter(settings.endpoints)) if len(settings.endpoints) == 1 else "import"
    )
    if endpoint and endpoint not in settings.endpoints:
        raise NotFound(f"no endpoint {endpoint!r}", f"没有口岸 {endpoint!r}")
    paths = [p for f in files for p in (sorted(f.glob("*.xml")) if f.is_dir() else [f])]
    for path in paths:
        _read_receipt(path)
    done = 0
    for lot in _file_lots(paths):
        fresh = ledger.take_receipts(name, lot, china_time.now())
        tally.add("receipts", fresh)
        tally.add("repeated", len(lot) - fresh)
        done += len(lot)
        progress(done, len(paths))


def _file_lots(paths: Sequence[Path]) -> Iterator[list[tuple[str, bytes]]]:
    """(name, bytes) of files, in lots of at most `_STORE_LOT` and little more than one largest receipt."""
    lot: list[tuple[str, bytes]] = []
    size = 0
    for path in paths:
        raw = _read_receipt(path)
        lot.append((path.name, raw))
        size += len(raw)
        if len(lot) >= _STORE_LOT or size >= MOST_RECEIPT_BYTES:
            yield lot
            lot, size = [], 0
    if lot:
        yield lot


def _read_receipt(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_RECEIPT_BYTES:
            raise InputError(
                f"larger than {MOST_RECEIPT_BYTES} bytes: not a receipt", f"超过 {MOST_RECEIPT_BYTES} 字节，不是回执",
                place=str(path), fix_en="look whether it is the right file", fix_zh="请核对文件",
            )  # fmt: skip
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the receipt cannot be read ({error.strerror})", f"回执文件无法读取（{error.strerror}）",
            place=str(path), fix_en="check the path and its rights", fix_zh="请检查路径和权限",
        ) from error  # fmt: skip


# -- what endpoints say they have


def endpoint_accounts(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Of every sandbox with an `account` address: the messages it says it received, with digest and arrivals.

    Raises `TransportError` if one cannot be asked: a comparison that did not take place is no proof.
    """
    told: dict[str, list[dict[str, Any]]] = {}
    for name, endpoint in settings.endpoints.items():
        if endpoint.kind != "sandbox" or not endpoint.account:
            continue
        try:
            answer = httpx.get(endpoint.account, timeout=endpoint.timeout_seconds, trust_env=False)
            told[name] = answer.raise_for_status().json()["messages"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise TransportError(
                f"the sandbox cannot be asked what it received ({type(error).__name__})",
                f"无法向模拟口岸查询其收到的报文（{type(error).__name__}）",
                place=f"endpoints.{name}.account",
            ) from error
    return told
