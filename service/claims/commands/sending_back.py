"""退回补正: name every fault of a claim once, to be mended until a day; whoever lets that pass may file anew."""

from datetime import date, datetime
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import insert, select

from domain.actor import Actor, Post
from domain.claim import CLAIM_LIFECYCLE, ClaimAction, ClaimKind, ClaimStatus
from domain.correction import Correctable
from domain.errors import Conflict, Invalid
from domain.text import must_hold_no_personal_number
from service.claims.commands.leases import give_back
from service.claims.commands.moves import move_claim, move_claims
from service.claims.commands.review import must_be_reviewable
from service.claims.queries.care import lock_for_officer
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimView, NewSendBack
from service.claims.tables import ClaimCorrectionRow, ClaimRow
from service.database import Tx
from service.journal import By
from service.policies.queries import deadline
from service.queue import Sweep
from service.wording import wording

#: Claims that lapse in one transaction.
LAPSED_MAX = 2_000


async def send_back(tx: Tx, me: Actor, claim_id: UUID, new: NewSendBack, today: date, now: datetime) -> ClaimView:
    """A reviewer sends a claim back with all its faults, to be mended within `correction_working_days`.

    Invalid `send_back.faults` for a fault that is not of the list, `send_back.account_of_enterprise`; refusals as for
    `must_be_reviewable`, and Conflict `wrong_status`, `policy.missing`, `send_back.nothing_to_mend` for a claim
    without a certificate.
    """
    unknown = [fault.code for fault in new.faults if f"fault.{fault.code}" not in wording()]
    if unknown:
        raise Invalid("send_back.faults", field="faults", unknown=unknown)
    for place, fault in enumerate(new.faults):
        must_hold_no_personal_number(fault.note, f"faults.{place}.note")
    await must_be_reviewable(tx, me, claim_id, now)
    claim = await lock_for_officer(tx, me, claim_id)
    CLAIM_LIFECYCLE.after(ClaimStatus(claim.status), ClaimAction.SEND_BACK)
    if claim.kind != ClaimKind.TRAINING:
        raise Conflict("send_back.nothing_to_mend")
    if claim.payee_institution_id and any(fault.field == Correctable.ACCOUNT for fault in new.faults):
        raise Invalid("send_back.account_of_enterprise", field="faults")
    due = await deadline(tx, "correction_working_days", today)
    asked = {
        "faults": msgspec.to_builtins(new.faults),
        "due_on": due.on,
        "provisional": due.provisional,
        "asked_by": me.user_id,
        "asked_at": now,
    }
    await tx.execute(insert(ClaimCorrectionRow).values(id=uuid4(), claim_id=claim_id, **asked))
    by, reason = By.actor(me, Post.REVIEWER, now), " ".join(fault.code for fault in new.faults)
    await move_claim(tx, ClaimAction.SEND_BACK, claim_id, by, reason=reason)
    await give_back(tx, [claim_id])
    return await claim_view(tx, me, claim_id)


async def lapse_portion(tx: Tx, today: date, now: datetime) -> bool:
    """End up to LAPSED_MAX claims whose day for corrections is past; whether there may be more.

    They stay in the figures of their filing day, and keep their persons from filing again no longer. A claim that is
    being corrected at this moment is passed by.
    """
    claim, wanted = ClaimRow, ClaimCorrectionRow
    overdue = await tx.execute(
        select(claim.id)
        .join(wanted, wanted.claim_id == claim.id)
        .where(claim.status == str(ClaimStatus.SENT_BACK), wanted.corrected_at.is_(None), wanted.due_on < today)
        .order_by(claim.id)
        .limit(LAPSED_MAX)
        .with_for_update(of=claim, skip_locked=True)
    )
    claim_ids = list(overdue.scalars())
    by = By(str(Sweep.LAPSE_SENT_BACK), now)
    await move_claims(tx, ClaimAction.LAPSE, claim_ids, by, reason="correction.too_late")
    return len(claim_ids) == LAPSED_MAX
