"""Checks by hand and clawbacks at the same moment from several sides, and by raw SQL as the service's role."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select, text

from domain.actor import Actor, Post
from domain.clawback import Cause
from domain.manual_check import Finding
from service.clawbacks.commands.amounts import answer_amount, appeal_amount
from service.clawbacks.commands.demanding import answer_waiver
from service.clawbacks.commands.raising import raise_by_hand, raise_what_stands
from service.clawbacks.schemas import NewAmountAnswer, NewAmountAppeal, NewClawback, NewWaiverAnswer
from service.clawbacks.tables import ClawbackRow
from service.database import Tx, transaction
from service.verification.commands.manual import confirm_check
from service.verification.schemas import NewSecondCheck
from tests.objections import PaidForThem
from tests.races.test_batches import at_once
from tests.races.test_promises_by_sql import CHECK, DENIED, FOREIGN, ILLEGAL_MOVE, NO_JOURNAL, UNIQUE, WRITTEN_ONCE
from tests.races.test_promises_by_sql import _forge as forge
from tests.races.test_promises_by_sql import _refused as refused
from tests.service.test_clawbacks import Office
from tests.service.test_manual_checks import GENUINE, Desk
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World

NOT_SO_BY_HAND, OWN_CLAIM, NOT_FOUND = "ZD190", "ZD191", "ZD192"
TOO_MUCH, TWO_PERSONS, NOT_SO, APPROVED_IT, NOT_THE_DIFFERENCE = "ZD193", "ZD194", "ZD195", "ZD196", "ZD232"

Act = Callable[[Tx], Awaitable[object]]


async def _paid(committed: World) -> Office:
    async with transaction() as tx:
        return Office(await PaidForThem.build(tx, committed))


async def test_two_who_confirm_the_same_check_settle_it_once(committed: World) -> None:
    async with transaction() as tx:
        office = await Desk.build(tx, committed, level="2")  # above the amount of `data/policies.toml`
        third = await committed.user(tx, {Post.REVIEWER}, office.district)
        checked = (await office.check(tx)).id

    def confirm(me: Actor, new: NewSecondCheck) -> Act:
        return lambda tx: confirm_check(tx, me, checked, new, committed.now)

    other = NewSecondCheck(Finding.NOT_GENUINE)
    acts = [confirm(office.second, GENUINE), confirm(third, other), confirm(office.second, other)]
    assert await at_once(*acts) == ["done", "manual_check.settled", "manual_check.settled"]


async def test_officers_and_the_job_raise_no_more_than_was_paid(committed: World) -> None:
    office = await _paid(committed)
    paid, now = office.paid, committed.now
    async with transaction() as tx:
        await committed.registered(tx, paid.claim_id, "revoked")

    def by_hand(cause: Cause) -> Act:
        new = NewClawback(paid.claim_id, cause, "审计发现")
        return lambda tx: raise_by_hand(tx, paid.reviewer, new, now)

    def job(tx: Tx) -> Awaitable[object]:
        return raise_what_stands(tx, [paid.claim_id], now)

    outcomes = await at_once(by_hand(Cause.AUDIT), job, by_hand(Cause.AUDIT), job, by_hand(Cause.SANCTION))
    assert set(outcomes) <= {"done", "clawback.nothing"}
    async with transaction() as tx:
        owed = select(func.count(), func.sum(ClawbackRow.amount_fen)).where(ClawbackRow.claim_id == paid.claim_id)
        assert tuple((await tx.execute(owed)).one()) == (1, AMOUNT)


async def test_an_appeal_on_an_amount_is_raised_and_answered_once(committed: World) -> None:
    office = await _paid(committed)
    paid, today, now = office.paid, committed.today, committed.now

    def raise_one(me: Actor) -> Act:
        return lambda tx: appeal_amount(tx, me, paid.claim_id, NewAmountAppeal("金额不对"), today, now)

    acts = [raise_one(me) for me in (paid.trainee.actor, paid.clerk, paid.trainee.actor)]
    assert await at_once(*acts) == ["amount_appeal.standing", "amount_appeal.standing", "done"]
    async with transaction() as tx:
        found = await tx.execute(text("SELECT id FROM amount_appeals WHERE claim_id = :id"), {"id": paid.claim_id})
        appeal_id = found.scalar_one()

    def answer(tx: Tx) -> Awaitable[object]:
        return answer_amount(tx, paid.reviewer, appeal_id, NewAmountAnswer(AMOUNT, "无误"), today, now)

    assert await at_once(answer, answer) == ["appeal.answered", "done"]


async def test_one_waiver_is_answered_once(committed: World) -> None:
    office = await _paid(committed)
    async with transaction() as tx:
        await office.revoke(tx)
        (owed,) = await office.raised(tx)
        await office.propose(tx, owed.id)

    def answer(post: Post, *, grant: bool) -> Act:
        new = NewWaiverAnswer(grant, "" if grant else "依据不足")
        return lambda tx: answer_waiver(tx, office.staff(post), owed.id, new, committed.now)

    outcomes = await at_once(answer(Post.CHECKER, grant=True), answer(Post.RELEASER, grant=False))
    assert outcomes == ["clawback.no_waiver", "done"]


# ---- by raw SQL

_CHECK = """
    INSERT INTO manual_checks (id, claim_id, finding, how, note, evidence_sha256, needs_second, checked_by,
                               checked_person, checked_at)
    VALUES (gen_random_uuid(), :claim, 'genuine', :how, :note, :sha256, :second, :user, :person, :at)
