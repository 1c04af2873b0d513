"""Classes are changed before they happen: each change with before and after, nothing that has begun is moved."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain.actor import Post
from domain.errors import Conflict, Ineligible, Invalid
from domain.institution import Stop
from domain.period import Period
from service.audit.queries.checks import first_breach
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.database import Tx
from service.institutions.commands import impose
from service.journal import JournalRow
from service.policies.queries import work_calendar
from service.training.commands import deciding, filing
from service.training.schemas import ClassView, NewChange, NewSession, NewSite
from tests.service.test_classes import BY, REASON, school
from tests.training import HALF_DAYS, SIZE, School, as_place, as_teacher, codes_of, sessions

__all__ = ["school"]


async def test_what_has_not_begun_is_changed_and_told_with_before_and_after(tx: Tx, school: School) -> None:
    approved = await school.approved(tx)
    stand_in = school.world.maker.person()
    ahead = [NewSession(s.day, s.begins, s.ends, s.hours, "新教室", 2) for s in sessions(school.first)]
    changed = await school.change(tx, approved.id, teachers=[as_teacher(stand_in)], sessions=ahead)
    assert (changed.status, changed.number) == ("filed", approved.number)
    assert {(each.room, each.teacher) for each in changed.sessions} == {("新教室", 2)}
    step = changed.steps[-1]
    assert (step.action, step.reason, step.parts) == ("replan", "教师出差", ["sessions", "teachers"])
    asked = select(JournalRow.before, JournalRow.after).where(
        JournalRow.subject_id == approved.id, JournalRow.subject_kind == "class_change"
    )
    ((before, after),) = (await tx.execute(asked)).all()
    assert (before["sessions"][0]["teacher"], after["sessions"][0]["teacher"]) == (1, 2)
    assert len(before["sessions"]) == len(after["sessions"]) == HALF_DAYS
    assert (await school.approve(tx, approved.id)).number == approved.number
    later = await school.change(tx, approved.id, sessions=sessions(school.first + timedelta(days=7)))
    assert (later.status, later.steps[-1].action) == ("approved", "change")
    assert later.first == school.first + timedelta(days=7)
    for promise in (JOURNALLED, LEGAL_MOVES):
        assert await first_breach(tx, promise.checks) is None


async def test_the_district_decides_again_on_people_and_a_site_that_are_new(tx: Tx, school: School) -> None:
    new = school.new(trainees=[as_place(school.world.maker.person()) for _ in range(SIZE + 1)])
    world, officer = school.world, school.officers[0]
    class_id = (await filing.file_class(tx, world.clerks[0], new, world.today, world.now)).id
    number = (await school.approve(tx, class_id)).number

    async def status_after(**what: Any) -> str:
        changed = await school.change(tx, class_id, **what)
        assert changed.number == number
        return changed.status

    moved = [*sessions(school.first, HALF_DAYS - 1), sessions(school.first + timedelta(days=40), 1)[0]]
    assert await status_after(sessions=moved) == "approved"
    assert await status_after(site=new.site) == "approved"  # as it was
    assert await status_after(trainees=new.trainees[1:]) == "approved"
    assert await status_after(trainees=[*new.trainees[2:], as_place(world.maker.person())]) == "filed"
    assert await status_after(site=NewSite("分校", "经十路 2 号", world.here)) == "filed"
    await school.approve(tx, class_id)
    assert await status_after(site=new.site) == "filed"
    await deciding.send_class_back(tx, officer, class_id, REASON, world.now)
    refiled = await filing.refile_class(tx, world.clerks[0], class_id, new, world.today, world.now)
    assert (refiled.status, refiled.number) == ("filed", number)
    await school.approve(tx, class_id)
    assert await status_after(teachers=[as_teacher(world.maker.person())]) == "filed"
    denied = await deciding.deny_class(tx, officer, class_id, REASON, world.now)
    assert (denied.status, denied.number) == ("denied", number)
    for promise in (JOURNALLED, LEGAL_MOVES):
        assert await first_breach(tx, promise.checks) is None


@pytest.mark.parametrize("approved", [False, True], ids=["filed", "approved"])
async def test_another_first_day_is_told_so_many_working_days_ahead(tx: Tx, school: School, approved: bool) -> None:
    class_id = (await school.file(tx)).id
    if approved:
        await school.approve(tx, class_id)
    school.let_pass(28)  # two days before it begins
    earliest = work_calendar().add(school.world.today, 5).on
    for first in (school.first - timedelta(days=1), school.first + timedelta(days=1), earliest - timedelta(days=1)):
        with pytest.raises(Ineligible) as refusal:
            await school.change(tx, class_id, sessions=sessions(first))
        assert codes_of(refusal.value) == ["class.too_late"]
    begins_as_before = [*sessions(school.first, HALF_DAYS - 1), sessions(earliest + timedelta(days=40), 1)[0]]
    assert (await school.change(tx, class_id, sessions=begins_as_before)).first == school.first
    assert (await school.change(tx, class_id, sessions=sessions(earliest))).first == earliest


async def test_whoever_may_not_file_today_changes_nothing_today(tx: Tx, school: School) -> None:
    world, approved = school.world, await school.approved(tx)
    city, institution = await world.user(tx, {Post.INSTITUTION_OFFICER}), world.clerks[0].institution_id
    assert institution is not None
    third = world.today + timedelta(days=3)
    await impose(tx, city, institution, Period(third, third), [Stop.FILE_CLASSES], "示例", world.now)
    ahead = sessions(school.first, room="另一间")
    school.let_pass(3)
    with pytest.raises(Ineligible) as refusal:
        await school.change(tx, approved.id, sessions=ahead)
    assert codes_of(refusal.value) == ["class.institution_may_not"]
    school.let_pass(1)
    assert (await school.change(tx, approved.id, sessions=ahead)).status == "approved"


async def test_the_rules_hold_for_what_was_changed(tx: Tx, school: School) -> None:
    approved, other = await school.approved(tx), school.new()
    await filing.file_class(tx, school.world.clerks[1], other, school.world.today, school.world.now)
    with pytest.raises(Ineligible) as refusal:
        await school.change(tx, approved.id, sessions=other.sessions[:3])
    assert codes_of(refusal.value) == ["class.hours_differ", *["class.room_busy"]]
    with pytest.raises(Ineligible) as refusal:
        await school.change(tx, approved.id, trainees=other.trainees)
    assert codes_of(refusal.value) == ["class.trainee_busy"] * 10
    with pytest.raises(Invalid, match=r"class\.nothing_changed"):
        await school.change(tx, approved.id)
    with pytest.raises(Invalid, match=r"class\.other_district"):
        await school.change(tx, approved.id, site=NewSite("分校", "经十路", school.world.other))


async def test_a_session_that_began_is_not_moved(tx: Tx, school: School) -> None:
    approved = await school.approved(tx)
    await deciding.advance(tx, school.first, BY)
    begun = [each for each in approved.sessions if each.day <= school.first + timedelta(days=1)]
    assert len(begun) == 4
    rest = sessions(school.first + timedelta(days=20), HALF_DAYS - len(begun), room="另一间")
    on_the_third = datetime.combine(school.first + timedelta(days=2), datetime.min.time(), UTC)  # 08:00 in Jinan
    clerk = school.world.clerks[0]

    async def change(**what: Any) -> ClassView:
        new = NewChange("停电", **what)
        return await filing.change_class(tx, clerk, approved.id, new, on_the_third.date(), on_the_third)

    with pytest.raises(Invalid, match=r"class\.session_begun") as refusal:
        await change(sessions=[*rest[1:], sessions(school.first + timedelta(days=1), 1)[0]])
    assert refusal.value.field == "sessions.11"
    with pytest.raises(Conflict, match=r"class\.begun"):
        await change(trainees=[as_place(school.world.maker.person()) for _ in range(10)])
    moved = await change(sessions=rest, site=NewSite("分校", "经十路 2 号", school.world.here))
    assert [(each.day, each.room) for each in moved.sessions[:4]] == [(each.day, each.room) for each in begun]
    assert {each.room for each in moved.sessions[4:]} == {"另一间"}
    assert (moved.first, moved.last) == (school.first, school.first + timedelta(days=25))
    with pytest.raises(Conflict, match="wrong_status"):
        await filing.withdraw_class(tx, clerk, approved.id, REASON, on_the_third)


async def test_a_class_that_began_today_is_not_withdrawn_though_nobody_said_that_it_runs(
    tx: Tx, school: School
) -> None:
    approved = await school.approved(tx)
    at_ten = datetime.combine(school.first, datetime.min.time(), UTC) + timedelta(hours=2)
    with pytest.raises(Conflict, match=r"class\.begun"):
        await filing.withdraw_class(tx, school.world.clerks[0], approved.id, REASON, at_ten)


async def test_what_nobody_approved_in_time_is_put_off(tx: Tx, school: School) -> None:
    filed, clerk = await school.file(tx), school.world.clerks[0]
    late = datetime.combine(school.first + timedelta(days=2), datetime.min.time(), UTC)

    async def change(**what: Any) -> ClassView:
        return await filing.change_class(tx, clerk, filed.id, NewChange("还没批", **what), late.date(), late)

    with pytest.raises(Invalid, match=r"class\.session_begun"):
        await change(site=NewSite("分校", "经十路 2 号", school.world.here))
    put_off = await change(sessions=sessions(school.first + timedelta(days=20), room="晚些"))
    assert (put_off.status, put_off.first) == ("filed", school.first + timedelta(days=20))
    assert len(put_off.sessions) == HALF_DAYS
    assert (await deciding.approve_class(tx, school.officers[0], filed.id, late)).status == "approved"
