"""Classes are changed before they happen: each change with before and after, nothing that has begun is moved."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain.errors import Conflict, Ineligible, Invalid
from service.audit.queries.checks import first_breach
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.database import Tx
from service.journal import JournalRow
from service.training.commands import deciding, filing
from service.training.schemas import ClassView, NewChange, NewSession, NewSite
from tests.service.test_classes import BY, REASON, school
from tests.training import HALF_DAYS, School, as_place, as_teacher, codes_of, sessions

__all__ = ["school"]


async def test_what_has_not_begun_is_changed_and_told_with_before_and_after(tx: Tx, school: School) -> None:
    approved = await school.approved(tx)
    stand_in = school.world.maker.person()
    ahead = [NewSession(s.day, s.begins, s.ends, s.hours, "新教室", 2) for s in sessions(school.first)]
    changed = await school.change(tx, approved.id, teachers=[as_teacher(stand_in)], sessions=ahead)
    assert (changed.status, changed.number) == ("approved", approved.number)
    assert {(each.room, each.teacher) for each in changed.sessions} == {("新教室", 2)}
    step = changed.steps[-1]
    assert (step.action, step.reason, step.parts) == ("change", "教师出差", ["sessions", "teachers"])
    asked = select(JournalRow.before, JournalRow.after).where(
        JournalRow.subject_id == approved.id, JournalRow.subject_kind == "class_change"
    )
    ((before, after),) = (await tx.execute(asked)).all()
    assert (before["sessions"][0]["teacher"], after["sessions"][0]["teacher"]) == (1, 2)
    assert len(before["sessions"]) == len(after["sessions"]) == HALF_DAYS
    later = await school.change(tx, approved.id, sessions=sessions(school.first + timedelta(days=7)))
    assert later.first == school.first + timedelta(days=7)
    for promise in (JOURNALLED, LEGAL_MOVES):
        assert await first_breach(tx, promise.checks) is None


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
