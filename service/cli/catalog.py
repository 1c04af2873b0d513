"""`zhida catalog`: check a published catalog, import it as a draft, put it in force."""

import asyncio
import csv
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NoReturn, TypeVar

import click
from rich.console import Console
from rich.table import Table

from domain.catalog import Finding, PublishedCatalog, Severity, find_mistakes, items_of
from domain.errors import DomainError, Invalid
from service import clock
from service.catalog.commands import import_edition, publish_edition
from service.database import Tx, dispose, transaction
from service.gateways.catalog_sheets import read_catalog_sheets
from service.gateways.notice_text import read_notice
from service.journal import By
from service.wording import words

T = TypeVar("T")

#: Suffixes that say a file is a table; everything else is read as text.
_TABLES = {".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".ods", ".et"}

_SEVERITY = {
    Severity.ERROR: ("错误", "bold red"),
    Severity.WARNING: ("提醒", "yellow"),
    Severity.NOTE: ("附注", "dim"),
}


def read_catalog(path: Path) -> PublishedCatalog:
    """The catalog in a published text, a CSV or an XLSX file. Invalid as the gateways say; OSError."""
    data = path.read_bytes()
    if path.suffix.lower() in _TABLES:
        return read_catalog_sheets(data, path.name)
    return read_notice(data)


def _read_or_exit(path: Path) -> PublishedCatalog:
    try:
        return read_catalog(path)
    except OSError as error:
        _refuse(f"打不开文件 {path}：{_why(error)}。")
    except Invalid as error:
        place = "" if error.field == "file" else f"（{error.field}）"
        _refuse(f"读不了文件 {path}：{words(error.code, error.facts)}{place}")


def _why(error: OSError) -> str:
    said = {FileNotFoundError: "没有这个文件或目录", IsADirectoryError: "这是一个目录", PermissionError: "没有权限"}
    return said.get(type(error), f"系统错误 {error.errno}")


def _refuse(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(2)


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
    published = _read_or_exit(file)
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
    published = _read_or_exit(file)
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
        _refuse(f"写不了文件 {out}：{_why(error)}。")
    click.echo(f"已写出 {len(published.rows)} 项：{out}")


_YEAR = click.IntRange(2000, 2999)


@catalog.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--year", type=_YEAR, required=True, help="哪一年的目录。")
def import_(file: Path, year: int) -> None:
    """把公布的目录存为草稿：每一项照公布的样子，连同发现的问题和原文的 SHA-256。

    这一年已有草稿的，换成新的；已有发布的目录的，以 1 退出。
    """
    published = _read_or_exit(file)
    source = file.read_bytes()
    by = By("zhida catalog import", clock.now())
    _in_transaction(lambda tx: import_edition(tx, by, year, published, source, file.name))
    rows, found = len(published.rows), len(find_mistakes(published))
    click.echo(f"{year} 年目录已存为草稿：{rows} 项，发现 {found} 处问题，原文 SHA-256 {sha256(source).hexdigest()}")


@catalog.command()
@click.option("--year", type=_YEAR, required=True, help="发布哪一年的草稿。")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="从哪一天起施行。")
@click.option("--reason", required=True, help="为什么在这一天发布；补录历史目录的也在这里说明。")
def publish(year: int, first: datetime, reason: str) -> None:
    """发布草稿：从这一天起施行，到被下一版替代为止；上一版到前一天为止。"""
    by = By("zhida catalog publish", clock.now())
    _in_transaction(lambda tx: publish_edition(tx, by, year, first.date(), reason))
    click.echo(f"{year} 年目录已发布，自 {first.date()} 起施行。")


def _in_transaction(work: Callable[[Tx], Awaitable[T]]) -> T:
    """Do it in one transaction; what the rules refuse is said in a sentence, with exit code 1."""

    async def whole() -> T:
        try:
            async with transaction() as tx:
                return await work(tx)
        finally:
            await dispose()

    try:
        return asyncio.run(whole())
    except DomainError as refusal:
        click.echo(words(refusal.code, refusal.facts), err=True)
        sys.exit(1)
