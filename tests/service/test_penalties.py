"""Credit, the step that follows, penalties by two persons, appeals by a third, and claims that are stopped."""

from collections.abc import Awaitable
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from domain.errors import DomainError, Invalid
from domain.institution import Standing, Stop
from domain.penalty import EventKind
from domain.period import add_months
from service.audit.queries.checks import first_breach
from service.audit.queries.oversight import OVERSIGHT
from service.claims.tables import ClaimHoldRow
from service.database import Tx
from service.jobs import JobRow
from service.oversight.commands import appeals, crediting, penalties
from service.oversight.commands.holding import hold_portion
from service.oversight.queries import credit
from service.oversight.queries.penalties import penalty_list, penalty_view, public_penalties
from service.oversight.schemas import CreditEventView, NewAppeal, NewAppealAnswer, NewCorrection, PenaltyView
from service.policies.queries import work_calendar
from tests.oversight import SHA, Oversight
from tests.payments import journal_of
from tests.world import World

GRANTED = NewAppealAnswer(granted=True, answer="巡查记录有误", document_sha256=SHA, points=6)
UPHELD = NewAppealAnswer(granted=False, answer="事实清楚")


@pytest.fixture
async def city(tx: Tx, world: World) -> Oversight:
    return await Oversight.build(tx, world)


async def code_of(refused: Awaitable[object]) -> str:
    with pytest.raises(DomainError) as caught:
        await refused
    return caught.value.code


# ---- credit


async def test_credit_runs_through_the_year_and_is_mended_by_further_events(tx: Tx, city: Oversight) -> None:
    world = city.world
    first = await city.happens(tx)
    await city.happens(tx, EventKind.FEE_CHARGED, -7)
    view = await credit.credit(tx, city.here, city.code, world.today.year, world.today)
    assert (view.credit, len(view.events), view.standing) == (87, 2, Standing.LISTED)
    assert view.due is not None
    assert (view.due.step, view.due.why) == ("talk", "今年的信用分 87 分，低于 90 分。")
    mend = NewCorrection(4, "复核后减轻", SHA)
    own = crediting.correct_event(tx, city.here, first.id, mend, world.now)
    assert await code_of(own) == "credit.same_person"
    correction = await crediting.correct_event(tx, city.proposer, first.id, mend, world.now)
    assert (correction.corrects, correction.happened_on) == (first.id, first.happened_on)
    view = await credit.credit(tx, city.clerk, city.code, world.today.year, world.today)
    assert (view.credit, len(view.events), view.due) == (91, 3, None)
    twice = crediting.correct_event(tx, city.decider, correction.id, mend, world.now)
    assert await code_of(twice) == "credit.a_correction"
    (noted,) = await journal_of(tx, "credit_event", first.id)
    assert (noted.action, noted.after["points"]) == ("record", -6)
    assert (await credit.credit(tx, city.here, city.code, world.today.year - 1, world.today)).credit == 100


async def test_corrections_take_back_what_an_event_said_and_no_more(tx: Tx, city: Oversight) -> None:
    lost, praised = await city.happens(tx), await city.happens(tx, EventKind.COMMENDED, 5)

    async def correct(event: CreditEventView, points: int) -> str:
        new = NewCorrection(points, "复核", SHA)
        try:
            await crediting.correct_event(tx, city.proposer, event.id, new, city.world.now)
        except Invalid as refused:
            return f"{refused.facts['least']}..{refused.facts['most']}"
        return "mended"

    assert [await correct(lost, points) for points in (-1, 7, 4, 3, -5, 2)] == [
        "0..6", "0..6", "mended", "-4..2", "-4..2", "mended",
    ]  # fmt: skip
    assert [await correct(praised, points) for points in (1, -6, -5)] == ["-5..0", "-5..0", "mended"]


