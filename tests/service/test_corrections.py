"""退回补正: all faults once, mended in time and decided again, or the claim lapses."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, text

from domain.actor import Actor, Post
from domain.claim import ClaimAction
from domain.correction import Correctable
from domain.eligibility import decide
from domain.errors import Conflict, DomainError, Forbidden, Ineligible, Invalid, NotFound
from service.access.tables import DistrictRow
from service.claims.commands.correcting import correct_claim
from service.claims.commands.filing import file_claim
from service.claims.commands.mandates import revoke_mandate
from service.claims.commands.moves import move_claim
from service.claims.commands.sending_back import lapse_portion, send_back
from service.claims.queries.decisions import stored_facts
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimView, NewAccount, NewCorrection, NewFault, NewSendBack
from service.claims.tables import ClaimCorrectionRow, ClaimRow
from service.database import Tx
from service.journal import By
from service.policies.queries import work_calendar
from service.queue import Job
from tests.payments import journal_of, ready_jobs
from tests.world import Trainee, World

FIELD = Correctable


def faults(*fields: Correctable) -> NewSendBack:
    return NewSendBack([NewFault("other", field, "请看说明") for field in fields])


@dataclass
class Desk:
    """A district of its own with its reviewer, so that its figures are these claims' alone."""

    world: World
    district: str
    reviewer: Actor
    trainee: Trainee

    async def sent_back(self, tx: Tx, *fields: Correctable, **given: Any) -> ClaimView:
        claim = await self.world.claim(tx, "in_review", self.trainee, district=self.district, **given)
        return await send_back(tx, self.reviewer, claim.id, faults(*fields), self.world.today, self.world.now)

    async def correct(self, tx: Tx, claim: ClaimView, me: Actor | None = None, **given: Any) -> ClaimView:
        new = NewCorrection(**given)
        return await correct_claim(tx, me or self.trainee.actor, claim.id, new, self.world.today, self.world.now)


@pytest.fixture
async def desk(tx: Tx, world: World) -> Desk:
    district = f"Z{uuid4().hex[:10]}"
    await tx.execute(insert(DistrictRow).values(code=district, name="示例区", kind="district"))
    return Desk(world, district, await world.user(tx, {Post.REVIEWER}, district), await world.trainee(tx))


async def refusal(asked: Any) -> DomainError:
    with pytest.raises(DomainError) as caught:
        await asked
    return caught.value


