"""Certificates are verified by rows that are owed, against a registry that listens, keeps silent and lies."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import func, select

from domain.verification import Question
from service import settings
from service.claims.commands.review import withdraw_claim
from service.claims.tables import ClaimRow
from service.database import transaction
from service.gateways import certificate_registry
from service.gateways.asking import new_client
from service.gateways.certificate_registry import HttpRegistry
from service.jobs import JobRow
from service.journal import JournalRow
from service.verification.queries import questions
from service.verification.tables import RegistryReplyRow
from tasks import verification
from tasks.runtime import Owed, do
from tests.conftest import Databases
from tests.gateways.stand_in import TOKEN, StandIn
from tests.world import Trainee, World

_names = count(1)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn("registry", tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def stand_in(running: StandIn) -> StandIn:
    running.behave(mode="well")
    return running


@pytest.fixture
async def registry(stand_in: StandIn) -> AsyncIterator[HttpRegistry]:
    async with new_client() as client:
        # a name of its own for each test: what is known of the registry is known under it
        yield HttpRegistry(stand_in.url + "/" * next(_names), TOKEN, client)


@dataclass
class Filed:
    """Committed claims with the jobs that are owed for them."""

    registry: HttpRegistry
    trainees: list[Trainee]
    claims: list[UUID]
    jobs: list[int]
    asked: dict[UUID, Question]

    async def verify(self) -> None:
        async def work(owed: Owed) -> None:
            await verification.check(owed, self.registry)

        await do(work, self.jobs)

    async def statuses(self) -> list[str]:
        async with transaction() as tx:
            rows = await tx.execute(select(ClaimRow.id, ClaimRow.status).where(ClaimRow.id.in_(self.claims)))
            now = {row.id: row.status for row in rows}
        return [now[each] for each in self.claims]

    async def states(self) -> list[tuple[str, int, str]]:
        row = JobRow
        async with transaction() as tx:
            found = await tx.execute(
                select(row.state, row.attempts, row.last_error).where(row.id.in_(self.jobs)).order_by(row.id)
            )
            return [tuple(each) for each in found]

    async def settled(self) -> list[tuple[UUID, int, int]]:
        """Per claim: registry replies, journal rows of this job."""
        replies, notes = RegistryReplyRow, JournalRow
        async with transaction() as tx:
            counted = await tx.execute(
                select(
                    ClaimRow.id,
                    select(func.count()).where(replies.claim_id == ClaimRow.id).scalar_subquery(),
                    select(func.count())
                    .where(notes.subject_id == ClaimRow.id, notes.actor_name == "verification.verify_certificate")
                    .scalar_subquery(),
                ).where(ClaimRow.id.in_(self.claims))
            )
            return [tuple(each) for each in counted]


async def file(world: World, registry: HttpRegistry, number: int) -> Filed:
    async with transaction() as tx:
        trainees = [await world.trainee(tx) for _ in range(number)]
        claims = [(await world.claim(tx, "filed", each)).id for each in trainees]
        asked = await questions(tx, claims)
    async with transaction() as tx:
        row = JobRow
        jobs = await tx.execute(select(row.subject, row.id).where(row.subject.in_(claims)))
        by_claim = {each.subject: each.id for each in jobs}
    return Filed(registry, trainees, claims, [by_claim[each] for each in claims], asked)


def teach(stand_in: StandIn, asked: Sequence[Question]) -> None:
    stand_in.tell(
        "certificates",
        [
            {
                "number": each.number,
                "holder_name": each.holder_name,
                "id_number": each.id_number,
                "occupation_code": each.occupation_code,
                "level": each.level,
                "issued_on": each.issued_on.isoformat(),
            }
            for each in asked
        ],
    )


def calls(stand_in: StandIn) -> dict[str, int]:
    return {"lookups": 0, "numbers": 0, **stand_in.see("calls")}


async def test_a_set_of_claims_is_verified_in_one_call(
    committed: World, registry: HttpRegistry, stand_in: StandIn
) -> None:
    filed = await file(committed, registry, 4)
    teach(stand_in, [filed.asked[each] for each in filed.claims[:3]])
    before = calls(stand_in)
    await filed.verify()
    after = calls(stand_in)
    assert (after["lookups"] - before["lookups"], after["numbers"] - before["numbers"]) == (1, 4)
    assert await filed.statuses() == ["verified", "verified", "verified", "in_review"]
    assert {state for state, _, _ in await filed.states()} == {"done"}
    assert all((replies, notes) == (1, 1) for _, replies, notes in await filed.settled())


async def test_messages_that_come_twice_at_once_settle_each_claim_once(
    committed: World, registry: HttpRegistry, stand_in: StandIn
) -> None:
    filed = await file(committed, registry, 3)
    teach(stand_in, list(filed.asked.values()))
    await asyncio.gather(filed.verify(), filed.verify(), filed.verify())
    assert await filed.statuses() == ["verified"] * 3
    assert all((replies, notes) == (1, 1) for _, replies, notes in await filed.settled())


@pytest.mark.parametrize("mode", ["down", "half", "huge"])
async def test_while_the_registry_is_silent_the_question_stays_owed(
    committed: World, registry: HttpRegistry, stand_in: StandIn, mode: str
) -> None:
    filed = await file(committed, registry, 2)
    teach(stand_in, list(filed.asked.values()))
    stand_in.behave(mode=mode)
    for _ in range(2):  # down: once refused, once cut off
        await filed.verify()
    assert await filed.statuses() == ["filed", "filed"]
    assert await filed.states() == [("ready", 0, "registry.unavailable")] * 2
    stand_in.behave(mode="well")
    await filed.verify()
    assert await filed.statuses() == ["verified", "verified"]


async def test_numbers_that_are_answered_late_wait_while_others_are_settled(
    committed: World, registry: HttpRegistry, stand_in: StandIn
) -> None:
    early, late = await file(committed, registry, 1), await file(committed, registry, 1)
    together = Filed(
        registry, [], [*early.claims, *late.claims], [*early.jobs, *late.jobs], {**early.asked, **late.asked}
    )
    teach(stand_in, list(together.asked.values()))
    stand_in.behave(mode="late")
    await early.verify()  # its number has now been asked for once
    await together.verify()
    assert await together.statuses() == ["verified", "filed"]
    assert await together.states() == [("done", 0, ""), ("ready", 0, "registry.unanswered")]
    await together.verify()
    assert await together.statuses() == ["verified", "verified"]


@pytest.mark.parametrize("mode", ["wrong", "two"])
async def test_another_persons_certificate_or_two_go_before_an_officer(
    committed: World, registry: HttpRegistry, stand_in: StandIn, mode: str
) -> None:
    filed = await file(committed, registry, 1)
    teach(stand_in, list(filed.asked.values()))
    stand_in.behave(mode=mode)
    await filed.verify()
    assert await filed.statuses() == ["in_review"]
    async with transaction() as tx:
        reasons = select(JournalRow.reason).where(
            JournalRow.subject_id == filed.claims[0], JournalRow.action == "question"
        )
        assert (await tx.execute(reasons)).scalar_one() == "registry.mismatch"


@pytest.mark.parametrize("mode", ["duplicate", "named_levels"])
async def test_an_answer_given_twice_or_in_words_is_one_answer(
    committed: World, registry: HttpRegistry, stand_in: StandIn, mode: str
) -> None:
    filed = await file(committed, registry, 1)
    teach(stand_in, list(filed.asked.values()))
    stand_in.behave(mode=mode)
    await filed.verify()
    assert await filed.statuses() == ["verified"]


async def test_whoever_answers_after_minutes_is_not_waited_for(
    committed: World, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it says another time, when asked again, is what counts."""
    patient = certificate_registry.Line
    monkeypatch.setattr(certificate_registry, "Line", partial(patient, whole_seconds=0.2))
    async with new_client() as client:
        filed = await file(committed, HttpRegistry(stand_in.url + "/" * next(_names), TOKEN, client), 1)
        teach(stand_in, list(filed.asked.values()))
        stand_in.behave(mode="slow", delay_ms=1_000)
        await filed.verify()
        assert await filed.states() == [("ready", 0, "registry.unavailable")]
        stand_in.behave(mode="wrong")
        await filed.verify()
        stand_in.behave(mode="well")
        await filed.verify()
    assert await filed.statuses() == ["in_review"]
    assert [(replies, notes) for _, replies, notes in await filed.settled()] == [(1, 1)]


