"""Attendance on a real database: what comes in once, what is refused by line and reason, what it comes to."""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text, update

from domain.actor import Post
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from service.database import Tx
from service.people.tables import PersonRow
from service.training.commands import attendance, attendance_corrections
from service.training.commands.attendance_keys import issue_key, revoke_key
from service.training.commands.deciding import close_class
from service.training.commands.filing import file_class
from service.training.queries import attendance as seen
from service.training.queries.attendance_flags import flags
from service.training.queries.attendance_keys import Device, digest_of, keys
from service.training.queries.attendance_rates import attendance_rates
from service.training.schemas.attendance import (
    AttendanceLine,
    NewAttendanceKey,
    NewDeviceMarks,
    NewMarkCorrection,
    NewRevocation,
)
from tests.attendance import AGO, HeldClassOf, Line, at, codes_of, event, held, school_of_before, upload, whole_days
from tests.service.test_patrols import own, tx
from tests.training import HOURS, MORNING, School, as_place, sessions
from tests.world import World

__all__ = ["own", "tx"]  # a database of one's own: marks that other tests have committed are flagged, too


@pytest.fixture
async def school(tx: Tx, world: World) -> School:
    return await school_of_before(tx, world)


@pytest.fixture
async def of(tx: Tx, school: School) -> HeldClassOf:
    found = await held(tx, school)
    school.let_pass(AGO.days)
    return found


async def line_of(tx: Tx, school: School, of: HeldClassOf, line: int = 1) -> AttendanceLine:
    view = await seen.attendance_view(tx, school.officers[0], of.id, school.world.now)
    return view.people[line - 1]


async def test_a_sheet_is_taken_once_and_told_line_by_line(tx: Tx, school: School, of: HeldClassOf) -> None:
    first, stranger = school.first, school.world.maker.person()
    good = whole_days(of, first, 2, trainees=3)
    bad: list[Line] = [
        (stranger.id_number, first, *MORNING),
        ("37010219900101123", first, *MORNING),
        (of.number_of(1), first, "17:45", "19:00"),
        (of.number_of(1), first, "11:00", "09:00"),
        (of.number_of(2), first, "06:00", "13:30"),
        (of.number_of(3), school.world.today + timedelta(days=1), *MORNING),
        (of.number_of(3), first, "8:30", "1130"),
        good[0],
    ]
    received = await upload(tx, school, of, [*good, *bad])
    assert (received.new, received.known, received.refused) == (12, 0, 8)
    assert codes_of(received) == [
        (14, "id_number", "attendance.stranger"),
        (15, "id_number", "id.length"),
        (16, "came", "attendance.outside"),
        (17, "left", "attendance.reversed"),
        (18, "came", "attendance.too_early"),
        (18, "left", "attendance.too_late"),
        (19, "left", "attendance.future"),
        (20, "came", "time.format"),
        (20, "left", "time.format"),
        (21, "came", "attendance.repeated"),
    ]
    again = await upload(tx, school, of, [*good, *bad])
    assert (again.new, again.known, again.refused) == (0, 12, 8)
    mended = await upload(tx, school, of, [*good, (of.number_of(1), first + timedelta(days=2), *MORNING)])
    assert (mended.new, mended.known, mended.refused) == (1, 12, 0)
    uploads = text("SELECT count(*) FROM attendance_uploads WHERE class_id = :id")
    assert (await tx.execute(uploads, {"id": of.id})).scalar_one() == 2
    assert (await line_of(tx, school, of)).doubled == 0


async def test_only_a_class_of_ones_own_that_is_held_has_attendance(tx: Tx, school: School) -> None:
    of = await held(tx, school)
    line = whole_days(of, school.first, 1)
    with pytest.raises(Conflict, match=r"attendance\.not_held"):
        await upload(tx, school, of, line)
    world = school.world
    filed = await file_class(tx, world.clerks[0], school.new(), world.today, world.now)
    school.let_pass(AGO.days)
    with pytest.raises(Conflict, match=r"attendance\.not_held"):
        await upload(tx, school, HeldClassOf(filed.id, "", of.new), line)
    with pytest.raises(NotFound, match=r"class\.not_found"):
        await upload(tx, school, of, line, clerk=world.clerks[1])
    with pytest.raises(Forbidden):
        await upload(tx, school, of, line, clerk=school.officers[0])
    assert (await upload(tx, school, of, line)).new == 2
    for status in ("running", "finished"):
        await _move(tx, of, status)
    await close_class(tx, school.officers[0], of.id, world.now)
    with pytest.raises(Conflict, match=r"attendance\.not_held"):
        await upload(tx, school, of, line)


