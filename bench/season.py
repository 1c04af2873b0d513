"""A year of a city's claims in every state, with their payments, notices, classes, journal and figures, by statements
over sets: what pages are asked over. Guards sleep meanwhile, as in `bench/claims.py`."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from bench.claims import STAFF_PERSON, STAFF_USER, make_claims
from bench.ground import Database
from bench.parts.share import DISTRICTS, SUMS
from service.crypto import keyring

INSTITUTIONS, _TRAINEES_A_CLASS, _LINES_A_BATCH = 300, 40, 9_999

# Who filed where, through whom and when, and how far it is by now: what is older has mostly been paid. Some lines of
# work are larger than others, as they are in a city.
_YEAR = """
    CREATE UNLOGGED TABLE bench_year AS
    SELECT id, current_date - age AS filed_on, age, luck,
           ({districts})[1 + floor(x * 12)::integer] AS district,
           CASE WHEN how >= 0.35 THEN md5('institution-' || floor(y * {institutions}))::uuid END AS institution_id,
           CASE WHEN how >= 0.35 THEN gen_random_uuid() END AS mandate_id,
           CASE WHEN age < 2 THEN CASE WHEN luck < 0.8 THEN 'filed' ELSE 'verified' END
                WHEN age < 12 THEN CASE WHEN luck < 0.5 THEN 'verified' WHEN luck < 0.8 THEN 'in_review'
                                        WHEN luck < 0.83 THEN 'sent_back' ELSE 'approved' END
                WHEN age < 20 THEN CASE WHEN luck < 0.1 THEN 'in_review' WHEN luck < 0.15 THEN 'refused'
                                        WHEN luck < 0.3 THEN 'approved' ELSE 'noticed' END
                WHEN age < 34 THEN CASE WHEN luck < 0.05 THEN 'refused' WHEN age < 27 THEN 'payable'
                                        ELSE 'batched' END
                WHEN luck < 0.93 THEN 'paid' WHEN luck < 0.96 THEN 'refused' WHEN luck < 0.985 THEN 'withdrawn'
                WHEN luck < 0.99 THEN 'in_review' WHEN luck < 0.998 THEN 'bounced' ELSE 'recovered' END AS status
      FROM (SELECT id, 364 - (row_number() OVER (ORDER BY filed_at, id) * 364 / count(*) OVER ())::integer AS age,
                   random() AS luck, random() AS how, random() * random() AS x, random() * random() AS y
              FROM claims) AS filed
"""

_CLAIMS = (
    "CREATE UNLOGGED TABLE bench_claims AS TABLE claims",
    """
    UPDATE bench_claims c
       SET district = y.district, status = y.status, institution_id = y.institution_id, mandate_id = y.mandate_id,
           channel = CASE WHEN y.mandate_id IS NULL THEN 'individual' ELSE 'institution' END,
           via = CASE WHEN y.mandate_id IS NULL THEN 'web' ELSE 'roster' END,
           filed_on = y.filed_on, certificate_issued_on = y.filed_on - 10, training_started_on = y.filed_on - 50,
           filed_at = (y.filed_on + time '08:00' + y.luck * interval '9 hours') AT TIME ZONE 'Asia/Shanghai'
      FROM bench_year y WHERE y.id = c.id
    """,
    "DELETE FROM claims",
    "VACUUM claims",
    "INSERT INTO claims SELECT * FROM bench_claims ORDER BY filed_at, id",
    "DROP TABLE bench_claims",
    "ANALYZE claims",
)

_INSTITUTIONS = """
    INSERT INTO institutions (id, credit_code, name, district, kind)
    SELECT md5('institution-' || n)::uuid, '913701' || lpad(n::text, 12, '0'), '示例培训学校' || n,
           ({districts})[1 + n % 15], 'private_school'
      FROM generate_series(0, {institutions} - 1) AS n
