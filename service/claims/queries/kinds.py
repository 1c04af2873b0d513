"""Facts of claims that are not for a certificate of one's own: by a contract, a project, or the days of a class."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.eligibility import AllowanceFacts, ContractFacts, ProjectFacts
from service.claims.tables import ALIVE_SQL
from service.database import Tx


@dataclass(frozen=True)
class Drawn:
    """A procured project that the claim draws on, with the result that prices it; None: none is recorded."""

    project_id: UUID
    result_id: str | None
    price_fen: int | None


@dataclass(frozen=True)
class AttendedClass:
    """The class that an allowance is for, and how many of its days were attended."""

    class_id: UUID
    days: int


def contract_facts(found: dict[str, Any] | None) -> ContractFacts | None:
    if found is None:
        return None
    signed, first, last = found["signed_on"], found["first"], found["last"]
    return ContractFacts(
        same_enterprise=bool(found["same_enterprise"]),
        signed_on=date.fromisoformat(signed),
        first=date.fromisoformat(first),
        last=date.fromisoformat(last) if last else None,
        employed_before=found["employed_before"],
    )


def project_facts(drawn: Drawn, found: dict[str, Any]) -> ProjectFacts:
    told = {name: found[name] for name in ("id", "confirmed", "places", "taken", "cap_fen", "drawn_fen")}
    told |= {name: date.fromisoformat(found[name]) for name in ("first", "last")}
    return ProjectFacts(**told, result_id=drawn.result_id, price_fen=drawn.price_fen)


def allowance_facts(
    attended: AttendedClass, standing: list[dict[str, Any]], taught: str, level: str
) -> AllowanceFacts:
    claimed = any((each["subsidy_key"], each["level"]) == (taught, level) for each in standing)
    return AllowanceFacts(attended.days, claimed)


_ALONE = text(f"""
    SELECT NOT EXISTS (SELECT FROM claims t
                        WHERE t.person_id = c.person_id AND t.kind = 'training' AND t.{ALIVE_SQL}
                          AND (t.subsidy_key, t.level) = (held.occupation, held.level))
      FROM claims c JOIN training_classes held ON held.id = c.allowance_class_id
     WHERE c.id = :claim
""")  # noqa: S608 (our own constants)


async def stands_alone(tx: Tx, claim_id: UUID) -> bool:
    """Whether it is an allowance, and the claim for the training stands beside it no more."""
    return bool((await tx.execute(_ALONE, {"claim": claim_id})).scalar_one_or_none())


@dataclass(frozen=True)
class Taken:
    """How many places of a project live claims have taken, and what these come to."""

    places: int = 0
    fen: int = 0


_TAKEN = text(f"""
    SELECT project_id, count(*) AS places, coalesce(sum(amount_fen), 0)::bigint AS fen FROM claims
     WHERE project_id = ANY(:projects) AND {ALIVE_SQL} GROUP BY project_id
""")  # noqa: S608 (our own constants)


async def taken_of(tx: Tx, project_ids: Collection[UUID]) -> Mapping[UUID, Taken]:
    """Of those projects that have any."""
    found = await tx.execute(_TAKEN, {"projects": list(project_ids)})
    return {each.project_id: Taken(each.places, each.fen) for each in found}
