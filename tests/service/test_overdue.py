"""What is late: reviewed or paid later than policy allows, told to the district's officers, the oldest first."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import insert, text

from domain.actor import Post
from domain.claim import ClaimAction
from service.access.tables import DistrictRow
from service.claims.commands.moves import move_claim
from service.claims.schemas import ClaimView
from service.database import Tx
from service.journal import By
from service.notices.commands import publish_notice
from service.policies.queries import work_calendar
from service.statistics.queries.overdue import overdue
from service.statistics.schemas import OverdueView
from tests.world import World


@pytest.fixture
async def world(tx: Tx, world: World) -> World:
    """A stage in a district of its own."""
    world.here = f"L{uuid4().hex[:10]}"
    await tx.execute(insert(DistrictRow).values(code=world.here, name="示例区", kind="district"))
    for post in (Post.REVIEWER, Post.NOTICE_PUBLISHER):
        world.staff[post] = await world.user(tx, {post}, world.here)
    return world


async def seen(tx: Tx, world: World, today: date) -> OverdueView:
    return await overdue(tx, world.staff[Post.REVIEWER], today)


def late(view: OverdueView) -> dict[str, int]:
    return {each.step: each.late for each in view.steps}


async def test_a_review_is_late_on_the_day_after_its_last_working_day(tx: Tx, world: World) -> None:
    claims: list[ClaimView] = [await world.claim(tx, status) for status in ("filed", "verified", "in_review")]
    await world.claim(tx, "refused")
    due = work_calendar().add(world.today, 10).on
    assert late(await seen(tx, world, due)) == {"review": 0, "payment": 0}
    view = await seen(tx, world, due + timedelta(days=1))
    assert late(view) == {"review": 3, "payment": 0}
    assert {each.claim_id for each in view.steps[0].oldest} == {each.id for each in claims}
    assert {each.due_on for each in view.steps[0].oldest} == {due}


async def test_a_payment_is_late_when_it_is_counted_from_the_end_of_the_notice(tx: Tx, world: World) -> None:
    claim = await world.claim(tx, "approved")
    await publish_notice(tx, world.staff[Post.NOTICE_PUBLISHER], world.today, world.now)
    shown = text("SELECT closes_on FROM public_notices WHERE district = :here")
    closes_on = (await tx.execute(shown, {"here": world.here})).scalar_one()
    due = work_calendar().add(closes_on, 15).on
    assert late(await seen(tx, world, due + timedelta(days=1)))["payment"] == 0  # it is still before the public
    await move_claim(tx, ClaimAction.CLEAR, claim.id, By("tests.overdue", world.now))
    assert late(await seen(tx, world, due)) == {"review": 0, "payment": 0}
    assert late(await seen(tx, world, due + timedelta(days=1))) == {"review": 0, "payment": 1}


async def test_nobody_sees_another_district(tx: Tx, world: World) -> None:
    await world.claim(tx, "filed")
    day = world.today + timedelta(days=60)
    other = await world.user(tx, {Post.REVIEWER}, world.other)
    assert world.here not in {each.district for step in (await overdue(tx, other, day)).steps for each in step.oldest}
    assert late(await overdue(tx, world.staff[Post.AUDITOR], day))["review"] >= 1
