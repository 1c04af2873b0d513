"""Batches: what they take, what a signature binds, who may sign, and the file that is written of them."""

import csv
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain.actor import Actor, Post
from domain.batch import BatchStatus, PaymentLine, content_of
from domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from service.batches import commands, queries
from service.batches.schemas import BatchFilter, BatchView, NewBatch
from service.batches.tables import BankFileRow
from service.claims.schemas import NewHold
from service.crypto import CannotOpen, keyring
from service.database import Tx
from service.funds.commands import load_funds
from service.queue import Job
from tests.payments import (
    Stage,
    attempt_statuses,
    claim_statuses,
    journal_of,
    lines_of,
    ready_jobs,
    shown,
    transfer,
)
from tests.world import FUND, INSURANCE, WELDER_LEVEL_4_FEN, Trainee, World


@pytest.fixture
async def stage(tx: Tx, world: World) -> Stage:
    return await Stage.build(tx, world)


async def test_an_opened_batch_is_empty_and_owed_its_claims(tx: Tx, stage: Stage) -> None:
    batch = await stage.open(tx)
    assert (batch.status, batch.content_hash, batch.sum, batch.signatures) == ("opened", None, None, [])
    assert batch.number.startswith(f"JN{stage.world.today:%Y%m%d}-")
    assert await ready_jobs(tx, batch.id) == [Job.ASSEMBLE_BATCH]
    (opened,) = await journal_of(tx, "batch", batch.id)
    assert (opened.action, opened.after["status"], opened.actor_name) == ("open", "opened", "maker")


async def test_assembling_copies_and_freezes(tx: Tx, stage: Stage) -> None:
    trainee = await stage.world.trainee(tx)
    await stage.claim(tx, trainee)
    batch = await stage.frozen(tx)
    lines = await lines_of(tx, batch.id)
    keys = keyring()
    plain = [
        PaymentLine(
            line.reference,
            keys.open(line.payee_sealed, line.id),
            keys.open(line.account_sealed, line.id),
            line.bank_code,
            line.amount_fen,
        )
        for line in lines
    ]
    content = content_of(plain)
    assert batch.status == "frozen"
    assert (batch.content_hash, batch.line_count, batch.sum_fen) == (
        content.content_hash,
        4,
        sum(line.amount_fen for line in lines),
    )
    assert (trainee.made.name, trainee.card) in [(line.payee, line.account) for line in plain]
    assert {line.claim_id for line in lines} == set(stage.claims)
    start = batch.number.replace("-", "")
    assert [line.reference for line in lines] == [f"{start}{place:06d}" for place in range(1, 5)]
    assert await claim_statuses(tx, stage.claims) == ["batched"] * 4
    assert await attempt_statuses(tx, batch.id) == ["prepared"] * 4
    with pytest.raises(CannotOpen):  # an envelope belongs to its row
        keys.open(lines[0].payee_sealed, lines[1].id)


async def test_what_is_stored_and_shown_of_a_line_is_masked(tx: Tx, stage: Stage) -> None:
    trainee = await stage.world.trainee(tx)
    await stage.claim(tx, trainee)
    batch = await stage.frozen(tx)
    for line in await lines_of(tx, batch.id):
        stored = " ".join(str(value) for value in line) + line.payee_sealed.decode("latin-1")
        assert trainee.card not in stored
        assert trainee.made.name not in stored
        (prepared,) = await journal_of(tx, "attempt", line.id)
        assert set(prepared.after) == {
            *("status", "claim_id", "batch_id", "reference", "amount_fen", "account_tail", "bank_code")
        }
    page = await queries.list_lines(tx, stage.staff[Post.CHECKER], batch.id, None, 500)
    mine = next(line for line in page.lines if line.account_tail == trainee.card[-4:])
    assert mine.payee.startswith(trainee.made.name[0])
    assert "*" in mine.payee
    assert trainee.made.name not in str(page)
    assert mine.amount == "1,200 元"


async def test_lines_come_by_pages_that_meet(tx: Tx, stage: Stage) -> None:
    batch, seen, cursor = await stage.frozen(tx), [], None
    for _ in range(3):
        page = await queries.list_lines(tx, stage.staff[Post.MAKER], batch.id, cursor, 1)
        seen += [line.reference for line in page.lines]
        cursor = page.next
    assert seen == [line.reference for line in await lines_of(tx, batch.id)]
    assert cursor is None


