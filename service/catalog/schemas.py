"""The catalog as JSON."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

Words = Annotated[str, Meta(max_length=500)]
Day = Annotated[str, Meta(max_length=10)]
Status = Literal["draft", "in_consultation", "approved", "published", "superseded"]


class EditionView(Struct):
    """In force from `first` to `last`, both included; `last` null: until superseded; `first` null: not published.

    `historical`: put on record as it was. `calendar_faults` were set aside for `reason`.
    """

    id: UUID
    year: int
    revision: int
    status: Status
    first: date | None
    last: date | None
    source_name: str
    source_sha256: str
    historical: bool
    reason: str
    calendar_faults: list[str]
    consultation_first: date | None
    consultation_last: date | None


class EditionsView(Struct):
    editions: list[EditionView]


class ItemView(Struct):
    id: UUID
    list_kind: str
    list_name: str
    serial: str
    code: str | None
    name: str
    tag: str
    industry: str


class CatalogView(Struct):
    """`edition` null: no edition is in force on that day, and there are no items."""

    edition: EditionView | None
    items: list[ItemView]


class DraftItemView(Struct):
    """A row of a draft; `corrected`: it differs from what was published, or was added."""

    id: UUID
    place: int
    line: int
    list_name: str
    serial: str
    code: str | None
    name: str
    tag: str
    industry: str
    corrected: bool


class ItemChangeView(Struct):
    """`before` null: added; `after` null: removed."""

    item_id: UUID
    kind: Literal["added", "corrected", "removed"]
    before: dict[str, str | None] | None
    after: dict[str, str | None] | None
    reason: str
    at: datetime


class DraftView(Struct):
    """A page of a draft's rows in the order of their lines, and what editors did to it, newest first."""

    edition: EditionView
    items: list[DraftItemView]
    changes: list[ItemChangeView]


class FindingView(Struct):
    """`decision` null: nobody decided yet."""

    id: UUID
    kind: str
    severity: Literal["error", "warning", "note"]
    list_name: str
    serial: int | None
    line: int | None
    code: str | None
    message: str
    suggestion: str
    decision: Literal["accept", "correct", "ask"] | None
    note: str | None
    decided_at: datetime | None


class FindingsView(Struct):
    """`open_errors` stand in the way of an approval; `open_warnings` need a reason there."""

    open_errors: int
    open_warnings: int
    findings: list[FindingView]


class NewEdition(Struct, forbid_unknown_fields=True):
    """A draft that begins as the published edition `copy_of`."""

    copy_of: UUID
    year: Annotated[int, Meta(ge=2000, le=2100)]
    revision: Annotated[int, Meta(ge=0, le=99)]


class NewItem(Struct, forbid_unknown_fields=True):
    """All values of a row, and why it is added or corrected. `serial` null where a list has none."""

    list_name: Words
    name: Words
    industry: Words
    reason: Words
    code: Annotated[str, Meta(max_length=20)] | None = None
    tag: Annotated[str, Meta(max_length=3)] = ""
    serial: Annotated[int, Meta(ge=1, le=999_999)] | None = None


class NewReason(Struct, forbid_unknown_fields=True):
    reason: Words = ""


class NewFindingDecision(Struct, forbid_unknown_fields=True):
    """`accept`: it stands as published; `ask`: the source was asked, and the finding stays open."""

    decision: Literal["accept", "ask"]
    note: Words


class NewConsultation(Struct, forbid_unknown_fields=True):
    """Opinions are heard from `first` to `last`, both included."""

    first: Day
    last: Day


class NewPublication(Struct, forbid_unknown_fields=True):
    """In force from `first`; `override` says why the calendar is set aside."""

    first: Day
    override: Words = ""


class AnnouncementView(Struct):
    """A short text for a public account, with a link to the catalog."""

    text: str


class ListedView(Struct):
    list: str
    code: str | None
    name: str
    tag: str
    industry: str


class ChangedView(Struct):
    before: ListedView
    after: ListedView


class DifferenceView(Struct):
    """What changed from one edition to another; a row that differs in several ways stands under each."""

    added: list[ListedView]
    removed: list[ListedView]
    renamed: list[ChangedView]
    recoded: list[ChangedView]
    relisted: list[ChangedView]
    retagged: list[ChangedView]
    reclassed: list[ChangedView]
