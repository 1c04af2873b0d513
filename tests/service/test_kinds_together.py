"""Claims of every kind beside what was written for certificates: appeals, registries, standards, clawbacks."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.actor import Post
from domain.claim import ClaimAction
from domain.errors import Conflict
from service.claims.commands.appeals import answer_appeal, appeal
from service.claims.commands.moves import move_claim
from service.claims.commands.review import approve_claim, refuse_claim
from service.claims.queries.affected import affected_by
from service.claims.schemas import AppealView, NewAppeal, NewAppealAnswer, NewRefusal
from service.database import Tx
from service.journal import By
from service.verification.queries import questions
from service.verification.queries.rechecks import ASKED_AGAIN
from tests.desk import status_of
from tests.payments import ready_jobs
from tests.projects import Procured
from tests.service.test_allowances import Attended, attended
from tests.standards import Bureaus, flat
from tests.world import World

__all__ = ["attended"]

GRANT = NewAppealAnswer(grant=True, answer="材料属实")


async def _appealed(tx: Tx, world: World, claim_id: UUID, me: object) -> AppealView:
    """Refused by one reviewer, and brought back by another where nothing is in the way."""
    first = world.staff[Post.REVIEWER]
    await refuse_claim(tx, first, claim_id, NewRefusal(["other"]), world.now)
    raised = await appeal(tx, me, claim_id, NewAppeal("材料齐全"), world.today, world.now)  # type: ignore[arg-type]
    second = await world.user(tx, {Post.REVIEWER}, world.here)
    return await answer_appeal(tx, second, raised.id, GRANT, world.today, world.now)


async def test_a_registry_is_not_asked_about_a_certificate_that_there_is_not(tx: Tx, world: World) -> None:
    """An appeal brings a place in a project back; asking about no number at all would fail every other that is asked
    about in the same call."""
    project = await Procured.build(tx, world)
    view = await project.claim(tx)
    granted = await _appealed(tx, world, view.id, project.contractor.clerk)
    assert (granted.answer, await status_of(tx, view.id)) == ("granted", "in_review")
    assert await ready_jobs(tx, view.id) == []
    assert await questions(tx, [view.id], ASKED_AGAIN) == {}


async def test_standards_of_certificates_touch_no_claim_without_one(tx: Tx, world: World, attended: Attended) -> None:
    training = await attended.train(tx)
    allowance, place = await attended.claim(tx), await (await Procured.build(tx, world)).claim(tx)
    bureaus = await Bureaus.of(tx, world)
    proposed = await bureaus.propose(tx, flat(100_000), world.today - timedelta(days=200))
    found = {each.claim_id for each in (await affected_by(tx, None, proposed.id)).claims}
    assert found & {training.id, allowance.id, place.id} == {training.id}


async def test_an_allowance_goes_no_further_than_the_claim_it_stands_beside(tx: Tx, attended: Attended) -> None:
    world, training = attended.world, await attended.train(tx)
    allowance = await attended.claim(tx)
    await move_claim(tx, ClaimAction.WITHDRAW, training.id, By("tests", world.now))
    with pytest.raises(Conflict, match=r"allowance\.alone"):
        await approve_claim(tx, world.staff[Post.REVIEWER], allowance.id, "", world.now)
    moot = await _appealed(tx, world, allowance.id, attended.trainee.actor)
    assert (moot.answer, moot.in_the_way) == ("moot", ["同一培训的补贴申领已经不在办"])
