"""What officers have to do, as JSON."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from domain.second_review import SecondFinding, Why
from service.claims.schemas import Reason


class Kind(StrEnum):
    REVIEW = "review"
    SECOND_REVIEW = "second_review"
    APPEAL = "appeal"
    AMOUNT_APPEAL = "amount_appeal"
    DEMAND_APPEAL = "demand_appeal"
    OBJECTION = "objection"


class WorkView(Struct, kw_only=True):
    """Something that waits for an officer. `id` is the claim's, or that of the appeal or the objection.

    `due_on`: null where policy sets no day. `why`: for which reason another person must look again; of a claim in
    review, what it was questioned for. `mine_until`: until when I have taken it. `claimant` is masked.
    """

    kind: Kind
    id: UUID
    claim_id: UUID
    status: str
    status_name: str
    district: str
    claimant: str
    item_name: str
    level: str
    level_name: str
    amount_fen: int
    amount: str
    channel: str
    filed_on: date
    due_on: date | None
    overdue: bool
    why: list[str]
    why_names: list[str]
    held: bool
    mine_until: datetime | None


class WorkList(Struct):
    """By the day on which it is due. `next` is the cursor of the page that follows; null on the last."""

    work: list[WorkView]
    next: str | None


class NewTaking(Struct, forbid_unknown_fields=True):
    """The next so many of that kind."""

    kind: Kind = Kind.REVIEW
    count: Annotated[int, Meta(ge=1, le=50)] = 1


class LeaseView(Struct):
    """`until` null: it is nobody's."""

    claim_id: UUID
    until: datetime | None


class LeasesView(Struct):
    """What I took; fewer than asked for where no more waits."""

    taken: list[LeaseView]


class NewRecusal(Struct, forbid_unknown_fields=True):
    """Why I leave it to others; without numbers of persons."""

    reason: Reason


class RecusedView(Struct):
    claim_id: UUID


class NewSecondFinding(Struct, forbid_unknown_fields=True):
    """To overturn takes a reason."""

    finding: SecondFinding
    reason: Annotated[str, Meta(max_length=500)] = ""


class ApprovalView(Struct, kw_only=True):
    """An approval, and what came of it. The claim is in the sample if the first four bytes of SHA-256 over `seed` and
    the 16 bytes of the claim's id, as one number, leave less than `percent` when divided by 100."""

    approved_at: datetime
    seed: str
    percent: int
    from_fen: int | None
    why: list[Why]
    why_names: list[str]
    finding: SecondFinding | None
    message: str
    finding_reason: str
    found_at: datetime | None


class ApprovalsView(Struct):
    """The last one counts."""

    claim_id: UUID
    approvals: list[ApprovalView]


class DueView(Struct):
    """Of one kind of work in my district: how much waits, is due today, is late."""

    kind: Kind
    kind_name: str
    waiting: int
    due_today: int
    overdue: int


class SummaryView(Struct):
    today: date
    work: list[DueView]


class TakenView(Struct, kw_only=True):
    """A claim that another officer has taken; `who` masked."""

    claim_id: UUID
    item_name: str
    level_name: str
    who: str
    until: datetime


class WaitingCounts(Struct):
    """Claims that wait for a reviewer: those that a person has to look at one by one, and those that the registry
    found and no rule questions."""

    in_review: int
    verified: int


class LastDone(Struct):
    what: str
    at: datetime
