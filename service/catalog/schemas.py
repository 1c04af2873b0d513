"""The catalog as JSON."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

#: As many findings are answered in one go.
FINDINGS_AT_ONCE_MAX = 500

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


class ObstacleView(Struct):
    """Something that keeps an edition from being published."""

    code: str
    message: str


class ItemView(Struct):
    id: UUID
    list_kind: str
    list_name: str
    serial: str
    code: str | None
    name: str
    tag: str
    industry: str


class PrintingView(Struct):
    """An edition, in force from `first` to `last`, that prints an occupation by this code and name in these lists."""

    year: int
    revision: int
    first: date | None
    last: date | None
    code: str
    name: str
    lists: list[str]


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
    """`decision` null: nobody decided yet. `version` is another when it says something else or was decided anew."""

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
    version: str


class FindingsView(Struct):
    """`open_errors` stand in the way of an approval; `open_warnings` need a reason there."""

    open_errors: int
    open_warnings: int
    findings: list[FindingView]


class NewEdition(Struct, forbid_unknown_fields=True):
    """A draft that begins as the published edition `copy_of`; `replace` gives up what was worked on a draft there."""

    copy_of: UUID
    year: Annotated[int, Meta(ge=2000, le=2100)]
    revision: Annotated[int, Meta(ge=0, le=99)]
    replace: bool = False


class NewItem(Struct, forbid_unknown_fields=True):
    """All values of a row, and why it is added or corrected. `serial` null: the next of its list, or as it was."""

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


class SeenFinding(Struct, forbid_unknown_fields=True):
    """A finding in the version that was read."""

    id: UUID
    version: Annotated[str, Meta(max_length=40)]


class NewFindingDecisions(NewFindingDecision, forbid_unknown_fields=True):
    """One answer, with one reason, to many findings."""

    findings: Annotated[list[SeenFinding], Meta(min_length=1, max_length=FINDINGS_AT_ONCE_MAX)]


class FindingsDecidedView(Struct):
    """How many were answered; `changed` are those that are not any more what was read, and were not answered."""

    decided: int
    changed: list[FindingView]


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


class SourceView(Struct):
    """A list the city was given: the provincial guide, the enterprises' shortage catalog, the survey of needs."""

    id: UUID
    kind: Literal["provincial_guide", "shortage", "survey"]
    name: str
    dated_on: date
    sha256: str
    rows: int


class SourcesView(Struct):
    sources: list[SourceView]


class RenamedView(Struct):
    source: ListedView
    edition: ListedView


class BesideSourceView(Struct):
    """`missing`: the edition lacks them; `unsupported`: the source does not ask for them."""

    source: SourceView
    missing: list[ListedView]
    named_otherwise: list[RenamedView]
    unsupported: list[ListedView]


class FigureView(Struct, forbid_unknown_fields=True):
    """A figure of the labour market, such as vacancies, with where it is from."""

    name: Annotated[str, Meta(min_length=1, max_length=50)]
    value: Annotated[str, Meta(min_length=1, max_length=50)]
    source: Annotated[str, Meta(min_length=1, max_length=200)]


class NewProposal(Struct, forbid_unknown_fields=True):
    """A row that a district would like in the catalog of a year; `item.reason` says why."""

    year: Annotated[int, Meta(ge=2000, le=2100)]
    item: NewItem
    figures: Annotated[list[FigureView], Meta(max_length=20)] = []


class NewOpinion(Struct, forbid_unknown_fields=True):
    """What somebody who was asked said; `name` is that of a body. `document_sha256` in hexadecimal."""

    asked: Literal["department", "enterprise", "institution", "trainee"]
    name: Words
    stance: Literal["for", "against", "neither"]
    said: Words
    document_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    heard_on: Day


class NewProposalDecision(Struct, forbid_unknown_fields=True):
    """`edition_id`: the draft into which an accepted proposal goes."""

    reason: Words
    edition_id: UUID | None = None


class OpinionView(Struct):
    asked: str
    name: str
    stance: str
    said: str
    document_sha256: str
    heard_on: date


class ProposalView(Struct):
    """`item_id`: the row of the draft that it became."""

    id: UUID
    district: str
    year: int
    status: Literal["proposed", "accepted", "declined"]
    item: dict[str, str | None]
    reason: str
    figures: list[FigureView]
    opinions: list[OpinionView]
    item_id: UUID | None

    def as_new(self, reason: str) -> NewItem:
        """The row to put into a draft. Its serial is the draft's to give."""
        values = {name: self.item[name] or "" for name in ("list_name", "name", "industry", "tag")}
        return NewItem(**values, reason=reason, code=self.item["code"], serial=None)


class ProposalsView(Struct):
    proposals: list[ProposalView]
