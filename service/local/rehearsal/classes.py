"""The classes of a season: inspected, filed, approved, patrolled while they are held, attended, assessed, closed."""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from service.gateways.sheet_files import CSV_TYPE, CsvFile
from service.local.cast import SCHOOLS
from service.local.rehearsal.calls import Desk, Unexpected
from service.local.rehearsal.courses import Course, Mark, Rules
from service.local.rehearsal.officers import let_days_pass, read_today, supplement
from service.local.rehearsal.people import BODY_CLERK, INSPECTORS, Trainee
from service.local.rehearsal.season import Bar, Season

#: A draw may look so many days ahead; a clock that moves twice by the stride must not pass the day that is drawn.
_DRAW_DAYS_AHEAD, _STRIDE = 7, 3
#: What is asked for where a district lacks the money to set aside for a class, for each place.
_FEN_A_PLACE = 500_000
_MARKS_PER_CALL = 500
_KEY_DAYS = 60
_JPEG = "image/jpeg"
#: Some bytes that begin as a photo does.
_PHOTO = b"\xff\xd8\xff rehearsed "


@dataclass(frozen=True)
class HeldClass:
    """A class that was approved: its id and number (开班编号)."""

    course: Course
    id: str
    number: str

    @property
    def officer(self) -> str:
        return f"officer-{self.course.district}"


async def read_rules(desk: Desk) -> Rules:
    """What policy asks of a class."""
    told = (await desk.ask("GET", "/api/policies")).body["policies"]
    policy = {each["key"]: each["value"] for each in told}
    names = ("class_size_least", "class_day_hours_most", "class_hour_minutes", "class_reference_hours")
    return Rules(*(policy[name] for name in names))


async def hold_classes(desk: Desk, season: Season, courses: Sequence[Course], seed: int) -> list[HeldClass]:
    """From the first inspection to the results; days pass meanwhile. The classes that were approved."""
    await _inspect(desk, season, courses)
    held = await _file(desk, season, courses)
    await _draw_patrols(desk, season, held)
    await _patrol(desk, season, held)
    await _hand_in_attendance(desk, season, held, seed)
    await _tell_results(desk, season, held)
    return held


def with_numbers(trainees: Sequence[Trainee], held: Sequence[HeldClass]) -> list[Trainee]:
    """The trainees, those of a class with its number."""
    numbers = {each.certificate: of.number for of in held for each in of.course.claimants}
    return [replace(each, class_number=numbers.get(each.certificate, "")) for each in trainees]


async def close_classes(desk: Desk, season: Season, held: Sequence[HeldClass]) -> None:
    """What was set aside and not drawn is free for others."""
    async with season.stage("close_classes", len(held)) as bar:

        async def close(of: HeldClass) -> None:
            await desk.ask("POST", f"/api/classes/{of.id}/close", login=of.officer, key=_key())

        await season.each(held, close, bar)


def _key() -> str:
    """For one call, however often it has to be repeated."""
    return str(uuid4())


async def _inspect(desk: Desk, season: Season, courses: Sequence[Course]) -> None:
    """Two inspectors visit each institution."""
    async with season.stage("inspect", len(courses)) as bar:
        ids = {name: known async for name, known in _institutions(desk)}

        async def inspect(course: Course) -> None:
            body, (one, other) = {"institution_id": ids[SCHOOLS[course.district]]}, INSPECTORS
            opened = (await desk.ask("POST", "/api/inspections", body, login=one, key=_key())).body
            path = f"/api/inspections/{opened['id']}"
            await desk.ask("POST", f"{path}/join", login=other, key=_key())
            found = {"result": "passed", "inspected_on": f"{await read_today(desk)}", "note": "彩排：场地和设备齐全"}
            await desk.ask("POST", f"{path}/result", found, login=one, key=_key())

        await season.each(courses, inspect, bar)


async def _institutions(desk: Desk) -> AsyncIterator[tuple[str, str]]:
    """Name and id of every institution in the public catalog, page by page."""
    after = ""
    while after is not None:
        page = (await desk.ask("GET", f"/api/institutions?limit=200&after={after}")).body
        for each in page["institutions"]:
            yield each["name"], each["id"]
        after = page["next"]


async def _file(desk: Desk, season: Season, courses: Sequence[Course]) -> list[HeldClass]:
    """Each institution files its class, and its district approves it, finding the money where there is none."""
    held = []
    async with season.stage("classes", len(courses)) as bar:

        async def file(course: Course) -> None:
            filed = (await desk.ask("POST", "/api/classes", course.filing(), login=course.clerk, key=_key())).body
            path, officer = f"/api/classes/{filed['id']}/approve", f"officer-{course.district}"
            poor = {"fund.none", "fund.insufficient"}
            approved = await desk.ask("POST", path, login=officer, key=_key(), refusals=poor)
            if approved.code:
                await supplement(desk, course.district, _FEN_A_PLACE * len(course.people))
                approved = await desk.ask("POST", path, login=officer, key=_key())
            held.append(HeldClass(course, filed["id"], approved.body["number"]))

        await season.each(courses, file, bar)
    return held


