"""The jobs of risk signals, each doubled without harm: a night is asked for once, run once, and holds once."""

from sqlalchemy import select

from service.claims.tables import ClaimHoldRow
from service.database import transaction
from service.jobs import JobRow
from service.oversight.tables import SignalFindingRow, SignalRunRow
from service.queue import Job
from tasks.runtime import do
from tasks.signals import ask_signals, hold_signalled, run_signals
from tests.oversight import Oversight, many_with_one_phone
from tests.world import World


async def ready(kind: Job) -> list[int]:
    async with transaction() as tx:
        asked = select(JobRow.id).where(JobRow.kind == str(kind), JobRow.state == "ready")
        return list((await tx.execute(asked)).scalars())


async def test_a_night_is_asked_once_run_once_and_holds_once(committed: World) -> None:
    async with transaction() as tx:
        city = await Oversight.build(tx, committed)
        claims = sorted([each.id for each in await many_with_one_phone(tx, city)])
    for _ in range(2):
        await ask_signals()
    async with transaction() as tx:
        nights = select(SignalRunRow.id).where(SignalRunRow.day == committed.today, SignalRunRow.origin == "nightly")
        (run_id,) = (await tx.execute(nights)).scalars()
    runs = await ready(Job.RUN_SIGNALS)
    for _ in range(2):
        await do(run_signals, runs)
    async with transaction() as tx:
        row = SignalFindingRow
        of_it = select(row.id).where(row.run_id == run_id, row.institution_id == city.institution_id)
        assert len((await tx.execute(of_it)).all()) == 1
    holds = await ready(Job.HOLD_SIGNALLED)
    for _ in range(2):
        await do(hold_signalled, holds)
    assert await ready(Job.RUN_SIGNALS) == await ready(Job.HOLD_SIGNALLED) == []
    async with transaction() as tx:
        row = ClaimHoldRow
        placed = select(row.claim_id).where(row.claim_id.in_(claims), row.code == "signal", row.placed_by.is_(None))
        assert sorted((await tx.execute(placed)).scalars()) == claims
