"""What somebody will get for an occupation, a level, a day and a group; or the one reason why there is no amount."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from uuid import UUID

from sqlalchemy import text

from domain.errors import Invalid
from domain.level import SkillLevel, level_named
from domain.money import format_yuan
from domain.period import day_before
from domain.standard import Formed, Found, why_none
from domain.text import half_width, trimmed
from service.database import Tx
from service.policies.queries import groups
from service.standards.queries.formulas import formed_with, formulas_of
from service.standards.schemas import (
    EditionNameView,
    LookupView,
    ReasonView,
    SetNameView,
    StepView,
    steps_of,
)
from service.wording import words


@dataclass(frozen=True)
class Asked:
    """Read: either a code or a name; the level as its code, or as it is printed."""

    code: str | None
    name: str | None
    level: SkillLevel
    on: date
    group: str | None

    @classmethod
    def read(cls, code: str | None, name: str | None, level: str, on: date, group: str | None) -> Self:
        """Invalid `lookup.code_or_name`, `level.unknown`, `group.unknown`."""
        if (code is None) == (name is None):
            raise Invalid("lookup.code_or_name", field="code")
        if group is not None and group not in groups():
            raise Invalid("group.unknown", field="group", known=sorted(groups()))
        if code is not None:
            code = half_width(trimmed(code, "code", "words"))
        if name is not None:
            name = trimmed(name, "name", "words")
        return cls(code, name, level_named(level), on, group)


# One round trip: the edition, those of its rows that were asked for, the set of the day, the occupation's amounts,
# and the ends of all days that have standards.
_FOUND = text("""
    SELECT e.id AS edition_id, e.year AS edition_year, e.revision AS edition_revision,
           lower(e.in_force) AS edition_first, upper(e.in_force) AS edition_until, e.source_name,
           e.source_sha256, items.found AS items, ends.first, ends.until,
           of.id AS set_id, of.year, of.revision, of.source, of.sample, of.published_on, rows.found AS amounts
      FROM (VALUES (CAST(:on AS date))) AS asked (day)
      LEFT JOIN catalog_editions e ON e.in_force @> asked.day
      LEFT JOIN LATERAL (
           SELECT jsonb_agg(jsonb_build_object('code', i.code, 'name', i.name, 'list', i.list_kind)
                            ORDER BY i.place) AS found
             FROM catalog_items i
            WHERE i.edition_id = e.id
              AND CASE WHEN CAST(:code AS text) IS NULL THEN i.name = CAST(:name AS text)
                       ELSE i.code = CAST(:code AS text) END) AS items ON true
     CROSS JOIN LATERAL (
           SELECT CASE WHEN count(DISTINCT each ->> 'code') = 1 THEN min(each ->> 'code') END
             FROM jsonb_array_elements(coalesce(items.found, '[]')) AS each) AS meant (code)
      LEFT JOIN occupation_aliases a ON a.code = meant.code
      LEFT JOIN LATERAL (
           SELECT jsonb_object_agg(r.level, jsonb_build_object(
                    'id', r.id, 'set_id', r.set_id, 'amount_fen', r.amount_fen, 'facts', r.facts,
                    'derivation', r.derivation)) AS found,
                  min(r.set_id::text)::uuid AS set_id
             FROM standards r
            WHERE r.occupation = coalesce(a.canonical, meant.code) AND r.in_force @> asked.day) AS rows ON true
      LEFT JOIN LATERAL (
           SELECT s.* FROM standard_sets s WHERE s.in_force @> asked.day
            ORDER BY s.id = rows.set_id DESC, s.id LIMIT 1) AS of ON true
     CROSS JOIN (SELECT min(lower(in_force)) AS first,
                        CASE WHEN bool_or(upper_inf(in_force)) THEN NULL ELSE max(upper(in_force)) END AS until
                   FROM standard_sets WHERE in_force <> '{}') AS ends
""")


async def look_up(tx: Tx, asked: Asked) -> LookupView:
    """Exactly one amount, or exactly one reason; a day without standards is an answer."""
    row = (await tx.execute(_FOUND, {"on": asked.on, "code": asked.code, "name": asked.name})).one()
    items, amounts = row.items or [], row.amounts or {}
    codes = {each["code"] for each in items if each["code"]}
    reason = why_none(
        Found(
            day=asked.on,
            edition=row.edition_id is not None,
            codes=codes,
            project=bool(items) and not codes,
            level=asked.level,
            standards=row.set_id is not None,
            first=row.first,
            last=day_before(row.until),
            priced=amounts.keys(),
        )
    )
    standard = None if reason else amounts[asked.level.code]
    formed = await _formed(tx, asked, standard) if standard else None
    if formed and not formed.amount_fen:  # as a claim would be refused
        reason, standard, formed = ("standard.zero", {}), None, None
    return LookupView(
        on=asked.on,
        level=asked.level.code,
        level_name=asked.level.name,
        group=asked.group,
        occupation=next(iter(codes)) if len(codes) == 1 else None,
        name=items[0]["name"] if len(codes) == 1 else None,
        lists=list(dict.fromkeys(each["list"] for each in items)),
        edition=edition_name(row),
        standard_set=set_name(row),
        standard_id=standard["id"] if standard else None,
        amount_fen=formed.amount_fen if formed else None,
        amount=format_yuan(formed.amount_fen) if formed else None,
        steps=_steps(standard, formed) if standard and formed else [],
        reason=ReasonView(reason[0], dict(reason[1]), words(*reason)) if reason else None,
    )


async def _formed(tx: Tx, asked: Asked, standard: dict[str, Any]) -> Formed:
    """What the standard gives, also for somebody of the group that was asked for."""
    set_id = UUID(standard["set_id"])
    of_claim = {"group": asked.group} if asked.group else {}
    formula = (await formulas_of(tx, [set_id]))[set_id] if of_claim else None
    return formed_with(formula, asked.level.code, standard["amount_fen"], standard["facts"], of_claim)


def _steps(standard: dict[str, Any], formed: Formed) -> list[StepView]:
    return steps_of({"steps": formed.steps} if formed.steps else standard["derivation"])


def edition_name(row: Any) -> EditionNameView | None:
    """The edition of a row that tells it."""
    if row.edition_id is None:
        return None
    days = row.edition_first, day_before(row.edition_until)
    sources = row.source_name, row.source_sha256.hex()
    return EditionNameView(row.edition_id, row.edition_year, row.edition_revision, *days, *sources)


def set_name(row: Any) -> SetNameView | None:
    """The set of standards of a row that tells it."""
    if row.set_id is None:
        return None
    return SetNameView(row.set_id, row.year, row.revision, row.source, row.sample, row.published_on)
