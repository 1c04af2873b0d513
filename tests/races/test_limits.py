"""Promise 20: limits that count hold though everybody files at the same moment, on connections of their own."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from domain.actor import Actor, Post
from domain.errors import DomainError, Ineligible
from service.claims.commands.filing import file_claim
from service.claims.schemas import NewClaim, NewInvoice
from service.claims.tables import ClaimRow
from service.database import Tx, transaction
from service.policies import commands as policies
from service.policies.schemas import NewPolicy
from service.policies.tables import PolicyRow
from tests.races.test_batches import at_once
from tests.world import Trainee, World

FILINGS, LIMIT = 10, 3


async def _occupations(tx: Tx, number: int) -> list[str]:
    """Codes with a standard for level 4 in the edition of today."""
    rows = await tx.execute(
        text("""SELECT DISTINCT i.code FROM catalog_items i
                  JOIN catalog_editions e ON e.id = i.edition_id JOIN standards s ON s.occupation = i.code
                 WHERE e.in_force @> current_date AND s.level = '4' ORDER BY i.code LIMIT :number"""),
        {"number": number},
    )
    return list(rows.scalars())


async def _filing(who: Actor, new: NewClaim, world: World) -> str:
    """Filed, or the codes of what failed."""
    try:
        async with transaction() as tx:
            return (await file_claim(tx, who, new, world.today, world.now)).status
    except Ineligible as refusal:
        failed = [each for each in refusal.facts["decision"]["outcomes"] if each["outcome"] == "failed"]
        return "、".join(each["code"] for each in failed)
    except DomainError as refusal:
        return refusal.code


async def _live(person_id: UUID) -> int:
    async with transaction() as tx:
        counted = select(func.count()).where(ClaimRow.person_id == person_id, ClaimRow.status != "refused")
        return int((await tx.execute(counted)).scalar_one())


async def _everyone(tx: Tx, world: World) -> tuple[Trainee, list[tuple[Actor, dict[str, object]]]]:
    """One trainee, and the three who file for them: alone, and through two institutions."""
    trainee = await world.trainee(tx)
    ways: list[tuple[Actor, dict[str, object]]] = [(trainee.actor, {})]
    for clerk in world.clerks:
        ways.append((clerk, {"mandate_id": await world.mandate(tx, clerk, trainee), "district": None}))
    return trainee, ways


async def test_ten_certificates_of_one_person_at_once_are_three_claims(committed: World) -> None:
    async with transaction() as tx:
        trainee, ways = await _everyone(tx, committed)
        codes = await _occupations(tx, FILINGS)
    asked = []
    for place, code in enumerate(codes):
        who, how = ways[place % len(ways)]
        number = committed.maker.certificate("4", committed.today.year)
        asked.append((who, committed.new_claim(trainee, item_code=code, certificate_number=number, **how)))
    assert len(asked) == FILINGS
    came_of = await asyncio.gather(*(_filing(who, new, committed) for who, new in asked))
    assert sorted(came_of) == ["filed"] * LIMIT + ["limit.reached"] * (FILINGS - LIMIT)
    assert await _live(trainee.actor.person_id) == LIMIT


async def test_two_levels_of_one_occupation_at_once_keep_their_order(committed: World) -> None:
    """Whichever came first: the higher level alone, or the lower and then the higher. The highest sets out first, so
    that where nobody waits for anybody the order is wrong."""
    async with transaction() as tx:
        trainee, ways = await _everyone(tx, committed)
    levels = ("3", "4", "5")
    asked = []
    for (who, how), level in zip(ways, levels, strict=True):
        number = committed.maker.certificate(level, committed.today.year)
        asked.append((who, committed.new_claim(trainee, level=level, certificate_number=number, **how)))
    came_of = await asyncio.gather(*(_filing(who, new, committed) for who, new in asked))
    assert set(came_of) <= {"filed", "level.higher_before"}
    assert came_of[0] == "filed"
    async with transaction() as tx:
        row = ClaimRow
        in_order = select(row.level).where(row.person_id == trainee.actor.person_id)
        stored = (await tx.execute(in_order.order_by(text("claims.xmin::text::bigint")))).scalars().all()
    assert stored == sorted(stored, reverse=True)


async def test_one_invoice_at_once_is_one_claim(committed: World) -> None:
    async with transaction() as tx:
        people = [await committed.trainee(tx) for _ in range(6)]
    number = committed.maker.card()

    def filed_by(trainee: Trainee) -> Awaitable[str]:
        certificate = committed.maker.certificate("4", committed.today.year)
        invoice = NewInvoice(number, 98_050, trainee.made.name)
        new = committed.new_claim(trainee, certificate_number=certificate, invoice=invoice)
        return _filing(trainee.actor, new, committed)

    results = await asyncio.gather(*(filed_by(trainee) for trainee in people), return_exceptions=True)
    lost = [getattr(getattr(each, "orig", None), "sqlstate", each) for each in results if each != "filed"]
    assert len(lost) == len(people) - 1
    assert set(lost) <= {"23505", "invoice.used"}


@pytest.mark.parametrize("same", [True, False], ids=["one proposal", "two proposals of one parameter"])
async def test_two_confirmations_at_once_change_a_parameter_once(committed: World, same: bool) -> None:
    first = "2095-01-01" if same else "2096-01-01"
    async with transaction() as tx:
        editor = await committed.user(tx, {Post.CATALOG_EDITOR})
        publishers = [await committed.user(tx, {Post.CATALOG_PUBLISHER}) for _ in range(4)]
        new = NewPolicy("lawsuit_months", 7, first, "示例", "示例")
        proposals = [
            await policies.propose(tx, editor, new, committed.today, committed.now) for _ in range(1 if same else 4)
        ]

    def confirm(place: int) -> Callable[[Tx], Awaitable[object]]:
        proposal = proposals[place % len(proposals)]
        return lambda tx: policies.confirm(tx, publishers[place], proposal.id, committed.today, committed.now)

    results = await at_once(*(confirm(place) for place in range(4)))
    assert results.count("done") == 1
    lost = {"policy.confirmed", "pk_policy_confirmations"} if same else {"policy.later_in_force"}
    assert set(results) - {"done"} <= lost
    async with transaction() as tx:
        row = PolicyRow
        held = select(func.count()).where(
            row.key == "lawsuit_months", func.lower(row.in_force) == date.fromisoformat(first)
        )
        assert (await tx.execute(held)).scalar_one() == 1
