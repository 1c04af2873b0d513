"""The registry and selections attacked by raw SQL, as the service's role: two persons, what is written once, legal
moves, scores; and publicised while somebody scores."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text

from domain.actor import Post
from domain.institution import ContactRole, Grade
from service.database import Tx, transaction
from service.institutions.commands import accounts, admitting, record_evaluation, registering
from service.institutions.schemas import NewBranch, NewContact, NewGrade, NewInstitutionAccount, NewScope, NewScopes
from service.journal import By
from tests.conftest import Databases
from tests.races.test_standards_by_sql import (
    CHECK,
    DENIED,
    EXCLUDE,
    FOREIGN,
    IMMUTABLE,
    NO_JOURNAL,
    NO_MOVE,
    UNIQUE,
    refused,
)
from tests.selection import Selecting
from tests.world import WELDER, World

UNDECIDED, NOT_ANNOUNCED, NOT_SCORED, NOT_PUBLICISED, NO_SHEET = "ZD060", "ZD061", "ZD062", "ZD063", "ZD064"

NOTED = """
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    VALUES (:kind, :id, 'x', jsonb_build_object('status', CAST(:status AS text)), 'x', now())
"""
ANSWER = """
    INSERT INTO institution_account_answers
           (proposal_id, proposer_id, person_id, answered_by, answered_at, answer, reason)
    VALUES (:id, :proposer, :person, :user, now(), :answer, :reason)
"""
SHEET = """
    INSERT INTO selection_score_sheets (id, application_id, person_id, points, remark, given_by, given_at)
    VALUES (gen_random_uuid(), :id, :person, CAST(:points AS jsonb), '', :user, now())
"""
APPLY = """
    INSERT INTO selection_applications
           (id, round_id, institution_id, status, scopes, score, filed_by, filed_by_person, filed_at)
    VALUES (:id, :round, :institution, :status, '[{}]', :score, :user, :person, now())
"""
LISTING = """
    INSERT INTO institution_listings (id, institution_id, in_force, source)
    VALUES (:listing, :institution, daterange(CAST(:first AS date), NULL), 'x')
