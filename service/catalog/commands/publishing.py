"""From a draft to an edition in force: consultation, approval, publication (notice 二); a past one put on record."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import Range

from domain.actor import Actor, Post
from domain.catalog.edition import (
    EDITION_LIFECYCLE,
    EditionAction,
    EditionStatus,
    Publishing,
    must_allow,
    must_be_editor,
    must_be_publisher,
    must_be_settled,
    must_fit_calendar,
    must_not_have_edited,
)
from domain.errors import Conflict, Invalid, NotFound
from domain.period import Period, parse_date
from domain.text import must_hold_no_personal_number, trimmed
from service.catalog.queries.editing import open_findings
from service.catalog.queries.editions import edition_view
from service.catalog.queries.published import forget_days_after
from service.catalog.schemas import EditionView, NewConsultation, NewPublication
from service.catalog.tables import EditionRow
from service.clock import business_day
from service.database import Tx
from service.journal import By, acted_on, move

_EDITIONS = EditionRow.__table__


async def consult(
    tx: Tx, me: Actor, edition_id: UUID, new: NewConsultation, today: date, now: datetime
) -> EditionView:
    """Lay the draft open for opinions from `first` to `last`; its rows stand still meanwhile.

    NotFound `edition.none`; Conflict `wrong_status`; Invalid `edition.first_in_past`, `period.reversed`.
    """
    must_be_editor(me)
    await _held_for(tx, edition_id, EditionAction.CONSULT)
    days = Period(parse_date(new.first, "first"), parse_date(new.last, "last"))
    if days.first < today:
        raise Invalid("edition.first_in_past", field="first", today=today.isoformat())
    asked: Range[date] = Range(days.first, days.last, bounds="[]")
    by = By.actor(me, Post.CATALOG_EDITOR, now)
    await move(
        tx, _EDITIONS, EDITION_LIFECYCLE, EditionAction.CONSULT, edition_id, by, changes={"consultation": asked}
    )
    return await edition_view(tx, edition_id)


async def reopen(tx: Tx, me: Actor, edition_id: UUID, reason: str, now: datetime) -> EditionView:
    """Back to a draft, so that what was heard can be worked in."""
    must_be_editor(me)
    await _held_for(tx, edition_id, EditionAction.REOPEN)
    said = trimmed(reason, "reason", "words")
    by = By.actor(me, Post.CATALOG_EDITOR, now)
    await move(tx, _EDITIONS, EDITION_LIFECYCLE, EditionAction.REOPEN, edition_id, by, reason=said)
    return await edition_view(tx, edition_id)


async def approve(tx: Tx, me: Actor, edition_id: UUID, reason: str, today: date, now: datetime) -> EditionView:
    """Approve what was consulted on, once its days are over and its findings settled; `reason` explains warnings.

    Forbidden `edition.own_work`; Conflict `edition.consultation_runs` (last), `edition.open_errors`,
    `wrong_status`; Invalid `edition.open_warnings`.
    """
    must_be_publisher(me)
    days = (await _held_for(tx, edition_id, EditionAction.APPROVE)).consultation
    await _must_not_be_mine(tx, me, edition_id)
    if days and days.upper > today:
        raise Conflict("edition.consultation_runs", last=(days.upper - timedelta(days=1)).isoformat())
    must_be_settled(*await open_findings(tx, edition_id), reason)
    by = By.actor(me, Post.CATALOG_PUBLISHER, now)
    said = {"reason": reason.strip()}
    await move(tx, _EDITIONS, EDITION_LIFECYCLE, EditionAction.APPROVE, edition_id, by, reason=reason, changes=said)
    return await edition_view(tx, edition_id)


async def publish(
    tx: Tx, me: Actor, edition_id: UUID, new: NewPublication, today: date, now: datetime
) -> EditionView:
    """Put an approved edition in force from `first` until superseded; the one before it ends the day before.

    Forbidden `edition.own_work`; Invalid `edition.first_in_past`; Conflict `edition.calendar` (faults) unless
    `override` says why, `edition.later_in_force`, `wrong_status`.
    """
    must_be_publisher(me)
    edition = await _held_for(tx, edition_id, EditionAction.PUBLISH)
    await _must_not_be_mine(tx, me, edition_id)
    first = parse_date(new.first, "first")
    if first < today:
        raise Invalid("edition.first_in_past", field="first", today=today.isoformat())
    faults = must_fit_calendar(Publishing(edition.year, edition.revision, today), new.override)
    reason = "；".join(filter(None, (edition.reason, new.override.strip())))
    by = By.actor(me, Post.CATALOG_PUBLISHER, now)
    in_force = await _days_from(tx, by, first)
    if in_force.upper:
        raise Conflict("edition.later_in_force", first=first.isoformat())
    forget_days_after(tx)
    changes = {"in_force": in_force, "reason": reason, "calendar_faults": faults}
    await move(
        tx, _EDITIONS, EDITION_LIFECYCLE, EditionAction.PUBLISH, edition_id, by, reason=reason, changes=changes
    )
    return await edition_view(tx, edition_id)


async def put_on_record(tx: Tx, by: By, year: int, first: date, reason: str, revision: int = 0) -> UUID:
    """A past edition, in force from `first` as it was: neither today's calendar nor today's two persons apply.

    It ends where a later one begins. Invalid `edition.reason` without a reason, NotFound `edition.no_draft`,
    Conflict `edition.not_past` for a day to come, `edition.later_in_force` as `publish`.
    """
    if not reason.strip():
        raise Invalid("edition.reason", field="reason")
    must_hold_no_personal_number(reason, "reason")
    if first > business_day(by.at):
        raise Conflict("edition.not_past", first=first.isoformat())
    draft = select(EditionRow.id).filter_by(year=year, revision=revision, status=str(EditionStatus.DRAFT))
    edition_id = (await tx.execute(draft)).scalar_one_or_none()
    if edition_id is None:
        raise NotFound("edition.no_draft", year=year)
    in_force = await _days_from(tx, by, first)
    changes = {"in_force": in_force, "reason": reason.strip(), "historical": True}
    await move(
        tx, _EDITIONS, EDITION_LIFECYCLE, EditionAction.PUBLISH, edition_id, by, reason=reason, changes=changes
    )
    if in_force.upper:
        await move(tx, _EDITIONS, EDITION_LIFECYCLE, EditionAction.SUPERSEDE, edition_id, by)
    forget_days_after(tx)
    return edition_id


async def _days_from(tx: Tx, by: By, first: date) -> Range[date]:
    """The days of an edition that begins on `first`; the one in force until now is superseded.

    Days between two editions are on record and stay what they were: Conflict `edition.later_in_force` (first).
    """
    row = EditionRow
    held = (await tx.execute(select(row.id, row.in_force).where(row.in_force.contains(first)))).one_or_none()
    if held and (held.in_force.upper or held.in_force.lower == first):
        raise Conflict("edition.later_in_force", first=first.isoformat())
    if held:
        ended: Range[date] = Range(held.in_force.lower, first, bounds="[)")
        changes = {"in_force": ended}
        await move(tx, _EDITIONS, EDITION_LIFECYCLE, EditionAction.SUPERSEDE, held.id, by, changes=changes)
        return Range(first, None, bounds="[)")
    begins = func.lower(row.in_force)
    following = (await tx.execute(select(func.min(begins)).where(begins > first))).scalar_one()
    return Range(first, following, bounds="[)")


async def _held_for(tx: Tx, edition_id: UUID, action: EditionAction) -> Row[int, int, str, str, Range[date] | None]:
    """Held for this transaction; NotFound `edition.none`, Conflict `wrong_status` where `action` does not fit."""
    row = EditionRow
    asked = select(row.year, row.revision, row.status, row.reason, row.consultation).where(row.id == edition_id)
    edition = (await tx.execute(asked.with_for_update())).one_or_none()
    if edition is None:
        raise NotFound("edition.none")
    must_allow(EditionStatus(edition.status), action)
    return edition


async def _must_not_be_mine(tx: Tx, me: Actor, edition_id: UUID) -> None:
    """Who edits an edition does not approve or publish it; the database refuses it too."""
    edited = await acted_on(tx, "edition", [edition_id], me.person_id, [Post.CATALOG_EDITOR])
    must_not_have_edited(edition_id, edited)
