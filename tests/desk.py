"""The officers' desk of a district of its own: reviewers, second reviewers, a publisher, and claims for them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from domain.actor import Actor, Post
from domain.second_review import SecondFinding
from service.access.commands import load_districts
from service.claims.commands.review import approve_claim
from service.claims.tables import ClaimRow
from service.database import Tx
from service.notices.commands import publish_notice
from service.work.commands.looking_again import look_again
from service.work.queries.waiting import Chosen, work
from service.work.schemas import ApprovalsView, Kind, NewSecondFinding, WorkList
from tests.world import World

CONFIRMED = NewSecondFinding(SecondFinding.CONFIRMED)
OVERTURNED = NewSecondFinding(SecondFinding.OVERTURNED, "学时对不上")


@dataclass
class Desk:
    world: World
    district: str
    reviewer: Actor
    colleague: Actor
    second: Actor
    publisher: Actor

    @classmethod
    async def build(cls, tx: Tx, world: World, percent: int = 0) -> "Desk":
        """`percent` is the sample's; no amount is large unless a test says so."""
        district = f"D{uuid4().hex[:10]}"
        await load_districts(tx, [{"code": district, "name": "审核区", "parent": None, "kind": "district"}])
        posts = (Post.REVIEWER, Post.REVIEWER, Post.SECOND_REVIEWER, Post.NOTICE_PUBLISHER)
        officers = await world.users(tx, [(post, district, None) for post in posts])
        if percent:
            await world.set_policy(tx, "second_review_percent", percent)
        return cls(world, district, *officers)

    async def claim(self, tx: Tx, status: str = "verified", **other: Any) -> UUID:
        return (await self.world.claim(tx, status, district=self.district, **other)).id

    async def approved(self, tx: Tx, claim_id: UUID | None = None, me: Actor | None = None) -> UUID:
        claim_id = claim_id or await self.claim(tx)
        await approve_claim(tx, me or self.reviewer, claim_id, "", self.world.now)
        return claim_id

    async def look(
        self, tx: Tx, claim_id: UUID, found: NewSecondFinding = CONFIRMED, me: Actor | None = None
    ) -> ApprovalsView:
        return await look_again(tx, me or self.second, claim_id, found, self.world.now)

    async def publish(self, tx: Tx) -> int:
        return (await publish_notice(tx, self.publisher, self.world.today, self.world.now)).line_count

    async def work(
        self, tx: Tx, me: Actor | None = None, kind: Kind | None = None, limit: int = 50, **chosen: str
    ) -> WorkList:
        return await work(tx, me or self.reviewer, Chosen(kind, **chosen), None, limit, self.world.now)

    async def waits(self, tx: Tx, me: Actor | None = None, kind: Kind | None = None, **chosen: str) -> list[UUID]:
        return [each.claim_id for each in (await self.work(tx, me, kind, **chosen)).work]

    async def another(self, tx: Tx, *posts: Post) -> Actor:
        return await self.world.user(tx, set(posts), self.district)


async def status_of(tx: Tx, claim_id: UUID) -> str:
    return str((await tx.execute(select(ClaimRow.status).where(ClaimRow.id == claim_id))).scalar_one())
