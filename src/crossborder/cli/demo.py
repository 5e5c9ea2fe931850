"""The demonstration: two days' files become XML, go to two endpoints over two transports, come back as receipts.

Everything happens in a folder of its own, against the simulated port in a process of its own. The closing table
is computed from the ledger and compared with what the sandbox says it received; a difference is exit code 1.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossborder.cli import common
from crossborder.cli.demo_port import Doors, demo_settings, silent, simulated_port, told
from crossborder.cli.words import t
from crossborder.wide import padded

if TYPE_CHECKING:
    from rich.console import Console

    from crossborder.engine import Engine, Prepared, Reconciled, Submitted

PATIENCE = 30.0
"""Seconds to wait at most for receipts; the sandbox of the demonstration answers at once."""
_EXAMPLES = 4


@dataclass(frozen=True)
class Day:
    """One file of the demonstration: direction, mapping, kind of file, share of the parcels and of dirty ones."""

    name: str
    direction: str
    mapping: str
    suffix: str
    share: float
    dirty: float


DAYS = (
    Day("进口预报清单", "I", "zh-desk", ".csv", 0.6, 0.06),
    Day("export", "E", "elements", ".csv", 0.4, 0.05),
)


def run_demo(
    shipments: int, seed: int, folder: Path | None, *, as_json: bool, speed: float = 0.0
) -> int:
    """Run the whole flow; the answer is the closing account, and whether ledger and sandbox agree.

    `speed` as the sandbox takes it (0: as fast as it can). Raises `InputError` for a folder that was used before.
    """
    from crossborder.engine import Engine

    began = time.monotonic()
    home = _fresh(folder)
    console = common.err() if as_json else common.out()
    console.print(
        t("[bold]crossborder 演示[/]  全部数据均为虚构  [black on yellow] SANDBOX [/]",
          "[bold]crossborder demo[/]  everything in it is made up  [black on yellow] SANDBOX [/]")
    )  # fmt: skip
    with (
        simulated_port(home / "sandbox", seed, speed) as doors,
        Engine(demo_settings(home, doors)) as engine,
    ):
        batches = _Story(engine, home, doors, console).tell(shipments, seed)
        proof = engine.reconcile(batches, ask_endpoints=True)
        received = {name: len(account["messages"]) for name, account in told(doors).items()}
        from crossborder.reports import write_report

        write_report(engine.report(batches), home / "report.html", common.lang())
    _close(proof, received, home, console, time.monotonic() - began, as_json=as_json)
    return 1 if proof.differences or not _adds_up(proof.account) else 0


def _fresh(folder: Path | None) -> Path:
    from crossborder.errors import InputError

    if folder is None:
        return Path(tempfile.mkdtemp(prefix="crossborder-demo-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        used = any(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"the folder cannot be used ({error.strerror})", f"文件夹无法使用（{error.strerror}）", place=str(folder)
        ) from error  # fmt: skip
    if used:
        raise InputError(
            "the folder is not empty", "文件夹不是空的", place=str(folder),
            fix_en="name a new folder, or leave --folder out", fix_zh="请另给一个新文件夹，或不写 --folder",
        )  # fmt: skip
    return folder.resolve()


def _adds_up(account: Mapping[str, tuple[int, int]]) -> bool:
    from crossborder.reports import adds_up

    return adds_up(account)


class _Story:
    """What happens, told a line at a time."""

    def __init__(self, engine: Engine, home: Path, doors: Doors, console: Console) -> None:
        self._engine, self._home, self._doors, self._console = engine, home, doors, console

    def tell(self, shipments: int, seed: int) -> list[str]:
        """Hand in both files, file, follow; then hand in the first one corrected. The batches."""
        batches = []
        for number, day in enumerate(DAYS):
            file = self._compose(day, round(shipments * day.share), seed + number, day.dirty)
            batches.append(self._hand_in(file, day, t("交入", "hand in")))
        self._follow(batches)
        first = DAYS[0]
        corrected = self._compose(first, round(shipments * first.share), seed, 0.0)
        batches.append(self._hand_in(corrected, first, t("更正后重交", "corrected")))
        self._follow(batches)
        return batches

    def _compose(self, day: Day, shipments: int, seed: int, dirty: float) -> Path:
        """A day's file. With the same seed and no dirt it holds the same parcels, every fault repaired."""
        from crossborder import china_time, samples

        stem = day.name if dirty else f"{day.name}-{t('更正', 'corrected')}"
        file = self._home / "files" / f"{stem}{day.suffix}"
        file.parent.mkdir(exist_ok=True)
        samples.create(
            file, shipments=shipments, seed=seed, dirty=dirty, direction=day.direction, mapping=day.mapping,
            day=china_time.now().date(),
        )  # fmt: skip
        return file

    def _hand_in(self, file: Path, day: Day, title: str) -> str:
        way = t("进口", "import") if day.direction == "I" else t("出口", "export")
        self._say(title, f"{file.name}  {way}  {t('对照表', 'mapping')} {day.mapping}", "bold cyan")
        done = self._engine.prepare(file, mapping=day.mapping, profile="demo", who="demo")
        self._show_findings(done)
        self._show_prepared(done)
        folder = self._home / "xml" / done.batch
        written = self._engine.export(done.batch, folder, "files")
        self._say("XML", f"{written:,} → {folder}")
        filed = self._engine.submit([done.batch], who="demo", wait=PATIENCE)
        self._show_filed(filed)
        return done.batch

    def _show_findings(self, done: Prepared) -> None:
        from crossborder.reports import label

        rows = done.summary.by_rule
        for row in rows.head(_EXAMPLES).iter_rows(named=True):
            what = label(row["what"], common.lang())
            self._say("", f"{what} {row['rule']} ×{row['count']} {row[common.lang()]}", "dim", cut=True)  # fmt: skip
        if rows.height > _EXAMPLES:
            rest = rows.height - _EXAMPLES
            self._say("", t(f"…另有 {rest} 类", f"… and {rest} kinds more"), "dim")

    def _show_prepared(self, done: Prepared) -> None:
        new, filed = done.counts.get("prepared", 0), done.counts.get("already_filed", 0)
        self._say(
            t("制单", "prepared"),
            t(f"{done.shipments:,} 票：新申报 {new:,}，此前已申报 {filed:,}，待更正 {done.to_correct:,}；舱单 {done.manifests:,}",
              f"{done.shipments:,} shipments: {new:,} new attempts, {filed:,} already filed, {done.to_correct:,} to correct; "
              f"{done.manifests:,} manifests"),
        )  # fmt: skip

    def _show_filed(self, filed: Submitted) -> None:
        away = sum(n for state, n in filed.states.items() if state not in _STILL_HERE)
        manifests = sum(n for state, n in filed.manifests.items() if state not in _STILL_HERE)
        self._say(
            t("申报", "filed"),
            t(f"舱单 {manifests:,}，报关单 {away:,}", f"{manifests:,} manifests, {away:,} declarations"),
        )  # fmt: skip

    def _follow(self, batches: Sequence[str]) -> None:
        """Fetch receipts until the sandbox has nothing more to say, or patience ends."""
        from crossborder.reports import label

        until = time.monotonic() + PATIENCE
        quiet = False
        while not quiet and time.monotonic() < until:
            quiet = silent(self._doors)  # asked first: what it said until then is fetched below
            self._engine.receive()
            if not quiet:
                time.sleep(0.1)
        states = self._engine.states(batches)
        said = t("，", ", ").join(f"{label(s, common.lang())} {n:,}" for s, n in states.items())
        self._say(t("收回执", "receipts"), said)

    def _say(self, what: str, text: str, style: str = "", *, cut: bool = False) -> None:
        from rich.text import Text

        line = Text(padded(what, 12), style="bold cyan" if what else "")
        line.append(text, style=style or None)
        if cut:
            self._console.print(line, no_wrap=True, overflow="ellipsis")
        else:
            self._console.print(line, soft_wrap=True)


