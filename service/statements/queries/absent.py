"""Payments of which a bank cannot tell, and which no line of its statements names."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from service.database import Tx


class Absent(NamedTuple):
    """`bank` as the batch's terms name it; `sent_on`: the day on which the file last left, or may have."""

    id: UUID
    claim_id: UUID
    batch_id: UUID
    bank: str
    sent_on: date


# Statements must cover the day of sending, and no line may hint that the file was debited in one sum: of a file that
# was, no single payment is absent. Nor is one of a file that somebody may still carry to the bank.
_ABSENT = text("""
    SELECT a.id, a.claim_id, a.batch_id, b.terms ->> 'bank' AS bank,
           (greatest(j.at, bank_file_left_at(b.id)) AT TIME ZONE 'Asia/Shanghai')::date AS sent_on
      FROM payment_attempts a JOIN batches b ON b.id = a.batch_id
      JOIN journal j ON j.subject_kind = 'attempt' AND j.subject_id = a.id AND j.action = 'intend'
     WHERE a.status = 'unknown' AND b.debit_account = :account AND b.terms ->> 'bank' = ANY (CAST(:banks AS text[]))
       AND (CAST(:batch AS uuid) IS NULL OR b.id = CAST(:batch AS uuid))
       AND EXISTS (SELECT FROM bank_statements s
                    WHERE s.account = :account AND s.from_on <= (j.at AT TIME ZONE 'Asia/Shanghai')::date)
       AND (b.terms ->> 'way' <> 'files'
            OR EXISTS (SELECT FROM bank_file_handovers h
                        WHERE h.batch_id = b.id AND h.outcome = 'handed_over' AND h.confirmed_person IS NOT NULL))
       AND NOT EXISTS (SELECT FROM statement_lines l WHERE l.attempt_id = a.id)
       AND NOT EXISTS (SELECT FROM statement_lines l
                        WHERE l.batch_id = b.id AND l.attempt_id IS NULL AND l.side = 'debit')
     ORDER BY a.id
""")


async def absent_from(tx: Tx, account: str, banks: Collection[str], batch_id: UUID | None = None) -> list[Absent]:
    """Those paid out of `account` by these banks; with `batch_id`, of that batch, which is locked."""
    told = {"account": account, "banks": list(banks), "batch": batch_id}
    return [Absent(*row) for row in await tx.execute(_ABSENT, told)]
