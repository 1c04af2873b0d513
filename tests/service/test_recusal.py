"""回避: nobody decides for themself, for relatives they declared, or on what they left to others."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.actor import Actor, Post
from domain.clawback import Cause
from domain.correction import Correctable
from domain.errors import DomainError
from domain.relative import Relation
from service.access.commands import declare_relative, end_relative
from service.access.queries import my_relatives
from service.access.schemas import NewRelative
from service.audit.queries.story import story_of
from service.claims.commands.approving import approve_set, preview
from service.claims.commands.holds import lift_hold, place_hold
from service.claims.commands.review import approve_claim, refuse_claim
from service.claims.commands.sending_back import send_back
from service.claims.schemas import NewApproval, NewApprovalPreview, NewFault, NewHold, NewRefusal, NewSendBack
from service.clawbacks.commands.demanding import propose_waiver
from service.clawbacks.commands.raising import raise_by_hand
from service.clawbacks.schemas import NewClawback
from service.database import Tx
from service.work.commands.taking import recuse
from service.work.schemas import Kind, NewRecusal
from tests.desk import CONFIRMED, Desk, status_of
from tests.objections import PaidForThem
from tests.service.test_clawbacks import LAW, Office
from tests.service.test_manual_checks import Desk as Checks
from tests.world import Trainee, World


async def refusal(asked: Awaitable[object]) -> str:
    with pytest.raises(DomainError) as caught:
        await asked
    return caught.value.code


async def declare(tx: Tx, world: World, me: Actor, trainee: Trainee) -> None:
    new = NewRelative(trainee.made.id_number, Relation.SIBLING)
    await declare_relative(tx, me, new, world.today, world.now)


async def test_a_relative_is_kept_sealed_and_shown_masked(tx: Tx, world: World) -> None:
    desk, trainee = await Desk.build(tx, world), await world.trainee(tx)
    await declare(tx, world, desk.reviewer, trainee)
    (shown,) = (await my_relatives(tx, desk.reviewer)).relatives
    assert shown.masked == f"{trainee.made.id_number[:6]}********{trainee.made.id_number[-4:]}"
    assert (shown.relation_name, shown.ended_at) == ("兄弟姐妹", None)
    assert (await my_relatives(tx, desk.colleague)).relatives == []
    again = NewRelative(trainee.made.id_number, Relation.OTHER)
    assert await refusal(declare_relative(tx, desk.reviewer, again, world.today, world.now)) == "relative.declared"
    assert await refusal(end_relative(tx, desk.colleague, shown.id, world.now)) == "relative.not_found"


async def test_nobody_decides_on_a_relatives_claim(tx: Tx, world: World) -> None:
    desk, trainee = await Desk.build(tx, world, percent=100), await world.trainee(tx)
    claim = await desk.claim(tx, trainee=trainee)
    for me in (desk.reviewer, desk.second):
        await declare(tx, world, me, trainee)
    me, now = desk.reviewer, world.now
    faults = NewSendBack([NewFault("other", Correctable.CERTIFICATE_NUMBER)])
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: approve_claim(tx, me, claim, "", now),
        lambda: refuse_claim(tx, me, claim, NewRefusal(["other"]), now),
        lambda: send_back(tx, me, claim, faults, world.today, now),
        lambda: place_hold(tx, me, claim, NewHold("other"), now),
    ]
    assert {await refusal(act()) for act in acts} == {"claim.relative"}
    await place_hold(tx, desk.colleague, claim, NewHold("other"), now)
    assert await refusal(lift_hold(tx, me, claim, "", now)) == "claim.relative"
    await lift_hold(tx, desk.colleague, claim, "", now)
    assert await desk.waits(tx, me) == []
    assert await desk.waits(tx, desk.colleague) == [claim]
    assert (await approve_set(tx, me, NewApproval(), now)).approved == 0
    await desk.approved(tx, claim, desk.colleague)
    assert await refusal(desk.look(tx, claim, CONFIRMED)) == "claim.relative"
    assert await desk.waits(tx, desk.second, Kind.SECOND_REVIEW) == []


async def test_a_relative_need_not_be_known_here_yet(tx: Tx, world: World) -> None:
    desk, made = await Desk.build(tx, world), world.maker.person()
    new = NewRelative(made.id_number, Relation.CHILD)
    await declare_relative(tx, desk.reviewer, new, world.today, world.now)
    claim = await desk.claim(tx, trainee=await world.trainee(tx, made))
    assert await refusal(approve_claim(tx, desk.reviewer, claim, "", world.now)) == "claim.relative"


async def test_what_was_filed_before_the_relation_ended_stays_barred(tx: Tx, world: World) -> None:
    desk, trainee = await Desk.build(tx, world), await world.trainee(tx)
    claim = await desk.claim(tx, trainee=trainee)
    await declare(tx, world, desk.reviewer, trainee)
    (relative,) = (await my_relatives(tx, desk.reviewer)).relatives
    await end_relative(tx, desk.reviewer, relative.id, world.now + timedelta(days=1))
    assert await refusal(approve_claim(tx, desk.reviewer, claim, "", world.now)) == "claim.relative"
    world.now += timedelta(days=2)
    later = await desk.claim(tx, trainee=trainee, item_code="6-18-01-01")
    await desk.approved(tx, later)
    assert [await status_of(tx, each) for each in (claim, later)] == ["verified", "approved"]


async def test_who_doubts_leaves_one_claim_to_others(tx: Tx, world: World) -> None:
    desk = await Desk.build(tx, world)
    claim, other = [await desk.claim(tx) for _ in range(2)]
    for _ in range(2):  # said again, it is the same
        await recuse(tx, desk.reviewer, claim, NewRecusal("是我的邻居"), world.now)
    assert await desk.waits(tx, desk.reviewer) == [other]
    assert await refusal(approve_claim(tx, desk.reviewer, claim, "", world.now)) == "claim.recused"
    told = await preview(tx, desk.reviewer, NewApprovalPreview(), world.now)
    assert (told.count, [(each.bar, each.count) for each in told.left_out]) == (1, [("recused", 1)])
    await desk.approved(tx, claim, desk.colleague)
    assert "回避，交给同事办。" in [step.what for step in (await story_of(tx, desk.colleague, claim)).steps]


async def test_only_who_decides_on_claims_declares(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    assert await refusal(declare(tx, world, trainee.actor, trainee)) == "post_missing"
    mine = Actor(trainee.actor.user_id, trainee.actor.person_id, frozenset({Post.REVIEWER}), world.here)
    assert await refusal(declare(tx, world, mine, trainee)) == "relative.self"


async def test_nobody_checks_a_relatives_certificate_by_hand_or_settles_what_they_owe(tx: Tx, world: World) -> None:
    """Also what was built beside the desk: checks by hand, amounts, clawbacks, waivers."""
    checks = await Checks.build(tx, world)
    await declare(tx, world, checks.first, checks.trainee)
    assert await refusal(checks.check(tx)) == "claim.relative"
    assert (await checks.check(tx, me=checks.second)).genuine
    office = Office(await PaidForThem.build(tx, world))
    reviewer, maker, claim = office.paid.reviewer, office.staff(Post.MAKER), office.paid.claim_id
    raised, owed = await office.appeal(tx), await office.by_hand(tx)
    await recuse(tx, reviewer, claim, NewRecusal("是我的邻居"), world.now)
    new = NewClawback(claim, Cause.SANCTION, "检查发现", None)
    assert await refusal(raise_by_hand(tx, reviewer, new, world.now)) == "claim.recused"
    assert await refusal(office.answer(tx, raised.id, raised.paid_fen)) == "claim.recused"
    both = replace(maker, person_id=reviewer.person_id)
    assert await refusal(propose_waiver(tx, both, owed.id, LAW, world.now)) == "claim.recused"
