"""Where what is asked back meets what came back, the bank and other causes: no fen twice, none without a way."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.actor import Post
from domain.claim import ClaimAction
from domain.clawback import Cause
from domain.fund import Movement, PositionKey
from service.accounting.queries.statement import statement, statement_lines
from service.audit.queries.answers import _NAMED, ANSWERED_ONCE
from service.audit.queries.checks import first_breach
from service.audit.queries.story import story_of
from service.claims.commands.mending import mend_account
from service.claims.commands.moves import move_claim
from service.claims.schemas import NewAccount, NewMending
from service.clawbacks.commands.demanding import answer_enforcement, propose_enforcement
from service.clawbacks.commands.raising import raise_by_hand, raise_what_stands
from service.clawbacks.queries.views import clawback_view
from service.clawbacks.schemas import NewClawback, NewEnforcement
from service.database import Tx
from service.journal import By
from service.pages import trainee
from service.reconciliation.commands import read, take_return
from service.statistics.queries.overdue import overdue
from tests.payments import a_return, lines_of, ready_jobs
from tests.repayments import Owing
from tests.service.test_amount_corrections import District
from tests.service.test_clawbacks import refusal
from tests.service.test_repayments import audited, odd
from tests.service.test_supplements import Owed
from tests.world import FUND, World
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT


async def enforce(tx: Tx, owing: Owing) -> None:
    world, office = owing.world, owing.office
    world.today, world.now = world.today + timedelta(days=31), world.now + timedelta(days=31)
    order = NewEnforcement("济历城法执〔2026〕7号", world.today.isoformat())
    await propose_enforcement(tx, office.staff(Post.MAKER), owing.clawback.id, order, world.now)
    await answer_enforcement(tx, office.staff(Post.CHECKER), owing.clawback.id, grant=True, now=world.now)


async def test_what_an_order_brings_counts_as_what_is_repaid_freely(tx: Tx, world: World) -> None:
    owing = await Owing.build(tx, world)
    await enforce(tx, owing)
    await owing.take(tx, owing.paid_in(100))
    await owing.settle(tx)
    assert ((await owing.now(tx)).status, (await owing.now(tx)).repaid_fen) == ("enforced", 100)
    await audited(tx)
    await owing.take(tx, owing.paid_in(AMOUNT - 100, "执行款"))
    (line,) = await owing.lines(tx, "exception")
    await owing.propose(tx, line, AMOUNT - 100)
    await owing.answer(tx, line)
    assert ((await owing.now(tx)).status, await owing.claim_status(tx)) == ("repaid", "recovered")
    await audited(tx)


async def test_what_came_back_before_a_waiver_is_asked_back_no_more(tx: Tx, world: World) -> None:
    owing = await Owing.build(tx, world)
    await owing.take(tx, owing.paid_in(400))
    await owing.settle(tx)
    await owing.office.propose(tx, owing.clawback.id)
    await owing.office.waive(tx, owing.clawback.id)
    again = await owing.office.by_hand(tx, Cause.SANCTION)
    assert again.amount_fen == AMOUNT - 400
    assert await refusal(owing.office.by_hand(tx, Cause.RECHECK)) == "clawback.nothing"
    owing.clawback = await owing.office.demand(tx, again.id, "济人社追〔2026〕2号")
    await owing.take(tx, owing.paid_in(AMOUNT - 400))
    await owing.settle(tx)
    assert ((await owing.now(tx)).status, await owing.claim_status(tx)) == ("repaid", "recovered")
    await audited(tx)


async def test_what_the_bank_gave_back_is_not_repaid_as_well(tx: Tx, world: World) -> None:
    """The line waits for a person; the job does not die of it."""
    owing = await Owing.build(tx, world)
    stage = owing.office.paid.stage
    found = await tx.execute(text("SELECT id FROM batches WHERE district = :d"), {"d": stage.district})
    batch = await stage.see(tx, found.scalar_one())
    (line,) = await lines_of(tx, batch.id)
    data = a_return(batch, [(line.reference, AMOUNT, "returned", "")])
    await take_return(tx, None, read(data), data, "bank", By("tests", world.now))
    assert await owing.claim_status(tx) == "bounced"
    await owing.take(tx, owing.paid_in(100))
    await owing.settle(tx)
    assert await odd(tx, owing) == [("not_open", 100, None)]
    (line_id,) = await owing.lines(tx, "exception")
    assert await refusal(owing.propose(tx, line_id, 100)) == "clawback.claim_not_paid"
    assert (await clawback_view(tx, owing.clawback.id)).repaid_fen == 0
    await audited(tx)


async def test_what_was_repaid_is_found_behind_the_months_figure(tx: Tx, world: World) -> None:
    owing = await Owing.build(tx, world)
    await owing.take(tx, owing.paid_in(100), owing.paid_in(50))
    await owing.settle(tx)
    maker, first = owing.office.staff(Post.MAKER), world.today.replace(day=1)
    of = PositionKey(owing.office.paid.stage.district, FUND, world.today.year)
    lines = (await statement_lines(tx, maker, of, first, Movement.REPAY, None, 9)).lines
    assert [(each.amount_fen, each.clawback_id, each.claim_id) for each in lines] == [
        (fen, owing.clawback.id, owing.office.paid.claim_id) for fen in (100, 50)
    ]
    (month,) = (await statement(tx, maker, first, world.now)).positions
    assert month.paid_fen == AMOUNT - 150
    assert next(each.amount_fen for each in month.moved if each.kind == "repay") == 150


async def test_the_story_of_a_claim_tells_what_was_repaid(tx: Tx, world: World) -> None:
    owing = await Owing.build(tx, world)
    await owing.take(tx, owing.paid_in(100), owing.paid_in(50, "退钱"))
    await owing.settle(tx)
    (line,) = await owing.lines(tx, "exception")
    await owing.propose(tx, line, 50)
    await owing.answer(tx, line)
    story = await story_of(tx, world.staff[Post.AUDITOR], owing.office.paid.claim_id)
    told = [step.what for step in story.steps]
    assert [each.split("，")[0] for each in told if each.startswith("退回 ")] == ["退回 1 元", "退回 0.50 元"]
    assert told.count("对账单上有一行是退回的钱，计入。") == 2
    assert told.count("另一个人答复了这一行是不是退回的钱。") == 1


async def test_a_supplement_is_late_by_its_payment_not_by_a_review(tx: Tx, world: World) -> None:
    owed = await Owed.build(tx, world)
    await owed.pay(tx)
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    reviewer, late = owed.paid.reviewer, world.today + timedelta(days=60)
    steps = {step.step: [each.claim_id for each in step.oldest] for step in (await overdue(tx, reviewer, late)).steps}
    assert steps == {"review": [], "payment": [owed.supplement_id]}


async def test_a_claimant_reads_of_a_supplement_what_is_so(tx: Tx, world: World) -> None:
    owed = await Owed.build(tx, world)
    position = text("SELECT free_fen FROM fund_positions WHERE district = :district")
    free = (await tx.execute(position, {"district": owed.paid.stage.district})).scalar_one()
    await world.appropriate(tx, owed.paid.stage.district, 1 - free)
    await owed.pay(tx)
    shown = await trainee.claim(tx, owed.paid.trainee.actor, owed.supplement_id, world.today)
    assert (shown["stage"].now, shown["may_withdraw"]) == ("之前少发了，要补给你。", False)
    assert [each.state for each in shown["stops"]] == ["done", "now", ""]
    await world.appropriate(tx, owed.paid.stage.district, 9 * AMOUNT)
    await owed.pay(tx)
    shown = await trainee.claim(tx, owed.paid.trainee.actor, owed.supplement_id, world.today)
    assert (shown["stage"].now, shown["may_withdraw"]) == ("补发的钱已经留好。", False)
    assert [each.state for each in shown["stops"]] == ["done", "done", "now"]


@pytest.mark.parametrize(
    ("route", "kind"),
    [
        ("batches/delegations", "batch_delegation"),
        ("amount-corrections", "amount_correction"),
        ("clawbacks", "clawback"),
        ("claims/{id}/appeal-amount", "amount_appeal"),
        ("account-checks/{id}/answer", "account_check"),
        ("statement-lines/{id}/repayment", "repayment_proposal"),
    ],
)
async def test_what_was_answered_is_looked_for_where_it_is(tx: Tx, world: World, route: str, kind: str) -> None:
    """An answer that names a row of this kind is a breach while there is no such row, and of no other kind."""
    user, missing = world.staff[Post.MAKER].user_id, uuid4()
    kept = text(
        "INSERT INTO idempotency_keys (user_id, route, key, body_sha256, answer) VALUES (:u, :r, 'k', '', :a)"
    )
    said = {"u": user, "r": f"POST /api/{route.format(id=missing)}", "a": f'{{"id": "{missing}"}}'}
    await tx.execute(kept, said)
    named = text(f"SELECT kind FROM ({_NAMED}) AS named WHERE user_id = :u AND id = :id")
    assert list((await tx.execute(named, {"u": user, "id": missing})).scalars()) == [kind]


async def test_who_names_an_account_that_waits_for_a_check_has_done_so(tx: Tx, world: World) -> None:
    """Of a supplement, which nobody filed, the journal has no other act of theirs."""
    owed = await Owed.build(tx, world)
    await owed.pay(tx)
    await owed.told(tx, await owed.paid.stage.sent(tx), "failed:permanent")
    await world.set_policy(tx, "new_account_check_fen", 1)
    me = owed.paid.trainee
    account = NewAccount(world.maker.card(), me.made.name, world.maker.bank_code())
    view = await mend_account(tx, me.actor, owed.supplement_id, NewMending(account), world.now)
    assert view.status == "bounced"
    await tx.execute(
        text("INSERT INTO idempotency_keys (user_id, route, key, body_sha256, answer) VALUES (:u, :r, 'k', '', :a)"),
        {
            "u": me.actor.user_id,
            "r": f"POST /api/claims/{view.id}/account",
            "a": json.dumps({"id": str(view.id), "status": view.status}),
        },
    )
    mine = [each for each in ANSWERED_ONCE.checks if each.table == "idempotency_keys"]
    assert await first_breach(tx, mine) is None


async def test_a_supplement_follows_when_two_causes_leave_nothing_of_its_claim(tx: Tx, world: World) -> None:
    """Less was due at first, then more again; a sanction takes what is left of the claim."""
    there = await District.build(tx, world, 1)
    (claim,) = there.stage.claims
    await there.corrected(tx, AMOUNT - 60_000)
    await there.answer(tx, await there.propose(tx))
    await there.settled(tx, AMOUNT - 30_000)
    (supplement,) = await there.supplements(tx)
    new = NewClawback(claim, Cause.SANCTION, "审计发现", None)
    assert (await raise_by_hand(tx, there.one, new, world.now)).amount_fen == AMOUNT - 60_000
    assert "clawbacks.raise_clawback" in await ready_jobs(tx, claim)
    await raise_what_stands(tx, [claim], world.now)
    asked = [(claim, 60_000), (claim, AMOUNT - 60_000), (supplement.id, 30_000)]
    assert await there.clawbacks(tx) == sorted((str(each), fen) for each, fen in asked)


async def test_something_is_left_of_a_claim_of_which_its_supplement_is_asked_back(tx: Tx, world: World) -> None:
    there = await District.build(tx, world, 1)
    (claim,) = there.stage.claims
    await there.settled(tx, AMOUNT + 10_000)
    await there.corrected(tx, 10_000)
    await there.answer(tx, await there.propose(tx))
    (supplement,) = await there.supplements(tx)
    assert await there.clawbacks(tx) == sorted([(str(claim), AMOUNT - 10_000), (str(supplement.id), 10_000)])


async def test_no_claim_is_recovered_that_nobody_repaid(tx: Tx, world: World) -> None:
    """The ledger knows a movement of its own for it, from before there were repayments; it frees nothing any more."""
    owing = await Owing.build(tx, world)
    with pytest.raises(DBAPIError) as caught:
        await move_claim(tx, ClaimAction.RECOVER, owing.office.paid.claim_id, By("tests", world.now))
    assert getattr(getattr(caught.value.orig, "__cause__", None), "sqlstate", None) == "ZD280"
