"""Attendance attacked by raw SQL as the service's role, and by several hands at once."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text

from service.audit.queries.attendance import ATTENDANCE
from service.audit.queries.checks import first_breach
from service.database import Tx, transaction
from service.training.commands import attendance
from service.training.commands.attendance_keys import issue_key, revoke_key
from service.training.queries.attendance_keys import Device
from service.training.schemas.attendance import NewAttendanceKey, NewDeviceMarks, NewRevocation
from tests.attendance import AGO, HeldClassOf, event, held, school_of_before, upload, whole_days
from tests.conftest import Databases
from tests.races.test_standards_by_sql import CHECK, DENIED, FOREIGN, IMMUTABLE, NO_JOURNAL, UNIQUE
from tests.races.test_standards_by_sql import refused as refused_alone
from tests.training import School
from tests.world import World

NOT_HELD, NOT_ITS_OWN, ANOTHER = "ZD130", "ZD131", "ZD132"
NOTED = """
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    VALUES (:kind, :id, 'x', '{}', 'x', now())
"""
# A copy of the class's first mark, with what the attacker changes of it.
MARK = """
    INSERT INTO attendance_marks (id, class_id, session_id, person_id, during, source, upload_id, line, key_id,
                                  event_sha256, received_by, received_at, corrects_id, reason)
    SELECT gen_random_uuid(), {class_id}, {session_id}, {person_id}, {during}, '{source}', {upload_id}, {line},
           {key_id}, {event}, {received_by}, {received_at}, {corrects_id}, {reason}
      FROM (SELECT * FROM attendance_marks WHERE class_id = :id ORDER BY during, id LIMIT 1) AS m
