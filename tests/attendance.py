"""The stage of attendance: classes that were held lately, their people by number, and sheets of who was there."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from domain.actor import Actor
from service.clock import SHANGHAI
from service.database import Tx
from service.gateways.attendance_sheets import read_sheet
from service.gateways.sheet_files import FILES
from service.training.commands import attendance
from service.training.commands.filing import file_class
from service.training.schemas import NewClass
from service.training.schemas.attendance import NewDeviceMark, ReceivedView
from tests.training import AFTERNOON, MORNING, School
from tests.world import World

#: A class that is filed so long ago has had all of its sessions by now.
AGO = timedelta(days=40)
HEADING = ["身份证号", "姓名", "日期", "签到", "签退"]
Line = tuple[str, date, str, str]


@dataclass
class HeldClassOf:
    """A class with what a clerk knows of it."""

    id: UUID
    number: str
    new: NewClass

    def number_of(self, line: int) -> str:
        return self.new.trainees[line - 1].id_number


async def school_of_before(tx: Tx, world: World) -> School:
    """One that files `AGO`; `held` brings it back to the present."""
    world.today -= AGO
    world.now -= AGO
    return await School.build(tx, world)


async def held(tx: Tx, school: School, clerk: int = 0, **changed: Any) -> HeldClassOf:
    """A class that was filed and approved `AGO`, before `let_pass`."""
    world, new = school.world, school.new(**changed)
    view = await file_class(tx, world.clerks[clerk], new, world.today, world.now)
    approved = await school.approve(tx, view.id)
    return HeldClassOf(view.id, approved.number, new)


def whole_days(of: HeldClassOf, first: date, days: int, trainees: int = 1) -> list[Line]:
    """The first trainees at both sessions of the first days, on time."""
    return [
        (of.number_of(line), first + timedelta(days=day), *times)
        for day in range(days)
        for times in (MORNING, AFTERNOON)
        for line in range(1, trainees + 1)
    ]


def sheet(lines: list[Line], kind: str = "csv") -> bytes:
    file = FILES[kind]()
    file.add([HEADING, *([number, "某某", day.isoformat(), came, left] for number, day, came, left in lines)])
    return file.content()


async def upload(
    tx: Tx, school: School, of: HeldClassOf, lines: list[Line], clerk: Actor | None = None
) -> ReceivedView:
    """A sheet handed in now, by the first clerk."""
    world, data = school.world, sheet(lines)
    read = read_sheet(data, "attendance.csv")
    return await attendance.upload_sheet(tx, clerk or world.clerks[0], of.id, data, read, world.today, world.now)


def at(day: date, clock: str) -> str:
    """An instant as devices write it."""
    hours, minutes = map(int, clock.split(":"))
    return datetime.combine(day, time(hours, minutes), SHANGHAI).isoformat()


def event(name: str, number: str, day: date, came: str, left: str) -> NewDeviceMark:
    return NewDeviceMark(name, number, at(day, came), at(day, left))


def codes_of(received: ReceivedView) -> list[tuple[int, str, str]]:
    return [(each.at, each.field, each.code) for each in received.refusals]
