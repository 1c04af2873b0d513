"""A clawback comes back in parts, from lines of statements; no line counts twice, and no fen is made or lost."""

from collections.abc import Awaitable
from typing import Any

import pytest
from sqlalchemy import text

from domain.actor import Post
from domain.clawback import clawback_number
from domain.errors import DomainError
from service.audit.queries.checks import first_breach
from service.audit.queries.corrections import CORRECTIONS
from service.audit.queries.funds import MONEY_CONSERVED
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.audit.queries.statements import REPAYMENTS_ADD_UP
from service.audit.queries.territory import TERRITORY
from service.clawbacks.queries.repayments import list_repayments
from service.database import Tx
from service.journal import By
from service.reconciliation.commands import read, take_return
from service.statements.queries.statements import list_lines
from tests.payments import a_return, lines_of
from tests.repayments import Owing
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World


async def refusal(asked: Awaitable[Any]) -> str:
    with pytest.raises(DomainError) as caught:
        await asked
    return caught.value.code


async def audited(tx: Tx) -> None:
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    await tx.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    for promise in (REPAYMENTS_ADD_UP, MONEY_CONSERVED, CORRECTIONS, JOURNALLED, LEGAL_MOVES, TERRITORY):
        assert await first_breach(tx, promise.checks) is None


async def odd(tx: Tx, owing: Owing) -> list[tuple[str, int, int | None]]:
    lines = (await list_lines(tx, owing.office.staff(Post.MAKER), None, 100, odd=True)).lines
    return [(each.exception, each.amount_fen, each.expected_fen) for each in lines]


async def test_a_claim_is_recovered_once_every_fen_is_back(tx: Tx, world: World) -> None:
    owing = await Owing.build(tx, world)
    paid, free = await owing.money(tx)
    view = await owing.take(tx, owing.paid_in(1_000), owing.paid_in(500, f"还款{owing.clawback.number}谢谢"))
    assert (view.owned, view.waiting, view.exceptions) == (0, 2, 0)
    await owing.settle(tx)
    now = await owing.now(tx)
    assert (now.status, now.repaid_fen) == ("part_repaid", 1_500)
    assert await owing.money(tx) == (paid - 1_500, free + 1_500)
    assert await owing.claim_status(tx) == "paid"
    await audited(tx)
    await owing.settle(tx)  # the job may run twice
    await owing.take(tx, owing.paid_in(AMOUNT - 1_500))
    await owing.settle(tx)
    assert ((await owing.now(tx)).status, await owing.claim_status(tx)) == ("repaid", "recovered")
    assert await owing.money(tx) == (paid - AMOUNT, free + AMOUNT)
    shown = await list_repayments(tx, owing.office.staff(Post.MAKER), owing.clawback.id)
    assert ([each.amount_fen for each in shown.repayments], shown.left_fen) == ([1_000, 500, AMOUNT - 1_500], 0)
    await audited(tx)


async def test_a_claim_stays_paid_where_a_part_of_it_was_owed(tx: Tx, world: World) -> None:
    owing = await Owing.build(tx, world, fen=300)
    await owing.take(tx, owing.paid_in(300), owing.paid_in(300))
    await owing.settle(tx)
    assert ((await owing.now(tx)).status, await owing.claim_status(tx)) == ("repaid", "paid")
    assert await odd(tx, owing) == [("not_open", 300, None)]  # paid once more than was owed
    await audited(tx)


async def test_what_does_not_fit_is_for_a_person(tx: Tx, world: World) -> None:
    owing, other = await Owing.build(tx, world, fen=300), await Owing.build(tx, world, fen=300)
    lines = [
        owing.paid_in(301),
        owing.paid_in(5, clawback_number(99_999_999)),
        owing.paid_in(5, other.clawback.number),
    ]
    await owing.take(tx, *lines, owing.paid_in(100))
    await owing.settle(tx)
    assert [each for each, *_ in await odd(tx, owing)] == ["overpaid", "no_clawback", "no_clawback"]
    assert (await odd(tx, owing))[0] == ("overpaid", 301, 300)
    assert (await owing.now(tx)).repaid_fen == 100  # the others wait, and keep nobody waiting
    await audited(tx)


async def test_two_persons_assign_a_line_without_a_number(tx: Tx, world: World) -> None:
    owing = await Owing.build(tx, world, fen=300)
    await owing.take(tx, owing.paid_in(400, "退钱"))
    (line,) = await owing.lines(tx, "exception")
    assert await refusal(owing.answer(tx, line)) == "repayment.none"
    assert await refusal(owing.propose(tx, line, 401)) == "repayment.not_a_credit"
    assert await refusal(owing.propose(tx, line, 301)) == "clawback.overpaid"
    await owing.propose(tx, line, 300)
    assert await refusal(owing.propose(tx, line, 300, Post.CHECKER)) == "repayment.proposed"
    assert await refusal(owing.answer(tx, line, Post.MAKER)) == "clawback.same_person"
    assert (await owing.answer(tx, line, grant=False)).granted is False
    assert (await owing.now(tx)).repaid_fen == 0
    await owing.propose(tx, line, 300)
    assert (await owing.answer(tx, line)).granted is True
    assert (await owing.now(tx)).status == "repaid"
    assert await odd(tx, owing) == []
    assert await refusal(owing.propose(tx, line, 1)) == "exception.resolved"
    await audited(tx)


async def test_money_that_the_bank_gives_back_too_moves_nothing(tx: Tx, world: World) -> None:
    owing = await Owing.build(tx, world)
    await owing.take(tx, owing.paid_in(100))
    await owing.settle(tx)
    stage = owing.office.paid.stage
    found = await tx.execute(text("SELECT id FROM batches WHERE district = :d"), {"d": stage.district})
    batch = await stage.see(tx, found.scalar_one())
    (line,) = await lines_of(tx, batch.id)
    data = a_return(batch, [(line.reference, AMOUNT, "returned", "")])
    view = await take_return(tx, None, read(data), data, "bank", By("tests", world.now))
    assert (view.settled, view.exceptions) == (0, 1)
    await owing.take(tx, ("C", AMOUNT, line.reference, "", ""))
    assert await odd(tx, owing) == [("repaid_already", AMOUNT, None)]
    assert await owing.claim_status(tx) == "paid"
    await audited(tx)


async def test_a_clawback_that_was_waived_takes_no_money(tx: Tx, world: World) -> None:
    owing = await Owing.build(tx, world)
    await owing.take(tx, owing.paid_in(100))
    await owing.settle(tx)
    await owing.office.propose(tx, owing.clawback.id)
    await owing.office.waive(tx, owing.clawback.id)
    await owing.take(tx, owing.paid_in(100))
    await owing.settle(tx)
    assert await odd(tx, owing) == [("not_open", 100, None)]
    assert ((await owing.now(tx)).status, (await owing.now(tx)).repaid_fen) == ("waived", 100)
    await audited(tx)
