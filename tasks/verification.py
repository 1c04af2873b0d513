"""Answers for the certificates of filed claims: from the registry's files, or by asking it, many in one call."""

from collections.abc import Mapping, Sequence
from functools import cache
from uuid import UUID

from domain.errors import Unavailable
from service.clock import now
from service.database import transaction
from service.gateways.asking import new_client
from service.gateways.certificate_registry import CertificateRegistry, HttpRegistry, Reply
from service.queue import Job
from service.settings import settings
from service.verification.commands import settle_checks
from service.verification.commands.calls import note_answer, note_silence, take_leave
from service.verification.commands.files import owe_checks
from service.verification.queries import questions
from service.verification.queries.files import replies_on_file
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
    """Answer from the registry's files what stands there; ask about the rest, with no transaction open; settle.

    What the registry leaves unanswered, or cannot be asked now, stays owed and counts no attempt.
    """
    async with transaction() as tx:
        asked = await questions(tx, owed.subjects)
        replies = await replies_on_file(tx, {question.number for question in asked.values()}, now())
    on_file = {number for reply in replies for number in reply.entries}
    rest = {claim_id: question.number for claim_id, question in asked.items() if question.number not in on_file}
    if rest:
        replies += await _ask_or_postpone(owed, registry, rest)
    async with owed.settle() as (tx, claim_ids):
        open_still = claim_ids if replies else []
        for reply in replies:
            open_still = await settle_checks(tx, open_still, asked, reply, now())
        for claim_id in open_still:
            owed.postpone(claim_id, "registry.ask_again")


async def _ask_or_postpone(owed: Owed, registry: CertificateRegistry, numbers: Mapping[UUID, str]) -> list[Reply]:
    """The registry's reply about these claims' certificates; none where it gave none."""
    try:
        reply = await _ask(registry, list(numbers.values()))
    except Unavailable as silence:
        for claim_id in numbers:
            owed.postpone(claim_id, silence.code, silence.facts.get("seconds", 0))
        return []
    for claim_id, number in numbers.items():
        if number in reply.unanswered:
            owed.postpone(claim_id, "registry.unanswered")
    return [reply]


async def _ask(registry: CertificateRegistry, numbers: Sequence[str]) -> Reply:
    """Unavailable also while the registry is left alone, or has been asked as often as was agreed."""
    async with transaction() as tx:
        leave = await take_leave(tx, registry.source)
    try:
        reply = await registry.look_up(numbers)
    except Unavailable as silence:
        async with transaction() as tx:
            await note_silence(tx, registry.source, leave, silence.facts["reason"])
        raise
    if leave.troubled:
        async with transaction() as tx:
            await note_answer(tx, registry.source)
    return reply


@job(Job.SETTLE_FILE)
async def settle_files(owed: Owed) -> None:
    """Owe the check of every claim that waits and stands in a file that was confirmed: it is answered from there."""
    async with owed.settle() as (tx, file_ids):
        for file_id in file_ids:
            await owe_checks(tx, file_id)
