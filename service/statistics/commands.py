"""Compute what other standards would have cost, count what was paid, and keep the results: all that statistics
write."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, cast
from uuid import uuid4

import msgspec
from sqlalchemy import CursorResult, text
from sqlalchemy.dialects.postgresql import insert

from domain.actor import Actor
from domain.level import LEVELS
from domain.money import format_yuan
from domain.period import Period
from domain.standard import FACTS, WORKS_ON_STANDARDS, Change, Cost, Place, along, compare
from service.access.queries import district_names
from service.database import Tx
from service.funds.queries import fund_names
from service.journal import By
from service.statistics.queries.paid import count_paid, latest_count
from service.statistics.queries.share import LIST_NAMES, rests_on_samples
from service.statistics.queries.simulation import (
    ON_CLAIMS,
    Counted,
    Proposed,
    appropriations,
    count_claims,
    funds_of,
    kept,
    parse_period,
    proposed,
)
from service.statistics.queries.step_counts import counted_months
from service.statistics.queries.steps import Along, days_in, of_all
from service.statistics.schemas import (
    AppropriationInput,
    CostRowView,
    CostView,
    FundPolicyInput,
    NewSimulation,
    NotCountedView,
    PositionCostView,
    SimulationInputs,
    SimulationResult,
    SimulationView,
)
from service.statistics.tables import PaidCountRow, SimulationRow, StepCountRow
from service.wording import words


async def simulate(tx: Tx, me: Actor | None, new: NewSimulation, today: date, now: datetime) -> SimulationView:
    """The claims filed in a period, priced by other standards: those of the asker's district, if they have one.

    No claim changes. Counted are claims that live or were paid, under the year and the fund of their day of filing.
    The same inputs are answered with the result that was kept. `me` None: by the command line.
    """
    if me is not None:
        me.must_hold(*WORKS_ON_STANDARDS)
    district = me.district if me else None
    days = parse_period(new.first, new.last, today)
    other, funds = await proposed(tx, new, today), await funds_of(tx, days)
    claims = await count_claims(tx, other, days, district, funds)
    there = await appropriations(tx, days, district)
    inputs = _inputs(other, days, district, funds, there, claims, await rests_on_samples(tx))
    told = msgspec.to_builtins(inputs)
    sha256 = hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    if (before := await kept(tx, sha256)) is not None:
        return before
    costs = await asyncio.to_thread(compare, claims.cells)
    result = _result(
        other, claims, costs, there, {"district": await district_names(tx), "fund": await fund_names(tx)}
    )
    by = _by(me, now)
    # who asked the same at the same time waits for whoever was first, whose result is kept
    await tx.execute(
        insert(SimulationRow)
        .values(id=uuid4(), inputs_sha256=sha256, inputs=told, result=msgspec.to_builtins(result), **by.columns())
        .on_conflict_do_nothing()
    )
    view = await kept(tx, sha256)
    assert view is not None
    return view


def _by(me: Actor | None, now: datetime) -> By:
    if me is None:
        return By("zhida standards simulate", now)
    return By.actor(me, next(post for post in WORKS_ON_STANDARDS if me.holds(post)), now)


def _inputs(
    other: Proposed,
    days: Period,
    district: str | None,
    funds: list[FundPolicyInput],
    there: list[AppropriationInput],
    claims: Counted,
    sample: bool,
) -> SimulationInputs:
    assert days.last is not None
    return SimulationInputs(
        set_id=other.set_id,
        edition_id=other.edition_id,
        formula=other.raw,
        facts=other.beside,
        amounts_sha256=other.sha256(),
        first=days.first,
        last=days.last,
        district=district,
        funds=funds,
        appropriations=there,
        claims_sha256=claims.sha256,
        sample=sample,
    )


def _result(
    other: Proposed,
    claims: Counted,
    costs: Mapping[Place, Cost],
    there: list[AppropriationInput],
    names: Mapping[str, Mapping[str, str]],
) -> SimulationResult:
    level_names = {code: level.name for code, level in LEVELS.items()}
    asked = other.formula.asks() if other.formula else frozenset[str]()
    changes = along(costs, "change")
    return SimulationResult(
        total=CostView(*_said(along(costs).get((), Cost()))),
        by_district=_rows(costs, "district", names["district"]),
        by_fund=_rows(costs, "fund", names["fund"]),
        by_list=_rows(costs, "list_kind", LIST_NAMES),
        by_level=_rows(costs, "level", level_names),
        changes=[
            CostRowView(*_said(changes.get((change,), Cost())), change, words(f"change.{change}"))
            for change in Change
        ],
        positions=_positions(costs, there, names),
        not_counted=[
            NotCountedView(status, words(f"status.{status}"), number, amount_fen)
            for status, (number, amount_fen) in claims.not_counted.items()
        ],
        not_on_claims=sorted(name for name in asked - ON_CLAIMS if FACTS[name].of_claim),
    )


def _said(cost: Cost) -> tuple[int, int, str, int, str]:
    return cost.claims, cost.before_fen, format_yuan(cost.before_fen), cost.after_fen, format_yuan(cost.after_fen)


def _rows(costs: Mapping[Place, Cost], name: str, called: Mapping[str, str]) -> list[CostRowView]:
    return [
        CostRowView(*_said(cost), str(key), called.get(str(key), str(key)))
        for (key,), cost in along(costs, name).items()
    ]


def _positions(
    costs: Mapping[Place, Cost], there: list[AppropriationInput], names: Mapping[str, Mapping[str, str]]
) -> list[PositionCostView]:
    """Every position that has money or would need some."""
    needed: dict[Any, Cost] = dict(along(costs, "district", "fund", "year"))
    has = {(each.district, each.fund, each.year): each.appropriated_fen for each in there}
    views = []
    for key in sorted({*needed, *has}):
        (district, fund, year), cost = key, needed.get(key, Cost())
        appropriated_fen = has.get(key)
        views.append(
            PositionCostView(
                *_said(cost),
                *(district, names["district"].get(district, district), fund, names["fund"].get(fund, fund), year),
                appropriated_fen=appropriated_fen,
                missing_fen=max(cost.after_fen - (appropriated_fen or 0), 0),
                exceeded_before=cost.before_fen > (appropriated_fen or 0),
                exceeded=cost.after_fen > (appropriated_fen or 0),
            )
        )
    return views


async def keep_paid_count(tx: Tx, today: date, now: datetime) -> bool:
    """Count what was paid this year; False where it is what was counted today already."""
    counted = await count_paid(tx, today)
    if counted == await latest_count(tx, today):
        return False
    kept_as = {"id": uuid4(), "counted_at": now, **msgspec.structs.asdict(counted)}
    await tx.execute(insert(PaidCountRow).values(**kept_as))
    return True


async def keep_step_count(tx: Tx, month: date, today: date, now: datetime) -> bool:
    """Count how long the steps took of what was batched in the month that begins on `month`; False where it is what
    was counted today already."""
    every, by_channel = await days_in(tx, None, month, Along.CHANNEL)
    days = {step: found for step, found in of_all(by_channel).items() if found}
    latest = await counted_months(tx, month, month)
    if latest and (latest[0].counted_on, latest[0].every, latest[0].days) == (today, every, days):
        return False
    told = {str(step): {str(each): number for each, number in found.items()} for step, found in days.items()}
    row = {"id": uuid4(), "month": month, "counted_on": today, "counted_at": now, "every": every, "days": told}
    await tx.execute(insert(StepCountRow).values(**row))
    return True


_LISTS = text("""
    INSERT INTO batch_lists (batch_id, list_kind, lines)
    SELECT a.batch_id, c.list_kind, count(*)
      FROM (SELECT b.id FROM batches b
             WHERE b.status IN ('sent', 'settled')
               AND NOT EXISTS (SELECT FROM batch_lists known WHERE known.batch_id = b.id)
             ORDER BY b.opened_at DESC LIMIT 1) AS fresh
      JOIN payment_attempts a ON a.batch_id = fresh.id AND a.status <> 'void'
      JOIN claims c ON c.id = a.claim_id
     GROUP BY a.batch_id, c.list_kind
        ON CONFLICT DO NOTHING
""")


async def keep_lists_of_a_batch(tx: Tx) -> bool:
    """Count of which lists the lines are of the latest batch that was sent and is not counted yet; False where there
    is none, or somebody else was at it."""
    return cast(CursorResult[Any], await tx.execute(_LISTS)).rowcount > 0