async def _move(tx: Tx, of: HeldClassOf, status: str) -> None:
    noted = """INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at) VALUES
                 ('class', :id, :action, jsonb_build_object('status', CAST(:status AS text)), 'test', now())"""
    action = {"running": "start", "finished": "finish"}[status]
    await tx.execute(text(noted), {"id": of.id, "action": action, "status": status})
    moved = text("UPDATE training_classes SET status = :status WHERE id = :id")
    await tx.execute(moved, {"id": of.id, "status": status})


async def device(tx: Tx, school: School) -> Device:
    """Its key, issued today."""

    world = school.world
    new = NewAttendanceKey("一楼闸机", str(world.today + timedelta(days=90)))
    issued = await issue_key(tx, world.clerks[0], new, world.today, world.now)
    return Device(issued.id, issued.institution_id)


async def test_a_device_tells_each_event_once(tx: Tx, school: School, of: HeldClassOf) -> None:
    world, first, by = school.world, school.first, await device(tx, school)
    one, other = of.number_of(1), of.number_of(2)
    marks = [
        event("13812345678", one, first, "08:20", "11:35"),
        event("e2", other, first, "08:40", "11:30"),
        event("e3", world.maker.person().id_number, first, "08:40", "11:30"),
        event("e2", other, first, "08:40", "11:30"),
    ]
    new = NewDeviceMarks(of.number, marks)
    received = await attendance.receive_from_device(tx, by, new, world.today, world.now)
    assert (received.new, received.known, received.refused) == (2, 0, 2)
    assert codes_of(received) == [(3, "id_number", "attendance.stranger"), (4, "event", "attendance.repeated")]
    changed = NewDeviceMarks(of.number, [marks[0], event("e2", other, first, "08:41", "11:30")])
    again = await attendance.receive_from_device(tx, by, changed, world.today, world.now)
    assert (again.new, again.known, again.refused) == (0, 1, 1)
    assert codes_of(again) == [(2, "event", "attendance.event_differs")]
    for number, key in ((of.number, Device(by.key_id, uuid4())), ("KB370102-2026-9999", by)):
        with pytest.raises(NotFound, match=r"class\.not_found"):
            await attendance.receive_from_device(tx, key, NewDeviceMarks(number, marks), world.today, world.now)
    kept = text("SELECT count(*) FROM attendance_marks WHERE class_id = :id AND received_by IS NULL")
    assert (await tx.execute(kept, {"id": of.id})).scalar_one() == 2


async def test_hours_count_by_session_and_what_is_odd_is_counted(tx: Tx, school: School, of: HeldClassOf) -> None:
    first, one = school.first, of.number_of(1)
    await upload(
        tx,
        school,
        of,
        [
            (one, first, "08:40", "11:20"),  # within ten minutes
            (one, first, "13:45", "16:15"),  # late and early, and 150 of 180 minutes
            (one, first + timedelta(days=1), "08:30", "10:00"),  # half of it
            (one, first + timedelta(days=1), "10:00", "11:30"),  # and the other half
            (one, first + timedelta(days=1), "13:30", "15:00"),  # half of it counts for nothing
            (one, first + timedelta(days=2), "08:30", "11:30"),
            (one, first + timedelta(days=2), "08:31", "11:30"),  # the same time counts once
        ],
    )
    found = await line_of(tx, school, of)
    assert (found.hours, found.percent, found.below) == (16, 26, True)
    assert (found.late, found.early, found.doubled, found.impossible) == (1, 2, 2, 0)
    nobody = await line_of(tx, school, of, 2)
    assert (nobody.hours, nobody.late, nobody.below) == (0, 0, True)
    view = await seen.attendance_view(tx, school.world.clerks[0], of.id, school.world.now)
    assert (view.planned_hours, view.held_hours, view.share_least) == (HOURS, HOURS, 80)


async def test_who_can_still_reach_the_share_is_not_below_it(tx: Tx, school: School) -> None:
    of = await held(tx, school)
    school.let_pass(30)
    world = school.world
    world.now = datetime.fromisoformat(at(school.first + timedelta(days=1), "12:00"))
    await upload(tx, school, of, whole_days(of, school.first, 1))
    view = await seen.attendance_view(tx, school.officers[0], of.id, world.now)
    assert view.held_hours == 12
    assert [each.below for each in view.people[:2]] == [False, False]
    world.now += timedelta(hours=4, minutes=30)
    view = await seen.attendance_view(tx, school.officers[0], of.id, world.now)
    assert (view.held_hours, [each.below for each in view.people[:2]]) == (16, [False, True])


