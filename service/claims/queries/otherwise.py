"""Which claims another value of a parameter would have decided otherwise: a list, nothing changes.

A correction of law reaches back to claims that were decided by what stood before; what is then done about each is
decided claim by claim.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.actor import Actor
from domain.eligibility import Decision, decide
from domain.errors import Invalid
from domain.period import parse_date
from domain.policy import check_value
from service.claims.queries.decisions import decided_again, stored_facts
from service.claims.schemas import DecidedOtherwise, NewOtherwise, OtherwiseView
from service.database import Tx
from service.wording import words

#: Claims that are decided again for a page.
PAGE = 1_000

_FILED = text("""
    SELECT id, status, district, filed_on, amount_fen, decision FROM claims
     WHERE kind <> 'supplement' AND id > :after
       AND filed_on >= :first AND filed_on <= coalesce(CAST(:last AS date), filed_on)
       AND district = coalesce(CAST(:district AS text), district)
     ORDER BY id LIMIT :limit
""")


async def decided_otherwise(tx: Tx, me: Actor, new: NewOtherwise) -> OtherwiseView:
    """Those of the next PAGE claims, in order of id, whose eligibility or amount would be another; refused ones too.

    Each by the rules that it was decided by and the facts of its day. Invalid `policy.…` for a value that the
    parameter cannot be, `policy.not_of_claims`, `period.reversed`.
    """
    check_value(new.key, new.value)
    first, last = parse_date(new.first, "from"), parse_date(new.last, "to") if new.last else None
    if last is not None and last < first:
        raise Invalid("period.reversed", "to", first=str(first), last=str(last))
    asked = {"first": first, "last": last, "after": new.after or UUID(int=0), "limit": PAGE + 1}
    rows = (await tx.execute(_FILED, {**asked, "district": me.district})).all()
    found = [(row, *_both(row.decision, new)) for row in rows[:PAGE]]
    claims = [_view(row, was, would) for row, was, would in found if was.amount_fen != would.amount_fen]
    return OtherwiseView(claims, len(found), rows[PAGE - 1].id if len(rows) > PAGE else None)


def _both(stored: dict[str, Any], new: NewOtherwise) -> tuple[Decision, Decision]:
    """What was decided, and what would have been. An amount is there just where a decision grants it."""
    facts = stored_facts(stored)
    otherwise = replace(facts, parameters=facts.parameters.but(new.key, new.value))
    return decided_again(stored), decide(otherwise, stored["rules_version"])


def _view(row: Any, was: Decision, would: Decision) -> DecidedOtherwise:
    reasons = [words(each.code, each.facts) for each in would.outcomes if each.code in would.failed]
    return DecidedOtherwise(
        claim_id=row.id,
        status=row.status,
        status_name=words(f"status.{row.status}"),
        district=row.district,
        filed_on=row.filed_on,
        was_fen=was.amount_fen,
        would_be_fen=would.amount_fen,
        reasons=reasons,
    )
