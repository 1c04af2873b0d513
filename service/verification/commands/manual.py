"""An officer checks a certificate by hand, with evidence; above an amount another person must find the same."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from domain.actor import Actor, Post
from domain.claim import ClaimAction, ClaimStatus
from domain.errors import Conflict, Invalid, NotFound
from domain.manual_check import check_may_be_made, check_person, needs_second
from domain.text import public_words
from domain.verification import Outcome
from service.access.tables import UserRow
from service.claims.commands import review
from service.claims.commands.moves import move_claim
from service.claims.queries.barring import must_be_impartial
from service.claims.queries.care import in_district
from service.claims.schemas import ClaimView
from service.claims.tables import ClaimRow
from service.database import Tx
from service.gateways.file_store import must_be_document, store
from service.journal import By, record
from service.policies.queries import parameters
from service.verification.queries.manual import check_view, must_stand
from service.verification.schemas import CheckEvidenceView, ManualCheckView, NewManualCheck, NewSecondCheck
from service.verification.tables import CheckEvidenceRow, ManualCheckRow

EVIDENCE_MAX = 20


async def hand_in_evidence(
    tx: Tx, me: Actor, claim_id: UUID, media_type: str, data: bytes, now: datetime
) -> CheckEvidenceView:
    """Keep what a check of a claim of my district rests on; the same bytes once.

    NotFound `claim.not_found`; Forbidden as `must_be_impartial`; Invalid `document.…`; Conflict
    `document.too_many` (most).
    """
    me.must_hold(Post.REVIEWER)
    claim = await _locked(tx, me, claim_id)
    check_person(me.person_id, {claim.person_id, claim.filer})
    must_be_document(data, media_type, "body")
    row, digest = CheckEvidenceRow, await store(tx, data, now)
    known = set((await tx.execute(select(row.sha256).where(row.claim_id == claim_id))).scalars())
    if digest not in known:
        if len(known) >= EVIDENCE_MAX:
            raise Conflict("document.too_many", most=EVIDENCE_MAX)
        handed_in = {"handed_in_by": me.user_id, "handed_in_at": now}
        await tx.execute(insert(row).values(claim_id=claim_id, sha256=digest, media_type=media_type, **handed_in))
        by = By.actor(me, Post.REVIEWER, now)
        await record(tx, "check_evidence", [claim_id], "hand_in", by, [{"sha256": digest.hex()}])
    return CheckEvidenceView(digest.hex())


async def check_by_hand(
    tx: Tx, me: Actor, claim_id: UUID, new: NewManualCheck, today: date, now: datetime
) -> ManualCheckView:
    """A reviewer of the claim's district says what asking the issuing body came to. A claim that waits for a registry
    which says nothing is in review from now on.

    NotFound `claim.not_found`; Forbidden as `must_be_impartial`; Conflict `wrong_status`, `manual_check.too_early`,
    `manual_check.open`; Invalid `words.…`, `manual_check.no_evidence`.
    """
    me.must_hold(Post.REVIEWER)
    note = public_words(new.note, "note")
    claim = await _locked(tx, me, claim_id)
    check_person(me.person_id, {claim.person_id, claim.filer})
    policy, status = await parameters(tx, today), ClaimStatus(claim.status)
    check_may_be_made(status, claim.filed_on, policy.get("manual_check_after_days"), today)
    if await _open(tx, claim_id) is not None:
        raise Conflict("manual_check.open")
    digest = bytes.fromhex(new.evidence_sha256)
    await _must_be_handed_in(tx, claim_id, digest)
    by = By.actor(me, Post.REVIEWER, now)
    if status is ClaimStatus.FILED:
        await move_claim(tx, ClaimAction.QUESTION, claim_id, by, reason=f"registry.{Outcome.MANUAL}")
    second = needs_second(claim.amount_fen, policy.get("manual_check_second_from_fen"))
    check_id, told = uuid4(), {"finding": str(new.finding), "how": str(new.how)}
    who = {"checked_by": me.user_id, "checked_person": me.person_id, "checked_at": now}
    found = {"claim_id": claim_id, "note": note, "evidence_sha256": digest, "needs_second": second}
    await tx.execute(insert(ManualCheckRow).values(id=check_id, **told, **found, **who))
    noted = {**told, "claim_id": str(claim_id), "needs_second": second, "sha256": new.evidence_sha256}
    await record(tx, "manual_check", [check_id], "check", by, [noted], reason=note)
    return await check_view(tx, check_id)


async def confirm_check(tx: Tx, me: Actor, check_id: UUID, new: NewSecondCheck, now: datetime) -> ManualCheckView:
    """Another reviewer of the district says what they found; only the same settles it as genuine.

    NotFound `manual_check.not_found`; Forbidden as `must_be_impartial`, `manual_check.same_person`; Conflict
    `manual_check.settled`, and `wrong_status` once the claim is in review no more.
    """
    me.must_hold(Post.REVIEWER)
    row = ManualCheckRow
    asked = (
        select(row.claim_id).join(ClaimRow, ClaimRow.id == row.claim_id).where(row.id == check_id, in_district(me))
    )
    claim_id = (await tx.execute(asked)).scalar_one_or_none()
    if claim_id is None:
        raise NotFound("manual_check.not_found")
    claim = await _locked(tx, me, claim_id)
    check = (await tx.execute(select(row.__table__).where(row.id == check_id).with_for_update())).one()
    check_person(me.person_id, {claim.person_id, claim.filer}, check.checked_person)
    if not check.needs_second or check.second_at is not None:
        raise Conflict("manual_check.settled")
    if claim.status != ClaimStatus.IN_REVIEW:
        raise Conflict("wrong_status", noun="claim", status=claim.status, action="check_by_hand")
    told = {"second_finding": str(new.finding), "second_note": public_words(new.note, "note") if new.note else ""}
    who = {"second_by": me.user_id, "second_person": me.person_id, "second_at": now}
    await tx.execute(update(row).where(row.id == check_id).values(**told, **who))
    action = "confirm" if new.finding == check.finding else "differ"
    noted = {"second_finding": told["second_finding"]}
    by = By.actor(me, Post.REVIEWER, now)
    await record(tx, "manual_check", [check_id], action, by, [noted], reason=told["second_note"])
    return await check_view(tx, check_id)


async def approve_claim(tx: Tx, me: Actor, claim_id: UUID, note: str, now: datetime) -> ClaimView:
    """A reviewer approves a claim whose certificate the registry or persons found; refusals as for the review's."""
    await review.must_be_reviewable(tx, me, claim_id, now)
    status = (await tx.execute(select(ClaimRow.status).where(ClaimRow.id == claim_id).with_for_update())).scalar_one()
    if status == ClaimStatus.IN_REVIEW:
        await must_stand(tx, claim_id)
    return await review.approve_claim(tx, me, claim_id, note, now)


