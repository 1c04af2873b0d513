"""`zhida standards`: propose a set from a formula file, sign it, publish it; look amounts up; what it would cost."""

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from domain.actor import Actor
from domain.level import LEVELS
from domain.money import fen_display, format_yuan
from domain.period import parse_date
from service import clock
from service.claims.queries.affected import affected_by
from service.claims.schemas import AffectedClaim
from service.cli.running import as_login, in_name_of, refuse, wanted
from service.cli.simulation import show_simulation
from service.database import Tx
from service.standards import commands
from service.standards.queries.forming import edition_of
from service.standards.queries.lookup import Asked, look_up
from service.standards.queries.projects import AskedProject, price_project
from service.standards.queries.sets import sets, whole_set
from service.standards.schemas import (
    DaysView,
    LookupView,
    NewSignature,
    NewStandardSet,
    ProjectView,
    SetView,
    StepView,
)
from service.statistics.commands import simulate
from service.statistics.schemas import NewSimulation, SimulationView
from service.wording import words

#: What a file may say beside the formula; the rest is said on the command line.
_IN_FILE = {"formula", "facts", "projects", "source", "from", "to"}

_json = click.option("--json", "as_json", is_flag=True, help="给程序看的一个 JSON 对象")


@click.group("standards")
def standards() -> None:
    """补贴标准：拟定方案、两部门签字、发布、查询、更正。"""


@standards.command("propose")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--year", type=click.IntRange(2000, 2100), required=True, help="哪一年的标准")
@click.option("--from", "first", help="从哪一天起执行（不写用文件里的）")
@click.option("--to", "last", help="到哪一天止（不写：到被替代为止）")
@click.option("--edition", type=click.UUID, help="按哪一版目录，草稿也可以（不写：执行之日有效的）")
@click.option("--corrects", type=click.UUID, help="更正哪个已发布的方案")
@click.option("--reason", default="", help="原因；更正和涉及过去的日子必须写")
@as_login
def propose(
    file: Path,
    year: int,
    first: str | None,
    last: str | None,
    edition: UUID | None,
    corrects: UUID | None,
    reason: str,
    login: str,
) -> None:
    """按公式文件（TOML 或 JSON）拟定一个方案：每个职业、等级的金额连同推导一起存为草稿。"""
    here = {"year": year, "edition_id": edition, "corrects": corrects, "reason": reason}
    days = {name: day for name, day in (("from", first), ("to", last)) if day is not None}
    new = wanted({**_read(file), **here, **days}, NewStandardSet)
    view = in_name_of(lambda tx, me: commands.propose(tx, me, new, clock.today(), clock.now()), login)
    _show_set(view)


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text("utf-8")
        told = json.loads(text) if file.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as problem:
        refuse(words("standards.unreadable", {"why": str(problem)}))
    if not isinstance(told, dict):
        refuse(f"{file}：{words('formula.not_object')}")
    if strange := sorted(told.keys() - _IN_FILE):
        refuse(f"{strange[0]}：{words('formula.unknown_key', {'known': sorted(_IN_FILE)})}")
    # TOML knows days, JSON does not
    return {name: str(value) if isinstance(value, date) else value for name, value in told.items()}


@standards.command("sign")
@click.argument("set_id", type=click.UUID)
@click.option("--content", required=True, help="所看到的内容指纹（zhida standards show 印出的）")
@as_login
def sign(set_id: UUID, content: str, login: str) -> None:
    """以人社部门或财政部门的名义签字；只对所看到的内容有效。"""
    _show_set(in_name_of(lambda tx, me: commands.sign(tx, me, set_id, NewSignature(content), clock.now()), login))


@standards.command("publish")
@click.argument("set_id", type=click.UUID)
@as_login
def publish(set_id: UUID, login: str) -> None:
    """发布两部门都签了字的方案：在它的日子里执行，以前的方案让出这些日子。"""
    _show_set(in_name_of(lambda tx, me: commands.publish(tx, me, set_id, clock.today(), clock.now()), login))


