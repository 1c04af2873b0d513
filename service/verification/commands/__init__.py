"""Settle what the registry answered: one statement for the replies, one for each way a check ended."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import text

from domain.claim import ClaimAction, ClaimStatus
from domain.verification import CheckResult, Outcome, Question, RegistryEntry, compare
from service.claims.commands.moves import move_claims
from service.crypto import keyring
from service.database import Tx
from service.gateways.certificate_registry import Reply
from service.journal import By
from service.queue import Job
from service.verification.queries import FILED, canonical_codes, needing_human, questions

# One text and one plan however many replies there are: a VALUES list is composed anew for each number of rows, which
# took half of the worker's time.
_REPLIES = text("""
    INSERT INTO registry_replies (id, claim_id, outcome, detail, source, received_at, raw_sealed)
    SELECT id, claim_id, outcome, detail, CAST(:source AS text), CAST(:received_at AS timestamptz), raw_sealed
      FROM unnest(CAST(:ids AS uuid[]), CAST(:claims AS uuid[]), CAST(:outcomes AS text[]),
                  CAST(CAST(:details AS text[]) AS jsonb[]), CAST(:replies AS bytea[]))
           AS reply (id, claim_id, outcome, detail, raw_sealed)
""")


async def settle_checks(
    tx: Tx, claim_ids: Sequence[UUID], asked: Mapping[UUID, Question], reply: Reply, now: datetime
) -> list[UUID]:
    """Compare the reply with what each claim says, keep it, and move the claims: verified, or before an officer.

    A claim that is no longer filed is left alone. Answered are claims that are to be asked about again: what they
    say is no longer what was asked, or the reply says nothing about their number. The journal's reason is
    `registry.` and the outcome (`domain.verification.Outcome`); only `found` verifies, and of those claims the ones
    whose decision a person has to look at go before an officer too, for the reason `claim.needs_human`.
    """
    results, unanswered = await keep_answers(tx, claim_ids, asked, reply, FILED)
    if results:
        await _move(tx, results, By(str(Job.VERIFY_CERTIFICATE), now))
    return unanswered


async def keep_answers(
    tx: Tx,
    claim_ids: Sequence[UUID],
    asked: Mapping[UUID, Question],
    reply: Reply,
    statuses: Collection[ClaimStatus],
) -> tuple[dict[UUID, CheckResult], list[UUID]]:
    """Of the claims in these statuses, which stay locked: what the reply says of each that it answers, kept sealed;
    and those that it does not answer, or that no longer say what was asked."""
    current = await questions(tx, claim_ids, statuses, lock=True)
    answered = {
        claim_id: question
        for claim_id, question in current.items()
        if asked.get(claim_id) == question and question.number in reply.entries
    }
    results: dict[UUID, CheckResult] = {}
    if answered:
        results = await _compare_all(tx, answered, reply)
        await tx.execute(_REPLIES, _reply_rows(answered, results, reply))
    return results, [claim_id for claim_id in current if claim_id not in answered]


async def _compare_all(tx: Tx, answered: Mapping[UUID, Question], reply: Reply) -> dict[UUID, CheckResult]:
    """What the reply says of each claim that it answers."""
    told = {each.occupation_code for entries in reply.entries.values() for each in entries if each.occupation_code}
    aliases = await canonical_codes(tx, told)

    def today_s(entry: RegistryEntry) -> RegistryEntry:
        code = entry.occupation_code
        return replace(entry, occupation_code=aliases[code]) if code in aliases else entry

    return {
        claim_id: compare(question, [today_s(entry) for entry in reply.entries[question.number]])
        for claim_id, question in answered.items()
    }


async def _move(tx: Tx, results: Mapping[UUID, CheckResult], by: By) -> None:
    found = [claim_id for claim_id, result in results.items() if result.outcome is Outcome.FOUND]
    doubtful = await needing_human(tx, found)
    by_step: dict[tuple[ClaimAction, str], list[UUID]] = defaultdict(list)
    for claim_id, result in results.items():
        by_step[_step(result.outcome, claim_id in doubtful)].append(claim_id)
    for (action, reason), ids in by_step.items():
        await move_claims(tx, action, ids, by, reason=reason)


def _step(outcome: Outcome, needs_human: bool) -> tuple[ClaimAction, str]:
    """What becomes of a claim, and for which reason."""
    if outcome is not Outcome.FOUND:
        return ClaimAction.QUESTION, f"registry.{outcome}"
    return (ClaimAction.QUESTION, "claim.needs_human") if needs_human else (ClaimAction.VERIFY, "registry.found")


def _reply_rows(
    answered: Mapping[UUID, Question], results: Mapping[UUID, CheckResult], reply: Reply
) -> dict[str, Any]:
    """The rows of `registry_replies`, by column."""
    parts, keys = _parts(reply.raw), keyring()
    ids = [uuid4() for _ in answered]
    said = [results[claim_id] for claim_id in answered]
    details = [{"fields": result.fields, "silent": result.silent} for result in said]
    raw = [msgspec.json.encode(parts[question.number]) for question in answered.values()]
    return {
        "ids": ids,
        "claims": list(answered),
        "outcomes": [str(result.outcome) for result in said],
        "details": [msgspec.json.encode(detail).decode() for detail in details],
        "source": reply.source,
        "received_at": reply.received_at,
        "replies": [keys.seal(each, row_id) for row_id, each in zip(ids, raw, strict=True)],
    }


class _Rows(msgspec.Struct):
    rows: list[msgspec.Raw]


class _Numbered(msgspec.Struct):
    number: str


_ROWS, _NUMBERED = msgspec.json.Decoder(_Rows), msgspec.json.Decoder(_Numbered)


def _parts(raw: bytes) -> dict[str, list[msgspec.Raw]]:
    """Number → the rows of the reply about it, as they came: a claim's record holds nobody else's data."""
    parts: dict[str, list[msgspec.Raw]] = defaultdict(list)
    for row in _ROWS.decode(raw).rows:
        try:
            parts[_NUMBERED.decode(row).number].append(row)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # the gateway could not read this row either, and counted it as ignored
    return parts
