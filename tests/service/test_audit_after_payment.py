"""Planted past every trigger and constraint: the audit names what is wrong with checks by hand and corrections."""

import asyncpg
import pytest

from domain.actor import Post
from service.audit.queries.checks import FACTS, Check
from service.audit.queries.corrections import BY_HAND, CORRECTIONS
from service.audit.queries.supplements import NEW_ACCOUNTS, SUPPLEMENTS
from service.database import transaction
from tests.conftest import Databases
from tests.objections import PaidForThem
from tests.service.test_clawbacks import Office
from tests.service.test_manual_checks import GENUINE, Desk, confirm_check
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World

_CORRECTION = """
    INSERT INTO amount_corrections (id, set_id, district, more_count, more_fen, less_count, less_fen, content_hash,
                                    note, proposed_by, proposed_person, proposed_at)
    SELECT gen_random_uuid(), (SELECT id FROM standard_sets LIMIT 1), c.district, 1, 5, 0, 0, '', 'x', k.raised_by,
           k.raised_person, k.raised_at FROM clawbacks k JOIN claims c ON c.id = k.claim_id WHERE k.id = $1
"""
#: 100 fen more, which the appeal did not say; of which nobody pays anything.
_OWE = f"""
    INSERT INTO claim_supplements (id, claim_id, appeal_id, right_fen, paid_fen, amount_fen, why, owed_by, owed_at)
    SELECT '00000000-0000-4000-8000-000000000049', claim_id, id, {AMOUNT + 100}, {AMOUNT}, 100, 'x', answered_by,
           answered_at FROM amount_appeals WHERE id = $1
"""
_UNPAID = f"""
    WITH waived AS (UPDATE clawbacks SET status = 'waived'
                     WHERE claim_id = (SELECT claim_id FROM amount_appeals WHERE id = $1)) {_OWE}
"""
_PAY = """
    INSERT INTO claims (id, supplement_of, kind, person_id, channel, via, filed_by, institution_id, district, item_id,
                        list_kind, industry, subsidy_key, level, once_in, training_started_on, amount_fen, account_id,
                        status, filed_on, filed_at, decision)
    SELECT gen_random_uuid(), b.id, 'supplement', b.person_id, b.channel, b.via, b.filed_by, b.institution_id,
           b.district, b.item_id, b.list_kind, b.industry, 'supplement:x', b.level, 'ever', b.training_started_on, 7,
           b.account_id, 'filed', b.filed_on, b.filed_at, b.decision
      FROM claims b JOIN amount_appeals a ON a.claim_id = b.id WHERE a.id = $1
"""
_RECOVERED = f"""
    WITH recovered AS (UPDATE claims SET status = 'recovered'
                        WHERE id = (SELECT claim_id FROM amount_appeals WHERE id = $1)) {_PAY}
"""
_MENDED = """
    WITH claim AS (SELECT claim_id AS id FROM amount_appeals WHERE id = $1),
         from_one AS (UPDATE policies SET value = '1' WHERE key = 'new_account_check_fen')
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    SELECT 'claim', id, 'mend', jsonb_build_object('status', 'paid', 'account_id', gen_random_uuid()), 'x', now()
      FROM claim
"""

#: Answered by who proposed the correction that it follows from; every other condition is kept.
_APPEAL_ANSWERED = """
    WITH correction AS (
        INSERT INTO amount_corrections (id, set_id, district, more_count, more_fen, less_count, less_fen,
                                        content_hash, note, proposed_by, proposed_person, proposed_at)
        SELECT gen_random_uuid(), gen_random_uuid(), c.district, 1, 5, 0, 0, '', 'x', k.raised_by, $2, k.raised_at
          FROM clawbacks k JOIN claims c ON c.id = k.claim_id WHERE k.id = $1 RETURNING id),
         line AS (INSERT INTO amount_correction_lines (correction_id, claim_id, paid_fen, right_fen)
                  SELECT r.id, k.claim_id, 0, 5 FROM correction r, clawbacks k WHERE k.id = $1),
         grounded AS (UPDATE clawbacks SET ground_id = (SELECT id FROM correction) WHERE id = $1),
         appeal AS (
        INSERT INTO clawback_appeals (id, clawback_id, reason, appealed_by, appealed_person, appealed_at, due_on,
                                      granted, answer_text, answered_by, answered_person, answered_at)
        SELECT gen_random_uuid(), k.id, 'x', k.raised_by, c.person_id, k.raised_at, k.raised_at::date, false, 'x',
               k.raised_by, $2, k.raised_at
          FROM clawbacks k JOIN claims c ON c.id = k.claim_id WHERE k.id = $1 RETURNING *)
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, actor_person_id, at)
    SELECT 'clawback_appeal', a.id, did.action, '{}', 'x', did.person_id, a.appealed_at
      FROM appeal a CROSS JOIN LATERAL (VALUES ('appeal', a.appealed_person), ('deny', a.answered_person))
                               AS did (action, person_id)
"""

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
    (
        CORRECTIONS,
        "强制执行没有过期限",
        "UPDATE clawbacks SET status = 'enforced', letter_number = 'x' WHERE id = $1",
        "clawback",
    ),
    (CORRECTIONS, "更正的数字与明细不符", _CORRECTION, "clawback"),
    (CORRECTIONS, "追回的复核由提出追回（或它所依据的更正", _APPEAL_ANSWERED, "demand"),
    (SUPPLEMENTS, "补发不是更正或复核认定的差额", _OWE, "appeal"),
    (SUPPLEMENTS, "认定了补发，没有去付", _UNPAID, "appeal"),
    (SUPPLEMENTS, "补发的申领不是认定的金额", _PAY, "appeal"),
    (SUPPLEMENTS, "原来那笔申领不再有效，补发却", _RECOVERED, "appeal"),
    (NEW_ACCOUNTS, "退票后换了账户，金额大", _MENDED, "appeal"),
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
        claimant, checker = office.paid.trainee.actor.person_id, office.staff(Post.CHECKER).person_id
    return {
        "demand": (owed.id, checker),
        "check": (check.id, checking.trainee.actor.person_id),
        "clawback": (owed.id, checking.claim_id),
        "appeal": (appeal.id, claimant),
    }


async def broken(admin: asyncpg.Connection, check: Check) -> set[object]:
    """The keys of the rows that break it."""
    dead = ", ".join(f"'{status}'" for status in FACTS["dead"])
    return {row[0] for row in await admin.fetch(check.broken.replace("CAST(:dead AS text[])", f"ARRAY[{dead}]"))}


async def test_what_was_planted_is_named_and_nothing_else(
    databases: Databases, kept: dict[str, tuple[object, object]]
) -> None:
    admin = await asyncpg.connect(databases.admin_url)
    ours = {id_ for id_, _ in kept.values()}
    for promise in (BY_HAND, CORRECTIONS, SUPPLEMENTS, NEW_ACCOUNTS):
        for check in promise.checks:
            assert not ours & await broken(admin, check), check.says
    for promise, says, statement, of in PLANTED:
        planting = admin.transaction()
        await planting.start()
        await admin.execute("SET LOCAL session_replication_role = replica")
        await admin.execute("ALTER TABLE manual_checks DROP CONSTRAINT ck_manual_checks_two_persons")
        await admin.execute("ALTER TABLE amount_appeals DROP CONSTRAINT ck_amount_appeals_two_persons")
        given = kept[of][: 2 if "$2" in statement else 1]
        await admin.execute(statement, *given)
        found = {check.says for check in promise.checks if await broken(admin, check)}
        await planting.rollback()
        assert [each for each in found if each.startswith(says)], (says, found)
    await admin.close()
