"""Who is asked to pay back has it looked at again, once, by another person; meanwhile nothing is enforced."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text, update

from domain.actor import Actor, Post
from domain.clawback import Cause, ClawbackStatus, check_may_appeal, check_not_appealed
from domain.errors import Conflict, DomainError, Forbidden
from service.audit.queries.checks import first_breach
from service.audit.queries.corrections import CORRECTIONS
from service.audit.queries.journal import JOURNALLED
from service.clawbacks.commands.appealing import answer_clawback_appeal, appeal_clawback
from service.clawbacks.commands.demanding import answer_waiver, demand, propose_enforcement
from service.clawbacks.queries.appealed import list_appeals
from service.clawbacks.queries.mine import my_demands
from service.clawbacks.queries.views import clawback_view, list_clawbacks
from service.clawbacks.schemas import (
    ClawbackAppealView,
    NewClawbackAnswer,
    NewClawbackAppeal,
    NewDemand,
    NewEnforcement,
    NewWaiverAnswer,
)
from service.database import Tx
from service.people.tables import PersonRow
from service.work.queries.due import summary
from service.work.queries.waiting import Chosen, work
from service.work.schemas import Kind
from tests.races.test_standards_by_sql import refused
from tests.repayments import Owing
from tests.service.test_amount_corrections import District
from tests.world import WELDER_LEVEL_4_FEN, World

WHY = NewClawbackAppeal("培训是真的，有照片")
GRANT, DENY = NewClawbackAnswer(True, "照片和签到对得上"), NewClawbackAnswer(False, "签到是代签的")
_S = ClawbackStatus


def refused_by(check: Callable[[], None]) -> str:
    """The code of its refusal; empty where it lets it pass."""
    try:
        check()
    except Conflict as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize(
    ("status", "days", "refusal"),
    [
        *((status, 0, "clawback_appeal.not_demanded") for status in (_S.RAISED, _S.REPAID, _S.WAIVED, _S.ENFORCED)),
        (_S.DEMANDED, None, "clawback_appeal.not_demanded"),
        (_S.DEMANDED, -1, "appeal.too_late"),
        (_S.DEMANDED, 0, ""),
        (_S.PART_REPAID, 1, ""),
    ],
)
def test_what_is_demanded_is_appealed_within_its_term(status: ClawbackStatus, days: int | None, refusal: str) -> None:
    today = date(2026, 11, 26)
    due_on = None if days is None else today + timedelta(days=days)
    assert refused_by(lambda: check_may_appeal(status, due_on, today)) == refusal


@pytest.mark.parametrize(
    ("appealed", "granted", "refusal"),
    [
        (False, None, ""),
        (True, None, "clawback.appealed"),
        (True, True, "clawback.appeal_granted"),
        (True, False, ""),
    ],
)
def test_nothing_is_enforced_that_is_looked_at_again(appealed: bool, granted: bool | None, refusal: str) -> None:
    assert refused_by(lambda: check_not_appealed(appealed, granted)) == refusal


@pytest.fixture
async def owing(tx: Tx, world: World) -> Owing:
    return await Owing.build(tx, world)


def claimant(owing: Owing) -> Actor:
    return owing.office.paid.trainee.actor


async def appeal(tx: Tx, owing: Owing, me: Actor | None = None) -> ClawbackAppealView:
    world = owing.world
    return await appeal_clawback(tx, me or claimant(owing), owing.clawback.id, WHY, world.today, world.now)


async def another(tx: Tx, owing: Owing) -> Actor:
    return await owing.world.user(tx, {Post.REVIEWER}, owing.office.paid.stage.district)


async def answer(
    tx: Tx, owing: Owing, of: ClawbackAppealView, new: NewClawbackAnswer, me: Actor
) -> ClawbackAppealView:
    return await answer_clawback_appeal(tx, me, of.id, new, owing.world.today, owing.world.now)


async def enforce(tx: Tx, owing: Owing) -> None:
    """Once its term is over."""
    assert owing.clawback.due_on is not None
    on = owing.clawback.due_on + timedelta(days=1)
    new = NewEnforcement("济人社执〔2026〕1号", on.isoformat())
    later = owing.world.now + timedelta(days=60)
    await propose_enforcement(tx, owing.office.staff(Post.MAKER), owing.clawback.id, new, later)


async def test_granted_it_is_proposed_to_be_waived_and_another_person_confirms(tx: Tx, owing: Owing) -> None:
    opened = await appeal(tx, owing)
    assert (opened.granted, opened.number, opened.amount_fen) == (
        None,
        owing.clawback.number,
        owing.clawback.amount_fen,
    )
    with pytest.raises(DomainError) as caught:
        await appeal(tx, owing)
    assert caught.value.code == "clawback_appeal.standing"
    with pytest.raises(DomainError) as caught:
        await enforce(tx, owing)
    assert caught.value.code == "clawback.appealed"
    me = await another(tx, owing)
    assert [each.id for each in (await list_appeals(tx, me, owing.world.today, None, 50)).appeals] == [opened.id]
    answered = await answer(tx, owing, opened, GRANT, me)
    assert (answered.granted, answered.answer_text, answered.remedies) == (True, GRANT.answer, [])
    with pytest.raises(DomainError) as caught:
        await enforce(tx, owing)
    assert caught.value.code == "clawback.appeal_granted"
    now = await clawback_view(tx, owing.clawback.id)
    assert now.status == _S.DEMANDED
    assert now.waiver is not None
    assert (now.waiver.law, now.waiver.note, now.waiver.granted) == ("复核成立", GRANT.answer, None)
    checker = owing.office.staff(Post.CHECKER)
    waived = await answer_waiver(tx, checker, owing.clawback.id, NewWaiverAnswer(grant=True), owing.world.now)
    assert waived.status == _S.WAIVED
    for promise in (CORRECTIONS, JOURNALLED):
        assert await first_breach(tx, promise.checks) is None


async def test_denied_it_is_still_to_be_paid_and_may_be_enforced(tx: Tx, owing: Owing) -> None:
    answered = await answer(tx, owing, await appeal(tx, owing), DENY, await another(tx, owing))
    assert (answered.granted, answered.message) == (False, "复核以后，仍然要退。")
    assert answered.remedies
    (demand,) = await my_demands(tx, claimant(owing), owing.world.today)
    assert demand.appeal == answered
    assert demand.clawback.waiver is None
    await enforce(tx, owing)
    with pytest.raises(DomainError) as caught:
        await answer(tx, owing, answered, GRANT, await another(tx, owing))
    assert caught.value.code == "appeal.answered"


async def test_only_who_owes_it_appeals_and_only_another_than_who_raised_it_answers(tx: Tx, owing: Owing) -> None:
    world, stranger = owing.world, (await owing.world.trainee(tx)).actor
    with pytest.raises(DomainError) as caught:
        await appeal(tx, owing, stranger)
    assert caught.value.code == "clawback.not_found"
    opened = await appeal(tx, owing)
    # who filed under a mandate was not paid: what the trainee says, perhaps of them, is not theirs to read
    assert (await list_appeals(tx, owing.office.paid.clerk, world.today, None, 50)).appeals == []
    elsewhere = await world.user(tx, {Post.REVIEWER}, f"{world.other}")
    own = replace(await another(tx, owing), person_id=claimant(owing).person_id)
    for me, refusal in (
        (owing.office.paid.reviewer, "clawback_appeal.same_person"),
        (elsewhere, "clawback.not_found"),
        (own, "claim.own"),
        (owing.office.staff(Post.MAKER), "post_missing"),
    ):
        with pytest.raises(DomainError) as caught:
            await answer(tx, owing, opened, GRANT, me)
        assert caught.value.code == refusal
    with pytest.raises(DomainError) as caught:
        await answer(tx, owing, replace_id(opened), GRANT, owing.office.paid.reviewer)
    assert caught.value.code == "clawback_appeal.not_found"


def replace_id(view: ClawbackAppealView) -> ClawbackAppealView:
    """Of an appeal that there is none of."""
    view.id = uuid4()
    return view


async def test_by_sql_nobody_answers_their_own_or_enforces_meanwhile(tx: Tx, owing: Owing) -> None:
    opened = await appeal(tx, owing)
    raiser, me = owing.office.paid.reviewer, await another(tx, owing)
    answered = """
        UPDATE clawback_appeals SET granted = true, answer_text = 'x', answered_by = :user, answered_person = :person,
               answered_at = now() WHERE id = :id"""
    by = {"id": opened.id, "user": me.user_id}
    assert await refused(tx, answered, person=raiser.person_id, **by) == "ZD264"
    assert await refused(tx, answered, person=claimant(owing).person_id, **by) == "ZD264"
    assert await refused(tx, answered.replace("'x'", "''"), person=me.person_id, **by) == "23514"
    assert await refused(tx, answered, person=me.person_id, **by) is None
    enforce = """
        INSERT INTO clawback_enforcements (id, clawback_id, order_number, ordered_on, proposed_by, proposed_person,
                                           proposed_at)
        SELECT gen_random_uuid(), t.clawback_id, 'x', t.due_on + 1, :user, :person, now() FROM clawback_terms t
         WHERE t.clawback_id = :clawback"""
    given = {"user": me.user_id, "person": me.person_id, "clawback": owing.clawback.id}
    assert await refused(tx, enforce, **given) == "ZD265"
    late = """
        INSERT INTO clawback_appeals (id, clawback_id, reason, appealed_by, appealed_person, appealed_at, due_on)
        SELECT gen_random_uuid(), clawback_id, 'x', :user, :person, due_on + interval '2 days', due_on
          FROM clawback_terms WHERE clawback_id = :clawback"""
    assert await refused(tx, late, **given) == "ZD263"
    assert await refused(tx, late.replace("+ interval '2 days'", ""), **given) == "23505"
    assert await refused(tx, "DELETE FROM clawback_appeals WHERE id = :id", id=opened.id) == "42501"
    assert await refused(tx, "UPDATE clawback_appeals SET reason = 'y' WHERE id = :id", id=opened.id) == "42501"


_ANSWER = """
    UPDATE clawback_appeals SET granted = false, answer_text = 'x', answered_by = :user, answered_person = :person,
           answered_at = now() WHERE id = :id"""


async def twin(tx: Tx, world: World, of: Actor) -> Actor:
    """Another id of the same human, as an officer of the same district."""
    other = await world.user(tx, set(of.posts), of.district)
    await tx.execute(update(PersonRow).where(PersonRow.id == other.person_id).values(merged_into=of.person_id))
    return other


async def claimant_of(tx: Tx, claim_id: UUID) -> Actor:
    asked = text("SELECT u.id, u.person_id FROM claims c JOIN users u ON u.id = c.filed_by WHERE c.id = :id")
    user = (await tx.execute(asked, {"id": claim_id})).one()
    return Actor(user.id, user.person_id, frozenset({Post.TRAINEE}))


async def appealed(tx: Tx, there: District, on: date | None = None) -> list[ClawbackAppealView]:
    """Against each clawback of the district, today or on another day."""
    world, maker, found = there.world, there.stage.staff[Post.MAKER], []
    for owed in (await list_clawbacks(tx, maker, None, None, 50)).clawbacks:
        await demand(tx, maker, owed.id, NewDemand("济人社追〔2026〕2号"), world.now)
        me = await claimant_of(tx, owed.claim_id)
        found.append(await appeal_clawback(tx, me, owed.id, WHY, on or world.today, world.now))
    return found


async def test_neither_who_proposed_the_correction_nor_who_confirmed_it_answers(tx: Tx, world: World) -> None:
    there = await District.build(tx, world, claims=1)
    await there.corrected(tx, WELDER_LEVEL_4_FEN - 10_000)
    await there.answer(tx, await there.propose(tx))
    (opened,) = await appealed(tx, there)
    assert opened.cause == Cause.STANDARDS
    another = await world.user(tx, {Post.REVIEWER}, there.stage.district)
    twins = [await twin(tx, world, each) for each in (there.one, there.other)]
    for me in (there.one, there.other, *twins):
        with pytest.raises(Forbidden, match=r"clawback_appeal\.same_person"):
            await answer_clawback_appeal(tx, me, opened.id, DENY, world.today, world.now)
        given = {"id": opened.id, "user": me.user_id, "person": me.person_id}
        assert await refused(tx, _ANSWER, **given) == "ZD264"
    waiting = Chosen(Kind.DEMAND_APPEAL)
    for me, waits in ((there.one, 0), (there.other, 0), (twins[0], 0), (another, 1)):
        assert len((await work(tx, me, waiting, None, 5, world.now)).work) == waits
    assert not (await answer_clawback_appeal(tx, another, opened.id, DENY, world.today, world.now)).granted
    assert await first_breach(tx, CORRECTIONS.checks) is None


async def test_an_appeal_waits_for_a_reviewer_and_is_late_after_its_day(tx: Tx, owing: Owing) -> None:
    opened, me, late = await appeal(tx, owing), await another(tx, owing), owing.world.now + timedelta(days=60)
    chosen = Chosen(Kind.DEMAND_APPEAL)
    (waits,) = (await work(tx, me, chosen, None, 5, owing.world.now)).work
    assert (waits.id, waits.claim_id, waits.due_on) == (opened.id, opened.claim_id, opened.due_on)
    assert not waits.overdue
    assert (await work(tx, owing.office.paid.reviewer, chosen, None, 5, owing.world.now)).work == []
    assert (await work(tx, me, chosen, None, 5, late)).work[0].overdue
    for days, counted in ((0, (1, 1, 0)), (1, (1, 0, 1))):
        told = (await summary(tx, me, opened.due_on + timedelta(days=days))).work
        (of,) = [each for each in told if each.kind is Kind.DEMAND_APPEAL]
        assert (of.waiting, of.due_today, of.overdue) == counted
    await answer(tx, owing, opened, DENY, me)
    assert (await work(tx, me, chosen, None, 5, owing.world.now)).work == []


async def test_what_is_said_of_it_follows_the_waiver(tx: Tx, owing: Owing) -> None:
    await answer(tx, owing, await appeal(tx, owing), GRANT, await another(tx, owing))
    checker, me = owing.office.staff(Post.CHECKER), claimant(owing)

    async def said() -> str:
        (demand,) = await my_demands(tx, me, owing.world.today)
        assert demand.appeal is not None
        assert (demand.appeal.reason, demand.appeal.answer_text) == (WHY.reason, GRANT.answer)
        return demand.appeal.message

    assert "等财务的另一个人确认" in await said()
    await answer_waiver(
        tx, checker, owing.clawback.id, NewWaiverAnswer(grant=False, answer="事实不清"), owing.world.now
    )
    assert "没有同意免于追回" in await said()
    with pytest.raises(DomainError) as caught:
        await enforce(tx, owing)
    assert caught.value.code == "clawback.appeal_granted"
    await owing.office.propose(tx, owing.clawback.id)
    assert "等财务的另一个人确认" in await said()
    await answer_waiver(tx, checker, owing.clawback.id, NewWaiverAnswer(grant=True), owing.world.now)
    assert await said() == "复核成立，不用退了。"
