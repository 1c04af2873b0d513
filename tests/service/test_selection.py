"""A round of selection from its announcement to the catalog: applied for, scored, publicised, admitted."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from domain.actor import Post
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.institution import InstitutionKind, Stop
from domain.period import Period
from service.audit.queries.checks import first_breach
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.database import Tx
from service.institutions.commands import (
    admitting,
    applying,
    impose,
    let_go,
    record_evaluation,
    registering,
    rounds,
)
from service.institutions.queries import registry, scope_on, selection, standings
from service.institutions.schemas import NewCriterion, NewScope, NewScopes, NewSheet, Span
from service.journal import By
from service.policies.queries import work_calendar
from tests.selection import A_DAY, COOK, Selecting, codes
from tests.world import WELDER, World


@pytest.fixture
async def stage(tx: Tx, world: World) -> Selecting:
    return await Selecting.of(tx, world)


async def standing(tx: Tx, stage: Selecting, on: date) -> str:
    return (await standings(tx, [stage.institution_id], on))[stage.institution_id].standing


# ---- the whole way


async def test_an_institution_is_admitted_for_the_announced_days(tx: Tx, stage: Selecting) -> None:
    publicised, application = await stage.admitted(tx)
    first, last = publicised.admits.first, publicised.admits.last
    assert last is not None
    assert (application.status, application.score, application.renewal) == ("admitted", 7_600, False)
    stood = [await standing(tx, stage, day) for day in (first - A_DAY, first, last, last + A_DAY)]
    assert stood == ["never", "listed", "listed", "expired"]
    assert await scope_on(tx, stage.institution_id, first) == {WELDER: frozenset({"4", "5"})}
    assert not await scope_on(tx, stage.institution_id, last + A_DAY)
    kept = await registry.record_of(tx, stage.officer, stage.institution_id, first)
    assert {each.source for each in (*kept.listings, *kept.scopes)} == {f"示例遴选（{first.year}年遴选）"}
    assert await first_breach(tx, JOURNALLED.checks) is None
    assert await first_breach(tx, LEGAL_MOVES.checks) is None


async def test_publicity_takes_the_working_days_of_the_policy(tx: Tx, stage: Selecting) -> None:
    await stage.world.set_policy(tx, "selection_publicity_working_days", 7)
    publicised, application = await stage.nominated(tx)
    assert publicised.publicity is not None
    last = publicised.publicity.last
    assert (publicised.publicity_working_days, publicised.publicity.first) == (7, stage.closed)
    assert last == work_calendar().add(stage.closed, 7).on
    assert last is not None
    with pytest.raises(Conflict, match=r"selection\.in_publicity"):
        await admitting.admit(tx, stage.officer, application.id, last, stage.world.now)
    with pytest.raises(Conflict, match=r"selection\.in_publicity"):
        await rounds.close(tx, stage.officer, publicised.id, last, stage.world.now)
    with pytest.raises(Conflict, match=r"selection\.undecided"):
        await rounds.close(tx, stage.officer, publicised.id, last + A_DAY, stage.world.now)
    await admitting.admit(tx, stage.officer, application.id, last + A_DAY, stage.world.now)
    closed = await rounds.close(tx, stage.officer, publicised.id, last + A_DAY, stage.world.now)
    assert (closed.status, [each.status for each in closed.results]) == ("closed", ["admitted"])


async def test_below_the_pass_mark_one_is_turned_down_with_the_figures(tx: Tx, stage: Selecting) -> None:
    publicised, application = await stage.nominated(tx, 师资=59, 场地=61)
    assert publicised.results == []
    seen = await selection.application_view(tx, stage.clerk, application.id)
    assert (seen.status, seen.score, seen.sheets) == ("not_admitted", 5_980, [])
    assert seen.reason == "得分 59.80，未达 60 分"
    with pytest.raises(Conflict, match="wrong_status"):
        await admitting.admit(tx, stage.officer, application.id, stage.admitted_on, stage.world.now)
    closed = await rounds.close(tx, stage.officer, publicised.id, stage.admitted_on, stage.world.now)
    assert closed.status == "closed"


async def test_an_objection_turns_a_nominated_institution_down(tx: Tx, stage: Selecting) -> None:
    publicised, application = await stage.nominated(tx)
    with pytest.raises(Invalid, match=r"text\.personal_number"):
        await admitting.turn_down(tx, stage.officer, application.id, "举报人 13812345678", stage.world.now)
    declined = await admitting.turn_down(tx, stage.officer, application.id, "公示期内查实场地虚假", stage.world.now)
    assert (declined.status, declined.reason) == ("not_admitted", "公示期内查实场地虚假")
    assert (await selection.application_view(tx, stage.clerk, application.id)).reason == "公示期内查实场地虚假"
    assert (await selection.round_view(tx, publicised.id)).results == []
    assert await standing(tx, stage, stage.admitted_on) == "never"


async def test_one_that_waits_is_not_turned_down_singly(tx: Tx, stage: Selecting) -> None:
    application = await stage.applied(tx, (await stage.announced(tx)).id)
    with pytest.raises(Conflict, match="wrong_status"):
        await admitting.turn_down(tx, stage.officer, application.id, "示例", stage.world.now)
    assert (await selection.application_view(tx, stage.clerk, application.id)).status == "filed"


# ---- announcing


async def test_every_fault_of_an_announcement_is_told(tx: Tx, stage: Selecting) -> None:
    today = stage.world.today
    wrong: dict[str, Any] = {
        "title": "遴选\u202e",
        "kinds": [],
        "criteria": [NewCriterion("师资", 60), NewCriterion("师资", 30)],
        "pass_mark": 101,
        "assessors": 1,
        "applications": Span(str(today - A_DAY), str(today + A_DAY)),
        "admits": Span(str(today + A_DAY), "2099-02-29"),
    }
    with pytest.raises(Invalid) as refused:
        await stage.announced(tx, **wrong)
    assert codes(refused.value) == [
        ("title", "words.characters"),
        ("criteria.1.name", "selection.criterion_twice"),
        ("criteria", "selection.weights"),
        ("kinds", "selection.kinds"),
        ("pass_mark", "selection.pass_mark"),
        ("assessors", "selection.assessors"),
        ("admits.to", "date.no_such_day"),
    ]
    with pytest.raises(Invalid) as refused:
        await stage.announced(
            tx, applications=wrong["applications"], admits=Span(str(today + A_DAY), "2099-01-01"), year=1 + today.year
        )
    assert codes(refused.value) == [
        ("applications.from", "selection.in_past"),
        ("admits.from", "selection.admits_too_early"),
        ("admits.from", "selection.other_year"),
    ]


async def test_a_round_that_could_only_turn_down_is_not_announced(tx: Tx, stage: Selecting) -> None:
    closed, working_days = stage.closed, 5
    earliest = work_calendar().add(closed, working_days).on + A_DAY
    last = str(earliest + A_DAY * 30)
    with pytest.raises(Invalid) as refused:
        await stage.announced(tx, year=earliest.year, admits=Span(str(earliest - A_DAY), last))
    assert ("admits.from", "selection.admits_in_publicity") in codes(refused.value)
    announced = await stage.announced(tx, year=earliest.year, admits=Span(str(earliest), last))
    application = await stage.applied(tx, announced.id)
    await stage.scored(tx, application.id)
    next_workday = work_calendar().add(closed, 1).on
    with pytest.raises(Conflict, match=r"selection\.publicity_late"):
        await rounds.publicise(tx, stage.officer, announced.id, next_workday, stage.world.now)
    assert (await stage.publicised(tx, announced.id)).status == "in_publicity"
    admitted = await admitting.admit(tx, stage.officer, application.id, earliest, stage.world.now)
    assert admitted.status == "admitted"


async def test_a_district_does_not_select(tx: Tx, stage: Selecting) -> None:
    here = await stage.world.user(tx, {Post.INSTITUTION_OFFICER}, stage.world.here)
    with pytest.raises(Forbidden, match="city_only"):
        await rounds.announce(tx, here, stage.new_round(), stage.world.today, stage.world.now)
    announced = await stage.announced(tx)
    for act in (
        rounds.publicise(tx, here, announced.id, stage.closed, stage.world.now),
        rounds.close(tx, here, announced.id, stage.closed, stage.world.now),
        rounds.drop_round(tx, here, announced.id, "示例", stage.world.now),
    ):
        with pytest.raises(Forbidden, match="city_only"):
            await act


async def test_a_dropped_round_tells_everybody_who_applied(tx: Tx, stage: Selecting) -> None:
    announced = await stage.announced(tx)
    application = await stage.applied(tx, announced.id)
    dropped = await rounds.drop_round(tx, stage.officer, announced.id, "公告有误，另行发布", stage.world.now)
    assert (dropped.status, dropped.publicity) == ("dropped", None)
    seen = await selection.application_view(tx, stage.clerk, application.id)
    assert (seen.status, seen.reason) == ("not_admitted", "公告有误，另行发布")
    with pytest.raises(Conflict, match="wrong_status"):
        await stage.applied(tx, announced.id)
    with pytest.raises(Conflict, match="wrong_status"):
        await stage.publicised(tx, announced.id)


# ---- applying


async def test_an_institution_applies_once_and_may_start_over(tx: Tx, stage: Selecting) -> None:
    announced = await stage.announced(tx)
    first = await stage.applied(tx, announced.id)
    with pytest.raises(Conflict, match=r"selection\.applied"):
        await stage.applied(tx, announced.id)
    withdrawn = await applying.withdraw(tx, stage.clerk, first.id, stage.world.now)
    assert withdrawn.status == "withdrawn"
    with pytest.raises(Conflict, match="wrong_status"):
        await applying.withdraw(tx, stage.clerk, first.id, stage.world.now)
    again = await stage.applied(tx, announced.id)
    _, other = await stage.institution(tx, stage.world, stage.officer)
    theirs = await stage.applied(tx, announced.id, other)
    seen = [await selection.applications(tx, who, announced.id) for who in (stage.clerk, other, stage.officer)]
    assert [{each.id for each in page.applications} for page in seen] == [
        {first.id, again.id},
        {theirs.id},
        {first.id, again.id, theirs.id},
    ]
    for act in (
        selection.application_view(tx, other, again.id),
        applying.withdraw(tx, other, again.id, stage.world.now),
    ):
        with pytest.raises(NotFound, match=r"selection\.no_application"):
            await act


async def test_everything_that_keeps_an_applicant_out_is_told_at_once(tx: Tx, stage: Selecting) -> None:
    announced = await stage.announced(tx)
    _, other = await stage.institution(tx, stage.world, stage.officer, InstitutionKind.PUBLIC_BASE)
    foreign = await stage.document(tx)
    with pytest.raises(Invalid) as refused:
        await stage.applied(tx, announced.id, other, scopes=[NewScope("9-99-99-99", ["4"])], documents=[foreign])
    assert codes(refused.value) == [
        ("round_id", "selection.other_kind"),
        ("scopes.0.occupation", "standards.unknown_occupation"),
        ("documents.0", "document.none"),
    ]
    with pytest.raises(Invalid) as refused:
        await stage.applied(tx, announced.id, scopes=[], documents=[])
    assert codes(refused.value) == [("scopes", "institution.no_scope"), ("documents", "document.count")]
    late = await stage.announced(tx, applications=Span(str(stage.closed), str(stage.closed + A_DAY)))
    with pytest.raises(Invalid) as refused:
        await stage.applied(tx, late.id)
    assert codes(refused.value) == [("round_id", "selection.not_open")]


@pytest.mark.parametrize(
    ("passed", "expected"), [(None, "selection.evaluation_missing"), (False, "selection.evaluation_failed")]
)
async def test_a_renewal_needs_the_evaluation_of_the_year_before(
    tx: Tx, stage: Selecting, passed: bool | None, expected: str
) -> None:
    announced, by = await stage.announced(tx), By("evaluator", stage.world.now)
    old = stage.world.clerks[0]
    assert old.institution_id is not None
    if passed is not None:
        await record_evaluation(tx, by, old.institution_id, announced.year - 1, passed, "第三方评估报告")
    with pytest.raises(Invalid) as refused:
        await stage.applied(tx, announced.id, old)
    assert codes(refused.value) == [("round_id", expected)]


async def test_a_renewal_follows_on_what_held_before(tx: Tx, stage: Selecting) -> None:
    """The listing without an end, and the scopes, end on the day before; nothing of the days before changes."""
    world, old = stage.world, stage.world.clerks[0]
    announced, by, first = await stage.announced(tx), By("evaluator", world.now), stage.admitted_on
    assert old.institution_id is not None
    await record_evaluation(tx, by, old.institution_id, announced.year - 1, True, "第三方评估报告")
    scopes = NewScopes([NewScope(WELDER, ["1"]), NewScope(COOK, ["4"])], "示例", str(world.today))
    await registering.add_scopes(tx, stage.officer, old.institution_id, scopes, world.today, world.now)
    application = await stage.applied(tx, announced.id, old)
    assert application.renewal
    await stage.scored(tx, application.id)
    await stage.publicised(tx, announced.id)
    await admitting.admit(tx, stage.officer, application.id, first, world.now)
    before = await scope_on(tx, old.institution_id, first - A_DAY)
    assert before == {WELDER: frozenset({"1"}), COOK: frozenset({"4"})}
    assert await scope_on(tx, old.institution_id, first) == {WELDER: frozenset({"4", "5"})}
    kept = await registry.record_of(tx, stage.officer, old.institution_id, first)
    assert [(each.days.first, each.days.last) for each in kept.listings] == [
        (date(2020, 1, 1), first - A_DAY),
        (announced.admits.first, announced.admits.last),
    ]


async def test_a_scope_that_begins_within_the_term_is_told_when_one_applies(tx: Tx, stage: Selecting) -> None:
    """Nobody may end it before it begins, so an admission would be refused for ever."""
    announced, world = await stage.announced(tx), stage.world
    wanted = [NewScope(COOK, ["4"]), NewScope(WELDER, ["4"])]

    async def add(occupation: str, first: date) -> None:
        new = NewScopes([NewScope(occupation, ["5"])], "示例", str(first), str(first))
        await registering.add_scopes(tx, stage.officer, stage.institution_id, new, world.today, world.now)

    await add(COOK, stage.admitted_on - A_DAY)
    await add(WELDER, stage.admitted_on)
    with pytest.raises(Invalid) as refused:
        await stage.applied(tx, announced.id, scopes=wanted)
    assert codes(refused.value) == [("scopes.1.occupation", "institution.scope_then")]
    application = await stage.applied(tx, announced.id, scopes=wanted[:1])
    await stage.scored(tx, application.id)
    await stage.publicised(tx, announced.id)
    await add(COOK, stage.admitted_on + A_DAY)
    with pytest.raises(Invalid) as refused:
        await admitting.admit(tx, stage.officer, application.id, stage.admitted_on, world.now)
    assert codes(refused.value) == [("scopes.0.occupation", "institution.scope_then")]


async def test_nobody_is_admitted_after_the_announced_first_day(tx: Tx, stage: Selecting) -> None:
    _, application = await stage.nominated(tx)
    with pytest.raises(Conflict, match=r"selection\.begun"):
        await admitting.admit(tx, stage.officer, application.id, stage.admitted_on + A_DAY, stage.world.now)
    assert await standing(tx, stage, stage.admitted_on) == "never"
    admitted = await admitting.admit(tx, stage.officer, application.id, stage.admitted_on, stage.world.now)
    assert admitted.status == "admitted"


async def test_a_sanction_since_the_application_keeps_it_out(tx: Tx, stage: Selecting) -> None:
    _, application = await stage.nominated(tx)
    days, stops = Period(stage.admitted_on), {Stop.BE_LISTED}
    await impose(tx, stage.officer, stage.institution_id, days, stops, "解除", stage.world.now)
    with pytest.raises(Invalid, match=r"selection\.barred"):
        await admitting.admit(tx, stage.officer, application.id, stage.admitted_on, stage.world.now)


async def test_who_left_may_come_back_and_no_day_is_admitted_twice(tx: Tx, stage: Selecting) -> None:
    world, old = stage.world, stage.world.clerks[0]
    assert old.institution_id is not None
    await let_go(tx, stage.officer, old.institution_id, world.today, "自愿退出", world.now)
    by = By("evaluator", world.now)
    announced = await stage.announced(tx)
    await record_evaluation(tx, by, old.institution_id, announced.year - 1, True, "第三方评估报告")
    application = await stage.applied(tx, announced.id, old)
    await stage.scored(tx, application.id)
    await stage.publicised(tx, announced.id)
    await admitting.admit(tx, stage.officer, application.id, stage.admitted_on, world.now)
    stood = [
        (await standings(tx, [old.institution_id], day))[old.institution_id].standing
        for day in (world.today - A_DAY, world.today, stage.admitted_on - A_DAY, stage.admitted_on)
    ]
    assert stood == ["listed", "exited", "exited", "listed"]
    twice = await stage.announced(tx)
    with pytest.raises(Invalid, match=r"selection\.listed_then"):
        await stage.applied(tx, twice.id, old)


# ---- scoring


async def test_scores_come_from_several_persons_when_nothing_more_comes_in(tx: Tx, stage: Selecting) -> None:
    announced = await stage.announced(tx)
    application = await stage.applied(tx, announced.id)
    one, two, _ = stage.assessors
    new = NewSheet({"师资": 80, "场地": 70})
    with pytest.raises(Conflict, match=r"selection\.still_open"):
        await applying.score(tx, one, application.id, new, stage.closed - A_DAY, stage.world.now)
    with pytest.raises(Conflict, match=r"selection\.still_open"):
        await rounds.publicise(tx, stage.officer, announced.id, stage.closed - A_DAY, stage.world.now)
    await stage.score(tx, application.id, one)
    with pytest.raises(Conflict, match=r"selection\.scored"):
        await stage.score(tx, application.id, one)
    with pytest.raises(Conflict) as refused:
        await stage.publicised(tx, announced.id)
    assert (refused.value.code, refused.value.facts) == ("selection.too_few_scores", {"count": 1, "least": 2})
    with pytest.raises(Forbidden, match="post_missing"):
        await stage.score(tx, application.id, stage.officer)
    with pytest.raises(Invalid) as faulty:
        await stage.score(tx, application.id, two, 师资=101, 别的=1)
    assert codes(faulty.value) == [("points.师资", "selection.points"), ("points", "selection.unknown_criterion")]
    seen = await stage.score(tx, application.id, two, 师资=60)
    assert [(sheet.mine, sheet.points["师资"]) for sheet in seen.sheets] == [(True, 60)]
    assert seen.sheets_given == 2
    assert len((await selection.application_view(tx, stage.officer, application.id)).sheets) == 2
    publicised = await stage.publicised(tx, announced.id)
    assert [each.score for each in publicised.results] == [(7_600 + 6_400) // 2]
    with pytest.raises(Conflict, match="wrong_status"):
        await stage.score(tx, application.id, stage.assessors[2])


async def test_two_ids_of_one_human_are_one_assessor(tx: Tx, stage: Selecting) -> None:
    announced = await stage.announced(tx)
    application = await stage.applied(tx, announced.id)
    await stage.scored(tx, application.id)
    one, other, _ = [each.person_id for each in stage.assessors]
    await tx.execute(text("UPDATE people SET merged_into = :one WHERE id = :other"), {"one": one, "other": other})
    with pytest.raises(Conflict, match=r"selection\.too_few_scores"):
        await stage.publicised(tx, announced.id)
    await stage.score(tx, application.id, stage.assessors[2], 师资=0)
    assert [each.score for each in (await stage.publicised(tx, announced.id)).results] == [6_000]
