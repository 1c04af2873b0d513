"""What was paid and is not due is owed back; what was paid too little is owed: by rule, once, and never for more."""

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from domain.actor import Actor, Post
from domain.clawback import Cause
from domain.errors import DomainError
from domain.objection import Finding, Ground
from service.audit.queries.checks import first_breach
from service.audit.queries.corrections import CORRECTIONS
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.audit.queries.messages import TOLD
from service.audit.queries.story import story_of
from service.audit.queries.territory import TERRITORY
from service.claims.commands.objections import close_objection, object_to
from service.claims.schemas import NewFinding, NewObjection
from service.clawbacks.commands.amounts import answer_amount, appeal_amount
from service.clawbacks.commands.demanding import answer_waiver, demand, propose_waiver
from service.clawbacks.commands.raising import raise_by_hand, raise_clawbacks, raise_what_stands
from service.clawbacks.queries.amounts import list_appeals
from service.clawbacks.queries.views import list_clawbacks
from service.clawbacks.schemas import (
    AmountAppealView,
    ClawbackView,
    NewAmountAnswer,
    NewAmountAppeal,
    NewClawback,
    NewDemand,
    NewWaiver,
    NewWaiverAnswer,
)
from service.clawbacks.tables import SupplementRow
from service.database import Tx, transaction
from service.journal import By, record
from service.messages.commands import demand_portion
from service.messages.tables import MessageRow
from tests.objections import PaidForThem
from tests.payments import claim_statuses, journal_of, ready_jobs
from tests.races.test_standards_by_sql import refused as refused_by_sql
from tests.service.test_batches_http import client, desk
from tests.standards import Bureaus, flat
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World

__all__ = ["client"]

WHY = NewAmountAppeal("标准已更正")
LAW = NewWaiver("示例办法第十条", "已经死亡")
WHY_NOT = "没有死亡证明"


@dataclass
class Office:
    """A claim that was paid, and who deals with it in its district."""

    paid: PaidForThem

    @property
    def world(self) -> World:
        return self.paid.stage.world

    def staff(self, post: Post) -> Actor:
        return self.paid.stage.staff[post]

    async def revoke(self, tx: Tx) -> list[UUID]:
        """The registry has told that the certificate is revoked, and the job is done."""
        await self.world.registered(tx, self.paid.claim_id, "revoked")
        return await raise_what_stands(tx, [self.paid.claim_id], self.world.now)

    async def raised(self, tx: Tx) -> list[ClawbackView]:
        return (await list_clawbacks(tx, self.staff(Post.MAKER), None, None, 50)).clawbacks

    async def by_hand(self, tx: Tx, cause: Cause = Cause.AUDIT, fen: int | None = None) -> ClawbackView:
        new = NewClawback(self.paid.claim_id, cause, "审计发现", fen)
        return await raise_by_hand(tx, self.paid.reviewer, new, self.world.now)

    async def demand(self, tx: Tx, clawback_id: UUID, letter: str = "济人社追〔2026〕1号") -> ClawbackView:
        return await demand(tx, self.staff(Post.MAKER), clawback_id, NewDemand(letter), self.world.now)

    async def waive(
        self, tx: Tx, clawback_id: UUID, post: Post = Post.CHECKER, *, grant: bool = True
    ) -> ClawbackView:
        return await answer_waiver(tx, self.staff(post), clawback_id, NewWaiverAnswer(grant, WHY_NOT), self.world.now)

    async def propose(self, tx: Tx, clawback_id: UUID) -> ClawbackView:
        return await propose_waiver(tx, self.staff(Post.MAKER), clawback_id, LAW, self.world.now)

    async def corrected(self, tx: Tx, fen: int) -> None:
        """The standards of long ago are corrected by the two bureaus."""
        await (await Bureaus.of(tx, self.world)).in_force(tx, flat(fen), self.world.today - timedelta(days=100))

    async def appeal(self, tx: Tx) -> AmountAppealView:
        me, world = self.paid.trainee.actor, self.world
        return await appeal_amount(tx, me, self.paid.claim_id, WHY, world.today, world.now)

    async def answer(self, tx: Tx, appeal_id: UUID, fen: int, me: Actor | None = None) -> AmountAppealView:
        new, world = NewAmountAnswer(fen, "按更正后的标准"), self.world
        return await answer_amount(tx, me or self.paid.reviewer, appeal_id, new, world.today, world.now)


