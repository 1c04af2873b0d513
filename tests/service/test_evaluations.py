"""The yearly evaluation: recorded once by the third party, corrected by another person, published, recomputed."""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from domain.actor import Actor, Post
from domain.errors import DomainError
from domain.evaluation import Indicator
from domain.institution import History
from domain.period import Period
from domain.selection import Evaluation
from service.audit.queries.checks import first_breach
from service.audit.queries.oversight import OVERSIGHT, evaluations_recompute
from service.database import Tx
from service.institutions.queries.registry import record_of
from service.institutions.queries.selection import evaluation_of
from service.oversight.commands import evaluating
from service.oversight.queries.evaluations import evaluation_view, evaluations_of
from service.oversight.schemas import EvaluationView, NewEvaluation, NewEvaluationCorrection
from tests.oversight import SHA, Oversight
from tests.payments import journal_of
from tests.world import World

VALUES = dict(zip(Indicator, (93.5, 88, 70.2, 100, 66.6, 81.3), strict=True))
EVIDENCE = dict.fromkeys(Indicator, SHA)
WORSE = {**VALUES, Indicator.PASS: 0, Indicator.ATTENDANCE: 50}


@pytest.fixture
async def city(tx: Tx, world: World) -> Oversight:
    return await Oversight.build(tx, world)


def new(city: Oversight, **other: Any) -> NewEvaluation:
    given = {"year": city.world.today.year, "values": VALUES, "evidence": EVIDENCE, "summary": "总体良好"}
    return NewEvaluation(city.code, **{**given, **other})


async def passed_years(tx: Tx, city: Oversight) -> dict[int, bool]:
    """As the institution's own record has them."""
    record = await record_of(tx, city.proposer, city.institution_id, city.world.today)
    return {each.year: each.passed for each in record.evaluations}


async def evaluate(tx: Tx, city: Oversight, me: Actor | None = None, **other: Any) -> EvaluationView:
    me = me or city.evaluators[0]
    return await evaluating.evaluate(tx, me, new(city, **other), city.world.today, city.world.now)


async def correct(tx: Tx, city: Oversight, me: Actor, of: EvaluationView, **other: Any) -> EvaluationView:
    given: dict[str, Any] = {"values": WORSE, "evidence": EVIDENCE, "summary": "复核", "reason": "合格率取错"}
    return await evaluating.correct(tx, me, of.id, NewEvaluationCorrection(**{**given, **other}), city.world.now)


async def code_of(refused: Awaitable[object]) -> str:
    with pytest.raises(DomainError) as caught:
        await refused
    return caught.value.code


async def test_a_year_decides_the_next(tx: Tx, city: Oversight) -> None:
    year = city.world.today.year
    view = await evaluate(tx, city)
    assert (view.score, view.passed, view.for_year, view.version) == ("83.69", True, year + 1, 1)
    assert view.values["pass"] == "93.5"
    assert view.sample
    assert await passed_years(tx, city) == {year: True}
    await evaluate(tx, city, year=year - 1, values=WORSE)
    assert await passed_years(tx, city) == {year: True, year - 1: False}
    (noted,) = await journal_of(tx, "evaluation", view.id)
    assert (noted.action, noted.after["score_hundredths"]) == ("evaluate", 8369)


async def test_a_correction_is_another_persons_further_version(tx: Tx, city: Oversight) -> None:
    first, (one, other) = await evaluate(tx, city), city.evaluators
    assert await code_of(correct(tx, city, one, first)) == "evaluation.same_person"
    second = await correct(tx, city, other, first)
    assert (second.version, second.passed, second.reason) == (2, False, "合格率取错")
    assert await code_of(correct(tx, city, other, first)) == "evaluation.corrected"
    assert (await evaluation_view(tx, one, first.id)).score == "83.69"
    assert await passed_years(tx, city) == {first.year: False}
    third = await correct(tx, city, one, second, values=VALUES)
    assert (third.version, await passed_years(tx, city)) == (3, {first.year: True})
    assert await first_breach(tx, OVERSIGHT.checks) is None
    assert await evaluations_recompute(tx) is None


