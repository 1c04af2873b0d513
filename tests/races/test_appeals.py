"""Appeals from several sides at once, and by raw SQL as the service's own role."""

from collections import Counter
from collections.abc import Awaitable
from typing import Any

import pytest
from sqlalchemy import text

from domain.claim import ClaimAction
from service.claims.commands.appeals import answer_appeal, appeal
from service.claims.commands.filing import file_claim
from service.claims.commands.moves import move_claim
from service.claims.schemas import NewAppeal, NewAppealAnswer
from service.database import Tx, transaction
from service.journal import By
from tests.races.test_funds import at_once
from tests.races.test_promises_by_sql import CHECK, DENIED, WRITTEN_ONCE, _refused
from tests.service.test_appeals import GRANT, Bench
from tests.world import World

WHY = NewAppeal("登记库已更正")
NOT_SO, SAME_PERSON = "ZD028", "ZD029"


@pytest.fixture
async def bench(committed: World) -> Bench:
    async with transaction() as tx:
        return await Bench.build(tx, committed)


async def test_two_appeals_at_once_are_one(bench: Bench) -> None:
    world = bench.world

    def raise_one(tx: Tx) -> Awaitable[object]:
        return appeal(tx, bench.trainee.actor, bench.claim.id, WHY, world.today, world.now)

    assert await at_once(*[raise_one] * 6) == {"done": 1, "appeal.standing": 5}


async def test_two_answers_at_once_are_one(bench: Bench) -> None:
    async with transaction() as tx:
        raised = await bench.appeal(tx)

    def answer(place: int) -> Any:
        new = NewAppealAnswer(grant=bool(place % 2), answer="示例")
        return lambda tx: answer_appeal(tx, bench.second, raised.id, new, bench.world.today, bench.world.now)

    assert await at_once(*map(answer, range(6))) == {"done": 1, "appeal.answered": 5}


async def test_coming_back_and_filing_anew_at_once_leave_one_live_claim(bench: Bench) -> None:
    """Promise 2: whoever is later is told why."""
    world = bench.world
    async with transaction() as tx:
        raised = await bench.appeal(tx)

    def come_back(tx: Tx) -> Awaitable[object]:
        return answer_appeal(tx, bench.second, raised.id, GRANT, world.today, world.now)

    def file(tx: Tx) -> Awaitable[object]:
        new = world.new_claim(bench.trainee, district=bench.district)
        return file_claim(tx, bench.trainee.actor, new, world.today, world.now)

    told = await at_once(come_back, file, file, file)
    live = text("""SELECT count(*) FROM claims WHERE person_id = :person
                      AND status NOT IN ('refused', 'withdrawn', 'lapsed', 'recovered')""")
    async with transaction() as tx:
        assert (await tx.execute(live, {"person": bench.trainee.actor.person_id})).scalar_one() == 1
    assert Counter(told)["done"] in {1, 2}  # the answer itself may end moot


RAISE = """
    INSERT INTO claim_appeals (id, claim_id, refusal_id, reason, appealed_by, appealed_person, appealed_at, due_on)
    SELECT gen_random_uuid(), :claim, max(j.id) + :off, 'x', :user, :person, now(), current_date FROM journal j
     WHERE j.subject_kind = 'claim' AND j.subject_id = :claim AND j.action = 'refuse'
"""


async def test_by_sql_nobody_appeals_for_another_or_against_no_refusal(tx: Tx, world: World) -> None:
    bench = await Bench.build(tx, world)
    mine, stranger = bench.trainee.actor, (await world.trainee(tx)).actor
    given = {"claim": bench.claim.id, "user": mine.user_id, "person": mine.person_id, "off": 0}
    assert await _refused(tx, RAISE, **{**given, "user": stranger.user_id, "person": stranger.person_id}) == NOT_SO
    assert await _refused(tx, RAISE, **{**given, "off": -1}) == NOT_SO
    await tx.execute(text(RAISE), given)


async def test_by_sql_an_appeal_is_answered_once_and_by_another(tx: Tx, world: World) -> None:
    bench = await Bench.build(tx, world)
    raised = await bench.appeal(tx)
    answer = """
        UPDATE claim_appeals SET answer = :answer, answer_text = :text, answered_at = now(),
               answered_by = :user, answered_person = :person WHERE id = :id
    """
    second, first, mine = bench.second, bench.first, bench.trainee.actor
    given = {"id": raised.id, "answer": "denied", "text": "x", "user": second.user_id, "person": second.person_id}
    assert await _refused(tx, answer, **{**given, "user": first.user_id, "person": first.person_id}) == SAME_PERSON
    assert await _refused(tx, answer, **{**given, "user": mine.user_id, "person": mine.person_id}) == CHECK
    assert await _refused(tx, answer, **{**given, "answer": "perhaps"}) == CHECK
    assert await _refused(tx, answer, **{**given, "answer": "moot"}) == CHECK  # by what?
    await tx.execute(text(answer), given)
    assert await _refused(tx, answer, **{**given, "answer": "granted"}) == WRITTEN_ONCE
    assert await _refused(tx, "UPDATE claim_appeals SET reason = 'y' WHERE id = :id", id=raised.id) == DENIED
    assert await _refused(tx, "DELETE FROM claim_appeals") == DENIED


async def test_by_sql_no_claim_comes_back_without_an_appeal_that_was_granted(tx: Tx, world: World) -> None:
    bench = await Bench.build(tx, world)
    savepoint = await tx.begin_nested()
    with pytest.raises(Exception, match="comes back by an appeal"):
        await move_claim(tx, ClaimAction.REINSTATE, bench.claim.id, By("tests", world.now))
    await savepoint.rollback()
    await bench.answer(tx, await bench.appeal(tx))
    await bench.refuse(tx)
    savepoint = await tx.begin_nested()
    with pytest.raises(Exception, match="comes back by an appeal"):  # that one was against an earlier refusal
        await move_claim(tx, ClaimAction.REINSTATE, bench.claim.id, By("tests", world.now))
    await savepoint.rollback()
