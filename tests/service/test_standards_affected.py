"""The claims that a correction would give another amount: exactly those, compared with every claim computed anew."""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from domain.actor import Actor
from domain.errors import Ineligible, NotFound
from domain.standard import form, parse_formula, recompute
from service.audit.queries.decisions import recompute as decisions_recompute
from service.claims.queries.affected import affected_by
from service.claims.schemas import NewGroup, NewInvoice
from service.claims.tables import ClaimRow
from service.database import Tx
from tests.standards import Bureaus, flat
from tests.world import WELDER, World

OCCUPATIONS = (WELDER, "6-18-01-01", "6-18-01-02", "6-31-01-01")
GROUPS = {"graduate": "diploma"}


@dataclass
class Plain:
    """What the test itself filed: enough to compute the amount anew."""

    id: UUID
    occupation: str
    level: str
    day: date
    group: str | None
    fee_fen: int | None
    amount_fen: int
    status: str


async def _file(tx: Tx, world: World, chance: random.Random) -> Plain:
    occupation, level = chance.choice(OCCUPATIONS), chance.choice(["5", "4", "3"])
    day = world.today - timedelta(days=chance.randint(0, 60))
    group = "graduate" if chance.random() < 0.4 else None
    fee = chance.choice([None, 30_000, 90_000, 500_000])
    trainee = await world.trainee(tx)
    given: dict[str, Any] = {"item_code": occupation, "level": level, "training_started_on": day.isoformat()}
    given["certificate_number"] = world.maker.certificate(level, world.today.year)
    if group:
        given["group"] = NewGroup(group, GROUPS[group], f"P{chance.randint(1, 10**6)}", "2020-01-01")
    number = f"{chance.randint(10**19, 10**20 - 1)}"
    given["invoice"] = NewInvoice(number, fee or 10_000_000, trainee.made.name)
    status = chance.choice(["filed", "verified", "refused", "withdrawn", "payable"])
    view = await world.claim(tx, status, trainee, **given)
    return Plain(view.id, occupation, level, day, group, fee or 10_000_000, view.amount_fen, status)