async def figures(tx: Tx, district: str) -> dict[tuple[str, str], tuple[int, int]]:
    """(list, level) → (claims, fen) as the statistics have them."""
    rows = await tx.execute(
        text("""SELECT list_kind, level, sum(count)::int, sum(amount_fen)::bigint FROM (
                    SELECT list_kind, level, count, amount_fen, district FROM claim_tally UNION ALL
                    SELECT list_kind, level, count, amount_fen, district FROM claim_tally_deltas) AS kept
                 WHERE district = :district GROUP BY list_kind, level HAVING sum(count) <> 0"""),
        {"district": district},
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


async def stored(tx: Tx, claim: ClaimView) -> Any:
    return (await tx.execute(select(ClaimRow.__table__).where(ClaimRow.id == claim.id))).one()


async def test_all_faults_are_named_once_with_their_day(tx: Tx, desk: Desk) -> None:
    claim = await desk.sent_back(tx, FIELD.CERTIFICATE_NUMBER, FIELD.ACCOUNT)
    assert claim.status == "sent_back"
    seen = await claim_view(tx, desk.trainee.actor, claim.id)
    assert seen.to_do is not None
    assert seen.to_do.due_on == work_calendar().add(desk.world.today, 15).on
    assert [(fault.field, fault.note) for fault in seen.to_do.faults] == [
        ("certificate_number", "请看说明"),
        ("account", "请看说明"),
    ]
    assert "过期作放弃" in seen.to_do.message
    (*_, noted) = await journal_of(tx, "claim", claim.id)
    assert (noted.action, noted.reason, noted.actor_name) == ("send_back", "other other", "reviewer")
    again = send_back(tx, desk.reviewer, claim.id, faults(FIELD.LEVEL), desk.world.today, desk.world.now)
    assert (await refusal(again)).code == "wrong_status"


async def test_who_may_send_back(tx: Tx, desk: Desk) -> None:
    world, claim = desk.world, await desk.world.claim(tx, "verified", desk.trainee, district=desk.district)

    async def refused(me: Actor, new: NewSendBack) -> DomainError:
        return await refusal(send_back(tx, me, claim.id, new, world.today, world.now))

    assert isinstance(await refused(world.staff[Post.REVIEWER], faults(FIELD.LEVEL)), NotFound)
    own = Actor(desk.trainee.actor.user_id, desk.trainee.actor.person_id, desk.reviewer.posts, desk.district)
    assert isinstance(await refused(own, faults(FIELD.LEVEL)), Forbidden)
    unknown = NewSendBack([NewFault("because", FIELD.LEVEL)])
    assert (await refused(desk.reviewer, unknown)).code == "send_back.faults"
    number = await refused(desk.reviewer, NewSendBack([NewFault("other", FIELD.LEVEL, "请拨 13800138000")]))
    assert (number.code, getattr(number, "field", "")) == ("text.personal_number", "faults.0.note")
    assert (await stored(tx, claim)).status == "verified"


async def test_a_corrected_claim_is_decided_again_and_the_registry_asked_again(tx: Tx, desk: Desk) -> None:
    claim = await desk.sent_back(tx, FIELD.CERTIFICATE_NUMBER, FIELD.ACCOUNT)
    await tx.execute(text("UPDATE jobs SET state = 'done' WHERE subject = :id"), {"id": claim.id})
    number, card = desk.world.maker.certificate("4", desk.world.today.year), desk.world.maker.card()
    account = NewAccount(card, desk.trainee.made.name, desk.world.maker.bank_code())
    mended = await desk.correct(tx, claim, certificate_number=number, account=account)
    assert (mended.status, mended.certificate_number, mended.account_tail) == ("filed", number, card[-4:])
    assert mended.to_do is None
    row = await stored(tx, claim)
    decision = decide(stored_facts(row.decision))
    assert decision.eligible
    assert (decision.amount_fen, row.decision["facts"]["certificate_number"]) == (row.amount_fen, number)
    assert await ready_jobs(tx, claim.id) == [Job.VERIFY_CERTIFICATE]
    kept = select(ClaimCorrectionRow.__table__).where(ClaimCorrectionRow.claim_id == claim.id)
    answered = (await tx.execute(kept)).one()
    assert answered.corrected_by == desk.trainee.actor.user_id
    assert answered.replaced["certificate_number"] == claim.certificate_number
    assert decide(stored_facts(answered.replaced["decision"])).eligible
    actions = [row.action for row in await journal_of(tx, "claim", claim.id)]
    assert actions[-3:] == ["send_back", "amend", "correct"]
    assert number not in str(await journal_of(tx, "claim", claim.id))
    assert await figures(tx, desk.district) == {("shortage", "4"): (1, row.amount_fen)}


async def test_what_changes_the_amount_changes_the_figures_of_its_filing_day(tx: Tx, desk: Desk) -> None:
    claim = await desk.sent_back(tx, FIELD.LEVEL, FIELD.CERTIFICATE_NUMBER)
    number = desk.world.maker.certificate("5", desk.world.today.year)
    mended = await desk.correct(tx, claim, level="5", certificate_number=number)
    assert (mended.level, mended.amount_fen < claim.amount_fen) == ("5", True)
    assert await figures(tx, desk.district) == {("shortage", "5"): (1, mended.amount_fen)}
    # the fourth level is free again, the fifth is taken
    assert (await desk.world.claim(tx, trainee=desk.trainee)).level == "4"
    taken = desk.world.maker.certificate("5", desk.world.today.year)
    with pytest.raises(Conflict):
        await desk.world.claim(tx, trainee=desk.trainee, level="5", certificate_number=taken)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"certificate_issued_on": "2024-01-05"}, "window.over"),
        ({"certificate_issued_on": "2099-01-05"}, "certificate.future"),
        ({"level": "3"}, "certificate.level_differs"),
        ({"item_code": "9-99-99-99"}, "item.not_in_catalog"),
        ({"training_started_on": "2099-01-01"}, "training.after_certificate"),
    ],
)
async def test_what_the_rules_do_not_grant_changes_nothing(
    tx: Tx, desk: Desk, given: dict[str, str], code: str
) -> None:
    claim = await desk.sent_back(tx, *(Correctable(name) for name in given))
    before = await stored(tx, claim)
    refused = await refusal(desk.correct(tx, claim, **given))
    assert isinstance(refused, Ineligible)
    assert code in {o["code"] for o in refused.facts["decision"]["outcomes"] if o["outcome"] == "failed"}
    assert await stored(tx, claim) == before
    assert before.status == "sent_back"


async def test_a_certificate_or_a_level_that_is_claimed_already_is_refused(tx: Tx, desk: Desk) -> None:
    theirs = await desk.world.claim(tx)
    fifth = desk.world.maker.certificate("5", desk.world.today.year)
    other = await desk.world.claim(tx, trainee=desk.trainee, level="5", certificate_number=fifth)
    claim = await desk.sent_back(tx, FIELD.CERTIFICATE_NUMBER, FIELD.LEVEL)
    used = await refusal(desk.correct(tx, claim, certificate_number=theirs.certificate_number))
    assert "certificate.used" in str(used.facts)
    twice = await refusal(desk.correct(tx, claim, level="5", certificate_number=other.certificate_number))
    assert {"certificate.used", "claim.already_filed"} <= set(str(twice.facts).replace("'", " ").split())


