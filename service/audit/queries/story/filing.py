"""How a claim was filed, what registers said of it then, and what the registry answered."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.eligibility import Facts
from domain.register import Looked
from service.audit.queries.story.journal import masked
from service.audit.schemas import StepView
from service.claims.queries.decisions import stored_facts
from service.database import Tx
from service.wording import words

_FILED = text("""
    SELECT c.filed_at AS at, c.supplement_of, c.amount_fen, c.channel, c.via, c.decision, f.person_id,
           p.name_sealed, d.name AS district, i.name AS institution,
           m.signed_on, lower(m.in_force) AS first, upper(m.in_force) - 1 AS last,
           m.document_sha256, k.number AS class_number, l.line, r.sha256 AS roster, o.made_on, o.expires_on
      FROM claims c
      JOIN users f ON f.id = c.filed_by JOIN people p ON p.id = f.person_id
      JOIN districts d ON d.code = c.district
      LEFT JOIN institutions i ON i.id = c.institution_id
      LEFT JOIN mandates m ON m.id = c.mandate_id
      LEFT JOIN training_classes k ON k.id = c.class_id
      LEFT JOIN roster_lines l ON l.claim_id = c.id LEFT JOIN rosters r ON r.id = l.roster_id
      LEFT JOIN claim_offers o ON o.claim_id = c.id
     WHERE c.id = :claim
""")
_REVOKED = text("""
    SELECT v.revoked_at AS at, v.revoked_on, v.note, u.person_id, p.name_sealed
      FROM claims c JOIN mandate_revocations v ON v.mandate_id = c.mandate_id
      JOIN users u ON u.id = v.revoked_by JOIN people p ON p.id = u.person_id
     WHERE c.id = :claim
""")
_REPLIES = text("""
    SELECT received_at AS at, outcome, detail FROM registry_replies WHERE claim_id = :claim ORDER BY received_at
""")


async def filed(tx: Tx, claim_id: UUID) -> list[StepView]:
    row = (await tx.execute(_FILED, {"claim": claim_id})).one()
    if row.supplement_of is not None:
        told = {"claim": str(row.supplement_of), "amount_fen": row.amount_fen}
        return [StepView(row.at, words("by.clawbacks.pay_supplement"), words("story.supplement", told), [])]
    said = {"channel": f"channel.{row.channel}", "via": f"via.{row.via}", "district": row.district}
    return [StepView(row.at, masked(row), words("story.filed", said), list(_filed_with(row)))]


def _filed_with(row: Any) -> Iterator[str]:
    facts = stored_facts(row.decision)
    told = dict(row._mapping)
    if row.made_on:
        yield words("evidence.offer", told)
    if row.signed_on:  # an enterprise has its contract in the journal, a contractor its project
        yield words("evidence.mandate", told)
    if row.roster:
        yield words("evidence.roster", told)
    if facts.class_number:
        yield words("evidence.class", {"number": facts.class_number, **_attended(facts)})
    if facts.group:
        yield words(
            "evidence.group", {"group": f"register.group_{facts.group.group}", "first": facts.group.valid_from}
        )


def _attended(facts: Facts) -> dict[str, int]:
    percent = facts.of_class.attended_percent if facts.of_class else None
    return {} if percent is None else {"percent": percent}


async def registers_at_filing(tx: Tx, claim_id: UUID) -> list[StepView]:
    """None where no register was loaded."""
    row = (await tx.execute(_FILED, {"claim": claim_id})).one()
    looked = stored_facts(row.decision).registers
    if not looked or row.supplement_of is not None:
        return []
    return [
        StepView(row.at, words("by.claims.rules"), words("story.registers"), [looked_into(each) for each in looked])
    ]


def looked_into(looked: Looked) -> str:
    """A register, its day, and whether the person stands in it."""
    said = "evidence.in_register" if looked.entries else "evidence.not_in_register"
    return words(said, {"register": f"register.{looked.register}", "as_of": looked.as_of})


async def mandate_revoked(tx: Tx, claim_id: UUID) -> list[StepView]:
    rows = await tx.execute(_REVOKED, {"claim": claim_id})
    what = words("story.mandate.revoke")
    return [StepView(row.at, masked(row), what, [words("evidence.revoked", dict(row._mapping))]) for row in rows]


async def registry_replies(tx: Tx, claim_id: UUID) -> list[StepView]:
    return [_reply(row) for row in await tx.execute(_REPLIES, {"claim": claim_id})]


def _reply(row: Any) -> StepView:
    differing = [words(f"registry_field.{each}") for each in row.detail["fields"]]
    evidence = [words("evidence.differs", {"fields": differing})] if differing else []
    return StepView(row.at, words("by.registry"), words(f"registry.{row.outcome}"), evidence)
