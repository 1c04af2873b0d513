"""Ages of retirement: the committed table against its rule, and against rows of the decision's own tables."""

import csv
import importlib.util
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.retirement import RetirementAge, RetirementTable

DATA = Path(__file__).parents[2] / "data"
LINES = (DATA / "retirement-ages.csv").read_text(encoding="utf-8").splitlines()
TABLE = RetirementTable.from_csv(LINES)


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_retirement_ages", DATA / "make_retirement_ages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_table_is_what_its_script_writes() -> None:
    written = [",".join(map(str, row)) for row in _generator().rows()]
    assert ["category,born_from,born_to,months", *written] == LINES


@pytest.mark.parametrize(
    ("born", "years", "months"),
    [
        ((1964, 12), 60, 0),
        ((1965, 1), 60, 1),
        ((1965, 4), 60, 1),
        ((1965, 5), 60, 2),
        ((1970, 1), 61, 4),
        ((1976, 8), 62, 11),
        ((1976, 9), 63, 0),
        ((1990, 6), 63, 0),
    ],
)
def test_men(born: tuple[int, int], years: int, months: int) -> None:
    assert TABLE.age_of("male", date(*born, 1)) == RetirementAge(years * 12 + months, years * 12 + months)


@pytest.mark.parametrize(
    ("born", "earliest", "latest"),
    [
        ((1969, 12), (50, 0), (55, 0)),
        ((1970, 1), (50, 0), (55, 1)),
        ((1975, 1), (50, 1), (56, 4)),
        ((1975, 3), (50, 2), (56, 4)),
        ((1981, 8), (53, 4), (57, 11)),
        ((1981, 9), (53, 5), (58, 0)),
        ((1984, 10), (54, 11), (58, 0)),
        ((1984, 11), (55, 0), (58, 0)),
    ],
)
def test_women(born: tuple[int, int], earliest: tuple[int, int], latest: tuple[int, int]) -> None:
    found = TABLE.age_of("female", date(*born, 28))
    assert divmod(found.earliest_months, 12) == earliest
    assert divmod(found.latest_months, 12) == latest


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.sampled_from(["male", "female"]))
def test_everybody_has_an_age_and_the_younger_never_an_earlier_one(birth: date, sex: str) -> None:
    mine, younger = TABLE.age_of(sex, birth), TABLE.age_of(sex, birth.replace(year=birth.year + 1, day=1))
    assert 50 * 12 <= mine.earliest_months <= mine.latest_months <= 63 * 12
    assert mine.earliest_months <= younger.earliest_months
    assert mine.latest_months <= younger.latest_months


@pytest.mark.parametrize("drop", [1, 5, 37, len(LINES) - 1])
def test_a_table_with_a_gap_is_none(drop: int) -> None:
    with pytest.raises(ValueError, match=r"follow|every month"):
        RetirementTable.from_csv(line for place, line in enumerate(LINES) if place != drop)


def test_the_table_has_one_row_a_step() -> None:
    assert len(list(csv.DictReader(LINES))) == 37 + 37 + 61
