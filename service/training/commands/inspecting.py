"""首次开班前的实地检查: officers open an inspection, join it under their own logins, and say what they found."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.period import parse_date
from domain.text import public_words
from domain.training import OFFICERS_LEAST
from service.clock import business_day
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.journal import By, record
from service.training.queries.inspections import in_reach, inspection_view
from service.training.schemas import InspectionView, NewInspection, NewResult
from service.training.tables import InspectionOfficerRow, InspectionRow


async def open_inspection(tx: Tx, me: Actor, new: NewInspection, now: datetime) -> InspectionView:
    """An inspector opens an inspection of an institution of their district, and is the first to join. NotFound
    `institution.not_found`."""
    me.must_hold(Post.INSPECTOR)
    known = select(InstitutionRow.id).where(InstitutionRow.id == new.institution_id, in_reach(me))
    if (await tx.execute(known)).first() is None:
        raise NotFound("institution.not_found")
    inspection_id, by = uuid4(), By.actor(me, Post.INSPECTOR, now)
    await record(tx, "inspection", [inspection_id], "open", by, [{"institution_id": str(new.institution_id)}])
    opened = {"opened_by": me.user_id, "opened_at": now}
    await tx.execute(insert(InspectionRow).values(id=inspection_id, institution_id=new.institution_id, **opened))
    return await join_inspection(tx, me, inspection_id, now)


async def join_inspection(tx: Tx, me: Actor, inspection_id: UUID, now: datetime) -> InspectionView:
    """Another inspector was there as well. NotFound `inspection.not_found`; Conflict `inspection.over`."""
    me.must_hold(Post.INSPECTOR)
    await _locked(tx, me, inspection_id)
    row, joined = InspectionOfficerRow, {"joined_by": me.user_id, "joined_at": now}
    new = upsert(row).values(inspection_id=inspection_id, person_id=me.person_id, **joined).on_conflict_do_nothing()
    if (await tx.execute(new.returning(row.person_id))).first() is not None:
        by = By.actor(me, Post.INSPECTOR, now)
        await record(tx, "inspection", [inspection_id], "join", by, [{"person_id": str(me.person_id)}])
    return await inspection_view(tx, me, inspection_id)


async def record_result(
    tx: Tx, me: Actor, inspection_id: UUID, new: NewResult, today: date, now: datetime
) -> InspectionView:
    """One of those who were there says what was found, once. NotFound `inspection.not_found`; Conflict
    `inspection.over`, `inspection.alone` (officers, least); Forbidden `inspection.not_there`; Invalid
    `inspection.not_yet`, `inspection.before_opening`."""
    me.must_hold(Post.INSPECTOR)
    opened_at = await _locked(tx, me, inspection_id)
    note, inspected_on = public_words(new.note, "note"), parse_date(new.inspected_on, "inspected_on")
    if inspected_on > today:
        raise Invalid("inspection.not_yet", "inspected_on")
    if inspected_on < business_day(opened_at):
        raise Invalid("inspection.before_opening", "inspected_on")
    row = InspectionOfficerRow
    officers = set((await tx.execute(select(row.person_id).where(row.inspection_id == inspection_id))).scalars())
    if me.person_id not in officers:
        raise Forbidden("inspection.not_there")
    if len(officers) < OFFICERS_LEAST:
        raise Conflict("inspection.alone", officers=len(officers), least=OFFICERS_LEAST)
    by, said = By.actor(me, Post.INSPECTOR, now), {"result": new.result, "inspected_on": inspected_on.isoformat()}
    await record(tx, "inspection", [inspection_id], "record", by, [{**said, "note": note}])
    found = {"result": new.result, "inspected_on": inspected_on, "note": note}
    recorded = {"recorded_by": me.user_id, "recorded_at": now}
    await tx.execute(update(InspectionRow).where(InspectionRow.id == inspection_id).values(**found, **recorded))
    return await inspection_view(tx, me, inspection_id)


async def _locked(tx: Tx, me: Actor, inspection_id: UUID) -> datetime:
    """When it was opened; nobody else joins or ends it meanwhile."""
    row = InspectionRow
    asked = (
        select(row.opened_at, row.result)
        .join(InstitutionRow, InstitutionRow.id == row.institution_id)
        .where(row.id == inspection_id, in_reach(me))
        .with_for_update(of=row)
    )
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("inspection.not_found")
    if found.result is not None:
        raise Conflict("inspection.over")
    opened_at: datetime = found.opened_at
    return opened_at
