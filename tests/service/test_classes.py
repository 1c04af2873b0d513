"""Classes from filing to their end: refused with every reason, decided by the district, changed in time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from domain.actor import Post
from domain.errors import Conflict, Forbidden, Ineligible, Invalid, NotFound
from domain.institution import Stop
from domain.period import Period
from service.audit.queries.checks import first_breach
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.audit.queries.territory import TERRITORY
from service.database import Tx
from service.institutions.commands import impose
from service.journal import By, JournalRow
from service.local.made_up import MadeUpPerson
from service.policies.queries import work_calendar
from service.training.commands import deciding, filing
from service.training.queries.views import class_view, classes_page
from service.training.schemas import NewClassReason, NewSession, NewSite
from service.training.tables import ClassRow
from tests.training import HALF_DAYS, School, as_place, as_teacher, sessions
from tests.world import World

BY = By("tests", datetime(2026, 1, 1, tzinfo=UTC))
REASON = NewClassReason("缺一份场地证明")


@pytest.fixture
async def school(tx: Tx, world: World) -> School:
    return await School.build(tx, world)


async def _count(tx: Tx, table: str) -> int:
    return int((await tx.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def test_from_filing_to_the_end(tx: Tx, school: School) -> None:
    filed = await school.file(tx)
    assert (filed.status, filed.number, filed.trainees, len(filed.sessions)) == ("filed", "", 10, HALF_DAYS)
    assert (filed.first, filed.last) == (school.first, school.first + timedelta(days=7))
    assert filed.decision.eligible
    approved = await school.approve(tx, filed.id)
    second = await school.approved(tx)
    serials = [int(each.number.rpartition("-")[2]) for each in (approved, second)]
    assert serials[1] == serials[0] + 1
    assert approved.number == f"KB370102-{school.first.year}-{serials[0]:04}"
    for day, status in (
        (filed.first - timedelta(days=1), "approved"),
        (filed.first, "running"),
        (filed.last, "running"),
        (filed.last + timedelta(days=1), "finished"),
    ):
        while await deciding.advance(tx, day, BY):
            pass
        assert (await class_view(tx, school.officers[0], filed.id, school.world.now)).status == status
    closed = await deciding.close_class(tx, school.officers[0], filed.id, school.world.now)
    assert (closed.status, closed.status_name) == ("closed", "已办结")
    assert [step.action for step in closed.steps] == ["file", "approve", "start", "finish", "close"]
    for promise in (JOURNALLED, LEGAL_MOVES, TERRITORY):
        assert await first_breach(tx, promise.checks) is None


async def test_a_class_far_behind_runs_and_finishes_in_one_go(tx: Tx, school: School) -> None:
    approved = await school.approved(tx)
    assert await deciding.advance(tx, approved.last + timedelta(days=9), BY) >= 2
    assert (await class_view(tx, school.officers[0], approved.id, school.world.now)).status == "finished"


async def test_people_are_sealed_and_masked(tx: Tx, school: School) -> None:
    maker = school.world.maker
    teacher, someone = maker.person(), maker.person()
    new = school.new(teachers=[as_teacher(teacher)])
    new.trainees[2] = as_place(someone)
    filed = await filing.file_class(tx, school.world.clerks[0], new, school.world.today, school.world.now)
    shown = filed.roster[2]
    assert (shown.name[0], "*" in shown.name) == (someone.name[0], True)
    assert shown.id_number == f"{someone.id_number[:6]}********{someone.id_number[14:]}"
    assert teacher.name not in repr(filed)
    stored = (await tx.execute(select(ClassRow.__table__).where(ClassRow.id == filed.id))).one()
    noted = (await tx.execute(select(JournalRow.after).where(JournalRow.subject_id == filed.id))).all()
    for number in (teacher.id_number, someone.id_number, someone.phone):
        assert number not in repr(stored) + repr(noted)


async def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_stored(tx: Tx, school: School) -> None:
    world = school.world
    before = {table: await _count(tx, table) for table in ("training_classes", "training_places", "journal")}
    new = school.new(
        item_code="9-99-99-99",
        planned_hours=59,
        sessions=sessions(world.today + timedelta(days=1)) + sessions(world.today + timedelta(days=1), 1),
    )
    new.trainees[4] = new.trainees[1]
    del new.trainees[5:]
    failed = await school.attempt(tx, new)
    assert failed == [
        "class.too_late",
        "class.not_in_catalog",
        "class.no_standard",
        "class.out_of_scope",
        "class.size",
        "class.hours_few",
        "class.hours_differ",
        "class.day_full",
        "class.sessions_overlap",
        "class.trainee_twice",
    ]
    assert before == {table: await _count(tx, table) for table in before}


@pytest.mark.parametrize("days", [0, -1, -400])
async def test_a_start_today_or_in_the_past_is_too_late(tx: Tx, school: School, days: int) -> None:
    first = school.world.today + timedelta(days=days)
    assert "class.too_late" in await school.attempt(tx, school.new(sessions=sessions(first)))


async def test_filed_five_working_days_before(tx: Tx, school: School) -> None:
    earliest = work_calendar().add(school.world.today, 5).on
    assert await school.attempt(tx, school.new(sessions=sessions(earliest - timedelta(days=1)))) == ["class.too_late"]
    assert await school.attempt(tx, school.new(sessions=sessions(earliest))) == []


async def test_malformed_values_are_all_named_by_their_place(tx: Tx, school: School) -> None:
    new = school.new(level="第九级", site=NewSite("本部", "电话 13812345678", school.world.here))
    new.sessions[0] = NewSession("2026-02-30", "8:00", "25:00", 4, "13812345678", 2)
    new.trainees[3] = as_place(school.world.maker.person()._replace(id_number="4.40305E+17"))
    new.trainees[8] = as_place(school.world.maker.person()._replace(name=""))
    with pytest.raises(Invalid) as refusal:
        await filing.file_class(tx, school.world.clerks[0], new, school.world.today, school.world.now)
    assert [(each.field, each.code) for each in (refusal.value, *refusal.value.others)] == [
        ("level", "level.unknown"),
        ("site.address", "text.personal_number"),
        ("trainees.4.id_number", "id.spreadsheet_number"),
        ("trainees.9.name", "name.empty"),
        ("sessions.1.day", "date.no_such_day"),
        ("sessions.1.begins", "time.format"),
        ("sessions.1.ends", "time.format"),
        ("sessions.1.room", "text.personal_number"),
        ("sessions.1.teacher", "class.no_such_teacher"),
    ]


async def test_a_known_number_under_another_name_and_a_teacher_named_twice(tx: Tx, school: School) -> None:
    known, teacher = school.world.maker.person(), school.world.maker.person()
    await school.world.person(tx, known)
    new = school.new(teachers=[as_teacher(teacher), as_teacher(teacher)])
    new.trainees[6] = as_place(known._replace(name="司马相如"))
    with pytest.raises(Invalid) as refusal:
        await filing.file_class(tx, school.world.clerks[0], new, school.world.today, school.world.now)
    told = [(each.field, each.code) for each in (refusal.value, *refusal.value.others)]
    assert told == [("trainees.7.name", "person.name_differs"), ("teachers.2", "class.teacher_twice")]


async def test_only_a_district_and_only_ones_own_institution(tx: Tx, school: School) -> None:
    world = school.world
    for code in ("370100", "999999"):
        assert await school.attempt(tx, school.new(site=NewSite("本部", "解放路", code))) == ["district.unknown"]
    filed = await school.file(tx)
    with pytest.raises(Forbidden):
        await filing.file_class(tx, school.officers[0], school.new(), world.today, world.now)
    for stranger in (world.clerks[1], school.officers[1], await world.user(tx, {Post.TRAINEE})):
        with pytest.raises(NotFound):
            await class_view(tx, stranger, filed.id, world.now)
        page = await classes_page(tx, stranger, status=None, district=None, cursor=None, limit=100)
        assert filed.id not in {each.id for each in page.classes}
    with pytest.raises(NotFound):
        await school.approve(tx, filed.id, school.officers[1])
    with pytest.raises(NotFound):
        await filing.withdraw_class(tx, world.clerks[1], filed.id, REASON, world.now)
    for seer in (world.clerks[0], school.officers[0], world.staff[Post.AUDITOR], school.inspectors[0]):
        assert (await class_view(tx, seer, filed.id, world.now)).id == filed.id
    with pytest.raises(Forbidden):
        await deciding.approve_class(tx, world.staff[Post.AUDITOR], filed.id, world.now)


async def test_pages_go_on_where_they_ended(tx: Tx, school: School) -> None:
    filed = [(await school.file(tx)).id for _ in range(3)]
    seen, cursor = [], None
    for _ in range(3):
        page = await classes_page(
            tx, school.world.clerks[0], status="filed", district=school.world.here, cursor=cursor, limit=1
        )
        seen += [each.id for each in page.classes]
        cursor = page.next
    assert (sorted(seen), cursor) == (sorted(filed), None)


# ---- the institution: standing, scope, the first inspection


async def test_what_a_sanction_stops_on_the_day_of_filing_or_of_the_start(tx: Tx, school: School) -> None:
    world, first = school.world, school.first
    city = await world.user(tx, {Post.INSTITUTION_OFFICER})
    institution = world.clerks[0].institution_id
    assert institution is not None
    days = Period(first, first)
    await impose(tx, city, institution, days, [Stop.FILE_CLAIMS], "示例", world.now)
    assert await school.attempt(tx, school.new()) == []
    await impose(tx, city, institution, days, [Stop.FILE_CLASSES], "示例", world.now)
    assert await school.attempt(tx, school.new()) == ["class.institution_may_not"]
    rooms = [sessions(first + timedelta(days=1), room=room) for room in ("甲", "乙")]
    assert await school.attempt(tx, school.new(sessions=rooms[0])) == []
    await impose(tx, city, institution, Period(world.today, world.today), [Stop.BE_LISTED], "示例", world.now)
    assert await school.attempt(tx, school.new(sessions=rooms[1])) == ["class.institution_may_not"]


async def test_outside_of_its_scope(tx: Tx, school: School) -> None:
    assert await school.attempt(tx, school.new(level="3")) == ["class.level_out_of_scope", "class.hours_few"]


async def test_no_first_class_before_an_inspection_that_was_passed(tx: Tx, world: World) -> None:
    school = await School.build(tx, world, inspected=False)
    institution = world.clerks[0].institution_id
    assert institution is not None
    assert await school.attempt(tx, school.new()) == ["training.first_inspection"]
    await school.inspect(tx, institution, "failed")
    assert await school.attempt(tx, school.new()) == ["training.inspection_failed"]
    await school.inspect(tx, institution)
    assert (await school.approved(tx)).status == "approved"
    await school.inspect(tx, institution, "failed")
    assert await school.attempt(tx, school.new()) == []  # it is not the first
    assert await school.attempt(tx, school.new(), world.clerks[1]) == ["training.first_inspection"]


# ---- two classes at one time


async def test_a_trainee_a_teacher_and_a_room_are_in_one_class_at_a_time(tx: Tx, school: School) -> None:
    world = school.world
    await school.approved(tx, sessions=sessions(school.first, room="301 室"))
    taken = school.new(sessions=sessions(school.first, room="３０１室"))
    assert await school.attempt(tx, taken, world.clerks[1]) == ["class.room_busy"]
    with pytest.raises(Ineligible) as refusal:
        await school.file(tx, world.clerks[1], sessions=taken.sessions)
    told = next(e for e in refusal.value.facts["decision"]["outcomes"] if e["code"] == "class.room_busy")
    assert told["facts"] == {
        "session": 1,
        "who": "３０１室",
        "day": str(school.first),
        "times": "08:30–11:30",
    }


async def test_whoever_teaches_here_does_not_learn_there(tx: Tx, school: School) -> None:
    teacher, trainee = school.world.maker.person(), school.world.maker.person()
    new = school.new(teachers=[as_teacher(teacher)])
    new.trainees[0] = as_place(trainee)
    world = school.world
    await filing.file_class(tx, world.clerks[0], new, world.today, world.now)
    elsewhere = school.new(teachers=[as_teacher(trainee)])
    assert await school.attempt(tx, elsewhere, world.clerks[1]) == ["class.teacher_busy"]
    elsewhere = school.new()
    elsewhere.trainees[9] = as_place(teacher)
    assert await school.attempt(tx, elsewhere, world.clerks[1]) == ["class.trainee_busy"]
    both = school.new(teachers=[as_teacher(teacher)])
    assert await school.attempt(tx, both, world.clerks[1]) == ["class.teacher_busy"]
    own = school.new()
    own.trainees[9] = as_place(world.maker.person())
    own.teachers[0] = as_teacher(world.maker.person())
    own.trainees[8] = as_place(_person_of(own.teachers[0]))
    assert await school.attempt(tx, own) == ["class.teacher_on_roster"]
    evening = [NewSession(s.day, "18:00", "21:00", 4, s.room, 1) for s in elsewhere.sessions[::2]]
    apart = school.new(teachers=[as_teacher(teacher)], level="5", planned_hours=32, sessions=evening)
    assert await school.attempt(tx, apart, world.clerks[1]) == ["class.hours_few"]  # nobody is elsewhere then


def _person_of(teacher: Any) -> Any:
    return MadeUpPerson(teacher.name, teacher.id_number, "13800138000")


async def test_sessions_that_touch_do_not_overlap(tx: Tx, school: School) -> None:
    teacher = as_teacher(school.world.maker.person())
    mornings = [NewSession(str(school.first + timedelta(days=n)), "08:00", "11:00", 4, "A", 1) for n in range(15)]
    noons = [NewSession(each.day, "11:00", "14:00", 4, "A", 1) for each in mornings]
    await school.file(tx, teachers=[teacher], sessions=mornings)
    assert await school.attempt(tx, school.new(teachers=[teacher], sessions=noons), school.world.clerks[1]) == []


@pytest.mark.parametrize("end", ["withdraw", "deny"])
async def test_what_is_not_held_frees_people_and_rooms(tx: Tx, school: School, end: str) -> None:
    new = school.new()
    world = school.world
    filed = await filing.file_class(tx, world.clerks[0], new, world.today, world.now)
    assert len(await school.attempt(tx, new, world.clerks[1])) > 10
    if end == "withdraw":
        await filing.withdraw_class(tx, world.clerks[0], filed.id, REASON, world.now)
    else:
        await deciding.deny_class(tx, school.officers[0], filed.id, REASON, world.now)
    assert await school.attempt(tx, new, world.clerks[1]) == []


# ---- officers


async def test_sent_back_and_filed_again(tx: Tx, school: School) -> None:
    world, officer = school.world, school.officers[0]
    filed = await school.file(tx)
    sent = await deciding.send_class_back(tx, officer, filed.id, REASON, world.now)
    assert (sent.status, sent.steps[-1].reason) == ("sent_back", REASON.reason)
    with pytest.raises(Conflict, match="wrong_status"):
        await school.approve(tx, filed.id)
    with pytest.raises(Conflict, match="wrong_status"):
        await school.change(tx, filed.id, site=NewSite("分校", "经十路", world.here))
    again = school.new(level="5", planned_hours=40, sessions=sessions(school.first, 10))
    moved = school.new(site=NewSite("分校", "经十路", world.other))
    with pytest.raises(Invalid, match=r"class\.other_district"):
        await filing.refile_class(tx, world.clerks[0], filed.id, moved, world.today, world.now)
    refiled = await filing.refile_class(tx, world.clerks[0], filed.id, again, world.today, world.now)
    assert (refiled.status, refiled.level, len(refiled.sessions)) == ("filed", "5", 10)
    assert refiled.steps[-1].parts == ["roster", "sessions", "teachers"]
    assert (await school.approve(tx, filed.id)).status == "approved"
    assert await first_breach(tx, JOURNALLED.checks) is None


async def test_nobody_decides_on_a_class_they_are_in_and_words_name_nobody(tx: Tx, school: School) -> None:
    world, made = school.world, school.world.maker.person()
    trainee = await world.trainee(tx, made)
    officer = await world.user(tx, {Post.INSTITUTION_OFFICER}, world.here)
    new = school.new()
    new.trainees[0] = as_place(made)
    filed = await filing.file_class(tx, world.clerks[0], new, world.today, world.now)
    own = type(officer)(officer.user_id, trainee.actor.person_id, officer.posts, officer.district)
    with pytest.raises(Forbidden, match=r"class\.own"):
        await school.approve(tx, filed.id, own)
    named = NewClassReason("请联系 13812345678")
    with pytest.raises(Invalid, match=r"text\.personal_number"):
        await deciding.send_class_back(tx, school.officers[0], filed.id, named, world.now)
    with pytest.raises(Invalid, match=r"words\.empty"):
        await deciding.deny_class(tx, school.officers[0], filed.id, NewClassReason("  "), world.now)


async def test_nothing_is_approved_once_it_should_have_begun(tx: Tx, school: School) -> None:
    filed = await school.file(tx)
    late = datetime.combine(school.first, datetime.min.time(), UTC) + timedelta(hours=1)  # 09:00 in Jinan
    with pytest.raises(Conflict, match=r"class\.begun"):
        await deciding.approve_class(tx, school.officers[0], filed.id, late)
    with pytest.raises(NotFound):
        await school.approve(tx, uuid4())