async def test_a_batch_takes_the_oldest_that_fit_its_filter(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=0)
    today = world.today
    for days in (0, 2, 1):
        world.today = today - timedelta(days=days)
        await stage.claim(tx)
    world.today = today
    young, oldest, old = stage.claims
    batch = await stage.open(tx, limit=1)
    await commands.assemble(tx, batch.id, world.now)
    assert await claim_statuses(tx, [oldest, old, young]) == ["batched", "payable", "payable"]
    batch = await stage.open(tx, filed_to=today - timedelta(days=1))
    await commands.assemble(tx, batch.id, world.now)
    assert await claim_statuses(tx, [old, young]) == ["batched", "payable"]
    assert (await stage.see(tx, batch.id)).filter["filed_to"] == str(today - timedelta(days=1))


async def test_a_batch_pays_from_one_fund(tx: Tx, stage: Stage) -> None:
    """What is due says from which fund; a batch takes that fund's claims and no others, and names its account."""
    insured = await stage.employee(tx)
    maker = stage.staff[Post.MAKER]
    due = {each.fund: (each.fund_name, each.count, each.sum_fen) for each in (await queries.list_due(tx, maker)).due}
    one = WELDER_LEVEL_4_FEN
    assert due == {FUND: ("就业补助资金", 3, 3 * one), INSURANCE: ("失业保险基金", 1, one)}
    batch = await stage.open(tx, fund=INSURANCE)
    await commands.assemble(tx, batch.id, stage.world.now)
    assert [line.claim_id for line in await lines_of(tx, batch.id)] == [insured]
    seen = await stage.see(tx, batch.id)
    assert (seen.fund, seen.fund_name, seen.debit_account) == (
        INSURANCE,
        "失业保险基金",
        f"失业保险基金专户-{stage.district}",
    )
    assert [each.fund for each in (await queries.list_due(tx, maker)).due] == [FUND]
    (opened, *_) = await journal_of(tx, "batch", batch.id)
    assert (opened.after["fund"], opened.after["debit_account"]) == (INSURANCE, seen.debit_account)
    other = await stage.frozen(tx)
    assert {line.claim_id for line in await lines_of(tx, other.id)} == set(stage.claims) - {insured}
    assert (await queries.list_due(tx, maker)).due == []


async def test_what_is_due_is_my_districts_and_leaves_out_what_is_held(tx: Tx, stage: Stage) -> None:
    elsewhere = await Stage.build(tx, stage.world, claims=1)
    await commands.hold(tx, stage.staff[Post.CHECKER], stage.claims[0], NewHold("complaint"), stage.world.now)
    (mine,) = (await queries.list_due(tx, stage.staff[Post.MAKER])).due
    assert (mine.district, mine.count, mine.sum) == (stage.district, 2, "2,400 元")
    everybodys = await queries.list_due(tx, stage.world.staff[Post.AUDITOR])
    assert {stage.district, elsewhere.district} <= {each.district for each in everybodys.due}


async def test_an_unknown_fund_opens_nothing(tx: Tx, stage: Stage) -> None:
    with pytest.raises(Invalid, match=r"fund\.unknown"):
        await stage.open(tx, fund="pocket_money")


async def test_a_fund_by_another_name_changes_no_label_of_an_opened_batch(tx: Tx, stage: Stage) -> None:
    batch = await stage.released(tx)
    await load_funds(tx, [{"code": FUND, "name": "就业资金"}])
    await commands.write_bank_file(tx, batch.id, stage.world.now)
    row = (await tx.execute(select(BankFileRow.__table__).where(BankFileRow.batch_id == batch.id))).one()
    head = keyring().open_bytes(row.bytes_sealed, batch.id).decode().partition("\r\n")[0]
    assert f",{batch.debit_account}," in head
    assert (await stage.see(tx, batch.id)).debit_account == f"就业补助资金专户-{stage.district}"


def as_staff(trainee: Trainee, post: Post, district: str) -> Actor:
    """The same human at work."""
    return Actor(trainee.actor.user_id, trainee.actor.person_id, frozenset({post}), district)


