"""The whole story of one claim: what was decided by which rule, then who did what, when, on which evidence.

A feature that touches claims has a part here; what it leaves in the journal is told by the first.
"""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from domain.actor import Actor
from service.audit.queries.story.care import faults_named, register_findings, replaced_decisions, stopped_by
from service.audit.queries.story.filing import filed, mandate_revoked, registers_at_filing, registry_replies
from service.audit.queries.story.journal import journalled
from service.audit.queries.story.money import money_moved, registers_before_payment, return_lines
from service.audit.queries.story.telling import messages_sent
from service.audit.schemas import StepView, StoryView
from service.claims.queries.views import claim_view
from service.database import Tx

Part = Callable[[Tx, UUID], Awaitable[list[StepView]]]

#: What a part tells of → the part. Of things that happen at one time, in this order.
PARTS: Mapping[str, Part] = {
    "how it was filed": filed,
    "registers looked into at filing": registers_at_filing,
    "every move of it, and of what it stood in: offer, holds, notices, appeals, batches, attempts": journalled,
    "a mandate taken back": mandate_revoked,
    "what the registry answered": registry_replies,
    "what it was sent back for": faults_named,
    "what was decided before it was corrected": replaced_decisions,
    "signals and penalties that stopped it": stopped_by,
    "registers looked into before payment": registers_before_payment,
    "what registers had against it then": register_findings,
    "its money": money_moved,
    "lines of the bank": return_lines,
    "messages to its holder": messages_sent,
}


async def story_of(tx: Tx, me: Actor, claim_id: UUID) -> StoryView:
    """The claim, its decision recomputed from the stored facts, and every step in order of time.

    NotFound `claim.not_found` for a claim that is not `me`'s to see.
    """
    claim = await claim_view(tx, me, claim_id)
    steps = [step for part in PARTS.values() for step in await part(tx, claim_id)]
    return StoryView(claim, sorted(steps, key=lambda each: each.at))