@pytest.fixture
async def office(tx: Tx, world: World) -> Office:
    return Office(await PaidForThem.build(tx, world))


async def refusal(asked: Awaitable[Any]) -> str:
    with pytest.raises(DomainError) as caught:
        await asked
    return caught.value.code


async def audited(tx: Tx) -> None:
    for promise in (CORRECTIONS, JOURNALLED, LEGAL_MOVES, TERRITORY, TOLD):
        assert await first_breach(tx, promise.checks) is None


async def test_a_revoked_certificate_is_owed_back_once(tx: Tx, office: Office) -> None:
    for _ in range(2):
        assert await office.revoke(tx) == []
    (owed,) = await office.raised(tx)
    assert (owed.cause, owed.amount_fen, owed.paid_fen, owed.status) == ("revocation", AMOUNT, AMOUNT, "raised")
    assert await claim_statuses(tx, [office.paid.claim_id]) == ["paid"]
    assert [each.action for each in await journal_of(tx, "clawback", owed.id)] == ["raise"]
    # nothing is left for another cause
    assert await refusal(office.by_hand(tx)) == "clawback.nothing"
    await audited(tx)


async def test_it_is_demanded_by_a_letter_and_the_claimant_is_told_once(tx: Tx, office: Office) -> None:
    await office.revoke(tx)
    (owed,) = await office.raised(tx)
    demanded = await office.demand(tx, owed.id)
    assert (demanded.status_name, demanded.letter_number) == ("已通知退回", "济人社追〔2026〕1号")
    assert await refusal(office.demand(tx, owed.id)) == "wrong_status"
    for _ in range(2):
        await demand_portion(tx)
    row = MessageRow
    sent = select(row.template, row.facts).where(row.claim_id == office.paid.claim_id, row.template == "clawback")
    ((_, facts),) = (await tx.execute(sent)).all()
    assert facts["letter"] == "济人社追〔2026〕1号"
    assert facts["amount"] == owed.amount
    told = [step.what for step in (await story_of(tx, office.paid.trainee.actor, office.paid.claim_id)).steps]
    assert "发通知书，要求退回。" in told
    await audited(tx)


async def test_nobody_declines_a_waiver_without_a_reason_nor_by_sql(tx: Tx, office: Office) -> None:
    await office.revoke(tx)
    (owed,) = await office.raised(tx)
    await office.propose(tx, owed.id)
    checker, now = office.staff(Post.CHECKER), office.world.now
    for said, code in (("", "words.empty"), (" \u3000\n", "words.empty"), ("见 13800001234", "text.personal_number")):
        new = NewWaiverAnswer(grant=False, answer=said)
        assert await refusal(answer_waiver(tx, checker, owed.id, new, now)) == code
    by_sql = """UPDATE clawback_waivers SET granted = :grant, answer_text = :said, answered_by = :user,
                       answered_person = :person, answered_at = now() WHERE clawback_id = :id"""
    by = {"id": owed.id, "user": checker.user_id, "person": checker.person_id}
    assert await refused_by_sql(tx, by_sql, grant=False, said="  ", **by) == "ZD268"
    assert await refused_by_sql(tx, by_sql, grant=False, said=WHY_NOT, **by) is None
    await office.waive(tx, owed.id, grant=False)
    assert await refused_by_sql(tx, "UPDATE clawback_waivers SET answer_text = 'x'") == "ZD012"