async def test_the_openers_own_claims_and_other_districts_stay_out(tx: Tx, stage: Stage) -> None:
    elsewhere = await Stage.build(tx, stage.world, claims=1)
    trainee = await stage.world.trainee(tx)
    own = await stage.claim(tx, trainee)
    stage.staff[Post.MAKER] = as_staff(trainee, Post.MAKER, stage.district)
    (due,) = (await queries.list_due(tx, stage.staff[Post.MAKER])).due
    batch = await stage.frozen(tx)
    assert (due.count, due.sum_fen) == (batch.line_count, batch.sum_fen)
    assert {line.claim_id for line in await lines_of(tx, batch.id)} == set(stage.claims) - {own}
    assert await claim_statuses(tx, [own, *elsewhere.claims]) == ["payable", "payable"]


async def test_a_batch_without_claims_is_dissolved(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=0)
    batch = await stage.frozen(tx)
    assert (batch.status, batch.line_count) == ("dissolved", None)
    assert (await journal_of(tx, "batch", batch.id))[-1].reason == "batch.empty"


async def test_assembling_again_changes_nothing(tx: Tx, stage: Stage) -> None:
    batch = await stage.frozen(tx)
    await stage.claim(tx)
    await commands.assemble(tx, batch.id, stage.world.now)
    assert await stage.see(tx, batch.id) == batch
    assert len(await lines_of(tx, batch.id)) == 3
    assert await claim_statuses(tx, stage.claims[-1:]) == ["payable"]


async def test_three_persons_sign_and_the_file_is_owed(tx: Tx, stage: Stage) -> None:
    batch = await stage.released(tx)
    assert batch.status == "released"
    assert [signature.step for signature in batch.signatures] == ["assemble", "check", "release"]
    assert Job.WRITE_BANK_FILE in await ready_jobs(tx, batch.id)
    journal = await journal_of(tx, "batch", batch.id)
    assert [(row.action, row.actor_name) for row in journal][2:] == [
        ("submit", "maker"),
        ("check", "checker"),
        ("release", "releaser"),
    ]
    assert len({row.actor_person_id for row in journal[2:]}) == 3


async def refusal(signing: Awaitable[BatchView]) -> DomainError:
    with pytest.raises(DomainError) as caught:
        await signing
    return caught.value


async def test_one_person_signs_once(tx: Tx, stage: Stage) -> None:
    """Also who opened a batch that another maker submitted."""
    batch, now = await stage.frozen(tx), stage.world.now
    opener = stage.staff[Post.MAKER]
    both = Actor(opener.user_id, opener.person_id, frozenset({Post.MAKER, Post.CHECKER}), stage.district)
    other = await stage.world.user(tx, {Post.MAKER}, stage.district)
    await commands.submit_batch(tx, other, batch.id, shown(batch), now)
    checker_too = Actor(other.user_id, other.person_id, frozenset({Post.CHECKER}), stage.district)
    for person in (both, opener, checker_too):
        refused = await refusal(commands.check_batch(tx, person, batch.id, shown(batch), now))
        assert (type(refused), refused.code) == (Forbidden, "batch.same_person")
    await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), now)
    checker = stage.staff[Post.CHECKER]
    releaser_too = Actor(checker.user_id, checker.person_id, frozenset({Post.RELEASER}), stage.district)
    release = transfer(batch, stage.world.today)
    refused = await refusal(
        commands.release_batch(tx, releaser_too, batch.id, release, stage.world.today, stage.world.now)
    )
    assert (type(refused), refused.code) == (Forbidden, "batch.same_person")
    assert (await stage.see(tx, batch.id)).status == "checked"


async def test_each_step_has_its_post(tx: Tx, stage: Stage) -> None:
    batch, now = await stage.frozen(tx), stage.world.now
    release = transfer(batch, stage.world.today)
    verbs: dict[Post, Callable[[Actor], Awaitable[BatchView]]] = {
        Post.MAKER: lambda me: commands.submit_batch(tx, me, batch.id, shown(batch), now),
        Post.CHECKER: lambda me: commands.check_batch(tx, me, batch.id, shown(batch), now),
        Post.RELEASER: lambda me: commands.release_batch(tx, me, batch.id, release, stage.world.today, now),
    }
    for post, sign in verbs.items():
        for other in set(verbs) - {post}:
            stranger = await stage.world.user(tx, {other}, stage.district)
            refused = await refusal(sign(stranger))
            assert (type(refused), refused.code) == (Forbidden, "post_missing")


