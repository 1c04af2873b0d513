"""What moves public money besides signatures asks for the password and a code as well: each decision, by the command
and by the database."""

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.actor import Actor, Post
from domain.agent_bank import BankFormat, BankWay
from domain.errors import DomainError
from domain.step_up import Decision
from service.access.commands import proven, sample_proof
from service.access.commands.step_up import _keep
from service.access.schemas import NamedSignature
from service.audit.queries.checks import Breach, first_breach
from service.audit.queries.step_ups import DECIDED, STEP_UPS
from service.batches import commands as batches
from service.batches.schemas import NewDelegation, NewFileWord, NewResend
from service.claims.commands.mending import answer_check
from service.claims.schemas import NewAccountAnswer
from service.clawbacks.commands.correcting import answer_correction
from service.clawbacks.commands.demanding import answer_enforcement, answer_waiver, propose_enforcement
from service.clawbacks.commands.repaying import answer_repayment
from service.clawbacks.schemas import NewCorrectionAnswer, NewEnforcement, NewWaiverAnswer
from service.database import Tx
from service.funds.commands import (
    confirm_appropriation,
    confirm_transfer,
    decline_appropriation,
    decline_transfer,
    propose_appropriation,
    propose_transfer,
)
from service.funds.schemas import NewAppropriation
from service.journal import By, record
from service.reconciliation.commands import decide_attempt
from service.reconciliation.schemas import NewAttemptDecision
from tests.payments import Stage, lines_of
from tests.repayments import Owing
from tests.service import test_account_checks as account_checks
from tests.service.test_amount_corrections import District
from tests.service.test_fund_transfers import transfer
from tests.service.test_funds import ONE, Office
from tests.service.test_mending import take
from tests.tasks.test_bank_sending import EVIDENCE, Agree, agree, handing
from tests.world import FUND, WELDER_LEVEL_4_FEN, World

__all__ = ["agree"]  # a fixture


@dataclass
class Ready:
    """A decision that waits for `me`: `act` takes it, `no` says no to it where that can be said."""

    me: Actor
    subject: UUID
    act: Callable[[Actor], Awaitable[Any]]
    no: Callable[[Actor], Awaitable[Any]] | None = None


#: Codes are asked for from here on.
On: TypeAlias = Callable[[], Awaitable[None]]
Scene: TypeAlias = Callable[[Tx, World, Agree, On], Awaitable[Ready]]


async def _appropriation(tx: Tx, world: World, agree: Agree, on: On) -> Ready:
    office, today, now = await Office.build(tx, world), world.today, world.now
    new = NewAppropriation(FUND, today.year, ONE, "示例文件", "示例")
    of = (await propose_appropriation(tx, office.staff[Post.MAKER], new, today, now)).id
    await on()
    yes = lambda me: confirm_appropriation(tx, me, of, now)  # noqa: E731
    return Ready(office.staff[Post.CHECKER], of, yes, lambda me: decline_appropriation(tx, me, of, "示例", now))


async def _transfer(tx: Tx, world: World, agree: Agree, on: On) -> Ready:
    office, now = await Office.build(tx, world), world.now
    await office.give(tx, ONE)
    of = (await propose_transfer(tx, office.staff[Post.MAKER], transfer(office), world.today, now)).id
    await on()
    yes = lambda me: confirm_transfer(tx, me, of, now)  # noqa: E731
    return Ready(office.staff[Post.CHECKER], of, yes, lambda me: decline_transfer(tx, me, of, "示例", now))


async def _carried(tx: Tx, world: World, agree: Agree) -> tuple[Stage, UUID]:
    agree(way=BankWay.FILES, format=BankFormat.AGENT_GBK)
    stage = await Stage.build(tx, world, claims=1)
    return stage, (await stage.written(tx)).id


