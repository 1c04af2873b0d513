"""Years as rows for COPY: text, a sheet a table."""

import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import asyncpg

from service.local.trial.years import MINUTES, MORNING, Claim, Course, Person, Year

#: The one user and person behind everything that needs somebody.
NOBODY = f"{1:032x}"
DISTRICT = "370102"
_NULL = "\\N"

_COLUMNS: Mapping[str, str] = {
    "people": "id name_sealed id_number_sealed phone_index merged_into",
    "accounts": "id person_id holder_sealed number_sealed number_index tail bank_code",
    "institutions": "id credit_code name district",
    "institution_scopes": "id institution_id occupation levels in_force source",
    "training_classes": "id institution_id district site address item_id occupation level standard_id planned_hours"
    " first last status number filed_on filed_at filed_by decision",
    "training_teachers": "class_id n person_id",
    "training_places": "class_id line person_id",
    "training_rooms": "id key name",
    "training_sessions": "id class_id teacher_id room_id during hours",
    "attendance_marks": "id class_id session_id person_id during source key_id event_sha256 received_at",
    "patrols": "id draw_id turn class_id begins ends kind due_on result headcount findings recorded_by"
    " recorded_person recorded_at recorded_on",
    "assessments": "id class_id institution_id version assessed_on filed_by filed_person filed_on filed_at",
    "assessment_results": "assessment_id person_id class_id mark score_tenths certificate_number"
    " certificate_issued_on",
    "assessment_examiners": "assessment_id person_id",
    "claims": "id person_id channel via filed_by institution_id mandate_id district item_id list_kind industry"
    " subsidy_key level once_in certificate_number certificate_issued_on training_started_on class_id"
    " standard_id amount_fen account_id status filed_on filed_at decision",
}


@dataclass
class Sheets:
    """What is still to be written. Ids that nobody asks for are counted."""

    lines: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    numbers: Iterator[int] = field(default_factory=lambda: count(2))
    written: set[str] = field(default_factory=set)
    accounts: dict[str, str] = field(default_factory=dict)

    async def write(self, connection: asyncpg.Connection) -> None:
        """Everything that was added, and forget it."""
        for table, lines in self.lines.items():
            columns = _COLUMNS[table].split()
            await connection.copy_to_table(table, source=_bytes(lines), columns=columns, timeout=3600)
        self.lines.clear()

    def add(self, year: Year) -> None:
        number = next(self.numbers)
        self._line("institutions", year.id, f"T{number:017d}", f"试算机构{number}", DISTRICT)
        for offer, first, end in year.scopes:
            days = f"[{first},{end or ''})"
            self._line("institution_scopes", self._id(), year.id, offer.code, f"{{{offer.level}}}", days, "试算")
        for course in year.courses:
            self._course(year, course)
        for person in year.people:
            self._person(person)
        for claim in year.claims:
            self._claim(year, claim)

    def _course(self, year: Year, course: Course) -> None:
        offer, first, last = course.offer, course.days[0], course.days[-1]
        filed = first - timedelta(days=20)
        said = ("本部", "解放路 1 号", offer.item_id, offer.code, offer.level, offer.standard_id, "60")
        dated = (first, last, "finished", f"T{next(self.numbers)}", filed, filed, NOBODY, "{}")
        self._line("training_classes", course.id, year.id, DISTRICT, *said, *dated)
        room = self._id()
        self._line("training_rooms", room, room, "教室")
        self._person(course.teacher)
        self._line("training_teachers", course.id, "1", course.teacher.id)
        for line, person in enumerate(course.people, 1):
            self._line("training_places", course.id, line, person.id)
        self._patrolled(course)
        for day, there in zip(course.days, course.marks, strict=True):
            session = self._id()
            during = _during(str(day), MORNING, MORNING + MINUTES)
            self._line("training_sessions", session, course.id, course.teacher.id, room, during, "4")
            self._attended(course, session, str(day), there)
        self._assessed(course)

    def _patrolled(self, course: Course) -> None:
        if course.patrol:
            sitting, seen = course.patrol
            day = course.days[sitting]
            begins, ends = _at(str(day), MORNING), _at(str(day), MORNING + MINUTES)
            found = ("on_site", day, "passed", seen, "试算", NOBODY, NOBODY, ends, day)
            self._line("patrols", self._id(), self._id(), "0", course.id, begins, ends, *found)

    def _attended(self, course: Course, session: str, day: str, there: Mapping[str, tuple[int, int]]) -> None:
        """The most rows by far, so without asking what each value is."""
        lines, received = self.lines["attendance_marks"], _at(day, 23 * 60)
        for person_id, stay in there.items():
            number = next(self.numbers)
            told = f"{number:032x}\t{course.id}\t{session}\t{person_id}\t{_during(day, *stay)}"
            lines.append(f"{told}\tdevice\t{NOBODY}\t\\\\x{number:064x}\t{received}")

    def _assessed(self, course: Course) -> None:
        assessment, on = self._id(), course.days[-1] + timedelta(days=1)
        self._person(course.assessor)
        self._line("assessments", assessment, course.id, NOBODY, "1", on, NOBODY, NOBODY, on, on)
        self._line("assessment_examiners", assessment, course.assessor.id)
        for person, result in zip(course.people, course.results, strict=True):
            score = {"passed": "800", "failed": "400"}.get(result, _NULL)
            printed = (f"R{next(self.numbers):021d}", course.issued_on) if result == "passed" else (_NULL, _NULL)
            self._line("assessment_results", assessment, person.id, course.id, result, score, *printed)

    def _person(self, person: Person) -> None:
        if person.id in self.written:
            return
        self.written.add(person.id)
        phone = _NULL if person.phone is None else _digest(person.phone)
        merged = person.merged_into.id if person.merged_into else _NULL
        self._line("people", person.id, "", "", phone, merged)
        account = self.accounts[person.id] = self._id()
        self._line("accounts", account, person.id, "", "", _digest(person.account), "0018", "102451000018")

    def _claim(self, year: Year, claim: Claim) -> None:
        offer, number = claim.offer, next(self.numbers)
        channel, through = ("institution", year.id) if claim.through else ("individual", _NULL)
        mandate = self._id() if claim.through else _NULL
        whose = (claim.person.id, channel, "web", NOBODY, through, mandate, DISTRICT)
        what = (offer.item_id, offer.list_kind, offer.industry, offer.code, offer.level, "ever")
        taught = claim.course.id if claim.course else _NULL
        certificate = (f"T{number:021d}", claim.issued_on, claim.started_on, taught)
        filed = claim.issued_on + timedelta(days=10)
        money = (offer.standard_id, offer.amount_fen, self.accounts[claim.person.id])
        last = (*money, "verified", filed, filed, "{}")
        self._line("claims", self._id(), *whose, *what, *certificate, *last)

    def _id(self) -> str:
        return f"{next(self.numbers):032x}"

    def _line(self, table: str, *values: object) -> None:
        self.lines[table].append("\t".join(map(str, values)))


def _at(day: str, minutes: int) -> str:
    return f"{day} {minutes // 60:02}:{minutes % 60:02}+08"


def _during(day: str, begins: int, ends: int) -> str:
    return f'["{_at(day, begins)}","{_at(day, ends)}")'


def _digest(number: int) -> str:
    return f"\\\\x{hashlib.sha256(number.to_bytes(8)).hexdigest()}"


async def _bytes(lines: list[str]) -> AsyncIterator[bytes]:
    for start in range(0, len(lines), 10_000):
        yield ("\n".join(lines[start : start + 10_000]) + "\n").encode()
