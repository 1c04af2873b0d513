"""Policy parameters: dated, with their source; never constants in code."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import DATERANGE, JSONB, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class PolicyRow(Base):
    __tablename__ = "policies"
    __table_args__ = (
        ExcludeConstraint(("key", "="), ("in_force", "&&"), name="ex_policies_one_a_day", using="gist"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB)
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)
    source: Mapped[str]
    basis: Mapped[str]
