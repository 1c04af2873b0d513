"""Public notices as JSON, and the objections to them."""

from datetime import date
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from domain.notice_objection import CONTACT_MAX, WORDS_MAX
from domain.objection import Finding
from service.claims.schemas import Reason


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
    """`first_line`: the place of the first of `lines` in the whole list, from 1; `next` is the `cursor` of the
    following page, None on the last."""

    notice: NoticeView
    lines: list[NoticeLineView]
    next: UUID | None
    first_line: int


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


class NewNoticeObjection(Struct, forbid_unknown_fields=True):
    """What is wrong, with which line of the list (from 1; null: with the whole notice), and how to find you."""

    words: Annotated[str, Meta(min_length=1, max_length=WORDS_MAX)]
    line: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    contact: Annotated[str, Meta(max_length=CONTACT_MAX)] = ""


class NoticeObjectionReceipt(Struct):
    """`id` is the address at which the answer is read, `number` what people call it by; `due_on` the day by which it
    is given."""

    id: UUID
    due_on: date
    provisional: bool
    number: str = ""


class NoticeObjectionState(Struct, kw_only=True):
    """An objection as whoever has its address reads it: nobody's words but the answer. `line` null: the whole."""

    id: UUID
    notice_id: UUID
    district: str
    opens_on: date
    line: int | None
    filed_on: date
    due_on: date
    overdue: bool
    finding: Finding | None
    message: str
    answer: str
    answered_on: date | None
    number: str = ""


class NoticeObjectionView(NoticeObjectionState, kw_only=True):
    """The same for the desk that runs the notice. `shown`: the line as the public read it."""

    words: str
    contact: str
    signed_in: bool
    claim_id: UUID | None
    shown: NoticeLineView | None


class NoticeObjectionList(Struct):
    """Those due first, or the latest answered first. `next` is the cursor of the page that follows."""

    objections: list[NoticeObjectionView]
    next: UUID | None


class NewNoticeAnswer(Struct, forbid_unknown_fields=True):
    """What was found, and why; whoever objected reads it."""

    finding: Finding
    answer: Reason