async def _carry(tx: Tx, world: World, agree: Agree, on: On) -> Ready:
    stage, of = await _carried(tx, world, agree)
    await on()
    return Ready(stage.staff[Post.MAKER], of, lambda me: batches.take_file(tx, me, of, world.now))


async def _handed_over(tx: Tx, world: World, agree: Agree, on: On) -> Ready:
    stage, of = await _carried(tx, world, agree)
    about = await batches.take_file(tx, stage.staff[Post.MAKER], of, world.now)
    await on()
    over = handing(about.sha256)
    return Ready(stage.staff[Post.CHECKER], of, lambda me: batches.hand_over(tx, me, of, over, world.now))


async def _file_word(tx: Tx, world: World, agree: Agree, on: On) -> Ready:
    stage, of = await _carried(tx, world, agree)
    await batches.take_file(tx, stage.staff[Post.MAKER], of, world.now)
    word = NewFileWord("not_handed_over", EVIDENCE, "示例")
    await batches.say_of_file(tx, stage.staff[Post.MAKER], of, word, world.now)
    await on()
    return Ready(stage.staff[Post.CHECKER], of, lambda me: batches.say_of_file(tx, me, of, word, world.now))


async def _resend(tx: Tx, world: World, agree: Agree, on: On) -> Ready:
    agree(duplicate_minutes=60)
    stage = await Stage.build(tx, world, claims=1)
    of = (await stage.written(tx)).id
    assert await batches.intend_to_send(tx, of, world.now)
    await batches.say_resend(tx, stage.staff[Post.MAKER], of, NewResend("示例"), world.now)
    await on()
    again = lambda me: batches.say_resend(tx, me, of, NewResend("示例"), world.now)  # noqa: E731
    return Ready(stage.staff[Post.CHECKER], of, again)


async def _fate(tx: Tx, world: World, agree: Agree, on: On) -> Ready:
    stage = await Stage.build(tx, world, claims=1)
    batch = await stage.sent(tx)
    await take(tx, stage, batch, "unknown")
    ((line),) = await lines_of(tx, batch.id)
    word = NewAttemptDecision("not_paid", EVIDENCE, "示例")
    await decide_attempt(tx, stage.staff[Post.MAKER], line.reference, word, world.now)
    await on()
    say = lambda me: decide_attempt(tx, me, line.reference, word, world.now)  # noqa: E731
    return Ready(stage.staff[Post.CHECKER], line.id, say)


async def _account(tx: Tx, world: World, agree: Agree, on: On) -> Ready:
    stage = await Stage.build(tx, world, claims=0)
    await world.set_policy(tx, "new_account_check_fen", WELDER_LEVEL_4_FEN)
    _, _, check = await account_checks.asked(tx, stage)
    await on()

    def answer(confirm: bool) -> Callable[[Actor], Awaitable[Any]]:
        return lambda me: answer_check(tx, me, check.id, NewAccountAnswer(confirm, "示例"), world.now)

    return Ready(stage.staff[Post.CHECKER], check.id, answer(confirm=True), answer(confirm=False))


async def _delegation(tx: Tx, world: World, agree: Agree, on: On) -> Ready:
    stage = await Stage.build(tx, world, claims=0)
    posts = (Post.FINANCE_SIGNER, Post.RELEASER, Post.CHECKER)
    one, other, delegate = [await world.user(tx, {post}) for post in posts]
    login = (await tx.execute(text("SELECT login FROM users WHERE id = :id"), {"id": delegate.user_id})).scalar_one()
    new = NewDelegation(stage.district, "checker", login, world.today, world.today, "示例")
    of = (await batches.propose_delegation(tx, other, new, world.today, world.now)).id
    await on()
    return Ready(one, of, lambda me: batches.confirm_delegation(tx, me, of, world.now))


