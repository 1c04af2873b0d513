"""The statement over a ledger of 200,000 lines: how long it takes, and that it stays set-based."""

import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import date
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from domain.actor import Actor, Post
from domain.fund import Movement, PositionKey
from service.accounting.queries.statement import statement, statement_lines
from service.audit.queries.checks import first_breach
from service.audit.queries.fund_months import STATEMENT
from service.clock import now
from service.database import Tx, async_url
from tests.conftest import Databases
from tests.service.season import fresh_database

LINES, POSITIONS = 200_000, 36
SECONDS_MAX = 2.0

_FILL = (
    "SET LOCAL session_replication_role = replica",
    """INSERT INTO districts (code, name, kind)
       SELECT 'Z' || n, '示例区', 'district' FROM generate_series(1, 12) AS n""",
    """INSERT INTO fund_positions (id, district, fund, year, appropriated_fen, free_fen, paid_fen)
       SELECT gen_random_uuid(), 'Z' || n, f.code, 2026, 0, 0, 0 FROM generate_series(1, 12) AS n, funds f""",
    # four lines a claim, spread over twelve months: granted, held, sent, paid
    f"""INSERT INTO fund_movements (position_id, claim_id, appropriation_id, kind, source, target, amount_fen,
                                    actor_name, at)
        SELECT p.id, CASE way.kind WHEN 'appropriate' THEN NULL ELSE gen_random_uuid() END,
               CASE way.kind WHEN 'appropriate' THEN gen_random_uuid() END, way.*, 120000, 'size',
               timestamptz '2026-01-01 08:00+08' + (n * interval '362 days' / {LINES // 4})
          FROM generate_series(1, {LINES // 4}) AS n
          JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM fund_positions) AS p
            ON p.place = n % {POSITIONS}
         CROSS JOIN (VALUES ('appropriate', 'treasury', 'free'), ('reserve', 'free', 'reserved'),
                            ('send', 'reserved', 'in_flight'), ('pay', 'in_flight', 'paid'))
               AS way (kind, source, target)
         ORDER BY n""",
    """UPDATE fund_positions p SET appropriated_fen = m.fen, paid_fen = m.fen
         FROM (SELECT position_id, sum(amount_fen) AS fen FROM fund_movements WHERE kind = 'pay' GROUP BY 1) AS m
        WHERE m.position_id = p.id""",
)


async def milliseconds(what: Callable[[], Awaitable[object]]) -> float:
    """The median of seven."""
    took = []
    for _ in range(7):
        began = time.perf_counter()
        await what()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


@pytest.mark.long
async def test_a_month_of_200_000_lines(databases: Databases, capsys: pytest.CaptureFixture[str]) -> None:
    async with fresh_database(databases.admin_url, "size") as name:
        base = databases.admin_url.rpartition("/")[0]
        admin = create_async_engine(async_url(f"{base}/{name}"), poolclass=NullPool)
        async with admin.begin() as tx:
            for each in _FILL:
                await tx.execute(text(each))
        connection = await asyncpg.connect(f"{base}/{name}")
        await connection.execute("VACUUM ANALYZE fund_movements")
        await connection.close()
        async with admin.connect() as tx:
            await measure(tx, capsys)
        await admin.dispose()


async def measure(tx: Tx, capsys: pytest.CaptureFixture[str]) -> None:
    city = Actor(uuid4(), uuid4(), frozenset({Post.AUDITOR}))
    mine = Actor(uuid4(), uuid4(), frozenset({Post.MAKER}), "Z1")
    first, of = date(2026, 11, 1), PositionKey("Z1", "employment_subsidy", 2026)
    took = {
        "the city's month": await milliseconds(lambda: statement(tx, city, first, now())),
        "a district's month": await milliseconds(lambda: statement(tx, mine, first, now())),
        "a page of lines": await milliseconds(lambda: statement_lines(tx, mine, of, first, Movement.PAY, None, 100)),
        "the audit's promise": await milliseconds(lambda: first_breach(tx, STATEMENT.checks)),
    }
    with capsys.disabled():
        print("\n" + "\n".join(f"{what}: {each:.0f} ms" for what, each in took.items()))
    view = await statement(tx, city, first, now())
    assert len(view.positions) == POSITIONS
    assert sum(each.lines for position in view.positions for each in position.moved) > LINES // 14
    assert await first_breach(tx, STATEMENT.checks) is None
    assert took["the city's month"] < SECONDS_MAX * 1000
