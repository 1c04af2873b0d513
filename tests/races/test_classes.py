"""At once: a teacher, a trainee, a room and a number go to exactly one class; the others are told of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from domain.actor import Actor, Post
from domain.errors import DomainError, Ineligible
from service.database import Tx, transaction
from service.local.made_up import MadeUpPerson
from service.training.commands import deciding, filing, inspecting
from service.training.queries.overlaps import overlaps
from service.training.schemas import NewChange, NewClass, NewInspection, NewResult
from service.training.tables import ClassRow
from tests.training import SIZE, School, as_place, as_teacher, codes_of, sessions
from tests.world import World

AT_ONCE = 6


@pytest.fixture
async def school(committed: World) -> School:
    async with transaction() as tx:
        return await School.build(tx, committed)


async def _attempt(act: Callable[[Tx], Awaitable[object]]) -> DomainError | None:
    """What was refused; None where it was done."""
    try:
        async with transaction() as tx:
            await act(tx)
    except DomainError as refusal:
        return refusal
    return None


async def _at_once(*acts: Callable[[Tx], Awaitable[object]]) -> list[DomainError | None]:
    return await asyncio.gather(*map(_attempt, acts))


def _filing(school: School, clerk: Actor, new: NewClass) -> Callable[[Tx], Awaitable[object]]:
    world = school.world
    return lambda tx: filing.file_class(tx, clerk, new, world.today, world.now)


def _several(school: School, **shared: Any) -> list[Callable[[Tx], Awaitable[object]]]:
    """By the clerks in turn."""
    clerks = school.world.clerks
    return [_filing(school, clerks[n % 2], school.new(**shared)) for n in range(AT_ONCE)]


def _told(refusal: DomainError) -> list[tuple[str, dict[str, Any]]]:
    assert isinstance(refusal, Ineligible)
    outcomes = refusal.facts["decision"]["outcomes"]
    return [(each["code"], each["facts"]) for each in outcomes if each["outcome"] == "failed"]


@pytest.mark.parametrize("known", [True, False], ids=["known", "new here"])
@pytest.mark.parametrize("whose", ["teacher", "trainee"])
async def test_one_person_at_once_is_in_one_class(school: School, whose: str, known: bool) -> None:
    """Also where nobody knew the person before, so that there is no row to wait for."""
    made: MadeUpPerson = school.world.maker.person()
    if known:
        async with transaction() as tx:
            await school.world.person(tx, made)
    acts = []
    for n in range(AT_ONCE):
        new = school.new()
        if whose == "teacher":
            new.teachers[0] = as_teacher(made)
        else:
            new.trainees[n] = as_place(made)
        acts.append(_filing(school, school.world.clerks[n % 2], new))
    came_of = await _at_once(*acts)
    lost = [each for each in came_of if each is not None]
    assert len(lost) == AT_ONCE - 1
    masked = f"{made.id_number[:6]}********{made.id_number[14:]}"
    for refusal in lost:
        ((code, facts),) = _told(refusal)
        assert code == f"class.{whose}_busy"
        assert (facts["day"], facts["times"]) == (str(school.first), "08:30–11:30")
        assert facts.keys() == {{"teacher": "teacher", "trainee": "line"}[whose], "who", "day", "times"}
        assert masked in facts["who"]
        assert made.name not in facts["who"]


async def test_one_room_at_once_is_one_class_however_it_is_written(school: School) -> None:
    tag = school.world.maker.card()[:9]
    acts = [
        _filing(school, school.world.clerks[n % 2], school.new(sessions=sessions(school.first, room=room)))
        for n, room in enumerate([f"{tag}室", f" {tag} 室", f"{tag}-室", f"（{tag}）室"])
    ]
    lost = [each for each in await _at_once(*acts) if each is not None]
    assert [codes_of(each) for each in lost] == [["class.room_busy"]] * 3


async def test_those_who_meet_in_many_people_do_not_wait_for_each_other_for_ever(school: School) -> None:
    """The same ten people in other orders: whoever locks them does so in one order."""
    people = [as_place(school.world.maker.person()) for _ in range(SIZE)]
    acts = [
        _filing(school, school.world.clerks[n % 2], school.new(trainees=people[n:] + people[:n]))
        for n in range(AT_ONCE)
    ]
    lost = [each for each in await _at_once(*acts) if each is not None]
    assert [set(codes_of(each)) for each in lost] == [{"class.trainee_busy"}] * (AT_ONCE - 1)


async def test_one_moves_into_the_time_that_another_files(school: School) -> None:
    teacher = as_teacher(school.world.maker.person())
    later = sessions(school.first.replace(year=school.first.year + 1), room="晚些")
    async with transaction() as tx:
        mine = await school.file(tx, teachers=[teacher], sessions=later)
    world = school.world

    def moved(tx: Tx) -> Awaitable[object]:
        new = NewChange("提前", sessions=sessions(school.first, room="早些"))
        return filing.change_class(tx, world.clerks[0], mine.id, new, world.today, world.now)

    came_of = await _at_once(moved, _filing(school, world.clerks[1], school.new(teachers=[teacher])))
    lost = [codes_of(each) for each in came_of if each is not None]
    assert lost == [["class.teacher_busy"]]
    async with transaction() as tx:
        found = (await overlaps(tx, world.staff[Post.AUDITOR])).overlaps
        assert mine.id not in {each for overlap in found for each in overlap.class_ids}


async def test_approved_at_once_each_has_a_number_of_its_own(school: School) -> None:
    async with transaction() as tx:
        ids = [(await school.file(tx)).id for _ in range(AT_ONCE)]

    def approve(class_id: UUID) -> Callable[[Tx], Awaitable[object]]:
        return lambda tx: school.approve(tx, class_id)

    came_of = await _at_once(*(approve(class_id) for class_id in [*ids, *ids]))
    assert sum(each is None for each in came_of) == AT_ONCE
    assert {each.code for each in came_of if each is not None} == {"wrong_status"}
    async with transaction() as tx:
        asked = select(ClassRow.number).where(ClassRow.id.in_(ids))
        serials = sorted(int(str(number)[-4:]) for number in (await tx.execute(asked)).scalars())
    assert serials == list(range(serials[0], serials[0] + AT_ONCE))


async def test_approved_or_withdrawn_or_sent_back_but_one_of_them(school: School) -> None:
    world, officer = school.world, school.officers[0]
    async with transaction() as tx:
        class_id = (await school.file(tx)).id
    reason = filing.NewClassReason("示例")
    came_of = await _at_once(
        lambda tx: deciding.approve_class(tx, officer, class_id, world.now),
        lambda tx: deciding.deny_class(tx, officer, class_id, reason, world.now),
    )
    assert [each.code for each in came_of if each is not None] == ["wrong_status"]


async def test_two_results_of_one_inspection_at_once(school: School) -> None:
    world, (one, other) = school.world, school.inspectors
    institution = world.clerks[0].institution_id
    assert institution is not None
    async with transaction() as tx:
        opened = await inspecting.open_inspection(tx, one, NewInspection(institution), world.now)
        await inspecting.join_inspection(tx, other, opened.id, world.now)

    def said(who: Actor, result: str) -> Callable[[Tx], Awaitable[object]]:
        new = NewResult(result, str(world.today), "示例")  # type: ignore[arg-type]
        return lambda tx: inspecting.record_result(tx, who, opened.id, new, world.today, world.now)

    came_of = await _at_once(said(one, "passed"), said(other, "failed"))
    assert [each.code for each in came_of if each is not None] == ["inspection.over"]


async def test_what_is_waited_for_is_the_people(school: School) -> None:
    """The lock is what the race is decided by: while another transaction holds a trainee, nobody files for them."""
    made = school.world.maker.person()
    async with transaction() as tx:
        person_id, _ = await school.world.person(tx, made)
    new = school.new()
    new.trainees[0] = as_place(made)
    async with transaction() as holding:
        await holding.execute(text("SELECT FROM people WHERE id = :id FOR NO KEY UPDATE"), {"id": person_id})
        waiting = asyncio.create_task(_attempt(_filing(school, school.world.clerks[0], new)))
        _, pending = await asyncio.wait([waiting], timeout=1)
        assert pending
    assert await waiting is None
