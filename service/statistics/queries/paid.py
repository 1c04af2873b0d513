"""What was paid in a year: persons, payments, money, and how long it took in its latest month."""

from datetime import date

from sqlalchemy import select, text

from service.clock import business_day, midnight
from service.database import Tx
from service.statistics.queries.steps import Along, PaidStep, steps_in
from service.statistics.schemas import PaidCount
from service.statistics.tables import PaidCountRow

# Two ids of one human are one person; a payment that came back does not stand.
_PAID = text("""
    SELECT count(DISTINCT coalesce(p.merged_into, p.id)) AS persons, count(*) AS payments,
           CAST(coalesce(sum(a.amount_fen), 0) AS bigint) AS paid_fen, max(b.opened_at) AS latest
      FROM batches b JOIN payment_attempts a ON a.batch_id = b.id AND a.status = 'done'
      JOIN claims c ON c.id = a.claim_id JOIN people p ON p.id = c.person_id
     WHERE b.opened_at >= :begins AND b.opened_at < :ends AND b.status IN ('sent', 'settled')
""")


async def count_paid(tx: Tx, today: date) -> PaidCount:
    """From the batches that were opened this year, over every payment of them: not for a page."""
    begins, ends = midnight(date(today.year, 1, 1)), midnight(date(today.year + 1, 1, 1))
    row = (await tx.execute(_PAID, {"begins": begins, "ends": ends})).one()
    if row.latest is None:
        return PaidCount(today, 0, 0, 0)
    month = business_day(row.latest).replace(day=1)
    whole = (await steps_in(tx, None, month, Along.CHANNEL)).whole.get(PaidStep.WHOLE)
    told = (month, whole.count, whole.half) if whole else (None, None, None)
    return PaidCount(today, row.persons, row.payments, row.paid_fen, *told)


async def latest_count(tx: Tx, today: date) -> PaidCount | None:
    """As it was counted last in this year; None before the first time."""
    row = PaidCountRow
    asked = select(
        *(row.counted_on, row.persons, row.payments, row.paid_fen, row.month, row.month_claims, row.half_days)
    ).where(row.counted_on.between(date(today.year, 1, 1), today))
    latest = asked.order_by(row.counted_on.desc(), row.counted_at.desc()).limit(1)
    found = (await tx.execute(latest)).one_or_none()
    return PaidCount(*found) if found else None