async def _locked(tx: Tx, me: Actor, claim_id: UUID) -> Any:
    """A claim of my district with the person who filed it. NotFound `claim.not_found`; Forbidden as
    `must_be_impartial`."""
    claim, user = ClaimRow, UserRow
    what = claim.status, claim.person_id, claim.amount_fen, claim.filed_on, user.person_id.label("filer")
    asked = select(*what).join(user, user.id == claim.filed_by).where(claim.id == claim_id, in_district(me))
    found = (await tx.execute(asked.with_for_update(of=claim))).one_or_none()
    if found is None:
        raise NotFound("claim.not_found")
    await must_be_impartial(tx, me, claim_id)
    return found


async def _open(tx: Tx, claim_id: UUID) -> UUID | None:
    row = ManualCheckRow
    asked = select(row.id).where(row.claim_id == claim_id, row.needs_second, row.second_at.is_(None))
    return (await tx.execute(asked)).scalar_one_or_none()


async def _must_be_handed_in(tx: Tx, claim_id: UUID, digest: bytes) -> None:
    row = CheckEvidenceRow
    if (await tx.execute(select(row.sha256).where(row.claim_id == claim_id, row.sha256 == digest))).first() is None:
        raise Invalid("manual_check.no_evidence", field="evidence_sha256")
