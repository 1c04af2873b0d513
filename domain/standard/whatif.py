"""What claims that were filed would have cost under other standards: before and after, cell by cell (notice 三.7)."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domain.money import Fen
from domain.standard.fee import capped_by_fee


class Change(StrEnum):
    """What other standards do to a claim. NOTHING: it got something and would get nothing any more."""

    MORE = "more"
    SAME = "same"
    LESS = "less"
    NOTHING = "nothing"

    @classmethod
    def of(cls, before_fen: Fen, after_fen: Fen) -> "Change":
        if after_fen == before_fen:
            return cls.SAME
        if after_fen > before_fen:
            return cls.MORE
        return cls.LESS if after_fen else cls.NOTHING


class Cell(NamedTuple):
    """`claims` that are alike in what they got and would get, and in whatever totals are told by.

    `amount_fen` is what each of them got, `due_fen` what the other standards give each before any fee bounds it (0:
    they have no amount). `fees_fen` is what those of them paid for whom policy bounds the subsidy by it.
    """

    amount_fen: Fen
    due_fen: Fen
    fees_fen: Sequence[Fen]
    district: str
    fund: str
    year: int
    list_kind: str
    level: str
    claims: int

    def after(self) -> Counter[Fen]:
        """What the claims would get: how many of them each amount."""
        bounded = Counter(capped_by_fee(self.due_fen, fee_fen) for fee_fen in self.fees_fen)
        bounded[self.due_fen] += self.claims - len(self.fees_fen)
        return bounded


class Place(NamedTuple):
    """What totals can be told by."""

    district: str
    fund: str
    year: int
    list_kind: str
    level: str
    change: Change


@dataclass(slots=True)
class Cost:
    claims: int = 0
    before_fen: Fen = 0
    after_fen: Fen = 0

    def add(self, claims: int, before_fen: Fen, after_fen: Fen) -> None:
        self.claims += claims
        self.before_fen += before_fen
        self.after_fen += after_fen


def compare(cells: Iterable[Cell]) -> dict[Place, Cost]:
    """What the claims of the cells cost, and would cost."""
    costs: dict[Place, Cost] = defaultdict(Cost)
    for cell in cells:
        for after_fen, claims in cell.after().items():
            if claims:
                change = Change.of(cell.amount_fen, after_fen)
                place = Place(cell.district, cell.fund, cell.year, cell.list_kind, cell.level, change)
                costs[place].add(claims, cell.amount_fen * claims, after_fen * claims)
    return costs


def along(costs: Mapping[Place, Cost], *names: str) -> dict[tuple[Hashable, ...], Cost]:
    """The same costs, told by fewer things: `along(costs, "district", "fund")`; in order of what they are told by."""
    told: dict[tuple[Hashable, ...], Cost] = defaultdict(Cost)
    for place, cost in costs.items():
        key = tuple(getattr(place, name) for name in names)
        told[key].add(cost.claims, cost.before_fen, cost.after_fen)
    return dict(sorted(told.items()))
