"""`zhida staff` and `zhida institution`: the first people and institutions of an installation."""

from datetime import datetime

import click
import pyotp

from domain.actor import Post
from domain.errors import Invalid
from domain.identity import CreditCode
from domain.institution import InstitutionKind
from service import clock
from service.access.commands import add_staff, end_factor, must_know_district
from service.access.schemas import NewSignUp, NewStaff
from service.cli.running import as_login, in_name_of, refuse, run
from service.database import transaction
from service.institutions.commands import list_institution
from service.institutions.queries import Institution, institution_with
from service.journal import By, record
from service.local.sample_codes import sample_secret
from service.settings import settings
from service.wording import words


@click.group()
def staff() -> None:
    """工作人员：给一个人开登录名、定岗位。"""


@staff.command("add")
@click.argument("login")
@click.option(
    "--post",
    "posts",
    multiple=True,
    required=True,
    type=click.Choice(sorted(str(each) for each in Post)),
    help="岗位，可以写几次",
)
@click.option("--district", help="区县编码；不写是全市")
@click.option("--institution", "code", help="机构经办所在机构的统一社会信用代码")
def add(login: str, posts: tuple[str, ...], district: str | None, code: str | None) -> None:
    """添一个工作人员。姓名、身份证号和密码在这里问，不写在命令里。

    同一个人不能有互斥的岗位；做不成以 1 退出。
    """
    name, id_number = click.prompt("姓名"), click.prompt("身份证号")
    phone = click.prompt("手机号（可以空着）", default="", show_default=False)
    password = click.prompt("密码", hide_input=True, confirmation_prompt="再输一次")
    user = NewSignUp(login, password, name, id_number, phone or None)
    run(_add(user, list(posts), district, code))
    click.echo(f"已添加 {login}：{'、'.join(words(f'post.{post}') for post in posts)}。")


async def _add(user: NewSignUp, posts: list[str], district: str | None, code: str | None) -> None:
    institution = await _institution(code) if code else None
    if institution:
        district = institution.district
    new = NewStaff(user, posts, district, institution.id if institution else None)
    await add_staff(new, clock.today(), By("zhida staff add", clock.now()))


async def _institution(code: str) -> Institution:
    async with transaction() as tx:
        found = await institution_with(tx, CreditCode.parse(code))
    if found is None:
        raise Invalid("institution.unknown", field="institution")
    return found


@staff.command("forget")
@click.argument("whose")
@click.option("--reason", required=True, help="为什么：例如手机丢了")
@as_login
def end_second_factor(whose: str, reason: str, login: str) -> None:
    """解除一个人的手机验证器，本人再绑定新的。由运维人员做，日志记下是谁、为什么。"""
    in_name_of(lambda tx, me: end_factor(tx, me, whose, reason, clock.now()), login)
    click.echo(f"已解除 {whose} 的手机验证器。")


@staff.command("code")
@click.argument("login")
def code(login: str) -> None:
    """演示专用：演示人物此刻的一次性验证码。"""
    if not settings().demo:
        refuse(words("step_up.demo_only"))
    click.echo(pyotp.TOTP(sample_secret(login)).now())


@click.group()
def institution() -> None:
    """培训机构：列入机构目录。"""


@institution.command("list")
@click.argument("code")
@click.argument("name")
@click.option("--district", required=True, help="区县编码")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="从哪一天起在机构目录里")
@click.option("--source", required=True, help="依据：哪份文件")
@click.option(
    "--kind", type=click.Choice([each.value for each in InstitutionKind]), default="private_school", help="类别"
)
def list_(code: str, name: str, district: str, first: datetime, source: str, kind: str) -> None:
    """把一个机构（统一社会信用代码、名称）列入机构目录。"""
    run(_list(code, name, district, first, source, InstitutionKind(kind)))
    click.echo(f"{name} 自 {first.date()} 起在机构目录里。")


async def _list(code: str, name: str, district: str, first: datetime, source: str, kind: InstitutionKind) -> None:
    by = By("zhida institution list", clock.now())
    async with transaction() as tx:
        parsed = CreditCode.parse(code)
        if await institution_with(tx, parsed):
            raise Invalid("institution.known", field="code")
        await must_know_district(tx, district)
        made = await list_institution(tx, parsed, name, district, first.date(), source, kind=kind)
        about = {"name": name, "district": district, "kind": str(kind)}
        after = {**about, "first": first.date().isoformat(), "source": source}
        await record(tx, "institution", [made], "list", by, [after])