@standards.command("drop")
@click.argument("set_id", type=click.UUID)
@as_login
def drop(set_id: UUID, login: str) -> None:
    """放弃没有发布的方案。"""
    _show_set(in_name_of(lambda tx, me: commands.drop(tx, me, set_id, clock.now()), login))


@standards.command("list")
def list_() -> None:
    """最近的方案，新的在前。"""
    table = Table("年", "修订", "状态", "执行的日子", "来源", "编号")
    for each in in_name_of(lambda tx, _: sets(tx, None)).sets:
        state = each.status_name + ("（示例）" if each.sample else "")
        days = _days(each.in_force) or _days([DaysView(each.first, each.last)])
        table.add_row(str(each.year), str(each.revision), state, days, escape(each.source), str(each.id))
    Console().print(table)


@standards.command("show")
@click.argument("set_id", type=click.UUID)
@click.option("--occupation", default="", help="只看这个职业编码的金额和推导")
@_json
def show(set_id: UUID, occupation: str, as_json: bool) -> None:
    """一个方案：公式、内容指纹、签字、金额。"""
    after = f"{occupation} " if occupation else ""
    whole = in_name_of(lambda tx, _: whole_set(tx, None, set_id, after))
    rows = [row for row in whole.rows if not occupation or row.occupation == occupation]
    if as_json:
        click.echo(msgspec.json.encode(msgspec.structs.replace(whole, rows=rows)).decode())
        return
    _show_set(whole)
    table = Table("职业", "等级", "金额（元）", *(["推导"] if occupation else []))
    for row in rows:
        steps = ["\n".join(_step(each) for each in row.steps)] if occupation else []
        table.add_row(row.occupation, row.level_name, fen_display(row.amount_fen), *steps)
    Console().print(table)
    if whole.next and not occupation:
        click.echo(f"只列出前 {len(rows)} 个；用 --occupation 看一个职业。")


@standards.command("lookup")
@click.option("--code", help="职业编码")
@click.option("--name", help="职业名称（与编码给其一）")
@click.option("--level", required=True, help="等级，如 4 或 四级")
@click.option("--on", "day", help="哪一天（不写：今天）")
@click.option("--group", help="人群编码")
@_json
def lookup(code: str | None, name: str | None, level: str, day: str | None, group: str | None, as_json: bool) -> None:
    """能领多少：金额和推导，或没有金额的那一个原因。"""

    async def ask(tx: Tx, _: Actor | None) -> LookupView:
        on = parse_date(day, "on") if day else clock.today()
        return await look_up(tx, Asked.read(code, name, level, on, group))

    found = in_name_of(ask)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    elif found.reason:
        click.echo(found.reason.message)
    else:
        _show_amount(f"{found.name} {found.level_name}，{found.on}", found)


@standards.command("project")
@click.argument("name")
@click.option("--on", "day", help="哪一天（不写：今天）")
@click.option("--heads", type=int, help="培训人数")
@click.option("--hours", type=int, help="学时")
@click.option("--employment-percent", type=int, help="就业率，百分之几")
@click.option("--mode", help="培训方式")
@click.option("--result", help="考核结果")
@_json
def project(name: str, day: str | None, as_json: bool, **facts: int | str | None) -> None:
    """一个项目制培训给多少：按人数和效果，连同推导；或没有金额的那一个原因。"""

    async def ask(tx: Tx, _: Actor | None) -> ProjectView:
        return await price_project(
            tx, AskedProject.read(name, parse_date(day, "on") if day else clock.today(), **facts)
        )

    found = in_name_of(ask)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    elif found.reason:
        click.echo(found.reason.message)
    else:
        _show_amount(f"{found.name}，{found.on}", found)


