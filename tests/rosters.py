"""Rosters as a clerk writes them, and the two jobs that file them, done as a worker does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain.actor import Actor
from service.claims.commands.rosters import receive_roster
from service.claims.queries.roster_sheet import sheet_of
from service.claims.queries.rosters import roster_page
from service.claims.schemas import RosterPage, RosterView
from service.claims.tables import RosterPortionRow
from service.database import transaction
from service.jobs import JobRow
from service.local.made_up import MadeUpPerson
from service.queue import Job
from tasks.rosters import file_portions, import_rosters
from tasks.runtime import do
from tests.sheets import Line, line_for
from tests.world import World


def line_of(world: World, made: MadeUpPerson | None = None, **other: str) -> Line:
    """A line that is filed today, of somebody new unless `made` says who; cells by heading may be given otherwise."""
    return line_for(made or world.maker.person(), world.maker, world.today, **other)


@dataclass
class Desk:
    """A clerk with rosters, each committed as soon as it is handed in."""

    world: World
    me: Actor
    ids: list[UUID] = field(default_factory=list)

    async def hand_in(self, data: bytes, kind: str = "csv", class_number: str | None = None) -> RosterView:
        async with transaction() as tx:
            view = await receive_roster(tx, self.me, data, kind, self.world.today, self.world.now, class_number)
        self.ids.append(view.id)
        return view

    async def import_it(self, roster_id: UUID) -> None:
        await do(import_rosters, await jobs(Job.IMPORT_ROSTER, [roster_id]))

    async def file_it(self, roster_id: UUID) -> None:
        await do(file_portions, await jobs(Job.FILE_ROSTER, await portions(roster_id)))

    async def through(
        self, data: bytes, kind: str = "csv", class_number: str | None = None, **page: Any
    ) -> RosterPage:
        """Hand in, read, file; the page that shows what became of it."""
        view = await self.hand_in(data, kind, class_number)
        await self.import_it(view.id)
        await self.file_it(view.id)
        return await self.see(view.id, **page)

    async def see(
        self, roster_id: UUID, *, after: int = 0, limit: int = 200, outcome: str | None = None
    ) -> RosterPage:
        async with transaction() as tx:
            return await roster_page(tx, self.me, roster_id, after=after, limit=limit, outcome=outcome)

    async def sheet_back(self, roster_id: UUID, kind: str | None = None, *, every: bool = False) -> bytes:
        async with transaction() as tx:
            return (await sheet_of(tx, self.me, roster_id, every=every, kind=kind)).content


async def jobs(kind: Job, subjects: Sequence[UUID]) -> list[int]:
    async with transaction() as tx:
        found = select(JobRow.id).where(JobRow.kind == str(kind), JobRow.subject.in_(subjects)).order_by(JobRow.id)
        return list((await tx.execute(found)).scalars())


async def portions(roster_id: UUID) -> list[UUID]:
    async with transaction() as tx:
        row = RosterPortionRow
        found = select(row.id).where(row.roster_id == roster_id).order_by(row.first_line)
        return list((await tx.execute(found)).scalars())


def reasons(page: RosterPage) -> dict[int, list[tuple[str, str]]]:
    """Line → (heading, code) of everything that keeps it out."""
    return {each.line: [(why.heading, why.code) for why in each.reasons] for each in page.results if each.reasons}
