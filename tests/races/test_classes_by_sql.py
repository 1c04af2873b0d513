"""Classes and inspections attacked by raw SQL as the service's role; and what stands there anyhow is found."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec.structs import replace
from sqlalchemy import select, text

from domain.actor import Post
from domain.errors import Ineligible
from service.database import Tx, transaction
from service.problems import _BY_SQLSTATE
from service.training.commands import inspecting
from service.training.queries.overlaps import overlaps
from service.training.schemas import ClassView, NewInspection
from service.training.tables import ClassRow, PlaceRow, SessionRow, TeacherRow
from tests.conftest import Databases
from tests.races.test_institutions_by_sql import NO_SHEET, NOT_ANNOUNCED, NOT_PUBLICISED, NOT_SCORED, UNDECIDED
from tests.races.test_standards_by_sql import CHECK, DENIED, EXCLUDE, FOREIGN, IMMUTABLE, NO_JOURNAL, NO_MOVE, UNIQUE
from tests.races.test_standards_by_sql import refused as refused_alone
from tests.training import School, codes_of, sessions
from tests.world import World

LIVES_WITH_ITS_CLASS, PEOPLE_APART, BEGUN, EMPTY, FIRST_TIMER, ALONE = (
    *("ZD080", "ZD081", "ZD082", "ZD083"),
    *("ZD084", "ZD085"),
)
#: What money is set aside for a class, goes with it: tests/races/test_class_money.py
WITHOUT_MONEY = "ZD121"
NOTED = """
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    VALUES ('class', :id, 'x', jsonb_build_object('status', CAST(:status AS text)), 'x', CAST(:at AS timestamptz))
"""
TEACH = "INSERT INTO training_teachers (class_id, n, person_id) VALUES (:id, :n, :person)"
ROOM = "INSERT INTO training_rooms (id, key, name) VALUES (gen_random_uuid(), 'a room of nobody', 'x')"
EMPTY_ROOM = "(SELECT id FROM training_rooms WHERE key = 'a room of nobody')"
# A session of class :id while the first of class :other is on, or so many hours from it.
SESSION = """
    INSERT INTO training_sessions (id, class_id, teacher_id, room_id, during, hours)
    SELECT gen_random_uuid(), :id, :teacher, {room},
           tstzrange(lower(s.during) + interval '{hours} hours', upper(s.during) + interval '{hours} hours'), 4
      FROM training_sessions s WHERE s.class_id = :other ORDER BY s.during LIMIT 1
"""
SIT = "INSERT INTO training_places (class_id, line, person_id) VALUES (:id, 99, :person)"


@pytest.fixture
async def school(committed: World) -> School:
    """Committed: what is attacked was written by another transaction than the attacker's."""
    async with transaction() as tx:
        return await School.build(tx, committed)


async def _filed(school: School, **changed: Any) -> ClassView:
    async with transaction() as tx:
        return await school.file(tx, **changed)


async def _approved(school: School) -> ClassView:
    async with transaction() as tx:
        return await school.approved(tx)


async def refused(tx: Tx, statement: str, noted: ClassView | None = None, at: Any = None, **given: Any) -> str | None:
    """The SQLSTATE of a statement, after the attacker wrote the journal row that is asked for. Nothing stays."""
    savepoint = await tx.begin_nested()
    try:
        if noted:
            status = given.get("status", noted.status)
            await tx.execute(text(NOTED), {"id": noted.id, "status": status, "at": at or noted.filed_on})
        return await refused_alone(tx, statement, **given)
    finally:
        await savepoint.rollback()


async def _people(tx: Tx, view: ClassView) -> tuple[UUID, UUID]:
    """The first trainee and the first teacher."""
    places = select(PlaceRow.person_id).where(PlaceRow.class_id == view.id, PlaceRow.line == 1)
    teachers = select(TeacherRow.person_id).where(TeacherRow.class_id == view.id, TeacherRow.n == 1)
    return (await tx.execute(places)).scalar_one(), (await tx.execute(teachers)).scalar_one()


