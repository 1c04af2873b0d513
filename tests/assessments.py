"""The stage of assessments: a class that has ended, a body that was filed for it, and what it found as typed."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import Range

from domain.actor import Actor, Post
from domain.identity import CreditCode
from domain.institution import InstitutionKind
from service.assessments.commands.filing import file_assessment
from service.assessments.schemas import AssessmentView, NewAssessed, NewAssessment, NewExaminer
from service.database import Tx
from service.institutions.commands import list_institution
from service.institutions.tables import InstitutionScopeRow
from service.journal import By
from service.local.made_up import MadeUpPerson
from service.training.commands import deciding
from service.training.schemas import ClassView
from tests.training import SIZE, School, as_place, as_teacher
from tests.world import WELDER


@dataclass
class Examined:
    """A class of the first clerk that has ended: of its trainees the last two failed and were absent."""

    school: School
    view: ClassView
    trainees: list[MadeUpPerson]
    teacher: MadeUpPerson
    examiner: MadeUpPerson
    clerk: Actor
    numbers: list[str]

    @classmethod
    async def build(cls, tx: Tx, school: School) -> "Examined":
        made, teacher = [school.world.maker.person() for _ in range(SIZE)], school.world.maker.person()
        trainees = [as_place(each) for each in made]
        view = await school.approved(tx, trainees=trainees, teachers=[as_teacher(teacher)])
        school.let_pass(40)
        await finish(tx, school)
        maker = school.world.maker
        numbers = [maker.certificate("4", view.last.year) for _ in made]
        # of one body: its code stands in places 2 to 13
        numbers = [numbers[0][:13] + each[13:] for each in numbers]
        return cls(school, view, made, teacher, maker.person(), await body(tx, school), numbers)

    def results(self) -> list[NewAssessed]:
        day = str(self.school.world.today)
        passed = [
            NewAssessed(each.name, each.id_number, "passed", "85.5", number, day)
            for each, number in zip(self.trainees[:-2], self.numbers, strict=False)
        ]
        failed, absent = self.trainees[-2:]
        return [
            *passed,
            NewAssessed(failed.name, failed.id_number, "failed", "41"),
            NewAssessed(absent.name, absent.id_number, "absent"),
        ]

    def new(self, **changed: Any) -> NewAssessment:
        """That is granted; any part may be given otherwise."""
        given: dict[str, Any] = {
            "class_number": self.view.number,
            "assessed_on": str(self.school.world.today),
            "examiners": [NewExaminer(self.examiner.name, self.examiner.id_number)],
            "results": self.results(),
        }
        return NewAssessment(**{**given, **changed})

    async def file(self, tx: Tx, clerk: Actor | None = None, **changed: Any) -> list[AssessmentView]:
        world, new = self.school.world, self.new(**changed)
        return (await file_assessment(tx, clerk or self.clerk, new, world.today, world.now)).assessments


async def finish(tx: Tx, school: School) -> None:
    """What the days that passed make of classes."""
    for _ in range(2):
        while await deciding.advance(tx, school.world.today, By("tests", school.world.now)):
            pass


async def body(
    tx: Tx, school: School, code: str | None = None, levels: list[str] | None = None, first: date = date(2020, 1, 1)
) -> Actor:
    """The clerk of an assessment body that was filed for the welder's level 4 from `first` on."""
    world = school.world
    credit_code = CreditCode.parse(code or world.maker.credit_code())
    kind = InstitutionKind.ASSESSMENT_BODY
    institution_id = await list_institution(tx, credit_code, "示例评价", world.here, first, "示例", kind=kind)
    days: Range[date] = Range(first, None, bounds="[)")
    scope = {"occupation": WELDER, "levels": levels or ["4"], "in_force": days, "source": "示例"}
    await tx.execute(insert(InstitutionScopeRow).values(id=uuid4(), institution_id=institution_id, **scope))
    return await world.user(tx, {Post.CLERK}, world.here, institution_id)


def id_of(clerk: Actor) -> UUID:
    assert clerk.institution_id is not None
    return clerk.institution_id


def day_before(day: date) -> str:
    return str(day - timedelta(days=1))
