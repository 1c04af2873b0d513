"""Whether claims are still to be paid: when a batch is put together, and again before its maker signs. What fails
leaves, with its reasons, to whoever has to look at it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asyncpg import Record
from sqlalchemy import insert

from domain.agent_bank import BankTerms
from domain.claim import DEAD, ClaimAction
from domain.penalty import STANDING
from service.batches.commands.looking_again import look_again
from service.batches.commands.moves import ROWS_MAX, move_claims
from service.batches.queries import Batch
from service.batches.tables import LeftOutRow
from service.claims.commands.holds import hold_found
from service.claims.queries.looking_again import Finding
from service.clock import business_day
from service.crypto import keyring
from service.database import Tx, fetch
from service.gateways.bank_files import FORMS, holds
from service.journal import By, record
from service.oversight.commands.holding import hold_under
from service.verification.queries.rechecks import revoked_among


@dataclass(frozen=True)
class Failing:
    """A claim that is not to be paid as things stand. `reasons`: each a code and facts; `finding`: what a register
    has against it; `penalty_id`: under which its institution stands. With neither, a reviewer decides."""

    claim_id: UUID
    reasons: Sequence[Mapping[str, Any]]
    finding: Finding | None = None
    penalty_id: UUID | None = None


# Of persons who turned out to be one, another live claim for the same.
_DUPLICATES = """
    WITH mine AS (
      SELECT c.id, c.person_id, c.subsidy_key, c.level, c.once_in, p.merged_into
        FROM unnest($1::uuid[]) AS asked (id) JOIN claims c ON c.id = asked.id JOIN people p ON p.id = c.person_id
    ), kin AS (
      SELECT m.*, q.id AS other FROM mine m JOIN people q ON q.merged_into = m.person_id
       UNION ALL SELECT m.*, m.merged_into FROM mine m WHERE m.merged_into IS NOT NULL
       UNION ALL SELECT m.*, q.id FROM mine m JOIN people q ON q.merged_into = m.merged_into AND q.id <> m.person_id
    )
    SELECT DISTINCT k.id FROM kin k
      JOIN claims c ON c.person_id = k.other
       AND (c.subsidy_key, c.level, c.once_in) = (k.subsidy_key, k.level, k.once_in) AND c.status <> ALL ($2::text[])
"""
# The institution stands under a penalty that holds what is in flight, and nobody has let this claim go on under it.
_SANCTIONED = """
    SELECT DISTINCT ON (c.id) c.id, p.id AS penalty_id
      FROM unnest($1::uuid[]) AS asked (id) JOIN claims c ON c.id = asked.id
      JOIN penalties p ON p.institution_id = c.institution_id AND p.claims_in_flight = 'hold'
       AND p.status = ANY ($2::text[])
     WHERE NOT EXISTS (SELECT FROM penalty_holds k JOIN claim_holds h ON h.id = k.hold_id
                        WHERE k.penalty_id = p.id AND h.claim_id = c.id AND h.lifted_at IS NOT NULL)
     ORDER BY c.id, p.id
"""
# The bank sent money back from this account, or an institution's is another by now.
_ACCOUNTS = """
    WITH mine AS (
      SELECT c.id, c.person_id, c.payee_institution_id, c.account_id
        FROM unnest($1::uuid[]) AS asked (id) JOIN claims c ON c.id = asked.id
    ), bounced AS (
      SELECT c.id, c.account_id FROM mine m
        JOIN claims c ON c.person_id = m.person_id AND c.account_id = m.account_id AND c.status = 'bounced'
       WHERE m.payee_institution_id IS NULL
       UNION
      SELECT c.id, c.account_id
        FROM (SELECT DISTINCT payee_institution_id, account_id FROM mine WHERE payee_institution_id IS NOT NULL) m
        JOIN claims c ON c.institution_id = m.payee_institution_id AND c.account_id = m.account_id
       WHERE c.status = 'bounced'
    ), closed AS (
      SELECT DISTINCT b.account_id FROM bounced b
       WHERE (SELECT a.status = 'returned' OR a.failure = 'failed:permanent' FROM payment_attempts a
               WHERE a.claim_id = b.id AND a.status IN ('failed', 'returned') ORDER BY a.reference DESC LIMIT 1)
    ), now_paid AS (
      SELECT m.payee_institution_id,
             (SELECT p.id FROM institution_account_proposals p
                JOIN institution_account_answers k ON k.proposal_id = p.id AND k.answer = 'confirmed'
               WHERE p.institution_id = m.payee_institution_id AND p.first <= $2::date
               ORDER BY p.first DESC, k.answered_at DESC LIMIT 1) AS account_id
        FROM (SELECT DISTINCT payee_institution_id FROM mine WHERE payee_institution_id IS NOT NULL) m
    )
    SELECT m.id, c.account_id IS NOT NULL AS closed
      FROM mine m
      LEFT JOIN closed c ON c.account_id = m.account_id
      LEFT JOIN now_paid n ON n.payee_institution_id = m.payee_institution_id
     WHERE c.account_id IS NOT NULL OR n.account_id IS DISTINCT FROM m.account_id AND n.account_id IS NOT NULL
