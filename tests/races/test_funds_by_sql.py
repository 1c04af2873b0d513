"""Promise 9 attacked by raw SQL as the service's own role: money that is not there, moves alone, or counts twice."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text

from domain.actor import Post
from domain.claim import ClaimAction
from domain.errors import Conflict
from service.batches.commands import check_batch, dissolve_batch, submit_batch
from service.batches.commands.send import note_sending
from service.batches.queries import locked_batch
from service.claims.commands.moves import move_claim
from service.database import Tx
from service.journal import By
from tests.conftest import Databases
from tests.payments import Stage, shown
from tests.races.test_promises_by_sql import CHECK, DENIED, FOREIGN, MISFIT, UNIQUE, _attempt, _forge, _refused
from tests.service.test_funds import ONE, Office, kept
from tests.world import FUND, INSURANCE, World

ONLY_BY_A_MOVEMENT, NO_APPROPRIATION, NOT_THERE = "ZD020", "ZD021", "ZD022"
CLAIM_ALONE, MONEY_ALONE, SENT_ALONE = "ZD023", "ZD024", "ZD025"
OTHER_ACCOUNT, OTHER_VOUCHER = "ZD026", "ZD018"


@pytest.fixture
async def office(tx: Tx, world: World) -> Office:
    """A district with the money of two claims."""
    office = await Office.build(tx, world)
    await office.give(tx, 2 * ONE)
    return office


MOVE = """
    INSERT INTO fund_movements (position_id, claim_id, appropriation_id, kind, source, target, amount_fen, actor_name,
                                at)
    SELECT id, CAST(:claim AS uuid), CAST(:appropriation AS uuid), :kind, :source, :target, :fen, 'attack', now()
      FROM fund_positions WHERE district = :district
"""

ANSWER = """
    INSERT INTO appropriation_answers (appropriation_id, proposed_by_person, answered_by, answered_by_person,
                                       answered_at, answer, reason)
    SELECT id, :proposer, :user, :person, now(), '{answer}', '{reason}' FROM appropriations WHERE id = :id
