"""What stands beside an officer's list: who works on what, how much waits of each kind of review, what I did last."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from domain.actor import Actor
from domain.identity import mask_name
from domain.level import LEVELS
from service.crypto import keyring
from service.database import Tx
from service.wording import words
from service.work.schemas import LastDone, TakenView, WaitingCounts

TAKEN_MAX = 50
#: So far back the journal is looked through for what I did last.
_JOURNAL_ROWS_MAX = 5_000

_TAKEN = text("""
    SELECT c.id, i.name AS item_name, c.level, l.until, p.id AS person_id, p.name_sealed
      FROM claim_leases l JOIN claims c ON c.id = l.claim_id JOIN catalog_items i ON i.id = c.item_id
      JOIN people p ON p.id = l.person_id
     WHERE l.until > :now AND l.person_id <> :me AND c.status IN ('verified', 'in_review', 'approved')
       AND (CAST(:district AS text) IS NULL OR c.district = :district)
     ORDER BY l.until, c.id LIMIT :most
""")
_COUNTS = text("""
    SELECT c.status, count(*) AS claims FROM claims c
     WHERE c.status IN ('verified', 'in_review') AND (CAST(:district AS text) IS NULL OR c.district = :district)
     GROUP BY c.status
""")
_LAST = text("""
    SELECT j.action, j.at FROM (SELECT id, subject_kind, action, actor_user_id, at FROM journal
                                 ORDER BY id DESC LIMIT :most) AS j
     WHERE j.actor_user_id = :me AND j.subject_kind = 'claim' ORDER BY j.id DESC LIMIT 1
""")


async def taken_by_others(tx: Tx, me: Actor, now: datetime) -> list[TakenView]:
    """What other officers of my district have taken, until when."""
    keys, given = keyring(), {"now": now, "me": me.person_id, "district": me.district, "most": TAKEN_MAX}
    return [
        TakenView(
            claim_id=row.id,
            item_name=row.item_name,
            level_name=LEVELS[row.level].short,
            who=mask_name(keys.open(row.name_sealed, row.person_id)),
            until=row.until,
        )
        for row in await tx.execute(_TAKEN, given)
    ]


async def taken_until(tx: Tx, me: Actor, claim_id: UUID, now: datetime) -> datetime | None:
    """Until when I have taken this claim."""
    asked = text("SELECT until FROM claim_leases WHERE claim_id = :claim AND person_id = :me AND until > :now")
    found = await tx.execute(asked, {"claim": claim_id, "me": me.person_id, "now": now})
    until: datetime | None = found.scalar_one_or_none()
    return until


async def waiting_counts(tx: Tx, me: Actor) -> WaitingCounts:
    """In my district, with what I must leave to others."""
    found = {row.status: row.claims for row in await tx.execute(_COUNTS, {"district": me.district})}
    return WaitingCounts(found.get("in_review", 0), found.get("verified", 0))


async def last_done(tx: Tx, me: Actor) -> LastDone | None:
    """The last claim that I moved, as far as the journal's latest rows tell."""
    row = (await tx.execute(_LAST, {"me": me.user_id, "most": _JOURNAL_ROWS_MAX})).one_or_none()
    return LastDone(words(f"story.claim.{row.action}"), row.at) if row else None
