"""`zhida catalog`: check a published catalog, import it as a draft, put a past one on record, compare two."""

import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from domain.catalog import Finding, PublishedCatalog, Severity, find_mistakes, items_of
from domain.errors import Invalid
from service import clock
from service.catalog.commands.importing import import_edition
from service.catalog.commands.publishing import put_on_record
from service.catalog.commands.references import load_classification, load_trades
from service.catalog.queries.differences import Named, difference
from service.catalog.queries.editing import findings_of
from service.cli.differences import as_flat, in_words, write_csv
from service.cli.running import in_transaction, refuse
from service.database import Tx
from service.gateways.catalog_files import read_catalog
from service.gateways.reference_files import read_occupations, read_trades
from service.journal import By
from service.wording import words

R = TypeVar("R")

_SEVERITY = {
    Severity.ERROR: ("错误", "bold red"),
    Severity.WARNING: ("提醒", "yellow"),
    Severity.NOTE: ("附注", "dim"),
}


def _read_or_exit(path: Path, read: Callable[[bytes, str], R]) -> R:
    try:
        return read(path.read_bytes(), path.name)
    except OSError as error:
        refuse(f"打不开文件 {path}：{_why(error)}。", 2)
    except Invalid as error:
        place = "" if error.field == "file" else f"（{error.field}）"
        refuse(f"读不了文件 {path}：{words(error.code, error.facts)}{place}", 2)


def _why(error: OSError) -> str:
    said = {FileNotFoundError: "没有这个文件或目录", IsADirectoryError: "这是一个目录", PermissionError: "没有权限"}
    return said.get(type(error), f"系统错误 {error.errno}")


@click.group("catalog")
def catalog() -> None:
    """培训项目目录：检查、导入、发布。"""


@catalog.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="输出一个 JSON 对象。")
def check(file: Path, as_json: bool) -> None:
    """读取公布的目录（通知文本、CSV 或 XLSX），逐条指出其中的问题。

    有问题也以 0 退出；文件读不了以 2 退出。
    """
    published = _read_or_exit(file, read_catalog)
    findings = find_mistakes(published)
    if as_json:
        lists = published.rows_per_list()
        facts = [finding.facts() for finding in findings]
        click.echo(json.dumps({"rows": len(published.rows), "lists": lists, "findings": facts}, ensure_ascii=False))
    else:
        _show(published, findings)


def _show(published: PublishedCatalog, findings: list[Finding]) -> None:
    console = Console()
    lists = Table("目录", "项目数", title=f"共 {len(published.rows)} 项")
    lists.columns[1].justify = "right"
    for name, count in published.rows_per_list().items():
        lists.add_row(name, str(count))
    console.print(lists)
    if not findings:
        console.print("没有发现问题。")
        return
    found = Table(title=f"发现 {len(findings)} 处", show_lines=True)
    found.add_column("程度", no_wrap=True)
    for heading in ("位置", "说明", "建议"):
        found.add_column(heading, overflow="fold")
    for each in findings:
        word, style = _SEVERITY[each.severity]
        serial = "" if each.serial is None else f"序号 {each.serial}，"
        place = f"{each.list_name}\n{serial}第 {each.line} 行"
        message = f"{each.message}\n{each.kind.value}"
        found.add_row(word, _plain(place), _plain(message), _plain(each.suggestion), style=style)
    console.print(found)
    severities = Counter(each.severity for each in findings)
    console.print("，".join(f"{word} {severities[severity]}" for severity, (word, _) in _SEVERITY.items()) + "。")


def _plain(text: str) -> str:
    """A published text may hold what rich takes for markup."""
    return text.replace("[", r"\[")


@catalog.command("facts")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="写到这个 CSV 文件。")
def facts(file: Path, out: Path) -> None:
    """把公布的每一项原样写成 CSV：目录、序号、编码、名称、标识、行业分类、行号。"""
    published = _read_or_exit(file, read_catalog)
    try:
        with out.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(("list", "serial", "code", "name", "tag", "industry", "line"))
            for item in items_of(published):
                serial = "" if item.serial is None else item.serial
                writer.writerow(
                    (item.list_name, serial, item.code or "", item.name, item.tag, item.industry, item.line)
                )
    except OSError as error:
        refuse(f"写不了文件 {out}：{_why(error)}。", 2)
    click.echo(f"已写出 {len(published.rows)} 项：{out}")


