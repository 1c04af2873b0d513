"""What there is to ask the registry, and what it has answered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from domain.claim import ClaimStatus
from domain.eligibility import Verdict
from domain.verification import Outcome, Question
from service.catalog.tables import AliasRow
from service.crypto import keyring
from service.database import Tx
from service.verification.tables import RegistryReplyRow

FILED = (ClaimStatus.FILED,)

# Every message says these: written out, and with one array however many claims there are.
_QUESTIONS = """
    SELECT c.id, c.certificate_number, c.certificate_issued_on, c.level,
           coalesce(a.canonical, i.code, '') AS occupation, c.person_id, p.name_sealed, p.id_number_sealed
      FROM claims c
      JOIN catalog_items i ON i.id = c.item_id
      JOIN people p ON p.id = c.person_id
      LEFT JOIN occupation_aliases a ON a.code = i.code
     WHERE c.id = ANY (CAST(:claims AS uuid[])) AND c.status = ANY (CAST(:statuses AS text[]))
       AND c.kind = 'training'  -- no other has a certificate
     ORDER BY c.id
"""
_ASKED, _LOCKED = text(_QUESTIONS), text(f"{_QUESTIONS} FOR UPDATE OF c")


async def questions(
    tx: Tx, claim_ids: Sequence[UUID], statuses: Collection[ClaimStatus] = FILED, *, lock: bool = False
) -> dict[UUID, Question]:
    """What each claim that is still in one of `statuses` says about its certificate; others have nothing to ask.

    `lock` keeps the claims from moving until `tx` ends. Occupation codes are canonical, '' for an item without one.
    """
    keys = keyring()
    asked = {"claims": list(claim_ids), "statuses": [str(each) for each in statuses]}
    rows = await tx.execute(_LOCKED if lock else _ASKED, asked)
    return {
        row.id: Question(
            row.certificate_number,
            keys.open(row.name_sealed, row.person_id),
            keys.open(row.id_number_sealed, row.person_id),
            row.occupation,
            row.level,
            row.certificate_issued_on,
        )
        for row in rows
    }


# A word of a large document: it is read only of claims that the registry confirms.
_DOUBTFUL = text(f"""
    SELECT id FROM claims
     WHERE id = ANY (CAST(:claims AS uuid[])) AND decision ->> 'verdict' = '{Verdict.NEEDS_HUMAN}'
""")  # noqa: S608 (a word of our own)


async def needing_human(tx: Tx, claim_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those whose decision says that a person has to look."""
    return (
        frozenset((await tx.execute(_DOUBTFUL, {"claims": list(claim_ids)})).scalars()) if claim_ids else frozenset()
    )


async def canonical_codes(tx: Tx, codes: Collection[str]) -> dict[str, str]:
    """Those of `codes` that belong to an older classification → the occupation each means now."""
    rows = await tx.execute(select(AliasRow.code, AliasRow.canonical).where(AliasRow.code.in_(codes)))
    return {row.code: row.canonical for row in rows}


@dataclass(frozen=True)
class LatestReply:
    """How the last asking ended. `fields` differ, of `silent` the registry said nothing: names, never values."""

    outcome: Outcome
    fields: tuple[str, ...]
    silent: tuple[str, ...]
    source: str
    received_at: datetime


async def latest_reply(tx: Tx, claim_id: UUID) -> LatestReply | None:
    """The registry's last answer about a claim; None while it has given none. The asker's scope is the caller's."""
    row = RegistryReplyRow
    found = (
        await tx.execute(
            select(row.outcome, row.detail, row.source, row.received_at)
            .where(row.claim_id == claim_id)
            .order_by(row.received_at.desc(), row.id)
            .limit(1)
        )
    ).one_or_none()
    if found is None:
        return None
    detail = found.detail
    fields, silent = tuple(detail["fields"]), tuple(detail["silent"])
    return LatestReply(Outcome(found.outcome), fields, silent, found.source, found.received_at)