"""
_MANDATES = """
    INSERT INTO mandates (id, institution_id, person_id, signed_on, in_force, document_sha256, fee_fen, recorded_by)
    SELECT mandate_id, institution_id, person_id, filed_on - 50, daterange(filed_on - 50, filed_on + 365),
           encode(sha256(id::text::bytea), 'hex'), 0, '{user}'
      FROM claims WHERE mandate_id IS NOT NULL
"""

_TALLY = """
    INSERT INTO claim_tally (filed_on, district, list_kind, industry, level, channel, count, amount_fen)
    SELECT filed_on, district, list_kind, industry, level, channel, count(*), sum(amount_fen)
      FROM claims GROUP BY filed_on, district, list_kind, industry, level, channel
"""

# A week of a district stands on one notice; those of the last days still do.
_NOTICES = """
    CREATE UNLOGGED TABLE bench_shown AS
    SELECT id AS claim_id, district, shown, CASE WHEN shown THEN current_date - 3
           ELSE filed_on + 12 - extract(isodow FROM filed_on)::integer END AS opens_on
      FROM (SELECT id, district, filed_on, status = 'noticed' AS shown FROM claims
             WHERE status IN ('noticed', 'payable', 'batched', 'paid', 'bounced', 'recovered')) AS due;
    INSERT INTO public_notices (id, district, opens_on, closes_on, provisional, line_count, content_hash,
                                published_by, closed_at)
    SELECT md5(format('notice %s %s', district, opens_on))::uuid, district, opens_on, opens_on + 7, false, count(*),
           encode(sha256(format('%s %s', district, opens_on)::bytea), 'hex'), '{user}',
           CASE WHEN NOT bool_or(shown) THEN (opens_on + 8)::timestamptz END
      FROM bench_shown GROUP BY district, opens_on;
    INSERT INTO notice_lines (notice_id, claim_id)
    SELECT md5(format('notice %s %s', district, opens_on))::uuid, claim_id FROM bench_shown;
    DROP TABLE bench_shown;
"""

_APPROVALS = """
    INSERT INTO claim_approvals (claim_id, district, filed_on, seed, percent, why, approved_by, approved_person,
                                 approved_at, finding, found_by, found_person, found_at)
    SELECT id, district, filed_on, sha256(id::text::bytea), 5,
           CASE WHEN drawn THEN '{{sample}}' ELSE '{{}}' END::text[], '{user}', '{person}',
           filed_at + interval '6 days', CASE WHEN found THEN 'confirmed' END,
           CASE WHEN found THEN '{user}'::uuid END, CASE WHEN found THEN id END,
           CASE WHEN found THEN filed_at + interval '7 days' END
      FROM (SELECT *, drawn AND status <> 'approved' AS found
              FROM (SELECT *, get_byte(uuid_send(id), 0) % 20 = 0 AS drawn FROM claims
                     WHERE status IN ('approved', 'noticed', 'payable', 'batched', 'paid', 'bounced', 'recovered'))
                   AS approved) AS each
     ORDER BY filed_at
"""
_CORRECTIONS = """
    INSERT INTO claim_corrections (id, claim_id, faults, due_on, provisional, asked_by, asked_at, corrected_by,
                                   corrected_at, replaced)
    SELECT gen_random_uuid(), id, '[{{"field": "level", "code": "level_differs", "note": ""}}]', filed_on + 20, false,
           '{user}', filed_at + interval '2 days', CASE WHEN mended THEN '{user}'::uuid END,
           CASE WHEN mended THEN filed_at + interval '4 days' END, CASE WHEN mended THEN '{{}}'::jsonb END
      FROM (SELECT *, status = 'paid' AS mended FROM claims
             WHERE status = 'sent_back' OR status = 'paid' AND get_byte(uuid_send(id), 1) % 20 = 0) AS asked
