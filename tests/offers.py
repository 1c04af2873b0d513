"""The stage of offers: a class whose results stand, and what the sweep makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from domain.actor import Actor
from service.claims.schemas import NewAccount, NewClaim
from service.database import Tx
from service.offers.commands import confirm_offer, expire_portion, prepare_portion
from service.offers.queries import BEGINNING, Place, my_offers
from service.offers.schemas import ConfirmedView, NewConfirmation, OfferView
from service.offers.tables import OfferRow
from tests.assessments import Examined
from tests.training import School
from tests.world import Trainee, World

#: How long before today the class was filed, so that its results are told today.
AGO = 40


@dataclass
class Results:
    """`trainees`: with users, of those who passed, in the order of the class."""

    examined: Examined
    trainees: list[Trainee]

    @classmethod
    async def build(cls, tx: Tx, world: World, *, of_years_ago: int = 0) -> "Results":
        """`of_years_ago`: the first certificate's number is of an earlier year than its day."""
        school = await School.build(tx, world)
        school.let_pass(-AGO)
        school.first = world.today + timedelta(days=30)
        examined = await Examined.build(tx, school)
        first = examined.numbers[0]
        examined.numbers[0] = f"{first[:13]}{int(first[13:15]) - of_years_ago:02d}{first[15:]}"
        await examined.file(tx)
        return cls(examined, [await world.trainee(tx, made) for made in examined.trainees[:-2]])

    @property
    def world(self) -> World:
        return self.examined.school.world

    def claim(self, place: int, **changed: Any) -> NewClaim:
        """What the trainee would type by themself."""
        of = self.examined
        given = {"certificate_number": of.numbers[place], "class_number": of.view.number}
        return self.world.new_claim(self.trainees[place], **{**given, **changed})

    def confirmation(self, place: int, **changed: Any) -> NewConfirmation:
        trainee = self.trainees[place]
        account = NewAccount(trainee.card, trainee.made.name, self.world.maker.bank_code())
        return NewConfirmation(**{"account": account, "truth": True, **changed})

    async def prepare(self, tx: Tx) -> list[int]:
        """The sweep; answers the places of the trainees to whom something was offered so far."""
        after: Place | None = BEGINNING
        while after is not None:
            after = await prepare_portion(tx, after, self.world.today, self.world.now)
        offered = {row.person_id for row in await self.rows(tx)}
        return [place for place, each in enumerate(self.trainees) if each.actor.person_id in offered]

    async def expire(self, tx: Tx) -> None:
        while await expire_portion(tx, self.world.today, self.world.now):
            pass

    async def rows(self, tx: Tx) -> Sequence[Row[Any]]:
        row = OfferRow
        asked = select(*row.__table__.c).where(row.class_id == self.examined.view.id)
        return (await tx.execute(asked.order_by(row.certificate_number))).all()

    async def shown(self, tx: Tx, place: int) -> list[OfferView]:
        return (await my_offers(tx, self.trainees[place].actor, self.world.today)).offers

    async def offer_of(self, tx: Tx, place: int) -> UUID:
        mine = self.trainees[place].actor.person_id
        return next(row.id for row in await self.rows(tx) if row.person_id == mine)

    async def confirm(self, tx: Tx, place: int, me: Actor | None = None, **changed: Any) -> ConfirmedView:
        offer_id, world = await self.offer_of(tx, place), self.world
        await world.provide(tx, world.here)
        new = self.confirmation(place, **changed)
        return await confirm_offer(tx, me or self.trainees[place].actor, offer_id, new, world.today, world.now)
