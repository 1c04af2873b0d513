"""What dishonest institutions do: each fraud turns an honest year into its planted twin, near its mark and above."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from math import ceil
from typing import Any

from domain.signal import Signal, certificates_expected, surely_passed
from service.local.trial.years import MINUTES, MORNING, Claim, Year, YearMaker

Plant = Callable[[YearMaker, Year, Mapping[str, Any]], None]


def _burst(maker: YearMaker, year: Year, marks: Mapping[str, Any]) -> None:
    """Certificates on one day for people whom nobody taught."""
    chance = maker.chance
    day, offer = maker.today - timedelta(days=chance.randint(10, 300)), chance.choice(year.offers)
    expected = _expected_on(year, day, marks["class_days"])
    least = max(marks["certificates_least"], expected * (100 + marks["above_percent"]) // 100 + 1)
    for _ in range(round(least * chance.uniform(1.05, 2))):
        year.claims.append(Claim(maker.person(), offer, day - timedelta(days=20), day, None, through=True))


def _expected_on(year: Year, day: date, class_days: int) -> int:
    ended = [each for each in year.courses if timedelta() <= day - each.days[-1] <= timedelta(days=class_days)]
    taught = sum(len(each.people) for each in ended)
    largest = max(len(each.people) for each in year.courses)
    return certificates_expected(taught, largest, largest)


def _out_of_scope(maker: YearMaker, year: Year, marks: Mapping[str, Any]) -> None:
    """Claims for an occupation that it never filed."""
    filed = {offer.code for offer in year.offers}
    strange = maker.chance.choice([each for each in maker.offers if each.code not in filed])
    through = [each for each in year.claims if each.through]
    for claim in maker.chance.sample(through, min(len(through), _above(maker, marks["claims_least"]))):
        claim.offer, claim.course = strange, None


def _shared_phone(maker: YearMaker, year: Year, marks: Mapping[str, Any]) -> None:
    """One telephone stands for many whom nobody could call."""
    phone = maker.person().account
    for person in maker.chance.sample(year.people, _above(maker, marks["people_least"])):
        person.phone = phone


def _shared_account(maker: YearMaker, year: Year, marks: Mapping[str, Any]) -> None:
    """The money of many goes to one account."""
    account = maker.person().account
    for person in maker.chance.sample(year.people, _above(maker, marks["people_least"])):
        person.account = account


def _two_classes(maker: YearMaker, year: Year, marks: Mapping[str, Any]) -> None:
    """The same people fill two classes that are held at one time."""
    maker.doubled(year, _above(maker, marks["people_least"]))


def _nearly_all_passed(maker: YearMaker, year: Year, marks: Mapping[str, Any]) -> None:
    """Everybody passes who sits; here and there one fails, as far as it does not show."""
    for course in year.courses:
        course.results = ["absent" if each == "absent" else "passed" for each in course.results]
    sat = sum(each != "absent" for course in year.courses for each in course.results)
    if maker.chance.random() < 0.5 and surely_passed(sat, sat - 1) * 1_000 >= marks["surely_permille"]:
        course = year.courses[0]
        course.results[course.results.index("passed")] = "failed"


def _trainer_assessor(maker: YearMaker, year: Year, marks: Mapping[str, Any]) -> None:
    """Its own teachers examine."""
    maker.examined_by_colleagues(year, _above(maker, marks["classes_least"]))


def _regular_attendance(maker: YearMaker, year: Year, marks: Mapping[str, Any]) -> None:
    """Lists are filled in at the desk: as one person came, or for each the same every day."""
    chance, share = maker.chance, maker.chance.uniform(marks["percent_least"] + 8, 100) / 100
    for course in chance.sample(year.courses, chance.randint(1, len(year.courses))):
        copied = [each.id for each in course.people if chance.random() < share]
        steady = {each: (MORNING + chance.randint(-15, 5), MORNING + MINUTES + 2) for each in copied}
        together = chance.random() < 0.5
        for there in course.marks:
            came = MORNING + chance.randint(-15, 5)
            there.update({each: (came, MORNING + MINUTES + 2) if together else steady[each] for each in copied})


def _hours_cut(maker: YearMaker, year: Year, marks: Mapping[str, Any]) -> None:
    """People are sent home early, or sessions are not held at all."""
    chance, least = maker.chance, marks["percent_least"] / 100
    for course in chance.sample(year.courses, chance.randint(1, len(year.courses))):
        if chance.random() < 0.5:
            ends = MORNING + round(MINUTES * (1 - chance.uniform(least + 0.05, 0.7)))
            for there in course.marks:
                there.update({each: (came, max(came + 1, min(went, ends))) for each, (came, went) in there.items()})
        else:
            for there in chance.sample(course.marks, ceil(len(course.marks) * chance.uniform(least + 0.05, 0.7))):
                there.clear()


def _fewer_seen(maker: YearMaker, year: Year, marks: Mapping[str, Any]) -> None:
    """The list has people whom the patrol did not see."""
    chance = maker.chance
    for course in chance.sample(year.courses, chance.randint(1, len(year.courses))):
        sitting, listed = chance.randrange(len(course.marks)), len(course.people)
        came = {each.id: MORNING - chance.randint(0, 20) for each in course.people}
        course.marks[sitting] = {each: (at, MORNING + MINUTES) for each, at in came.items()}
        least = max(marks["missing_least"], ceil(listed * marks["percent_least"] / 100))
        course.patrol = sitting, listed - min(listed, round(least * chance.uniform(1, 2)))


def _above(maker: YearMaker, least: int) -> int:
    """From the mark itself to three times as many."""
    return round(least * maker.chance.uniform(1, 3))


PLANTS: Mapping[Signal, Plant] = {
    Signal.CERTIFICATE_BURST: _burst,
    Signal.OUT_OF_SCOPE: _out_of_scope,
    Signal.SHARED_PHONE: _shared_phone,
    Signal.SHARED_ACCOUNT: _shared_account,
    Signal.TWO_CLASSES: _two_classes,
    Signal.NEARLY_ALL_PASSED: _nearly_all_passed,
    Signal.TRAINER_ASSESSOR: _trainer_assessor,
    Signal.REGULAR_ATTENDANCE: _regular_attendance,
    Signal.HOURS_CUT: _hours_cut,
    Signal.FEWER_SEEN: _fewer_seen,
}
