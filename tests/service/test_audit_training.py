"""`zhida audit verify` names what was done to classes behind the back of their guards."""

import asyncpg
import pytest

from service.audit.queries.checks import first_breach
from service.audit.queries.training import CLASSES
from service.database import Tx, transaction
from tests.conftest import Databases
from tests.training import School
from tests.world import World


@pytest.mark.parametrize(
    ("done", "table", "says"),
    [
        (
            """INSERT INTO training_sessions
               SELECT gen_random_uuid(), $2, s.teacher_id, gen_random_uuid(), s.during, 4
                 FROM training_sessions s WHERE s.class_id = $1""",
            "training_sessions",
            "教师同一时间",
        ),
        (
            """INSERT INTO training_sessions
               SELECT gen_random_uuid(), $2, gen_random_uuid(), s.room_id, s.during, 4
                 FROM training_sessions s WHERE s.class_id = $1""",
            "training_sessions",
            "教室同一时间",
        ),
        (
            """INSERT INTO training_places
               SELECT $2, 99, person_id FROM training_places WHERE class_id = $1 AND line = 1""",
            "training_places",
            "有人同一时间",
        ),
        (
            "INSERT INTO training_places SELECT $2, 99, person_id FROM training_teachers WHERE class_id = $1",
            "training_places",
            "有人同一时间",
        ),
        ("UPDATE training_sessions SET live = false WHERE class_id IN ($1, $2)", "training_sessions", "是否占用"),
        (
            """UPDATE inspections SET result = 'failed'
                WHERE institution_id IN (SELECT institution_id FROM training_classes WHERE id IN ($1, $2))""",
            "training_classes",
            "没有通过实地检查",
        ),
        (
            """DELETE FROM inspection_officers WHERE inspection_id IN (SELECT i.id FROM inspections i
                 JOIN training_classes c ON c.institution_id = i.institution_id WHERE c.id IN ($1, $2))""",
            "inspections",
            "不足两人",
        ),
    ],
)
async def test_it_is_named(databases: Databases, committed: World, done: str, table: str, says: str) -> None:
    async with transaction() as tx:
        school = await School.build(tx, committed)
        ids = [(await school.approved(tx)).id for _ in range(2)]
        assert await first_breach(tx, CLASSES.checks) is None
    admin = await asyncpg.connect(databases.admin_url)
    planting = admin.transaction()
    await planting.start()
    await admin.execute("SET LOCAL session_replication_role = replica")
    await admin.execute("ALTER TABLE training_sessions DROP CONSTRAINT ex_training_sessions_teacher")
    await admin.execute("ALTER TABLE training_sessions DROP CONSTRAINT ex_training_sessions_room")
    await admin.execute("ALTER TABLE training_sessions DROP CONSTRAINT ex_training_sessions_class")
    await admin.execute(done, *ids)
    found = {}
    for check in CLASSES.checks:
        if rows := await admin.fetch(check.broken):
            found[check.says] = (check.table, len(rows))
    await planting.rollback()
    await admin.close()
    assert [name for name in found if says in name], found
    assert {found[name][0] for name in found if says in name} == {table}


async def test_honest_classes_break_nothing(tx: Tx, world: World) -> None:
    school = await School.build(tx, world)
    for _ in range(3):
        await school.approved(tx)
    assert await first_breach(tx, CLASSES.checks) is None
