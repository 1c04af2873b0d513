"""What a class will cost: its places, at the amount of the standard of its first day."""

from uuid import UUID

from sqlalchemy import select

from domain.money import Fen
from domain.training import Facts
from service.database import Tx
from service.standards.tables import StandardRow
from service.training.queries.plans import Plan


async def estimate(tx: Tx, plan: Plan, facts: Facts) -> Fen:
    """As if everybody passed and belonged to no group that gets another amount."""
    assert facts.standard is not None, "a class that is granted has a standard"
    row = StandardRow
    asked = select(row.amount_fen).where(row.id == UUID(facts.standard.id))
    return len(plan.trainees) * int((await tx.execute(asked)).scalar_one())
