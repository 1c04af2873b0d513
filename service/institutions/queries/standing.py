"""Find institutions, and how each stands on a day."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from domain.identity import CreditCode
from domain.institution import History, Sanction, StandingOn, Stop, standing_on
from service.database import Tx, period_of
from service.institutions.tables import (
    InstitutionExitRow,
    InstitutionListingRow,
    InstitutionRow,
    InstitutionSanctionLiftRow,
    InstitutionSanctionRow,
    InstitutionScopeRow,
)


@dataclass(frozen=True)
class Institution:
    """As far as its clerks need it."""

    id: UUID
    name: str
    district: str


async def institution_with(tx: Tx, code: CreditCode) -> Institution | None:
    """The institution with this unified social credit code."""
    row = InstitutionRow
    found = await tx.execute(select(row.id, row.name, row.district).where(row.credit_code == code.code))
    one = found.one_or_none()
    return Institution(*one) if one else None


async def standings(tx: Tx, ids: Collection[UUID], on: date) -> Mapping[UUID, StandingOn]:
    """How each of `ids` stands on a day, from its dated facts; an institution that is not known was never listed."""
    histories = await histories_of(tx, ids)
    return {each: standing_on(histories[each], on) for each in ids}


async def histories_of(tx: Tx, ids: Collection[UUID]) -> Mapping[UUID, History]:
    """The dated facts of each of `ids`; three statements however many there are."""
    listings, exits, sanctions = defaultdict(list), defaultdict(list), defaultdict(list)
    listing, left, sanction, lift = (
        InstitutionListingRow, InstitutionExitRow, InstitutionSanctionRow, InstitutionSanctionLiftRow,
    )  # fmt: skip
    asked = select(listing.institution_id, listing.in_force).where(listing.institution_id.in_(ids))
    for institution_id, in_force in await tx.execute(asked):
        listings[institution_id].append(period_of(in_force))
    for institution_id, left_on in await tx.execute(
        select(left.institution_id, left.left_on).where(left.institution_id.in_(ids))
    ):
        exits[institution_id].append(left_on)
    imposed = (
        select(sanction.institution_id, sanction.days, sanction.stops, lift.lifted_on)
        .outerjoin(lift, lift.sanction_id == sanction.id)
        .where(sanction.institution_id.in_(ids))
    )
    for institution_id, days, stops, lifted_on in await tx.execute(imposed):
        sanctions[institution_id].append(Sanction(period_of(days), frozenset(map(Stop, stops)), lifted_on))
    return {each: History(listings[each], exits[each], sanctions[each]) for each in ids}


async def scope_on(tx: Tx, institution_id: UUID, on: date) -> Mapping[str, frozenset[str]]:
    """Canonical occupation → the levels that an institution may teach or assess on a day."""
    row = InstitutionScopeRow
    found = select(row.occupation, row.levels).where(row.institution_id == institution_id, row.in_force.contains(on))
    return {occupation: frozenset(levels) for occupation, levels in await tx.execute(found)}