async def test_nothing_is_held_while_the_registry_thinks_and_a_claim_may_be_withdrawn(
    committed: World, registry: HttpRegistry, stand_in: StandIn, databases: Databases
) -> None:
    filed = await file(committed, registry, 2)
    teach(stand_in, list(filed.asked.values()))
    before = calls(stand_in)
    stand_in.behave(mode="slow", delay_ms=1_000)
    verifying = asyncio.create_task(filed.verify())
    while await asyncio.to_thread(calls, stand_in) == before:
        assert not verifying.done()
    admin = await asyncpg.connect(databases.admin_url)
    held = await admin.fetchval(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = 'zhida_app' AND state LIKE 'idle in transaction%'"
    )
    await admin.close()
    assert held == 0
    async with transaction() as tx:
        await withdraw_claim(tx, filed.trainees[0].actor, filed.claims[0], "", committed.now)
    assert not verifying.done()
    await verifying
    assert await filed.statuses() == ["withdrawn", "verified"]
    assert {state for state, _, _ in await filed.states()} == {"done"}
    assert sorted(replies for _, replies, _ in await filed.settled()) == [0, 1]


async def test_a_claim_that_is_no_longer_filed_asks_nobody(
    committed: World, registry: HttpRegistry, stand_in: StandIn
) -> None:
    filed = await file(committed, registry, 1)
    async with transaction() as tx:
        await withdraw_claim(tx, filed.trainees[0].actor, filed.claims[0], "", committed.now)
    before = calls(stand_in)
    await filed.verify()
    assert calls(stand_in) == before
    assert await filed.states() == [("done", 0, "")]
    assert await filed.statuses() == ["withdrawn"]


async def test_the_task_asks_the_registry_that_is_set(
    committed: World, registry: HttpRegistry, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed = await file(committed, registry, 1)
    teach(stand_in, list(filed.asked.values()))
    monkeypatch.setenv("ZHIDA_REGISTRY_URL", stand_in.url)
    monkeypatch.setenv("ZHIDA_REGISTRY_TOKEN", TOKEN)
    settings.settings.cache_clear()
    verification._registry.cache_clear()
    try:
        await do(verification.verify_certificates, filed.jobs)
    finally:
        monkeypatch.undo()
        settings.settings.cache_clear()
        verification._registry.cache_clear()
    assert await filed.statuses() == ["verified"]
