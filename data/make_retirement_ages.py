"""Writes retirement-ages.csv beside this file: the age of retirement in months, by category and month of birth.

The rule is that of the decision of the Standing Committee of the National People's Congress of 13 September 2024
(全国人民代表大会常务委员会关于实施渐进式延迟法定退休年龄的决定), in force from 1 January 2025: men's 60 years
become 63, a month later for every four months of birth from January 1965; women's 55 become 58, likewise from January
1970; women's 50 become 55, a month later for every two months of birth from January 1975. A test compares the file
with this rule and with rows of the decision's own tables.

    python data/make_retirement_ages.py
"""

import csv
from collections.abc import Iterator
from pathlib import Path

#: category, age before in months, age after, first month of birth that is moved, months of birth a step
RULE = (
    ("male", 60 * 12, 63 * 12, (1965, 1), 4),
    ("female_55", 55 * 12, 58 * 12, (1970, 1), 4),
    ("female_50", 50 * 12, 55 * 12, (1975, 1), 2),
)
HEADINGS = ("category", "born_from", "born_to", "months")


def rows() -> Iterator[tuple[str, str, str, int]]:
    """One row a step; before the first and after the last the end is open."""
    for category, before, after, (year, month), width in RULE:
        first = year * 12 + month - 1
        yield category, "", _text(first - 1), before
        for step in range(1, after - before + 1):
            begins = first + (step - 1) * width
            yield (
                category,
                _text(begins),
                "" if before + step == after else _text(begins + width - 1),
                before + step,
            )


def _text(month: int) -> str:
    return f"{month // 12}-{month % 12 + 1:02d}"


def main() -> None:
    with Path(__file__).with_name("retirement-ages.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADINGS)
        writer.writerows(rows())


if __name__ == "__main__":
    main()
