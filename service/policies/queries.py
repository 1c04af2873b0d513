"""Policy parameters in force on a day, and the official calendar of working days."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

from domain.workday import WorkCalendar
from service.database import Tx
from service.policies.tables import PolicyRow

DATA = Path(__file__).parents[2] / "data"


async def parameters(tx: Tx, on: date) -> dict[str, Any]:
    """Key → value of every parameter in force on that day."""
    rows = await tx.execute(select(PolicyRow.key, PolicyRow.value).where(PolicyRow.in_force.contains(on)))
    return {row.key: row.value for row in rows}


@cache
def work_calendar() -> WorkCalendar:
    """Holidays and make-up workdays as published (`data/workdays.csv`)."""
    return WorkCalendar.from_csv((DATA / "workdays.csv").read_text().splitlines())
