"""Officers who act at the same moment, and raw SQL as the service's role, on second reviews and leases."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from domain.actor import Post
from service.claims.tables import ClaimApprovalRow, ClaimLeaseRow
from service.database import Tx, transaction
from service.work.commands.taking import take_next
from service.work.schemas import NewTaking
from tests.desk import CONFIRMED, OVERTURNED, Desk, status_of
from tests.races.test_batches import at_once
from tests.races.test_promises_by_sql import CHECK, DENIED, UNIQUE, WRITTEN_ONCE, _forge, _refused
from tests.world import World

NOT_DRAWN_SO, OWN, ANOTHER, UNCONFIRMED = "ZD170", "ZD171", "ZD172", "ZD173"

_APPROVE = """
    INSERT INTO claim_approvals (claim_id, district, filed_on, seed, percent, from_fen, why, approved_by,
                                 approved_person, approved_at)
    SELECT id, district, filed_on, decode(repeat('00', 32), 'hex'), :percent, :from_fen, CAST(:why AS text[]), :user,
           :person, now() FROM claims WHERE id = :claim
"""


async def test_two_officers_never_take_the_same(committed: World) -> None:
    async with transaction() as tx:
        desk = await Desk.build(tx, committed)
        claims = {await desk.claim(tx) for _ in range(7)}

    def takes(me: Any, count: int) -> Callable[[Tx], Awaitable[object]]:
        return lambda tx: take_next(tx, me, NewTaking(count=count), committed.today, committed.now)

    outcomes = await at_once(*(takes(me, 2) for me in (desk.reviewer, desk.colleague) for _ in range(2)))
    assert outcomes == ["done"] * 4
    async with transaction() as tx:
        row = ClaimLeaseRow
        taken = dict(
            (
                await tx.execute(
                    select(row.person_id, func.count()).where(row.claim_id.in_(claims)).group_by(row.person_id)
                )
            ).all()
        )  # type: ignore[arg-type]
        assert sum(taken.values()) <= 7
        assert taken.keys() == {desk.reviewer.person_id, desk.colleague.person_id}
        assert min(taken.values()) >= 2


async def test_two_second_reviewers_find_once(committed: World) -> None:
    async with transaction() as tx:
        desk = await Desk.build(tx, committed)
        other = await desk.another(tx, Post.SECOND_REVIEWER)
        claim = await drawn(tx, desk)

    outcomes = await at_once(
        lambda tx: desk.look(tx, claim, CONFIRMED), lambda tx: desk.look(tx, claim, OVERTURNED, me=other)
    )
    assert outcomes in (["done", "second_review.over"], ["done", "wrong_status"])
    async with transaction() as tx:
        row = ClaimApprovalRow
        finding = (await tx.execute(select(row.finding).where(row.claim_id == claim))).scalar_one()
        assert await status_of(tx, claim) == {"confirmed": "approved", "overturned": "in_review"}[finding]


async def test_a_publication_and_a_second_review(committed: World) -> None:
    async with transaction() as tx:
        desk = await Desk.build(tx, committed)
        claim = await drawn(tx, desk)
    outcomes = await at_once(lambda tx: desk.look(tx, claim, OVERTURNED), desk.publish)
    assert outcomes in (["done", "notice.nothing"], ["busy", "done"])
    async with transaction() as tx:
        assert await status_of(tx, claim) == "in_review"


async def drawn(tx: Tx, desk: Desk) -> UUID:
    """An approved claim that another person must look at again; committed policy stays as it is for others."""
    claim = await desk.claim(tx, "approved")
    about = {"percent": 100, "from_fen": None, "why": ["sample"]}
    await tx.execute(text(_APPROVE), {**about, **approver(desk), "claim": claim})
    return claim


def approver(desk: Desk) -> dict[str, UUID]:
    return {"user": desk.reviewer.user_id, "person": desk.reviewer.person_id}


@pytest.fixture
async def desk(tx: Tx, world: World) -> Desk:
    return await Desk.build(tx, world)


async def test_nothing_is_published_before_it_is_looked_at_again(tx: Tx, desk: Desk) -> None:
    claim = await drawn(tx, desk)
    assert await _forge(tx, "claims", "claim", claim, "noticed") == UNCONFIRMED
    await desk.look(tx, claim)
    assert await desk.publish(tx) == 1


async def test_what_was_overturned_is_not_published_by_another_approval_alone(tx: Tx, desk: Desk) -> None:
    claim = await drawn(tx, desk)
    await desk.look(tx, claim, OVERTURNED)
    await desk.approved(tx, claim, desk.colleague)
    assert await _forge(tx, "claims", "claim", claim, "noticed") == UNCONFIRMED


async def test_a_sample_is_what_its_seed_draws(tx: Tx, desk: Desk) -> None:
    claim = await desk.claim(tx, "approved")
    given = {"claim": claim, "percent": 0, "from_fen": None, "why": list[str](), **approver(desk)}
    assert await _refused(tx, _APPROVE, **{**given, "percent": 100}) == NOT_DRAWN_SO
    assert await _refused(tx, _APPROVE, **{**given, "why": ["sample"]}) == NOT_DRAWN_SO
    assert await _refused(tx, _APPROVE, **{**given, "from_fen": 1}) == NOT_DRAWN_SO
    assert await _refused(tx, _APPROVE, **{**given, "percent": 101}) == CHECK
    assert await _refused(tx, _APPROVE, **{**given, "why": ["mood"]}) == CHECK
    await tx.execute(text(_APPROVE), {**given, "percent": 100, "why": ["sample"]})
    assert await _refused(tx, _APPROVE, **{**given, "percent": 100, "why": ["sample"]}) == UNIQUE


async def test_nobody_approves_for_themself_or_looks_again_at_what_they_did(tx: Tx, world: World, desk: Desk) -> None:
    trainee = await world.trainee(tx)
    own = await desk.claim(tx, "approved", trainee=trainee)
    me = {"user": trainee.actor.user_id, "person": trainee.actor.person_id}
    given = {"percent": 100, "from_fen": None, "why": ["sample"]}
    assert await _refused(tx, _APPROVE, claim=own, **given, **me) == OWN
    await world.set_policy(tx, "second_review_percent", 100)
    claim = await desk.approved(tx)
    find = (
        "UPDATE claim_approvals SET finding = 'confirmed', found_by = :user, found_person = :person, found_at = now()"
        " WHERE claim_id = :claim"
    )
    assert await _refused(tx, find, claim=claim, **approver(desk)) == ANOTHER
    await tx.execute(text(_APPROVE), {"claim": own, **given, **approver(desk)})
    assert await _refused(tx, find, claim=own, **me) == OWN
    assert await _refused(tx, find, claim=own, **approver(desk)) == CHECK
    await desk.look(tx, claim)
    assert await _refused(tx, find, claim=claim, **me) == WRITTEN_ONCE


async def test_what_was_drawn_is_neither_changed_nor_thrown_away(tx: Tx, desk: Desk) -> None:
    claim = await drawn(tx, desk)
    for statement in (
        "UPDATE claim_approvals SET why = '{}' WHERE claim_id = :claim",
        "UPDATE claim_approvals SET percent = 0 WHERE claim_id = :claim",
        "DELETE FROM claim_approvals WHERE claim_id = :claim",
        "DELETE FROM claim_recusals WHERE claim_id = :claim",
        "UPDATE declared_relatives SET relation = 'other' WHERE id = :claim",
    ):
        assert await _refused(tx, statement, claim=claim) == DENIED