async def _draw_patrols(desk: Desk, season: Season, held: Sequence[HeldClass]) -> None:
    """One session of each class's first day is drawn, some days before."""
    async with season.stage("patrol_draw", len(held)) as bar:
        for of in held:
            await let_days_pass(desk, of.course.first - timedelta(days=_DRAW_DAYS_AHEAD), _STRIDE)
            new = {"day": f"{of.course.first}", "count": 1, "kind": "on_site"}
            await desk.ask("POST", "/api/patrols/draw", new, login=of.officer, key=_key())
            bar.advance()


async def _patrol(desk: Desk, season: Season, held: Sequence[HeldClass]) -> None:
    """The next day what two inspectors saw is told, with a photo."""
    async with season.stage("patrols", len(held)) as bar:
        for of in held:
            await let_days_pass(desk, of.course.first + timedelta(days=1))
            drawn = (await desk.ask("GET", f"/api/patrols?day={of.course.first}", login=of.officer)).body["patrols"]
            for each in drawn:
                if each["class_id"] == of.id:
                    await _look(desk, f"/api/patrols/{each['id']}", of)
                    bar.advance()


async def _look(desk: Desk, path: str, of: HeldClass) -> None:
    for inspector in INSPECTORS:
        await desk.ask("POST", f"{path}/join", login=inspector, key=_key())
    one, photo = INSPECTORS[0], _PHOTO + of.number.encode()
    await desk.ask("POST", f"{path}/evidence", photo, login=one, key=_key(), kind=_JPEG)
    found = {"result": "passed", "headcount": len(of.course.people), "findings": "彩排：与课程表一致"}
    await desk.ask("POST", f"{path}/result", found, login=one, key=_key())


async def _hand_in_attendance(desk: Desk, season: Season, held: Sequence[HeldClass], seed: int) -> None:
    """After the last session; one institution hands in a sheet, another has a device, and so on in turn."""
    ways = (_hand_in_sheet, _hand_in_by_device)
    marks = [list(of.course.marks(random.Random(f"marks {seed} {of.number}"))) for of in held]  # noqa: S311
    async with season.stage("attendance", sum(map(len, marks))) as bar:
        for place, (of, own) in enumerate(zip(held, marks, strict=True)):
            await let_days_pass(desk, of.course.assessed_on)
            await ways[place % len(ways)](desk, of, own, bar)


async def _hand_in_sheet(desk: Desk, of: HeldClass, marks: Sequence[Mark], bar: Bar) -> None:
    sheet = CsvFile()
    lines = ([m.person.id_number, f"{m.came:%Y-%m-%d}", f"{m.came:%H:%M:%S}", f"{m.left:%H:%M:%S}"] for m in marks)
    sheet.add([["身份证号", "日期", "签到", "签退"], *lines])
    path, kind = f"/api/classes/{of.id}/attendance", CSV_TYPE
    _received(await desk.ask("POST", path, sheet.content(), login=of.course.clerk, key=_key(), kind=kind), marks, bar)


async def _hand_in_by_device(desk: Desk, of: HeldClass, marks: Sequence[Mark], bar: Bar) -> None:
    """By a key that the clerk is given; each event once, however often it is sent."""
    until = f"{await read_today(desk) + timedelta(days=_KEY_DAYS)}"
    new = {"name": "彩排考勤机", "until": until}
    device = (await desk.ask("POST", "/api/attendance/keys", new, login=of.course.clerk)).body["key"]
    for start in range(0, len(marks), _MARKS_PER_CALL):
        part = marks[start : start + _MARKS_PER_CALL]
        told = [
            {
                "event": f"{of.number}-{n}",
                "id_number": each.person.id_number,
                "came": each.came.isoformat(),
                "left": each.left.isoformat(),
            }
            for n, each in enumerate(part, start)
        ]
        body = {"class_number": of.number, "marks": told}
        _received(await desk.ask("POST", "/api/attendance/device", body, bearer=device), part, bar)


def _received(reply: Any, marks: Sequence[Mark], bar: Bar) -> None:
    """All of them, now or by a call whose answer was lost."""
    told = reply.body
    if told["refused"] or told["new"] + told["known"] != len(marks):
        raise Unexpected(f"考勤 {len(marks)} 条，新收 {told['new']}，已有 {told['known']}，拒收 {told['refused']}")
    bar.advance(len(marks))


async def _tell_results(desk: Desk, season: Season, held: Sequence[HeldClass]) -> None:
    """Once the class is finished, which its days bring about by themselves."""
    async with season.stage("results", sum(len(of.course.people) for of in held)) as bar:

        async def tell(of: HeldClass) -> None:
            async def is_finished() -> bool:
                seen = await desk.ask("GET", f"/api/classes/{of.id}", login=of.officer)
                return str(seen.body["status"]) == "finished"

            await season.until(is_finished)
            examiner = of.course.examiner
            told = {
                "class_number": of.number,
                "assessed_on": f"{of.course.assessed_on}",
                "examiners": [{"name": examiner.name, "id_number": examiner.id_number}],
                "results": of.course.results(),
            }
            await desk.ask("POST", "/api/assessments", told, login=BODY_CLERK, key=_key())

        await season.each(held, tell, bar, size=lambda of: len(of.course.people))
