"""Patrols attacked by raw SQL as the service's role, and by several hands at once."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text

from domain.errors import Conflict
from domain.training import draw
from service.audit.queries.checks import first_breach
from service.audit.queries.patrols import PATROLS, draws_recompute
from service.database import Tx, transaction
from service.training.commands import patrols
from service.training.schemas.patrols import PatrolView
from service.training.tables import PatrolRow
from tests.attendance import held, school_of_before
from tests.conftest import Databases
from tests.races.test_standards_by_sql import CHECK, DENIED, FOREIGN, IMMUTABLE, NO_JOURNAL, UNIQUE
from tests.races.test_standards_by_sql import refused as refused_alone
from tests.service.test_patrols import JPEG, drawn, on_first_day, patrols_of, told
from tests.training import School
from tests.world import World

WEIGHT, INCOMPLETE, NOT_THERE, NO_EVIDENCE = "ZD140", "ZD141", "ZD142", "ZD143"
NOTED = """
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    VALUES ('{kind}', :{subject}, 'x', '{{}}', 'x', now())
"""
RECORD = """
    UPDATE patrols SET result = 'passed', headcount = 1, findings = 'x', recorded_by = u.id,
           recorded_person = u.person_id, recorded_at = begins, recorded_on = due_on
      FROM users u WHERE patrols.id = :id AND u.id = :user
"""


@pytest.fixture
async def school(committed: World) -> School:
    """Two classes on the first day, committed; another test's classes are on other days of other worlds."""
    async with transaction() as tx:
        school = await school_of_before(tx, committed)
        for _ in range(2):
            await held(tx, school)
    on_first_day(school)
    return school


@pytest.fixture
async def patrol(school: School) -> PatrolView:
    async with transaction() as tx:
        view = await drawn(tx, school, 1, school.officers[0])
        (found,) = [each for each in await patrols_of(tx, school, school.officers[0]) if each.draw_id == view.id]
    return found


async def refused(tx: Tx, statement: str, kind: str = "patrol", subject: str = "id", **given: Any) -> str | None:
    savepoint = await tx.begin_nested()
    try:
        await tx.execute(text(NOTED.format(kind=kind, subject=subject)), {subject: given[subject]})
        return await refused_alone(tx, statement, **given)
    finally:
        await savepoint.rollback()


async def test_a_result_is_of_those_who_were_there_with_evidence(tx: Tx, school: School, patrol: PatrolView) -> None:
    world, (one, other) = school.world, school.inspectors
    given = {"id": patrol.id, "user": one.user_id}
    assert await refused(tx, RECORD, **given) == NOT_THERE
    await patrols.join_patrol(tx, one, patrol.id, world.now)
    assert await refused(tx, RECORD, **given) == NOT_THERE
    await patrols.join_patrol(tx, other, patrol.id, world.now)
    assert await refused(tx, RECORD, **given) == NO_EVIDENCE
    await patrols.hand_in_evidence(tx, one, patrol.id, "image/jpeg", JPEG, world.now)
    assert await refused(tx, RECORD, **{**given, "user": school.officers[0].user_id}) == NOT_THERE
    assert await refused_alone(tx, RECORD, **given) is None  # the journal has rows of this transaction already
    assert await refused(tx, RECORD, **given) is None
    for part in ("headcount = 1, ", "findings = 'x', "):
        assert await refused(tx, RECORD.replace(part, ""), **given) == CHECK
    early = RECORD.replace("= begins", "= begins - interval '1 second'")
    assert await refused(tx, early, **given) == CHECK


