"""How it stands with asking about one claim's certificate: since when it waits, and when it is asked about next."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text

from domain.actor import Actor, Post
from domain.errors import NotFound
from service import clock
from service.claims.queries.views import visible_to
from service.claims.tables import ClaimRow
from service.database import Tx
from service.journal import JournalRow
from service.queue import WAITS, Job, Outside
from service.settings import settings
from service.verification.queries import FILED
from service.verification.schemas import AskingView
from service.wording import wording, words

#: Under this the journal keeps who had a claim's certificate asked about by hand.
ASKED_BY_HAND = "registry_asking"
#: For so long nobody has it asked about by hand again.
BY_HAND_EVERY = timedelta(minutes=10)

_ASKING = """
    SELECT j.id, j.state, j.made_at, j.next_at, j.next_at > now() AS waits, j.last_error AS reason,
           l.open_until, coalesce(l.on_trial, false) AS on_trial
      FROM jobs j LEFT JOIN registry_lines l ON l.source = :source AND l.open_until > now()
     WHERE j.kind = :kind AND j.subject = :claim AND j.state <> 'done'
     ORDER BY j.round DESC LIMIT 1
"""
_SEEN, _LOCKED = text(_ASKING), text(f"{_ASKING} FOR UPDATE OF j")


@dataclass(frozen=True)
class Asking:
    """The check that is owed for a claim, by the clock of people; `resting_until`: the registry is left alone."""

    since: datetime
    next_at: datetime
    reason: str
    dead: bool
    waits: bool
    resting_until: datetime | None
    on_trial: bool

    @property
    def silent(self) -> bool:
        """It was asked about, and waits since there was no answer."""
        return self.waits and not self.dead and not self.on_trial and self.reason in WAITS[Outside.REGISTRY].reasons


async def owed_check(tx: Tx, claim_id: UUID, *, lock: bool = False) -> Asking | None:
    """None where none is owed. `lock` keeps a worker from settling it until `tx` ends."""
    about = {"source": settings().registry_url, "kind": str(Job.VERIFY_CERTIFICATE), "claim": claim_id}
    row = (await tx.execute(_LOCKED if lock else _SEEN, about)).one_or_none()
    return _asking(row) if row else None


def _asking(row: Row[Any]) -> Asking:
    ahead = clock.offset()  # jobs live by the database's clock, people by ours
    until = row.open_until if not row.on_trial else None
    return Asking(
        since=row.made_at + ahead,
        next_at=(max(row.next_at, until) if until else row.next_at) + ahead,
        reason=row.reason,
        dead=row.state == "dead",
        waits=row.waits,
        resting_until=until + ahead if until else None,
        on_trial=row.on_trial,
    )


async def asked_by_hand_at(tx: Tx, claim_id: UUID) -> datetime | None:
    """When it was last asked about by hand."""
    row = JournalRow
    asked = select(func.max(row.at)).where(row.subject_kind == ASKED_BY_HAND, row.subject_id == claim_id)
    return (await tx.execute(asked)).scalar_one()


async def asking_of(tx: Tx, me: Actor, claim_id: UUID, now: datetime) -> AskingView | None:
    """As an officer reads it; None where no answer is waited for. NotFound `claim.not_found`."""
    status = (
        await tx.execute(select(ClaimRow.status).where(ClaimRow.id == claim_id, visible_to(me)))
    ).scalar_one_or_none()
    if status is None:
        raise NotFound("claim.not_found")
    owed = await owed_check(tx, claim_id) if status in FILED else None
    return asking_view(owed, await asked_by_hand_at(tx, claim_id), me, now) if owed else None


def asking_view(owed: Asking, by_hand_at: datetime | None, me: Actor, now: datetime) -> AskingView:
    """What of it is said; `by_hand_at`: when it was last asked about by hand."""
    again = by_hand_at + BY_HAND_EVERY if by_hand_at else None
    free = owed.silent and owed.resting_until is None and (again is None or again <= now)
    return AskingView(
        since=owed.since,
        next_at=owed.next_at if owed.waits and not owed.dead else None,
        reason=owed.reason,
        message=words(_said(owed)),
        resting_until=owed.resting_until,
        by_hand_at=by_hand_at,
        may_ask=me.holds(Post.REVIEWER) and free,
    )


def _said(owed: Asking) -> str:
    """A reason of ours; what is none is the name of a failure."""
    if owed.dead:
        return "registry.gave_up"
    if owed.resting_until:
        return "registry.resting"
    if not owed.reason or owed.on_trial:
        return "registry.being_asked"
    return owed.reason if owed.reason in wording() else "registry.failed"