def _naive(claim: Plain, formula: dict[str, Any], lists: list[str]) -> int:
    facts: dict[str, Any] = {"level": claim.level, "lists": tuple(lists)}
    if claim.group:
        facts["group"] = claim.group
    formed = form(parse_formula(formula), facts)
    due = formed.amount_fen if formed else 0
    return due if claim.fee_fen is None else min(due, claim.fee_fen // 100 * 100)


async def _lists_of(tx: Tx, occupation: str) -> list[str]:
    asked = text("SELECT DISTINCT list_kind FROM catalog_items WHERE code = :code ORDER BY 1")
    return list((await tx.execute(asked, {"code": occupation})).scalars())


async def test_what_is_listed_is_what_every_claim_computed_anew_gives(tx: Tx, world: World) -> None:
    chance = random.Random(7)
    await world.set_policy(tx, "subsidy_capped_by_fee", True)
    bureaus = await Bureaus.of(tx, world)
    claims = [await _file(tx, world, chance) for _ in range(30)]
    lists = {code: await _lists_of(tx, code) for code in OCCUPATIONS}
    seen = 0
    for _ in range(5):
        first = world.today - timedelta(days=chance.randint(5, 60))
        last = chance.choice([None, first + timedelta(days=chance.randint(0, 30))])
        formula = flat(chance.choice([80_000, 100_000, 120_000]), lists={"shortage": chance.choice([100, 120])},
                       group={"graduate": chance.choice([80, 100, 150])})  # fmt: skip
        if chance.random() < 0.5:
            formula["terms"]["base"] = {"kind": "table", "by": "level", "unit": "fen",
                                        "values": {"4": 100_000, "3": 170_000}}  # fmt: skip
        proposed = await bureaus.propose(tx, formula, first, last)
        expected = {}
        for claim in claims:
            due = _naive(claim, formula, lists[claim.occupation])
            in_days = first <= claim.day and (last is None or claim.day <= last)
            if claim.status not in {"refused", "withdrawn"} and in_days and due != claim.amount_fen:
                expected[claim.id] = (due, max(due - claim.amount_fen, 0), max(claim.amount_fen - due, 0))
        found = (await affected_by(tx, None, proposed.id)).claims
        mine = [each for each in found if each.claim_id in {claim.id for claim in claims}]
        assert {
            each.claim_id: (each.would_be_fen, each.supplement_fen, each.recovery_fen) for each in mine
        } == expected
        seen += len(expected)
    assert seen > 10


async def test_once_it_is_published_only_days_that_are_its_own_count(tx: Tx, world: World) -> None:
    bureaus = await Bureaus.of(tx, world)
    claim = await world.claim(tx, "payable")
    long_ago = world.today - timedelta(days=100)
    first = await bureaus.in_force(tx, flat(100_000), long_ago)
    assert [each.claim_id for each in (await affected_by(tx, None, first.id)).claims if each.claim_id == claim.id]
    second = await bureaus.in_force(tx, flat(110_000), long_ago, corrects=first.id, reason="基数写错")
    assert not (await affected_by(tx, None, first.id)).claims
    (mine,) = [each for each in (await affected_by(tx, None, second.id)).claims if each.claim_id == claim.id]
    assert (mine.amount_fen, mine.would_be_fen, mine.recovery_fen) == (120_000, 110_000, 10_000)
    kept = (await tx.execute(select(ClaimRow.amount_fen).where(ClaimRow.id == claim.id))).scalar_one()
    assert kept == 120_000, "never silently repriced"


async def test_each_sees_their_district(tx: Tx, world: World) -> None:
    bureaus = await Bureaus.of(tx, world)
    here = await world.claim(tx)
    there = await world.claim(tx, district=world.other)
    proposed = await bureaus.propose(tx, flat(100_000), world.today)
    someone = bureaus.editor
    of_district = Actor(someone.user_id, someone.person_id, someone.posts, world.here)
    everywhere = {each.claim_id for each in (await affected_by(tx, someone, proposed.id)).claims}
    at_home = {each.claim_id for each in (await affected_by(tx, of_district, proposed.id)).claims}
    assert {here.id, there.id} <= everywhere
    assert here.id in at_home
    assert there.id not in at_home
    with pytest.raises(NotFound, match=r"standards\.not_found"):
        await affected_by(tx, someone, here.id)


async def test_a_claim_gets_what_the_formula_gives_its_group_and_keeps_the_steps(tx: Tx, world: World) -> None:
    bureaus = await Bureaus.of(tx, world)
    await bureaus.in_force(tx, flat(100_000, group={"graduate": 120}), world.today)
    group = NewGroup("graduate", "diploma", "P1", "2020-01-01")
    of_group, of_none = await world.claim(tx, group=group), await world.claim(tx)
    assert (of_group.amount_fen, of_none.amount_fen) == (120_000, 100_000)
    stored = (await tx.execute(select(ClaimRow.decision).where(ClaimRow.id == of_group.id))).scalar_one()
    steps = stored["facts"]["standard"]["steps"]
    assert [(each["term"], each["value"]) for each in steps] == [
        *(("base", 100_000), ("group", 120), ("whole", 120_000), ("amount", 120_000))
    ]
    assert recompute(steps) == 120_000
    plain = (await tx.execute(select(ClaimRow.decision).where(ClaimRow.id == of_none.id))).scalar_one()
    assert plain["facts"]["standard"]["steps"] == []
    assert await decisions_recompute(tx) is None


async def test_a_standard_that_gives_a_group_nothing_is_no_claim(tx: Tx, world: World) -> None:
    bureaus = await Bureaus.of(tx, world)
    await bureaus.in_force(tx, flat(100_000, group={"graduate": 0}), world.today)
    with pytest.raises(Ineligible) as refused:
        await world.claim(tx, group=NewGroup("graduate", "diploma", "P1", "2020-01-01"))
    assert "standard.zero" in str(refused.value.facts["decision"])