"""


def line(office: Office, way: str, **other: Any) -> dict[str, Any]:
    """What MOVE is given; `way` is kind, source and target."""
    named = dict(zip(("kind", "source", "target"), way.split(), strict=True))
    return {"district": office.district, "claim": None, "appropriation": None, "fen": ONE, **named, **other}


async def _refused_at_commit(tx: Tx, statement: str, **given: Any) -> str:
    """The SQLSTATE that COMMIT would meet after the statement, which itself passes."""
    savepoint = await tx.begin_nested()
    await tx.execute(text(statement), given)
    refused = await _refused(tx, "SET CONSTRAINTS ALL IMMEDIATE")
    await savepoint.rollback()
    return refused


async def test_what_stands_in_a_position_is_not_written_by_hand(tx: Tx, office: Office) -> None:
    given = {"district": office.district}
    for statement in (
        "UPDATE fund_positions SET free_fen = free_fen + 1, appropriated_fen = appropriated_fen + 1",
        "UPDATE fund_reservations SET pot = 'free'",
        "INSERT INTO fund_reservations SELECT c.id, p.id, 1, 'reserved' FROM claims c, fund_positions p LIMIT 1",
    ):
        assert await _refused(tx, statement) == ONLY_BY_A_MOVEMENT
    for statement in (
        "DELETE FROM fund_positions WHERE district = :district",
        "UPDATE fund_positions SET year = 2000 WHERE district = :district",
        """INSERT INTO fund_positions (id, district, fund, year, appropriated_fen, free_fen)
           VALUES (gen_random_uuid(), :district, 'special_account', 2026, 1, 1)""",
    ):
        assert await _refused(tx, statement, **({**given} if ":district" in statement else {})) == DENIED


async def test_the_ledger_and_what_two_persons_agreed_on_are_written_once(tx: Tx) -> None:
    for table in ("fund_movements", "appropriations", "appropriation_answers", "fund_reservations"):
        assert await _refused(tx, f"DELETE FROM {table}") == DENIED
    for change in ("fund_movements SET amount_fen = 1", "appropriations SET amount_fen = amount_fen * 10"):
        assert await _refused(tx, f"UPDATE {change}") == DENIED
    assert await _refused(tx, "UPDATE fund_pots SET pot = 'free'") == DENIED


async def test_nobody_draws_more_than_there_is(tx: Tx, office: Office) -> None:
    (claim,) = await office.claims(tx, 1)
    assert await _refused(tx, MOVE, **line(office, "reserve free reserved", claim=claim, fen=2 * ONE + 1)) == CHECK
    # what is there, but not what the claim is due
    other = line(office, "reserve free reserved", claim=claim, fen=2 * ONE)
    assert await _refused_at_commit(tx, MOVE, **other) == MONEY_ALONE


async def test_money_comes_only_by_what_two_persons_agreed_on(tx: Tx, office: Office) -> None:
    proposed = await office.propose(tx, ONE)
    granted = "appropriate treasury free"
    assert await _refused(tx, MOVE, **line(office, "carry_over treasury free")) == NO_APPROPRIATION
    assert await _refused(tx, MOVE, **line(office, granted)) in {CHECK, NO_APPROPRIATION}
    assert await _refused(tx, MOVE, **line(office, granted, appropriation=proposed)) == FOREIGN
    confirmed = ANSWER.format(answer="confirmed", reason="")
    maker, checker = office.staff[Post.MAKER], office.staff[Post.CHECKER]
    alone = {"id": proposed, "user": maker.user_id, "person": maker.person_id}
    assert await _refused(tx, confirmed, proposer=maker.person_id, **alone) == CHECK
    assert await _refused(tx, confirmed, proposer=checker.person_id, **alone) == FOREIGN
    two = {**alone, "user": checker.user_id, "person": checker.person_id, "proposer": maker.person_id}
    await tx.execute(text(confirmed), two)
    assert await _refused(tx, MOVE, **line(office, granted, appropriation=proposed, fen=2 * ONE)) == NO_APPROPRIATION
    elsewhere = {**line(office, granted, appropriation=proposed), "district": office.world.here}
    assert await _refused(tx, MOVE, **elsewhere) == NO_APPROPRIATION
    right = line(office, granted, appropriation=proposed)
    await tx.execute(text(MOVE), right)
    assert await _refused(tx, MOVE, **right) == UNIQUE


async def test_what_was_declined_or_is_not_free_counts_for_nothing(tx: Tx, office: Office) -> None:
    maker, checker = office.staff[Post.MAKER], office.staff[Post.CHECKER]
    two = {"user": checker.user_id, "person": checker.person_id, "proposer": maker.person_id}
    declined = await office.propose(tx, ONE)
    for answer, reason in (("declined", ""), ("confirmed", "x"), ("perhaps", "x")):
        assert await _refused(tx, ANSWER.format(answer=answer, reason=reason), id=declined, **two) == CHECK
    await tx.execute(text(ANSWER.format(answer="declined", reason="x")), {"id": declined, **two})
    granted = line(office, "appropriate treasury free", appropriation=declined)
    assert await _refused(tx, MOVE, **granted) == NO_APPROPRIATION
    assert await _refused(tx, ANSWER.format(answer="confirmed", reason=""), id=declined, **two) == UNIQUE
    too_much, all_of_it = [await office.propose(tx, -fen) for fen in (2 * ONE + 1, 2 * ONE)]
    for proposed in (too_much, all_of_it):
        await tx.execute(text(ANSWER.format(answer="confirmed", reason="")), {"id": proposed, **two})
    taken = "lower free treasury"
    assert await _refused(tx, MOVE, **line(office, taken)) in {CHECK, NO_APPROPRIATION}
    assert await _refused(tx, MOVE, **line(office, taken, appropriation=all_of_it, fen=ONE)) == NO_APPROPRIATION
    granted = line(office, "appropriate treasury free", appropriation=all_of_it, fen=2 * ONE)
    assert await _refused(tx, MOVE, **granted) == NO_APPROPRIATION
    assert await _refused(tx, MOVE, **line(office, taken, appropriation=too_much, fen=2 * ONE + 1)) == CHECK
    await tx.execute(text(MOVE), line(office, taken, appropriation=all_of_it, fen=2 * ONE))
    assert await kept(tx, office.district) == {}


async def test_no_claim_moves_without_its_money(tx: Tx, office: Office) -> None:
    await office.give(tx, ONE)
    for status, after in (
        ("verified", "approved"),
        ("approved", "withdrawn"),
        ("noticed", "in_review"),
        ("payable", "withdrawn"),
    ):
        claim = await office.world.claim(tx, status, district=office.district)
        assert await _forge(tx, "claims", "claim", claim.id, after) == CLAIM_ALONE


async def test_no_money_moves_without_its_claim(tx: Tx, office: Office) -> None:
    held = (await office.world.claim(tx, "approved", district=office.district)).id
    (verified,) = await office.claims(tx, 1)
    release, pay = "release reserved free", "pay in_flight paid"
    assert await _refused_at_commit(tx, MOVE, **line(office, release, claim=held)) == MONEY_ALONE
    assert await _refused_at_commit(tx, MOVE, **line(office, "reserve free reserved", claim=verified)) == MONEY_ALONE
    assert await _refused(tx, MOVE, **line(office, "send reserved in_flight", claim=held)) == MONEY_ALONE
    assert await _refused(tx, MOVE, **line(office, pay, claim=held)) == MONEY_ALONE
    assert await _refused(tx, MOVE, **line(office, release, claim=verified)) == NOT_THERE
    assert await _refused(tx, MOVE, **line(office, release, claim=held, fen=ONE - 1)) == NOT_THERE
    assert await _refused(tx, MOVE, **line(office, "reserve free reserved", claim=held)) == NOT_THERE
    assert await _refused(tx, MOVE, **line(office, "release paid free", claim=held)) == CHECK
    assert await _refused(tx, MOVE, **line(office, release, claim=held, fen=-ONE)) == CHECK


async def test_another_districts_money_is_not_held(tx: Tx, office: Office) -> None:
    """The claim is of a district without money; the line takes it from the neighbour's."""
    neighbour = await Office.build(tx, office.world)
    (claim,) = await neighbour.claims(tx, 1)
    assert await _refused_at_commit(tx, MOVE, **line(office, "reserve free reserved", claim=claim)) == MONEY_ALONE


