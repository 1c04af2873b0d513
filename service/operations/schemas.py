"""The operations desk as JSON: what has not ended, since when, and what needs a person; others' services."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from domain.batch import BatchStatus
from service.claims.schemas import Reason
from service.queue import Outside


class AlarmView(Struct):
    """Something that needs a person now. `code`: `alarm.…` of the wording, said in `message`."""

    code: str
    message: str
    count: int


class BatchesView(Struct):
    """The batches of a district that stand in one status, none of which has ended. `oldest_since`: since when the one
    that stands there longest does."""

    district: str
    status: BatchStatus
    status_name: str
    count: int
    sum_fen: int
    sum: str
    oldest_since: datetime


class ExceptionsView(Struct):
    """What waits for a person in a district: `unknown` are payments of which the bank cannot tell what became of
    them, `statement:…` are lines of statements, or statements that do not follow (`statement:blocked`, over no sum);
    every other kind is lines of returns. They come in the order in which they are to be worked off."""

    district: str
    kind: str
    count: int
    sum_fen: int
    sum: str
    oldest: datetime


class WaitingView(Struct):
    """What of batches goes no further until a person acts: `held`, until it is lifted; `taken_out`, until the bank's
    receipt is there; and what one person said and another has to confirm: that a file was `not_handed_over`, that its
    fate is `unclear`, a `resend`, a `decision` on an unknown payment."""

    district: str
    kind: str
    message: str
    count: int
    sum_fen: int
    sum: str
    oldest: datetime


class UnansweredView(Struct):
    """Objections and appeals of a kind in a district that nobody may answer, for whoever could is kept from it.
    `message` calls the kind, `then` says what helps; what was said is not shown."""

    district: str
    kind: str
    message: str
    then: str
    count: int
    oldest: datetime


class MissingReturnView(Struct):
    """A file that went to the bank longer ago than `return_due_hours`, and for whose payments no result came.
    `open`: how many of its payments, over `sum_fen` in fen."""

    batch_id: UUID
    number: str
    district: str
    status: BatchStatus
    since: datetime
    open: int
    sum_fen: int
    sum: str


class DeadJobsView(Struct):
    """Work of a kind that failed too often. `GET /api/jobs/dead` lists it, and an operator may have it done again."""

    kind: str
    message: str
    count: int
    oldest: datetime


class OperationsView(Struct):
    """`missing` holds those that are missing longest, at most 100; the alarm counts all. `return_due_hours` is null
    where policy sets none: then none counts as missing."""

    at: datetime
    return_due_hours: int | None
    alarms: list[AlarmView]
    exceptions: list[ExceptionsView]
    waiting: list[WaitingView]
    missing: list[MissingReturnView]
    batches: list[BatchesView]
    dead_jobs: list[DeadJobsView]
    unanswered: list[UnansweredView]


class OutsideView(Struct, kw_only=True):
    """A service that is not ours. `standing`: `closed` (it answers, as far as is known), `silent` (work waits for
    it), `open` (nobody asks before `resting_until`), `trial` (one call finds out whether it is back). `waiting` jobs
    were put off since it gave no answer, the first until `next_at`; `oldest_since`: since when the oldest is owed."""

    service: Outside
    name: str
    standing: str
    standing_name: str
    resting_until: datetime | None
    waiting: int
    oldest_since: datetime | None
    next_at: datetime | None


class OutsideViews(Struct):
    """Every one of them."""

    outside: list[OutsideView]


class NewAsking(Struct, forbid_unknown_fields=True):
    """Which service is to be asked now, and why: who said that it is back, say."""

    service: Outside
    reason: Reason