async def test_a_year_never_has_more_than_all_its_points(tx: Tx, city: Oversight) -> None:
    world = city.world
    await city.happens(tx, EventKind.COMMENDED, 8)
    assert (await credit.credit(tx, city.here, city.code, world.today.year, world.today)).credit == 100
    await city.happens(tx, points=-11)
    assert (await credit.credit(tx, city.here, city.code, world.today.year, world.today)).credit == 97


async def test_only_the_institutions_officers_and_its_clerk_see_its_credit(tx: Tx, city: Oversight) -> None:
    today = city.world.today
    await city.happens(tx, points=-20)
    for reader in (city.proposer, city.here, city.clerk, city.evaluators[0]):
        assert (await credit.credit(tx, reader, city.code, today.year, today)).credit == 80
    for other in (city.there, city.other_clerk, (await city.world.trainee(tx)).actor):
        assert await code_of(credit.credit(tx, other, city.code, today.year, today)) == "oversight.no_institution"
    assert city.code in {each.institution for each in (await credit.due_list(tx, city.here, today)).due}
    assert city.code not in {each.institution for each in (await credit.due_list(tx, city.there, today)).due}
    record = crediting.record_event
    assert await code_of(record(tx, city.there, city.event(), today, city.world.now)) == "oversight.no_institution"
    assert await code_of(record(tx, city.clerk, city.event(), today, city.world.now)) == "post_missing"


async def test_what_cannot_be_an_event(tx: Tx, city: Oversight) -> None:
    tomorrow = (city.world.today + timedelta(days=1)).isoformat()
    for new, code in (
        (city.event(points=1), "credit.points"),
        (city.event(EventKind.CORRECTION, 0), "credit.kind"),
        (city.event(EventKind.APPEAL_GRANTED, 0), "credit.kind"),
        (city.event(happened_on=tomorrow), "credit.not_yet"),
        (city.event(words="电话 13800001234"), "text.personal_number"),
        (city.event(words="  "), "words.empty"),
        (city.event(classes_held=3, classes_failed=1), "credit.results"),
    ):
        refused = crediting.record_event(tx, city.here, new, city.world.today, city.world.now)
        assert await code_of(refused) == code


async def test_the_credit_platform_is_told_events_and_published_penalties(tx: Tx, city: Oversight) -> None:
    await city.happens(tx, words="=HYPERLINK(1)")
    await city.imposed(tx, "talk")
    await city.imposed(tx, "rectify")
    year = city.world.today.year
    lines = (await credit.export(tx, city.decider, year)).decode("utf-8-sig").splitlines()
    ours = [line for line in lines if line.startswith(city.code)]
    assert len(ours) == 2
    assert "巡查不合格,'=HYPERLINK(1)" in ours[0]
    assert "扣6分" in ours[0]
    assert f"整改,巡查两次不合格,{city.world.today},{city.world.today}," in ours[1]
    assert await code_of(credit.export(tx, city.here, year)) == "city_only"


# ---- penalties


async def test_two_persons_decide_and_the_rule_is_named(tx: Tx, city: Oversight) -> None:
    world = city.world
    await city.happens(tx, points=-11)
    proposed = await penalties.propose(tx, city.here, city.penalty("talk"), world.today, world.now)
    assert (proposed.rule, proposed.status, proposed.why) == (
        "credit_below",
        "proposed",
        "今年的信用分 89 分，低于 90 分。",
    )
    again = penalties.propose(tx, city.proposer, city.penalty("talk"), world.today, world.now)
    assert await code_of(again) == "penalty.proposed"
    alone = penalties.impose(tx, city.here, proposed.id, world.today, world.now)
    assert await code_of(alone) == "city_only"
    imposed = await penalties.impose(tx, city.decider, proposed.id, world.today, world.now)
    calendar = work_calendar()
    assert (imposed.status, imposed.last, imposed.stops) == ("imposed", None, [])
    assert (imposed.mend_until, imposed.appeal_until) == (
        calendar.add(world.today, 5).on,
        calendar.add(world.today, 10).on,
    )
    assert (await credit.credit(tx, city.here, city.code, world.today.year, world.today)).due is None
    assert [each.action for each in await journal_of(tx, "penalty", imposed.id)] == ["propose", "impose"]
    assert await first_breach(tx, OVERSIGHT.checks) is None


