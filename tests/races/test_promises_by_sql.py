"""Each promise attacked by raw SQL as the service's own role: what the database refuses whatever the code does.

Every attack is first shown to be refused with the code of the guard it must meet, so that it cannot pass by a typo.
"""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.actor import Post
from service.batches.commands import check_batch, dissolve_batch, mark_restored, submit_batch
from service.claims.schemas import NewInvoice
from service.database import Tx
from service.journal import By
from service.reconciliation import commands as reconciliation
from tests.payments import Stage, a_return, lines_of, shown
from tests.world import World

DENIED, UNIQUE, FOREIGN, CHECK, EXCLUDE = "42501", "23505", "23503", "23514", "23P01"
ILLEGAL_MOVE, NO_JOURNAL, FROZEN, NOT_DONE = "ZD001", "ZD002", "ZD003", "ZD004"
WRONG_TOTAL, UNSIGNED, NO_TRANSFER, MISFIT, NO_FILE = "ZD005", "ZD006", "ZD007", "ZD008", "ZD009"
NOT_RELEASED, POSTS_EXCLUDE, WRITTEN_ONCE, NOT_SIGNED = "ZD010", "ZD011", "ZD012", "ZD030"

_JOURNAL = (
    "INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at) "
    "SELECT '{noun}', id, 'forge', jsonb_build_object('status', '{status}'), 'attack', now() "
    "FROM {table} WHERE id = :id"
)


async def _refused(tx: Tx, statement: str, **given: Any) -> str:
    """The SQLSTATE with which the statement is refused; fails when it is not."""
    savepoint = await tx.begin_nested()
    try:
        await tx.execute(text(statement), given)
    except DBAPIError as refusal:
        await savepoint.rollback()
        return str(refusal.orig.sqlstate)  # type: ignore[union-attr]  # asyncpg's errors have one
    await savepoint.rollback()
    raise AssertionError(f"not refused: {statement}")


async def _forge(tx: Tx, table: str, noun: str, row_id: UUID, status: str) -> str:
    """A status changed with a forged journal row beside it, so that only the lifecycle can refuse."""
    savepoint = await tx.begin_nested()
    try:
        await tx.execute(text(_JOURNAL.format(noun=noun, status=status, table=table)), {"id": row_id})
        return await _refused(tx, f"UPDATE {table} SET status = '{status}' WHERE id = :id", id=row_id)
    finally:
        await savepoint.rollback()


async def _attempt(tx: Tx, batch_id: UUID) -> Any:
    found = await tx.execute(
        text("SELECT * FROM payment_attempts WHERE batch_id = :id ORDER BY reference LIMIT 1"), {"id": batch_id}
    )
    return found.one()


@pytest.fixture
async def stage(tx: Tx, world: World) -> Stage:
    return await Stage.build(tx, world)


COPY_ATTEMPT = """
    WITH noted AS (INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
                   VALUES ('attempt', '00000000-0000-4000-8000-000000000001', 'forge',
                           '{{"status": "prepared"}}', 'attack', now()))
    INSERT INTO payment_attempts (id, claim_id, batch_id, reference, amount_fen, payee_sealed, account_sealed,
                                  account_tail, bank_code, status)
    SELECT '00000000-0000-4000-8000-000000000001', claim_id, batch_id, {reference}, {amount}, payee_sealed,
           account_sealed, account_tail, bank_code, 'prepared'
      FROM payment_attempts WHERE id = :id
"""


async def test_1_no_second_live_attempt(tx: Tx, stage: Stage) -> None:
    batch = await stage.frozen(tx)
    attempt = await _attempt(tx, batch.id)
    copied = COPY_ATTEMPT.format(reference="'FORGED1'", amount="amount_fen")
    assert await _refused(tx, copied, id=attempt.id) == UNIQUE


async def test_2_no_second_live_claim(tx: Tx, world: World) -> None:
    claim = await world.claim(tx)
    columns = (
        "person_id, channel, via, filed_by, institution_id, mandate_id, district, item_id, list_kind, industry, "
        "subsidy_key, level, once_in, certificate_issued_on, training_started_on, standard_id, amount_fen, "
        "account_id, status, filed_on, filed_at, decision"
    )
    copied = f"""
        WITH noted AS (INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
                       VALUES ('claim', '00000000-0000-4000-8000-000000000002', 'forge',
                               '{{"status": "filed"}}', 'attack', now()))
        INSERT INTO claims (id, certificate_number, {columns})
        SELECT '00000000-0000-4000-8000-000000000002', 'OTHER', {columns} FROM claims WHERE id = :id
    """
    assert await _refused(tx, copied, id=claim.id) == UNIQUE


