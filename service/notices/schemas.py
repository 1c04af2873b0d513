"""Public notices as JSON."""

from datetime import date
from uuid import UUID

from msgspec import Struct


class NewNotice(Struct, forbid_unknown_fields=True):
    """Nothing to choose: every approved claim of the publisher's district is published."""


class NoticeView(Struct):
    """`closes_on` is the last day; `provisional`: that year's holidays are not arranged yet.

    `content_hash` is the SHA-256, in hex, over the lines as shown: each as compact JSON followed by a line feed.
    """

    id: UUID
    district: str
    opens_on: date
    closes_on: date
    provisional: bool
    line_count: int
    content_hash: str


class PublishedView(NoticeView):
    """`excluded`: approved claims that are the publisher's own or reviewed by them; `left`: beyond one notice."""

    excluded: int
    left: int


class NoticeLineView(Struct):
    """What the public sees of a claim, and nothing else: the birth digits of the id number are hidden."""

    name: str
    id_number: str
    occupation: str
    level: str
    amount: str
    amount_fen: int
    institution: str


class NoticePageView(Struct):
    """`next` is the `cursor` of the following page, None on the last."""

    notice: NoticeView
    lines: list[NoticeLineView]
    next: UUID | None


class OpenNoticesView(Struct):
    notices: list[NoticeView]


class PublishableView(Struct):
    """What a notice of today would say. `excluded`: claims that are the asker's own, that they reviewed, or that
    somebody has yet to look at again; `lines`: the first of `count`."""

    count: int
    sum_fen: int
    excluded: int
    closes_on: date
    provisional: bool
    lines: list[NoticeLineView]
