"""In which classes I have a place, and how often I was marked as there."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import func, select

from domain.actor import Actor
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.training.tables import AttendanceMarkRow, ClassRow, PlaceRow
from service.wording import words


class MyClass(NamedTuple):
    number: str
    institution: str
    occupation: str
    level: str
    first: date
    last: date
    status_name: str
    marks: int


async def my_classes(tx: Tx, me: Actor) -> list[MyClass]:
    """The latest first."""
    row, place, mark = ClassRow, PlaceRow, AttendanceMarkRow
    marks = (
        select(func.count())
        .where(mark.class_id == row.id, mark.person_id == me.person_id)
        .correlate(row)
        .scalar_subquery()
    )
    asked = (
        select(row.number, InstitutionRow.name, row.occupation, row.level, row.first, row.last, row.status, marks)
        .join(place, place.class_id == row.id)
        .join(InstitutionRow, InstitutionRow.id == row.institution_id)
        .where(place.person_id == me.person_id)
        .order_by(row.first.desc(), row.id)
    )
    return [
        MyClass(number or "", school, occupation, level, first, last, words(f"class_status.{status}"), count)
        for number, school, occupation, level, first, last, status, count in await tx.execute(asked)
    ]
