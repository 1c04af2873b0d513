"""How owed work is done: `@job` for each kind, `@sweep` for what recurs, one event loop a worker process.

A job's function gets an `Owed`: it reads without locks, asks outside with no transaction open, and settles in one
transaction that locks the job rows. Messages may come twice or never; the rows decide (`service/jobs.py`).
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from celery.signals import worker_process_init, worker_process_shutdown
from sqlalchemy import ColumnElement, case, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import DomainError, Unavailable
from service.database import Tx, dispose, engine, said_by, transaction
from service.jobs import ATTEMPTS_MAX, JobRow, send_waiting
from service.logs import configure, log
from service.queue import Job, Sweep, celery

#: A job that failed is tried again after this long, doubled each time.
RETRY_SECONDS = 5
RETRY_SECONDS_MAX = 600
#: A job that waits for a foreign system asks again after an eighth of the time it has waited, within these.
WAIT_SECONDS = 5
WAIT_SECONDS_MAX = 60

#: The database went away, or two transactions stood in each other's way: no job is the culprit.
_NOBODYS_FAULT = ("08", "57P", "40", "55P03")


# Every message says these three: written out, and with one array however many ids there are.
_READY_ROWS = "SELECT id, subject FROM jobs WHERE id = ANY (CAST(:ids AS bigint[])) AND state = 'ready' ORDER BY id"
_READY, _LOCKED = text(_READY_ROWS), text(f"{_READY_ROWS} FOR UPDATE SKIP LOCKED")
_DONE = text("UPDATE jobs SET state = 'done', last_error = '' WHERE id = ANY (CAST(:ids AS bigint[]))")


@dataclass(frozen=True)
class _Ready:
    id: int
    subject: UUID


class Pause(NamedTuple):
    """Why a job waits, and for how long at least."""

    why: str
    seconds: float = 0


@dataclass
class Owed:
    """The ready jobs of one message. `subjects` are ids of what the work is about, each once."""

    jobs: Sequence[_Ready]
    postponed: dict[UUID, "Pause"] = field(default_factory=dict)

    @property
    def subjects(self) -> list[UUID]:
        return [each.subject for each in self.jobs]

    def postpone(self, subject: UUID, why: str, seconds: float = 0) -> None:
        """Leave this one owed, for at least so many seconds: the outside gave no answer. It counts no attempt."""
        self.postponed[subject] = Pause(why, seconds)

    @asynccontextmanager
    async def settle(self) -> AsyncIterator[tuple[Tx, list[UUID]]]:
        """One transaction with the subjects that are still owed, locked; at its end their jobs are done.

        What another worker has done meanwhile, or holds, is not among them.
        """
        wanted = [each.id for each in self.jobs if each.subject not in self.postponed]
        async with transaction() as tx:
            rows = (await tx.execute(_LOCKED, {"ids": wanted})).all()
            yield tx, [row.subject for row in rows]
            done = [row.id for row in rows if row.subject not in self.postponed]
            await tx.execute(_DONE, {"ids": done})


@asynccontextmanager
async def alone(what: str) -> AsyncIterator[bool]:
    """Whether nobody else is at `what`: for work outside of a transaction that takes longer than a job's lease.

    Only for calm: without it both would come to one end all the same. The lock goes with its connection, so a worker
    that was killed keeps nobody waiting.
    """
    key = func.hashtextextended(what, 0)
    async with engine().connect() as line:
        await line.execution_options(isolation_level="AUTOCOMMIT")
        free: bool = (await line.execute(select(func.pg_try_advisory_lock(key)))).scalar_one()
        try:
            yield free
        finally:
            if free:
                await line.execute(select(func.pg_advisory_unlock(key)))


Work = Callable[[Owed], Awaitable[None]]

_runner: asyncio.Runner | None = None


@worker_process_init.connect
def _start(**_: object) -> None:
    """One runner a process, kept: pooled connections belong to its loop.

    What is loaded now stays: freezing it spares each later collection a walk over it, a fifth of a roster's time.
    """
    configure()
    gc.collect()
    gc.freeze()
    _run(asyncio.sleep(0))


@worker_process_shutdown.connect
def _stop(**_: object) -> None:
    if _runner is not None:
        _runner.run(dispose())
        _runner.close()


def _run(work: Awaitable[None]) -> None:
    global _runner  # noqa: PLW0603 (one loop a process, whoever asks first)
    if _runner is None:
        _runner = asyncio.Runner()

    async def whole() -> None:
        try:
            await work
        finally:
            await send_waiting()

    _runner.run(whole())


def job(kind: Job) -> Callable[[Work], Work]:
    """Register `work` as the task that does jobs of `kind`."""

    def register(work: Work) -> Work:
        def run(ids: list[int]) -> None:
            _run(do(work, ids))

        celery.task(name=str(kind))(run)
        return work

    return register


def sweep(kind: Sweep) -> Callable[[Callable[[], Awaitable[None]]], Callable[[], Awaitable[None]]]:
    """Register what beat starts on a rhythm; a beat that comes late is dropped, the next one does the same."""

    def register(work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        def run() -> None:
            _run(work())

        celery.task(name=str(kind), expires=30)(run)
        return work

    return register


async def do(work: Work, ids: Sequence[int]) -> None:
    """Do the ready jobs among `ids` together; when the set fails, one by one, and only culprits count an attempt.

    What is nobody's fault (a lost connection, a deadlock) is raised: the rows stay ready and the sweep repeats.
    """
    ready = await _ready(ids)
    if not ready:
        return
    try:
        await _attempt(work, ready)
    except Exception as failure:
        if len(ready) == 1:
            if _is_nobodys_fault(failure):
                raise
            await _count_failure(ready[0], failure)
            return
        log.warning("set_failed", jobs=len(ready), kind=_name_of(failure))
        for each in ready:
            await do(work, [each.id])


async def _ready(ids: Sequence[int]) -> list[_Ready]:
    async with transaction() as tx:
        return [_Ready(*row) for row in await tx.execute(_READY, {"ids": list(ids)})]


async def _attempt(work: Work, ready: Sequence[_Ready]) -> None:
    owed = Owed(ready)
    try:
        await work(owed)
    except Unavailable as silence:
        for each in ready:
            owed.postponed.setdefault(each.subject, Pause(silence.code))
    if owed.postponed:
        await _wait(owed)


async def _wait(owed: Owed) -> None:
    paused: dict[Pause, list[int]] = {}
    for each in owed.jobs:
        if each.subject in owed.postponed:
            paused.setdefault(owed.postponed[each.subject], []).append(each.id)
    waited = func.extract("epoch", func.now() - JobRow.made_at)
    usual = func.least(func.greatest(WAIT_SECONDS, waited / 8), WAIT_SECONDS_MAX)
    async with transaction() as tx:
        for pause, ids in sorted(paused.items()):
            await tx.execute(
                update(JobRow)
                .where(JobRow.id.in_(ids), JobRow.state == "ready")
                .values(next_at=_after(func.greatest(usual, pause.seconds)), last_error=pause.why)
            )


async def _count_failure(culprit: _Ready, failure: Exception) -> None:
    log.error("job_failed", job=culprit.id, kind=_name_of(failure), exc_info=failure)
    pause = func.least(RETRY_SECONDS * func.power(2, JobRow.attempts), RETRY_SECONDS_MAX)
    async with transaction() as tx:
        await tx.execute(
            update(JobRow)
            .where(JobRow.id == culprit.id, JobRow.state == "ready")
            .values(
                attempts=JobRow.attempts + 1,
                state=case((JobRow.attempts + 1 >= ATTEMPTS_MAX, "dead"), else_="ready"),
                next_at=_after(pause),
                last_error=_name_of(failure),
            )
        )


def _after(seconds: ColumnElement[float]) -> ColumnElement[datetime]:
    return func.now() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def _is_nobodys_fault(failure: Exception) -> bool:
    if isinstance(failure, DBAPIError):
        return failure.connection_invalidated or said_by(failure).sqlstate.startswith(_NOBODYS_FAULT)
    return isinstance(failure, ConnectionError | TimeoutError | PoolTimeout)


def _name_of(failure: Exception) -> str:
    """What may be stored about a failure: its kind and code. Its message could hold people's data."""
    code = failure.code if isinstance(failure, DomainError) else said_by(failure).sqlstate
    return f"{type(failure).__name__} {code}".strip()
