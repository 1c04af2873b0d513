"""Claims that somebody has begun to fill in, for that person alone."""

import json
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, select

from domain.actor import Actor
from domain.errors import NotFound
from service.claims.tables import ClaimDraftRow
from service.crypto import keyring
from service.database import Tx


class Draft(NamedTuple):
    """`typed`: field → text, as it was typed."""

    id: UUID
    typed: dict[str, str]
    touched_at: datetime


async def my_drafts(tx: Tx, me: Actor) -> list[Draft]:
    """The last touched first."""
    rows = await tx.execute(_mine(me).order_by(ClaimDraftRow.touched_at.desc()))
    return [_draft(each) for each in rows]


async def my_draft(tx: Tx, me: Actor, draft_id: UUID) -> Draft:
    """NotFound `draft.not_found` for one that is not mine, or was forgotten."""
    found = (await tx.execute(_mine(me).where(ClaimDraftRow.id == draft_id))).one_or_none()
    if found is None:
        raise NotFound("draft.not_found")
    return _draft(found)


def _mine(me: Actor) -> Select[UUID, bytes, datetime]:
    row = ClaimDraftRow
    return select(row.id, row.typed_sealed, row.touched_at).where(row.person_id == me.person_id)


def _draft(row: Row[UUID, bytes, datetime]) -> Draft:
    return Draft(row.id, json.loads(keyring().open(row.typed_sealed, row.id)), row.touched_at)