@pytest.mark.parametrize("seed", range(3))
async def test_rates_agree_with_counting_minutes(tx: Tx, school: School, seed: int) -> None:
    """However marks overlap: every minute of a session is counted by itself."""
    made = random.Random(seed)
    classes = [await held(tx, school) for _ in range(2)]
    school.let_pass(AGO.days)
    expected = {}
    for of in classes:
        stays: dict[tuple[int, int], set[int]] = {}
        lines: set[Line] = set()
        for _ in range(80):
            line, n = made.randint(1, 4), made.randint(0, 14)
            begins = 8 * 60 + 30 if n % 2 == 0 else 13 * 60 + 30
            came = begins + made.randint(-20, 120)
            left = min(came + made.randint(30, 180), begins + 230)
            day = school.first + timedelta(days=n // 2)
            lines.add((of.number_of(line), day, *(f"{each // 60:02}:{each % 60:02}" for each in (came, left))))
            there = stays.setdefault((line, n), set())
            there |= set(range(max(came, begins), min(left, begins + 180)))
        received = await upload(tx, school, of, sorted(lines))
        assert received.refused == 0
        for line in range(1, 11):
            expected[of.id, line] = sum(4 for (who, _), min_ in stays.items() if who == line and len(min_) >= 135)
    assert len(set(expected.values())) > 3
    rates = await attendance_rates(tx, [of.id for of in classes])
    places = "SELECT class_id, line, person_id FROM training_places WHERE class_id = ANY (CAST(:ids AS uuid[]))"
    found = await tx.execute(text(places), {"ids": [of.id for of in classes]})
    assert {(row.class_id, row.line): rates[row.class_id, row.person_id].hours for row in found} == expected


async def test_nobody_is_in_two_places_wherever_these_are(tx: Tx, school: School) -> None:
    """Two ids of one person on two rosters, marked at one time; the officer of either district sees it."""
    world = school.world
    one, other = world.maker.person(), world.maker.person()
    trainees = [as_place(one), *[as_place(world.maker.person()) for _ in range(9)]]
    here = await held(tx, school, trainees=trainees)
    new = school.new(trainees=[as_place(other), *[as_place(world.maker.person()) for _ in range(9)]])
    new.site.district = world.other
    view = await file_class(tx, world.clerks[1], new, world.today, world.now)
    there = HeldClassOf(view.id, (await school.approve(tx, view.id, school.officers[1])).number, new)
    school.let_pass(AGO.days)
    assert (await upload(tx, school, here, whole_days(here, school.first, 2, trainees=2))).new == 8
    assert (await upload(tx, school, there, whole_days(there, school.first, 1), clerk=world.clerks[1])).new == 2
    assert (await flags(tx, school.officers[0], school.first)).flags == []
    ids = [(await world.person(tx, each))[0] for each in (one, other)]
    await tx.execute(update(PersonRow).where(PersonRow.id == ids[1]).values(merged_into=ids[0]))
    for officer in school.officers:
        found = (await flags(tx, officer, school.first)).flags
        assert [(each.kind, each.begins, each.ends) for each in found] == [
            ("impossible", "13:30", "16:30"),
            ("impossible", "08:30", "11:30"),
        ]
        assert {tuple(sorted(each.class_ids, key=str)) for each in found} == {
            tuple(sorted((here.id, there.id), key=str))
        }
    assert len((await flags(tx, school.officers[0], school.first + timedelta(days=1))).flags) == 0
    assert (await line_of(tx, school, here)).impossible == 2
    assert (await line_of(tx, school, here, 2)).impossible == 0
    elsewhere = await world.user(tx, {Post.INSTITUTION_OFFICER}, "370104")
    assert (await flags(tx, elsewhere, school.first)).flags == []


async def test_early_in_the_next_lesson_of_the_same_room_is_possible(tx: Tx, school: School) -> None:
    times = [("08:30", "11:30"), ("11:30", "14:30")]
    rooms: list[Any] = []
    for room in ("301室", "302室"):
        whole = sessions(school.first, room=f"{uuid4().hex[:8]}楼 {room}")
        for n, each in enumerate(whole):
            each.begins, each.ends = times[n % 2]
        whole[1].room = whole[0].room if room == "301室" else "别处的 7 室"
        rooms.append(whole)
    same, apart = [await held(tx, school, sessions=each) for each in rooms]
    school.let_pass(AGO.days)
    for of, expected in ((same, 0), (apart, 2)):
        line = of.number_of(1)
        await upload(tx, school, of, [(line, school.first, "08:30", "11:40"), (line, school.first, "11:20", "14:30")])
        assert (await line_of(tx, school, of)).impossible == expected


async def test_an_officer_corrects_by_a_further_row(tx: Tx, school: School, of: HeldClassOf) -> None:
    world, officer, first = school.world, school.officers[0], school.first
    await upload(tx, school, of, whole_days(of, first, 1))

    async def correct(mark_id: Any, who: Any = officer, **new: Any) -> Any:
        given = NewMarkCorrection(**{"reason": "现场核对", **new})
        return await attendance_corrections.correct_mark(tx, who, mark_id, given, world.today, world.now)

    morning, afternoon = (await seen.marks_of(tx, world.clerks[0], of.id, 1)).marks
    shorter = await correct(morning.id, came=at(first, "08:30"), left=at(first, "09:30"))
    assert (shorter.corrects_id, shorter.source, shorter.reason) == (morning.id, "officer", "现场核对")
    assert (await line_of(tx, school, of)).hours == 4
    with pytest.raises(Conflict, match=r"attendance\.corrected"):
        await correct(morning.id)
    gone = await correct(afternoon.id)
    assert (gone.came, gone.left) == (None, None)
    assert (await line_of(tx, school, of)).hours == 0
    back = await correct(gone.id, came=at(first, "13:30"), left=at(first, "16:30"))
    assert (await line_of(tx, school, of)).hours == 4
    marks = (await seen.marks_of(tx, officer, of.id, 1)).marks
    assert {each.id for each in marks if each.corrected_by is None} == {shorter.id, back.id}
    latest = back.id
    for new, code in (
        ({"came": at(first, "13:30")}, "attendance.half"),
        ({"came": at(first, "08:30"), "left": at(first, "11:30")}, "attendance.outside"),
        ({"came": "13:30", "left": at(first, "16:30")}, "instant.format"),
        ({"reason": " "}, "words.empty"),
    ):
        with pytest.raises(Invalid, match=code):
            await correct(latest, **new)
    with pytest.raises(NotFound, match=r"attendance\.no_mark"):
        await correct(latest, school.officers[1])
    with pytest.raises(Forbidden):
        await correct(latest, world.clerks[0])
    # what was corrected is known all the same when the sheet comes again
    assert (await upload(tx, school, of, whole_days(of, first, 1))).known == 2


async def test_keys_belong_to_their_institution_and_end(tx: Tx, school: School, of: HeldClassOf) -> None:

    world, (clerk, stranger) = school.world, school.world.clerks
    until = str(world.today + timedelta(days=30))
    issued = await issue_key(tx, clerk, NewAttendanceKey("闸机", until), world.today, world.now)
    stored = text("SELECT key_sha256, name FROM attendance_keys WHERE id = :id")
    row = (await tx.execute(stored, {"id": issued.id})).one()
    assert bytes(row.key_sha256) == digest_of(issued.key)
    assert issued.key not in str((await tx.execute(text("SELECT * FROM attendance_keys"))).all())
    assert [each.id for each in (await keys(tx, clerk)).keys] == [issued.id]
    assert (await keys(tx, stranger)).keys == []
    assert [each.id for each in (await keys(tx, school.officers[0])).keys] == [issued.id]
    for days in (-1, 367):
        late = NewAttendanceKey("x", str(world.today + timedelta(days=days)))
        with pytest.raises(Invalid, match=r"attendance\.key_days"):
            await issue_key(tx, clerk, late, world.today, world.now)
    foreign = NewAttendanceKey("x", until, stranger.institution_id)
    for who in (clerk, school.officers[0]):
        with pytest.raises(NotFound, match=r"institution\.not_found"):
            await issue_key(tx, who, foreign, world.today, world.now)
    with pytest.raises(NotFound, match=r"attendance\.no_key"):
        await revoke_key(tx, stranger, issued.id, NewRevocation("x"), world.now)
    revoked = await revoke_key(tx, school.officers[0], issued.id, NewRevocation("设备丢失"), world.now)
    assert revoked.revoked_at == world.now
    with pytest.raises(Conflict, match=r"attendance\.key_revoked"):
        await revoke_key(tx, clerk, issued.id, NewRevocation("x"), world.now)