async def test_what_was_told_stays(tx: Tx, school: School, patrol: PatrolView) -> None:
    on_first_day(school, "18:00")
    await told(tx, school, patrol.id)
    given = {"id": patrol.id, "user": school.officers[0].user_id}
    assert await refused(tx, "UPDATE patrols SET result = 'failed' WHERE id = :id", **given) == IMMUTABLE
    gone = "UPDATE patrols SET result = NULL, headcount = NULL, findings = '', recorded_by = NULL WHERE id = :id"
    assert await refused(tx, gone, **given) in {IMMUTABLE, CHECK}
    join = """INSERT INTO patrol_officers SELECT :id, person_id, id, now() FROM users WHERE id = :user"""
    assert await refused(tx, join, **given) == IMMUTABLE
    paper = "INSERT INTO patrol_evidence SELECT :id, 'x', 'image/png', id, now() FROM users WHERE id = :user"
    assert await refused(tx, paper, **given) == IMMUTABLE


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM patrols",
        "UPDATE patrols SET due_on = due_on + 9",
        "UPDATE patrols SET class_id = gen_random_uuid()",
        "UPDATE patrol_draws SET seed = ''",
        "DELETE FROM patrol_draws",
        "UPDATE patrol_candidates SET weight = 1",
        "DELETE FROM patrol_candidates",
        "DELETE FROM patrol_officers",
        "DELETE FROM patrol_evidence",
        "DELETE FROM patrol_weights",
        "UPDATE patrol_weighings SET content = '[]'",
    ],
)
async def test_nothing_else_of_it_is_changed(tx: Tx, statement: str) -> None:
    assert await refused_alone(tx, statement) == DENIED


async def test_a_draw_has_all_candidates_at_their_weights(tx: Tx, school: School, patrol: PatrolView) -> None:
    """One that leaves a session out, or adds one, or weighs it otherwise."""
    await tx.execute(text(NOTED.format(kind="patrol_draw", subject="id")), {"id": patrol.draw_id})
    new = """
        INSERT INTO patrol_draws SELECT gen_random_uuid(), day, district, wanted, seed, drawn_by, drawn_at
          FROM patrol_draws WHERE id = :draw RETURNING id
    """
    assert await refused_alone(tx, new, draw=patrol.draw_id) == NO_JOURNAL
    other = UUID(int=patrol.id.int ^ 1)
    await tx.execute(text(NOTED.format(kind="patrol_draw", subject="id")), {"id": other})
    mine = new.replace("gen_random_uuid()", f"'{other}'")
    await tx.execute(text(mine), {"draw": patrol.draw_id})
    fill = f"""
        INSERT INTO patrol_candidates (draw_id, n, class_id, begins, weight)
        SELECT '{other}', row_number() OVER (ORDER BY class_id, begins) - 1, class_id, begins, {{weight}}
          FROM (SELECT s.* FROM patrol_draws d, sessions_to_draw(d.day, d.district, d.drawn_at) AS s
                 WHERE d.id = '{other}' {{more}}) AS s
    """
    assert await refused_alone(tx, fill.format(weight=1, more="")) is None
    assert await refused_alone(tx, fill.format(weight=2, more="")) == WEIGHT
    assert await refused_alone(tx, fill.format(weight=0, more="")) == CHECK
    assert await refused_alone(tx, fill.format(weight=1, more="OFFSET 1")) == INCOMPLETE
    added = "UNION ALL SELECT class_id, begins + interval '9 days' FROM patrols WHERE draw_id = :draw"
    assert await refused_alone(tx, fill.format(weight=1, more=added), draw=patrol.draw_id) == INCOMPLETE
    again = """
        INSERT INTO patrols (id, draw_id, turn, class_id, begins, ends, kind, due_on)
        SELECT :id, draw_id, {turn}, class_id, {begins}, ends, kind, due_on FROM patrols WHERE id = :patrol
    """
    of = {"id": other, "patrol": patrol.id}
    assert await refused(tx, again.format(turn=9, begins="begins"), **of) == UNIQUE
    assert await refused(tx, again.format(turn=9, begins="begins + interval '1 minute'"), **of) == FOREIGN


