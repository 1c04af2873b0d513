"""Find institutions."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from domain.identity import CreditCode
from service.database import Tx
from service.institutions.tables import InstitutionRow


@dataclass(frozen=True)
class Institution:
    """As far as its clerks need it."""

    id: UUID
    name: str
    district: str


async def institution_with(tx: Tx, code: CreditCode) -> Institution | None:
    """The institution with this unified social credit code."""
    row = InstitutionRow
    found = await tx.execute(select(row.id, row.name, row.district).where(row.credit_code == code.code))
    one = found.one_or_none()
    return Institution(*one) if one else None
