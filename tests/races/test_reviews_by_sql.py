"""Reviews of standards attacked by raw SQL, as the service's role; and closed while somebody is heard."""

import re
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text

from domain.review import BOUNDS, Voice
from service.audit.queries.standards import STANDARDS
from service.database import Tx, transaction
from service.standards.schemas import ReviewView
from service.standards.tables import ReviewOpinionRow
from tests.conftest import Databases
from tests.races.test_standards_by_sql import CHECK, DENIED, FOREIGN, IMMUTABLE, NO_JOURNAL, NO_MOVE, UNIQUE, refused
from tests.service.season import fresh_database
from tests.service.test_reviews import SHA, answer, close, collect, hear, opened, sample
from tests.standards import Bureaus
from tests.world import World

NOT_OPEN, UNANSWERED = "ZD050", "ZD051"


@pytest.fixture
async def bureaus(tx: Tx, world: World) -> Bureaus:
    return await Bureaus.of(tx, world)


NOTED = """
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    VALUES ('standard_review', :id, 'x', jsonb_build_object('status', CAST(:status AS text)), 'x', now())
"""
CLOSE = "UPDATE standard_reviews SET status = 'closed', summary = 'x', closed_on = '2026-01-01' WHERE id = :id"
OPINION = """
    INSERT INTO standard_review_opinions (id, review_id, voice, speaker, summary, heard_on, recorded_by, recorded_at)
    VALUES (gen_random_uuid(), :id, :voice, :speaker, 'x', '2026-01-01', :user, now())
"""
ANSWER = """
    INSERT INTO standard_review_answers (opinion_id, review_id, adopted, answer, answered_by, answered_at)
    VALUES (:opinion, :id, true, 'x', :user, now())
"""
SAMPLE = """
    INSERT INTO standard_review_samples (id, review_id, occupation, level, measure, value, source, document_sha256,
                                         recorded_by, recorded_at)
    VALUES (gen_random_uuid(), :id, 'x', '4', :measure, :value, 'x', :sha, :user, now())
"""


async def noted(tx: Tx, review: ReviewView, status: str) -> None:
    await tx.execute(text(NOTED), {"id": review.id, "status": status})


async def test_no_review_ends_by_sql_before_everybody_has_an_answer(tx: Tx, bureaus: Bureaus) -> None:
    review = await opened(tx, bureaus)
    assert await refused(tx, CLOSE, id=review.id) == NO_JOURNAL
    await noted(tx, review, "closed")
    assert await refused(tx, CLOSE, id=review.id) is None
    opinion_id = await hear(tx, bureaus, review)
    await noted(tx, review, "closed")
    assert await refused(tx, CLOSE, id=review.id) == UNANSWERED
    concluded = CLOSE.replace("'closed'", "'concluded'")
    await noted(tx, review, "concluded")
    assert await refused(tx, concluded, id=review.id) in {NO_MOVE, CHECK}
    other = await opened(tx, bureaus)
    elsewhere = {"id": other.id, "opinion": opinion_id, "user": bureaus.editor.user_id}
    assert await refused(tx, ANSWER, **elsewhere) == FOREIGN
    here = {**elsewhere, "id": review.id}
    await tx.execute(text(ANSWER), here)
    assert await refused(tx, ANSWER, **here) == UNIQUE
    await noted(tx, review, "closed")
    assert await refused(tx, CLOSE, id=review.id) is None


async def test_what_was_collected_cannot_be_changed_and_nothing_comes_later(tx: Tx, bureaus: Bureaus) -> None:
    review = await opened(tx, bureaus)
    await collect(tx, bureaus, review, sample())
    await answer(tx, bureaus, review, await hear(tx, bureaus, review))
    for table in ("samples", "opinions", "answers"):
        for statement in (f"UPDATE standard_review_{table} SET review_id = review_id", "DELETE FROM {}"):
            assert await refused(tx, statement.format(f"standard_review_{table}")) == DENIED
    assert await refused(tx, "DELETE FROM standard_reviews") == DENIED
    assert await refused(tx, "UPDATE standard_reviews SET title = 'x'") == DENIED
    await close(tx, bureaus, review)
    user = {"id": review.id, "user": bureaus.editor.user_id}
    assert await refused(tx, OPINION, **user, voice="public", speaker="") == NOT_OPEN
    assert await refused(tx, SAMPLE, **user, measure="pass_rate", value=1, sha=SHA) == NOT_OPEN
    await noted(tx, review, "closed")
    again = "UPDATE standard_reviews SET summary = 'y' WHERE id = :id"
    assert await refused(tx, again, id=review.id) == IMMUTABLE


