"""Repayments are counted by their job, whatever is said to it how often; days are closed by their sweep."""

import asyncio

from sqlalchemy import select, text

from service.database import transaction
from service.jobs import JobRow
from service.queue import Job
from tasks.clawbacks import settle_repayments
from tasks.runtime import do
from tasks.statements import close_days
from tests.payments import Stage
from tests.repayments import Owing
from tests.service.test_statements import debit, references, said
from tests.world import World


async def test_a_job_counts_each_repayment_once(committed: World) -> None:
    async with transaction() as tx:
        owing = await Owing.build(tx, committed)
        await owing.take(tx, owing.paid_in(100), owing.paid_in(200))
        lines = await owing.lines(tx)
        asked = select(JobRow.id).where(JobRow.kind == str(Job.SETTLE_REPAYMENT), JobRow.subject.in_(lines))
        ids = list((await tx.execute(asked)).scalars())
    assert len(ids) == 2
    await asyncio.gather(*(do(settle_repayments, ids) for _ in range(3)))
    async with transaction() as tx:
        assert (await owing.now(tx)).repaid_fen == 300
        assert await owing.lines(tx) == []
        states = await tx.execute(select(JobRow.state).where(JobRow.id.in_(ids)))
        assert set(states.scalars()) == {"done"}


async def test_the_sweep_closes_what_can_be_closed(committed: World) -> None:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed)
        batch = await stage.sent(tx)
        await said(tx, stage, batch, [debit(each) for each in await references(tx, batch)], days=-3)
    await asyncio.gather(close_days(), close_days())
    async with transaction() as tx:
        asked = text(
            "SELECT day, actor_name FROM daily_closes c JOIN journal j ON j.subject_id = c.id WHERE account = :a"
        )
        (closed,) = await tx.execute(asked, {"a": batch.debit_account})
    assert (closed.actor_name, (committed.today - closed.day).days) == ("statements.close_days", 3)
