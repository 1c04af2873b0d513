"""Whatever is done with funds, batches, returns and clawbacks in whatever order, no fen is lost or paid twice.

A model that knows nothing of the service (`tests/money_model.py`) says what each step must come to, and what the bank
truly did, which it may hide, repeat, tell late, in another order, or garbled. The steps up to the release of a batch
are in `tests/money_machine.py`.
"""

import os
import random
import time
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test
from sqlalchemy import text

from domain.actor import Post
from domain.clawback import BY_HAND, Cause
from domain.errors import Invalid
from service.batches import commands as batches
from service.claims.commands.mending import mend_account, try_again
from service.claims.schemas import NewAccount, NewMending
from service.clawbacks.commands.demanding import answer_waiver, demand, propose_waiver
from service.clawbacks.commands.raising import raise_by_hand
from service.clawbacks.commands.repaying import settle_by_number
from service.clawbacks.schemas import NewClawback, NewDemand, NewWaiver, NewWaiverAnswer
from service.database import Tx
from service.gateways.bank import FileState
from service.journal import By
from service.reconciliation import commands as reconciliation
from service.reconciliation.schemas import NewAttemptDecision
from service.statements.commands import taking
from tests.money_machine import DONE, FEW, SOMETHING_ELSE, MoneyToRelease
from tests.money_model import Asked, Line, Owed, Parcel
from tests.payments import Said, a_return
from tests.statements import OPENING, closing, neutral

STEPS_MIN = 10_000
#: In what something must have ended in a long run; in `sending` and `sent` nothing stays for long.
EVERYWHERE = (
    *(f"claim {each}" for each in ("payable", "batched", "paid", "bounced", "withdrawn", "recovered")),
    *(f"batch {each}" for each in ("released", "sent", "settled", "dissolved", "not_received")),
    *(f"line {each}" for each in ("done", "void", "returned returned", "unknown bank.unclear")),
    *(f"line failed {why}" for why in ("failed:temporary", "decided:not_paid", "bank.refused", "bank.not_received")),
    *(f"clawback {each}" for each in ("raised", "demanded", "part_repaid", "repaid", "waived")),
    "payments of a claim: 2",
)
CHANCE = st.integers(0, 2**32)
EVIDENCE = "e" * 64
SELDOM = st.sampled_from([False] * 5 + [True])
HOW = st.sampled_from(["taken"] * 4 + ["refused", "cut_after", "cut_before", "unclear", "closed"])
UNDER_WAY = ("opened", "frozen", "submitted", "checked", "released", "sent")


