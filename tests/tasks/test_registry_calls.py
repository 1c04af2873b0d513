"""A registry that is silent for days costs no check its life, and is asked no more often than was agreed."""

import asyncio
from collections.abc import Iterator
from time import sleep, time

import pytest
from sqlalchemy import select, text

from service import settings
from service.database import transaction
from service.gateways.certificate_registry import HttpRegistry
from service.jobs import JobRow
from service.verification.queries.queue import queue
from service.verification.schemas import QueueView
from service.verification.tables import RegistryLineRow
from tests.gateways.stand_in import StandIn
from tests.tasks.test_verification import Filed, calls, file, registry, running, stand_in, teach
from tests.world import World

__all__ = ["registry", "running", "stand_in"]


@pytest.fixture
def agreed(monkeypatch: pytest.MonkeyPatch, registry: HttpRegistry) -> Iterator[None]:
    """This registry is the one that is set; three silences and two calls a minute."""
    for name, value in (("URL", registry.source), ("SILENCES_MAX", "3"), ("CALLS_A_MINUTE", "2")):
        monkeypatch.setenv(f"ZHIDA_REGISTRY_{name}", value)
    settings.settings.cache_clear()
    if (second := time() % 60) > 57:  # calls are counted by the minute: one that ends now would forget them
        sleep(60 - second)
    yield
    monkeypatch.undo()
    settings.settings.cache_clear()


async def let_pass(registry: HttpRegistry) -> None:
    """The rest is over, and the minute too."""
    async with transaction() as tx:
        told = {"source": registry.source}
        await tx.execute(text("UPDATE registry_lines SET open_until = now() WHERE source = :source"), told)
        await tx.execute(
            text("UPDATE registry_minutes SET minute = minute - interval '1 hour' WHERE source = :source"), told
        )


async def rest_of(registry: HttpRegistry) -> tuple[int, int]:
    """How often it was left alone, and the seconds it still is."""
    async with transaction() as tx:
        row = RegistryLineRow
        seconds = text("round(extract(epoch FROM open_until - now()))::integer")
        return tuple((await tx.execute(select(row.rests, seconds).where(row.source == registry.source))).one())


async def waits(filed: Filed) -> list[int]:
    """The seconds until each job is due."""
    async with transaction() as tx:
        seconds = text("extract(epoch FROM next_at - now())::integer")
        asked = select(seconds).select_from(JobRow).where(JobRow.id.in_(filed.jobs)).order_by(JobRow.id)
        return list((await tx.execute(asked)).scalars())


async def rests(registry: HttpRegistry, times: int, seconds: int) -> None:
    """It rests for the so many-th time, of so many seconds, of which some may be over."""
    found = await rest_of(registry)
    assert found[0] == times
    assert seconds / 2 < found[1] <= seconds


async def silences(filed: Filed, number: int) -> None:
    for _ in range(number):
        await filed.verify()


async def test_after_silences_it_is_left_alone_and_one_call_on_trial_brings_it_back(
    committed: World, registry: HttpRegistry, stand_in: StandIn
) -> None:
    filed = await file(committed, registry, 2)
    teach(stand_in, list(filed.asked.values()))
    stand_in.behave(mode="down")
    before = calls(stand_in)["lookups"]
    await silences(filed, 7)
    assert calls(stand_in)["lookups"] - before == 5
    assert await filed.states() == [("ready", 0, "registry.resting")] * 2
    await rests(registry, 1, 10)
    assert all(each >= 8 for each in await waits(filed))
    await let_pass(registry)
    await silences(filed, 2)
    assert calls(stand_in)["lookups"] - before == 6, "silent on trial: one call, then the next rest"
    await rests(registry, 2, 20)
    await let_pass(registry)
    stand_in.behave(mode="slow", delay_ms=2_000)
    await asyncio.gather(*(filed.verify() for _ in range(4)))
    assert calls(stand_in)["lookups"] - before == 7, "of four workers one may try"
    assert await filed.statuses() == ["verified", "verified"]
    assert await rest_of(registry) == (0, None)


async def test_days_without_an_answer_leave_every_check_alive(
    committed: World, registry: HttpRegistry, stand_in: StandIn
) -> None:
    filed = await file(committed, registry, 2)
    teach(stand_in, list(filed.asked.values()))
    stand_in.behave(mode="half")
    for _ in range(20):
        await filed.verify()
        await let_pass(registry)
    assert {(state, attempts) for state, attempts, _ in await filed.states()} == {("ready", 0)}
    assert (await rest_of(registry))[0] > 8
    stand_in.behave(mode="well")
    await filed.verify()
    assert await filed.statuses() == ["verified", "verified"]


async def test_one_answer_forgives_the_silences_before_it(
    committed: World, registry: HttpRegistry, stand_in: StandIn
) -> None:
    filed, other = await file(committed, registry, 1), await file(committed, registry, 1)
    teach(stand_in, [*filed.asked.values(), *other.asked.values()])
    stand_in.behave(mode="half")
    await silences(filed, 4)
    stand_in.behave(mode="well")
    await other.verify()
    stand_in.behave(mode="half")
    await silences(filed, 4)
    assert await filed.states() == [("ready", 0, "registry.unavailable")]
    assert await rest_of(registry) == (0, None)


@pytest.mark.usefixtures("agreed")
async def test_no_more_calls_than_were_agreed_from_all_workers_together(
    committed: World, registry: HttpRegistry, stand_in: StandIn
) -> None:
    several = [await file(committed, registry, 1) for _ in range(4)]
    teach(stand_in, [question for each in several for question in each.asked.values()])
    before = calls(stand_in)["lookups"]
    await asyncio.gather(*(each.verify() for each in several))
    assert calls(stand_in)["lookups"] - before == 2
    assert sorted([state for each in several for state in await each.states()]) == [
        ("done", 0, ""),
        ("done", 0, ""),
        ("ready", 0, "registry.calls_used_up"),
        ("ready", 0, "registry.calls_used_up"),
    ]
    await let_pass(registry)
    await asyncio.gather(*(each.verify() for each in several))
    assert calls(stand_in)["lookups"] - before == 4


@pytest.mark.usefixtures("agreed")
async def test_the_queue_tells_how_it_stands(committed: World, registry: HttpRegistry, stand_in: StandIn) -> None:
    async def told() -> QueueView:
        async with transaction() as tx:
            return await queue(tx)

    fresh = await told()
    assert (fresh.standing, fresh.silences, fresh.calls_last_minute, fresh.last_failure) == ("closed", 0, 0, None)
    filed = await file(committed, registry, 3)
    stand_in.behave(mode="half")
    await silences(filed, 2)
    await let_pass(registry)
    await silences(filed, 2)
    now = await told()
    assert now.owed - fresh.owed == 3
    assert (now.standing, now.silences, now.last_failure) == ("open", 3, "malformed")
    assert (now.calls_last_minute, now.calls_a_minute_max) == (1, 2)
    assert now.open_until is not None
    resting = next(each for each in now.postponed if each.reason == "registry.resting")
    assert resting.checks >= 3
    assert "停一停" in resting.message
    await let_pass(registry)
    assert (await told()).standing == "trial"