async def _waiver(tx: Tx, world: World, agree: Agree, on: On) -> Ready:
    owing = await Owing.build(tx, world)
    of = owing.clawback.id
    await owing.office.propose(tx, of)
    await on()
    yes, no = (
        (lambda me, grant=grant: answer_waiver(tx, me, of, NewWaiverAnswer(grant, "示例"), world.now))
        for grant in (True, False)
    )
    return Ready(owing.office.staff(Post.CHECKER), of, yes, no)


async def _enforcement(tx: Tx, world: World, agree: Agree, on: On) -> Ready:
    owing = await Owing.build(tx, world)
    of = owing.clawback.id
    await on()
    world.today, world.now = world.today + timedelta(days=31), world.now + timedelta(days=31)
    order = NewEnforcement("示例 1 号", world.today.isoformat())
    await propose_enforcement(tx, owing.office.staff(Post.MAKER), of, order, world.now)
    yes, no = (
        (lambda me, grant=grant: answer_enforcement(tx, me, of, grant=grant, now=world.now))
        for grant in (True, False)
    )
    return Ready(owing.office.staff(Post.CHECKER), of, yes, no)


async def _repayment(tx: Tx, world: World, agree: Agree, on: On) -> Ready:
    owing = await Owing.build(tx, world)
    await owing.take(tx, owing.paid_in(100, "没有写编号"))
    await owing.settle(tx)
    (line,) = await owing.lines(tx, "exception")
    await owing.propose(tx, line, 100)
    await on()
    yes, no = (
        (lambda me, grant=grant: answer_repayment(tx, me, line, grant=grant, now=world.now))
        for grant in (True, False)
    )
    return Ready(owing.office.staff(Post.CHECKER), line, yes, no)


async def _correction(tx: Tx, world: World, agree: Agree, on: On) -> Ready:
    district = await District.build(tx, world, claims=1)
    await district.corrected(tx, WELDER_LEVEL_4_FEN + 100)
    of = await district.propose(tx)
    await on()

    def answer(grant: bool) -> Callable[[Actor], Awaitable[Any]]:
        return lambda me: answer_correction(tx, me, of.id, NewCorrectionAnswer(grant, of.shown), world.now)

    return Ready(district.other, of.id, answer(grant=True), answer(grant=False))


SCENES: dict[str, tuple[Decision, Scene]] = {
    "money is granted": (Decision.APPROPRIATION, _appropriation),
    "money is moved": (Decision.TRANSFER, _transfer),
    "a file is carried": (Decision.CARRY, _carry),
    "the bank has it": (Decision.FILE_WORD, _handed_over),
    "the bank has it not": (Decision.FILE_WORD, _file_word),
    "a file leaves again": (Decision.RESEND, _resend),
    "what became of a payment": (Decision.FATE, _fate),
    "another account for much money": (Decision.ACCOUNT, _account),
    "city finance stands in": (Decision.DELEGATION, _delegation),
    "a clawback is waived": (Decision.WAIVER, _waiver),
    "a clawback is enforced": (Decision.ENFORCEMENT, _enforcement),
    "a line repays a clawback": (Decision.REPAYMENT, _repayment),
    "paid amounts are corrected": (Decision.CORRECTION, _correction),
}


def test_there_is_a_scene_of_each_decision() -> None:
    assert {decision for decision, _ in SCENES.values()} == set(Decision) == set(DECIDED)


async def test_the_database_asks_for_the_same(tx: Tx) -> None:
    asked = """SELECT c.relname, encode(t.tgargs, 'escape') FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                WHERE t.tgname = 'must_be_proven'"""
    found = {(table, *args.removesuffix("\\000").split("\\000")) for table, args in await tx.execute(text(asked))}
    assert found == {(table, str(name), about, who) for name, (table, about, who, _, _) in DECIDED.items()}


async def refused(tx: Tx, act: Awaitable[Any]) -> str:
    """The code or SQLSTATE of a refusal, at the latest when all of it is looked at; nothing of it is left behind."""
    savepoint = await tx.begin_nested()
    try:
        await act
        await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    except DomainError as refusal:
        return refusal.code
    except DBAPIError as refusal:
        return str(refusal.orig.sqlstate)  # type: ignore[union-attr]
    finally:
        await savepoint.rollback()
    return "done"


