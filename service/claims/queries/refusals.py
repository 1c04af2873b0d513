"""A refusal as the claimant is told it: when, why, and what may be done against it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from uuid import UUID

from sqlalchemy import select

from domain.claim import ClaimAction
from domain.eligibility import Decision, Result
from domain.remedy import Remedy, RemedyKind, remedies
from service.claims.schemas import RefusalView, RemedyView
from service.clock import SHANGHAI
from service.database import Tx
from service.journal import JournalRow
from service.policies.queries import parameters, required
from service.wording import wording, words

#: Who acts where the rules decide, and no person: that is why a person may be asked to look again.
RULES = "claims.rules"


@dataclass(frozen=True)
class Refusal:
    """The journal's row of a refusal: `id`, the day, what was noted, and who it was."""

    id: int
    on: date
    noted: str
    by: str


async def last_refusal(tx: Tx, claim_id: UUID) -> Refusal | None:
    """None when nobody refused the claim."""
    row = JournalRow
    refused = (
        await tx.execute(
            select(row.id, row.at, row.reason, row.actor_name)
            .where(row.subject_kind == "claim", row.subject_id == claim_id, row.action == str(ClaimAction.REFUSE))
            .order_by(row.id.desc())
            .limit(1)
        )
    ).one_or_none()
    if refused is None:
        return None
    return Refusal(refused.id, refused.at.astimezone(SHANGHAI).date(), refused.reason, refused.actor_name)


async def ways_against(tx: Tx, on: date) -> tuple[Remedy, ...]:
    """What may be done against a refusal of that day, with the periods that its policy sets. A city that has not set
    `review_request_days` yet sets no last day for an appeal."""
    review_days = (await parameters(tx, on)).get("review_request_days")
    return remedies(on, review_days, *await required(tx, on, "reconsideration_days", "lawsuit_months"))


async def told_ways(tx: Tx, on: date) -> list[RemedyView]:
    """The same in words."""
    return [RemedyView(each.kind, each.last, _in_words(each)) for each in await ways_against(tx, on)]


async def ways_outside(tx: Tx, answered: Iterable[datetime]) -> dict[datetime, list[RemedyView]]:
    """What remains, in words, once an appeal was answered at that time: inside of the house nothing does."""
    days = {each: each.astimezone(SHANGHAI).date() for each in answered}
    told = {day: await told_ways(tx, day) for day in set(days.values())}
    return {at: [each for each in told[day] if each.kind != RemedyKind.REVIEW] for at, day in days.items()}


async def refusal_of(tx: Tx, claim_id: UUID, decision: Decision) -> RefusalView | None:
    """The last refusal of a claim as its claimant is told it; None when nobody refused it."""
    refusal = await last_refusal(tx, claim_id)
    if refusal is None:
        return None
    reasons = _rules_reasons(decision) if refusal.by == RULES else _officers_reasons(refusal.noted)
    return RefusalView(refusal.on, reasons, await told_ways(tx, refusal.on))


def _in_words(remedy: Remedy) -> str:
    if remedy.last is None:
        return words("remedy.review_any_day")
    return words(f"remedy.{remedy.kind}", {"last": remedy.last})


def _rules_reasons(decision: Decision) -> list[str]:
    return [words(each.code, each.facts) for each in decision.outcomes if each.outcome is Result.FAILED]


def _officers_reasons(noted: str) -> list[str]:
    """Codes of the list of reasons, and after them the officer's own words."""
    named = list(takewhile(lambda part: f"reason.{part}" in wording(), noted.split()))
    own_words = noted.removeprefix(" ".join(named)).strip()
    return [words(f"reason.{code}") for code in named] + ([own_words] if own_words else [])
