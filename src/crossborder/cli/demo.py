"""The demonstration: two days' files become XML, go to two endpoints over two transports, come back as receipts.

Everything happens in a folder of its own, against the simulated port in a process of its own. The closing table
is computed from the ledger and compared with what the sandbox says it received; a difference is exit code 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossborder.cli import common
from crossborder.cli.words import t

if TYPE_CHECKING:
    from rich.console import Console

    from crossborder.engine import Engine, Prepared
    from crossborder.settings import Loaded

PATIENCE = 50.0
"""Seconds to wait at most for receipts; the sandbox of the demonstration answers at once."""


@dataclass(frozen=True)
class Day:
    """One file of the demonstration: its direction, mapping, kind of file and share of dirty shipments."""

    name: str
    direction: str
    mapping: str
    suffix: str
    share: float
    dirty: float


DAYS = (
    Day("进口预报清单-import", "I", "zh-desk", ".csv", 0.6, 0.06),
    Day("export-manifest", "E", "elements", ".csv", 0.4, 0.05),
)


def run_demo(
    shipments: int, seed: int, folder: Path | None, *, as_json: bool, lang: str, speed: float = 0.0
) -> int:
    """Run the whole flow; the answer is the closing account, and whether ledger and sandbox agree."""
    from crossborder.engine import Engine

    began = time.monotonic()
    home = folder or Path(tempfile.mkdtemp(prefix="crossborder-demo-"))
    home.mkdir(parents=True, exist_ok=True)
    console = common.err() if as_json else common.out()
    console.print(t("[bold]crossborder 演示[/]  全部数据均为虚构  [black on yellow] SANDBOX [/]",
                    "[bold]crossborder demo[/]  everything in it is made up  [black on yellow] SANDBOX [/]"))  # fmt: skip
    with simulated_port(home / "sandbox", seed, speed) as doors:
        loaded = demo_settings(home, doors)
        with Engine(loaded) as engine:
            batches = _the_day(engine, home, shipments, seed, console, lang)
            _wait_for_decisions(engine, batches, console)
            proof = engine.reconcile(batches, ask_endpoints=True)
            report = home / "report.html"
            from crossborder.reports import write_report

            write_report(engine.report(batches), report, lang)
    return _closing(proof, home, report, console, lang, as_json, time.monotonic() - began)


def _the_day(
    engine: Engine, home: Path, shipments: int, seed: int, console: Console, lang: str
) -> list[str]:
    """Hand in, file, take in the first receipts; then correct one file and hand it in again."""
    from crossborder import samples

    batches: list[str] = []
    for number, day in enumerate(DAYS):
        count = round(shipments * day.share)
        file = home / "files" / f"{day.name}{day.suffix}"
        file.parent.mkdir(exist_ok=True)
        asked = {
            "shipments": count,
            "seed": seed + number,
            "direction": day.direction,
            "mapping": day.mapping,
        }
        samples.create(file, dirty=day.dirty, **asked)  # type: ignore[arg-type]  # keywords by name
        _say(console, t("交入", "hand in"), f"{file.name}")
        batches.append(_prepare_and_file(engine, file, day.mapping, home, console, lang))
        clean = file.with_name(f"{day.name}-corrected{day.suffix}")
        samples.create(clean, dirty=0.0, **asked)  # type: ignore[arg-type]  # keywords by name
    corrected = home / "files" / f"{DAYS[0].name}-corrected{DAYS[0].suffix}"
    _say(console, t("更正后重交", "corrected, handed in again"), corrected.name)
    batches.append(_prepare_and_file(engine, corrected, DAYS[0].mapping, home, console, lang))
    return batches


def _prepare_and_file(
    engine: Engine, file: Path, mapping: str, home: Path, console: Console, lang: str
) -> str:
    done = engine.prepare(file, mapping=mapping, profile="demo", who="demo")
    _show_prepared(done, console, lang)
    written = engine.export(done.batch, home / "xml" / done.batch, "files")
    _say(console, "XML", f"{written:,} → {home / 'xml' / done.batch}")
    filed = engine.submit([done.batch], who="demo", wait=PATIENCE)
    _say(console, t("申报", "filed"), ", ".join(f"{s} {n:,}" for s, n in filed.states.items()))
    return done.batch


def _show_prepared(done: Prepared, console: Console, lang: str) -> None:
    c = done.counts
    _say(
        console, t("制单", "prepared"),
        t(f"{done.shipments:,} 票：新申报 {c.get('prepared', 0):,}，此前已申报 {c.get('already_filed', 0):,}，待更正 {done.to_correct:,}",
          f"{done.shipments:,} shipments: {c.get('prepared', 0):,} new attempts, {c.get('already_filed', 0):,} already filed, {done.to_correct:,} to correct"),
    )  # fmt: skip
    from crossborder.reports import grouped

    for row in grouped(done.checked.findings).head(4).iter_rows(named=True):
        console.print(
            f"             [dim]{row['rule']:<20} ×{row['count']:<4} {row[lang]}[/]",
            overflow="ellipsis",
            no_wrap=True,
        )


def _wait_for_decisions(engine: Engine, batches: list[str], console: Console) -> None:
    """Fetch receipts until nothing is in flight any more, or patience ends."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        engine.submit(batches, who="demo", wait=0.0)
        engine.receive()
        account = engine.account(batches)
        if not account["in_flight"][0] and not account["prepared"][0] and not account["unknown"][0]:
            break
        time.sleep(0.2)
    _say(
        console,
        t("收回执", "received"),
        ", ".join(f"{n} {c:,}" for n, c in engine.states(batches).items()),
    )


