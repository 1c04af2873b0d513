"""Record what happened at an institution; nothing is changed afterwards, a correction is a further event."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select

from domain.actor import Actor, Post
from domain.errors import Conflict, Invalid, NotFound
from domain.penalty import EventKind, must_fit, must_mend
from domain.period import parse_date
from domain.text import public_words
from domain.training import PatrolResult
from service.clock import business_day
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.journal import By, record
from service.oversight.queries.credit import event_view
from service.oversight.queries.whom import in_my_district, visible_to
from service.oversight.schemas import CreditEventView, NewCorrection, NewCreditEvent
from service.oversight.tables import CreditEventRow
from service.policies.queries import required
from service.queue import Job
from service.training.tables import ClassRow, PatrolEvidenceRow, PatrolRow

#: Kinds that come about in another way than by being told.
_NOT_TOLD = (EventKind.CORRECTION, EventKind.APPEAL_GRANTED)


async def record_event(tx: Tx, me: Actor, new: NewCreditEvent, today: date, now: datetime) -> CreditEventView:
    """What happened, with its evidence. NotFound `oversight.no_institution`; Invalid `credit.kind`, `credit.points`,
    `credit.results`, `credit.not_yet`, `words.empty`, `text.personal_number`."""
    me.must_hold(Post.INSTITUTION_OFFICER)
    institution, happened_on = (
        await in_my_district(tx, me, new.institution),
        parse_date(new.happened_on, "happened_on"),
    )
    if new.kind in _NOT_TOLD:
        raise Invalid("credit.kind", "kind")
    if happened_on > today:
        raise Invalid("credit.not_yet", "happened_on")
    must_fit(new.kind, new.points, new.classes_held, new.classes_failed)
    told = {
        "kind": str(new.kind),
        "points": new.points,
        "happened_on": happened_on,
        "classes_held": new.classes_held,
        "classes_failed": new.classes_failed,
        "words": public_words(new.words, "words"),
        "document_sha256": new.document_sha256,
    }
    event_id = await add_event(tx, me, institution.id, told, now)
    return await event_view(tx, new.institution, event_id)


async def correct_event(tx: Tx, me: Actor, event_id: UUID, new: NewCorrection, now: datetime) -> CreditEventView:
    """A further event on the day of an earlier one that another person recorded.

    NotFound `credit.no_event`; Forbidden `credit.same_person`; Conflict `credit.a_correction` for what is one itself;
    Invalid `credit.mended` (least, most), and as `record_event`.
    """
    me.must_hold(Post.INSTITUTION_OFFICER)
    row, institution = CreditEventRow, InstitutionRow
    about = (row.institution_id, row.kind, row.happened_on, row.points, row.recorded_person)
    asked = select(*about, institution.credit_code).join(institution, institution.id == row.institution_id)
    found = (await tx.execute(asked.where(row.id == event_id, visible_to(me)))).one_or_none()
    if found is None:
        raise NotFound("credit.no_event")
    if found.kind in _NOT_TOLD:
        raise Conflict("credit.a_correction")
    mended = await _mended(tx, event_id)
    must_mend(found.recorded_person, me.person_id, found.points, mended, new.points)
    told = {
        "kind": str(EventKind.CORRECTION),
        "points": new.points,
        "happened_on": found.happened_on,
        "words": public_words(new.words, "words"),
        "document_sha256": new.document_sha256,
        "corrects_id": event_id,
        "corrected_person": found.recorded_person,
    }
    correction_id = await add_event(tx, me, found.institution_id, told, now)
    return await event_view(tx, found.credit_code, correction_id)


async def _mended(tx: Tx, event_id: UUID) -> int:
    """What corrections added to an event so far; nobody else corrects it meanwhile. A row that is written once
    cannot be locked, so its id is."""
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(event_id), 0))))
    added = select(func.coalesce(func.sum(CreditEventRow.points), 0)).where(CreditEventRow.corrects_id == event_id)
    return int((await tx.execute(added)).scalar_one())


async def credit_patrol(tx: Tx, patrol_id: UUID, now: datetime) -> None:
    """The event of a failed patrol, in the name of the officer who told its result; once, however often it is owed.
    Conflict `policy.missing`."""
    row, event = PatrolRow, CreditEventRow
    about = (ClassRow.institution_id, row.begins, row.findings, row.recorded_by, row.recorded_person, row.result)
    papers = select(PatrolEvidenceRow.sha256).where(PatrolEvidenceRow.patrol_id == patrol_id)
    asked = select(*about).join(ClassRow, ClassRow.id == row.class_id).where(row.id == patrol_id)
    found = (await tx.execute(asked.with_for_update(of=row, key_share=True))).one()
    known = await tx.execute(select(event.id).where(event.patrol_id == patrol_id))
    if found.result != PatrolResult.FAILED or known.first() is not None:
        return
    happened_on = business_day(found.begins)
    (points,) = await required(tx, happened_on, "patrol_failed_points")
    first = papers.order_by(PatrolEvidenceRow.handed_in_at, PatrolEvidenceRow.sha256).limit(1)
    told = {
        "kind": str(EventKind.PATROL_FAILED),
        "points": -points,
        "happened_on": happened_on,
        "words": found.findings,
        "document_sha256": (await tx.execute(first)).scalar_one().hex(),
        "patrol_id": patrol_id,
    }
    by = By(str(Job.CREDIT_PATROL), now, found.recorded_by, found.recorded_person)
    await _add(tx, by, found.institution_id, told)


async def add_event(tx: Tx, me: Actor, institution_id: UUID, told: dict[str, Any], now: datetime) -> UUID:
    """An event that was checked, with its row in the journal."""
    return await _add(tx, By.actor(me, Post.INSTITUTION_OFFICER, now), institution_id, told)


async def _add(tx: Tx, by: By, institution_id: UUID, told: dict[str, Any]) -> UUID:
    event_id = uuid4()
    row = {"id": event_id, "institution_id": institution_id, **told}
    signed = {"recorded_by": by.user_id, "recorded_person": by.person_id, "recorded_at": by.at}
    noted = {
        name: value if isinstance(value, int) else str(value) for name, value in told.items() if value is not None
    }
    await record(tx, "credit_event", [event_id], "record", by, [{"institution_id": str(institution_id), **noted}])
    await tx.execute(insert(CreditEventRow).values(**row, **signed))
    return event_id
