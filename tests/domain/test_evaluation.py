"""The yearly score: by hand, within its bounds, and read strictly."""

import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Forbidden, Invalid
from domain.evaluation import EvaluationFormula, Indicator, must_be_another, must_be_of, score, tenths

WRITTEN = tomllib.loads(Path("data/evaluation-formula.toml").read_text("utf-8"))["formula"][0]
FORMULA = EvaluationFormula.read(WRITTEN)
VALUES = st.fixed_dictionaries({each: st.integers(0, 1000) for each in Indicator})


def test_by_hand() -> None:
    values = dict(zip(Indicator, (935, 880, 702, 1000, 666, 813), strict=True))
    # 25 × 93.5 + 20 × 88 + 15 × 70.2 + 10 × 100 + 15 × 66.6 + 15 × 81.3, over 100
    assert score(FORMULA, values).points == "83.69"
    assert score(FORMULA, values).passed


def test_the_mark_itself_passes() -> None:
    assert score(FORMULA, dict.fromkeys(Indicator, 600)).passed
    below = {**dict.fromkeys(Indicator, 600), Indicator.COMPLAINTS: 599}
    assert (score(FORMULA, below).points, score(FORMULA, below).passed) == ("59.99", False)


@given(VALUES)
def test_a_score_is_the_weighted_mean_to_half_a_hundredth(values: dict[Indicator, int]) -> None:
    exact = sum(Fraction(FORMULA.weights[each] * value, 10) for each, value in values.items()) / 100
    found = score(FORMULA, values)
    assert abs(Fraction(found.hundredths, 100) - exact) <= Fraction(1, 200)
    assert 0 <= found.hundredths <= 10_000
    assert found.passed == (found.hundredths >= 6_000)


@given(VALUES, st.sampled_from(Indicator), st.integers(0, 1000))
def test_a_better_value_never_scores_less(values: dict[Indicator, int], which: Indicator, value: int) -> None:
    worse, better = sorted((values[which], value))
    assert score(FORMULA, {**values, which: worse}).hundredths <= score(FORMULA, {**values, which: better}).hundredths


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (100, 1000), (93.5, 935), (0.1, 1), (66.6, 666)])
def test_points_with_one_decimal(value: float, expected: int) -> None:
    assert tenths(value, "values.pass") == expected


@pytest.mark.parametrize("value", [-0.1, 100.1, 93.55, float("nan"), float("inf"), 1e300, 1e-300])
def test_what_is_no_points(value: float) -> None:
    with pytest.raises(Invalid, match=r"evaluation\.value"):
        tenths(value, "values.pass")


def test_exactly_the_indicators_of_the_formula() -> None:
    whole = dict.fromkeys(Indicator, 0)
    must_be_of(FORMULA, whole, "values")
    missing = {each: 0 for each in Indicator if each is not Indicator.PASS}
    with pytest.raises(Invalid, match=r"evaluation\.indicators"):
        must_be_of(FORMULA, missing, "values")
    with pytest.raises(ValueError, match="indicators"):
        score(FORMULA, missing)
    narrow = EvaluationFormula({Indicator.PASS: 100}, 60)
    with pytest.raises(Invalid, match=r"evaluation\.indicators"):
        must_be_of(narrow, whole, "values")


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"weights": [], "mark": 60},
        {**WRITTEN, "mark": 0},
        {**WRITTEN, "mark": 60.5},
        {**WRITTEN, "weights": {**WRITTEN["weights"], "pass": 26}},
        {**WRITTEN, "weights": {**WRITTEN["weights"], "pass": 0, "attendance": 45}},
        {**WRITTEN, "weights": {"charm": 100}},
    ],
)
def test_a_formula_that_is_not_whole_is_not_read(written: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"formula|weights|mark"):
        EvaluationFormula.read(written)


def test_another_person_corrects() -> None:
    must_be_another(2, 1)
    with pytest.raises(Forbidden, match=r"evaluation\.same_person"):
        must_be_another(1, 1)