"""

# A month of a district is paid by a batch or two. What the bank has, and what is still to be signed, by turns.
_BATCHES = """
    CREATE UNLOGGED TABLE bench_lines AS
    SELECT *, row_number() OVER (PARTITION BY batch ORDER BY filed_at, claim_id) AS place
      FROM (SELECT *, dense_rank() OVER (ORDER BY month, district, paying, part) AS batch
              FROM (SELECT id AS claim_id, account_id, district, status, amount_fen, filed_at,
                           status = 'batched' AS paying, date_trunc('month', filed_at + interval '33 days') AS month,
                           row_number() OVER (PARTITION BY district, status = 'batched',
                                              date_trunc('month', filed_at + interval '33 days')
                                              ORDER BY filed_at, id) / {lines} AS part
                      FROM claims WHERE status IN ('batched', 'paid', 'bounced', 'recovered')) AS due) AS parted;
    INSERT INTO batches (id, number, district, fund, debit_account, filter, status, content_hash, line_count, sum_fen,
                         opened_by, opened_at)
    SELECT md5('batch-' || batch)::uuid, format('JN%s-%s', to_char(opened, 'YYYYMMDD'), lpad(batch::text, 6, '0')),
           district, 'employment_subsidy', '示例专户-' || district, '{{"limit": {lines}, "filed_to": null}}',
           CASE WHEN NOT paying THEN 'settled' WHEN row_number() OVER (PARTITION BY district, paying
                ORDER BY lines DESC, batch) % 2 = 0 THEN 'sent' ELSE 'submitted' END,
           encode(sha256(batch::text::bytea), 'hex'), lines, sum_fen, '{user}', opened
      FROM (SELECT batch, district, paying, count(*) AS lines, sum(amount_fen) AS sum_fen,
                   least(max(filed_at) + interval '33 days', now() - interval '5 hours') AS opened
              FROM bench_lines GROUP BY batch, district, paying) AS each;
    INSERT INTO payment_attempts (id, claim_id, batch_id, reference, amount_fen, payee_sealed, account_sealed,
                                  account_tail, bank_code, status)
    SELECT gen_random_uuid(), l.claim_id, b.id, replace(b.number, '-', '') || lpad(l.place::text, 6, '0'),
           l.amount_fen, a.holder_sealed, a.number_sealed, a.tail, a.bank_code,
           CASE WHEN l.status = 'bounced' THEN 'returned' WHEN NOT l.paying THEN 'done'
                WHEN b.status = 'sent' THEN 'sent' ELSE 'prepared' END
      FROM bench_lines l JOIN batches b ON b.id = md5('batch-' || l.batch)::uuid
      JOIN accounts a ON a.id = l.account_id
     ORDER BY l.batch, l.place;
    INSERT INTO bank_files (batch_id, file_id, bytes_sealed, sha256, line_count, sum_fen, written_at)
    SELECT id, number, '', encode(sha256(number::bytea), 'hex'), line_count, sum_fen, opened_at + interval '1 hour'
      FROM batches WHERE status IN ('sent', 'settled');
