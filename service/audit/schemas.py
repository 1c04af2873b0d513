"""What an audit found."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from service.claims.schemas import ClaimView


class BrokenRow(Struct):
    """The first row that breaks a promise: its table and its primary key, written out."""

    table: str
    id: str


class PromiseReport(Struct):
    """One promise, recomputed. `number` is the design's (None: a check of ours), `checked` counts the rows looked at.

    `detail` says in Chinese what is wrong with `row` or, where the promise held, what there is to know.
    """

    number: int | None
    name: str
    held: bool
    detail: str
    checked: int
    row: BrokenRow | None = None


class SealView(Struct):
    """The head of the chain that seals the journal: `hash` (hex) stands for every row sealed up to block `number`."""

    number: int
    hash: str
    sealed_at: datetime


class JobCountsView(Struct):
    """`about`: those that are done were not counted one by one."""

    ready: int
    done: int
    dead: int
    about: bool = False


class DeadJobView(Struct):
    """`subject` is the id of what the work is about."""

    id: int
    kind: str
    subject: UUID
    attempts: int
    last_error: str


class DeadJobsView(Struct):
    jobs: list[DeadJobView]


class StepView(Struct):
    """One thing that happened: `who` acted (post and masked name, or the system), `evidence` is what shows it."""

    at: datetime
    who: str
    what: str
    evidence: list[str]


class StoryView(Struct):
    """A claim with its decision by every rule, and all that happened to it, earliest first."""

    claim: ClaimView
    steps: list[StepView]


class QueueView(Struct):
    """Work of one kind that is owed: how many jobs, and for how many seconds the oldest has been waiting and due."""

    kind: str
    name: str
    ready: int
    late_seconds: int


class ChangeView(Struct):
    """A field that changed; null: there was no value, or there is none."""

    field: str
    before: str | None
    after: str | None


class JournalEntryView(Struct, kw_only=True):
    """A row of the journal. `what`: in words, where there are any for this `action`; `person`: masked, empty where a
    machine acted."""

    id: int
    at: datetime
    kind: str
    kind_words: str
    subject: UUID
    what: str
    action: str
    who: str
    person: str
    reason: str
    changes: list[ChangeView]


class JournalPage(Struct):
    """The latest first. `next`: the cursor of the page that follows; null where the journal begins."""

    entries: list[JournalEntryView]
    next: int | None
