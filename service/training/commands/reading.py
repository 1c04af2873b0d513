"""Read what a clerk typed of a class: everything malformed is told at once, by its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.errors import Invalid
from domain.faults import Faults
from domain.identity import NationalId, PersonName, Phone
from domain.level import SkillLevel, level_named
from domain.period import parse_date
from domain.text import half_width, public_words, trimmed
from domain.training import Session, key_of, minutes_of
from service.people.commands import NewPerson
from service.training.queries.plans import Site
from service.training.schemas import NewChange, NewClass, NewPlace, NewSession, NewSite, NewTeacher


@dataclass(frozen=True)
class ReadPeople:
    """With the place of each in the body, for what is wrong with them beyond their form."""

    teachers: tuple[NewPerson, ...] = ()
    trainees: tuple[NewPerson, ...] = ()


@dataclass(frozen=True)
class ReadClass:
    item_code: str
    level: SkillLevel
    planned_hours: int
    site: Site
    people: ReadPeople
    sessions: tuple[Session, ...]


@dataclass(frozen=True)
class ReadChange:
    """None: it stays as it is."""

    reason: str
    site: Site | None
    people: ReadPeople
    sessions: tuple[Session, ...] | None


def read_class(new: NewClass, today: date) -> ReadClass:
    """Invalid with everything that is malformed, each with its place such as `trainees.3.id_number`."""
    faults = Faults()
    read = ReadClass(
        item_code=faults.read(_code, new.item_code),
        level=faults.read(level_named, new.level),
        planned_hours=new.planned_hours,
        site=_site(faults, new.site),
        people=_people(faults, new.teachers, new.trainees, today),
        sessions=_sessions(faults, new.sessions, len(new.teachers)),
    )
    faults.raise_all()
    return read


def read_change(new: NewChange, teachers: int, today: date) -> ReadChange:
    """The same for a change of a class that has so many `teachers`. Invalid `class.nothing_changed`."""
    if not any((new.site, new.teachers, new.sessions, new.trainees)):
        raise Invalid("class.nothing_changed", "sessions")
    faults, added = Faults(), new.teachers or []
    read = ReadChange(
        reason=faults.read(public_words, new.reason, "reason"),
        site=_site(faults, new.site) if new.site else None,
        people=_people(faults, added, new.trainees or [], today),
        sessions=_sessions(faults, new.sessions, teachers + len(added)) if new.sessions else None,
    )
    faults.raise_all()
    return read


def _code(text: str) -> str:
    return half_width(trimmed(text, "item_code", "words"))


def _named_place(text: str, field: str) -> str:
    """What a room or an address is found by again; signs alone are no name."""
    words = public_words(text, field)
    if not key_of(words):
        raise Invalid("words.empty", field)
    return words


def _site(faults: Faults, new: NewSite) -> Site:
    return Site(
        faults.read(public_words, new.name, "site.name"),
        faults.read(_named_place, new.address, "site.address"),
        new.district,
    )


def _people(faults: Faults, teachers: Sequence[NewTeacher], trainees: Sequence[NewPlace], today: date) -> ReadPeople:
    return ReadPeople(
        tuple([_person(faults, each, None, f"teachers.{n}", today) for n, each in enumerate(teachers, 1)]),
        tuple([_person(faults, each, each.phone, f"trainees.{n}", today) for n, each in enumerate(trainees, 1)]),
    )


def _person(faults: Faults, new: NewTeacher | NewPlace, phone: str | None, at: str, today: date) -> NewPerson:
    name = faults.read(PersonName.parse, new.name, field=f"{at}.name")
    number = faults.read(NationalId.parse, new.id_number, field=f"{at}.id_number", today=today)
    return NewPerson(name, number, faults.read(Phone.parse, phone, field=f"{at}.phone") if phone else None)


def _sessions(faults: Faults, new: Sequence[NewSession], teachers: int) -> tuple[Session, ...]:
    return tuple([_session(faults, each, f"sessions.{n}", teachers) for n, each in enumerate(new, 1)])


def _session(faults: Faults, new: NewSession, at: str, teachers: int) -> Session:
    return Session(
        day=faults.read(parse_date, new.day, f"{at}.day"),
        begins=faults.read(minutes_of, new.begins, f"{at}.begins"),
        ends=faults.read(minutes_of, new.ends, f"{at}.ends"),
        hours=new.hours,
        room=faults.read(_named_place, new.room, f"{at}.room"),
        teacher=faults.read(_teacher, new.teacher, f"{at}.teacher", teachers),
    )


def _teacher(n: int, field: str, teachers: int) -> int:
    if n > teachers:
        raise Invalid("class.no_such_teacher", field, teachers=teachers)
    return n
