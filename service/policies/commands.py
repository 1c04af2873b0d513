"""Load dated policy parameters."""

from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import Range

from service.database import Tx
from service.policies.tables import PolicyRow


async def load_parameters(tx: Tx, rows: list[dict[str, Any]]) -> int:
    """Put in the parameters (`key`, `value`, `from`, `source`, `basis`) whose key and first day are not there yet."""
    known = {(key, days.lower) for key, days in await tx.execute(select(PolicyRow.key, PolicyRow.in_force))}
    fresh = [row for row in rows if (row["key"], row["from"]) not in known]
    for row in fresh:
        in_force: Range[date] = Range(row["from"], row.get("until"), bounds="[)")
        await tx.execute(
            insert(PolicyRow).values(
                id=uuid4(),
                key=row["key"],
                value=row["value"],
                in_force=in_force,
                source=row["source"],
                basis=row["basis"],
            )
        )
    return len(fresh)