async def test_3_references_are_unique_and_frozen(tx: Tx, stage: Stage) -> None:
    batch = await stage.frozen(tx)
    attempt = await _attempt(tx, batch.id)
    assert await _refused(tx, "UPDATE payment_attempts SET reference = 'X' WHERE id = :id", id=attempt.id) == DENIED
    assert await _refused(tx, "DELETE FROM payment_attempts WHERE id = :id", id=attempt.id) == DENIED
    # void by now, so that nothing but its reference is in the way of a second one
    await dissolve_batch(tx, stage.staff[Post.MAKER], batch.id, "…", stage.world.now)
    again = COPY_ATTEMPT.format(reference="reference", amount="amount_fen")
    assert await _refused(tx, again, id=attempt.id) == UNIQUE


async def test_4_nothing_is_sent_before_its_file_and_no_file_without_release(tx: Tx, stage: Stage) -> None:
    batch = await stage.frozen(tx)
    attempt = await _attempt(tx, batch.id)
    assert await _forge(tx, "payment_attempts", "attempt", attempt.id, "sending") == NO_FILE
    written = "INSERT INTO bank_files VALUES (:id, 'F1', 'x', 'y', :count, :sum)"
    given = {"id": batch.id, "count": batch.line_count, "sum": batch.sum_fen}
    assert await _refused(tx, written, **given) == NOT_RELEASED


async def test_4_a_written_file_is_never_changed(tx: Tx, stage: Stage) -> None:
    batch = await stage.written(tx)
    assert await _refused(tx, "UPDATE bank_files SET sha256 = 'x' WHERE batch_id = :id", id=batch.id) == DENIED
    assert await _refused(tx, "DELETE FROM bank_files WHERE batch_id = :id", id=batch.id) == DENIED


async def test_6_illegal_moves_are_refused_even_with_a_journal_row(tx: Tx, stage: Stage) -> None:
    claim = stage.claims[0]
    assert await _forge(tx, "claims", "claim", claim, "paid") in {ILLEGAL_MOVE, NOT_DONE}
    assert await _forge(tx, "claims", "claim", claim, "recovered") in {ILLEGAL_MOVE, "ZD280"}
    batch = await stage.frozen(tx)
    assert await _forge(tx, "claims", "claim", claim, "paid") == NOT_DONE
    assert await _forge(tx, "batches", "batch", batch.id, "settled") == ILLEGAL_MOVE
    attempt = await _attempt(tx, batch.id)
    assert await _forge(tx, "payment_attempts", "attempt", attempt.id, "done") == ILLEGAL_MOVE


async def test_6_amount_and_payee_are_frozen(tx: Tx, stage: Stage) -> None:
    batch = await stage.frozen(tx)
    attempt, claim = await _attempt(tx, batch.id), stage.claims[0]
    for column, value in {
        "amount_fen": "1",
        "payee_sealed": "'x'",
        "account_sealed": "'x'",
        "claim_id": "id",
    }.items():
        changed = f"UPDATE payment_attempts SET {column} = {value} WHERE id = :id"
        assert await _refused(tx, changed, id=attempt.id) == DENIED
    assert await _refused(tx, "UPDATE claims SET person_id = id WHERE id = :id", id=claim) == DENIED
    for column, value in {"amount_fen": "1", "level": "'1'", "certificate_number": "'x'", "decision": "'{}'"}.items():
        assert await _refused(tx, f"UPDATE claims SET {column} = {value} WHERE id = :id", id=claim) == FROZEN
    moved = """
        WITH noted AS (INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
                       VALUES ('claim', :id, 'forge', '{"status": "batched"}', 'attack', now()))
        UPDATE claims SET account_id = (SELECT id FROM accounts WHERE id <> account_id LIMIT 1) WHERE id = :id
    """
    assert await _refused(tx, moved, id=claim) == FROZEN
    cheaper = COPY_ATTEMPT.format(reference="'FORGED2'", amount="1")
    assert await _refused(tx, cheaper, id=attempt.id) in {MISFIT, UNIQUE}


