"""The kinds of terms that a formula is made of, and the facts that they may ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import floor, prod
from typing import Any, ClassVar, Protocol


class Shape(StrEnum):
    """What a fact is: one word, several words, or a whole number from 0 on."""

    WORD = "word"
    WORDS = "words"
    NUMBER = "number"


@dataclass(frozen=True)
class Fact:
    """`most` bounds a number. `of_claim`: a claim may bring it; the others are the occupation's own."""

    shape: Shape
    most: int = 0
    of_claim: bool = False


#: Everything a formula may ask. An occupation's hours are for reference: a claim may bring its own.
FACTS: Mapping[str, Fact] = {
    "level": Fact(Shape.WORD),
    "lists": Fact(Shape.WORDS),
    "scarcity": Fact(Shape.WORD),
    "cost": Fact(Shape.WORD),
    "hours": Fact(Shape.NUMBER, most=10_000, of_claim=True),
    "mode": Fact(Shape.WORD, of_claim=True),
    "group": Fact(Shape.WORD, of_claim=True),
    "result": Fact(Shape.WORD, of_claim=True),
    "heads": Fact(Shape.NUMBER, most=10_000, of_claim=True),
    "employment_percent": Fact(Shape.NUMBER, most=100, of_claim=True),
    "project": Fact(Shape.WORD),
}

#: What the formula for projects (项目制) may ask: they have no code and no level. The one for occupations may ask all
#: but which project it is.
OF_PROJECTS = frozenset({"project", "hours", "mode", "result", "heads", "employment_percent"})
OF_OCCUPATIONS = frozenset(FACTS) - {"project"}

#: What is known, by fact: a word, words, or a number. What is not known is left out.
Given = Mapping[str, str | int | tuple[str, ...]]


class Unit(StrEnum):
    """An amount in fen, or a factor in percent."""

    FEN = "fen"
    PERCENT = "percent"


@dataclass(frozen=True)
class Figure:
    """What a term came to, and what it looked at, as its step in the derivation says."""

    value: Fraction
    saw: Mapping[str, Any]


class Term(Protocol):
    """`by`: the fact it asks for; `of`: the terms it stands on.

    `most` is the largest value it can come to; `places` how often it may have divided by a hundred: 0 is whole. Both
    are told from those of the terms in `of`, so that a formula that could run over is refused before it is used.
    """

    @property
    def kind(self) -> str: ...
    @property
    def unit(self) -> Unit: ...
    @property
    def by(self) -> str | None: ...
    @property
    def of(self) -> tuple[str, ...]: ...
    def most(self, inner: Sequence[Fraction]) -> Fraction: ...
    def places(self, inner: Sequence[int]) -> int: ...
    def figure(self, given: Given, inner: Sequence[Fraction]) -> Figure | None: ...


class _Leaf:
    """A term that stands on no other."""

    of: ClassVar[tuple[str, ...]] = ()

    def places(self, inner: Sequence[int]) -> int:
        return 0


@dataclass(frozen=True)
class Constant(_Leaf):
    kind: ClassVar = "constant"
    by: ClassVar = None
    unit: Unit
    value: int

    def most(self, inner: Sequence[Fraction]) -> Fraction:
        return Fraction(self.value)

    def figure(self, given: Given, inner: Sequence[Fraction]) -> Figure:
        return Figure(Fraction(self.value), {})


@dataclass(frozen=True)
class Table(_Leaf):
    """A value for a word; of several words the single best counts (no stacking).

    `default` is for a word that is not in the table, and for none; without it there is then no value, and no amount.
    """

    kind: ClassVar = "table"
    unit: Unit
    by: str
    values: Mapping[str, int]
    default: int | None

    def most(self, inner: Sequence[Fraction]) -> Fraction:
        return Fraction(max([*self.values.values(), self.default or 0]))

    def figure(self, given: Given, inner: Sequence[Fraction]) -> Figure | None:
        said = given.get(self.by, ())
        words = [said] if isinstance(said, str) else said if isinstance(said, tuple) else []
        found = [
            (value, word) for word in words or [""] if (value := self.values.get(word, self.default)) is not None
        ]
        if not found:
            return None
        value, word = max(found)
        return Figure(Fraction(value), {"by": self.by, "fact": word if word in self.values else None})


