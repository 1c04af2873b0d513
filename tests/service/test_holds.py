"""Holds and withdrawals: what they stop, the batch they dissolve, and the point after which nothing is stopped."""

from typing import Any
from uuid import UUID

import pytest

from domain.actor import Actor, Post
from domain.claim import ClaimAction
from domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from service.batches import commands
from service.batches.commands.moves import move_claims
from service.batches.schemas import HeldView, Rejection
from service.claims.commands.approving import approve_set
from service.claims.commands.filing import file_claim
from service.claims.commands.review import approve_claim
from service.claims.queries.care import list_holds
from service.claims.queries.mandates import list_mandates
from service.claims.schemas import NewApproval, NewHold
from service.database import Tx
from service.journal import By
from service.notices.commands import close_portion, publish_notice
from tests.payments import Stage, attempt_statuses, claim_statuses, journal_of, lines_of, shown
from tests.world import Trainee, World

DOUBT = NewHold("identity_doubt", "两个证件号")


@pytest.fixture
async def stage(tx: Tx, world: World) -> Stage:
    """Its district has a reviewer and a publisher too."""
    stage = await Stage.build(tx, world)
    for post in (Post.REVIEWER, Post.NOTICE_PUBLISHER):
        stage.staff[post] = await world.user(tx, {post}, stage.district)
    return stage


async def refusal(asked: Any) -> DomainError:
    with pytest.raises(DomainError) as caught:
        await asked
    return caught.value


async def hold(tx: Tx, stage: Stage, claim_id: UUID, me: Actor | None = None) -> HeldView:
    return await commands.hold(tx, me or stage.staff[Post.REVIEWER], claim_id, DOUBT, stage.world.now)


async def lift(tx: Tx, stage: Stage, claim_id: UUID) -> None:
    await commands.lift(tx, stage.staff[Post.CHECKER], claim_id, "查清了", stage.world.today, stage.world.now)


async def test_a_held_claim_is_not_approved_until_the_hold_is_lifted(tx: Tx, stage: Stage) -> None:
    world, reviewer = stage.world, stage.staff[Post.REVIEWER]
    claim, other = [(await world.claim(tx, "verified", district=stage.district)).id for _ in range(2)]
    held = await hold(tx, stage, claim)
    assert (held.code, held.message, held.dissolved, held.lifted_at) == ("identity_doubt", "身份存疑", None, None)
    assert (await refusal(approve_claim(tx, reviewer, claim, "", world.now))).code == "claim.held"
    assert (await approve_set(tx, reviewer, NewApproval(), world.now)).approved == 1
    assert await claim_statuses(tx, [claim, other]) == ["verified", "approved"]
    assert [each.claim_id for each in (await list_holds(tx, reviewer, None, 10)).holds] == [claim]
    await lift(tx, stage, claim)
    assert (await list_holds(tx, reviewer, None, 10)).holds == []
    assert (await approve_claim(tx, reviewer, claim, "", world.now)).status == "approved"
    assert [row.action for row in await journal_of(tx, "claim_hold", held.id)] == ["hold", "lift"]


async def test_who_may_hold_what_and_once(tx: Tx, stage: Stage) -> None:
    claim, world = stage.claims[0], stage.world
    assert isinstance(await refusal(hold(tx, stage, claim, world.staff[Post.REVIEWER])), NotFound)
    assert isinstance(await refusal(hold(tx, stage, claim, stage.staff[Post.MAKER])), Forbidden)
    trainee = await world.trainee(tx)
    own = await stage.claim(tx, trainee)
    me = Actor(trainee.actor.user_id, trainee.actor.person_id, frozenset({Post.CHECKER}), stage.district)
    assert (await refusal(hold(tx, stage, own, me))).code == "claim.own"
    unknown = commands.hold(tx, stage.staff[Post.REVIEWER], claim, NewHold("because"), world.now)
    assert isinstance(await refusal(unknown), Invalid)
    nothing = commands.lift(tx, stage.staff[Post.REVIEWER], claim, "", world.today, world.now)
    assert (await refusal(nothing)).code == "holding.none"
    await hold(tx, stage, claim)
    assert (await refusal(hold(tx, stage, claim))).code == "holding.live"
    await lift(tx, stage, claim)
    await hold(tx, stage, claim)
    over = await world.claim(tx, "refused", district=stage.district)
    assert (await refusal(hold(tx, stage, over.id))).code == "wrong_status"


async def test_a_batch_passes_by_what_is_held(tx: Tx, stage: Stage) -> None:
    held = stage.claims[0]
    await hold(tx, stage, held)
    batch = await stage.frozen(tx)
    assert batch.line_count == 2
    assert await claim_statuses(tx, stage.claims) == ["payable", "batched", "batched"]
    await lift(tx, stage, held)
    assert {line.claim_id for line in await lines_of(tx, (await stage.frozen(tx)).id)} == {held}


