"""Settling: a maker hands in a bank's return over HTTP; the bare work is six statements that write the same rows."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import monotonic

import httpx

from bench.claims import STAFF_PERSON, STAFF_USER, make_claims
from bench.figures import Figure
from bench.ground import Database, Ground, Server
from bench.statements import recorded
from bench.trainees import DISTRICT
from bench.turns import Turn, in_one_transaction, taken
from bench.wish import Wish
from service.batches.queries import debit_account

PART = "settling"
_LINES = 100_000
_BATCH_ID, _RETURN_ID = "00000000-0000-0000-0000-000000000003", "00000000-0000-0000-0000-000000000004"
_NUMBER, _TOKEN, _ACCOUNT = "JN20260101-000001", "bench-maker", debit_account("示例", DISTRICT)

_SENT = """
    INSERT INTO batches (id, number, district, fund, debit_account, filter, status, content_hash, line_count,
                         sum_fen, opened_by, opened_at)
    SELECT '{batch}', '{number}', '{district}', 'employment_subsidy', '{account}', '{{}}', 'sent',
           '-', count(*), sum(amount_fen), '{user}', now()
      FROM claims;
    INSERT INTO payment_attempts (id, claim_id, batch_id, reference, amount_fen, payee_sealed, account_sealed,
                                  account_tail, bank_code, status)
    SELECT gen_random_uuid(), c.id, '{batch}',
           'JN20260101000001' || lpad((row_number() OVER (ORDER BY c.filed_at))::text, 6, '0'), c.amount_fen,
           a.holder_sealed, a.number_sealed, a.tail, a.bank_code, 'sent'
      FROM claims c JOIN accounts a ON a.id = c.account_id;
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    SELECT 'attempt', id, 'send', jsonb_build_object('status', status), 'bench', now() FROM payment_attempts;
    INSERT INTO bank_files (batch_id, file_id, bytes_sealed, sha256, line_count, sum_fen)
    SELECT id, number, '', '-', line_count, sum_fen FROM batches;
    INSERT INTO sessions (token_sha256, user_id, person_id, posts, district, expires_at)
    VALUES (sha256('{token}'), '{user}', '{person}', '{{maker}}', '{district}', now() + interval '1 day');
"""

_REASONS = {"failed:permanent": "账户已销户", "returned": "退汇"}

#: What the bank says of a payment, by its place: one in fifty failed for good, one in a hundred came back.
_SAYS = """
    CASE WHEN right(reference, 6)::integer % 50 = 7 THEN 'failed:permanent'
         WHEN right(reference, 6)::integer % 100 = 9 THEN 'returned' ELSE 'done' END
