"""The stage of money set aside for classes: a district that has none until somebody gives it some, with a school."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert

from domain.actor import Actor, Post
from domain.claim import ClaimAction
from domain.identity import CreditCode
from service.access.tables import DistrictRow
from service.claims.commands.filing import file_claim
from service.claims.commands.moves import move_claim
from service.database import Tx
from service.funds.queries import class_money
from service.funds.schemas import ClassMoneyView
from service.institutions.commands import list_institution
from service.journal import By
from service.local.made_up import MadeUpPerson
from service.training.commands import deciding
from service.training.schemas import ClassView, NewSite
from tests.assessments import finish
from tests.service.test_funds import Office
from tests.training import SIZE, School, as_place
from tests.world import WELDER_LEVEL_4_FEN, World

#: What a class of SIZE costs.
WHOLE = SIZE * WELDER_LEVEL_4_FEN


@dataclass
class Money:
    """`then`: the day before anything passed, in the year of which the money is. `made`: class → its trainees."""

    school: School
    office: Office
    clerk: Actor
    officer: Actor
    then: datetime
    made: dict[UUID, list[MadeUpPerson]]

    @classmethod
    async def build(cls, tx: Tx, world: World) -> "Money":
        school, district = await School.build(tx, world), uuid4().hex[:6].upper()
        await tx.execute(insert(DistrictRow).values(code=district, name="示例区", kind="district"))
        world.poor.add(district)
        posts = (Post.REVIEWER, Post.MAKER, Post.CHECKER, Post.RELEASER)
        office = Office(world, district, {post: await world.user(tx, {post}, district) for post in posts})
        code = CreditCode.parse(world.maker.credit_code())
        institution_id = await list_institution(tx, code, "示例学校", district, date(2020, 1, 1), "示例")
        await school.admit(tx, institution_id)
        await school.inspect(tx, institution_id)
        clerk = await world.user(tx, {Post.CLERK}, district, institution_id)
        officer = await world.user(tx, {Post.INSTITUTION_OFFICER}, district)
        return cls(school, office, clerk, officer, world.now, {})

    async def file(self, tx: Tx, size: int = SIZE, **changed: Any) -> ClassView:
        made = [self.school.world.maker.person() for _ in range(size)]
        site = NewSite("本部", f"解放路 {uuid4().hex[:6]} 号", self.office.district)
        given = {"trainees": [as_place(each) for each in made], "site": site}
        view = await self.school.file(tx, self.clerk, **{**given, **changed})
        self.made[view.id] = made
        return view

    async def approve(self, tx: Tx, class_id: UUID) -> ClassView:
        return await deciding.approve_class(tx, self.officer, class_id, self.school.world.now)

    async def approved(self, tx: Tx, size: int = SIZE) -> ClassView:
        return await self.approve(tx, (await self.file(tx, size)).id)

    async def ended(self, tx: Tx) -> None:
        """The days of every class pass."""
        if self.school.world.now == self.then:
            self.school.let_pass(40)
        await finish(tx, self.school)

    async def claims(self, tx: Tx, view: ClassView, count: int, **changed: Any) -> list[UUID]:
        """Verified claims of the first trainees of a class, through the institution."""
        found = []
        for made in self.made[view.id][:count]:
            found.append(await self.claim(tx, made, view.number, **changed))
        return found

    async def claim(self, tx: Tx, made: MadeUpPerson, number: str | None, **changed: Any) -> UUID:
        world = self.school.world
        trainee = await world.trainee(tx, made)
        mandate_id = await world.mandate(tx, self.clerk, trainee)
        given = {"mandate_id": mandate_id, "district": None, "class_number": number}
        new = world.new_claim(trainee, **{**given, **changed})
        claim_id = (await file_claim(tx, self.clerk, new, world.today, world.now)).id
        await move_claim(tx, ClaimAction.VERIFY, claim_id, By("tests", world.now))
        return claim_id

    async def of(self, tx: Tx, view: ClassView) -> tuple[int, int, int, int]:
        """Set aside, drawn, left, given back."""
        found = await class_money(tx, view.id)
        assert isinstance(found, ClassMoneyView)
        return found.set_aside_fen, found.drawn_fen, found.left_fen, found.given_back_fen