_year = click.option("--year", type=click.IntRange(2000, 2100), required=True, help="哪一年的目录。")
_revision = click.option("--revision", type=click.IntRange(0, 99), default=0, help="第几次调整；不写是当年的一版。")


@catalog.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@_year
@_revision
@click.option("--replace", is_flag=True, help="草稿已经改过也换掉，改动不留。")
def import_(file: Path, year: int, revision: int, replace: bool) -> None:
    """把公布的目录存为草稿：每一项照公布的样子，连同发现的问题和原文的 SHA-256。

    已有草稿的，没有改过就换成新的；已有发布的目录的，以 1 退出。
    """
    source, published = _read_or_exit(file, lambda data, name: (data, read_catalog(data, name)))
    by = By("zhida catalog import", clock.now())

    async def store(tx: Tx) -> int:
        edition_id = await import_edition(tx, by, year, published, source, file.name, revision, replace=replace)
        return len((await findings_of(tx, edition_id)).findings)

    found = in_transaction(store)
    told = f"{year} 年目录" + (f"（第 {revision} 次调整）" if revision else "")
    rows = len(published.rows)
    click.echo(f"{told}已存为草稿：{rows} 项，发现 {found} 处问题，原文 SHA-256 {sha256(source).hexdigest()}")


@catalog.command()
@_year
@_revision
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="当年从哪一天起施行。")
@click.option("--reason", required=True, help="为什么补录，依据什么文件。")
def publish(year: int, revision: int, first: datetime, reason: str) -> None:
    """把过去公布的目录补录为施行：从这一天起，到下一版为止；上一版到前一天为止。

    新的一版不在这里发布：由编辑征求意见、另一人审定后发布（POST /api/catalog/drafts/…/publish）。
    """
    by = By("zhida catalog publish", clock.now())
    in_transaction(lambda tx: put_on_record(tx, by, year, first.date(), reason, revision))
    click.echo(f"{year} 年目录已补录，自 {first.date()} 起施行。")


class _Edition(click.ParamType[Named]):
    """2024 is the latest edition of that year, 2024.0 the first, 2024.1 its adjustment."""

    name = "版本"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Named:
        found = re.fullmatch(r"([0-9]{4})(?:\.([0-9]{1,2}))?", str(value))
        if found is None:
            self.fail("写年份，如 2024；第几次调整写在点后，如 2024.1。", param, ctx)
        year, revision = found.groups()
        return int(year), None if revision is None else int(revision)


@catalog.command("diff")
@click.argument("before", type=_Edition())
@click.argument("after", type=_Edition())
@click.option("--json", "form", flag_value="json", help="输出一个 JSON 对象。")
@click.option("--csv", "form", flag_value="csv", help="输出 CSV。")
def diff(before: Named, after: Named, form: str | None) -> None:
    """比较两版目录（草稿也可以）：新增、取消、更名、换编码、换目录、换标识、换行业。"""
    found = in_transaction(lambda tx: difference(tx, before, after, drafts=True))
    if form == "json":
        click.echo(json.dumps(as_flat(found), ensure_ascii=False))
    elif form == "csv":
        write_csv(found, sys.stdout)
    else:
        click.echo("\n".join(in_words(found)))


@catalog.command("reference")
@click.option(
    "--occupations", type=click.Path(path_type=Path), help="国家职业分类大典：编码、名称、标识（CSV 或 XLSX）。"
)
@click.option("--trades", type=click.Path(path_type=Path), help="工种：名称、所属职业编码（CSV 或 XLSX）。")
@click.option("--source", required=True, help="数据出自哪里。")
def reference(occupations: Path | None, trades: Path | None, source: str) -> None:
    """装入对照表；已有的不动。之后导入的目录会与大典核对。"""
    if occupations:
        rows = [{**row, "source": source} for row in _read_or_exit(occupations, read_occupations)]
        in_transaction(lambda tx: load_classification(tx, rows))
        click.echo(f"职业 {len(rows)} 个")
    if trades:
        inside = [{**row, "source": source} for row in _read_or_exit(trades, read_trades)]
        in_transaction(lambda tx: load_trades(tx, inside))
        click.echo(f"工种 {len(inside)} 个")
