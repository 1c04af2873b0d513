"""The stage of a selection: officers, assessors, an institution with its clerk, and rounds brought to where they are
needed through the real commands."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from domain.actor import Actor, Post
from domain.errors import Invalid
from domain.institution import InstitutionKind
from service.database import Tx
from service.institutions.commands import admitting, applying, registering, rounds
from service.institutions.schemas import (
    ApplicationView,
    NewApplication,
    NewCriterion,
    NewInstitution,
    NewRound,
    NewScope,
    NewSheet,
    RoundView,
    Span,
)
from tests.world import WELDER, World

PDF = b"%PDF-1.7 a paper"
COOK = "4-03-02-01"
A_DAY = timedelta(days=1)


def codes(refusal: Invalid) -> list[tuple[str, str]]:
    """Everything that was told at once: field and code."""
    return [(each.field, each.code) for each in (refusal, *refusal.others)]


@dataclass
class Selecting:
    """Applications are open from today for five days; who is admitted stands in the catalog for the next year."""

    world: World
    officer: Actor
    assessors: list[Actor]
    institution_id: UUID
    clerk: Actor

    @classmethod
    async def of(cls, tx: Tx, world: World) -> "Selecting":
        officer = await world.user(tx, {Post.INSTITUTION_OFFICER})
        assessors = [await world.user(tx, {Post.ASSESSOR}) for _ in range(3)]
        institution_id, clerk = await cls.institution(tx, world, officer)
        return cls(world, officer, assessors, institution_id, clerk)

    @staticmethod
    async def institution(
        tx: Tx, world: World, officer: Actor, kind: InstitutionKind = InstitutionKind.PRIVATE_SCHOOL
    ) -> tuple[UUID, Actor]:
        """An institution that is registered and was never listed, and its clerk."""
        new = NewInstitution(world.maker.credit_code(), "示例技能学校（历下）", kind, world.here)
        added = await registering.register(tx, officer, new, world.now)
        return added.id, await world.user(tx, {Post.CLERK}, world.here, added.id)

    @property
    def closed(self) -> date:
        """The first day on which no more applications are taken."""
        return self.world.today + A_DAY * 5

    @property
    def admitted_on(self) -> date:
        return date(self.world.today.year + 1, 3, 1)

    def new_round(self, **other: Any) -> NewRound:
        today, first = self.world.today, self.admitted_on
        given: dict[str, Any] = {
            "year": first.year,
            "title": "示例遴选",
            "kinds": [InstitutionKind.PRIVATE_SCHOOL],
            "criteria": [NewCriterion("师资", 60), NewCriterion("场地", 40)],
            "pass_mark": 60,
            "assessors": 2,
            "applications": Span(str(today), str(self.closed - A_DAY)),
            "admits": Span(str(first), str(first.replace(year=first.year + 1) - A_DAY)),
        }
        return NewRound(**{**given, **other})

    async def announced(self, tx: Tx, **other: Any) -> RoundView:
        return await rounds.announce(tx, self.officer, self.new_round(**other), self.world.today, self.world.now)

    async def document(self, tx: Tx, data: bytes = PDF, clerk: Actor | None = None) -> UUID:
        clerk = clerk or self.clerk
        assert clerk.institution_id is not None
        about = clerk.institution_id, "办学许可证", "application/pdf", data, self.world.now
        return (await applying.hand_in_document(tx, clerk, *about)).id

    async def applied(self, tx: Tx, round_id: UUID, clerk: Actor | None = None, **other: Any) -> ApplicationView:
        clerk = clerk or self.clerk
        given: dict[str, Any] = {
            "scopes": [NewScope(WELDER, ["4", "5"])],
            "documents": [await self.document(tx, clerk=clerk)],
        }
        new = NewApplication(**{**given, **other})
        return await applying.apply(tx, clerk, round_id, new, self.world.today, self.world.now)

    async def score(self, tx: Tx, application_id: UUID, assessor: Actor, **points: int) -> ApplicationView:
        new = NewSheet({"师资": 80, "场地": 70, **points}, "现场看过")
        return await applying.score(tx, assessor, application_id, new, self.closed, self.world.now)

    async def scored(self, tx: Tx, application_id: UUID, **points: int) -> None:
        for assessor in self.assessors[:2]:
            await self.score(tx, application_id, assessor, **points)

    async def publicised(self, tx: Tx, round_id: UUID) -> RoundView:
        return await rounds.publicise(tx, self.officer, round_id, self.closed, self.world.now)

    async def nominated(self, tx: Tx, **points: int) -> tuple[RoundView, ApplicationView]:
        """A round in publicity, with an application of the institution that was scored."""
        announced = await self.announced(tx)
        application = await self.applied(tx, announced.id)
        await self.scored(tx, application.id, **points)
        return await self.publicised(tx, announced.id), application

    async def admitted(self, tx: Tx) -> tuple[RoundView, ApplicationView]:
        publicised, application = await self.nominated(tx)
        assert publicised.publicity is not None
        assert publicised.publicity.last is not None
        over = publicised.publicity.last + A_DAY
        return publicised, await admitting.admit(tx, self.officer, application.id, over, self.world.now)
