"""合格率: how the trainees of a class, and of an institution, did; for officers, evaluation and signals."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select

from domain.actor import Actor
from domain.assessment import Mark, percent_passed
from service.assessments.queries.results import visible_to
from service.assessments.schemas import InstitutionRateView, PassRateView, RatesView
from service.assessments.tables import AssessmentRow, ResultRow
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.training.tables import ClassRow

#: Institutions that are listed; more than a city has.
INSTITUTIONS_MAX = 5_000


async def rates_of_classes(tx: Tx, class_ids: Collection[UUID]) -> Mapping[UUID, PassRateView]:
    """Of those classes that have results, by the version that holds."""
    row = ResultRow
    asked = select(row.class_id, *_counted()).where(row.class_id.in_(class_ids), row.live).group_by(row.class_id)
    return {each.class_id: _rate(each) for each in await tx.execute(asked)}


async def rates(tx: Tx, me: Actor, first: date, last: date) -> RatesView:
    """Of the classes that `me` may see and that were assessed from `first` to `last`."""
    trained = await _by(tx, me, ClassRow.institution_id, first, last)
    assessed = await _by(tx, me, AssessmentRow.institution_id, first, last)
    return RatesView(first, last, trained, assessed)


async def _by(tx: Tx, me: Actor, who: Any, first: date, last: date) -> list[InstitutionRateView]:
    row, of, institution = ResultRow, AssessmentRow, InstitutionRow
    asked = (
        select(institution.id, institution.name, func.count(row.class_id.distinct()).label("classes"), *_counted())
        .select_from(row)
        .join(of, of.id == row.assessment_id)
        .join(ClassRow, ClassRow.id == row.class_id)
        .join(institution, institution.id == who)
        .where(row.live, of.assessed_on.between(first, last), visible_to(me))
        .group_by(institution.id, institution.name)
        .order_by(institution.name, institution.id)
        .limit(INSTITUTIONS_MAX)
    )
    return [InstitutionRateView(each.id, each.name, each.classes, _rate(each)) for each in await tx.execute(asked)]


def _counted() -> list[ColumnElement[int]]:
    return [func.count().filter(ResultRow.mark == str(mark)).label(str(mark)) for mark in Mark]


def _rate(row: Row[*tuple[Any, ...]]) -> PassRateView:
    return PassRateView(row.passed, row.failed, row.absent, percent_passed(row.passed, row.passed + row.failed))
