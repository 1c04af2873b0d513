"""Asks the registry about the certificates of filed claims, many in one call."""

from functools import cache

from service.clock import now
from service.database import transaction
from service.gateways.asking import new_client
from service.gateways.certificate_registry import CertificateRegistry, HttpRegistry
from service.queue import Job
from service.settings import settings
from service.verification.commands import settle_checks
from service.verification.queries import questions
from tasks.runtime import Owed, job


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
    async with transaction() as tx:
        asked = await questions(tx, owed.subjects)
    if not asked:
        async with owed.settle():
            return  # no claim is filed any more: nothing is left to ask
    reply = await registry.look_up([question.number for question in asked.values()])
    for claim_id, question in asked.items():
        if question.number in reply.unanswered:
            owed.postpone(claim_id, "registry.unanswered")
    async with owed.settle() as (tx, claim_ids):
        for claim_id in await settle_checks(tx, claim_ids, asked, reply, now()):
            owed.postpone(claim_id, "registry.ask_again")
