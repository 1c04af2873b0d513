"""Patrols on a real database: drawn by weight, joined, told, counted; a failed one costs credit once."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.period import Period
from domain.training import PatrolKind, PatrolResult, draw
from service.access.commands import make_user
from service.audit.queries.checks import first_breach
from service.audit.queries.patrols import PATROLS, draws_recompute
from service.database import Tx, async_url
from service.gateways.file_store import content_of
from service.jobs import JobRow
from service.oversight.commands.crediting import credit_patrol
from service.oversight.tables import CreditEventRow
from service.queue import Job
from service.training.commands import filing, patrols
from service.training.commands.weighing import tell_weights, weigh
from service.training.queries import patrols as seen
from service.training.queries.coverage import coverage
from service.training.schemas import NewChange
from service.training.schemas.patrols import DrawView, NewDraw, NewPatrolResult, Weight
from tests.attendance import AGO, at, held, school_of_before
from tests.conftest import Databases
from tests.service.season import fresh_database
from tests.training import School, as_place, sessions
from tests.world import World

JPEG = b"\xff\xd8\xff a photo"


@pytest.fixture(scope="module")
async def own(databases: Databases) -> AsyncIterator[AsyncEngine]:
    """A database of one's own: officers of the city see what other tests have committed."""
    async with fresh_database(databases.admin_url, "patrols") as name:
        url = f"{databases.app_url.rpartition('/')[0]}/{name}"
        engine = create_async_engine(async_url(url), poolclass=NullPool)
        yield engine
        await engine.dispose()


@pytest.fixture
async def tx(own: AsyncEngine) -> AsyncIterator[Tx]:
    async with own.connect() as connection:
        begun = await connection.begin()
        yield connection
        await begun.rollback()


@pytest.fixture
async def school(tx: Tx, world: World) -> School:
    return await school_of_before(tx, world)


def on_first_day(school: School, clock: str = "07:00", days: int = 0) -> None:
    """The world's own day is the first of the classes, at an hour of it."""
    world = school.world
    world.now = datetime.fromisoformat(at(school.first + timedelta(days=days), clock))
    world.today = school.first + timedelta(days=days)


async def drawn(tx: Tx, school: School, count: int = 1, who: Actor | None = None, **given: Any) -> DrawView:
    world = school.world
    new = {"day": str(world.today), "count": count, "kind": PatrolKind.ON_SITE, **given}
    return await patrols.draw_patrols(tx, who or school.inspectors[0], NewDraw(**new), world.today, world.now)


async def patrols_of(tx: Tx, school: School, who: Actor | None = None, overdue: bool = False) -> list[Any]:
    found = await seen.patrols(tx, who or school.inspectors[0], None, overdue, school.world.today)
    return found.patrols


async def told(
    tx: Tx, school: School, patrol_id: UUID, result: PatrolResult = PatrolResult.PASSED, **given: Any
) -> Any:
    """Two join, one hands in a photo and says what was found."""
    world = school.world
    for inspector in school.inspectors:
        await patrols.join_patrol(tx, inspector, patrol_id, world.now)
    one = school.inspectors[0]
    await patrols.hand_in_evidence(tx, one, patrol_id, "image/jpeg", JPEG + uuid4().bytes, world.now)
    new = NewPatrolResult(**{"result": result, "headcount": 9, "findings": "与课程表一致", **given})
    return await patrols.record_result(tx, one, patrol_id, new, world.today, world.now)


