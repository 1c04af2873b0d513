"""Statements and repayments at the same moment from several sides, and by raw SQL as the service's role."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from domain.actor import Actor, Post
from service.audit.queries.checks import first_breach
from service.audit.queries.funds import MONEY_CONSERVED
from service.audit.queries.statements import CLOSE_ADDS_UP, REPAYMENTS_ADD_UP
from service.clawbacks.commands.demanding import answer_waiver
from service.clawbacks.commands.repaying import settle_by_number
from service.clawbacks.schemas import NewWaiverAnswer
from service.database import Tx, transaction
from service.journal import By
from service.statements.commands import taking
from service.statements.commands.closing import close_what_can_be
from tests import statements
from tests.payments import Stage
from tests.races.test_batches import at_once
from tests.races.test_promises_by_sql import CHECK, DENIED, UNIQUE
from tests.races.test_promises_by_sql import _forge as forge
from tests.races.test_promises_by_sql import _refused as refused
from tests.repayments import Owing
from tests.service.test_statements import debit, references, returned, said, unknown
from tests.statements import OPENING
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World

MONEY, NOT_THIS, NOT_REPAID, NOT_NEXT, STAYS, NOT_SHOWN, NOT_CLOSED, NOT_ITS_LINES = (
    *("ZD220", "ZD221", "ZD222", "ZD223"),
    *("ZD224", "ZD225", "ZD226", "ZD227"),
)
UNKNOWN_ENDS = "ZD016"

Act = Callable[[Tx], Awaitable[object]]


async def every_fen_is_there() -> None:
    async with transaction() as tx:
        for promise in (MONEY_CONSERVED, CLOSE_ADDS_UP, REPAYMENTS_ADD_UP):
            assert await first_breach(tx, promise.checks) is None


async def test_statements_handed_in_at_once_count_each_line_once(committed: World) -> None:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed)
        batch = await stage.sent(tx)
        one, two, three = await references(tx, batch)

    def take(data: bytes, me: Actor) -> Act:
        file = taking.read("neutral", data)
        by = By.actor(me, next(iter(me.posts)), committed.now)
        return lambda tx: taking.take_statement(tx, me, "neutral", file, data, by)

    first = statements.neutral(batch.debit_account, 1, committed.today, [debit(one)])
    rival = statements.neutral(batch.debit_account, 1, committed.today, [debit(one), debit(two)])
    second = statements.neutral(
        batch.debit_account, 2, committed.today + timedelta(1), [debit(three)], OPENING - AMOUNT
    )
    hands = [stage.staff[post] for post in (Post.MAKER, Post.CHECKER, Post.RELEASER)]
    acts = [take(data, me) for data in (first, rival, second) for me in hands]
    assert await at_once(*acts) == ["done"] * 9
    async with transaction() as tx:
        rows = await tx.execute(
            text("SELECT attempt_id, count(*) FROM statement_lines WHERE account = :a GROUP BY attempt_id"),
            {"a": batch.debit_account},
        )
        counted = rows.all()
    assert counted
    assert {row.count for row in counted} == {1}
    await every_fen_is_there()


async def test_a_repayment_is_counted_once_and_never_beside_a_waiver(committed: World) -> None:
    async with transaction() as tx:
        owing = await Owing.build(tx, committed)
        await owing.take(tx, *[owing.paid_in(AMOUNT // 3)] * 4)  # one more than is owed
        lines = await owing.lines(tx)

    def settle(line_id: UUID) -> Act:
        return lambda tx: settle_by_number(tx, line_id, committed.now)

    assert await at_once(*(settle(line_id) for line_id in lines for _ in range(3))) == ["done"] * 12
    async with transaction() as tx:
        assert (await owing.now(tx)).repaid_fen == AMOUNT // 3 * 3
        assert len(await owing.lines(tx, "exception")) == 1
        other = await Owing.build(tx, committed)
        await other.take(tx, other.paid_in(100), other.paid_in(AMOUNT - 100))
        lines = await other.lines(tx)
        await other.office.propose(tx, other.clawback.id)
    checker = other.office.staff(Post.CHECKER)

    def waive(tx: Tx) -> Awaitable[object]:
        return answer_waiver(tx, checker, other.clawback.id, NewWaiverAnswer(grant=True), committed.now)

    outcomes = await at_once(waive, *map(settle, lines))
    assert outcomes in (["done"] * 3, ["done", "done", "wrong_status"])
    async with transaction() as tx:
        now = await other.now(tx)
        assert now.status == ("waived" if outcomes == ["done"] * 3 else "repaid")
    await every_fen_is_there()


async def test_a_day_is_closed_once(committed: World) -> None:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed)
        batch = await stage.sent(tx)
        await said(tx, stage, batch, [debit(each) for each in await references(tx, batch)])
    later = committed.now + timedelta(days=1)

    def close(tx: Tx) -> Awaitable[object]:
        return close_what_can_be(tx, batch.debit_account, later)

    assert await at_once(*[close] * 4) == ["done"] * 4
    async with transaction() as tx:
        found = await tx.execute(
            text("SELECT count(*) FROM daily_closes WHERE account = :a"), {"a": batch.debit_account}
        )
        assert found.scalar_one() == 1
    await every_fen_is_there()


_STATEMENT = """
    INSERT INTO bank_statements (id, sha256, form, bytes_sealed, account, district, fund, sequence, from_on, to_on,
                                 opening_fen, credits_fen, debits_fen, closing_fen, line_count, taken_at)
    SELECT CAST(:id AS uuid), CAST(CAST(:id AS uuid) AS text), 'neutral', '', account, district, fund,
           sequence + CAST(:step AS integer), to_on + 1, to_on + 1, closing_fen + CAST(:more AS bigint), 0, 0,
           closing_fen + CAST(:more AS bigint) + CAST(:off AS bigint), CAST(:lines AS integer), now()
      FROM bank_statements WHERE account = :account ORDER BY to_on DESC LIMIT 1"""
_LINE = """
    INSERT INTO statement_lines (id, statement_id, line_no, account, bank_key, booked_on, side, amount_fen, reference,
                                 counterparty, text, verdict, owner, exception, attempt_id, batch_id)
    SELECT gen_random_uuid(), statement_id, line_no + 100, account, gen_random_uuid()::text, booked_on, side,
           amount_fen, reference, '', '', verdict, owner, exception, attempt_id, batch_id
      FROM statement_lines WHERE id = :id"""
_EVIDENCE = """
    INSERT INTO statement_evidence (attempt_id, outcome, statement_id, line_id, absent_until, shown_at)
    VALUES (:attempt, :outcome, :stated, :line, :until, now())"""
_END = """
    WITH told AS (INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
                  VALUES ('attempt', :id, 'succeed', '{"status": "done"}', 'attack', now()))
    UPDATE payment_attempts SET status = 'done' WHERE id = :id"""
_CLOSE = """
    INSERT INTO daily_closes (id, account, district, fund, day, opening_fen, treasury_fen, paid_fen, returned_fen,
                              repaid_fen, charges_fen, other_credits_fen, other_debits_fen, closing_fen, line_count,
                              ledger, differences, closed_at)
    SELECT :id, account, district, fund, from_on + CAST(:days AS integer), opening_fen + CAST(:more AS bigint), 0,
           debits_fen, 0, 0, 0, CAST(:more AS bigint), 0, closing_fen + 2 * CAST(:more AS bigint), 1, '{}', '[]',
           now()
      FROM bank_statements WHERE account = :account ORDER BY from_on LIMIT 1"""


async def test_by_sql_statements_follow_and_lines_stay(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world)
    batch = await stage.sent(tx)
    one, *_ = await references(tx, batch)
    await said(tx, stage, batch, [debit(one), debit("ZZZ")])
    given: dict[str, Any] = {
        "id": uuid4(),
        "account": batch.debit_account,
        "step": 1,
        "more": 0,
        "off": 0,
        "lines": 0,
    }
    assert await refused(tx, _STATEMENT, **{**given, "step": 2}) == NOT_NEXT
    assert await refused(tx, _STATEMENT, **{**given, "step": 0}) == NOT_NEXT
    assert await refused(tx, _STATEMENT, **{**given, "more": 5}) == NOT_NEXT
    assert await refused(tx, _STATEMENT, **{**given, "off": 5}) == CHECK
    found = await tx.execute(
        text("SELECT id, statement_id FROM statement_lines WHERE account = :a ORDER BY line_no"),
        {"a": batch.debit_account},
    )
    (owned, statement_id), (odd, _) = found.all()
    assert await refused(tx, _LINE, id=owned) == UNIQUE  # the payment was counted
    assert await refused(tx, "UPDATE statement_lines SET amount_fen = 1 WHERE id = :id", id=owned) == DENIED
    for set_ in ("verdict = 'waiting', owner = 'repayment'", "exception = 'overpaid'"):
        assert await refused(tx, f"UPDATE statement_lines SET {set_} WHERE id = :id", id=odd) in (STAYS, CHECK)
    own_it = "UPDATE statement_lines SET verdict = 'owned', owner = 'charge', exception = '' WHERE id = :id"
    assert await refused(tx, own_it, id=odd) == STAYS
    assert await refused(tx, "DELETE FROM statement_lines WHERE id = :id", id=odd) == DENIED
    assert await refused(tx, "UPDATE bank_statements SET to_on = to_on + 9 WHERE id = :id", id=statement_id) == DENIED
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    given |= {"id": uuid4(), "lines": 1}  # a statement that says it has a line, and brings none
    assert await refused(tx, _STATEMENT, **given) == NOT_ITS_LINES


async def test_by_sql_only_a_statement_that_shows_it_ends_the_unknown(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world)
    batch = await unknown(tx, stage)
    await tx.execute(text("UPDATE jobs SET state = 'done' WHERE state = 'ready'"))
    found = await tx.execute(
        text("SELECT id FROM payment_attempts WHERE batch_id = :b ORDER BY reference"), {"b": batch.id}
    )
    one, two, three = found.scalars()
    assert await refused(tx, _END, id=one) == UNKNOWN_ENDS
    view = await said(tx, stage, batch, [("C", 5, "ZZZ", "", ""), debit(batch.number, 5)])
    lines = await tx.execute(text("SELECT id FROM statement_lines WHERE account = :a"), {"a": batch.debit_account})
    stranger = lines.scalars().first()
    given: dict[str, Any] = {"attempt": one, "outcome": "paid", "stated": view.id, "line": stranger, "until": None}
    assert await refused(tx, _EVIDENCE, **given) == NOT_SHOWN
    assert await refused(tx, _EVIDENCE, **{**given, "outcome": "returned"}) == NOT_SHOWN
    absent = {**given, "outcome": "not_paid", "line": None, "until": world.today}
    assert await refused(tx, _EVIDENCE, **absent) == NOT_SHOWN  # no bank is named, and the day is that of sending
    await world.set_policy(tx, "debits_singly", {batch.terms["bank"]: 1})
    assert await refused(tx, _EVIDENCE, **{**absent, "until": world.today + timedelta(1)}) == NOT_SHOWN
    assert await refused(tx, _EVIDENCE, **{**absent, "attempt": two, "line": stranger}) in (NOT_SHOWN, CHECK)
    assert await refused(tx, _END, id=three) == UNKNOWN_ENDS


async def test_by_sql_a_day_is_closed_as_the_bank_booked_it(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world)
    batch = await stage.sent(tx)
    one, *_ = await references(tx, batch)
    await returned(tx, stage, batch, "done")
    await said(tx, stage, batch, [debit(one)])
    given: dict[str, Any] = {"id": uuid4(), "account": batch.debit_account, "days": 0, "more": 0}
    assert await refused(tx, _CLOSE, **{**given, "days": 1}) == NOT_CLOSED
    assert await refused(tx, _CLOSE, **{**given, "days": -1}) == NOT_CLOSED
    assert await refused(tx, _CLOSE, **{**given, "more": 7}) == NOT_CLOSED
    await close_what_can_be(tx, batch.debit_account, world.now + timedelta(days=1))
    assert await refused(tx, _CLOSE, **given) in (UNIQUE, NOT_CLOSED)
    for change in ("UPDATE daily_closes SET closing_fen = 0", "DELETE FROM daily_closes"):
        assert await refused(tx, f"{change} WHERE account = :a", a=batch.debit_account) == DENIED


_REPAYMENT = """
    INSERT INTO clawback_repayments (id, clawback_id, line_id, amount_fen, counted_at)
    VALUES (:id, :clawback, :line, :fen, now())"""
_REPAY = """
    INSERT INTO fund_movements (position_id, repayment_id, amount_fen, kind, source, target, actor_name, at)
    SELECT r.position_id, m.repayment_id, :fen, 'repay', 'paid', 'free', 'attack', now()
      FROM fund_reservations r, fund_movements m WHERE r.claim_id = :claim AND m.repayment_id IS NOT NULL LIMIT 1"""


async def test_by_sql_nothing_is_repaid_but_by_its_line(tx: Tx, world: World) -> None:
    owing = await Owing.build(tx, world, fen=300)
    await owing.take(tx, owing.paid_in(100), owing.paid_in(50, "退钱"), owing.paid_in(301))
    counted, over = await owing.lines(tx)
    (nameless,) = await owing.lines(tx, "exception")
    given: dict[str, Any] = {"id": uuid4(), "clawback": owing.clawback.id, "line": counted}
    assert await refused(tx, _REPAYMENT, **given, fen=101) == NOT_THIS
    assert await refused(tx, _REPAYMENT, **{**given, "line": nameless}, fen=50) == NOT_THIS
    assert await refused(tx, _REPAYMENT, **{**given, "line": over}, fen=301) == NOT_THIS
    for status in ("repaid", "part_repaid"):
        assert await forge(tx, "clawbacks", "clawback", owing.clawback.id, status) == NOT_REPAID
    await settle_by_number(tx, counted, world.now)
    assert await refused(tx, _REPAYMENT, **given, fen=100) == UNIQUE
    claim = owing.office.paid.claim_id
    assert await refused(tx, _REPAY, fen=100, claim=claim) in (UNIQUE, MONEY)
    assert await refused(tx, "UPDATE fund_reservations SET repaid_fen = 0 WHERE claim_id = :c", c=claim) == "ZD020"
    assert await refused(tx, "UPDATE clawback_repayments SET amount_fen = 1 WHERE line_id = :l", l=counted) == DENIED
    assert await forge(tx, "claims", "claim", claim, "recovered") == "ZD280"
