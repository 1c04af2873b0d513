"""`zhida register`: load what other offices say of persons, confirm it, and see what is asked today."""

from pathlib import Path
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from domain.actor import Actor
from domain.errors import Invalid
from domain.register import needed_in
from service import clock
from service.cli.running import as_login, in_name_of, wanted
from service.database import Tx
from service.gateways.register_files import FORM
from service.registers import commands, queries
from service.registers.schemas import NewSnapshot, SnapshotView
from service.wording import words


@click.group("register")
def register() -> None:
    """名册：装入别的部门的名单，两个人经手；申领时核对，发放前再核对一次。"""


@register.command("load")
@click.argument("name", metavar="KIND")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as-of", "as_of", required=True, help="名单截至哪一天")
@click.option("--source", required=True, help="哪个部门给的，文号或来函")
@click.option("--from", "first", help="从哪天起用（默认截至日）")
@click.option("--to", "last", help="用到哪天（默认用到有新的）")
@as_login
def load(name: str, file: Path, as_of: str, source: str, first: str | None, last: str | None, login: str) -> None:
    """装入一份名册（CSV 不限行数，XLSX 六万行以内）；错一行，整份不装。KIND 见 zhida register kinds。"""
    new = wanted({"register": name, "as_of": as_of, "source": source, "from": first, "to": last}, NewSnapshot)

    async def work(tx: Tx, me: Actor) -> SnapshotView:
        with file.open("rb") as stream:
            try:
                return await commands.load_register(tx, me, new, stream, file.name, clock.today(), clock.now())
            except Invalid as refusal:
                _name_lines(refusal)
                raise

    _show(in_name_of(work, login))


def _name_lines(refusal: Invalid) -> None:
    for each in refusal.facts.get("lines", ()):
        column = FORM.by_field.get(each["field"])
        heading = column.heading if column else each["field"]
        click.echo(f"第 {each['line']} 行 {heading}：{words(each['code'], each['facts'])}", err=True)


@register.command("confirm")
@click.argument("snapshot_id", type=click.UUID)
@as_login
def confirm(snapshot_id: UUID, login: str) -> None:
    """另一个人确认装入的名册：从此核对。"""
    today, now = clock.today(), clock.now()
    _show(in_name_of(lambda tx, me: commands.confirm_register(tx, me, snapshot_id, today, now), login))


@register.command("list")
@click.option("--json", "as_json", is_flag=True, help="给程序看的一个 JSON 对象")
def list_(as_json: bool) -> None:
    """装入过的名册，新的在前；没有装入的名册不核对。"""
    found = in_name_of(lambda tx, _: queries.list_snapshots(tx, None, clock.today()))
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    table = Table("名册", "截至", "起用", "行数", "来源", "现状", "编号")
    for each in found.snapshots:
        days = f"{each.first} 至 {each.last or '有新的为止'}"
        told = (each.name, str(each.as_of), days, f"{each.lines:,}", escape(each.source), _standing(each))
        table.add_row(*told, str(each.id))
    Console().print(table)


@register.command("kinds")
def kinds() -> None:
    """有哪些名册，文件要有哪些列。"""
    for each in queries.registers():
        needed = "、".join(FORM.by_field[cell].heading for cell in ("id_number", *needed_in(each)))
        click.echo(f"{each}：{words(f'register.{each}')}（{needed}）")


def _standing(each: SnapshotView) -> str:
    if not each.confirmed:
        return "待确认"
    return "核对中" if each.asked else "不再核对"


def _show(each: SnapshotView) -> None:
    before = "此前没有" if each.lines_before is None else f"上一份 {each.lines_before:,} 行"
    click.echo(f"{each.name}，截至 {each.as_of}：{each.lines:,} 行（{before}），{_standing(each)}")
    click.echo(f"编号 {each.id}")
    click.echo(f"文件 SHA-256 {each.sha256}")
