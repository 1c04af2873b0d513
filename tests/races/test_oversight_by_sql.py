"""Oversight attacked by raw SQL, as the service's role: penalties, credit, evaluations, complaints."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.errors import DomainError
from domain.evaluation import Indicator
from service.audit.queries.oversight import OVERSIGHT
from service.database import Tx, transaction
from service.oversight.commands import appeals, complaining, evaluating, penalties
from service.oversight.schemas import (
    NewAppeal,
    NewAppealAnswer,
    NewComplaint,
    NewEvaluation,
    PenaltyView,
)
from tests.conftest import Databases
from tests.oversight import SHA, Oversight
from tests.races.test_standards_by_sql import CHECK, DENIED, FOREIGN, IMMUTABLE, NO_JOURNAL, NO_MOVE, UNIQUE, refused
from tests.service.season import fresh_database
from tests.world import World

NOT_ITS_SANCTION, NOT_LIFTED, OWN = "ZD070", "ZD071", "ZD072"

NOTED = """
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    VALUES ('penalty', :id, 'x', jsonb_build_object('status', CAST(:status AS text)), 'x', now())
"""
SANCTION = """
    INSERT INTO institution_sanctions (id, institution_id, days, stops, reason, imposed_person, imposed_at)
    VALUES (:sanction, :institution, daterange(:first, :last, '[]'), ARRAY['file_classes'], 'x', :person, now())
"""
IMPOSE = """
    UPDATE penalties SET status = 'imposed', decided_by = :user, decided_person = :person, decided_on = first,
           appeal_until = first + 10, sanction_id = :sanction WHERE id = :id
"""
ANSWER = """
    UPDATE penalties SET status = :status, answered_by = :user, answered_person = :person, answered_on = first,
           answer = 'x', lifted_on = :lifted WHERE id = :id
