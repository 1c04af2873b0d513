"""What other standards would have cost: cells come to what each claim by itself comes to."""

import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.standard import Cell, Change, Cost, Place, along, compare, parse_formula
from tests.standards import flat

_FEN = st.integers(0, 400_000)
_CELLS = st.builds(
    Cell,
    amount_fen=_FEN,
    due_fen=_FEN,
    fees_fen=st.lists(_FEN, max_size=4).map(tuple),
    district=st.sampled_from(["370102", "370112"]),
    fund=st.sampled_from(["employment_subsidy", "unemployment_insurance"]),
    year=st.integers(2025, 2026),
    list_kind=st.sampled_from(["shortage", "general"]),
    level=st.sampled_from(["5", "4", "3"]),
    claims=st.integers(4, 9),
)


def one_by_one(cells: list[Cell]) -> dict[Place, Cost]:
    """Each claim by itself, with arithmetic of its own."""
    costs: dict[Place, list[int]] = defaultdict(lambda: [0, 0, 0])
    for cell in cells:
        for number in range(cell.claims):
            due = cell.due_fen
            if number < len(cell.fees_fen):
                whole_yuan = cell.fees_fen[number] - cell.fees_fen[number] % 100
                due = whole_yuan if whole_yuan < due else due
            change = "same" if due == cell.amount_fen else "more" if due > cell.amount_fen else "less"
            change = "nothing" if change == "less" and due == 0 else change
            place = Place(cell.district, cell.fund, cell.year, cell.list_kind, cell.level, Change(change))
            for at, fen in enumerate((1, cell.amount_fen, due)):
                costs[place][at] += fen
    return {place: Cost(*cost) for place, cost in costs.items()}


@given(st.lists(_CELLS, max_size=12))
def test_cells_come_to_what_each_claim_comes_to(cells: list[Cell]) -> None:
    assert compare(cells) == one_by_one(cells)


@given(st.lists(_CELLS, max_size=12), st.sampled_from([("district",), ("fund", "year"), ("level", "change"), ()]))
def test_however_it_is_told_it_adds_up(cells: list[Cell], names: tuple[str, ...]) -> None:
    costs = compare(cells)
    told = along(costs, *names)
    for figure in ("claims", "before_fen", "after_fen"):
        assert sum(getattr(each, figure) for each in told.values()) == sum(
            getattr(each, figure) for each in costs.values()
        )
    assert list(told) == sorted(told)
    assert sum(each.claims for each in told.values()) == sum(cell.claims for cell in cells)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [(100, 100, "same"), (100, 200, "more"), (200, 100, "less"), (100, 0, "nothing"), (0, 0, "same"), (0, 1, "more")],
)
def test_winners_and_losers(before: int, after: int, change: str) -> None:
    assert Change.of(before, after) == change


def test_a_fee_bounds_only_whoever_paid_it() -> None:
    cell = Cell(100_000, 120_000, (99_960, 500_000), "370102", "f", 2026, "general", "4", 5)
    assert cell.after() == Counter({120_000: 4, 99_900: 1})


def test_only_the_words_that_a_formula_names_are_told_apart() -> None:
    chance = random.Random(3)
    words = {f"group{number}": chance.randint(50, 150) for number in range(4)}
    formula = parse_formula(flat(80_000, group=words))
    assert formula.tells_apart("group") == words.keys()
    assert formula.tells_apart("mode") == frozenset()
