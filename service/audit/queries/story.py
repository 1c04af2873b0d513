"""The whole story of one claim: what was decided by which rule, then who did what, when, on which evidence."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.actor import Actor
from domain.identity import mask_name
from service.audit.schemas import StepView, StoryView
from service.claims.queries.views import claim_view
from service.crypto import keyring
from service.database import Tx
from service.wording import wording, words

#: What the journal says of the claim, of each attempt to pay it, and of the batches and notices it stood in.
_JOURNAL = text("""
    WITH attempt AS (SELECT id, batch_id FROM payment_attempts WHERE claim_id = :claim),
         told (kind, id) AS (
      SELECT 'claim', CAST(:claim AS uuid)
      UNION ALL SELECT 'attempt', id FROM attempt
      UNION ALL SELECT kind, batch_id FROM attempt, unnest(ARRAY['batch', 'treasury_transfer', 'bank_file']) AS kind
      UNION ALL SELECT 'attempt_decision', id FROM attempt
      UNION ALL SELECT 'claim_hold', id FROM claim_holds WHERE claim_id = :claim
      UNION ALL SELECT 'claim_objection', id FROM claim_objections WHERE claim_id = :claim
      UNION ALL SELECT 'claim_appeal', id FROM claim_appeals WHERE claim_id = :claim
      UNION ALL SELECT kind, id FROM clawbacks, unnest(ARRAY['clawback', 'clawback_waiver']) AS kind
                 WHERE claim_id = :claim
      UNION ALL SELECT 'amount_appeal', id FROM amount_appeals WHERE claim_id = :claim
      UNION ALL SELECT 'claim_supplement', id FROM claim_supplements WHERE claim_id = :claim
      UNION ALL SELECT 'manual_check', id FROM manual_checks WHERE claim_id = :claim
      UNION ALL SELECT 'notice', notice_id FROM notice_lines WHERE claim_id = :claim)
    SELECT DISTINCT ON (j.id) j.id, j.at, j.subject_kind, j.action, j.after, j.reason, j.actor_name,
           p.id AS person_id, p.name_sealed
      FROM told JOIN journal j ON j.subject_kind = told.kind AND j.subject_id = told.id
      LEFT JOIN people p ON p.id = j.actor_person_id
     ORDER BY j.id
""")
_REPLIES = text("""
    SELECT received_at AS at, outcome, detail FROM registry_replies WHERE claim_id = :claim
     ORDER BY received_at
""")
_RETURNS = text("""
    SELECT f.received_at AS at, f.file_id, l.line_no, l.reference, l.amount_fen, l.code
      FROM return_lines l JOIN return_files f ON f.id = l.return_file_id
      JOIN payment_attempts a ON a.id = l.attempt_id
     WHERE a.claim_id = :claim ORDER BY f.received_at, l.line_no
""")

#: What a journal row may hold to check it by, and how that is said.
_FACTS = {
    "reference": "evidence.reference",
    "content_hash": "evidence.content",
    "voucher": "evidence.voucher",
    "sha256": "evidence.sha256",
    "closes_on": "evidence.closes_on",
}

#: Lists of reasons in the wording, of which journal rows keep the code.
_LISTS = ("reason", "result", "fault", "hold", "rejection", "ground", "finding")


async def story_of(tx: Tx, me: Actor, claim_id: UUID) -> StoryView:
    """The claim, its decision recomputed from the stored facts, and every step in order of time.

    NotFound `claim.not_found` for a claim that is not `me`'s to see.
    """
    claim = await claim_view(tx, me, claim_id)
    asked = {"claim": claim_id}
    steps = [_step(row) for row in await tx.execute(_JOURNAL, asked)]
    steps += [_reply(row) for row in await tx.execute(_REPLIES, asked)]
    steps += [_return(row) for row in await tx.execute(_RETURNS, asked)]
    return StoryView(claim, sorted(steps, key=lambda each: each.at))


def _step(row: Any) -> StepView:
    who = words(f"by.{row.actor_name}" if f"by.{row.actor_name}" in wording() else f"post.{row.actor_name}")
    if row.person_id is not None:
        who = f"{who} {mask_name(keyring().open(row.name_sealed, row.person_id))}"
    what = words(f"story.{row.subject_kind}.{row.action}")
    return StepView(row.at, who, what, list(_evidence(row.after, row.reason)))


def _evidence(after: dict[str, Any], reason: str) -> Iterator[str]:
    """What the step left to check it by."""
    if reason:
        yield " ".join(_in_words(part) for part in reason.split())
    yield from (words(code, after) for fact, code in _FACTS.items() if fact in after)
    if "evidence_sha256" in after:
        yield words("evidence.decision", {**after, "outcome": f"result.{after['outcome']}"})
    if after.get("failure"):
        yield words("evidence.result", {"result": after["failure"]})


def _in_words(part: str) -> str:
    """A code of a list of reasons, of a bank's result or of its own; else what somebody wrote."""
    codes = (*(f"{each}.{part}" for each in _LISTS), part)
    return next((words(code) for code in codes if code in wording()), part)


def _reply(row: Any) -> StepView:
    differing = [words(f"registry_field.{each}") for each in row.detail["fields"]]
    evidence = [words("evidence.differs", {"fields": differing})] if differing else []
    return StepView(row.at, words("by.registry"), words(f"registry.{row.outcome}"), evidence)


def _return(row: Any) -> StepView:
    what = words("story.return_line", {"amount_fen": row.amount_fen, "result": row.code})
    place = {"file_id": row.file_id, "line_no": row.line_no, "reference": row.reference}
    return StepView(row.at, words("by.bank"), what, [words("evidence.return_line", place)])
