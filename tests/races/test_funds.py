"""Money under officers who act at the same moment: it is never overdrawn, and nobody waits for ever."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from domain.actor import Actor, Post
from service.audit.queries.checks import first_breach
from service.audit.queries.funds import MONEY_CONSERVED
from service.batches import commands as batches
from service.claims.commands.approving import approve_set
from service.claims.commands.review import approve_claim, withdraw_claim
from service.claims.schemas import ApprovedView, NewApproval
from service.database import Tx, transaction
from service.funds.commands import confirm_appropriation, decline_appropriation
from tests.payments import Stage, claim_statuses
from tests.races.test_batches import alone
from tests.service.test_funds import ONE, Office, kept
from tests.world import Trainee, World

Act = Callable[[Tx], Awaitable[object]]


@pytest.fixture
async def office(committed: World) -> Office:
    async with transaction() as tx:
        return await Office.build(tx, committed)


async def at_once(*acts: Act) -> Counter[str]:
    return Counter(await asyncio.gather(*(alone(act) for act in acts)))


async def every_fen_is_there() -> None:
    async with transaction() as tx:
        assert await first_breach(tx, MONEY_CONSERVED.checks) is None


async def test_32_approvals_for_the_money_of_10(office: Office) -> None:
    async with transaction() as tx:
        claims = await office.claims(tx, 32)
        await office.give(tx, 10 * ONE + 1)
        officers = [office.staff[Post.REVIEWER], await office.world.user(tx, {Post.REVIEWER}, office.district)]

    def approve(me: Actor, claim: UUID) -> Act:
        return lambda tx: approve_claim(tx, me, claim, "", office.world.now)

    outcomes = await at_once(*(approve(officers[place % 2], claim) for place, claim in enumerate(claims)))
    assert outcomes == {"done": 10, "fund.insufficient": 22}
    async with transaction() as tx:
        assert Counter(await claim_statuses(tx, claims)) == {"approved": 10, "verified": 22}
        assert await kept(tx, office.district) == {"free": 1, "reserved": 10 * ONE}
    await every_fen_is_there()


async def test_sets_approved_at_once_share_the_money(office: Office) -> None:
    async with transaction() as tx:
        claims = await office.claims(tx, 12)
        await office.give(tx, 7 * ONE)
        officers = [await office.world.user(tx, {Post.REVIEWER}, office.district) for _ in range(4)]
    views: list[ApprovedView] = []

    def approve(me: Actor, limit: int) -> Act:
        async def act(tx: Tx) -> None:
            views.append(await approve_set(tx, me, NewApproval(limit=limit), office.world.now))

        return act

    assert await at_once(*(approve(me, limit) for me, limit in zip(officers, (3, 12, 5, 12), strict=True))) == {
        "done": 4
    }
    assert sum(view.approved for view in views) == 7
    async with transaction() as tx:
        assert (await claim_statuses(tx, claims)).count("approved") == 7
        assert await kept(tx, office.district) == {"reserved": 7 * ONE}
    await every_fen_is_there()


async def test_one_claim_approved_from_many_sides_is_held_once(office: Office) -> None:
    async with transaction() as tx:
        (claim,) = await office.claims(tx, 1)
        await office.give(tx, 5 * ONE)
    me = office.staff[Post.REVIEWER]

    def approve(tx: Tx) -> Awaitable[object]:
        return approve_claim(tx, me, claim, "", office.world.now)

    assert await at_once(*[approve] * 8) == {"done": 1, "wrong_status": 7}
    async with transaction() as tx:
        assert await kept(tx, office.district) == {"free": 4 * ONE, "reserved": ONE}


async def test_a_supplement_confirmed_from_two_sides_counts_once(office: Office) -> None:
    async with transaction() as tx:
        proposed = await office.propose(tx, ONE)

    def confirm(post: Post) -> Act:
        return lambda tx: confirm_appropriation(tx, office.staff[post], proposed, office.world.now)

    acts = [confirm(post) for post in (Post.CHECKER, Post.RELEASER)] * 3
    assert await at_once(*acts) == {"done": 1, "appropriation.confirmed": 5}
    async with transaction() as tx:
        assert await kept(tx, office.district) == {"free": ONE}


async def test_a_proposal_answered_from_two_sides_is_confirmed_or_declined(office: Office) -> None:
    async with transaction() as tx:
        proposed = await office.propose(tx, ONE)
    checker, releaser, now = office.staff[Post.CHECKER], office.staff[Post.RELEASER], office.world.now

    def confirm(tx: Tx) -> Awaitable[object]:
        return confirm_appropriation(tx, checker, proposed, now)

    def decline(tx: Tx) -> Awaitable[object]:
        return decline_appropriation(tx, releaser, proposed, "文号不对", now)

    outcomes = await at_once(*[confirm, decline] * 4)
    async with transaction() as tx:
        there = await kept(tx, office.district)
    assert outcomes == {"done": 1, "appropriation.confirmed" if there else "appropriation.declined": 7}
    assert there in ({}, {"free": ONE})
    await every_fen_is_there()


async def test_money_is_taken_back_while_it_is_approved_against(office: Office) -> None:
    """Six lowerings of two claims' money each, ten approvals, money for twelve: whatever comes first, all adds up."""
    async with transaction() as tx:
        claims = await office.claims(tx, 10)
        await office.give(tx, 12 * ONE)
        lowerings = [await office.propose(tx, -2 * ONE) for _ in range(6)]
    reviewer, now = office.staff[Post.REVIEWER], office.world.now

    def approve(claim: UUID) -> Act:
        return lambda tx: approve_claim(tx, reviewer, claim, "", now)

    def lower(proposed: UUID) -> Act:
        return lambda tx: confirm_appropriation(tx, office.staff[Post.CHECKER], proposed, now)

    acts = [act for pair in zip(map(approve, claims), map(lower, lowerings), strict=False) for act in pair]
    outcomes = await at_once(*acts, *map(approve, claims[6:]))
    async with transaction() as tx:
        approved = (await claim_statuses(tx, claims)).count("approved")
        held = await kept(tx, office.district)
    lowered = outcomes["done"] - approved
    assert outcomes["fund.insufficient"] == 10 - approved
    assert outcomes["appropriation.not_free"] == 6 - lowered
    assert sum(held.values()) == 12 * ONE - lowered * 2 * ONE
    assert held.get("free", 0) < 2 * ONE
    assert held.get("reserved", 0) == approved * ONE
    await every_fen_is_there()


