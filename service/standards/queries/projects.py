"""What is paid for a project (项目制) by head count and result; or the one reason why there is no amount."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from sqlalchemy import text

from domain.money import format_yuan
from domain.period import day_before
from domain.standard import OF_PROJECTS, Formed, FoundProject, form, parse_formula, why_no_project
from domain.text import trimmed
from service.database import Tx
from service.standards.queries.lookup import edition_name, set_name
from service.standards.schemas import ProjectView, ReasonView, steps_of
from service.wording import words

# One round trip: the edition and whether the name is a project in it, the set of the day, the ends of all days.
_FOUND = text("""
    SELECT e.id AS edition_id, e.year AS edition_year, e.revision AS edition_revision,
           lower(e.in_force) AS edition_first, upper(e.in_force) AS edition_until, e.source_name, e.source_sha256,
           item.named, item.project,
           ends.first, ends.until,
           of.id AS set_id, of.year, of.revision, of.source, of.sample, of.published_on, of.projects
      FROM (VALUES (CAST(:on AS date))) AS asked (day)
      LEFT JOIN catalog_editions e ON e.in_force @> asked.day
     CROSS JOIN LATERAL (
           SELECT count(*) > 0 AS named, coalesce(bool_or(i.code IS NULL), false) AS project
             FROM catalog_items i WHERE i.edition_id = e.id AND i.name = CAST(:name AS text)) AS item
      LEFT JOIN LATERAL (
           SELECT s.* FROM standard_sets s WHERE s.in_force @> asked.day
            ORDER BY s.formula IS NULL, s.id LIMIT 1) AS of ON true
     CROSS JOIN (SELECT min(lower(in_force)) AS first,
                        CASE WHEN bool_or(upper_inf(in_force)) THEN NULL ELSE max(upper(in_force)) END AS until
                   FROM standard_sets WHERE in_force <> '{}') AS ends
""")


@dataclass(frozen=True)
class AskedProject:
    """Read: a project by its name in the catalog, a day, and what is known of its contract and its result."""

    name: str
    on: date
    facts: dict[str, int | str]

    @classmethod
    def read(cls, name: str, on: date, **facts: int | str | None) -> Self:
        """Whatever is None is not known. Invalid `words.…`."""
        told = {
            fact: trimmed(value, fact, "words") if isinstance(value, str) else value
            for fact, value in facts.items()
            if value is not None
        }
        return cls(trimmed(name, "name", "words"), on, told)


async def price_project(tx: Tx, asked: AskedProject) -> ProjectView:
    """Exactly one amount (0 where the result earned nothing), or exactly one reason."""
    row = (await tx.execute(_FOUND, {"on": asked.on, "name": asked.name})).one()
    formed = _formed(asked, row.projects) if row.project else None
    reason = why_no_project(
        FoundProject(
            day=asked.on,
            edition=row.edition_id is not None,
            named=row.named,
            project=row.project,
            standards=row.set_id is not None,
            first=row.first,
            last=day_before(row.until),
            projects=row.projects is not None,
            priced=formed is not None,
        )
    )
    return ProjectView(
        on=asked.on,
        name=asked.name,
        facts=asked.facts,
        edition=edition_name(row),
        standard_set=set_name(row),
        amount_fen=formed.amount_fen if formed else None,
        amount=format_yuan(formed.amount_fen) if formed else None,
        steps=steps_of({"steps": formed.steps}) if formed else [],
        reason=ReasonView(reason[0], dict(reason[1]), words(*reason)) if reason else None,
    )


def _formed(asked: AskedProject, projects: dict[str, Any] | None) -> Formed | None:
    if projects is None:
        return None
    formula = parse_formula(projects, asks=OF_PROJECTS)
    return form(formula, {"project": asked.name, **asked.facts})
