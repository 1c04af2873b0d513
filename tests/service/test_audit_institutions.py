"""`zhida audit verify` names what was done to institutions behind the back of their guards."""

from collections.abc import AsyncIterator
from datetime import datetime, time

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from domain.actor import Post
from service.audit.queries.checks import first_breach
from service.audit.queries.institutions import INSTITUTIONS
from service.clock import SHANGHAI
from service.database import Tx, async_url
from service.institutions.commands import accounts, admitting
from service.institutions.schemas import NewInstitutionAccount
from tests.conftest import Databases
from tests.selection import A_DAY, Selecting
from tests.service.season import fresh_database
from tests.world import World

NAME = "示例技能学校（历下）"


@pytest.fixture(scope="module")
async def admin(databases: Databases) -> AsyncIterator[AsyncEngine]:
    """An institution admitted by a round, and its account."""
    async with fresh_database(databases.admin_url, "institutions") as name:
        server, admin_server = (each.rpartition("/")[0] for each in (databases.app_url, databases.admin_url))
        app = create_async_engine(async_url(f"{server}/{name}"), poolclass=NullPool)
        async with app.begin() as tx:
            await _play(tx)
        yield create_async_engine(async_url(f"{admin_server}/{name}"), poolclass=NullPool)


async def _play(tx: Tx) -> None:
    stage = await Selecting.of(tx, await World.build(tx))
    today, now, place = stage.world.today, stage.world.now, stage.institution_id
    publicised, application = await stage.nominated(tx)
    assert publicised.publicity is not None
    assert publicised.publicity.last is not None
    over = publicised.publicity.last + A_DAY
    at = datetime.combine(over, time(9), SHANGHAI)
    await admitting.admit(tx, stage.officer, application.id, over, at)
    new = NewInstitutionAccount("3701024009123456", NAME, "102100099996", "示例", str(today))
    proposal = await accounts.propose_account(tx, stage.clerk, place, new, today, now)
    officer = await stage.world.user(tx, {Post.INSTITUTION_OFFICER})
    await accounts.confirm_account(tx, officer, place, proposal.id, today, now)


async def _breach(admin: AsyncEngine, *statements: str) -> str | None:
    async with admin.connect() as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(
            text("ALTER TABLE institution_account_answers DROP CONSTRAINT ck_institution_account_answers_two_persons")
        )
        for statement in statements:
            assert (await tx.execute(text(statement))).rowcount > 0, statement
        found = await first_breach(tx, INSTITUTIONS.checks)
        await tx.rollback()
    return found and found.says


async def test_what_the_commands_do_keeps_the_promise(admin: AsyncEngine) -> None:
    assert await _breach(admin) is None


BY_SCORES = "入围不是由足够的评委打分得出的"
MERGED = """UPDATE people SET merged_into = (SELECT proposer_id FROM institution_account_proposals)
             WHERE id = (SELECT person_id FROM institution_account_answers)"""
ONE_HUMAN = """UPDATE people SET merged_into = (SELECT person_id FROM selection_score_sheets ORDER BY id LIMIT 1)
                WHERE id = (SELECT person_id FROM selection_score_sheets ORDER BY id DESC LIMIT 1)"""


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE institution_account_answers SET person_id = proposer_id", "账户由提出的人自己答复"),
        (MERGED, "账户由提出的人自己答复"),
        ("DELETE FROM institution_account_proposals", "账户由提出的人自己答复"),
        ("UPDATE selection_applications SET score = score + 1", BY_SCORES),
        ('UPDATE selection_score_sheets SET points = \'{"师资": 10, "场地": 10}\'', BY_SCORES),
        ("DELETE FROM selection_score_sheets", BY_SCORES),
        (ONE_HUMAN, BY_SCORES),
        ("UPDATE journal SET at = at - interval '3 days' WHERE action = 'admit'", "公示期满之前就入围了"),
        ("UPDATE selection_rounds SET admits = '[2099-01-01,2099-12-31]'", "入围的日子不是公告的日子"),
        ("DELETE FROM institution_listings WHERE source LIKE '示例遴选%'", "入围的日子不是公告的日子"),
    ],
)
async def test_it_is_named(admin: AsyncEngine, statement: str, says: str) -> None:
    assert await _breach(admin, statement) == says
