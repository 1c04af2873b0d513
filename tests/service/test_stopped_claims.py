"""A sanction and an exit stop an institution's claims: on those days, with the days told, and nobody else's."""

from datetime import date, timedelta

import pytest

from domain.errors import Ineligible
from domain.institution import Stop
from domain.period import Period
from service.claims.commands.filing import file_claim
from service.claims.schemas import ClaimView
from service.database import Tx
from service.institutions import commands as institutions
from service.wording import words
from tests.oversight import Oversight
from tests.world import World


@pytest.fixture
async def city(tx: Tx, world: World) -> Oversight:
    return await Oversight.build(tx, world)


async def told(tx: Tx, city: Oversight, on: date, **other: object) -> tuple[str, str] | None:
    """Why the institution may not claim on a day, in code and words; None where it files."""
    world = city.world
    world.today, world.now = on, world.now + (on - world.today)
    trainee = await world.trainee(tx)
    mandate_id = await world.mandate(tx, city.clerk, trainee)
    new = world.new_claim(trainee, mandate_id=mandate_id, district=None, **other)
    try:
        await file_claim(tx, city.clerk, new, world.today, world.now)
    except Ineligible as refused:
        (failed,) = [each for each in refused.facts["decision"]["outcomes"] if each["outcome"] == "failed"]
        return failed["code"], words(failed["code"], failed["facts"])
    return None


async def test_filing_stops_on_the_days_of_the_sanction_and_goes_on_after(tx: Tx, city: Oversight) -> None:
    first = city.world.today + timedelta(days=2)
    days = Period(first, first + timedelta(days=9))
    now = city.world.now
    await institutions.impose(tx, city.decider, city.institution_id, days, {Stop.FILE_CLAIMS}, "示例", now)
    assert days.last is not None
    found = [
        await told(tx, city, day)
        for day in (first - timedelta(days=1), first, days.last, days.last + timedelta(days=1))
    ]
    assert [each and each[0] for each in found] == [None, "institution.suspended", "institution.suspended", None]
    assert found[1] is not None
    zh = "机构从{first}到{last}停止代领。请本人申领，或期满后再由机构代领。"
    assert found[1][1] == zh.format(first=spoken(days.first), last=spoken(days.last))


def spoken(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


async def test_a_sanction_that_stops_other_things_stops_no_claim(tx: Tx, city: Oversight) -> None:
    today, now = city.world.today, city.world.now
    stops = {Stop.FILE_CLASSES, Stop.RECEIVE_PAYMENTS}
    await institutions.impose(tx, city.decider, city.institution_id, Period(today), stops, "示例", now)
    assert await told(tx, city, today) is None


async def test_lifted_or_without_an_end(tx: Tx, city: Oversight) -> None:
    today, now = city.world.today, city.world.now
    impose = institutions.impose(
        tx, city.decider, city.institution_id, Period(today), {Stop.FILE_CLAIMS}, "示例", now
    )
    sanction = await impose
    refused = await told(tx, city, today)
    assert refused is not None
    assert refused[0] == "institution.suspended_until_further_notice"
    lifted_on = today + timedelta(days=3)
    await institutions.lift(tx, city.decider, sanction, lifted_on, "示例", now)
    assert (await told(tx, city, today) or ("",))[0] == "institution.suspended"
    assert await told(tx, city, lifted_on) is None


async def test_kept_off_the_catalog_while_the_training_began(tx: Tx, city: Oversight) -> None:
    today, now = city.world.today, city.world.now
    days = Period(today - timedelta(days=20), today - timedelta(days=10))
    await institutions.impose(tx, city.decider, city.institution_id, days, {Stop.BE_LISTED}, "示例", now)
    for began, code in ((days.first, "institution.suspended"), (days.last, "institution.suspended"), (today, None)):
        assert began is not None
        refused = await told(tx, city, today, training_started_on=began.isoformat())
        assert (refused and refused[0]) == code


async def test_who_left_claims_no_more_and_the_other_does(tx: Tx, city: Oversight) -> None:
    left_on = city.world.today + timedelta(days=2)
    await institutions.let_go(tx, city.decider, city.institution_id, left_on, "示例", city.world.now)
    assert await told(tx, city, left_on - timedelta(days=1)) is None
    refused = await told(tx, city, left_on, training_started_on=(left_on - timedelta(days=5)).isoformat())
    assert refused == ("institution.left", f"{spoken(left_on)}机构已经退出目录，不能代领。请本人申领。")
    other: ClaimView = await city.world.through_institution(tx, city.other_clerk)
    assert other.status == "filed"
    assert (await city.world.claim(tx)).status == "filed"