async def test_nobody_decides_what_they_proposed(tx: Tx, city: Oversight) -> None:
    proposed = await city.proposed(tx, "rectify")
    for who, code in ((city.proposer, "penalty.same_person"), (city.there, "penalty.not_found"),
                      (city.clerk, "post_missing")):  # fmt: skip
        refused = penalties.impose(tx, who, proposed.id, city.world.today, city.world.now)
        assert await code_of(refused) == code
    late = penalties.impose(tx, city.decider, proposed.id, city.world.today + timedelta(days=1), city.world.now)
    assert await code_of(late) == "penalty.too_late"
    dropped = await penalties.drop(tx, city.proposer, proposed.id, city.world.today, city.world.now)
    assert dropped.status == "dropped"
    assert (await city.stands(tx, city.world.today)).standing is Standing.LISTED
    for who in (city.clerk, city.evaluators[0]):
        assert await code_of(penalty_view(tx, who, proposed.id)) == "penalty.not_found"


async def test_a_step_stops_what_it_names_on_its_days_and_no_others(tx: Tx, city: Oversight) -> None:
    first = city.world.today + timedelta(days=3)
    rectify = await city.imposed(tx, "rectify", first)
    assert rectify.last == add_months(first, 6) - timedelta(days=1)
    for day, stopped in (
        (first - timedelta(days=1), set()),
        (first, {Stop.FILE_CLASSES}),
        (rectify.last, {Stop.FILE_CLASSES}),
        (rectify.last + timedelta(days=1), set()),
    ):
        found = await city.stands(tx, day)
        assert (found.stops, found.may(Stop.FILE_CLAIMS)) == (stopped, True)
    await city.imposed(tx, "circulate", first)
    assert (await city.stands(tx, first)).stops == {Stop.FILE_CLASSES, Stop.FILE_CLAIMS}


async def test_the_last_step_leaves_the_catalog(tx: Tx, city: Oversight) -> None:
    first = city.world.today + timedelta(days=1)
    gone = await city.imposed(tx, "dismiss", first)
    assert (gone.leaves, gone.claims_in_flight_name[:15]) == (True, "在办的代领从决定之日起冻结，查")
    assert (await city.stands(tx, city.world.today)).standing is Standing.LISTED
    assert (await city.stands(tx, first)).standing is Standing.EXITED


async def test_what_is_published_is_taken_down(tx: Tx, city: Oversight) -> None:
    today = city.world.today
    await city.imposed(tx, "talk")
    rectify = await city.imposed(tx, "rectify")
    assert rectify.published_until is not None

    async def published(day: date) -> list[tuple[str, date, date | None]]:
        found = (await public_penalties(tx, day)).penalties
        return [(each.step_name, each.first, each.last) for each in found if each.institution == city.code]

    assert await published(today) == [("整改", today, rectify.last)]
    assert await published(rectify.published_until) != []
    assert await published(rectify.published_until + timedelta(days=1)) == []
    appealed = await appeals.appeal(tx, city.clerk, rectify.id, NewAppeal("有误"), today, city.world.now)
    assert await published(today) != []
    await appeals.answer(tx, city.third, appealed.id, GRANTED, today, city.world.now)
    assert await published(today) == []


# ---- appeals


async def appealed(tx: Tx, city: Oversight, step: str = "circulate") -> PenaltyView:
    imposed = await city.imposed(tx, step)
    return await appeals.appeal(tx, city.clerk, imposed.id, NewAppeal("当天放假"), city.world.today, city.world.now)


