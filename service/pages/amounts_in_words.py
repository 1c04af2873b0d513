"""How an amount came about, as a page says it: 1,000 × 1.2."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from domain.money import fen_display
from service.pages.language import said
from service.pages.names import english, joined
from service.standards.schemas import StandardView, StepView


def in_short(steps: Sequence[StepView]) -> str:
    """The steps as one expression in yuan; factors of 1 are left out. Empty where no steps are known."""
    return _said(steps[-1], {step.term: step for step in steps}) if steps else ""


def _said(step: StepView, known: Mapping[str, StepView]) -> str:
    inner = [known[name] for name in step.of]
    parts = [_said(each, known) for each in inner]
    match step.kind:
        case "round":
            return parts[0]
        case "product":
            telling = [
                part for part, each in zip(parts, inner, strict=True) if (each.unit, each.value) != ("percent", 100)
            ]
            return " × ".join(telling) or "1"
        case "sum":
            return f"({' + '.join(parts)})" if english() else f"（{' ＋ '.join(parts)}）"
        case "best":
            return said("较高的（%(parts)s）", parts=joined(parts, "，"))
        case "least":
            return said("较低的（%(parts)s）", parts=joined(parts, "，"))
        case "per_unit":
            return f"{_yuan(step.each or 0)} × {step.fact}"
    return _factor(step.value) if step.unit == "percent" else _yuan(int(step.value))


def _yuan(fen: int) -> str:
    return fen_display(fen).removesuffix(".00")


def _factor(percent: int | str) -> str:
    """1.2 for 120 percent."""
    return f"{float(Fraction(percent) / 100):g}"


@dataclass(frozen=True)
class Raised:
    """A list that changed an amount, and by which factor."""

    list_kind: str
    factor: str


def raised_by(ladder: Iterable[StandardView]) -> list[Raised]:
    """The lists that changed an amount, each once."""
    steps = [step for view in ladder for step in view.steps if step.by == "lists" and step.unit == "percent"]
    found = [Raised(str(step.fact), _factor(step.value)) for step in steps if step.fact and step.value != 100]
    return list(dict.fromkeys(found))
