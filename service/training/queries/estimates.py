"""What a class will cost: its places, at the amount of the standard of its first day."""

from uuid import UUID

import msgspec
from sqlalchemy import select

from domain.money import Fen
from domain.training import Facts
from service.database import Tx
from service.standards.tables import StandardRow
from service.training.queries.plans import Plan, stored_plan
from service.training.tables import ClassRow


async def estimate(tx: Tx, plan: Plan, facts: Facts) -> Fen:
    """As if everybody passed and belonged to no group that gets another amount."""
    assert facts.standard is not None, "a class that is granted has a standard"
    row = StandardRow
    asked = select(row.amount_fen).where(row.id == UUID(facts.standard.id))
    return len(plan.trainees) * int((await tx.execute(asked)).scalar_one())


async def stored_estimate(tx: Tx, class_id: UUID) -> Fen | None:
    """The same for a class that is stored; None where no standard holds for it. NotFound `class.not_found`."""
    plan, row = await stored_plan(tx, class_id), ClassRow
    decision = (await tx.execute(select(row.decision).where(row.id == class_id))).scalar_one()
    facts = msgspec.convert(decision["facts"], Facts)
    return None if facts.standard is None else await estimate(tx, plan, facts)
