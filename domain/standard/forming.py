"""An amount from a formula and facts, with the steps that made it; and from its steps once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from domain.errors import Invalid
from domain.money import Fen
from domain.standard.formula import FACTS, Fact, Formula, Given, Shape, combine, rounded

#: A derivation as it is stored: one object a term, each after those it stands on.
Steps = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Formed:
    """An amount in fen, and the steps that made it, from which it can be made again."""

    amount_fen: Fen
    steps: Steps


def form(formula: Formula, given: Given) -> Formed | None:
    """What the formula comes to; None where a table without a default has no value for what is given.

    Invalid `formula.fact` (field: the fact) for a fact that there is none of, or that is not of its shape.
    """
    for name, value in given.items():
        if name not in FACTS or not _fits(value, FACTS[name]):
            raise Invalid("formula.fact", name)
    values: dict[str, Fraction] = {}
    steps: list[Mapping[str, Any]] = []
    for name, term in formula.terms.items():
        figure = term.figure(given, [values[each] for each in term.of])
        if figure is None:
            return None
        values[name] = figure.value
        said = {"term": name, "kind": term.kind, "unit": str(term.unit), **figure.saw}
        steps.append({**said, "value": _written(figure.value)})
    return Formed(int(values[formula.result]), steps)


def _fits(value: object, fact: Fact) -> bool:
    match fact.shape:
        case Shape.NUMBER:
            return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= fact.most
        case Shape.WORD:
            return isinstance(value, str)
        case Shape.WORDS:
            return isinstance(value, tuple) and all(isinstance(each, str) for each in value)


def _written(value: Fraction) -> int | str:
    """A whole number as it is, another as `1001/4`: JSON knows no fractions, and nothing is lost."""
    return value.numerator if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def recompute(steps: Steps) -> Fen:
    """The amount that the steps come to, each computed again from those before it.

    ValueError where one does not give the value that it says, or cannot be read.
    """
    values: dict[str, Fraction] = {}
    for step in steps:
        try:
            value, said = _again(step, values), Fraction(step["value"])
        except (KeyError, TypeError, ArithmeticError) as problem:
            raise ValueError(f"a step cannot be read: {step}") from problem
        if value != said:
            raise ValueError(f"{step['term']} comes to {value}, not {said}")
        values[step["term"]] = value
    if not values or value.denominator != 1:
        raise ValueError("no amount in whole fen")
    return int(value)


def _again(step: Mapping[str, Any], values: Mapping[str, Fraction]) -> Fraction:
    inner = [values[name] for name in step.get("of", ())]
    match step["kind"]:
        case "per_unit":
            return Fraction(step["each"]) * Fraction(step["fact"])
        case "round":
            return rounded(inner[0], step["to"], step["how"])
        case "product" | "sum" | "best" | "least":
            return combine(step["kind"], inner)
        case "constant" | "table" | "bands":
            return Fraction(step["value"])
    raise ValueError(f"no such kind: {step['kind']}")
