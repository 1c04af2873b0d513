"""Forward migrations over a database that has been at work: what was decided before stays as it was decided."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from domain.claim import ClaimAction
from service.audit.queries.checks import first_breach
from service.audit.queries.funds import MONEY_CONSERVED, carried_over, mixed_batches
from service.audit.queries.journal import JOURNALLED
from service.claims.commands.moves import move_claim
from service.database import async_url
from service.journal import By
from tests.conftest import ROOT, Databases
from tests.service.test_funds import kept

DISTRICT, OTHER = "370102", "370112"
AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def _on(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"


def migrate(owner_url: str, revision: str) -> None:
    """Bring a database to a revision, as an operator does."""
    command = [sys.executable, "-m", "alembic", "-c", "pyproject.toml", "upgrade", revision]
    environment = {**os.environ, "ZHIDA_OWNER_URL": owner_url}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@asynccontextmanager
async def database_at(databases: Databases, revision: str) -> AsyncIterator[str]:
    """The name of a database of one's own, migrated to `revision` only."""
    name = f"{databases.admin_url.rpartition('/')[2]}_forward"
    admin = await asyncpg.connect(databases.admin_url)
    try:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.execute(f"CREATE DATABASE {name} OWNER zhida_owner")
        await asyncio.to_thread(migrate, _on(databases.owner_url, name), revision)
        yield name
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()


async def _plant_claim(
    admin: asyncpg.Connection, status: str, attempt: str = "", approved_at: datetime = AT, district: str = DISTRICT
) -> UUID:
    """A claim of 1,000 yuan as revision 0002 keeps it, with the journal row of its approval, and a payment of it."""
    claim = uuid4()
    await admin.execute(
        """INSERT INTO claims (id, person_id, channel, via, filed_by, district, item_id, list_kind, industry,
                  subsidy_key, level, once_in, certificate_number, certificate_issued_on, training_started_on,
                  standard_id, amount_fen, account_id, status, filed_on, filed_at, decision)
           VALUES ($1, $1, 'individual', 'web', $1, $2, $1, 'shortage', '制造业', '6-18-01-01', '4', 'ever',
                   ($1::uuid)::text, '2026-01-05', '2026-01-05', $1, 100000, $1, $3, '2026-02-01', '2026-02-01',
                   '{}')""",
        claim,
        district,
        status,
    )
    await admin.execute(
        """INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
           VALUES ('claim', $1, 'approve', '{"status": "approved"}', 'reviewer', $2)""",
        claim,
        approved_at,
    )
    if attempt:
        await admin.execute(
            """INSERT INTO payment_attempts (id, claim_id, batch_id, reference, amount_fen, payee_sealed,
                      account_sealed, account_tail, bank_code, status)
               VALUES ($1, $1, $1, upper(replace(($1::uuid)::text, '-', '')), 100000, '', '', '', '', $2)""",
            claim,
            attempt,
        )
    return claim


async def test_claims_approved_before_there_were_funds_have_their_money(databases: Databases) -> None:
    async with database_at(databases, "0002") as name:
        admin = await asyncpg.connect(_on(databases.admin_url, name))
        await admin.execute("SET session_replication_role = replica")  # no triggers, no foreign keys
        await admin.execute("INSERT INTO districts VALUES ($1, '历下区', NULL, 'district')", DISTRICT)
        await admin.execute("INSERT INTO districts VALUES ($1, '历城区', NULL, 'district')", OTHER)
        for status in ("filed", "verified", "in_review", "refused", "withdrawn", "recovered"):
            await _plant_claim(admin, status)
        approved = await _plant_claim(admin, "approved")
        bounced = await _plant_claim(admin, "bounced", "failed")
        await _plant_claim(admin, "batched", "prepared")
        sent = await _plant_claim(admin, "batched", "sent")
        await _plant_claim(admin, "paid", "done")
        # approved at half past midnight of the new year in Jinan
        await _plant_claim(admin, "noticed", approved_at=datetime(2025, 12, 31, 16, 30, tzinfo=UTC))
        await _plant_claim(admin, "payable", approved_at=datetime(2025, 12, 31, 15, 30, tzinfo=UTC))
        await _plant_claim(admin, "approved", district=OTHER)
        await admin.close()

        await asyncio.to_thread(migrate, _on(databases.owner_url, name), "head")
        app = create_async_engine(async_url(_on(databases.app_url, name)), poolclass=NullPool)
        by = By("a test", AT)
        async with app.begin() as tx:
            held = {"reserved": 400_000, "in_flight": 100_000, "paid": 100_000}
            assert await kept(tx, DISTRICT, year=2026) == held
            assert await kept(tx, DISTRICT, year=2025) == {"reserved": 100_000}
            assert await kept(tx, OTHER) == {"reserved": 100_000}
            assert await carried_over(tx) == 3
            assert await first_breach(tx, MONEY_CONSERVED.checks) is None
        async with app.begin() as tx:
            # and go on as any other
            await move_claim(tx, ClaimAction.PUBLISH, approved, by)
            await move_claim(tx, ClaimAction.WITHDRAW, bounced, by)
            await tx.execute(
                text("""WITH noted AS (INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
                                       VALUES ('attempt', :id, 'succeed', '{"status": "done"}', 'bank', now()))
                        UPDATE payment_attempts SET status = 'done' WHERE id = :id"""),
                {"id": sent},
            )
            await move_claim(tx, ClaimAction.PAY, sent, by)
            assert await kept(tx, DISTRICT, year=2026) == {"free": 100_000, "reserved": 300_000, "paid": 200_000}
            assert await first_breach(tx, MONEY_CONSERVED.checks) is None
        await app.dispose()


