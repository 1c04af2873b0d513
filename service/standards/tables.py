"""Subsidy standards: one amount for an occupation, a level and a day (notice 三), whatever the list."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base, Fen


class StandardRow(Base):
    __tablename__ = "standards"
    __table_args__ = (
        ExcludeConstraint(
            ("occupation", "="), ("level", "="), ("in_force", "&&"), name="ex_standards_one_a_day", using="gist"
        ),
        CheckConstraint("amount_fen > 0", name="amount"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    occupation: Mapped[str]  # canonical code
    level: Mapped[str]
    amount_fen: Mapped[Fen]
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)
    sample: Mapped[bool]
    derivation: Mapped[dict[str, Any]]
    source: Mapped[str]
