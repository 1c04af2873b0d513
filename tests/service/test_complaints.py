"""Complaints: sealed, answered once by another in the district, overdue after their day, counted without telling."""

from collections.abc import Awaitable
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from domain.actor import Actor, Post
from domain.complaint import ComplaintKind, told
from domain.errors import DomainError, Invalid
from domain.institution import InstitutionKind
from service.audit.queries.checks import first_breach
from service.audit.queries.entries import JournalFilter, list_entries
from service.audit.queries.oversight import OVERSIGHT
from service.database import Tx
from service.institutions.commands import registering
from service.institutions.schemas import NewInstitution
from service.oversight.commands import complaining
from service.oversight.queries.complaints import complaint_counts, district_complaints, my_complaints
from service.oversight.schemas import ComplaintReceipt, ComplaintView, NewComplaint, NewComplaintAnswer
from service.oversight.tables import ComplaintRow
from service.policies.queries import work_calendar
from service.training.schemas import NewSite
from tests.oversight import Oversight
from tests.payments import journal_of
from tests.training import School
from tests.world import World

WORDS = "老师常常不来，我的电话 13800001234"
ANSWER = NewComplaintAnswer("已责令补课", founded=True)


@pytest.fixture
async def city(tx: Tx, world: World) -> Oversight:
    return await Oversight.build(tx, world)


@pytest.fixture
async def me(tx: Tx, world: World) -> Actor:
    return (await world.trainee(tx)).actor


async def complain(tx: Tx, city: Oversight, me: Actor | None, words: str = WORDS) -> ComplaintReceipt:
    new = NewComplaint(city.code, words)
    return await complaining.complain(tx, me, new, city.world.today, city.world.now)


async def at_the_desk(tx: Tx, city: Oversight, day: date, which: str = "open") -> list[ComplaintView]:
    """What the district's officer sees of our institution; other tests leave complaints of theirs."""
    found = await district_complaints(tx, city.here, day, None, 200, which=which)
    return [each for each in found.complaints if each.institution == city.code]


async def code_of(refused: Awaitable[object]) -> str:
    with pytest.raises(DomainError) as caught:
        await refused
    return caught.value.code


async def test_the_words_are_sealed_and_come_back_to_those_concerned(tx: Tx, city: Oversight, me: Actor) -> None:
    today, receipt = city.world.today, await complain(tx, city, me)
    assert receipt.due_on == work_calendar().add(today, 15).on
    stored = (await tx.execute(select(ComplaintRow.words_sealed).where(ComplaintRow.id == receipt.id))).scalar_one()
    assert b"13800001234" not in stored
    (noted,) = await journal_of(tx, "complaint", receipt.id)
    assert (noted.action, "words" in noted.after) == ("complain", False)
    (mine,) = (await my_complaints(tx, me, today, None, 50)).complaints
    (theirs,) = await at_the_desk(tx, city, today)
    assert (mine.words, theirs.words, theirs.anonymous) == (WORDS, WORDS, False)
    stranger = (await city.world.trainee(tx)).actor
    assert (await my_complaints(tx, stranger, today, None, 50)).complaints == []
    elsewhere = await district_complaints(tx, city.there, today, None, 200, which="open")
    assert city.code not in {each.institution for each in elsewhere.complaints}


async def test_the_district_answers_once(tx: Tx, city: Oversight, me: Actor) -> None:
    today, now = city.world.today, city.world.now
    receipt = await complain(tx, city, me)
    for who, code in ((city.there, "complaint.not_found"), (city.clerk, "post_missing"), (me, "post_missing")):
        assert await code_of(complaining.answer(tx, who, receipt.id, ANSWER, today, now)) == code
    answered = await complaining.answer(tx, city.here, receipt.id, ANSWER, today, now)
    assert (answered.founded, answered.late) == (True, False)
    (mine,) = (await my_complaints(tx, me, today, None, 50)).complaints
    assert (mine.answer, mine.founded, mine.answered_on) == ("已责令补课", True, today)
    assert await code_of(complaining.answer(tx, city.here, receipt.id, ANSWER, today, now)) == "complaint.answered"
    assert await at_the_desk(tx, city, today) == []
    (done,) = await at_the_desk(tx, city, today, "answered")
    assert done.id == receipt.id
    assert await first_breach(tx, OVERSIGHT.checks) is None


async def test_nobody_answers_their_own(tx: Tx, city: Oversight) -> None:
    receipt = await complain(tx, city, city.here)
    refused = complaining.answer(tx, city.here, receipt.id, ANSWER, city.world.today, city.world.now)
    assert await code_of(refused) == "complaint.own"


