"""A refusal as the claimant is told it: when, why, and what may be done against it."""

from uuid import UUID

from sqlalchemy import select

from domain.claim import ClaimAction
from domain.eligibility import Decision
from domain.remedy import remedies
from service.claims.schemas import RefusalView, RemedyView
from service.clock import SHANGHAI
from service.database import Tx
from service.journal import JournalRow
from service.policies.queries import parameters
from service.wording import wording, words


async def refusal_of(tx: Tx, claim_id: UUID, decision: Decision) -> RefusalView | None:
    """The last refusal of a claim, with the periods that the policy of its day sets; None when nobody refused it."""
    row = JournalRow
    refused = (
        await tx.execute(
            select(row.at, row.reason)
            .where(row.subject_kind == "claim", row.subject_id == claim_id, row.action == str(ClaimAction.REFUSE))
            .order_by(row.id.desc())
            .limit(1)
        )
    ).one_or_none()
    if refused is None:
        return None
    on = refused.at.astimezone(SHANGHAI).date()
    policy = await parameters(tx, on)
    open_ways = remedies(on, policy["reconsideration_days"], policy["lawsuit_months"])
    told = [RemedyView(each.kind, each.last, words(f"remedy.{each.kind}", _last(each.last))) for each in open_ways]
    return RefusalView(on, _reasons(refused.reason, decision), told)


def _last(last: object) -> dict[str, object]:
    return {} if last is None else {"last": last}


def _reasons(noted: str, decision: Decision) -> list[str]:
    """What the rules said where they refused; else the officer's reasons, and then their own words."""
    failed = {each.code: words(each.code, each.facts) for each in decision.outcomes}
    codes = noted.split()
    if codes and all(code in failed for code in codes):
        return [failed[code] for code in codes]
    named = [code for code in codes if f"reason.{code}" in wording()]
    own_words = noted.removeprefix(" ".join(named)).strip()
    return [words(f"reason.{code}") for code in named] + ([own_words] if own_words else [])
