"""The statutory age of retirement by month of birth: `data/retirement-ages.csv`, as the reform of 2025 set it.

Nobody can tell from an id number whether a woman's age is counted from 50 or from 55 years, so both are answered.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self


class Category(StrEnum):
    """男职工；原 55 周岁退休的女职工；原 50 周岁退休的女职工."""

    MALE = "male"
    FEMALE_55 = "female_55"
    FEMALE_50 = "female_50"


@dataclass(frozen=True)
class RetirementAge:
    """In months of age. Between the two a woman may have retired; for men both are the same."""

    earliest_months: int
    latest_months: int


@dataclass(frozen=True)
class RetirementTable:
    """Category → (first month of birth, age in months), in order; months are counted from the year 0."""

    steps: Mapping[Category, tuple[tuple[int, int], ...]]

    @classmethod
    def from_csv(cls, lines: Iterable[str]) -> Self:
        """From rows `category,born_from,born_to,months`, an open end left empty.

        Raises ValueError, with the row, where months of birth are skipped or told twice, or a category is missing.
        """
        steps: dict[Category, list[tuple[int, int]]] = {category: [] for category in Category}
        ends: dict[Category, int | None] = {}
        for row in csv.DictReader(lines):
            category = Category(row["category"])
            first = _month(row["born_from"]) if row["born_from"] else 0
            if ends.get(category, -1) != first - 1:
                raise ValueError(f"the months of birth do not follow on each other: {row}")
            ends[category] = _month(row["born_to"]) if row["born_to"] else None
            steps[category].append((first, int(row["months"])))
        if any(category not in ends or ends[category] is not None for category in Category):
            raise ValueError("each category needs an age for every month of birth")
        return cls({category: tuple(each) for category, each in steps.items()})

    def age_of(self, sex: str, birth: date) -> RetirementAge:
        """The age for somebody born on that day; `sex` as `domain.identity` tells it."""
        born = birth.year * 12 + birth.month - 1
        if sex == "male":
            months = self._months(Category.MALE, born)
            return RetirementAge(months, months)
        return RetirementAge(self._months(Category.FEMALE_50, born), self._months(Category.FEMALE_55, born))

    def _months(self, category: Category, born: int) -> int:
        return next(months for first, months in reversed(self.steps[category]) if first <= born)


def _month(text: str) -> int:
    year, month = text.split("-")
    return int(year) * 12 + int(month) - 1
