"""Owed work on real rows: done once, whoever fails counts alone, silence counts nothing, and every job ends."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from domain.errors import Conflict, Unavailable
from service.database import transaction
from service.jobs import ATTEMPTS_MAX, JobRow, owe, owe_all, take_due
from service.queue import Job, celery
from tasks.runtime import WAIT_SECONDS_MAX, Owed, do
from tests.conftest import Databases

KIND = Job.FETCH_RETURN


@dataclass(frozen=True)
class Stored:
    id: int
    round: int
    state: str
    attempts: int
    last_error: str
    pause: float


async def stored(*subjects: UUID) -> list[Stored]:
    """The rows of these subjects, in order of subject as given, then round; `pause` counts from now, in seconds."""
    pause = func.extract("epoch", JobRow.next_at - func.clock_timestamp())
    row = JobRow
    async with transaction() as tx:
        rows = await tx.execute(
            select(row.subject, row.id, row.round, row.state, row.attempts, row.last_error, pause)
            .where(row.subject.in_(subjects))
            .order_by(row.round)
        )
        found = rows.all()
    found = sorted(found, key=lambda each: subjects.index(each.subject))
    return [Stored(*each[1:6], float(each[6])) for each in found]


async def owed_now(count: int = 1) -> tuple[list[UUID], list[int]]:
    subjects = [uuid4() for _ in range(count)]
    async with transaction() as tx:
        await owe_all(tx, KIND, subjects)
    return subjects, [each.id for each in await stored(*subjects)]


class Desk:
    """Work that keeps what it settled; `wrong` are subjects it cannot do, `silent` get no answer."""

    def __init__(self, wrong: Sequence[UUID] = (), silent: Sequence[UUID] = ()) -> None:
        self.wrong, self.silent = set(wrong), set(silent)
        self.settled: list[UUID] = []
        self.sets: list[int] = []

    async def work(self, owed: Owed) -> None:
        self.sets.append(len(owed.subjects))
        for subject in self.silent.intersection(owed.subjects):
            owed.postpone(subject, "silent")
        async with owed.settle() as (_, subjects):
            if self.wrong.intersection(subjects):
                raise Conflict("cannot_be_done", secret="张梅")
        self.settled += subjects


async def test_a_job_is_done_once_though_its_message_comes_twice() -> None:
    subjects, ids = await owed_now(3)
    desk = Desk()
    await do(desk.work, [*ids, ids[0]])
    await do(desk.work, ids)
    assert sorted(desk.settled) == sorted(subjects)
    assert desk.sets == [3]
    assert {each.state for each in await stored(*subjects)} == {"done"}


async def test_two_workers_on_one_job_settle_it_once() -> None:
    (subject,), ids = await owed_now()
    both_have_read = asyncio.Barrier(2)
    settled: list[UUID] = []

    async def work(owed: Owed) -> None:
        await both_have_read.wait()
        async with owed.settle() as (_, subjects):
            await asyncio.sleep(0.05)  # the other comes while this one holds the row
            settled.extend(subjects)

    await asyncio.gather(do(work, ids), do(work, ids))
    assert settled == [subject]
    assert [each.state for each in await stored(subject)] == ["done"]


async def test_in_a_failing_set_only_the_culprit_counts_an_attempt() -> None:
    subjects, ids = await owed_now(3)
    desk = Desk(wrong=[subjects[1]])
    await do(desk.work, ids)
    assert sorted(desk.settled) == sorted([subjects[0], subjects[2]])
    good, bad, other = await stored(*subjects)
    assert (good.state, good.attempts, other.state, other.attempts) == ("done", 0, "done", 0)
    assert (bad.state, bad.attempts) == ("ready", 1)
    assert bad.last_error == "Conflict cannot_be_done"


async def test_what_a_failing_set_wrote_is_undone() -> None:
    subjects, ids = await owed_now(2)
    later = uuid4()

    async def work(owed: Owed) -> None:
        async with owed.settle() as (tx, settling):
            if subjects[0] in settling:
                await owe(tx, KIND, later)
            if subjects[1] in settling:
                raise ValueError(subjects[1])

    await do(work, ids)
    assert [each.state for each in await stored(*subjects)] == ["done", "ready"]
    assert [each.round for each in await stored(later)] == [1]


async def test_silence_of_another_system_counts_no_attempt() -> None:
    subjects, ids = await owed_now(2)

    async def ask(owed: Owed) -> None:
        raise Unavailable("registry.unavailable", reason="timeout")

    for _ in range(ATTEMPTS_MAX + 1):
        await do(ask, ids)
    for each in await stored(*subjects):
        assert (each.state, each.attempts, each.last_error) == ("ready", 0, "registry.unavailable")
        assert 0 < each.pause <= 6


async def test_a_postponed_job_waits_while_the_others_of_its_set_are_done() -> None:
    subjects, ids = await owed_now(2)
    desk = Desk(silent=[subjects[0]])
    await do(desk.work, ids)
    waiting, done = await stored(*subjects)
    assert (waiting.state, waiting.attempts, waiting.last_error) == ("ready", 0, "silent")
    assert done.state == "done"
    desk.silent.clear()
    await do(desk.work, ids)
    assert desk.settled == [subjects[1], subjects[0]]


async def test_a_job_postponed_while_settling_stays_owed() -> None:
    subjects, ids = await owed_now(2)

    async def work(owed: Owed) -> None:
        async with owed.settle():
            owed.postpone(subjects[1], "changed_meanwhile")

    await do(work, ids)
    done, waiting = await stored(*subjects)
    assert (done.state, waiting.state, waiting.last_error) == ("done", "ready", "changed_meanwhile")


async def test_whoever_has_waited_long_asks_less_often(databases: Databases) -> None:
    (subject,), ids = await owed_now()
    pauses = []
    for waited in ("0 seconds", "200 seconds", "1 day"):
        await owed_since(databases, ids[0], waited)
        await do(Desk(silent=[subject]).work, ids)
        pauses.append((await stored(subject))[0].pause)
    assert 4 < pauses[0] <= 5.1
    assert 24 < pauses[1] <= 25.5
    assert WAIT_SECONDS_MAX - 1 < pauses[2] <= WAIT_SECONDS_MAX


async def test_a_job_that_fails_too_often_is_dead_and_owing_it_again_opens_the_next_round() -> None:
    (subject,), ids = await owed_now()
    desk = Desk(wrong=[subject])
    pauses = []
    for _ in range(ATTEMPTS_MAX):
        await do(desk.work, ids)
        pauses.append((await stored(subject))[0].pause)
    (dead,) = await stored(subject)
    assert (dead.state, dead.attempts) == ("dead", ATTEMPTS_MAX)
    assert [round(pause / 5) for pause in pauses] == [1, 2, 4, 8, 16, 32, 64, 120]
    await do(desk.work, ids)
    assert len(desk.sets) == ATTEMPTS_MAX  # a dead job is not even tried
    async with transaction() as tx:
        await owe(tx, KIND, subject)
    assert [(each.round, each.state) for each in await stored(subject)] == [(1, "dead"), (2, "ready")]


async def test_owing_twice_is_one_round_and_a_done_round_is_followed_by_the_next() -> None:
    (subject,), ids = await owed_now()
    async with transaction() as tx:
        await owe(tx, KIND, subject)
    assert [each.round for each in await stored(subject)] == [1]
    await do(Desk().work, ids)
    async with transaction() as tx:
        await owe(tx, KIND, subject)
    assert [(each.round, each.state) for each in await stored(subject)] == [(1, "done"), (2, "ready")]


async def test_owed_from_many_sides_at_once_is_one_round() -> None:
    """None of them sees what the others have not committed yet: only the unique indexes stand between them."""
    subject = uuid4()

    async def owing() -> None:
        async with transaction() as tx:
            await owe(tx, KIND, subject)
            await asyncio.sleep(0.3)

    await asyncio.gather(*(owing() for _ in range(5)))
    assert [(each.round, each.state) for each in await stored(subject)] == [(1, "ready")]


async def test_nobody_is_guilty_of_a_deadlock_or_a_lost_connection() -> None:
    (subject,), ids = await owed_now()

    async def lose_the_connection(owed: Owed) -> None:
        async with owed.settle() as (tx, _):
            await tx.execute(select(func.pg_terminate_backend(func.pg_backend_pid())))

    with pytest.raises(DBAPIError):
        await do(lose_the_connection, ids)
    (waiting,) = await stored(subject)
    assert (waiting.state, waiting.attempts) == ("ready", 0)
    desk = Desk()
    await do(desk.work, ids)
    assert desk.settled == [subject]


async def test_the_sweep_takes_what_is_due_and_leaves_it_alone_for_a_lease() -> None:
    (subject,), (job_id,) = await owed_now()
    async with transaction() as tx:
        assert (str(KIND), job_id) not in await take_due(tx)  # its first nudge is on the way
    await due_now(job_id)
    async with transaction() as tx:
        assert (str(KIND), job_id) in await take_due(tx)
    async with transaction() as tx:
        assert (str(KIND), job_id) not in await take_due(tx)
    assert (await stored(subject))[0].pause > 20


def test_every_task_can_be_loaded() -> None:
    from tasks import worker

    worker.celery.finalize()
    assert {str(Job.VERIFY_CERTIFICATE), "jobs.nudge_what_is_due"} <= set(celery.tasks)


async def due_now(job_id: int) -> None:
    async with transaction() as tx:
        await tx.execute(update(JobRow).where(JobRow.id == job_id).values(next_at=func.now()))


async def owed_since(databases: Databases, job_id: int, ago: str) -> None:
    """The service's role cannot say when a job came into being; its owner can."""
    owner = await asyncpg.connect(databases.owner_url)
    await owner.execute(f"UPDATE jobs SET made_at = now() - interval '{ago}' WHERE id = $1", job_id)
    await owner.close()
