"""Which amounts are in force."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import Text, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from domain.level import LEVELS
from service.catalog.tables import AliasRow
from service.database import Tx
from service.standards.schemas import FormulaView, StandardView
from service.standards.tables import StandardRow


async def standards_on(tx: Tx, occupation: str, on: date) -> list[StandardView]:
    """Every level's amount for an occupation (old codes are followed to the canonical one), lowest level first."""
    return (await ladders_on(tx, [occupation], on)).get(occupation, [])


async def ladders_on(tx: Tx, occupations: Collection[str], on: date) -> dict[str, list[StandardView]]:
    """The same for many occupations in one statement, by the code that was asked; without any amount, no key."""
    asked = func.unnest(cast(list(occupations), ARRAY(Text))).table_valued("code", name="asked").render_derived()
    row = StandardRow
    rows = await tx.execute(
        select(asked.c.code, row.occupation, row.level, row.amount_fen, row.sample, row.source, row.derivation)
        .select_from(asked)
        .outerjoin(AliasRow, AliasRow.code == asked.c.code)
        .join(row, row.occupation == func.coalesce(AliasRow.canonical, asked.c.code))
        .where(row.in_force.contains(on))
    )
    found: dict[str, list[StandardView]] = {}
    for code, occupation, level, amount_fen, sample, source, formed in rows:
        view = StandardView.of(occupation, level, amount_fen, sample, source, FormulaView.of(formed))
        found.setdefault(code, []).append(view)
    return {code: sorted(views, key=lambda view: LEVELS[view.level].rank) for code, views in found.items()}


async def any_sample(tx: Tx, on: date) -> bool:
    """Whether amounts in force on that day are samples: whoever shows an amount then says so."""
    found = select(StandardRow.id).where(StandardRow.sample, StandardRow.in_force.contains(on)).limit(1)
    return (await tx.execute(found)).first() is not None
