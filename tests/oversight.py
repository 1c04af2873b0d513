"""The stage of oversight: three officers of the city, one of each district, two of the third party."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from domain.actor import Actor, Post
from domain.institution import StandingOn
from domain.penalty import EventKind
from service.claims.schemas import ClaimView
from service.claims.tables import ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.institutions.queries import standings
from service.institutions.tables import InstitutionRow
from service.oversight.commands import crediting, penalties
from service.oversight.schemas import CreditEventView, NewCreditEvent, NewPenalty, PenaltyView
from service.people.tables import PersonRow
from tests.world import World

SHA = "ab" * 32


@dataclass
class Oversight:
    """`code` and `institution_id` are of the institution in district `here`, whose clerk is `clerk`."""

    world: World
    proposer: Actor
    decider: Actor
    third: Actor
    here: Actor
    there: Actor
    evaluators: list[Actor]
    clerk: Actor
    other_clerk: Actor
    code: str
    institution_id: UUID

    @classmethod
    async def build(cls, tx: Tx, world: World) -> "Oversight":
        post = {Post.INSTITUTION_OFFICER}
        city = [await world.user(tx, post) for _ in range(3)]
        districts = [await world.user(tx, post, district) for district in (world.here, world.other)]
        evaluators = [await world.user(tx, {Post.EVALUATOR}) for _ in range(2)]
        clerk, other = world.clerks
        assert clerk.institution_id is not None
        asked = select(InstitutionRow.credit_code).where(InstitutionRow.id == clerk.institution_id)
        code = (await tx.execute(asked)).scalar_one()
        return cls(world, *city, *districts, evaluators, clerk, other, code, clerk.institution_id)

    def event(self, kind: EventKind = EventKind.PATROL_FAILED, points: int = -6, **other: Any) -> NewCreditEvent:
        given = {"happened_on": self.world.today.isoformat(), "words": "巡查时无人上课", "document_sha256": SHA}
        return NewCreditEvent(self.code, kind, points=points, **{**given, **other})

    async def happens(self, tx: Tx, *args: Any, **other: Any) -> CreditEventView:
        new = self.event(*args, **other)
        return await crediting.record_event(tx, self.here, new, self.world.today, self.world.now)

    def penalty(self, step: str, first: date | None = None, **other: Any) -> NewPenalty:
        first = first or self.world.today
        given = {"reason": "巡查两次不合格", "document_sha256": SHA}
        return NewPenalty(self.code, step, first.isoformat(), **{**given, **other})

    async def proposed(self, tx: Tx, step: str, first: date | None = None) -> PenaltyView:
        new = self.penalty(step, first)
        return await penalties.propose(tx, self.proposer, new, self.world.today, self.world.now)

    async def imposed(self, tx: Tx, step: str, first: date | None = None) -> PenaltyView:
        proposed = await self.proposed(tx, step, first)
        return await penalties.impose(tx, self.decider, proposed.id, self.world.today, self.world.now)

    async def stands(self, tx: Tx, day: date) -> StandingOn:
        return (await standings(tx, [self.institution_id], day))[self.institution_id]

    def let_pass(self, days: int) -> None:
        """The world's own day; commands are given it."""
        self.world.today += timedelta(days=days)
        self.world.now += timedelta(days=days)


async def many_with_one_phone(tx: Tx, city: Oversight, people: int = 5) -> list[ClaimView]:
    """Claims through the institution by as many people, all under one telephone."""
    claims = [await city.world.through_institution(tx, city.clerk) for _ in range(people)]
    row, one = PersonRow, keyring().blind_index("phone", "13800138000")
    of_claims = select(ClaimRow.person_id).where(ClaimRow.id.in_([each.id for each in claims]))
    await tx.execute(update(row).where(row.id.in_(of_claims)).values(phone_index=one))
    return claims
