"""What other standards would have cost: claims counted by what decides an amount, in one pass; and kept results."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Date, Row, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, Range

from domain.actor import Actor
from domain.claim import DEAD
from domain.errors import Invalid, NotFound
from domain.fund import fund_of
from domain.period import Period, add_months, parse_date
from domain.standard import Cell, Formula, content_of, parse_formula
from service.database import Tx
from service.funds.queries import fund_policy
from service.funds.tables import PositionRow
from service.policies.tables import PolicyRow
from service.standards.queries.forming import edition_of, formed_amounts
from service.standards.queries.formulas import forming, given_of
from service.standards.tables import StandardRow, StandardSetRow
from service.statistics.queries.share import parse_span
from service.statistics.schemas import (
    AppropriationInput,
    FundPolicyInput,
    NewSimulation,
    SimulationInputs,
    SimulationLineView,
    SimulationResult,
    SimulationsView,
    SimulationView,
)
from service.statistics.tables import SimulationRow

#: The latest results that are listed.
SIMULATIONS_MAX = 50

#: The facts of `domain.standard.FACTS` that a stored claim brings.
ON_CLAIMS = frozenset({"group"})


def parse_period(first: str | None, last: str | None, today: date) -> Period:
    """The days on which the claims were filed; the twelve months to `last`, or to today, where nothing is said.

    Invalid as `parse_span`.
    """
    end = today if last is None else parse_date(last, "to")
    return parse_span(first or str(add_months(end, -12) + timedelta(days=1)), last, today)


@dataclass(frozen=True)
class Proposed:
    """Other standards: the amount for each occupation and level, and what it was told of the occupation."""

    set_id: UUID | None
    edition_id: UUID | None
    raw: dict[str, Any] | None
    beside: dict[str, Any]
    formula: Formula | None
    amounts: Mapping[tuple[str, str], tuple[int, Mapping[str, Any]]]

    def sha256(self) -> str:
        return content_of({}, [(*at, facts, fen) for at, (fen, facts) in self.amounts.items()])

    def prices(self) -> list[tuple[str, str, str, int]]:
        """What each occupation and level gives anybody (''), and each group that the formula tells apart: formed by
        the one implementation that decides claims."""
        prices = [(*at, "", fen) for at, (fen, _) in self.amounts.items()]
        if self.formula is not None:
            form = forming(self.formula)
            for group in sorted(self.formula.tells_apart("group")):
                for (occupation, level), (_, facts) in self.amounts.items():
                    formed = form(given_of(level, facts, {"group": group}))
                    assert formed is not None, "only the level can be without a value, and this one has an amount"
                    prices.append((occupation, level, group, formed.amount_fen))
        return prices


async def proposed(tx: Tx, new: NewSimulation, today: date) -> Proposed:
    """Invalid `simulation.formula_or_set` unless just one is given; NotFound `standards.not_found`; what is wrong
    with a formula, as when it is proposed."""
    if (new.formula is None) == (new.set_id is None):
        raise Invalid("simulation.formula_or_set", field="formula")
    if new.set_id is not None:
        return await _of_set(tx, new.set_id)
    assert new.formula is not None
    edition_id = new.edition_id or await edition_of(tx, today)
    rows = await formed_amounts(tx, edition_id, new.formula, new.facts)
    amounts = {(each["occupation"], each["level"]): (each["amount_fen"], each["facts"]) for each in rows}
    return Proposed(None, edition_id, new.formula, new.facts, parse_formula(new.formula), amounts)


async def _of_set(tx: Tx, set_id: UUID) -> Proposed:
    of, row = StandardSetRow, StandardRow
    found = (await tx.execute(select(of.edition_id, of.formula, of.facts).where(of.id == set_id))).one_or_none()
    if found is None:
        raise NotFound("standards.not_found")
    rows = await tx.execute(select(row.occupation, row.level, row.amount_fen, row.facts).where(row.set_id == set_id))
    amounts = {(each.occupation, each.level): (each.amount_fen, each.facts) for each in rows}
    formula = None if found.formula is None else parse_formula(found.formula)
    return Proposed(set_id, found.edition_id, found.formula, found.facts, formula, amounts)


# ---- claims, counted


# One pass over claims for certificates: no other is priced by standards. Where there is no price, nothing would be
# due. Fees are as many as claims, so each group brings its own as a list; only a claim with an invoice has one, and
# the others are spared the reading of their whole decision.
_CELLS = """
    SELECT c.status, width_bucket(c.filed_on, :firsts) - 1 AS stretch, c.group_code, c.district, c.list_kind, c.level,
           c.amount_fen, coalesce(p.due_fen, 0) AS due_fen, count(*),
           array_agg(CAST(c.decision #>> '{{facts,fee,fee_fen}}' AS bigint)) FILTER (
             WHERE c.invoice_number IS NOT NULL
               AND c.decision #>> '{{facts,parameters,subsidy_capped_by_fee}}' = 'true') AS fees
      FROM claims c
      LEFT JOIN (SELECT each.at, min(each.due_fen) AS due_fen
                   FROM unnest(CAST(:ats AS text[]), CAST(:dues AS bigint[])) AS each (at, due_fen)
                  GROUP BY each.at) AS p
        ON p.at = c.subsidy_key || ' ' || c.level || ' ' ||
                  CASE WHEN c.group_code = ANY (CAST(:groups_apart AS text[])) THEN c.group_code ELSE '' END
     WHERE c.filed_on BETWEEN :first AND :last AND c.kind = 'training' {within}
     GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
# The planner has no statistics of prices and computed keys: it fears a group for each claim, and would sort all the
# claims with their decisions on disk. One key, grouped, tells it that a claim has one price; and without sorting it
# hashes what are some thousands of groups, in little memory (docs/decisions/0029).
_HASHING = text("SELECT set_config('enable_sort', :sorting, true)")
_FIRSTS = bindparam("firsts", type_=ARRAY(Date))
_OF_CITY = text(_CELLS.format(within="")).bindparams(_FIRSTS)
_OF_DISTRICT = text(_CELLS.format(within="AND c.district = :district")).bindparams(_FIRSTS)


@dataclass(frozen=True)
class Counted:
    """The claims of a period. `not_counted`: by status, how many and their fen. `sha256`: over all of it."""

    cells: Sequence[Cell]
    not_counted: Mapping[str, tuple[int, int]]
    sha256: str


async def count_claims(
    tx: Tx, other: Proposed, days: Period, district: str | None, funds: Sequence[FundPolicyInput]
) -> Counted:
    """The claims filed on those days, by what they got and would get and by whatever totals are told by."""
    prices = await asyncio.to_thread(other.prices)
    asked = {
        "firsts": [each.first for each in funds],
        "ats": [f"{occupation} {level} {group}" for occupation, level, group, _ in prices],
        "dues": [due_fen for *_, due_fen in prices],
        "groups_apart": sorted({group for _, _, group, _ in prices if group}),
        "first": days.first,
        "last": days.last,
    }
    await tx.execute(_HASHING, {"sorting": "off"})
    if district is None:
        rows = (await tx.execute(_OF_CITY, asked)).all()
    else:
        rows = (await tx.execute(_OF_DISTRICT, {**asked, "district": district})).all()
    await tx.execute(_HASHING, {"sorting": "on"})
    return await asyncio.to_thread(_counted, rows, funds)


def _counted(rows: Sequence[Row[*tuple[Any, ...]]], funds: Sequence[FundPolicyInput]) -> Counted:
    """For a thread of its own: fees may make many rows."""
    cells, numbers, sums = list[Cell](), Counter[str](), Counter[str]()
    digest = hashlib.sha256()
    for *key, claims, paid in sorted(rows, key=lambda row: row[:8]):
        status, stretch, group, district, list_kind, level, amount_fen, due_fen = key
        fees = tuple(sorted(paid or ()))
        digest.update(repr((*key, claims, fees)).encode())
        if status in DEAD:
            numbers[status] += claims
            sums[status] += amount_fen * claims
        else:
            fund, year = fund_of(funds[stretch].policy, group), funds[stretch].year
            cells.append(Cell(amount_fen, due_fen, fees, district, fund, year, list_kind, level, claims))
    not_counted = {status: (numbers[status], sums[status]) for status in sorted(numbers)}
    return Counted(cells, not_counted, digest.hexdigest())


async def funds_of(tx: Tx, days: Period) -> list[FundPolicyInput]:
    """The days cut where a year or a policy begins: which fund pays for whom. Conflict `policy.missing`."""
    row = PolicyRow
    assert days.last is not None
    begins = select(func.lower(row.in_force)).where(
        row.key == "fund_of_group", row.in_force.overlaps(Range(days.first, days.last, bounds="[]"))
    )
    firsts = {days.first, *(date(year, 1, 1) for year in range(days.first.year + 1, days.last.year + 1))}
    firsts |= {each for each in (await tx.execute(begins)).scalars() if each in days}
    return [FundPolicyInput(each, each.year, await fund_policy(tx, each)) for each in sorted(firsts)]


async def appropriations(tx: Tx, days: Period, district: str | None) -> list[AppropriationInput]:
    """What the districts have of each fund in the years of the period."""
    row = PositionRow
    assert days.last is not None
    asked = (
        select(row.district, row.fund, row.year, row.appropriated_fen)
        .where(row.year.between(days.first.year, days.last.year))
        .order_by(row.district, row.fund, row.year)
    )
    if district is not None:
        asked = asked.where(row.district == district)
    return [AppropriationInput(*each) for each in await tx.execute(asked)]


# ---- results that were kept


async def kept(tx: Tx, inputs_sha256: str) -> SimulationView | None:
    """The result of these very inputs, when it was computed before."""
    row = SimulationRow
    asked = select(row.id, row.inputs_sha256, row.at, row.inputs, row.result)
    found = (await tx.execute(asked.where(row.inputs_sha256 == inputs_sha256))).one_or_none()
    return None if found is None else _view(found)


async def simulation(tx: Tx, me: Actor, simulation_id: UUID) -> SimulationView:
    """NotFound `simulation.not_found`, also for one of another district or of the whole city."""
    row = SimulationRow
    asked = select(row.id, row.inputs_sha256, row.at, row.inputs, row.result).where(row.id == simulation_id)
    if me.district is not None:
        asked = asked.where(row.inputs["district"].astext == me.district)
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("simulation.not_found")
    return _view(found)


async def simulations(tx: Tx, me: Actor) -> SimulationsView:
    """The latest results within the asker's district, newest first."""
    row = SimulationRow
    asked = select(row.id, row.at, row.inputs, row.result).order_by(row.at.desc(), row.id).limit(SIMULATIONS_MAX)
    if me.district is not None:
        asked = asked.where(row.inputs["district"].astext == me.district)
    lines = []
    for each in await tx.execute(asked):
        inputs = msgspec.convert(each.inputs, SimulationInputs)
        total = msgspec.convert(each.result, SimulationResult).total
        lines.append(SimulationLineView(each.id, each.at, inputs.set_id, inputs.first, inputs.last, total))
    return SimulationsView(lines)


def _view(found: Any) -> SimulationView:
    inputs = msgspec.convert(found.inputs, SimulationInputs)
    return SimulationView(
        found.id, found.inputs_sha256, found.at, inputs, msgspec.convert(found.result, SimulationResult)
    )
