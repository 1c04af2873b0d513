"""One trainee in two institutions' rosters and filing alone, all at once: one claim, and everybody is told why."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import func, select

from domain.errors import DomainError
from service import jobs as owed_work
from service.claims.commands import rosters
from service.claims.commands.filing import file_claim
from service.claims.schemas import NewAccount
from service.claims.tables import ClaimRow
from service.database import transaction
from service.people.tables import PersonRow
from service.queue import Job
from tasks.rosters import file_portions
from tasks.runtime import do
from tests.races.test_limits import FILINGS, LIMIT, _occupations
from tests.rosters import Desk, jobs, line_of, portions, reasons
from tests.sheets import Line, sheet
from tests.world import Trainee, World

KEPT_OUT = {"claim.already_filed", "certificate.used"}


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owed_work, "send", lambda _: None)


async def handed_in(desk: Desk, lines: list[Line]) -> UUID:
    view = await desk.hand_in(sheet(lines))
    await desk.import_it(view.id)
    return view.id


async def file_all(*rosters_: UUID) -> None:
    """Every portion of every roster by a worker of its own, all at once."""
    owed = [each for roster_id in rosters_ for each in await jobs(Job.FILE_ROSTER, await portions(roster_id))]
    await asyncio.gather(*(do(file_portions, [each]) for each in owed))


async def alone(world: World, trainee: Trainee, line: Line) -> str:
    """The trainee files the same certificate by themself; what they are told."""
    account = NewAccount(line["收款卡号"], trainee.made.name, line["开户行联行号"])
    new = world.new_claim(trainee, certificate_number=line["证书编号"], account=account)
    try:
        async with transaction() as tx:
            return (await file_claim(tx, trainee.actor, new, world.today, world.now)).status
    except DomainError as refusal:
        return refusal.code


async def claims_of(people: list[UUID]) -> int:
    async with transaction() as tx:
        counted = select(func.count()).select_from(ClaimRow).where(ClaimRow.person_id.in_(people))
        return int((await tx.execute(counted)).scalar_one())


async def test_two_rosters_and_the_trainees_themselves_file_each_claim_once(
    committed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rosters, "PORTION_LINES", 4)
    world, desks = committed, [Desk(committed, clerk) for clerk in committed.clerks]
    async with transaction() as tx:
        trainees = [await world.trainee(tx) for _ in range(12)]
    lines = [line_of(world, trainee.made) for trainee in trainees]
    # the second institution writes the same people in another order
    ids = [await handed_in(desks[0], lines), await handed_in(desks[1], lines[::-1])]
    by_hand = (alone(world, trainee, line) for trainee, line in zip(trainees, lines, strict=True))
    _, *told = await asyncio.gather(file_all(*ids), *by_hand)
    pages = [await desk.see(roster_id) for desk, roster_id in zip(desks, ids, strict=True)]
    assert [page.status for page in pages] == ["finished", "finished"]
    assert await claims_of([trainee.actor.person_id for trainee in trainees]) == len(trainees)
    assert sum(page.filed for page in pages) + told.count("filed") == len(trainees)
    assert set(told) <= {"filed", "claim.already_filed"}
    for page in pages:
        assert all({code for _, code in said} <= KEPT_OUT for said in reasons(page).values())


async def test_two_rosters_with_the_same_newcomers_make_each_person_once(
    committed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rosters, "PORTION_LINES", 5)
    desks = [Desk(committed, clerk) for clerk in committed.clerks]
    lines = [line_of(committed) for _ in range(20)]
    async with transaction() as tx:
        before = (await tx.execute(select(func.count()).select_from(PersonRow))).scalar_one()
    ids = [await handed_in(desks[0], lines), await handed_in(desks[1], lines[::-1])]
    await file_all(*ids)
    pages = [await desk.see(roster_id) for desk, roster_id in zip(desks, ids, strict=True)]
    assert [page.status for page in pages] == ["finished", "finished"]
    assert sum(page.filed for page in pages) == len(lines)
    async with transaction() as tx:
        made = (await tx.execute(select(func.count()).select_from(PersonRow))).scalar_one()
    assert made == before + len(lines)


async def test_one_certificate_in_the_lines_of_many_institutions_people(
    committed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other people, the same certificates: no lock on a person stands between them, only the unique index."""
    monkeypatch.setattr(rosters, "PORTION_LINES", 5)
    desks = [Desk(committed, clerk) for clerk in committed.clerks]
    numbers = [committed.maker.certificate("4", committed.today.year) for _ in range(10)]
    ids = [
        await handed_in(desk, [line_of(committed, 证书编号=number) for number in order])
        for desk, order in zip(desks, (numbers, numbers[::-1]), strict=True)
    ]
    await file_all(*ids)
    pages = [await desk.see(roster_id) for desk, roster_id in zip(desks, ids, strict=True)]
    assert sum(page.filed for page in pages) == len(numbers)
    assert {code for page in pages for said in reasons(page).values() for _, code in said} <= {"certificate.used"}


async def test_a_single_filing_that_comes_second_is_told_of_the_first(committed: World) -> None:
    async with transaction() as tx:
        trainee = await committed.trainee(tx)
    line = line_of(committed, trainee.made)
    told = await asyncio.gather(*(alone(committed, trainee, line) for _ in range(6)))
    assert sorted(told) == ["claim.already_filed"] * 5 + ["filed"]


@pytest.mark.parametrize("known", [True, False])
async def test_ten_certificates_of_one_person_in_ten_rosters_at_once_are_three_claims(
    committed: World, known: bool
) -> None:
    """Promise 20, also for somebody whom nobody knew when the first of ten began."""
    made = committed.maker.person()
    async with transaction() as tx:
        codes = await _occupations(tx, FILINGS)
        if known:
            await committed.person(tx, made)
    desks = [Desk(committed, committed.clerks[place % 2]) for place in range(FILINGS)]
    ids = [
        await handed_in(desk, [line_of(committed, made, 职业编码=code)])
        for desk, code in zip(desks, codes, strict=True)
    ]
    await file_all(*ids)
    pages = [await desk.see(roster_id) for desk, roster_id in zip(desks, ids, strict=True)]
    assert [page.status for page in pages] == ["finished"] * FILINGS
    assert sum(page.filed for page in pages) == LIMIT
    told = [code for page in pages for said in reasons(page).values() for _, code in said]
    assert told == ["limit.reached"] * (FILINGS - LIMIT)