"""


async def test_by_sql_nobody_checks_so_by_hand(tx: Tx, world: World) -> None:
    office = await Desk.build(tx, world)
    await office.needs_second(tx)
    checked = await office.check(tx)
    sha256 = bytes.fromhex(checked.evidence_sha256)
    me, own = office.first, office.trainee.actor
    await confirm_check(tx, office.second, checked.id, GENUINE, world.now)
    given: dict[str, Any] = {"claim": office.claim_id, "how": "phone", "note": "核实", "sha256": sha256}
    given |= {"second": True, "user": me.user_id, "person": me.person_id, "at": world.now}
    assert await refused(tx, _CHECK, **{**given, "second": False}) == NOT_SO_BY_HAND
    assert await refused(tx, _CHECK, **{**given, "claim": (await world.claim(tx, "filed")).id}) == NOT_SO_BY_HAND
    assert await refused(tx, _CHECK, **{**given, "user": own.user_id, "person": own.person_id}) == OWN_CLAIM
    assert await refused(tx, _CHECK, **{**given, "sha256": b"nothing"}) == FOREIGN
    assert await refused(tx, _CHECK, **{**given, "how": "guess"}) == CHECK
    assert await refused(tx, _CHECK, **{**given, "note": ""}) == CHECK
    again = "UPDATE manual_checks SET second_finding = 'not_genuine', second_at = now() WHERE id = :id"
    assert await refused(tx, again, id=checked.id) == WRITTEN_ONCE
    assert await refused(tx, "UPDATE manual_checks SET finding = 'genuine' WHERE id = :id", id=checked.id) == DENIED
    assert await refused(tx, "DELETE FROM manual_checks WHERE id = :id", id=checked.id) == DENIED


async def test_by_sql_one_person_does_not_confirm_themself(tx: Tx, world: World) -> None:
    office = await Desk.build(tx, world)
    await office.needs_second(tx)
    checked, own = await office.check(tx), office.trainee.actor
    confirm = """UPDATE manual_checks SET second_finding = 'genuine', second_by = :user, second_person = :person,
                        second_at = now() WHERE id = :id"""
    me = office.first
    assert await refused(tx, confirm, id=checked.id, user=me.user_id, person=me.person_id) == CHECK
    assert await refused(tx, confirm, id=checked.id, user=own.user_id, person=own.person_id) == OWN_CLAIM
    open_ = {"claim": office.claim_id, "how": "phone", "note": "核实", "second": True, "at": world.now}
    sha256 = bytes.fromhex(checked.evidence_sha256)
    one = {**open_, "sha256": sha256, "user": me.user_id, "person": me.person_id}
    assert await refused(tx, _CHECK, **one) == UNIQUE


async def test_by_sql_nothing_is_approved_that_nobody_found(tx: Tx, world: World) -> None:
    for outcome in ("mismatch", "not_found", "manual", "revoked"):
        office = await Desk.build(tx, world, outcome)
        assert await forge(tx, "claims", "claim", office.claim_id, "approved") == NOT_FOUND
    await office.needs_second(tx)
    await office.check(tx)
    assert await forge(tx, "claims", "claim", office.claim_id, "approved") == NOT_FOUND


_CLAWBACK = """
    WITH told AS (
      INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
      VALUES ('clawback', :id, 'raise', jsonb_build_object('status', CAST(:status AS text)), 'attack', now()))
    INSERT INTO clawbacks (id, claim_id, cause, amount_fen, raised_at, status, letter_number)
    VALUES (:id, :claim, :cause, :fen, now(), :status, 'x')
