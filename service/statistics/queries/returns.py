"""What banks sent back: of the payments that were sent, how many failed or came back."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import text

from domain.actor import Actor
from domain.period import Period
from service.clock import midnight
from service.database import Tx


class Along(StrEnum):
    """What the payments are told apart by."""

    DISTRICT = "district"
    MONTH = "month"
    LIST = "list"


@dataclass
class Returned:
    """Of `sent` payments `back` failed or were sent back."""

    sent: int = 0
    back: int = 0


@dataclass
class Returns:
    """`rows` by key. `uncounted`: how many batches are left out, since of which lists they are is not counted yet."""

    whole: Returned = field(default_factory=Returned)
    rows: dict[str, Returned] = field(default_factory=dict)
    uncounted: int = 0


# A batch knows how many lines it has; only what came back is counted, over the index by batch and status.
_BATCHES = """
    SELECT b.id, b.line_count, CASE CAST(:along AS text) WHEN 'district' THEN b.district
           ELSE to_char(b.opened_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') END AS key
      FROM batches b
     WHERE b.opened_at >= :begins AND b.opened_at < :ends AND b.status IN ('sent', 'settled')
       AND (CAST(:district AS text) IS NULL OR b.district = :district)
"""
_SENT = text(f"SELECT key, sum(line_count) AS sent FROM ({_BATCHES}) AS batch GROUP BY key ORDER BY key")  # noqa: S608
_BACK = text(f"""
    SELECT batch.key, count(*) AS back
      FROM ({_BATCHES}) AS batch
      JOIN payment_attempts a ON a.batch_id = batch.id AND a.status IN ('failed', 'returned')
     GROUP BY batch.key
""")  # noqa: S608 (our own constants)


# Of which lists a batch's lines are was counted once (`batch_lists`); of claims only those that came back are read.
_SENT_BY_LIST = text(f"""
    SELECT of_list.list_kind AS key, sum(of_list.lines) AS sent
      FROM ({_BATCHES}) AS batch JOIN batch_lists of_list ON of_list.batch_id = batch.id
     GROUP BY of_list.list_kind ORDER BY sent DESC
""")  # noqa: S608 (our own constants)
_BACK_BY_LIST = text(f"""
    SELECT c.list_kind AS key, count(*) AS back
      FROM ({_BATCHES}) AS batch
      JOIN payment_attempts a ON a.batch_id = batch.id AND a.status IN ('failed', 'returned')
      JOIN claims c ON c.id = a.claim_id
     WHERE EXISTS (SELECT FROM batch_lists known WHERE known.batch_id = batch.id)
     GROUP BY c.list_kind
""")  # noqa: S608
_UNCOUNTED = text(f"""
    SELECT count(*) FROM ({_BATCHES}) AS batch
     WHERE NOT EXISTS (SELECT FROM batch_lists known WHERE known.batch_id = batch.id)
""")  # noqa: S608


async def returns(tx: Tx, me: Actor, span: Period, along: Along) -> Returns:
    """Of the batches that were opened in these days and sent: in my district, or anywhere."""
    assert span.last is not None, "a period that is asked for ends"
    ends = midnight(span.last + timedelta(days=1))
    asked = {"along": str(along), "begins": midnight(span.first), "ends": ends, "district": me.district}
    found, by_list = Returns(), along is Along.LIST
    if by_list:
        found.uncounted = int((await tx.execute(_UNCOUNTED, asked)).scalar_one())
    for key, sent in await tx.execute(_SENT_BY_LIST if by_list else _SENT, asked):
        found.rows[key] = Returned(sent=int(sent))
        found.whole.sent += int(sent)
    for key, back in await tx.execute(_BACK_BY_LIST if by_list else _BACK, asked):
        # a batch that was counted between the two statements may bring a list
        found.rows.setdefault(key, Returned()).back = int(back)
        found.whole.back += int(back)
    return found