async def test_a_granted_appeal_lifts_it_and_gives_credit_back(tx: Tx, city: Oversight) -> None:
    await city.happens(tx)
    raised, proposed_on = await appealed(tx, city), city.world.today
    assert (raised.status, raised.appeal and raised.appeal.granted) == ("appealed", None)
    city.let_pass(5)
    today = city.world.today
    for who in (city.proposer, city.decider):
        refused = appeals.answer(tx, who, raised.id, GRANTED, today, city.world.now)
        assert await code_of(refused) == "penalty.same_person"
    assert await code_of(appeals.answer(tx, city.here, raised.id, GRANTED, today, city.world.now)) == "city_only"
    answered = await appeals.answer(tx, city.third, raised.id, GRANTED, today, city.world.now)
    assert (answered.status, answered.lifted_on, answered.appeal and answered.appeal.granted) == (
        "overturned",
        today,
        True,
    )
    assert (await city.stands(tx, today - timedelta(days=1))).standing is Standing.SUSPENDED
    assert (await city.stands(tx, today)).standing is Standing.LISTED
    view = await credit.credit(tx, city.here, city.code, proposed_on.year, today)
    told = {each.kind: (each.penalty, each.happened_on) for each in view.events}
    assert told[EventKind.APPEAL_GRANTED] == (raised.id, proposed_on)
    assert view.credit == 100
    again = appeals.answer(tx, city.third, raised.id, UPHELD, today, city.world.now)
    assert await code_of(again) == "wrong_status"
    assert await first_breach(tx, OVERSIGHT.checks) is None


async def test_an_appeal_of_last_year_gives_back_what_last_year_lost(tx: Tx, city: Oversight) -> None:
    await city.happens(tx)
    raised, year = await appealed(tx, city, "dismiss"), city.world.today.year
    city.let_pass((date(year + 1, 1, 10) - city.world.today).days)
    today = city.world.today
    before = [(await credit.credit(tx, city.here, city.code, each, today)).credit for each in (year, year + 1)]
    await appeals.answer(tx, city.third, raised.id, GRANTED, today, city.world.now)
    after = [(await credit.credit(tx, city.here, city.code, each, today)).credit for each in (year, year + 1)]
    assert (before, after) == ([94, 100], [100, 100])


async def test_an_appeal_that_is_not_granted_changes_nothing(tx: Tx, city: Oversight) -> None:
    raised = await appealed(tx, city)
    upheld = await appeals.answer(tx, city.third, raised.id, UPHELD, city.world.today, city.world.now)
    assert (upheld.status, upheld.lifted_on) == ("upheld", None)
    assert (await city.stands(tx, city.world.today)).standing is Standing.SUSPENDED
    again = appeals.appeal(tx, city.clerk, raised.id, NewAppeal("再来"), city.world.today, city.world.now)
    assert await code_of(again) == "wrong_status"


async def test_one_appeals_in_time_for_ones_own_institution(tx: Tx, city: Oversight) -> None:
    imposed = await city.imposed(tx, "talk")
    assert imposed.appeal_until is not None
    for who, day, code in (
        (city.other_clerk, city.world.today, "penalty.not_found"),
        (city.here, city.world.today, "post_missing"),
        (city.clerk, imposed.appeal_until + timedelta(days=1), "penalty.appeal_late"),
    ):
        assert await code_of(appeals.appeal(tx, who, imposed.id, NewAppeal("x"), day, city.world.now)) == code
    blank = appeals.appeal(tx, city.clerk, imposed.id, NewAppeal(" "), city.world.today, city.world.now)
    assert await code_of(blank) == "words.empty"
    last = await appeals.appeal(tx, city.clerk, imposed.id, NewAppeal("x"), imposed.appeal_until, city.world.now)
    assert last.status == "appealed"
    past = NewAppealAnswer(True, "x", (city.world.today - timedelta(days=1)).isoformat(), 0, SHA)
    for new, code in ((past, "penalty.lift_in_past"), (NewAppealAnswer(True, "x"), "penalty.document")):
        refused = appeals.answer(tx, city.third, imposed.id, new, city.world.today, city.world.now)
        async with tx.begin_nested() as savepoint:
            assert await code_of(refused) == code
            await savepoint.rollback()


