"""`zhida signals`: ask the risk signals now, or try them on a made-up city."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from domain.errors import DomainError
from service import clock
from service.cli.running import refuse, run
from service.database import transaction
from service.local.postgres import PostgresError
from service.local.trial.ground import scratch_ground
from service.local.trial.trial import Counted, hold_trial
from service.oversight.commands.signalling import index_portion, run_at_once
from service.oversight.queries.signals.seen import everything_of
from service.oversight.schemas import SignalFindingView
from service.wording import words

_INSTITUTIONS_MAX = 5_000


@click.group()
def signals() -> None:
    """风险信号：集中发证、超出范围、多人同号等，只提示、冻结待查，不作决定。"""


@signals.command("run")
@click.option("--json", "as_json", is_flag=True, help="给程序看的一个 JSON 对象")
def run_(as_json: bool) -> None:
    """马上算一次，列出发现；按发现加重巡查、冻结申领待查。"""
    found = run(_run())
    if as_json:
        click.echo(msgspec.json.encode({"findings": found}).decode())
    else:
        _show(found)


async def _run() -> list[SignalFindingView]:
    more = True
    while more:
        async with transaction() as tx:
            more = await index_portion(tx)
    async with transaction() as tx:
        run_id = await run_at_once(tx, clock.today(), clock.now())
        return await everything_of(tx, run_id)


def _show(found: Sequence[SignalFindingView]) -> None:
    table = Table("机构", "信号", "分", "说明", "首次发现")
    for each in found:
        cells = (each.institution_name, each.signal_name, str(each.score), each.why, each.first_seen.isoformat())
        table.add_row(*map(escape, cells))
    console = Console()
    console.print(table if found else "没有发现。")


@signals.command("trial")
@click.option("--institutions", type=click.IntRange(10, _INSTITUTIONS_MAX), required=True, help="多少家机构")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="同一个种子，同样的机构和作假")
@click.option("--json", "as_json", is_flag=True, help="标准输出上只有一个 JSON 对象")
def trial(institutions: int, seed: int, as_json: bool) -> None:
    """在临时的数据库里编一座城，五家机构里有一家作假，看信号找出多少、冤枉多少。"""
    try:
        with scratch_ground() as ground:
            told = (institutions, seed, clock.today(), clock.now())
            counted = asyncio.run(hold_trial(ground.admin_url, ground.app_url, *told))
    except (PostgresError, DomainError) as failure:
        refuse(str(failure), 2)
    if as_json:
        click.echo(msgspec.json.encode(asdict(counted)).decode())
    else:
        _show_counted(counted)


def _show_counted(counted: Counted) -> None:
    table = Table("信号", "作假", "找出", "冤枉", show_footer=True)
    for name, each in counted.by_signal.items():
        numbers = (str(each[what]) for what in ("planted", "found", "flagged"))
        table.add_row(words(f"signal_name.{name}"), *numbers)
    totals = ("合计", str(counted.planted), str(counted.found), f"{counted.flagged} / {counted.honest}")
    for column, total in zip(table.columns, totals, strict=True):
        column.footer = total
    Console().print(table)
