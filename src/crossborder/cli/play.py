"""`demo`, `sample`, `sandbox`: try everything without a port."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossborder.cli import common
from crossborder.cli.words import t


def demo(
    shipments: Annotated[int, typer.Option("--shipments", help=t("票数", "how many shipments"), min=500)] = 600,
    seed: Annotated[int, typer.Option("--seed")] = 1,
    folder: Annotated[Path | None, typer.Option("--folder", help=t("演示文件夹（默认新建临时文件夹）", "folder of the demonstration (default: a new one)"))] = None,
    as_json: common.Json = False,
    lang: common.Lang = "",
) -> int:  # fmt: skip
    """A believable day becomes XML, goes to two endpoints, comes back as receipts, and is accounted for.

    Offline, in a home of its own, against the simulated port; nothing can reach a live endpoint.
    """
    from crossborder.cli.demo import run_demo

    return run_demo(shipments, seed, folder, as_json=as_json, lang=common.lang_of(lang))


def sample(
    out: Annotated[Path, typer.Option("-o", "--out", help=t("输出文件（.csv .xlsx .ndjson .parquet）", "file: .csv, .xlsx, .ndjson, .parquet"))],
    shipments: Annotated[int, typer.Option("--shipments", min=1, max=5_000_000)] = 1000,
    seed: Annotated[int, typer.Option("--seed")] = 1,
    dirty: Annotated[float, typer.Option("--dirty", min=0.0, max=1.0, help=t("有误票的比例", "share of shipments with a fault"))] = 0.0,
    direction: Annotated[str, typer.Option("--direction", help="I | E")] = "I",
    mapping: Annotated[str, typer.Option("--mapping", help="canonical | elements | zh-desk")] = "elements",
    on: Annotated[str, typer.Option("--on", help=t("进出口日期 yyyy-mm-dd（默认今天）", "day of movement, yyyy-mm-dd (default: today)"))] = "",
    dirt_report: Annotated[Path | None, typer.Option("--dirt-report", help=t("每处错误一行 JSON", "one JSON line per planted fault"))] = None,
    rates_out: Annotated[Path | None, typer.Option("--rates-out", help=t("虚构汇率表", "the made-up exchange rates"))] = None,
    as_json: common.Json = False,
    lang: common.Lang = "",
) -> int:  # fmt: skip
    """Compose a believable day's shipment file. Nobody in it is real. The same seed gives the same file."""
    from crossborder.engine import write_sample

    done = write_sample(
        out, shipments=shipments, seed=seed, dirty=dirty, direction=direction, mapping=mapping, on=on,
        dirt_report=dirt_report, rates_out=rates_out,
    )  # fmt: skip
    if as_json:
        common.answer({"format": 1, **done})
    else:
        common.out().print(
            t(f"{out}：{done['shipments']:,} 票，{done['rows']:,} 行，其中 {done['dirty']:,} 票有误（虚构数据）",
              f"{out}: {done['shipments']:,} shipments, {done['rows']:,} rows, {done['dirty']:,} of them with a fault (all made up)"),
            soft_wrap=True,
        )  # fmt: skip
    return 0


def sandbox(
    folder: Annotated[Path, typer.Option("--folder", help=t("模拟口岸的存储文件夹", "where the sandbox keeps its own records"))],
    port: Annotated[int, typer.Option("--port", help=t("端口，0 为任选", "port; 0: any free one"))] = 8760,
    seed: Annotated[int, typer.Option("--seed")] = 1,
    speed: Annotated[float, typer.Option("--speed", help=t("时间加速倍数，0 为最快", "how much faster than life; 0: as fast as it can"))] = 60.0,
    lang: common.Lang = "",
) -> int:  # fmt: skip
    """Run the simulated port: both endpoints, over http and folders. It is never called customs."""
    from crossborder.sandbox.command import main as run_sandbox

    return run_sandbox(
        ["--folder", str(folder), "--port", str(port), "--seed", str(seed), "--speed", str(speed)]
    )
