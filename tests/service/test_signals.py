"""Risk signals on the stage: who asks and sees them, what they hold, what an officer lifted stays lifted."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, insert, select, update

from domain.actor import Actor, Post
from domain.errors import Forbidden, NotFound
from domain.signal import Signal
from service.claims.commands.holds import lift_hold
from service.claims.schemas import ClaimView
from service.claims.tables import ClaimHoldRow, ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.jobs import JobRow
from service.oversight.commands import signalling
from service.oversight.queries.signals.seen import everything_of, signals
from service.oversight.schemas import SignalFindingView
from service.oversight.tables import SignalFindingRow, SignalHoldRow, SignalRunRow
from service.people.commands import index_phones
from service.people.tables import PersonRow
from service.queue import Job
from service.training.commands.weighing import weigh
from service.training.tables import PatrolWeighingRow, PatrolWeightRow
from tests.oversight import Oversight, many_with_one_phone
from tests.training import SIZE, School, as_place
from tests.world import World


@pytest.fixture
async def city(tx: Tx, world: World) -> Oversight:
    return await Oversight.build(tx, world)


async def run(tx: Tx, city: Oversight) -> list[SignalFindingView]:
    """What it found at the city's institution: others stay in this database."""
    found = await everything_of(tx, await signalling.run_at_once(tx, city.world.today, city.world.now))
    return [each for each in found if each.institution == city.code]


async def held(tx: Tx, claims: list[ClaimView]) -> dict[UUID, str]:
    """Claim → why, of those that are held now."""
    row = ClaimHoldRow
    asked = select(row.claim_id, row.code).where(row.claim_id.in_([each.id for each in claims]))
    return {each.claim_id: each.code for each in await tx.execute(asked.where(row.lifted_at.is_(None)))}


async def is_owed(tx: Tx, kind: Job, subject: UUID) -> bool:
    asked = select(JobRow.id).where(JobRow.kind == str(kind), JobRow.subject == subject, JobRow.state == "ready")
    return (await tx.execute(asked)).first() is not None


async def test_one_telephone_for_many_is_found_with_whom_it_is_about(tx: Tx, city: Oversight) -> None:
    claims = await many_with_one_phone(tx, city)
    (found,) = await run(tx, city)
    assert (found.signal, found.institution, found.score) == (Signal.SHARED_PHONE, city.code, 50)
    assert found.why == "5 名学员用同一个手机号。"
    of_claims = select(ClaimRow.person_id).where(ClaimRow.id.in_([each.id for each in claims]))
    people = {str(each) for each in (await tx.execute(of_claims)).scalars()}
    assert {each["person"] for each in found.rows} == people


async def test_a_family_with_one_telephone_is_left_alone(tx: Tx, city: Oversight) -> None:
    await many_with_one_phone(tx, city, 3)
    assert await run(tx, city) == []


async def test_claims_are_held_and_what_was_lifted_stays_lifted(tx: Tx, city: Oversight) -> None:
    claims, now = await many_with_one_phone(tx, city), city.world.now
    other = await city.world.through_institution(tx, city.clerk)
    (found,) = await run(tx, city)
    assert await is_owed(tx, Job.HOLD_SIGNALLED, found.id)
    assert not await signalling.hold_portion(tx, found.id, now)
    assert await held(tx, [*claims, other]) == {each.id: "signal" for each in claims}
    told = await tx.execute(select(ClaimHoldRow.note).where(ClaimHoldRow.claim_id == claims[0].id))
    assert told.scalar_one() == "多人同用一个手机号"
    reviewer = city.world.staff[Post.REVIEWER]
    await lift_hold(tx, reviewer, claims[0].id, "本人来过", now)
    (again,) = await run(tx, city)
    assert (again.id != found.id, again.first_seen) == (True, found.first_seen)
    await signalling.hold_portion(tx, again.id, now)
    assert await held(tx, claims) == {each.id: "signal" for each in claims[1:]}
    row = SignalHoldRow
    placed = await tx.execute(select(func.count()).where(row.claim_id.in_([each.id for each in claims])))
    assert placed.scalar_one() == 5


async def test_of_a_class_its_trainees_claims_are_held(tx: Tx, city: Oversight) -> None:
    """Also what they claim themselves; not what others claim for the same."""
    world = city.world
    school = await School.build(tx, world)
    roster = [world.maker.person() for _ in range(SIZE)]
    taught = await school.file(tx, trainees=[as_place(each) for each in roster])
    own = await world.claim(tx, trainee=await world.trainee(tx, roster[0]))
    other = await world.claim(tx)
    run_id, finding_id = await signalling.run_at_once(tx, world.today, world.now), uuid4()
    about = {"run_id": run_id, "signal": "hours_cut", "institution_id": city.institution_id}
    figures = {"percent": 50, "sessions": 15, "empty": 0, "cases": 1}
    found = {"score": 100, "figures": figures, "rows": [{"class": str(taught.id)}]}
    await tx.execute(insert(SignalFindingRow).values(id=finding_id, first_seen=world.today, **about, **found))
    await signalling.hold_portion(tx, finding_id, world.now)
    assert await held(tx, [own, other]) == {own.id: "signal"}


