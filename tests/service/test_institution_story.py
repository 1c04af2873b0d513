"""An institution's two years, in chapters, as its offices live them: selected, inspected, teaching, patrolled,
penalised, not renewed, heard, and back. Days are those of the calendar of 2025 and 2026, holidays included."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from domain.institution import Standing, Stop
from service.audit.queries import verify
from service.claims.tables import ClaimHoldRow
from service.database import transaction
from service.jobs import owe
from service.oversight.tables import EvaluationRow, PenaltyHoldRow
from service.queue import Job
from tests.conftest import Databases
from tests.oversight import SHA
from tests.school_years import (
    Held,
    Json,
    Town,
    a_city_of_its_own,
    done,
    failed,
    it_is,
    refusal,
    the_service,
)
from tests.selection import A_DAY
from tests.training import SIZE
from tests.world import WELDER_LEVEL_4_FEN

ANNOUNCED = date(2025, 5, 12)
LISTED, EXPIRES = date(2025, 7, 1), date(2026, 6, 30)
SUSPENDED, MENDED = date(2025, 12, 1), date(2026, 6, 1)
DISMISSED, LIFTED = date(2026, 6, 9), date(2026, 8, 17)
BACK, OVER = date(2026, 9, 1), date(2027, 8, 31)

EVERYTHING = frozenset(Stop)
#: From which day on it stands how, and what is stopped.
DAYS = [
    (ANNOUNCED, Standing.NEVER, frozenset()),
    (LISTED, Standing.LISTED, frozenset()),
    (SUSPENDED, Standing.SUSPENDED, frozenset({Stop.FILE_CLASSES})),
    (MENDED, Standing.LISTED, frozenset()),
    (DISMISSED, Standing.EXITED, EVERYTHING),
    (LIFTED, Standing.EXITED, frozenset()),
    (BACK, Standing.LISTED, frozenset()),
    (OVER + A_DAY, Standing.EXPIRED, frozenset()),
]


async def test_the_two_years_of_an_institution(databases: Databases) -> None:
    async with a_city_of_its_own(databases, ANNOUNCED), the_service() as client:
        town = await Town.founded(client)
        await it_is_selected(town)
        await it_is_inspected_and_teaches(town)
        await its_patrols_fail(town)
        await it_may_file_no_class_for_six_months(town)
        dismissal = await it_is_dismissed(town)
        await its_appeal_is_won(town, dismissal)
        await it_is_back(town)
        await every_day_adds_up(town)
        await the_audit_holds()


# ---- 1


async def it_is_selected(town: Town) -> None:
    """Announced, applied with a document, scored by two, publicised, admitted for a year."""
    at = await town.announces("2025年度遴选", (ANNOUNCED, date(2025, 5, 16)), (LISTED, EXPIRES))
    application = f"/selections/applications/{done(await town.applies(at), 201)['id']}"
    it_is(date(2025, 5, 19))
    await town.is_scored(application)
    over = await town.is_publicised(at)
    assert over == date(2025, 5, 27), "five working days after the 19th"
    it_is(over - A_DAY)
    assert refusal(await town.proposer.post(f"{application}/admit", {})) == (409, "selection.in_publicity")
    it_is(over)
    assert done(await town.proposer.post(f"{application}/admit", {}))["status"] == "admitted"
    assert done(await town.proposer.post(f"{at}/close", {}))["status"] == "closed"


# ---- 2


async def it_is_inspected_and_teaches(town: Town) -> None:
    """No first class before two officers were there; filed in time, held, marked, patrolled, closed."""
    it_is(LISTED)
    assert failed(await town.files(date(2025, 7, 14))) == ["training.first_inspection"]
    one, other = town.inspectors
    at = f"/inspections/{done(await one.post('/inspections', {'institution_id': str(town.id)}), 201)['id']}"
    found = {"result": "passed", "inspected_on": str(LISTED), "note": "设备齐全"}
    assert refusal(await one.post(f"{at}/result", found)) == (409, "inspection.alone")
    done(await other.post(f"{at}/join", {}))
    assert done(await one.post(f"{at}/result", found))["officers"] == 2

    it_is(date(2025, 7, 7))  # a Monday: the fifth working day after it is the next one
    assert failed(await town.files(date(2025, 7, 13))) == ["class.too_late"]
    first = await town.has_approved(date(2025, 7, 14))
    assert await town.night_passes(first) == "approved"
    passed = await town.is_patrolled(first, date(2025, 7, 15), "passed")
    assert await town.owed(Job.CREDIT_PATROL, passed) == 0
    assert await town.night_passes(first) == "running"
    it_is(date(2025, 7, 22))
    people = await town.device_marks(first, date(2025, 12, 31))
    assert [(each["hours"], each["percent"], each["below"]) for each in people] == [(60, 100, False)] * 10
    claim = done(await town.claims(taught_in=first), 201)
    assert (claim["status"], claim["amount_fen"]) == ("filed", WELDER_LEVEL_4_FEN)
    await it_ends(town, first)
    assert (await town.credit())["credit"] == 100


async def it_ends(town: Town, held: Held) -> None:
    assert await town.night_passes(held) == "finished"
    closed = done(await town.district.post(f"{held.at}/close", {}))
    assert closed["status"] == "closed"
    assert (closed["money"]["set_aside_fen"], closed["money"]["left_fen"]) == (SIZE * WELDER_LEVEL_4_FEN, 0)


# ---- 3


async def its_patrols_fail(town: Town) -> None:
    """Twice in autumn: 约谈. Once more: 约谈 again, and two within a year are the next step, 整改."""
    it_is(date(2025, 8, 25))
    autumn = await town.has_approved(date(2025, 9, 8))
    await a_patrol_fails(town, autumn, date(2025, 9, 9), credit=94)
    assert (await town.credit())["due"] is None
    await a_patrol_fails(town, autumn, date(2025, 9, 11), credit=88)
    await a_step_is_due(town, "talk", "credit_below", date(2025, 9, 11))
    talk = await town.is_penalised("talk", date(2025, 9, 12), "九月两次巡查不合格")
    assert (talk["rule"], talk["stops"], talk["last"]) == ("credit_below", [], None)
    assert (await town.credit())["due"] is None
    it_is(date(2025, 9, 16))
    await it_ends(town, autumn)

    it_is(date(2025, 10, 9))
    later = await town.has_approved(date(2025, 10, 20))
    await a_patrol_fails(town, later, date(2025, 10, 22), credit=82)
    await a_step_is_due(town, "talk", "credit_below", date(2025, 10, 22))
    await town.is_penalised("talk", date(2025, 10, 23), "十月巡查又不合格")
    await a_step_is_due(town, "rectify", "repeated", date(2025, 10, 23))
    it_is(date(2025, 10, 28))
    await it_ends(town, later)


async def a_patrol_fails(town: Town, held: Held, day: date, credit: int) -> None:
    """Its credit event is owed once, and recorded once however often it is owed and the message comes."""
    patrol = await town.is_patrolled(held, day, "failed")
    before = len((await town.credit())["events"])
    assert await town.owed(Job.CREDIT_PATROL, patrol) == 1
    async with transaction() as tx:
        await owe(tx, Job.CREDIT_PATROL, patrol)
    assert await town.owed(Job.CREDIT_PATROL, patrol) == 2
    seen = await town.credit()
    assert (len(seen["events"]), seen["credit"]) == (before + 1, credit)
    latest = seen["events"][0]
    assert (latest["kind"], latest["points"], latest["happened_on"]) == ("patrol_failed", -6, str(day))


async def a_step_is_due(town: Town, step: str, rule: str, since: date) -> None:
    due = (await town.credit())["due"]
    assert (due["step"], due["rule"], due["since"]) == (step, rule, str(since))
    assert [each["step"] for each in done(await town.proposer.get("/credit/due"))["due"]] == [step]


# ---- 4


async def it_may_file_no_class_for_six_months(town: Town) -> None:
    """整改 stops new classes on its days, and nothing else on any day; the evaluation meanwhile fails."""
    penalty = await town.is_penalised("rectify", SUSPENDED, "一年内两次约谈")
    assert (penalty["rule"], penalty["stops"]) == ("repeated", ["file_classes"])
    assert (penalty["first"], penalty["last"]) == (str(SUSPENDED), str(MENDED - A_DAY))
    assert await published(town) == ["整改"]
    only_classes = {Stop.FILE_CLASSES: ["class.institution_may_not"]}
    after = date(2026, 6, 15)  # so that the day of filing alone decides
    for day, refused in ((SUSPENDED - A_DAY, {}), (SUSPENDED, only_classes)):
        it_is(day)
        assert await town.refused_today(after) == refused, day
    await the_evaluation_fails(town)
    for day, refused in ((MENDED - A_DAY, only_classes), (MENDED, {})):
        it_is(day)
        assert await town.refused_today(after) == refused, day
    for trained_on in (SUSPENDED - A_DAY, SUSPENDED, MENDED - A_DAY, MENDED):
        done(await town.claims(trained_on), 201)  # it was listed on each of these days


async def the_evaluation_fails(town: Town) -> None:
    """Of 2025, told by the third party in January; so the renewal for 2026 is turned down at the door."""
    it_is(date(2026, 1, 20))
    told = {"institution": town.code, "year": 2025, **town.evaluation(10)}
    found = done(await town.evaluators[0].post("/evaluations", told), 201)
    assert (found["score"], found["passed"], found["for_year"]) == ("58.00", False, 2026)
    it_is(date(2026, 4, 13))
    at = await town.announces(
        "2026年度遴选", (date(2026, 4, 13), date(2026, 4, 17)), (EXPIRES + A_DAY, date(2027, 6, 30))
    )
    assert errors(await town.applies(at)) == [("round_id", "selection.evaluation_failed")]
    assert await town.stands(EXPIRES) == "listed"
    assert await town.stands(EXPIRES + A_DAY) == "expired"


def errors(answer: object) -> list[tuple[str, str]]:
    told = done(answer, 422)["errors"]
    return [(each["field"], each["code"]) for each in told]


# ---- 5


async def it_is_dismissed(town: Town) -> Json:
    """解除, for a roster that is said to be false: out of the catalog, nothing goes on, claims in flight are held."""
    it_is(date(2026, 6, 4))
    await town.happens("false_roster", -15, "名册与到场人员不符")
    it_is(DISMISSED - A_DAY)
    assert await town.refused_today(date(2026, 6, 22)) == {}
    waiting = f"/classes/{done(await town.files(date(2026, 6, 22)), 201)['id']}"
    it_is(DISMISSED)
    dismissal = await town.is_penalised("dismiss", DISMISSED, "名册不实，情节严重")
    assert (dismissal["rule"], dismissal["leaves"], set(dismissal["stops"])) == ("officer", True, set(EVERYTHING))
    refused = await town.refused_today(date(2026, 6, 22))
    assert refused == {Stop.FILE_CLASSES: ["class.institution_may_not"], Stop.FILE_CLAIMS: ["institution.left"]}
    assert failed(await town.district.post(f"{waiting}/approve", {})) == ["class.institution_may_not"]
    done(await town.district.post(f"{waiting}/deny", {"reason": "机构已解除"}))
    assert await town.owed(Job.HOLD_CLAIMS, UUID(dismissal["id"])) == 1
    assert await held_by(dismissal) == set(town.claimed)
    assert len(town.claimed) == 10
    assert await published(town) == ["解除"]
    return dismissal


async def published(town: Town) -> list[str]:
    return [each["step_name"] for each in done(await town.client.get("/api/penalties"))["penalties"]]


async def held_by(penalty: Json) -> set[str]:
    """Claims under a live hold of a penalty."""
    own, hold = PenaltyHoldRow, ClaimHoldRow
    asked = select(hold.claim_id).join(own, own.hold_id == hold.id).where(own.penalty_id == UUID(penalty["id"]))
    async with transaction() as tx:
        return set(map(str, (await tx.execute(asked.where(hold.lifted_at.is_(None)))).scalars()))


async def its_appeal_is_won(town: Town, dismissal: Json) -> None:
    """Heard by a third person: lifted from a day on, the credit given back, the claims let go."""
    at = f"/penalties/{dismissal['id']}"
    it_is(date(2026, 6, 12))
    assert (
        done(await town.clerk.post(f"{at}/appeal", {"reason": "当天学员在实训基地，有签到"}))["status"] == "appealed"
    )
    assert await town.refused_today(date(2026, 6, 22)) != {}, "what was decided holds meanwhile"
    it_is(date(2026, 8, 3))
    granted = {"granted": True, "answer": "签到属实", "points": 15, "document_sha256": SHA, "lifted_on": str(LIFTED)}
    for who in (town.proposer, town.decider):
        assert refusal(await who.post(f"{at}/answer", granted)) == (403, "penalty.same_person")
    answered = done(await town.third.post(f"{at}/answer", granted))
    assert (answered["status"], answered["lifted_on"]) == ("overturned", str(LIFTED))
    seen = await town.credit()
    assert (seen["credit"], seen["due"], seen["events"][0]["kind"]) == (100, None, "appeal_granted")
    assert await town.owed(Job.HOLD_CLAIMS, UUID(dismissal["id"])) == 2
    assert await held_by(dismissal) == set()
    assert await published(town) == []


# ---- 6


async def it_is_back(town: Town) -> None:
    """The evaluation is corrected by another person, a second round admits it again, and it teaches."""
    it_is(date(2026, 8, 5))
    applications = (date(2026, 8, 5), date(2026, 8, 5))
    rounds = [
        await town.announces(title, applications, (first, OVER))
        for title, first in (("末日", LIFTED - A_DAY), ("解除之日", LIFTED), ("2026年度第二次遴选", BACK))
    ]
    failed_still = ("round_id", "selection.evaluation_failed")
    assert errors(await town.applies(rounds[2])) == [failed_still]
    assert errors(await town.applies(rounds[0])) == [failed_still, ("round_id", "selection.barred")]
    await the_evaluation_is_corrected(town)
    assert errors(await town.applies(rounds[0])) == [("round_id", "selection.barred")], "its last day"
    withdrawn = done(await town.applies(rounds[1]), 201)
    done(await town.clerk.post(f"/selections/applications/{withdrawn['id']}/withdraw", {}))
    application = f"/selections/applications/{done(await town.applies(rounds[2]), 201)['id']}"
    it_is(date(2026, 8, 6))
    await town.is_scored(application)
    it_is(await town.is_publicised(rounds[2]))
    assert done(await town.proposer.post(f"{application}/admit", {}))["status"] == "admitted"
    it_is(BACK - A_DAY)
    assert set(await town.refused_today(date(2026, 9, 14))) == {Stop.FILE_CLASSES, Stop.FILE_CLAIMS}
    it_is(BACK)
    assert await town.refused_today(date(2026, 9, 14)) == {}
    assert (await town.has_approved(date(2026, 9, 14))).number


async def the_evaluation_is_corrected(town: Town) -> None:
    """By another evaluator, with a reason; the first version stays."""
    record = done(await town.clerk.get(f"/institutions/{town.id}/record"))
    assert [(each["year"], each["passed"]) for each in record["evaluations"]] == [(2025, False)]
    at = f"/evaluations/{await evaluation_of(town)}/correct"
    corrected = {**town.evaluation(60), "reason": "补正的签到记录说明两次巡查时班级在基地"}
    assert refusal(await town.evaluators[0].post(at, corrected)) == (403, "evaluation.same_person")
    found = done(await town.evaluators[1].post(at, corrected), 201)
    assert (found["score"], found["passed"], found["version"]) == ("78.00", True, 2)


async def evaluation_of(town: Town) -> UUID:
    row = EvaluationRow
    async with transaction() as tx:
        return (await tx.execute(select(row.id).where(row.institution_id == town.id, row.year == 2025))).scalar_one()


# ---- and all of it


async def every_day_adds_up(town: Town) -> None:
    """The domain, for each of the days, and what everybody reads, at both sides of every change."""
    changes = [first for first, _, _ in DAYS]
    for day, stood in await town.derived(ANNOUNCED, OVER + A_DAY):
        _, standing, stops = next(each for each in reversed(DAYS) if each[0] <= day)
        assert (stood.standing, stood.stops) == (standing, stops), day
        if {day, day + A_DAY} & set(changes):
            assert await town.stands(day) == str(standing), day


async def the_audit_holds() -> None:
    """Every promise, recomputed from the rows that two years left behind."""
    async with transaction() as tx:
        reports = await verify(tx)
    assert not [(each.name, each.detail) for each in reports if not each.held]
    looked_at = {each.name: each.checked for each in reports}
    for name in ("classes_apart", "penalties_by_two_persons", "patrols_drawn_honestly"):
        assert looked_at[name] > 0, name
