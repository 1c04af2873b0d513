"""`zhida up` and `zhida status`: one machine, nothing preinstalled."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from service.local.broker import BrokerError
from service.local.data_dir import DataDir, DirectoryInUse
from service.local.plan import BadSetting, whole_stack
from service.local.postgres import PostgresError
from service.local.status import StackStatus, read_status
from service.local.supervisor import ROOT, StartFailed, Supervisor, say, take_over

_STATES = {"running": "运行中", "restarting": "正在重新启动", "stopped": "已停下"}

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ZHIDA_DATA_DIR",
    default=ROOT / ".zhida",
    help="状态所在的目录（默认：检出目录下的 .zhida）",
)


@click.command
@click.option("--demo", is_flag=True, help="带演示人物、登记系统和银行的替身；时钟可以拨动")
@data_option
@click.option("--port", type=click.IntRange(1, 65535), help="网址的端口（默认：找一个空闲的，并记住）")
@click.option("--wires", is_flag=True, hidden=True, help="数据库和银行的连接可以掐断，演练用")
def up(demo: bool, data: Path, port: int | None, wires: bool) -> None:
    """启动一整套：数据库、消息、服务、后台；Ctrl-C 停下，数据保留。"""
    os.umask(0o077)  # whatever any part writes is for its owner only
    place = DataDir(data)
    try:
        place.make()
        with place.lock():
            say(f"数据目录 {place.path}")
            take_over(place)
            plan = whole_stack(place, demo=demo, port=port, wires=wires)
            Supervisor(place, plan.items, plan.environment, plan.address).run()
    except (DirectoryInUse, BadSetting, StartFailed, PostgresError, BrokerError, PermissionError) as error:
        click.echo(str(error), err=True)
        raise SystemExit(1) from None


@click.command
@click.option("--json", "as_json", is_flag=True, help="给程序看的一个 JSON 对象")
@data_option
def status(as_json: bool, data: Path) -> None:
    """看哪些部件在运行。"""
    found = read_status(DataDir(data))
    if as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False))
    else:
        _show(found)


def _show(found: StackStatus) -> None:
    if not found.parts:
        click.echo("这里还没有启动过。")
        return
    table = Table("部件", "进程", "状态", "重启次数", title=found.address or "没有在运行")
    for part in found.parts:
        table.add_row(part["name"], str(part["pid"] or "—"), _STATES[part["state"]], str(part["restarts"]))
    Console().print(table)
