"""What an audit found."""

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
