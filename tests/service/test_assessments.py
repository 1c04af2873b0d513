"""Results of classes: told by another body than who taught, whole, each reason with its place, in versions."""

from dataclasses import replace as replaced
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace
from sqlalchemy import text

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from service.assessments.commands.affiliating import declare_affiliation
from service.assessments.commands.filing import file_sheet
from service.assessments.queries.rates import rates, rates_of_classes
from service.assessments.queries.results import marks_of, results_of
from service.assessments.schemas import NewAffiliation, NewExaminer
from service.audit.queries.assessments import ASSESSMENTS
from service.audit.queries.checks import first_breach
from service.audit.queries.story import story_of
from service.audit.queries.territory import TERRITORY
from service.claims.queries.views import claim_view
from service.database import Tx, transaction
from service.gateways.assessment_sheets import FORM, AssessmentSheet, read_assessment
from service.gateways.sheet_files import FILES
from tests.assessments import Examined, body, day_before, id_of
from tests.conftest import Databases
from tests.races.test_standards_by_sql import refused
from tests.training import School
from tests.world import World


@pytest.fixture
async def examined(tx: Tx, world: World) -> Examined:
    return await Examined.build(tx, await School.build(tx, world))


async def _commits(tx: Tx) -> None:
    """What is looked at when a transaction ends, looked at now."""
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    await tx.execute(text("SET CONSTRAINTS ALL DEFERRED"))