def test_what_the_database_refuses_is_told_in_words_of_classes() -> None:
    """And what it refuses of institutions, under codes of its own, is not."""
    told = {PEOPLE_APART: "class.person_taken", BEGUN: "class.begun", FIRST_TIMER: "training.first_inspection"}
    assert {code: _BY_SQLSTATE.get(code) for code in told} == told
    of_institutions = (UNDECIDED, NOT_ANNOUNCED, NOT_SCORED, NOT_PUBLICISED, NO_SHEET)
    assert {_BY_SQLSTATE.get(code) for code in of_institutions} == {None, "busy"}


async def test_nobody_is_in_two_classes_by_sql(tx: Tx, school: School) -> None:
    one, other = await _filed(school), await _filed(school)
    trainee, teacher = await _people(tx, one)
    for person in (trainee, teacher):
        assert await refused(tx, SIT, other, id=other.id, person=person) == PEOPLE_APART
    stranger, _ = await school.world.person(tx)
    assert await refused(tx, SIT, other, id=other.id, person=stranger) is None
    own, _ = await _people(tx, other)
    assert await refused(tx, SIT, other, id=other.id, person=own) == UNIQUE
    await tx.execute(text(ROOM))
    for n, person in ((2, teacher), (3, trainee)):
        await tx.execute(text(TEACH), {"id": other.id, "n": n, "person": person})
    for hours, expected in ((24 * 60, None), (12, None)):
        free = SESSION.format(room=EMPTY_ROOM, hours=hours)
        assert await refused(tx, free, other, id=other.id, other=one.id, teacher=teacher) == expected


@pytest.mark.parametrize(("whose", "expected"), [("teacher", EXCLUDE), ("trainee", PEOPLE_APART)])
async def test_nobody_teaches_while_they_are_elsewhere(tx: Tx, school: School, whose: str, expected: str) -> None:
    """In a class that has nothing else at the time, so that nothing else refuses."""
    one = await _filed(school)
    apart = await _filed(school, sessions=sessions(school.first + timedelta(days=90), room=uuid4().hex[:8]))
    person = (await _people(tx, one))[whose == "teacher"]
    await tx.execute(text(ROOM))
    await tx.execute(text(TEACH), {"id": apart.id, "n": 2, "person": person})
    session = SESSION.format(room=EMPTY_ROOM, hours=0)
    given = {"id": apart.id, "other": one.id, "teacher": person}
    assert await refused(tx, session, apart, **given) == expected
    assert await refused(tx, session.replace("'0 hours'", "'12 hours'"), apart, **given) is None
    assert await refused(tx, session, apart, **{**given, "teacher": (await _people(tx, one))[0]}) in {
        PEOPLE_APART,
        FOREIGN,
    }


async def test_a_room_has_one_class_at_a_time_and_a_class_one_session(tx: Tx, school: School) -> None:
    one = await _filed(school)
    apart = await _filed(school, sessions=sessions(school.first + timedelta(days=90), room=uuid4().hex[:8]))
    await tx.execute(text(ROOM))
    _, teacher = await _people(tx, apart)
    given = {"id": apart.id, "teacher": teacher}
    assert await refused(tx, SESSION.format(room="s.room_id", hours=0), apart, other=one.id, **given) == EXCLUDE
    assert await refused(tx, SESSION.format(room=EMPTY_ROOM, hours=0), apart, other=one.id, **given) is None
    assert await refused(tx, SESSION.format(room="s.room_id", hours=12), apart, other=one.id, **given) is None
    stand_in, _ = await school.world.person(tx)
    await tx.execute(text(TEACH), {"id": apart.id, "n": 2, "person": stand_in})
    itself = {**given, "teacher": stand_in, "other": apart.id}
    assert await refused(tx, SESSION.format(room=EMPTY_ROOM, hours=0), apart, **itself) == EXCLUDE


