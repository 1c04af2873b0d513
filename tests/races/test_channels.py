"""One person, one occupation, one level, and everybody who could claim for it at the same moment: one claim."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select

from domain.actor import Actor, Post
from domain.errors import DomainError
from service import jobs as owed_work
from service.claims.commands.counter import file_at_counter
from service.claims.commands.filing import file_claim
from service.claims.schemas import NewClaim, NewCounterClaim, NewTrainee
from service.claims.tables import ClaimRow
from service.database import Tx, transaction
from service.queue import Job
from tasks.rosters import file_portions
from tasks.runtime import do
from tests.enterprises import Enterprise
from tests.rosters import Desk, jobs, line_of, portions, reasons
from tests.sheets import sheet
from tests.world import Trainee, World

ROUNDS = 3
Filing = Callable[[Tx], Awaitable[Any]]


async def _everybody(tx: Tx, world: World, trainee: Trainee) -> dict[str, Filing]:
    """Who → how they file: each with a certificate of its own, in whichever district is theirs."""
    enterprise = await Enterprise.build(tx, world, world.other)
    contract = await enterprise.contract(tx, trainee)
    acceptor = await world.user(tx, {Post.ACCEPTOR}, world.other)
    mandates = [await world.mandate(tx, clerk, trainee) for clerk in world.clerks]

    def new(**how: Any) -> NewClaim:
        return world.new_claim(trainee, **how)

    keyed = new(district=None)
    typed = {name: getattr(keyed, name) for name in keyed.__struct_fields__}
    made = trainee.made
    at_counter = NewCounterClaim(trainee=NewTrainee(made.name, made.id_number, made.phone), **typed)
    asked = {
        "alone, here": (trainee.actor, new()),
        "alone, in another district": (trainee.actor, new(district=world.other)),
        "one institution": (world.clerks[0], new(mandate_id=mandates[0], district=None)),
        "another institution": (world.clerks[1], new(mandate_id=mandates[1], district=None)),
        "an enterprise": (enterprise.clerk, enterprise.new_claim(trainee, contract)),
    }

    def filing_of(me: Actor, one: NewClaim) -> Filing:
        return lambda tx: file_claim(tx, me, one, world.today, world.now)

    ways = {who: filing_of(*how) for who, how in asked.items()}
    ways["a counter"] = lambda tx: file_at_counter(tx, acceptor, at_counter, world.today, world.now)
    return ways


async def _told(filing: Filing) -> tuple[str, Any]:
    try:
        async with transaction() as tx:
            return "filed", (await filing(tx)).id
    except DomainError as refusal:
        return refusal.code, refusal.facts


@pytest.mark.parametrize("_round", range(ROUNDS))
async def test_one_wins_and_the_others_are_told_who(
    committed: World, monkeypatch: pytest.MonkeyPatch, _round: int
) -> None:
    monkeypatch.setattr(owed_work, "send", lambda _: None)
    world, desks = committed, [Desk(committed, clerk) for clerk in committed.clerks]
    async with transaction() as tx:
        trainee = await world.trainee(tx)
        ways = await _everybody(tx, world, trainee)
    rosters = [await desk.hand_in(sheet([line_of(world, trainee.made)])) for desk in desks]
    for desk, roster in zip(desks, rosters, strict=True):
        await desk.import_it(roster.id)
    owed = [await jobs(Job.FILE_ROSTER, await portions(roster.id)) for roster in rosters]
    filings = [_told(filing) for filing in ways.values()]
    told, *_ = await asyncio.gather(asyncio.gather(*filings), *(do(file_portions, each) for each in owed))
    pages = [await desk.see(roster.id) for desk, roster in zip(desks, rosters, strict=True)]

    async with transaction() as tx:
        (won,) = await tx.execute(
            select(ClaimRow.id, ClaimRow.channel).where(ClaimRow.person_id == trainee.actor.person_id)
        )
    winners = [said for code, said in told if code == "filed"]
    winners += [line.claim_id for page in pages for line in page.results if line.claim_id]
    assert winners == [won.id]
    lost = [said for code, said in told if code != "filed"]
    assert {code for code, _ in told} <= {"filed", "claim.already_filed"}
    assert all(said["channel"] == f"channel.{won.channel}" for said in lost)
    for page in pages:
        assert page.filed or [code for said in reasons(page).values() for _, code in said] == ["claim.already_filed"]
