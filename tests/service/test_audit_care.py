"""What goes wrong and is mended keeps every promise; each promise about it, broken once, is named with its row."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from domain.actor import Actor, Post
from domain.correction import Correctable
from domain.objection import Finding, Ground
from service.audit.queries import verify
from service.audit.schemas import PromiseReport
from service.batches import commands
from service.claims.commands.correcting import correct_claim
from service.claims.commands.mending import try_again
from service.claims.commands.objections import close_objection, object_to
from service.claims.commands.sending_back import send_back
from service.claims.schemas import NewCorrection, NewFault, NewFinding, NewHold, NewObjection, NewSendBack
from service.database import Tx, async_url
from service.journal import By
from service.reconciliation import commands as reconciliation
from service.reconciliation.schemas import NewAttemptDecision, Outcome
from tests.conftest import Databases
from tests.objections import PaidForThem
from tests.payments import Stage, a_return, lines_of
from tests.service.season import fresh_database, keep_answers
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World


@pytest.fixture(scope="module")
async def admin(databases: Databases) -> AsyncIterator[AsyncEngine]:
    """A database in which much went wrong and all of it was mended; the admin's engine may break it."""
    async with fresh_database(databases.admin_url, "care") as name:
        app, admin = (
            create_async_engine(async_url(f"{url.rpartition('/')[0]}/{name}"), poolclass=NullPool)
            for url in (databases.app_url, databases.admin_url)
        )
        async with app.begin() as tx:
            await _play(tx)
        await app.dispose()
        yield admin
        await admin.dispose()


async def _play(tx: Tx) -> None:
    world = await World.build(tx)
    stage = await Stage.build(tx, world, claims=4)
    reviewer = await world.user(tx, {Post.REVIEWER}, stage.district)
    await _corrected(tx, stage, reviewer)
    await stage.released(tx)
    await commands.hold(tx, reviewer, stage.claims[0], NewHold("complaint"), world.now)
    await commands.lift(tx, reviewer, stage.claims[0], "", world.today, world.now)
    batch = await stage.sent(tx)
    paid, not_paid, passing, returned = [line.reference for line in await lines_of(tx, batch.id)]
    for said in (
        [(paid, "unknown"), (not_paid, "failed:unknown"), (passing, "failed:temporary"), (returned, "unknown")],
        [(returned, "returned")],
    ):
        data = a_return(batch, [(reference, AMOUNT, code, "") for reference, code in said])
        by = By("tests", world.now)
        await reconciliation.take_return(tx, None, reconciliation.read(data), data, "bank", by)
    outcomes: tuple[tuple[str, Outcome], ...] = ((paid, "paid"), (not_paid, "not_paid"))
    for reference, outcome in outcomes:
        for post in (Post.MAKER, Post.CHECKER):
            new = NewAttemptDecision(outcome, "e" * 64)
            await reconciliation.decide_attempt(tx, stage.staff[post], reference, new, world.now)
    lines = {line.reference: line.claim_id for line in await lines_of(tx, batch.id)}
    for reference in (not_paid, passing):
        await try_again(tx, stage.staff[Post.MAKER], lines[reference], "", world.now)
    await stage.sent(tx)
    await commands.hold(tx, reviewer, lines[returned], NewHold("complaint"), world.now)
    paid_for_them = await PaidForThem.build(tx, world)
    trainee, now = paid_for_them.trainee.actor, world.now
    await commands.revoke(tx, trainee, paid_for_them.mandate_id, "", world.today, now)
    objection = NewObjection(Ground.REVOKED, "收回了协议")
    opened = await object_to(tx, trainee, paid_for_them.claim_id, objection, now)
    await close_objection(tx, paid_for_them.reviewer, opened.id, NewFinding(Finding.UPHELD, "属实"), now)
    await keep_answers(tx)


