"""Batches, their lines and signatures, as JSON. Amounts: integers of fen beside a text for people."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from domain.batch import AttemptStatus, BatchStatus, Step

#: Agent banks commonly limit a file to this many lines.
LINES_MAX = 9_999

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
PositiveFen = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class BatchFilter(Struct, forbid_unknown_fields=True):
    """Which payable claims of the maker's district a batch takes; `filed_to` is the last filing day."""

    filed_to: date | None = None


class NewBatch(Struct, forbid_unknown_fields=True):
    filter: BatchFilter
    limit: Annotated[int, Meta(ge=1, le=LINES_MAX)] = LINES_MAX


class Shown(Struct, forbid_unknown_fields=True):
    """What the signer was shown; the signature binds exactly this (promise 8)."""

    content_hash: Sha256
    line_count: Annotated[int, Meta(ge=1, le=LINES_MAX)]
    sum_fen: PositiveFen


class NewRelease(Shown, forbid_unknown_fields=True):
    """The signer's view, and the treasury's transfer of the whole sum to the agent bank (拨付)."""

    voucher: Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9/_.-]{0,63}$")]
    transferred_on: date


class Dissolution(Struct, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(min_length=1, max_length=200)]


class SignatureView(Struct):
    step: Step
    signed_at: datetime


class BatchView(Struct):
    """`content_hash`, `line_count`, `sum_fen` and `sum` are null until the batch is frozen."""

    id: UUID
    number: str
    district: str
    filter: dict[str, Any]
    status: BatchStatus
    content_hash: str | None
    line_count: int | None
    sum_fen: int | None
    sum: str | None
    opened_at: datetime
    signatures: list[SignatureView]


class BatchList(Struct):
    """Newest first. `next` is the cursor of the page after this one."""

    batches: list[BatchView]
    next: str | None


class LineView(Struct):
    """One payment: `payee` masked, `account_tail` the last four digits."""

    reference: str
    payee: str
    account_tail: str
    bank_code: str
    amount_fen: int
    amount: str
    status: AttemptStatus
    failure: str


class LineList(Struct):
    lines: list[LineView]
    next: str | None
