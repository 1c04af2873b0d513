"""Standards attacked by raw SQL: as the service's role, and as the owner of the tables where only triggers stand."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.database import Tx
from service.standards.schemas import SetView
from tests.conftest import Databases
from tests.service.test_standards import JAN, JUL
from tests.standards import Bureaus, flat
from tests.world import World

DENIED, UNIQUE, FOREIGN, CHECK, EXCLUDE = "42501", "23505", "23503", "23514", "23P01"
NO_MOVE, NO_JOURNAL, IMMUTABLE = "ZD001", "ZD002", "ZD012"
COMES_WITH_ITS_SET, NOT_SIGNED, DAYS = "ZD040", "ZD041", "ZD042"

NOTED = """
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    VALUES ('standard_set', :id, 'x', jsonb_build_object('status', CAST(:status AS text)), 'x', now())
"""
SIGNED = """
    INSERT INTO standard_signatures (set_id, bureau, content_hash, proposer_id, person_id, signed_by, signed_at)
    SELECT s.id, :bureau, {hash}, {proposer}, :person, :user, now() FROM standard_sets s WHERE s.id = :id
"""


async def refused(tx: Tx, statement: str, **given: Any) -> str | None:
    """The SQLSTATE with which the database refuses; None where it does as it is told. Nothing stays."""
    savepoint = await tx.begin_nested()
    try:
        await tx.execute(text(statement), given)
    except DBAPIError as refusal:
        return str(refusal.orig.sqlstate)  # type: ignore[union-attr]  # asyncpg's errors have one
    finally:
        await savepoint.rollback()
    return None


async def noted(tx: Tx, of: SetView, status: str) -> None:
    """The attacker writes the journal row that is asked for."""
    await tx.execute(text(NOTED), {"id": of.id, "status": status})


@pytest.fixture
async def bureaus(tx: Tx, world: World) -> Bureaus:
    return await Bureaus.of(tx, world)


async def test_what_is_published_cannot_be_changed(tx: Tx, bureaus: Bureaus) -> None:
    published = await bureaus.in_force(tx, flat(80_000), JAN)
    for column in ("formula = '{}'", "source = 'x'", "first = '2020-01-01'", "sample = true", "content_hash = 'x'"):
        assert await refused(tx, f"UPDATE standard_sets SET {column} WHERE id = :id", id=published.id) == DENIED
    for statement in (
        "UPDATE standards SET amount_fen = 1",
        "UPDATE standards SET in_force = '{}'",
        "DELETE FROM standards",
        "DELETE FROM standard_sets",
        "UPDATE standard_signatures SET bureau = 'hr'",
        "DELETE FROM standard_signatures",
    ):
        assert await refused(tx, statement) == DENIED
    await noted(tx, published, "published")
    for statement, code in (
        ("UPDATE standard_sets SET place = 99 WHERE id = :id", IMMUTABLE),
        ("UPDATE standard_sets SET published_on = '2020-01-01' WHERE id = :id", IMMUTABLE),
        ("UPDATE standard_sets SET in_force = '{}' WHERE id = :id", DAYS),
        ("UPDATE standard_sets SET in_force = '{[2027-02-01,)}' WHERE id = :id", DAYS),
        ("UPDATE standard_sets SET in_force = '{[2020-01-01,)}' WHERE id = :id", CHECK),
        ("UPDATE standard_sets SET status = 'draft' WHERE id = :id", CHECK),
        ("UPDATE standard_sets SET status = 'superseded' WHERE id = :id", CHECK),
    ):
        assert await refused(tx, statement, id=published.id) == code, statement


async def test_days_that_were_given_do_not_come_back(tx: Tx, bureaus: Bureaus) -> None:
    before = await bureaus.in_force(tx, flat(80_000), JAN)
    await bureaus.in_force(tx, flat(90_000), JUL)
    await noted(tx, before, "published")
    again = "UPDATE standard_sets SET in_force = '{[2027-01-01,)}' WHERE id = :id"
    assert await refused(tx, again, id=before.id) in {DAYS, EXCLUDE}
    earlier = "UPDATE standard_sets SET in_force = '{[2027-01-01,2027-03-01)}' WHERE id = :id"
    assert await refused(tx, earlier, id=before.id) == DAYS  # nothing later is for those days


async def test_nothing_is_published_without_both_bureaus(tx: Tx, bureaus: Bureaus) -> None:
    proposed = await bureaus.propose(tx, flat(80_000), JAN)
    publish = """
        UPDATE standard_sets SET status = 'published', place = 99, published_on = '2027-01-01' WHERE id = :id
    """
    assert await refused(tx, publish, id=proposed.id) == NO_JOURNAL
    await noted(tx, proposed, "published")
    assert await refused(tx, publish, id=proposed.id) == NOT_SIGNED  # as if it were a sample
    await noted(tx, proposed, "signed")
    await tx.execute(text("UPDATE standard_sets SET status = 'signed' WHERE id = :id"), {"id": proposed.id})
    assert await refused(tx, publish, id=proposed.id) == NOT_SIGNED
    sign, who = SIGNED.format(hash="s.content_hash", proposer="s.proposer_id"), bureaus.hr
    mine = {"id": proposed.id, "bureau": "hr", "person": who.person_id, "user": who.user_id}
    await tx.execute(text(sign), mine)
    assert await refused(tx, publish, id=proposed.id) == NOT_SIGNED
    # another bureau's signature by the same person, by the proposer, over other content, as if another had proposed
    assert await refused(tx, sign, **{**mine, "bureau": "finance"}) == UNIQUE
    assert await refused(tx, sign, **{**mine, "bureau": "district"}) == CHECK
    editor = {**mine, "bureau": "finance", "person": bureaus.editor.person_id}
    assert await refused(tx, sign, **editor) == CHECK
    other = SIGNED.format(hash="'x'", proposer="s.proposer_id")
    finance = {**mine, "bureau": "finance", "person": bureaus.finance.person_id}
    assert await refused(tx, other, **finance) == FOREIGN
    pretended = SIGNED.format(hash="s.content_hash", proposer=f"'{bureaus.hr.person_id}'::uuid")
    assert await refused(tx, pretended, **editor) == FOREIGN
    await tx.execute(text(sign), finance)
    assert await refused(tx, publish, id=proposed.id) is None


async def test_a_sample_takes_no_days_of_the_city_s_standards(tx: Tx, bureaus: Bureaus) -> None:
    await bureaus.in_force(tx, flat(80_000), JAN)
    made = """
        WITH noted AS (INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
             VALUES ('standard_set', :new, 'propose', '{"status": "draft"}', 'x', now()))
        INSERT INTO standard_sets (id, year, revision, status, first, formula, facts, source, reason, sample,
                                   content_hash, proposed_at)
        VALUES (:new, 2090, 0, 'draft', '2027-01-01', '{}', '{}', 'x', '', true, 'x', now())
    """
    new = uuid4()
    await tx.execute(text(made), {"new": new})
    await tx.execute(text(NOTED), {"id": new, "status": "published"})
    publish = "UPDATE standard_sets SET status = 'published', place = 99, published_on = '2027-01-01' WHERE id = :id"
    assert await refused(tx, publish, id=new) == NOT_SIGNED
    without = made.replace("'{}', '{}', 'x'", "NULL, '{}', 'x'").replace("2090", "2091")
    assert await refused(tx, without, new=uuid4()) == COMES_WITH_ITS_SET


ADDED = """
    INSERT INTO standards (id, set_id, occupation, level, amount_fen, in_force, sample, facts, derivation)
    SELECT gen_random_uuid(), set_id, {occupation}, level, 1, {days}, sample, facts, derivation FROM standards
     ORDER BY isempty(in_force), set_id LIMIT 1
"""


async def test_even_the_owner_meets_the_guards(databases: Databases) -> None:
    owner = await asyncpg.connect(databases.owner_url)
    try:
        for statement, code in (
            ("UPDATE standards SET amount_fen = amount_fen + 1", IMMUTABLE),
            ("UPDATE standards SET in_force = '{}'", FOREIGN),
            ("DELETE FROM standards", IMMUTABLE),
            ("DELETE FROM standard_sets", IMMUTABLE),
            ("UPDATE standard_sets SET formula = '{}'", NO_JOURNAL),
            (ADDED.format(occupation="'x'", days="in_force"), COMES_WITH_ITS_SET),
            (ADDED.format(occupation="'x'", days="'{}'"), FOREIGN),
            (ADDED.format(occupation="occupation", days="in_force"), EXCLUDE),
        ):
            with pytest.raises(asyncpg.PostgresError) as refusal:
                await owner.execute(statement)
            assert refusal.value.sqlstate == code, statement
    finally:
        await owner.close()
