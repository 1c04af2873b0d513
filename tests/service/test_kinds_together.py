"""Claims of every kind beside what was written for certificates: appeals, registries, standards, clawbacks."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from domain.actor import Actor, Post
from domain.claim import ClaimAction
from domain.clawback import Cause
from domain.errors import Conflict, Ineligible
from domain.period import Period
from service.audit.queries.story import story_of
from service.claims.commands.appeals import answer_appeal, appeal
from service.claims.commands.counter import file_at_counter
from service.claims.commands.holds import hold_filed_by
from service.claims.commands.moves import move_claim
from service.claims.commands.review import approve_claim, refuse_claim
from service.claims.queries.affected import affected_by
from service.claims.queries.care import held_among
from service.claims.queries.looking_again import findings_of
from service.claims.schemas import AppealView, NewAppeal, NewAppealAnswer, NewCounterClaim, NewRefusal, NewTrainee
from service.clawbacks.commands.demanding import demand
from service.clawbacks.commands.raising import raise_clawbacks
from service.clawbacks.schemas import NewDemand
from service.database import Tx
from service.institutions.commands.standing import let_go
from service.journal import By
from service.messages.commands import demand_portion
from service.messages.tables import MessageRow
from service.reconciliation.commands import read, take_return
from service.registers.queries import snapshots_on
from service.statistics.queries.simulation import count_claims, funds_of
from service.statistics.queries.simulation import proposed as as_proposed
from service.statistics.schemas import NewSimulation
from service.training.tables import ClassRow
from service.verification.queries import questions
from service.verification.queries.rechecks import ASKED_AGAIN
from tests.desk import status_of
from tests.enterprises import Enterprise
from tests.payments import Stage, a_return, lines_of, ready_jobs
from tests.projects import Procured
from tests.registers import put_in_force
from tests.service.test_allowances import Attended, attended
from tests.standards import Bureaus, flat
from tests.world import World

__all__ = ["attended"]

BEFORE_THE_BANK = (ClaimAction.VERIFY, ClaimAction.APPROVE, ClaimAction.PUBLISH, ClaimAction.CLEAR)
GRANT = NewAppealAnswer(grant=True, answer="材料属实")


async def _appealed(tx: Tx, world: World, claim_id: UUID, me: Actor) -> AppealView:
    """Refused by one reviewer, and brought back by another where nothing is in the way."""
    first = world.staff[Post.REVIEWER]
    await refuse_claim(tx, first, claim_id, NewRefusal(["other"]), world.now)
    raised = await appeal(tx, me, claim_id, NewAppeal("材料齐全"), world.today, world.now)
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
    days = Period(world.today, world.today)
    other, funds = await as_proposed(tx, NewSimulation(set_id=proposed.id), world.today), await funds_of(tx, days)
    counted = {each.list_kind for each in (await count_claims(tx, other, days, world.here, funds)).cells}
    assert counted
    assert "project" not in counted


async def test_an_allowance_goes_no_further_than_the_claim_it_stands_beside(tx: Tx, attended: Attended) -> None:
    world, training = attended.world, await attended.train(tx)
    allowance = await attended.claim(tx)
    await move_claim(tx, ClaimAction.WITHDRAW, training.id, By("tests", world.now))
    with pytest.raises(Conflict, match=r"allowance\.alone"):
        await approve_claim(tx, world.staff[Post.REVIEWER], allowance.id, "", world.now)
    moot = await _appealed(tx, world, allowance.id, attended.trainee.actor)
    assert (moot.answer, moot.in_the_way) == ("moot", ["同一培训的补贴申领已经不在办"])


async def test_a_penalty_holds_whatever_its_institution_filed(tx: Tx, world: World) -> None:
    enterprise, project = await Enterprise.build(tx, world), await Procured.build(tx, world)
    hired, place = await enterprise.claim(tx), await project.claim(tx)
    by = By.actor(await world.user(tx, {Post.INSTITUTION_OFFICER}), Post.INSTITUTION_OFFICER, world.now)
    for institution_id, claim_id in ((enterprise.id, hired.id), (project.contractor.id, place.id)):
        await hold_filed_by(tx, by, institution_id, "penalty", "", 10)
        assert await held_among(tx, [claim_id]) == {claim_id}


async def test_nobody_is_asked_to_pay_back_what_their_enterprise_was_paid(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=0)
    enterprise = await Enterprise.build(tx, world, stage.district)
    view, by = await enterprise.claim(tx), By("tests", world.now)
    for action in BEFORE_THE_BANK:
        await move_claim(tx, action, view.id, by)
    batch = await stage.sent(tx)
    data = a_return(batch, [(line.reference, line.amount_fen, "done", "") for line in await lines_of(tx, batch.id)])
    await take_return(tx, None, read(data), data, "bank", by)
    (owed,) = await raise_clawbacks(tx, [view.id], Cause.AUDIT, by, note="审计发现")
    await demand(tx, stage.staff[Post.MAKER], owed, NewDemand("济人社追〔2026〕1号"), world.now)
    await demand_portion(tx)
    told = select(MessageRow.id).where(MessageRow.claim_id == view.id, MessageRow.template == "clawback")
    assert (await tx.execute(told)).first() is None


async def test_registers_look_at_an_allowance_again_by_the_days_and_the_occupation_it_was_filed_for(
    tx: Tx, attended: Attended
) -> None:
    """A pension from the middle of the class on, and a payment by the sister scheme, become known after filing."""
    world, training = attended.world, await attended.train(tx)
    allowance, someone = await attended.claim(tx), attended.trainee.made.id_number
    last = (await tx.execute(select(ClassRow.last).where(ClassRow.number == attended.of.number))).scalar_one()
    await put_in_force(tx, world, "pensioners", {"id_number": someone, "first": last.isoformat()})
    paid = {"id_number": someone, "first": "2025-06-01", "occupation": training.item_code, "level": training.level}
    await put_in_force(tx, world, "sister_payments", paid)
    (found,) = await findings_of(tx, [allowance.id], await snapshots_on(tx, world.today), world.today)
    assert {each.code for each in found.objections} == {"excluded.pensioners", "sister.paid"}


async def test_whoever_was_dismissed_is_paid_for_nobody_new(tx: Tx, world: World) -> None:
    enterprise, project = await Enterprise.build(tx, world), await Procured.build(tx, world)
    officer = await world.user(tx, {Post.INSTITUTION_OFFICER})
    for institution_id in (enterprise.id, project.contractor.id):
        await let_go(tx, officer, institution_id, world.today, "骗取补贴", world.now)
    for claim in (enterprise.claim, project.claim):
        with pytest.raises(Ineligible) as refused:
            await claim(tx)
        outcomes = refused.value.facts["decision"]["outcomes"]
        assert [each["code"] for each in outcomes if each["outcome"] == "failed"] == ["payee.left"]


async def test_the_story_of_every_kind_is_told_in_words(tx: Tx, world: World, attended: Attended) -> None:
    auditor, acceptor = [await world.user(tx, {post}, world.here) for post in (Post.AUDITOR, Post.ACCEPTOR)]
    await attended.train(tx)
    made = world.maker.person()
    asked = world.new_claim(await world.trainee(tx, made), district=None, via="web")
    named = NewTrainee(made.name, made.id_number, made.phone)
    fields = {name: getattr(asked, name) for name in asked.__struct_fields__}
    at_counter = await file_at_counter(tx, acceptor, NewCounterClaim(trainee=named, **fields), world.today, world.now)
    claims = [
        await (await Enterprise.build(tx, world)).claim(tx),
        await (await Procured.build(tx, world)).claim(tx),
        await attended.claim(tx),
        at_counter,
    ]
    for each in claims:
        for step in (await story_of(tx, auditor, each.id)).steps:
            said = " ".join([step.who, step.what, *step.evidence])
            assert not re.search(r"[{}]|None|\b[a-z_]+\.[a-z_]+", said), said
