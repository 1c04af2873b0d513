"""`zhida audit`: recompute the promises over the whole database; the head of the journal's seal."""

import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import text

from service.audit.commands import noted_heads
from service.audit.queries import verify as verify_promises
from service.audit.queries.seal import last_restored_at, missing_heads, seal_head
from service.audit.schemas import PromiseReport
from service.cli.running import in_transaction, refuse, run
from service.database import Tx, transaction

TITLES = {
    "one_live_attempt": "一笔申领至多一次有效的支付",
    "paid_as_agreed": "替单位申领的，付到经两人确认的账户，不超出合同",
    "supplements_paid_once": "补发只付一次，付给原来的人，随原来那笔申领停下",
    "new_accounts_checked": "金额大的，退票后换的账户另有一人核对",
    "one_subsidy": "一人同一职业同一等级至多一笔有效的申领",
    "reference_unique_and_frozen": "付款号永不重复、不变",
    "file_before_sending": "代发文件先存下再送出，重新生成一字不差",
    "bytes_leave_as_agreed": "代发文件每次送出都有记录，再送只在约定时限内由两人决定",
    "unknown_ends_by_evidence": "结果不明的支付只凭银行的证据或两人认定了结",
    "legal_moves_and_frozen_money": "状态依规定变化，金额与收款人冻结",
    "three_persons": "一个批次三个人签字",
    "signed_content": "签字只对所见的内容有效",
    "signed_anew": "每个签字之前重新验过密码和验证码，一个验证码只用一次",
    "money_conserved": "每项资金下达数＝可用＋为开班留出＋预留＋在途＋已付，每一分都对得上一笔申领或一个班",
    "statement_adds_up": "资金月报累计到今天就是额度的现状，哪个月的期末都不为负",
    "answered_is_committed": "答复了成功的，都已存下",
    "answered_once": "一把钥匙一个答复，签字的答复永久保留",
    "journal_equals_rows": "日志累积的结果就是每一行的现状",
    "journal_sealed": "封存的日志一行没有改、删、插，封印首尾相接",
    "counted_once": "回盘每行只入账一次，每笔支付恰好一行",
    "nothing_in_clear": "库里没有明文的身份证号、手机号、银行卡号",
    "nobody_acts_elsewhere": "谁都没有在自己的区、机构和本人之外办事",
    "decisions_recompute": "每个判断都能由存下的事实重算",
    "parameters_by_two_persons": "政策参数由两个人修改，日子前后相接",
    "jobs_end": "每件待办都有结果",
    "restored_resends_nothing": "恢复备份之后什么都不重送",
    "held_and_sent_back_wait": "冻结的不往下办，要由人核对的有人核对，退回的写明补正事项，一张凭证只用在一个批次",
    "objections": "异议由本人提出、由别人认定，每一步都有日志",
    "share": "占比的统计数与逐笔重算一致",
    "standards_of_two_bureaus": "补贴标准由两个部门签字，一日一个标准，每个金额都能重算",
    "penalties_by_two_persons": "惩戒由两个人决定、第三人处理申诉，停的就是所定的，评估都能重算",
    "institutions_by_several_persons": "机构账户两个人定，入围凭几个评委的分、公示之后",
    "classes_apart": "同一时间谁都不在两个班，首次开班前通过两人以上的实地检查",
    "attendance_inside_rosters": "考勤只记名册上的人、上过的课，更正写明原因",
    "patrols_drawn_honestly": "巡查由种子和权重重抽得出，结果有人、有证据，不合格的都记了分",
    "assessed_by_others": "班级的结果由别的评价机构评出，名册上每人一个，一个证书编号只属于一个人",
    "registers_before_payment": "名册由两个人经手，发放前都核对过，名册所排除的没有发放",
    "offers_become_claims": "免申即享的提示只由本人确认，确认的各有一笔本人的个人申领",
    "roster_lines": "花名册每一行恰好一个结果，受理的行各有一笔申领",
    "told_what_happened": "短信只说发生过的事，只发给本人",
    "checked_by_hand": "人工核验由别人做、有材料，金额较大的两个人",
    "corrections_add_up": "追回不超过已发，免于追回由两个人决定，补发和追回就是复核认定的差额",
    "close_adds_up": "对账单前后相接、逐行入账一次，每个日终的数都对得上当日的行和额度收支",
    "repayments_add_up": "追回的还款都是对账单上的收款，每一分都回到原来的额度，还清的才收回",
    "approvals_looked_at_again": "抽样都能重抽，要复核的由另一人同意后才公示，没有人审自己和亲属的",
    "objections_to_notices": "有人提异议的，答复以前不发钱；异议由别人答复，一次",
    "appeals_by_another": "复核由另一人答复，通过的才恢复申领",
}


@click.group("audit")
def audit() -> None:
    """核查：逐项重算系统的承诺。"""


@audit.command("verify")
@click.option("--settled", is_flag=True, help="所有待办都应已办结：还有待办就算违背")
@click.option("--json", "as_json", is_flag=True, help="给程序看的一个 JSON 对象")
@click.option("--head", "heads", multiple=True, help="以前记下的封印，应还在链上；可以写几次")
@click.option(
    "--heads", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="记着封印的文件，逐行对照"
)
def verify(settled: bool, as_json: bool, heads: tuple[str, ...], file: Path | None) -> None:
    """对整个数据库逐项重算；有违背时指出第一行，以 1 退出。"""
    noted = [*heads, *(noted_heads(file) if file else [])]
    reports, rewritten = run(_verify(settled, noted))
    if as_json:
        click.echo(msgspec.json.encode({"promises": reports}).decode())
    else:
        _show(reports)
    broken = [f"违背：{report.detail}" for report in reports if not report.held] + ([rewritten] if rewritten else [])
    if broken:
        click.echo(broken[0], err=True)
        sys.exit(1)
    if noted:
        click.echo(f"记下的封印都在链上：{len(noted)} 个", err=True)


@audit.command("seal")
def seal() -> None:
    """日志封印的链头：块号、封印、时间。抄到别处，以后用 verify --head 对照。"""
    head = in_transaction(seal_head)
    if head is None:
        refuse("日志还没有封存过")
    click.echo(f"{head.number} {head.hash} {head.sealed_at.isoformat()}")


async def _verify(settled: bool, noted: list[str]) -> tuple[list[PromiseReport], str]:
    """All statements see one moment, while the service goes on writing; what is wrong with noted heads, in words."""
    async with transaction() as tx:
        await tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        return await verify_promises(tx, settled=settled), await _lost_heads(tx, noted)


async def _lost_heads(tx: Tx, noted: list[str]) -> str:
    missing = await missing_heads(tx, [head.strip().lower() for head in noted])
    if not missing:
        return ""
    said = f"记下的封印不在链上（{len(missing)} 个）：{missing[0]}。它所封的日志被整条改写过"
    if restored_at := await last_restored_at(tx):
        return f"{said}；或者它是在备份之后、{restored_at.isoformat()} 恢复之前记下的，随数据库一起丢失了"
    return said


def _show(reports: list[PromiseReport]) -> None:
    table = Table("承诺", "", "行数", "结果", "说明")
    table.columns[2].justify = "right"
    for report in reports:
        held = "[green]守住[/]" if report.held else "[bold red]违背[/]"
        number = str(report.number or "—")
        table.add_row(number, TITLES[report.name], f"{report.checked:,}", held, escape(report.detail))
    Console().print(table)
