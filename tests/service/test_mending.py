"""Money that did not arrive: mended by an account or another attempt, worked off by persons, decided by two."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.actor import Actor, Post
from domain.errors import DomainError, Forbidden, Invalid, NotFound
from service.batches import commands as batch_commands
from service.batches.schemas import BatchView
from service.claims.commands.mending import mend_account, try_again
from service.claims.queries.views import claim_view
from service.claims.schemas import NewAccount, NewMending
from service.database import Tx
from service.gateways.bank import FileState
from service.journal import By
from service.policies.queries import work_calendar
from service.queue import Job
from service.reconciliation import commands, queries
from service.reconciliation.schemas import AttemptDecisionView, NewAttemptDecision, NewResolution, Outcome
from tests.payments import Stage, a_return, attempt_statuses, claim_statuses, journal_of, lines_of, ready_jobs
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import Trainee, World

EVIDENCE = "e" * 64


@pytest.fixture
async def stage(tx: Tx, world: World) -> Stage:
    return await Stage.build(tx, world)


async def refusal(asked: Any) -> DomainError:
    with pytest.raises(DomainError) as caught:
        await asked
    return caught.value


async def take(tx: Tx, stage: Stage, batch: BatchView, *codes: str) -> UUID:
    """A return with these codes for the batch's lines, in order; the id under which it is kept."""
    lines = [
        (each.reference, AMOUNT, code, "") for each, code in zip(await lines_of(tx, batch.id), codes, strict=False)
    ]
    data = a_return(batch, lines)
    by = By("tests", stage.world.now)
    return (await commands.take_return(tx, None, commands.read(data), data, "bank", by)).id


async def bounced(tx: Tx, stage: Stage, code: str) -> tuple[Trainee, UUID]:
    """A trainee's claim whose payment ended with `code`."""
    trainee = await stage.world.trainee(tx)
    claim_id = await stage.claim(tx, trainee)
    batch = await stage.sent(tx)
    codes = [code if line.claim_id == claim_id else "done" for line in await lines_of(tx, batch.id)]
    await take(tx, stage, batch, *codes)
    assert await claim_statuses(tx, [claim_id]) == ["bounced"]
    return trainee, claim_id


def account(stage: Stage, trainee: Trainee, card: str | None = None, holder: str | None = None) -> NewMending:
    maker = stage.world.maker
    return NewMending(NewAccount(card or maker.card(), holder or trainee.made.name, maker.bank_code()))


@pytest.mark.parametrize(
    ("code", "to_do", "why"),
    [
        ("failed:permanent", "to_do.new_account", "账户用不了，要改收款卡"),
        ("returned", "to_do.new_account", "退回"),
        ("failed:temporary", "to_do.try_again", "银行这次没有发成，可以再发"),
    ],
)
async def test_the_claimant_is_told_why_it_bounced_and_what_to_do(
    tx: Tx, stage: Stage, code: str, to_do: str, why: str
) -> None:
    trainee, claim_id = await bounced(tx, stage, code)
    seen = (await claim_view(tx, trainee.actor, claim_id)).to_do
    assert seen is not None
    assert (seen.code, seen.why) == (to_do, why)


async def test_another_account_is_paid_by_the_next_batch_under_a_new_reference(tx: Tx, stage: Stage) -> None:
    trainee, claim_id = await bounced(tx, stage, "failed:permanent")
    now, new = stage.world.now, account(stage, trainee)
    mended = await mend_account(tx, trainee.actor, claim_id, new, now)
    assert (mended.status, mended.account_tail, mended.to_do) == ("payable", new.account.number[-4:], None)
    batch = await stage.sent(tx)
    (line,) = await lines_of(tx, batch.id)
    assert (line.claim_id, line.account_tail) == (claim_id, new.account.number[-4:])
    assert len(batch.signatures) == 3
    await take(tx, stage, batch, "done")
    assert await claim_statuses(tx, [claim_id]) == ["paid"]
    prepared = [row.after for row in await journal_of(tx, "claim", claim_id) if row.action == "mend"]
    assert [set(after) for after in prepared] == [{"status", "account_id"}]


async def test_what_does_not_mend(tx: Tx, stage: Stage) -> None:
    trainee, claim_id = await bounced(tx, stage, "failed:permanent")
    now = stage.world.now
    stranger = await stage.world.trainee(tx)
    assert isinstance(
        await refusal(mend_account(tx, stranger.actor, claim_id, account(stage, trainee), now)), NotFound
    )
    theirs = await refusal(mend_account(tx, trainee.actor, claim_id, account(stage, trainee, holder="王小二"), now))
    assert (type(theirs), theirs.code) == (Invalid, "account.holder_differs")
    again = await stage.world.claim(tx, "payable", trainee, level="3", certificate_number=third(stage))
    assert (await refusal(mend_account(tx, trainee.actor, again.id, account(stage, trainee), now))).code == (
        "wrong_status"
    )
    maker = stage.staff[Post.MAKER]
    assert (await refusal(try_again(tx, maker, claim_id, "", now))).code == "claim.needs_account"


