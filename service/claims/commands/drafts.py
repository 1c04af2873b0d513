"""A claim is filled in over some days: what was typed is kept for its claimant, and forgotten after a week."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, select, update

from domain.actor import Actor, Post
from domain.errors import Conflict, NotFound
from service.claims.tables import ClaimDraftRow
from service.crypto import keyring
from service.database import Tx

KEPT = timedelta(days=7)
#: Nobody fills in more at once.
DRAFTS_MAX = 10


async def begin_draft(tx: Tx, me: Actor, typed: Mapping[str, str], now: datetime) -> UUID:
    """Keep a new draft of mine. Conflict `draft.many` (most)."""
    me.must_hold(Post.TRAINEE)
    mine = select(func.count()).where(ClaimDraftRow.person_id == me.person_id)
    if (await tx.execute(mine)).scalar_one() >= DRAFTS_MAX:
        raise Conflict("draft.many", most=DRAFTS_MAX)
    draft_id = uuid4()
    kept = {"typed_sealed": _sealed(typed, draft_id), "touched_at": now}
    await tx.execute(insert(ClaimDraftRow).values(id=draft_id, person_id=me.person_id, **kept))
    return draft_id


async def keep_draft(tx: Tx, me: Actor, draft_id: UUID, typed: Mapping[str, str], now: datetime) -> None:
    """Keep what is typed now; NotFound `draft.not_found` for one that is not mine, or was forgotten."""
    row = ClaimDraftRow
    kept = update(row).where(row.id == draft_id, row.person_id == me.person_id)
    kept = kept.values(typed_sealed=_sealed(typed, draft_id), touched_at=now)
    if (await tx.execute(kept.returning(row.id))).first() is None:
        raise NotFound("draft.not_found")


async def drop_draft(tx: Tx, me: Actor, draft_id: UUID) -> None:
    """Forget a draft of mine, filed or given up; one that is gone already is left alone."""
    row = ClaimDraftRow
    await tx.execute(delete(row).where(row.id == draft_id, row.person_id == me.person_id))


async def forget_drafts(tx: Tx, now: datetime) -> int:
    """Forget drafts that nobody touched for a week; how many they were."""
    gone = delete(ClaimDraftRow).where(ClaimDraftRow.touched_at < now - KEPT).returning(ClaimDraftRow.id)
    return len((await tx.execute(gone)).all())


def _sealed(typed: Mapping[str, str], draft_id: UUID) -> bytes:
    return keyring().seal(json.dumps(dict(typed), ensure_ascii=False), draft_id)
