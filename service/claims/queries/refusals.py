"""A refusal as the claimant is told it: when, why, and what may be done against it."""

from itertools import takewhile
from uuid import UUID

from sqlalchemy import select

from domain.claim import ClaimAction
from domain.eligibility import Decision, Result
from domain.remedy import remedies
from service.claims.schemas import RefusalView, RemedyView
from service.clock import SHANGHAI
from service.database import Tx
from service.journal import JournalRow
from service.policies.queries import required
from service.wording import wording, words

#: Who acts where the rules decide, and no person: that is why a person may be asked to look again.
RULES = "claims.rules"


async def refusal_of(tx: Tx, claim_id: UUID, decision: Decision) -> RefusalView | None:
    """The last refusal of a claim, with the periods that the policy of its day sets; None when nobody refused it."""
    row = JournalRow
    refused = (
        await tx.execute(
            select(row.at, row.reason, row.actor_name)
            .where(row.subject_kind == "claim", row.subject_id == claim_id, row.action == str(ClaimAction.REFUSE))
            .order_by(row.id.desc())
            .limit(1)
        )
    ).one_or_none()
    if refused is None:
        return None
    on = refused.at.astimezone(SHANGHAI).date()
    ways = remedies(on, *await required(tx, on, "reconsideration_days", "lawsuit_months"))
    told = [RemedyView(each.kind, each.last, words(f"remedy.{each.kind}", {"last": each.last})) for each in ways]
    reasons = _rules_reasons(decision) if refused.actor_name == RULES else _officers_reasons(refused.reason)
    return RefusalView(on, reasons, told)


def _rules_reasons(decision: Decision) -> list[str]:
    return [words(each.code, each.facts) for each in decision.outcomes if each.outcome is Result.FAILED]


def _officers_reasons(noted: str) -> list[str]:
    """Codes of the list of reasons, and after them the officer's own words."""
    named = list(takewhile(lambda part: f"reason.{part}" in wording(), noted.split()))
    own_words = noted.removeprefix(" ".join(named)).strip()
    return [words(f"reason.{code}") for code in named] + ([own_words] if own_words else [])
