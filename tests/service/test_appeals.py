"""复核: a refusal is looked at again once, by another reviewer; granted, the same claim is in review anew."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import insert, select, text

from domain.actor import Actor, Post
from domain.appeal import Answer
from domain.claim import ClaimAction
from domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from domain.relative import Relation
from service.access.commands import declare_relative
from service.access.schemas import NewRelative
from service.access.tables import DistrictRow
from service.audit.queries.checks import first_breach
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.audit.queries.objections import APPEALS
from service.audit.queries.story import story_of
from service.claims.commands.appeals import answer_appeal, appeal
from service.claims.commands.filing import file_claim
from service.claims.commands.moves import move_claim
from service.claims.commands.review import approve_claim, refuse_claim
from service.claims.queries.appeals import list_appeals
from service.claims.queries.views import claim_view
from service.claims.schemas import AppealView, ClaimView, NewAppeal, NewAppealAnswer, NewRefusal
from service.claims.tables import ClaimRow
from service.database import Tx, transaction
from service.journal import By
from service.policies.queries import work_calendar
from service.work.commands.taking import recuse
from service.work.schemas import NewRecusal
from tests.payments import journal_of
from tests.service.test_batches_http import client, desk
from tests.world import WELDER, Trainee, World

__all__ = ["client"]

GRANT, DENY = NewAppealAnswer(grant=True, answer="证书属实"), NewAppealAnswer(grant=False, answer="维持")
WHY = NewAppeal("登记库已更正")


@dataclass
class Bench:
    """A district of its own: the reviewer who refused a claim of the trainee, and another."""

    world: World
    district: str
    first: Actor
    second: Actor
    trainee: Trainee
    claim: ClaimView

    @classmethod
    async def build(cls, tx: Tx, world: World, trainee: Trainee | None = None) -> "Bench":
        district = f"P{uuid4().hex[:10]}"
        await tx.execute(insert(DistrictRow).values(code=district, name="示例区", kind="district"))
        first, second = [await world.user(tx, {Post.REVIEWER}, district) for _ in range(2)]
        trainee = trainee or await world.trainee(tx)
        claim = await world.claim(tx, "in_review", trainee, district=district)
        bench = cls(world, district, first, second, trainee, claim)
        await bench.refuse(tx)
        return bench

    async def refuse(self, tx: Tx, claim_id: UUID | None = None) -> None:
        refusal = NewRefusal(["certificate_not_found"])
        await refuse_claim(tx, self.first, claim_id or self.claim.id, refusal, self.world.now)

    async def appeal(self, tx: Tx, me: Actor | None = None, today: date | None = None) -> AppealView:
        day = today or self.world.today
        return await appeal(tx, me or self.trainee.actor, self.claim.id, WHY, day, self.world.now)

    async def answer(
        self, tx: Tx, of: AppealView, new: NewAppealAnswer = GRANT, me: Actor | None = None
    ) -> AppealView:
        return await answer_appeal(tx, me or self.second, of.id, new, self.world.today, self.world.now)

    async def status(self, tx: Tx) -> str:
        return str((await tx.execute(select(ClaimRow.status).where(ClaimRow.id == self.claim.id))).scalar_one())


@pytest.fixture
async def bench(tx: Tx, world: World) -> Bench:
    return await Bench.build(tx, world)


async def refusal(asked: Any) -> DomainError:
    with pytest.raises(DomainError) as caught:
        await asked
    return caught.value


async def audited(tx: Tx) -> None:
    for promise in (APPEALS, JOURNALLED, LEGAL_MOVES):
        assert await first_breach(tx, promise.checks) is None


async def test_granted_the_same_claim_is_in_review_again(tx: Tx, bench: Bench) -> None:
    raised = await bench.appeal(tx)
    assert (raised.answer, raised.message, raised.overdue) == (None, "在复核，还没有答复。", False)
    assert raised.due_on == work_calendar().add(bench.world.today, 15).on
    granted = await bench.answer(tx, raised)
    assert (granted.answer, granted.in_the_way, granted.answer_text) == (Answer.GRANTED, [], "证书属实")
    assert granted.remedies == []
    assert await bench.status(tx) == "in_review"
    assert [each.action for each in await journal_of(tx, "claim_appeal", raised.id)] == ["appeal", "grant"]
    await approve_claim(tx, bench.second, bench.claim.id, "", bench.world.now)
    assert await bench.status(tx) == "approved"
    story = await story_of(tx, bench.trainee.actor, bench.claim.id)
    told = [step.what for step in story.steps]
    assert any("申请复核" in each for each in told)
    assert any("复核通过" in each for each in told)
    await audited(tx)


async def test_denied_the_refusal_stands_and_is_not_appealed_twice(tx: Tx, bench: Bench) -> None:
    denied = await bench.answer(tx, await bench.appeal(tx), DENY)
    assert (denied.answer, await bench.status(tx)) == (Answer.DENIED, "refused")
    assert [each.kind for each in denied.remedies] == ["reconsideration", "lawsuit"]
    assert (await refusal(bench.appeal(tx))).code == "appeal.standing"
    assert (await refusal(bench.answer(tx, denied))).code == "appeal.answered"
    await audited(tx)


async def test_a_second_refusal_may_be_appealed_against(tx: Tx, bench: Bench) -> None:
    await bench.answer(tx, await bench.appeal(tx))
    await bench.refuse(tx)
    again = await bench.appeal(tx)
    assert again.answer is None
    await bench.answer(tx, again, DENY)
    await audited(tx)


async def test_where_another_claim_stands_by_now_it_ends_moot_and_says_so(tx: Tx, bench: Bench) -> None:
    raised = await bench.appeal(tx)
    await bench.world.claim(tx, "filed", bench.trainee, district=bench.district)
    moot = await bench.answer(tx, raised)
    assert (moot.answer, moot.in_the_way) == (Answer.MOOT, ["同一职业同一等级已有另一笔申领"])
    assert await bench.status(tx) == "refused"
    await audited(tx)


async def test_counting_limits_hold_for_what_comes_back(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    bench = await Bench.build(tx, world, trainee)
    raised = await bench.appeal(tx)
    others = text("""SELECT DISTINCT i.code FROM catalog_items i JOIN catalog_editions e ON e.id = i.edition_id
                        JOIN standards s ON s.occupation = i.code AND s.level = '4'
                       WHERE e.in_force @> CAST(:day AS date) AND s.in_force @> CAST(:day AS date)
                         AND i.code <> :welder ORDER BY i.code LIMIT 3""")
    for code in (await tx.execute(others, {"day": world.today, "welder": WELDER})).scalars().all():
        new = world.new_claim(trainee, item_code=code, district=bench.district)
        await file_claim(tx, trainee.actor, new, world.today, world.now)
    moot = await bench.answer(tx, raised)
    assert (moot.answer, moot.in_the_way) == (Answer.MOOT, ["申领次数已经用完"])


async def test_who_refused_does_not_answer_and_neither_does_the_claimant(tx: Tx, bench: Bench) -> None:
    raised = await bench.appeal(tx)
    refused = await refusal(bench.answer(tx, raised, me=bench.first))
    assert (type(refused), refused.code) == (Forbidden, "appeal.same_person")
    own = Actor(bench.second.user_id, bench.trainee.actor.person_id, bench.second.posts, bench.district)
    assert (await refusal(bench.answer(tx, raised, me=own))).code == "claim.own"
    elsewhere = bench.world.other_staff[Post.REVIEWER]
    assert isinstance(await refusal(bench.answer(tx, raised, me=elsewhere)), NotFound)


async def test_only_in_time_only_a_refused_one_and_only_ones_own(tx: Tx, bench: Bench) -> None:
    last = bench.world.today + timedelta(days=60)
    late = await refusal(bench.appeal(tx, today=last + timedelta(days=1)))
    assert (type(late), late.code, late.facts) == (Conflict, "appeal.too_late", {"last": last.isoformat()})
    stranger = (await bench.world.trainee(tx)).actor
    assert isinstance(await refusal(bench.appeal(tx, stranger)), NotFound)
    live = await bench.world.claim(tx, "verified")
    mine = Actor(uuid4(), await holder(tx, live.id), frozenset({Post.TRAINEE}))
    asked = appeal(tx, mine, live.id, WHY, bench.world.today, bench.world.now)
    assert (await refusal(asked)).code == "wrong_status"
    number = NewAppeal(f"我的身份证是{bench.trainee.made.id_number}")
    asked = appeal(tx, bench.trainee.actor, bench.claim.id, number, bench.world.today, bench.world.now)
    assert isinstance(await refusal(asked), Invalid)
    assert (await bench.appeal(tx, today=last)).due_on > last


async def holder(tx: Tx, claim_id: UUID) -> UUID:
    return UUID(str((await tx.execute(select(ClaimRow.person_id).where(ClaimRow.id == claim_id))).scalar_one()))


async def test_the_institution_that_filed_may_appeal(tx: Tx, bench: Bench) -> None:
    world = bench.world
    claim = await world.through_institution(tx)
    reviewer, clerk = world.staff[Post.REVIEWER], world.clerks[0]
    await move_claim(tx, ClaimAction.QUESTION, claim.id, By("tests.appeals", world.now))
    await refuse_claim(tx, reviewer, claim.id, NewRefusal(["certificate_not_found"]), world.now)
    raised = await appeal(tx, clerk, claim.id, WHY, world.today, world.now)
    assert [each.id for each in (await list_appeals(tx, clerk, world.today, None, 50)).appeals] == [raised.id]
    await audited(tx)


async def test_who_sees_appeals_and_in_which_order(tx: Tx, bench: Bench) -> None:
    raised = await bench.appeal(tx)
    day = bench.world.today

    async def seen(me: Actor, *, closed: bool = False) -> list[UUID]:
        return [each.id for each in (await list_appeals(tx, me, day, None, 50, closed=closed)).appeals]

    for me in (bench.trainee.actor, bench.first, bench.second):
        assert await seen(me) == [raised.id]
    assert raised.id in await seen(bench.world.staff[Post.AUDITOR])
    for me in (bench.world.other_staff[Post.REVIEWER], (await bench.world.trainee(tx)).actor):
        assert raised.id not in await seen(me)
    late = await list_appeals(tx, bench.second, raised.due_on + timedelta(days=1), None, 50)
    assert [each.overdue for each in late.appeals] == [True]
    await bench.answer(tx, raised, DENY)
    assert (await seen(bench.second), await seen(bench.second, closed=True)) == ([], [raised.id])


async def test_an_officer_reads_none_of_a_claim_to_which_they_are_partial(tx: Tx, bench: Bench) -> None:
    raised, world = await bench.appeal(tx), bench.world
    related, recused = [await world.user(tx, {Post.REVIEWER}, bench.district) for _ in range(2)]
    relative = NewRelative(bench.trainee.made.id_number, Relation.SIBLING)
    for me in (related, recused):
        assert [each.id for each in (await list_appeals(tx, me, world.today, None, 50)).appeals] == [raised.id]
    await declare_relative(tx, related, relative, world.today, world.now)
    await recuse(tx, recused, bench.claim.id, NewRecusal("认识申领人"), world.now)
    for me in (related, recused):
        assert (await list_appeals(tx, me, world.today, None, 50)).appeals == []


async def test_a_refusal_names_the_appeal_with_its_last_day(tx: Tx, bench: Bench) -> None:
    view = await claim_view(tx, bench.trainee.actor, bench.claim.id)
    assert view.refusal is not None
    review = next(each for each in view.refusal.remedies if each.kind == "review")
    assert review.last == bench.world.today + timedelta(days=60)
    assert "复核" in review.message


async def test_over_http(committed: World, client: httpx.AsyncClient) -> None:
    async with transaction() as tx:
        bench = await Bench.build(tx, committed)
    trainee, first, second = [await desk(client, who) for who in (bench.trainee.actor, bench.first, bench.second)]
    path = f"/claims/{bench.claim.id}/appeal"
    raised = await trainee.post(path, {"reason": "登记库已更正"}, key="a")
    assert raised.status_code == 201, raised.text
    again = await trainee.post(path, {"reason": "登记库已更正"}, key="a")
    assert again.json() == raised.json()
    answer = f"/appeals/{raised.json()['id']}/answer"
    refused = await first.post(answer, {"grant": True, "answer": "属实"})
    assert (refused.status_code, refused.json()["code"]) == (403, "appeal.same_person")
    assert (await trainee.post(answer, {"grant": True, "answer": "属实"})).status_code == 403
    granted = await second.post(answer, {"grant": True, "answer": "属实"})
    assert (granted.status_code, granted.json()["answer"]) == (200, "granted")
    assert (await trainee.get("/appeals?closed=true")).json()["appeals"][0]["id"] == raised.json()["id"]
