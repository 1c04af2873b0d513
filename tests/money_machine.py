"""The steps from an appropriation to a released batch, for `tests/service/test_machine_of_money.py`, with what must
hold after each: every position, claim and payment of the database is compared with the model's.

Everything happens in one transaction on a real database, and is rolled back.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from domain.actor import Post
from domain.claim import ClaimAction
from domain.errors import DomainError
from service.audit.queries.batches import FILE_BYTES, SIGNED_CONTENT, THREE_PERSONS
from service.audit.queries.care import STOPPED
from service.audit.queries.checks import first_breach
from service.audit.queries.claims import COUNTED_ONCE, ONE_LIVE_ATTEMPT
from service.audit.queries.corrections import CORRECTIONS
from service.audit.queries.funds import MONEY_CONSERVED
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.audit.queries.statements import REPAYMENTS_ADD_UP
from service.batches import commands as batches
from service.batches.schemas import Rejection
from service.claims.commands import deciding
from service.claims.commands.approving import approve_set
from service.claims.commands.moves import move_claims
from service.claims.schemas import NewApproval, NewGroup, NewHold
from service.database import Tx, async_url
from service.funds import commands as funds
from service.funds.schemas import NewAppropriation
from service.journal import By
from service.settings import settings as service_settings
from tests.money_model import Books, Line, Owed, Parcel
from tests.payments import Stage, lines_of, shown, transfer
from tests.world import FUND, INSURANCE, World

FUNDS = (FUND, INSURANCE)
PROMISES = (
    *(ONE_LIVE_ATTEMPT, COUNTED_ONCE, MONEY_CONSERVED, THREE_PERSONS, SIGNED_CONTENT, FILE_BYTES, STOPPED),
    *(CORRECTIONS, REPAYMENTS_ADD_UP, JOURNALLED, LEGAL_MOVES),
)
FEW = st.integers(0, 15)
#: Nobody files while so many have not come into a batch yet.
WAITING = {"verified", "approved", "payable"}
STEPS = (("submitted", "frozen"), ("checked", "submitted"), ("released", "checked"))
SOMETHING_ELSE = "0" * 64
#: The steps of all examples of a run, and in what everything ended.
DONE: Counter[str] = Counter()

Effect = Callable[[Tx], Awaitable[Any]]


class MoneyToRelease(RuleBasedStateMachine):
    """A district with two funds, a maker, a checker, a releaser, a reviewer, and a bank that is not to be trusted."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.patch = pytest.MonkeyPatch()
        self.books = Books()

    def attempt(self, effect: Effect) -> Any:
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

    def must(self, effect: Effect) -> Any:
        answer = self.attempt(effect)
        assert not isinstance(answer, DomainError), (answer.code, answer.facts)
        return answer

    def must_not(self, effect: Effect, *codes: str) -> None:
        refusal = self.attempt(effect)
        assert isinstance(refusal, DomainError), (codes, refusal)
        assert refusal.code in codes, (codes, refusal.code)

    def either(self, effect: Effect, *codes: str, legal: bool) -> Any:
        """Succeeds just where it is legal, and is refused with one of these codes otherwise."""
        if legal:
            return self.must(effect)
        self.must_not(effect, *codes)
        return None

    @initialize()
    def begin(self) -> None:
        # who is first among those who filed on one day follows from the choices alone, as Hypothesis expects
        high = int.from_bytes(os.urandom(8)) << 64
        ids = (UUID(int=high | each) for each in count())
        self.patch.setattr(deciding, "uuid4", lambda: next(ids))

        async def it() -> None:
            engine = create_async_engine(async_url(service_settings().database_url), poolclass=NullPool)
            self.tx = await engine.connect()
            await self.tx.begin()
            self.world = await World.build(self.tx)
            self.stage = await Stage.build(self.tx, self.world, claims=0)
            self.world.poor.add(self.stage.district)
            self.reviewer = await self.world.user(self.tx, {Post.REVIEWER}, self.stage.district)

        self.runner.run(it())
        self.staff = self.stage.staff
        self.officers = [self.staff[post] for post in (Post.MAKER, Post.CHECKER, Post.RELEASER)]
        for fund in FUNDS:
            self._appropriate(fund, 1_200_000, confirm=True)

    def teardown(self) -> None:
        self.patch.undo()
        if not hasattr(self, "tx"):
            return

        self._count()

        async def it() -> None:
            for promise in PROMISES:
                assert (breach := await first_breach(self.tx, promise.checks)) is None, (promise.name, breach)
            await self.tx.rollback()
            await self.tx.close()

        try:
            self.runner.run(it())
        finally:
            self.runner.close()

    def _count(self) -> None:
        """In what everything ended, so that a run can be asked whether it came everywhere."""
        DONE.update(f"claim {each.status}" for each in self.books.owed)
        DONE.update(f"batch {each.status}" for each in self.books.parcels)
        DONE.update(
            f"line {line.status} {line.failure}".strip() for each in self.books.parcels for line in each.lines
        )
        DONE.update(f"clawback {asked.status}" for each in self.books.owed for asked in each.asked_back)
        DONE.update(f"payments of a claim: {len(each.lines)}" for each in self.books.owed)

    # ---- what must hold after each step

    @invariant()
    def the_database_agrees(self) -> None:
        if not hasattr(self, "tx"):
            return
        DONE["steps"] += 1
        self.world.now += timedelta(seconds=1)
        self.books.check()
        claims, lines, pots = self.runner.run(self._stored())
        assert claims == {each.id: each.status for each in self.books.owed}
        assert lines == {
            line.reference: (line.status, line.amount_fen, line.claim.id)
            for parcel in self.books.parcels
            for line in parcel.lines
        }
        for fund in FUNDS:
            if fund in self.books.appropriated:
                there = pots[fund]
                assert there.pop("appropriated") == self.books.appropriated[fund]
                assert there == self.books.pots(fund)
            else:
                assert fund not in pots

    async def _stored(self) -> tuple[dict[UUID, str], dict[str, Any], dict[str, dict[str, int]]]:
        here = {"district": self.stage.district}
        claims = await self.tx.execute(text("SELECT id, status FROM claims WHERE district = :district"), here)
        lines = await self.tx.execute(
            text("""SELECT a.reference, a.status, a.amount_fen, a.claim_id FROM payment_attempts a
                      JOIN batches b ON b.id = a.batch_id WHERE b.district = :district"""),
            here,
        )
        pots = await self.tx.execute(
            text("""SELECT fund, appropriated_fen AS appropriated, free_fen AS free, reserved_fen AS reserved,
                           in_flight_fen AS in_flight, paid_fen AS paid
                      FROM fund_positions WHERE district = :district"""),
            here,
        )
        return (
            {row.id: row.status for row in claims},
            {row[0]: tuple(row[1:]) for row in lines},
            {row.pop("fund"): row for row in map(dict, pots.mappings())},
        )

    # ---- funds

    @rule(fund=st.sampled_from(FUNDS), hundreds=st.integers(-60, 120), confirm=st.sampled_from([True, True, False]))
    def appropriate(self, fund: str, hundreds: int, confirm: bool) -> None:
        """Granted, or (a negative amount) lowered, by two persons."""
        self._appropriate(fund, hundreds * 10_000, confirm=confirm)

    def _appropriate(self, fund: str, fen: int, *, confirm: bool) -> None:
        world = self.world
        new = NewAppropriation(fund, world.today.year, fen, "示例下达文件", "示例")
        effect = lambda tx: funds.propose_appropriation(tx, self.officers[0], new, world.today, world.now)  # noqa: E731
        proposed = self.either(effect, "appropriation.zero", legal=fen != 0)
        if proposed is None:
            return
        confirming = lambda tx: funds.confirm_appropriation(tx, self.officers[1], proposed.id, world.now)  # noqa: E731
        if not confirm:
            self.must(lambda tx: funds.decline_appropriation(tx, self.officers[1], proposed.id, "示例", world.now))
            self.must_not(confirming, "appropriation.declined")
            return
        legal = fen > 0 or (fund in self.books.appropriated and self.books.pots(fund)["free"] >= -fen)
        self.either(confirming, "appropriation.nothing", "appropriation.not_free", legal=legal)
        if legal:
            self.books.appropriated[fund] += fen
            self.must_not(confirming, "appropriation.confirmed")

    # ---- claims on their way to the money

    @precondition(lambda self: sum(each.status in WAITING for each in self.books.owed) < 8)
    @rule(
        levels=st.lists(st.sampled_from("345"), min_size=1, max_size=4),
        fund=st.sampled_from((FUND, *FUNDS)),
        limit=st.integers(1, 9),
        clear=st.sampled_from([True, True, False]),
    )
    def file(self, levels: list[str], fund: str, limit: int, clear: bool) -> None:
        """New ones; of those that wait as many are approved as the money lasts for."""
        for level in levels:
            self.must(lambda tx, level=level: self._filed(tx, level, fund))
        self.approve(limit)
        if clear:
            self.publish_and_clear()

    async def _filed(self, tx: Tx, level: str, fund: str) -> None:
        world, group = self.world, {}
        if fund == INSURANCE:
            group["group"] = NewGroup("enterprise_employee", "labour_contract", "HT-1", world.today.isoformat())
        trainee = await world.trainee(tx)
        number = world.maker.certificate(level, world.today.year)
        given: dict[str, Any] = {
            "level": level,
            "certificate_number": number,
            "district": self.stage.district,
            **group,
        }
        view = await world.claim(tx, "verified", trainee, **given)
        self.books.owed.append(Owed(view.id, trainee, fund, view.amount_fen, DONE["steps"]))

    def approve(self, limit: int) -> None:
        """As many as the money lasts for; a held one stays."""
        lasting = self.books.lasting(limit)
        view = self.must(lambda tx: approve_set(tx, self.reviewer, NewApproval(limit=limit), self.world.now))
        assert view.approved == len(lasting)
        for each in lasting:
            each.status = "approved"

    def publish_and_clear(self) -> None:
        by = By("tests", self.world.now)
        going = [each for each in self.books.owed if each.status == "approved" and not each.held]
        for action in (ClaimAction.PUBLISH, ClaimAction.CLEAR):
            self.must(lambda tx, action=action: move_claims(tx, action, [each.id for each in going], by))
        for each in going:
            each.status = "payable"

    def claim(self, place: int, *statuses: str) -> Owed | None:
        fitting = [each for each in self.books.owed if each.status in statuses or not statuses]
        return fitting[place % len(fitting)] if fitting else None

    def stop(self, claim: Owed) -> bool:
        """Taken out of its batch where it stands in one; False where its money is gone or may be."""
        if claim.status not in {"batched", "paid"}:
            return True
        parcel = next(each for each in self.books.parcels if claim.line in each.lines)
        if not parcel.stoppable:
            return False
        parcel.give_up()
        return True

    def hold_or_lift(self, place: int, *, lift: bool) -> None:
        claim, world, new = self.claim(place), self.world, NewHold("other", "示例")
        assert claim
        me = self.officers[1]
        if lift:
            effect = lambda tx: batches.lift(tx, me, claim.id, "", world.today, world.now)  # noqa: E731
            self.either(effect, "holding.none", legal=claim.held)
            claim.held = False
            return
        holding = lambda tx: batches.hold(tx, me, claim.id, new, world.now)  # noqa: E731
        if claim.status in {"withdrawn", "recovered"} or claim.held:
            self.must_not(holding, "wrong_status", "holding.live", "claim.past_no_return")
        elif self.stop(claim):
            self.must(holding)
            claim.held = True
        else:
            self.must_not(holding, "claim.past_no_return")

    def withdraw(self, place: int) -> None:
        claim = self.claim(place)
        assert claim
        effect = lambda tx: batches.withdraw(tx, claim.trainee.actor, claim.id, "", self.world.now)  # noqa: E731
        legal = claim.status not in {"withdrawn", "recovered"} and self.stop(claim)
        self.either(effect, "wrong_status", "claim.past_no_return", legal=legal)
        claim.status = "withdrawn" if legal else claim.status

    # ---- batches

    def parcel(self, place: int, *statuses: str) -> Parcel | None:
        fitting = [each for each in self.books.parcels if each.status in statuses or not statuses]
        return fitting[place % len(fitting)] if fitting else None

    @precondition(lambda self: self.claim(0, "payable") and not self.parcel(1, "opened"))
    @rule(fund=st.sampled_from((FUND, *FUNDS)), limit=st.integers(1, 9), at_once=st.sampled_from([True, True, False]))
    def open(self, fund: str, limit: int, at_once: bool) -> None:
        view = self.must(lambda tx: self.stage.open(tx, limit=limit, fund=fund))
        parcel = Parcel(view.id, view.number, fund, limit, debit_account=view.debit_account)
        self.books.parcels.append(parcel)
        if at_once:
            self.assemble(parcel)

    def assemble(self, parcel: Parcel) -> None:
        """Also again, which changes nothing."""
        self.must(lambda tx: batches.assemble(tx, parcel.id, self.world.now))
        if parcel.status != "opened":
            return
        due = self.books.due(parcel)
        parcel.status = "frozen" if due else "dissolved"
        for stored, claim in zip(self.runner.run(lines_of(self.tx, parcel.id)), due, strict=True):
            line = Line(stored.reference, claim, claim.amount_fen)
            claim.status = "batched"
            claim.lines.append(line)
            parcel.lines.append(line)
        view = self.runner.run(self.stage.see(self.tx, parcel.id))
        assert (view.line_count or 0, view.sum_fen or 0) == (len(due), sum(each.amount_fen for each in due))

    def sign(self, parcel: Parcel, steps: int, *, stale: bool) -> None:
        """The next signatures, each of another person, under what they were shown."""
        at = next(no for no, (_, before) in enumerate(STEPS) if before == parcel.status)
        for step in range(at, min(at + steps, len(STEPS))):
            self._sign(parcel, step, stale=stale)

    def sign_out_of_turn(self, place: int, step: int) -> None:
        parcel = self.parcel(place)
        if parcel and parcel.lines:
            self._sign(parcel, step, stale=False)

    def _sign(self, parcel: Parcel, step: int, *, stale: bool) -> None:
        me, now, today = self.officers[step], self.world.now, self.world.today
        view = self.runner.run(self.stage.see(self.tx, parcel.id))
        if stale:
            view.content_hash = SOMETHING_ELSE
        after, before = STEPS[step]
        effects: list[Effect] = [
            lambda tx: batches.submit_batch(tx, me, parcel.id, shown(view), now),
            lambda tx: batches.check_batch(tx, me, parcel.id, shown(view), now),
            lambda tx: batches.release_batch(tx, me, parcel.id, transfer(view, today), today, now),
        ]
        legal = parcel.status == before and not stale
        self.either(effects[step], "wrong_status", "batch.changed", "batch.same_person", legal=legal)
        parcel.status = after if legal else parcel.status

    def give_up(self, place: int, officer: int, *, reject: bool) -> None:
        parcel, me, now = self.parcel(place), self.officers[officer], self.world.now
        if parcel is None:
            return
        effect: Effect = lambda tx: batches.dissolve_batch(tx, me, parcel.id, "示例", now)  # noqa: E731
        legal = parcel.status in {"opened", "frozen", "submitted", "checked", "released"} and parcel.stoppable
        if reject:
            effect = lambda tx: batches.reject_batch(tx, me, parcel.id, Rejection("amount_doubtful"), now)  # noqa: E731
            legal = parcel.status in {"submitted", "checked"}
        self.either(effect, "wrong_status", "batch.past_no_return", legal=legal)
        if legal:
            parcel.give_up()

    @precondition(lambda self: len(self.books.owed) > 4)
    @rule(
        what=st.sampled_from(["hold", "lift", "lift", "withdraw", "sign", "sign", "dissolve", "reject", "approve"]),
        place=FEW,
        officer=st.integers(1, 2),
    )
    def disturb(self, what: str, place: int, officer: int) -> None:
        """What stops claims and batches on their way, or comes out of turn."""
        match what:
            case "hold" | "lift":
                self.hold_or_lift(place, lift=what == "lift")
            case "withdraw":
                self.withdraw(place)
            case "sign":
                self.sign_out_of_turn(place, place % 3)
            case "approve":
                self.approve(place + 1)
            case _:
                self.give_up(place, officer, reject=what == "reject")