"""
# What their lines would say, a part at a time.
_CELLS = """
    SELECT c.id, a.id AS account_id, a.holder_sealed, a.number_sealed, a.bank_code
      FROM unnest($1::uuid[]) AS asked (id) JOIN claims c ON c.id = asked.id JOIN accounts a ON a.id = c.account_id
"""
_REVOKED = {"code": "registry.revoked", "facts": {}}


async def failing(tx: Tx, batch: Batch, step: str, claim_ids: Sequence[UUID], by: By) -> list[Failing]:
    """Those of locked claims that are not to be paid as things stand, each once: the certificate is revoked, another
    claim of the same human stands, the account is no more the payee's, the bank's form of file cannot hold the line,
    a sanction holds the institution's claims, or a register of today has something against it. A few statements for
    all of them."""
    found = {each: Failing(each, [_REVOKED]) for each in await revoked_among(tx, claim_ids)}

    def keep(rows: Sequence[Record], code: str) -> None:
        for row in rows:
            found.setdefault(
                row["id"], Failing(row["id"], [{"code": code, "facts": {}}], penalty_id=row.get("penalty_id"))
            )

    keep(await fetch(tx, _DUPLICATES, claim_ids, [str(status) for status in DEAD]), "batch.duplicate")
    accounts = await fetch(tx, _ACCOUNTS, claim_ids, business_day(by.at))
    keep([row for row in accounts if row["closed"]], "batch.account_closed")
    keep([row for row in accounts if not row["closed"]], "batch.account_replaced")
    keep(await _not_carried(tx, batch, claim_ids), "batch.not_carried")
    keep(await fetch(tx, _SANCTIONED, claim_ids, [str(status) for status in STANDING]), "batch.sanctioned")
    others = [each for each in claim_ids if each not in found] if found else claim_ids
    for finding in await look_again(tx, batch.id, step, others, by, keep=step == "assemble" or not found):
        found[finding.claim_id] = Failing(finding.claim_id, finding.stored, finding)
    return list(found.values())


async def _not_carried(tx: Tx, batch: Batch, claim_ids: Sequence[UUID]) -> list[Record]:
    """Those whose line the file of this batch's bank cannot hold: a name with a bar, or longer than the form allows.
    Signed by three, such a file could never be written."""
    form, keys, found = FORMS[BankTerms.read(batch.terms).format], keyring(), list[Record]()
    for start in range(0, len(claim_ids), ROWS_MAX):
        for each in await fetch(tx, _CELLS, claim_ids[start : start + ROWS_MAX]):
            cells = {
                "payee": keys.open(each["holder_sealed"], each["account_id"]),
                "account": keys.open(each["number_sealed"], each["account_id"]),
                "bank_code": each["bank_code"],
            }
            if not all(holds(form, cell, said) for cell, said in cells.items()):
                found.append(each)
    return found


async def stop_failing(tx: Tx, found: Sequence[Failing], by: By) -> None:
    """Payable claims go where somebody looks at them: under a hold for a register or a sanction, else to review."""
    await hold_found(tx, by, [each.finding for each in found if each.finding])
    under: dict[UUID, list[UUID]] = {}
    doubtful: dict[str, list[UUID]] = {}
    for each in found:
        if each.penalty_id is not None:
            under.setdefault(each.penalty_id, []).append(each.claim_id)
        elif each.finding is None:
            doubtful.setdefault(each.reasons[0]["code"], []).append(each.claim_id)
    for penalty_id, claim_ids in under.items():
        await hold_under(tx, penalty_id, claim_ids, by)
    for code, claim_ids in doubtful.items():
        await move_claims(tx, ClaimAction.QUESTION, sorted(claim_ids), by, reason=code)


async def keep_left_out(
    tx: Tx, batch_id: UUID, step: str, found: Sequence[Failing], references: Mapping[UUID, str], by: By
) -> None:
    """Who left a batch, why, and under which reference it had stood there."""
    rows = [
        {
            "batch_id": batch_id,
            "claim_id": each.claim_id,
            "step": step,
            "reference": references.get(each.claim_id),
            "reasons": [dict(reason) for reason in each.reasons],
            "left_at": by.at,
        }
        for each in found
    ]
    await tx.execute(insert(LeftOutRow), rows)
    left = [{"claim_id": str(each.claim_id), "codes": [reason["code"] for reason in each.reasons]} for each in found]
    await record(tx, "batch_left_out", [batch_id] * len(found), step, by, left)
