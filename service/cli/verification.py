"""`zhida verification`: how it stands with checking certificates, and the files that the registry's owner sent."""

from pathlib import Path
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from domain.actor import Actor
from domain.errors import Invalid
from service import clock
from service.cli.running import as_login, in_name_of, in_transaction, wanted
from service.database import Tx
from service.gateways.registry_files import FORM
from service.operations.commands import ask_now
from service.operations.schemas import NewAsking
from service.queue import Outside
from service.verification.commands import files
from service.verification.queries import files as sent
from service.verification.queries.queue import queue as standing
from service.verification.schemas import NewRegistryFile, RegistryFileView
from service.wording import words


@click.group("verification")
def verification() -> None:
    """核实证书：还欠多少、登记库通不通；登记机构送来的文件，两个人经手。"""


@verification.command("queue")
@click.option("--json", "as_json", is_flag=True, help="给程序看的一个 JSON 对象")
def queue(as_json: bool) -> None:
    """还欠多少次核实，为什么等着，登记库现在问不问得到。"""
    now = in_transaction(standing)
    if as_json:
        click.echo(msgspec.json.encode(now).decode())
        return
    oldest = f"，最早的从 {now.oldest_since:%Y-%m-%d %H:%M} 起" if now.oldest_since else ""
    click.echo(f"欠 {now.owed:,} 次，现在该办的 {now.due:,} 次，要人处理的 {now.dead:,} 次{oldest}")
    for each in now.postponed:
        click.echo(f"  等着的 {each.checks:,} 次：{each.message}")
    until = f"，到 {now.open_until:%H:%M:%S}" if now.standing == "open" and now.open_until else ""
    click.echo(f"登记库：{now.standing_name}{until}，连续 {now.silences} 次没有答复")
    most = f"，每分钟最多 {now.calls_a_minute_max:,} 次" if now.calls_a_minute_max else ""
    click.echo(f"这一分钟问了 {now.calls_last_minute:,} 次，这一小时 {now.calls_last_hour:,} 次{most}")
    if now.last_failed_at:
        click.echo(f"上一次没有答复：{now.last_failed_at:%Y-%m-%d %H:%M:%S}，{now.last_failure}")


@verification.command("ask")
@click.option("--reason", required=True, help="为什么：例如登记库说已经好了")
@as_login
def ask(reason: str, login: str) -> None:
    """登记库停问着也现在就问：先试问一次，通了，等着的都接着问。由运维人员做，日志记下是谁、为什么。"""
    new = wanted({"service": Outside.REGISTRY, "reason": reason}, NewAsking)
    asked = in_name_of(lambda tx, me: ask_now(tx, me, new, clock.now()), login)
    click.echo(f"已去问：{asked.standing_name}，等着的 {asked.waiting:,} 件。")


@verification.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as-of", "as_of", required=True, help="文件截至哪一天")
@click.option("--source", required=True, help="哪个机构给的，文号或来函")
@as_login
def load(file: Path, as_of: str, source: str, login: str) -> None:
    """装入登记机构送来的一份文件（CSV 二十万行以内，或 XLSX）；错一行，整份不装。"""
    new, data = wanted({"as_of": as_of, "source": source}, NewRegistryFile), file.read_bytes()

    async def work(tx: Tx, me: Actor) -> RegistryFileView:
        try:
            return await files.load_file(tx, me, new, data, file.name, clock.today(), clock.now())
        except Invalid as refusal:
            for each in refusal.others:
                click.echo(f"{_place(each.field)}：{words(each.code, each.facts)}", err=True)
            refusal.field = _place(refusal.field)
            raise

    _show(in_name_of(work, login))


def _place(field: str) -> str:
    """`line 3.level` as people say it."""
    line, _, cell = field.partition(".")
    return f"第 {line.removeprefix('line ')} 行 {FORM.by_field[cell].heading}" if cell in FORM.by_field else field


@verification.command("confirm")
@click.argument("file_id", type=click.UUID)
@as_login
def confirm(file_id: UUID, login: str) -> None:
    """另一个人确认装入的文件：从此先从里面核实。"""
    _show(in_name_of(lambda tx, me: files.confirm_file(tx, me, file_id, clock.now()), login))


@verification.command("files")
def list_() -> None:
    """登记机构送来过的文件，新的在前。"""
    table = Table("截至", "行数", "来源", "现状", "编号")
    for each in in_transaction(lambda tx: sent.list_files(tx, None)).files:
        told = (str(each.as_of), f"{each.entries:,}", escape(each.source), _standing(each))
        table.add_row(*told, str(each.id))
    Console().print(table)


def _standing(each: RegistryFileView) -> str:
    return "已确认" if each.confirmed else "待确认"


def _show(each: RegistryFileView) -> None:
    click.echo(f"截至 {each.as_of}：{each.entries:,} 行，{_standing(each)}")
    click.echo(f"等着核实的申领里有 {each.filed:,} 件；已过核实、证书却已撤销的有 {each.revoked:,} 件")
    click.echo(f"编号 {each.id}")
    click.echo(f"文件 SHA-256 {each.sha256}")
