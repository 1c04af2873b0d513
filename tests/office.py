"""An officers' desk whose claims are committed, and a browser for each of its officers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from domain.actor import Actor
from domain.claim import ClaimAction
from service.claims.commands.moves import move_claim
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimView
from service.database import transaction
from service.journal import By
from service.security import open_session
from tests.desk import Desk, status_of
from tests.pages import Browser, at_a_browser
from tests.world import Trainee, World

#: What somebody may write anywhere.
XSS = "<script>alert(1)</script><b onmouseover=x>"


@dataclass
class Office:
    """A desk that others' transactions see, and a browser for each of its officers."""

    desk: Desk
    world: World
    open_browser: Callable[[Actor], Awaitable[Browser]]
    trainees: dict[UUID, Trainee] = field(default_factory=dict)

    async def claim(self, status: str = "verified", level: str = "4") -> UUID:
        async with transaction() as tx:
            trainee, number = await self.world.trainee(tx), self.world.maker.certificate(level, self.world.today.year)
            about = {"level": level, "certificate_number": number}
            claim_id = await self.desk.claim(tx, status, trainee=trainee, **about)
        self.trainees[claim_id] = trainee
        return claim_id

    async def questioned(self, outcome: str = "mismatch", level: str = "4") -> UUID:
        """In review since the registry said so."""
        claim_id = await self.claim("filed", level)
        async with transaction() as tx:
            await self.world.registered(tx, claim_id, outcome)
            by = By("verification.verify_certificate", self.world.now)
            await move_claim(tx, ClaimAction.QUESTION, claim_id, by, reason=f"registry.{outcome}")
        return claim_id

    async def seen(self, claim_id: UUID) -> ClaimView:
        async with transaction() as tx:
            return await claim_view(tx, self.desk.reviewer, claim_id)

    async def status(self, claim_id: UUID) -> str:
        async with transaction() as tx:
            return await status_of(tx, claim_id)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with AsyncExitStack() as stack:
        async with transaction() as tx:
            world = await World.build(tx)
            desk = await Desk.build(tx, world)

        async def open_browser(me: Actor) -> Browser:
            async with transaction() as tx:
                token = (await open_session(tx, me)).token
            return await stack.enter_async_context(at_a_browser(token))

        yield Office(desk, world, open_browser)