async def test_what_is_not_allowed_is_not_stored(tx: Tx, bureaus: Bureaus) -> None:
    review = await opened(tx, bureaus)
    user = {"id": review.id, "user": bureaus.editor.user_id}
    for voice, speaker in (("public", "王小明"), ("trainee", "王小明"), ("expert", ""), ("other", "x")):
        assert await refused(tx, OPINION, **user, voice=voice, speaker=speaker) == CHECK
    assert await refused(tx, OPINION, **{**user, "id": uuid4()}, voice="public", speaker="") in {NOT_OPEN, FOREIGN}
    for measure, (least, most) in BOUNDS.items():
        for value, expected in ((least - 1, CHECK), (most + 1, CHECK), (least, None), (most, None)):
            given = {"measure": str(measure), "value": value, "sha": SHA}
            assert await refused(tx, SAMPLE, **user, **given) == expected, measure
    assert await refused(tx, SAMPLE, **user, measure="pass_rate", value=1, sha="x") == CHECK
    voices = next(c for c in ReviewOpinionRow.__table__.constraints if c.name == "ck_standard_review_opinions_voice")
    assert set(re.findall(r"'(\w+)'", str(voices.sqltext))) == set(Voice)  # type: ignore[attr-defined]


async def test_whoever_closes_waits_for_whoever_is_heard(committed: World, databases: Databases) -> None:
    async with transaction() as tx:
        bureaus = await Bureaus.of(tx, committed)
        review = await opened(tx, bureaus)
    closing, hearing = [await asyncpg.connect(databases.app_url) for _ in range(2)]
    try:
        async with hearing.transaction():
            await hearing.execute(
                OPINION.replace(":id", "$1").replace(":voice, :speaker", "'public', ''").replace(":user", "$2"),
                review.id,
                bureaus.editor.user_id,
            )
            await closing.execute("SET lock_timeout = '200ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await closing.execute(CLOSE.replace(":id", "$1"), review.id)
        await closing.execute("BEGIN")
        await closing.execute(NOTED.replace(":id", f"'{review.id}'").replace(":status", "'closed'"))
        with pytest.raises(asyncpg.PostgresError) as late:
            await closing.execute(CLOSE.replace(":id", "$1"), review.id)
        assert late.value.sqlstate == UNANSWERED
    finally:
        for connection in (closing, hearing):
            await connection.close()


async def test_audit_names_a_review_that_ended_too_early(databases: Databases, committed: World) -> None:
    async with fresh_database(databases.admin_url, "reviews") as name:
        admin = await asyncpg.connect(f"{databases.admin_url.rpartition('/')[0]}/{name}")
        await admin.execute("SET session_replication_role = replica")
        await admin.execute(
            """INSERT INTO standard_reviews (id, title, first, last, status, summary, closed_on, opened_by, opened_at)
               VALUES (gen_random_uuid(), 'x', '2026-01-01', '2026-12-31', 'closed', 'x', '2026-12-31',
                       gen_random_uuid(), now());
               INSERT INTO standard_review_opinions
                      (id, review_id, voice, speaker, summary, heard_on, recorded_by, recorded_at)
               SELECT gen_random_uuid(), id, 'public', '', 'x', '2026-01-01', opened_by, now()
                 FROM standard_reviews"""
        )
        check = next(each for each in STANDARDS.checks if each.table == "standard_reviews")
        assert len(await admin.fetch(check.broken)) == 1
        await admin.close()