async def _reasons(tx: Tx, examined: Examined, clerk: Actor | None = None, **changed: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        await examined.file(tx, clerk, **changed)
    return [(each.field, each.code) for each in (refused.value, *refused.value.others)]


async def test_a_body_tells_the_results_of_a_class(tx: Tx, examined: Examined) -> None:
    (view,) = await examined.file(tx)
    await _commits(tx)
    assert (view.version, view.holds, view.class_number) == (1, True, examined.view.number)
    assert (view.rate.passed, view.rate.failed, view.rate.absent, view.rate.percent) == (8, 1, 1, 88)
    first, *_, failed, absent = view.results
    assert (first.mark_name, first.score, first.certificate_number) == ("合格", "85.5", examined.numbers[0])
    assert (failed.score, failed.certificate_number, absent.score) == ("41.0", None, None)
    assert examined.trainees[0].id_number not in str(view)
    assert examined.examiner.name not in view.examiners
    for checks in (ASSESSMENTS.checks, TERRITORY.checks):
        assert await first_breach(tx, checks) is None
    marks = (await marks_of(tx, [view.class_id]))[view.class_id]
    assert sorted(marks.values()) == ["absent", "failed", *["passed"] * 8]
    assert (await rates_of_classes(tx, [view.class_id]))[view.class_id] == view.rate


async def test_who_sees_results_and_rates(tx: Tx, examined: Examined) -> None:
    await examined.file(tx)
    world, class_id = examined.school.world, examined.view.id
    auditor, trainer, stranger = world.staff[Post.AUDITOR], world.clerks[0], world.clerks[1]
    officer, elsewhere = examined.school.officers
    for sees in (examined.clerk, trainer, officer, auditor):
        assert (await results_of(tx, sees, class_id)).assessments[0].version == 1
    for blind in (stranger, elsewhere, (await world.trainee(tx)).actor):
        with pytest.raises(NotFound, match=r"assessment\.not_found"):
            await results_of(tx, blind, class_id)
    told = await rates(tx, officer, world.today, world.today)
    (mine,) = [each for each in told.trained if each.institution_id == trainer.institution_id]
    (its,) = [each for each in told.assessed if each.institution_id == examined.clerk.institution_id]
    assert (mine.classes, mine.rate.percent, its.rate.passed) == (1, 88, 8)
    assert (await rates(tx, stranger, world.today, world.today)).trained == []
    earlier = (await rates(tx, officer, date(2020, 1, 1), world.today - timedelta(days=1))).trained
    assert trainer.institution_id not in {each.institution_id for each in earlier}


async def test_a_correction_is_a_further_version_with_a_reason(tx: Tx, examined: Examined) -> None:
    await examined.file(tx)
    swapped = examined.results()
    one, other = swapped[0], swapped[1]
    swapped[0] = replace(one, certificate_number=other.certificate_number)
    swapped[1] = replace(other, certificate_number=one.certificate_number)
    with pytest.raises(Conflict, match=r"assessment\.filed"):
        await examined.file(tx, results=swapped)
    with pytest.raises(Conflict, match=r"assessment\.corrected"):
        await examined.file(tx, results=swapped, corrects=2, reason="两人证书编号写反")
    assert await _reasons(tx, examined, corrects=1) == [("reason", "words.empty")]
    with pytest.raises(Conflict, match=r"assessment\.other_body_filed"):
        await examined.file(tx, await body(tx, examined.school), corrects=1, reason="更正")
    latest, first = await examined.file(tx, results=swapped, corrects=1, reason="两人证书编号写反")
    await _commits(tx)
    assert (latest.version, latest.holds, latest.reason) == (2, True, "两人证书编号写反")
    assert (first.version, first.holds) == (1, False)
    assert latest.results[0].certificate_number == examined.numbers[1]
    assert first.results[0].certificate_number == examined.numbers[0]
    assert await first_breach(tx, ASSESSMENTS.checks) is None


async def test_everything_about_the_body_and_the_day_is_told_at_once(tx: Tx, examined: Examined) -> None:
    school, world = examined.school, examined.school.world
    late = await body(tx, school, levels=["3"], first=world.today)
    early = day_before(examined.view.last)
    assert await _reasons(tx, examined, late, assessed_on=early) == [
        *(("assessed_on", "assessment.before_end"), ("assessed_on", "assessment.body_not_filed")),
        ("class_number", "assessment.out_of_scope"),
    ]
    ahead = str(world.today + timedelta(days=1))
    assert await _reasons(tx, examined, assessed_on=ahead) == [("assessed_on", "assessment.in_future")]
    # who is refused for what the body is learns nothing of the roster
    stranger = [replace(examined.results()[0], id_number=world.maker.person().id_number)]
    assert await _reasons(tx, examined, late, assessed_on=early, results=stranger) == [
        *(("assessed_on", "assessment.before_end"), ("assessed_on", "assessment.body_not_filed")),
        ("class_number", "assessment.out_of_scope"),
    ]
    with pytest.raises(Forbidden, match=r"assessment\.not_a_body"):
        await examined.file(tx, world.clerks[0])
    with pytest.raises(NotFound, match=r"class\.not_found"):
        await examined.file(tx, class_number="KB370102-2020-9999")


async def test_a_class_that_has_not_ended_has_no_results(tx: Tx, examined: Examined) -> None:
    school = examined.school
    school.first = school.world.today + timedelta(days=30)
    ahead = await school.approved(tx)
    assert await _reasons(tx, examined, class_number=ahead.number) == [
        *(("class_number", "assessment.not_ended"), ("assessed_on", "assessment.before_end")),
    ]


async def test_who_taught_does_not_assess(tx: Tx, examined: Examined) -> None:
    """Nor does the same organisation under another registration, nor one that belongs to it."""
    school, world = examined.school, examined.school.world
    code = (
        await tx.execute(
            text("SELECT credit_code FROM institutions WHERE id = :id"), {"id": world.clerks[0].institution_id}
        )
    ).scalar_one()
    same = await body(tx, school, code=_registered_anew(code))
    assert await _reasons(tx, examined, same) == [("class_number", "assessment.body_trains")]
    one, other = id_of(examined.clerk), id_of(world.clerks[0])
    officer = school.officers[0]
    new = NewAffiliation(one, other, str(world.today), "同一法定代表人")
    with pytest.raises(NotFound, match=r"institution\.not_found"):
        await declare_affiliation(tx, school.officers[1], new, world.now)
    with pytest.raises(Invalid, match=r"affiliation\.itself"):
        await declare_affiliation(tx, officer, replace(new, other=one), world.now)
    declared = await declare_affiliation(tx, officer, new, world.now)
    assert {declared.one, declared.other} == {one, other}
    assert await _reasons(tx, examined) == [("class_number", "assessment.body_affiliated")]
    assert (await examined.file(tx, assessed_on=day_before(world.today)))[0].version == 1


def _registered_anew(code: str) -> str:
    """The same organisation as another kind of body: other places 1 and 2, another check digit."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    stem = ("52" if code[:2] != "52" else "91") + code[2:17]
    total = sum(alphabet.index(each) * pow(3, place, 31) for place, each in enumerate(stem))
    return stem + alphabet[-total % 31]


async def test_everything_that_does_not_fit_the_class_is_told_with_its_place(tx: Tx, examined: Examined) -> None:
    maker, day = examined.school.world.maker, str(examined.school.world.today)
    results = examined.results()
    stranger = maker.person()
    results[0] = replace(results[0], name=stranger.name, id_number=stranger.id_number)
    results[2] = replace(results[2], id_number=results[1].id_number, name=results[1].name)
    results[3] = replace(results[3], name="别人")
    results[4] = replace(results[4], certificate_number=results[3].certificate_number)
    results[5] = replace(results[5], certificate_number=maker.certificate("5", examined.view.last.year))
    results[6] = replace(results[6], certificate_issued_on=day_before(examined.school.world.today))
    teacher, trainee = examined.teacher, examined.trainees[0]
    examiners = [NewExaminer(each.name, each.id_number) for each in (teacher, trainee)]
    found = await _reasons(tx, examined, results=results, examiners=examiners)
    assert found == [
        ("examiners.1.id_number", "assessment.teacher_examines"),
        ("examiners.2.id_number", "assessment.trainee_examines"),
        ("results.1.id_number", "assessment.stranger"),
        ("results.3.id_number", "assessment.repeated"),
        ("results.4.name", "person.name_differs"),
        ("results", "assessment.missing"),
        ("results.5.certificate_number", "assessment.certificate_twice"),
        ("results.6.certificate_number", "assessment.other_body"),
        ("results.6.certificate_number", "certificate.level_differs"),
        ("results.7.certificate_issued_on", "assessment.issued_before"),
    ]
    malformed = [
        replace(results[7], mark="好", score="101"),
        replace(results[8], certificate_number="X1", certificate_issued_on=day),
        replace(results[9], score="60"),
        replace(results[7], score=None, certificate_issued_on="2026-13-01", id_number="1"),
    ]
    assert await _reasons(tx, examined, results=malformed, assessed_on="x", class_number="x") == [
        *(("class_number", "class_number.form"), ("assessed_on", "date.format")),
        *(("results.1.mark", "assessment.mark"), ("results.1.score", "assessment.score")),
        ("results.2.certificate_number", "assessment.certificate_without_pass"),
        ("results.3.score", "assessment.score_of_absent"),
        *(("results.4.id_number", "id.length"), ("results.4.score", "value.missing")),
        ("results.4.certificate_issued_on", "date.no_such_day"),
    ]


async def test_a_certificate_is_of_one_person_of_one_class(tx: Tx, world: World) -> None:
    school = await School.build(tx, world)
    first = await Examined.build(tx, school)
    school.first = world.today + timedelta(days=30)
    second = await Examined.build(tx, school)
    await first.file(tx)
    second.numbers = first.numbers
    assert set(await _reasons(tx, second)) == {
        (f"results.{n}.certificate_number", "assessment.certificate_taken") for n in range(1, 9)
    }


async def test_nobody_tells_the_results_of_their_own_class(tx: Tx, examined: Examined) -> None:
    for who in (examined.teacher, examined.trainees[0]):
        person_id, _ = await examined.school.world.person(tx, who)
        with pytest.raises(Forbidden, match=r"assessment\.own"):
            await examined.file(tx, replaced(examined.clerk, person_id=person_id))


# ---- sheets


def _sheet(examined: Examined, kind: str = "csv") -> bytes:
    marks = {"passed": "合格", "failed": "不合格", "absent": "缺考"}
    lines = [
        [r.name, r.id_number, marks[r.mark], r.score or "", r.certificate_number or "", r.certificate_issued_on or ""]
        for r in examined.results()
    ]
    file = FILES[kind]()
    file.add([["某班评价结果"], *FORM.template(), *lines])
    file.add([[examined.examiner.name, examined.examiner.id_number, "考评员", "", "", ""]])
    return file.content()


async def _upload(tx: Tx, examined: Examined, sheet: AssessmentSheet, **about: Any) -> Any:
    world = examined.school.world
    given = {"class_number": examined.view.number, "assessed_on": str(world.today), "corrects": None, "reason": ""}
    return await file_sheet(tx, examined.clerk, sheet, {**given, **about}, world.today, world.now)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_results_come_as_a_sheet(tx: Tx, examined: Examined, kind: str) -> None:
    sheet = read_assessment(_sheet(examined, kind), f"a.{kind}")
    (view,) = (await _upload(tx, examined, sheet)).assessments
    assert (view.rate.passed, view.rate.failed, view.rate.absent, len(view.examiners)) == (8, 1, 1, 1)
    await _commits(tx)


async def test_what_is_wrong_in_a_sheet_is_told_by_its_line(tx: Tx, examined: Examined) -> None:
    data = _sheet(examined).decode("utf-8-sig")
    sheet = read_assessment(data.replace("85.5", "185.5", 1).encode(), "a.csv")
    with pytest.raises(Invalid) as refused:
        await _upload(tx, examined, sheet)
    assert (refused.value.field, refused.value.code) == ("line 3.score", "assessment.score")
    for lines, code in (([["姓名", "结果"]], "sheet.no_headings"), (FORM.template(), "assessment.sheet_size")):
        file = FILES["csv"]()
        file.add(lines)
        with pytest.raises(Invalid, match=code):
            await _upload(tx, examined, read_assessment(file.content(), "a.csv"))


# ---- beside a claim


async def test_a_claim_shows_what_was_told_of_its_certificate(tx: Tx, examined: Examined) -> None:
    world = examined.school.world
    await examined.file(tx)
    trainee, auditor = await world.trainee(tx, examined.trainees[0]), world.staff[Post.AUDITOR]
    day = str(world.today)
    mine = await world.claim(
        tx, trainee=trainee, certificate_number=examined.numbers[0], certificate_issued_on=day,
        class_number=examined.view.number,
    )  # fmt: skip
    assessed = (await claim_view(tx, trainee.actor, mine.id)).assessed
    assert assessed is not None
    assert (assessed.class_number, assessed.same_person) == (examined.view.number, True)
    another = await world.claim(tx, certificate_number=examined.numbers[1], certificate_issued_on=day)
    found = (await story_of(tx, auditor, another.id)).claim.assessed
    assert found is not None
    assert not found.same_person
    plain = await world.claim(tx)
    assert (await claim_view(tx, auditor, plain.id)).assessed is None


# ---- what the database keeps by itself


@pytest.fixture
async def told(committed: World) -> Examined:
    async with transaction() as tx:
        examined = await Examined.build(tx, await School.build(tx, committed))
        await examined.file(tx)
        return examined


COPY = """
    INSERT INTO assessments (id, class_id, institution_id, version, assessed_on, reason, filed_by, filed_person,
                             filed_on, filed_at)
    SELECT {id}, class_id, {institution}, {version}, {assessed_on}, {reason}, filed_by, filed_person,
           filed_on, filed_at
      FROM assessments WHERE class_id = :of
"""


async def test_by_sql_results_are_told_once_and_whole(told: Examined) -> None:
    of, clerk = told.view.id, told.clerk
    async with transaction() as tx:
        for attack, code in (
            ("UPDATE assessment_results SET mark = 'passed' WHERE class_id = :of", "42501"),
            ("UPDATE assessment_results SET live = false WHERE class_id = :of", "ZD112"),
            ("DELETE FROM assessment_results WHERE class_id = :of", "42501"),
            ("UPDATE assessments SET version = 3 WHERE class_id = :of", "42501"),
            (
                "INSERT INTO assessment_examiners (assessment_id, person_id)"
                f" SELECT a.id, '{clerk.person_id}' FROM assessments a WHERE a.class_id = :of",
                "ZD112",
            ),
        ):
            assert await refused(tx, attack, of=of) == code, attack
        as_it_is = {"id": "gen_random_uuid()", "institution": "institution_id", "version": "2"}
        as_it_is |= {"assessed_on": "assessed_on", "reason": "'x'"}
        for changed, code in (
            ({}, "ZD111"),  # nobody examined
            ({"institution": f"'{told.school.world.clerks[0].institution_id}'"}, "ZD110"),
            ({"assessed_on": f"DATE '{told.view.first}'"}, "ZD110"),
            ({"assessed_on": "filed_on + 1"}, "ZD110"),
            ({"version": "3"}, "ZD110"),
            ({"version": "1", "reason": "''"}, "23505"),
            ({"reason": "''"}, "23514"),
        ):
            attack = COPY.format(**{**as_it_is, **changed})
            savepoint = await tx.begin_nested()
            try:
                if code.startswith("ZD"):
                    await tx.execute(text(attack), {"of": of})
                    assert await refused(tx, "SET CONSTRAINTS ALL IMMEDIATE") == code, changed
                else:
                    assert await refused(tx, attack, of=of) == code, changed
            finally:
                await savepoint.rollback()


@pytest.mark.parametrize(
    ("done", "says"),
    [
        ("UPDATE institutions SET kind = 'private_school' WHERE id = $2", "评价机构就是培训机构"),
        ("DELETE FROM institution_scopes WHERE institution_id = $2", "备案的职业"),
        ("UPDATE assessments SET assessed_on = '2020-01-01' WHERE class_id = $1", "不在结业之后"),
        (
            "INSERT INTO assessment_examiners SELECT a.id, t.person_id FROM assessments a"
            " JOIN training_teachers t ON t.class_id = a.class_id WHERE a.class_id = $1",
            "考评员",
        ),
        ("DELETE FROM assessment_results WHERE class_id = $1 AND mark = 'absent'", "恰好一个"),
        ("UPDATE assessment_results SET live = false WHERE class_id = $1", "最后一版"),
        ("UPDATE assessments SET version = 2, reason = 'x' WHERE class_id = $1", "依次更正"),
        ("UPDATE assessment_results SET mark = 'absent', score_tenths = NULL WHERE class_id = $1 AND mark = 'failed'",
         "日志"),
        (
            "UPDATE assessment_results SET certificate_number = 'X' WHERE class_id = $1 AND mark = 'passed'",
            "几个人",
        ),
    ],
)  # fmt: skip
async def test_what_stands_there_anyhow_is_named(databases: Databases, told: Examined, done: str, says: str) -> None:
    async with transaction() as tx:
        assert await first_breach(tx, ASSESSMENTS.checks) is None
    admin = await asyncpg.connect(databases.admin_url)
    planting = admin.transaction()
    await planting.start()
    await admin.execute("SET LOCAL session_replication_role = replica")
    await admin.execute("DROP INDEX uq_assessment_results_certificate")
    for place, value in (("$1", told.view.id), ("$2", id_of(told.clerk))):
        done = done.replace(place, f"'{value}'")
    await admin.execute(done)
    found = {check.says for check in ASSESSMENTS.checks if await admin.fetch(check.broken)}
    await planting.rollback()
    await admin.close()
    assert [name for name in found if says in name], found