async def test_a_result_is_read_and_recorded_in_its_district(tx: Tx, city: Oversight) -> None:
    view, world = await evaluate(tx, city), city.world
    here, there = [await world.user(tx, {Post.EVALUATOR}, district) for district in (world.here, world.other)]
    for reader in (here, city.here, city.clerk, city.proposer, world.staff[Post.AUDITOR], city.evaluators[1]):
        assert (await evaluation_view(tx, reader, view.id)).id == view.id
    for other in (there, city.there, city.other_clerk):
        assert await code_of(evaluation_view(tx, other, view.id)) == "evaluation.not_found"
    year = view.year - 1
    assert await code_of(evaluate(tx, city, there, year=year)) == "oversight.no_institution"
    assert await code_of(correct(tx, city, there, view)) == "evaluation.not_found"
    assert (await evaluate(tx, city, here, year=year)).year == year


async def test_the_latest_version_is_what_a_renewal_asks_for(tx: Tx, city: Oversight) -> None:
    first = await evaluate(tx, city, values=WORSE)
    history = History([Period(date(2020, 1, 1))])
    asked = city.institution_id, first.year + 1, history
    assert await evaluation_of(tx, *asked) is Evaluation.FAILED
    better = NewEvaluationCorrection(VALUES, EVIDENCE, "总体良好", "成绩录错")
    await evaluating.correct(tx, city.evaluators[1], first.id, better, city.world.now)
    assert await evaluation_of(tx, *asked) is Evaluation.PASSED


async def test_everybody_reads_the_version_that_holds(tx: Tx, city: Oversight) -> None:
    first = await evaluate(tx, city)
    await correct(tx, city, city.evaluators[1], first)
    seen = await evaluations_of(tx, first.year)
    assert (seen.passed + seen.failed, seen.mark, seen.sample) == (seen.evaluated, 60, True)
    (result,) = [each for each in seen.results if each.institution == city.code]
    assert (result.institution, result.passed, result.version, result.summary) == (city.code, False, 2, "复核")
    assert sum(seen.weights.values()) == 100
    nothing = await evaluations_of(tx, 2001)
    assert (nothing.evaluated, nothing.mark, nothing.results) == (0, None, [])


async def test_what_is_refused(tx: Tx, city: Oversight) -> None:
    await evaluate(tx, city)
    few = {each: value for each, value in VALUES.items() if each is not Indicator.PATROLS}
    year = city.world.today.year - 1
    for code, other in (
        ("evaluation.recorded", {}),
        ("evaluation.year", {"year": year + 2}),
        ("evaluation.no_formula", {"year": 2018}),
        ("evaluation.indicators", {"year": year, "values": few}),
        ("evaluation.indicators", {"year": year, "evidence": dict.fromkeys(few, SHA)}),
        ("evaluation.value", {"year": year, "values": {**VALUES, Indicator.PATROLS: 66.66}}),
        ("words.empty", {"year": year, "summary": " "}),
        ("text.personal_number", {"year": year, "summary": "电话 13800001234"}),
    ):
        assert await code_of(evaluate(tx, city, **other)) == code
    assert await code_of(evaluate(tx, city, city.proposer, year=year)) == "post_missing"
    both = replace(city.evaluators[0], posts=frozenset({Post.CLERK}))
    assert await code_of(evaluate(tx, city, both, year=year)) == "post_missing"


async def test_the_audit_names_a_score_that_its_values_do_not_give(tx: Tx, city: Oversight) -> None:
    view = await evaluate(tx, city)
    planted = """
        INSERT INTO evaluations SELECT (jsonb_populate_record(e, jsonb_build_object(
               'id', gen_random_uuid(), 'year', e.year - 1, 'score_hundredths', e.score_hundredths + 1))).*
          FROM evaluations e WHERE e.id = :id RETURNING id"""
    wrong = (await tx.execute(text(planted), {"id": view.id})).scalar_one()
    breach = await evaluations_recompute(tx)
    assert breach is not None
    assert breach.row == str(wrong)
