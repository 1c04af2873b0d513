"""A day is closed when it is over, its statement is here, and every line of it is somebody's; then it stays so."""

from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import text

from domain.actor import Post
from domain.errors import Conflict, NotFound
from service.audit.queries.checks import first_breach
from service.audit.queries.statements import CLOSE_ADDS_UP
from service.clock import SHANGHAI
from service.database import Tx
from service.statements.commands.closing import close_by_hand, close_what_can_be
from service.statements.commands.resolving import resolve_line
from service.statements.queries.closes import ledger_of, list_closes
from service.statements.schemas import NewClose, NewLineResolution
from tests.payments import Stage
from tests.service.test_statements import credit, debit, odd, references, returned, said, stage
from tests.statements import OPENING
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT

__all__ = ["stage"]


async def audited(tx: Tx) -> None:
    assert await first_breach(tx, CLOSE_ADDS_UP.checks) is None


async def test_a_day_comes_to_what_the_bank_booked_and_names_what_differs(tx: Tx, stage: Stage) -> None:
    batch, world = await stage.sent(tx), stage.world
    one, two, three = await references(tx, batch)
    await returned(tx, stage, batch, "done", "done")
    me, later = stage.staff[Post.MAKER], world.now + timedelta(days=1)
    new = NewClose(batch.debit_account, world.today)
    with pytest.raises(NotFound):
        await close_by_hand(tx, me, new, later)  # no statement yet
    await said(tx, stage, batch, [debit(one), debit(three), credit("", 70), ("D", 5, "CHARGE", "", "")])
    for now, why in ((world.now, "day_not_over"), (later, "lines_open")):
        with pytest.raises(Conflict, match=r"close\.waits") as caught:
            await close_by_hand(tx, me, new, now)
        assert caught.value.facts["close_waits"] == why
    (line,) = await odd(tx, stage)
    await resolve_line(tx, stage.staff[Post.CHECKER], line.id, NewLineResolution("not_ours", "利息"), later)
    with pytest.raises(Conflict, match=r"close\.not_next"):
        await close_by_hand(tx, me, NewClose(batch.debit_account, world.today + timedelta(1)), later)
    view = await close_by_hand(tx, me, new, later)
    assert (view.opening_fen, view.closing_fen) == (OPENING, OPENING - 2 * AMOUNT + 70 - 5)
    assert (view.paid_fen, view.charges_fen, view.other_credits_fen, view.line_count) == (2 * AMOUNT, 5, 70, 4)
    assert view.ledger == {"send": 3 * AMOUNT, "pay": 2 * AMOUNT}
    assert [(each.kind, each.key, each.bank_fen, each.ledger_fen) for each in view.differences] == [
        ("payment", two, 0, AMOUNT),  # paid by the return file, and not debited
        ("payment", three, AMOUNT, 0),  # debited, and no return says so
    ]
    listed = await list_closes(tx, me, world.today, world.today + timedelta(1))
    assert [each.id for each in listed.closes] == [view.id]
    await audited(tx)


async def test_days_without_bookings_are_closed_up_to_the_last_statement(tx: Tx, stage: Stage) -> None:
    batch, world = await stage.sent(tx), stage.world
    refs = await references(tx, batch)
    await returned(tx, stage, batch, *["done"] * 3)
    await said(tx, stage, batch, [debit(each) for each in refs])
    rest = OPENING - 3 * AMOUNT
    await said(tx, stage, batch, [credit(refs[0])], 2, 4, opening=rest)
    assert await close_what_can_be(tx, batch.debit_account, world.now + timedelta(days=3)) == 1 + 2
    assert await close_what_can_be(tx, batch.debit_account, world.now + timedelta(days=9)) == 2
    assert await close_what_can_be(tx, batch.debit_account, world.now + timedelta(days=9)) == 0
    me = stage.staff[Post.MAKER]
    (last,) = (await list_closes(tx, me, world.today + timedelta(4), world.today + timedelta(9))).closes
    assert (last.opening_fen, last.returned_fen, last.closing_fen, last.differences) == (
        rest,
        AMOUNT,
        rest + AMOUNT,
        [],
    )
    (waiting,) = (await list_closes(tx, me, world.today, world.today + timedelta(9))).open
    assert (waiting.day, waiting.why) == (world.today + timedelta(5), "no_statement")
    await audited(tx)


async def test_a_file_debited_whole_is_compared_whole(tx: Tx, stage: Stage) -> None:
    batch, world = await stage.sent(tx), stage.world
    refs = await references(tx, batch)
    await returned(tx, stage, batch, "done", "done", "failed:permanent")
    await said(tx, stage, batch, [debit(batch.number, 3 * AMOUNT)])
    await close_what_can_be(tx, batch.debit_account, world.now + timedelta(days=1))
    (closed,) = (await list_closes(tx, stage.staff[Post.MAKER], world.today, world.today)).closes
    # what failed was debited with the rest and has not come back: both figures say so
    assert [(each.kind, each.key, each.bank_fen, each.ledger_fen) for each in closed.differences] == [
        ("file", batch.number, 3 * AMOUNT, 2 * AMOUNT)
    ]
    assert len(refs) == 3
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    await audited(tx)


async def test_the_ledgers_day_is_that_of_shanghai(tx: Tx, stage: Stage) -> None:
    batch, world = await stage.sent(tx), stage.world
    for at, codes in ((time(0, 5), ("done",)), (time(23, 55), ("done", "done"))):
        world.now = datetime.combine(world.today, at, SHANGHAI)
        await returned(tx, stage, batch, *codes)
    moved = [await ledger_of(tx, stage.district, batch.fund, world.today + timedelta(days)) for days in (-1, 0, 1)]
    assert [each.get("pay", 0) for each in moved] == [0, 2 * AMOUNT, 0]
