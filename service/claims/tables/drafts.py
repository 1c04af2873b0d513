"""A claim that somebody has begun to fill in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class ClaimDraftRow(Base):
    """What was typed so far, sealed under the row's id; forgotten a week after it was last touched. It decides
    nothing: filing reads what was typed as from anybody else."""

    __tablename__ = "claim_drafts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    typed_sealed: Mapped[bytes]
    touched_at: Mapped[datetime] = mapped_column(index=True)
