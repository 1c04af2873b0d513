"""The promise about decisions: each is computed again from its stored facts, by the rules of its version."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, false, select

from domain.claim import ClaimKind
from domain.eligibility import StandardFacts, amount_due
from domain.errors import DomainError
from domain.standard import recompute as recompute_steps
from service.audit.queries.checks import Breach, Promise
from service.claims.queries.decisions import decided_again, result_of, stored_facts
from service.claims.tables import ClaimRow
from service.database import Tx
from service.offers.tables import OfferRow

#: Rows whose decisions are held here at once.
PAGE = 1_000

DECISIONS = Promise(16, "decisions_recompute", "claims", ())


async def recompute(tx: Tx) -> Breach | None:
    """The first claim, then the first offer, whose stored decision is not what its facts give."""
    return await _recompute(tx, ClaimRow) or await _recompute(tx, OfferRow)


async def _recompute(tx: Tx, row: type[ClaimRow] | type[OfferRow]) -> Breach | None:
    after = UUID(int=0)
    while True:
        # a supplement carries the decision on the claim it belongs to: its amount is not what that comes to
        owed = row.kind == ClaimKind.SUPPLEMENT if row is ClaimRow else false()
        asked = select(row.id, row.decision, row.amount_fen).where(row.id > after, ~owed)
        page = (await tx.execute(asked.order_by(row.id).limit(PAGE))).all()
        for each in page:
            if says := _differs(each):
                return Breach(row.__tablename__, str(each.id), says)
        if len(page) < PAGE:
            return None
        after = page[-1].id


def _gives(standard: StandardFacts) -> bool:
    """Whether the steps of an amount that was formed for this claim come to it."""
    try:
        return recompute_steps(standard.steps) == standard.amount_fen
    except ValueError:
        return False


def _differs(row: Row[UUID, dict[str, Any], int]) -> str | None:
    stored = row.decision
    try:
        facts, again = stored_facts(stored), decided_again(stored)
    except (msgspec.ValidationError, LookupError, TypeError, ValueError, DomainError):
        return "存下的判断读不出，无法重算"
    differing = [name for name, value in result_of(again).items() if stored.get(name) != value]
    if differing:
        return f"由存下的事实重算，结果不同：{'、'.join(differing)}"
    if facts.standard and facts.standard.steps and not _gives(facts.standard):
        return "由存下的推导重算，标准金额不同"
    if amount_due(facts) != row.amount_fen:
        return "金额不是判断所定的金额"
    return None
