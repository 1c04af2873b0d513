"""Each promise is broken once, behind the back of every guard, and the audit names the row."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from domain.actor import Post
from service.audit.queries import verify
from service.audit.schemas import PromiseReport
from service.batches import commands
from service.claims.commands.review import withdraw_claim
from service.claims.commands.tally import fold_tally
from service.crypto import keyring
from service.database import Tx, async_url
from service.gateways.bank import FileState
from service.gateways.bank_files.neutral import read_return
from service.journal import By
from service.reconciliation.commands import take_return
from tests.conftest import ROOT, Databases
from tests.payments import Stage, a_return, claim_statuses, lines_of
from tests.service import planted
from tests.service.carry_over import carry_over
from tests.service.changed_parameter import change_parameter
from tests.service.season import Season, fresh_database, keep_answers
from tests.world import World


@dataclass
class Played:
    """A season that was played to its end, in a database of its own; the admin's engine may break it."""

    season: Season
    admin: AsyncEngine
    app_url: str
    ids: dict[str, UUID]


@pytest.fixture(scope="module")
async def played(databases: Databases) -> AsyncIterator[Played]:
    """Two claims paid, one in a dissolved batch, one open, one withdrawn."""
    async with fresh_database(databases.admin_url, "audit") as name:
        url = {role: f"{each.rpartition('/')[0]}/{name}" for role, each in vars(databases).items()}
        app, admin = (create_async_engine(async_url(url[r]), poolclass=NullPool) for r in ("app_url", "admin_url"))
        async with app.begin() as tx:
            season = await Season.build(tx)
            paid = [await season.file(tx, amount_fen=70_000 + place) for place in range(2)]
            payable, open_, withdrawn = [await season.file(tx, channel="institution") for _ in range(3)]
            await fold_tally(tx, limit=4)
            await season.withdraw(tx, withdrawn)
            batch, attempts = await season.freeze(tx, paid)
            await season.sign(tx, batch)
            await season.send(tx, batch, attempts)
            await season.settle(tx, batch, attempts)
            dissolved, void = await season.freeze(tx, [payable])
            await season.dissolve(tx, dissolved, void)
            await change_parameter(season, tx)
            await carry_over(tx, season)
            await tx.execute(
                text("INSERT INTO jobs (kind, subject, round, state, next_at) VALUES ('k', :s, 1, 'done', now())"),
                {"s": batch},
            )
        ids = {"paid": paid[0], "open": open_, "payable": payable, "batch": batch, "dissolved": dissolved}
        yield Played(season, admin, url["app_url"], ids | {"attempt": min(attempts), "void": void[0]})


async def broken(played: Played, *statements: str, settled: bool = False) -> dict[str, PromiseReport]:
    """The promises that `statements`, run with every trigger and foreign key asleep, broke. Rolled back."""
    async with played.admin.connect() as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await _drop_guards(tx)
        for statement in statements:
            done = await tx.execute(text(statement), _used(statement, played.ids))
            assert done.rowcount > 0, statement
        reports = await verify(tx, settled=settled)
        await tx.rollback()
    return {report.name: report for report in reports if not report.held}


async def _drop_guards(tx: Tx) -> None:
    """Unique indexes and checks of what is attacked, for this transaction only."""
    for index in ("uq_payment_attempts_live", "uq_claims_once", "uq_claims_certificate", "uq_jobs_ready"):
        await tx.execute(text(f"DROP INDEX {index}"))
    await tx.execute(text("DROP INDEX uq_return_lines_counted"))
    for table, constraint in (
        ("policy_confirmations", "ck_policy_confirmations_two_persons"),
        ("payment_attempts", "uq_payment_attempts_reference"),
        ("batch_signatures", "uq_batch_signatures_person"),
        ("batch_holds", "ck_batch_holds_two_persons"),
        ("jobs", "ck_jobs_state"),
        ("idempotency_keys", "pk_idempotency_keys"),
        ("fund_positions", "ck_fund_positions_conserved"),
    ):
        await tx.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}"))


def _used(statement: str, ids: dict[str, UUID]) -> dict[str, UUID]:
    return {name: value for name, value in ids.items() if f":{name}" in statement}