async def test_a_draw_takes_what_has_not_begun_and_nothing_twice(tx: Tx, school: School) -> None:
    classes = [await held(tx, school) for _ in range(3)]
    await school.file(tx)  # not approved: no candidate
    on_first_day(school)
    first = await drawn(tx, school, 4)
    assert [each.weight for each in first.candidates] == [1] * 6
    assert {each.class_id for each in first.candidates} == {of.id for of in classes}
    assert [(each.class_id, each.begins) for each in first.candidates] == sorted(
        (each.class_id, each.begins) for each in first.candidates
    )
    turns = {each.turn: n for n, each in enumerate(first.candidates) if each.turn is not None}
    places = draw(bytes.fromhex(first.seed), [1] * 6, 4)
    assert [turns[turn] for turn in range(4)] == places
    rest = await drawn(tx, school, 100)
    assert len(rest.candidates) == 2
    with pytest.raises(Conflict, match=r"patrol\.nothing_to_draw"):
        await drawn(tx, school)
    sessions_drawn = Counter((each.class_id, each.begins) for each in await patrols_of(tx, school))
    assert (len(sessions_drawn), set(sessions_drawn.values())) == (6, {1})
    assert first.seed != rest.seed
    on_first_day(school, "12:00", days=1)
    assert len((await drawn(tx, school)).candidates) == 3  # the afternoons
    for day, code in (
        ("2026-02-30", "date.no_such_day"),
        (str(school.world.today - timedelta(days=1)), "patrol.day"),
    ):
        with pytest.raises(Invalid, match=code.replace(".", r"\.")):
            await drawn(tx, school, day=day)
    assert await first_breach(tx, PATROLS.checks) is None
    assert await draws_recompute(tx) is None


async def test_officers_draw_and_see_in_their_district(tx: Tx, school: School) -> None:
    world = school.world
    here = await held(tx, school)
    site = msgspec.structs.replace(school.new().site, district=world.other)
    new = school.new(site=site)
    there = (await filing.file_class(tx, world.clerks[1], new, world.today, world.now)).id
    await school.approve(tx, there, school.officers[1])
    on_first_day(school)
    local = await drawn(tx, school, 100, school.officers[0])
    assert {each.class_id for each in local.candidates} == {here.id}
    with pytest.raises(NotFound, match=r"patrol\.other_district"):
        await drawn(tx, school, 1, school.officers[0], district=world.other)
    with pytest.raises(Invalid, match=r"district\.unknown"):
        await drawn(tx, school, district="370199")
    named = await drawn(tx, school, district=world.other)
    assert {each.class_id for each in named.candidates} == {there}
    mine = await patrols_of(tx, school, school.officers[0])
    assert {each.class_id for each in mine} == {here.id}
    assert len(await patrols_of(tx, school)) == 3
    assert await patrols_of(tx, school, world.clerks[0]) == []
    theirs = (await patrols_of(tx, school, school.officers[1]))[0]
    for ask in (
        patrols.join_patrol(tx, school.officers[0], theirs.id, world.now),
        seen.patrol_view(tx, school.officers[0], theirs.id, world.now),
        seen.patrol_view(tx, world.clerks[1], theirs.id, world.now),
    ):
        with pytest.raises(NotFound, match=r"patrol\.not_found"):
            await ask
    with pytest.raises(NotFound, match=r"patrol\.no_draw"):
        await seen.draw_view(tx, school.officers[1], local.id)
    with pytest.raises(Forbidden):
        await drawn(tx, school, who=world.clerks[0])


