"""Which claims are late on their way: reviewed or paid later than policy allows, the oldest first."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text

from domain.actor import Actor
from domain.claim import ClaimStatus
from service.database import Tx
from service.policies.queries import required, work_calendar
from service.statistics.schemas import LateClaimView, OverdueView, StepView
from service.wording import words

#: The oldest of each step that are listed.
LISTED_MAX = 50

_S = ClaimStatus


@dataclass(frozen=True)
class _Step:
    """`since`: the day from which it counts, as SQL over a claim `c` and the end `shown` of its last notice;
    `claims`: of which claims it is a step; `early`: which of them can be late at all, as they say themselves. A
    supplement is decided when it is owed: from then on it is to be paid."""

    name: str
    statuses: tuple[ClaimStatus, ...]
    since: str
    claims: str
    early: str = "true"

    @property
    def parameter(self) -> str:
        return f"{self.name}_working_days"


_STEPS = (
    _Step("review", (_S.FILED, _S.VERIFIED, _S.IN_REVIEW), "c.filed_on", "c.kind <> 'supplement'"),
    _Step(
        "payment",
        (_S.FILED, _S.PAYABLE, _S.BATCHED, _S.BOUNCED),
        "CASE c.kind WHEN 'supplement' THEN c.filed_on ELSE shown.closes_on END",
        "(c.kind = 'supplement' OR c.status <> 'filed')",
        # Nobody's notice ended sooner after they filed than the shortest one lasted: the others need no looking up.
        "(c.kind = 'supplement' OR"
        " c.filed_on <= CAST(:until AS date) - (SELECT min(closes_on - opens_on) FROM public_notices))",
    ),
)


async def overdue(tx: Tx, me: Actor, today: date) -> OverdueView:
    """What is late today in my district, or anywhere for whoever has none. Conflict `policy.missing`."""
    allowed = await required(tx, today, *(step.parameter for step in _STEPS))
    return OverdueView(
        today,
        [await _late(tx, me, step, days, today) for step, days in zip(_STEPS, allowed, strict=True)],
    )


async def _late(tx: Tx, me: Actor, step: _Step, working_days: int, today: date) -> StepView:
    calendar = work_calendar()
    asked = text(f"""
        SELECT c.id, c.district, c.status, {step.since} AS since, count(*) OVER () AS number
          FROM claims c
          LEFT JOIN LATERAL (
               SELECT max(n.closes_on) AS closes_on FROM notice_lines l JOIN public_notices n ON n.id = l.notice_id
                WHERE l.claim_id = c.id AND c.status = ANY (CAST(:shown AS text[]))) AS shown ON true
         WHERE c.status = ANY (CAST(:statuses AS text[])) AND {step.claims} AND {step.early}
           AND {step.since} <= :until AND (CAST(:district AS text) IS NULL OR c.district = :district)
         ORDER BY {step.since}, c.id LIMIT :most
    """)  # noqa: S608 (our own constants)
    told = {"statuses": list(map(str, step.statuses)), "shown": list(map(str, _STEPS[1].statuses))}
    until = calendar.over_since(today, working_days)
    rows = (await tx.execute(asked, {**told, "until": until, "district": me.district, "most": LISTED_MAX})).all()

    def view(row: Row[Any]) -> LateClaimView:
        due = calendar.add(row.since, working_days).on
        return LateClaimView(row.id, row.district, row.status, words(f"status.{row.status}"), row.since, due)

    number = rows[0].number if rows else 0
    return StepView(step.name, words(f"step.{step.name}"), working_days, number, [view(row) for row in rows])