"""

_BARE = (
    """
    INSERT INTO return_files (id, sha256, file_id, bytes_sealed, line_count, sum_fen, source, received_at)
    SELECT '{back}', '-', number, '', line_count, sum_fen, 'bench', now() FROM batches WHERE id = '{batch}'
    """,
    """
    INSERT INTO return_lines (return_file_id, line_no, reference, amount_fen, code, reason, attempt_id, verdict)
    SELECT '{back}', right(reference, 6)::integer, reference, amount_fen, {says}, '', id, 'settled'
      FROM payment_attempts WHERE batch_id = '{batch}'
    """,
    """
    WITH moved AS (
        UPDATE payment_attempts a
           SET status = CASE l.code WHEN 'done' THEN 'done' WHEN 'returned' THEN 'returned' ELSE 'failed' END,
               failure = CASE l.code WHEN 'done' THEN '' ELSE l.code END
          FROM return_lines l WHERE l.attempt_id = a.id AND l.return_file_id = '{back}'
        RETURNING a.id, a.status
    )
    INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
    SELECT 'attempt', id, 'settle', '{{"status": "sent"}}', jsonb_build_object('status', status, 'failure', ''),
           'bench', now()
      FROM moved
    """,
    """
    INSERT INTO fund_movements (position_id, claim_id, kind, source, target, amount_fen, actor_name, at)
    SELECT r.position_id, r.claim_id, CASE a.status WHEN 'done' THEN 'pay' ELSE 'fail' END, 'in_flight',
           CASE a.status WHEN 'done' THEN 'paid' ELSE 'reserved' END, r.amount_fen, 'bench', now()
      FROM payment_attempts a JOIN fund_reservations r ON r.claim_id = a.claim_id
     WHERE a.batch_id = '{batch}'
    """,
    """
    WITH moved AS (
        UPDATE claims c SET status = CASE a.status WHEN 'done' THEN 'paid' ELSE 'bounced' END
          FROM payment_attempts a WHERE a.claim_id = c.id AND a.batch_id = '{batch}'
        RETURNING c.id, c.status
    )
    INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
    SELECT 'claim', id, 'pay', '{{"status": "batched"}}', jsonb_build_object('status', status), 'bench', now()
      FROM moved
    """,
    """
    WITH moved AS (UPDATE batches SET status = 'settled' WHERE id = '{batch}' RETURNING id)
    INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
    SELECT 'batch', id, 'settle', '{{"status": "sent"}}', '{{"status": "settled"}}', 'bench', now() FROM moved
    """,
)


def measure(ground: Ground, wish: Wish) -> Iterator[Figure]:
    count, sent = wish.of(_LINES), ground.database("bench_sent")
    make_claims(sent, count, "batched", readable=1, seed=wish.seed, pot="in_flight")
    told = {
        "batch": _BATCH_ID,
        "back": _RETURN_ID,
        "number": _NUMBER,
        "district": DISTRICT,
        "account": _ACCOUNT,
        "says": _SAYS,
        "user": STAFF_USER,
        "person": STAFF_PERSON,
        "token": _TOKEN,
    }
    sent.run("SET session_replication_role = replica;" + _SENT.format(**told), "VACUUM ANALYZE")
    file = ground.place.path / "return.csv"
    file.write_bytes(_return_file(sent, count))
    bare_statements = [each.format(**told) for each in _BARE]
    turns, bare = [], []
    for _ in range(wish.turns):
        turns.append(_settled(ground, sent, file, count))
        copy = ground.database("bench_bare", like=sent.name)
        bare.append(in_one_transaction(copy, bare_statements))
        ground.drop(copy)
    trips = _trips(ground, sent, file)
    ground.drop(sent)
    mine, ceiling = median(one.seconds for one in turns), median(bare)
    ratio = median(one.seconds / bare_s for one, bare_s in zip(turns, bare, strict=True))
    cpu = f"over HTTP; processor time of the API {median(one.cpu_seconds for one in turns):.2f} s"
    yield Figure(PART, f"{count:,} returns", mine, "s", ceiling, ratio, 2, note=cpu)
    yield Figure(PART, "statements per line", trips / count, "", note=f"{trips} in all")
    yield Figure(PART, "memory of the API, peak", max(one.peak_mib for one in turns), "MiB")


def _return_file(sent: Database, count: int) -> bytes:
    lines = f"SELECT reference, amount_fen, {_SAYS} AS says FROM payment_attempts ORDER BY reference"  # noqa: S608
    rows = sent.on_connection(lambda line: line.fetch(lines))
    total = _yuan(sum(row["amount_fen"] for row in rows))
    out = [f"H,ZHIDA-RETURN-1,{_NUMBER},{_ACCOUNT},{count},{total}"]
    out += [
        f"R,{at},{row['reference']},{_yuan(row['amount_fen'])},{row['says']},{_REASONS.get(row['says'], '')}"
        for at, row in enumerate(rows, start=1)
    ]
    out += [f"T,{_NUMBER},{count},{total}", ""]
    return "\r\n".join(out).encode()


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _settled(ground: Ground, sent: Database, file: Path, count: int) -> Turn:
    copy = ground.database("bench_settled", like=sent.name)
    with ground.api(copy) as api:
        turn = taken(api, lambda: _hand_in(api, file))
    ended = copy.ask("SELECT count(*) FROM claims WHERE status IN ('paid', 'bounced')")
    if ended != count:
        raise RuntimeError(f"{ended} of {count} claims were settled")
    ground.drop(copy)
    return turn


def _trips(ground: Ground, sent: Database, file: Path) -> int:
    copy = ground.database("bench_recorded", like=sent.name)
    with ground.api(copy) as api, recorded(ground, copy) as recording:
        _hand_in(api, file)
    ground.drop(copy)
    return len(recording.statements)


def _hand_in(api: Server, file: Path) -> float:
    data = file.read_bytes()
    headers = {
        "Authorization": f"Bearer {_TOKEN}",
        "Content-Type": "text/csv",
        "Idempotency-Key": hashlib.sha256(data).hexdigest(),
    }
    began = monotonic()
    answer = httpx.post(f"{api.address}/api/returns", content=data, headers=headers, timeout=600)
    if answer.status_code != httpx.codes.CREATED:
        raise RuntimeError(answer.text)
    return monotonic() - began