async def test_it_is_overdue_the_day_after_its_day(tx: Tx, city: Oversight, me: Actor) -> None:
    receipt = await complain(tx, city, me)
    for day, late in ((receipt.due_on, []), (receipt.due_on + timedelta(days=1), [receipt.id])):
        assert [each.id for each in await at_the_desk(tx, city, day, "overdue")] == late
    day = receipt.due_on + timedelta(days=1)
    assert (await complaining.answer(tx, city.here, receipt.id, ANSWER, day, city.world.now)).late


async def test_anybody_complains_without_a_name(tx: Tx, city: Oversight) -> None:
    receipt = await complain(tx, city, None)
    (seen,) = await at_the_desk(tx, city, city.world.today)
    assert (seen.id, seen.anonymous, seen.words) == (receipt.id, True, WORDS)
    (noted,) = await journal_of(tx, "complaint", receipt.id)
    assert (noted.actor_name, noted.actor_person_id) == ("anybody", None)
    found = JournalFilter(kind="complaint", subject=receipt.id)
    (read,) = (await list_entries(tx, city.world.staff[Post.AUDITOR], found, None, 5)).entries
    assert read.who == "没有登录的人"
    nowhere = NewComplaint(city.world.maker.credit_code(), "x")
    refused = complaining.complain(tx, None, nowhere, city.world.today, city.world.now)
    assert await code_of(refused) == "oversight.no_institution"
    assert await code_of(complain(tx, city, None, "  ")) == "words.empty"


async def test_small_counts_are_not_told(tx: Tx, city: Oversight, me: Actor) -> None:
    year = city.world.today.year

    async def count() -> int | None:
        counts = (await complaint_counts(tx, year)).counts
        return next((each.complaints for each in counts if each.institution == city.code), -1)

    assert await count() == -1
    opinion = NewComplaint(city.code, "很好", ComplaintKind.OPINION)
    await complaining.complain(tx, me, opinion, city.world.today, city.world.now)
    assert await count() == -1
    for expected in (None, None, None, None, 5, 6):
        await complain(tx, city, me)
        assert await count() == expected
    assert [told(each) for each in (0, 4, 5)] == [None, None, 5]
    nameless = await complain(tx, city, None)
    assert await count() == 6
    await complaining.answer(tx, city.here, nameless.id, ANSWER, city.world.today, city.world.now)
    assert await count() == 7


async def test_who_never_was_in_the_catalog_is_unknown(tx: Tx, city: Oversight, me: Actor) -> None:
    world, code = city.world, city.world.maker.credit_code()
    new = NewInstitution(code, "示例技能学校", InstitutionKind.PRIVATE_SCHOOL, world.here)
    await registering.register(tx, city.proposer, new, world.now)
    refused = complaining.complain(tx, me, NewComplaint(code, "x"), world.today, world.now)
    assert await code_of(refused) == "oversight.no_institution"


async def test_pages(tx: Tx, city: Oversight, me: Actor) -> None:
    ids = []
    for _ in range(3):
        ids.append((await complain(tx, city, me)).id)
        city.world.now += timedelta(minutes=1)
    page = await my_complaints(tx, me, city.world.today, None, 2)
    rest = await my_complaints(tx, me, city.world.today, page.next, 2)
    assert [each.id for each in (*page.complaints, *rest.complaints)] == ids[::-1]
    assert rest.next is None


async def test_an_auditor_does_not_read_complaints(tx: Tx, city: Oversight) -> None:
    auditor = city.world.staff[Post.AUDITOR]
    refused = district_complaints(tx, auditor, city.world.today, None, 50, which="open")
    assert await code_of(refused) == "post_missing"


async def test_a_class_that_is_named_is_one_of_the_institutions(tx: Tx, city: Oversight, me: Actor) -> None:
    world = city.world
    school = await School.build(tx, world)
    own = await school.approved(tx)
    elsewhere = await school.file(tx, world.clerks[1], site=NewSite("分校", "花园路 2 号", world.other))
    other = await school.approve(tx, elsewhere.id, school.officers[1])

    async def about(number: str) -> ComplaintReceipt:
        new = NewComplaint(city.code, WORDS, class_number=number)
        return await complaining.complain(tx, me, new, world.today, world.now)

    assert own.number is not None
    assert other.number is not None
    await about(f" {own.number.lower()} ")
    (seen,) = (await my_complaints(tx, me, world.today, None, 50)).complaints
    assert seen.class_number == own.number
    for strange in (other.number, "没有的班"):
        with pytest.raises(Invalid):
            await about(strange)
