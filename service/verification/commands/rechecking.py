"""A certificate that was good is asked about again: what is revoked stops its claim, or is owed back."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from domain.claim import ClaimAction, ClaimStatus
from domain.period import add_months
from domain.verification import Outcome, Question
from service.claims.commands.moves import move_claims
from service.claims.tables import ClaimRow
from service.database import Tx
from service.gateways.certificate_registry import Reply
from service.jobs import owe_all
from service.journal import By
from service.policies.queries import parameters
from service.queue import Job
from service.verification.commands import keep_answers
from service.verification.queries.manual import genuine_by_hand
from service.verification.queries.rechecks import ASKED_AGAIN, due_again

#: An answer is good for this long.
GOOD_FOR = timedelta(days=30)

_ON_THEIR_WAY = (ClaimStatus.VERIFIED, ClaimStatus.APPROVED, ClaimStatus.NOTICED, ClaimStatus.PAYABLE)
_PAST = (ClaimStatus.BATCHED, ClaimStatus.PAID)


async def owe_rechecks(tx: Tx, today: date, now: datetime) -> int:
    """Owe a portion of the askings that are due; how many. A city that has not set for how long asks about none."""
    months = (await parameters(tx, today)).get("certificate_recheck_months")
    if months is None:
        return 0
    due = await due_again(tx, str(Job.RECHECK_CERTIFICATE), add_months(today, -months), now - GOOD_FOR)
    await owe_all(tx, Job.RECHECK_CERTIFICATE, due)
    return len(due)


async def settle_rechecks(
    tx: Tx, claim_ids: Sequence[UUID], asked: Mapping[UUID, Question], reply: Reply, by: By
) -> list[UUID]:
    """Keep what a registry says now; what is revoked is as `note_revoked` says. A claim on its way of which the
    registry suddenly knows nothing, or something else, is before an officer again, unless persons found it genuine.

    Answered are claims that are to be asked about again, as by `settle_checks`.
    """
    results, unanswered = await keep_answers(tx, claim_ids, asked, reply, ASKED_AGAIN)
    said = {claim_id: result.outcome for claim_id, result in results.items()}
    await note_revoked(tx, [each for each, outcome in said.items() if outcome is Outcome.REVOKED], by)
    await _question_others(tx, said, by)
    return unanswered


async def note_revoked(tx: Tx, claim_ids: Sequence[UUID], by: By) -> None:
    """Stop claims of which a kept reply says that the certificate is revoked: before an officer again, or owed: who
    does that job takes them out of a batch, or raises a clawback of what is paid."""
    if not claim_ids:
        return
    row = ClaimRow
    locked = select(row.id, row.status).where(row.id.in_(claim_ids)).order_by(row.id).with_for_update()
    statuses = {each.id: each.status for each in await tx.execute(locked)}
    await move_claims(tx, ClaimAction.QUESTION, list(statuses), by, reason=f"registry.{Outcome.REVOKED}")
    await owe_all(tx, Job.RAISE_CLAWBACK, [each for each, status in statuses.items() if status in _PAST])


async def _question_others(tx: Tx, said: Mapping[UUID, Outcome], by: By) -> None:
    doubted = [each for each, outcome in said.items() if outcome not in (Outcome.FOUND, Outcome.REVOKED)]
    if not doubted:
        return
    row = ClaimRow
    on_their_way = select(row.id).where(row.id.in_(doubted), row.status.in_(_ON_THEIR_WAY))
    moving = set((await tx.execute(on_their_way)).scalars()) - await genuine_by_hand(tx, doubted)
    for outcome in {said[each] for each in moving}:
        ids = sorted(each for each in moving if said[each] is outcome)
        await move_claims(tx, ClaimAction.QUESTION, ids, by, reason=f"registry.{outcome}")
