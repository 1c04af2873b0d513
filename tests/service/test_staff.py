"""The first people of an installation: made on the command line, then able to sign in and do their work."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result
from sqlalchemy import select

from domain.actor import Post
from domain.errors import SignedOut
from service.access.commands import sign_in
from service.access.schemas import NewSignIn
from service.access.tables import UserRow
from service.cli.staff import institution, staff
from service.database import dispose, transaction
from service.institutions.queries.registry import public_view
from service.journal import JournalRow
from service.local.made_up import Maker
from service.security import actor_of
from service.settings import settings
from tests.world import World

PASSWORD = "a long password"


@pytest.fixture
async def maker(committed: World) -> Maker:
    """Makes up people; the commands have the database to themselves, as in a process of their own."""
    await dispose()
    return committed.maker


async def add(maker: Maker, login: str, *options: str, password: str = PASSWORD) -> Result:
    made = maker.person()
    typed = f"{made.name}\n{made.id_number}\n{made.phone}\n{password}\n{password}\n"
    return await run(staff, "add", login, *options, typed=typed)


async def run(group: object, *arguments: str, typed: str = "") -> Result:
    """In a thread, since a command starts a loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, group, list(arguments), input=typed)  # type: ignore[arg-type]


async def test_a_reviewer_signs_in_and_holds_the_post(maker: Maker) -> None:
    login = f"r{maker.person().id_number.lower()}"
    result = await add(maker, login, "--post", "reviewer", "--district", "370102")
    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    me = await actor_of((await sign_in(NewSignIn(login, PASSWORD))).token)
    assert me is not None
    assert (me.posts, me.district, me.institution_id) == (frozenset({Post.REVIEWER}), "370102", None)
    async with transaction() as tx:
        noted = (await tx.execute(select(JournalRow).where(JournalRow.subject_id == me.user_id))).one()
    assert (noted.action, noted.actor_name, noted.after["posts"]) == ("make", "zhida staff add", ["reviewer"])


async def test_a_password_hashed_for_the_demo_is_hashed_at_full_cost_elsewhere(
    maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = f"r{maker.person().id_number.lower()}"
    assert (await add(maker, login, "--post", "reviewer", "--district", "370102")).exit_code == 0

    async def stored() -> str:
        async with transaction() as tx:
            return (await tx.execute(select(UserRow.password_hash).where(UserRow.login == login))).scalar_one()

    cheap = await stored()
    assert "$m=19456,t=2,p=1$" in cheap
    await sign_in(NewSignIn(login, PASSWORD))
    assert await stored() == cheap
    monkeypatch.setattr("service.access.commands.users.settings", lambda: replace(settings(), demo=False))
    with pytest.raises(SignedOut):
        await sign_in(NewSignIn(login, f"not {PASSWORD}"))
    assert await stored() == cheap
    await sign_in(NewSignIn(login, PASSWORD))
    full = await stored()
    assert not PasswordHasher().check_needs_rehash(full)
    await sign_in(NewSignIn(login, PASSWORD))
    assert await stored() == full


async def test_a_clerk_belongs_to_an_institution_that_was_listed_before(maker: Maker) -> None:
    code, login = maker.credit_code(), f"c{maker.person().id_number.lower()}"
    unknown = await add(maker, login, "--post", "clerk", "--institution", code)
    assert (unknown.exit_code, "机构目录" in unknown.output) == (1, True)
    options = ("--district", "370102", "--from", "2026-01-01", "--source", "示例", "--kind", "assessment_body")
    listed = await run(institution, "list", code, "示例学校", *options)
    assert listed.exit_code == 0, listed.output
    again = await run(institution, "list", code, "示例学校", *options)
    assert again.exit_code == 1
    assert (await add(maker, login, "--post", "clerk", "--institution", code)).exit_code == 0
    me = await actor_of((await sign_in(NewSignIn(login, PASSWORD))).token)
    assert me is not None
    assert me.institution_id is not None
    async with transaction() as tx:
        shown = await public_view(tx, me.institution_id, date(2026, 1, 1))
    assert (shown.kind, shown.standing) == ("assessment_body", "listed")


@pytest.mark.parametrize(
    ("options", "password", "said"),
    [
        (("--post", "auditor", "--post", "reviewer"), PASSWORD, "兼任"),
        (("--post", "clerk"), PASSWORD, "所在机构"),
        (("--post", "reviewer", "--district", "nowhere"), PASSWORD, "区"),
        (("--post", "reviewer"), "short", "太短"),
    ],
)
async def test_what_cannot_be_is_said_and_leaves_nothing(
    maker: Maker, options: tuple[str, ...], password: str, said: str
) -> None:
    login = f"n{maker.person().id_number.lower()}"
    result = await add(maker, login, *options, password=password)
    assert result.exit_code == 1
    assert said in result.output
    assert (await add(maker, login, "--post", "maker", "--district", "370102")).exit_code == 0  # the login is free
    taken = await add(maker, login, "--post", "maker", "--district", "370102")
    assert (taken.exit_code, "有人用了" in taken.output) == (1, True)
