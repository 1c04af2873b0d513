"""`zhida stats`: the share of claims filed by individuals, as a table."""

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from domain.claim import Channel
from domain.money import fen_display
from domain.share import percent_of, share_of
from service import clock
from service.cli.running import run
from service.database import transaction
from service.statistics.queries.share import By, individual_share, parse_by, parse_span
from service.statistics.schemas import IndividualShareView, ShareRowView, ShareTotalView

_BY = {By.MONTH: "月份", By.DISTRICT: "区县", By.LIST: "目录", By.INDUSTRY: "行业", By.LEVEL: "等级"}
_CHANNELS = {Channel.INDIVIDUAL: "本人", Channel.INSTITUTION: "机构代领", Channel.ENTERPRISE: "企业"}


@click.command("stats")
@click.option("--from", "first", metavar="日期", help="从哪一天起（默认：止日当年 1 月 1 日）")
@click.option("--to", "last", metavar="日期", help="到哪一天止（默认：今天）")
@click.option("--by", type=click.Choice([str(each) for each in By]), default=str(By.MONTH), help="按什么分开统计")
@click.option("--json", "as_json", is_flag=True, help="给程序看的一个 JSON 对象")
def stats(first: str | None, last: str | None, by: str, as_json: bool) -> None:
    """个人申领占比。"""
    found = run(_read(first, last, by), 2)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        _show(found)


async def _read(first: str | None, last: str | None, by: str) -> IndividualShareView:
    """Whoever may run this on the machine works there: nothing is suppressed."""
    span = parse_span(first, last, clock.today())
    async with transaction() as tx:
        return await individual_share(tx, span, parse_by(by), public=False)


def _show(found: IndividualShareView) -> None:
    table = Table(title=f"个人申领占比 {found.first} 至 {found.last}", show_footer=True)
    lines = [_cells(row) for row in found.rows]
    headings = ["申领", *_CHANNELS.values(), "占比", "金额（元）", "金额占比"]
    table.add_column(_BY[By(found.by)], footer="合计", overflow="fold")
    for heading, footer in zip(headings, _cells(found.total), strict=True):
        table.add_column(heading, footer=footer, justify="right")
    for row, cells in zip(found.rows, lines, strict=True):
        table.add_row(escape(row.name), *cells)
    console = Console()
    console.print(table)
    if found.sample:
        console.print("金额按样例标准计算，不是实际发布的标准。", style="yellow")
    console.print(found.definition, style="dim")


def _cells(row: ShareRowView | ShareTotalView) -> list[str]:
    assert row.count is not None
    assert row.amount_fen is not None
    count = {channel: row.count[channel] for channel in Channel}
    amount = {channel: row.amount_fen[channel] for channel in Channel}
    filed, money = sum(count.values()), fen_display(sum(amount.values()))
    by_channel = [str(count[channel]) for channel in _CHANNELS]
    return [str(filed), *by_channel, percent_of(share_of(count)), money, percent_of(share_of(amount))]