def third(stage: Stage) -> str:
    return stage.world.maker.certificate("3", stage.world.today.year)


async def test_the_very_account_that_failed_is_no_mending(tx: Tx, stage: Stage) -> None:
    trainee = await stage.world.trainee(tx)
    same = account(stage, trainee).account
    claim = await stage.world.claim(tx, "payable", trainee, district=stage.district, account=same)
    batch = await stage.sent(tx)
    codes = ["failed:permanent" if line.claim_id == claim.id else "done" for line in await lines_of(tx, batch.id)]
    await take(tx, stage, batch, *codes)
    refused = await refusal(mend_account(tx, trainee.actor, claim.id, NewMending(same), stage.world.now))
    assert (refused.code, getattr(refused, "field", "")) == ("account.unchanged", "account.number")


async def test_a_passing_failure_is_tried_again_by_a_maker_of_the_district(tx: Tx, stage: Stage) -> None:
    _, claim_id = await bounced(tx, stage, "failed:temporary")
    now = stage.world.now
    foreign = await Stage.build(tx, stage.world, claims=0)
    assert isinstance(await refusal(try_again(tx, foreign.staff[Post.MAKER], claim_id, "", now)), NotFound)
    assert isinstance(await refusal(try_again(tx, stage.staff[Post.CHECKER], claim_id, "", now)), Forbidden)
    assert (await try_again(tx, stage.staff[Post.MAKER], claim_id, "银行已恢复", now)).status == "payable"
    assert (await refusal(try_again(tx, stage.staff[Post.MAKER], claim_id, "", now))).code == "wrong_status"
    batch = await stage.sent(tx)
    assert [line.claim_id for line in await lines_of(tx, batch.id)] == [claim_id]


