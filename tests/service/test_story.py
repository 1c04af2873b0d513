"""The story of a claim: every rule, every step, who, on which evidence; and only for those who may read it."""

from dataclasses import replace
from uuid import uuid4

import pytest

from domain.actor import Post
from domain.errors import NotFound
from service.audit.queries.story import story_of
from service.batches import commands
from service.claims.schemas import NewHold
from service.database import Tx
from service.journal import By
from service.reconciliation.commands import decide_attempt, read, take_return
from service.reconciliation.schemas import NewAttemptDecision
from service.wording import wording
from tests.payments import Stage, a_return, lines_of
from tests.world import World


async def test_a_claims_whole_story_is_told_in_order(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=1)
    batch = await stage.sent(tx)
    (line,) = await lines_of(tx, batch.id)
    data = a_return(batch, [(line.reference, line.amount_fen, "failed:permanent", "closed")])
    await take_return(tx, None, read(data), data, "bank", By("reconciliation.fetch_return", world.now))
    story = await story_of(tx, world.staff[Post.AUDITOR], stage.claims[0])
    told = [step.what for step in story.steps]
    for earlier, later in (
        ("提交申领。", "证书对上了，等待审核。"),
        ("定下收款人、金额和付款号。", "经办签字，提交批次。"),
        ("拨付签字。", "代发文件写好存下。"),
        ("银行收下了文件。", "银行退回，等申领人改收款卡。"),
    ):
        assert told.index(earlier) < told.index(later)
    submitted = story.steps[told.index("提交申领。")]
    assert submitted.who.startswith("学员 ")
    assert "*" in submitted.who
    assert "回盘：1,200 元，账户用不了，要改收款卡。" in told
    evidence = [said for step in story.steps for said in step.evidence]
    assert f"付款号 {line.reference}" in evidence
    assert f"内容指纹 {batch.content_hash}" in evidence
    assert "原因：账户用不了，要改收款卡" in evidence
    assert story.claim.decision is not None
    assert all(each.basis for each in story.claim.decision.outcomes)


async def test_every_word_of_it_is_a_word(tx: Tx, world: World) -> None:
    """No code stands where a sentence should."""
    claim = await world.claim(tx, "payable")
    story = await story_of(tx, world.staff[Post.AUDITOR], claim.id)
    said = [part for step in story.steps for part in (step.who, step.what, *step.evidence)]
    assert said
    assert not [
        part for part in said if part.startswith(("story.", "post.", "by.", "evidence.")) and "tests" not in part
    ]
    assert not [part for part in said if part in wording()]


async def test_others_do_not_learn_that_there_is_such_a_claim(tx: Tx, world: World) -> None:
    claim = await world.claim(tx)
    for stranger in (world.other_staff[Post.REVIEWER], world.clerks[1]):
        with pytest.raises(NotFound):
            await story_of(tx, stranger, claim.id)
    with pytest.raises(NotFound):
        await story_of(tx, replace(world.staff[Post.AUDITOR], person_id=uuid4()), uuid4())


async def test_what_went_wrong_and_was_mended_is_told_too(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=1)
    claim_id, checker = stage.claims[0], stage.staff[Post.CHECKER]
    await stage.released(tx)
    await commands.hold(tx, checker, claim_id, NewHold("complaint", "来电"), world.now)
    await commands.lift(tx, checker, claim_id, "查无此事", world.today, world.now)
    batch = await stage.sent(tx)
    (line,) = await lines_of(tx, batch.id)
    data = a_return(batch, [(line.reference, line.amount_fen, "unknown", "")])
    await take_return(tx, None, read(data), data, "bank", By("reconciliation.fetch_return", world.now))
    for post in (Post.MAKER, Post.CHECKER):
        new = NewAttemptDecision("not_paid", "e" * 64)
        await decide_attempt(tx, stage.staff[post], line.reference, new, world.now)
    story = await story_of(tx, world.staff[Post.AUDITOR], claim_id)
    told = [step.what for step in story.steps]
    assert {"冻结，暂不往下办。", "解冻。", "批次解散，财政拨款留在银行结转。"} <= set(told)
    assert told.index("认定结果不明的支付，等另一人认定。") < told.index("另一人认定，结果不明的支付了结。")
    evidence = [said for step in story.steps for said in step.evidence]
    assert "有投诉举报 来电" in evidence
    assert f"认定：没有付出，凭据指纹 {'e' * 64}" in evidence
    assert "批次里有申领被冻结，整批解散，其余申领等下一批" in evidence
    assert story.claim.to_do is not None
