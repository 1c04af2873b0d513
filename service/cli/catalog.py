"""`zhida catalog`: look at a published catalog before it is imported."""

import csv
import json
import sys
from collections import Counter
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.table import Table

from domain.catalog import Finding, PublishedCatalog, Severity, find_mistakes, items_of
from domain.errors import Invalid
from service.gateways.catalog_sheets import read_catalog_sheets
from service.gateways.notice_text import read_notice
from service.wording import words

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