SUBSIDY, INSURANCE = "employment_subsidy", "unemployment_insurance"


async def _plant_batch(
    admin: asyncpg.Connection, status: str, *funds: str, attempt: str = "prepared", file: bool = False
) -> UUID:
    """A batch as revision `rosters` keeps it: for each of `funds` a claim of 1,000 yuan and the attempt to pay it."""
    batch = uuid4()
    await admin.execute(
        "INSERT INTO users (id, login, password_hash, person_id) VALUES ($1, ($1::uuid)::text, '', $1)", batch
    )
    await admin.execute(
        """INSERT INTO batches (id, number, district, filter, status, content_hash, line_count, sum_fen, opened_by,
                  opened_at)
           VALUES ($1, ($1::uuid)::text, $2, '{}', $3, 'x', 1, 1, $1, $4)""",
        *(batch, DISTRICT, status, AT),
    )
    subjects = [("batch", batch, status)]
    for fund in funds:
        claim = await _plant_claim(admin, "batched", attempt)
        await admin.execute("UPDATE payment_attempts SET batch_id = $1 WHERE claim_id = $2", batch, claim)
        await admin.execute(
            """INSERT INTO fund_reservations (claim_id, position_id, amount_fen, pot)
               SELECT $1, id, 100000, $3 FROM fund_positions WHERE fund = $2""",
            *(claim, fund, "reserved" if attempt == "prepared" else "in_flight"),
        )
        subjects += [("claim", claim, "batched"), ("attempt", claim, attempt)]
    await admin.executemany(
        """INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
           VALUES ($1, $2, 'plant', CASE $1 WHEN 'claim' THEN '{"status": "approved"}'::jsonb END,
                   jsonb_build_object('status', $3::text), 'test', now())""",
        subjects,
    )
    if file:
        await admin.execute("INSERT INTO bank_files VALUES ($1, ($1::uuid)::text, '', '', 1, 1)", batch)
        await admin.execute(
            """INSERT INTO treasury_transfers (batch_id, voucher, transferred_on, sum_fen, recorded_by)
               VALUES ($1, ($1::uuid)::text, '2026-03-02', 1, $1)""",
            batch,
        )
    return batch


