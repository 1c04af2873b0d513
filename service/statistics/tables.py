"""What-if results, kept with what they were computed from."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class SimulationRow(Base):
    """What claims would have cost under other standards; written once.

    `inputs_sha256` is the hash of `inputs`, which say everything that `result` follows from.
    """

    __tablename__ = "simulations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    inputs_sha256: Mapped[str] = mapped_column(unique=True)
    inputs: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]]
    actor_user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    actor_person_id: Mapped[UUID | None]
    actor_name: Mapped[str]  # the post they acted in, or the command
    at: Mapped[datetime]
