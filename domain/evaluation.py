"""年度评估 (notice 二.5): weighted indicators of a third party, and a score by a stored formula."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Self

from domain.errors import Forbidden, Invalid

#: Values are kept in tenths of a point, scores in hundredths.
TENTHS_MAX = 1_000


class Indicator(StrEnum):
    """合格率, 出勤率, 就业率, 投诉, 巡查, 满意度: each is told as points between 0 and 100, 100 the best."""

    PASS = "pass"  # noqa: S105 (no password)
    ATTENDANCE = "attendance"
    EMPLOYMENT = "employment"
    COMPLAINTS = "complaints"
    PATROLS = "patrols"
    SATISFACTION = "satisfaction"


@dataclass(frozen=True)
class EvaluationFormula:
    """Indicator → its weight in percent, together 100; `mark`: the points from which a year is passed."""

    weights: Mapping[Indicator, int]
    mark: int

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Self:
        """From a table such as `data/evaluation-formula.toml` holds. ValueError with what is wrong in it."""
        try:
            weights = {Indicator(name): weight for name, weight in written["weights"].items()}
            mark = written["mark"]
        except (KeyError, ValueError, AttributeError) as problem:
            raise ValueError(f"the formula of evaluation cannot be read: {problem!r}") from None
        whole = all(isinstance(each, int) and not isinstance(each, bool) for each in (*weights.values(), mark))
        if not whole or any(each <= 0 for each in weights.values()) or sum(weights.values()) != 100:
            raise ValueError("weights are whole percents above 0, together 100")
        if not 0 < mark <= 100:
            raise ValueError("the mark lies between 1 and 100 points")
        return cls(weights, mark)


@dataclass(frozen=True)
class Score:
    hundredths: int
    passed: bool

    @property
    def points(self) -> str:
        return str(Decimal(self.hundredths).scaleb(-2))


def tenths(value: float, field: str) -> int:
    """Points between 0 and 100, with one decimal at most, as tenths. Invalid `evaluation.value`."""
    try:
        scaled = Decimal(str(value)).scaleb(1)
        if 0 <= scaled <= TENTHS_MAX and scaled == scaled.to_integral_value():
            return int(scaled)
    except InvalidOperation:  # no number at all; told as any other that is no value
        pass
    raise Invalid("evaluation.value", field)


def score(formula: EvaluationFormula, values: Mapping[Indicator, int]) -> Score:
    """The weighted points of `values` (in tenths), half a hundredth rounded up. Every indicator of the formula must
    have a value, and no other may. ValueError where not."""
    if values.keys() != formula.weights.keys():
        raise ValueError("values and weights are of different indicators")
    # percent of tenths are thousandths of a point
    thousandths = sum(weight * values[each] for each, weight in formula.weights.items())
    rounded = (Decimal(thousandths) / 10).quantize(Decimal(1), ROUND_HALF_UP)
    return Score(int(rounded), passed=rounded >= formula.mark * 100)


def must_be_of(formula: EvaluationFormula, named: Mapping[Indicator, Any], field: str) -> None:
    """Invalid `evaluation.indicators` unless exactly the formula's indicators are named."""
    if named.keys() != formula.weights.keys():
        raise Invalid("evaluation.indicators", field, indicators=sorted(formula.weights))


def must_be_another(person: object, before: object) -> None:
    """Forbidden `evaluation.same_person`: whoever recorded a result does not correct it."""
    if person == before:
        raise Forbidden("evaluation.same_person")