"""


@pytest.fixture
async def city(tx: Tx, world: World) -> Oversight:
    return await Oversight.build(tx, world)


async def noted(tx: Tx, penalty_id: UUID, status: str) -> None:
    """The attacker writes the journal row that is asked for."""
    await tx.execute(text(NOTED), {"id": penalty_id, "status": status})


async def test_nobody_imposes_alone_or_in_silence(tx: Tx, city: Oversight) -> None:
    proposed = await city.proposed(tx, "talk")
    alone: dict[str, Any] = {
        "id": proposed.id,
        "user": city.proposer.user_id,
        "person": city.proposer.person_id,
        "sanction": None,
    }
    other = {**alone, "user": city.decider.user_id, "person": city.decider.person_id}
    assert await refused(tx, IMPOSE, **other) == NO_JOURNAL
    await noted(tx, proposed.id, "imposed")
    assert await refused(tx, IMPOSE, **alone) == CHECK
    assert await refused(tx, IMPOSE, **other) is None
    for status in ("upheld", "overturned", "appealed"):
        await noted(tx, proposed.id, status)
        assert await refused(tx, f"UPDATE penalties SET status = '{status}' WHERE id = :id", id=proposed.id) in {
            NO_MOVE,
            CHECK,
        }


async def test_a_penalty_stops_only_by_its_own_sanction(tx: Tx, city: Oversight) -> None:
    proposed = await city.proposed(tx, "rectify")
    given: dict[str, Any] = {"id": proposed.id, "user": city.decider.user_id, "person": city.decider.person_id}
    await noted(tx, proposed.id, "imposed")
    assert await refused(tx, IMPOSE, **given, sanction=None) == CHECK
    assert await refused(tx, IMPOSE, **given, sanction=uuid4()) in {FOREIGN, NOT_ITS_SANCTION}
    whose = {"first": proposed.first, "last": proposed.last, "person": city.decider.person_id}
    fitting = {**whose, "institution": city.institution_id}
    for wrong in (
        {"institution": city.other_clerk.institution_id},
        {"last": proposed.first},
        {"person": city.third.person_id},
    ):
        sanction = uuid4()
        await tx.execute(text(SANCTION), {**fitting, **wrong, "sanction": sanction})
        assert await refused(tx, IMPOSE, **given, sanction=sanction) == NOT_ITS_SANCTION
    sanction = uuid4()
    await tx.execute(text(SANCTION), {**fitting, "sanction": sanction})
    assert await refused(tx, IMPOSE, **given, sanction=sanction) is None


async def appealed(tx: Tx, city: Oversight, step: str = "rectify") -> PenaltyView:
    imposed = await city.imposed(tx, step)
    return await appeals.appeal(tx, city.clerk, imposed.id, NewAppeal("x"), city.world.today, city.world.now)


async def test_an_appeal_is_answered_by_a_third_and_granted_with_its_lift(tx: Tx, city: Oversight) -> None:
    raised = await appealed(tx, city)
    for status in ("upheld", "overturned"):
        await noted(tx, raised.id, status)
        for who in (city.proposer, city.decider):
            lifted = raised.first if status == "overturned" else None
            given = {"id": raised.id, "user": who.user_id, "person": who.person_id, "status": status}
            assert await refused(tx, ANSWER, **given, lifted=lifted) == CHECK
    third = {"id": raised.id, "user": city.third.user_id, "person": city.third.person_id}
    assert await refused(tx, ANSWER, **third, status="overturned", lifted=raised.first) == NOT_LIFTED
    assert await refused(tx, ANSWER, **third, status="overturned", lifted=None) == CHECK
    assert await refused(tx, ANSWER, **third, status="upheld", lifted=raised.first) == CHECK
    assert await refused(tx, ANSWER, **third, status="upheld", lifted=None) is None


async def test_what_was_said_of_a_penalty_stays(tx: Tx, city: Oversight) -> None:
    raised = await appealed(tx, city)
    upheld = NewAppealAnswer(granted=False, answer="事实清楚")
    await appeals.answer(tx, city.third, raised.id, upheld, city.world.today, city.world.now)
    for column in ("step = 'talk'", "reason = 'x'", "first = '2030-01-01'", "rule = 'repeated'", "ladder = 'x'"):
        assert await refused(tx, f"UPDATE penalties SET {column} WHERE id = :id", id=raised.id) == DENIED
    await noted(tx, raised.id, "upheld")
    for column in (
        "decided_on = decided_on - 1",
        "appeal_reason = 'y'",
        "answer = 'y'",
        "appeal_until = '2030-01-01'",
    ):
        assert await refused(tx, f"UPDATE penalties SET {column} WHERE id = :id", id=raised.id) == IMMUTABLE
    assert await refused(tx, "DELETE FROM penalties") == DENIED
    assert await refused(tx, "UPDATE penalties SET id = gen_random_uuid()") == DENIED


async def test_what_is_written_once_stays(tx: Tx, city: Oversight, databases: Databases) -> None:
    once = {
        "penalty_ladders": "content",
        "credit_events": "points",
        "penalty_holds": "hold_id",
        "evaluation_formulas": "content",
        "evaluations": "passed",
        "complaints": "due_on",
        "complaint_answers": "founded",
    }
    for table, column in once.items():
        assert await refused(tx, f"UPDATE {table} SET {column} = {column}") == DENIED
        assert await refused(tx, f"DELETE FROM {table}") == DENIED
    owner = await asyncpg.connect(databases.owner_url)
    try:
        for table in ("penalty_ladders", "evaluation_formulas"):
            with pytest.raises(asyncpg.PostgresError) as stood:
                await owner.execute(f"UPDATE {table} SET source = 'x'")
            assert stood.value.sqlstate == IMMUTABLE
    finally:
        await owner.close()


EVENT = """
    INSERT INTO credit_events (id, institution_id, kind, points, happened_on, classes_held, classes_failed, words,
                               document_sha256, corrects_id, corrected_person, penalty_id, recorded_by,
                               recorded_person, recorded_at)
    VALUES (gen_random_uuid(), :institution, :kind, :points, :on, :held, :failed, 'x', :sha, :corrects, :recorder,
            :penalty, :user, :person, now())
