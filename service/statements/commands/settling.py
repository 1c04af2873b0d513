"""What a statement's lines do to payments: money that comes back, and the end of what the bank could not tell."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import insert

from domain.batch import AttemptAction
from domain.claim import ClaimAction
from domain.reconciliation import NOT_DEBITED
from domain.statement import Owner, Span
from service.batches.commands.moves import move_attempts, move_claims
from service.batches.queries import Batch, locked_batch
from service.database import Tx
from service.journal import By
from service.logs import log
from service.policies.queries import parameters, work_calendar
from service.reconciliation.commands.returns import settle_batch
from service.statements.commands.judging import Judged, Moving
from service.statements.queries.absent import Absent, absent_from
from service.statements.queries.naming import Account
from service.statements.tables import EvidenceRow

#: Bank → after how many working days a statement without a debit shows that a payment was not made.
SINGLY = "debits_singly"

_OUTCOMES = {Owner.PAYMENT: "paid", Owner.RETURN: "returned"}


async def settle(tx: Tx, statement_id: UUID, judged: Sequence[Judged], batches: Sequence[Batch], by: By) -> None:
    """Move the payments that lines give back or, where the bank could not tell, debit; then their claims."""
    acting = [(each, moving) for each in judged if (moving := each.attempt)]
    rows = [
        {"attempt_id": moving.id, "line_id": each.id, "outcome": _OUTCOMES[each.owned.owner]}
        for each, moving in acting
        if moving.unknown and each.owned.owner
    ]
    if rows:
        about = {"statement_id": statement_id, "shown_at": by.at}
        await tx.execute(insert(EvidenceRow), [{**row, **about} for row in rows])
    for owner, action, claim_action, failure in (
        (Owner.PAYMENT, AttemptAction.SUCCEED, ClaimAction.PAY, ""),
        (Owner.RETURN, AttemptAction.RETURN, ClaimAction.BOUNCE, "returned"),
    ):
        due = [each for line, each in acting if line.owned.owner is owner]
        await _move(tx, action, claim_action, due, failure, by)
    touched = {each.batch_id for _, each in acting}
    for batch in batches:
        if batch.id in touched:
            await settle_batch(tx, batch, True, by)


async def settle_absences(tx: Tx, statement_id: UUID, account: Account, span: Span, by: By) -> None:
    """Payments of which the bank could not tell, and of which its statements show up to the end of this one that they
    were not made: they failed. Only for banks that the policy `debits_singly` names: one that debits files in one sum
    shows of no payment by itself."""
    banks = (await parameters(tx, span.to_on)).get(SINGLY) or {}
    if not banks:
        return
    for batch_id in sorted({each.batch_id for each in await absent_from(tx, account.label, banks)}):
        batch = await locked_batch(tx, batch_id)
        shown = [
            (each, until)
            for each in await absent_from(tx, account.label, banks, batch_id)
            if (until := _until(each, banks)) <= span.to_on
        ]
        if shown:
            about = {"statement_id": statement_id, "outcome": "not_paid", "shown_at": by.at}
            rows = [{"attempt_id": each.id, "absent_until": until, **about} for each, until in shown]
            await tx.execute(insert(EvidenceRow), rows)
            gone = [each for each, _ in shown]
            await _move(tx, AttemptAction.FAIL, ClaimAction.BOUNCE, gone, NOT_DEBITED, by)
            await settle_batch(tx, batch, False, by)


def _until(absent: Absent, banks: Mapping[str, int]) -> date:
    return work_calendar().add(absent.sent_on, banks[absent.bank]).on


async def _move(
    tx: Tx,
    action: AttemptAction,
    claim_action: ClaimAction,
    moving: Sequence[Moving] | Sequence[Absent],
    failure: str,
    by: By,
) -> None:
    if not moving:
        return
    changes = {"failure": failure}
    await move_attempts(tx, action, [each.id for each in moving], by, reason="statement", changes=changes)
    moved = await move_claims(tx, claim_action, [each.claim_id for each in moving], by, reason=failure)
    if moved != len(moving):
        log.warning("claims_stayed", action=str(claim_action), count=len(moving) - moved)
