"""Policy parameters and what is proposed to change in them; published tables: working days, retirement, groups."""

import tomllib
from collections.abc import Collection, Mapping, Set
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from domain.actor import Actor
from domain.errors import Conflict
from domain.group import Group, groups_of
from domain.period import Period
from domain.retirement import RetirementTable
from domain.workday import WorkCalendar, Workday
from service.database import Tx, period_of
from service.policies.schemas import PoliciesView, PolicyView, ProposalsView, ProposalView
from service.policies.tables import PolicyConfirmationRow, PolicyProposalRow, PolicyRow

DATA = Path(__file__).parents[2] / "data"
#: The latest proposals that are listed.
PROPOSALS_MAX = 200


async def parameters(tx: Tx, on: date) -> dict[str, Any]:
    """Key → value of every parameter in force on that day."""
    rows = await tx.execute(select(PolicyRow.key, PolicyRow.value).where(PolicyRow.in_force.contains(on)))
    return {row.key: row.value for row in rows}


async def required(tx: Tx, on: date, *keys: str) -> list[Any]:
    """The values of `keys` on that day; Conflict `policy.missing` where one is not in force."""
    policy = await parameters(tx, on)
    for key in keys:
        if key not in policy:
            raise Conflict("policy.missing", key=key, on=on.isoformat())
    return [policy[key] for key in keys]


async def required_by_day(tx: Tx, days: Collection[date], keys: Set[str]) -> dict[date, dict[str, Any]]:
    """The same for many days at once: day → key → value."""
    row = PolicyRow
    rows = (await tx.execute(select(row.key, row.value, row.in_force).where(row.key.in_(keys)))).all()
    found = {day: {each.key: each.value for each in rows if day in period_of(each.in_force)} for day in days}
    for day, values in found.items():
        for key in keys - values.keys():
            raise Conflict("policy.missing", key=key, on=day.isoformat())
    return found


async def history(tx: Tx, key: str) -> list[tuple[Period, Any]]:
    """When a parameter had which value, the earliest first; none where it was never set."""
    row = PolicyRow
    rows = await tx.execute(select(row.in_force, row.value).where(row.key == key).order_by(func.lower(row.in_force)))
    return [(period_of(each.in_force), each.value) for each in rows]


async def policies_on(tx: Tx, on: date) -> PoliciesView:
    """Every parameter in force on that day, with where it comes from."""
    row = PolicyRow
    rows = await tx.execute(
        select(row.key, row.value, row.in_force, row.source, row.basis)
        .where(row.in_force.contains(on))
        .order_by(row.key)
    )
    return PoliciesView(on, [_policy(*each) for each in rows])


def _policy(key: str, value: Any, in_force: Any, source: str, basis: str) -> PolicyView:
    last = in_force.upper - timedelta(days=1) if in_force.upper else None
    return PolicyView(key, value, in_force.lower, last, source, basis)


async def proposals(tx: Tx, me: Actor, proposal_id: UUID | None = None) -> ProposalsView:
    """The latest proposals, newest first; or one."""
    row, confirmed = PolicyProposalRow, PolicyConfirmationRow
    asked = (
        select(
            row.id,
            row.key,
            row.value,
            row.first,
            row.source,
            row.basis,
            row.proposer_id == me.person_id,
            confirmed.proposal_id.is_not(None),
        )
        .outerjoin(confirmed, confirmed.proposal_id == row.id)
        .order_by(row.proposed_at.desc(), row.id)
        .limit(PROPOSALS_MAX)
    )
    found = await tx.execute(asked if proposal_id is None else asked.where(row.id == proposal_id))
    return ProposalsView([ProposalView(*each) for each in found])


async def deadline(tx: Tx, key: str, today: date) -> Workday:
    """The n-th working day after today, n being the parameter `key`. Conflict `policy.missing`."""
    (working_days,) = await required(tx, today, key)
    return work_calendar().add(today, working_days)


@cache
def work_calendar() -> WorkCalendar:
    """Holidays and make-up workdays as published (`data/workdays.csv`)."""
    return WorkCalendar.from_csv((DATA / "workdays.csv").read_text().splitlines())


@cache
def retirement_ages() -> RetirementTable:
    """The age of retirement by month of birth as published (`data/retirement-ages.csv`)."""
    return RetirementTable.from_csv((DATA / "retirement-ages.csv").read_text().splitlines())


@cache
def groups() -> Mapping[str, Group]:
    """The groups that a claim may name (`data/groups.toml`), by code."""
    return MappingProxyType(groups_of(tomllib.loads((DATA / "groups.toml").read_text("utf-8"))["group"]))
