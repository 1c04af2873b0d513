"""An edition's calendar and what must be settled before it goes out."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.edition import (
    EditionStatus,
    Publishing,
    calendar_faults,
    must_be_editable,
    must_be_settled,
    must_fit_calendar,
    must_not_have_edited,
)
from domain.errors import Conflict, Forbidden, Invalid

CASES = [
    (2024, 0, "2024-01-01", []),
    (2024, 0, "2024-03-31", []),
    (2024, 0, "2024-04-01", ["outside_first_quarter"]),
    (2024, 0, "2023-12-31", ["not_its_year"]),
    (2024, 0, "2025-01-01", ["not_its_year"]),
    (2024, 1, "2024-03-31", ["outside_second_and_third_quarter"]),
    (2024, 1, "2024-04-01", []),
    (2024, 1, "2024-09-30", []),
    (2024, 1, "2024-10-01", ["outside_second_and_third_quarter"]),
    (2024, 2, "2024-06-01", ["adjusted_already"]),
    (2024, 2, "2024-11-01", ["outside_second_and_third_quarter", "adjusted_already"]),
]


@pytest.mark.parametrize(("year", "revision", "day", "faults"), CASES)
def test_the_calendar_of_the_notice(year: int, revision: int, day: str, faults: list[str]) -> None:
    assert list(calendar_faults(Publishing(year, revision, date.fromisoformat(day)))) == faults


@given(st.integers(2020, 2030), st.integers(0, 400))
def test_every_day_of_a_year_has_at_most_one_publication_it_allows(year: int, days: int) -> None:
    day = date(year, 1, 1) + timedelta(days=days)
    allowed = [revision for revision in range(5) if not list(calendar_faults(Publishing(year, revision, day)))]
    assert len(allowed) <= 1
    assert bool(allowed) == (day.year == year and day.month <= 9)


def test_an_override_says_what_it_sets_aside() -> None:
    late = Publishing(2024, 0, date(2024, 5, 6))
    with pytest.raises(Conflict) as refused:
        must_fit_calendar(late, "  ")
    assert (refused.value.code, refused.value.facts["faults"]) == ("edition.calendar", ["outside_first_quarter"])
    assert must_fit_calendar(late, "会议推迟") == ["outside_first_quarter"]
    assert must_fit_calendar(Publishing(2024, 0, date(2024, 2, 1)), "") == []


@pytest.mark.parametrize("status", EditionStatus)
def test_only_a_draft_is_edited(status: EditionStatus) -> None:
    if status == EditionStatus.DRAFT:
        must_be_editable(status)
    else:
        with pytest.raises(Conflict, match=r"edition\.not_a_draft"):
            must_be_editable(status)


def test_editors_do_not_publish() -> None:
    edition, other = uuid4(), uuid4()
    must_not_have_edited(edition, {other})
    with pytest.raises(Forbidden, match=r"edition\.own_work"):
        must_not_have_edited(edition, {edition, other})


def test_errors_are_settled_and_warnings_explained() -> None:
    must_be_settled(0, 0, "")
    must_be_settled(0, 3, "照原件公布")
    with pytest.raises(Conflict, match=r"edition\.open_errors"):
        must_be_settled(1, 0, "照原件公布")
    with pytest.raises(Invalid, match=r"edition\.open_warnings"):
        must_be_settled(0, 3, " ")
