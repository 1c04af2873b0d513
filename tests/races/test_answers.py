"""Promises 10 and 11: what is answered is committed, and a key has one effect, whoever races, fails or is killed."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.errors import DomainError
from service.database import Tx, transaction
from service.idempotency import Once
from service.journal import By, record
from tests.conftest import Databases
from tests.races.test_promises_by_sql import DENIED, UNIQUE, _refused
from tests.service.test_batches_http import client, desk
from tests.world import Trainee, World

__all__ = ["client"]


class Effect:
    """Leaves a journal row each time it happens; `waiting` is set once it did, `going_on` lets it end."""

    def __init__(self) -> None:
        self.subject, self.waiting, self.going_on = uuid4(), asyncio.Event(), asyncio.Event()
        self.once = Once(uuid4(), "POST /api/x", "key", b"1" * 32)
        self.going_on.set()

    async def __call__(self, tx: Tx, world: World) -> UUID:
        async def happen() -> UUID:
            await record(tx, "test", [self.subject], "happen", By("tests", world.now), [{}])
            self.waiting.set()
            await self.going_on.wait()
            return uuid4()

        return (await self.once(tx, UUID, happen)).view

    async def ask(self, world: World) -> UUID | str:
        try:
            async with transaction() as tx:
                return await self(tx, world)
        except DomainError as refusal:
            return refusal.code

    async def times(self) -> int:
        async with transaction() as tx:
            counted = text("SELECT count(*) FROM journal WHERE subject_kind = 'test' AND subject_id = :id")
            return int((await tx.execute(counted, {"id": self.subject})).scalar_one())


async def test_one_key_from_eight_sides_has_one_effect_and_one_answer(committed: World) -> None:
    effect = Effect()
    answers = await asyncio.gather(*(effect.ask(committed) for _ in range(8)))
    assert (len(set(answers)), await effect.times()) == (1, 1)
    assert isinstance(answers[0], UUID)


async def test_who_comes_while_another_is_at_it_waits_and_is_told_to_come_again(committed: World) -> None:
    effect = Effect()
    effect.going_on.clear()
    first = asyncio.create_task(effect.ask(committed))
    await effect.waiting.wait()
    assert await effect.ask(committed) == "idempotency.busy"
    effect.going_on.set()
    assert await effect.ask(committed) == await first
    assert await effect.times() == 1


async def test_killed_after_the_effect_and_before_its_commit_nothing_is_kept(
    committed: World, databases: Databases
) -> None:
    """The key goes with the effect: who asks again has it for the first time."""
    effect = Effect()
    admin = await asyncpg.connect(databases.admin_url)

    async def killed() -> None:
        async with transaction() as tx:
            await effect(tx, committed)
            pid = (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            assert await admin.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)

    with pytest.raises(DBAPIError):
        await killed()
    await admin.close()
    assert await effect.times() == 0
    assert isinstance(await effect.ask(committed), UUID)
    assert await effect.times() == 1


async def test_by_sql_a_key_is_taken_once_and_its_answer_is_kept(tx: Tx, world: World) -> None:
    effect = Effect()
    await effect(tx, world)
    again = """INSERT INTO idempotency_keys SELECT user_id, route, key, body_sha256, answer
                 FROM idempotency_keys WHERE user_id = :user"""
    assert await _refused(tx, again, user=effect.once.user_id) == UNIQUE
    for statement in (
        "DELETE FROM idempotency_keys WHERE user_id = :user",
        "UPDATE idempotency_keys SET body_sha256 = 'x' WHERE user_id = :user",
        "UPDATE idempotency_keys SET key = 'x' WHERE user_id = :user",
    ):
        assert await _refused(tx, statement, user=effect.once.user_id) == DENIED


_FAILS_AT_COMMIT = """
    CREATE FUNCTION fail_at_commit() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'at commit' USING ERRCODE = '23514'; END $$;
    CREATE CONSTRAINT TRIGGER fail_at_commit AFTER INSERT ON claims DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (NEW.person_id = '{person}') EXECUTE FUNCTION fail_at_commit()"""


async def test_what_fails_at_commit_is_not_answered_as_done(
    committed: World, databases: Databases, client: httpx.AsyncClient
) -> None:
    """Every statement passes and COMMIT itself is refused, as by a deferred guard or a database that goes away."""
    async with transaction() as tx:
        trainee = await committed.trainee(tx)
    admin = await asyncpg.connect(databases.admin_url)
    await admin.execute(_FAILS_AT_COMMIT.format(person=trainee.actor.person_id))
    try:
        me = await desk(client, trainee.actor)
        answer = await me.post("/claims", filled_in(committed, trainee), key="one")
        assert (answer.status_code, await stored(trainee)) == (409, (0, 0))
    finally:
        await admin.execute("DROP FUNCTION fail_at_commit CASCADE")
        await admin.close()
    assert (await me.post("/claims", filled_in(committed, trainee), key="one")).status_code == 201
    assert await stored(trainee) == (1, 1)


def filled_in(world: World, trainee: Trainee) -> object:
    return msgspec.to_builtins(world.new_claim(trainee))


async def stored(trainee: Trainee) -> tuple[int, int]:
    """Claims of this person, and keys of this user."""
    async with transaction() as tx:
        counted = text("""SELECT (SELECT count(*) FROM claims WHERE person_id = :person),
                                 (SELECT count(*) FROM idempotency_keys WHERE user_id = :user)""")
        given = {"person": trainee.actor.person_id, "user": trainee.actor.user_id}
        claims, keys = (await tx.execute(counted, given)).one()
        return claims, keys
