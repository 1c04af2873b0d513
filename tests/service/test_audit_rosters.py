"""The promise about rosters is broken behind the back of every guard, and the audit names the row."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from service import jobs as owed_work
from service.audit.queries.checks import first_breach
from service.audit.queries.rosters import ROSTER_LINES
from service.database import async_url
from tests.conftest import Databases
from tests.rosters import Desk, line_of
from tests.sheets import sheet
from tests.world import World

_GUARDS = ("ck_roster_lines_filed", "ck_roster_lines_refused", "ck_roster_lines_outcome", "uq_roster_lines_claim_id")


@pytest.fixture(scope="module")
async def admin(databases: Databases) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(async_url(databases.admin_url), poolclass=NullPool)
    yield engine
    await engine.dispose()


@pytest.fixture
async def roster_id(committed: World, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """Rows 2 and 3 are filed, row 4 is refused."""
    monkeypatch.setattr(owed_work, "send", lambda _: None)
    lines = [line_of(committed), line_of(committed), line_of(committed, 等级="x")]
    return (await Desk(committed, committed.clerks[0]).through(sheet(lines))).id


#: What is planted → the table that is named.
PLANTED = {
    "a filed line without its claim": (
        "UPDATE roster_lines SET claim_id = NULL WHERE roster_id = :id AND line = 2",
        "roster_lines",
    ),
    "a refused line with a claim": (
        "UPDATE roster_lines SET outcome = 'refused', reasons = '[{}]' WHERE roster_id = :id AND line = 2",
        "roster_lines",
    ),
    "two lines of one claim": (
        "UPDATE roster_lines l SET claim_id = o.claim_id FROM roster_lines o"
        " WHERE l.roster_id = :id AND l.line = 2 AND o.roster_id = :id AND o.line = 3",
        "roster_lines",
    ),
    "a claim of somebody else's": (
        "UPDATE claims SET filed_by = (SELECT u.id FROM users u WHERE u.id <> filed_by LIMIT 1) WHERE id ="
        " (SELECT claim_id FROM roster_lines WHERE roster_id = :id AND line = 2)",
        "roster_lines",
    ),
    "a line lost": ("DELETE FROM roster_lines WHERE roster_id = :id AND line = 4", "roster_portions"),
    "a figure of its own": (
        "UPDATE roster_portions SET filed = 3, refused = 0 WHERE roster_id = :id",
        "roster_portions",
    ),
    "finished too early": (
        "UPDATE roster_portions SET filed = NULL, refused = NULL, done_at = NULL WHERE roster_id = :id",
        "roster_portions",
    ),
    "never finished": ("UPDATE rosters SET status = 'filing' WHERE id = :id", "rosters"),
    "more lines than it has": ("UPDATE rosters SET line_count = 4 WHERE id = :id", "rosters"),
}


@pytest.mark.parametrize("name", PLANTED)
async def test_a_broken_promise_is_named(admin: AsyncEngine, roster_id: UUID, name: str) -> None:
    statement, table = PLANTED[name]
    async with admin.connect() as tx:
        assert await first_breach(tx, ROSTER_LINES.checks) is None
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        for guard in _GUARDS:
            await tx.execute(text(f"ALTER TABLE roster_lines DROP CONSTRAINT {guard}"))
        assert (await tx.execute(text(statement), {"id": roster_id})).rowcount > 0
        breach = await first_breach(tx, ROSTER_LINES.checks)
        await tx.rollback()
    assert breach is not None
    assert breach.table == table
