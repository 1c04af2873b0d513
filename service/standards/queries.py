"""Which amounts are in force."""

from datetime import date

from sqlalchemy import func, literal, select

from domain.level import LEVELS
from service.catalog.tables import AliasRow
from service.database import Tx
from service.standards.schemas import StandardView
from service.standards.tables import StandardRow


async def standards_on(tx: Tx, occupation: str, on: date) -> list[StandardView]:
    """Every level's amount for an occupation (old codes are followed to the canonical one), lowest level first."""
    canonical = func.coalesce(
        select(AliasRow.canonical).where(AliasRow.code == occupation).scalar_subquery(), literal(occupation)
    )
    row = StandardRow
    rows = await tx.execute(
        select(row.occupation, row.level, row.amount_fen, row.sample).where(
            row.occupation == canonical, row.in_force.contains(on)
        )
    )
    views = [StandardView.of(*each) for each in rows]
    return sorted(views, key=lambda view: LEVELS[view.level].rank)


async def any_sample(tx: Tx, on: date) -> bool:
    """Whether amounts in force on that day are samples: whoever shows an amount then says so."""
    found = select(StandardRow.id).where(StandardRow.sample, StandardRow.in_force.contains(on)).limit(1)
    return (await tx.execute(found)).first() is not None
