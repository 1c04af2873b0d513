"""What people see of patrols: officers those of their district; an institution its own, once they are over."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.dialects.postgresql import Range, aggregate_order_by

from domain.actor import Actor
from domain.errors import NotFound
from domain.training import PatrolKind, PatrolResult, clock_time
from service.clock import business_day
from service.database import Tx
from service.gateways.file_store import content_of
from service.institutions.tables import InstitutionRow
from service.training.queries.plans import times_of
from service.training.queries.views import STAFF, visible_to
from service.training.schemas.patrols import CandidateView, DrawView, PatrolsView, PatrolView
from service.training.tables import (
    ClassRow,
    PatrolCandidateRow,
    PatrolDrawRow,
    PatrolEvidenceRow,
    PatrolOfficerRow,
    PatrolRow,
    PlaceRow,
    SessionRow,
)

PATROLS_MAX = 200


async def patrol_view(tx: Tx, me: Actor, patrol_id: UUID, now: datetime) -> PatrolView:
    """NotFound `patrol.not_found`."""
    for row in await tx.execute(_patrols(me).where(PatrolRow.id == patrol_id)):
        return _patrol(row, business_day(now))
    raise NotFound("patrol.not_found")


async def patrols(tx: Tx, me: Actor, day: date | None, overdue: bool, today: date) -> PatrolsView:
    """Those of a day, or the latest; with `overdue` those whose result was due before today, oldest first."""
    row, asked = PatrolRow, _patrols(me)
    if day is not None:
        asked = asked.where(func.date(func.timezone("Asia/Shanghai", row.begins)) == day)
    if overdue:
        asked = asked.where(row.result.is_(None), row.due_on < today).order_by(row.due_on, row.begins, row.id)
    else:
        asked = asked.order_by(row.begins.desc(), row.id)
    return PatrolsView([_patrol(each, today) for each in await tx.execute(asked.limit(PATROLS_MAX))])


async def ours(tx: Tx, me: Actor, today: date, class_id: UUID | None = None) -> list[PatrolView]:
    """The latest at classes of the institution that I file for, or at one of them, that are over."""
    over = _patrols(me).where(ClassRow.institution_id == me.institution_id, PatrolRow.result.is_not(None))
    asked = over.where(PatrolRow.class_id == class_id) if class_id else over
    rows = await tx.execute(asked.order_by(PatrolRow.begins.desc(), PatrolRow.id).limit(PATROLS_MAX))
    return [_patrol(each, today) for each in rows]


async def evidence(tx: Tx, me: Actor, patrol_id: UUID, sha256: str) -> tuple[str, bytes]:
    """Media type and plain bytes. NotFound `document.none`, also where the patrol is not mine to see."""
    row, patrol = PatrolEvidenceRow, PatrolRow
    asked = (
        select(row.media_type, row.sha256)
        .join(patrol, patrol.id == row.patrol_id)
        .join(ClassRow, ClassRow.id == patrol.class_id)
        .where(row.patrol_id == patrol_id, func.encode(row.sha256, "hex") == sha256, _seen(me))
    )
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("document.none")
    return found.media_type, await content_of(tx, found.sha256)


async def draw_view(tx: Tx, me: Actor, draw_id: UUID) -> DrawView:
    """A draw of one's district with all that it takes to make it again. NotFound `patrol.no_draw`."""
    row, candidate, patrol = PatrolDrawRow, PatrolCandidateRow, PatrolRow
    mine = row.district == me.district if me.district else row.id.is_not(None)
    found = (await tx.execute(select(*row.__table__.c).where(row.id == draw_id, mine))).one_or_none()
    if found is None:
        raise NotFound("patrol.no_draw")
    drawn = (patrol.draw_id == candidate.draw_id, patrol.class_id == candidate.class_id)
    asked = (
        select(candidate.class_id, candidate.begins, candidate.weight, patrol.turn)
        .outerjoin(patrol, and_(*drawn, patrol.begins == candidate.begins))
        .where(candidate.draw_id == draw_id)
        .order_by(candidate.n)
    )
    candidates = [CandidateView(*each) for each in await tx.execute(asked)]
    about = (found.id, found.day, found.district, found.wanted, found.seed.hex(), found.drawn_at)
    return DrawView(*about, candidates)


def _seen(me: Actor) -> ColumnElement[bool]:
    """What was drawn is for those to know who go there, until it is over."""
    return visible_to(me) if me.holds(*STAFF) else and_(visible_to(me), PatrolRow.result.is_not(None))


def _patrols(me: Actor) -> Select[*tuple[Any, ...]]:
    row, class_, institution, paper = PatrolRow, ClassRow, InstitutionRow, PatrolEvidenceRow
    joined = select(func.count()).where(PatrolOfficerRow.patrol_id == row.id)
    expected = select(func.count()).where(PlaceRow.class_id == row.class_id)
    session = (SessionRow.class_id == row.class_id, func.lower(SessionRow.during) == row.begins)
    held = select(func.count()).where(*session)
    papers = select(func.array_agg(aggregate_order_by(func.encode(paper.sha256, "hex"), paper.handed_in_at)))
    return (
        select(
            *row.__table__.c,
            *(class_.number, class_.institution_id, institution.name.label("institution"), class_.district),
            joined.correlate(row).scalar_subquery().label("officers"),
            expected.correlate(row).scalar_subquery().label("expected"),
            held.correlate(row).scalar_subquery().label("held"),
            papers.where(paper.patrol_id == row.id).correlate(row).scalar_subquery().label("evidence"),
        )
        .join(class_, class_.id == row.class_id)
        .join(institution, institution.id == class_.institution_id)
        .where(_seen(me))
    )


def _patrol(row: Any, today: date) -> PatrolView:
    day, begins, ends = times_of(Range(row.begins, row.ends))
    return PatrolView(
        *(row.id, row.draw_id, row.class_id, row.number or "", row.institution_id, row.institution, row.district),
        *(day, clock_time(begins), clock_time(ends), PatrolKind(row.kind), row.due_on, row.expected),
        moved=not row.held,
        officers=row.officers,
        evidence=row.evidence or [],
        result=PatrolResult(row.result) if row.result else None,
        headcount=row.headcount,
        findings=row.findings,
        recorded_on=row.recorded_on,
        late=(row.recorded_on or today) > row.due_on,
    )