async def test_a_timetable_changes_with_its_journal_and_before_it_begins(tx: Tx, school: School) -> None:
    approved = await _approved(school)
    asked = select(SessionRow.during).where(SessionRow.class_id == approved.id).order_by(SessionRow.during)
    times = (await tx.execute(asked)).scalars().all()
    begins = times[4].lower
    assert begins is not None
    four = "DELETE FROM training_sessions WHERE class_id = :id AND lower(during) <= CAST(:begins AS timestamptz)"
    rest = four.replace("<=", ">")
    given = {"id": approved.id, "begins": begins}
    assert await refused(tx, rest, **given) == BEGUN  # without a word in the journal
    assert await refused(tx, rest, approved, at=begins, **given) is None
    assert await refused(tx, four, approved, at=begins, **given) == BEGUN
    roster = "DELETE FROM training_places WHERE class_id = :id"
    first = times[0].lower
    assert first is not None
    assert await refused(tx, roster, id=approved.id) == BEGUN
    assert await refused(tx, roster, approved, at=first - timedelta(seconds=1), id=approved.id) is None
    assert await refused(tx, roster, approved, at=first, id=approved.id) == BEGUN
    stranger, _ = await school.world.person(tx)
    assert await refused(tx, SIT, approved, at=first, id=approved.id, person=stranger) == BEGUN
    _, teacher = await _people(tx, approved)
    past = SESSION.format(room="s.room_id", hours=-48)
    assert await refused(tx, past, approved, at=first, id=approved.id, other=approved.id, teacher=teacher) == BEGUN
    for statement in (
        "UPDATE training_sessions SET during = during",
        "UPDATE training_sessions SET teacher_id = teacher_id",
        "UPDATE training_places SET person_id = person_id",
        "UPDATE training_teachers SET person_id = person_id",
        "UPDATE training_classes SET institution_id = institution_id",
        "UPDATE training_classes SET district = '370103'",
        "DELETE FROM training_classes",
        "DELETE FROM training_rooms",
        "UPDATE training_rooms SET key = 'x'",
    ):
        assert await refused(tx, statement) == DENIED, statement
    assert await refused(tx, "UPDATE training_sessions SET live = false") == LIVES_WITH_ITS_CLASS


async def test_no_class_is_approved_or_changed_past_its_rules(tx: Tx, school: School) -> None:
    filed, approved = await _filed(school), await _approved(school)
    approve = "UPDATE training_classes SET status = 'approved', number = 'x' WHERE id = :id"
    assert await refused(tx, approve, id=filed.id) == NO_JOURNAL
    assert await refused(tx, approve, filed, status="approved", id=filed.id) == WITHOUT_MONEY  # nothing else
    unnumbered = "UPDATE training_classes SET status = 'approved' WHERE id = :id"
    assert await refused(tx, unnumbered, filed, status="approved", id=filed.id) == CHECK
    taken = approve.replace("'x'", f"'{approved.number}'")
    assert await refused(tx, taken, filed, status="approved", id=filed.id) == UNIQUE
    running = "UPDATE training_classes SET status = 'running', number = 'x' WHERE id = :id"
    assert await refused(tx, running, filed, status="running", id=filed.id) == NO_MOVE
    for change in ("number = 'y'", "occupation = 'x'", "level = '5'", "planned_hours = 1", "filed_on = '2020-01-01'"):
        statement = f"UPDATE training_classes SET {change} WHERE id = :id"
        assert await refused(tx, statement, approved, id=approved.id) == IMMUTABLE, change
    assert await refused(tx, "UPDATE training_classes SET site = 'x' WHERE id = :id", id=approved.id) == NO_JOURNAL
    other = await _filed(school)
    for table in ("training_sessions", "training_places"):
        emptied = f"WITH gone AS (DELETE FROM {table} WHERE class_id = :id) SELECT 1"
        savepoint = await tx.begin_nested()
        await tx.execute(text(NOTED), {"id": other.id, "status": "filed", "at": other.filed_on})
        await tx.execute(text(emptied), {"id": other.id})
        assert await refused(tx, approve, other, status="approved", id=other.id) == EMPTY
        await savepoint.rollback()


