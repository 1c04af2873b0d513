"""What people see of classes, each only what they may."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, false, func, or_, select, tuple_

from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.identity import mask_name
from domain.level import LEVELS
from domain.training import Facts, clock_time, decide
from service.catalog.tables import CatalogItemRow
from service.cursors import cursor_of, read_cursor
from service.database import Tx
from service.funds.queries import class_money
from service.institutions.tables import InstitutionRow
from service.journal import JournalRow
from service.training.queries.plans import Plan, has_begun, stored_plan
from service.training.schemas import (
    ClassDecisionView,
    ClassesView,
    ClassLine,
    ClassSessionView,
    ClassStepView,
    ClassView,
    PlaceView,
    TeacherView,
)
from service.training.tables import ClassRow, PlaceRow
from service.wording import words

#: Who sees the classes of their district, or of the whole city.
STAFF = (Post.INSTITUTION_OFFICER, Post.INSPECTOR, Post.REVIEWER, Post.AUDITOR)


def visible_to(me: Actor) -> ColumnElement[bool]:
    """Which classes `me` may see: one's institution's, one's district's (promise 15)."""
    allowed: list[ColumnElement[bool]] = [false()]
    if me.holds(Post.CLERK) and me.institution_id is not None:
        allowed.append(ClassRow.institution_id == me.institution_id)
    if me.holds(*STAFF):
        allowed.append(ClassRow.district == me.district if me.district else ClassRow.id.is_not(None))
    return or_(*allowed)


def _shown() -> Select[*tuple[Any, ...]]:
    row, item, institution = ClassRow, CatalogItemRow, InstitutionRow
    places = select(func.count()).where(PlaceRow.class_id == row.id).correlate(row).scalar_subquery()
    return (
        select(*row.__table__.c, item.name.label("item_name"), institution.name.label("of"), places.label("places"))
        .join(item, item.id == row.item_id)
        .join(institution, institution.id == row.institution_id)
    )


def _line(row: Any) -> dict[str, Any]:
    as_it_is = ("id", "status", "institution_id", "district", "occupation", "item_name", "level", "planned_hours")
    return {
        **{name: getattr(row, name) for name in (*as_it_is, "first", "last", "filed_on")},
        "number": row.number or "",
        "status_name": words(f"class_status.{row.status}"),
        "institution": row.of,
        "level_name": LEVELS[row.level].name,
        "trainees": row.places,
    }


async def class_view(tx: Tx, me: Actor, class_id: UUID, now: datetime) -> ClassView:
    """One class with its timetable, roster, steps and decision; NotFound `class.not_found` when it is not there or
    not for `me` to see."""
    row = (await tx.execute(_shown().where(ClassRow.id == class_id, visible_to(me)))).one_or_none()
    if row is None:
        raise NotFound("class.not_found")
    plan = await stored_plan(tx, class_id)
    return ClassView(
        **_line(row),
        site=row.site,
        address=row.address,
        teachers=[TeacherView(n, mask_name(each.name)) for n, each in enumerate(plan.teachers, 1)],
        sessions=_sessions(plan, now),
        roster=[
            PlaceView(line, mask_name(each.name), each.id_number.masked())
            for line, each in enumerate(plan.trainees, 1)
        ],
        steps=await _steps(tx, class_id),
        money=await class_money(tx, class_id),
        decision=ClassDecisionView.of(decide(msgspec.convert(row.decision["facts"], Facts))),
    )


def _sessions(plan: Plan, now: datetime) -> list[ClassSessionView]:
    return [
        ClassSessionView(
            *(each.day, clock_time(each.begins), clock_time(each.ends), each.hours, each.room, each.teacher),
            begun=has_begun(each, now),
        )
        for each in plan.sessions
    ]


async def _steps(tx: Tx, class_id: UUID) -> list[ClassStepView]:
    """As the journal has them; what was changed stands in a row beside the step."""
    row = JournalRow
    asked = select(row.subject_kind, row.action, row.at, row.reason, row.after).where(
        row.subject_id == class_id, row.subject_kind.in_(["class", "class_change"])
    )
    found: list[ClassStepView] = []
    for kind, action, at, reason, after in await tx.execute(asked.order_by(row.id)):
        if kind == "class":
            found.append(ClassStepView(action, at, reason, []))
        else:
            found[-1].parts = sorted(after)
    return found


async def classes_page(
    tx: Tx, me: Actor, *, status: str | None, district: str | None, cursor: str | None, limit: int
) -> ClassesView:
    """A page of the classes `me` may see, oldest first; `cursor` as the page before gave it."""
    row, asked = ClassRow, _shown().where(visible_to(me))
    if status:
        asked = asked.where(row.status == status)
    if district:
        asked = asked.where(row.district == district)
    if cursor:
        asked = asked.where(tuple_(row.filed_at, row.id) > tuple_(*read_cursor(cursor)))
    rows = (await tx.execute(asked.order_by(row.filed_at, row.id).limit(limit + 1))).all()
    following = cursor_of(rows[limit - 1].filed_at, rows[limit - 1].id) if len(rows) > limit else None
    return ClassesView([ClassLine(**_line(each)) for each in rows[:limit]], following)
