"""A supplement at the same moment from several sides, and by raw SQL as the service's role."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from domain.actor import Post
from domain.clawback import Cause
from service.clawbacks.commands.correcting import answer_correction
from service.clawbacks.commands.raising import raise_by_hand, raise_what_stands
from service.clawbacks.commands.supplementing import pay_supplements
from service.clawbacks.schemas import NewClawback, NewCorrectionAnswer
from service.clawbacks.tables import SupplementRow
from service.database import Tx, transaction
from tests.conftest import Databases
from tests.payments import claim_statuses
from tests.races.test_batches import at_once
from tests.races.test_promises_by_sql import CHECK, DENIED, UNIQUE
from tests.races.test_promises_by_sql import _forge as forge
from tests.races.test_promises_by_sql import _refused as refused
from tests.service.test_amount_corrections import District
from tests.service.test_supplements import MORE, Owed
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World
from tests.world_apart import world_apart

NOT_GRANTED, NOT_OWED, NOT_THE_DIFFERENCE, BY_TWO, IN_TERM = "ZD230", "ZD231", "ZD232", "ZD233", "ZD234"
ITS_LINES, ADDS_UP, WITH_ITS_DEMAND = "ZD237", "ZD238", "ZD239"

Act = Callable[[Tx], Awaitable[object]]


@pytest.fixture
async def committed(databases: Databases) -> AsyncIterator[World]:
    """In a database of its own: standards that are corrected here are no other test's."""
    async with world_apart(databases, "supplements") as world:
        yield world


async def test_workers_that_come_twice_bring_it_to_the_money_once(committed: World) -> None:
    async with transaction() as tx:
        owed = await Owed.build(tx, committed)

    def job(tx: Tx) -> Awaitable[object]:
        return pay_supplements(tx, [owed.supplement_id], committed.now)

    assert await at_once(job, job, job, job) == ["done"] * 4
    async with transaction() as tx:
        assert await owed.statuses(tx) == ["paid", "payable"]
        held = text("SELECT count(*), sum(amount_fen) FROM fund_movements WHERE claim_id = :id AND kind = 'reserve'")
        assert tuple((await tx.execute(held, {"id": owed.supplement_id})).one()) == (1, MORE)


async def test_it_is_not_paid_beside_a_clawback_of_the_whole(committed: World) -> None:
    async with transaction() as tx:
        owed = await Owed.build(tx, committed)
    paid, now = owed.paid, committed.now
    new = NewClawback(paid.claim_id, Cause.SANCTION, "机构受到惩戒")

    def pay(tx: Tx) -> Awaitable[object]:
        return pay_supplements(tx, [owed.supplement_id], now)

    def claw(tx: Tx) -> Awaitable[object]:
        return raise_by_hand(tx, paid.reviewer, new, now)

    assert await at_once(pay, claw, pay) == ["done"] * 3
    async with transaction() as tx:  # whoever came first: the job that was owed, if it was, ends it
        await raise_what_stands(tx, [paid.claim_id], now)
        left = await tx.execute(text("SELECT status FROM claims WHERE id = :id"), {"id": owed.supplement_id})
        assert left.scalars().all() in ([], ["withdrawn"])


async def test_a_correction_is_answered_once(committed: World) -> None:
    async with transaction() as tx:
        there = await District.build(tx, committed, 1)
        await there.corrected(tx, AMOUNT + MORE)
        proposed = await there.propose(tx)
        third = await committed.user(tx, {Post.REVIEWER}, there.stage.district)

    def answer(me: Any) -> Act:
        new = NewCorrectionAnswer(True, proposed.shown)
        return lambda tx: answer_correction(tx, me, proposed.id, new, committed.now)

    answered = "amount_correction.answered"
    assert await at_once(answer(there.other), answer(third), answer(there.other)) == [answered, answered, "done"]
    async with transaction() as tx:
        owed = select(func.count(), func.sum(SupplementRow.amount_fen)).where(
            SupplementRow.claim_id.in_(there.stage.claims)
        )
        assert tuple((await tx.execute(owed)).one()) == (1, MORE)


# ---- by raw SQL

_COPY = """
    WITH told AS (
      INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
      VALUES ('claim', :id, 'file', '{{"status": "filed"}}', 'attack', now()))
    INSERT INTO claims (id, supplement_of, kind, person_id, channel, via, filed_by, institution_id, district, item_id,
                        list_kind, industry, subsidy_key, level, once_in, training_started_on, group_code, amount_fen,
                        account_id, status, filed_on, filed_at, decision)
    SELECT :id, b.id, 'supplement', {person}, b.channel, b.via, b.filed_by, b.institution_id, b.district, b.item_id,
           b.list_kind, b.industry, 'supplement:' || CAST(:id AS uuid), b.level, 'ever', b.training_started_on,
           b.group_code, {fen}, {account}, 'filed', b.filed_on, b.filed_at, b.decision
      FROM claims b WHERE b.id = :base
"""
_OWN = {"person": "b.person_id", "fen": str(MORE), "account": "b.account_id"}


