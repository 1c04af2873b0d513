"""What the journal tells of a claim: who did what, when, and what they left to check it by."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.identity import mask_name
from service.audit.schemas import StepView
from service.crypto import keyring
from service.database import Tx
from service.wording import wording, words

#: Of the claim, each attempt to pay it, the batches and notices it stood in, and the offer it came of.
_JOURNAL = text("""
    WITH attempt AS (SELECT id, batch_id FROM payment_attempts WHERE claim_id = :claim),
         told (kind, id) AS (
      SELECT kind, CAST(:claim AS uuid) FROM unnest(ARRAY['claim', 'claim_recusal', 'claim_unmasking',
                                                              'registry_asking']) AS kind
      UNION ALL SELECT 'attempt', id FROM attempt
      UNION ALL SELECT kind, batch_id FROM attempt, unnest(ARRAY['batch', 'treasury_transfer', 'bank_file']) AS kind
      UNION ALL SELECT 'attempt_decision', id FROM attempt
      UNION ALL SELECT 'claim_hold', id FROM claim_holds WHERE claim_id = :claim
      UNION ALL SELECT 'claim_objection', id FROM claim_objections WHERE claim_id = :claim
      UNION ALL SELECT 'claim_appeal', id FROM claim_appeals WHERE claim_id = :claim
      UNION ALL SELECT 'contract', contract_id FROM claims WHERE id = :claim
      UNION ALL SELECT 'project', project_id FROM claims WHERE id = :claim
      UNION ALL SELECT 'notice', notice_id FROM notice_lines WHERE claim_id = :claim
      UNION ALL SELECT 'offer', id FROM claim_offers WHERE claim_id = :claim
      UNION ALL SELECT kind, id
                  FROM clawbacks, unnest(ARRAY['clawback', 'clawback_waiver', 'clawback_enforcement',
                                               'clawback_repayment']) AS kind
                 WHERE claim_id = :claim
      UNION ALL SELECT 'account_check', id FROM account_checks WHERE claim_id = :claim
      UNION ALL SELECT 'amount_appeal', id FROM amount_appeals WHERE claim_id = :claim
      UNION ALL SELECT 'claim_supplement', id FROM claim_supplements WHERE :claim IN (claim_id, id)
      UNION ALL SELECT 'manual_check', id FROM manual_checks WHERE claim_id = :claim)
    SELECT DISTINCT ON (j.id) j.id, j.at, j.subject_kind, j.action, j.after, j.reason, j.actor_name,
           p.id AS person_id, p.name_sealed
      FROM told JOIN journal j ON j.subject_kind = told.kind AND j.subject_id = told.id
      LEFT JOIN people p ON p.id = j.actor_person_id
     ORDER BY j.id
""")
#: What a journal row may hold to check it by, and how that is said.
_FACTS = {
    "reference": "evidence.reference",
    "content_hash": "evidence.content",
    "voucher": "evidence.voucher",
    "sha256": "evidence.sha256",
    "document_sha256": "evidence.document",
    "closes_on": "evidence.closes_on",
}

#: Lists of reasons in the wording, of which journal rows keep the code.
_LISTS = ("reason", "result", "fault", "hold", "rejection", "ground", "finding", "unmask")


async def journalled(tx: Tx, claim_id: UUID) -> list[StepView]:
    """In the order in which it was written."""
    return [_step(row) for row in await tx.execute(_JOURNAL, {"claim": claim_id})]


def _step(row: Any) -> StepView:
    who = words(f"by.{row.actor_name}" if f"by.{row.actor_name}" in wording() else f"post.{row.actor_name}")
    if row.person_id is not None:
        who = f"{who} {masked(row)}"
    what = words(f"story.{row.subject_kind}.{row.action}")
    return StepView(row.at, who, what, list(_evidence(row.after, row.reason)))


def masked(person: Any) -> str:
    """The name of a row with `person_id` and `name_sealed`, as staff read it."""
    return mask_name(keyring().open(person.name_sealed, person.person_id))


def _evidence(after: dict[str, Any], reason: str) -> Iterator[str]:
    """What the step left to check it by."""
    if reason:
        yield " ".join(in_words(part) for part in reason.split())
    yield from (words(code, after) for fact, code in _FACTS.items() if fact in after)
    if "evidence_sha256" in after:
        yield words("evidence.decision", {**after, "outcome": f"result.{after['outcome']}"})
    if after.get("failure"):
        yield words("evidence.result", {"result": after["failure"]})


def in_words(part: str) -> str:
    """A code of a list of reasons, of a bank's result or of its own; else what somebody wrote."""
    codes = (*(f"{each}.{part}" for each in _LISTS), part)
    return next((words(code) for code in codes if code in wording()), part)
