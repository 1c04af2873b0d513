"""Marks of who was there come in by sheet or by device, each once; an officer corrects them by further rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.errors import Invalid, NotFound
from domain.faults import Faults
from domain.identity import NationalId
from domain.period import parse_date
from domain.training import (
    AttendanceRules,
    ClassStatus,
    Held,
    MarkSource,
    Stay,
    instant_of,
    must_be_held,
    must_have_happened,
    seconds_of,
    session_of,
)
from service.clock import SHANGHAI
from service.database import Tx
from service.gateways import file_store
from service.gateways.headed_sheets import HeadedLine
from service.journal import By, record
from service.people.queries import find_people
from service.people.tables import PersonRow
from service.policies.queries import parameters
from service.training.queries.attendance_keys import Device, digest_of
from service.training.queries.views import visible_to
from service.training.schemas.attendance import NewDeviceMark, NewDeviceMarks, ReceivedView, RefusedMark
from service.training.tables import AttendanceMarkRow, AttendanceUploadRow, ClassRow, PlaceRow, SessionRow
from service.wording import words

#: Reasons that are told of one message.
REFUSALS_MAX = 500

_STORE = text("""
    INSERT INTO attendance_marks (id, class_id, session_id, person_id, during, source, upload_id, line, key_id,
                                  event_sha256, received_by, received_at)
    SELECT gen_random_uuid(), CAST(:class_id AS uuid), m.session_id, m.person_id, tstzrange(m.came, m.gone), :source,
           CAST(:upload_id AS uuid), CASE WHEN :source = 'upload' THEN m.at END, CAST(:key_id AS uuid), m.event,
           CAST(:received_by AS uuid), CAST(:now AS timestamptz)
      FROM unnest(CAST(:sessions AS uuid[]), CAST(:people AS uuid[]), CAST(:came AS timestamptz[]),
                  CAST(:gone AS timestamptz[]), CAST(:ats AS integer[]), CAST(:events AS bytea[]))
             AS m (session_id, person_id, came, gone, at, event)