"""


async def test_by_sql_no_more_is_owed_back_than_was_paid(tx: Tx, world: World) -> None:
    office = Office(await PaidForThem.build(tx, world))
    await office.by_hand(tx, fen=AMOUNT - 100)
    given: dict[str, Any] = {"id": uuid4(), "claim": office.paid.claim_id, "cause": "sanction", "fen": 101}
    given["status"] = "raised"
    assert await refused(tx, _CLAWBACK, **given) == TOO_MUCH
    assert await refused(tx, _CLAWBACK, **{**given, "fen": 0}) == CHECK
    assert await refused(tx, _CLAWBACK, **{**given, "fen": 1, "cause": "audit"}) == UNIQUE
    assert await refused(tx, _CLAWBACK, **{**given, "fen": 1, "cause": "whim"}) == CHECK
    assert await refused(tx, _CLAWBACK, **{**given, "fen": 1, "status": "repaid"}) == ILLEGAL_MOVE
    unpaid = (await world.claim(tx, "payable")).id
    assert await refused(tx, _CLAWBACK, **{**given, "claim": unpaid, "fen": 1}) == TOO_MUCH


async def test_by_sql_a_clawback_stays_and_is_waived_by_two(tx: Tx, world: World) -> None:
    office = Office(await PaidForThem.build(tx, world))
    owed = await office.by_hand(tx)
    await office.propose(tx, owed.id)
    assert await forge(tx, "clawbacks", "clawback", owed.id, "waived") == TWO_PERSONS
    assert await forge(tx, "clawbacks", "clawback", owed.id, "demanded") == CHECK  # by no letter
    by_letter = "UPDATE clawbacks SET status = 'demanded', letter_number = '1' WHERE id = :id"
    assert await refused(tx, by_letter, id=owed.id) == NO_JOURNAL
    assert await refused(tx, "UPDATE clawbacks SET amount_fen = 1 WHERE id = :id", id=owed.id) == DENIED
    assert await refused(tx, "DELETE FROM clawbacks WHERE id = :id", id=owed.id) == DENIED
    grant = """UPDATE clawback_waivers SET granted = true, answered_by = :user, answered_person = :person,
                      answered_at = now() WHERE clawback_id = :id"""
    maker = office.staff(Post.MAKER)
    assert await refused(tx, grant, id=owed.id, user=maker.user_id, person=maker.person_id) == CHECK


async def test_by_sql_an_amount_is_appealed_and_answered_by_whom_it_may(tx: Tx, world: World) -> None:
    office = Office(await PaidForThem.build(tx, world))
    paid, appeal_id = office.paid, uuid4()
    new = """INSERT INTO amount_appeals (id, claim_id, reason, appealed_by, appealed_person, appealed_at, due_on)
             VALUES (:id, :claim, '金额不对', :user, :person, now(), now())"""
    stranger = (await world.trainee(tx)).actor
    given = {"id": appeal_id, "claim": paid.claim_id, "user": stranger.user_id, "person": stranger.person_id}
    assert await refused(tx, new, **given) == NOT_SO
    raised = await office.appeal(tx)
    answer = """UPDATE amount_appeals SET right_fen = :fen, answer_text = 'x', answered_by = :user,
                       answered_person = :person, answered_at = now() WHERE id = :id"""
    own = paid.trainee.actor
    of = {"id": raised.id, "fen": AMOUNT, "user": own.user_id, "person": own.person_id}
    assert await refused(tx, answer, **of) == APPROVED_IT
    owe = """INSERT INTO claim_supplements (id, claim_id, appeal_id, amount_fen, why, owed_by, owed_at)
             VALUES (gen_random_uuid(), :claim, :appeal, 100, 'x', :user, now())"""
    about = {"claim": paid.claim_id, "appeal": raised.id, "user": paid.reviewer.user_id}
    assert await refused(tx, owe, **about) == NOT_THE_DIFFERENCE
    await office.answer(tx, raised.id, AMOUNT)
    assert await refused(tx, owe, **about) == NOT_THE_DIFFERENCE
