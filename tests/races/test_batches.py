"""Batches under people and workers who act at the same moment, and under raw SQL as the service's role."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from domain.actor import Actor, Post
from domain.errors import DomainError
from service.batches import commands
from service.batches.schemas import BatchView
from service.batches.tables import AttemptRow, SignatureRow, TreasuryTransferRow
from service.database import Tx, transaction
from service.journal import By
from service.reconciliation import commands as reconciliation
from service.reconciliation.schemas import ReturnView
from service.reconciliation.tables import ReturnFileRow, ReturnLineRow
from tests.payments import Stage, a_return, attempt_statuses, claim_statuses, lines_of, shown, transfer
from tests.world import World


@pytest.fixture
async def stage(committed: World) -> Stage:
    async with transaction() as tx:
        return await Stage.build(tx, committed, claims=6)


async def alone(act: Callable[[Tx], Awaitable[object]]) -> str:
    """`act` in a transaction of its own; what came of it, as a refusal's code or the constraint it ran into."""
    try:
        async with transaction() as tx:
            await act(tx)
    except DomainError as refusal:
        return refusal.code
    except DBAPIError as refused:
        cause = refused.orig.__cause__ if refused.orig else None
        return str(getattr(cause, "constraint_name", None) or getattr(cause, "sqlstate", ""))
    return "done"


async def at_once(*acts: Callable[[Tx], Awaitable[object]]) -> list[str]:
    return sorted(await asyncio.gather(*(alone(act) for act in acts)))


async def test_two_assemblers_take_each_claim_once(stage: Stage) -> None:
    async with transaction() as tx:
        batches = [await stage.open(tx, limit=4) for _ in range(2)]

    def assemble(batch_id: UUID) -> Callable[[Tx], Awaitable[object]]:
        return lambda tx: commands.assemble(tx, batch_id, stage.world.now)

    assert await at_once(*(assemble(batch.id) for batch in batches for _ in range(2))) == ["done"] * 4
    async with transaction() as tx:
        taken = [line.claim_id for batch in batches for line in await lines_of(tx, batch.id)]
        assert len(taken) == len(set(taken))
        assert set(taken) <= set(stage.claims)
        for batch in [await stage.see(tx, batch.id) for batch in batches]:
            assert batch.line_count == (len(await lines_of(tx, batch.id)) or None)
        statuses = await claim_statuses(tx, stage.claims)
        assert statuses.count("batched") == len(taken)
        # Who met a locked row passed it by: what is left is for the next batch, and nothing is stuck.
        left = await stage.frozen(tx)
        assert (left.line_count or 0) == len(stage.claims) - len(taken)


async def test_two_releases_release_once(stage: Stage) -> None:
    async with transaction() as tx:
        batch = await stage.frozen(tx)
        await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), stage.world.now)
        await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), stage.world.now)
        second = await stage.world.user(tx, {Post.RELEASER}, stage.district)

    def release(me: Actor) -> Callable[[Tx], Awaitable[BatchView]]:
        today, now = stage.world.today, stage.world.now
        return lambda tx: commands.release_batch(tx, me, batch.id, transfer(batch, today), today, now)

    first = stage.staff[Post.RELEASER]
    outcomes = await at_once(*(release(me) for me in (first, second, first, second)))
    assert outcomes.count("done") == 1
    assert set(outcomes) <= {"done", "wrong_status", "batch.same_person"}
    async with transaction() as tx:
        kept = select(func.count()).where(TreasuryTransferRow.batch_id == batch.id)
        assert (await tx.execute(kept)).scalar_one() == 1
        assert (await stage.see(tx, batch.id)).status == "released"


async def test_one_person_never_signs_twice_however_quick(stage: Stage) -> None:
    maker = stage.staff[Post.MAKER]
    both = Actor(maker.user_id, maker.person_id, frozenset({Post.MAKER, Post.CHECKER}), stage.district)
    async with transaction() as tx:
        batch = await stage.frozen(tx)
    now = stage.world.now

    def submit(tx: Tx) -> Awaitable[BatchView]:
        return commands.submit_batch(tx, both, batch.id, shown(batch), now)

    def check(tx: Tx) -> Awaitable[BatchView]:
        return commands.check_batch(tx, both, batch.id, shown(batch), now)

    outcomes = await at_once(submit, check, check, submit, check)
    assert outcomes.count("done") == 1
    assert outcomes.count("batch.same_person") == 3
    async with transaction() as tx:
        signed = select(SignatureRow.step).where(SignatureRow.batch_id == batch.id)
        assert list((await tx.execute(signed)).scalars()) == ["assemble"]


