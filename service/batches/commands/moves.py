"""Moving attempts and claims by thousands."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy.schema import Table

from domain.batch import ATTEMPT_LIFECYCLE, AttemptAction
from domain.claim import ClaimAction
from service.batches.tables import AttemptRow, BatchRow
from service.claims.commands import moves as claims
from service.database import Tx
from service.journal import By, move_all

ATTEMPTS, BATCHES = (cast(Table, row.__table__) for row in (AttemptRow, BatchRow))

#: Rows of one statement.
ROWS_MAX = 5_000


async def move_attempts(
    tx: Tx,
    action: AttemptAction,
    ids: Sequence[UUID],
    by: By,
    *,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
) -> int:
    """Move those attempts whose status allows it; how many moved."""
    moved = 0
    for start in range(0, len(ids), ROWS_MAX):
        part = ids[start : start + ROWS_MAX]
        moved += len(
            await move_all(tx, ATTEMPTS, ATTEMPT_LIFECYCLE, action, part, by, reason=reason, changes=changes)
        )
    return moved


async def move_claims(tx: Tx, action: ClaimAction, ids: Sequence[UUID], by: By, *, reason: str = "") -> int:
    """Move those claims whose status allows it, with their money; how many moved."""
    moved = 0
    for start in range(0, len(ids), ROWS_MAX):
        part = ids[start : start + ROWS_MAX]
        moved += len(await claims.move_claims(tx, action, part, by, reason=reason))
    return moved
