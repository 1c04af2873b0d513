"""Where the parts about money meet: resends and decisions, statements and carried files, answers and the audit."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.actor import Actor, Post
from domain.agent_bank import UNSAID, BankWay
from service.audit.queries.batches import BYTES_LEFT
from service.audit.queries.checks import first_breach
from service.batches import commands
from service.batches.schemas import (
    BatchView,
    NewFileWord,
    NewHandover,
    NewResend,
)
from service.database import Tx
from service.gateways.bank import FileState
from service.journal import By, record
from service.queue import Job
from service.reconciliation.commands import decide_attempt
from service.reconciliation.schemas import NewAttemptDecision
from tests.payments import Stage, attempt_statuses, lines_of, ready_jobs
from tests.service.test_batch_desk import code_of
from tests.service.test_statements import audited, returned, said
from tests.world import World

EVIDENCE = "e" * 64
WHY = NewResend("银行说没有见到文件")
WEEK = 7 * 24 * 60
NOT_PAID = NewAttemptDecision("not_paid", EVIDENCE, "银行盖章答复")
Agree = Callable[..., None]


@pytest.fixture
def agree(monkeypatch: pytest.MonkeyPatch) -> Agree:
    """Other terms for the batches that are opened from here on."""

    def agreed(**other: Any) -> None:
        monkeypatch.setattr("service.batches.commands.open.terms_of", lambda *_: replace(UNSAID, **other))

    return agreed


@pytest.fixture
async def stage(tx: Tx, world: World) -> Stage:
    return await Stage.build(tx, world, claims=2)


def people(stage: Stage) -> tuple[Actor, Actor, Actor]:
    return stage.staff[Post.MAKER], stage.staff[Post.CHECKER], stage.staff[Post.RELEASER]


async def unclear(tx: Tx, stage: Stage) -> BatchView:
    """A batch whose file left over HTTP, and of which the bank cannot tell."""
    batch = await stage.written(tx)
    file = await commands.intend_to_send(tx, batch.id, stage.world.now)
    assert file is not None
    assert not await commands.settle_answer(tx, file, FileState("not_received", closed=False), stage.world.now)
    return batch


async def decide(tx: Tx, stage: Stage, who: Actor, reference: str) -> bool:
    return (await decide_attempt(tx, who, reference, NOT_PAID, stage.world.now)).decided


async def resent(tx: Tx, stage: Stage, batch: BatchView, days: int = 0) -> bool:
    """Whether two persons' word let the bytes leave, so many days later."""
    at = stage.world.now + timedelta(days)
    for who in people(stage)[:2]:
        await commands.say_resend(tx, who, batch.id, WHY, at)
    return await commands.intend_to_resend(tx, batch.id, at) is not None


# ---- resends beside what ends the unknown


async def test_a_file_of_which_one_payment_is_decided_is_not_resent(tx: Tx, stage: Stage, agree: Agree) -> None:
    """The bank may see it for the first time, and pay what two persons said was not paid and another batch pays."""
    agree(duplicate_minutes=WEEK)
    batch, (maker, checker, _) = await unclear(tx, stage), people(stage)
    reference = (await lines_of(tx, batch.id))[0].reference
    for who in (maker, checker):  # confirmed, and its job has not come to it yet
        await commands.say_resend(tx, who, batch.id, WHY, stage.world.now)
    assert [await decide(tx, stage, who, reference) for who in (maker, checker)] == [False, True]
    assert sorted(await attempt_statuses(tx, batch.id)) == ["failed", "unknown"]
    assert await commands.intend_to_resend(tx, batch.id, stage.world.now) is None
    again = commands.say_resend(tx, maker, batch.id, WHY, stage.world.now)
    assert await code_of(again) == "bank_file.not_unknown"
    # nor by raw SQL, as the service's own role
    savepoint = await tx.begin_nested()
    with pytest.raises(DBAPIError) as refusal:
        await tx.execute(
            text("""INSERT INTO bank_file_sendings (id, batch_id, kind, sha256, began_at, resend_id)
                    SELECT gen_random_uuid(), r.batch_id, 'resent', f.sha256, :at, r.id
                      FROM bank_file_resends r JOIN bank_files f ON f.batch_id = r.batch_id
                     WHERE r.batch_id = :id AND r.confirmed_person IS NOT NULL"""),
            {"id": batch.id, "at": stage.world.now},
        )
    assert refusal.value.orig.sqlstate == "ZD212"  # type: ignore[union-attr]
    await savepoint.rollback()


async def test_what_was_said_before_a_resend_is_not_confirmed_after_it(tx: Tx, stage: Stage, agree: Agree) -> None:
    """The bank's word that it has nothing is from before the bytes left once more."""
    agree(duplicate_minutes=WEEK)
    batch, (maker, checker, releaser) = await unclear(tx, stage), people(stage)
    reference = (await lines_of(tx, batch.id))[0].reference
    assert not await decide(tx, stage, maker, reference)
    assert await resent(tx, stage, batch)
    savepoint = await tx.begin_nested()
    with pytest.raises(DBAPIError) as refusal:
        await tx.execute(
            text("""UPDATE attempt_decisions SET closed_at = now(), confirmed_by = :user, confirmed_person = :person
                     WHERE attempt_id = (SELECT id FROM payment_attempts WHERE reference = :reference)"""),
            {"user": checker.user_id, "person": checker.person_id, "reference": reference},
        )
    assert refusal.value.orig.sqlstate == "ZD270"  # type: ignore[union-attr]
    await savepoint.rollback()
    assert not await decide(tx, stage, checker, reference)  # it is said anew, and waits for another
    assert set(await attempt_statuses(tx, batch.id)) == {"unknown"}
    later = replace(stage.world, now=stage.world.now + timedelta(hours=1))
    stage.world = later
    assert not await decide(tx, stage, maker, reference)
    assert await decide(tx, stage, releaser, reference)