async def test_a_result_is_told_once_by_those_who_were_there(tx: Tx, school: School) -> None:
    world, (one, other) = school.world, school.inspectors
    await held(tx, school)
    on_first_day(school)
    await drawn(tx, school, 2)
    morning, afternoon = sorted(await patrols_of(tx, school), key=lambda each: each.begins)
    assert (morning.expected, morning.moved, morning.late, morning.due_on) == (10, False, False, morning.due_on)
    new = NewPatrolResult(PatrolResult.PASSED, 9, "与课程表一致")

    async def tell(who: Actor = one, patrol: Any = morning) -> Any:
        return await patrols.record_result(tx, who, patrol.id, new, world.today, world.now)

    with pytest.raises(Conflict, match=r"patrol\.not_yet"):
        await tell()
    on_first_day(school, "09:00")
    with pytest.raises(Forbidden, match=r"patrol\.not_there"):
        await tell()
    with pytest.raises(Forbidden, match=r"patrol\.not_there"):
        await patrols.hand_in_evidence(tx, one, morning.id, "image/jpeg", JPEG, world.now)
    assert (await patrols.join_patrol(tx, one, morning.id, world.now)).officers == 1
    assert (await patrols.join_patrol(tx, one, morning.id, world.now)).officers == 1
    with pytest.raises(Conflict, match=r"patrol\.alone"):
        await tell()
    await patrols.join_patrol(tx, other, morning.id, world.now)
    with pytest.raises(Conflict, match=r"patrol\.no_evidence"):
        await tell()
    with pytest.raises(Invalid, match=r"document\.kind"):
        await patrols.hand_in_evidence(tx, one, morning.id, "image/png", JPEG, world.now)
    paper = await patrols.hand_in_evidence(tx, one, morning.id, "image/jpeg", JPEG, world.now)
    assert await patrols.hand_in_evidence(tx, one, morning.id, "image/jpeg", JPEG, world.now) == paper
    assert await content_of(tx, bytes.fromhex(paper.sha256)) == JPEG
    clerk = world.clerks[0]
    with pytest.raises(NotFound):
        await seen.evidence(tx, clerk, morning.id, paper.sha256)
    found = await tell()
    assert (found.result, found.headcount, found.late, found.evidence) == ("passed", 9, False, [paper.sha256])
    assert await seen.evidence(tx, clerk, morning.id, paper.sha256) == ("image/jpeg", JPEG)
    assert [each.id for each in await patrols_of(tx, school, clerk)] == [morning.id]
    for again in (tell(), patrols.join_patrol(tx, school.officers[0], morning.id, world.now)):
        with pytest.raises(Conflict, match=r"patrol\.over"):
            await again
    assert await patrols_of(tx, school, overdue=True) == []
    world.today, world.now = afternoon.due_on + timedelta(days=1), world.now + timedelta(days=7)
    (overdue,) = await patrols_of(tx, school, overdue=True)
    assert (overdue.id, overdue.late) == (afternoon.id, True)
    assert (await told(tx, school, afternoon.id)).late
    assert await patrols_of(tx, school, overdue=True) == []


async def test_nobody_patrols_a_class_of_their_own(tx: Tx, school: School) -> None:
    world = school.world
    person, made = await world.person(tx)
    user_id = await make_user(tx, f"u{uuid4().hex}", "no password", person, {Post.INSPECTOR})
    trainee = Actor(user_id, person, frozenset({Post.INSPECTOR}))
    await held(tx, school, trainees=[as_place(made), *[as_place(world.maker.person()) for _ in range(9)]])
    on_first_day(school)
    await drawn(tx, school)
    (patrol,) = await patrols_of(tx, school)
    with pytest.raises(Forbidden, match=r"class\.own"):
        await patrols.join_patrol(tx, trainee, patrol.id, world.now)


async def test_a_class_that_moved_says_so(tx: Tx, school: School) -> None:
    world = school.world
    of = await held(tx, school)
    on_first_day(school)
    await drawn(tx, school, 100)
    moved = sessions(school.first, room=f"{uuid4().hex[:8]}室")
    moved[1].begins, moved[1].ends = "14:00", "17:00"
    change = NewChange("停电", sessions=moved)
    await filing.change_class(tx, world.clerks[0], of.id, change, world.today, world.now)
    assert sorted((each.begins, each.moved) for each in await patrols_of(tx, school)) == [
        ("08:30", False),
        ("13:30", True),
    ]


