"""What a review of standards takes, and when it may end."""

import pytest

from domain.errors import Conflict, Invalid
from domain.review import (
    BOUNDS,
    NAMELESS,
    Measure,
    Voice,
    must_be_answered,
    must_be_named_rightly,
    must_be_plausible,
)


@pytest.mark.parametrize("measure", Measure)
def test_a_figure_lies_within_its_bounds(measure: Measure) -> None:
    least, most = BOUNDS[measure]
    for value in (least, most):
        must_be_plausible(measure, value, "value")
    for value in (least - 1, most + 1):
        with pytest.raises(Invalid, match=r"review\.value"):
            must_be_plausible(measure, value, "value")


def test_costs_are_fen_and_the_rest_per_mille() -> None:
    assert {measure.unit for measure in Measure if measure is not Measure.TRAINING_COST} == {"per_mille"}
    assert Measure.TRAINING_COST.unit == "fen"


@pytest.mark.parametrize("voice", Voice)
def test_offices_and_experts_have_names_and_the_public_has_none(voice: Voice) -> None:
    right, wrong = ("", "李某") if voice in NAMELESS else ("李某", "")
    must_be_named_rightly(voice, right, "speaker")
    with pytest.raises(Invalid, match=r"review\.(nameless|speaker)"):
        must_be_named_rightly(voice, wrong, "speaker")


def test_a_review_ends_when_everybody_has_an_answer() -> None:
    must_be_answered(0)
    with pytest.raises(Conflict) as refused:
        must_be_answered(2)
    assert (refused.value.code, refused.value.facts) == ("review.unanswered", {"count": 2})
