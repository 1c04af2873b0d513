"""The occupation that a code means now."""

from collections.abc import Collection

from sqlalchemy import func, select

from service.catalog.tables import AliasRow, CatalogItemRow
from service.database import Tx


async def canonical_codes(tx: Tx, codes: Collection[str]) -> dict[str, str]:
    """Code as it was given → canonical occupation; without an entry, no edition of the catalog has it."""
    canonical = func.coalesce(AliasRow.canonical, CatalogItemRow.code)
    known = await tx.execute(
        select(func.coalesce(CatalogItemRow.code, ""), canonical)
        .outerjoin(AliasRow, AliasRow.code == CatalogItemRow.code)
        .where((CatalogItemRow.code.in_(codes)) | (AliasRow.canonical.in_(codes)))
        .distinct()
    )
    found: dict[str, str] = {}
    for code, meant in known:
        found |= dict.fromkeys((code, meant), meant)
    return found