async def test_a_batch_dissolved_while_it_is_released(stage: Stage) -> None:
    async with transaction() as tx:
        batch = await stage.frozen(tx)
        await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), stage.world.now)
        await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), stage.world.now)

    def dissolve(tx: Tx) -> Awaitable[BatchView]:
        return commands.dissolve_batch(tx, stage.staff[Post.MAKER], batch.id, "…", stage.world.now)

    outcomes = await at_once(dissolve, lambda tx: stage.release(tx, batch), dissolve)
    assert outcomes in (["done", "done", "wrong_status"], ["done", "wrong_status", "wrong_status"])
    async with transaction() as tx:
        seen = await stage.see(tx, batch.id)
        assert (seen.status, seen.transfer is None or seen.transfer.carried_over) == ("dissolved", True)
        assert set(await attempt_statuses(tx, batch.id)) == {"void"}
        assert set(await claim_statuses(tx, stage.claims)) == {"payable"}


async def test_a_batch_dissolved_while_it_is_assembled(stage: Stage) -> None:
    async with transaction() as tx:
        batch = await stage.open(tx)

    def dissolve(tx: Tx) -> Awaitable[BatchView]:
        return commands.dissolve_batch(tx, stage.staff[Post.MAKER], batch.id, "…", stage.world.now)

    assert await at_once(dissolve, lambda tx: commands.assemble(tx, batch.id, stage.world.now)) == ["done"] * 2
    async with transaction() as tx:
        assert (await stage.see(tx, batch.id)).status == "dissolved"
        assert await claim_statuses(tx, stage.claims) == ["payable"] * 6


async def test_the_same_return_from_three_sides_counts_once(stage: Stage) -> None:
    async with transaction() as tx:
        batch = await stage.sent(tx)
        lines = [(line.reference, line.amount_fen, "done", "") for line in await lines_of(tx, batch.id)]
    data, by = a_return(batch, lines), By("tests", stage.world.now)
    views: list[ReturnView] = []

    async def take(tx: Tx) -> None:
        views.append(await reconciliation.take_return(tx, None, reconciliation.read(data), data, "bank", by))

    assert await at_once(take, take, take) == ["done"] * 3
    assert sorted(view.known for view in views) == [False, True, True]
    async with transaction() as tx:
        files = select(func.count()).where(ReturnFileRow.file_id == batch.number)
        assert (await tx.execute(files)).scalar_one() == 1
        counted = (
            select(ReturnLineRow.attempt_id)
            .join(AttemptRow, AttemptRow.id == ReturnLineRow.attempt_id)
            .where(AttemptRow.batch_id == batch.id, ReturnLineRow.verdict == "settled")
        )
        assert len((await tx.execute(counted)).all()) == 6
        assert await claim_statuses(tx, stage.claims) == ["paid"] * 6


async def test_two_different_returns_at_once_settle_each_line_once(stage: Stage) -> None:
    async with transaction() as tx:
        batch = await stage.sent(tx)
        lines = [(line.reference, line.amount_fen, "done", "") for line in await lines_of(tx, batch.id)]
    by = By("tests", stage.world.now)

    def take(first: int) -> Callable[[Tx], Awaitable[ReturnView]]:
        data = a_return(batch, lines[first:])
        return lambda tx: reconciliation.take_return(tx, None, reconciliation.read(data), data, "bank", by)

    assert await at_once(take(0), take(1), take(2)) == ["done"] * 3
    async with transaction() as tx:
        debits = await tx.execute(
            text("""SELECT count(*) FROM return_lines l JOIN payment_attempts a ON a.id = l.attempt_id
                     WHERE a.batch_id = :batch AND l.verdict = 'settled' GROUP BY a.id"""),
            {"batch": batch.id},
        )
        assert list(debits.scalars()) == [1] * 6
        assert (await stage.see(tx, batch.id)).status == "settled"


_JOURNAL = """
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    VALUES ('{kind}', :{subject}, 'by hand', jsonb_build_object('status', CAST('{status}' AS text)), 'psql', now())
"""


def forged(kind: str, subject: str, status: str, *statements: str) -> list[str]:
    """Statements of an attacker who also writes the journal row that the guard looks for."""
    return [_JOURNAL.format(kind=kind, subject=subject, status=status), *statements]