_STILL_HERE = frozenset(
    {"prepared", "awaiting_manifest", "queued", "sending", "not_received", "unknown"}
)


def _close(
    proof: Reconciled, received: Mapping[str, int], home: Path, console: Console, seconds: float, *, as_json: bool
) -> None:  # fmt: skip
    """The account, what the sandbox says, and where everything lies."""
    places = {"home": home, "xml": home / "xml", "report": home / "report.html"}
    if as_json:
        more: dict[str, Any] = {name: str(place) for name, place in places.items()}
        common.answer(
            proof.as_json()
            | {"adds_up": _adds_up(proof.account), "sandbox_received": dict(received), "seconds": round(seconds, 1)}
            | more
        )  # fmt: skip
        return
    from crossborder.cli.following import show_differences
    from crossborder.reports import account_table

    console.print()
    console.print(account_table(proof.account, common.lang(), t("收盘总账", "closing account")))
    counts = ", ".join(f"{name} {count:,}" for name, count in received.items())
    common.line(t(f"模拟口岸称已收到：{counts}", f"the sandbox says it received: {counts}"))
    show_differences(proof.differences)
    for label, name in (
        (t("报文", "XML"), "xml"),
        (t("日报", "report"), "report"),
        (t("全部", "all of it"), "home"),
    ):
        common.line(f"{label}: {places[name]}")
    common.line(t(f"用时 {seconds:.0f} 秒", f"{seconds:.0f} s"), style="dim")