async def test_holding_goes_in_portions(tx: Tx, city: Oversight, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signalling, "PORTION", 2)
    claims = await many_with_one_phone(tx, city)
    (found,) = await run(tx, city)
    more = [await signalling.hold_portion(tx, found.id, city.world.now) for _ in range(3)]
    assert more == [True, True, False]
    assert len(await held(tx, claims)) == 5


async def test_a_signal_that_does_not_hold_owes_no_hold(tx: Tx, city: Oversight) -> None:
    quiet = {"people_least": 5, "weight": 20, "holds_claims": False}
    await city.world.set_policy(tx, "signal_shared_phone", quiet)
    await many_with_one_phone(tx, city)
    (found,) = await run(tx, city)
    assert not await is_owed(tx, Job.HOLD_SIGNALLED, found.id)


async def weight(tx: Tx, city: Oversight) -> tuple[int, list[str]]:
    """What the worker sets from what is owed."""
    told, row = PatrolWeighingRow, PatrolWeightRow
    for weighing_id in (await tx.execute(select(told.id).order_by(told.told_at))).scalars().all():
        await weigh(tx, weighing_id, city.world.now)
    asked = select(row.weight, row.reasons).where(row.institution_id == city.institution_id)
    found = (await tx.execute(asked)).one_or_none()
    return (found.weight, found.reasons) if found else (1, [])


async def test_patrols_come_more_often_while_a_signal_speaks(tx: Tx, city: Oversight) -> None:
    claims = await many_with_one_phone(tx, city)
    await run(tx, city)
    assert await weight(tx, city) == (1 + 10, ["多人同用一个手机号"])  # half of its 20 at the mark
    of_one = select(ClaimRow.person_id).where(ClaimRow.id == claims[0].id)
    await tx.execute(update(PersonRow).where(PersonRow.id.in_(of_one)).values(phone_index=None))
    city.let_pass(1)
    await run(tx, city)
    assert await weight(tx, city) == (1, [])


async def test_officers_see_their_district_and_the_city_asks(tx: Tx, city: Oversight) -> None:
    world = city.world
    await many_with_one_phone(tx, city)
    for stranger in (city.clerk, world.staff[Post.REVIEWER]):
        with pytest.raises(Forbidden):
            await signals(tx, stranger)
    with pytest.raises(NotFound, match=r"signal\.no_run"):
        await signals(tx, city.here, uuid4())
    with pytest.raises(Forbidden):
        await signalling.ask_run(tx, city.here, world.today, world.now)
    asked = await signalling.ask_run(tx, city.proposer, world.today, world.now)
    assert asked.done_at is None
    assert await is_owed(tx, Job.RUN_SIGNALS, asked.id)
    await signalling.do_run(tx, asked.id, world.now)
    who = {"here": city.here, "there": city.there, "city": city.third, "auditor": world.staff[Post.AUDITOR]}
    seen = {name for name, me in who.items() if city.code in await _seen(tx, me, asked.id)}
    assert seen == {"here", "city", "auditor"}


async def _seen(tx: Tx, me: Actor, run_id: UUID) -> set[str]:
    return {each.institution for each in (await signals(tx, me, run_id)).findings}


async def test_a_run_is_done_once_and_a_night_has_one(tx: Tx, city: Oversight) -> None:
    world, night = city.world, city.world.today + timedelta(days=30)
    await many_with_one_phone(tx, city)
    assert await signalling.ask_nightly(tx, night, world.now)
    assert not await signalling.ask_nightly(tx, night, world.now)
    (run_id,) = (await tx.execute(select(SignalRunRow.id).where(SignalRunRow.day == night))).scalars()
    assert await is_owed(tx, Job.RUN_SIGNALS, run_id)
    for _ in range(2):
        await signalling.do_run(tx, run_id, world.now)
    found = [each for each in await everything_of(tx, run_id) if each.institution == city.code]
    assert len(found) == 1


async def test_telephones_that_were_sealed_before_are_found_too(tx: Tx, city: Oversight) -> None:
    person_id, made = await city.world.person(tx)
    row = PersonRow
    index = select(row.phone_index).where(row.id == person_id)
    first = (await tx.execute(index)).scalar_one()
    assert first == keyring().blind_index("phone", made.phone)
    await tx.execute(update(row).values(phone_index=None))
    assert await index_phones(tx, 1) == 1
    while await index_phones(tx, 100):
        pass
    assert (await tx.execute(index)).scalar_one() == first