async def test_weights_are_noted(tx: Tx, school: School) -> None:
    clerk = school.world.clerks[0]
    weigh = "INSERT INTO patrol_weights VALUES (:id, {}, '[]', now())"
    assert await refused_alone(tx, weigh.format(5), id=clerk.institution_id) == NO_JOURNAL
    for weight, expected in ((5, None), (0, CHECK), (101, CHECK)):
        assert await refused(tx, weigh.format(weight), "patrol_weight", id=clerk.institution_id) == expected


async def test_many_draws_at_once_draw_nothing_twice(school: School) -> None:
    async def one() -> int:
        try:
            async with transaction() as tx:
                view = await drawn(tx, school, 1, school.officers[0])
        except Conflict as refusal:
            if refusal.code != "patrol.nothing_to_draw":
                raise
            return 0
        return sum(each.turn is not None for each in view.candidates)

    async with transaction() as tx:
        row = PatrolRow
        asked = select(row.class_id, row.begins)
        before = Counter((await tx.execute(asked)).all())
    stored = await asyncio.gather(*(one() for _ in range(8)))
    async with transaction() as tx:
        found = Counter((await tx.execute(asked)).all())
        assert await draws_recompute(tx) is None
    assert set(found.values()) == {1}
    assert sum(found.values()) - sum(before.values()) == sum(stored) >= 3


@pytest.mark.parametrize(
    ("done", "says"),
    [
        ("DELETE FROM patrol_officers WHERE patrol_id = $1", "不足人数"),
        ("DELETE FROM patrol_evidence WHERE patrol_id = $1", "没有证据"),
        ("UPDATE patrols SET result = 'failed' WHERE id = $1", "没有记分"),
        ("DELETE FROM journal WHERE subject_kind = 'patrol' AND subject_id = $1", "没有记入日志"),
    ],
)
async def test_the_audit_names_it(
    databases: Databases, school: School, patrol: PatrolView, done: str, says: str
) -> None:
    on_first_day(school, "18:00")
    async with transaction() as tx:
        await told(tx, school, patrol.id)
    async with transaction() as tx:
        assert await first_breach(tx, PATROLS.checks) is None
    admin = await asyncpg.connect(databases.admin_url)
    planting = admin.transaction()
    await planting.start()
    await admin.execute("SET LOCAL session_replication_role = replica")
    await admin.execute(done, patrol.id)
    found = [check.says for check in PATROLS.checks if await admin.fetch(check.broken)]
    await planting.rollback()
    await admin.close()
    assert [each for each in found if says in each], found


async def test_the_audit_makes_each_draw_again(databases: Databases, school: School) -> None:
    """What the seed of a draw did not give is named, and so is what it gave in another turn."""
    async with transaction() as tx:
        view = await drawn(tx, school, 2, school.officers[0])
        assert await draws_recompute(tx) is None
    weights = [each.weight for each in view.candidates]
    seeds = (bytes([n]) * 32 for n in range(256))
    honest = draw(bytes.fromhex(view.seed), weights, 2)
    forged = next(seed for seed in seeds if draw(seed, weights, 2) != honest)
    planted = {
        "UPDATE patrol_draws SET seed = $2 WHERE id = $1": (forged, bytes.fromhex(view.seed)),
        "UPDATE patrols SET turn = turn + $2 WHERE draw_id = $1": (5, -5),
        "UPDATE patrol_draws SET wanted = wanted + $2 WHERE id = $1": (-1, 1),
    }
    admin = await asyncpg.connect(databases.admin_url)
    await admin.execute("SET session_replication_role = replica")
    for statement, (plant, mend) in planted.items():
        await admin.execute(statement, view.id, plant)
        async with transaction() as tx:
            breach = await draws_recompute(tx)
        await admin.execute(statement, view.id, mend)
        assert breach is not None, statement
        assert breach.row == str(view.id)
    await admin.close()
    async with transaction() as tx:
        assert await draws_recompute(tx) is None
