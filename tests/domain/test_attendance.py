"""Which marks are taken, and what hours come to, over tables of cases."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Conflict, Invalid
from domain.training import (
    AttendanceRules,
    ClassStatus,
    Held,
    Rate,
    Stay,
    instant_of,
    must_be_held,
    must_have_happened,
    seconds_of,
    session_of,
)

DAY = datetime(2026, 3, 2, tzinfo=UTC)
AROUND = timedelta(minutes=60)


def hours(begins: float, ends: float) -> Stay:
    return Stay(DAY + timedelta(hours=begins), DAY + timedelta(hours=ends))


def held(begins: float, ends: float) -> Held:
    stay = hours(begins, ends)
    return Held(uuid4(), stay.came, stay.left)


MORNING, AFTERNOON = held(8, 12), held(13, 17)


def taken(begins: float, ends: float) -> UUID | list[str]:
    try:
        return session_of(hours(begins, ends), [MORNING, AFTERNOON], AROUND).id
    except Invalid as refusal:
        return [refusal.code, *(each.code for each in refusal.others)]


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        (8, 12, MORNING.id),
        (7, 13, MORNING.id),
        (11.9, 17, ["attendance.too_early"]),
        (12, 18, AFTERNOON.id),
        (11.5, 12.75, MORNING.id),
        (12, 13, ["attendance.outside"]),
        (17, 18, ["attendance.outside"]),
        (6.9, 12, ["attendance.too_early"]),
        (13, 18.1, ["attendance.too_late"]),
        (8, 13.1, ["attendance.too_late"]),
        (6, 19, ["attendance.too_early", "attendance.too_late"]),
    ],
)
def test_a_stay_is_of_the_session_that_it_is_in_most(begins: float, ends: float, expected: object) -> None:
    assert taken(begins, ends) == expected


def test_a_class_without_sessions_has_none_to_be_in() -> None:
    with pytest.raises(Invalid, match=r"attendance\.outside"):
        session_of(hours(8, 9), [], AROUND)


@given(st.integers(0, 24 * 60), st.integers(1, 12 * 60))
def test_what_is_taken_overlaps_its_session_and_keeps_near_it(begins: int, minutes: int) -> None:
    stay = hours(begins / 60, (begins + minutes) / 60)
    try:
        session = session_of(stay, [MORNING, AFTERNOON], AROUND)
    except Invalid:
        return
    assert stay.came < session.ends
    assert stay.left > session.begins
    assert session.begins - AROUND <= stay.came
    assert stay.left <= session.ends + AROUND


@pytest.mark.parametrize(
    ("stay", "code"),
    [(hours(9, 9), "attendance.reversed"), (hours(9, 8), "attendance.reversed"), (hours(9, 13), "attendance.future")],
)
def test_what_cannot_have_happened_is_refused(stay: Stay, code: str) -> None:
    must_have_happened(hours(8, 12), DAY + timedelta(hours=12))
    with pytest.raises(Invalid, match=code):
        must_have_happened(stay, DAY + timedelta(hours=12))


@pytest.mark.parametrize("status", ClassStatus)
def test_only_a_class_that_is_held_has_attendance(status: ClassStatus) -> None:
    first = date(2026, 3, 2)
    if status in {ClassStatus.APPROVED, ClassStatus.RUNNING, ClassStatus.FINISHED}:
        must_be_held(status, first, first)
        with pytest.raises(Conflict, match=r"attendance\.not_held"):
            must_be_held(status, first, first - timedelta(days=1))
    else:
        with pytest.raises(Conflict, match=r"attendance\.not_held"):
            must_be_held(status, first, first)


def test_a_share_that_falls_short_does_not_look_as_if_it_reached() -> None:
    assert (Rate(48, 60).percent, Rate(48, 60).reaches(80)) == (80, True)
    assert (Rate(47, 60).percent, Rate(47, 60).reaches(80)) == (78, False)
    assert (Rate(799, 1000).percent, Rate(799, 1000).reaches(80)) == (79, False)
    assert Rate(0, 60).reaches(80, hours_ahead=48)
    assert not Rate(0, 60).reaches(80, hours_ahead=47)


@pytest.mark.parametrize(
    "text",
    [
        *("", "09:30", None, 5, "2026-03-02T08:31", "2026-03-02 08:31:05+08:00", "2026-02-30T08:31:05+08:00"),
        *(
            "2026-03-02T25:31:05+08:00",
            "9999-12-31T23:59:59-14:00",
            "2026-03-02T08:31:05+25:00",
            "２026-03-02T08:31Z",
        ),
    ],
)
def test_an_instant_is_written_in_one_way(text: object) -> None:
    assert instant_of("2026-03-02T08:31:05+08:00", "came") == datetime(2026, 3, 2, 0, 31, 5, tzinfo=UTC)
    with pytest.raises(Invalid, match=r"instant\.format"):
        instant_of(text, "came")


@pytest.mark.parametrize("text", ["", "9:30", "24:00", "09:60", "09:30:60", "09:30:1", "09:30:15.5", None, 930])
def test_a_time_of_a_sheet_has_seconds_or_not(text: object) -> None:
    assert (seconds_of("09:30", "came"), seconds_of("09:30:15", "came")) == (34_200, 34_215)
    with pytest.raises(Invalid, match=r"time\.format"):
        seconds_of(text, "came")


def test_rules_that_are_not_in_force_are_missed() -> None:
    with pytest.raises(Conflict, match=r"policy\.missing"):
        AttendanceRules.of({"attendance_minutes_around": 60}, date(2026, 3, 2))
