"""The classes that a rehearsal plans: the same for the same wish, no larger than asked, and honest to look at."""

import random
from collections import Counter
from datetime import date

import pytest

from service.local.rehearsal.courses import Course, Rules, plan_courses
from service.local.rehearsal.people import DISTRICTS, Level, Offer, Trainee, Trouble, Way, Wish, make_trainees

TODAY = date(2026, 11, 26)
OFFERS = [Offer("6-18-02-04", "shortage", (Level("4", "四级"), Level("5", "五级")))]
RULES = Rules(size_least=10, day_hours=8, hour_minutes=45, reference_hours={"5": 40, "4": 60})
#: Of those who come, so many percent at one minute stand out (policy signal_regular_attendance).
REGULAR_PERCENT = 60


def planned(wish: Wish) -> tuple[list[Course], list[Trainee]]:
    return plan_courses(wish, make_trainees(wish, OFFERS, TODAY), OFFERS, RULES, TODAY)


def test_the_same_wish_gives_the_same_classes() -> None:
    assert planned(Wish(12, 0.3, 7)) == planned(Wish(12, 0.3, 7))
    assert planned(Wish(12, 0.3, 7)) != planned(Wish(12, 0.3, 8))


@pytest.mark.parametrize(("claims", "share", "size"), [(12, 0.3, 10), (12, 1.0, 10), (400, 0.0, 32)])
def test_classes_of_few_and_of_many_claimants(claims: int, share: float, size: int) -> None:
    courses, trainees = planned(Wish(claims, share, 7))
    assert [course.district for course in courses] == list(DISTRICTS)
    learning = {each.person.id_number for course in courses for each in course.claimants}
    assert bool(learning) == (share < 1)
    for course in courses:
        assert len(course.people) == size
        assert len({each.id_number for each in course.people}) == size
        assert (course.level.code, len(course.sittings), sum(each.hours for each in course.sittings)) == ("5", 10, 40)
    for each in trainees:
        if each.person.id_number in learning:
            assert each.way is not Way.ALONE
            assert each.trouble in (Trouble.NONE, Trouble.DEAD_ACCOUNT)
            assert TODAY < each.started_on < each.issued_on


@pytest.mark.parametrize("seed", range(5))
def test_people_come_and_leave_as_people_do(seed: int) -> None:
    for course in planned(Wish(40, 0.3, seed))[0]:
        marks = list(course.marks(random.Random(seed)))
        assert len(marks) == len(course.people) * len(course.sittings)
        together = Counter(f"{each.came:%d%H%M}" for each in marks)
        assert max(together.values()) * 100 < REGULAR_PERCENT * len(course.people)
        steady = Counter((each.person.id_number, f"{each.came:%H%M}") for each in marks)
        assert max(steady.values()) * 100 < REGULAR_PERCENT * len(course.sittings)


def test_one_body_issues_a_certificate_to_whoever_passes() -> None:
    for course in planned(Wish(12, 0.3, 7))[0]:
        results = course.results()
        passed = [each for each in results if each["mark"] == "passed"]
        assert {each.certificate for each in course.claimants} < {each["certificate_number"] for each in passed}
        assert len({each["certificate_number"][7:13] for each in passed}) == 1
        assert {each["mark"] for each in results} == {"passed", "failed", "absent"}