async def test_no_class_goes_back_to_the_district_once_it_begins(tx: Tx, school: School) -> None:
    filed, approved = await _filed(school), await _approved(school)
    asked = select(SessionRow.during).where(SessionRow.class_id == approved.id).order_by(SessionRow.during)
    first = (await tx.execute(asked)).scalars().all()[0].lower
    assert first is not None
    back = "UPDATE training_classes SET status = 'filed' WHERE id = :id"
    noted = replace(approved, status="filed")
    assert await refused(tx, back, noted, at=first, id=approved.id) == BEGUN
    assert await refused(tx, back, noted, at=first - timedelta(seconds=1), id=approved.id) == WITHOUT_MONEY
    other = back.replace("status = 'filed'", "status = 'filed', {}")
    for change in ("number = NULL", "number = 'y'", "level = '5'", "filed_on = '2020-01-01'"):
        assert await refused(tx, other.format(change), noted, id=approved.id) == IMMUTABLE, change
    # a number comes with an approval only
    for status in ("filed", "sent_back", "denied", "withdrawn"):
        numbered = f"UPDATE training_classes SET status = '{status}', number = 'y' WHERE id = :id"
        assert await refused(tx, numbered, replace(filed, status=status), id=filed.id) == IMMUTABLE, status
    born = "INSERT INTO training_classes (id, number) VALUES (gen_random_uuid(), 'y')"
    assert await refused(tx, born) == DENIED


async def test_no_first_class_by_sql_before_an_inspection(tx: Tx, school: School, databases: Databases) -> None:
    filed = await _filed(school)
    approve = "UPDATE training_classes SET status = 'approved', number = 'x' WHERE id = :id"
    inspected = "UPDATE inspections SET result = {result} WHERE institution_id = :institution"
    admin = await asyncpg.connect(databases.admin_url)
    try:
        for result, expected in (("'failed'", FIRST_TIMER), ("'passed'", WITHOUT_MONEY)):
            await admin.execute("SET session_replication_role = replica")
            sql = inspected.format(result=result).replace(":institution", "$1")
            await admin.execute(sql, filed.institution_id)
            assert await refused(tx, approve, filed, status="approved", id=filed.id) == expected
    finally:
        await admin.close()


async def test_an_inspection_has_two_officers_and_one_result(tx: Tx, school: School) -> None:
    world, (one, other) = school.world, school.inspectors
    institution = world.clerks[0].institution_id
    assert institution is not None
    opened = await inspecting.open_inspection(tx, one, NewInspection(institution), world.now)
    given = {"id": opened.id, "user": one.user_id}
    say = """UPDATE inspections SET result = 'passed', inspected_on = '2026-01-01', note = 'x', recorded_by = :user,
                                    recorded_at = now() WHERE id = :id"""
    assert await refused(tx, say, **given) == ALONE
    again = """INSERT INTO inspection_officers (inspection_id, person_id, joined_by, joined_at)
               VALUES (:id, :person, :user, now())"""
    assert await refused(tx, again, **given, person=one.person_id) == UNIQUE
    alone = """INSERT INTO inspections (id, institution_id, opened_by, opened_at, result)
               VALUES (gen_random_uuid(), :institution, :user, now(), 'passed')"""
    assert await refused(tx, alone, institution=institution, user=one.user_id) == DENIED
    await inspecting.join_inspection(tx, other, opened.id, world.now)
    assert await refused(tx, say.replace("'passed'", "'x'"), **given) == CHECK
    assert await refused(tx, say.replace("note = 'x', ", ""), **given) == CHECK
    await tx.execute(text(say), given)
    assert await refused(tx, say.replace("'passed'", "'failed'"), **given) == IMMUTABLE
    third = await world.user(tx, {Post.INSPECTOR})
    assert await refused(tx, again, **given, person=third.person_id) == IMMUTABLE
    assert await refused(tx, "DELETE FROM inspection_officers") == DENIED
    assert await refused(tx, "UPDATE inspection_officers SET joined_at = now()") == DENIED
    assert await refused(tx, "DELETE FROM inspections") == DENIED


