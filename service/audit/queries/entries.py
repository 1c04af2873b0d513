"""The journal as auditors read it: a page at a time, the latest first, never more than a stretch of it at once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, exists, func, or_, select

from domain.actor import Actor
from domain.errors import Invalid
from service.audit.queries.story.journal import masked
from service.audit.schemas import ChangeView, JournalEntryView, JournalPage
from service.batches.tables import BatchRow
from service.claims.tables import ClaimRow
from service.clock import SHANGHAI
from service.database import Tx
from service.journal import JournalRow
from service.people.tables import PersonRow
from service.wording import wording, words

#: 这个批次 is a batch.
_THIS = re.compile("^这.")
#: Rows that one page looks through, however few of them fit.
STRETCH = 50_000


@dataclass(frozen=True)
class JournalFilter:
    """What is looked for; None: of any. `first`, `last`: days, both included."""

    kind: str | None = None
    subject: UUID | None = None
    post: str | None = None
    first: date | None = None
    last: date | None = None


async def list_entries(tx: Tx, me: Actor, asked: JournalFilter, cursor: int | None, limit: int) -> JournalPage:
    """A page of the journal, the latest first; `cursor`: before which id. For whoever works for a district, what
    became of its claims and batches.

    A page that looked through a whole stretch and found less than it may hold still has a `next`.
    """
    row = JournalRow
    upto = cursor if cursor is not None else (await tx.execute(select(func.max(row.id)))).scalar() or 0
    upto = upto if cursor is not None else upto + 1
    down_to = 0 if asked.kind and asked.subject else max(upto - STRETCH, 0)  # an index leads to one subject
    columns = (row.id, row.at, row.subject_kind, row.subject_id, row.action, row.before, row.after, row.reason)
    query = (
        select(*columns, row.actor_name, PersonRow.id.label("person_id"), PersonRow.name_sealed)
        .join(PersonRow, PersonRow.id == row.actor_person_id, isouter=True)
        .where(row.id < upto, row.id >= down_to, *_conditions(asked), _visible_to(me))
        .order_by(row.id.desc())
        .limit(limit + 1)
    )
    rows = (await tx.execute(query)).all()
    further = rows[limit - 1].id if len(rows) > limit else (down_to or None)
    return JournalPage([_entry(each) for each in rows[:limit]], further)


def _conditions(asked: JournalFilter) -> list[ColumnElement[bool]]:
    row, conditions = JournalRow, list[ColumnElement[bool]]()
    if asked.kind:
        conditions.append(row.subject_kind == asked.kind)
    if asked.subject:
        conditions.append(row.subject_id == asked.subject)
    if asked.post:
        conditions.append(row.actor_name == asked.post)
    if asked.first:
        conditions.append(row.at >= _midnight(asked.first))
    if asked.last and asked.last < date.max:
        conditions.append(row.at < _midnight(asked.last + timedelta(days=1)))
    return conditions


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def _visible_to(me: Actor) -> ColumnElement[bool]:
    row = JournalRow
    if me.district is None:
        return row.id.is_not(None)
    claims = exists().where(ClaimRow.id == row.subject_id, ClaimRow.district == me.district)
    batches = exists().where(BatchRow.id == row.subject_id, BatchRow.district == me.district)
    return or_(and_(row.subject_kind == "claim", claims), and_(row.subject_kind == "batch", batches))


def _entry(row: Row[*tuple[Any, ...]]) -> JournalEntryView:
    code = f"story.{row.subject_kind}.{row.action}"
    by = f"by.{row.actor_name}" if f"by.{row.actor_name}" in wording() else f"post.{row.actor_name}"
    return JournalEntryView(
        id=row.id,
        at=row.at,
        kind=row.subject_kind,
        kind_words=kind_words(row.subject_kind),
        subject=row.subject_id,
        what=words(code) if code in wording() else "",
        action=row.action,
        who=words(by) if by in wording() else row.actor_name,
        person=masked(row) if row.person_id else "",
        reason=row.reason,
        changes=list(_changes(row.before or {}, row.after)),
    )


def kind_words(kind: str) -> str:
    """What a kind of subject is called; the kind itself where nobody gave it a name."""
    return _THIS.sub("", words(f"noun.{kind}")) if f"noun.{kind}" in wording() else kind


def _changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[ChangeView]:
    for field in {**before, **after}:
        yield ChangeView(field, _said(field, before.get(field)), _said(field, after.get(field)))


def _said(field: str, value: object) -> str | None:
    """A status in words; anything else as it is kept."""
    if value is None:
        return None
    said = f"status.{value}" if field == "status" else ""
    return words(said) if said in wording() else str(value)


def subject_of(text: str) -> UUID | None:
    """The id that was typed; None for nothing. Invalid `journal.subject`."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("journal.subject", "subject") from None
