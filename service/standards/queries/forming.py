"""What a formula gives over an edition: an amount for each occupation and level, with the steps that made it."""

from collections import defaultdict
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from domain.catalog.lists import LIST_KINDS
from domain.errors import Conflict, Invalid
from domain.level import LEVELS, schemes_for
from domain.standard import OF_PROJECTS, Formula, form, occupation_facts, parse_formula
from service.catalog.tables import AliasRow, CatalogItemRow, EditionRow
from service.database import Tx
from service.policies.queries import groups
from service.standards.queries.formulas import forming, given_of


async def edition_of(tx: Tx, first: date) -> UUID:
    """The edition in force on that day; Conflict `standards.no_edition` when there is none."""
    in_force = select(EditionRow.id).where(EditionRow.in_force.contains(first))
    edition_id = (await tx.execute(in_force)).scalar_one_or_none()
    if edition_id is None:
        raise Conflict("standards.no_edition", first=first.isoformat())
    return edition_id


async def formed_amounts(
    tx: Tx, edition_id: UUID, formula: dict[str, Any], facts: dict[str, Any]
) -> list[dict[str, Any]]:
    """A row for each occupation and level to which the formula gives an amount: the two, what it was told of the
    occupation, the amount and its steps.

    Invalid `formula.…` with the place; Conflict `standards.no_items`; Invalid `standards.unknown_occupation`,
    `standards.nothing`, `standards.nothing_at_all`.
    """
    lists = await _lists(tx, edition_id)
    known = {"group": groups().keys(), "lists": LIST_KINDS.union(*lists.values())}
    return _amounts(parse_formula(formula, known=known), lists, occupation_facts(facts))


async def must_price_projects(tx: Tx, edition_id: UUID, projects: dict[str, Any] | None) -> None:
    """A formula for projects names those of the edition, by name. Invalid `formula.…` with the place in it, and
    `standards.nothing_at_all` where it prices none."""
    if projects is None:
        return
    item = CatalogItemRow
    of_edition = select(item.name).where(item.edition_id == edition_id, item.code.is_(None)).distinct()
    names = (await tx.execute(of_edition)).scalars().all()
    try:
        formula = parse_formula(projects, known={"project": names}, asks=OF_PROJECTS)
    except Invalid as refusal:
        refusal.field = f"projects.{refusal.field}"
        raise
    if not any(form(formula, {"project": name}) for name in names):
        raise Invalid("standards.nothing_at_all", "projects.result")


async def _lists(tx: Tx, edition_id: UUID) -> dict[str, set[str]]:
    """Canonical occupation → the lists of the edition in which it stands. Conflict `standards.no_items`."""
    canonical = func.coalesce(AliasRow.canonical, CatalogItemRow.code)
    rows = await tx.execute(
        select(canonical, CatalogItemRow.list_kind)
        .outerjoin(AliasRow, AliasRow.code == CatalogItemRow.code)
        .where(CatalogItemRow.edition_id == edition_id, CatalogItemRow.code.is_not(None))
        .distinct()
    )
    lists: dict[str, set[str]] = defaultdict(set)
    for occupation, kind in rows:
        lists[occupation].add(kind)
    if not lists:
        raise Conflict("standards.no_items")
    return lists


def _amounts(
    formula: Formula, lists: dict[str, set[str]], beside: dict[str, dict[str, str | int]]
) -> list[dict[str, Any]]:
    """A row for each occupation and level of its scheme to which the formula gives an amount."""
    if strange := sorted(beside.keys() - lists.keys()):
        fact = min(beside[strange[0]])
        raise Invalid("standards.unknown_occupation", f"facts.{fact}.{strange[0]}", occupation=strange[0])
    rows, form = [], forming(formula)
    for occupation in sorted(lists):
        facts = {"lists": sorted(lists[occupation]), **beside.get(occupation, {})}
        for level in LEVELS.values():
            if level.scheme not in schemes_for(occupation):
                continue
            formed = form(given_of(level.code, facts))
            if formed is None:
                continue
            if not formed.amount_fen:
                raise Invalid("standards.nothing", "formula.result", occupation=occupation, level=level.short)
            kept = {"facts": facts, "amount_fen": formed.amount_fen, "derivation": {"steps": list(formed.steps)}}
            rows.append({"occupation": occupation, "level": level.code, **kept})
    if not rows:
        raise Invalid("standards.nothing_at_all", "formula.result")
    return rows
