"""What an audit found."""

from uuid import UUID

from msgspec import Struct


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


class JobCountsView(Struct):
    ready: int
    done: int
    dead: int


class DeadJobView(Struct):
    """`subject` is the id of what the work is about."""

    id: int
    kind: str
    subject: UUID
    attempts: int
    last_error: str


class DeadJobsView(Struct):
    jobs: list[DeadJobView]
