"""`zhida explain`: the whole story of one claim, in words."""

from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from domain.actor import Actor, Post
from domain.level import LEVELS
from service.audit.queries.story import story_of
from service.audit.schemas import StoryView
from service.claims.schemas import DecisionView
from service.cli.running import in_transaction
from service.clock import SHANGHAI
from service.wording import words

#: Whoever may run this on the machine works there, and reads as an auditor of the whole city does.
_READER = Actor(UUID(int=0), UUID(int=0), frozenset({Post.AUDITOR}))
_MARKS = {
    "passed": "[green]通过[/]",
    "warned": "[yellow]留意[/]",
    "needs_human": "[bold yellow]人看[/]",
    "failed": "[bold red]不符[/]",
}


@click.command()
@click.argument("claim", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="给程序看的一个 JSON 对象")
def explain(claim: UUID, as_json: bool) -> None:
    """说清一笔申领的来龙去脉：按哪条规定、谁、什么时候、凭什么。

    没有这笔申领，以 1 退出。
    """
    story = in_transaction(lambda tx: story_of(tx, _READER, claim))
    if as_json:
        click.echo(msgspec.json.encode(story).decode())
    else:
        show(story, Console())


def show(story: StoryView, console: Console) -> None:
    claim = story.claim
    level = LEVELS[claim.level].name
    console.print(
        f"[bold]{escape(claim.item_name)}[/]（{claim.item_code}）{level}，{claim.amount}，{claim.status_name}"
    )
    if claim.supplement_of is not None:
        console.print(f"{claim.kind_name}，原来那笔申领：{claim.supplement_of}")
    console.print(f"{escape(claim.claimant)}，{words(f'channel.{claim.channel}')}，{claim.filed_on} 提交")
    if claim.assessed is not None:
        console.print(escape(claim.assessed.message))
    if claim.decision is not None:
        console.print(escape(claim.decision.message))
        console.print(_rules(claim.decision))
    console.print(_steps(story))


def _rules(decision: DecisionView) -> Table:
    table = Table("结果", "查了什么", "依据", title=f"提交时的核查（规则第 {decision.rules_version} 版）")
    for each in decision.outcomes:
        table.add_row(_MARKS[each.outcome], escape(each.message), escape(each.basis))
    return table


def _steps(story: StoryView) -> Table:
    table = Table("时间", "谁", "做了什么", title="经过")
    table.add_column("凭据", overflow="fold")
    for step in story.steps:
        at = f"{step.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
        table.add_row(at, escape(step.who), escape(step.what), escape("\n".join(step.evidence)))
    return table