async def test_weights_are_set_by_the_latest_who_told_them(tx: Tx, school: School) -> None:
    world = school.world
    ids = [clerk.institution_id for clerk in world.clerks]
    assert ids[0] and ids[1]  # noqa: PT018 (clerks belong to one)
    await held(tx, school)
    first = await tell_weights(tx, [Weight(ids[0], 5, ["连片发证"]), Weight(ids[1], 3, [])], world.now)
    later = await tell_weights(tx, [Weight(ids[0], 2, [])], world.now + timedelta(seconds=1))
    assert await weigh(tx, later, world.now) == 1
    assert await weigh(tx, first, world.now) == 1  # of the other institution only
    assert await weigh(tx, later, world.now) == 1
    stored = text("SELECT weight FROM patrol_weights WHERE institution_id = :id")
    assert [(await tx.execute(stored, {"id": each})).scalar_one() for each in ids] == [2, 3]
    on_first_day(school)
    assert {each.weight for each in (await drawn(tx, school)).candidates} == {2}
    with pytest.raises(msgspec.ValidationError):
        await tell_weights(tx, [Weight(ids[0], 0, [])], world.now)
    owed = await tx.execute(select(JobRow.subject).where(JobRow.kind == str(Job.WEIGH)))
    assert set(owed.scalars()) >= {first, later}


async def test_a_failed_patrol_costs_credit_once(tx: Tx, school: School) -> None:
    world = school.world
    await held(tx, school)
    on_first_day(school)
    await drawn(tx, school, 2)
    on_first_day(school, "17:00")
    failed, passed = await patrols_of(tx, school)
    await told(tx, school, failed.id, PatrolResult.FAILED, findings="只有 2 人在场", headcount=2)
    await told(tx, school, passed.id)
    owed = (await tx.execute(select(JobRow.subject).where(JobRow.kind == str(Job.CREDIT_PATROL)))).scalars().all()
    assert failed.id in owed
    assert passed.id not in owed
    assert await first_breach(tx, PATROLS.checks) is None
    for patrol in (failed, failed, passed):
        await credit_patrol(tx, patrol.id, world.now)
    row = CreditEventRow
    (event,) = (await tx.execute(select(*row.__table__.c).where(row.patrol_id.in_([failed.id, passed.id])))).all()
    assert (event.kind, event.points, event.happened_on, event.words) == (
        *("patrol_failed", -6, school.first),
        "只有 2 人在场",
    )
    assert (event.institution_id, event.recorded_person) == (failed.institution_id, school.inspectors[0].person_id)
    assert event.document_sha256 == (await seen.patrol_view(tx, school.officers[0], failed.id, world.now)).evidence[0]
    assert await first_breach(tx, PATROLS.checks) is None


async def test_coverage_counts_classes_not_visits(tx: Tx, school: School) -> None:
    classes = [await held(tx, school) for _ in range(3)]
    await held(tx, school, sessions=sessions(school.first + timedelta(days=20), room=f"{uuid4().hex[:8]}室"))
    on_first_day(school)
    await drawn(tx, school, 100)
    on_first_day(school, "17:00")
    of_first = [each for each in await patrols_of(tx, school) if each.class_id == classes[0].id]
    for each, result in zip(of_first, (PatrolResult.PASSED, PatrolResult.FAILED), strict=True):
        await told(tx, school, each.id, result)
    period = Period(school.first, school.first)
    found = await coverage(tx, school.officers[0], period, school.world.now)
    assert (found.all.classes, found.all.patrolled, found.all.percent, found.all.failed) == (3, 1, 33, 1)
    assert [(each.district, each.classes) for each in found.districts] == [(school.world.here, 3)]
    assert [(each.institution_id, each.patrolled) for each in found.institutions] == [
        (school.world.clerks[0].institution_id, 1)
    ]
    elsewhere = await coverage(tx, school.officers[1], period, school.world.now)
    assert (elsewhere.all.classes, elsewhere.all.percent, elsewhere.institutions) == (0, 0, [])
    before = Period(school.first - AGO, school.first - timedelta(days=1))
    assert (await coverage(tx, school.officers[0], before, school.world.now)).all.classes == 0
