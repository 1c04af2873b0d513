"""Owed work: the row is the record, the message is a hint.

`owe` writes a row in the business transaction; after COMMIT a nudge with its id goes to Celery. A nudge may be lost
or doubled: the sweep in `tasks/runtime.py` repeats it, and settling locks the row. Why rows: Celery on Redis, killed
220 times over 4,000 tasks, lost 9 for ever and ran 22 twice.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Identity,
    Index,
    Integer,
    Uuid,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.errors import Conflict
from service.database import AFTER_COMMIT, Base, Tx, after_commit, fetch
from service.logs import log
from service.queue import IDS_PER_MESSAGE, IDS_PER_MESSAGE_MAX, Job, celery
from service.settings import settings

#: A job that failed this often is dead and waits for an operator.
ATTEMPTS_MAX = 8


class JobRow(Base):
    __tablename__ = "jobs"
    __table_args__ = (
        Index("uq_jobs_kind_subject_round", "kind", "subject", "round", unique=True),
        Index("uq_jobs_ready", "kind", "subject", unique=True, postgresql_where=text("state = 'ready'")),
        Index("ix_jobs_dead", "kind", postgresql_where=text("state = 'dead'")),
        Index("ix_jobs_due", "next_at", postgresql_where=text("state = 'ready'")),
        CheckConstraint("state IN ('ready', 'done', 'dead')", name="state"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str]
    subject: Mapped[UUID]
    round: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(server_default="ready")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    #: Real time of the database, not the demo's clock: a lease is not a business date.
    next_at: Mapped[datetime]
    last_error: Mapped[str] = mapped_column(server_default="")
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())


#: Owes what a relation `owing` (kind, subject, lease in seconds) names, and answers id and subject of what is new.
OWE = """
    INSERT INTO jobs (kind, subject, round, next_at)
    SELECT kind, subject,
           1 + coalesce((SELECT max(round) FROM jobs j WHERE j.kind = owing.kind AND j.subject = owing.subject), 0),
           now() + make_interval(secs => lease)
      FROM owing
     WHERE NOT EXISTS (SELECT FROM jobs j
                        WHERE j.kind = owing.kind AND j.subject = owing.subject AND j.state = 'ready')
    ON CONFLICT DO NOTHING
    RETURNING id, subject
"""
_OWE_ALL = f"""
    WITH owing AS (SELECT $1::text AS kind, unnest($2::uuid[]) AS subject, $3::double precision AS lease)
    {OWE}
"""


# In the order of an index, so that a portion begins where the one before ended.
_HURRY_PORTION = """
    WITH waiting AS (
        SELECT id FROM jobs
         WHERE kind = $1::text AND state = 'ready' AND subject > $2::uuid
           AND last_error = ANY ($3::text[]) AND next_at > now()
         ORDER BY subject LIMIT $4::integer
           FOR UPDATE SKIP LOCKED)
    UPDATE jobs SET next_at = now(), last_error = '' FROM waiting WHERE jobs.id = waiting.id
    RETURNING jobs.subject
