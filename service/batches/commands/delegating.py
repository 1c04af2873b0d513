"""City finance stands in where a district lacks persons: proposed by one, confirmed by another, for some days."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.step_up import Decision
from service.access.commands import proven
from service.access.tables import DistrictRow, UserPostRow, UserRow
from service.batches.queries import list_delegations
from service.batches.schemas import DelegationView, NewDelegation
from service.batches.tables import DelegationRow
from service.database import Tx
from service.journal import By, record

#: Who speaks for city finance: of these posts, and of no single district.
CITY_FINANCE = (Post.FINANCE_SIGNER, Post.RELEASER, Post.CHECKER, Post.MAKER)
DAYS_MAX = 366


async def propose_delegation(tx: Tx, me: Actor, new: NewDelegation, today: date, now: datetime) -> DelegationView:
    """Propose that a user of city finance stands in for a post of a district on some days.

    Forbidden `city_only`, `post_missing`; Invalid `delegation.days`, `delegation.district`, `delegation.nobody` (no
    user of city finance with that login and post).
    """
    post = _city_finance(me)
    if not today <= new.first_day <= new.last_day or (new.last_day - new.first_day).days > DAYS_MAX:
        raise Invalid("delegation.days", field="last_day", most=DAYS_MAX)
    known = select(DistrictRow.code).where(DistrictRow.code == new.district)
    if (await tx.execute(known)).scalar_one_or_none() is None:
        raise Invalid("delegation.district", field="district")
    user, held = UserRow, UserPostRow
    asked = (
        select(user.id, user.person_id)
        .join(held, held.user_id == user.id)
        .where(user.login == new.login, user.district.is_(None), held.post == new.post)
    )
    delegate = (await tx.execute(asked)).one_or_none()
    if delegate is None:
        raise Invalid("delegation.nobody", field="login")
    about = {
        "district": new.district,
        "post": new.post,
        "delegate_user": delegate.id,
        "delegate_person": delegate.person_id,
        "first_day": new.first_day,
        "last_day": new.last_day,
        "reason": new.reason,
    }
    delegation_id = uuid4()
    proposed = {"proposed_by": me.user_id, "proposed_person": me.person_id, "proposed_at": now}
    await tx.execute(insert(DelegationRow).values(id=delegation_id, **about, **proposed))
    noted = {name: str(value) for name, value in about.items()}
    await record(tx, "batch_delegation", [delegation_id], "propose", By.actor(me, post, now), [noted])
    return await _view(tx, me, delegation_id)


async def confirm_delegation(tx: Tx, me: Actor, delegation_id: UUID, now: datetime) -> DelegationView:
    """It is in force from now on, on its days. Forbidden `city_only`, `post_missing`, and `delegation.same_person`
    for whoever proposed it or would stand in; NotFound `delegation.not_found`; Conflict `delegation.confirmed`; and
    what `proven` refuses."""
    post, row = _city_finance(me), DelegationRow
    asked = select(row.proposed_person, row.delegate_person, row.confirmed_at).where(row.id == delegation_id)
    found = (await tx.execute(asked.with_for_update())).one_or_none()
    if found is None:
        raise NotFound("delegation.not_found")
    if found.confirmed_at is not None:
        raise Conflict("delegation.confirmed")
    if me.person_id in (found.proposed_person, found.delegate_person):
        raise Forbidden("delegation.same_person")
    await proven(tx, me, Decision.DELEGATION, delegation_id, now)
    confirmed = {"confirmed_by": me.user_id, "confirmed_person": me.person_id, "confirmed_at": now}
    await tx.execute(update(row).where(row.id == delegation_id).values(**confirmed))
    noted = {"confirmed_at": now.isoformat()}
    await record(tx, "batch_delegation", [delegation_id], "confirm", By.actor(me, post, now), [noted])
    return await _view(tx, me, delegation_id)


def _city_finance(me: Actor) -> Post:
    me.must_hold(*CITY_FINANCE)
    me.must_serve_the_city()
    return next(post for post in CITY_FINANCE if me.holds(post))


async def _view(tx: Tx, me: Actor, delegation_id: UUID) -> DelegationView:
    (view,) = (await list_delegations(tx, me, delegation_id)).delegations
    return view
