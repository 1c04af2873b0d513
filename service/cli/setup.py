"""`zhida load`, `zhida cast`, `zhida clock`: what a new database needs, and what the demo plays with."""

import csv
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from service import clock as business_clock
from service.access.commands import load_districts
from service.catalog.commands.importing import import_edition
from service.catalog.commands.publishing import put_on_record
from service.catalog.commands.references import load_aliases
from service.catalog.queries.editions import edition_on
from service.cli.running import in_transaction, run
from service.database import transaction
from service.funds.commands import load_funds
from service.gateways.notice_text import read_notice
from service.journal import By
from service.local.cast import make_cast
from service.oversight.commands.loading import load_formulas, load_ladders, must_be_whole
from service.policies.commands import load_parameters
from service.policies.queries import DATA
from service.settings import settings
from service.standards.commands import load_samples


def _csv(name: str) -> list[dict[str, Any]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return [{key: value or None for key, value in row.items()} for row in csv.DictReader(file)]


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / name).read_text(encoding="utf-8"))


def _settled(name: str, noun: str, samples: bool) -> list[dict[str, Any]]:
    """What a public source of the city settles; with `samples` the rest as well."""
    return [each for each in _toml(name)[noun] if samples or not each.get("sample")]


async def load_published_facts(samples: bool, own: Mapping[str, list[dict[str, Any]]]) -> None:
    """Districts, funds, policies, the 2023 edition, aliases, as far as they are not there yet.

    `samples`: also what no public source of the city settles, so that the demo has standards and every parameter.
    `own`: parameters of the city's own (`policy`), which come before those that are published here, and its own
    ladder of penalties (`ladder`) and formula of evaluation (`formula`).
    """
    by = By("zhida load", business_clock.now())
    known = {each["key"] for each in own.get("policy", [])}
    parameters = own.get("policy", []) + [
        each
        for each in _toml("policies.toml")["policy"]
        if each["key"] not in known and (samples or not each.get("sample"))
    ]
    edition = _toml("catalog-2023.toml")
    async with transaction() as tx:
        await load_districts(tx, _csv("districts.csv"))
        await load_funds(tx, _csv("funds.csv"))
        await load_parameters(tx, parameters)
        await load_ladders(tx, _settled("penalty-ladder.toml", "ladder", samples) + own.get("ladder", []))
        await load_formulas(tx, _settled("evaluation-formula.toml", "formula", samples) + own.get("formula", []))
        await load_aliases(tx, _csv("occupation-aliases.csv"))
        if await edition_on(tx, edition["in_force_from"]) is None:
            source = (DATA / edition["source"]["file"]).read_bytes()
            published = read_notice(source)
            await import_edition(tx, by, edition["year"], published, source, edition["source"]["number"])
            reason = "历史目录补录：发布日为文件印发日，不是录入日"
            await put_on_record(tx, by, edition["year"], edition["in_force_from"], reason)
        if samples:
            sample = _toml("standards-sample.toml")
            await load_samples(tx, by, sample, edition["in_force_from"], business_clock.today())


@click.command()
@click.option("--samples", is_flag=True, help="连同示例标准和示例参数（只用于演示和试用）")
@click.option("--policies", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="本市的政策参数文件")
def load(samples: bool, policies: Path | None) -> None:
    """装入公布的数据：区县、资金、目录、政策参数；已有的不动。"""
    try:
        own = tomllib.loads(policies.read_text("utf-8")) if policies else {}
        if policies and not own.keys() & {"policy", "ladder", "formula"}:
            raise KeyError("policy")
        must_be_whole(own)
    except (ValueError, KeyError) as problem:  # also what is no TOML, or no UTF-8
        raise click.ClickException(f"读不了参数文件 {policies}：{problem}") from None
    run(load_published_facts(samples, own))


@click.command()
def cast() -> None:
    """装入演示人物（仅演示环境）。"""
    if not settings().demo:
        raise click.ClickException("演示人物只能装入演示环境（zhida up --demo）。")

    for line in in_transaction(lambda tx: make_cast(tx, business_clock.today(), business_clock.now())):
        click.echo(line)


@click.command()
@click.option("--advance", "days", type=click.IntRange(0, 3660), default=0, help="向前拨的天数")
def clock(days: int) -> None:
    """看或向前拨演示环境的日期。"""
    try:
        day = business_clock.advance(days) if days else business_clock.today()
    except RuntimeError:
        raise click.ClickException("只有演示环境的日期可以拨动。") from None
    click.echo(day.isoformat())