@dataclass(frozen=True)
class Bands(_Leaf):
    """A value for a number: that of the last band which begins at or under it (`from`, value), from 0 up.

    `default` is for whom the number is not known.
    """

    kind: ClassVar = "bands"
    unit: Unit
    by: str
    bands: tuple[tuple[int, int], ...]
    default: int

    def most(self, inner: Sequence[Fraction]) -> Fraction:
        return Fraction(max(self.default, *(value for _, value in self.bands)))

    def figure(self, given: Given, inner: Sequence[Fraction]) -> Figure:
        number = given.get(self.by)
        if not isinstance(number, int):
            return Figure(Fraction(self.default), {"by": self.by, "fact": None})
        value = [value for first, value in self.bands if first <= number][-1]
        return Figure(Fraction(value), {"by": self.by, "fact": number})


@dataclass(frozen=True)
class PerUnit(_Leaf):
    """So many fen for each (hour, head) of a number; `default` is the number where it is not known."""

    kind: ClassVar = "per_unit"
    unit: ClassVar = Unit.FEN
    by: str
    fen: int
    default: int

    def most(self, inner: Sequence[Fraction]) -> Fraction:
        return Fraction(self.fen * FACTS[self.by].most)

    def figure(self, given: Given, inner: Sequence[Fraction]) -> Figure:
        known = given.get(self.by)
        number = known if isinstance(known, int) else self.default
        return Figure(Fraction(self.fen * number), {"by": self.by, "fact": number, "each": self.fen})


@dataclass(frozen=True)
class Combined:
    """Terms taken together; `unit` is that of an amount when one of them is an amount."""

    kind: str
    unit: Unit
    of: tuple[str, ...]
    by: ClassVar = None

    def most(self, inner: Sequence[Fraction]) -> Fraction:
        return combine(self.kind, inner)

    def places(self, inner: Sequence[int]) -> int:
        if self.kind == "product":
            return sum(inner) + len(inner) - 1
        return max(inner)

    def figure(self, given: Given, inner: Sequence[Fraction]) -> Figure:
        return Figure(combine(self.kind, inner), {"of": list(self.of)})


def combine(kind: str, values: Sequence[Fraction]) -> Fraction:
    """Their product (a factor is percent), sum, greatest or least."""
    match kind:
        case "product":
            return Fraction(prod(values, start=Fraction(1)), 100 ** (len(values) - 1))
        case "sum":
            return sum(values, Fraction(0))
        case "best":
            return max(values)
        case "least":
            return min(values)
    raise ValueError(kind)


#: What is rounded to, in fen.
STEPS: Mapping[str, int] = {"fen": 1, "yuan": 100}
#: How: half a step goes up, or whatever is over is left.
WAYS = ("half_up", "down")


@dataclass(frozen=True)
class Round:
    """An amount in whole fen or yuan."""

    kind: ClassVar = "round"
    unit: ClassVar = Unit.FEN
    of: tuple[str, ...]
    to: str
    how: str
    by: ClassVar = None

    def most(self, inner: Sequence[Fraction]) -> Fraction:
        return rounded(inner[0], self.to, self.how)

    def places(self, inner: Sequence[int]) -> int:
        return 0

    def figure(self, given: Given, inner: Sequence[Fraction]) -> Figure:
        value = rounded(inner[0], self.to, self.how)
        return Figure(value, {"of": list(self.of), "to": self.to, "how": self.how})


def rounded(fen: Fraction, to: str, how: str) -> Fraction:
    """`fen` in whole steps of `to`."""
    half = Fraction(1, 2) if how == "half_up" else Fraction(0)
    return Fraction(floor(fen / STEPS[to] + half) * STEPS[to])


@dataclass(frozen=True)
class Formula:
    """`terms` in an order in which each stands after those it is of; the last is the result."""

    terms: Mapping[str, Term]

    @property
    def result(self) -> str:
        return list(self.terms)[-1]

    def asks(self) -> frozenset[str]:
        """The facts that it asks for."""
        return frozenset(term.by for term in self.terms.values() if term.by)

    def tells_apart(self, fact: str) -> frozenset[str]:
        """The words of a fact that can make a difference: any other gives what none gives."""
        tables = (term for term in self.terms.values() if isinstance(term, Table) and term.by == fact)
        return frozenset(word for table in tables for word in table.values)