async def test_a_notice_ends_without_what_is_held_and_lifting_lets_it_go_on(tx: Tx, stage: Stage) -> None:
    world = stage.world
    early, late = [(await world.claim(tx, "approved", district=stage.district)).id for _ in range(2)]
    notice = await publish_notice(tx, stage.staff[Post.NOTICE_PUBLISHER], world.today, world.now)
    for claim in (early, late):
        await hold(tx, stage, claim)
    await lift(tx, stage, early)
    assert await claim_statuses(tx, [early, late]) == ["noticed", "noticed"]
    world.today = notice.closes_on.replace(year=notice.closes_on.year + 1)
    while await close_portion(tx, world.today, world.now):
        pass
    assert await claim_statuses(tx, [early, late]) == ["payable", "noticed"]
    await lift(tx, stage, late)
    assert await claim_statuses(tx, [early, late]) == ["payable", "payable"]


@pytest.mark.parametrize("steps", ["frozen", "submitted", "released", "written"])
async def test_a_hold_takes_the_claim_out_of_its_batch(tx: Tx, stage: Stage, steps: str) -> None:
    batch = await getattr(stage, steps if steps != "submitted" else "frozen")(tx)
    if steps == "submitted":
        await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), stage.world.now)
    held, *others = stage.claims
    said = await hold(tx, stage, held)
    assert said.dissolved is not None
    assert (said.dissolved.batch_id, said.dissolved.number, said.dissolved.others) == (batch.id, batch.number, 2)
    seen = await stage.see(tx, batch.id)
    assert seen.status == "dissolved"
    assert seen.given_up is not None
    assert (seen.given_up.by, seen.given_up.reason) == ("reviewer", "batch.claim_held")
    assert await attempt_statuses(tx, batch.id) == ["void"] * 3
    assert await claim_statuses(tx, stage.claims) == ["payable"] * 3
    assert await commands.intend_to_send(tx, batch.id, stage.world.now) is None
    again = await stage.frozen(tx)
    assert {line.claim_id for line in await lines_of(tx, again.id)} == set(others)


async def test_money_of_a_dissolved_batch_is_carried_over_to_one_other(tx: Tx, stage: Stage) -> None:
    released = await stage.released(tx)
    assert released.transfer is not None
    voucher = released.transfer.voucher
    await hold(tx, stage, stage.claims[0])
    carried = (await stage.see(tx, released.id)).transfer
    assert carried is not None
    assert (carried.carried_over, carried.sum_fen) == (True, released.sum_fen)

    async def checked(where: Stage) -> Any:
        batch = await where.frozen(tx)
        await commands.submit_batch(tx, where.staff[Post.MAKER], batch.id, shown(batch), where.world.now)
        await commands.check_batch(tx, where.staff[Post.CHECKER], batch.id, shown(batch), where.world.now)
        return batch

    elsewhere = await Stage.build(tx, stage.world, claims=1)
    foreign = elsewhere.release(tx, await checked(elsewhere), voucher)
    assert (await refusal(foreign)).code == "batch.voucher_used"
    again = await stage.release(tx, await checked(stage), voucher)
    assert again.status == "released"
    for _ in range(4):
        await stage.claim(tx)
    third = await checked(stage)
    assert (await refusal(stage.release(tx, third, voucher))).code == "batch.voucher_used"
    await commands.dissolve_batch(tx, stage.staff[Post.MAKER], again.id, "…", stage.world.now)
    assert (await refusal(stage.release(tx, third, voucher))).code == "batch.voucher_short"
    assert (await stage.release(tx, third)).status == "released"


async def test_nothing_is_stopped_once_it_is_sending(tx: Tx, stage: Stage) -> None:
    batch = await stage.written(tx)
    await commands.intend_to_send(tx, batch.id, stage.world.now)
    refused = await refusal(hold(tx, stage, stage.claims[0]))
    assert (type(refused), refused.code, refused.facts) == (
        Conflict,
        "claim.past_no_return",
        {"number": batch.number},
    )
    assert await claim_statuses(tx, stage.claims) == ["batched"] * 3
    assert await attempt_statuses(tx, batch.id) == ["sending"] * 3


