"""A set of standards that is corrected changes what was paid: as it was shown, by two persons, and once."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from domain.actor import Actor, Post
from domain.clawback import Cause
from domain.errors import Forbidden, NotFound
from service.audit.queries.checks import first_breach
from service.audit.queries.corrections import CORRECTIONS
from service.audit.queries.supplements import SUPPLEMENTS
from service.audit.queries.territory import TERRITORY
from service.clawbacks.commands.correcting import answer_correction, propose_correction
from service.clawbacks.commands.demanding import answer_enforcement, demand, propose_enforcement
from service.clawbacks.commands.raising import raise_by_hand
from service.clawbacks.commands.supplementing import pay_supplements
from service.clawbacks.queries.corrections import list_corrections, preview
from service.clawbacks.queries.views import list_clawbacks
from service.clawbacks.schemas import (
    CorrectionPreview,
    CorrectionView,
    NewClawback,
    NewCorrection,
    NewCorrectionAnswer,
    NewDemand,
    NewEnforcement,
)
from service.clawbacks.tables import ClawbackRow, SupplementRow
from service.database import Tx
from service.journal import By
from service.reconciliation.commands import read, take_return
from tests.payments import Stage, a_return, lines_of, ready_jobs
from tests.service.test_clawbacks import Office, office, refusal
from tests.standards import Bureaus, flat
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World

__all__ = ["office"]


@dataclass
class District:
    """Claims of a district of its own that were paid, two reviewers, and the set that is corrected."""

    stage: Stage
    one: Actor
    other: Actor
    set_id: UUID | None = field(default=None)

    @classmethod
    async def build(cls, tx: Tx, world: World, claims: int = 2) -> "District":
        stage = await Stage.build(tx, world, claims)
        made = cls(stage, *[await world.user(tx, {Post.REVIEWER}, stage.district) for _ in range(2)])
        await made.pay(tx)
        return made

    @property
    def world(self) -> World:
        return self.stage.world

    async def pay(self, tx: Tx) -> None:
        batch = await self.stage.sent(tx)
        lines = [(each.reference, each.amount_fen, "done", "") for each in await lines_of(tx, batch.id)]
        data = a_return(batch, lines)
        await take_return(tx, None, read(data), data, "bank", By("tests", self.world.now))

    async def corrected(self, tx: Tx, fen: int) -> None:
        bureaus = await Bureaus.of(tx, self.world)
        self.set_id = (await bureaus.in_force(tx, flat(fen), self.world.today - timedelta(days=100))).id
        self.world.now += timedelta(minutes=1)

    async def seen(self, tx: Tx) -> CorrectionPreview:
        assert self.set_id is not None
        return await preview(tx, self.one, self.set_id)

    async def propose(self, tx: Tx, me: Actor | None = None, seen: CorrectionPreview | None = None) -> CorrectionView:
        seen = seen or await self.seen(tx)
        new = NewCorrection(seen.set_id, seen.shown, "标准已更正")
        return await propose_correction(tx, me or self.one, new, self.world.now)

    async def answer(
        self, tx: Tx, proposed: CorrectionView, me: Actor | None = None, *, grant: bool = True
    ) -> CorrectionView:
        new = NewCorrectionAnswer(grant, proposed.shown)
        return await answer_correction(tx, me or self.other, proposed.id, new, self.world.now)

    async def settled(self, tx: Tx, fen: int) -> None:
        """Corrected, proposed, granted, and what is owed still is paid."""
        await self.corrected(tx, fen)
        await self.answer(tx, await self.propose(tx))
        owed = await self.supplements(tx)
        await pay_supplements(tx, [each.id for each in owed], self.world.now)
        await self.pay(tx)

    async def supplements(self, tx: Tx) -> list[Any]:
        row = SupplementRow.__table__
        found = await tx.execute(select(row).where(row.c.claim_id.in_(self.stage.claims)).order_by(row.c.owed_at))
        return list(found.all())

    async def clawbacks(self, tx: Tx) -> list[tuple[str, int]]:
        rows = (await list_clawbacks(tx, self.stage.staff[Post.MAKER], None, None, 50)).clawbacks
        return sorted((str(each.claim_id), each.amount_fen) for each in rows)


@pytest.fixture
async def there(tx: Tx, world: World) -> District:
    return await District.build(tx, world)


async def audited(tx: Tx) -> None:
    for promise in (CORRECTIONS, SUPPLEMENTS, TERRITORY):
        assert await first_breach(tx, promise.checks) is None


async def test_more_is_owed_to_each_by_two_persons_and_once(tx: Tx, there: District) -> None:
    await there.corrected(tx, AMOUNT + 10_000)
    seen = await there.seen(tx)
    assert (seen.shown.more_count, seen.shown.more_fen, seen.shown.less_count) == (2, 20_000, 0)
    assert (seen.left_out, seen.more) == (0, False)
    proposed = await there.propose(tx)
    assert await refusal(there.propose(tx)) == "amount_correction.open"
    assert await there.supplements(tx) == []
    assert await refusal(there.answer(tx, proposed, there.one)) == "clawback.same_person"
    assert (await there.answer(tx, proposed)).granted
    assert await refusal(there.answer(tx, proposed)) == "amount_correction.answered"
    owed = await there.supplements(tx)
    assert sorted((each.claim_id, each.amount_fen) for each in owed) == [
        (claim, 10_000) for claim in sorted(there.stage.claims)
    ]
    for each in owed:
        assert await ready_jobs(tx, each.id) == ["clawbacks.pay_supplement"]
    # what is owed counts as paid: nothing differs any more
    assert (await there.seen(tx)).shown.more_count == 0
    assert await refusal(there.propose(tx)) == "amount_correction.nothing"
    assert [each.id for each in (await list_corrections(tx, there.one)).corrections] == [proposed.id]
    await audited(tx)


async def test_it_is_confirmed_as_it_was_shown(tx: Tx, there: District) -> None:
    await there.corrected(tx, AMOUNT + 10_000)
    seen = await there.seen(tx)
    seen.shown.more_fen -= 1
    assert await refusal(there.propose(tx, seen=seen)) == "amount_correction.changed"
    proposed = await there.propose(tx)
    by_hand = NewClawback(there.stage.claims[0], Cause.AUDIT, "审计发现", 1)
    await raise_by_hand(tx, there.one, by_hand, there.world.now)
    # of one of the claims nothing more is owed by now
    assert await refusal(there.answer(tx, proposed)) == "amount_correction.changed"
    assert (await there.seen(tx)).left_out == 1
    assert (await there.answer(tx, proposed, grant=False)).granted is False
    assert (await there.answer(tx, await there.propose(tx))).shown.more_count == 1
    assert [each.claim_id for each in await there.supplements(tx)] == [there.stage.claims[1]]
    await audited(tx)


async def test_less_is_owed_back_of_the_supplement_first_and_then_of_its_claim(tx: Tx, there: District) -> None:
    """So that a claim of which something stays paid is not recovered."""
    await there.settled(tx, AMOUNT + 10_000)
    await there.corrected(tx, 5_000)
    seen = await there.seen(tx)
    assert (seen.shown.less_count, seen.shown.less_fen) == (2, 2 * (AMOUNT + 5_000))
    await there.answer(tx, await there.propose(tx))
    more = {each.claim_id: each.id for each in await there.supplements(tx)}
    wanted = [(each, 10_000) for each in more.values()] + [(claim, AMOUNT - 5_000) for claim in there.stage.claims]
    assert await there.clawbacks(tx) == sorted((str(claim), fen) for claim, fen in wanted)
    # and back again: what was asked back is owed
    await there.corrected(tx, AMOUNT)
    assert (await there.seen(tx)).shown.more_fen == 2 * (AMOUNT - 5_000)
    await audited(tx)


async def test_nothing_is_asked_back_of_what_is_on_its_way(tx: Tx, there: District) -> None:
    await there.corrected(tx, AMOUNT + 10_000)
    await there.answer(tx, await there.propose(tx))
    await there.corrected(tx, AMOUNT)
    seen = await there.seen(tx)
    assert (seen.shown.less_count, seen.left_out) == (0, 2)


async def test_who_may_not_correct(tx: Tx, there: District) -> None:
    await there.corrected(tx, AMOUNT + 10_000)
    proposed, foreign = await there.propose(tx), await District.build(tx, there.world, 1)
    assert await refusal(there.answer(tx, proposed, foreign.one)) == "amount_correction.not_found"
    with pytest.raises(Forbidden):
        await there.answer(tx, proposed, there.stage.staff[Post.MAKER])
    city = await there.world.user(tx, {Post.REVIEWER})
    assert await refusal(there.answer(tx, proposed, city)) == "amount_correction.of_a_district"
    claimant = text("SELECT filed_by, person_id FROM claims WHERE id = :id")
    mine = (await tx.execute(claimant, {"id": there.stage.claims[0]})).one()
    own = Actor(mine.filed_by, mine.person_id, frozenset({Post.REVIEWER}), there.stage.district)
    assert await refusal(there.answer(tx, proposed, own)) == "amount_correction.not_impartial"
    draft = await (await Bureaus.of(tx, there.world)).propose(
        tx, flat(AMOUNT + 1), there.world.today - timedelta(days=100)
    )
    assert await refusal(preview(tx, there.one, draft.id)) == "amount_correction.not_published"
    with pytest.raises(NotFound):
        await preview(tx, there.one, proposed.id)


# ---- the rest of a clawback's life


def order(world: World) -> NewEnforcement:
    return NewEnforcement("济历城法执〔2026〕7号", world.today.isoformat())


async def test_after_its_term_two_persons_have_it_enforced(tx: Tx, office: Office) -> None:
    world, owed = office.world, await office.by_hand(tx)
    maker, checker = office.staff(Post.MAKER), office.staff(Post.CHECKER)
    assert await refusal(propose_enforcement(tx, maker, owed.id, order(world), world.now)) == "wrong_status"
    demanded = await demand(tx, maker, owed.id, NewDemand("济人社追〔2026〕1号"), world.now)
    assert demanded.due_on == world.today + timedelta(days=30)
    early = propose_enforcement(tx, maker, owed.id, order(world), world.now)
    assert await refusal(early) == "clawback.not_over"
    overdue = list_clawbacks(tx, maker, None, None, 50, world.today)
    assert (await overdue).clawbacks == []
    world.today, world.now = world.today + timedelta(days=31), world.now + timedelta(days=31)
    (late,) = (await list_clawbacks(tx, maker, None, None, 50, world.today)).clawbacks
    assert late.id == owed.id
    to_come = NewEnforcement("1", (world.today + timedelta(days=1)).isoformat())
    assert await refusal(propose_enforcement(tx, maker, owed.id, to_come, world.now)) == "date.in_future"
    assert await refusal(answer_enforcement(tx, checker, owed.id, grant=True, now=world.now)) == (
        "clawback.no_enforcement"
    )
    await propose_enforcement(tx, maker, owed.id, order(world), world.now)
    again = propose_enforcement(tx, checker, owed.id, order(world), world.now)
    assert await refusal(again) == "clawback.enforcement_open"
    alone = answer_enforcement(tx, maker, owed.id, grant=True, now=world.now)
    assert await refusal(alone) == "clawback.same_person"
    declined = await answer_enforcement(tx, checker, owed.id, grant=False, now=world.now)
    assert (declined.status, declined.enforcement and declined.enforcement.granted) == ("demanded", False)
    world.now += timedelta(minutes=1)
    await propose_enforcement(tx, maker, owed.id, order(world), world.now)
    enforced = await answer_enforcement(tx, checker, owed.id, grant=True, now=world.now)
    assert (enforced.status_name, enforced.enforcement and enforced.enforcement.granted) == ("已申请强制执行", True)
    assert (await list_clawbacks(tx, maker, None, None, 50, world.today)).clawbacks == []
    found = await tx.execute(select(ClawbackRow.status).where(ClawbackRow.id == owed.id))
    assert found.scalar_one() == "enforced"
    await audited(tx)
