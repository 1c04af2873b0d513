"""Answers for the certificates of claims: from the registry's files, or by asking it, many in one call; once more
later."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from uuid import UUID

from domain.claim import ClaimStatus
from domain.errors import Unavailable
from domain.verification import Question
from service.clock import now, today
from service.database import transaction
from service.gateways.asking import new_client
from service.gateways.certificate_registry import CertificateRegistry, HttpRegistry, Reply
from service.journal import By
from service.queue import Job, Sweep
from service.settings import settings
from service.verification.commands import settle_checks
from service.verification.commands.calls import note_answer, note_silence, take_leave
from service.verification.commands.files import owe_checks
from service.verification.commands.rechecking import owe_rechecks, settle_rechecks
from service.verification.queries import FILED, questions
from service.verification.queries.files import replies_on_file
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
    """Settle what the registry's files or the registry say.

    What the registry leaves unanswered, or cannot be asked now, stays owed and counts no attempt.
    """
    asked, replies = await _answers(owed, registry, FILED)
    async with owed.settle() as (tx, claim_ids):
        open_still = claim_ids if replies else []
        for reply in replies:
            open_still = await settle_checks(tx, open_still, asked, reply, now())
        for claim_id in open_still:
            owed.postpone(claim_id, "registry.ask_again")


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
    """As `check`, for claims that are filed no more. A file that knew nothing against a certificate is no news: only
    what it says is revoked is taken from there."""
    asked, replies = await _answers(owed, registry, ASKED_AGAIN, revoked_only=True)
    by = By(str(Job.RECHECK_CERTIFICATE), now())
    async with owed.settle() as (tx, claim_ids):
        open_still = claim_ids if replies else []
        for reply in replies:
            open_still = await settle_rechecks(tx, open_still, asked, reply, by)
        for claim_id in open_still:
            owed.postpone(claim_id, "registry.ask_again")


async def _answers(
    owed: Owed, registry: CertificateRegistry, statuses: Collection[ClaimStatus], *, revoked_only: bool = False
) -> tuple[dict[UUID, Question], list[Reply]]:
    """What was asked; and what stands in the files about it, then what the registry says about the rest, with no
    transaction open while it thinks."""
    async with transaction() as tx:
        asked = await questions(tx, owed.subjects, statuses)
        numbers = {question.number for question in asked.values()}
        replies = await replies_on_file(tx, numbers, now(), revoked_only=revoked_only)
    on_file = {number for reply in replies for number in reply.entries}
    rest = {claim_id: question.number for claim_id, question in asked.items() if question.number not in on_file}
    if rest:
        replies += await _ask_or_postpone(owed, registry, rest)
    return asked, replies


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
            await note_answer(tx, registry.source, leave)
    return reply


@job(Job.SETTLE_FILE)
async def settle_files(owed: Owed) -> None:
    """Owe the check of every claim that waits and stands in a file that was confirmed, and the recheck of every other
    that it says is revoked: both are answered from there."""
    async with owed.settle() as (tx, file_ids):
        for file_id in file_ids:
            await owe_checks(tx, file_id)
