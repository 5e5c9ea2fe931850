"""`demo`, `sample`, `sandbox`: try everything without a port."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossborder.cli import common
from crossborder.cli.words import both, t

Seed = Annotated[int, typer.Option("--seed", metavar="N", help=both("随机种子：相同则结果相同", "seed: the same one gives the same"))]  # fmt: skip


def demo(
    shipments: Annotated[int, typer.Option("--shipments", metavar="N", min=500, help=both("票数，至少 500", "how many shipments, at least 500"))] = 600,
    seed: Seed = 1,
    folder: Annotated[Path | None, typer.Option("--folder", metavar="DIR", help=both("演示文件夹（默认新建）", "folder of the demonstration (default: a new one)"))] = None,
    as_json: common.Json = False,
    lang: common.Lang = "",
) -> int:  # fmt: skip
    """A believable day becomes XML, goes to two endpoints, comes back as receipts, and is accounted for."""
    from crossborder.cli.demo import run_demo

    return run_demo(shipments, seed, folder, as_json=as_json)


def sample(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help=both("输出文件 .csv .xlsx .ndjson .parquet", "file: .csv, .xlsx, .ndjson or .parquet"))],
    shipments: Annotated[int, typer.Option("--shipments", metavar="N", min=1, help=both("票数", "how many shipments"))] = 1000,
    seed: Seed = 1,
    dirty: Annotated[float, typer.Option("--dirty", metavar="SHARE", min=0.0, max=1.0, help=both("有误分运单的比例", "share of shipments with a fault"))] = 0.0,
    direction: Annotated[str, typer.Option("--direction", metavar="I|E", help=both("进口 I 或出口 E", "import I or export E"))] = "I",
    mapping: Annotated[str, typer.Option("--mapping", metavar="NAME", help=both("形式：canonical、elements 或 zh-desk", "shape: canonical, elements or zh-desk"))] = "elements",
    on: Annotated[str, typer.Option("--on", metavar="yyyy-mm-dd", help=both("进出境日期（默认今天，中国时间）", "day of movement (default: today, China time)"))] = "",
    dirt_report: Annotated[Path | None, typer.Option("--dirt-report", metavar="FILE", help=both("每处错误一行 JSON", "one JSON line per planted fault"))] = None,
    rates_out: Annotated[Path | None, typer.Option("--rates-out", metavar="FILE", help=both("虚构汇率表", "the made-up exchange rates"))] = None,
    as_json: common.Json = False,
    lang: common.Lang = "",
) -> int:  # fmt: skip
    """Compose a believable day's shipment file. Nobody in it is real. The same seed and day give the same file."""
    from crossborder.engine import write_sample

    done = write_sample(
        out, shipments=shipments, seed=seed, dirty=dirty, direction=direction, mapping=mapping, on=on,
        dirt_report=dirt_report, rates_out=rates_out,
    )  # fmt: skip
    if as_json:
        common.answer({"format": 1, "file": str(out), **done})
    else:
        common.line(
            t(f"{out}：{done['shipments']:,} 票，{done['rows']:,} 行，其中 {done['dirty']:,} 票有误（全部虚构）",
              f"{out}: {done['shipments']:,} shipments, {done['rows']:,} rows, {done['dirty']:,} of them with a fault (all made up)"),
        )  # fmt: skip
    return 0


def sandbox(
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help=both("模拟口岸的存储与收发箱", "its memory and boxes"))],
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help=both("HTTP 端口，0 为任选", "HTTP port; 0: any free one"))] = 8760,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help=both("监听地址", "address to listen on"))] = "127.0.0.1",
    seed: Seed = 1,
    speed: Annotated[float, typer.Option("--speed", metavar="X", min=0, help=both("时间加速倍数，0 为最快", "how much faster than life; 0: at once"))] = 60.0,
    mix: Annotated[Path | None, typer.Option("--mix", metavar="FILE", help=both("处理结果配置（TOML）", "shares of customs' decisions (TOML)"))] = None,
    endpoint: Annotated[list[str] | None, typer.Option("--endpoint", metavar="NAME[:DOOR[:DISTRICTS[:FOLDER]]]", help=both("端点，可重复；DOOR 为 http、folder 或 both", "an endpoint; may be repeated; DOOR is http, folder or both"))] = None,
    faults: Annotated[str, typer.Option("--faults", metavar="NAME=SHARE", help=both("故意的故障，如 lost_answers=0.1", "faults on purpose, e.g. lost_answers=0.1"))] = "",
    no_manifest: Annotated[bool, typer.Option("--no-manifest", help=both("不要求先报舱单", "declarations need no manifest"))] = False,
    body_limit: Annotated[int | None, typer.Option("--body-limit", metavar="BYTES", min=1, help=both("报文字节上限", "largest message in bytes"))] = None,
    until_eof: Annotated[bool, typer.Option("--until-eof", help=both("标准输入关闭时结束", "end when standard input closes"))] = False,
    lang: common.Lang = "",
) -> int:  # fmt: skip
    """Run the simulated port: both endpoints, over http and folders. It is never called customs."""
    from crossborder.sandbox import main as run_sandbox

    given = ["--folder", str(folder), "--port", str(port), "--host", host, "--seed", str(seed), "--speed", str(speed)]  # fmt: skip
    for one in endpoint or ():
        given += ["--endpoint", one]
    for name, value in (("--mix", mix), ("--faults", faults), ("--body-limit", body_limit)):
        given += [f"{name}={value}"] if value else []
    given += ["--no-manifest"] if no_manifest else []
    given += ["--until-eof"] if until_eof else []
    return run_sandbox(given)