async def with_proof(tx: Tx, me: Actor, decision: Decision, subject: UUID, world: World) -> Actor:
    """As by a telephone of theirs, for just this."""
    secret = pyotp.random_base32()
    factor_id = await _keep(tx, me.user_id, secret, world.now, confirmed_at=world.now)
    await record(tx, "second_factor", [factor_id], "enrol", By("tests", world.now), [{"user_id": str(me.user_id)}])
    at = (await tx.execute(text("SELECT floor(extract(epoch FROM now()) / 30)"))).scalar_one()
    return await sample_proof(tx, me, pyotp.HOTP(secret).at(int(at)), [NamedSignature(decision, subject)], world.now)


@pytest.mark.parametrize("scene", SCENES)
async def test_it_asks_for_a_code_of_its_own(
    tx: Tx, world: World, agree: Agree, monkeypatch: pytest.MonkeyPatch, scene: str
) -> None:
    decision, build = SCENES[scene]

    async def on() -> None:
        """What was decided until here, was without."""
        await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        await tx.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        await world.set_policy(tx, "step_up", "signatures")

    ready = await build(tx, world, agree, on)
    without = await _breaches(tx)  # other tests decided without, and stored it
    assert await refused(tx, ready.act(ready.me)) == "step_up.needed"
    if ready.no is not None:  # saying no stops money
        assert await refused(tx, ready.no(ready.me)) == "done"
    me = await with_proof(tx, ready.me, decision, ready.subject, world)
    strange = replace(me, step_up=replace(me.step_up, token=b"x")) if me.step_up else me
    assert await refused(tx, ready.act(strange)) == "step_up.other"
    with monkeypatch.context() as forgetful:  # a program that forgets to ask
        for module in [each for each in list(sys.modules.values()) if vars(each).get("proven") is proven]:
            forgetful.setattr(module, "proven", _forgotten)
        assert await refused(tx, ready.act(me)) == "ZD219"
    await ready.act(me)
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    used = await tx.execute(text("SELECT sign FROM step_up_uses WHERE user_id = :me"), {"me": me.user_id})
    assert list(used.scalars()) == [f"{decision} {ready.subject}"]
    with pytest.raises(DomainError, match=r"step_up\.other"):  # it served once
        await proven(tx, me, decision, ready.subject, world.now)
    assert await _breaches(tx) == without


async def _breaches(tx: Tx) -> list[Breach | None]:
    return [await first_breach(tx, (check,)) for check in STEP_UPS.checks]


async def _forgotten(*_: object) -> None:
    """Nobody asked."""


async def test_a_use_by_sql_is_of_what_the_step_up_names(tx: Tx, world: World) -> None:
    me, other = await world.user(tx, {Post.CHECKER}), await world.user(tx, {Post.CHECKER})
    proved = await with_proof(tx, me, Decision.WAIVER, UUID(int=7), world)
    assert proved.step_up
    insert = """INSERT INTO step_up_uses (step_up_id, sign, user_id, used_at)
                SELECT id, :sign, :user, now() FROM step_ups WHERE token_sha256 = :token"""
    right = {"sign": f"clawback.waive {UUID(int=7)}", "user": me.user_id, "token": proved.step_up.token}
    for wrong in ({"sign": f"clawback.enforce {UUID(int=7)}"}, {"sign": "clawback.waive"}, {"user": other.user_id}):
        assert await refused(tx, tx.execute(text(insert), right | wrong)) == "ZD218"
    assert await refused(tx, tx.execute(text(insert), right)) == "done"
    assert await refused(tx, tx.execute(text("UPDATE step_up_uses SET sign = ''"))) == "42501"
    assert await refused(tx, tx.execute(text("DELETE FROM step_up_uses"))) == "42501"
