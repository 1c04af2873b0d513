"""A procured project on a stage: a contractor with an account, a confirmed contract, and a result."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.actor import Actor
from service.claims.commands.project_places import file_place
from service.claims.schemas import ClaimView, NewPlace, NewTrainee
from service.database import Tx
from service.projects import commands
from service.projects.schemas import NewProject, NewResult
from tests.enterprises import Enterprise
from tests.world import World

#: What the sample standards give for one head, all of a hundred in work.
PLACE_FEN = 450_000


@dataclass
class Procured:
    """Under contract for thirty days back and a hundred on."""

    world: World
    contractor: Enterprise
    id: UUID

    @classmethod
    async def build(
        cls,
        tx: Tx,
        world: World,
        *,
        places: int = 10,
        percent: int | None = 100,
        confirmed: bool = True,
        **other: Any,
    ) -> "Procured":
        contractor = await Enterprise.build(tx, world, other.pop("district", None))
        project = cls(world, contractor, UUID(int=0))
        proposed = await project.propose(tx, places=places, **other)
        project.id = proposed
        if confirmed:
            await commands.confirm_project(tx, contractor.officers[1], project.id, world.now)
        if percent is not None:
            await project.reach(tx, percent)
        return project

    async def propose(self, tx: Tx, **other: Any) -> UUID:
        named = text(
            "SELECT name FROM catalog_items WHERE code IS NULL AND list_kind = 'project' ORDER BY place LIMIT 1"
        )
        today, places = self.world.today, other.get("places", 10)
        given: dict[str, Any] = {
            "institution_id": self.contractor.id,
            "item": (await tx.execute(named)).scalar_one(),
            "contract_number": f"XM-{self.contractor.name[-4:]}-{places}",
            "valid_from": (today - timedelta(days=30)).isoformat(),
            "valid_to": (today + timedelta(days=100)).isoformat(),
            "places": 10,
            "cap_fen": places * PLACE_FEN,
            "place_fen": PLACE_FEN,
            "document_sha256": "b" * 64,
        }
        new = NewProject(**{**given, **other})
        return (await commands.propose_project(tx, self.contractor.officers[0], new, self.world.now)).id

    async def reach(self, tx: Tx, percent: int, days_ago: int = 0) -> None:
        self.contractor.answered += timedelta(seconds=1)
        world, now = self.world, self.world.now + self.contractor.answered
        new = NewResult((world.today - timedelta(days=days_ago)).isoformat(), percent, "c" * 64)
        await commands.record_result(tx, self.contractor.clerk, self.id, new, world.today, now)

    def new_place(self) -> NewPlace:
        """Of somebody new."""
        made = self.world.maker.person()
        return NewPlace(NewTrainee(made.name, made.id_number, made.phone))

    async def claim(self, tx: Tx, new: NewPlace | None = None, clerk: Actor | None = None) -> ClaimView:
        await self.world.provide(tx, self.contractor.clerk.district or "")
        new = new or self.new_place()
        return await file_place(tx, clerk or self.contractor.clerk, self.id, new, self.world.today, self.world.now)
