"""`zhida rehearse`: the main job as a rehearsed season, to its end."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import click
from rich.console import Console

from service.cli.audit import TITLES
from service.local.rehearsal import rehearse as rehearse_season
from service.local.rehearsal.calls import Unexpected
from service.local.rehearsal.ground import NoGround, find_ground
from service.local.rehearsal.people import Wish
from service.local.rehearsal.report import Report, show
from service.local.stack import StackError
from service.local.supervisor import ROOT

_CLAIMS_MAX = 100_000


@click.command()
@click.option("--claims", type=click.IntRange(1, _CLAIMS_MAX), required=True, help="受理多少笔申领")
@click.option(
    "--individual-share",
    "share",
    type=click.FloatRange(0, 1),
    default=0.3,
    show_default=True,
    help="其中本人提交的比例",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="同一个种子，同样的人和事")
@click.option("--json", "as_json", is_flag=True, help="标准输出上只有一个 JSON 对象")
@click.option("--address", help="正在运行的演示环境的网址（默认：--data 里正在运行的；没有就临时起一套）")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ZHIDA_DATA_DIR",
    help="演示环境的数据目录；里面没有在运行的，就在那里起一套并留下数据",
)
@click.option(
    "--kill",
    is_flag=True,
    help="彩排时轮流 kill -9 各个部件，清空、重复、打乱消息，冻住进程，掐断连接，回盘残缺、重复、乱序",
)
def rehearse(
    claims: int, share: float, seed: int, as_json: bool, address: str | None, data: Path | None, kill: bool
) -> None:
    """彩排一季：示例申领人按真实目录申领，直到每笔都有结果，再核对每项承诺。

    有承诺没有守住，或有申领没有结果，以 1 退出；彩排不了，以 2 退出。
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stack of our own is stopped on the way out
    os.umask(0o077)
    console = Console(stderr=True)
    try:
        with find_ground(address, data, ROOT / ".zhida", wires=kill) as ground:
            report = asyncio.run(rehearse_season(ground, Wish(claims, share, seed), console, kill=kill))
    except (NoGround, StackError, Unexpected) as reason:
        click.echo(f"彩排不了：{reason}", err=True)
        sys.exit(2)
    _tell(report, as_json)
    sys.exit(0 if report.good else 1)


def _tell(report: Report, as_json: bool) -> None:
    if as_json:
        click.echo(report.as_json())
    else:
        show(report, Console(), TITLES)
    for each in report.promises:
        if not each.held:
            click.echo(f"违背 {each.name}：{each.detail}", err=True)
    if report.claims["open"]:
        click.echo(f"{report.claims['open']} 笔申领没有结果", err=True)
