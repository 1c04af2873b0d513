"""What claims that were filed would have cost under other standards: before and after, cell by cell (notice 三.7)."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
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
    """`claims` that are alike in whatever decides an amount, and in whatever totals are told by.

    `amount_fen` is what each of them got; `fee_fen` what each paid, where policy bounds the subsidy by it.
    """

    occupation: str
    level: str
    group: str
    fee_fen: Fen | None
    amount_fen: Fen
    district: str
    fund: str
    year: int
    list_kind: str
    claims: int


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


#: Occupation, level and group (empty: none) → what the other standards give, before any fee bounds it; 0: nothing.
Due = Callable[[str, str, str], Fen]


def compare(cells: Iterable[Cell], due: Due) -> dict[Place, Cost]:
    """What the claims of the cells cost, and would cost."""
    costs: dict[Place, Cost] = defaultdict(Cost)
    for cell in cells:
        before_fen, after_fen = cell.amount_fen, due(cell.occupation, cell.level, cell.group)
        if cell.fee_fen is not None:
            after_fen = capped_by_fee(after_fen, cell.fee_fen)
        change = Change.of(before_fen, after_fen)
        place = Place(cell.district, cell.fund, cell.year, cell.list_kind, cell.level, change)
        costs[place].add(cell.claims, before_fen * cell.claims, after_fen * cell.claims)
    return costs


def along(costs: Mapping[Place, Cost], *names: str) -> dict[tuple[Hashable, ...], Cost]:
    """The same costs, told by fewer things: `along(costs, "district", "fund")`; in order of what they are told by."""
    told: dict[tuple[Hashable, ...], Cost] = defaultdict(Cost)
    for place, cost in costs.items():
        key = tuple(getattr(place, name) for name in names)
        told[key].add(cost.claims, cost.before_fen, cost.after_fen)
    return dict(sorted(told.items()))
