"""Load sample standards: one amount for each occupation and level that the catalog names."""

from collections import defaultdict
from typing import Any
from uuid import uuid4

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import Range

from domain.level import LEVELS, schemes_for
from domain.standard import form_amount
from service.catalog.tables import AliasRow, CatalogItemRow
from service.database import Tx
from service.standards.tables import StandardRow


async def load_sample_standards(tx: Tx, sample: dict[str, Any]) -> int:
    """Form and store the amounts of `data/standards-sample.toml` for every canonical occupation without any."""
    canonical = func.coalesce(AliasRow.canonical, CatalogItemRow.code)
    rows = await tx.execute(
        select(canonical, CatalogItemRow.list_kind)
        .outerjoin(AliasRow, AliasRow.code == CatalogItemRow.code)
        .where(CatalogItemRow.code.is_not(None), canonical.not_in(select(StandardRow.occupation)))
        .distinct()
    )
    lists: dict[str, set[str]] = defaultdict(set)
    for occupation, kind in rows:
        lists[occupation].add(kind)
    standards = [
        _standard(occupation, level, lists[occupation], yuan, sample)
        for occupation in sorted(lists)
        for level, yuan in sample["base_yuan"].items()
        if LEVELS[level].scheme in schemes_for(occupation)
    ]
    if standards:
        await tx.execute(insert(StandardRow), standards)
    return len(standards)


def _standard(occupation: str, level: str, lists: set[str], base_yuan: int, sample: dict[str, Any]) -> dict[str, Any]:
    formed = form_amount(base_yuan * 100, sample["on_top_percent"], lists)
    return {
        "id": uuid4(),
        "occupation": occupation,
        "level": level,
        "amount_fen": formed.amount_fen,
        "in_force": Range(sample["from"], None, bounds="[)"),
        "sample": True,
        "derivation": dict(formed.derivation),
        "source": sample["source"],
    }