""")


@dataclass(frozen=True)
class HeldClass:
    """A class that has attendance, locked: what comes in for it comes one after the other. `roster`: whoever is on it
    now, under the id of their place."""

    id: UUID
    first: date
    rules: AttendanceRules
    sessions: Sequence[Held]
    roster: Mapping[UUID, UUID]


@dataclass(frozen=True)
class Offered:
    """A mark as it came; `at` is its line or place. None where it could not be read: `faults` says why."""

    at: int
    id_number: NationalId | None
    stay: Stay | None
    faults: Sequence[Invalid]
    event: bytes | None = None


@dataclass(frozen=True)
class Mark:
    """One that is taken."""

    at: int
    session_id: UUID
    person_id: UUID
    stay: Stay
    event: bytes | None

    @property
    def what(self) -> tuple[UUID, UUID, datetime, datetime]:
        return self.session_id, self.person_id, self.stay.came, self.stay.left


Refused = list[tuple[int, Invalid]]


async def upload_sheet(
    tx: Tx, me: Actor, class_id: UUID, data: bytes, lines: Sequence[HeadedLine], today: date, now: datetime
) -> ReceivedView:
    """A clerk hands in a sheet of a class of their institution; lines that cannot be taken are told with every
    reason, the others are stored. What a sheet said before is known.

    NotFound `class.not_found`; Conflict `attendance.not_held`, `policy.missing`.
    """
    me.must_hold(Post.CLERK)
    of = await held_class(tx, today, ClassRow.id == class_id, visible_to(me))
    marks, refused = await _judged(tx, of, [_from_line(each, today) for each in lines], now)
    known = await _uploaded(tx, class_id)
    fresh = [each for each in marks if each.what not in known]
    if fresh:
        by, digest = By.actor(me, Post.CLERK, now), await file_store.store(tx, data, now)
        upload_id = await _upload(tx, class_id, digest, me, now)
        await record(tx, "attendance", [class_id], "upload", by, [{"upload_id": str(upload_id), "new": len(fresh)}])
        await _store(tx, of, fresh, MarkSource.UPLOAD, now, upload_id=upload_id, received_by=me.user_id)
    return _received(of, len(fresh), len(marks) - len(fresh), refused)


async def receive_from_device(
    tx: Tx, device: Device, new: NewDeviceMarks, today: date, now: datetime
) -> ReceivedView:
    """A device hands in marks of a class of its institution; as `upload_sheet`, and an event that is there already is
    known, unless it says something else now: Invalid `attendance.event_differs`."""
    own = ClassRow.institution_id == device.institution_id
    of = await held_class(tx, today, ClassRow.number == new.class_number, own)
    offered = [_from_event(at, each, today) for at, each in enumerate(new.marks, 1)]
    marks, refused = await _judged(tx, of, offered, now)
    known = await _events(tx, device, [each.event for each in marks])
    fresh = [each for each in marks if each.event not in known]
    differing = [each for each in marks if each.event in known and known[each.event] != each.what]
    refused += [(each.at, Invalid("attendance.event_differs", "event")) for each in differing]
    if fresh:
        told = {"key_id": str(device.key_id), "new": len(fresh)}
        await record(tx, "attendance", [of.id], "receive", By(str(MarkSource.DEVICE), now), [told])
        await _store(tx, of, fresh, MarkSource.DEVICE, now, key_id=device.key_id)
    return _received(of, len(fresh), len(marks) - len(fresh) - len(differing), refused)


async def held_class(tx: Tx, today: date, *where: ColumnElement[bool]) -> HeldClass:
    """NotFound `class.not_found`; Conflict `attendance.not_held`, `policy.missing`."""
    row = ClassRow
    asked = select(row.id, row.status, row.first).where(*where).with_for_update(key_share=True)
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("class.not_found")
    must_be_held(ClassStatus(found.status), found.first, today)
    rules = AttendanceRules.of(await parameters(tx, found.first), found.first)
    session, place, person = SessionRow, PlaceRow, PersonRow
    sessions = select(session.id, func.lower(session.during), func.upper(session.during)).where(
        session.class_id == found.id
    )
    now_called = func.coalesce(person.merged_into, person.id)
    roster = select(now_called, place.person_id).join(person, person.id == place.person_id)
    return HeldClass(
        found.id,
        found.first,
        rules,
        [Held(*each) for each in await tx.execute(sessions)],
        dict(list(await tx.execute(roster.where(place.class_id == found.id)))),
    )


def _from_line(line: HeadedLine, today: date) -> Offered:
    faults, cells = Faults(), line.cells
    for field, code in line.spoilt.items():
        faults.tell(code, field)
    readable = [field for field in cells if field not in line.spoilt]
    read: dict[str, Any] = dict.fromkeys(cells)
    for field in readable:
        if field == "id_number":
            read[field] = faults.read(NationalId.parse, cells[field], field=field, today=today)
        else:
            parse = parse_date if field == "day" else seconds_of
            read[field] = faults.read(parse, cells[field].strip(), field)
    if faults.found:
        return Offered(line.number, None, None, faults.found)
    midnight = datetime.combine(read["day"], time(), SHANGHAI)
    came, left = (midnight + timedelta(seconds=read[field]) for field in ("came", "left"))
    return Offered(line.number, read["id_number"], Stay(came, left), ())


def _from_event(at: int, new: NewDeviceMark, today: date) -> Offered:
    faults, event = Faults(), digest_of(new.event)
    number = faults.read(NationalId.parse, new.id_number, field="id_number", today=today)
    came, left = faults.read(instant_of, new.came, "came"), faults.read(instant_of, new.left, "left")
    return Offered(at, number, None if faults.found else Stay(came, left), faults.found, event)


async def _judged(tx: Tx, of: HeldClass, offered: Sequence[Offered], now: datetime) -> tuple[list[Mark], Refused]:
    """Marks that are taken, and the reasons of those that are not."""
    numbers = {each.id_number.number: each.id_number for each in offered if each.id_number}
    people = await find_people(tx, list(numbers.values()))
    refused: Refused = []
    first: dict[object, int] = {}
    marks = []
    for each in offered:
        faults = Faults()
        faults.found.extend(each.faults)
        known = people.get(each.id_number.number) if each.id_number else None
        person_id = of.roster.get(known.id) if known else None
        if each.id_number and person_id is None:
            faults.tell("attendance.stranger", "id_number")
        session = faults.read(judge, of, each.stay, now) if each.stay else None
        if not faults.found:
            assert each.stay is not None and person_id is not None and session is not None  # noqa: PT018 (or refused)
            mark = Mark(each.at, session.id, person_id, each.stay, each.event)
            before = first.setdefault(mark.event or mark.what, each.at)
            if before == each.at:
                marks.append(mark)
                continue
            faults.tell("attendance.repeated", "event" if mark.event else "came", first=before)
        refused += [(each.at, fault) for told in faults.found for fault in (told, *told.others)]
    return marks, refused


def judge(of: HeldClass, stay: Stay, now: datetime) -> Held:
    """The session that a stay is of. Invalid with everything that is against it."""
    must_have_happened(stay, now)
    return session_of(stay, of.sessions, of.rules.around)


async def _uploaded(tx: Tx, class_id: UUID) -> set[tuple[UUID, UUID, datetime, datetime]]:
    row = AttendanceMarkRow
    what = select(row.session_id, row.person_id, func.lower(row.during), func.upper(row.during))
    found = await tx.execute(what.where(row.class_id == class_id, row.source == MarkSource.UPLOAD))
    return {(session_id, person_id, came, left) for session_id, person_id, came, left in found}


async def _events(
    tx: Tx, device: Device, events: Sequence[bytes | None]
) -> dict[bytes | None, tuple[UUID, UUID, datetime, datetime]]:
    row = AttendanceMarkRow
    what = select(row.event_sha256, row.session_id, row.person_id, func.lower(row.during), func.upper(row.during))
    found = await tx.execute(what.where(row.key_id == device.key_id, row.event_sha256.in_(events)))
    return {event: (session_id, person_id, came, left) for event, session_id, person_id, came, left in found}


async def _upload(tx: Tx, class_id: UUID, digest: bytes, me: Actor, now: datetime) -> UUID:
    """The upload of these bytes, which may have been there."""
    row, by = AttendanceUploadRow, {"uploaded_by": me.user_id, "uploaded_at": now}
    new = upsert(row).values(id=uuid4(), class_id=class_id, sha256=digest, **by)
    await tx.execute(new.on_conflict_do_nothing(constraint="uq_attendance_uploads_file"))
    known = select(row.id).where(row.class_id == class_id, row.sha256 == digest)
    return (await tx.execute(known)).scalar_one()


async def _store(
    tx: Tx,
    of: HeldClass,
    marks: Sequence[Mark],
    source: MarkSource,
    now: datetime,
    upload_id: UUID | None = None,
    key_id: UUID | None = None,
    received_by: UUID | None = None,
) -> None:
    about = {"class_id": of.id, "source": str(source), "upload_id": upload_id, "key_id": key_id, "now": now}
    columns = {
        "sessions": [each.session_id for each in marks],
        "people": [each.person_id for each in marks],
        "came": [each.stay.came for each in marks],
        "gone": [each.stay.left for each in marks],
        "ats": [each.at for each in marks],
        "events": [each.event for each in marks],
    }
    await tx.execute(_STORE, {**about, **columns, "received_by": received_by})


def _received(of: HeldClass, new: int, known: int, refused: Refused) -> ReceivedView:
    told = sorted(refused, key=lambda each: each[0])[:REFUSALS_MAX]
    refusals = [
        RefusedMark(at, fault.field, fault.code, msgspec.to_builtins(fault.facts), words(fault.code, fault.facts))
        for at, fault in told
    ]
    return ReceivedView(of.id, new, known, len({at for at, _ in refused}), refusals)
