"""After publicity: into the catalog for the announced days, or turned down with a reason."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, insert, select, update

from domain.actor import Actor
from domain.errors import Conflict
from domain.faults import Faults
from domain.period import Period
from domain.selection import (
    APPLICATION_LIFECYCLE,
    ApplicationAction,
    ApplicationStatus,
    check_admission,
    must_be_over,
    must_not_have_begun,
)
from domain.text import plain_words
from service.database import Tx, period_of, range_of
from service.institutions.commands.registering import check_scopes_free, officer
from service.institutions.queries.selection import (
    application_row,
    application_view,
    as_announced,
    evaluation_of,
    round_row,
)
from service.institutions.queries.standing import histories_of
from service.institutions.schemas import ApplicationView
from service.institutions.tables import ApplicationRow, InstitutionListingRow, InstitutionScopeRow
from service.journal import By, move, record

_APPLICATIONS = ApplicationRow.__table__


async def admit(tx: Tx, me: Actor, application_id: UUID, today: date, now: datetime) -> ApplicationView:
    """Into the catalog on the announced days, with the scopes that were applied for; what held before ends there.

    NotFound `selection.no_application`; Conflict `selection.in_publicity` (last), `selection.begun` (first),
    `wrong_status`; Invalid for everything that keeps it out now, such as a sanction since then.
    """
    by, faults = officer(me, now, city=True), Faults()
    application = await application_row(tx, me, application_id)
    found = await round_row(tx, application.round_id)
    announced, institution_id = as_announced(found), application.institution_id
    APPLICATION_LIFECYCLE.after(application.status, ApplicationAction.ADMIT)
    must_be_over(period_of(found.publicity), today)
    must_not_have_begun(announced.admits, today)
    history = (await histories_of(tx, [institution_id]))[institution_id]
    check_admission(announced, history, await evaluation_of(tx, institution_id, found.year, history), faults)
    await check_scopes_free(tx, institution_id, application.scopes, announced.admits, faults)
    faults.raise_all()
    for row in (InstitutionListingRow, InstitutionScopeRow):
        await _end_before(tx, by, row, institution_id, announced.admits.first)
    listing_id = await _list(tx, by, application, announced.admits, f"{found.title}（{found.year}年遴选）")
    changes, action = {"listing_id": listing_id}, ApplicationAction.ADMIT
    await move(tx, _APPLICATIONS, APPLICATION_LIFECYCLE, action, application_id, by, changes=changes)
    return await application_view(tx, me, application_id)


async def turn_down(tx: Tx, me: Actor, application_id: UUID, reason: str, now: datetime) -> ApplicationView:
    """A nominated one is not admitted, and why: a condition is no longer met, or an objection was right. One that
    waits is judged with the others of its round, by its scores, and never singly.

    NotFound `selection.no_application`; Conflict `wrong_status`.
    """
    by, reason = officer(me, now, city=True), plain_words(reason, "reason")
    application, action = await application_row(tx, me, application_id), ApplicationAction.TURN_DOWN
    if application.status == ApplicationStatus.FILED:
        raise Conflict("wrong_status", noun="selection_application", status=application.status, action=str(action))
    await move(tx, _APPLICATIONS, APPLICATION_LIFECYCLE, action, application_id, by, reason=reason)
    return await application_view(tx, me, application_id)


async def _end_before(tx: Tx, by: By, row: Any, institution_id: UUID, first: date) -> None:
    """Whatever would still hold on `first` ends the day before."""
    asked = select(row.id, row.in_force).where(row.institution_id == institution_id, row.in_force.contains(first))
    for fact_id, in_force in (await tx.execute(asked.with_for_update())).all():
        last = first - timedelta(days=1)
        if last in (days := period_of(in_force)):
            shorter = range_of(Period(days.first, last))
            await tx.execute(update(row).where(row.id == fact_id).values(in_force=shorter))
            noted = {"part": row.__tablename__, "id": str(fact_id), "last": last.isoformat()}
            await record(tx, "institution", [institution_id], "end", by, [noted])


async def _list(tx: Tx, by: By, application: Row[Any], days: Period, source: str) -> UUID:
    listing_id, own = uuid4(), {"institution_id": application.institution_id, "source": source}
    held = {**own, "in_force": range_of(days)}
    await tx.execute(insert(InstitutionListingRow).values(id=listing_id, **held))
    scopes = [{"id": uuid4(), **scope, **held} for scope in application.scopes]
    await tx.execute(insert(InstitutionScopeRow), scopes)
    told = {"first": str(days.first), "last": str(days.last), "source": source, "scopes": application.scopes}
    noted = {"listing": str(listing_id), "application": str(application.id), **told}
    await record(tx, "institution", [application.institution_id], "list", by, [noted])
    return listing_id