async def test_a_claimant_withdraws_out_of_a_batch_until_it_is_sending(tx: Tx, stage: Stage) -> None:
    trainee = await stage.world.trainee(tx)
    mine = await stage.claim(tx, trainee)
    now, batch = stage.world.now, await stage.released(tx)
    stranger = (await stage.world.trainee(tx)).actor
    assert isinstance(await refusal(commands.withdraw(tx, stranger, mine, "", now)), NotFound)
    assert (await commands.withdraw(tx, trainee.actor, mine, "不领了", now)).status == "withdrawn"
    assert (await stage.see(tx, batch.id)).status == "dissolved"
    assert await claim_statuses(tx, stage.claims) == ["payable"] * 3 + ["withdrawn"]
    second = await stage.claim(tx, trainee)
    sent = await stage.sent(tx)
    assert (await refusal(commands.withdraw(tx, trainee.actor, second, "", now))).code == "claim.past_no_return"
    assert await attempt_statuses(tx, sent.id) == ["sent"] * 4


@pytest.mark.parametrize(("post", "steps"), [(Post.CHECKER, 1), (Post.RELEASER, 2)])
async def test_a_rejected_batch_says_to_its_maker_why(tx: Tx, stage: Stage, post: Post, steps: int) -> None:
    batch, now = await stage.frozen(tx), stage.world.now
    reject = Rejection("amount_doubtful", "第二行")
    assert (await refusal(commands.reject_batch(tx, stage.staff[post], batch.id, reject, now))).code == "wrong_status"
    await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), now)
    if steps > 1:
        await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), now)
    foreign = await Stage.build(tx, stage.world, claims=0)
    assert isinstance(await refusal(commands.reject_batch(tx, foreign.staff[post], batch.id, reject, now)), NotFound)
    maker = stage.staff[Post.MAKER]
    assert isinstance(await refusal(commands.reject_batch(tx, maker, batch.id, reject, now)), Forbidden)
    unknown = commands.reject_batch(tx, stage.staff[post], batch.id, Rejection("because"), now)
    assert (await refusal(unknown)).code == "rejecting.reason"
    await commands.reject_batch(tx, stage.staff[post], batch.id, reject, now)
    seen = await stage.see(tx, batch.id)
    assert seen.given_up is not None
    assert (seen.status, seen.given_up.action, seen.given_up.by) == ("dissolved", "reject", str(post))
    assert seen.given_up.reason == "amount_doubtful 第二行"
    assert await claim_statuses(tx, stage.claims) == ["payable"] * 3


@pytest.fixture
async def given(tx: Tx, world: World) -> tuple[Trainee, UUID, UUID]:
    """A trainee whose institution has filed for them under a mandate: trainee, mandate, claim."""
    trainee = await world.trainee(tx)
    mandate_id = await world.mandate(tx, world.clerks[0], trainee)
    new = world.new_claim(trainee, mandate_id=mandate_id, district=None)
    claim = await file_claim(tx, world.clerks[0], new, world.today, world.now)
    return trainee, mandate_id, claim.id


async def test_a_revoked_mandate_withdraws_its_claims_and_frees_the_trainee(
    tx: Tx, world: World, given: tuple[Trainee, UUID, UUID]
) -> None:
    trainee, mandate_id, claim_id = given
    stranger = (await world.trainee(tx)).actor
    assert isinstance(await refusal(commands.revoke(tx, stranger, mandate_id, "", world.today, world.now)), NotFound)
    said = await commands.revoke(tx, trainee.actor, mandate_id, "我自己领", world.today, world.now)
    assert (said.withdrawn, said.past_no_return, said.revoked_on) == ([claim_id], [], world.today)
    assert await claim_statuses(tx, [claim_id]) == ["withdrawn"]
    again = await refusal(commands.revoke(tx, trainee.actor, mandate_id, "", world.today, world.now))
    assert again.code == "mandate.revoked"
    assert (await world.claim(tx, trainee=trainee)).channel == "individual"
    for side in (trainee.actor, world.clerks[0]):
        (seen,) = (await list_mandates(tx, side, None, 10)).mandates
        assert (seen.id, seen.revoked_on, seen.institution) == (mandate_id, world.today, "示例学校")
        assert trainee.made.name not in seen.trainee
    for side in (stranger, world.clerks[1]):
        assert (await list_mandates(tx, side, None, 10)).mandates == []


async def test_a_mandate_revoked_after_the_money_left_is_only_recorded(
    tx: Tx, world: World, given: tuple[Trainee, UUID, UUID]
) -> None:
    trainee, mandate_id, claim_id = given
    by = By("tests", world.now)
    for action in (ClaimAction.VERIFY, ClaimAction.APPROVE, ClaimAction.PUBLISH, ClaimAction.CLEAR):
        await move_claims(tx, action, [claim_id], by)
    staff = {post: world.staff[post] for post in (Post.MAKER, Post.CHECKER, Post.RELEASER)}
    stage = Stage(world, world.here, staff)
    await stage.sent(tx)
    said = await commands.revoke(tx, trainee.actor, mandate_id, "", world.today, world.now)
    assert (said.withdrawn, said.past_no_return) == ([], [claim_id])
    assert await claim_statuses(tx, [claim_id]) == ["batched"]