async def test_nothing_is_lifted_after_its_end(tx: Tx, city: Oversight) -> None:
    raised, (today, now) = await appealed(tx, city), (city.world.today, city.world.now)
    assert raised.last is not None
    late, last = (
        NewAppealAnswer(True, "x", str(day), 0, SHA) for day in (raised.last + timedelta(days=1), raised.last)
    )
    async with tx.begin_nested() as savepoint:
        assert await code_of(appeals.answer(tx, city.third, raised.id, late, today, now)) == "penalty.lift_late"
        await savepoint.rollback()
    assert (await appeals.answer(tx, city.third, raised.id, last, today, now)).lifted_on == raised.last


async def test_each_sees_their_own_penalties_a_page_at_a_time(tx: Tx, city: Oversight) -> None:
    ids = []
    for step in ("talk", "rectify", "circulate"):
        ids.append((await city.imposed(tx, step)).id)
        city.world.now += timedelta(minutes=1)
    await city.proposed(tx, "dismiss")
    page = await penalty_list(tx, city.clerk, None, 2)
    rest = await penalty_list(tx, city.clerk, page.next, 2)
    assert [each.id for each in (*page.penalties, *rest.penalties)] == ids[::-1]
    assert (await penalty_list(tx, city.here, None, 50)).penalties[0].step == "dismiss"
    assert (await penalty_list(tx, city.other_clerk, None, 50)).penalties == []
    elsewhere = (await penalty_list(tx, city.there, None, 200)).penalties
    assert city.code not in {each.institution for each in elsewhere}


# ---- claims in flight, and claims that are stopped


async def test_claims_in_flight_are_held_and_let_go_where_the_ladder_says_so(tx: Tx, city: Oversight) -> None:
    world = city.world
    before = await world.through_institution(tx, city.clerk)
    elsewhere = await world.through_institution(tx, city.other_clerk)
    alone = await world.claim(tx)
    imposed = await city.imposed(tx, "dismiss")
    (owed,) = await _owed(tx, imposed)
    assert owed == "ready"
    assert not await hold_portion(tx, imposed.id, world.now)
    assert not await hold_portion(tx, imposed.id, world.now)

    async def held() -> set[object]:
        rows = await _holds(tx)
        return rows & {before.id, elsewhere.id, alone.id}

    assert await held() == {before.id}
    await appeals.appeal(tx, city.clerk, imposed.id, NewAppeal("x"), world.today, world.now)
    await appeals.answer(tx, city.third, imposed.id, GRANTED, world.today, world.now)
    assert not await hold_portion(tx, imposed.id, world.now)
    assert await held() == set()


async def test_what_another_penalty_holds_too_stays_held(tx: Tx, city: Oversight) -> None:
    """The second found everything held and placed no hold; the first, overturned, hands its claims over."""
    world = city.world
    claim = await world.through_institution(tx, city.clerk)
    first, second = await city.imposed(tx, "dismiss"), await city.imposed(tx, "dismiss")
    for penalty in (first, second):
        assert not await hold_portion(tx, penalty.id, world.now)
    await tx.execute(update(JobRow).where(JobRow.subject == second.id).values(state="done"))

    async def overturn(penalty: PenaltyView) -> None:
        await appeals.appeal(tx, city.clerk, penalty.id, NewAppeal("x"), world.today, world.now)
        await appeals.answer(tx, city.third, penalty.id, GRANTED, world.today, world.now)
        assert not await hold_portion(tx, penalty.id, world.now)

    await overturn(first)
    assert claim.id in await _holds(tx)
    assert sorted(await _owed(tx, second)) == ["done", "ready"]
    await overturn(second)
    assert claim.id not in await _holds(tx)


async def _owed(tx: Tx, penalty: PenaltyView) -> list[str]:
    return list((await tx.execute(select(JobRow.state).where(JobRow.subject == penalty.id))).scalars())


async def _holds(tx: Tx) -> set[object]:
    live = select(ClaimHoldRow.claim_id).where(ClaimHoldRow.lifted_at.is_(None))
    return set((await tx.execute(live)).scalars())