"""

_MONEY = """
    INSERT INTO funds VALUES ('employment_subsidy', '示例') ON CONFLICT DO NOTHING;
    CREATE UNLOGGED TABLE bench_money AS
    SELECT id AS claim_id, district, amount_fen, filed_at, CASE status WHEN 'paid' THEN 'paid' WHEN 'recovered' THEN
           'free' WHEN 'batched' THEN 'in_flight' ELSE 'reserved' END AS pot
      FROM claims WHERE status IN ('approved', 'noticed', 'payable', 'batched', 'paid', 'bounced', 'recovered');
    INSERT INTO fund_positions (id, district, fund, year, appropriated_fen, free_fen, reserved_fen, in_flight_fen,
                                paid_fen)
    SELECT md5('position-' || district)::uuid, district, 'employment_subsidy', extract(year FROM current_date),
           2 * sum(amount_fen), 2 * sum(amount_fen) - coalesce(sum(amount_fen) FILTER (WHERE pot <> 'free'), 0),
           coalesce(sum(amount_fen) FILTER (WHERE pot = 'reserved'), 0),
           coalesce(sum(amount_fen) FILTER (WHERE pot = 'in_flight'), 0),
           coalesce(sum(amount_fen) FILTER (WHERE pot = 'paid'), 0)
      FROM bench_money GROUP BY district;
    INSERT INTO fund_reservations (claim_id, position_id, amount_fen, pot)
    SELECT claim_id, md5('position-' || district)::uuid, amount_fen, pot FROM bench_money;
    INSERT INTO fund_movements (position_id, claim_id, kind, source, target, amount_fen, actor_name, at)
    SELECT md5('position-' || district)::uuid, claim_id, kind, source, target, amount_fen, 'bench', filed_at + after
      FROM bench_money
     CROSS JOIN LATERAL (VALUES ('reserve', 'free', 'reserved', interval '6 days', true),
                                ('send', 'reserved', 'in_flight', interval '34 days', pot IN ('paid', 'in_flight')),
                                ('pay', 'in_flight', 'paid', interval '36 days', pot = 'paid'))
                     AS moved (kind, source, target, after, so)
     WHERE so ORDER BY filed_at + after;
    DROP TABLE bench_money;
"""

# How it went, from `file` on, which `bench/claims.py` has written; and of each batch.
_JOURNAL = """
    INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, reason, at)
    SELECT 'claim', id, action, jsonb_build_object('status', old), jsonb_build_object('status', new), by, reason,
           filed_at + after
      FROM claims
     CROSS JOIN LATERAL (
           VALUES ('verify', 'filed', 'verified', 'verification.verify_certificate', '', interval '1 hour',
                   status NOT IN ('filed', 'in_review', 'withdrawn')),
                  ('question', 'filed', 'in_review', 'verification.verify_certificate', 'no_evidence',
                   interval '1 hour', status = 'in_review'),
                  ('send_back', 'verified', 'sent_back', 'reviewer', '', interval '2 days', status = 'sent_back'),
                  ('refuse', 'verified', 'refused', 'reviewer', '', interval '3 days', status = 'refused'),
                  ('approve', 'verified', 'approved', 'reviewer', '', interval '6 days',
                   status IN ('approved', 'noticed', 'payable', 'batched', 'paid', 'bounced', 'recovered')),
                  ('publish', 'approved', 'noticed', 'notice_publisher', '', interval '12 days',
                   status IN ('noticed', 'payable', 'batched', 'paid', 'bounced', 'recovered')),
                  ('clear', 'noticed', 'payable', 'notices.close', '', interval '20 days',
                   status IN ('payable', 'batched', 'paid', 'bounced', 'recovered')),
                  ('batch', 'payable', 'batched', 'batches.assemble_batch', '', interval '33 days',
                   status IN ('batched', 'paid', 'bounced', 'recovered')),
                  ('pay', 'batched', 'paid', 'maker', '', interval '36 days', status IN ('paid', 'recovered')))
        AS moved (action, old, new, by, reason, after, so)
     WHERE so ORDER BY filed_at + after;
    INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
    SELECT 'batch', id, action, jsonb_build_object('status', old), jsonb_build_object('status', new), 'bench',
           opened_at + after
      FROM batches
     CROSS JOIN LATERAL (VALUES ('freeze', 'opened', 'frozen', interval '1 minute', true),
                                ('submit', 'frozen', 'submitted', interval '1 hour', true),
                                ('check', 'submitted', 'checked', interval '2 hours', status <> 'submitted'),
                                ('release', 'checked', 'released', interval '3 hours', status <> 'submitted'),
                                ('send', 'released', 'sent', interval '4 hours', status <> 'submitted'),
                                ('settle', 'sent', 'settled', interval '2 days', status = 'settled'))
                     AS moved (action, old, new, after, so)
     WHERE so;
"""

_JOBS = """
    INSERT INTO jobs (kind, subject, round, state, next_at)
    SELECT 'verification.verify_certificate', id, 1, CASE status WHEN 'filed' THEN 'ready' ELSE 'done' END, now()
      FROM claims
