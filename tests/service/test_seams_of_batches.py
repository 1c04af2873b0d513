"""Where the parts about batches meet: answers and the audit, forms of files, the desk, signatures, and banks."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import text

from domain.actor import Actor, Post
from domain.agent_bank import BankFormat, BankWay
from domain.batch import CHECKS, Step
from service.audit.queries.answers import ANSWERED_ONCE, COMMITTED
from service.audit.queries.checks import first_breach
from service.audit.queries.territory import TERRITORY
from service.batches import commands
from service.batches.schemas import (
    BatchView,
    DelegationView,
    NewBatchHold,
    NewDelegation,
    NewFileWord,
)
from service.database import Tx
from service.gateways.bank import FileState
from service.idempotency import Once
from service.journal import By, record
from service.operations.queries.desk import desk
from service.operations.queries.figures import exposition
from tests import statements
from tests.payments import Stage, attempt_statuses, claim_statuses, lines_of, shown
from tests.service.test_batch_desk import code_of
from tests.service.test_iso_returns import report, take
from tests.service.test_seams_of_money import EVIDENCE, WEEK, WHY, Agree, agree, decide, people, stage, unclear
from tests.service.test_statements import audited, credit, debit, said
from tests.service.test_statements import take as take_statement

__all__ = ["agree", "stage"]


# ---- answers


def once(me: Actor, route: str) -> Once:
    return Once(me.user_id, f"POST /api/batches/{route}", str(uuid4()), b"-")


async def breaches(tx: Tx, *persons: Actor) -> list[str]:
    """What the audit says of these persons' answers."""
    found = []
    for check in (*COMMITTED.checks, ANSWERED_ONCE.checks[2]):
        found += [str(row[0]) for row in await tx.execute(text(check.broken))]
    return [each for each in found if any(str(who.user_id) in each for who in persons)]


async def test_the_audit_knows_what_answers_about_delegations_and_holds_name(tx: Tx, stage: Stage) -> None:
    world, now = stage.world, stage.world.now
    maker, checker, releaser = people(stage)
    city, other = [await world.user(tx, {Post.CHECKER}, None) for _ in range(2)]
    login = await tx.execute(text("SELECT login FROM users WHERE id = :id"), {"id": city.user_id})
    new = NewDelegation(stage.district, "checker", login.scalar_one(), world.today, world.today, "缺人")
    proposer = await world.user(tx, {Post.RELEASER}, None)
    act = once(proposer, "delegations")
    view = await act(tx, DelegationView, lambda: commands.propose_delegation(tx, proposer, new, world.today, now))
    act = once(other, f"delegations/{view.view.id}/confirm")
    await act(tx, DelegationView, lambda: commands.confirm_delegation(tx, other, view.view.id, now))
    batch = await stage.frozen(tx)
    hold = NewBatchHold("other")
    await once(checker, f"{batch.id}/hold")(
        tx, BatchView, lambda: commands.hold_batch(tx, checker, batch.id, hold, now)
    )
    await once(releaser, f"{batch.id}/lift")(
        tx, BatchView, lambda: commands.lift_batch(tx, releaser, batch.id, "", now)
    )
    assert await breaches(tx, proposer, other, checker, releaser) == []
    # what is not there is still seen
    for route in ("delegations", "x/hold"):
        await tx.execute(
            text("""INSERT INTO idempotency_keys (user_id, route, key, body_sha256, answer)
                    VALUES (:user, :route, 'k', '-', jsonb_build_object('id', gen_random_uuid()))"""),
            {"user": maker.user_id, "route": f"POST /api/batches/{route}"},
        )
    assert len({*await breaches(tx, maker)}) == 2


# ---- lines that the bank's form cannot hold


async def test_a_line_that_the_form_cannot_hold_stays_out_with_its_reason(tx: Tx, stage: Stage, agree: Agree) -> None:
    """It would be signed by three, and then fail for ever as the file is written."""
    agree(format=BankFormat.AGENT_GBK)
    gone = await stage.claim(tx, await stage.world.trainee(tx, stage.world.maker.person()._replace(name="王\ue000")))
    batch = await stage.frozen(tx)
    (line,) = batch.left_out
    assert (line.claim_id, line.codes, batch.line_count) == (gone, ["batch.not_carried"], 2)
    assert "账户" in line.said
    assert await claim_statuses(tx, stage.claims) == ["batched", "batched", "in_review"]
    await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), stage.world.now)
    await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), stage.world.now)
    await stage.release(tx, batch)
    await commands.write_bank_file(tx, batch.id, stage.world.now)
    await commands.intend_to_send(tx, batch.id, stage.world.now)
    assert set(await attempt_statuses(tx, batch.id)) == {"sending"}