async def test_nobody_signs_for_their_own_money(tx: Tx, stage: Stage) -> None:
    trainee = await stage.world.trainee(tx)
    await stage.claim(tx, trainee)
    batch, now = await stage.frozen(tx), stage.world.now
    maker = as_staff(trainee, Post.MAKER, stage.district)
    assert (await refusal(commands.submit_batch(tx, maker, batch.id, shown(batch), now))).code == "batch.own_claim"
    await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), now)
    checker = as_staff(trainee, Post.CHECKER, stage.district)
    assert (await refusal(commands.check_batch(tx, checker, batch.id, shown(batch), now))).code == "batch.own_claim"
    await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), now)
    stage.staff[Post.RELEASER] = as_staff(trainee, Post.RELEASER, stage.district)
    assert (await refusal(stage.release(tx, batch))).code == "batch.own_claim"


@pytest.mark.parametrize("other", [{"content_hash": "0" * 64}, {"line_count": 2}, {"sum_fen": 1}])
async def test_a_signature_binds_what_was_shown(tx: Tx, stage: Stage, other: dict[str, Any]) -> None:
    batch, now = await stage.frozen(tx), stage.world.now
    seen = shown(batch, **other)
    refused = await refusal(commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, seen, now))
    assert (type(refused), refused.code) == (Conflict, "batch.changed")
    assert (refused.facts["shown_hash"], refused.facts["shown_count"]) == (seen.content_hash, seen.line_count)
    assert (refused.facts["content_hash"], refused.facts["line_count"]) == (batch.content_hash, batch.line_count)
    assert (await stage.see(tx, batch.id)).signatures == []


async def test_steps_come_in_order_and_once(tx: Tx, stage: Stage) -> None:
    batch, now = await stage.frozen(tx), stage.world.now
    maker, checker = stage.staff[Post.MAKER], stage.staff[Post.CHECKER]
    assert (await refusal(commands.check_batch(tx, checker, batch.id, shown(batch), now))).code == "wrong_status"
    assert (await refusal(stage.release(tx, batch))).code == "wrong_status"
    await commands.submit_batch(tx, maker, batch.id, shown(batch), now)
    assert (await refusal(commands.submit_batch(tx, maker, batch.id, shown(batch), now))).code == "wrong_status"
    await commands.check_batch(tx, checker, batch.id, shown(batch), now)
    second = await stage.world.user(tx, {Post.CHECKER}, stage.district)
    assert (await refusal(commands.check_batch(tx, second, batch.id, shown(batch), now))).code == "wrong_status"


async def test_a_foreign_batch_is_not_there(tx: Tx, stage: Stage) -> None:
    batch, now = await stage.frozen(tx), stage.world.now
    foreign = await Stage.build(tx, stage.world, claims=0)
    maker, checker = foreign.staff[Post.MAKER], foreign.staff[Post.CHECKER]
    asked: list[Awaitable[Any]] = [
        commands.submit_batch(tx, maker, batch.id, shown(batch), now),
        commands.check_batch(tx, checker, batch.id, shown(batch), now),
        foreign.release(tx, batch),
        commands.dissolve_batch(tx, maker, batch.id, "…", now),
        queries.find_batch(tx, maker, batch.id),
        queries.list_lines(tx, maker, batch.id, None, 10),
    ]
    for each in asked:
        with pytest.raises(NotFound, match=r"batch\.not_found"):
            await each
    assert (await queries.list_batches(tx, maker, None, None, 10)).batches == []
    auditor = stage.world.staff[Post.AUDITOR]  # of the whole city
    assert (await queries.find_batch(tx, auditor, batch.id)).number == batch.number


async def test_batches_come_newest_first_by_pages(tx: Tx, stage: Stage) -> None:
    made = [await stage.open(tx) for _ in range(3)]
    await commands.assemble(tx, made[0].id, stage.world.now)
    maker = stage.staff[Post.MAKER]
    first = await queries.list_batches(tx, maker, None, None, 2)
    rest = await queries.list_batches(tx, maker, None, first.next, 2)
    assert [batch.id for batch in first.batches + rest.batches] == [batch.id for batch in reversed(made)]
    assert rest.next is None
    frozen = await queries.list_batches(tx, maker, BatchStatus.FROZEN, None, 2)
    assert [batch.id for batch in frozen.batches] == [made[0].id]


async def test_a_maker_without_a_district_opens_nothing(tx: Tx, stage: Stage) -> None:
    maker = stage.staff[Post.MAKER]
    wide = Actor(maker.user_id, maker.person_id, maker.posts)
    with pytest.raises(Forbidden, match="district_missing"):
        await commands.open_batch(tx, wide, NewBatch(FUND, BatchFilter()), stage.world.today, stage.world.now)


