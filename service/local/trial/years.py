"""A year of an honest institution, with the noise that honest life has: families, buses, busy days, mistakes."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

#: How many places a year has, on average.
PLACES = 200
MORNING, MINUTES = 8 * 60 + 30, 180
SITTINGS = 6
#: Certificates come this many days after the last day of a class.
_ISSUED_AFTER = (5, 20)


def new_id(chance: random.Random) -> str:
    """As PostgreSQL reads a uuid."""
    return f"{chance.getrandbits(128):032x}"


@dataclass(frozen=True)
class Offer:
    """An occupation of the catalog at a level, with its standard."""

    item_id: str
    code: str
    list_kind: str
    industry: str
    standard_id: str
    level: str
    amount_fen: int


@dataclass(eq=False)
class Person:
    """`phone` and `account`: equal numbers are the same one; None where nobody told a telephone."""

    id: str
    phone: int | None
    account: int
    merged_into: "Person | None" = None


@dataclass(eq=False)
class Course:
    """A class: `marks[n]` are of its n-th sitting, person → minutes since midnight of coming and going."""

    id: str
    offer: Offer
    days: list[date]
    people: list[Person]
    teacher: Person
    assessor: Person
    results: list[str]
    issued_on: date
    marks: list[dict[str, tuple[int, int]]]
    #: The sitting at which a patrol came, and how many it counted.
    patrol: tuple[int, int] | None = None


@dataclass(eq=False)
class Claim:
    """What somebody claims for; `course` None: it names no class. `through`: the institution filed it."""

    person: Person
    offer: Offer
    started_on: date
    issued_on: date
    course: Course | None
    through: bool


@dataclass
class Year:
    """All that is known of an institution. `scopes`: what it filed, with the days on which that holds."""

    id: str
    offers: list[Offer]
    scopes: list[tuple[Offer, date, date | None]]
    courses: list[Course] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)

    @property
    def people(self) -> list[Person]:
        """Its trainees, and whoever claims through it."""
        found = {each.id: each for course in self.courses for each in course.people}
        return list((found | {claim.person.id: claim.person for claim in self.claims}).values())


class YearMaker:
    """The same seed makes the same years in the same order."""

    def __init__(self, seed: int, offers: Sequence[Offer], today: date) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (not for secrets: it must repeat)
        self.offers, self.today = offers, today

    def person(self) -> Person:
        chance = self.chance
        phone = chance.getrandbits(60) if chance.random() < 0.95 else None
        return Person(new_id(chance), phone, chance.getrandbits(60))

    def year(self) -> Year:
        """A year of about `PLACES` places."""
        chance = self.chance
        offers = list({each.code: each for each in chance.sample(self.offers, chance.randint(3, 6))}.values())
        year = Year(new_id(chance), offers, self._scopes(offers))
        assessors = [self.person() for _ in range(2)]
        left = round(PLACES * chance.uniform(0.6, 1.4))
        good = chance.random() < 0.05
        share = 0.97 if good else chance.uniform(0.78, 0.95)
        by_bus = chance.random() < 0.1
        while left >= 10:
            size = min(left, chance.randint(15, 45))
            left -= size
            course = self._course(chance.choice(offers), size, chance.choice(assessors))
            course.results = [self._result(share) for _ in course.people]
            self._attend(course, by_bus=by_bus)
            if chance.random() < 0.3:
                self._patrol(course)
            year.courses.append(course)
        self._issue_together(year)
        self._families(year)
        self._claim(year)
        self._mistakes(year)
        return year

    def _result(self, share: float) -> str:
        """Few stay away from their assessment; of those who sit, `share` pass."""
        chance = self.chance
        return "absent" if chance.random() < 0.04 else "passed" if chance.random() < share else "failed"

    def _scopes(self, offers: Sequence[Offer]) -> list[tuple[Offer, date, date | None]]:
        """Filed two years ago; some were renewed yesterday."""
        begun = self.today - timedelta(days=730)
        if self.chance.random() < 0.1:
            renewed = self.today - timedelta(days=1)
            return [each for offer in offers for each in ((offer, begun, renewed), (offer, renewed, None))]
        return [(offer, begun, None) for offer in offers]

    def _course(self, offer: Offer, size: int, assessor: Person) -> Course:
        chance = self.chance
        first = self.today - timedelta(days=chance.randint(45, 330))
        days = [first + timedelta(days=n) for n in range(SITTINGS)]
        people = [self.person() for _ in range(size)]
        issued_on = days[-1] + timedelta(days=chance.randint(*_ISSUED_AFTER))
        return Course(new_id(chance), offer, days, people, self.person(), assessor, [], issued_on, [])

    def _attend(self, course: Course, *, by_bus: bool) -> None:
        """Everybody has their own habit and their own day; who comes by bus comes within a minute or two."""
        chance = self.chance
        habits = {each.id: chance.gauss(-9, 6) for each in course.people}
        riders = {each.id for each in course.people if by_bus and chance.random() < 0.4}
        course.marks = []
        for _ in course.days:
            bus, there = round(chance.gauss(-12, 5)), {}
            for each in course.people:
                if chance.random() < 0.06:
                    continue
                came = bus + chance.randint(0, 1) if each.id in riders else round(chance.gauss(habits[each.id], 5))
                went = MINUTES + (round(chance.gauss(3, 3)) if chance.random() < 0.95 else -chance.randint(10, 60))
                there[each.id] = MORNING + came, MORNING + max(went, came + 1)
            course.marks.append(there)

    def _patrol(self, course: Course) -> None:
        """An hour into a session somebody counts, perhaps one or two too few."""
        sitting, at = self.chance.randrange(SITTINGS), MORNING + 60
        there = sum(came <= at < went for came, went in course.marks[sitting].values())
        course.patrol = sitting, max(0, there - self.chance.randint(0, 2))

    def _issue_together(self, year: Year) -> None:
        """A busy day: two classes that ended about the same time are certified on one day."""
        in_order = sorted(year.courses, key=lambda each: each.days[-1])
        for one, other in pairwise(in_order):
            if (other.days[-1] - one.days[-1]).days < 30 and self.chance.random() < 0.3:
                one.issued_on = other.issued_on

    def _families(self, year: Year) -> None:
        """Two or three of a family tell one telephone, and some have one account."""
        chance = self.chance
        for course in year.courses:
            for place in range(0, len(course.people) - 3, 10):
                if chance.random() < 0.4:
                    family = course.people[place : place + chance.randint(2, 3)]
                    for each in family:
                        each.phone = family[0].phone
                        if chance.random() < 0.3:
                            each.account = family[0].account

    def _claim(self, year: Year) -> None:
        """Most who passed claim: themselves, or through the institution."""
        chance = self.chance
        for course in year.courses:
            for person, result in zip(course.people, course.results, strict=True):
                if result == "passed" and chance.random() < 0.85:
                    through = chance.random() < 0.6
                    year.claims.append(Claim(person, course.offer, course.days[0], course.issued_on, course, through))

    def _mistakes(self, year: Year) -> None:
        """Somebody typed another occupation; one person turned out to have two ids, in two classes at once; a device
        was broken; a teacher stood in as examiner of a colleague's class."""
        chance = self.chance
        if year.claims and chance.random() < 0.1:
            for claim in chance.sample(year.claims, min(2, len(year.claims))):
                claim.offer, claim.course = chance.choice(self.offers), None
        if chance.random() < 0.03:
            self.doubled(year, 1)
        for course in year.courses:
            if chance.random() < 0.05:
                chance.choice(course.marks).clear()
        if chance.random() < 0.05:
            self.examined_by_colleagues(year, 1)

    def doubled(self, year: Year, count: int) -> None:
        """`count` trainees of a class are in another one on the same days, under a second id."""
        if len(year.courses) < 2:
            return
        one, other = self.chance.sample(year.courses, 2)
        other.days = list(one.days)
        other.issued_on = other.days[-1] + timedelta(days=self.chance.randint(*_ISSUED_AFTER))
        for claim in year.claims:
            if claim.course is other:
                claim.started_on, claim.issued_on = other.days[0], other.issued_on
        for place in range(min(count, len(one.people), len(other.people))):
            replaced = other.people[place]
            replaced.merged_into = one.people[place]

    def examined_by_colleagues(self, year: Year, count: int) -> None:
        """`count` classes are examined by who teaches another class of the institution."""
        colleague = self.chance.choice(year.courses)
        for course in [each for each in year.courses if each is not colleague][:count]:
            course.assessor = colleague.teacher