def _closing(
    proof: Any, home: Path, report: Path, console: Console, lang: str, as_json: bool, seconds: float
) -> int:
    from crossborder.cli.filing import show_differences
    from crossborder.reports import account_table

    if as_json:
        common.answer(
            proof.as_json() | {"home": str(home), "xml": str(home / "xml"), "report": str(report)}
        )
    else:
        console.print(account_table(proof.account, lang, t("收盘总账", "closing account")))
        show_differences(proof.differences)
        for label, place in (
            (t("报文", "XML"), home / "xml"),
            (t("日报", "report"), report),
            (t("全部", "all of it"), home),
        ):
            console.print(f"{label}: {place}", soft_wrap=True, highlight=False)
        console.print(f"[dim]{seconds:.0f} s[/]")
    return 1 if proof.differences else 0


def _say(console: Console, what: str, text: str) -> None:
    console.print(f"[bold cyan]{what:>10}[/]  {text}", soft_wrap=True)


def demo_settings(home: Path, doors: Mapping[str, Mapping[str, str]]) -> Loaded:
    """The demonstration's settings file with the addresses of its sandbox filled in."""
    from crossborder import resources, settings

    lines = []
    endpoint = ""
    for line in resources.text("fixtures/demo/crossborder.toml").splitlines():
        lines.append(line)
        if line.startswith("[endpoints."):
            endpoint = line.removeprefix("[endpoints.").removesuffix("]")
        if line.startswith("transport = "):
            kind = line.partition('"')[2].removesuffix('"')
            lines.append(f"address = {json.dumps(doors[endpoint][kind], ensure_ascii=False)}")
            lines.append(f"account = {json.dumps(doors[endpoint]['http'] + '/account')}")
    file = home / "crossborder.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return settings.load(file, home=home)


@contextmanager
def simulated_port(
    folder: Path, seed: int, speed: float
) -> Iterator[Mapping[str, Mapping[str, str]]]:
    """The sandbox as a process of its own; yields endpoint → door → address. It ends when we do."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "crossborder.sandbox", "--folder", str(folder), "--port", "0", "--seed", str(seed),
        "--speed", str(speed), "--endpoint", "hangzhou:both:29", "--endpoint", "ningbo:both:31", "--until-eof",
    ]  # fmt: skip
    with (folder / "sandbox.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline() or b"{}")
            if not ready.get("ready"):
                from crossborder.errors import TransportError

                raise TransportError(
                    "the sandbox did not start",
                    "模拟口岸未能启动",
                    place=str(folder / "sandbox.log"),
                )
            yield ready["endpoints"]
        finally:
            process.terminate()
            process.communicate(timeout=20)
