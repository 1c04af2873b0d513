"""A claim that an institution filed for a trainee under a mandate, paid: what the trainee may object to."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.actor import Actor, Post
from domain.claim import ClaimAction
from domain.identity import CreditCode
from service.claims.commands.filing import file_claim
from service.claims.commands.moves import move_claim
from service.database import Tx
from service.institutions.commands import list_institution
from service.journal import By
from service.reconciliation.commands import read, take_return
from tests.payments import Stage, a_return, lines_of
from tests.world import Trainee, World


@dataclass
class PaidForThem:
    """In a district of its own, with a reviewer; the institution's `clerk` filed `claim_id` for the `trainee`."""

    stage: Stage
    trainee: Trainee
    clerk: Actor
    reviewer: Actor
    mandate_id: UUID
    claim_id: UUID

    @classmethod
    async def build(cls, tx: Tx, world: World, *, paid: bool = True) -> "PaidForThem":
        stage = await Stage.build(tx, world, claims=0)
        code = CreditCode.parse(world.maker.credit_code())
        institution = await list_institution(tx, code, "示例学校", stage.district, date(2020, 1, 1), "示例")
        clerk = await world.user(tx, {Post.CLERK}, stage.district, institution)
        reviewer = await world.user(tx, {Post.REVIEWER}, stage.district)
        await world.provide(tx, stage.district)
        trainee = await world.trainee(tx)
        mandate_id = await world.mandate(tx, clerk, trainee)
        new = world.new_claim(trainee, mandate_id=mandate_id, district=None)
        claim = await file_claim(tx, clerk, new, world.today, world.now)
        for action in (ClaimAction.VERIFY, ClaimAction.APPROVE, ClaimAction.PUBLISH, ClaimAction.CLEAR):
            await move_claim(tx, action, claim.id, By("tests", world.now))
        there = cls(stage, trainee, clerk, reviewer, mandate_id, claim.id)
        if paid:
            await there.pay(tx)
        return there

    async def pay(self, tx: Tx) -> None:
        batch = await self.stage.sent(tx)
        data = a_return(
            batch, [(line.reference, line.amount_fen, "done", "") for line in await lines_of(tx, batch.id)]
        )
        await take_return(tx, None, read(data), data, "bank", By("tests", self.stage.world.now))
