"""Classes by the numbers under which an institution names them."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import select

from service.database import Tx
from service.training.tables import ClassRow


async def first_days(tx: Tx, institution_id: UUID | None, numbers: Collection[str]) -> dict[str, date]:
    """Number → first day, of those that are classes of the institution."""
    if not numbers:
        return {}
    row = ClassRow
    found = select(row.number, row.first).where(row.institution_id == institution_id, row.number.in_(numbers))
    return {number: first for number, first in await tx.execute(found) if number is not None}