"""
EARLIER = "tstzrange(lower(m.during) + interval '1 minute', upper(m.during))"


@pytest.fixture
async def school(committed: World) -> School:
    async with transaction() as tx:
        return await school_of_before(tx, committed)


@pytest.fixture
async def classes(school: School) -> list[HeldClassOf]:
    """Two of the first institution and one of the other; the first has marks."""
    async with transaction() as tx:
        found = [await held(tx, school, clerk) for clerk in (0, 0, 1)]
        school.let_pass(AGO.days)
        await upload(tx, school, found[0], whole_days(found[0], school.first, 1, trainees=2))
    return found


def mark(**changed: str) -> str:
    given = {"class_id": "m.class_id", "session_id": "m.session_id", "person_id": "m.person_id", "during": EARLIER}
    given |= {"source": "upload", "upload_id": "m.upload_id", "line": "99", "key_id": "NULL", "event": "NULL"}
    given |= {"received_by": "m.received_by", "received_at": "m.received_at", "corrects_id": "NULL", "reason": "''"}
    return MARK.format(**{**given, **changed})


async def refused(tx: Tx, statement: str, of: HeldClassOf, noted: bool = True, **given: Any) -> str | None:
    """The SQLSTATE of a statement, after the attacker wrote the journal row that is asked for. Nothing stays."""
    savepoint = await tx.begin_nested()
    try:
        if noted:
            await tx.execute(text(NOTED), {"kind": "attendance", "id": of.id})
        return await refused_alone(tx, statement, id=of.id, **given)
    finally:
        await savepoint.rollback()


async def test_a_mark_is_what_it_says(tx: Tx, school: School, classes: list[HeldClassOf]) -> None:
    of, beside, _ = classes
    other = f"(SELECT id FROM training_sessions WHERE class_id = '{beside.id}' ORDER BY during LIMIT 1)"
    nobody = f"(SELECT person_id FROM training_places WHERE class_id = '{beside.id}' AND line = 1)"
    teacher = "(SELECT person_id FROM training_teachers t WHERE t.class_id = m.class_id)"
    ahead = "tstzrange(lower(m.during), m.received_at + interval '1 second')"
    cases = [
        (mark(), None),
        (mark(during="m.during"), UNIQUE),
        (mark(person_id=nobody), FOREIGN),
        (mark(person_id=teacher), FOREIGN),
        (mark(session_id=other), FOREIGN),
        (mark(class_id=f"'{beside.id}'"), FOREIGN),
        (mark(during=ahead), CHECK),
        (mark(during="'empty'"), CHECK),
        (mark(during="tstzrange(NULL, upper(m.during))"), CHECK),
        (mark(during="tstzrange(lower(m.during), NULL)"), CHECK),
        (mark(during="NULL"), CHECK),
        (mark(during="tstzrange(upper(m.during), upper(m.during) + interval '9 minutes')"), NOT_HELD),
        (mark(received_at="m.received_at - interval '40 days'", during="NULL", source="officer"), CHECK),
        (mark(source="device"), CHECK),
        (mark(source="officer"), CHECK),
        (mark(line="NULL"), CHECK),
        (mark(source="somebody", upload_id="NULL", line="NULL"), CHECK),
        (mark(received_by="NULL"), CHECK),
        (mark(reason="'x'"), CHECK),
    ]
    for statement, expected in cases:
        assert await refused(tx, statement, of) == expected, statement
    assert await refused(tx, mark(), of, noted=False) == NO_JOURNAL


async def test_a_mark_comes_from_the_institution_of_the_class(
    tx: Tx, school: School, classes: list[HeldClassOf]
) -> None:
    of, beside, _ = classes
    world = school.world
    until = str(world.today + timedelta(days=9))
    own, theirs = [
        await issue_key(tx, clerk, NewAttendanceKey("x", until), world.today, world.now) for clerk in world.clerks
    ]
    by_device = {"source": "device", "upload_id": "NULL", "line": "NULL", "received_by": "NULL", "event": "'x'"}
    for key, expected in ((own.id, None), (theirs.id, NOT_ITS_OWN), (uuid4(), FOREIGN)):
        assert await refused(tx, mark(**by_device, key_id=f"'{key}'"), of) == expected
    late = "m.received_at + interval '10 days'"
    assert await refused(tx, mark(**by_device, key_id=f"'{own.id}'", received_at=late), of) == NOT_ITS_OWN
    await revoke_key(tx, world.clerks[0], own.id, NewRevocation("x"), world.now)
    assert await refused(tx, mark(**by_device, key_id=f"'{own.id}'"), of) == NOT_ITS_OWN
    # an upload of another class
    await upload(tx, school, beside, whole_days(beside, school.first, 1))
    other = f"(SELECT id FROM attendance_uploads WHERE class_id = '{beside.id}')"
    assert await refused(tx, mark(upload_id=other), of) == NOT_ITS_OWN


async def test_a_correction_is_about_what_it_corrects_once(tx: Tx, classes: list[HeldClassOf]) -> None:
    of = classes[0]
    about = {"source": "officer", "upload_id": "NULL", "line": "NULL", "reason": "'x'", "during": "NULL"}
    other = "(SELECT id FROM attendance_marks o WHERE o.class_id = m.class_id AND o.person_id <> m.person_id LIMIT 1)"
    assert await refused(tx, mark(**about, corrects_id="m.id"), of) is None
    assert await refused(tx, mark(**about, corrects_id=other), of) == ANOTHER
    assert await refused(tx, mark(**about, corrects_id="gen_random_uuid()"), of) == FOREIGN
    assert await refused(tx, mark(**{**about, "reason": "''"}, corrects_id="m.id"), of) == CHECK
    await tx.execute(text(NOTED), {"kind": "attendance", "id": of.id})
    await tx.execute(text(mark(**about, corrects_id="m.id")), {"id": of.id})
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    once = "(SELECT x.corrects_id FROM attendance_marks x WHERE x.class_id = m.class_id AND x.source = 'officer')"
    assert await refused(tx, mark(**about, corrects_id=once), of) == UNIQUE


async def test_nothing_of_it_is_changed(tx: Tx, school: School, classes: list[HeldClassOf]) -> None:
    world, of = school.world, classes[0]
    until = str(world.today)
    key = await issue_key(tx, world.clerks[0], NewAttendanceKey("x", until), world.today, world.now)
    for statement in (
        "UPDATE attendance_marks SET reason = 'x'",
        "DELETE FROM attendance_marks",
        "UPDATE attendance_uploads SET sha256 = ''",
        "DELETE FROM attendance_uploads",
        "DELETE FROM attendance_keys",
        "UPDATE attendance_keys SET in_force = daterange('2020-01-01', '2030-01-01')",
        "UPDATE attendance_keys SET key_sha256 = ''",
        "TRUNCATE attendance_marks",
    ):
        assert await refused(tx, statement, of) == DENIED, statement
    revoke = "UPDATE attendance_keys SET revoked_at = {}, revoked_by = issued_by, revoke_reason = 'x' WHERE id = :key"
    await revoke_key(tx, world.clerks[0], key.id, NewRevocation("x"), world.now)
    for when in ("now()", "NULL"):
        assert await refused(tx, revoke.format(when), of, key=key.id) in {IMMUTABLE, CHECK}
    new = """INSERT INTO attendance_keys (id, institution_id, name, key_sha256, in_force, issued_by, issued_at)
             SELECT gen_random_uuid(), institution_id, 'x', key_sha256, {}, issued_by, now()
               FROM attendance_keys WHERE id = :key"""
    for days, expected in (("in_force", NO_JOURNAL), ("daterange('2026-01-01', NULL)", CHECK), ("'empty'", CHECK)):
        assert await refused(tx, new.format(days), of, key=key.id) == expected


async def test_the_owner_cannot_change_marks_either(databases: Databases, classes: list[HeldClassOf]) -> None:
    owner = await asyncpg.connect(databases.owner_url)
    for statement in ("UPDATE attendance_marks SET line = 1", "DELETE FROM attendance_marks"):
        with pytest.raises(asyncpg.PostgresError) as refusal:
            await owner.execute(f"{statement} WHERE class_id = $1", classes[0].id)
        assert refusal.value.sqlstate == IMMUTABLE
    await owner.close()


async def test_the_same_from_eight_sides_at_once_comes_once(school: School, classes: list[HeldClassOf]) -> None:
    world, of = school.world, classes[1]
    lines = whole_days(of, school.first, 3, trainees=5)
    async with transaction() as tx:
        until = str(world.today + timedelta(days=9))
        issued = await issue_key(tx, world.clerks[0], NewAttendanceKey("x", until), world.today, world.now)
    by = Device(issued.id, issued.institution_id)
    marks = [event(f"e{line}", of.number_of(line), school.first, "08:31", "11:31") for line in range(1, 6)]

    async def sheet() -> int:
        async with transaction() as tx:
            return (await upload(tx, school, of, lines)).new

    async def tell(backwards: bool) -> int:
        new = NewDeviceMarks(of.number, marks[::-1] if backwards else marks)
        async with transaction() as tx:
            return (await attendance.receive_from_device(tx, by, new, world.today, world.now)).new

    stored = await asyncio.gather(*(sheet() for _ in range(8)), *(tell(bool(n % 2)) for n in range(8)))
    assert (sorted(stored[:8]), sorted(stored[8:])) == ([0] * 7 + [30], [0] * 7 + [5])


@pytest.mark.parametrize(
    ("done", "says"),
    [
        ("DELETE FROM training_places WHERE class_id = $1 AND line = 1", "名册之外"),
        ("UPDATE attendance_marks SET session_id = gen_random_uuid() WHERE class_id = $1", "不在这个班的课次"),
        ("UPDATE attendance_marks SET during = '[2020-01-01,2020-01-02)' WHERE class_id = $1", "不在这个班的课次"),
        ("UPDATE attendance_marks SET received_at = lower(during) WHERE class_id = $1", "还没有到"),
        ("UPDATE attendance_marks SET corrects_id = id WHERE class_id = $1", "更正"),
        ("DELETE FROM journal WHERE subject_kind = 'attendance' AND subject_id = $1", "没有日志"),
        (
            """WITH k AS (INSERT INTO attendance_keys
                          SELECT gen_random_uuid(), gen_random_uuid(), 'x', '', '[2020-01-01,2030-01-01)', $1, now()
                          RETURNING id)
               UPDATE attendance_marks SET key_id = k.id FROM k WHERE class_id = $1""",
            "别的机构的设备",
        ),
    ],
)
async def test_the_audit_names_it(databases: Databases, classes: list[HeldClassOf], done: str, says: str) -> None:
    async with transaction() as tx:
        assert await first_breach(tx, ATTENDANCE.checks) is None
    admin = await asyncpg.connect(databases.admin_url)
    planting = admin.transaction()
    await planting.start()
    await admin.execute("SET LOCAL session_replication_role = replica")
    await admin.execute("ALTER TABLE attendance_marks DROP CONSTRAINT ck_attendance_marks_during")
    await admin.execute("ALTER TABLE attendance_marks DROP CONSTRAINT ck_attendance_marks_source")
    await admin.execute(done, classes[0].id)
    found = [check.says for check in ATTENDANCE.checks if await admin.fetch(check.broken)]
    await planting.rollback()
    await admin.close()
    assert [each for each in found if says in each], found
