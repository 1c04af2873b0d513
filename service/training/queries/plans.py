"""A class as it is planned: its people, its sessions, its site; as somebody files it, or as it is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from domain.errors import NotFound
from domain.identity import NationalId, mask_name
from domain.training import RepeatedLine, Session, key_of
from service.clock import SHANGHAI
from service.crypto import keyring
from service.database import Tx
from service.people.tables import PersonRow
from service.training.tables import ClassRow, PlaceRow, RoomRow, SessionRow, TeacherRow


@dataclass(frozen=True)
class Member:
    """A teacher or trainee who is in the database. The name is in clear: who shows it masks it."""

    person_id: UUID
    name: str = field(repr=False)
    id_number: NationalId

    @property
    def masked(self) -> str:
        """王*（370102********123X）: enough to be recognised by whoever has their papers."""
        return f"{mask_name(self.name)}（{self.id_number.masked()}）"


@dataclass(frozen=True)
class Site:
    name: str
    address: str
    district: str


@dataclass(frozen=True)
class Plan:
    """`sessions` name their teacher by place in `teachers`, from 1; a trainee's line is their place in `trainees`.
    `changed_on`: the day of a change; `start_moved`: it brings the first day to another one."""

    institution_id: UUID
    filed_on: date
    item_code: str
    level: str
    planned_hours: int
    site: Site
    teachers: tuple[Member, ...]
    sessions: tuple[Session, ...]
    trainees: tuple[Member, ...]
    repeated: tuple[RepeatedLine, ...] = ()
    changed_on: date | None = None
    start_moved: bool = False

    @property
    def starts_on(self) -> date:
        return min(each.day for each in self.sessions)

    @property
    def told_on(self) -> date:
        """When the district was told of the first day: the working days before it count from then."""
        return self.changed_on if self.changed_on and self.start_moved else self.filed_on

    def room_key(self, session: Session) -> str:
        """The same room for everybody who writes its address and its name alike."""
        return f"{self.site.district}|{key_of(self.site.address)}|{key_of(session.room)}"

    @property
    def people(self) -> list[UUID]:
        return [each.person_id for each in (*self.teachers, *self.trainees)]


def during(session: Session) -> Range[datetime]:
    """The time a session takes."""
    midnight = datetime.combine(session.day, time(), SHANGHAI)
    begins, ends = (midnight + timedelta(minutes=minutes) for minutes in (session.begins, session.ends))
    return Range(begins.astimezone(UTC), ends.astimezone(UTC), bounds="[)")


def has_begun(session: Session, now: datetime) -> bool:
    begins = during(session).lower
    assert begins is not None
    return begins <= now


def times_of(taken: Range[datetime]) -> tuple[date, int, int]:
    """Day, and minutes since midnight, of a stored time."""
    assert taken.lower is not None
    assert taken.upper is not None
    begins, ends = taken.lower.astimezone(SHANGHAI), taken.upper.astimezone(SHANGHAI)
    return begins.date(), begins.hour * 60 + begins.minute, ends.hour * 60 + ends.minute


async def stored_plan(tx: Tx, class_id: UUID) -> Plan:
    """NotFound `class.not_found`."""
    row = (await tx.execute(select(ClassRow.__table__).where(ClassRow.id == class_id))).one_or_none()
    if row is None:
        raise NotFound("class.not_found")
    teachers = await _members(tx, TeacherRow, TeacherRow.n, class_id)
    return Plan(
        institution_id=row.institution_id,
        filed_on=row.filed_on,
        item_code=row.decision["facts"]["item_code"],
        level=row.level,
        planned_hours=row.planned_hours,
        site=Site(row.site, row.address, row.district),
        teachers=tuple(teachers),
        sessions=tuple(await stored_sessions(tx, class_id)),
        trainees=tuple(await _members(tx, PlaceRow, PlaceRow.line, class_id)),
    )


async def stored_sessions(tx: Tx, class_id: UUID) -> Sequence[Session]:
    """In order of time."""
    row, teacher, room = SessionRow, TeacherRow, RoomRow
    found = await tx.execute(
        select(row.during, row.hours, room.name, teacher.n)
        .join(room, room.id == row.room_id)
        .join(teacher, (teacher.class_id == row.class_id) & (teacher.person_id == row.teacher_id))
        .where(row.class_id == class_id)
        .order_by(row.during)
    )
    return [Session(*times_of(taken), hours, name, n) for taken, hours, name, n in found]


async def _members(tx: Tx, of: type[TeacherRow] | type[PlaceRow], order: object, class_id: UUID) -> list[Member]:
    person, keys = PersonRow, keyring()
    found = await tx.execute(
        select(person.id, person.name_sealed, person.id_number_sealed)
        .join(of, of.person_id == person.id)
        .where(of.class_id == class_id)
        .order_by(order)  # type: ignore[arg-type]
    )
    return [Member(id_, keys.open(name, id_), NationalId(keys.open(number, id_))) for id_, name, number in found]
