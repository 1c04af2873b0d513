"""Guards see a statement's rows as a set: however many rows a statement moves, each is looked at once."""

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
    connection = await asyncpg.connect(url)
    told: list[str] = []
    found = {}
    try:
        connection.add_log_listener(lambda _, message: told.append(message.message))
        await connection.execute("LOAD 'auto_explain'")
        await connection.execute("SET auto_explain.log_min_duration = 0")
        await connection.execute("SET auto_explain.log_nested_statements = on")
        await connection.execute("SET client_min_messages = log")
        for table, column in await connection.fetch(_GUARDED):
            told.clear()
            await connection.execute(f'UPDATE {table} SET "{column}" = "{column}" WHERE false')
            found[table] = [plan for plan in told if _ROWS in plan]
    finally:
        await connection.close()
    return found


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
    assert slow.keys() <= _SINGLE


async def test_a_claim_that_is_paid_looks_up_its_attempt(databases: Databases) -> None:
    """As an anti-join it was planned by what statistics knew of attempts that are done: none, until the first batch
    is through, and then every claim was compared with every one of them."""
    plans = await plans_of_guards(databases.admin_url)
    (paid,) = [plan for plan in plans["claims"] if "a.status = 'done'" in plan]
    assert "Anti Join" not in paid
    assert "SubPlan" in paid
