"""Statements: every line is somebody's or a person's; what does not follow the last waits whole; the unknown ends."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from domain.actor import Actor, Post
from domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from service.audit.queries.care import EVIDENCE
from service.audit.queries.checks import first_breach
from service.audit.queries.claims import COUNTED_ONCE
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.audit.queries.territory import TERRITORY
from service.batches.schemas import BatchView
from service.database import Tx
from service.journal import By
from service.reconciliation.commands import read, take_return
from service.statements.commands import resolving, taking
from service.statements.queries.statements import list_blocked, list_lines
from service.statements.schemas import NewLineResolution, NewSettingAside, StatementLineView, StatementView
from tests import statements
from tests.payments import Stage, a_return, attempt_statuses, claim_statuses, lines_of
from tests.statements import OPENING, Line, closing
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World


@pytest.fixture
async def stage(tx: Tx, world: World) -> Stage:
    return await Stage.build(tx, world)


async def take(tx: Tx, stage: Stage, data: bytes, form: str = "neutral", me: Actor | None = None) -> StatementView:
    who = me or stage.staff[Post.MAKER]
    by = By.actor(who, next(iter(who.posts)), stage.world.now)
    return await taking.take_statement(tx, who, form, taking.read(form, data), data, by)


async def said(
    tx: Tx, stage: Stage, batch: BatchView, lines: list[Line], sequence: int = 1, days: int = 0, **other: Any
) -> StatementView:
    day = stage.world.today + timedelta(days)
    return await take(tx, stage, statements.neutral(batch.debit_account, sequence, day, lines, **other))


async def odd(tx: Tx, stage: Stage) -> list[StatementLineView]:
    return (await list_lines(tx, stage.staff[Post.MAKER], None, 100, odd=True)).lines


async def references(tx: Tx, batch: BatchView) -> list[str]:
    return [line.reference for line in await lines_of(tx, batch.id)]


async def returned(tx: Tx, stage: Stage, batch: BatchView, *codes: str) -> None:
    said = [(r, AMOUNT, code, "") for r, code in zip(await references(tx, batch), codes, strict=False)]
    data = a_return(batch, said)
    await take_return(tx, None, read(data), data, "bank", By("tests", stage.world.now))


def debit(reference: str, fen: int = AMOUNT) -> Line:
    return ("D", fen, reference, "王小明", "")


def credit(reference: str, fen: int = AMOUNT, words: str = "") -> Line:
    return ("C", fen, reference, "王小明", words)


def counts(view: StatementView) -> tuple[int, int, int]:
    return view.owned, view.waiting, view.exceptions


async def refusal(asked: Awaitable[Any]) -> str:
    with pytest.raises(DomainError) as caught:
        await asked
    return caught.value.code


async def audited(tx: Tx) -> None:
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for promise in (EVIDENCE, COUNTED_ONCE, JOURNALLED, LEGAL_MOVES, TERRITORY):
        assert await first_breach(tx, promise.checks) is None


async def test_every_kind_of_line_finds_its_owner(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    one, two, three = await references(tx, batch)
    await returned(tx, stage, batch, "done", "done", "failed:permanent")
    voucher = (await stage.see(tx, batch.id)).transfer.voucher  # type: ignore[union-attr]
    lines = [
        credit(voucher, 3 * AMOUNT),
        debit(one),
        debit(two),
        ("D", 150, "CHARGE", "", ""),
        debit("ZZZ"),
        debit(three),
    ]
    view = await said(tx, stage, batch, lines)
    assert counts(view) == (4, 0, 2)
    assert [(each.exception, each.reference) for each in await odd(tx, stage)] == [
        ("unknown_reference", "ZZZ"),
        ("contradicts", three),  # the bank said that it failed, and debited it
    ]
    shown = await list_lines(tx, stage.staff[Post.MAKER], None, 100, statement_id=view.id)
    assert [each.owner for each in shown.lines] == ["treasury", "payment", "payment", "charge", "", ""]
    assert shown.lines[1].counterparty == "王*明"
    await audited(tx)


async def test_money_that_comes_back_days_later_bounces_its_claim(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    refs = await references(tx, batch)
    await returned(tx, stage, batch, *["done"] * 3)
    await said(tx, stage, batch, [debit(each) for each in refs])
    rest = closing([debit(each) for each in refs])
    view = await said(tx, stage, batch, [credit(refs[1])], 2, 3, opening=rest)
    assert counts(view) == (1, 0, 0)
    assert await attempt_statuses(tx, batch.id) == ["done", "returned", "done"]
    claims = [line.claim_id for line in await lines_of(tx, batch.id)]
    assert await claim_statuses(tx, claims) == ["paid", "bounced", "paid"]
    # the return file that says it afterwards repeats it
    await returned(tx, stage, batch, "done", "returned", "done")
    assert await attempt_statuses(tx, batch.id) == ["done", "returned", "done"]
    again = await said(tx, stage, batch, [credit(refs[1])], 3, 4, opening=rest + AMOUNT)
    assert counts(again) == (0, 0, 1)
    assert (await odd(tx, stage))[0].exception == "counted_twice"
    await audited(tx)


async def test_a_file_is_debited_in_one_sum_or_payment_by_payment(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    one, *_ = await references(tx, batch)
    await returned(tx, stage, batch, "done", "done", "failed:temporary")
    lines = [
        debit(batch.number, 3 * AMOUNT - 1),
        debit(batch.number, 2 * AMOUNT),
        debit(batch.number, 2 * AMOUNT),
        debit(one),
    ]
    view = await said(tx, stage, batch, lines)
    assert counts(view) == (1, 0, 3)
    found = [(each.exception, each.amount_fen, each.expected_fen) for each in await odd(tx, stage)]
    assert found == [
        ("amount_differs", 3 * AMOUNT - 1, 3 * AMOUNT),
        ("counted_twice", 2 * AMOUNT, None),
        ("counted_twice", AMOUNT, None),
    ]


async def test_the_same_bytes_again_change_nothing(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    lines = [debit(each) for each in await references(tx, batch)]
    first, again = await said(tx, stage, batch, lines), await said(tx, stage, batch, lines)
    assert (again.id, again.known, counts(again)) == (first.id, True, counts(first))


async def test_a_gap_blocks_until_it_is_filled(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    one, two, three = [[debit(each)] for each in await references(tx, batch)]
    await said(tx, stage, batch, one)
    third = await said(tx, stage, batch, three, 3, 2, opening=OPENING - 2 * AMOUNT)
    assert (third.blocked, third.line_count) == ("gap", 0)
    assert [each.id for each in (await list_blocked(tx, stage.staff[Post.MAKER])).statements] == [third.id]
    again = await said(tx, stage, batch, three, 3, 2, opening=OPENING - 2 * AMOUNT)
    assert (again.id, again.known) == (third.id, True)
    second = await said(tx, stage, batch, two, 2, 1, opening=OPENING - AMOUNT)
    assert (second.blocked, second.followed) == (None, 1)
    assert (await list_blocked(tx, stage.staff[Post.MAKER])).statements == []
    shown = await list_lines(tx, stage.staff[Post.MAKER], None, 100, statement_id=third.id)
    assert [each.owner for each in shown.lines] == ["payment"]
    await audited(tx)


@pytest.mark.parametrize(
    ("sequence", "days", "opening", "keys", "reason"),
    [
        (1, 1, OPENING - AMOUNT, None, "repeated_number"),
        (2, 0, OPENING - AMOUNT, None, "overlap"),
        (2, 1, OPENING, None, "opening_differs"),
        (2, 1, OPENING - AMOUNT, ["K1"], "lines_known"),
    ],
)
async def test_what_overlaps_is_kept_and_counts_nothing(
    tx: Tx, stage: Stage, sequence: int, days: int, opening: int, keys: list[str] | None, reason: str
) -> None:
    batch = await stage.sent(tx)
    one, two, _ = await references(tx, batch)
    await said(tx, stage, batch, [debit(one)], keys=["K1"])
    view = await said(tx, stage, batch, [debit(two)], sequence, days, opening=opening, keys=keys or ["K2"])
    assert view.blocked == reason
    me, why = stage.staff[Post.CHECKER], NewSettingAside("银行已更正并重发")
    ended = await taking.set_aside(tx, me, view.id, why, stage.world.now)
    assert ended.ended_at is not None
    assert await refusal(taking.set_aside(tx, me, view.id, why, stage.world.now)) == "statement.not_blocked"
    assert counts(await said(tx, stage, batch, [debit(two)], 2, 1, opening=OPENING - AMOUNT, keys=["K3"])) == (
        1,
        0,
        0,
    )


async def test_only_its_district_hands_in_and_works_off(tx: Tx, world: World, stage: Stage) -> None:
    batch, other = await stage.sent(tx), await Stage.build(tx, world, claims=0)
    data = statements.neutral(batch.debit_account, 1, world.today, [debit("ZZZ")])
    with pytest.raises(NotFound, match=r"statement\.account_unknown"):
        await take(tx, other, data)
    with pytest.raises(NotFound, match=r"statement\.account_unknown"):
        await take(tx, stage, data.replace(batch.debit_account.encode(), "别的账户".encode()))
    await take(tx, stage, data)
    assert await odd(tx, other) == []
    (line,) = await odd(tx, stage)
    new, me = NewLineResolution("not_ours", "银行误划"), stage.staff[Post.CHECKER]
    assert (
        await refusal(resolving.resolve_line(tx, other.staff[Post.CHECKER], line.id, new, world.now))
        == "exception.not_found"
    )
    with pytest.raises(Forbidden):
        await resolving.resolve_line(tx, stage.staff[Post.MAKER], line.id, new, world.now)
    for code in ("repaid", "whatever"):
        with pytest.raises(Invalid, match=r"resolving\.code"):
            await resolving.resolve_line(tx, me, line.id, NewLineResolution(code), world.now)
    done = await resolving.resolve_line(tx, me, line.id, new, world.now)
    assert (done.resolution, done.note) == ("not_ours", "银行误划")
    with pytest.raises(Conflict, match=r"exception\.resolved"):
        await resolving.resolve_line(tx, me, line.id, new, world.now)
    await audited(tx)


async def test_nothing_personal_is_kept_in_clear(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    await said(
        tx, stage, batch, [("C", 100, "110101199003078515", "王小明 6222020200012345678", "身份证110101199003078515")]
    )
    (line,) = await odd(tx, stage)
    assert (line.reference, line.text) == ("***", "身份证***")
    assert "6222" not in line.counterparty


async def unknown(tx: Tx, stage: Stage) -> BatchView:
    batch = await stage.sent(tx)
    await returned(tx, stage, batch, *["unknown"] * 3)
    assert await attempt_statuses(tx, batch.id) == ["unknown"] * 3
    return batch


async def test_a_debit_and_a_credit_end_the_unknown(tx: Tx, stage: Stage) -> None:
    batch = await unknown(tx, stage)
    one, two, three = await references(tx, batch)
    view = await said(tx, stage, batch, [debit(one), debit(two), credit(two), credit(three)])
    assert counts(view) == (4, 0, 0)
    assert await attempt_statuses(tx, batch.id) == ["done", "returned", "returned"]
    assert (await stage.see(tx, batch.id)).status == "settled"
    await returned(tx, stage, batch, "done", "returned", "returned")  # late, and counts nothing twice
    await audited(tx)


async def test_absence_ends_the_unknown_only_where_the_bank_debits_singly(tx: Tx, stage: Stage) -> None:
    batch = await unknown(tx, stage)
    one, *_ = await references(tx, batch)
    bank = batch.terms["bank"]
    await said(tx, stage, batch, [debit(one)])
    assert await attempt_statuses(tx, batch.id) == ["done", "unknown", "unknown"]
    rest = OPENING - AMOUNT
    # no bank is named: nothing is automatic, whatever the statements say
    await said(tx, stage, batch, [], 2, 20, opening=rest)
    assert await attempt_statuses(tx, batch.id) == ["done", "unknown", "unknown"]
    await stage.world.set_policy(tx, "debits_singly", {bank: 3})
    await said(tx, stage, batch, [], 3, 21, opening=rest)
    assert await attempt_statuses(tx, batch.id) == ["done", "failed", "failed"]
    claims = [line.claim_id for line in await lines_of(tx, batch.id)]
    assert await claim_statuses(tx, claims) == ["paid", "bounced", "bounced"]
    assert [line.failure for line in await lines_of(tx, batch.id)] == ["", "statement:not_paid", "statement:not_paid"]
    await audited(tx)


async def test_absence_waits_for_its_day_and_shows_nothing_of_files_debited_whole(tx: Tx, stage: Stage) -> None:
    batch = await unknown(tx, stage)
    bank = batch.terms["bank"]
    await stage.world.set_policy(tx, "debits_singly", {bank: 3})
    await said(tx, stage, batch, [debit(batch.number, AMOUNT)])  # a sum that does not fit: an exception, and a hint
    await said(tx, stage, batch, [], 2, 30, opening=OPENING - AMOUNT)
    assert await attempt_statuses(tx, batch.id) == ["unknown"] * 3
    await audited(tx)


async def test_absence_before_its_day_proves_nothing(tx: Tx, stage: Stage) -> None:
    batch = await unknown(tx, stage)
    bank = batch.terms["bank"]
    await stage.world.set_policy(tx, "debits_singly", {bank: 10})
    await said(tx, stage, batch, [])
    await said(tx, stage, batch, [], 2, 5)
    assert await attempt_statuses(tx, batch.id) == ["unknown"] * 3
    await said(tx, stage, batch, [], 3, 25)
    assert await attempt_statuses(tx, batch.id) == ["failed"] * 3
    assert (await stage.see(tx, batch.id)).status in ("settled", "sent")
