"""What has not ended and what needs a person: six statements over partial indexes, however much has ended."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from domain.batch import BatchStatus
from domain.money import format_yuan
from service.batches.tables import ENDED_SQL
from service.clock import business_day
from service.database import Tx
from service.operations.queries.unanswered import unanswered
from service.operations.schemas import (
    AlarmView,
    BatchesView,
    DeadJobsView,
    ExceptionsView,
    MissingReturnView,
    OperationsView,
    UnansweredView,
    WaitingView,
)
from service.policies.queries import parameters
from service.wording import words

MISSING_MAX = 100
#: Payments of which nobody can tell whether they were made: before every line that merely does not fit.
UNKNOWN = "unknown"
#: Before the kind of what is the matter with a statement, or one of its lines.
STATEMENT = "statement:"

_HERE = "(CAST(:district AS text) IS NULL OR b.district = :district)"
# Since when a batch stands where it does.
_SINCE = """
    JOIN LATERAL (SELECT j.at FROM journal j
                   WHERE j.subject_kind = 'batch' AND j.subject_id = b.id AND j.after ->> 'status' = b.status
                   ORDER BY j.id DESC LIMIT 1) AS since ON true
"""
_BATCHES = text(f"""
    SELECT b.district, b.status, count(*) AS count_, coalesce(sum(b.sum_fen), 0) AS sum_fen, min(since.at) AS oldest
      FROM batches b {_SINCE}
     WHERE b.status NOT IN {ENDED_SQL} AND {_HERE}
     GROUP BY b.district, b.status ORDER BY oldest
""")  # noqa: S608 (our own constants)
_UNKNOWN = f"""
    SELECT b.district, '{UNKNOWN}' AS kind, count(*) AS count_, sum(a.amount_fen) AS sum_fen, min(lost.at) AS oldest
      FROM payment_attempts a
      JOIN batches b ON b.id = a.batch_id
      JOIN LATERAL (SELECT j.at FROM journal j
                     WHERE j.subject_kind = 'attempt' AND j.subject_id = a.id AND j.action = 'lose_sight'
                     ORDER BY j.id DESC LIMIT 1) AS lost ON true
     WHERE a.status = 'unknown' AND {_HERE} GROUP BY b.district
"""  # noqa: S608 (our own constants)
_LINES = f"""
    SELECT b.district, l.exception AS kind, count(*) AS count_, sum(l.amount_fen) AS sum_fen,
           min(f.received_at) AS oldest
      FROM return_lines l
      JOIN return_files f ON f.id = l.return_file_id
      JOIN bank_files sent ON sent.file_id = f.file_id
      JOIN batches b ON b.id = sent.batch_id
     WHERE l.verdict = 'exception' AND {_HERE}
       AND NOT EXISTS (SELECT FROM return_resolutions r
                        WHERE (r.return_file_id, r.line_no) = (l.return_file_id, l.line_no))
     GROUP BY b.district, l.exception
"""  # noqa: S608 (our own constants)
_STATEMENTS = f"""
    SELECT b.district, '{STATEMENT}' || l.exception AS kind, count(*) AS count_, sum(l.amount_fen) AS sum_fen,
           min(b.taken_at) AS oldest
      FROM statement_lines l JOIN bank_statements b ON b.id = l.statement_id
     WHERE l.verdict = 'exception' AND {_HERE}
       AND NOT EXISTS (SELECT FROM statement_resolutions r WHERE r.line_id = l.id)
     GROUP BY b.district, l.exception
    UNION ALL
    SELECT b.district, '{STATEMENT}blocked', count(*), 0, min(b.blocked_at)
      FROM blocked_statements b WHERE b.ended_at IS NULL AND {_HERE} GROUP BY b.district
"""  # noqa: S608 (our own constants)
_EXCEPTIONS = text(f"{_UNKNOWN} UNION ALL {_LINES} UNION ALL {_STATEMENTS} ORDER BY 5")
# What goes on when a person has acted: who holds lifts it, who carries hands over, what one says another confirms.
_WAITING = text(f"""
    SELECT b.district, waiting.kind, count(*) AS count_, sum(waiting.sum_fen) AS sum_fen, min(waiting.at) AS oldest
      FROM batches b
      JOIN LATERAL (
           SELECT 'held' AS kind, h.placed_at AS at, coalesce(b.sum_fen, 0) AS sum_fen
             FROM batch_holds h WHERE h.batch_id = b.id AND h.lifted_at IS NULL
           UNION ALL
           SELECT 'taken_out', s.began_at, b.sum_fen FROM bank_file_sendings s
            WHERE s.batch_id = b.id AND s.kind = 'carried'
              AND EXISTS (SELECT FROM payment_attempts a WHERE a.batch_id = b.id AND a.status = 'sending')
           UNION ALL
           SELECT h.outcome, h.proposed_at, b.sum_fen FROM bank_file_handovers h
            WHERE h.batch_id = b.id AND h.closed_at IS NULL
           UNION ALL
           SELECT 'resend', r.proposed_at, b.sum_fen FROM bank_file_resends r
            WHERE r.batch_id = b.id AND r.closed_at IS NULL
           UNION ALL
           SELECT 'decision', d.proposed_at, a.amount_fen
             FROM payment_attempts a JOIN attempt_decisions d ON d.attempt_id = a.id AND d.closed_at IS NULL
            WHERE a.batch_id = b.id AND a.status = 'unknown'
           ) AS waiting ON true
     WHERE b.status NOT IN {ENDED_SQL} AND {_HERE}
     GROUP BY b.district, waiting.kind ORDER BY 5
