"""Which claims a set of standards would give another amount, and what is then due: a list, nothing changes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.actor import Actor
from domain.claim import DEAD, ClaimStatus
from domain.eligibility import StandardFacts, amount_due
from domain.errors import NotFound
from domain.standard import Formula
from service.claims.queries.decisions import stored_facts
from service.claims.schemas import AffectedClaim, AffectedView
from service.database import Tx
from service.standards.queries.formulas import formed_with, formulas_of

#: Claims that are looked at together, and at most listed on a page.
PAGE = 1_000

# Other kinds than training are not priced by these standards.
# A claim without group and fee gets just the amount of the row: those that get the same are left to the database.
_CANDIDATES = text("""
    SELECT c.id, c.status, c.district, c.channel, c.filed_on, c.training_started_on, c.subsidy_key, c.level,
           c.amount_fen, c.decision, r.id AS standard_id, r.amount_fen AS standard_fen, r.sample, r.facts
      FROM standard_sets s
      JOIN claims c ON c.training_started_on >= s.first
                   AND CASE WHEN s.place IS NULL THEN datemultirange(daterange(s.first, s.until)) ELSE s.in_force END
                       @> c.training_started_on
      LEFT JOIN standards r ON r.set_id = s.id AND r.occupation = c.subsidy_key AND r.level = c.level
     WHERE s.id = :set_id AND c.kind = 'training' AND c.id > :after AND c.status <> ALL (CAST(:dead AS text[]))
       AND c.district = coalesce(CAST(:district AS text), c.district)
       AND c.status = ANY (coalesce(CAST(:statuses AS text[]), ARRAY[c.status]))
       AND (r.amount_fen IS DISTINCT FROM c.amount_fen OR c.id = ANY (CAST(:also AS uuid[]))
            OR c.decision -> 'facts' -> 'group' <> 'null' OR c.decision -> 'facts' -> 'fee' <> 'null')
     ORDER BY c.id LIMIT :limit
""")


async def affected_by(tx: Tx, me: Actor | None, set_id: UUID, after: UUID | None = None) -> AffectedView:
    """The next claims for certificates whose amount under the set is another, in order of their id.

    Looked at are claims that live or were paid, whose training began on a day that the set is for (of a published
    set: a day that nothing later has taken). A claim for which the set has no amount is due none. NotFound
    `standards.not_found`.
    """
    due, following = await _page(tx, me.district if me else None, set_id, after)
    claims = [_view(row, amount_fen) for row, amount_fen in due if amount_fen != row.amount_fen]
    return AffectedView(claims, following)


async def paid_under(
    tx: Tx, district: str | None, set_id: UUID, also: Sequence[UUID], after: UUID | None = None
) -> tuple[dict[UUID, int], UUID | None]:
    """Of the next claims that were paid, what the set gives for the facts of each, in fen; and where to go on.

    As `affected_by`, and besides those among `also`, whatever the set gives for them.
    """
    due, following = await _page(tx, district, set_id, after, (ClaimStatus.PAID,), also)
    return {row.id: amount_fen for row, amount_fen in due}, following


async def _page(
    tx: Tx,
    district: str | None,
    set_id: UUID,
    after: UUID | None,
    statuses: Sequence[ClaimStatus] | None = None,
    also: Sequence[UUID] = (),
) -> tuple[list[tuple[Any, int]], UUID | None]:
    formulas = await formulas_of(tx, [set_id])
    if set_id not in formulas:
        raise NotFound("standards.not_found")
    asked = {"set_id": set_id, "dead": [str(status) for status in DEAD], "limit": PAGE + 1, "also": list(also)}
    among = {"statuses": None if statuses is None else [str(each) for each in statuses], "district": district}
    rows = (await tx.execute(_CANDIDATES, {**asked, **among, "after": after or UUID(int=0)})).all()
    due = [(row, _due(row, formulas[set_id])) for row in rows[:PAGE]]
    return due, rows[PAGE - 1].id if len(rows) > PAGE else None


def _due(row: Any, formula: Formula | None) -> int:
    """What the claim would get for the facts that it was decided by."""
    if row.standard_id is None:
        return 0
    facts = stored_facts(row.decision)
    of_claim = {"group": facts.group.group} if facts.group else {}
    formed = formed_with(formula, row.level, row.standard_fen, row.facts, of_claim)
    standard = StandardFacts(str(row.standard_id), formed.amount_fen, row.sample, tuple(formed.steps))
    return amount_due(replace(facts, standard=standard)) or 0


def _view(row: Any, due_fen: int) -> AffectedClaim:
    difference = due_fen - row.amount_fen
    return AffectedClaim(
        claim_id=row.id,
        status=row.status,
        district=row.district,
        channel=row.channel,
        filed_on=row.filed_on,
        training_started_on=row.training_started_on,
        occupation=row.subsidy_key,
        level=row.level,
        amount_fen=row.amount_fen,
        would_be_fen=due_fen,
        supplement_fen=max(difference, 0),
        recovery_fen=max(-difference, 0),
    )