"""
DAYS = "'[2098-01-01,2098-01-08)'"
GOOD = '{"师资": 80, "场地": 70}'


@pytest.fixture
async def stage(tx: Tx, world: World) -> Selecting:
    return await Selecting.of(tx, world)


async def noted(tx: Tx, kind: str, row_id: UUID, status: str) -> None:
    """The attacker writes the journal row that is asked for."""
    await tx.execute(text(NOTED), {"kind": kind, "id": row_id, "status": status})


# ---- two persons


async def proposed(tx: Tx, stage: Selecting) -> UUID:
    today, now = stage.world.today, stage.world.now
    new = NewInstitutionAccount("3701024009123456", "示例技能学校（历下）", "102100099996", "x", str(today))
    return (await accounts.propose_account(tx, stage.clerk, stage.institution_id, new, today, now)).id


async def test_nobody_answers_for_an_account_they_proposed(tx: Tx, stage: Selecting) -> None:
    proposal, clerk, officer = await proposed(tx, stage), stage.clerk, stage.officer
    given: dict[str, Any] = {"id": proposal, "user": officer.user_id, "answer": "confirmed", "reason": ""}
    honest = {**given, "proposer": clerk.person_id, "person": officer.person_id}
    assert await refused(tx, ANSWER, **{**honest, "person": clerk.person_id}) == CHECK
    # the proposer cannot be named otherwise than in the proposal
    assert (
        await refused(tx, ANSWER, **{**honest, "proposer": officer.person_id, "person": clerk.person_id}) == FOREIGN
    )
    assert await refused(tx, ANSWER, **{**honest, "id": uuid4()}) == FOREIGN
    assert await refused(tx, ANSWER, **{**honest, "answer": "declined"}) == CHECK
    assert await refused(tx, ANSWER, **{**honest, "reason": "x"}) == CHECK
    assert await refused(tx, ANSWER, **{**honest, "answer": "maybe"}) == CHECK
    assert await refused(tx, ANSWER, **honest) is None
    await tx.execute(text(ANSWER), honest)
    assert await refused(tx, ANSWER, **honest) == UNIQUE


# ---- written once


async def test_what_is_written_once_stays(tx: Tx, stage: Selecting) -> None:
    await proposed(tx, stage)
    await stage.admitted(tx)
    by = By("evaluator", stage.world.now)
    await record_evaluation(tx, by, stage.institution_id, 2026, True, "x")
    for table, column in (
        ("institution_account_proposals", "reason"),
        ("institution_account_answers", "reason"),
        ("institution_evaluations", "source"),
        ("institution_documents", "name"),
        ("selection_documents", "institution_id"),
        ("selection_score_sheets", "points"),
        ("stored_files", "size"),
        ("selection_rounds", "pass_mark"),
        ("selection_rounds", "criteria"),
        ("selection_applications", "scopes"),
        ("selection_applications", "institution_id"),
        ("institution_grades", "grade"),
        ("institution_branches", "address"),
        ("institution_contacts", "phone_sealed"),
        ("institution_listings", "institution_id"),
        ("institutions", "kind"),
    ):
        assert await refused(tx, f"UPDATE {table} SET {column} = {column}") == DENIED, table
        assert await refused(tx, f"DELETE FROM {table}") == DENIED, table


async def test_dated_facts_only_end(tx: Tx, stage: Selecting) -> None:
    day, now, at = stage.world.today, stage.world.now, stage.institution_id
    today = str(day)
    await registering.give_grade(tx, stage.officer, at, NewGrade(Grade.A, "x", today, "2098-12-31"), day, now)
    await registering.add_branch(tx, stage.officer, at, NewBranch("x", "370102", "x", today, "2098-12-31"), day, now)
    contact = NewContact(ContactRole.HEAD, "张秀梅", "13800138000", today, "2098-12-31")
    await registering.add_contact(tx, stage.officer, at, contact, now)
    scopes = NewScopes([NewScope(WELDER, ["4"])], "x", today, "2098-12-31")
    await registering.add_scopes(tx, stage.officer, at, scopes, day, now)
    listing = {"listing": uuid4(), "institution": at, "first": stage.world.today}
    await tx.execute(text(LISTING), listing)
    assert await refused(tx, LISTING, **{**listing, "listing": uuid4()}) == EXCLUDE
    for table in ("grades", "branches", "contacts", "scopes", "listings"):
        changed = f"UPDATE institution_{table} SET in_force = {{}} WHERE institution_id = :id"
        longer, earlier = "daterange(lower(in_force), '2099-02-01')", "daterange('2020-01-01', '2098-12-31')"
        shorter, empty = "daterange(lower(in_force), '2098-01-01')", "'empty'"
        verdicts = [await refused(tx, changed.format(days), id=at) for days in (earlier, empty, shorter)]
        assert verdicts == [IMMUTABLE, IMMUTABLE, None], table
        if table != "listings":
            assert await refused(tx, changed.format(longer), id=at) == IMMUTABLE, table


async def test_a_grade_is_given_within_the_institutions_own_class(tx: Tx, stage: Selecting) -> None:
    grade = """INSERT INTO institution_grades (id, institution_id, kind, grade, in_force, source)
               VALUES (gen_random_uuid(), :id, :kind, :grade, '[2020-01-01,)', 'x')"""
    about = {"id": stage.institution_id, "kind": "private_school", "grade": "A"}
    assert await refused(tx, grade, **about) is None
    assert await refused(tx, grade, **{**about, "kind": "public_base"}) == FOREIGN
    assert await refused(tx, grade, **{**about, "grade": "D"}) == CHECK


# ---- moves


def to(status: str, days: str) -> str:
    return f"UPDATE selection_rounds SET status = '{status}', publicity = {days} WHERE id = :id"


async def test_a_round_goes_its_way_only(tx: Tx, stage: Selecting) -> None:
    announced = await stage.announced(tx)
    await stage.applied(tx, announced.id)
    assert await refused(tx, to("in_publicity", DAYS), id=announced.id) == NO_JOURNAL
    for status, days, code in (
        ("in_publicity", DAYS, UNDECIDED),
        ("closed", DAYS, NO_MOVE),
        ("announced", DAYS, CHECK),
        ("dropped", "NULL", UNDECIDED),
    ):
        await noted(tx, "selection_round", announced.id, status)
        assert await refused(tx, to(status, days), id=announced.id) == code, status
    empty = await stage.announced(tx)
    assert await refused(tx, to("in_publicity", DAYS), id=empty.id) == NO_JOURNAL
    await noted(tx, "selection_round", empty.id, "in_publicity")
    for days in ("NULL", "'empty'"):
        assert await refused(tx, to("in_publicity", days), id=empty.id) == CHECK
    await tx.execute(text(to("in_publicity", DAYS)), {"id": empty.id})
    assert await refused(tx, to("in_publicity", "'[2097-01-01,2097-01-02)'"), id=empty.id) == IMMUTABLE


async def test_one_applies_to_what_is_announced_once(tx: Tx, stage: Selecting) -> None:
    announced, application = await stage.announced(tx), uuid4()
    whose = {"user": stage.clerk.user_id, "person": stage.clerk.person_id, "institution": stage.institution_id}
    new = {**whose, "id": application, "round": announced.id, "status": "filed", "score": None}
    assert await refused(tx, APPLY, **new) == NO_JOURNAL
    await noted(tx, "selection_application", application, "filed")
    assert await refused(tx, APPLY, **new) is None
    assert await refused(tx, APPLY, **{**new, "score": 9_000}) == NOT_ANNOUNCED
    await noted(tx, "selection_application", application, "nominated")
    assert await refused(tx, APPLY, **{**new, "status": "nominated", "score": 9_000}) in {NO_MOVE, NOT_ANNOUNCED}
    await stage.applied(tx, announced.id)
    await noted(tx, "selection_application", application, "filed")
    assert await refused(tx, APPLY, **new) == UNIQUE
    publicised, _ = await stage.nominated(tx)
    assert await refused(tx, APPLY, **{**new, "round": publicised.id}) in {NOT_ANNOUNCED, UNIQUE}
    dropped = await stage.announced(tx)
    await noted(tx, "selection_round", dropped.id, "dropped")
    await tx.execute(text("UPDATE selection_rounds SET status = 'dropped' WHERE id = :id"), {"id": dropped.id})
    assert await refused(tx, APPLY, **{**new, "round": dropped.id}) == NOT_ANNOUNCED


async def test_nobody_is_nominated_but_by_the_scores(tx: Tx, stage: Selecting) -> None:
    announced = await stage.announced(tx)
    application = await stage.applied(tx, announced.id)
    nominate = "UPDATE selection_applications SET status = 'nominated', score = :score WHERE id = :id"
    about = {"id": application.id, "score": 7_600}
    assert await refused(tx, nominate, **about) == NO_JOURNAL
    await noted(tx, "selection_application", application.id, "nominated")
    assert await refused(tx, nominate, **about) == NOT_SCORED
    await stage.score(tx, application.id, stage.assessors[0])
    assert await refused(tx, nominate, **about) == NOT_SCORED
    await stage.score(tx, application.id, stage.assessors[1])
    for score, code in ((7_600, None), (7_601, NOT_SCORED), (5_999, NOT_SCORED), (None, CHECK)):
        assert await refused(tx, nominate, id=application.id, score=score) == code, score
    merge = "UPDATE people SET merged_into = :one WHERE id = :other"
    one, other, _ = [assessor.person_id for assessor in stage.assessors]
    savepoint = await tx.begin_nested()
    await tx.execute(text(merge), {"one": one, "other": other})
    assert await refused(tx, nominate, **about) == NOT_SCORED  # two ids of one human are one person
    await savepoint.rollback()


async def test_a_sheet_is_for_what_waits_and_says_what_was_announced(tx: Tx, stage: Selecting) -> None:
    announced = await stage.announced(tx)
    application = await stage.applied(tx, announced.id)
    one = stage.assessors[0]
    sheet: dict[str, Any] = {"id": application.id, "person": one.person_id, "user": one.user_id, "points": GOOD}
    assert await refused(tx, SHEET, **sheet) is None
    for points in ('{"师资": 80}', '{"师资": 80, "场地": 70, "x": 1}', '{"师资": 101, "场地": 1}', "{}"):
        assert await refused(tx, SHEET, **{**sheet, "points": points}) == NO_SHEET, points
    for points in ("-1", "1.5", "null", "true", '"x"', "[1]"):
        odd = {**sheet, "points": f'{{"师资": {points}, "场地": 1}}'}
        assert await refused(tx, SHEET, **odd) == NO_SHEET, points
    assert await refused(tx, SHEET, **{**sheet, "person": stage.clerk.person_id}) == NO_SHEET
    await stage.score(tx, application.id, one)
    assert await refused(tx, SHEET, **sheet) == UNIQUE
    await stage.score(tx, application.id, stage.assessors[1])
    await stage.publicised(tx, announced.id)
    third = stage.assessors[2]
    assert await refused(tx, SHEET, **{**sheet, "person": third.person_id}) == NO_SHEET


async def test_nobody_is_admitted_but_after_publicity_for_the_announced_days(tx: Tx, stage: Selecting) -> None:
    announced = await stage.announced(tx)
    application = await stage.applied(tx, announced.id)
    await stage.scored(tx, application.id)
    admit = "UPDATE selection_applications SET status = 'admitted', listing_id = :listing WHERE id = :id"
    about = {"id": application.id, "listing": None}
    listing = {"listing": uuid4(), "institution": stage.institution_id, "first": stage.admitted_on}
    wrong_day = {**listing, "listing": uuid4(), "first": stage.world.today}
    institution_id, _ = await stage.institution(tx, stage.world, stage.officer)
    foreign = {**listing, "listing": uuid4(), "institution": institution_id}
    nominate = "UPDATE selection_applications SET status = 'nominated', score = 7600 WHERE id = :id"
    await noted(tx, "selection_application", application.id, "admitted")
    for listed in (listing, foreign):  # it is not nominated yet
        savepoint = await tx.begin_nested()
        await tx.execute(text(LISTING), listed)
        at_once = admit.replace("listing_id", "score = 7600, listing_id")
        assert await refused(tx, at_once, id=application.id, listing=listed["listing"]) == NO_MOVE
        await savepoint.rollback()
    await noted(tx, "selection_application", application.id, "nominated")
    await tx.execute(text(nominate), {"id": application.id})
    await noted(tx, "selection_application", application.id, "admitted")
    for listed in (listing, wrong_day, foreign):  # the round is not in publicity yet
        savepoint = await tx.begin_nested()
        await tx.execute(text(LISTING), listed)
        assert await refused(tx, admit, id=application.id, listing=listed["listing"]) == NOT_PUBLICISED
        await savepoint.rollback()
    await noted(tx, "selection_round", announced.id, "in_publicity")
    await tx.execute(text(to("in_publicity", DAYS)), {"id": announced.id})
    assert await refused(tx, admit, **about) == CHECK  # without a listing
    for listed, code in ((wrong_day, NOT_PUBLICISED), (foreign, NOT_PUBLICISED), (listing, None)):
        savepoint = await tx.begin_nested()
        await tx.execute(text(LISTING), listed)
        assert await refused(tx, admit, id=application.id, listing=listed["listing"]) == code
        await savepoint.rollback()


async def test_documents_are_the_applicants_own(tx: Tx, stage: Selecting) -> None:
    announced = await stage.announced(tx)
    application = await stage.applied(tx, announced.id)
    institution_id, other = await stage.institution(tx, stage.world, stage.officer)
    theirs = await stage.document(tx, b"%PDF-theirs", other)
    attach = """INSERT INTO selection_documents (application_id, document_id, institution_id)
                VALUES (:application, :document, :institution)"""
    for institution in (stage.institution_id, institution_id):
        given = {"application": application.id, "document": theirs, "institution": institution}
        assert await refused(tx, attach, **given) == FOREIGN


# ---- races


async def test_whoever_publicises_waits_for_whoever_scores(committed: World, databases: Databases) -> None:
    async with transaction() as tx:
        stage = await Selecting.of(tx, committed)
        announced = await stage.announced(tx)
        application = await stage.applied(tx, announced.id)
    one, two = [await asyncpg.connect(databases.app_url) for _ in range(2)]
    sheet = SHEET.replace(":id", "$1").replace(":person", "$2").replace(":points", "$3").replace(":user", "$4")
    giver = stage.assessors[0]
    given = application.id, giver.person_id, GOOD, giver.user_id
    turn_down = "UPDATE selection_applications SET status = 'not_admitted' WHERE id = $1"
    # it is committed: a journal that others audit must fit
    note = """INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
              VALUES ('selection_application', $1, 'turn_down', '{"status": "filed"}', '{"status": "not_admitted"}',
                      'x', now())"""
    try:
        async with one.transaction():
            await one.execute(sheet, *given)
            await two.execute("SET lock_timeout = '200ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await two.execute(turn_down, application.id)
        async with two.transaction():
            await two.execute(note, application.id)
            await two.execute(turn_down, application.id)
            await one.execute("SET lock_timeout = '200ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await one.execute(sheet, *(application.id, stage.assessors[1].person_id, GOOD, giver.user_id))
        with pytest.raises(asyncpg.PostgresError) as late:
            await one.execute(sheet, *(application.id, stage.assessors[1].person_id, GOOD, giver.user_id))
        assert late.value.sqlstate == NO_SHEET
    finally:
        for connection in (one, two):
            await connection.close()


async def test_two_who_answer_at_once_are_one_answer(committed: World, databases: Databases) -> None:
    async with transaction() as tx:
        stage = await Selecting.of(tx, committed)
        proposal = await proposed(tx, stage)
        other = await committed.user(tx, {Post.INSTITUTION_OFFICER})
    one, two = [await asyncpg.connect(databases.app_url) for _ in range(2)]
    names = ("id", "proposer", "person", "user", "answer", "reason")
    answer = ANSWER
    for place, name in enumerate(names, 1):
        answer = answer.replace(f":{name}", f"${place}")
    try:
        async with one.transaction():
            officer = stage.officer
            about = proposal, stage.clerk.person_id
            await one.execute(answer, *about, officer.person_id, officer.user_id, "confirmed", "")
            await two.execute("SET lock_timeout = '200ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await two.execute(answer, *about, other.person_id, other.user_id, "declined", "x")
        with pytest.raises(asyncpg.UniqueViolationError):
            await two.execute(answer, *about, other.person_id, other.user_id, "declined", "x")
    finally:
        for connection in (one, two):
            await connection.close()


async def test_admitting_twice_lists_once(tx: Tx, stage: Selecting) -> None:
    _, application = await stage.admitted(tx)
    listings = text("SELECT count(*) FROM institution_listings WHERE institution_id = :id")
    assert (await tx.execute(listings, {"id": stage.institution_id})).scalar_one() == 1
    with pytest.raises(Exception, match="wrong_status"):
        await admitting.admit(tx, stage.officer, application.id, stage.admitted_on, stage.world.now)
    assert (await tx.execute(listings, {"id": stage.institution_id})).scalar_one() == 1