async def test_what_the_guards_let_through_keeps_every_promise(played: Played) -> None:
    async with played.admin.connect() as tx:
        reports = await verify(tx, settled=True)
    assert {report.name: report.detail for report in reports if not report.held} == {}
    checked = {report.number: report.checked for report in reports}
    assert {number: checked[number] for number in (1, 2, 4, 7, 8, 9, 13, 18)} == {
        1: 3, 2: 5, 4: 1, 7: 3, 8: 2, 9: 10, 13: 2, 18: 1,
    }  # fmt: skip


async def test_what_the_commands_do_keeps_every_promise(played: Played) -> None:
    """Claims withdrawn, paid, bounced and returned; batches settled, dissolved, and refused by the bank."""
    app = create_async_engine(async_url(played.app_url), poolclass=NullPool)
    async with app.connect() as tx:
        world = await World.build(tx)
        for trainee in (await world.trainee(tx), await world.trainee(tx)):
            claim = await world.claim(tx, trainee=trainee)
            await withdraw_claim(tx, trainee.actor, claim.id, "", world.now)
            await world.claim(tx, trainee=trainee)
        await world.through_institution(tx)
        await fold_tally(tx)
        await settled_by_the_bank(tx, await Stage.build(tx, world))
        given_up = await Stage.build(tx, world)
        batch = await given_up.frozen(tx)
        await commands.dissolve_batch(tx, given_up.staff[Post.MAKER], batch.id, "重新开批", world.now)
        again = await given_up.written(tx)
        file = await commands.intend_to_send(tx, again.id, world.now)
        assert file is not None
        assert await commands.settle_answer(tx, file, FileState("refused", sha256=file.sha256), world.now)
        await given_up.frozen(tx)
        await keep_answers(tx)
        reports = await verify(tx)
        await tx.rollback()
    await app.dispose()
    assert {report.name: report.detail for report in reports if not report.held} == {}
    checked = {report.number: report.checked for report in reports}
    assert (checked[4], checked[8]) == (3, 6)


async def settled_by_the_bank(tx: Tx, stage: Stage) -> None:
    """One paid, one bounced, one paid and then returned."""
    batch = await stage.sent(tx)
    paid, failed, returned = [(line.reference, line.amount_fen) for line in await lines_of(tx, batch.id)]
    first = [(*paid, "done", ""), (*failed, "failed:permanent", "closed"), (*returned, "done", "")]
    for said in (first, [(*returned, "returned", "closed")]):
        data = a_return(batch, said)
        by = By("test", stage.world.now)
        await take_return(tx, None, read_return(data), data, "bank", by)
    assert sorted(await claim_statuses(tx, stage.claims)) == ["bounced", "bounced", "paid"]


