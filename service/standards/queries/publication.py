"""All amounts in force on a day, as they are published."""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256

from sqlalchemy import Date, func, literal, select

from domain.level import LEVELS
from domain.money import fen_display
from service.catalog.tables import CatalogItemRow, EditionRow
from service.database import Tx
from service.gateways.publication_files import as_csv, as_workbook
from service.gateways.sheet_files import CSV_TYPE, XLSX_TYPE
from service.standards.tables import StandardRow, StandardSetRow

_HEADING = ("职业编码", "名称", "等级", "补贴标准（元）", "出处", "说明")
_SAMPLE = "示例，不是本市公布的标准"
#: Media types by the suffix of the file's name.
DOWNLOADS = {"csv": CSV_TYPE, "xlsx": XLSX_TYPE}


async def standards_file(tx: Tx, on: date, suffix: str) -> tuple[bytes, str]:
    """The file, and a tag that is another where an amount is; without standards on that day only its heading."""
    rows = await _rows(tx, on)
    content = as_csv(_HEADING, rows) if suffix == "csv" else as_workbook(_HEADING, {"补贴标准": rows})
    return content, sha256(repr(rows).encode()).hexdigest()[:32]


async def _rows(tx: Tx, on: date) -> Sequence[tuple[str, ...]]:
    """By occupation, then from the lowest level; named as the edition of that day names it first."""
    row, of, item, edition = StandardRow, StandardSetRow, CatalogItemRow, EditionRow
    named = (
        select(item.code, func.min(item.name).label("name"))
        .join(edition, edition.id == item.edition_id)
        .where(edition.in_force.contains(on))
        .group_by(item.code)
        .subquery()
    )
    found = await tx.execute(
        select(row.occupation, func.coalesce(named.c.name, ""), row.level, row.amount_fen, of.source, row.sample)
        .join(of, of.id == row.set_id)
        .outerjoin(named, named.c.code == row.occupation)
        .where(row.in_force.op("@>")(literal(on, Date)))
    )
    ordered = sorted(found, key=lambda each: (each[0], LEVELS[each[2]].rank))
    return [
        (code, name, LEVELS[level].name, fen_display(amount_fen), source, _SAMPLE if sample else "")
        for code, name, level, amount_fen, source, sample in ordered
    ]
