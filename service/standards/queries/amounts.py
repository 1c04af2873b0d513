"""Which amounts are in force."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import Date, Text, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from domain.level import LEVELS
from service.catalog.tables import AliasRow
from service.database import Tx
from service.standards.schemas import StandardView
from service.standards.tables import StandardRow, StandardSetRow


async def standards_on(tx: Tx, occupation: str, on: date) -> list[StandardView]:
    """Every level's amount for an occupation (old codes are followed to the canonical one), lowest level first."""
    return (await ladders_on(tx, [occupation], on)).get(occupation, [])


async def ladders_on(tx: Tx, occupations: Collection[str], on: date) -> dict[str, list[StandardView]]:
    """The same for many occupations in one statement, by the code that was asked; without any amount, no key."""
    asked = func.unnest(cast(list(occupations), ARRAY(Text))).table_valued("code", name="asked").render_derived()
    row, of = StandardRow, StandardSetRow
    rows = await tx.execute(
        select(asked.c.code, row.occupation, row.level, row.amount_fen, row.sample, of.source, row.derivation)
        .select_from(asked)
        .outerjoin(AliasRow, AliasRow.code == asked.c.code)
        .join(row, row.occupation == func.coalesce(AliasRow.canonical, asked.c.code))
        .join(of, of.id == row.set_id)
        .where(row.in_force.op("@>")(literal(on, Date)))
    )
    found: dict[str, list[StandardView]] = {}
    for code, *told in rows:
        found.setdefault(code, []).append(StandardView.of(*told))
    return {code: sorted(views, key=lambda view: LEVELS[view.level].rank) for code, views in found.items()}
