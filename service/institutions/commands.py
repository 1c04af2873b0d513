"""Bring institutions into the catalog."""

from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import Range

from domain.identity import CreditCode
from service.database import Tx
from service.institutions.tables import InstitutionListingRow, InstitutionRow


async def list_institution(
    tx: Tx, credit_code: CreditCode, name: str, district: str, first: date, source: str, *, sample: bool = False
) -> UUID:
    """An institution that stands in the catalog from `first` on."""
    institution_id = uuid4()
    await tx.execute(
        insert(InstitutionRow).values(
            id=institution_id, credit_code=credit_code.code, name=name, district=district, sample=sample
        )
    )
    in_force: Range[date] = Range(first, None, bounds="[)")
    await tx.execute(
        insert(InstitutionListingRow).values(
            id=uuid4(), institution_id=institution_id, in_force=in_force, source=source
        )
    )
    return institution_id
