"""Asks the registry about the certificates of filed claims, many in one call; and once more later."""

from collections.abc import Collection
from functools import cache
from uuid import UUID

from domain.claim import ClaimStatus
from domain.verification import Question
from service.clock import now, today
from service.database import transaction
from service.gateways.asking import new_client
from service.gateways.certificate_registry import CertificateRegistry, HttpRegistry, Reply
from service.journal import By
from service.queue import Job, Sweep
from service.settings import settings
from service.verification.commands import settle_checks
from service.verification.commands.rechecking import owe_rechecks, settle_rechecks
from service.verification.queries import FILED, questions
from service.verification.queries.rechecks import ASKED_AGAIN
from tasks.runtime import Owed, job, sweep


@cache
def _registry() -> CertificateRegistry:
    """One client a worker process: its connections belong to that process's loop."""
    return HttpRegistry(settings().registry_url, settings().registry_token, new_client())


@job(Job.VERIFY_CERTIFICATE)
async def verify_certificates(owed: Owed) -> None:
    """Verify the claims, or put them before an officer; without an answer the question stays owed."""
    await check(owed, _registry())


async def check(owed: Owed, registry: CertificateRegistry) -> None:
    """Ask with no transaction open, settle what was answered. Unavailable when the registry gave no answer at all."""
    asked, reply = await _ask(owed, registry, FILED)
    async with owed.settle() as (tx, claim_ids):
        if reply is not None:
            for claim_id in await settle_checks(tx, claim_ids, asked, reply, now()):
                owed.postpone(claim_id, "registry.ask_again")


async def _ask(
    owed: Owed, registry: CertificateRegistry, statuses: Collection[ClaimStatus]
) -> tuple[dict[UUID, Question], Reply | None]:
    """What was asked, and what was answered; None where nothing is left to ask."""
    async with transaction() as tx:
        asked = await questions(tx, owed.subjects, statuses)
    if not asked:
        return asked, None
    reply = await registry.look_up([question.number for question in asked.values()])
    for claim_id, question in asked.items():
        if question.number in reply.unanswered:
            owed.postpone(claim_id, "registry.unanswered")
    return asked, reply


@sweep(Sweep.ASK_AGAIN)
async def ask_again() -> None:
    """A portion of what was not asked about for long."""
    async with transaction() as tx:
        await owe_rechecks(tx, today(), now())


@job(Job.RECHECK_CERTIFICATE)
async def recheck_certificates(owed: Owed) -> None:
    """Ask about certificates that were good once more; silence says nothing against them."""
    await recheck(owed, _registry())


async def recheck(owed: Owed, registry: CertificateRegistry) -> None:
    """As `check`, for claims that are filed no more."""
    asked, reply = await _ask(owed, registry, ASKED_AGAIN)
    async with owed.settle() as (tx, claim_ids):
        if reply is not None:
            by = By(str(Job.RECHECK_CERTIFICATE), now())
            for claim_id in await settle_rechecks(tx, claim_ids, asked, reply, by):
                owed.postpone(claim_id, "registry.ask_again")
