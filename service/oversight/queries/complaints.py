"""Complaints for those who raised them and those who answer; for everybody only how many there are."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_

from domain.actor import Actor, Post
from domain.complaint import ComplaintKind, told
from domain.errors import NotFound
from domain.numbering import COMPLAINTS
from service.crypto import keyring
from service.database import Tx
from service.institutions.tables import InstitutionListingRow, InstitutionRow
from service.oversight.queries.whom import visible_to
from service.oversight.schemas import (
    ComplaintCounts,
    ComplaintCountView,
    ComplaintList,
    ComplaintStateView,
    ComplaintView,
)
from service.oversight.tables import ComplaintAnswerRow, ComplaintRow
from service.training.tables import ClassRow
from service.wording import words

#: Institutions that are listed with their counts.
COUNTS_MAX = 5_000


def _complaints() -> Select[*tuple[Any, ...]]:
    row, answer, institution = ComplaintRow, ComplaintAnswerRow, InstitutionRow
    return (
        select(*row.__table__.c, institution.credit_code, institution.name)
        .add_columns(answer.answer_sealed, answer.founded, answer.answered_on)
        .add_columns(ClassRow.number.label("class_number"))
        .join(institution, institution.id == row.institution_id)
        .outerjoin(answer, answer.complaint_id == row.id)
        .outerjoin(ClassRow, ClassRow.id == row.class_id)
    )


async def my_complaints(tx: Tx, me: Actor, today: date, cursor: UUID | None, limit: int) -> ComplaintList:
    """A page of what I complained of, with the answers, newest first; `cursor`: the last one seen."""
    return await _page(tx, [ComplaintRow.person_id == me.person_id], today, cursor, limit)


async def district_complaints(
    tx: Tx, me: Actor, today: date, cursor: UUID | None, limit: int, *, which: str, number: str = ""
) -> ComplaintList:
    """A page of the complaints in my district that are `open`, `overdue` or `answered`, newest first; with a `number`
    the one that has it, whichever it is."""
    me.must_hold(Post.INSTITUTION_OFFICER)
    if number:
        return await _page(tx, [visible_to(me), ComplaintRow.serial == COMPLAINTS.typed(number)], today, None, limit)
    answered = ComplaintAnswerRow.complaint_id
    where: list[ColumnElement[bool]] = [visible_to(me)]
    where.append(answered.is_not(None) if which == "answered" else answered.is_(None))
    if which == "overdue":
        where.append(ComplaintRow.due_on < today)
    return await _page(tx, where, today, cursor, limit)


async def complaint_view(tx: Tx, me: Actor, complaint_id: UUID, today: date) -> ComplaintView:
    """One of my district. NotFound `complaint.not_found`."""
    me.must_hold(Post.INSTITUTION_OFFICER)
    asked = _complaints().where(ComplaintRow.id == complaint_id, visible_to(me))
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("complaint.not_found")
    return _view(found, today)


async def _page(
    tx: Tx, where: list[ColumnElement[bool]], today: date, cursor: UUID | None, limit: int
) -> ComplaintList:
    row = ComplaintRow
    asked = _complaints().where(*where).order_by(row.filed_at.desc(), row.id.desc()).limit(limit + 1)
    if cursor is not None:
        seen = select(row.filed_at).where(row.id == cursor).scalar_subquery()
        asked = asked.where(tuple_(row.filed_at, row.id) < tuple_(seen, cursor))
    rows = (await tx.execute(asked)).all()
    return ComplaintList(
        [_view(each, today) for each in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None
    )


def _view(row: Any, today: date) -> ComplaintView:
    return ComplaintView(
        id=row.id,
        number=COMPLAINTS.number(row.serial),
        institution=row.credit_code,
        institution_name=row.name,
        kind=ComplaintKind(row.kind),
        kind_name=words(f"complaint_kind.{row.kind}"),
        words=keyring().open(row.words_sealed, row.id),
        anonymous=row.person_id is None,
        filed_on=row.filed_on,
        due_on=row.due_on,
        overdue=(row.answered_on or today) > row.due_on,
        class_number=row.class_number,
        answer=None if row.answer_sealed is None else keyring().open(row.answer_sealed, row.id),
        founded=row.founded,
        answered_on=row.answered_on,
    )


async def complaint_receipt(tx: Tx, known_by: UUID | str) -> ComplaintStateView | None:
    """How far a complaint is, for whoever has its id or its number: no words, nobody's name, not of whom. None where
    there is none."""
    row, answer = ComplaintRow, ComplaintAnswerRow
    asked = select(row.id, row.serial, row.filed_on, row.due_on, answer.answered_on).outerjoin(answer)
    this = row.serial == COMPLAINTS.typed(known_by) if isinstance(known_by, str) else row.id == known_by
    found = (await tx.execute(asked.where(this))).one_or_none()
    return ComplaintStateView(found.id, COMPLAINTS.number(found.serial), *found[2:]) if found else None


async def complaint_counts(tx: Tx, year: int) -> ComplaintCounts:
    """Complaints of a year by institution in the catalog, for everybody: of trainees who were signed in, and what was
    found true, so that nobody is blackened namelessly. A small count is not told, so that nobody is guessed."""
    row, institution, answered = ComplaintRow, InstitutionRow, ComplaintAnswerRow
    asked = (
        select(institution.credit_code, institution.name, func.count())
        .select_from(row)
        .join(institution, institution.id == row.institution_id)
        .outerjoin(answered, answered.complaint_id == row.id)
        .where(row.kind == ComplaintKind.COMPLAINT, or_(row.person_id.is_not(None), answered.founded))
        .where(row.filed_on.between(date(year, 1, 1), date(year, 12, 31)))
        .where(institution.id.in_(select(InstitutionListingRow.institution_id)))
        .group_by(institution.credit_code, institution.name)
        .order_by(institution.credit_code)
        .limit(COUNTS_MAX)
    )
    counts = [ComplaintCountView(code, name, told(count)) for code, name, count in await tx.execute(asked)]
    return ComplaintCounts(counts)