async def _corrected(tx: Tx, stage: Stage, reviewer: Actor) -> None:
    """One claim sent back and corrected to another amount, another still sent back."""
    world = stage.world
    trainee = await world.trainee(tx)
    new = NewSendBack([NewFault("other", Correctable.LEVEL), NewFault("other", Correctable.CERTIFICATE_NUMBER)])
    for mended in (True, False):
        claim = await world.claim(tx, "in_review", trainee, district=stage.district)
        await send_back(tx, reviewer, claim.id, new, world.today, world.now)
        if mended:
            number = world.maker.certificate("5", world.today.year)
            correction = NewCorrection(level="5", certificate_number=number)
            await correct_claim(tx, trainee.actor, claim.id, correction, world.today, world.now)


async def test_what_was_mended_keeps_every_promise(admin: AsyncEngine) -> None:
    async with admin.connect() as tx:
        reports = await verify(tx)
    assert {report.name: report.detail for report in reports if not report.held} == {}
    checked = {report.name: report.checked for report in reports}
    assert [checked[each] for each in ("unknown_ends_by_evidence", "held_and_sent_back_wait", "objections")] == [
        3,
        2,
        1,
    ]


async def _broken(admin: AsyncEngine, statement: str) -> dict[str, PromiseReport]:
    async with admin.connect() as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(text("ALTER TABLE attempt_decisions DROP CONSTRAINT ck_attempt_decisions_two_persons"))
        await tx.execute(text("ALTER TABLE claim_objections DROP CONSTRAINT ck_claim_objections_two_persons"))
        await tx.execute(text("DROP INDEX uq_treasury_transfers_voucher"))
        assert (await tx.execute(text(statement))).rowcount > 0
        reports = await verify(tx)
        await tx.rollback()
    return {report.name: report for report in reports if not report.held}


#: What is planted → the promise and table that must be named.
PLANTED = {
    "DELETE FROM attempt_decisions WHERE outcome = 'not_paid'": ("unknown_ends_by_evidence", "journal"),
    "UPDATE attempt_decisions SET outcome = 'not_paid'": ("unknown_ends_by_evidence", "journal"),
    "DELETE FROM return_lines WHERE code = 'returned'": ("unknown_ends_by_evidence", "journal"),
    "UPDATE attempt_decisions SET confirmed_person = proposed_person, confirmed_by = proposed_by": (
        "unknown_ends_by_evidence",
        "attempt_decisions",
    ),
    "UPDATE people SET merged_into = (SELECT proposed_person FROM attempt_decisions LIMIT 1)"
    " WHERE id IN (SELECT confirmed_person FROM attempt_decisions)": (
        "unknown_ends_by_evidence",
        "attempt_decisions",
    ),
    "UPDATE attempt_decisions SET confirmed_by = proposed_by": ("unknown_ends_by_evidence", "attempt_decisions"),
    """UPDATE payment_attempts a SET status = 'unknown' FROM attempt_decisions d
        WHERE d.attempt_id = a.id AND d.outcome = 'paid'""": (
        "unknown_ends_by_evidence",
        "payment_attempts",
    ),
    """INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
       SELECT 'claim', claim_id, 'batch', '{"status": "payable"}', '{"status": "batched"}', 'x', now()
         FROM claim_holds WHERE lifted_at IS NULL""": ("held_and_sent_back_wait", "claims"),
    "DELETE FROM claim_corrections WHERE corrected_at IS NULL": ("held_and_sent_back_wait", "claims"),
    "UPDATE claim_objections SET raised_person = closed_person, raised_by = closed_by": (
        "objections",
        "claim_objections",
    ),
    "DELETE FROM mandate_revocations": ("objections", "claim_objections"),
    """UPDATE people SET merged_into = (SELECT raised_person FROM claim_objections)
        WHERE id = (SELECT closed_person FROM claim_objections)""": ("objections", "claim_objections"),
    "UPDATE claim_objections SET finding = 'not_upheld'": ("objections", "claim_objections"),
    "UPDATE treasury_transfers SET voucher = 'V'": ("held_and_sent_back_wait", "treasury_transfers"),
}


@pytest.mark.parametrize("statement", PLANTED, ids=range(len(PLANTED)))
async def test_a_broken_promise_is_named(admin: AsyncEngine, statement: str) -> None:
    promise, table = PLANTED[statement]
    report = (await _broken(admin, statement))[promise]
    assert report.row is not None
    assert report.row.table == table
