"""What there is to ask the registry, and what it has answered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from domain.claim import ClaimStatus
from domain.verification import Outcome, Question
from service.catalog.tables import AliasRow, CatalogItemRow
from service.claims.tables import ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.people.tables import PersonRow
from service.verification.tables import RegistryReplyRow


async def questions(tx: Tx, claim_ids: Sequence[UUID], *, lock: bool = False) -> dict[UUID, Question]:
    """What each claim that is still filed says about its certificate; other claims have nothing to ask.

    `lock` keeps the claims from moving until `tx` ends. Occupation codes are canonical, '' for an item without one.
    """
    claim, item, person = ClaimRow, CatalogItemRow, PersonRow
    asked = (
        select(
            claim.id,
            claim.certificate_number,
            claim.certificate_issued_on,
            claim.level,
            func.coalesce(AliasRow.canonical, item.code, "").label("occupation"),
            claim.person_id,
            person.name_sealed,
            person.id_number_sealed,
        )
        .join(item, item.id == claim.item_id)
        .join(person, person.id == claim.person_id)
        .outerjoin(AliasRow, AliasRow.code == item.code)
        .where(claim.id.in_(claim_ids), claim.status == str(ClaimStatus.FILED))
        .order_by(claim.id)
    )
    keys = keyring()
    rows = await tx.execute(asked.with_for_update(of=claim) if lock else asked)
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
