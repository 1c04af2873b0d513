"""`zhida reviews`: 动态评估, from opening to the summary that everybody reads."""

from pathlib import Path
from typing import Any
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from domain.errors import Invalid
from domain.review import Measure, Voice
from service import clock
from service.cli.running import as_login, in_name_of, refuse, wanted
from service.gateways.spreadsheets import SheetRow, read_rows
from service.standards.commands import reviewing
from service.standards.queries import reviews as reading
from service.standards.schemas import (
    NewAnswer,
    NewClosing,
    NewConclusion,
    NewOpinion,
    NewReview,
    NewSamples,
    ReviewView,
)
from service.wording import words

#: Headings of a sheet of figures.
_COLUMNS = {
    "职业编码": "occupation",
    "等级": "level",
    "指标": "measure",
    "数值": "value",
    "出处": "source",
    "文件指纹": "document_sha256",
}
_MEASURES = {words(f"measure.{measure}"): measure for measure in Measure}


@click.group("reviews")
def reviews() -> None:
    """动态评估：收集数据和意见，逐条答复，公布结果。"""


@reviews.command("open")
@click.argument("title")
@click.option("--from", "first", required=True, help="回看的第一天")
@click.option("--to", "last", required=True, help="最后一天")
@as_login
def open_(title: str, first: str, last: str, login: str) -> None:
    """开始一次评估。"""
    new = wanted({"title": title, "from": first, "to": last}, NewReview)
    _show(in_name_of(lambda tx, me: reviewing.open_review(tx, me, new, clock.now()), login))


@reviews.command("collect")
@click.argument("review_id", type=click.UUID)
@click.argument("file", type=click.Path(path_type=Path))
@as_login
def collect(review_id: UUID, file: Path, login: str) -> None:
    """收一张表（CSV 或 XLSX）：职业编码、等级、指标、数值、出处、文件指纹；错一行，整张不收。

    指标：培训成本（数值为元）、求人倍率（倍）、合格率、就业率（百分之几）。
    """
    new = wanted({"samples": _figures(file)}, NewSamples)
    _show(in_name_of(lambda tx, me: reviewing.add_samples(tx, me, review_id, new, clock.now()), login))


def _figures(file: Path) -> list[dict[str, Any]]:
    """The lines of the sheet, as they would be sent over HTTP; the first that cannot be read ends it."""
    try:
        rows = read_rows(file.read_bytes(), file.name)
        headings = [cell.strip() for cell in rows[0].cells] if rows else []
        if missing := _COLUMNS.keys() - set(headings):
            raise Invalid("sheet.no_headings", "file", needed=[name for name in _COLUMNS if name in missing])
        return [_figure(row, headings) for row in rows[1:]]
    except OSError as problem:
        refuse(f"{file}：{problem.strerror}")
    except Invalid as refusal:
        refuse(f"{refusal.field}：{words(refusal.code, refusal.facts)}")


def _figure(row: SheetRow, headings: list[str]) -> dict[str, Any]:
    cells = dict(zip(headings, (cell.strip() for cell in row.cells), strict=False))
    told: dict[str, Any] = {name: cells.get(heading, "") for heading, name in _COLUMNS.items()}
    measure = _MEASURES.get(told["measure"])
    if measure is None:
        raise Invalid("review.measure", f"line {row.number}", known=list(_MEASURES))
    value = measure.read(told["value"], f"line {row.number}")
    return {**told, "measure": str(measure), "value": value, "document_sha256": told["document_sha256"].lower()}


@reviews.command("hear")
@click.argument("review_id", type=click.UUID)
@click.argument("summary")
@click.option(
    "--voice",
    type=click.Choice([voice.value for voice in Voice]),
    required=True,
    help="谁说的：专家、部门、企业、机构、学员、公众",
)
@click.option("--speaker", default="", help="专家或单位的名称；学员和公众不记名")
@click.option("--on", "day", required=True, help="哪一天")
@click.option("--document", "sha256", help="文件的 SHA-256")
@as_login
def hear(review_id: UUID, summary: str, voice: str, speaker: str, day: str, sha256: str | None, login: str) -> None:
    """记下一条意见，写成将要公布的简短样子。"""
    said = {"voice": voice, "speaker": speaker, "summary": summary, "heard_on": day, "document_sha256": sha256}
    new = wanted(said, NewOpinion)
    _show(in_name_of(lambda tx, me: reviewing.hear(tx, me, review_id, new, clock.today(), clock.now()), login))