async def test_whatever_is_done_at_once_stands_in_nobodys_way(committed: World) -> None:
    """Approvals, withdrawals, a file on its way, money that comes, all of one position: no deadlock, no lost fen."""
    world, trainees = committed, list[tuple[Trainee, UUID]]()
    async with transaction() as tx:
        stage = await Stage.build(tx, world, claims=5)
        batch = await stage.written(tx)
        reviewer = await world.user(tx, {Post.REVIEWER}, stage.district)
        asking = [(await world.claim(tx, "verified", district=stage.district)).id for _ in range(12)]
        for status in ("approved", "noticed", "payable") * 3:
            trainee = await world.trainee(tx)
            trainees.append((trainee, (await world.claim(tx, status, trainee, district=stage.district)).id))

    def approve(claim: UUID) -> Act:
        return lambda tx: approve_claim(tx, reviewer, claim, "", world.now)

    def withdraw(trainee: Trainee, claim: UUID) -> Act:
        return lambda tx: withdraw_claim(tx, trainee.actor, claim, "", world.now)

    outcomes = await at_once(
        *(approve(claim) for claim in asking[:8]),
        lambda tx: batches.intend_to_send(tx, batch.id, world.now),
        *(withdraw(*each) for each in trainees),
        lambda tx: approve_set(tx, reviewer, NewApproval(limit=12), world.now),
        *(lambda tx: world.appropriate(tx, stage.district, ONE) for _ in range(3)),
    )
    # who approves alone may find the claim approved with the set
    assert set(outcomes) <= {"done", "wrong_status"}
    assert outcomes["wrong_status"] <= 8
    async with transaction() as tx:
        held = await kept(tx, stage.district)
    assert (held["reserved"], held["in_flight"]) == (12 * ONE, 5 * ONE)
    await every_fen_is_there()