async def test_only_what_was_in_question_and_only_by_whom_it_concerns(tx: Tx, desk: Desk) -> None:
    claim = await desk.sent_back(tx, FIELD.ACCOUNT)
    stray = await refusal(desk.correct(tx, claim, level="5"))
    assert isinstance(stray, Invalid)
    assert (stray.code, stray.field) == ("correction.not_asked", "level")
    assert (await refusal(desk.correct(tx, claim))).code == "correction.nothing"
    account = NewAccount(desk.world.maker.card(), "王小二", desk.world.maker.bank_code())
    assert isinstance(await refusal(desk.correct(tx, claim, account=account)), Ineligible)
    mine = NewAccount(desk.world.maker.card(), desk.trainee.made.name, desk.world.maker.bank_code())
    for stranger in ((await desk.world.trainee(tx)).actor, desk.world.clerks[0], desk.reviewer):
        assert isinstance(await refusal(desk.correct(tx, claim, stranger, account=mine)), NotFound)
    malformed = NewAccount("123", desk.trainee.made.name, desk.world.maker.bank_code())
    assert (await refusal(desk.correct(tx, claim, account=malformed))).code == "account.length"
    assert (await desk.correct(tx, claim, account=mine)).status == "filed"
    assert (await refusal(desk.correct(tx, claim, account=mine))).code == "wrong_status"


async def test_an_institution_corrects_what_it_filed(tx: Tx, world: World) -> None:
    claim = await world.through_institution(tx)
    reviewer = world.staff[Post.REVIEWER]
    desk = Desk(world, world.here, reviewer, await world.trainee(tx))
    await move_claim(tx, ClaimAction.QUESTION, claim.id, By("tests", world.now))
    await send_back(tx, reviewer, claim.id, faults(FIELD.CERTIFICATE_NUMBER), world.today, world.now)
    number = world.maker.certificate("4", world.today.year)
    assert isinstance(await refusal(desk.correct(tx, claim, world.clerks[1], certificate_number=number)), NotFound)
    mended = await desk.correct(tx, claim, world.clerks[0], certificate_number=number)
    assert (mended.status, mended.channel) == ("filed", "institution")
    assert (await journal_of(tx, "claim", claim.id))[-1].actor_name == "clerk"


async def test_a_claim_that_nobody_corrects_lapses_and_may_be_filed_anew(tx: Tx, desk: Desk) -> None:
    claim, world = await desk.sent_back(tx, FIELD.LEVEL), desk.world
    assert claim.to_do is not None
    due = claim.to_do.due_on
    assert due is not None
    await lapse_portion(tx, due, world.now)
    assert (await stored(tx, claim)).status == "sent_back"
    world.today, world.now = due + timedelta(days=1), world.now + timedelta(days=60)
    assert (await refusal(desk.correct(tx, claim, level="5"))).code == "correction.too_late"
    await lapse_portion(tx, world.today, world.now)
    assert (await stored(tx, claim)).status == "lapsed"
    assert (await journal_of(tx, "claim", claim.id))[-1].actor_name == "claims.lapse_sent_back"
    assert await figures(tx, desk.district) == {("shortage", "4"): (1, claim.amount_fen)}
    assert (await refusal(desk.correct(tx, claim, level="5"))).code == "wrong_status"
    assert (await world.claim(tx, trainee=desk.trainee, district=desk.district)).status == "filed"


async def test_a_mandate_that_was_taken_back_files_nothing_more(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    mandate_id = await world.mandate(tx, world.clerks[0], trainee)
    assert await revoke_mandate(tx, trainee.actor, mandate_id, "", world.today, world.now) == []
    new = world.new_claim(trainee, mandate_id=mandate_id, district=None)
    refused = await refusal(file_claim(tx, world.clerks[0], new, world.today, world.now))
    assert "mandate.not_in_force" in str(refused.facts)


async def test_what_was_filed_after_a_claim_does_not_outrank_it(tx: Tx, desk: Desk) -> None:
    """A higher level that was claimed meanwhile is no earlier claim."""
    claim = await desk.sent_back(tx, FIELD.CERTIFICATE_NUMBER)
    desk.world.today += timedelta(days=1)
    third = desk.world.maker.certificate("3", desk.world.today.year)
    await desk.world.claim(tx, trainee=desk.trainee, level="3", certificate_number=third)
    number = desk.world.maker.certificate("4", desk.world.today.year)
    assert (await desk.correct(tx, claim, certificate_number=number)).status == "filed"
