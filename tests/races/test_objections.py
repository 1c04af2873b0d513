"""Objections from two sides at once, and by raw SQL as the service's own role."""

from collections import Counter
from collections.abc import Awaitable
from typing import Any

import pytest
from sqlalchemy import text

from domain.actor import Post
from domain.objection import Finding, Ground
from service.claims.commands.objections import close_objection, object_to
from service.claims.schemas import NewFinding, NewObjection
from service.database import Tx, transaction
from tests.objections import PaidForThem
from tests.races.test_funds import at_once
from tests.races.test_promises_by_sql import CHECK, DENIED, UNIQUE, WRITTEN_ONCE, _refused
from tests.world import World

NOT_SO = "ZD027"
NEVER = NewObjection(Ground.NEVER_GIVEN, "没有签过字")


@pytest.fixture
async def paid(committed: World) -> PaidForThem:
    async with transaction() as tx:
        return await PaidForThem.build(tx, committed)


async def test_two_objections_at_once_are_one(paid: PaidForThem) -> None:
    def raise_one(tx: Tx) -> Awaitable[object]:
        return object_to(tx, paid.trainee.actor, paid.claim_id, NEVER, paid.stage.world.now)

    assert await at_once(*[raise_one] * 6) == {"done": 1, "objection.standing": 5}


async def test_two_findings_at_once_are_one(paid: PaidForThem) -> None:
    now = paid.stage.world.now
    async with transaction() as tx:
        opened = await object_to(tx, paid.trainee.actor, paid.claim_id, NEVER, now)
        officers = [paid.reviewer, await paid.stage.world.user(tx, {Post.REVIEWER}, paid.stage.district)]

    def close(place: int) -> Any:
        new = NewFinding(list(Finding)[place % 2], "示例")
        return lambda tx: close_objection(tx, officers[place % 2], opened.id, new, now)

    assert await at_once(*map(close, range(6))) == {"done": 1, "objection.closed": 5}
    async with transaction() as tx:
        told = text("SELECT action FROM journal WHERE subject_kind = 'claim_objection' AND subject_id = :id")
        actions = Counter((await tx.execute(told, {"id": opened.id})).scalars())
    assert actions["object"] == actions["uphold"] + actions["dismiss"] == 1


RAISE = """
    INSERT INTO claim_objections (id, claim_id, ground, reason, raised_by, raised_person, raised_at)
    VALUES (gen_random_uuid(), :claim, :ground, 'x', :user, :person, now())
"""


async def test_by_sql_nobody_objects_for_another_or_to_what_was_not_paid(tx: Tx, world: World) -> None:
    there = await PaidForThem.build(tx, world, paid=False)
    mine, stranger = there.trainee.actor, (await world.trainee(tx)).actor
    given = {"claim": there.claim_id, "ground": "never_given", "user": mine.user_id, "person": mine.person_id}
    assert await _refused(tx, RAISE, **given) == NOT_SO
    await there.pay(tx)
    assert await _refused(tx, RAISE, **{**given, "person": stranger.person_id}) == NOT_SO
    assert await _refused(tx, RAISE, **{**given, "ground": "revoked"}) == NOT_SO
    assert await _refused(tx, RAISE, **{**given, "ground": "unheard_of"}) == CHECK
    await tx.execute(text(RAISE), given)
    assert await _refused(tx, RAISE, **given) == UNIQUE


async def test_by_sql_an_objection_is_closed_once_and_by_somebody_else(tx: Tx, world: World) -> None:
    there = await PaidForThem.build(tx, world)
    opened = await object_to(tx, there.trainee.actor, there.claim_id, NEVER, world.now)
    close = """
        UPDATE claim_objections SET finding = :finding, finding_reason = :reason, closed_at = now(),
               closed_by = :user, closed_person = :person WHERE id = :id
    """
    me, reviewer = there.trainee.actor, there.reviewer
    given = {
        "id": opened.id,
        "finding": "upheld",
        "reason": "x",
        "user": reviewer.user_id,
        "person": reviewer.person_id,
    }
    assert await _refused(tx, close, **{**given, "user": me.user_id, "person": me.person_id}) == CHECK
    assert await _refused(tx, close, **{**given, "finding": "perhaps"}) == CHECK
    assert await _refused(tx, close, **{**given, "reason": ""}) == CHECK
    half = "UPDATE claim_objections SET closed_at = now() WHERE id = :id"
    assert await _refused(tx, half, id=opened.id) == CHECK
    await tx.execute(text(close), given)
    assert await _refused(tx, close, **{**given, "finding": "not_upheld"}) == WRITTEN_ONCE
    assert await _refused(tx, "UPDATE claim_objections SET reason = 'y' WHERE id = :id", id=opened.id) == DENIED
    assert await _refused(tx, "DELETE FROM claim_objections") == DENIED
