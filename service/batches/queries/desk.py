"""What stands between a batch and the bank: a hold, a delegation that is missing, the bank's hours; and how far
assembling is."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from domain.actor import Actor, Post
from domain.batch import AttemptStatus, BatchStatus
from domain.errors import NotFound
from service.access.tables import UserRow
from service.batches.queries.batches import visible_to
from service.batches.queries.views import leaves_at
from service.batches.schemas import DelegationList, DelegationView, ProgressView
from service.batches.tables import AttemptRow, BatchHoldRow, BatchRow, DelegationRow, ProgressRow
from service.database import Tx
from service.watching import watched

DELEGATIONS_MAX = 200


class Waiting(NamedTuple):
    """Why a file does not leave yet, and for how many seconds at least."""

    why: str
    seconds: float


async def live_hold(tx: Tx, batch_id: UUID) -> UUID | None:
    """The hold that a batch is under; None: it may go on."""
    row = BatchHoldRow
    asked = select(row.id).where(row.batch_id == batch_id, row.lifted_at.is_(None))
    return (await tx.execute(asked)).scalar_one_or_none()


async def standing_in(tx: Tx, me: Actor, district: str, post: Post, today: date) -> UUID | None:
    """The confirmed delegation by which `me` stands in for a post of a district today; None: there is none."""
    row = DelegationRow
    asked = (
        select(row.id)
        .where(row.delegate_user == me.user_id, row.delegate_person == me.person_id, row.district == district)
        .where(row.post == str(post), row.confirmed_at.is_not(None), row.first_day <= today, row.last_day >= today)
        .order_by(row.confirmed_at)
        .limit(1)
    )
    return (await tx.execute(asked)).scalar_one_or_none()


async def list_delegations(tx: Tx, me: Actor, delegation_id: UUID | None = None) -> DelegationList:
    """The latest delegations of the asker's district, or of every one for the city; or just one."""
    row, user = DelegationRow, UserRow
    asked = (
        select(
            *(row.id, row.district, row.post, user.login, row.first_day, row.last_day, row.reason),
            *(row.proposed_person == me.person_id, row.proposed_at, row.confirmed_at),
        )
        .join(user, user.id == row.delegate_user)
        .order_by(row.proposed_at.desc(), row.id)
        .limit(DELEGATIONS_MAX)
    )
    if me.district is not None:
        asked = asked.where(row.district == me.district)
    if delegation_id is not None:
        asked = asked.where(row.id == delegation_id)
    found: Sequence[Any] = (await tx.execute(asked)).all()
    return DelegationList([DelegationView(each[0], each[1], Post(each[2]), *each[3:]) for each in found])


async def waits_for(tx: Tx, batch_id: UUID, now: datetime) -> Waiting | None:
    """What the first sending of a batch's file waits for: `batch.held`, or `bank.closed` until the bank takes files
    again. None: it may leave. A file that is on its way already is asked about at any hour."""
    on_its_way = select(func.count()).where(
        AttemptRow.batch_id == batch_id,
        AttemptRow.status != str(AttemptStatus.PREPARED),
        AttemptRow.status != str(AttemptStatus.VOID),
    )
    if (await tx.execute(on_its_way)).scalar_one():
        return None
    if await live_hold(tx, batch_id) is not None:
        return Waiting("batch.held", 60)
    terms = (await tx.execute(select(BatchRow.terms).where(BatchRow.id == batch_id))).scalar_one()
    seconds = (leaves_at(terms, now) - now).total_seconds()
    return Waiting("bank.closed", seconds) if seconds > 0 else None


async def find_progress(tx: Tx, me: Actor, batch_id: UUID) -> ProgressView:
    """How far assembling a batch is. NotFound `batch.not_found`."""
    batch, row = BatchRow, ProgressRow
    asked = (
        select(batch.id, batch.number, batch.status, func.coalesce(row.done, 0), func.coalesce(row.total, 0))
        .outerjoin(row, row.batch_id == batch.id)
        .where(batch.id == batch_id, visible_to(me))
    )
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("batch.not_found")
    return ProgressView(*found[:2], BatchStatus(found.status), *found[3:])


def progress(me: Actor, batch_id: UUID) -> AsyncIterator[ProgressView]:
    """The same whenever it has come further, until the batch is put together. NotFound `batch.not_found`."""
    return watched(lambda tx: find_progress(tx, me, batch_id), lambda view: view.status != BatchStatus.OPENED)
