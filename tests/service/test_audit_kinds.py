"""What stands in the rows of enterprises and projects though the database refuses it is named."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import pytest

from domain.claim import DEAD
from service.audit.queries.checks import FACTS, first_breach
from service.audit.queries.kinds import KINDS
from service.database import Tx, transaction
from tests.conftest import Databases
from tests.enterprises import Enterprise
from tests.projects import Procured
from tests.world import World

ITS_ACCOUNT = "SELECT account_id FROM claims WHERE id = $1"
OF_A_PERSON = "SELECT id FROM accounts WHERE person_id IS NOT NULL LIMIT 1"


async def test_what_people_agreed_on_breaks_nothing(tx: Tx, world: World) -> None:
    await (await Enterprise.build(tx, world)).claim(tx)
    await (await Procured.build(tx, world)).claim(tx)
    assert await first_breach(tx, KINDS.checks) is None
    assert set(FACTS["dead"]) == set(map(str, DEAD))


@pytest.mark.parametrize(
    ("check", "planted"),
    [
        (0, f"UPDATE claims SET account_id = ({OF_A_PERSON}) WHERE id = $1"),
        (1, f"DELETE FROM institution_account_answers WHERE proposal_id = ({ITS_ACCOUNT})"),
        (2, "UPDATE claims SET amount_fen = 10000000000 WHERE id = $1"),
    ],
    ids=["another's account", "an account nobody confirmed", "more than the contract"],
)
async def test_what_is_planted_is_named(databases: Databases, committed: World, check: int, planted: str) -> None:
    async with transaction() as tx:
        claim = await (await Procured.build(tx, committed)).claim(tx)
        await committed.claim(tx)
    admin = await asyncpg.connect(databases.admin_url)
    planting = admin.transaction()
    await planting.start()
    try:
        named = "SELECT id FROM claims WHERE id = $1", "SELECT account_id FROM claims WHERE id = $1"
        project = "SELECT project_id FROM claims WHERE id = $1"
        key = await admin.fetchval((*named, project)[check], claim.id)
        assert key not in await broken(admin, check)
        await admin.execute("SET LOCAL session_replication_role = replica")
        await admin.execute(planted, claim.id)
        assert key in await broken(admin, check)
    finally:
        await planting.rollback()
        await admin.close()


async def broken(admin: asyncpg.Connection, check: int) -> Sequence[UUID]:
    dead = ", ".join(f"'{status}'" for status in DEAD)
    asked = KINDS.checks[check].broken.replace("CAST(:dead AS text[])", f"ARRAY[{dead}]")
    return [row[0] for row in await admin.fetch(asked)]
