"""A claim that went through nearly everything: each part of its story tells what its feature left."""

from uuid import UUID

from rich.console import Console

from domain.actor import Post
from domain.claim import ClaimAction
from domain.correction import Correctable
from domain.eligibility import RULES_VERSION
from service.audit.queries.story import PARTS, story_of
from service.claims.commands.correcting import correct_claim
from service.claims.commands.filing import file_claim
from service.claims.commands.holds import lift_hold, place_hold
from service.claims.commands.mandates import revoke_mandate
from service.claims.commands.moves import move_claim
from service.claims.commands.review import approve_claim
from service.claims.commands.sending_back import send_back
from service.claims.schemas import NewAccount, NewCorrection, NewFault, NewHold, NewSendBack
from service.cli.explain import show
from service.database import Tx
from service.journal import By
from service.messages.commands import offer_portion, tell_portion
from service.reconciliation.commands import read, take_return
from service.verification.commands import settle_checks
from service.verification.queries import questions
from tests.offers import Results
from tests.payments import Stage, a_return, lines_of
from tests.registers import put_in_force
from tests.service.test_verification import as_asked, reply_of
from tests.world import World

#: Part → words that it must tell of the claim below. The other two are told of claims of their own.
TOLD = {
    "filed": ["本人申领，经网页提交", "由免申即享的提示而来", "班级 "],
    "registers_at_filing": ["提交时核对名册", "：不在册"],
    "registry_replies": ["证书对上了。"],
    "journalled": [
        "备好免申即享的提示",
        "本人确认",
        "转人工核实",
        "判断里有要由审核人员核对的地方",
        "冻结",
        "退回",
        "拨付签字",
    ],
    "faults_named": ["要补改的地方", "卡号不清"],
    "replaced_decisions": [f"补改前的判断（规则第 {RULES_VERSION} 版）", "（1,200 元）"],
    "registers_before_payment": ["组批时又核对名册", "送出前又核对名册", "来源"],
    "money_moved": ["预留 1,200 元", "1,200 元在途", "回到预留"],
    "return_lines": ["回盘：1,200 元"],
    "messages_sent": ["可以领补贴1,200 元", "要补正", "短信等待发送"],
}


async def _confirmed_by_the_registry(tx: Tx, world: World, claim_id: UUID) -> None:
    asked = await questions(tx, [claim_id])
    reply = reply_of(world, *((each.number, [as_asked(each)]) for each in asked.values()))
    assert await settle_checks(tx, [claim_id], asked, reply, world.now) == []


async def _played(tx: Tx, world: World) -> UUID:
    """Offered, confirmed, for a person to look at, held, sent back, corrected, approved, paid, and returned."""
    await put_in_force(tx, world, "public_payroll")
    results = await Results.build(tx, world, of_years_ago=3)
    await world.provide(tx, world.here)
    await results.prepare(tx)
    await offer_portion(tx, world.today)
    me, claim = results.trainees[0].actor, (await results.confirm(tx, 0)).claim
    await _confirmed_by_the_registry(tx, world, claim.id)
    reviewer, by = world.staff[Post.REVIEWER], By("tests.world", world.now)
    await place_hold(tx, reviewer, claim.id, NewHold("complaint", "来电"), world.now)
    await lift_hold(tx, reviewer, claim.id, "查无此事", world.now)
    faults = NewSendBack([NewFault("other", Correctable.ACCOUNT, "卡号不清")])
    await send_back(tx, reviewer, claim.id, faults, world.today, world.now)
    account = NewAccount(world.maker.card(), results.trainees[0].made.name, world.maker.bank_code())
    await correct_claim(tx, me, claim.id, NewCorrection(account=account), world.today, world.now)
    await _confirmed_by_the_registry(tx, world, claim.id)
    await approve_claim(tx, reviewer, claim.id, "看过原件", world.now)
    for action in (ClaimAction.PUBLISH, ClaimAction.CLEAR):
        await move_claim(tx, action, claim.id, by)
    staff = {post: await world.user(tx, {post}, world.here) for post in (Post.MAKER, Post.CHECKER, Post.RELEASER)}
    batch = await Stage(world, world.here, staff).sent(tx)
    # others' claims of the district may be in it
    said = [(each.reference, each.amount_fen, "failed:permanent", "closed") for each in await lines_of(tx, batch.id)]
    data = a_return(batch, said)
    await take_return(tx, None, read(data), data, "bank", By("reconciliation.fetch_return", world.now))
    after: int | None = 0
    while after is not None:
        after = await tell_portion(tx, after)
    return claim.id


async def test_every_part_of_a_rich_story_is_told(tx: Tx, world: World) -> None:
    claim_id = await _played(tx, world)
    parts = {part.__name__: await part(tx, claim_id) for part in PARTS.values()}
    for name, wanted in TOLD.items():
        said = "\n".join("\n".join((step.who, step.what, *step.evidence)) for step in parts[name])
        assert not [words for words in wanted if words not in said], (name, said)
    assert parts.keys() - TOLD == {"mandate_revoked", "stopped_by", "register_findings"}

    console = Console(record=True, width=200)
    story = await story_of(tx, world.staff[Post.AUDITOR], claim_id)
    assert len(story.steps) == sum(map(len, parts.values()))
    show(story, console)
    shown = console.export_text()
    for words in (
        "可以提交，但有的地方要由审核人员核对。",
        "人看",
        "职业技能等级证书编码规则",
        "免申即享",
        "卡号不清",
    ):
        assert words in shown


async def test_a_mandate_that_was_taken_back_is_told(tx: Tx, world: World) -> None:
    trainee, clerk = await world.trainee(tx), world.clerks[0]
    mandate_id = await world.mandate(tx, clerk, trainee)
    new = world.new_claim(trainee, mandate_id=mandate_id, district=None)
    claim = (await file_claim(tx, clerk, new, world.today, world.now)).id
    await revoke_mandate(tx, trainee.actor, mandate_id, "改为自己办", world.today, world.now)
    story = await story_of(tx, world.staff[Post.AUDITOR], claim)
    (taken,) = [step for step in story.steps if step.what == "本人收回代领协议。"]
    assert "改为自己办" in taken.evidence[0]
    assert [said for step in story.steps for said in step.evidence if "协议指纹 " + "0" * 64 in said]
