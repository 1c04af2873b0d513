"""Formulas of published sets, kept once they were read: they never change."""

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain.standard import Formed, Formula, Given, form, parse_formula
from service.database import Tx
from service.standards.tables import StandardSetRow

_KEPT_MAX = 500
_kept: dict[UUID, Formula | None] = {}


async def formulas_of(tx: Tx, sets: Collection[UUID]) -> Mapping[UUID, Formula | None]:
    """By set; None for amounts from before there were formulas, and no entry for a set that is not there."""
    if unknown := set(sets) - _kept.keys():
        if len(_kept) + len(unknown) > _KEPT_MAX:
            _kept.clear()
        row = StandardSetRow
        for set_id, raw in await tx.execute(select(row.id, row.formula).where(row.id.in_(sets))):
            _kept[set_id] = None if raw is None else parse_formula(raw)
    return {each: _kept[each] for each in sets if each in _kept}


def given_of(level: str, facts: Mapping[str, Any], of_claim: Mapping[str, Any] | None = None) -> Given:
    """What a formula is told: the row's facts as they are stored, and what a claim brings."""
    stored = {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
    return {**stored, "level": level, **(of_claim or {})}


def forming(formula: Formula) -> Callable[[Given], Formed | None]:
    """`form` by this formula, once for all that is alike: hundreds of occupations share a few sets of facts."""
    formed: dict[frozenset[tuple[str, Any]], Formed | None] = {}

    def once(given: Given) -> Formed | None:
        key = frozenset(given.items())
        if key not in formed:
            formed[key] = form(formula, given)
        return formed[key]

    return once


def formed_with(
    formula: Formula | None, level: str, amount_fen: int, facts: Mapping[str, Any], of_claim: Mapping[str, Any]
) -> Formed:
    """What a standard (its amount and its facts) gives whoever brings facts of their own.

    Without steps: none of those facts counts, and the amount is the standard's own.
    """
    counting = {name: value for name, value in of_claim.items() if formula and name in formula.asks()}
    if formula is None or not counting:
        return Formed(amount_fen, ())
    formed = form(formula, given_of(level, facts, counting))
    assert formed is not None, "only the level can be without a value, and this one has an amount"
    return formed
