"""What the certificate registry answered: raw, sealed, with its time and source."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class RegistryReplyRow(Base):
    __tablename__ = "registry_replies"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), index=True)
    outcome: Mapped[str]
    detail: Mapped[dict[str, Any]]  # names of the fields that differ or stayed silent, never their values
    source: Mapped[str]
    received_at: Mapped[datetime]
    raw_sealed: Mapped[bytes]
