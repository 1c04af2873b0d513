"""Who was turned away at the door."""

from sqlalchemy import func, select

from service.claims.tables import DoorRefusalRow
from service.database import transaction


async def turned_away(channel: str) -> int:
    """How often, in all, because they had claimed before."""
    async with transaction() as tx:
        row = DoorRefusalRow
        asked = select(func.count()).select_from(row).where(row.channel == channel, row.code == "claim.already_filed")
        return int((await tx.execute(asked)).scalar_one())