async def test_7_a_person_signs_a_batch_once(tx: Tx, stage: Stage) -> None:
    batch = await stage.frozen(tx)
    signed = """
        INSERT INTO batch_signatures
               (batch_id, step, person_id, user_id, content_hash, line_count, sum_fen, signed_at)
        SELECT :id, step, :person, :user, :hash, :count, :sum, now() FROM unnest(CAST(:steps AS text[])) AS step
    """
    maker = next(iter(stage.staff.values()))
    given = {
        "id": batch.id,
        "person": maker.person_id,
        "user": maker.user_id,
        "hash": batch.content_hash,
        "count": batch.line_count,
        "sum": batch.sum_fen,
    }
    assert await _refused(tx, signed, steps=["assemble", "check"], **given) == UNIQUE
    assert await _refused(tx, signed, steps=["approve"], **given) == CHECK


async def test_7_no_step_without_its_signature_and_no_release_without_a_transfer(tx: Tx, stage: Stage) -> None:
    batch = await stage.frozen(tx)
    assert await _forge(tx, "batches", "batch", batch.id, "submitted") == UNSIGNED
    assert await _forge(tx, "batches", "batch", batch.id, "released") in {UNSIGNED, ILLEGAL_MOVE}


async def test_7_no_release_without_the_treasurys_transfer_of_this_sum(tx: Tx, stage: Stage) -> None:
    """Everybody has signed: only the transfer is missing, or over another sum."""
    batch = await stage.frozen(tx)
    for post, sign in ((Post.MAKER, submit_batch), (Post.CHECKER, check_batch)):
        await sign(tx, stage.staff[post], batch.id, shown(batch), stage.world.now)
    releaser = stage.staff[Post.RELEASER]
    await tx.execute(
        text("""
            INSERT INTO batch_signatures
                   (batch_id, step, person_id, user_id, content_hash, line_count, sum_fen, signed_at)
            SELECT id, 'release', :person, :user, content_hash, line_count, sum_fen, now() FROM batches WHERE id = :id
        """),
        {"id": batch.id, "person": releaser.person_id, "user": releaser.user_id},
    )
    assert await _forge(tx, "batches", "batch", batch.id, "released") == NO_TRANSFER
    await tx.execute(
        text("""
            INSERT INTO treasury_transfers (batch_id, voucher, transferred_on, sum_fen, recorded_by)
            VALUES (:id, :voucher, :on, :sum, :user)
        """),
        {
            "id": batch.id,
            "voucher": f"V-{uuid4()}",
            "on": stage.world.today,
            "sum": (batch.sum_fen or 0) - 1,
            "user": releaser.user_id,
        },
    )
    assert await _forge(tx, "batches", "batch", batch.id, "released") == NO_TRANSFER


async def test_8_a_batch_is_frozen_over_just_its_lines(tx: Tx, stage: Stage) -> None:
    batch = await stage.open(tx)
    await tx.execute(
        text(_JOURNAL.format(noun="batch", status="frozen", table="batches")),
        {"id": batch.id},
    )
    frozen = "UPDATE batches SET status = 'frozen', content_hash = :hash, line_count = 1, sum_fen = 1 WHERE id = :id"
    assert await _refused(tx, frozen, id=batch.id, hash="0" * 64) == WRONG_TOTAL


async def test_8_a_signature_binds_what_the_batch_holds_and_nothing_else(tx: Tx, stage: Stage) -> None:
    batch = await stage.frozen(tx)
    maker = next(iter(stage.staff.values()))
    other = """
        INSERT INTO batch_signatures
               (batch_id, step, person_id, user_id, content_hash, line_count, sum_fen, signed_at)
        VALUES (:id, 'assemble', :person, :user, :hash, :count, :sum, now())
    """
    given = {"id": batch.id, "person": maker.person_id, "user": maker.user_id, "count": batch.line_count}
    assert await _refused(tx, other, hash="0" * 64, sum=batch.sum_fen, **given) == FOREIGN
    assert await _refused(tx, other, hash=batch.content_hash, sum=1, **given) == FOREIGN
    for column in ("content_hash = 'x'", "line_count = 1", "sum_fen = 1"):
        assert await _refused(tx, f"UPDATE batches SET {column} WHERE id = :id", id=batch.id) in {FROZEN, NO_JOURNAL}


async def test_12_no_change_without_a_journal_row_and_no_journal_row_is_touched(tx: Tx, stage: Stage) -> None:
    claim = stage.claims[0]
    assert await _refused(tx, "UPDATE claims SET status = 'in_review' WHERE id = :id", id=claim) == NO_JOURNAL
    for statement in ("UPDATE journal SET reason = 'x'", "DELETE FROM journal", "TRUNCATE journal"):
        assert await _refused(tx, statement) == DENIED
    assert await _refused(tx, "DELETE FROM claims WHERE id = :id", id=claim) == DENIED