async def test_a_batch_is_not_opened_whose_file_could_name_neither_account_nor_bank(
    tx: Tx, stage: Stage, agree: Agree
) -> None:
    for bank in ("代发|银行", "代发银行\ue000"):
        agree(format=BankFormat.AGENT_GBK, bank=bank)
        assert await code_of(stage.open(tx)) == "bank_file.not_carried"
    agree(format=BankFormat.AGENT_GBK)
    assert (await stage.open(tx)).status == "opened"


# ---- what the desk of operations sees


async def test_the_desk_sees_what_waits_for_a_person(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(way=BankWay.FILES)
    batch, (maker, checker, releaser), now = await stage.frozen(tx), people(stage), stage.world.now
    await commands.hold_batch(tx, checker, batch.id, NewBatchHold("other"), now)
    assert await waiting(tx, stage) == {"held": 1}
    await commands.lift_batch(tx, releaser, batch.id, "", now)
    await commands.submit_batch(tx, maker, batch.id, shown(batch), now)
    await commands.check_batch(tx, checker, batch.id, shown(batch), now)
    await stage.release(tx, batch)
    await commands.write_bank_file(tx, batch.id, now)
    await commands.take_file(tx, maker, batch.id, now)
    assert await waiting(tx, stage) == {"taken_out": 1}
    unclear = NewFileWord("unclear", EVIDENCE)
    await commands.say_of_file(tx, checker, batch.id, unclear, now)
    assert await waiting(tx, stage) == {"taken_out": 1, "unclear": 1}
    await commands.say_of_file(tx, releaser, batch.id, unclear, now)
    assert await waiting(tx, stage) == {}
    assert not await decide(tx, stage, maker, (await lines_of(tx, batch.id))[0].reference)
    (decision,) = (await desk(tx, stage.district, now)).waiting
    assert (decision.kind, decision.sum_fen) == ("decision", (await lines_of(tx, batch.id))[0].amount_fen)


async def test_the_desk_sees_a_resend_that_one_person_proposed(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(duplicate_minutes=WEEK)
    batch = await unclear(tx, stage)
    await commands.say_resend(tx, people(stage)[0], batch.id, WHY, stage.world.now)
    assert await waiting(tx, stage) == {"resend": 1}
    assert (await desk(tx, "370199", stage.world.now)).waiting == []


async def test_the_desk_sees_statements_and_lines_that_are_nobodys(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    await said(tx, stage, batch, [debit("ZZZ"), debit("YYY")], 1)
    await said(tx, stage, batch, [], 5, 3)
    view = await desk(tx, stage.district, stage.world.now)
    assert {each.kind: each.count for each in view.exceptions} == {
        "statement:unknown_reference": 2,
        "statement:blocked": 1,
    }
    assert {each.code: each.count for each in view.alarms} == {"exceptions": 3}
    assert b'kind="statement:blocked"' in exposition(view)


async def waiting(tx: Tx, stage: Stage) -> dict[str, int]:
    return {each.kind: each.count for each in (await desk(tx, stage.district, stage.world.now)).waiting}


async def test_lines_that_a_stranger_made_leave_are_found_by_the_audit(tx: Tx, stage: Stage) -> None:
    batch = await stage.frozen(tx)
    for kind in ("batch_left_out", "batch_register_check"):
        savepoint = await tx.begin_nested()
        by = By.actor(stage.world.other_staff[Post.MAKER], Post.MAKER, stage.world.now)
        await record(tx, kind, [batch.id], "submit", by, [{}])
        assert await first_breach(tx, TERRITORY.checks) is not None
        await savepoint.rollback()
    assert await first_breach(tx, TERRITORY.checks) is None


# ---- from one end to the other


async def test_an_iso_batch_of_which_a_line_left_is_paid_booked_and_closed(
    tx: Tx, stage: Stage, agree: Agree
) -> None:
    """The line that left before signing is in no message, and what the bank says of all is said of the others."""
    agree(format=BankFormat.ISO20022)
    gone, now, maker = await stage.claim(tx), stage.world.now, stage.staff[Post.MAKER]
    batch = await stage.frozen(tx)
    await stage.world.registered(tx, gone, "revoked", now + timedelta(minutes=1))
    batch = await commands.submit_batch(tx, maker, batch.id, shown(batch), now)
    assert (batch.status, batch.line_count) == ("frozen", 2)
    await commands.submit_batch(tx, maker, batch.id, shown(batch), now)
    await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), now)
    await stage.release(tx, batch)
    await commands.write_bank_file(tx, batch.id, now)
    file = await commands.intend_to_send(tx, batch.id, now)
    assert file is not None
    lines = await lines_of(tx, batch.id)
    (left,) = [line.reference for line in lines if line.status == "void"]
    assert (file.data.count(b"<EndToEndId>"), left.encode() in file.data) == (2, False)
    assert await commands.settle_answer(tx, file, FileState("accepted", sha256=file.sha256), now)
    total = f"{shown(batch).sum_fen / 100:.2f}"
    of_all = f"<OrgnlNbOfTxs>2</OrgnlNbOfTxs><OrgnlCtrlSum>{total}</OrgnlCtrlSum><GrpSts>ACSC</GrpSts>"
    assert await take(tx, stage, report(batch, f"{of_all}</OrgnlGrpInfAndSts>")) == (2, 0, 0)
    assert sorted(await attempt_statuses(tx, batch.id)) == ["done", "done", "void"]
    assert await claim_statuses(tx, stage.claims) == ["paid", "paid", "in_review"]
    # the account's own statement: the file in one sum, and a payment that comes back days later
    back = next(line for line in lines if line.status != "void")
    booked = [debit(batch.number, shown(batch).sum_fen), credit(back.reference, back.amount_fen)]
    data = statements.camt053(batch.debit_account, 1, stage.world.today, booked)
    view = await take_statement(tx, stage, data, "camt053")
    assert (view.owned, view.exceptions) == (2, 0)
    assert sorted(await attempt_statuses(tx, batch.id)) == ["done", "returned", "void"]
    assert (await stage.see(tx, batch.id)).status == "settled"
    await audited(tx)


async def test_every_signature_asks_for_a_proof_also_of_who_stands_in(tx: Tx, stage: Stage) -> None:
    world, now = stage.world, stage.world.now
    await world.set_policy(tx, "batch_check_steps", {"two_from_fen": 1, "three_from_fen": 2})
    batch, (maker, checker, _) = await stage.frozen(tx), people(stage)
    second, city, *others = [
        await world.user(tx, {post}, district)
        for post, district in (
            (Post.CHECKER, stage.district),
            *((post, None) for post in (Post.CHECKER, Post.RELEASER, Post.MAKER)),
        )
    ]
    login = (await tx.execute(text("SELECT login FROM users WHERE id = :id"), {"id": city.user_id})).scalar_one()
    new = NewDelegation(stage.district, "checker", login, world.today, world.today, "缺人")
    proposed = await commands.propose_delegation(tx, others[0], new, world.today, now)
    await commands.confirm_delegation(tx, others[1], proposed.id, now)

    async def needs_a_proof(step: Step, act: Callable[[], Awaitable[object]]) -> None:
        """Refused while codes are asked for; signed where the policy asks for none."""
        point = await tx.begin_nested()
        await world.set_policy(tx, "step_up", "signatures")
        assert await code_of(act()) == "step_up.needed", step
        await point.rollback()
        await act()

    await needs_a_proof(Step.ASSEMBLE, lambda: commands.submit_batch(tx, maker, batch.id, shown(batch), now))
    for step, who in zip(CHECKS, (checker, second, city), strict=True):
        await needs_a_proof(step, lambda who=who: commands.check_batch(tx, who, batch.id, shown(batch), now))  # type: ignore[misc]
    await needs_a_proof(Step.RELEASE, lambda: stage.release(tx, batch))
    signed = (await stage.see(tx, batch.id)).signatures
    assert [(each.step, each.stands_in) for each in signed] == [(step, step is Step.CHECK_3) for step in Step]


async def test_a_held_batch_is_not_taken_out(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(way=BankWay.FILES)
    batch, (maker, checker, releaser), now = await stage.written(tx), people(stage), stage.world.now
    await commands.hold_batch(tx, checker, batch.id, NewBatchHold("other"), now)
    assert await code_of(commands.take_file(tx, maker, batch.id, now)) == "batch.held"
    assert await code_of(commands.open_file(tx, maker, batch.id, now)) == "bank_file.not_taken_out"
    await commands.lift_batch(tx, releaser, batch.id, "", now)
    await commands.take_file(tx, maker, batch.id, now)
    assert await code_of(commands.hold_batch(tx, checker, batch.id, NewBatchHold("other"), now)) == (
        "batch.past_no_return"
    )


async def test_a_series_of_which_the_first_batch_is_given_up_pays_the_rest(
    tx: Tx, stage: Stage, agree: Agree
) -> None:
    agree(lines_max=2)
    for _ in range(2):
        await stage.claim(tx)
    maker, now = stage.staff[Post.MAKER], stage.world.now
    first = await stage.frozen(tx)
    (sibling,) = first.siblings
    await commands.dissolve_batch(tx, maker, first.id, "示例", now)
    await commands.assemble(tx, sibling.id, now)  # takes what is due now, of the first or not
    seen = await stage.see(tx, sibling.id)
    assert (seen.status, seen.line_count, next(each.status for each in seen.siblings)) == ("frozen", 2, "dissolved")
    while following := [each for each in (await stage.see(tx, first.id)).siblings if each.status == "opened"]:
        await commands.assemble(tx, following[0].id, now)
    assert sorted(await claim_statuses(tx, stage.claims)) == ["batched"] * 4
    await audited(tx)
