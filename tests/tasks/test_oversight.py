"""The job that holds claims with a penalty: in portions, doubled without harm, undone when it is overturned."""

from uuid import UUID

import pytest
from sqlalchemy import func, select

from service.claims.tables import ClaimHoldRow
from service.database import transaction
from service.jobs import JobRow
from service.oversight.commands import appeals, holding
from service.oversight.schemas import NewAppeal, NewAppealAnswer, PenaltyView
from service.oversight.tables import PenaltyHoldRow
from tasks.oversight import hold_claims
from tasks.runtime import do
from tests.oversight import SHA, Oversight
from tests.world import World


async def jobs_of(penalty: PenaltyView) -> dict[int, str]:
    async with transaction() as tx:
        asked = select(JobRow.id, JobRow.state).where(JobRow.subject == penalty.id)
        return {each.id: each.state for each in await tx.execute(asked)}


async def held(penalty: PenaltyView) -> tuple[list[UUID], int]:
    """Claims under a live hold of the penalty, and how many holds it ever placed."""
    own, hold = PenaltyHoldRow, ClaimHoldRow
    async with transaction() as tx:
        mine = select(hold.claim_id).join(own, own.hold_id == hold.id).where(own.penalty_id == penalty.id)
        live = (await tx.execute(mine.where(hold.lifted_at.is_(None)))).scalars().all()
        placed = await tx.execute(select(func.count()).where(own.penalty_id == penalty.id))
        return sorted(live), int(placed.scalar_one())


async def test_claims_are_held_once_and_let_go(committed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "PORTION", 2)
    async with transaction() as tx:
        city = await Oversight.build(tx, committed)
        claims = sorted([(await committed.through_institution(tx, city.clerk)).id for _ in range(3)])
        penalty = await city.imposed(tx, "dismiss")
    (job,) = await jobs_of(penalty)
    for _ in range(2):
        await do(hold_claims, [job])
        assert await held(penalty) == (claims, 3)
    assert await jobs_of(penalty) == {job: "done"}
    async with transaction() as tx:
        today, now = committed.today, committed.now
        await appeals.appeal(tx, city.clerk, penalty.id, NewAppeal("x"), today, now)
        granted = NewAppealAnswer(granted=True, answer="x", document_sha256=SHA)
        await appeals.answer(tx, city.third, penalty.id, granted, today, now)
    again = await jobs_of(penalty)
    assert sorted(again.values()) in (["done", "ready"], ["ready"])
    await do(hold_claims, [each for each, state in again.items() if state == "ready"])
    assert await held(penalty) == ([], 3)