#: Promise → what is planted → the table and row that must be named first.
PLANTED: dict[str, tuple[str, str, str | None, str]] = {
    "a second live attempt": (
        "one_live_attempt",
        "payment_attempts",
        None,
        """INSERT INTO payment_attempts SELECT gen_random_uuid(), claim_id, batch_id, 'AGAIN', amount_fen,
                  payee_sealed, account_sealed, account_tail, bank_code, 'sent', ''
             FROM payment_attempts WHERE id = :attempt""",
    ),
    "a second subsidy": (
        "one_subsidy",
        "claims",
        None,
        """INSERT INTO claims SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid()))).*
             FROM claims c WHERE id = :open""",
    ),
    "a reference twice": (
        "reference_unique_and_frozen",
        "payment_attempts",
        None,
        """UPDATE payment_attempts SET reference = (SELECT reference FROM payment_attempts WHERE id = :attempt)
            WHERE id = :void""",
    ),
    "another reference": (
        "reference_unique_and_frozen",
        "payment_attempts",
        "attempt",
        "UPDATE payment_attempts SET reference = 'OTHER' WHERE id = :attempt",
    ),
    "sent without a file": (
        "file_before_sending",
        "payment_attempts",
        "void",
        "UPDATE payment_attempts SET status = 'sending' WHERE id = :void",
    ),
    "a file's hash": ("file_before_sending", "bank_files", "batch", "UPDATE bank_files SET sha256 = 'x'"),
    "a journalled move that is none": (
        "legal_moves_and_frozen_money",
        "journal",
        None,
        """INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
           VALUES ('claim', :open, 'pay', '{"status": "filed"}', '{"status": "paid"}', 'nobody', now())""",
    ),
    "a claim born paid": (
        "legal_moves_and_frozen_money",
        "journal",
        None,
        'UPDATE journal SET after = after || \'{"status": "approved"}\' WHERE subject_id = :open',
    ),
    "another amount": (
        "legal_moves_and_frozen_money",
        "payment_attempts",
        "attempt",
        "UPDATE payment_attempts SET amount_fen = amount_fen + 1 WHERE id = :attempt",
    ),
    "another amount in claim and attempt": (
        "legal_moves_and_frozen_money",
        "claims",
        "payable",
        """WITH a AS (UPDATE payment_attempts SET amount_fen = 1 WHERE id = :void)
           UPDATE claims SET amount_fen = 1 WHERE id = :payable""",
    ),
    "another account": (
        "legal_moves_and_frozen_money",
        "payment_attempts",
        "attempt",
        "UPDATE payment_attempts SET account_tail = '0000' WHERE id = :attempt",
    ),
    "somebody else's account": (
        "legal_moves_and_frozen_money",
        "claims",
        "open",
        "UPDATE claims SET account_id = (SELECT account_id FROM claims WHERE id = :paid) WHERE id = :open",
    ),
    "one person twice": (
        "three_persons",
        "batch_signatures",
        "batch",
        """UPDATE batch_signatures s SET person_id = o.person_id, user_id = o.user_id FROM batch_signatures o
            WHERE s.step = 'check' AND o.step = 'assemble'""",
    ),
    "one human as two persons": (
        "three_persons",
        "batch_signatures",
        "batch",
        """UPDATE people SET merged_into = (SELECT person_id FROM batch_signatures WHERE step = 'check')
            WHERE id = (SELECT person_id FROM batch_signatures WHERE step = 'release')""",
    ),
    "a signature missing": (
        "three_persons",
        "batches",
        "batch",
        "DELETE FROM batch_signatures WHERE step = 'release'",
    ),
    "a signature under something else": (
        "signed_content",
        "batch_signatures",
        None,
        "UPDATE batch_signatures SET sum_fen = sum_fen + 1 WHERE step = 'check'",
    ),
    "a hash of something else": (
        "signed_content",
        "batches",
        "batch",
        """WITH s AS (UPDATE batch_signatures SET content_hash = 'x' WHERE batch_id = :batch)
           UPDATE batches SET content_hash = 'x' WHERE id = :batch""",
    ),
    "a line that does not open": (
        "signed_content",
        "payment_attempts",
        "attempt",
        "UPDATE payment_attempts SET payee_sealed = account_sealed || '-' WHERE id = :attempt",
    ),
    "a line taken out of a batch": (
        "signed_content",
        "batches",
        "batch",
        "DELETE FROM payment_attempts WHERE id = :attempt",
    ),
    "a status without a journal row": (
        "journal_equals_rows",
        "claims",
        "open",
        "UPDATE claims SET status = 'verified' WHERE id = :open",
    ),
    "a journal row taken out": (
        "journal_equals_rows",
        "journal",
        None,
        "DELETE FROM journal WHERE subject_id = :paid AND action = 'approve'",
    ),
    "a row that the journal does not know": (
        "journal_equals_rows",
        "batches",
        "dissolved",
        "DELETE FROM journal WHERE subject_id = :dissolved",
    ),
    "a journal of nothing": (
        "journal_equals_rows",
        "journal",
        None,
        "DELETE FROM claims WHERE id = :open",
    ),
    "a journal row by nobody": (
        "journal_equals_rows",
        "journal",
        None,
        "UPDATE journal SET actor_user_id = gen_random_uuid() WHERE subject_id = :paid AND action = 'approve'",
    ),
    "paid twice by the return": (
        "counted_once",
        "payment_attempts",
        "attempt",
        """INSERT INTO return_lines SELECT return_file_id, 99, reference, amount_fen, code, reason,
                  attempt_id, verdict FROM return_lines WHERE attempt_id = :attempt""",
    ),
    "paid without a return line": (
        "counted_once",
        "payment_attempts",
        "attempt",
        "UPDATE return_lines SET verdict = 'exception' WHERE attempt_id = :attempt",
    ),
    "a return line of another amount": (
        "counted_once",
        "return_lines",
        None,
        "UPDATE return_lines SET amount_fen = 1 WHERE attempt_id = :attempt",
    ),
    "a return line lost": (
        "counted_once",
        "return_files",
        None,
        "UPDATE return_files SET line_count = line_count + 1",
    ),
    "a job in no state": ("jobs_end", "jobs", None, "UPDATE jobs SET state = 'lost'"),
    "a job forgotten": (
        "jobs_end",
        "jobs",
        None,
        "UPDATE jobs SET state = 'ready', made_at = now() - interval '25 hours'",
    ),
}


