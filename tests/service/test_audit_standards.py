"""`zhida audit verify` names what was done to standards behind the back of their guards."""

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from service.audit.queries.checks import Breach, first_breach
from service.audit.queries.standards import STANDARDS, standards_recompute
from service.database import async_url
from tests.conftest import Databases
from tests.service.season import fresh_database


@pytest.mark.parametrize(
    ("done", "table", "says"),
    [
        ("UPDATE standards SET amount_fen = amount_fen + 100 WHERE level = '1'", "standard_sets", "内容与签字的不符"),
        ("UPDATE standard_sets SET source = 'x'", "standard_sets", "内容与签字的不符"),
        ("UPDATE standard_sets SET projects = '{}'", "standard_sets", "内容与签字的不符"),
        ("UPDATE standards SET derivation = '{\"steps\": []}' WHERE level = '1'", "standards", "由公式或推导重算"),
        ("UPDATE standard_sets SET in_force = '{[2020-01-01,)}'", "standard_sets", "历次发布所定的日子"),
        ("UPDATE standards SET in_force = '{[2020-01-01,)}' WHERE level = '1'", "standards", "所属方案的日子"),
        (
            "UPDATE standard_sets SET sample = false, proposer_id = gen_random_uuid()",
            "standard_sets",
            "没有人社、财政两个部门",
        ),
    ],
)
async def test_it_is_named(databases: Databases, done: str, table: str, says: str) -> None:
    server = databases.app_url.rpartition("/")[0]
    async with fresh_database(databases.admin_url, "standards") as name:
        admin = await asyncpg.connect(f"{databases.admin_url.rpartition('/')[0]}/{name}")
        await admin.execute("SET session_replication_role = replica")  # no guard stands in the way
        await admin.execute(done)
        await admin.close()
        engine = create_async_engine(async_url(f"{server}/{name}"), poolclass=NullPool)
        async with engine.connect() as tx:
            breach: Breach | None = await first_breach(tx, STANDARDS.checks) or await standards_recompute(tx)
        await engine.dispose()
    assert breach is not None
    assert breach.table == table
    assert says in breach.says
