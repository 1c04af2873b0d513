"""年度评估: the third party records a result once; another person corrects it by a further version, with a reason."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from domain.actor import Actor, Post
from domain.errors import Conflict, Invalid, NotFound
from domain.evaluation import Indicator, must_be_another, must_be_of, score, tenths
from domain.text import public_words
from service.database import Tx
from service.institutions.commands import record_evaluation
from service.institutions.tables import InstitutionRow
from service.journal import By, record
from service.oversight.queries.evaluations import FormulaOf, evaluation_view, formula_for, formula_named
from service.oversight.queries.whom import in_my_district, visible_to
from service.oversight.schemas import EvaluationView, NewEvaluation, NewEvaluationCorrection
from service.oversight.tables import EvaluationRow
from service.wording import words


async def evaluate(tx: Tx, me: Actor, new: NewEvaluation, today: date, now: datetime) -> EvaluationView:
    """A year's result, by the formula of that year. NotFound `oversight.no_institution`; Conflict
    `evaluation.no_formula`, `evaluation.recorded`; Invalid `evaluation.year`, `evaluation.indicators`,
    `evaluation.value`, `words.empty`, `text.personal_number`."""
    me.must_hold(Post.EVALUATOR)
    institution = await in_my_district(tx, me, new.institution)
    if new.year > today.year:
        raise Invalid("evaluation.year", "year")
    row = EvaluationRow
    recorded = select(row.id).where(row.institution_id == institution.id, row.year == new.year)
    if (await tx.execute(recorded)).first():
        raise Conflict("evaluation.recorded")
    formula = await formula_for(tx, new.year)
    about = {"institution_id": institution.id, "year": new.year, "version": 1}
    return await _store(tx, me, {**about, **_result(formula, new)}, "evaluate", now)


async def correct(
    tx: Tx, me: Actor, evaluation_id: UUID, new: NewEvaluationCorrection, now: datetime
) -> EvaluationView:
    """A further version by the same formula. NotFound `evaluation.not_found`; Forbidden `evaluation.same_person`;
    Conflict `evaluation.corrected` for a version that was corrected before; Invalid as `evaluate`."""
    me.must_hold(Post.EVALUATOR)
    row, reason = EvaluationRow, public_words(new.reason, "reason")
    asked = select(*row.__table__.c).join(InstitutionRow, InstitutionRow.id == row.institution_id)
    found = (await tx.execute(asked.where(row.id == evaluation_id, visible_to(me)))).one_or_none()
    if found is None:
        raise NotFound("evaluation.not_found")
    must_be_another(me.person_id, found.evaluated_person)
    if (await tx.execute(select(row.id).where(row.corrects_id == evaluation_id))).first():
        raise Conflict("evaluation.corrected")
    corrects = {
        "institution_id": found.institution_id,
        "year": found.year,
        "version": found.version + 1,
        "corrects_id": evaluation_id,
        "corrected_version": found.version,
        "corrected_person": found.evaluated_person,
        "reason": reason,
    }
    result = _result(await formula_named(tx, found.formula), new)
    return await _store(tx, me, {**corrects, **result}, "correct", now)


def _result(of: FormulaOf, new: NewEvaluation | NewEvaluationCorrection) -> dict[str, Any]:
    must_be_of(of.formula, new.values, "values")
    must_be_of(of.formula, new.evidence, "evidence")
    values: Mapping[Indicator, int] = {each: tenths(value, f"values.{each}") for each, value in new.values.items()}
    reached = score(of.formula, values)
    return {
        "formula": of.code,
        "values": {str(each): value for each, value in values.items()},
        "evidence": {str(each): sha for each, sha in new.evidence.items()},
        "score_hundredths": reached.hundredths,
        "passed": reached.passed,
        "summary": public_words(new.summary, "summary"),
    }


async def _store(tx: Tx, me: Actor, row: dict[str, Any], action: str, now: datetime) -> EvaluationView:
    evaluation_id, by = uuid4(), By.actor(me, Post.EVALUATOR, now)
    noted = {name: value if isinstance(value, (int, dict)) else str(value) for name, value in row.items()}
    await record(tx, "evaluation", [evaluation_id], action, by, [noted], reason=row.get("reason", ""))
    signed = {"evaluated_by": me.user_id, "evaluated_person": me.person_id, "evaluated_at": now}
    await tx.execute(insert(EvaluationRow).values(id=evaluation_id, **row, **signed))
    about = row["institution_id"], row["year"], row["passed"]
    source = words("evaluation.source", {"year": row["year"], "version": row["version"]})
    await record_evaluation(tx, by, *about, source, row["version"])
    return await evaluation_view(tx, me, evaluation_id)