async def test_a_transfer_of_tomorrow_releases_nothing(tx: Tx, stage: Stage) -> None:
    batch, now, today = await stage.frozen(tx), stage.world.now, stage.world.today
    await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), now)
    await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), now)
    tomorrow = transfer(batch, today + timedelta(days=1))
    with pytest.raises(Invalid, match=r"batch\.transfer_in_future"):
        await commands.release_batch(tx, stage.staff[Post.RELEASER], batch.id, tomorrow, today, now)


async def test_a_voucher_pays_once(tx: Tx, stage: Stage) -> None:
    other = await Stage.build(tx, stage.world, claims=1)
    released = await stage.released(tx)
    voucher = (await journal_of(tx, "treasury_transfer", released.id))[0].after["voucher"]
    batch, now = await other.frozen(tx), stage.world.now
    await commands.submit_batch(tx, other.staff[Post.MAKER], batch.id, shown(batch), now)
    await commands.check_batch(tx, other.staff[Post.CHECKER], batch.id, shown(batch), now)
    assert (await refusal(other.release(tx, batch, voucher))).code == "batch.voucher_used"


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
async def test_a_dissolved_batch_frees_its_claims(tx: Tx, stage: Stage, steps: int) -> None:
    batch, now = await stage.open(tx), stage.world.now
    if steps > 0:
        await commands.assemble(tx, batch.id, now)
        batch = await stage.see(tx, batch.id)
    if steps > 1:
        await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), now)
    if steps > 2:
        await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), now)
    checker = stage.staff[Post.CHECKER]
    assert (await commands.dissolve_batch(tx, checker, batch.id, "金额有疑问", now)).status == "dissolved"
    assert await attempt_statuses(tx, batch.id) == (["void"] * 3 if steps else [])
    assert await claim_statuses(tx, stage.claims) == ["payable"] * 3
    dissolved = (await journal_of(tx, "batch", batch.id))[-1]
    assert (dissolved.reason, dissolved.actor_name) == ("金额有疑问", "checker")
    await commands.assemble(tx, batch.id, now)  # the job that was still owed
    again = await stage.written(tx)
    old, new = await lines_of(tx, batch.id), await lines_of(tx, again.id)
    assert not {line.reference for line in old} & {line.reference for line in new}
    await commands.intend_to_send(tx, again.id, now)
    refused = await refusal(commands.dissolve_batch(tx, checker, again.id, "…", now))
    assert refused.code == "batch.past_no_return"


async def test_a_released_batch_gives_one_file(tx: Tx, stage: Stage) -> None:
    batch = await stage.released(tx)
    await commands.write_bank_file(tx, batch.id, stage.world.now + timedelta(days=3))
    row = (await tx.execute(select(BankFileRow.__table__).where(BankFileRow.batch_id == batch.id))).one()
    data = keyring().open_bytes(row.bytes_sealed, batch.id)
    assert hashlib.sha256(data).hexdigest() == row.sha256
    head, *body, tail = csv.reader(data.decode().splitlines())
    account = f"就业补助资金专户-{stage.district}"
    assert head == ["H", "ZHIDA-PAY-1", batch.number, str(stage.world.today), account, "3", "3600.00"]
    assert tail == ["T", batch.number, "3", "3600.00"]
    assert [line[2] for line in body] == [line.reference for line in await lines_of(tx, batch.id)]
    assert await ready_jobs(tx, batch.id) == [Job.ASSEMBLE_BATCH, Job.SEND_BANK_FILE, Job.WRITE_BANK_FILE]
    await commands.write_bank_file(tx, batch.id, stage.world.now)
    again = (await tx.execute(select(BankFileRow.bytes_sealed).where(BankFileRow.batch_id == batch.id))).scalar_one()
    assert again == row.bytes_sealed
    assert len(await journal_of(tx, "bank_file", batch.id)) == 1


async def test_no_file_before_release(tx: Tx, stage: Stage) -> None:
    batch = await stage.frozen(tx)
    await commands.write_bank_file(tx, batch.id, stage.world.now)
    assert (await tx.execute(select(BankFileRow.batch_id).where(BankFileRow.batch_id == batch.id))).all() == []
    assert await commands.intend_to_send(tx, batch.id, stage.world.now) is None
