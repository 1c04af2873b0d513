"""Samples, for the demo and for tests: a set that nobody signed, which says so wherever it shows."""

from datetime import date
from typing import Any

from sqlalchemy import select

from domain.period import Period
from domain.standard import SetAction
from service.database import Tx
from service.journal import By
from service.standards.commands.proposing import Proposal, store
from service.standards.commands.publishing import put_in_force
from service.standards.queries.forming import edition_of
from service.standards.tables import StandardSetRow


async def load_samples(tx: Tx, by: By, sample: dict[str, Any], edition_on: date, today: date) -> bool:
    """Put the sample formula in force over the edition of a day, unless there are standards; whether it was done.

    The database refuses samples beside standards of the city.
    """
    if (await tx.execute(select(StandardSetRow.id).where(StandardSetRow.place.is_not(None)).limit(1))).first():
        return False
    edition_id, days = await edition_of(tx, edition_on), Period(sample["from"])
    facts = sample.get("facts", {})
    what = (sample["formula"], facts, sample["source"], sample.get("projects"))
    proposal = Proposal(days.first.year, days, edition_id, *what, sample=True)
    await put_in_force(tx, await store(tx, by, proposal, None), SetAction.LOAD, by, today)
    return True