"""


async def test_no_event_says_what_it_cannot(tx: Tx, city: Oversight) -> None:
    event = await city.happens(tx)
    given: dict[str, Any] = {
        "institution": city.institution_id,
        "kind": "other",
        "points": -5,
        "on": city.world.today,
        "held": None,
        "failed": None,
        "sha": SHA,
        "corrects": None,
        "recorder": None,
        "penalty": None,
        "user": city.here.user_id,
        "person": city.here.person_id,
    }
    assert await refused(tx, EVENT, **given) is None
    mends = {"kind": "correction", "corrects": event.id, "recorder": city.here.person_id, "points": 1}
    other = {**mends, "user": city.there.user_id, "person": city.there.person_id}
    for wrong, expected in (
        ({"kind": "patrol_failed", "points": 5}, CHECK),
        ({"kind": "commended"}, CHECK),
        ({"kind": "unheard_of"}, CHECK),
        ({"points": 101}, CHECK),
        ({"sha": "x"}, CHECK),
        ({"held": 3, "failed": 1}, CHECK),
        ({"kind": "class_results", "points": 0}, CHECK),
        ({"kind": "class_results", "points": 0, "held": 3, "failed": 4}, CHECK),
        ({"kind": "class_results", "points": 0, "held": 3, "failed": 3}, None),
        ({"kind": "correction"}, CHECK),
        ({"corrects": event.id}, CHECK),
        (mends, CHECK),
        ({**other, "recorder": None}, CHECK),
        ({**other, "recorder": city.third.person_id}, FOREIGN),
        (other, None),
        ({**other, "on": city.world.today.replace(year=2020)}, FOREIGN),
        ({**other, "institution": city.other_clerk.institution_id}, FOREIGN),
        ({"kind": "appeal_granted", "points": 5}, CHECK),
    ):
        assert await refused(tx, EVENT, **{**given, **wrong}) == expected, wrong


CORRECTED = """
    INSERT INTO evaluations (id, institution_id, year, version, formula, values, evidence, score_hundredths, passed,
                             summary, reason, corrects_id, corrected_version, corrected_person, evaluated_by,
                             evaluated_person, evaluated_at)
    SELECT gen_random_uuid(), institution_id, year + :years, :version, formula, values, evidence, 1, false, 'x',
           :reason, :corrects, :before, :said, evaluated_by, :person, now() FROM evaluations WHERE id = :id
