"""An edition: its life, and the calendar: one in the first quarter, one adjustment in the second or third (二)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid
from domain.lifecycle import Lifecycle


class EditionStatus(StrEnum):
    DRAFT = "draft"
    IN_CONSULTATION = "in_consultation"
    APPROVED = "approved"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"


class EditionAction(StrEnum):
    CONSULT = "consult"
    REOPEN = "reopen"  # what was heard leads to changes
    APPROVE = "approve"
    PUBLISH = "publish"  # from a draft only a past edition, which is put in as it was published
    SUPERSEDE = "supersede"


EDITION_LIFECYCLE = Lifecycle(
    noun="edition",
    first=EditionStatus.DRAFT,
    moves={
        (EditionStatus.DRAFT, EditionAction.CONSULT): EditionStatus.IN_CONSULTATION,
        (EditionStatus.DRAFT, EditionAction.PUBLISH): EditionStatus.PUBLISHED,
        (EditionStatus.IN_CONSULTATION, EditionAction.REOPEN): EditionStatus.DRAFT,
        (EditionStatus.IN_CONSULTATION, EditionAction.APPROVE): EditionStatus.APPROVED,
        (EditionStatus.APPROVED, EditionAction.REOPEN): EditionStatus.DRAFT,
        (EditionStatus.APPROVED, EditionAction.PUBLISH): EditionStatus.PUBLISHED,
        (EditionStatus.PUBLISHED, EditionAction.SUPERSEDE): EditionStatus.SUPERSEDED,
    },
)

#: Only a draft's rows change; an edition in consultation or approved is what people were shown.
EDITABLE = frozenset({EditionStatus.DRAFT})
#: The days of these are on record, for ever.
IN_FORCE = frozenset({EditionStatus.PUBLISHED, EditionStatus.SUPERSEDED})

_Q1, _Q2_TO_Q3 = range(1, 4), range(4, 10)


@dataclass(frozen=True)
class Publishing:
    """A publication about to be: revision 0 is the year's own, each further one an adjustment. `day`: the day it is
    published on."""

    year: int
    revision: int
    day: date


def calendar_faults(asked: Publishing) -> Iterator[str]:
    """What the calendar of the notice does not allow, as codes: none for most publications.

    `not_its_year`, `outside_first_quarter` (revision 0), `outside_second_and_third_quarter` (an adjustment),
    `adjusted_already` (revision 2 and up: one adjustment a year).
    """
    if asked.day.year != asked.year:
        yield "not_its_year"
    elif asked.revision == 0 and asked.day.month not in _Q1:
        yield "outside_first_quarter"
    elif asked.revision > 0 and asked.day.month not in _Q2_TO_Q3:
        yield "outside_second_and_third_quarter"
    if asked.revision > 1:
        yield "adjusted_already"


def must_fit_calendar(asked: Publishing, override: str) -> list[str]:
    """The faults that `override` (a reason in words) sets aside; Conflict `edition.calendar` (faults) without one."""
    faults = list(calendar_faults(asked))
    if faults and not override.strip():
        raise Conflict("edition.calendar", faults=faults)
    return faults


def must_be_editor(me: Actor) -> Actor:
    """The city's catalog is put together by editors who work for the city; districts propose (notice 二.2).

    Forbidden `post_missing`, `city_only`.
    """
    me.must_hold(Post.CATALOG_EDITOR)
    me.must_serve_the_city()
    return me


def must_be_publisher(me: Actor) -> Actor:
    """Forbidden `post_missing`, `city_only`."""
    me.must_hold(Post.CATALOG_PUBLISHER)
    me.must_serve_the_city()
    return me


def must_allow(status: EditionStatus, action: EditionAction) -> None:
    """Conflict `wrong_status` unless persons may do this to an edition that stands so.

    The lifecycle also lets a draft be published: so a past one is put on record, and no other way.
    """
    if (status, action) == (EditionStatus.DRAFT, EditionAction.PUBLISH):
        raise Conflict("wrong_status", noun=EDITION_LIFECYCLE.noun, status=str(status), action=str(action))
    EDITION_LIFECYCLE.after(status, action)


def must_be_editable(status: EditionStatus) -> None:
    """Conflict `edition.not_a_draft` (status)."""
    if status not in EDITABLE:
        raise Conflict("edition.not_a_draft", status=str(status))


def must_not_have_edited(edition: UUID, edited: Collection[UUID]) -> None:
    """Who put an edition together does not approve or publish it: Forbidden `edition.own_work` when it is among
    those that this person `edited`."""
    if edition in edited:
        raise Forbidden("edition.own_work")


def must_be_settled(open_errors: int, open_warnings: int, reason: str) -> None:
    """Conflict `edition.open_errors` (count) while errors are undecided; Invalid `edition.open_warnings` (count,
    field `reason`) when warnings are and nobody says why that is all right."""
    if open_errors:
        raise Conflict("edition.open_errors", count=open_errors)
    if open_warnings and not reason.strip():
        raise Invalid("edition.open_warnings", field="reason", count=open_warnings)
