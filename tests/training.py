"""The stage of classes: institutions that may hold them, officers who decide, and a class as a clerk types it."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import Range

from domain.actor import Actor, Post
from domain.errors import DomainError, Ineligible
from service.database import Tx
from service.institutions.tables import InstitutionScopeRow
from service.local.made_up import MadeUpPerson
from service.training.commands import deciding, filing, inspecting
from service.training.schemas import (
    ClassView,
    NewChange,
    NewClass,
    NewInspection,
    NewPlace,
    NewResult,
    NewSession,
    NewSite,
    NewTeacher,
)
from tests.world import WELDER, World

#: 60 学时 of level 4, four each morning and each afternoon; ten trainees.
HALF_DAYS, HOURS, SIZE = 15, 60, 10
MORNING, AFTERNOON = ("08:30", "11:30"), ("13:30", "16:30")


def as_teacher(made: MadeUpPerson) -> NewTeacher:
    return NewTeacher(made.name, made.id_number)


def as_place(made: MadeUpPerson) -> NewPlace:
    return NewPlace(made.name, made.id_number, made.phone)


def sessions(first: date, count: int = HALF_DAYS, room: str = "301室", **changed: Any) -> list[NewSession]:
    """Half days from `first` on."""
    found = []
    for n in range(count):
        begins, ends = AFTERNOON if n % 2 else MORNING
        day = str(first + timedelta(days=n // 2))
        given = {"day": day, "begins": begins, "ends": ends, "hours": 4, "room": room, "teacher": 1}
        found.append(NewSession(**{**given, **changed}))
    return found


@dataclass
class School:
    """`clerks[i]` file in district `world.here` and `world.other`; each institution has passed its inspection."""

    world: World
    officers: list[Actor]
    inspectors: list[Actor]
    first: date = field(init=False)
    inspected: int = 0

    def __post_init__(self) -> None:
        self.first = self.world.today + timedelta(days=30)

    @classmethod
    async def build(cls, tx: Tx, world: World, *, inspected: bool = True) -> "School":
        officers = [await world.user(tx, {Post.INSTITUTION_OFFICER}, at) for at in (world.here, world.other)]
        inspectors = [await world.user(tx, {Post.INSPECTOR}) for _ in range(2)]
        school = cls(world, officers, inspectors)
        for clerk in world.clerks:
            assert clerk.institution_id is not None
            await school.admit(tx, clerk.institution_id)
            if inspected:
                await school.inspect(tx, clerk.institution_id)
        return school

    async def admit(self, tx: Tx, institution_id: UUID, **changed: Any) -> None:
        """To teach the welder's levels 4 and 5."""
        days: Range[date] = Range(date(2020, 1, 1), None, bounds="[)")
        given = {"occupation": WELDER, "levels": ["4", "5"], "in_force": days, "source": "示例"}
        row = insert(InstitutionScopeRow).values(id=uuid4(), institution_id=institution_id, **{**given, **changed})
        await tx.execute(row)

    async def inspect(self, tx: Tx, institution_id: UUID, result: str = "passed") -> None:
        """Each inspection a second after the one before."""
        world, (one, other) = self.world, self.inspectors
        self.inspected += 1
        now = world.now + timedelta(seconds=self.inspected)
        opened = await inspecting.open_inspection(tx, one, NewInspection(institution_id), now)
        await inspecting.join_inspection(tx, other, opened.id, now)
        found = NewResult(result, str(world.today), "设备齐全")  # type: ignore[arg-type]
        await inspecting.record_result(tx, one, opened.id, found, world.today, now)

    def new(self, **changed: Any) -> NewClass:
        """A class that is granted, of new people; any part may be given otherwise."""
        maker = self.world.maker
        given: dict[str, Any] = {
            "item_code": WELDER,
            "level": "4",
            "planned_hours": HOURS,
            "site": NewSite("本部", "解放路 1 号", self.world.here),
            "teachers": [as_teacher(maker.person())],
            "sessions": sessions(self.first, room=f"{uuid4().hex[:8]}室"),
            "trainees": [as_place(maker.person()) for _ in range(SIZE)],
        }
        return NewClass(**{**given, **changed})

    async def file(self, tx: Tx, clerk: Actor | None = None, **changed: Any) -> ClassView:
        world = self.world
        new = self.new(**changed)
        return await filing.file_class(tx, clerk or world.clerks[0], new, world.today, world.now)

    async def approve(self, tx: Tx, class_id: UUID, officer: Actor | None = None) -> ClassView:
        officer = officer or self.officers[0]
        await self.world.provide(tx, officer.district or self.world.here)
        return await deciding.approve_class(tx, officer, class_id, self.world.now)

    async def approved(self, tx: Tx, **changed: Any) -> ClassView:
        return await self.approve(tx, (await self.file(tx, **changed)).id)

    async def change(self, tx: Tx, class_id: UUID, **what: Any) -> ClassView:
        """By the first clerk, today."""
        world, new = self.world, NewChange("教师出差", **what)
        return await filing.change_class(tx, world.clerks[0], class_id, new, world.today, world.now)

    def let_pass(self, days: int) -> None:
        """The world's own day; commands are given it."""
        self.world.today += timedelta(days=days)
        self.world.now += timedelta(days=days)

    async def attempt(self, tx: Tx, new: NewClass, clerk: Actor | None = None) -> list[str]:
        """The codes of everything that was refused; empty where it was filed."""
        world = self.world
        try:
            await filing.file_class(tx, clerk or world.clerks[0], new, world.today, world.now)
        except DomainError as refusal:
            return codes_of(refusal)
        return []


def codes_of(refusal: DomainError) -> list[str]:
    """Of a decision, the code of every rule that failed; else the refusal's own."""
    if not isinstance(refusal, Ineligible):
        return [refusal.code]
    return [each["code"] for each in refusal.facts["decision"]["outcomes"] if each["outcome"] == "failed"]
