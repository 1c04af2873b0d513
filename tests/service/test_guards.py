"""Guards see a statement's rows as a set: however many rows a statement moves, each is looked at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.conftest import Databases

_GUARDED = """
    SELECT DISTINCT t.tgrelid::regclass::text AS name, a.attname AS any_column
      FROM pg_trigger t JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum = 1
     WHERE t.tgoldtable IS NOT NULL AND t.tgnewtable IS NOT NULL ORDER BY 1
"""
#: Moved one at a time, never as a set.
_SINGLE = {"batches", "catalog_editions"}
_NESTED, _ROWS = "Nested Loop", "Named Tuplestore Scan"


async def plans_of_guards(url: str) -> dict[str, list[str]]:
    """Table → the plans that its guards make for few rows, and keep for many: as the server itself explains them."""
    found = {}
    async with explaining(url) as (connection, told):
        for table, column in await connection.fetch(_GUARDED):
            told.clear()
            await connection.execute(f'UPDATE {table} SET "{column}" = "{column}" WHERE false')
            found[table] = [plan for plan in told if _ROWS in plan]
    return found


@asynccontextmanager
async def explaining(url: str) -> AsyncIterator[tuple[asyncpg.Connection, list[str]]]:
    """A connection, and the plans of everything that is done on it, guards' statements among them."""
    connection = await asyncpg.connect(url)
    told: list[str] = []
    try:
        connection.add_log_listener(lambda _, message: told.append(message.message))
        await connection.execute("LOAD 'auto_explain'")
        await connection.execute("SET auto_explain.log_min_duration = 0")
        await connection.execute("SET auto_explain.log_nested_statements = on")
        await connection.execute("SET client_min_messages = log")
        yield connection, told
    finally:
        await connection.close()


def rows_by_rows(plan: str) -> bool:
    """Whether a nested loop has both the old and the new rows directly below it."""
    lines = [line for line in plan.splitlines() if "->" in line or _NESTED in line]
    depths = [len(line) - len(line.lstrip(" ->")) for line in lines]
    for place, line in enumerate(lines):
        if _NESTED not in line:
            continue
        below: list[str] = []
        for depth, other in zip(depths[place + 1 :], lines[place + 1 :], strict=True):
            if depth <= depths[place]:
                break
            below.append(other)
        if sum(_ROWS in other for other in below) > 1 and not any(" Join" in other for other in below):
            return True
    return False


async def test_no_guard_compares_every_row_with_every_other(databases: Databases) -> None:
    plans = await plans_of_guards(databases.admin_url)
    assert {"claims", "payment_attempts", "batches"} <= set(plans)
    assert all(plans.values())
    slow = {table: plan for table, own in plans.items() for plan in own if rows_by_rows(plan)}
    assert slow.keys() <= _SINGLE, slow


async def test_a_claim_that_is_paid_looks_up_its_attempt(databases: Databases) -> None:
    """As an anti-join it was planned by what statistics knew of attempts that are done: none, until the first batch
    is through, and then every claim was compared with every one of them."""
    plans = await plans_of_guards(databases.admin_url)
    (paid,) = [plan for plan in plans["claims"] if "a.status = 'done'" in plan]
    assert "Anti Join" not in paid
    assert "SubPlan" in paid


async def test_money_follows_its_claim_by_the_claims_key_alone(databases: Databases) -> None:
    """A district has one position and few pots: paired by those, each movement meets every reservation there is."""
    async with explaining(databases.admin_url) as (connection, told):
        # as in a city where indexes are worth it: the planner takes what it may
        await connection.execute("SET enable_seqscan = off")
        columns = "position_id, claim_id, amount_fen, kind, source, target, actor_name, at"
        nothing = f"SELECT {columns} FROM fund_movements WHERE false"
        await connection.execute(f"INSERT INTO fund_movements ({columns}) {nothing}")
        (follow,) = [plan for plan in told if "UPDATE fund_reservations" in plan]
    paired = [line for line in follow.splitlines() if "Cond:" in line]
    assert paired
    assert all("claim_id" in line and "position_id" not in line and "pot" not in line for line in paired), follow