_ATTEMPT = """
    INSERT INTO payment_attempts (id, claim_id, batch_id, reference, amount_fen, payee_sealed, account_sealed,
                                  account_tail, bank_code, status)
    SELECT CAST(:attempt AS uuid), claim_id, batch_id, 'AGAIN' || reference, amount_fen, payee_sealed, account_sealed,
           account_tail, bank_code, 'prepared' FROM payment_attempts WHERE id = :theirs
"""
_VOID = "UPDATE payment_attempts SET status = 'void' WHERE id = :theirs"
_SIGNATURE = """
    INSERT INTO batch_signatures (batch_id, step, person_id, user_id, content_hash, line_count, sum_fen, signed_at)
    SELECT :batch, 'check', u.person_id, u.id, {hash}, s.line_count, s.sum_fen, now()
      FROM batch_signatures s JOIN users u ON (u.person_id = s.person_id) = {same} WHERE s.batch_id = :batch LIMIT 1
"""

#: What a program of ours with a mistake in it, or a person with its password, could try on a submitted batch.
ATTACKS = {
    "pay a claim a second time": ("uq_payment_attempts_live", forged("attempt", "attempt", "prepared", _ATTEMPT)),
    "add a line to a frozen batch": (
        "ZD008",
        [*forged("attempt", "theirs", "void", _VOID), *forged("attempt", "attempt", "prepared", _ATTEMPT)],
    ),
    "check as the maker": ("uq_batch_signatures_person", [_SIGNATURE.format(same="true", hash="s.content_hash")]),
    "sign another content": ("fk_batch_signatures_content", [_SIGNATURE.format(same="false", hash="'other'")]),
    "check without a signature": (
        "ZD006",
        forged("batch", "batch", "checked", "UPDATE batches SET status = 'checked' WHERE id = :batch"),
    ),
    "go back": (
        "ZD001",
        forged("batch", "batch", "frozen", "UPDATE batches SET status = 'frozen' WHERE id = :batch"),
    ),
    "change what was signed": (
        "fk_batch_signatures_content",
        forged("batch", "batch", "submitted", "UPDATE batches SET sum_fen = sum_fen + 1 WHERE id = :batch"),
    ),
    "raise an amount": ("42501", ["UPDATE payment_attempts SET amount_fen = 1 WHERE id = :theirs"]),
    "turn a reference": ("42501", ["UPDATE payment_attempts SET reference = 'X' WHERE id = :theirs"]),
    "send before there is a file": (
        "ZD009",
        forged("attempt", "theirs", "sending", "UPDATE payment_attempts SET status = 'sending' WHERE id = :theirs"),
    ),
    "move without a journal": ("ZD002", [_VOID]),
    "write a file unreleased": (
        "ZD010",
        [
            """INSERT INTO bank_files (batch_id, file_id, bytes_sealed, sha256, line_count, sum_fen)
               SELECT id, number, 'x', 'x', line_count, sum_fen FROM batches WHERE id = :batch""",
        ],
    ),
    "take a signature back": ("42501", ["DELETE FROM batch_signatures WHERE batch_id = :batch"]),
    "say that a claim is paid": (
        "ZD004",
        forged("claim", "claim", "paid", "UPDATE claims SET status = 'paid' WHERE id = :claim"),
    ),
    "turn the account of a batched claim": (
        "ZD003",
        forged(
            "claim",
            "claim",
            "batched",
            "UPDATE claims SET account_id = (SELECT id FROM accounts a WHERE a.id <> account_id LIMIT 1)"
            " WHERE id = :claim",
        ),
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_the_database_refuses_by_itself(tx: Tx, world: World, attack: str) -> None:
    stage = await Stage.build(tx, world, claims=2)
    batch = await stage.frozen(tx)
    await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), world.now)
    (line, _) = await lines_of(tx, batch.id)
    given = {"batch": batch.id, "theirs": line.id, "attempt": uuid4(), "claim": line.claim_id}
    refusal, statements = ATTACKS[attack]
    *prepared, attack_itself = [
        (statement, {name: value for name, value in given.items() if f":{name}" in statement})
        for statement in statements
    ]
    for statement, wanted in prepared:
        await tx.execute(text(statement), wanted)
    with pytest.raises(DBAPIError) as refused:
        await tx.execute(text(attack_itself[0]), attack_itself[1])
    cause = refused.value.orig.__cause__ if refused.value.orig else None
    assert refusal in (getattr(cause, "constraint_name", None), getattr(cause, "sqlstate", None))