"""


async def owe_all(tx: Tx, job: Job, subjects: Sequence[UUID]) -> None:
    """Owe `job` for each subject: the next round where the last is done, nothing where one is already ready."""
    if subjects:
        for job_id, _ in await fetch(tx, _OWE_ALL, str(job), list(subjects), settings().job_lease_seconds):
            nudge(tx, job, job_id)


def nudge(tx: Tx, job: Job, job_id: int) -> None:
    """A message about a job that `tx` owes leaves once it is committed."""
    after_commit(tx, "nudge", (str(job), job_id))


async def owe(tx: Tx, job: Job, subject: UUID) -> None:
    """Owe `job` for one subject, in the business transaction."""
    await owe_all(tx, job, [subject])


async def hurry(tx: Tx, job: Job, subjects: Sequence[UUID]) -> None:
    """What is owed already waits no longer, whatever it waited for."""
    row = JobRow
    waiting = update(row).where(
        row.kind == str(job), row.state == "ready", row.subject == func.any(literal(list(subjects), ARRAY(Uuid)))
    )
    lease = func.make_interval(0, 0, 0, 0, 0, 0, settings().job_lease_seconds)
    for job_id in (await tx.execute(waiting.values(next_at=func.now() + lease).returning(row.id))).scalars():
        nudge(tx, job, job_id)


async def owe_now(tx: Tx, job: Job, subjects: Sequence[UUID]) -> None:
    """As `owe_all`, and what is ready already waits no longer."""
    await hurry(tx, job, subjects)
    await owe_all(tx, job, subjects)


async def hurry_portion(tx: Tx, job: Job, reasons: Sequence[str], after: UUID, most: int) -> list[UUID]:
    """Of the jobs that wait for one of `reasons`, up to `most` with a subject beyond `after` wait no longer; their
    subjects. The sweep nudges them; what a worker holds just now is left to it.

    The reason goes with the waiting: a job that was hurried is not hurried again before it has been put off again.
    """
    hurried = await fetch(tx, _HURRY_PORTION, str(job), after, list(reasons), most)
    return [each["subject"] for each in hurried]


async def take_due(tx: Tx, limit: int = 5_000) -> list[tuple[str, int]]:
    """Push the lease of what is due and answer (kind, id) of each, to be nudged after COMMIT."""
    due = (
        select(JobRow.id)
        .where(JobRow.state == "ready", JobRow.next_at <= func.now())
        .order_by(JobRow.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    lease = func.make_interval(0, 0, 0, 0, 0, 0, settings().job_lease_seconds)
    rows = await tx.execute(
        update(JobRow).where(JobRow.id.in_(due)).values(next_at=func.now() + lease).returning(JobRow.kind, JobRow.id)
    )
    return [(kind, job_id) for kind, job_id in rows]


async def stop(tx: Tx, kinds: Sequence[Job], why: str) -> int:
    """Nothing of `kinds` is done any more unless an operator wants it again; how many jobs that were."""
    stopped = update(JobRow).where(JobRow.state == "ready", JobRow.kind.in_([str(kind) for kind in kinds]))
    return (await tx.execute(stopped.values(state="dead", last_error=why))).rowcount


async def revive(tx: Tx, job_id: int) -> tuple[str, UUID]:
    """Make a dead job ready again, with all its attempts: its kind and what it is about. Conflict `job.not_dead`."""
    revived = await tx.execute(
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.state == "dead")
        .values(state="ready", attempts=0, next_at=func.now())
        .returning(JobRow.kind, JobRow.subject)
    )
    row = revived.one_or_none()
    if row is None:
        raise Conflict("job.not_dead")
    after_commit(tx, "nudge", (row.kind, job_id))
    return row.kind, row.subject


def chunks(owed: Iterable[tuple[str, int]]) -> Iterable[tuple[str, list[int]]]:
    """Ids of one kind travel together, as many as its work allows in a message."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for kind, job_id in owed:
        by_kind[kind].append(job_id)
    for kind, ids in by_kind.items():
        most = IDS_PER_MESSAGE.get(kind, IDS_PER_MESSAGE_MAX)
        for start in range(0, len(ids), most):
            yield kind, ids[start : start + most]


def send(owed: Iterable[tuple[str, int]]) -> None:
    """Send nudges now; a broker that is away fails nothing, the sweep repeats."""
    for kind, ids in chunks(owed):
        try:
            celery.send_task(kind, args=[ids])
        except Exception as problem:  # whatever kombu raises: a nudge is only a hint
            log.warning("nudge_lost", kind=kind, ids=len(ids), problem=type(problem).__name__)
            return


class _Nudger:
    """Gathers nudges for a moment and sends them from a thread of its own.

    The event loop never waits for the broker, and neither does anybody else's work in a thread: with the broker away
    one sending takes seconds. What gathers meanwhile leaves with the next.
    """

    GATHER_SECONDS = 0.03

    def __init__(self) -> None:
        self._waiting: list[tuple[str, int]] = []
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "nudges")

    def add(self, owed: list[tuple[str, int]]) -> None:
        with self._lock:
            first = not self._waiting
            self._waiting.extend(owed)
        if first:
            asyncio.get_running_loop().call_later(self.GATHER_SECONDS, self._thread.submit, self._send_gathered)

    async def send_waiting(self) -> None:
        """Send what has gathered, now: a worker's loop stands still between messages."""
        if self._waiting:
            await asyncio.wrap_future(self._thread.submit(self._send_gathered))

    def _send_gathered(self) -> None:
        with self._lock:
            leaving, self._waiting = self._waiting, []
        send(leaving)


_nudger = _Nudger()
send_waiting = _nudger.send_waiting
AFTER_COMMIT["nudge"] = _nudger.add
