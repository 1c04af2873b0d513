"""Policy parameters: dated, with their source; never constants in code. Two persons change one."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import DATERANGE, JSONB, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class PolicyProposalRow(Base):
    """What one person wants a parameter to be from a day on; written once."""

    __tablename__ = "policy_proposals"
    __table_args__ = (
        UniqueConstraint("id", "proposer_id", name="uq_policy_proposals_proposer"),
        CheckConstraint("source <> '' AND basis <> ''", name="source"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB)
    first: Mapped[date]
    source: Mapped[str]
    basis: Mapped[str]
    proposer_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    proposed_at: Mapped[datetime]


class PolicyConfirmationRow(Base):
    """The signature of another person under a proposal; written once."""

    __tablename__ = "policy_confirmations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["proposal_id", "proposer_id"],
            ["policy_proposals.id", "policy_proposals.proposer_id"],
            name="fk_policy_confirmations_proposal",
        ),
        CheckConstraint("person_id <> proposer_id", name="two_persons"),
    )

    proposal_id: Mapped[UUID] = mapped_column(primary_key=True)
    proposer_id: Mapped[UUID]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    confirmed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    confirmed_at: Mapped[datetime]


class PolicyRow(Base):
    """In force on `in_force`. A row only learns its end day, from the confirmed proposal that follows it.

    `proposal_id` null: loaded as published, before anybody changed it here.
    """

    __tablename__ = "policies"
    __table_args__ = (
        ExcludeConstraint(("key", "="), ("in_force", "&&"), name="ex_policies_one_a_day", using="gist"),
        UniqueConstraint("proposal_id", name="uq_policies_proposal"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB)
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)
    source: Mapped[str]
    basis: Mapped[str]
    proposal_id: Mapped[UUID | None] = mapped_column(ForeignKey("policy_confirmations.proposal_id"))