@standards.command("affected")
@click.argument("set_id", type=click.UUID)
@_json
def affected(set_id: UUID, as_json: bool) -> None:
    """按这个方案金额会变的申领，和应补、应退多少；只列出，不改动。"""

    async def every(tx: Tx, _: Actor | None) -> list[AffectedClaim]:
        page = await affected_by(tx, None, set_id)
        claims = page.claims
        while page.next is not None:
            page = await affected_by(tx, None, set_id, page.next)
            claims += page.claims
        return claims

    claims = in_name_of(every)
    supplement, recovery = (sum(getattr(each, f"{way}_fen") for each in claims) for way in ("supplement", "recovery"))
    if as_json:
        told = {"claims": claims, "supplement_fen": supplement, "recovery_fen": recovery}
        click.echo(msgspec.json.encode(told).decode())
        return
    table = Table("申领", "状态", "职业", "等级", "原金额（元）", "应为（元）", "应补（元）", "应退（元）")
    for each in claims:
        amounts = (each.amount_fen, each.would_be_fen, each.supplement_fen, each.recovery_fen)
        told_of = (str(each.claim_id), words(f"status.{each.status}"), each.occupation, LEVELS[each.level].short)
        table.add_row(*told_of, *(fen_display(fen) for fen in amounts))
    Console().print(table)
    click.echo(f"共 {len(claims)} 笔，应补 {format_yuan(supplement)}，应退 {format_yuan(recovery)}。")


@standards.command("simulate")
@click.option("--change", "file", type=click.Path(path_type=Path), help="公式文件（与 --set 给其一）")
@click.option("--set", "set_id", type=click.UUID, help="拟定了的方案，草稿也可以")
@click.option("--edition", type=click.UUID, help="公式按哪一版目录（不写：文件里的执行日或今天有效的）")
@click.option("--from", "first", help="哪一天起提交的申领（不写：止日以前的十二个月）")
@click.option("--to", "last", help="哪一天止（不写：今天）")
@_json
def simulate_(
    file: Path | None, set_id: UUID | None, edition: UUID | None, first: str | None, last: str | None, as_json: bool
) -> None:
    """换一套标准，这段时间提交的申领要多少钱：只计算，不改动。"""
    told = _read(file) if file else {}
    formed: dict[str, Any] = {name: told[name] for name in ("formula", "facts") if name in told}
    new = wanted({**formed, "edition_id": edition, "set_id": set_id, "from": first, "to": last}, NewSimulation)

    async def ask(tx: Tx, _: Actor | None) -> SimulationView:
        if "from" in told and edition is None:
            new.edition_id = await edition_of(tx, parse_date(told["from"], "from"))
        return await simulate(tx, None, new, clock.today(), clock.now())

    found = in_name_of(ask)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        show_simulation(found, Console())


def _show_amount(of: str, found: LookupView | ProjectView) -> None:
    sample = "（示例标准）" if found.standard_set and found.standard_set.sample else ""
    click.echo(f"{of}：{found.amount}{sample}")
    for step in found.steps:
        click.echo(f"  {_step(step)}")


def _show_set(view: SetView) -> None:
    sample = "（示例）" if view.sample else ""
    click.echo(f"{view.year} 年标准，修订 {view.revision}{sample}：{view.status_name}，{view.amounts} 个金额")
    click.echo(f"编号 {view.id}")
    click.echo(f"内容指纹 {view.content_hash}")
    click.echo(f"拟定的日子 {_days([DaysView(view.first, view.last)])}；执行的日子 {_days(view.in_force) or '无'}")
    signed = "、".join(words(f"bureau.{each.bureau}") for each in view.signatures) or "无"
    click.echo(f"已签字：{signed}")


def _days(spans: list[DaysView]) -> str:
    return "，".join(f"{each.first} 至 {each.last or '被替代为止'}" for each in spans)


def _step(step: StepView) -> str:
    value = fen_display(step.value) if step.unit == "fen" and isinstance(step.value, int) else str(step.value)
    unit = "元" if step.unit == "fen" and isinstance(step.value, int) else {"fen": "分", "percent": "%"}[step.unit]
    looked_at = f"（{step.by}＝{step.fact if step.fact is not None else '未知'}）" if step.by else ""
    inner = f"（{'，'.join(step.of)}）" if step.of else ""
    return f"{step.term}：{step.kind}{looked_at}{inner} = {value} {unit}"
