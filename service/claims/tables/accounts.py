"""Another account for a claim whose payment came back, where its amount asks for a second person."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class AccountCheckRow(Base):
    """The account that a claimant named, which another person confirms, once, before anything is paid to it."""

    __tablename__ = "account_checks"
    __table_args__ = (
        Index("uq_account_checks_open", "claim_id", unique=True, postgresql_where=text("answered_at IS NULL")),
        CheckConstraint(
            "num_nulls(confirmed, answered_by, answered_person, answered_at) IN (0, 4)", name="answered_whole"
        ),
        CheckConstraint("(confirmed IS NULL) = (note = '')", name="note"),
        CheckConstraint("answered_person <> proposed_person", name="two_persons"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    proposed_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    proposed_at: Mapped[datetime]
    confirmed: Mapped[bool | None]
    #: By what it was checked, or what is wrong with it.
    note: Mapped[str] = mapped_column(server_default="")
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    answered_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    answered_at: Mapped[datetime | None]
