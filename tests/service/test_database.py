"""Statements that are written out go to the driver, inside the same transaction and under the same errors."""

from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.database import Said, Tx, dispose, fetch, fetch_alone, said_by, transaction
from tests.conftest import Databases

_INSERT = "INSERT INTO door_refusals (\"on\", code, channel) VALUES (current_date, $1, 'individual')"
_COUNT = "SELECT count(*) FROM door_refusals WHERE code = $1"


async def _stored(code: str) -> int:
    ((count,),) = await fetch_alone(_COUNT, code)
    return int(count)


async def _after(others: int, tx: Tx, *asked: str) -> None:
    """A statement that is written out, as the first of its transaction or a later one."""
    for _ in range(others):
        await tx.execute(text("SELECT 1"))
    await fetch(tx, *asked)


@pytest.mark.parametrize("others", [0, 1])
async def test_what_is_written_is_rolled_back_with_its_transaction(others: int) -> None:
    code = str(uuid4())

    async def change_our_mind() -> None:
        async with transaction() as tx:
            await _after(others, tx, _INSERT, code)
            raise RuntimeError("changed our mind")

    with pytest.raises(RuntimeError, match="changed our mind"):
        await change_our_mind()
    assert await _stored(code) == 0
    async with transaction() as tx:
        await _after(others, tx, _INSERT, code)
        assert await _stored(code) == 0
    assert await _stored(code) == 1


@pytest.mark.parametrize("others", [0, 1])
async def test_a_refusal_says_which_rule_and_where(tx: Tx, others: int) -> None:
    twice = """INSERT INTO idempotency_keys (user_id, route, key, body_sha256)
               SELECT '00000000-0000-0000-0000-000000000000', $1, '', '' FROM generate_series(1, 2)"""
    with pytest.raises(DBAPIError) as refused:
        await _after(others, tx, twice, "")
    assert said_by(refused.value) == Said("23505", "pk_idempotency_keys")


async def test_sqlalchemys_own_refusal_says_the_same(tx: Tx) -> None:
    with pytest.raises(DBAPIError) as refused:
        await tx.execute(text("DO $$ BEGIN RAISE 'no' USING ERRCODE = 'ZD001', CONSTRAINT = 'kept'; END $$"))
    said = said_by(refused.value)
    assert (said.sqlstate, said.constraint) == ("ZD001", "kept")
    assert "at RAISE" in said.context


def test_nothing_is_said_by_what_never_reached_the_server() -> None:
    assert said_by(ConnectionRefusedError()) == said_by(DBAPIError(None, None, TimeoutError())) == Said()


@pytest.mark.parametrize("others", [0, 1])
async def test_a_refusal_is_told_as_sqlalchemy_tells_it(tx: Tx, others: int) -> None:
    with pytest.raises(DBAPIError) as refused:
        await _after(others, tx, "INSERT INTO door_refusals (code) VALUES ($1)", "x")
    assert said_by(refused.value).sqlstate == "23502"
    assert not refused.value.connection_invalidated


async def test_a_connection_that_the_server_ended_is_told_of_once_and_then_replaced(databases: Databases) -> None:
    """While somebody uses it that is an error; from the pool nobody gets it."""

    async def lose_it() -> None:
        async with transaction() as tx:
            await fetch(tx, "SELECT 1")
            await _end_connections(databases)
            await fetch(tx, "SELECT 1")

    with pytest.raises(DBAPIError) as lost:
        await lose_it()
    assert lost.value.connection_invalidated
    await dispose()
    await fetch_alone("SELECT 1")  # a pool of one connection
    await _end_connections(databases)
    assert await fetch_alone("SELECT 1")


async def _end_connections(databases: Databases) -> None:
    """The service's, by the superuser; until the server has them no more."""
    admin = await asyncpg.connect(databases.admin_url)
    ended = "FROM pg_stat_activity WHERE datname = current_database() AND usename = 'zhida_app'"
    await admin.execute(f"SELECT pg_terminate_backend(pid, 5000) {ended}")
    await admin.close()
