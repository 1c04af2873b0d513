"""Planted past every trigger and constraint: the audit names what is wrong with checks by hand and corrections."""

import asyncpg
import pytest

from service.audit.queries.corrections import BY_HAND, CORRECTIONS
from service.database import transaction
from tests.conftest import Databases
from tests.objections import PaidForThem
from tests.service.test_clawbacks import Office
from tests.service.test_manual_checks import GENUINE, Desk, confirm_check
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World

PLANTED = [
    (BY_HAND, "核验的是申领人", "UPDATE manual_checks SET second_person = checked_person WHERE id = $1", "check"),
    (BY_HAND, "核验的是申领人", "UPDATE manual_checks SET checked_person = $2 WHERE id = $1", "check"),
    (BY_HAND, "核验材料的哈希", "UPDATE manual_checks SET evidence_sha256 = '' WHERE id = $1", "check"),
    (BY_HAND, "核验没有记入日志", "UPDATE manual_checks SET second_finding = 'not_genuine' WHERE id = $1", "check"),
    (CORRECTIONS, "追回的总数超过已发", f"UPDATE clawbacks SET amount_fen = {AMOUNT + 1} WHERE id = $1", "clawback"),
    (CORRECTIONS, "追回的申领没有发放过", "UPDATE clawbacks SET claim_id = $2 WHERE id = $1", "clawback"),
    (CORRECTIONS, "免于追回没有两个人决定", "UPDATE clawbacks SET status = 'waived' WHERE id = $1", "clawback"),
    (CORRECTIONS, "补发和追回不是", f"UPDATE amount_appeals SET right_fen = {AMOUNT + 1} WHERE id = $1", "appeal"),
    (CORRECTIONS, "答复金额复核的", "UPDATE amount_appeals SET answered_person = $2 WHERE id = $1", "appeal"),
]


@pytest.fixture
async def kept(committed: World) -> dict[str, tuple[object, object]]:
    """What is planted in → its id, and an id that does not belong there."""
    async with transaction() as tx:
        checking = await Desk.build(tx, committed, level="2")
        check = await checking.check(tx)
        await confirm_check(tx, checking.second, check.id, GENUINE, committed.now)
        office = Office(await PaidForThem.build(tx, committed))
        owed = await office.by_hand(tx, fen=100)
        appeal = await office.appeal(tx)
        await office.answer(tx, appeal.id, AMOUNT)
        claimant = office.paid.trainee.actor.person_id
    return {
        "check": (check.id, checking.trainee.actor.person_id),
        "clawback": (owed.id, checking.claim_id),
        "appeal": (appeal.id, claimant),
    }


async def test_what_was_planted_is_named_and_nothing_else(
    databases: Databases, kept: dict[str, tuple[object, object]]
) -> None:
    admin = await asyncpg.connect(databases.admin_url)
    ours = {id_ for id_, _ in kept.values()}
    for promise in (BY_HAND, CORRECTIONS):
        for check in promise.checks:
            assert not ours & {row[0] for row in await admin.fetch(check.broken)}, check.says
    for promise, says, statement, of in PLANTED:
        planting = admin.transaction()
        await planting.start()
        await admin.execute("SET LOCAL session_replication_role = replica")
        await admin.execute("ALTER TABLE manual_checks DROP CONSTRAINT ck_manual_checks_two_persons")
        await admin.execute("ALTER TABLE amount_appeals DROP CONSTRAINT ck_amount_appeals_two_persons")
        given = kept[of][: 2 if "$2" in statement else 1]
        await admin.execute(statement, *given)
        found = {check.says for check in promise.checks if await admin.fetch(check.broken)}
        await planting.rollback()
        assert [each for each in found if each.startswith(says)], (says, found)
    await admin.close()