PLANTED |= planted.ELSEWHERE


@pytest.mark.parametrize("name", PLANTED)
async def test_a_broken_promise_is_named_with_its_first_row(played: Played, name: str) -> None:
    promise, table, row, statement = PLANTED[name]
    report = (await broken(played, statement))[promise]
    assert report.row is not None
    assert report.row.table == table
    assert report.detail.startswith(f"{table} {report.row.id}：")
    if row is not None:
        assert report.row.id == str(played.ids[row])


async def test_a_file_other_than_the_batch_is_found_though_its_hash_is_right(played: Played) -> None:
    async with played.admin.connect() as tx:
        sealed = (await tx.execute(text("SELECT bytes_sealed FROM bank_files"))).scalar_one()
        plain = keyring().open_bytes(sealed, played.ids["batch"]).replace("张三".encode(), "李四".encode(), 1)
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(
            text("UPDATE bank_files SET bytes_sealed = :sealed, sha256 = encode(sha256(:plain), 'hex')"),
            {"sealed": keyring().seal(plain, played.ids["batch"]), "plain": plain},
        )
        reports = {report.number: report for report in await verify(tx)}
        await tx.rollback()
    assert not reports[4].held
    assert reports[8].held


async def test_a_job_may_wait_unless_all_is_said_to_be_over(played: Played) -> None:
    waiting = "UPDATE jobs SET state = 'ready'"
    assert await broken(played, waiting) == {}
    assert set(await broken(played, waiting, settled=True)) == {"jobs_end"}


async def test_a_journal_row_that_is_no_object_is_a_finding_not_a_failure(played: Played) -> None:
    found = await broken(played, "UPDATE journal SET after = '[1]' WHERE subject_id = :open")
    assert set(found) == {"legal_moves_and_frozen_money", "journal_equals_rows"}


def _zhida(played: Played, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service.cli", "audit", "verify", "--json"]
    asked = environment | {"ZHIDA_DATABASE_URL": played.app_url}
    return subprocess.run(command, check=False, cwd=ROOT, env=asked, capture_output=True, text=True)


async def test_the_command_answers_by_its_exit_code(played: Played) -> None:
    """As the service's own role, which may read and not mend."""
    environment = dict(os.environ)
    good = _zhida(played, environment)
    assert good.returncode == 0, good.stderr
    assert all(promise["held"] for promise in json.loads(good.stdout)["promises"])
    stray = (
        "INSERT INTO claim_tally_deltas (filed_on, district, list_kind, industry, level, channel, count, amount_fen) "
    )
    async with played.admin.begin() as tx:
        await tx.execute(text(stray + "VALUES ('2026-01-01', 'x', 'x', 'x', 'x', 'individual', 1, 1)"))
    try:
        bad = _zhida(played, environment)
    finally:
        async with played.admin.begin() as tx:
            await tx.execute(text("DELETE FROM claim_tally_deltas WHERE district = 'x'"))
    assert bad.returncode == 1
    assert "claim_tally 2026-01-01/x/x/x/x/individual" in bad.stderr
    assert [p["name"] for p in json.loads(bad.stdout)["promises"] if not p["held"]] == ["share"]