async def test_two_persons_who_name_the_law_waive_it(tx: Tx, office: Office) -> None:
    await office.revoke(tx)
    (owed,) = await office.raised(tx)
    assert await refusal(office.waive(tx, owed.id)) == "clawback.no_waiver"
    await office.propose(tx, owed.id)
    assert await refusal(office.propose(tx, owed.id)) == "clawback.waiver_open"
    assert await refusal(office.waive(tx, owed.id, Post.MAKER)) == "clawback.same_person"
    declined = await office.waive(tx, owed.id, grant=False)
    assert (declined.status, declined.waiver and declined.waiver.granted) == ("raised", False)
    assert declined.waiver is not None
    assert declined.waiver.answer_text == WHY_NOT
    assert [each.reason for each in await journal_of(tx, "clawback_waiver", owed.id)] == [LAW.note, WHY_NOT]
    office.world.now += timedelta(hours=1)
    await office.propose(tx, owed.id)
    waived = await office.waive(tx, owed.id)
    assert (waived.status, waived.waiver and waived.waiver.law) == ("waived", LAW.law)
    # what was waived is not raised for the same ground again, though the job is owed
    assert "clawbacks.raise_clawback" in await ready_jobs(tx, office.paid.claim_id)
    await raise_what_stands(tx, [office.paid.claim_id], office.world.now)
    assert [each.status for each in await office.raised(tx)] == ["waived"]
    await audited(tx)


async def test_what_one_ground_left_another_asks_for_when_it_is_waived(tx: Tx, office: Office) -> None:
    paid, now = office.paid, office.world.now
    objection = await object_to(tx, paid.trainee.actor, paid.claim_id, NewObjection(Ground.NEVER_GIVEN, "没签"), now)
    await close_objection(tx, paid.reviewer, objection.id, NewFinding(Finding.UPHELD, "签字不符"), now)
    await raise_what_stands(tx, [paid.claim_id], now)
    await office.revoke(tx)
    (first,) = await office.raised(tx)
    assert first.cause == "objection"
    await office.propose(tx, first.id)
    await office.waive(tx, first.id)
    await raise_what_stands(tx, [paid.claim_id], now)
    assert {each.cause: each.status for each in await office.raised(tx)} == {
        "objection": "waived",
        "revocation": "raised",
    }
    await audited(tx)


