"""Owed work in figures, and what of it is dead."""

from sqlalchemy import func, select

from service.audit.schemas import DeadJobsView, DeadJobView, JobCountsView, QueueView
from service.database import Tx
from service.jobs import JobRow
from service.wording import words

DEAD_MAX = 500


async def job_counts(tx: Tx) -> JobCountsView:
    """How many jobs stand in each state."""
    rows = await tx.execute(select(JobRow.state, func.count().label("number")).group_by(JobRow.state))
    counted = {row.state: row.number for row in rows}
    return JobCountsView(counted.get("ready", 0), counted.get("done", 0), counted.get("dead", 0))


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