"""
_OFFERS = """
    INSERT INTO claim_offers (id, person_id, item_id, level, certificate_number, issued_on, amount_fen, decision,
                              made_on, made_at, expires_on, status, claim_id, entry_id)
    SELECT gen_random_uuid(), person_id, item_id, level, 'offer-' || certificate_number,
           certificate_issued_on, amount_fen, '{{}}', filed_on, filed_at, filed_on + 60, 'confirmed', id,
           gen_random_uuid()
      FROM claims WHERE channel = 'individual' AND get_byte(uuid_send(id), 2) % 8 = 0
"""

# A class for every forty who came through an institution, ten sessions each; one class in eight was patrolled.
_CLASSES = """
    INSERT INTO training_classes (id, institution_id, district, site, address, item_id, occupation, level,
                                  standard_id, planned_hours, first, last, status, number, filed_on, filed_at,
                                  filed_by, decision)
    SELECT gen_random_uuid(), institution_id, district, '一号教学点', '示例路1号', item_id, subsidy_key, level,
           standard_id, 80, filed_on - 60, filed_on - 20, CASE WHEN filed_on > current_date - 20 THEN 'finished' ELSE
           'closed' END, 'K' || row_number() OVER (ORDER BY filed_at), filed_on - 80, filed_at - interval '80 days',
           '{user}', '{{}}'
      FROM (SELECT *, row_number() OVER (ORDER BY filed_at, id) AS n FROM claims WHERE channel = 'institution') AS led
     WHERE n % {trainees} = 1;
    INSERT INTO training_sessions (id, class_id, teacher_id, room_id, during, hours)
    SELECT gen_random_uuid(), id, md5('teacher' || id)::uuid, md5('room' || id)::uuid,
           tstzrange(day, day + interval '6 hours'), 8
      FROM training_classes
     CROSS JOIN LATERAL (SELECT (first + 4 * n + time '09:00') AT TIME ZONE 'Asia/Shanghai' AS day
                           FROM generate_series(0, 9) AS n) AS taught
     ORDER BY number, day;
    INSERT INTO patrols (id, draw_id, turn, class_id, begins, ends, kind, due_on, result, headcount, findings,
                         recorded_by, recorded_person, recorded_at, recorded_on)
    SELECT gen_random_uuid(), gen_random_uuid(), 1, id, day, day + interval '6 hours', 'on_site', first + 8, 'passed',
           30, '如常', '{user}', '{person}', day + interval '7 hours', first + 8
      FROM (SELECT *, (first + 8 + time '09:00') AT TIME ZONE 'Asia/Shanghai' AS day FROM training_classes) AS c
     WHERE get_byte(uuid_send(id), 0) % 8 = 0;
"""


@dataclass(frozen=True)
class Season:
    """What a page is asked for: the busiest district, institution and batch, and claims with a whole decision."""

    district: str
    institution_id: UUID
    paid: UUID
    trainee: UUID
    waiting: UUID
    batch: UUID
    notice: UUID
    code: str


# As the sweep keeps them: of each batch the lists of its lines; of each month its days of steps, sixty times.
_COUNTED = """
    INSERT INTO batch_lists (batch_id, list_kind, lines)
    SELECT a.batch_id, c.list_kind, count(*) FROM payment_attempts a JOIN claims c ON c.id = a.claim_id
      JOIN batches b ON b.id = a.batch_id AND b.status IN ('sent', 'settled') GROUP BY a.batch_id, c.list_kind;
    INSERT INTO step_counts (id, month, counted_on, counted_at, every, days)
    SELECT gen_random_uuid(), month, month + day, month + day, 40, (
           SELECT jsonb_object_agg(step, days)
             FROM unnest(ARRAY['review', 'correction', 'notice', 'payment', 'whole']) AS step
            CROSS JOIN (SELECT jsonb_object_agg(n, n * 2) AS days FROM generate_series(1, 40) AS n) AS spread)
      FROM (SELECT DISTINCT CAST(date_trunc('month', opened_at AT TIME ZONE 'Asia/Shanghai') AS date) AS month
              FROM batches) AS months
     CROSS JOIN generate_series(1, 60) AS day