""")  # noqa: S608 (our own constants)
_MISSING = text(f"""
    SELECT b.id, b.number, b.district, b.status, since.at, pending.count_, pending.sum_fen, count(*) OVER () AS all_
      FROM batches b {_SINCE}
      JOIN LATERAL (SELECT count(*) AS count_, sum(a.amount_fen) AS sum_fen FROM payment_attempts a
                     WHERE a.batch_id = b.id AND a.status IN ('sending', 'sent', 'unknown')) AS pending
        ON pending.count_ > 0
     WHERE b.status IN ('released', 'sent') AND b.status NOT IN {ENDED_SQL} AND {_HERE}
       AND since.at <= :until
     ORDER BY since.at, b.number LIMIT :most
""")  # noqa: S608 (our own constants)
_DEAD = text(f"""
    SELECT j.kind, count(*) AS count_, min(j.made_at) AS oldest
      FROM jobs j LEFT JOIN batches b ON b.id = j.subject
     WHERE j.state = 'dead' AND {_HERE} GROUP BY j.kind ORDER BY oldest
""")  # noqa: S608 (our own constants)


async def desk(tx: Tx, district: str | None, now: datetime) -> OperationsView:
    """What needs a person in a district, or in the city (None), at that moment; of jobs a district sees those about
    its batches. Policy `return_due_hours` says when a return is missing."""
    here = {"district": district}
    hours = (await parameters(tx, business_day(now))).get("return_due_hours")
    missing = []
    if hours is not None:
        late = {**here, "until": now - timedelta(hours=hours), "most": MISSING_MAX}
        missing = list(await tx.execute(_MISSING, late))
    exceptions = sorted(await tx.execute(_EXCEPTIONS, here), key=lambda each: each.kind != UNKNOWN)
    dead, unheard = list(await tx.execute(_DEAD, here)), await unanswered(tx, district)
    return OperationsView(
        at=now,
        return_due_hours=hours,
        alarms=_alarms(exceptions, missing, dead, unheard),
        exceptions=[
            ExceptionsView(each.district, each.kind, each.count_, *_money(each), each.oldest) for each in exceptions
        ],
        waiting=[
            WaitingView(
                each.district, each.kind, words(f"desk_waits.{each.kind}"), each.count_, *_money(each), each.oldest
            )
            for each in await tx.execute(_WAITING, here)
        ],
        missing=[_missing(each) for each in missing],
        batches=[_batches(each) for each in await tx.execute(_BATCHES, here)],
        dead_jobs=[DeadJobsView(each.kind, words(f"by.{each.kind}"), each.count_, each.oldest) for each in dead],
        unanswered=unheard,
    )


def _alarms(
    exceptions: Sequence[Row[Any]],
    missing: Sequence[Row[Any]],
    dead: Sequence[Row[Any]],
    unheard: Sequence[UnansweredView],
) -> list[AlarmView]:
    """What must not wait, the most serious first."""
    unknown = sum(each.count_ for each in exceptions if each.kind == UNKNOWN)
    counts = {
        "unknown": unknown,
        "return_missing": missing[0].all_ if missing else 0,
        "exceptions": sum(each.count_ for each in exceptions) - unknown,
        "unanswered": sum(each.count for each in unheard),
        "dead_jobs": sum(each.count_ for each in dead),
    }
    return [
        AlarmView(code, words(f"alarm.{code}", {"count": count}), count) for code, count in counts.items() if count
    ]


def _batches(row: Row[Any]) -> BatchesView:
    status = BatchStatus(row.status)
    return BatchesView(row.district, status, words(f"status.{status}"), row.count_, *_money(row), row.oldest)


def _missing(row: Row[Any]) -> MissingReturnView:
    return MissingReturnView(
        row.id, row.number, row.district, BatchStatus(row.status), row.at, row.count_, *_money(row)
    )


def _money(row: Row[Any]) -> tuple[int, str]:
    return int(row.sum_fen), format_yuan(int(row.sum_fen))
