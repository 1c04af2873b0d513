"""What the holder of a claim was told of it, and of the offer that it came of."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from service.audit.schemas import StepView
from service.clock import SHANGHAI
from service.database import Tx
from service.wording import words

_MESSAGES = text("""
    SELECT made_at AS at, template, facts, state, why, ended_at FROM messages WHERE claim_id = :claim
     UNION ALL
    SELECT m.made_at, m.template, m.facts, m.state, m.why, m.ended_at
      FROM claim_offers o JOIN messages m ON m.event = 'offer:' || o.id
     WHERE o.claim_id = :claim
     ORDER BY at
""")


async def messages_sent(tx: Tx, claim_id: UUID) -> list[StepView]:
    return [_message(row) for row in await tx.execute(_MESSAGES, {"claim": claim_id})]


def _message(row: Any) -> StepView:
    """Its words hold no name and no number."""
    ended = {"ended": f"{row.ended_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"} if row.ended_at else {}
    state = words("evidence.message", {"state": words(f"message_state.{row.state}"), **ended})
    return StepView(row.at, words("by.messages.send_message"), words(f"message.{row.template}", row.facts), [state])
