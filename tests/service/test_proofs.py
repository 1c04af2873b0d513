"""What the rules of version 2 look at, read from the database: age, what was filed before, group, fee, place."""

from datetime import date
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from domain.claim import Channel, PlaceLink
from domain.eligibility import decide
from domain.errors import Conflict, DomainError, Ineligible, Invalid
from service.claims.commands.filing import check_claim, file_claim
from service.claims.commands.review import withdraw_claim
from service.claims.queries.facts import Asked, facts_for
from service.claims.schemas import ClaimView, DecisionView, NewGroup, NewInvoice
from service.claims.tables import ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.local.made_up import MadeUpPerson
from tests.flows.test_hostile_values import id_number
from tests.world import Trainee, World

#: Occupations with five levels and a standard.
OTHERS = ("6-18-01-01", "6-18-01-02", "6-31-01-01")
NUMBER = "26372000000012345678"

_sequences = count(1)


async def _born(tx: Tx, world: World, birth: date, *, woman: bool = False) -> Trainee:
    body = f"370102{birth:%Y%m%d}{next(_sequences) * 2 + (not woman):03d}"
    return await world.trainee(tx, MadeUpPerson("王秀梅", id_number(body), "13800000000"))


async def _decided(tx: Tx, world: World, trainee: Trainee, **given: Any) -> DecisionView:
    return await check_claim(tx, trainee.actor, world.new_claim(trainee, **given), world.today)


def _said(decision: DecisionView, rule: str) -> tuple[str, dict[str, Any]]:
    return next((each.code, each.facts) for each in decision.outcomes if each.rule == rule)


async def _claim(tx: Tx, world: World, trainee: Trainee, code: str, level: str = "4") -> ClaimView:
    number = world.maker.certificate(level, world.today.year)
    return await world.claim(tx, trainee=trainee, item_code=code, level=level, certificate_number=number)


# ---- age


async def test_age_is_counted_on_the_day_training_started(tx: Tx, world: World) -> None:
    day = world.today
    sixteen = day.replace(year=day.year - 16)
    for birth, code in (
        (sixteen, "age.fits"),
        (date(day.year - 16, 12, 31) if day < date(day.year, 12, 31) else date(day.year - 15, 1, 1), "age.under"),
        (date(1955, 5, 5), "age.retired"),
    ):
        trainee = await _born(tx, world, birth)
        decision = await _decided(tx, world, trainee)
        assert _said(decision, "of_working_age")[0] == code
        assert decision.eligible == (code == "age.fits")


async def test_a_woman_of_an_age_that_may_be_retirements_is_looked_at_by_a_person(tx: Tx, world: World) -> None:
    trainee = await _born(tx, world, date(world.today.year - 53, 1, 1), woman=True)
    decision = await _decided(tx, world, trainee)
    assert _said(decision, "of_working_age")[0] == "age.may_be_retired"
    assert (decision.verdict, decision.eligible) == ("needs_human", True)


async def test_no_day_of_birth_is_kept_with_the_decision(tx: Tx, world: World) -> None:
    trainee = await _born(tx, world, date(1990, 6, 7))
    view = await world.claim(tx, trainee=trainee)
    stored = (await tx.execute(select(ClaimRow.decision).where(ClaimRow.id == view.id))).scalar_one()
    assert set(stored["facts"]["age"]) == {"months", "retires_earliest_months", "retires_latest_months"}
    assert "1990" not in str(stored)
    assert trainee.made.id_number not in str(stored)


# ---- what was filed before


