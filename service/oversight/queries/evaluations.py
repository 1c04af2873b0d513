"""Evaluations of a year: the version that holds, what is published, and whether the next year is open."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased

from domain.actor import Actor
from domain.errors import Conflict, NotFound
from domain.evaluation import EvaluationFormula, Score
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.oversight.queries.whom import visible_to
from service.oversight.schemas import EvaluationResultView, EvaluationsView, EvaluationView
from service.oversight.tables import EvaluationFormulaRow, EvaluationRow

#: Results that are listed of a year.
RESULTS_MAX = 5_000


@dataclass(frozen=True)
class FormulaOf:
    """A formula as it was published."""

    code: str
    formula: EvaluationFormula
    source: str
    sample: bool


async def formula_for(tx: Tx, year: int) -> FormulaOf:
    """The formula of a year: the latest that began before the year ended. Conflict `evaluation.no_formula`."""
    found = await _formula(tx, EvaluationFormulaRow.first <= date(year, 12, 31))
    if found is None:
        raise Conflict("evaluation.no_formula", year=year)
    return found


async def formula_named(tx: Tx, code: str) -> FormulaOf:
    """The formula by which a result was recorded."""
    found = await _formula(tx, EvaluationFormulaRow.code == code)
    assert found is not None, "a result names its formula"
    return found


async def _formula(tx: Tx, which: ColumnElement[bool]) -> FormulaOf | None:
    row = EvaluationFormulaRow
    asked = select(row.code, row.content, row.source, row.sample).where(which)
    found = (await tx.execute(asked.order_by(row.first.desc()).limit(1))).one_or_none()
    return (
        None
        if found is None
        else FormulaOf(found.code, EvaluationFormula.read(found.content), found.source, found.sample)
    )


def _holds() -> ColumnElement[bool]:
    """The version that no other corrects."""
    later = aliased(EvaluationRow)
    return ~select(later.id).where(later.corrects_id == EvaluationRow.id).exists()


def _evaluations() -> Select[*tuple[Any, ...]]:
    row, institution = EvaluationRow, InstitutionRow
    told = (institution.credit_code, institution.name, EvaluationFormulaRow.sample)
    return (
        select(*row.__table__.c, *told)
        .join(institution, institution.id == row.institution_id)
        .join(EvaluationFormulaRow, EvaluationFormulaRow.code == row.formula)
    )


async def evaluation_view(tx: Tx, me: Actor, evaluation_id: UUID) -> EvaluationView:
    """NotFound `evaluation.not_found`, also for one that is not mine to see."""
    asked = _evaluations().where(EvaluationRow.id == evaluation_id, visible_to(me))
    each = (await tx.execute(asked)).one_or_none()
    if each is None:
        raise NotFound("evaluation.not_found")
    return _view(each)


async def evaluations_on_desk(tx: Tx, me: Actor, year: int) -> list[EvaluationView]:
    """The versions that hold of a year, of the institutions in my reach, the best first."""
    row = EvaluationRow
    asked = _evaluations().where(row.year == year, _holds(), visible_to(me)).limit(RESULTS_MAX)
    found = await tx.execute(asked.order_by(row.score_hundredths.desc(), InstitutionRow.credit_code))
    return [_view(each) for each in found]


async def is_corrected(tx: Tx, evaluation_id: UUID) -> bool:
    """Whether a further version stands in its place."""
    asked = select(EvaluationRow.id).where(EvaluationRow.corrects_id == evaluation_id)
    return (await tx.execute(asked)).first() is not None


def _view(each: Any) -> EvaluationView:
    return EvaluationView(
        id=each.id,
        institution=each.credit_code,
        institution_name=each.name,
        year=each.year,
        for_year=each.year + 1,
        version=each.version,
        formula=each.formula,
        sample=each.sample,
        values={name: f"{value // 10}.{value % 10}" for name, value in each.values.items()},
        evidence=each.evidence,
        score=Score(each.score_hundredths, each.passed).points,
        passed=each.passed,
        summary=each.summary,
        reason=each.reason,
        evaluated_at=each.evaluated_at,
    )


async def results_of(tx: Tx, institution_id: UUID) -> list[tuple[int, EvaluationResultView]]:
    """Year → what holds of an institution, for everybody; the latest year first."""
    row = EvaluationRow
    asked = _evaluations().where(row.institution_id == institution_id, _holds()).order_by(row.year.desc())
    return [(each.year, _result(each)) for each in await tx.execute(asked)]


def _result(each: Any) -> EvaluationResultView:
    points = Score(each.score_hundredths, each.passed).points
    return EvaluationResultView(each.credit_code, each.name, points, each.passed, each.summary, each.version)


async def evaluations_of(tx: Tx, year: int) -> EvaluationsView:
    """A year for everybody: every institution's result by the version that holds, the best first."""
    row = EvaluationRow
    asked = _evaluations().where(row.year == year, _holds())
    rows = (await tx.execute(asked.order_by(row.score_hundredths.desc(), InstitutionRow.credit_code))).all()
    formula = await formula_named(tx, rows[0].formula) if rows else None
    passed = sum(each.passed for each in rows)
    return EvaluationsView(
        year=year,
        for_year=year + 1,
        mark=formula.formula.mark if formula else None,
        weights={str(name): weight for name, weight in formula.formula.weights.items()} if formula else {},
        source=formula.source if formula else "",
        sample=any(each.sample for each in rows),
        evaluated=len(rows),
        passed=passed,
        failed=len(rows) - passed,
        results=[_result(each) for each in rows[:RESULTS_MAX]],
    )
