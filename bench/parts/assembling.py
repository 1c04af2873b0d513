"""Assembling: a worker fills a batch out of five times as many payable claims; the bare work is four statements."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from time import monotonic

import asyncpg

from bench.claims import STAFF_USER, make_claims
from bench.figures import Figure
from bench.ground import Database, Ground
from bench.statements import Statement, recorded, replay
from bench.trainees import DISTRICT
from bench.turns import Turn, in_one_transaction, taken
from bench.wish import Wish
from domain.agent_bank import UNSAID
from service import jobs
from service.batches.queries import debit_account
from service.queue import Job

PART = "assembling"
_CLAIMS, _BATCH = 500_000, 100_000
_SECONDS_MAX = 900
_BATCH_ID = "00000000-0000-0000-0000-000000000003"

_OPEN = """
    INSERT INTO batches (id, number, district, fund, debit_account, terms, filter, status, opened_by, opened_at)
    SELECT '{batch}', 'JN20260101-000001', '{district}', 'employment_subsidy', '{account}',
           '{terms}', '{{"limit": {limit}, "filed_to": null}}', 'opened', '{user}', now();
    INSERT INTO jobs (kind, subject, round, next_at) VALUES ('{kind}', '{batch}', 1, now() + interval '1 day');
"""

# The same rows of the same tables, sealed bytes taken over as they are: what PostgreSQL alone needs for it.
_BARE = (
    """
    CREATE TEMP TABLE due ON COMMIT DROP AS
    SELECT c.id, c.amount_fen, c.account_id, row_number() OVER () AS place
      FROM (SELECT id, amount_fen, account_id FROM claims
             WHERE district = '{district}' AND status = 'payable'
             ORDER BY filed_on, filed_at, id LIMIT {limit} FOR UPDATE SKIP LOCKED) c
    """,
    """
    WITH moved AS (
        UPDATE claims c SET status = 'batched' FROM due d WHERE c.id = d.id RETURNING c.id
    )
    INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
    SELECT 'claim', id, 'batch', '{{"status": "payable"}}', '{{"status": "batched"}}', 'bench', now() FROM moved
    """,
    """
    WITH made AS (
        INSERT INTO payment_attempts (id, claim_id, batch_id, reference, amount_fen, payee_sealed, account_sealed,
                                      account_tail, bank_code, status)
        SELECT gen_random_uuid(), d.id, '{batch}', 'JN20260101000001' || lpad(d.place::text, 6, '0'), d.amount_fen,
               a.holder_sealed, a.number_sealed, a.tail, a.bank_code, 'prepared'
          FROM due d JOIN accounts a ON a.id = d.account_id
        RETURNING *
    )
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    SELECT 'attempt', id, 'prepare',
           jsonb_build_object('status', status, 'claim_id', claim_id, 'batch_id', batch_id, 'reference', reference,
                              'amount_fen', amount_fen, 'account_tail', account_tail, 'bank_code', bank_code),
           'bench', now()
      FROM made
    """,
    """
    WITH moved AS (
        UPDATE batches SET status = 'frozen', content_hash = '-', line_count = {limit},
                           sum_fen = (SELECT sum(amount_fen) FROM due)
         WHERE id = '{batch}' RETURNING id
    )
    INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
    SELECT 'batch', id, 'freeze', '{{"status": "opened"}}', '{{"status": "frozen"}}', 'bench', now() FROM moved
    """,
)


def measure(ground: Ground, wish: Wish) -> Iterator[Figure]:
    claims, limit = wish.of(_CLAIMS), wish.of(_BATCH)
    payable = ground.database("bench_payable")
    make_claims(payable, claims, "payable", readable=limit, seed=wish.seed, pot="reserved")
    told = {
        "batch": _BATCH_ID,
        "district": DISTRICT,
        "account": debit_account("示例", DISTRICT),
        "limit": limit,
        "terms": json.dumps(replace(UNSAID, lines_max=limit).written()),
        "user": STAFF_USER,
        "kind": Job.ASSEMBLE_BATCH,
    }
    payable.run("SET session_replication_role = replica;" + _OPEN.format(**told), "VACUUM ANALYZE")
    bare_statements = [each.format(**told) for each in _BARE]
    statements = _statements(ground, payable)
    turns, bare, again = [], [], []
    for _ in range(wish.turns):
        turns.append(_assembled(ground, payable, limit))
        copy = ground.database("bench_bare", like=payable.name)
        bare.append(in_one_transaction(copy, bare_statements))
        copy = ground.database("bench_bare", like=payable.name)
        again.append(replay(ground, copy, statements, ground.place.path / "assembling.sql"))
        ground.drop(copy)
    ground.drop(payable)
    mine, ceiling = median(one.seconds for one in turns), median(bare)
    ratio = median(one.seconds / bare_s for one, bare_s in zip(turns, bare, strict=True))
    cpu = f"processor time of the worker {median(one.cpu_seconds for one in turns):.2f} s"
    yield Figure(PART, f"{limit:,} of {claims:,} claims", mine, "s", ceiling, ratio, 2, note=cpu)
    note = f"the {len(statements)} statements that were sent, replayed; {len(statements) / limit:.4f} per claim"
    yield Figure(PART, "of it, the database", median(again), "s", ceiling, median(again) / ceiling, note=note)
    yield Figure(PART, "memory of the worker, peak", max(one.peak_mib for one in turns), "MiB")


def _statements(ground: Ground, payable: Database) -> list[Statement]:
    copy = ground.database("bench_recorded", like=payable.name)
    with ground.worker(copy), recorded(ground, copy) as recording:
        _assemble(copy)
    ground.drop(copy)
    return recording.statements


def _assembled(ground: Ground, payable: Database, limit: int) -> Turn:
    copy = ground.database("bench_assembled", like=payable.name)
    with ground.worker(copy) as worker:
        turn = taken(worker, lambda: _assemble(copy))
    lines = copy.ask("SELECT line_count FROM batches WHERE status = 'frozen'")
    if lines != limit:
        raise RuntimeError(f"a batch of {limit} has {lines} lines")
    ground.drop(copy)
    return turn


def _assemble(database: Database) -> float:
    """Nudge the job and answer the seconds until it is done."""

    async def work(line: asyncpg.Connection) -> float:
        job_id = await line.fetchval("SELECT id FROM jobs")
        began = monotonic()
        jobs.send([(str(Job.ASSEMBLE_BATCH), job_id)])
        while await line.fetchval("SELECT state FROM jobs") != "done":
            if monotonic() - began > _SECONDS_MAX:
                raise RuntimeError("the batch was not assembled")
            await asyncio.sleep(0.02)
        return monotonic() - began

    return database.on_connection(work)