async def test_absence_is_counted_from_the_last_time_that_the_bytes_left(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(duplicate_minutes=WEEK)
    batch = await unclear(tx, stage)
    await stage.world.set_policy(tx, "debits_singly", {batch.terms["bank"]: 3})
    assert await resent(tx, stage, batch, days=5)
    await said(tx, stage, batch, [], 1)
    await said(tx, stage, batch, [], 2, 6)
    assert set(await attempt_statuses(tx, batch.id)) == {"unknown"}
    await said(tx, stage, batch, [], 3, 20)
    assert set(await attempt_statuses(tx, batch.id)) == {"failed"}
    await audited(tx)


async def test_absence_says_nothing_of_a_file_that_somebody_may_still_carry(
    tx: Tx, stage: Stage, agree: Agree
) -> None:
    """Who took it out may come to the counter next month; the bank has said nothing of the id."""
    agree(way=BankWay.FILES)
    batch, (maker, checker, _), now = await stage.written(tx), people(stage), stage.world.now
    await stage.world.set_policy(tx, "debits_singly", {batch.terms["bank"]: 1})
    await commands.take_file(tx, maker, batch.id, now)
    for who in (maker, checker):
        await commands.say_of_file(tx, who, batch.id, NewFileWord("unclear", EVIDENCE), now)
    await said(tx, stage, batch, [], 1)
    await said(tx, stage, batch, [], 2, 20)
    assert set(await attempt_statuses(tx, batch.id)) == {"unknown"}


async def test_absence_of_a_carried_file_is_counted_from_its_handing_over(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(way=BankWay.FILES)
    batch, (maker, checker, _), now = await stage.written(tx), people(stage), stage.world.now
    await stage.world.set_policy(tx, "debits_singly", {batch.terms["bank"]: 3})
    about = await commands.take_file(tx, maker, batch.id, now)
    late = now + timedelta(days=5)
    await commands.hand_over(tx, checker, batch.id, NewHandover(about.sha256, EVIDENCE), late)
    await returned(tx, stage, batch, "unknown", "unknown")
    await said(tx, stage, batch, [], 1)
    await said(tx, stage, batch, [], 2, 6)
    assert set(await attempt_statuses(tx, batch.id)) == {"unknown"}
    await said(tx, stage, batch, [], 3, 20)
    assert set(await attempt_statuses(tx, batch.id)) == {"failed"}
    await audited(tx)


# ---- a backup that was put back


async def test_a_resend_that_waits_is_stopped_when_a_backup_is_put_back(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(duplicate_minutes=WEEK)
    batch = await unclear(tx, stage)
    for who in people(stage)[:2]:
        await commands.say_resend(tx, who, batch.id, WHY, stage.world.now)
    assert Job.RESEND_BANK_FILE in await ready_jobs(tx, batch.id)
    await commands.mark_restored(tx, stage.world.now)
    assert Job.RESEND_BANK_FILE not in await ready_jobs(tx, batch.id)


async def test_a_resend_beside_a_payment_that_counted_as_not_paid_is_found(
    tx: Tx, stage: Stage, agree: Agree
) -> None:
    agree(duplicate_minutes=WEEK)
    batch = await unclear(tx, stage)
    attempt = (await lines_of(tx, batch.id))[0].id
    await record(tx, "attempt", [attempt], "fail", By("tests", stage.world.now), [{"status": "failed"}])
    assert await first_breach(tx, BYTES_LEFT.checks) is None
    assert await resent(tx, stage, batch)
    breach = await first_breach(tx, BYTES_LEFT.checks)
    assert breach is not None
    assert breach.says == "再送的代发文件里，有支付已经算作没有付成"


async def test_a_file_that_was_carried_when_a_backup_was_put_back_ends_by_the_banks_word(
    tx: Tx, stage: Stage, agree: Agree
) -> None:
    """Nobody takes it out again, and no statement's silence ends it: what the bank gives back does."""
    agree(way=BankWay.FILES)
    batch, (maker, checker, _), now = await stage.written(tx), people(stage), stage.world.now
    await stage.world.set_policy(tx, "debits_singly", {batch.terms["bank"]: 1})
    about = await commands.take_file(tx, maker, batch.id, now)
    await commands.mark_restored(tx, now)
    assert set(await attempt_statuses(tx, batch.id)) == {"unknown"}
    receipt = NewHandover(about.sha256, EVIDENCE)
    assert await code_of(commands.hand_over(tx, checker, batch.id, receipt, now)) == "bank_file.ended"
    assert await code_of(commands.take_file(tx, checker, batch.id, now)) == "bank_file.taken_out"
    await said(tx, stage, batch, [], 1)
    await said(tx, stage, batch, [], 2, 20)
    assert set(await attempt_statuses(tx, batch.id)) == {"unknown"}
    await returned(tx, stage, batch, "done", "failed:permanent")
    assert sorted(await attempt_statuses(tx, batch.id)) == ["done", "failed"]
    assert (await stage.see(tx, batch.id)).status == "settled"
    await audited(tx)
