"""Through which statuses a claim has come."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from domain.claim import ClaimStatus
from service.database import Tx
from service.journal import JournalRow


class Step(NamedTuple):
    """The claim came into `status` at `at`."""

    status: ClaimStatus
    at: datetime


async def steps_of(tx: Tx, claim_id: UUID) -> list[Step]:
    """Earliest first, from its journal; the caller has seen that the claim is there for whoever asks."""
    row = JournalRow
    status = row.after["status"].astext
    asked = (
        select(status.label("status"), row.at)
        .where(row.subject_kind == "claim", row.subject_id == claim_id, status.is_not(None))
        .order_by(row.id)
    )
    return [Step(ClaimStatus(each.status), each.at) for each in await tx.execute(asked)]
