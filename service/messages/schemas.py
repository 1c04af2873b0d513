"""Messages as JSON."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class MessageView(Struct):
    """`text` as it was or will be sent; `state` owed, sent or undeliverable. `claim_id`: null for an offer."""

    id: UUID
    claim_id: UUID | None
    text: str
    state: str
    state_name: str
    made_at: datetime
    ended_at: datetime | None


class MessagesView(Struct):
    """Newest first."""

    messages: list[MessageView]