"""


async def test_an_evaluation_is_corrected_by_another_as_the_next_version(tx: Tx, city: Oversight) -> None:
    one, other = city.evaluators
    values, evidence = dict.fromkeys(Indicator, 70.0), dict.fromkeys(Indicator, SHA)
    new = NewEvaluation(city.code, city.world.today.year, values, evidence, "x")
    view = await evaluating.evaluate(tx, one, new, city.world.today, city.world.now)
    given: dict[str, Any] = {
        "id": view.id,
        "years": 0,
        "version": 2,
        "reason": "x",
        "corrects": view.id,
        "before": 1,
        "said": one.person_id,
        "person": other.person_id,
    }
    assert await refused(tx, CORRECTED, **given) is None
    for wrong, expected in (
        ({"person": one.person_id}, CHECK),
        ({"person": one.person_id, "said": other.person_id}, FOREIGN),
        ({"reason": ""}, CHECK),
        ({"version": 3}, CHECK),
        ({"version": 3, "before": 2}, FOREIGN),
        ({"years": -1}, FOREIGN),
        ({"corrects": None, "before": None, "said": None}, CHECK),
        ({"version": 1, "reason": "", "corrects": None, "before": None, "said": None}, UNIQUE),
    ):
        assert await refused(tx, CORRECTED, **{**given, **wrong}) == expected, wrong
    await tx.execute(text(CORRECTED), given)
    assert await refused(tx, CORRECTED, **{**given, "version": 3, "before": 2}) in {UNIQUE, FOREIGN}


async def test_nobody_answers_their_own_complaint_by_sql(tx: Tx, city: Oversight) -> None:
    me = (await city.world.trainee(tx)).actor
    new = NewComplaint(city.code, "老师不来")
    receipt = await complaining.complain(tx, me, new, city.world.today, city.world.now)
    statement = """
        INSERT INTO complaint_answers (complaint_id, answer_sealed, founded, answered_by, answered_person,
                                       answered_on, answered_at)
        VALUES (:id, 'x', false, :user, :person, :on, now())
    """
    given = {"id": receipt.id, "on": city.world.today}
    assert await refused(tx, statement, **given, user=me.user_id, person=me.person_id) == OWN
    here = {**given, "user": city.here.user_id, "person": city.here.person_id}
    assert await refused(tx, statement, **{**here, "on": city.world.today.replace(year=2020)}) == OWN
    assert await refused(tx, statement, **here) is None
    await tx.execute(text(statement), here)
    assert await refused(tx, statement, **here) == UNIQUE


async def test_two_who_decide_at_once_decide_once(committed: World) -> None:
    """The second waits for the first, and then is told what stands."""

    async with transaction() as tx:
        city = await Oversight.build(tx, committed)
        proposed = await city.proposed(tx, "rectify")

    async def decide(who: Any) -> str:
        try:
            async with transaction() as own:
                return (await penalties.impose(own, who, proposed.id, committed.today, committed.now)).status
        except (DomainError, DBAPIError) as refusal:
            return getattr(refusal, "code", "") or "database"

    assert sorted(await asyncio.gather(decide(city.decider), decide(city.third))) == ["imposed", "wrong_status"]
    async with transaction() as tx:
        sanctions = await tx.execute(
            text("SELECT count(*) FROM institution_sanctions WHERE institution_id = :id"), {"id": city.institution_id}
        )
        assert sanctions.scalar_one() == 1


PLANTED = """
    INSERT INTO penalties (id, institution_id, ladder, step, rule, figures, reason, document_sha256, first,
           claims_in_flight, status, proposed_by, proposed_person, proposed_at, decided_by, decided_person,
           decided_on, appeal_until)
    SELECT gen_random_uuid(), gen_random_uuid(), 'sample-2019', $1, 'officer', '{}', 'x', repeat('a', 64),
           '2026-01-01', 'go_on', 'imposed', $2, $2, now(), $3, $3, '2026-01-01', '2026-01-01'
"""


async def test_audit_names_what_the_guards_would_have_refused(databases: Databases) -> None:
    one, other = uuid4(), uuid4()
    async with fresh_database(databases.admin_url, "oversight") as name:
        admin = await asyncpg.connect(f"{databases.admin_url.rpartition('/')[0]}/{name}")
        await admin.execute("SET session_replication_role = replica; ALTER TABLE penalties DISABLE TRIGGER ALL")
        await admin.execute("ALTER TABLE penalties DROP CONSTRAINT ck_penalties_two_persons")
        for person in (one, other):
            await admin.execute(
                "INSERT INTO people (id, name_sealed, id_number_sealed) VALUES ($1, 'x', 'x')", person
            )
        for step, decider, says in (
            ("talk", other, []),
            ("talk", one, ["拟定、决定、处理申诉的不是不同的人"]),
            ("rectify", other, ["停的事、停的日子不是惩戒所定的"]),
        ):
            await admin.execute("DELETE FROM penalties")
            await admin.execute(PLANTED, step, one, decider)
            assert [check.says for check in OVERSIGHT.checks if await admin.fetch(check.broken)] == says
        await admin.close()
