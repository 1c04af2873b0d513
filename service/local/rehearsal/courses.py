"""The classes of a rehearsed season as they are planned: one of each institution, with claimants who learn there."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import cycle
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from service.local.made_up import MadeUpPerson, Maker
from service.local.rehearsal.people import CLERKS, DISTRICTS, Level, Offer, Trainee, Trouble, Way, Wish

_SHANGHAI = ZoneInfo("Asia/Shanghai")
#: Far enough ahead that the working days before a class fit in, also over the long holidays.
_FIRST_IN_DAYS = 20
#: So many claimants at most learn in one class: a body that issues more certificates a day stands out as a risk.
_CLAIMANTS_MAX = 30
#: At least so many more learn there and do not claim.
_OTHERS_LEAST = 2
_HALF_DAYS = time(8, 30), time(13, 30)
#: Minutes before a session begins and after it ends within which people come and leave.
_COME_BEFORE, _LEAVE_AFTER = 25, 15
_BODY_DIGITS = 6


class Rules(NamedTuple):
    """The policy that a timetable has to keep to."""

    size_least: int
    day_hours: int
    hour_minutes: int
    reference_hours: dict[str, int]


@dataclass(frozen=True)
class Sitting:
    """One session, on the wall clock of the city."""

    begins: datetime
    ends: datetime
    hours: int


class Mark(NamedTuple):
    """Somebody came and left."""

    person: MadeUpPerson
    came: datetime
    left: datetime


@dataclass(frozen=True)
class Course:
    """A class to be filed. `claimants` pass and claim; `others` fill the class up, pass too, fail, or are not there
    when it is assessed; `certificates` are of those who pass, by id number."""

    district: str
    offer: Offer
    level: Level
    sittings: Sequence[Sitting]
    teacher: MadeUpPerson
    examiner: MadeUpPerson
    claimants: Sequence[Trainee]
    others: Sequence[MadeUpPerson]
    certificates: dict[str, str]

    @property
    def clerk(self) -> str:
        return CLERKS[self.district]

    @property
    def first(self) -> date:
        return self.sittings[0].begins.date()

    @property
    def assessed_on(self) -> date:
        """The day after the last, on which certificates are issued."""
        return self.sittings[-1].ends.date() + timedelta(days=1)

    @property
    def people(self) -> list[MadeUpPerson]:
        """The roster."""
        return [*(each.person for each in self.claimants), *self.others]

    def filing(self) -> dict[str, Any]:
        """The body that files it."""
        return {
            "item_code": self.offer.item_code,
            "level": self.level.code,
            "planned_hours": sum(each.hours for each in self.sittings),
            "site": {"name": "示例教学点", "address": f"示例路{self.district}号", "district": self.district},
            "teachers": [{"name": self.teacher.name, "id_number": self.teacher.id_number}],
            "trainees": [each._asdict() for each in self.people],
            "sessions": [
                {
                    "day": f"{each.begins:%Y-%m-%d}",
                    "begins": f"{each.begins:%H:%M}",
                    "ends": f"{each.ends:%H:%M}",
                    "hours": each.hours,
                    "room": "101室",
                    "teacher": 1,
                }
                for each in self.sittings
            ],
        }

    def marks(self, chance: random.Random) -> Iterator[Mark]:
        """Everybody at every session, no two by the minute."""
        for sitting in self.sittings:
            for person in self.people:
                came = sitting.begins - timedelta(seconds=chance.randrange(_COME_BEFORE * 60))
                yield Mark(person, came, sitting.ends + timedelta(seconds=chance.randrange(_LEAVE_AFTER * 60)))

    def results(self) -> list[dict[str, Any]]:
        """What the assessment body tells of everybody; of those who do not pass every other one did not come."""
        told, failing = [], cycle([{"mark": "failed", "score": "48"}, {"mark": "absent"}])
        for place, person in enumerate(self.people):
            number = self.certificates.get(person.id_number)
            issued = {"certificate_number": number, "certificate_issued_on": self.assessed_on.isoformat()}
            how = {"mark": "passed", "score": str(60 + place % 40), **issued} if number else next(failing)
            told.append({"name": person.name, "id_number": person.id_number, **how})
        return told


def plan_courses(
    wish: Wish, trainees: Sequence[Trainee], offers: Sequence[Offer], rules: Rules, today: date
) -> tuple[list[Course], list[Trainee]]:
    """A class for each institution, and all trainees as they are now that some learn there. No class where nothing is
    on offer. The same wish, trainees and day give the same classes."""
    numbers = {each.person.id_number for each in trainees} | {each.certificate for each in trainees}
    seed = wish.seed + 1_000_003 * wish.earlier
    maker, chance = Maker(seed + 1, numbers), random.Random(f"classes {seed}")  # noqa: S311 (it must repeat)
    courses = [_course(each, trainees, offers, rules, today, maker, chance) for each in DISTRICTS if offers]
    enrolled = {each.person.id_number: each for course in courses for each in course.claimants}
    return courses, [enrolled.get(each.person.id_number, each) for each in trainees]


def _course(
    district: str,
    trainees: Sequence[Trainee],
    offers: Sequence[Offer],
    rules: Rules,
    today: date,
    maker: Maker,
    chance: random.Random,
) -> Course:
    """What takes the fewest hours among the offers; which of them is chance."""
    taught = [(offer, level) for offer in offers for level in offer.levels]
    fewest = min(_hours(level, rules) for _, level in taught)
    offer, level = chance.choice([each for each in taught if _hours(each[1], rules) == fewest])
    sittings = _timetable(today + timedelta(days=_FIRST_IN_DAYS), fewest, rules)
    first, issued_on = sittings[0].begins.date(), sittings[-1].ends.date() + timedelta(days=1)
    body = f"{chance.randrange(10**_BODY_DIGITS):0{_BODY_DIGITS}d}"

    def enrolled(trainee: Trainee) -> Trainee:
        number = maker.certificate(level.code, issued_on.year, body)
        of_class = replace(trainee, offer=offer, level=level, certificate=number)
        return replace(of_class, issued_on=issued_on, started_on=first)

    fitting = [each for each in trainees if each.district == district and _may_learn(each)]
    claimants = [enrolled(each) for each in fitting[:_CLAIMANTS_MAX]]
    others = [maker.person() for _ in range(max(_OTHERS_LEAST, rules.size_least - len(claimants)))]
    certificates = {each.person.id_number: each.certificate for each in claimants}
    passing = {each.id_number: maker.certificate(level.code, issued_on.year, body) for each in others[::3]}
    people = maker.person(), maker.person()
    return Course(district, offer, level, sittings, *people, claimants, others, certificates | passing)


def _may_learn(trainee: Trainee) -> bool:
    """Whoever's claim goes through an institution and is granted in the end; a mistyped cell or card is mended."""
    return trainee.way is not Way.ALONE and trainee.trouble in (Trouble.NONE, Trouble.DEAD_ACCOUNT)


def _hours(level: Level, rules: Rules) -> int:
    return rules.reference_hours.get(level.code, 1)


def _timetable(first: date, hours: int, rules: Rules) -> list[Sitting]:
    """Mornings and afternoons, day after day, until the hours are there."""
    half = rules.day_hours // 2
    length = timedelta(minutes=half * rules.hour_minutes)
    begins = [
        datetime.combine(first + timedelta(days=n // 2), _HALF_DAYS[n % 2], _SHANGHAI)
        for n in range(-(-hours // half))
    ]
    return [Sitting(each, each + length, half) for each in begins]