async def test_an_exception_is_worked_off_once_by_a_checker_or_releaser(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    return_id = await take(tx, stage, batch, "nonsense", "done")
    checker, now = stage.staff[Post.CHECKER], stage.world.now
    new = NewResolution("bank_corrected", "电话核实")

    async def refused(me: Actor, line_no: int = 1, told: NewResolution = new) -> DomainError:
        return await refusal(commands.resolve_line(tx, me, return_id, line_no, told, now))

    assert isinstance(await refused(stage.world.other_staff[Post.CHECKER]), NotFound)
    assert isinstance(await refused(checker, 2), NotFound)  # that one settled a payment
    assert isinstance(await refused(stage.staff[Post.MAKER]), Forbidden)
    assert (await refused(checker, told=NewResolution("because"))).code == "resolving.code"
    seen = await commands.resolve_line(tx, checker, return_id, 1, new, now)
    assert seen.resolution is not None
    assert (seen.resolution.code, seen.resolution.message) == ("bank_corrected", "银行已更正")
    assert (await refused(stage.staff[Post.RELEASER])).code == "exception.resolved"
    assert (await queries.list_exceptions(tx, checker, None, 10)).exceptions == []
    (worked_off,) = (await queries.list_exceptions(tx, checker, None, 10, resolved=True)).exceptions
    assert worked_off == seen
    assert await attempt_statuses(tx, batch.id) == ["sent", "done", "sent"]
    (_, noted) = await journal_of(tx, "return_file", return_id)
    assert (noted.action, noted.after) == ("resolve", {"line_no": 1, "resolution": "bank_corrected"})


async def test_payments_that_no_return_names_are_listed_and_never_sent_again(tx: Tx, stage: Stage) -> None:
    batch, maker = await stage.sent(tx), stage.staff[Post.MAKER]
    await take(tx, stage, batch, "done")
    _, second, third = [line.reference for line in await lines_of(tx, batch.id)]
    today = stage.world.today
    late = work_calendar().add(today, 3).on + timedelta(days=1)
    assert (await queries.list_missing(tx, maker, late - timedelta(days=1), None, 10)).missing == []
    page = await queries.list_missing(tx, maker, late, None, 1)
    rest = await queries.list_missing(tx, maker, late, page.next, 10)
    assert [each.reference for each in page.missing + rest.missing] == [second, third]
    (first,) = page.missing
    assert (first.sent_on, first.status, first.file_id, first.amount_fen) == (today, "sent", batch.number, AMOUNT)
    assert "*" in first.payee
    assert (await queries.list_missing(tx, stage.world.other_staff[Post.MAKER], late, None, 500)).missing == []


async def decide(
    tx: Tx, stage: Stage, post: Post, reference: str, outcome: Outcome, evidence: str = EVIDENCE
) -> AttemptDecisionView:
    new = NewAttemptDecision(outcome, evidence, "对账单")
    return await commands.decide_attempt(tx, stage.staff[post], reference, new, stage.world.now)


@pytest.mark.parametrize(
    ("outcome", "attempt", "claim", "batch_after"),
    [("paid", "done", "paid", "settled"), ("not_paid", "failed", "bounced", "settled")],
)
async def test_two_persons_decide_what_the_bank_cannot_tell(
    tx: Tx, stage: Stage, outcome: Outcome, attempt: str, claim: str, batch_after: str
) -> None:
    batch = await stage.sent(tx)
    await take(tx, stage, batch, "unknown", "done", "done")
    line, *_ = await lines_of(tx, batch.id)
    first = await decide(tx, stage, Post.MAKER, line.reference, outcome)
    assert (first.decided, first.replaced) == (False, False)
    assert await attempt_statuses(tx, batch.id) == ["unknown", "done", "done"]
    alone = await refusal(decide(tx, stage, Post.MAKER, line.reference, outcome))
    assert (type(alone), alone.code) == (Forbidden, "attempt.same_person")
    assert (await decide(tx, stage, Post.RELEASER, line.reference, outcome)).decided
    assert await attempt_statuses(tx, batch.id) == [attempt, "done", "done"]
    assert await claim_statuses(tx, [line.claim_id]) == [claim]
    assert (await stage.see(tx, batch.id)).status == batch_after
    said = await journal_of(tx, "attempt_decision", line.id)
    assert [(row.action, row.actor_name) for row in said] == [("propose", "maker"), ("confirm", "releaser")]
    assert (await refusal(decide(tx, stage, Post.CHECKER, line.reference, outcome))).code == "attempt.not_unknown"
    if outcome == "not_paid":
        assert (await try_again(tx, stage.staff[Post.MAKER], line.claim_id, "", stage.world.now)).status == "payable"


async def test_who_says_something_else_replaces_what_was_said(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    await take(tx, stage, batch, "unknown", "done", "done")
    reference = (await lines_of(tx, batch.id))[0].reference
    await decide(tx, stage, Post.MAKER, reference, "paid")
    other = await decide(tx, stage, Post.CHECKER, reference, "not_paid")
    assert (other.decided, other.replaced) == (False, True)
    document = await decide(tx, stage, Post.RELEASER, reference, "not_paid", "f" * 64)
    assert (document.decided, document.replaced) == (False, True)
    assert await attempt_statuses(tx, batch.id) == ["unknown", "done", "done"]
    assert (await decide(tx, stage, Post.MAKER, reference, "not_paid", "f" * 64)).decided
    assert await attempt_statuses(tx, batch.id) == ["failed", "done", "done"]


async def test_who_may_not_decide(tx: Tx, stage: Stage) -> None:
    trainee = await stage.world.trainee(tx)
    own = await stage.claim(tx, trainee)
    batch = await stage.sent(tx)
    references = {line.claim_id: line.reference for line in await lines_of(tx, batch.id)}
    assert (await refusal(decide(tx, stage, Post.MAKER, references[own], "paid"))).code == "attempt.not_unknown"
    await take(tx, stage, batch, *["unknown"] * 4)
    foreign = await Stage.build(tx, stage.world, claims=0)
    assert isinstance(await refusal(decide(tx, foreign, Post.MAKER, references[own], "paid")), NotFound)
    assert isinstance(await refusal(decide(tx, stage, Post.MAKER, "JN0", "paid")), NotFound)
    stage.staff[Post.MAKER] = Actor(
        trainee.actor.user_id, trainee.actor.person_id, frozenset({Post.MAKER}), stage.district
    )
    assert (await refusal(decide(tx, stage, Post.MAKER, references[own], "paid"))).code == "claim.own"
    assert (await decide(tx, stage, Post.MAKER, references[stage.claims[0]], "paid")).decided is False


async def test_a_file_of_which_nobody_paid_anything_was_not_received(tx: Tx, stage: Stage) -> None:
    batch = await stage.written(tx)
    file = await batch_commands.intend_to_send(tx, batch.id, stage.world.now)
    assert file is not None
    await batch_commands.settle_answer(tx, file, FileState("not_received"), stage.world.now)
    for line in await lines_of(tx, batch.id):
        assert (await stage.see(tx, batch.id)).status == "released"
        await decide(tx, stage, Post.MAKER, line.reference, "not_paid")
        await decide(tx, stage, Post.CHECKER, line.reference, "not_paid")
    assert (await stage.see(tx, batch.id)).status == "not_received"
    assert await claim_statuses(tx, stage.claims) == ["bounced"] * 3


async def test_a_payment_decided_as_paid_shows_that_the_bank_took_the_file(tx: Tx, stage: Stage) -> None:
    batch = await stage.written(tx)
    file = await batch_commands.intend_to_send(tx, batch.id, stage.world.now)
    assert file is not None
    await batch_commands.settle_answer(tx, file, FileState("not_received"), stage.world.now)
    first = (await lines_of(tx, batch.id))[0]
    await decide(tx, stage, Post.MAKER, first.reference, "paid")
    await decide(tx, stage, Post.CHECKER, first.reference, "paid")
    assert (await stage.see(tx, batch.id)).status == "sent"
    assert Job.FETCH_RETURN in await ready_jobs(tx, batch.id)
    await take(tx, stage, batch, "done", "done", "done")
    assert (await stage.see(tx, batch.id)).status == "settled"
    assert await attempt_statuses(tx, batch.id) == ["done"] * 3
