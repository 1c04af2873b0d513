"""Planted past every trigger and constraint: the audit names what is wrong with statements, closes and repayments."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from domain.actor import Post
from service.audit.queries.statements import CLOSE_ADDS_UP, REPAYMENTS_ADD_UP
from service.database import transaction
from service.statements.commands.closing import close_what_can_be
from tests.conftest import Databases
from tests.payments import Stage
from tests.repayments import Owing
from tests.service.test_statements import debit, references, said, unknown
from tests.statements import OPENING
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World

_BY_HAND = """
    UPDATE claims SET status = 'recovered' WHERE id = (
      SELECT a.claim_id FROM payment_attempts a JOIN batches b ON b.id = a.batch_id
       WHERE b.debit_account = '{account}' AND a.status = 'done' LIMIT 1)
"""
_LINE = "UPDATE statement_lines SET {} WHERE account = '{{account}}' AND line_no = 1"
PLANTED = [
    (CLOSE_ADDS_UP, "期初加收减付", "UPDATE bank_statements SET closing_fen = 1 WHERE account = '{account}'"),
    (CLOSE_ADDS_UP, "期初加收减付", "DELETE FROM statement_lines WHERE account = '{account}'"),
    (
        CLOSE_ADDS_UP,
        "与同一账户的上一份",
        "UPDATE bank_statements SET sequence = 9 WHERE account = '{account}' AND sequence = 2",
    ),
    (CLOSE_ADDS_UP, "同一笔支付", "UPDATE statement_lines SET bank_key = 'same' WHERE account = '{account}'"),
    (CLOSE_ADDS_UP, "入账的金额", _LINE.format("reference = 'X'")),
    (CLOSE_ADDS_UP, "结果不明的支付", _LINE.format("owner = '', verdict = 'exception', exception = 'not_sent'")),
    (CLOSE_ADDS_UP, "日终的数", "UPDATE daily_closes SET paid_fen = 0 WHERE account = '{account}'"),
    (
        CLOSE_ADDS_UP,
        "日终的数",
        "UPDATE daily_closes SET opening_fen = 0, closing_fen = 0 WHERE account = '{account}'",
    ),
    (CLOSE_ADDS_UP, "已经日终", _LINE.format("owner = '', verdict = 'exception', exception = 'not_sent'")),
    (CLOSE_ADDS_UP, "日终时记下", "UPDATE daily_closes SET ledger = '{{\"pay\": 1}}' WHERE account = '{account}'"),
    (REPAYMENTS_ADD_UP, "还款没有恰好一行", "UPDATE statement_lines SET side = 'debit' WHERE account = '{owing}'"),
    (
        REPAYMENTS_ADD_UP,
        "还款没有恰好一行",
        "UPDATE statement_lines SET clawback_serial = 0 WHERE account = '{owing}'",
    ),
    (REPAYMENTS_ADD_UP, "入账为还款的行", "DELETE FROM clawback_repayments WHERE clawback_id = '{clawback}'"),
    (
        REPAYMENTS_ADD_UP,
        "还款没有恰好一次",
        "UPDATE fund_movements SET amount_fen = 1 WHERE repayment_id IS NOT NULL",
    ),
    (REPAYMENTS_ADD_UP, "记下的已还", "UPDATE fund_reservations SET repaid_fen = 1 WHERE repaid_fen > 0"),
    (REPAYMENTS_ADD_UP, "还清的没有还够", "UPDATE clawbacks SET status = 'repaid' WHERE id = '{clawback}'"),
    (REPAYMENTS_ADD_UP, "全部还清的申领", f"UPDATE fund_reservations SET repaid_fen = {AMOUNT} WHERE repaid_fen > 0"),
    (REPAYMENTS_ADD_UP, "全部还清的申领", _BY_HAND),  # nothing of it came back
]


@pytest.fixture
async def kept(committed: World) -> dict[str, Any]:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed)
        batch = await unknown(tx, stage)
        one, two, _ = await references(tx, batch)
        await said(tx, stage, batch, [debit(one), debit(two)])
        await said(tx, stage, batch, [], 2, 1, opening=OPENING - 2 * AMOUNT)
        assert await close_what_can_be(tx, batch.debit_account, committed.now + timedelta(days=1)) == 1
        owing = await Owing.build(tx, committed)
        await owing.take(tx, owing.paid_in(100))
        await owing.settle(tx)
        assert owing.office.staff(Post.MAKER)
    return {"account": batch.debit_account, "owing": owing.account, "clawback": owing.clawback.id}


async def test_what_was_planted_is_named_and_nothing_else(databases: Databases, kept: dict[str, Any]) -> None:
    admin = await asyncpg.connect(databases.admin_url)
    for promise in (CLOSE_ADDS_UP, REPAYMENTS_ADD_UP):
        for check in promise.checks:
            assert not await admin.fetch(check.broken), check.says
    for promise, says, statement in PLANTED:
        planting = admin.transaction()
        await planting.start()
        await admin.execute("SET LOCAL session_replication_role = replica")
        for table in ("bank_statements", "statement_lines", "daily_closes", "fund_reservations"):
            found = await admin.fetch(
                "SELECT conname FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype IN ('c', 'u')",
                table,
            )
            for (name,) in found:
                await admin.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        assert not (await admin.execute(statement.format(**kept))).endswith(" 0"), statement
        broken = {check.says for check in promise.checks if await admin.fetch(check.broken)}
        await planting.rollback()
        assert [each for each in broken if each.startswith(says)], (says, broken)
    await admin.close()
