"""Owed work in figures, and what of it is dead."""

from sqlalchemy import func, select, text

from service.audit.schemas import DeadJobsView, DeadJobView, JobCountsView, QueueView
from service.database import Tx
from service.jobs import JobRow
from service.wording import words

DEAD_MAX = 500
#: More jobs than this are not counted: how many rows the table has is then told as the planner knows it.
COUNTED_MAX = 50_000

# Both over partial indexes, however many are done.
_OPEN = text("""
    SELECT (SELECT count(*) FROM jobs WHERE state = 'ready') AS ready,
           (SELECT count(*) FROM jobs WHERE state = 'dead') AS dead,
           (SELECT reltuples FROM pg_class WHERE oid = CAST('jobs' AS regclass)) AS about
""")


async def job_counts(tx: Tx) -> JobCountsView:
    """How many jobs stand in each state: of those that are done, where there are more than COUNTED_MAX, about."""
    row = (await tx.execute(_OPEN)).one()
    if row.about <= COUNTED_MAX:
        done = select(func.count()).where(JobRow.state == "done")
        return JobCountsView(row.ready, (await tx.execute(done)).scalar_one(), row.dead)
    return JobCountsView(row.ready, max(int(row.about) - row.ready - row.dead, 0), row.dead, about=True)


async def dead_jobs(tx: Tx) -> DeadJobsView:
    """The oldest dead jobs, at most DEAD_MAX."""
    row = JobRow
    rows = await tx.execute(
        select(row.id, row.kind, row.subject, row.attempts, row.last_error)
        .where(row.state == "dead")
        .order_by(row.id)
        .limit(DEAD_MAX)
    )
    return DeadJobsView([DeadJobView(*each) for each in rows])


async def queues(tx: Tx) -> list[QueueView]:
    """What is owed now by kind, the longest overdue first. By the database's clock, which the demo does not move."""
    row = JobRow
    late = func.greatest(func.extract("epoch", func.now() - func.min(row.next_at)), 0)
    rows = await tx.execute(
        select(row.kind, func.count().label("number"), late.label("late"))
        .where(row.state == "ready")
        .group_by(row.kind)
        .order_by(late.desc(), row.kind)
    )
    return [QueueView(each.kind, words(f"by.{each.kind}"), each.number, int(each.late)) for each in rows]
