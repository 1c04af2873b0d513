"""免申即享 from the registry's files: to whoever is known here and could claim, and to nobody else."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Row, select

from domain.errors import Conflict, Invalid, NotFound
from domain.period import Period
from domain.verification import Question
from service.audit.queries.checks import first_breach
from service.audit.queries.offers import OFFERS
from service.claims.commands.filing import file_claim
from service.claims.schemas import NewAccount
from service.database import Tx
from service.messages.commands import offer_portion
from service.messages.queries import my_messages
from service.offers.commands import confirm_offer, expire_portion, prepare_from_files
from service.offers.queries import NOBODY, my_offers
from service.offers.schemas import NewConfirmation
from service.offers.tables import OfferRow
from service.statistics.queries.offers import offers as figures_of
from tests.races.test_promises_by_sql import _refused
from tests.registry_files import file_of, line_of, load, put_in_force
from tests.world import WELDER, WELDER_LEVEL_4_FEN, Trainee, World


def certificate_of(world: World, trainee: Trainee, **other: str) -> dict[str, str]:
    """The line of a certificate that this trainee has."""
    number = world.maker.certificate("4", world.today.year)
    made = trainee.made
    return line_of(Question(number, made.name, made.id_number, WELDER, "4", world.today), **other)


async def sweep(tx: Tx, world: World) -> None:
    after: UUID | None = NOBODY
    while after is not None:
        after = await prepare_from_files(tx, after, world.today, world.now)


async def offered(tx: Tx, *trainees: Trainee) -> list[Row[Any]]:
    persons = [each.actor.person_id for each in trainees]
    return list(await tx.execute(select(OfferRow.__table__).where(OfferRow.person_id.in_(persons))))


def confirmation(world: World, trainee: Trainee, district: str | None) -> NewConfirmation:
    account = NewAccount(trainee.card, trainee.made.name, world.maker.bank_code())
    return NewConfirmation(account, True, district)


async def test_offered_to_holders_known_here_and_confirmed_where_they_say(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    await put_in_force(tx, world, certificate_of(world, trainee, level="四级/中级工"))
    before = await figures_of(tx, Period(world.today, world.today))
    await sweep(tx, world)
    await sweep(tx, world)
    (row,) = await offered(tx, trainee)
    assert (row.amount_fen, row.class_id, row.district) == (WELDER_LEVEL_4_FEN, None, None)
    assert (await figures_of(tx, Period(world.today, world.today))).total.made == before.total.made + 1
    while await offer_portion(tx, world.today):
        pass
    assert len((await my_messages(tx, trainee.actor)).messages) == 1
    (shown,) = (await my_offers(tx, trainee.actor, world.today)).offers
    assert (shown.id, shown.item_code, shown.class_number, shown.district) == (row.id, WELDER, None, None)
    await world.provide(tx, world.here)
    with pytest.raises(Invalid, match=r"district\.missing"):
        await confirm_offer(tx, trainee.actor, row.id, confirmation(world, trainee, None), world.today, world.now)
    new = confirmation(world, trainee, world.here)
    confirmed = await confirm_offer(tx, trainee.actor, row.id, new, world.today, world.now)
    assert (confirmed.claim.channel, confirmed.claim.district) == ("individual", world.here)
    assert await first_breach(tx, OFFERS.checks) is None


async def test_to_nobody_else(tx: Tx, world: World) -> None:
    trainees = [await world.trainee(tx) for _ in range(10)]
    claimed, mandated, misnamed, masked, revoked, silent, twice, unpriced, old, unsigned = trainees
    stranger = certificate_of(world, Trainee(None, world.maker.person(), ""))  # type: ignore[arg-type]  # no user
    lines = {each.actor.person_id: certificate_of(world, each) for each in trainees}

    def line(trainee: Trainee, **other: str) -> dict[str, str]:
        return {**lines[trainee.actor.person_id], **other}

    await world.provide(tx, world.here)
    new = world.new_claim(claimed, certificate_number=line(claimed)["certificate_number"])
    await file_claim(tx, claimed.actor, new, world.today, world.now)
    await world.mandate(tx, world.clerks[0], mandated)
    hidden = f"{masked.made.id_number[:6]}********{masked.made.id_number[-4:]}"
    await put_in_force(
        tx,
        world,
        stranger,
        line(claimed),
        line(mandated),
        line(misnamed, holder_name="路人甲"),
        line(masked, id_number=hidden),
        line(revoked, status="撤销"),
        line(silent, level=""),
        line(twice),
        line(twice, level="三级"),
        line(unpriced, occupation_code="6-31-99-99"),
        line(old, issued_on=(world.today - timedelta(days=2_000)).isoformat()),
    )
    await load(tx, world, file_of(line(unsigned)))
    await sweep(tx, world)
    assert await offered(tx, *trainees) == []


async def test_a_newer_file_that_says_otherwise_ends_the_offer(tx: Tx, world: World) -> None:
    kept, lost = await world.trainee(tx), await world.trainee(tx)
    lines = [certificate_of(world, each) for each in (kept, lost)]
    yesterday = (world.today - timedelta(days=1)).isoformat()
    await put_in_force(tx, world, *lines, as_of=yesterday)
    await sweep(tx, world)
    ids = {row.person_id: row.id for row in await offered(tx, kept, lost)}
    await put_in_force(tx, world, lines[0], {**lines[1], "status": "注销"})
    new = confirmation(world, lost, world.here)
    with pytest.raises(Conflict, match=r"offer\.over"):
        await confirm_offer(tx, lost.actor, ids[lost.actor.person_id], new, world.today, world.now)
    while await expire_portion(tx, world.today, world.now):
        pass
    status = {row.person_id: row.status for row in await offered(tx, kept, lost)}
    assert (status[kept.actor.person_id], status[lost.actor.person_id]) == ("offered", "expired")
    assert (await my_offers(tx, kept.actor, world.today)).offers[0].status == "offered"


async def test_a_mandate_with_any_institution_hides_it(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    await put_in_force(tx, world, certificate_of(world, trainee))
    await sweep(tx, world)
    (row,) = await offered(tx, trainee)
    await world.mandate(tx, world.clerks[0], trainee)
    assert (await my_offers(tx, trainee.actor, world.today)).offers == []
    new = confirmation(world, trainee, world.here)
    with pytest.raises(NotFound, match=r"offer\.not_found"):
        await confirm_offer(tx, trainee.actor, row.id, new, world.today, world.now)


async def test_by_sql_an_offer_is_of_an_entry_that_holds_and_of_its_holder(tx: Tx, world: World) -> None:
    trainee, other = await world.trainee(tx), await world.trainee(tx)
    await put_in_force(tx, world, certificate_of(world, trainee))
    await sweep(tx, world)
    (row,) = await offered(tx, trainee)
    columns = ", ".join(set(OfferRow.__table__.c.keys()) - {"id", "person_id", "entry_id", "status", "claim_id"})
    made = f"""
        WITH noted AS (
            INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
            VALUES ('offer', :new, 'prepare', '{{"status": "offered"}}', 'x', now()))
        INSERT INTO claim_offers (id, person_id, entry_id, status, {columns})
        SELECT :new, :person, entry_id, 'offered', {columns} FROM claim_offers WHERE id = :id"""
    told = {"id": row.id, "person": other.actor.person_id}
    assert await _refused(tx, made, new=uuid4(), **told) == "ZD162"
    both = made.replace("SELECT :new, :person, entry_id,", "SELECT :new, :person, NULL,")
    assert await _refused(tx, both, new=uuid4(), **told) in {"ZD162", "23514"}