"""


def make_season(database: Database, count: int, decision: str, seed: int) -> Season:
    """`count` claims; those that are looked at have the `decision` of a real one."""
    make_claims(database, count, "paid", readable=count, seed=seed)
    told = {
        "user": STAFF_USER,
        "person": STAFF_PERSON,
        "institutions": INSTITUTIONS,
        "lines": _LINES_A_BATCH,
        "trainees": _TRAINEES_A_CLASS,
        "districts": DISTRICTS,
    }

    async def make(line: asyncpg.Connection) -> Season:
        await line.execute("SET session_replication_role = replica")
        await line.execute(f"SELECT setseed({seed % 100 / 100})")
        await line.execute(_INSTITUTIONS.format(**told))
        await line.execute(_YEAR.format(**told), timeout=3600)
        for each in _CLAIMS:
            await line.execute(each, timeout=3600)
        await line.execute("TRUNCATE claim_tally, claim_tally_sums, claim_tally_deltas")
        parts = (_MANDATES, _TALLY, SUMS, _NOTICES, _APPROVALS, _CORRECTIONS, _BATCHES, _MONEY, _JOURNAL, _JOBS)
        for each in (*parts, _COUNTED, _OFFERS, _CLASSES):
            await line.execute(each.format(**told), timeout=3600)
        await line.execute("DROP TABLE bench_year, bench_lines")
        found = Season(**dict(await line.fetchrow(_FOUND) or {}))
        looked_at = [found.paid, found.waiting]
        await line.execute("UPDATE claims SET decision = $2 WHERE id = ANY ($1)", looked_at, decision)
        await _make_readable(line, found)
        return found

    season = database.on_connection(make)
    database.run("VACUUM ANALYZE", "CHECKPOINT")
    return season


_FOUND = """
    WITH busiest AS (
        SELECT (SELECT district FROM claims GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1) AS district,
               (SELECT institution_id FROM claims WHERE institution_id IS NOT NULL
                 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1) AS institution_id
    ), paid AS (
        SELECT c.id, c.person_id, i.code FROM claims c JOIN catalog_items i ON i.id = c.item_id
         WHERE c.status = 'paid' AND c.channel = 'individual' ORDER BY c.filed_at DESC LIMIT 1
    )
    SELECT district, institution_id, paid.id AS paid, paid.person_id AS trainee, paid.code,
           (SELECT id FROM claims c WHERE status = 'in_review' AND c.district = busiest.district
             ORDER BY filed_on, id LIMIT 1) AS waiting,
           (SELECT id FROM batches b WHERE status = 'submitted'
             ORDER BY b.district <> busiest.district, line_count DESC LIMIT 1) AS batch,
           (SELECT id FROM public_notices n WHERE closed_at IS NULL
             ORDER BY n.district <> busiest.district, line_count DESC LIMIT 1) AS notice
      FROM busiest, paid
"""


async def _make_readable(line: asyncpg.Connection, season: Season) -> None:
    """What the batch says of payees is sealed under its lines' own ids; whoever works has a name."""
    keys = keyring()
    await line.execute(
        "UPDATE people SET name_sealed = $2 WHERE id = $1", STAFF_PERSON, keys.seal("示例人员", STAFF_PERSON)
    )
    ids = [row["id"] for row in await line.fetch("SELECT id FROM payment_attempts WHERE batch_id = $1", season.batch)]
    await line.executemany(
        "UPDATE payment_attempts SET payee_sealed = $2, account_sealed = $3 WHERE id = $1",
        [(each, keys.seal("示例持卡人", each), keys.seal("6217000000000000018", each)) for each in ids],
    )
