"""What other standards would have cost: claims counted by what decides an amount, in one pass; and kept results."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Date, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, Range

from domain.actor import Actor
from domain.claim import DEAD
from domain.errors import Invalid, NotFound
from domain.fund import fund_of
from domain.period import Period, add_months, parse_date
from domain.standard import Cell, Due, Formula, content_of, parse_formula
from service.database import Tx
from service.funds.queries import fund_policy
from service.funds.tables import PositionRow
from service.policies.tables import PolicyRow
from service.standards.queries.forming import edition_of, formed_amounts
from service.standards.queries.formulas import formed_with
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

    def due(self) -> Due:
        """What somebody gets; each (occupation, level, group) is formed once."""
        asks = self.formula.asks() if self.formula else frozenset()
        formed: dict[tuple[str, str, str], int] = {}

        def amount_fen(occupation: str, level: str, group: str) -> int:
            key = occupation, level, group if "group" in asks else ""
            if key not in formed:
                fen, facts = self.amounts.get((occupation, level), (0, {}))
                of_claim = {"group": group} if group and fen else {}
                formed[key] = formed_with(self.formula, level, fen, facts, of_claim).amount_fen
            return formed[key]

        return amount_fen


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


# A claim has a fee only with an invoice: those without are spared the reading of their whole decision.
_CELLS = text("""
    SELECT CASE WHEN c.status = ANY (CAST(:dead AS text[])) THEN c.status ELSE '' END AS left_out,
           c.subsidy_key, c.level, c.group_code,
           CASE WHEN c.invoice_number IS NOT NULL
                 AND c.decision #>> '{facts,parameters,subsidy_capped_by_fee}' = 'true'
                THEN CAST(c.decision #>> '{facts,fee,fee_fen}' AS bigint) END AS fee_fen,
           c.amount_fen, c.district, width_bucket(c.filed_on, :firsts) - 1 AS stretch, c.list_kind, count(*)
      FROM claims c
     WHERE c.filed_on BETWEEN :first AND :last AND c.district = coalesce(CAST(:district AS text), c.district)
     GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
""").bindparams(bindparam("firsts", type_=ARRAY(Date)))


@dataclass(frozen=True)
class Counted:
    """The claims of a period. `not_counted`: by status, how many and their fen."""

    cells: Sequence[Cell]
    not_counted: Mapping[str, tuple[int, int]]
    sha256: str


async def count_claims(
    tx: Tx, days: Period, district: str | None, funds: Sequence[FundPolicyInput]
) -> Sequence[Sequence[Any]]:
    """Claims filed on those days by whatever decides an amount or is told of them: one pass over them."""
    firsts = [each.first for each in funds]
    asked = {"dead": [str(status) for status in DEAD], "firsts": firsts, "first": days.first, "last": days.last}
    return (await tx.execute(_CELLS, {**asked, "district": district})).all()


def counted(rows: Sequence[Sequence[Any]], funds: Sequence[FundPolicyInput]) -> Counted:
    """The rows as cells, each with the fund of its group; for a thread of its own, there may be many."""
    of = [{"": fund_of(each.policy, "")} for each in funds]
    cells, numbers, sums = list[Cell](), Counter[str](), Counter[str]()
    for left_out, occupation, level, group, fee_fen, amount_fen, district, stretch, list_kind, claims in rows:
        if left_out:
            numbers[left_out] += claims
            sums[left_out] += amount_fen * claims
            continue
        if group not in of[stretch]:
            of[stretch][group] = fund_of(funds[stretch].policy, group)
        fund, year = of[stretch][group], funds[stretch].year
        cells.append(Cell(occupation, level, group, fee_fen, amount_fen, district, fund, year, list_kind, claims))
    digest = hashlib.sha256("\n".join(sorted(repr(tuple(row)) for row in rows)).encode()).hexdigest()
    return Counted(cells, {status: (numbers[status], sums[status]) for status in sorted(numbers)}, digest)


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
    found = await tx.execute(
        select(row.district, row.fund, row.year, row.appropriated_fen)
        .where(row.year.between(days.first.year, days.last.year))
        .where(row.district == district if district else row.district.is_not(None))
        .order_by(row.district, row.fund, row.year)
    )
    return [AppropriationInput(*each) for each in found]


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