async def test_13_a_return_line_counts_once_and_stays(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    line, *_ = await lines_of(tx, batch.id)
    data, by = a_return(batch, [(line.reference, line.amount_fen, "done", "")]), By("tests", stage.world.now)
    await reconciliation.take_return(tx, None, reconciliation.read(data), data, "bank", by)
    again = """INSERT INTO return_lines (return_file_id, line_no, reference, amount_fen, code, reason, attempt_id,
                                         verdict)
               SELECT return_file_id, 99, reference, amount_fen, code, reason, {attempt}, '{verdict}'
                 FROM return_lines WHERE attempt_id = :id"""
    assert await _refused(tx, again.format(attempt="attempt_id", verdict="settled"), id=line.id) == UNIQUE
    assert await _refused(tx, again.format(attempt="NULL", verdict="settled"), id=line.id) == CHECK
    same = """INSERT INTO return_files (id, sha256, file_id, bytes_sealed, line_count, sum_fen, source, received_at)
              SELECT gen_random_uuid(), sha256, file_id, bytes_sealed, line_count, sum_fen, source, received_at
                FROM return_files WHERE file_id = :number"""
    assert await _refused(tx, same, number=batch.number) == UNIQUE
    for statement in (
        "UPDATE return_lines SET verdict = 'exception'",
        "UPDATE return_files SET sum_fen = 1",
        "DELETE FROM return_lines",
        "DELETE FROM return_files",
    ):
        assert await _refused(tx, statement) == DENIED


async def test_18_a_job_is_owed_once_ends_in_one_way_and_is_not_thrown_away(tx: Tx, stage: Stage) -> None:
    batch = await stage.open(tx)
    again = """INSERT INTO jobs (kind, subject, round, next_at)
               SELECT kind, subject, {round}, now() FROM jobs WHERE subject = :id"""
    assert await _refused(tx, again.format(round="round + 1"), id=batch.id) == UNIQUE
    await tx.execute(text("UPDATE jobs SET state = 'done' WHERE subject = :id"), {"id": batch.id})
    assert await _refused(tx, again.format(round="round"), id=batch.id) == UNIQUE
    assert await _refused(tx, "UPDATE jobs SET state = 'forgotten' WHERE subject = :id", id=batch.id) == CHECK
    assert (
        await _refused(tx, "UPDATE jobs SET subject = gen_random_uuid() WHERE subject = :id", id=batch.id) == DENIED
    )
    assert await _refused(tx, "DELETE FROM jobs WHERE subject = :id", id=batch.id) == DENIED


async def test_19_that_a_backup_was_put_back_is_not_unsaid(tx: Tx, world: World) -> None:
    await mark_restored(tx, world.now)
    for statement in ("UPDATE restores SET journal_id = 0", "DELETE FROM restores", "TRUNCATE restores"):
        assert await _refused(tx, statement) == DENIED


async def test_17_published_editions_standards_and_policies_are_immutable(tx: Tx) -> None:
    assert await _refused(tx, "UPDATE catalog_editions SET status = 'draft', in_force = NULL") == ILLEGAL_MOVE
    assert await _refused(tx, "UPDATE catalog_editions SET reason = 'x'") == WRITTEN_ONCE
    assert await _refused(tx, "DELETE FROM catalog_items") == WRITTEN_ONCE
    assert await _refused(tx, "UPDATE standards SET amount_fen = 1") == DENIED
    assert await _refused(tx, "UPDATE policies SET value = '1'") == DENIED


PROPOSED = """
    INSERT INTO policy_proposals (id, key, value, first, source, basis, proposer_id, proposed_by, proposed_at)
    VALUES (:id, 'claim_window_months', '18', '2099-01-01', 's', 'b', :person, :user, now())
"""
CONFIRMED = """
    INSERT INTO policy_confirmations (proposal_id, proposer_id, person_id, confirmed_by, confirmed_at)
    VALUES (:id, :proposer, :person, :user, now())
"""
IN_FORCE = """
    INSERT INTO policies (id, key, value, in_force, source, basis, proposal_id)
    VALUES (gen_random_uuid(), 'claim_window_months', {value}, daterange('{first}', NULL), 's', 'b', :id)
"""
ENDED = """
    UPDATE policies SET in_force = daterange(lower(in_force), '{day}')
     WHERE key = 'claim_window_months' AND upper_inf(in_force)
"""


async def test_17_a_parameter_is_what_two_persons_signed_and_nothing_else(tx: Tx, world: World) -> None:
    one, other = [await world.user(tx, {Post.CATALOG_EDITOR}) for _ in range(2)]
    given = {"id": uuid4()}
    unsigned = IN_FORCE.replace(":id", "NULL").format(value="'18'", first="2099-01-01")
    assert await _refused(tx, unsigned) == EXCLUDE
    assert await _refused(tx, ENDED.format(day="2098-01-01")) == WRITTEN_ONCE
    await tx.execute(text(PROPOSED), {**given, "person": one.person_id, "user": one.user_id})
    alone = {"proposer": one.person_id, "person": one.person_id, "user": one.user_id}
    assert await _refused(tx, CONFIRMED, **given, **alone) == CHECK
    another = {"proposer": other.person_id, "person": one.person_id, "user": one.user_id}
    assert await _refused(tx, CONFIRMED, **given, **another) == FOREIGN
    assert await _refused(tx, ENDED.format(day="2099-01-01")) == WRITTEN_ONCE
    signed = {"proposer": one.person_id, "person": other.person_id, "user": other.user_id}
    await tx.execute(text(CONFIRMED), {**given, **signed})
    assert await _refused(tx, CONFIRMED, **given, **signed) == UNIQUE
    assert await _refused(tx, ENDED.format(day="2098-12-31")) == WRITTEN_ONCE
    await tx.execute(text(ENDED.format(day="2099-01-01")))
    assert await _refused(tx, unsigned) == NOT_SIGNED
    for value, first in (("'19'", "2099-01-01"), ("'18'", "2099-01-02")):
        assert await _refused(tx, IN_FORCE.format(value=value, first=first), **given) == NOT_SIGNED
    as_signed = IN_FORCE.format(value="'18'", first="2099-01-01")
    await tx.execute(text(as_signed), given)
    assert await _refused(tx, ENDED.format(day="2099-06-01")) == WRITTEN_ONCE
    for statement in (
        "UPDATE policies SET value = '1'",
        "UPDATE policies SET proposal_id = NULL",
        "DELETE FROM policies",
        "UPDATE policy_proposals SET value = '1'",
        "DELETE FROM policy_proposals",
        "UPDATE policy_confirmations SET person_id = proposer_id",
        "DELETE FROM policy_confirmations",
    ):
        assert await _refused(tx, statement) == DENIED


async def test_one_invoice_stands_under_one_live_claim(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    invoice = NewInvoice("26372000000012345678", 98_050, trainee.made.name)
    claim = await world.claim(tx, trainee=trainee, invoice=invoice)
    other = await world.claim(tx)
    assert await _refused(tx, "UPDATE claims SET invoice_number = 'X' WHERE id = :id", id=claim.id) == DENIED
    columns = (
        "person_id, channel, via, filed_by, institution_id, mandate_id, district, item_id, list_kind, industry, "
        "subsidy_key, once_in, certificate_issued_on, training_started_on, standard_id, amount_fen, account_id, "
        "status, filed_on, filed_at, decision"
    )
    copied = f"""
        WITH noted AS (INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
                       VALUES ('claim', '00000000-0000-4000-8000-000000000003', 'forge',
                               '{{"status": "filed"}}', 'attack', now()))
        INSERT INTO claims (id, certificate_number, level, invoice_number, {columns})
        SELECT '00000000-0000-4000-8000-000000000003', 'OTHER', '1', '{invoice.number}', {columns}
          FROM claims WHERE id = :id
    """
    assert await _refused(tx, copied, id=other.id) == UNIQUE


async def test_posts_that_exclude_each_other_are_not_held_by_one_person(tx: Tx, world: World) -> None:
    reviewer = next(iter(world.staff.values()))
    given = "INSERT INTO user_posts VALUES (:user, 'maker')"
    assert await _refused(tx, given, user=reviewer.user_id) == POSTS_EXCLUDE


async def test_the_role_can_neither_change_the_schema_nor_switch_guards_off(tx: Tx) -> None:
    for statement in (
        "ALTER TABLE claims DISABLE TRIGGER ALL",
        "DROP TRIGGER guard_moves_on_update ON claims",
        "SET session_replication_role = replica",
        "CREATE TABLE mine (id int)",
        "DELETE FROM lifecycle_moves",
        "INSERT INTO lifecycle_moves VALUES ('claim', 'filed', 'cheat', 'paid')",
    ):
        assert await _refused(tx, statement) == DENIED