class Money(MoneyToRelease):
    """A bank that is not to be trusted, and what is owed back. `statements`: account → the number of the next one,
    and its opening balance."""

    def __init__(self) -> None:
        super().__init__()
        self.statements = dict[str, tuple[int, int]]()

    # ---- to the bank

    @precondition(lambda self: self.parcel(0, *UNDER_WAY))
    @rule(place=FEW, stale=SELDOM, how=HOW, chance=CHANCE)
    def go_on(self, place: int, stale: bool, how: str, chance: int) -> None:
        """A batch comes one step nearer to its money."""
        parcel = self.parcel(place, *UNDER_WAY)
        assert parcel
        self._bring_on(parcel, how, random.Random(chance), stale=stale)

    @precondition(lambda self: self.parcel(0, *UNDER_WAY))
    @rule(place=FEW, far=st.integers(2, 7), hows=st.lists(HOW, min_size=7, max_size=7), chance=CHANCE)
    def go_far(self, place: int, far: int, hows: list[str], chance: int) -> None:
        parcel, dice = self.parcel(place, *UNDER_WAY), random.Random(chance)
        assert parcel
        for how in hows[:far]:
            self.the_database_agrees()
            self._bring_on(parcel, how, dice)

    def _bring_on(self, parcel: Parcel, how: str, dice: random.Random, *, stale: bool = False) -> None:
        match parcel.status:
            case "opened":
                self.assemble(parcel)
            case "frozen" | "submitted" | "checked":
                self.sign(parcel, 1, stale=stale)
            case "released":
                self.send(parcel, how, dice)
            case "sent":
                self._take(parcel, self._a_return(parcel, dice))

    def send(self, parcel: Parcel, how: str, chance: random.Random) -> None:
        """Write the file, which happens once, and send it or, where it may be there already, ask."""
        for _ in range(2):
            self.must(lambda tx: batches.write_bank_file(tx, parcel.id, self.world.now))
        first = not parcel.waiting
        file = self.must(lambda tx: batches.intend_to_send(tx, parcel.id, self.world.now))
        assert file.first == first
        for line in parcel.lines:
            line.status = "sending" if line.status == "prepared" else line.status
        if first:
            self._arrive(parcel, how, chance)
        self._answer(parcel, file, how)

    @staticmethod
    def _arrive(parcel: Parcel, how: str, chance: random.Random) -> None:
        """What truly happens to the file at the bank."""
        parcel.refused = how == "refused"
        parcel.received = how in {"taken", "cut_after", "unclear"}
        if parcel.received:
            for line in parcel.lines:
                line.truth = chance.choice(["paid", "paid", "paid", "failed:permanent", "failed:temporary"])

    def _answer(self, parcel: Parcel, file: batches.FileToSend, how: str) -> None:
        if how.startswith("cut"):
            return  # we hear nothing, and ask another time
        state = self._said_of(parcel, file, how)
        decided = self.must(lambda tx: batches.settle_answer(tx, file, state, self.world.now))
        if state.state == "accepted" and state.sha256 == file.sha256:
            parcel.status = "sent"
            for line in parcel.waiting:
                line.status = "sent"
        elif state.state == "refused" or state.closed:
            parcel.miss(f"bank.{state.state}")
        else:
            assert not decided
            for line in parcel.waiting:
                line.status, line.failure = "unknown", "bank.unclear"

    @staticmethod
    def _said_of(parcel: Parcel, file: batches.FileToSend, how: str) -> FileState:
        if how == "unclear":
            return FileState("accepted", sha256=SOMETHING_ELSE)
        if parcel.refused:
            return FileState("refused", sha256=file.sha256)
        if parcel.received:
            return FileState("accepted", sha256=file.sha256)
        return FileState("not_received", closed=how == "closed")

    # ---- from the bank

    def with_the_bank(self, place: int) -> Parcel | None:
        """Mostly one of which something is open."""
        received = [each for each in self.books.parcels if each.received]
        open_ = [each for each in received if each.open_lines]
        fitting = open_ if open_ and place % 4 else received
        return fitting[place % len(fitting)] if fitting else None

    @precondition(lambda self: self.with_the_bank(0))
    @rule(place=FEW, chance=CHANCE)
    def give_return(self, place: int, chance: int) -> None:
        parcel = self.with_the_bank(place)
        assert parcel
        data = self._a_return(parcel, random.Random(chance))
        self._take(parcel, data)

    @precondition(lambda self: any(each.received for each in self.books.parcels))
    @rule(what=st.sampled_from(["the same", "rubbish", "money back", "money back"]), place=FEW, chance=CHANCE)
    def be_strange(self, what: str, place: int, chance: int) -> None:
        """The bank gives again what it gave, or no return at all, or money that it paid comes back to it."""
        parcel, dice = self.with_the_bank(place), random.Random(chance)
        assert parcel
        if what == "rubbish":
            self.give_rubbish(parcel, dice)
        elif what == "the same" and parcel.returns:
            self._take(parcel, dice.choice(parcel.returns))
        else:
            for line in [each for each in parcel.lines if each.truth == "paid"][: place % 3]:
                line.truth = "returned"  # we hear it with a later return, or never

    def give_rubbish(self, parcel: Parcel, dice: random.Random) -> None:
        """Cut short, changed on the way, or of another account: nothing of it counts."""
        data = self._a_return(parcel, dice)
        at = dice.randrange(1, len(data))
        garbled = dice.choice([data[:at], data.replace(b".00,", b".01,", 1), data + data])
        if garbled != data:
            with pytest.raises(Invalid):
                reconciliation.read(garbled, parcel.number)
        elsewhere = a_return(parcel, [], "别的账户")  # type: ignore[arg-type]
        self.must_not(lambda tx: self._taken(tx, elsewhere), "return.account")

    def _a_return(self, parcel: Parcel, chance: random.Random) -> bytes:
        return a_return(parcel, self._lines(parcel, chance))  # type: ignore[arg-type]

    @staticmethod
    def _lines(parcel: Parcel, chance: random.Random) -> list[Said]:
        """The truth, in any order, with gaps, doubles, strangers, and what was true before."""
        said: list[Said] = [("STRANGER000001", 100, "done", "")] if chance.random() < 0.2 else []
        for line in parcel.lines:
            codes = chance.choice([[line.says()]] * 6 + [[], ["unknown"], ["failed:unknown"], [line.says()] * 2])
            if line.truth == "returned":
                codes = [*codes, "done"] if chance.random() < 0.3 else codes
            if line.status == "done" and chance.random() < 0.2:
                codes = [*codes, "failed:permanent"]
            odd = 1 if chance.random() < 0.05 else 0
            code_odd = chance.random() < 0.05
            said += [(line.reference, line.amount_fen + odd, "fine" if code_odd else code, "") for code in codes]
        chance.shuffle(said)
        return said

    async def _taken(self, tx: object, data: bytes) -> object:
        by = By("tests", self.world.now)
        return await reconciliation.take_return(tx, None, reconciliation.read(data), data, "bank", by)  # type: ignore[arg-type]

    def _take(self, parcel: Parcel, data: bytes) -> None:
        known = data in parcel.returns
        if not known and any(each.status in {"prepared", "sending"} for each in parcel.lines):
            self.must_not(lambda tx: self._taken(tx, data), "return.too_early")
            return
        view = self.must(lambda tx: self._taken(tx, data))
        assert view.known == known
        if known:
            return
        parcel.returns.append(data)
        lines = {each.reference: each for each in parcel.lines}
        heard = [
            lines[said.reference].hear(said.amount_fen, said.code) if said.reference in lines else "exception"
            for said in reconciliation.read(data).lines
        ]
        counted = view.settled, view.repeats, view.exceptions
        assert counted == (heard.count("settled"), heard.count("repeat"), heard.count("exception"))
        parcel.settle(settled="settled" in heard)

    @precondition(lambda self: any(self._unknown()))
    @rule(place=FEW, officers=st.permutations((0, 1, 2)), again=st.booleans())
    def decide(self, place: int, officers: list[int], again: bool) -> None:
        """Two persons, on a document that tells the truth."""
        unknown = self._unknown()
        parcel, line = unknown[place % len(unknown)]
        self._decide(parcel, line, officers[0])
        if again and line.status == "unknown":
            self._decide(parcel, line, officers[1])

    def _unknown(self) -> list[tuple[Parcel, Line]]:
        return [(each, line) for each in self.books.parcels for line in each.lines if line.status == "unknown"]

    def _decide(self, parcel: Parcel, line: Line, officer: int) -> None:
        outcome = "paid" if line.debited else "not_paid"
        new, me = NewAttemptDecision(outcome, EVIDENCE), self.officers[officer]  # type: ignore[arg-type]
        said = line.proposal
        same = said is not None and said[0] == outcome
        effect = lambda tx: reconciliation.decide_attempt(tx, me, line.reference, new, self.world.now)  # noqa: E731
        legal = not (same and said is not None and said[1] == officer)
        view = self.either(effect, "attempt.same_person", legal=legal)
        if not legal:
            return
        assert (view.decided, view.replaced) == (same, said is not None and not same)
        line.proposal = None if same else (outcome, officer)
        if not same:
            return
        line.status, line.failure = ("done", "") if line.debited else ("failed", "decided:not_paid")
        line.claim.learn("paid" if line.debited else "bounced")
        parcel.settle(settled=line.debited > 0)
        if parcel.status == "released" and not parcel.open_lines:
            parcel.status = "not_received"

    @precondition(lambda self: self.claim(0, "bounced"))
    @rule(place=FEW, again=st.booleans())
    def mend(self, place: int, again: bool) -> None:
        claim, world = self.claim(place, "bounced"), self.world
        assert claim
        assert claim.line
        if again:
            passing = claim.line.failure in {"failed:temporary", "decided:not_paid"}
            effect = lambda tx: try_again(tx, self.officers[0], claim.id, "", world.now)  # noqa: E731
            self.either(effect, "claim.needs_account", legal=passing)
            claim.status = "payable" if passing else claim.status
        else:
            account = NewAccount(world.maker.card(), claim.trainee.made.name, world.maker.bank_code())
            self.must(lambda tx: mend_account(tx, claim.trainee.actor, claim.id, NewMending(account), world.now))
            claim.status = "payable"

    # ---- what is owed back

    @precondition(lambda self: self.claim(0, "paid") or self.asked())
    @rule(
        what=st.sampled_from(["raise", "raise", "demand", "demand", "propose", "grant", "decline", *["repay"] * 3]),
        place=FEW,
        officer=st.integers(0, 2),
        cause=st.sampled_from(sorted(BY_HAND)),
        part=st.one_of(st.none(), st.integers(1, 3)),
    )
    def ask_back(self, what: str, place: int, officer: int, cause: Cause, part: int | None) -> None:
        asked = self.asked()
        if what == "raise" or not asked:
            self._raise(place, cause, part)
        elif what != "repay":
            self._go_on_asking(place, what, officer)
        else:
            self._repay(*asked[place % len(asked)], part or 0)

    @precondition(lambda self: self.claim(0, "paid") or self._demanded())
    @rule(place=FEW, officer=st.integers(0, 2), part=st.integers(0, 3), waived=SELDOM)
    def pay_back(self, place: int, officer: int, part: int, waived: bool) -> None:
        """What is demanded comes back, or is waived by two; where nothing is, something is asked for first."""
        if not self._demanded():
            self._raise(place, Cause.AUDIT, None)
            raised = [at for at, (_, each) in enumerate(self.asked()) if each.status == "raised"]
            for at in raised[:1]:
                self._go_on_asking(at, "demand", officer)
        if demanded := self._demanded():
            claim, asked = demanded[place % len(demanded)]
            for step, by in (("propose", 0), ("grant", 1)) if waived else ():
                self._go_on_asking(self.asked().index((claim, asked)), step, by)
            if not waived:
                self._repay(claim, asked, part)

    def _demanded(self) -> list[tuple[Owed, Asked]]:
        return [each for each in self.asked() if each[1].status in {"demanded", "part_repaid"}]

    def _raise(self, place: int, cause: Cause, part: int | None) -> None:
        claim = (self.claim(place, "paid") if place % 5 else None) or self.claim(place)
        assert claim
        fen = claim.amount_fen // part if part else None
        new, me = NewClawback(claim.id, cause, "审计发现", fen), self.reviewer
        live = {"raised", "demanded", "part_repaid"}
        open_ = any(each.cause == cause and each.status in live for each in claim.asked_back)
        legal = claim.status == "paid" and claim.left_to_ask > 0 and not open_
        view = self.either(lambda tx: raise_by_hand(tx, me, new, self.world.now), "clawback.nothing", legal=legal)
        if legal:
            due = min(claim.left_to_ask, fen) if fen else claim.left_to_ask
            assert view.amount_fen == due
            claim.asked_back.append(Asked(view.id, cause, due, view.number))

    def asked(self) -> list[tuple[Owed, Asked]]:
        return [(claim, each) for claim in self.books.owed for each in claim.asked_back]

    def _go_on_asking(self, place: int, what: str, officer: int) -> None:
        asked = self.asked()
        _, each = asked[place % len(asked)]
        me, now = self.officers[officer], self.world.now
        live = each.status in {"raised", "demanded", "part_repaid"}
        if what == "demand":
            new = NewDemand("济人社追〔2026〕1号")
            self.either(lambda tx: demand(tx, me, each.id, new, now), "wrong_status", legal=each.status == "raised")
            each.status = "demanded" if each.status == "raised" else each.status
        elif what == "propose":
            legal, law = live and each.proposed_by is None, NewWaiver("示例办法第十条", "已经死亡")
            codes = "wrong_status", "clawback.waiver_open"
            self.either(lambda tx: propose_waiver(tx, me, each.id, law, now), *codes, legal=legal)
            each.proposed_by = officer if legal else each.proposed_by
        else:
            grant, legal = what == "grant", each.proposed_by not in {None, officer}
            new, codes = NewWaiverAnswer(grant, "依据不足"), ("clawback.no_waiver", "clawback.same_person")
            self.either(lambda tx: answer_waiver(tx, me, each.id, new, now), *codes, legal=legal)
            if legal:
                each.status, each.proposed_by = ("waived" if grant else each.status), None

    def _repay(self, claim: Owed, asked: Asked, part: int) -> None:
        """A line of the bank's next statement carries its number: with all that is left, a part, or too much."""
        fen = {0: asked.left_fen, 1: asked.left_fen + 1}.get(part, asked.left_fen // 2) or 1
        account = next(each.debit_account for each in self.books.parcels if claim.line in each.lines)
        odd = self.must(lambda tx: self._booked(tx, account, ("C", fen, "", "王小明", asked.number)))
        assert (odd == "") == claim.repay(asked, fen), odd

    async def _booked(self, tx: Tx, account: str, line: tuple[str, int, str, str, str]) -> str:
        """Why a person must look at the line; empty where it counts."""
        number, balance = self.statements.get(account, (1, OPENING))
        day = self.world.today + timedelta(days=number)
        data = neutral(account, number, day, [line], opening=balance)
        self.statements[account] = number + 1, closing([line], balance)
        maker = self.officers[0]
        by = By.actor(maker, Post.MAKER, self.world.now)
        taken = await taking.take_statement(tx, maker, "neutral", taking.read("neutral", data), data, by)
        found = {"id": taken.id}
        waiting = "SELECT id FROM statement_lines WHERE statement_id = :id AND verdict = 'waiting'"
        for line_id in (await tx.execute(text(waiting), found)).scalars():
            await settle_by_number(tx, line_id, self.world.now)
        said = "SELECT exception FROM statement_lines WHERE statement_id = :id"
        odd: str = (await tx.execute(text(said), found)).scalar_one()
        return odd


def run(examples: int, steps: int, from_seed: int) -> None:
    seed(from_seed)(Money)
    each = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    run_state_machine_as_test(Money, settings=each)


def a_seed() -> int:
    """ZHIDA_MONEY_SEED repeats a run, with other people."""
    return int(os.environ.get("ZHIDA_MONEY_SEED") or random.randrange(10**6))


def test_no_fen_is_lost_whatever_happens() -> None:
    run(examples=3, steps=40, from_seed=a_seed())
    assert DONE["steps"] > 40  # Hypothesis tries a short one as well


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_no_fen_is_lost_in_ten_thousand_steps() -> None:
    from_seed, began = a_seed(), time.monotonic()
    print(f"ZHIDA_MONEY_SEED={from_seed}")
    DONE.clear()
    run(examples=120, steps=100, from_seed=from_seed)
    print(f"{DONE['steps']} steps in {time.monotonic() - began:.0f} s")
    print(", ".join(f"{what}: {times}" for what, times in sorted(DONE.items())))
    assert DONE["steps"] >= STEPS_MIN
    assert [what for what in EVERYWHERE if not DONE[what]] == []
