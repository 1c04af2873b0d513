"""复核: what is drawn, large or checked by hand is published only when another person has confirmed it."""

import pytest
from sqlalchemy import select, text

from domain.actor import Post
from domain.claim import ClaimAction
from domain.errors import Conflict, DomainError, Forbidden, Invalid
from domain.second_review import SecondFinding, Why, is_drawn
from service.claims.commands.moves import move_claim
from service.claims.commands.review import approve_claim
from service.claims.tables import ClaimApprovalRow
from service.database import Tx
from service.journal import By
from service.work.queries.approvals import approvals_of
from service.work.schemas import Kind, NewSecondFinding
from tests.desk import CONFIRMED, OVERTURNED, Desk, status_of
from tests.world import WELDER_LEVEL_4_FEN, World


async def refusal(asked: object) -> DomainError:
    with pytest.raises(DomainError) as caught:
        await asked  # type: ignore[misc]
    return caught.value


async def test_what_nobody_drew_goes_on(tx: Tx, world: World) -> None:
    desk = await Desk.build(tx, world)
    claim = await desk.approved(tx)
    (approval,) = (await approvals_of(tx, desk.reviewer, claim)).approvals
    assert (approval.why, approval.finding, approval.message) == ([], None, "没有抽中，不用复核")
    assert (await refusal(desk.look(tx, claim))).code == "second_review.none"
    assert await desk.publish(tx) == 1


async def test_what_is_drawn_waits_for_another_person(tx: Tx, world: World) -> None:
    desk = await Desk.build(tx, world, percent=100)
    claim = await desk.approved(tx)
    nothing = await refusal(desk.publish(tx))
    assert (nothing.code, nothing.facts) == ("notice.nothing", {"excluded": 1})
    (waiting,) = (await desk.work(tx, desk.second)).work
    assert (waiting.kind, waiting.claim_id, waiting.why_names) == (Kind.SECOND_REVIEW, claim, ["抽中复核"])
    told = (await desk.look(tx, claim)).approvals[-1]
    assert (told.finding, told.why) == (SecondFinding.CONFIRMED, [Why.SAMPLE])
    assert await desk.waits(tx, desk.second) == []
    assert (await refusal(desk.look(tx, claim))).code == "second_review.over"
    assert await desk.publish(tx) == 1
    assert await status_of(tx, claim) == "noticed"


async def test_the_draw_can_be_made_again_from_what_is_shown(tx: Tx, world: World) -> None:
    desk = await Desk.build(tx, world, percent=50)
    claims = [await desk.approved(tx) for _ in range(6)]
    for claim in claims:
        (shown,) = (await approvals_of(tx, desk.reviewer, claim)).approvals
        assert (Why.SAMPLE in shown.why) == is_drawn(bytes.fromhex(shown.seed), claim, shown.percent)
    rows = await tx.execute(select(ClaimApprovalRow.seed).where(ClaimApprovalRow.claim_id.in_(claims)))
    assert len(set(rows.scalars())) == len(claims)  # each transaction's own; here each call stands for one


async def test_a_large_amount_and_a_check_by_hand_are_always_looked_at_again(tx: Tx, world: World) -> None:
    desk = await Desk.build(tx, world)
    by_hand = await desk.claim(tx, "filed")
    officer = await desk.another(tx, Post.ACCEPTOR)
    await move_claim(tx, ClaimAction.VERIFY, by_hand, By.actor(officer, Post.ACCEPTOR, world.now))
    await desk.approved(tx, by_hand)
    await world.set_policy(tx, "second_review_from_fen", WELDER_LEVEL_4_FEN)
    large = await desk.approved(tx)
    work = (await desk.work(tx, desk.second)).work
    assert {each.claim_id: each.why for each in work} == {by_hand: ["manual"], large: ["amount"]}
    assert await desk.waits(tx, desk.second, why="amount") == [large]


async def test_what_is_overturned_is_in_review_again_and_its_money_is_free(tx: Tx, world: World) -> None:
    desk = await Desk.build(tx, world, percent=100)
    claim = await desk.approved(tx)
    no_reason = NewSecondFinding(SecondFinding.OVERTURNED)
    assert isinstance(await refusal(desk.look(tx, claim, no_reason)), Invalid)
    told = (await desk.look(tx, claim, OVERTURNED)).approvals[-1]
    assert (told.finding, told.finding_reason) == (SecondFinding.OVERTURNED, "学时对不上")
    pot = await tx.execute(text("SELECT pot FROM fund_reservations WHERE claim_id = :claim"), {"claim": claim})
    assert await status_of(tx, claim) == "in_review"
    assert pot.scalars().all() in ([], ["free"])
    (back,) = (await desk.work(tx, desk.reviewer)).work
    assert (back.claim_id, back.why) == (claim, ["学时对不上"])
    await desk.approved(tx, claim)
    again = (await approvals_of(tx, desk.reviewer, claim)).approvals
    assert [each.finding for each in again] == [SecondFinding.OVERTURNED, None]
    assert Why.AGAIN in again[-1].why
    assert (await refusal(desk.publish(tx))).code == "notice.nothing"
    await desk.look(tx, claim)
    assert await desk.publish(tx) == 1


async def test_who_may_look_again(tx: Tx, world: World) -> None:
    desk = await Desk.build(tx, world, percent=100)
    both = await desk.another(tx, Post.REVIEWER, Post.SECOND_REVIEWER)
    claim = await desk.approved(tx, me=both)
    assert (await refusal(desk.look(tx, claim, me=both))).code == "post.excluded"
    assert (await refusal(desk.look(tx, claim, me=desk.reviewer))).code == "post_missing"
    elsewhere = world.staff[Post.SECOND_REVIEWER]
    assert (await refusal(desk.look(tx, claim, me=elsewhere))).code == "claim.not_found"
    assert await desk.waits(tx, both, Kind.SECOND_REVIEW) == []
    await desk.look(tx, claim, me=desk.second)
    publishes = await desk.another(tx, Post.SECOND_REVIEWER, Post.NOTICE_PUBLISHER)
    other = await desk.approved(tx)
    await desk.look(tx, other, me=publishes)
    desk.publisher = publishes
    assert await desk.publish(tx) == 1
    assert [await status_of(tx, each) for each in (claim, other)] == ["noticed", "approved"]


async def test_who_looked_again_does_not_review_the_same_claim(tx: Tx, world: World) -> None:
    desk = await Desk.build(tx, world, percent=100)
    both = await desk.another(tx, Post.REVIEWER, Post.SECOND_REVIEWER)
    claim = await desk.approved(tx)
    await desk.look(tx, claim, OVERTURNED, me=both)
    refused = await refusal(approve_claim(tx, both, claim, "", world.now))
    assert (type(refused), refused.code) == (Forbidden, "post.excluded")


async def test_a_claim_withdrawn_meanwhile_is_nobodys_work(tx: Tx, world: World) -> None:
    desk = await Desk.build(tx, world, percent=100)
    claim = await desk.approved(tx)
    await move_claim(tx, ClaimAction.WITHDRAW, claim, By("tests", world.now))
    assert await desk.waits(tx, desk.second) == []
    refused = await refusal(desk.look(tx, claim, CONFIRMED))
    assert (type(refused), refused.code) == (Conflict, "wrong_status")