async def test_three_a_year_over_districts_channels_and_occupations(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    await _claim(tx, world, trainee, OTHERS[0])
    number = world.maker.certificate("4", world.today.year)
    await world.claim(tx, trainee=trainee, item_code=OTHERS[1], district=world.other, certificate_number=number)
    mandate_id = await world.mandate(tx, world.clerks[1], trainee)
    through = world.new_claim(trainee, mandate_id=mandate_id, district=None, item_code=OTHERS[2])
    last = await file_claim(tx, world.clerks[1], through, world.today, world.now)
    decision = await _decided(tx, world, trainee)
    assert _said(decision, "within_limits") == (
        "limit.reached",
        {"span": "span.calendar_year", "count": 3, "used": 3},
    )
    with pytest.raises(Ineligible):
        await world.claim(tx, trainee=trainee)
    await withdraw_claim(tx, world.clerks[1], last.id, "", world.now)
    assert (await world.claim(tx, trainee=trainee)).status == "filed"


async def test_a_limit_is_what_policy_says_today(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    await _claim(tx, world, trainee, OTHERS[0])
    await world.set_policy(
        tx,
        "counting_limits",
        [{"scope": "person", "window": "ever", "count": 1, "from": world.today.isoformat()}],
    )
    decision = await _decided(tx, world, trainee)
    assert _said(decision, "within_limits")[0] == "limit.reached"


async def test_a_lower_level_after_a_higher_one(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    number = world.maker.certificate("3", world.today.year)
    higher = await world.claim(tx, trainee=trainee, level="3", certificate_number=number)
    assert _said(await _decided(tx, world, trainee), "no_higher_level_before")[0] == "level.higher_before"
    await withdraw_claim(tx, trainee.actor, higher.id, "", world.now)
    assert (await world.claim(tx, trainee=trainee)).status == "filed"
    number = world.maker.certificate("3", world.today.year)
    assert (await world.claim(tx, trainee=trainee, level="3", certificate_number=number)).status == "filed"


# ---- groups


def _group(world: World, **given: str) -> NewGroup:
    proof = {"proof_kind": "hardship_finding", "proof_number": "济就困2026年12号"}
    return NewGroup(**{"code": "hard_to_employ", "valid_from": world.today.isoformat(), **proof, **given})


async def test_a_group_is_kept_with_its_proof_sealed(tx: Tx, world: World) -> None:
    view = await world.claim(tx, group=_group(world))
    row = (await tx.execute(select(ClaimRow.__table__).where(ClaimRow.id == view.id))).one()
    assert row.group_code == "hard_to_employ"
    assert keyring().open(row.group_proof_sealed, view.id) == "济就困2026年12号"
    assert "济就困" not in str(row.decision)
    assert row.decision["facts"]["group"]["valid_from"] == world.today.isoformat()
    none = await world.claim(tx)
    row = (await tx.execute(select(ClaimRow.__table__).where(ClaimRow.id == none.id))).one()
    assert (row.group_code, row.group_proof_sealed) == ("", None)


async def test_a_group_gained_after_training_began_is_refused_and_an_unknown_one_at_the_door(
    tx: Tx, world: World
) -> None:
    trainee = await world.trainee(tx)
    late = {"training_started_on": "2026-01-05", "group": _group(world, valid_from="2026-01-06")}
    decision = await _decided(tx, world, trainee, **late)
    assert _said(decision, "group_holds")[0] == "group.too_late"
    assert decision.may_insist
    with pytest.raises(Invalid) as refused:
        await world.claim(tx, trainee=trainee, group=_group(world, code="veterans"))
    assert (refused.value.code, refused.value.field) == ("group.unknown", "group.code")


# ---- the fee


def _invoice(trainee: Trainee, **given: Any) -> NewInvoice:
    return NewInvoice(**{"number": NUMBER, "amount_fen": 98_050, "payer": trainee.made.name, **given})


async def test_one_invoice_once_among_live_claims(tx: Tx, world: World) -> None:
    first, second = await world.trainee(tx), await world.trainee(tx)
    view = await world.claim(tx, trainee=first, invoice=_invoice(first))
    with pytest.raises(Ineligible) as refused:
        await world.claim(tx, trainee=second, invoice=_invoice(second, number=f" {NUMBER}"))
    assert "invoice.used" in str(refused.value.facts)
    assert not refused.value.facts["decision"]["may_insist"]
    await withdraw_claim(tx, first.actor, view.id, "", world.now)
    assert (await world.claim(tx, trainee=second, invoice=_invoice(second))).status == "filed"


async def test_the_fee_bounds_the_subsidy_where_policy_says_so(tx: Tx, world: World) -> None:
    trainee, other = await world.trainee(tx), await world.trainee(tx)
    whole = await _decided(tx, world, trainee, invoice=_invoice(trainee))
    assert whole.amount_fen == 120_000
    await world.set_policy(tx, "subsidy_capped_by_fee", True)
    assert _said(await _decided(tx, world, trainee), "fee_proved")[0] == "fee.missing"
    view = await world.claim(tx, trainee=trainee, invoice=_invoice(trainee))
    assert view.amount_fen == 98_000
    assert view.decision is not None
    assert view.decision.amount_fen == 98_000
    decision = await _decided(tx, world, other, invoice=_invoice(other, number="12345678", payer="李建国"))
    assert _said(decision, "fee_proved")[0] == "fee.payer_differs"
    # an institution charges nothing, so there is nothing that bounds what it claims
    assert (await world.through_institution(tx)).amount_fen == 120_000


# ---- the link to the place


async def test_a_link_to_the_place_is_asked_for_where_policy_says_so(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    assert (await _decided(tx, world, trainee)).eligible
    await world.set_policy(tx, "place_link_required", True)
    await world.set_policy(tx, "place_links", ["household", "insurance"])
    for link, code in (
        (None, "place.missing"),
        (PlaceLink.RESIDENCE, "place.not_accepted"),
        (PlaceLink.INSURANCE, "place.linked"),
    ):
        decision = await _decided(tx, world, trainee, place_link=link)
        assert _said(decision, "linked_to_place")[0] == code
    view = await world.claim(tx, trainee=trainee, place_link=PlaceLink.HOUSEHOLD)
    stored = (await tx.execute(select(ClaimRow.decision).where(ClaimRow.id == view.id))).scalar_one()
    assert stored["facts"]["place_link"] == "household"


async def test_without_a_parameter_nothing_is_decided(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    new = world.new_claim(trainee, training_started_on="2018-01-01", certificate_issued_on="2018-06-01")
    with pytest.raises(DomainError) as refused:
        await check_claim(tx, trainee.actor, new, date(2018, 12, 31))
    assert isinstance(refused.value, Conflict)
    assert refused.value.code == "policy.missing"


async def test_many_are_answered_in_order_and_nobody_unknown_is_paid(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    await _claim(tx, world, trainee, OTHERS[0])
    asked = [
        Asked(
            person_id,
            Channel.INDIVIDUAL,
            OTHERS[1],
            None,
            "4",
            number,
            world.today,
            world.today,
            True,
            None,
            None,
            (),
        )
        for person_id in (trainee.actor.person_id, uuid4())
        for number in (world.maker.certificate("4", world.today.year),)
    ]
    known, unknown = await facts_for(tx, asked, world.today)
    assert (decide(known).failed, len(known.standing)) == ([], 1)
    assert (decide(unknown).failed, unknown.standing) == (["age.unknown"], ())
