"""What people mend and stop, at the same moment as others and the machines; and by raw SQL as the service's role."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from domain.actor import Post
from domain.batch import AttemptAction
from domain.correction import Correctable
from domain.fund import Pot
from service.batches import commands
from service.batches.commands.moves import move_attempts
from service.batches.schemas import BatchView
from service.claims.commands.correcting import correct_claim
from service.claims.commands.filing import file_claim
from service.claims.commands.mending import mend_account, try_again
from service.claims.commands.review import approve_claim
from service.claims.commands.sending_back import lapse_portion, send_back
from service.claims.schemas import NewAccount, NewCorrection, NewFault, NewHold, NewMending, NewSendBack
from service.claims.tables import ClaimHoldRow, ClaimRow
from service.database import Tx, transaction
from service.funds.commands.hold import follow
from service.journal import By
from service.reconciliation import commands as reconciliation
from service.reconciliation.schemas import NewAttemptDecision, Outcome
from tests.payments import Stage, a_return, attempt_statuses, claim_statuses, lines_of, shown
from tests.races.test_batches import at_once
from tests.races.test_promises_by_sql import CHECK, DENIED, FROZEN, UNIQUE, WRITTEN_ONCE, _refused
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import Trainee, World

HELD, NO_FAULTS, MAY_BE_PAID, NO_EVIDENCE = "ZD013", "ZD014", "ZD015", "ZD016"
PAST_NO_RETURN, VOUCHER = "ZD017", "ZD018"

Act = Callable[[Tx], Awaitable[object]]


@pytest.fixture
async def stage(committed: World) -> Stage:
    async with transaction() as tx:
        return await _stage(tx, committed)


async def _stage(tx: Tx, world: World) -> Stage:
    stage = await Stage.build(tx, world)
    stage.staff[Post.REVIEWER] = await world.user(tx, {Post.REVIEWER}, stage.district)
    return stage


def hold(stage: Stage, claim_id: UUID) -> Act:
    new = NewHold("identity_doubt")
    return lambda tx: commands.hold(tx, stage.staff[Post.REVIEWER], claim_id, new, stage.world.now)


async def is_held(tx: Tx, claim_id: UUID) -> bool:
    live = select(ClaimHoldRow.id).where(ClaimHoldRow.claim_id == claim_id, ClaimHoldRow.lifted_at.is_(None))
    return (await tx.execute(live)).one_or_none() is not None


async def test_a_hold_and_a_release(stage: Stage) -> None:
    async with transaction() as tx:
        batch = await stage.frozen(tx)
        await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), stage.world.now)
        await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), stage.world.now)
    outcomes = await at_once(hold(stage, stage.claims[0]), lambda tx: stage.release(tx, batch))
    assert outcomes in (["done", "done"], ["done", "wrong_status"])
    async with transaction() as tx:
        assert (await stage.see(tx, batch.id)).status == "dissolved"
        assert set(await attempt_statuses(tx, batch.id)) == {"void"}
        assert await is_held(tx, stage.claims[0])


async def test_a_hold_and_an_approval(stage: Stage) -> None:
    reviewer, world = stage.staff[Post.REVIEWER], stage.world
    async with transaction() as tx:
        claim = await world.claim(tx, "verified", district=stage.district)

    def approve(tx: Tx) -> Awaitable[object]:
        return approve_claim(tx, reviewer, claim.id, "", world.now)

    outcomes = await at_once(approve, hold(stage, claim.id))
    assert outcomes in (["done", "done"], ["claim.held", "done"], [HELD, "done"])
    async with transaction() as tx:
        assert await is_held(tx, claim.id)
        assert await claim_statuses(tx, [claim.id]) == ["approved" if outcomes == ["done", "done"] else "verified"]


@pytest.mark.parametrize("turn", range(4))
async def test_a_hold_and_the_sending(stage: Stage, turn: int) -> None:
    """Either nothing of the batch is ever sent, or the hold is told that it comes too late."""
    async with transaction() as tx:
        batch = await stage.written(tx)
    acts: list[Act] = [
        hold(stage, stage.claims[0]),
        lambda tx: commands.intend_to_send(tx, batch.id, stage.world.now),
        hold(stage, stage.claims[1]),
    ]
    outcomes = await at_once(*(acts if turn % 2 else reversed(acts)))
    async with transaction() as tx:
        attempts, held = set(await attempt_statuses(tx, batch.id)), [await is_held(tx, c) for c in stage.claims]
    if "claim.past_no_return" in outcomes:
        assert (outcomes, attempts) == (["claim.past_no_return", "claim.past_no_return", "done"], {"sending"})
        assert not any(held)
    else:
        assert (outcomes, attempts) == (["done", "done", "done"], {"void"})
        assert held == [True, True, False]


async def test_a_hold_a_withdrawal_and_an_assembler(stage: Stage) -> None:
    """What is held or withdrawn at this moment stands in no batch afterwards."""
    async with transaction() as tx:
        trainee = await stage.world.trainee(tx)
        mine = await stage.claim(tx, trainee)
        batches = [await stage.open(tx, limit=limit) for limit in (2, 9_999)]
    held, now = stage.claims[0], stage.world.now

    def assemble(batch: BatchView) -> Act:
        return lambda tx: commands.assemble(tx, batch.id, now)

    def withdraw(tx: Tx) -> Awaitable[object]:
        return commands.withdraw(tx, trainee.actor, mine, "", now)

    outcomes = await at_once(hold(stage, held), *map(assemble, batches), withdraw)
    # whoever met the claim on its way into a batch is asked to try again
    assert set(outcomes) <= {"done", "busy"}
    await at_once(*([hold(stage, held), withdraw] if "busy" in outcomes else []))
    async with transaction() as tx:
        assert await is_held(tx, held)
        assert await claim_statuses(tx, [held, mine]) == ["payable", "withdrawn"]
        live = await tx.execute(
            text("SELECT claim_id FROM payment_attempts WHERE claim_id = ANY(:ids) AND status = 'prepared'"),
            {"ids": [held, mine]},
        )
        assert live.all() == []
        await stage.frozen(tx)
        assert await claim_statuses(tx, [held]) == ["payable"]


async def bounced(tx: Tx, stage: Stage, code: str) -> tuple[Trainee, UUID]:
    trainee = await stage.world.trainee(tx)
    claim_id = await stage.claim(tx, trainee)
    batch = await stage.sent(tx)
    lines = [
        (line.reference, AMOUNT, code if line.claim_id == claim_id else "done", "")
        for line in await lines_of(tx, batch.id)
    ]
    data = a_return(batch, lines)
    await reconciliation.take_return(tx, None, reconciliation.read(data), data, "bank", By("tests", stage.world.now))
    return trainee, claim_id


async def test_an_account_is_mended_once(stage: Stage) -> None:
    async with transaction() as tx:
        trainee, claim_id = await bounced(tx, stage, "failed:temporary")

    def mend() -> Act:
        account = NewAccount(stage.world.maker.card(), trainee.made.name, stage.world.maker.bank_code())
        return lambda tx: mend_account(tx, trainee.actor, claim_id, NewMending(account), stage.world.now)

    def again(tx: Tx) -> Awaitable[object]:
        return try_again(tx, stage.staff[Post.MAKER], claim_id, "", stage.world.now)

    outcomes = await at_once(mend(), mend(), again, again)
    assert outcomes == ["done"] + ["wrong_status"] * 3
    async with transaction() as tx:
        assert await claim_statuses(tx, [claim_id]) == ["payable"]
        (line,) = await lines_of(tx, (await stage.frozen(tx)).id)
        assert line.claim_id == claim_id


async def unknown(tx: Tx, stage: Stage) -> tuple[BatchView, Any]:
    batch = await stage.sent(tx)
    line, *_ = await lines_of(tx, batch.id)
    data = a_return(batch, [(line.reference, AMOUNT, "unknown", "")])
    by = By("tests", stage.world.now)
    await reconciliation.take_return(tx, None, reconciliation.read(data), data, "bank", by)
    return batch, line


def decide(stage: Stage, post: Post, reference: str, outcome: Outcome) -> Act:
    new = NewAttemptDecision(outcome, "e" * 64)
    return lambda tx: reconciliation.decide_attempt(tx, stage.staff[post], reference, new, stage.world.now)


async def test_two_who_say_different_things_at_once_move_nothing(stage: Stage) -> None:
    async with transaction() as tx:
        batch, line = await unknown(tx, stage)
    here = line.reference
    said = await at_once(decide(stage, Post.MAKER, here, "paid"), decide(stage, Post.CHECKER, here, "not_paid"))
    assert said == ["done", "done"]
    async with transaction() as tx:
        assert (await lines_of(tx, batch.id))[0].status == "unknown"


async def test_one_person_who_says_it_many_times_moves_nothing(stage: Stage) -> None:
    async with transaction() as tx:
        batch, line = await unknown(tx, stage)
    outcomes = await at_once(*[decide(stage, Post.MAKER, line.reference, "paid")] * 4)
    assert outcomes == ["attempt.same_person"] * 3 + ["done"]
    async with transaction() as tx:
        assert (await lines_of(tx, batch.id))[0].status == "unknown"


async def test_two_persons_and_the_bank_settle_a_payment_once(stage: Stage) -> None:
    async with transaction() as tx:
        batch, line = await unknown(tx, stage)
        await decide(stage, Post.MAKER, line.reference, "not_paid")(tx)
    data, by = a_return(batch, [(line.reference, AMOUNT, "done", "")]), By("tests", stage.world.now)

    def take(tx: Tx) -> Awaitable[object]:
        return reconciliation.take_return(tx, None, reconciliation.read(data), data, "bank", by)

    outcomes = await at_once(take, decide(stage, Post.CHECKER, line.reference, "not_paid"))
    async with transaction() as tx:
        (status, claim) = (
            (await lines_of(tx, batch.id))[0].status,
            (await claim_statuses(tx, [line.claim_id]))[0],
        )
    # the bank's line is either what settles it or, after the decision, an exception for a person
    assert (outcomes, status, claim) in (
        (["attempt.not_unknown", "done"], "done", "paid"),
        (["done", "done"], "failed", "bounced"),
    )


async def test_a_claim_is_corrected_or_lapses(stage: Stage) -> None:
    world = stage.world
    async with transaction() as tx:
        trainee = await world.trainee(tx)
        claim = await world.claim(tx, "in_review", trainee, district=stage.district)
        new = NewSendBack([NewFault("other", Correctable.CERTIFICATE_NUMBER)])
        view = await send_back(tx, stage.staff[Post.REVIEWER], claim.id, new, world.today, world.now)
    assert view.to_do is not None
    due = view.to_do.due_on
    assert due is not None

    def correct(tx: Tx) -> Awaitable[object]:
        number = world.maker.certificate("4", world.today.year)
        return correct_claim(tx, trainee.actor, claim.id, NewCorrection(certificate_number=number), due, world.now)

    def lapse(tx: Tx) -> Awaitable[object]:
        return lapse_portion(tx, due + timedelta(days=1), world.now)

    outcomes = await at_once(lapse, correct, correct, lapse)
    assert outcomes in (["done"] * 3 + ["wrong_status"], ["done"] * 2 + ["wrong_status"] * 2)
    async with transaction() as tx:
        (status,) = await claim_statuses(tx, [claim.id])
    assert (status == "filed") == (outcomes.count("done") == 3)
    assert status in {"filed", "lapsed"}


async def test_no_claim_comes_in_under_a_mandate_that_is_being_revoked(stage: Stage) -> None:
    world = stage.world
    async with transaction() as tx:
        trainee = await world.trainee(tx)
        mandate_id = await world.mandate(tx, world.clerks[0], trainee)

    def file(tx: Tx) -> Awaitable[object]:
        new = world.new_claim(trainee, mandate_id=mandate_id, district=None)
        return file_claim(tx, world.clerks[0], new, world.today, world.now)

    def revoke(tx: Tx) -> Awaitable[object]:
        return commands.revoke(tx, trainee.actor, mandate_id, "", world.today, world.now)

    assert "done" in await at_once(file, revoke)
    async with transaction() as tx:
        left = await tx.execute(select(ClaimRow.status).where(ClaimRow.mandate_id == mandate_id))
        assert set(left.scalars()) <= {"withdrawn"}


# ---- raw SQL as the service's role


async def journalled(tx: Tx, noun: str, row_id: UUID, status: str) -> None:
    await tx.execute(
        text("""INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at) VALUES
                    (:noun, :id, 'forge', jsonb_build_object('status', CAST(:status AS text)), 'attack', now())"""),
        {"noun": noun, "id": row_id, "status": status},
    )


async def test_by_sql_what_a_claim_asks_for_changes_only_while_it_is_sent_back(tx: Tx, world: World) -> None:
    for status in ("filed", "in_review", "payable"):
        claim = await world.claim(tx, status)
        await journalled(tx, "claim", claim.id, status)
        for changed in ("certificate_number = 'X1'", "certificate_issued_on = '2020-01-01'", "amount_fen = 1"):
            assert await _refused(tx, f"UPDATE claims SET {changed} WHERE id = :id", id=claim.id) == FROZEN
    claim = await world.claim(tx, "in_review")
    await journalled(tx, "claim", claim.id, "sent_back")
    without = "UPDATE claims SET status = 'sent_back' WHERE id = :id"
    assert await _refused(tx, without, id=claim.id) == NO_FAULTS
    new = NewSendBack([NewFault("other", Correctable.LEVEL)])
    await send_back(tx, world.staff[Post.REVIEWER], claim.id, new, world.today, world.now)
    both = "UPDATE claims SET status = 'filed', certificate_number = 'X1' WHERE id = :id"
    assert await _refused(tx, both, id=claim.id) == FROZEN
    empty = "UPDATE claim_corrections SET faults = '[]' WHERE claim_id = :id"
    assert await _refused(tx, empty, id=claim.id) == DENIED
    assert await _refused(tx, "DELETE FROM claim_corrections WHERE claim_id = :id", id=claim.id) == DENIED
    twice = """INSERT INTO claim_corrections (id, claim_id, faults, due_on, provisional, asked_by, asked_at)
               SELECT gen_random_uuid(), claim_id, {faults}, due_on, false, asked_by, asked_at
                 FROM claim_corrections WHERE claim_id = :id"""
    assert await _refused(tx, twice.format(faults="faults"), id=claim.id) == UNIQUE
    assert await _refused(tx, twice.format(faults="'[]'::jsonb"), id=claim.id) == CHECK


async def test_by_sql_a_held_claim_goes_no_further_and_has_one_hold(tx: Tx, world: World) -> None:
    stage = await _stage(tx, world)
    held, verified = stage.claims[0], (await world.claim(tx, "verified", district=stage.district)).id
    for claim in (held, verified):
        await hold(stage, claim)(tx)
    for claim, status in ((held, "batched"), (verified, "approved")):
        await journalled(tx, "claim", claim, status)
        onwards = f"UPDATE claims SET status = '{status}' WHERE id = :id"
        assert await _refused(tx, onwards, id=claim) == HELD
    second = """INSERT INTO claim_holds (id, claim_id, code, note, placed_by, placed_at)
                SELECT gen_random_uuid(), claim_id, code, note, placed_by, placed_at
                  FROM claim_holds WHERE claim_id = :id"""
    assert await _refused(tx, second, id=held) == UNIQUE
    half = "UPDATE claim_holds SET lifted_at = now() WHERE claim_id = :id"
    assert await _refused(tx, half, id=held) == CHECK
    assert await _refused(tx, "UPDATE claim_holds SET code = 'other' WHERE claim_id = :id", id=held) == DENIED
    await commands.lift(tx, stage.staff[Post.CHECKER], held, "", world.today, world.now)
    again = "UPDATE claim_holds SET lifted_at = now(), lifted_by = placed_by WHERE claim_id = :id"
    assert await _refused(tx, again, id=held) == WRITTEN_ONCE
    assert await _refused(tx, "DELETE FROM claim_holds") == DENIED


async def test_by_sql_nobody_decides_alone(tx: Tx, world: World) -> None:
    stage = await _stage(tx, world)
    batch, line = await unknown(tx, stage)
    for status in ("done", "failed", "returned"):
        await journalled(tx, "attempt", line.id, status)
        ended = f"UPDATE payment_attempts SET status = '{status}' WHERE id = :id"
        assert await _refused(tx, ended, id=line.id) == NO_EVIDENCE
    await decide(stage, Post.MAKER, line.reference, "paid")(tx)
    assert await _refused(tx, "UPDATE payment_attempts SET status = 'done' WHERE id = :id", id=line.id) == NO_EVIDENCE
    same = """UPDATE attempt_decisions SET confirmed_person = proposed_person, confirmed_by = proposed_by,
                     closed_at = now() WHERE attempt_id = :id"""
    assert await _refused(tx, same, id=line.id) == CHECK
    half = "UPDATE attempt_decisions SET confirmed_person = :person, closed_at = now() WHERE attempt_id = :id"
    assert await _refused(tx, half, id=line.id, person=stage.staff[Post.CHECKER].person_id) == CHECK
    turned = "UPDATE attempt_decisions SET outcome = 'not_paid' WHERE attempt_id = :id"
    assert await _refused(tx, turned, id=line.id) == DENIED
    await decide(stage, Post.CHECKER, line.reference, "paid")(tx)
    assert (await lines_of(tx, batch.id))[0].status == "done"


async def test_by_sql_a_decision_that_it_was_paid_fails_nothing(tx: Tx, world: World) -> None:
    stage = await _stage(tx, world)
    _, line = await unknown(tx, stage)
    await decide(stage, Post.MAKER, line.reference, "paid")(tx)
    confirmed = """UPDATE attempt_decisions SET confirmed_person = :person, confirmed_by = :user, closed_at = now()
                    WHERE attempt_id = :id"""
    checker = stage.staff[Post.CHECKER]
    await tx.execute(text(confirmed), {"id": line.id, "person": checker.person_id, "user": checker.user_id})
    await journalled(tx, "attempt", line.id, "failed")
    failed = "UPDATE payment_attempts SET status = 'failed' WHERE id = :id"
    assert await _refused(tx, failed, id=line.id) == NO_EVIDENCE


async def test_by_sql_nothing_is_mended_while_money_may_be_on_its_way(tx: Tx, world: World) -> None:
    stage = await _stage(tx, world)
    batch = await stage.sent(tx)
    line, *_ = await lines_of(tx, batch.id)
    for status in ("bounced", "payable"):
        await journalled(tx, "claim", line.claim_id, status)
    await follow(tx, [line.claim_id], Pot.RESERVED, By("tests", world.now))
    await tx.execute(text("UPDATE claims SET status = 'bounced' WHERE id = :id"), {"id": line.claim_id})
    mended = "UPDATE claims SET status = 'payable' WHERE id = :id"
    assert await _refused(tx, mended, id=line.claim_id) == MAY_BE_PAID
    await move_attempts(tx, AttemptAction.LOSE_SIGHT, [line.id], By("tests", world.now))
    assert await _refused(tx, mended, id=line.claim_id) == MAY_BE_PAID


async def test_by_sql_a_batch_that_is_sending_is_not_dissolved_and_a_voucher_is_not_stretched(
    tx: Tx, world: World
) -> None:
    stage = await _stage(tx, world)
    released = await stage.released(tx)
    carried = "UPDATE treasury_transfers SET carried_over_at = now() WHERE batch_id = :id"
    assert await _refused(tx, carried, id=released.id) == WRITTEN_ONCE
    await hold(stage, stage.claims[0])(tx)
    assert await _refused(tx, carried, id=released.id) == WRITTEN_ONCE
    for _ in range(2):
        await stage.claim(tx)
    larger = await stage.frozen(tx)
    elsewhere = await (await Stage.build(tx, world, claims=1)).frozen(tx)
    named = """INSERT INTO treasury_transfers (batch_id, voucher, transferred_on, sum_fen, recorded_by)
               SELECT :to, voucher, transferred_on, :sum, recorded_by FROM treasury_transfers WHERE batch_id = :id"""
    given = {"id": released.id, "to": larger.id}
    assert await _refused(tx, named, **given, sum=larger.sum_fen) == VOUCHER
    assert await _refused(tx, named, id=released.id, to=elsewhere.id, sum=elsewhere.sum_fen) == VOUCHER
    await commands.dissolve_batch(tx, stage.staff[Post.MAKER], larger.id, "…", world.now)
    sending = await stage.written(tx)
    await commands.intend_to_send(tx, sending.id, world.now)
    await journalled(tx, "batch", sending.id, "dissolved")
    stopped = "UPDATE batches SET status = 'dissolved' WHERE id = :id"
    assert await _refused(tx, stopped, id=sending.id) == PAST_NO_RETURN


async def test_by_sql_revocations_and_resolutions_are_written_once(tx: Tx, world: World) -> None:
    for table in ("mandate_revocations", "return_resolutions"):
        assert await _refused(tx, f"UPDATE {table} SET note = 'x'") == DENIED
        assert await _refused(tx, f"DELETE FROM {table}") == DENIED