async def test_by_sql_a_supplement_is_what_is_owed_to_whom(tx: Tx, world: World) -> None:
    owed, other = await Owed.build(tx, world), await world.claim(tx, "payable")
    base = owed.paid.claim_id

    async def copied(of: object = owed.supplement_id, base: object = base, **otherwise: str) -> str:
        return await refused(tx, _COPY.format(**{**_OWN, **otherwise}), id=of, base=base)

    theirs = f"(SELECT person_id FROM claims WHERE id = '{other.id}')"
    account = f"(SELECT account_id FROM claims WHERE id = '{other.id}')"
    assert await copied(uuid4()) == NOT_OWED  # nobody owes it
    assert await copied(fen=str(MORE + 1)) == NOT_OWED
    assert await copied(person=theirs, account=account) == NOT_OWED
    assert await copied(account=account) == NOT_OWED
    assert await copied(base=other.id) == NOT_OWED
    await owed.pay(tx)
    assert await copied() == UNIQUE  # once for ever
    # and nothing else goes past the officers
    plain = await world.claim(tx)
    assert await forge(tx, "claims", "claim", plain.id, "payable") == NOT_GRANTED
    assert await refused(tx, "UPDATE claims SET supplement_of = id WHERE id = :id", id=plain.id) == DENIED
    for status in ("in_review", "approved"):
        assert await forge(tx, "claims", "claim", owed.supplement_id, status) != ""


async def test_by_sql_a_supplement_is_granted_while_its_claim_is_paid(tx: Tx, world: World) -> None:
    owed = await Owed.build(tx, world)
    savepoint = await tx.begin_nested()
    await tx.execute(text(_COPY.format(**_OWN)), {"id": owed.supplement_id, "base": owed.paid.claim_id})
    await owed.by_hand(tx, Cause.SANCTION)
    assert await forge(tx, "claims", "claim", owed.supplement_id, "payable") == NOT_GRANTED
    assert await claim_statuses(tx, [owed.supplement_id]) == ["filed"]
    await savepoint.rollback()


_OWE = """
    INSERT INTO claim_supplements (id, claim_id, {ground}, right_fen, paid_fen, amount_fen, why, owed_by, owed_at)
    VALUES (gen_random_uuid(), :claim, :ground, :right, :paid, :fen, 'x', :user, now())
"""


async def test_by_sql_a_correction_owes_what_two_persons_confirmed(tx: Tx, world: World) -> None:
    there = await District.build(tx, world, 1)
    await there.corrected(tx, AMOUNT + MORE)
    proposed, (claim,) = await there.propose(tx), there.stage.claims
    given = {"claim": claim, "ground": proposed.id, "user": there.one.user_id}
    owe = _OWE.format(ground="correction_id")
    full = {**given, "right": AMOUNT + MORE, "paid": AMOUNT, "fen": MORE}
    assert await refused(tx, owe, **full) == NOT_THE_DIFFERENCE  # one person
    grant = """UPDATE amount_corrections SET granted = true, answered_by = :user, answered_person = :person,
                      answered_at = now() WHERE id = :id"""
    one, other = there.one, there.other
    assert await refused(tx, grant, id=proposed.id, user=one.user_id, person=one.person_id) == CHECK
    line = "INSERT INTO amount_correction_lines VALUES (:id, :claim, 1, 2)"
    foreign = await world.claim(tx, "payable")
    assert await refused(tx, line, id=proposed.id, claim=foreign.id) == ITS_LINES
    savepoint = await tx.begin_nested()
    another = await there.stage.claim(tx)
    await tx.execute(text(line), {"id": proposed.id, "claim": another})
    assert await refused(tx, grant, id=proposed.id, user=other.user_id, person=other.person_id) == ADDS_UP
    await savepoint.rollback()
    await there.answer(tx, proposed)
    assert await refused(tx, line, id=proposed.id, claim=claim) == ITS_LINES
    assert await refused(tx, owe, **full) == NOT_THE_DIFFERENCE  # it is owed already
    assert await refused(tx, "UPDATE amount_correction_lines SET right_fen = 1") == DENIED
    assert await refused(tx, "UPDATE claim_supplements SET amount_fen = 1") == DENIED


async def test_by_sql_a_clawback_is_enforced_after_its_term_by_two(tx: Tx, world: World) -> None:
    owed = await Owed.build(tx, world)
    back, maker = await owed.by_hand(tx), owed.staff(Post.MAKER)
    term = "INSERT INTO clawback_terms (clawback_id, due_on) VALUES (:id, '2020-01-01')"
    assert await refused(tx, term, id=back.id) == WITH_ITS_DEMAND
    propose = """INSERT INTO clawback_enforcements (id, clawback_id, order_number, ordered_on, proposed_by,
                                                    proposed_person, proposed_at)
                 VALUES (gen_random_uuid(), :id, '1', CAST(:on AS date), :user, :person, now())"""
    given = {"id": back.id, "user": maker.user_id, "person": maker.person_id, "on": world.today}
    assert await refused(tx, propose, **given) == IN_TERM  # not demanded
    await owed.demand(tx, back.id)
    assert await refused(tx, propose, **given) == IN_TERM
    assert await forge(tx, "clawbacks", "clawback", back.id, "enforced") == BY_TWO
    assert await refused(tx, term, id=back.id) in (UNIQUE, WITH_ITS_DEMAND)
    assert await refused(tx, "UPDATE clawback_terms SET due_on = '2020-01-01'") == DENIED