@reviews.command("answer")
@click.argument("review_id", type=click.UUID)
@click.argument("opinion_id", type=click.UUID)
@click.argument("text")
@click.option("--adopted/--not-adopted", required=True, help="采纳，或不采纳")
@as_login
def answer(review_id: UUID, opinion_id: UUID, text: str, adopted: bool, login: str) -> None:
    """答复一条意见，只有一次。"""
    new = wanted({"adopted": adopted, "answer": text}, NewAnswer)
    _show(in_name_of(lambda tx, me: reviewing.answer(tx, me, review_id, opinion_id, new, clock.now()), login))


@reviews.command("close")
@click.argument("review_id", type=click.UUID)
@click.argument("summary")
@as_login
def close(review_id: UUID, summary: str, login: str) -> None:
    """每条意见都答复了，就公布结论。"""
    new = wanted({"summary": summary}, NewClosing)
    _show(in_name_of(lambda tx, me: reviewing.close(tx, me, review_id, new, clock.today(), clock.now()), login))


@reviews.command("conclude")
@click.argument("review_id", type=click.UUID)
@click.argument("set_id", type=click.UUID)
@as_login
def conclude(review_id: UUID, set_id: UUID, login: str) -> None:
    """写明评估促成了哪个标准方案。"""
    new = NewConclusion(set_id)
    _show(in_name_of(lambda tx, me: reviewing.conclude(tx, me, review_id, new, clock.now()), login))


@reviews.command("drop")
@click.argument("review_id", type=click.UUID)
@as_login
def drop(review_id: UUID, login: str) -> None:
    """放弃误开的评估。"""
    _show(in_name_of(lambda tx, me: reviewing.drop_review(tx, me, review_id, clock.now()), login))


@reviews.command("list")
def list_() -> None:
    """最近的评估，新的在前。"""
    table = Table("名称", "回看的日子", "状态", "数据", "意见", "未答复", "编号")
    for each in in_name_of(lambda tx, _: reading.reviews(tx, public=False)).reviews:
        counts = (str(each.samples), str(each.opinions), str(each.unanswered))
        told = (escape(each.title), f"{each.first} 至 {each.last}", each.status_name)
        table.add_row(*told, *counts, str(each.id))
    Console().print(table)


@reviews.command("show")
@click.argument("review_id", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="给程序看的一个 JSON 对象")
def show(review_id: UUID, as_json: bool) -> None:
    """一次评估：各指标的中位数，每条意见和答复。"""
    whole = in_name_of(lambda tx, _: reading.whole_review(tx, review_id, public=False))
    if as_json:
        click.echo(msgspec.json.encode(whole).decode())
        return
    _show(whole)
    table = Table("职业", "等级", "指标", "份数", "中位数")
    for each in whole.figures:
        median = Measure(each.measure).written(each.median)
        table.add_row(each.occupation, each.level_name, each.measure_name, str(each.samples), median)
    Console().print(table)
    for said in whole.said:
        click.echo(f"{said.heard_on} {said.voice_name}{said.speaker}：{said.summary}（{said.id}）")
        if said.answer is not None:
            click.echo(f"  {'采纳' if said.adopted else '未采纳'}：{said.answer}")


def _show(view: ReviewView) -> None:
    click.echo(f"{view.title}，{view.first} 至 {view.last}：{view.status_name}")
    click.echo(f"编号 {view.id}")
    click.echo(f"数据 {view.samples} 条，意见 {view.opinions} 条，未答复 {view.unanswered} 条")
    if view.summary:
        click.echo(f"结论：{view.summary}")
