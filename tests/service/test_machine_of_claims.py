"""Whatever people do in whatever order, over every channel, a claim is where it should be, and the promises hold.

A model that knows nothing of the service (`tests/claims_model.py`) says what each step must come to: who keeps whom
out, and which status follows. Everything happens in one transaction on a real database, and is rolled back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import NullPool, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from domain.actor import Actor, Post
from domain.claim import ClaimAction, ClaimStatus
from domain.correction import Correctable
from domain.errors import Conflict, DomainError, Forbidden, Ineligible, Invalid
from domain.identity import CreditCode
from domain.objection import Finding, Ground
from service.audit.queries.checks import first_breach
from service.audit.queries.claims import ONE_LIVE_ATTEMPT, ONE_SUBSIDY
from service.audit.queries.decisions import recompute
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.claims.commands.appeals import answer_appeal, appeal
from service.claims.commands.correcting import correct_claim
from service.claims.commands.filing import file_claim
from service.claims.commands.moves import move_claim
from service.claims.commands.objections import close_objection, object_to
from service.claims.commands.review import refuse_claim, withdraw_claim
from service.claims.commands.sending_back import send_back
from service.claims.schemas import (
    ClaimView,
    NewAppeal,
    NewAppealAnswer,
    NewClaim,
    NewCorrection,
    NewFault,
    NewFinding,
    NewObjection,
    NewRefusal,
    NewSendBack,
)
from service.claims.tables import ClaimRow
from service.database import Tx, async_url
from service.idempotency import Once
from service.institutions.commands import list_institution
from service.journal import By
from service.reconciliation.commands import read, take_return
from service.settings import settings as service_settings
from service.verification.commands.manual import approve_claim
from tests.claims_model import Known, kept_out_by
from tests.payments import Stage, a_return, lines_of
from tests.world import World

PEOPLE = 2
REVIEWABLE = {"verified", "in_review"}
OTHERS = set(map(str, ClaimStatus)) - REVIEWABLE
FEW = st.integers(0, 15)


class ClaimsOverEveryChannel(RuleBasedStateMachine):
    """Two trainees, each alone or through one of two institutions; two reviewers, of whom one refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.claims: list[Known] = []
        self.certificates: list[str] = []

    def do(self, asked: Awaitable[Any]) -> Any:
        async def it() -> Any:
            return await asked

        return self.runner.run(it())

    def attempt(self, effect: Callable[[Tx], Awaitable[Any]]) -> Any:
        """What it answers, or the refusal; a refusal leaves nothing behind. What only the database refuses fails."""

        async def it() -> Any:
            try:
                async with self.tx.begin_nested():
                    answer = await effect(self.tx)
                    await self.tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            except DomainError as refusal:
                return refusal
            await self.tx.execute(text("SET CONSTRAINTS ALL DEFERRED"))
            return answer

        return self.runner.run(it())

    @initialize()
    def begin(self) -> None:
        async def it() -> None:
            engine = create_async_engine(async_url(service_settings().database_url), poolclass=NullPool)
            self.tx = await engine.connect()
            await self.tx.begin()
            self.world = await World.build(self.tx)
            self.stage = await Stage.build(self.tx, self.world, claims=0)
            here = self.stage.district
            self.reviewers = [await self.world.user(self.tx, {Post.REVIEWER}, here) for _ in range(2)]
            await self.world.provide(self.tx, here)
            self.clerks: list[Actor] = []
            for _ in range(2):
                code = CreditCode.parse(self.world.maker.credit_code())
                school = await list_institution(self.tx, code, "示例学校", here, date(2020, 1, 1), "示例")
                self.clerks.append(await self.world.user(self.tx, {Post.CLERK}, here, school))
            self.trainees = [await self.world.trainee(self.tx) for _ in range(PEOPLE)]
            self.mandates = {
                (person, by): await self.world.mandate(self.tx, clerk, trainee)
                for person, trainee in enumerate(self.trainees)
                for by, clerk in enumerate(self.clerks, 1)
            }

        self.do(it())

    def teardown(self) -> None:
        if not hasattr(self, "tx"):
            return

        async def it() -> None:
            for promise in (ONE_LIVE_ATTEMPT, ONE_SUBSIDY, LEGAL_MOVES, JOURNALLED):
                assert await first_breach(self.tx, promise.checks) is None, promise.name
            assert await recompute(self.tx) is None
            await self.tx.rollback()
            await self.tx.close()

        try:
            self.do(it())
        finally:
            self.runner.close()

    # ---- the model

    def who(self, claim: Known) -> Actor:
        return self.clerks[claim.by - 1] if claim.by else self.trainees[claim.person].actor

    def some(self, place: int, *statuses: str) -> Known | None:
        fitting = [each for each in self.claims if each.status in statuses]
        return fitting[place % len(fitting)] if fitting else None

    def check(self, claim: Known) -> None:
        stored = select(ClaimRow.status).where(ClaimRow.id == claim.id)
        assert self.do(self.tx.scalar(stored)) == claim.status

    def step(self, claim: Known, effect: Callable[[Tx], Awaitable[Any]], legal_from: set[str], to: str) -> Any:
        """It succeeds just where the model says so, and leaves the claim where it was otherwise."""
        answer = self.attempt(effect)
        if claim.status in legal_from:
            assert not isinstance(answer, DomainError), (claim, answer.code, answer.facts)
            claim.status = to
        else:
            assert isinstance(answer, Conflict), (claim, answer)
        self.check(claim)
        return answer

    # ---- what people do

    @rule(
        person=st.integers(0, PEOPLE - 1),
        by=st.integers(0, 2),
        level=st.sampled_from(["3", "4", "5"]),
        again=st.one_of(st.none(), FEW),
    )
    def file(self, person: int, by: int, level: str, again: int | None) -> None:
        self._file(person, by, level, again)

    def _file(self, person: int, by: int, level: str, again: int | None) -> None:
        """Twice with one key, and with another body under it."""
        trainee, world = self.trainees[person], self.world
        fitting = [each for each in self.certificates if each[15] == level]
        certificate = (
            fitting[again % len(fitting)]
            if fitting and again is not None
            else world.maker.certificate(level, world.today.year)
        )
        how: dict[str, Any] = {"mandate_id": self.mandates[person, by], "district": None} if by else {}
        given = {"level": level, "certificate_number": certificate, "district": self.stage.district, **how}
        new = world.new_claim(trainee, **given)
        claim = Known(uuid4(), person, by, level, certificate)
        expected = kept_out_by(self.claims, person, level, certificate)
        key = Once(self.who(claim).user_id, "POST /api/claims", str(uuid4()), certificate.encode())
        answer = self.attempt(lambda tx: self.filed(tx, key, claim, new))
        if expected:
            assert isinstance(answer, (Conflict, Ineligible)), (expected, answer)
            assert self.codes(answer) <= expected, (expected, answer.code)
            assert "claim.already_filed" not in expected or answer.code == "claim.already_filed"
            return
        assert not isinstance(answer, DomainError), (answer.code, answer.facts)
        claim.id = answer.view.id
        self.claims.append(claim)
        self.certificates.append(certificate)
        again_answer = self.attempt(lambda tx: self.filed(tx, key, claim, new))
        assert (again_answer.replayed, again_answer.view.id) == (True, claim.id)
        other = Once(key.user_id, key.route, key.key, b"another body")
        assert isinstance(self.attempt(lambda tx: self.filed(tx, other, claim, new)), Invalid)
        self.check(claim)

    @precondition(lambda self: self.some(0, "refused"))
    @rule(place=FEW, by=st.integers(0, 2))
    def file_anew(self, place: int, by: int) -> None:
        """For what was refused, with another certificate: it will be in the way of an appeal."""
        refused = self.some(place, "refused")
        assert refused is not None
        self._file(refused.person, by, refused.level, None)

    async def filed(self, tx: Tx, key: Once, claim: Known, new: NewClaim) -> Any:
        world, me = self.world, self.who(claim)
        return await key(tx, ClaimView, lambda: file_claim(tx, me, new, world.today, world.now))

    @staticmethod
    def codes(refusal: DomainError) -> set[str]:
        if not isinstance(refusal, Ineligible):
            return {refusal.code}
        failed = [each for each in refusal.facts["decision"]["outcomes"] if each["outcome"] == "failed"]
        return {each["code"] for each in failed}

    @precondition(lambda self: self.some(0, "filed"))
    @rule(place=FEW, found=st.booleans())
    def registry_answers(self, place: int, found: bool) -> None:
        claim, by = self.some(place, "filed"), By("tests", self.world.now)
        assert claim is not None
        self.do(self.world.registered(self.tx, claim.id))
        action, to = (ClaimAction.VERIFY, "verified") if found else (ClaimAction.QUESTION, "in_review")
        self.step(claim, lambda tx: move_claim(tx, action, claim.id, by, reason="registry.found"), {"filed"}, to)

    @precondition(lambda self: self.some(0, *REVIEWABLE))
    @rule(place=FEW, how=st.sampled_from(["approve", "approve", "refuse", "refuse", "send_back"]))
    def review(self, place: int, how: str) -> None:
        claim = self.some(place, *REVIEWABLE)
        assert claim is not None
        self._review(claim, how)

    @precondition(lambda self: self.some(0, *OTHERS))
    @rule(place=FEW, how=st.sampled_from(["approve", "refuse", "send_back"]))
    def review_out_of_turn(self, place: int, how: str) -> None:
        claim = self.some(place, *OTHERS)
        assert claim is not None
        self._review(claim, how)

    def _review(self, claim: Known, how: str) -> None:
        me, world, why = self.reviewers[0], self.world, NewRefusal(["certificate_not_found"])
        faults = NewSendBack(
            [NewFault("other", each) for each in (Correctable.LEVEL, Correctable.CERTIFICATE_NUMBER)]
        )
        effects: dict[str, tuple[Callable[[Tx], Awaitable[Any]], str]] = {
            "approve": (lambda tx: approve_claim(tx, me, claim.id, "", world.now), "approved"),
            "refuse": (lambda tx: refuse_claim(tx, me, claim.id, why, world.now), "refused"),
            "send_back": (lambda tx: send_back(tx, me, claim.id, faults, world.today, world.now), "sent_back"),
        }
        refused = how == "refuse" and claim.status in REVIEWABLE
        self.step(claim, effects[how][0], REVIEWABLE, effects[how][1])
        if refused:
            claim.appealed, claim.appeal_id = False, None

    @precondition(lambda self: self.some(0, "sent_back"))
    @rule(place=FEW, level=st.sampled_from(["3", "4", "5"]))
    def correct(self, place: int, level: str) -> None:
        claim, world = self.some(place, "sent_back"), self.world
        assert claim is not None
        certificate = world.maker.certificate(level, world.today.year)
        new = NewCorrection(level=level, certificate_number=certificate)
        expected = kept_out_by(self.claims, claim.person, level, certificate, but=claim)
        effect = lambda tx: correct_claim(tx, self.who(claim), claim.id, new, world.today, world.now)  # noqa: E731
        answer = self.attempt(effect)
        if expected:
            assert isinstance(answer, Ineligible), (expected, answer)
            assert self.codes(answer) <= expected
        else:
            assert not isinstance(answer, DomainError), (answer.code, answer.facts)
            claim.level, claim.certificate, claim.status = level, certificate, "filed"
            self.certificates.append(certificate)
        self.check(claim)

    @precondition(lambda self: len(self.claims) > PEOPLE)
    @rule(place=FEW)
    def withdraw(self, place: int) -> None:
        claim = self.claims[place % len(self.claims)]
        legal = {"filed", "verified", "in_review", "sent_back", "approved", "noticed", "payable", "bounced"}
        effect = lambda tx: withdraw_claim(tx, self.who(claim), claim.id, "", self.world.now)  # noqa: E731
        self.step(claim, effect, legal, "withdrawn")

    @precondition(lambda self: self.some(0, "refused"))
    @rule(place=FEW)
    def appeal(self, place: int) -> None:
        claim, world = self.some(place, "refused"), self.world
        assert claim is not None
        answer = self.attempt(
            lambda tx: appeal(tx, self.who(claim), claim.id, NewAppeal("请再看一次"), world.today, world.now)
        )
        if claim.appealed:
            assert isinstance(answer, Conflict)
            assert answer.code == "appeal.standing"
        else:
            assert not isinstance(answer, DomainError), answer
            claim.appealed, claim.appeal_id = True, answer.id

    @precondition(lambda self: any(each.appeal_id for each in self.claims))
    @rule(place=FEW, grant=st.booleans(), reviewer=st.sampled_from([1, 1, 1, 0]))
    def answer(self, place: int, grant: bool, reviewer: int) -> None:
        open_ = [each for each in self.claims if each.appeal_id]
        claim, world = open_[place % len(open_)], self.world
        assert claim.appeal_id is not None
        of, me, new = claim.appeal_id, self.reviewers[reviewer], NewAppealAnswer(grant, "已核对原件")
        answer = self.attempt(lambda tx: answer_appeal(tx, me, of, new, world.today, world.now))
        if reviewer == 0:
            assert isinstance(answer, Forbidden)  # who refused does not answer
        else:
            in_the_way = kept_out_by(self.claims, claim.person, claim.level, claim.certificate, but=claim)
            expected = ("moot" if in_the_way else "granted") if grant else "denied"
            assert answer.answer == expected, (in_the_way, answer)
            claim.appeal_id = None
            claim.status = "in_review" if expected == "granted" else claim.status
        self.check(claim)

    # ---- the money

    @precondition(lambda self: self.some(0, "approved"))
    @rule(place=FEW)
    def publish_and_clear(self, place: int) -> None:
        claim, by = self.some(place, "approved"), By("tests", self.world.now)
        assert claim is not None
        publish = lambda tx: move_claim(tx, ClaimAction.PUBLISH, claim.id, by)  # noqa: E731
        clear = lambda tx: move_claim(tx, ClaimAction.CLEAR, claim.id, by)  # noqa: E731
        self.step(claim, publish, {"approved"}, "noticed")
        self.step(claim, clear, {"noticed"}, "payable")

    @precondition(lambda self: self.some(0, "payable"))
    @rule(done=st.booleans())
    def pay(self, done: bool) -> None:
        """Everything payable goes into a batch of the real commands; the bank pays, or gives all back."""

        async def it(tx: Tx) -> None:
            batch = await self.stage.sent(tx)
            said = ("done", "") if done else ("failed:permanent", "")
            data = a_return(
                batch, [(each.reference, each.amount_fen, *said) for each in await lines_of(tx, batch.id)]
            )
            await take_return(tx, None, read(data), data, "bank", By("tests", self.world.now))

        answer = self.attempt(it)
        assert not isinstance(answer, DomainError), (answer.code, answer.facts)
        for claim in [each for each in self.claims if each.status == "payable"]:
            claim.status = "paid" if done else "bounced"
            self.check(claim)

    @precondition(lambda self: self.some(0, "paid"))
    @rule(place=FEW)
    def object(self, place: int) -> None:
        claim = self.some(place, "paid")
        assert claim is not None
        me, new = self.trainees[claim.person].actor, NewObjection(Ground.NEVER_GIVEN, "我没有签过")
        answer = self.attempt(lambda tx: object_to(tx, me, claim.id, new, self.world.now))
        if claim.by and not claim.objection_id and not claim.upheld:
            assert not isinstance(answer, DomainError), answer.code
            claim.objection_id = answer.id
        else:
            assert isinstance(answer, Conflict)
        self.check(claim)

    @precondition(lambda self: any(each.objection_id for each in self.claims))
    @rule(place=FEW, finding=st.sampled_from(Finding))
    def close(self, place: int, finding: Finding) -> None:
        claim = next(each for each in self.claims if each.objection_id)
        of, me = claim.objection_id, self.reviewers[1]
        assert of is not None
        answer = self.attempt(lambda tx: close_objection(tx, me, of, NewFinding(finding, "已查"), self.world.now))
        assert not isinstance(answer, DomainError), answer.code
        claim.objection_id, claim.upheld = None, finding is Finding.UPHELD
        self.check(claim)


TestClaimsOverEveryChannel = ClaimsOverEveryChannel.TestCase
TestClaimsOverEveryChannel.settings = settings(
    max_examples=6,
    stateful_step_count=40,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
