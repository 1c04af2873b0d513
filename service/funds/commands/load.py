"""Load the funds there are."""

from sqlalchemy.dialects.postgresql import insert as upsert

from service.database import Tx
from service.funds.tables import FundRow


async def load_funds(tx: Tx, rows: list[dict[str, str]]) -> None:
    """Put the funds (`code`, `name`) in, or rename known ones."""
    for row in rows:
        there = upsert(FundRow).values(**row)
        await tx.execute(there.on_conflict_do_update(index_elements=["code"], set_={"name": there.excluded.name}))