async def test_two_who_sit_down_by_sql_at_once(school: School, databases: Databases) -> None:
    """The trigger locks the people it looks at: whoever comes second waits, and then sees."""
    one, other = await _filed(school), await _filed(school)
    async with transaction() as tx:
        person, _ = await school.world.person(tx)
    connections = [await asyncpg.connect(databases.app_url) for _ in range(2)]
    noted = NOTED.replace(":id", "$1").replace(":status", "'filed'").replace("CAST(:at AS timestamptz)", "now()")
    sit = SIT.replace(":id", "$1").replace(":person", "$2")

    async def seat(connection: asyncpg.Connection, class_id: UUID) -> str:
        try:
            async with connection.transaction():
                await connection.execute(noted, class_id)
                await connection.execute(sit, class_id, person)
                await asyncio.sleep(0.3)
        except asyncpg.PostgresError as refusal:
            return str(refusal.sqlstate)
        return "done"

    came_of = await asyncio.gather(*(seat(*each) for each in zip(connections, (one.id, other.id), strict=True)))
    for connection in connections:
        await connection.close()
    assert sorted(came_of) == [PEOPLE_APART, "done"]


async def test_two_ids_that_are_found_to_be_one_person_are_flagged(school: School) -> None:
    one, other = await _filed(school), await _filed(school)
    async with transaction() as tx:
        (trainee, _), (_, teacher) = await _people(tx, one), await _people(tx, other)
        await tx.execute(
            text("UPDATE people SET merged_into = :one WHERE id = :other"), {"one": trainee, "other": teacher}
        )
        clerk = school.world.clerks[0]
        (found,) = [each for each in (await overlaps(tx, clerk)).overlaps if one.id in each.class_ids]
        assert (found.whose, set(found.class_ids)) == ("trainee", {one.id, other.id})


async def test_what_overlaps_all_the_same_is_flagged_and_not_approved(school: School, databases: Databases) -> None:
    """Planted past the triggers."""
    one, other = await _filed(school), await _filed(school)
    async with transaction() as tx:
        trainee, _ = await _people(tx, one)
        auditor = school.world.staff[Post.AUDITOR]
        assert one.id not in {each for found in (await overlaps(tx, auditor)).overlaps for each in found.class_ids}
    admin = await asyncpg.connect(databases.admin_url)
    await admin.execute("SET session_replication_role = replica")
    await admin.execute(SIT.replace(":id", "$1").replace(":person", "$2"), other.id, trainee)
    await admin.close()
    async with transaction() as tx:
        (found,) = [each for each in (await overlaps(tx, auditor)).overlaps if one.id in each.class_ids]
        assert (found.whose, set(found.class_ids)) == ("trainee", {one.id, other.id})
        assert (found.day, found.begins, found.ends) == (school.first, "08:30", "11:30")
        assert "*" in found.who
        assert found in (await overlaps(tx, school.officers[0])).overlaps
        assert found in (await overlaps(tx, school.world.clerks[0])).overlaps
        assert found not in (await overlaps(tx, school.officers[1])).overlaps
        assert found not in (await overlaps(tx, school.world.clerks[1])).overlaps
    for view in (one, other):
        async with transaction() as tx:
            with pytest.raises(Ineligible) as refusal:
                await school.approve(tx, view.id)
            assert codes_of(refusal.value) == ["class.trainee_busy"]
            status = await tx.execute(select(ClassRow.status).where(ClassRow.id == view.id))
            assert status.scalar_one() == "filed"
    admin = await asyncpg.connect(databases.admin_url)
    await admin.execute("SET session_replication_role = replica")
    await admin.execute("DELETE FROM training_places WHERE class_id = $1 AND person_id = $2", other.id, trainee)
    await admin.close()
