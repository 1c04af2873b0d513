"""What the registry does not know, persons find out: with evidence, by two above an amount, never for themselves."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import insert, select

from domain.actor import Actor, Post
from domain.claim import ClaimAction
from domain.correction import Correctable
from domain.errors import DomainError
from domain.manual_check import Finding, How
from service.access.tables import DistrictRow
from service.audit.queries.checks import first_breach
from service.audit.queries.corrections import BY_HAND
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.audit.queries.story import story_of
from service.audit.queries.territory import TERRITORY
from service.claims.commands.correcting import correct_claim
from service.claims.commands.moves import move_claim
from service.claims.commands.sending_back import send_back
from service.claims.schemas import NewCorrection, NewFault, NewSendBack
from service.claims.tables import ClaimRow
from service.database import Tx, transaction
from service.journal import By
from service.verification.commands.manual import approve_claim, check_by_hand, confirm_check, hand_in_evidence
from service.verification.queries.manual import checked_by_hand, list_checks
from service.verification.schemas import ManualCheckView, NewManualCheck, NewSecondCheck
from tests.service.test_batches_http import client, desk
from tests.world import WELDER_LEVEL_4_FEN, Trainee, World

__all__ = ["client"]

LETTER = b"%PDF-1.7 the body that issued it writes: it is ours"
GENUINE, FALSE = NewSecondCheck(Finding.GENUINE), NewSecondCheck(Finding.NOT_GENUINE)


@dataclass
class Desk:
    """Two reviewers of a district of its own, and a claim there that waits for one of them."""

    world: World
    district: str
    first: Actor
    second: Actor
    trainee: Trainee
    claim_id: UUID

    @classmethod
    async def build(cls, tx: Tx, world: World, outcome: str | None = "mismatch", level: str = "4") -> "Desk":
        district = f"M{uuid4().hex[:10]}"
        await tx.execute(insert(DistrictRow).values(code=district, name="示例区", kind="district"))
        first, second = [await world.user(tx, {Post.REVIEWER}, district) for _ in range(2)]
        trainee = await world.trainee(tx)
        number = world.maker.certificate(level, world.today.year)
        about = {"district": district, "level": level, "certificate_number": number}
        claim = await world.claim(tx, "filed", trainee, **about)
        if outcome:
            await world.registered(tx, claim.id, outcome)
            await move_claim(tx, ClaimAction.QUESTION, claim.id, By("tests", world.now))
        return cls(world, district, first, second, trainee, claim.id)

    async def needs_second(self, tx: Tx, from_fen: int = WELDER_LEVEL_4_FEN) -> None:
        await self.world.set_policy(tx, "manual_check_second_from_fen", from_fen)

    async def check(self, tx: Tx, finding: Finding = Finding.GENUINE, me: Actor | None = None) -> ManualCheckView:
        me, now = me or self.first, self.world.now
        handed_in = await hand_in_evidence(tx, me, self.claim_id, "application/pdf", LETTER, now)
        new = NewManualCheck(finding, How.LETTER, "发证机构复函", handed_in.sha256)
        return await check_by_hand(tx, me, self.claim_id, new, self.world.today, now)

    async def approve(self, tx: Tx, me: Actor | None = None) -> str:
        return (await approve_claim(tx, me or self.first, self.claim_id, "", self.world.now)).status

    async def status(self, tx: Tx) -> str:
        return str((await tx.execute(select(ClaimRow.status).where(ClaimRow.id == self.claim_id))).scalar_one())


@pytest.fixture
async def office(tx: Tx, world: World) -> Desk:
    return await Desk.build(tx, world)


async def refusal(asked: Any) -> str:
    with pytest.raises(DomainError) as caught:
        await asked
    return caught.value.code


async def audited(tx: Tx) -> None:
    for promise in (BY_HAND, JOURNALLED, LEGAL_MOVES, TERRITORY):
        assert await first_breach(tx, promise.checks) is None


async def test_one_person_suffices_below_the_amount_and_only_then_it_is_approved(tx: Tx, office: Desk) -> None:
    await office.needs_second(tx, WELDER_LEVEL_4_FEN + 1)
    assert await refusal(office.approve(tx)) == "manual_check.needed"
    checked = await office.check(tx)
    assert (checked.open, checked.genuine, checked.how_name) == (False, True, "发函核实")
    assert await checked_by_hand(tx, [office.claim_id]) == {office.claim_id}
    assert await office.approve(tx) == "approved"
    told = [step.what for step in (await story_of(tx, office.trainee.actor, office.claim_id)).steps]
    assert "人工核验证书。" in told
    await audited(tx)


async def test_above_the_amount_another_person_must_find_the_same(tx: Tx, office: Desk) -> None:
    await office.needs_second(tx)
    checked = await office.check(tx)
    assert (checked.open, checked.genuine) == (True, None)
    assert not await checked_by_hand(tx, [office.claim_id])
    assert await refusal(office.approve(tx)) == "manual_check.needed"
    assert await refusal(office.check(tx, me=office.second)) == "manual_check.open"
    now = office.world.now
    assert await refusal(confirm_check(tx, office.first, checked.id, GENUINE, now)) == "manual_check.same_person"
    for stranger in (office.world.staff[Post.REVIEWER],):
        assert await refusal(confirm_check(tx, stranger, checked.id, GENUINE, now)) == "manual_check.not_found"
    confirmed = await confirm_check(tx, office.second, checked.id, GENUINE, now)
    assert (confirmed.open, confirmed.genuine) == (False, True)
    assert await refusal(confirm_check(tx, office.second, checked.id, GENUINE, now)) == "manual_check.settled"
    assert await office.approve(tx) == "approved"
    await audited(tx)


async def test_where_they_differ_nothing_is_genuine_and_it_may_be_checked_again(tx: Tx, office: Desk) -> None:
    await office.needs_second(tx)
    differing = await confirm_check(tx, office.second, (await office.check(tx)).id, FALSE, office.world.now)
    assert (differing.genuine, "不一致" in differing.message) == (False, True)
    assert await refusal(office.approve(tx)) == "manual_check.needed"
    office.world.now += timedelta(hours=1)
    again = await office.check(tx, me=office.second)
    await confirm_check(tx, office.first, again.id, GENUINE, office.world.now)
    assert await office.approve(tx) == "approved"
    assert len((await list_checks(tx, office.first, office.claim_id)).checks) == 2
    await audited(tx)


async def test_a_later_check_or_revocation_undoes_an_earlier_one(tx: Tx, office: Desk) -> None:
    await office.needs_second(tx, WELDER_LEVEL_4_FEN + 1)
    await office.check(tx)
    office.world.now += timedelta(hours=1)
    await office.check(tx, Finding.NOT_GENUINE)
    assert await refusal(office.approve(tx)) == "manual_check.needed"
    office.world.now += timedelta(hours=1)
    await office.check(tx)
    await office.world.registered(tx, office.claim_id, "revoked", office.world.now + timedelta(minutes=1))
    assert await refusal(office.approve(tx)) == "manual_check.needed"


async def test_what_was_checked_before_the_correction_says_nothing_of_what_was_corrected(
    tx: Tx, office: Desk
) -> None:
    world = office.world
    await office.needs_second(tx, WELDER_LEVEL_4_FEN + 1)
    await office.check(tx)
    world.now += timedelta(hours=1)
    faults = NewSendBack([NewFault("other", Correctable.CERTIFICATE_NUMBER)])
    await send_back(tx, office.first, office.claim_id, faults, world.today, world.now)
    mended = NewCorrection(certificate_number=world.maker.certificate("4", world.today.year))
    await correct_claim(tx, office.trainee.actor, office.claim_id, mended, world.today, world.now)
    world.now += timedelta(hours=1)
    await world.registered(tx, office.claim_id, "not_found")
    await move_claim(tx, ClaimAction.QUESTION, office.claim_id, By("tests", world.now))
    assert await refusal(office.approve(tx)) == "manual_check.needed"
    await office.check(tx)
    assert await office.approve(tx) == "approved"


async def test_a_silent_registry_is_waited_for_and_then_asked_around(tx: Tx, world: World) -> None:
    office = await Desk.build(tx, world, outcome=None)
    assert await refusal(office.check(tx)) == "manual_check.too_early"
    world.today += timedelta(days=10)
    world.now += timedelta(days=10)
    await office.needs_second(tx, WELDER_LEVEL_4_FEN + 1)
    await office.check(tx)
    assert await office.status(tx) == "in_review"
    assert await office.approve(tx) == "approved"
    await audited(tx)


async def test_nobody_checks_their_own_claim_or_without_evidence(tx: Tx, office: Desk) -> None:
    me = office.trainee.actor
    own = Actor(me.user_id, me.person_id, frozenset({Post.REVIEWER}), office.district)
    assert await refusal(office.check(tx, me=own)) == "claim.own"
    new = NewManualCheck(Finding.GENUINE, How.PHONE, "电话核实", "0" * 64)
    asked = check_by_hand(tx, office.first, office.claim_id, new, office.world.today, office.world.now)
    assert await refusal(asked) == "manual_check.no_evidence"
    assert await refusal(office.check(tx, me=office.world.staff[Post.REVIEWER])) == "claim.not_found"


async def test_what_the_registry_found_is_approved_as_ever(tx: Tx, world: World) -> None:
    office = await Desk.build(tx, world, outcome="found")
    assert await office.approve(tx) == "approved"


async def test_over_http_with_the_evidence_to_read(client: httpx.AsyncClient, committed: World) -> None:
    async with transaction() as tx:
        office = await Desk.build(tx, committed)
    first, second = [await desk(client, each) for each in (office.first, office.second)]
    path = f"/claims/{office.claim_id}"
    needed = (await first.post(f"{path}/approve", {"note": ""})).json()
    assert (needed["code"], "证书和登记库不一致" in needed["detail"]) == ("manual_check.needed", True)
    headers = {**first.headers, "Idempotency-Key": "evidence", "Content-Type": "application/pdf"}
    handed_in = await client.post(f"/api{path}/manual-check/evidence", content=LETTER, headers=headers)
    assert handed_in.status_code == 201
    sha256 = handed_in.json()["sha256"]
    new = {"finding": "genuine", "how": "letter", "note": "复函", "evidence_sha256": sha256}
    checked = (await first.post(f"{path}/manual-check", new)).json()
    assert checked["open"] is False
    assert (await second.get(f"{path}/manual-check/evidence/{sha256}")).content == LETTER
    assert (await second.get(f"{path}/manual-checks")).json()["checks"] == [checked]
    assert (await first.post(f"{path}/approve", {"note": ""})).json()["status"] == "approved"