async def test_nothing_is_sent_before_its_money_is_in_flight(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world)
    batch = await stage.written(tx)
    attempt: UUID = (await _attempt(tx, batch.id)).id
    await note_sending(tx, await locked_batch(tx, batch.id), "sent", By("test", world.now))
    assert await _forge(tx, "payment_attempts", "attempt", attempt, "sending") == SENT_ALONE


async def test_a_line_is_paid_by_the_fund_that_holds_its_money(tx: Tx, world: World) -> None:
    """As the assembling statement would write it, if it took a claim of another fund."""
    stage = await Stage.build(tx, world, claims=0)
    insured, batch = await stage.employee(tx), await stage.open(tx)
    await move_claim(tx, ClaimAction.BATCH, insured, By("attack", world.now))
    line = """
        WITH made AS (
          INSERT INTO payment_attempts (id, claim_id, batch_id, reference, amount_fen, payee_sealed, account_sealed,
                                        account_tail, bank_code, status)
          VALUES (gen_random_uuid(), :claim, :batch, 'X1', :fen, '', '', '', '', 'prepared') RETURNING id)
        INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
        SELECT 'attempt', id, 'prepare', '{"status": "prepared"}', 'attack', now() FROM made
    """
    assert await _refused(tx, line, claim=insured, batch=batch.id, fen=ONE) == MISFIT
    await tx.execute(text(line), {"claim": insured, "batch": (await stage.open(tx, fund=INSURANCE)).id, "fen": ONE})