async def test_officers_raise_parts_and_never_more_than_was_paid(tx: Tx, office: Office) -> None:
    assert (await office.by_hand(tx, Cause.AUDIT, AMOUNT // 3)).amount_fen == AMOUNT // 3
    assert await refusal(office.by_hand(tx, Cause.AUDIT, 1)) == "clawback.nothing"  # that cause is open
    assert (await office.by_hand(tx, Cause.SANCTION, AMOUNT)).amount_fen == AMOUNT - AMOUNT // 3
    assert await refusal(office.by_hand(tx, Cause.REVOCATION)) == "clawback.cause"
    by = By("tests", office.world.now)
    unpaid = (await office.world.claim(tx, "payable")).id
    assert await raise_clawbacks(tx, [unpaid], Cause.AUDIT, by) == []
    await audited(tx)


async def test_other_districts_see_and_touch_nothing(tx: Tx, office: Office) -> None:
    await office.revoke(tx)
    (owed,) = await office.raised(tx)
    stranger = office.world.staff[Post.MAKER]
    listed = (await list_clawbacks(tx, stranger, None, None, 200)).clawbacks
    assert owed.id not in {each.id for each in listed}
    asked = demand(tx, stranger, owed.id, NewDemand("1"), office.world.now)
    assert await refusal(asked) == "clawback.not_found"
    claimant = replace(office.staff(Post.MAKER), person_id=office.paid.trainee.actor.person_id)
    assert await refusal(demand(tx, claimant, owed.id, NewDemand("1"), office.world.now)) == "claim.own"


async def test_too_little_was_paid_and_the_difference_is_owed(tx: Tx, office: Office) -> None:
    await office.corrected(tx, AMOUNT + 30_000)
    raised = await office.appeal(tx)
    assert (raised.paid_fen, raised.would_be_fen, raised.right_fen) == (AMOUNT, AMOUNT + 30_000, None)
    assert await refusal(office.appeal(tx)) == "amount_appeal.standing"
    assert await refusal(office.answer(tx, raised.id, AMOUNT)) == "amount_appeal.changed"
    answered = await office.answer(tx, raised.id, AMOUNT + 30_000)
    assert (answered.supplement_fen, answered.clawback_fen) == (30_000, 0)
    assert [each.kind for each in answered.remedies] == ["reconsideration", "lawsuit"]
    assert await refusal(office.answer(tx, raised.id, AMOUNT + 30_000)) == "appeal.answered"
    owed = select(SupplementRow.amount_fen).where(SupplementRow.claim_id == office.paid.claim_id)
    assert (await tx.execute(owed)).scalar_one() == 30_000
    world = office.world
    closed = await list_appeals(tx, office.paid.trainee.actor, world.today, None, 50, closed=True)
    assert [each.id for each in closed.appeals] == [raised.id]
    await audited(tx)


async def test_too_much_was_paid_and_the_difference_is_owed_back(tx: Tx, office: Office) -> None:
    await office.corrected(tx, AMOUNT - 20_000)
    answered = await office.answer(tx, (await office.appeal(tx)).id, AMOUNT - 20_000)
    assert (answered.supplement_fen, answered.clawback_fen) == (0, 20_000)
    (owed,) = await office.raised(tx)
    assert (owed.cause, owed.amount_fen) == ("appeal", 20_000)
    await audited(tx)


async def test_an_amount_that_is_right_stays_and_who_may_not_answer_does_not(tx: Tx, office: Office) -> None:
    raised, paid, now = await office.appeal(tx), office.paid, office.world.now
    approver = await office.world.user(tx, {Post.REVIEWER}, paid.stage.district)
    by = By.actor(approver, Post.REVIEWER, now)
    await record(tx, "claim", [paid.claim_id], "approve", by, [{}])
    own = replace(paid.reviewer, person_id=paid.trainee.actor.person_id)
    for me, code in ((approver, "amount_appeal.same_person"), (own, "claim.own")):
        assert await refusal(office.answer(tx, raised.id, AMOUNT, me)) == code
    stranger = office.world.staff[Post.REVIEWER]
    assert await refusal(office.answer(tx, raised.id, AMOUNT, stranger)) == "amount_appeal.not_found"
    answered = await office.answer(tx, raised.id, AMOUNT)
    assert (answered.supplement_fen, answered.clawback_fen, answered.message) == (0, 0, "复核认定金额没有错。")
    assert await office.raised(tx) == []
    assert answered.answered_at == now


async def test_an_appeal_on_an_amount_has_its_time_and_needs_a_payment(tx: Tx, office: Office) -> None:
    world, me = office.world, office.paid.trainee.actor
    late = world.today + timedelta(days=61)
    assert await refusal(appeal_amount(tx, me, office.paid.claim_id, WHY, late, world.now)) == "appeal.too_late"
    trainee = await world.trainee(tx)
    unpaid = await world.claim(tx, "payable", trainee)
    asked = appeal_amount(tx, trainee.actor, unpaid.id, WHY, world.today, world.now)
    assert await refusal(asked) == "amount_appeal.not_paid"


async def test_over_http(client: httpx.AsyncClient, committed: World) -> None:
    async with transaction() as tx:
        office = Office(await PaidForThem.build(tx, committed))
        await office.revoke(tx)
        (owed,) = await office.raised(tx)
    maker, checker = [await desk(client, office.staff(post)) for post in (Post.MAKER, Post.CHECKER)]
    listed = (await maker.get("/clawbacks?status=raised")).json()["clawbacks"]
    assert [each["id"] for each in listed] == [str(owed.id)]
    path = f"/clawbacks/{owed.id}"
    assert (await maker.post(f"{path}/demand", {"letter_number": "1 号"})).json()["status"] == "demanded"
    assert (await maker.post(f"{path}/waiver", {"law": "某法", "note": "已经死亡"})).status_code == 200
    assert (await checker.post(f"{path}/waiver/answer", {"grant": True})).json()["status"] == "waived"
    trainee, reviewer = [await desk(client, each) for each in (office.paid.trainee.actor, office.paid.reviewer)]
    new = {"reason": "金额不对"}
    appealed = (await trainee.post(f"/claims/{office.paid.claim_id}/appeal-amount", new)).json()
    assert [each["id"] for each in (await reviewer.get("/amount-appeals")).json()["appeals"]] == [appealed["id"]]
    answer = {"right_fen": appealed["would_be_fen"], "answer": "无误"}
    answered = await reviewer.post(f"/amount-appeals/{appealed['id']}/answer", answer)
    assert (answered.status_code, answered.json()["right_fen"]) == (200, AMOUNT)