async def test_batches_of_before_pay_from_one_fund_or_are_dissolved(databases: Databases) -> None:
    async with database_at(databases, "rosters") as name:
        admin = await asyncpg.connect(_on(databases.admin_url, name))
        await admin.execute("SET session_replication_role = replica")
        await admin.execute("INSERT INTO districts VALUES ($1, '历下区', NULL, 'district')", DISTRICT)
        await admin.execute("INSERT INTO funds VALUES ($1, '就业补助资金'), ($2, '失业保险基金')", SUBSIDY, INSURANCE)
        await admin.execute(
            """INSERT INTO fund_positions (id, district, fund, year)
               SELECT gen_random_uuid(), $1, code, 2026 FROM funds""",
            DISTRICT,
        )
        stays = {
            await _plant_batch(admin, "opened"): (SUBSIDY, "就业补助资金", ""),
            await _plant_batch(admin, "frozen", INSURANCE, INSURANCE): (INSURANCE, "失业保险基金", ""),
            await _plant_batch(admin, "released", SUBSIDY, file=True): (SUBSIDY, "就业补助资金", ""),
            await _plant_batch(admin, "sent", INSURANCE, attempt="sent", file=True): (
                INSURANCE,
                "就业补助资金",
                "代发文件以就业补助资金专户列支：失业保险基金1笔1000.00元",
            ),
            await _plant_batch(admin, "released", SUBSIDY, INSURANCE, INSURANCE, attempt="unknown", file=True): (
                SUBSIDY,
                "就业补助资金",
                "本批含多项资金：就业补助资金1笔1000.00元、失业保险基金2笔2000.00元",
            ),
        }
        dissolved = {
            await _plant_batch(admin, "checked", SUBSIDY, INSURANCE): "批次含多项资金，整批解散",
            await _plant_batch(admin, "released", SUBSIDY, INSURANCE, file=True): "批次含多项资金，整批解散",
            await _plant_batch(admin, "released", INSURANCE, file=True): "代发文件写的不是这项资金的专户，整批解散",
        }
        before = {row["id"]: row["status"] for row in await admin.fetch("SELECT id, status FROM batches")}

        await asyncio.to_thread(migrate, _on(databases.owner_url, name), "head")
        batches = {row["id"]: row for row in await admin.fetch("SELECT * FROM batches")}
        noted = "SELECT subject_id, reason FROM journal WHERE action = $1 AND subject_kind = 'batch'"
        named = {row["subject_id"]: row["reason"] for row in await admin.fetch(noted, "name_fund")}
        for batch, (fund, account, said) in stays.items():
            row = batches[batch]
            assert (row["status"], row["fund"], row["debit_account"]) == (
                before[batch],
                fund,
                f"{account}专户-{DISTRICT}",
            )
            assert named[batch] == said
        assert {row["subject_id"]: row["reason"] for row in await admin.fetch(noted, "dissolve")} == dissolved
        freed = await admin.fetch(
            """SELECT b.id, b.status, a.status AS attempt, c.status AS claim, t.carried_over_at IS NOT NULL AS kept,
                      f.batch_id IS NOT NULL AS file
                 FROM batches b JOIN payment_attempts a ON a.batch_id = b.id JOIN claims c ON c.id = a.claim_id
                 LEFT JOIN treasury_transfers t ON t.batch_id = b.id LEFT JOIN bank_files f ON f.batch_id = b.id
                WHERE b.status = 'dissolved' OR a.status = 'void' OR c.status = 'payable'"""
        )
        assert {row["id"] for row in freed} == dissolved.keys()
        assert {tuple(row)[1:4] for row in freed} == {("dissolved", "void", "payable")}
        assert all(row["kept"] == row["file"] for row in freed)
        await admin.close()

        app = create_async_engine(async_url(_on(databases.app_url, name)), poolclass=NullPool)
        async with app.begin() as tx:
            assert await first_breach(tx, JOURNALLED.checks) is None
            of_one_fund = tuple(each for each in MONEY_CONSERVED.checks if each.table == "payment_attempts")
            assert await first_breach(tx, of_one_fund) is None
            assert await mixed_batches(tx) == 1
        await app.dispose()


async def test_editions_of_before_are_historical_and_superseded_where_they_ended(databases: Databases) -> None:
    async with database_at(databases, "objections") as name:
        admin = await asyncpg.connect(_on(databases.admin_url, name))
        planted = {
            2022: ("published", "[2022-03-01,2023-03-01)"),
            2023: ("published", "[2023-03-01,)"),
            2024: ("draft", None),
        }
        for year, (status, days) in planted.items():
            edition = await admin.fetchval(
                """INSERT INTO catalog_editions (id, year, status, in_force, source_name, source_sha256)
                   VALUES (gen_random_uuid(), $1, 'draft', NULL, '', '') RETURNING id""",
                year,
            )
            await admin.executemany(
                """INSERT INTO catalog_items (id, edition_id, list_name, list_kind, serial, line, name, industry)
                   VALUES (gen_random_uuid(), $1, '一般性', 'general', '', $2, '焊工', '加工维修')""",
                [(edition, 75), (edition, 73)],
            )
            await admin.execute(
                "UPDATE catalog_editions SET status = $2, in_force = $3::text::daterange WHERE id = $1",
                *(edition, status, days),
            )
        await asyncio.to_thread(migrate, _on(databases.owner_url, name), "head")
        found = await admin.fetch(
            """SELECT e.year, e.status, e.historical, array_agg(i.place ORDER BY i.line) AS places,
                      (SELECT count(*) FROM journal j WHERE j.subject_id = e.id AND j.action = 'supersede') AS noted
                 FROM catalog_editions e JOIN catalog_items i ON i.edition_id = e.id GROUP BY e.id ORDER BY e.year"""
        )
        await admin.close()
    assert [tuple(row) for row in found] == [
        (2022, "superseded", True, [1, 2], 1),
        (2023, "published", True, [1, 2], 0),
        (2024, "draft", False, [1, 2], 0),
    ]


def test_each_refusal_of_the_database_has_a_number_of_its_own() -> None:
    """Two guards that share one would be told in each other's words."""
    said: dict[str, set[str]] = {}
    for file in sorted((ROOT / "migrations/versions").glob("*.py")):
        for state in re.findall(r"ERRCODE = '(ZD1\d\d)'", file.read_text("utf-8")):
            said.setdefault(state, set()).add(file.name)
    assert {state: files for state, files in said.items() if len(files) > 1} == {}
    assert len(said) > 8