async def test_the_money_of_a_batched_claim_changes_no_fund(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=1)
    await world.appropriate(tx, stage.district, ONE, INSURANCE)
    await stage.frozen(tx)
    switch = """
        INSERT INTO fund_movements (position_id, claim_id, kind, source, target, amount_fen, actor_name, at)
        SELECT p.id, CAST(:claim AS uuid), CAST(:kind AS text), CAST(:source AS text), CAST(:target AS text), :fen,
               'attack', now()
          FROM fund_positions p WHERE p.district = :district AND p.fund = :fund
    """
    moved = {"claim": stage.claims[0], "fen": ONE, "district": stage.district}
    await tx.execute(text(switch), {**moved, "kind": "release", "source": "reserved", "target": "free", "fund": FUND})
    taken = {**moved, "kind": "reserve", "source": "free", "target": "reserved", "fund": INSURANCE}
    assert await _refused_at_commit(tx, switch, **taken) == MONEY_ALONE


async def test_a_batch_names_its_funds_account_and_keeps_both(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=0)
    batch = await stage.open(tx)
    opened = """
        WITH noted AS (INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
                       VALUES ('batch', :new, 'open', '{"status": "opened"}', 'attack', now()))
        INSERT INTO batches (id, number, district, fund, debit_account, filter, status, opened_by, opened_at)
        SELECT :new, 'X1', district, :fund, :account, '{}', 'opened', opened_by, now() FROM batches WHERE id = :id
    """
    given = {"new": uuid4(), "id": batch.id, "account": batch.debit_account}
    assert await _refused(tx, opened, **given, fund=INSURANCE) == OTHER_ACCOUNT
    assert await _refused(tx, opened, **given, fund="pocket_money") == FOREIGN
    for column in ("fund = 'special_account'", "debit_account = 'x'"):
        assert await _refused(tx, f"UPDATE batches SET {column} WHERE id = :id", id=batch.id) == DENIED
    await tx.execute(text(opened), {**given, "fund": FUND})


async def test_the_treasurys_money_for_one_fund_releases_no_batch_of_another(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=1)
    released, now = await stage.released(tx), world.now
    assert released.transfer is not None
    await dissolve_batch(tx, stage.staff[Post.MAKER], released.id, "重新开批", now)
    await stage.employee(tx)
    batch = await stage.frozen(tx, INSURANCE)
    transfer = """
        INSERT INTO treasury_transfers (batch_id, voucher, transferred_on, sum_fen, recorded_by)
        SELECT :id, voucher, transferred_on, sum_fen, recorded_by FROM treasury_transfers WHERE batch_id = :before
    """
    assert await _refused(tx, transfer, id=batch.id, before=released.id) == OTHER_VOUCHER
    await submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), now)
    await check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), now)
    with pytest.raises(Conflict, match=r"batch\.voucher_used"):
        await stage.release(tx, batch, released.transfer.voucher)
    again = await stage.frozen(tx)
    await tx.execute(text(transfer), {"id": again.id, "before": released.id})


@pytest.mark.parametrize("pot", ["free", "reserved", "in_flight", "paid"])
async def test_past_every_trigger_no_pot_gains_or_loses_alone(databases: Databases, pot: str) -> None:
    """What the check says on its own: as the superuser, with the guards of the ledger out of the way."""
    connection = await asyncpg.connect(databases.admin_url)
    try:
        await connection.execute("BEGIN; SET LOCAL session_replication_role = replica")
        with pytest.raises(asyncpg.CheckViolationError, match="ck_fund_positions_conserved"):
            await connection.execute(
                f"INSERT INTO fund_positions (id, district, fund, year, {pot}_fen)"
                " VALUES (gen_random_uuid(), '370102', 'attacked', 2026, 1)"
            )
    finally:
        await connection.execute("ROLLBACK")
        await connection.close()
