"""What stands before the public, masked."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Uuid, and_, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from domain.actor import Actor, Post, Scope, excluded_with
from domain.claim import ClaimStatus
from domain.errors import NotFound
from domain.identity import NationalId
from domain.level import LEVELS
from domain.money import format_yuan
from service.catalog.tables import CatalogItemRow
from service.claims.queries.care import looked_at_again
from service.claims.tables import ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.institutions.tables import InstitutionListingRow, InstitutionRow
from service.journal import JournalRow
from service.notices.schemas import NoticeLineView, NoticePageView, NoticeView, PublishableView
from service.notices.tables import NoticeLineRow, NoticeRow
from service.people.tables import PersonRow
from service.policies.queries import deadline

#: Lines on a page; notices in the list of open ones (a district has a few at a time).
PAGE_MAX = 200
NOTICES_MAX = 500
#: The first lines of what could be published.
PREVIEWED = 20

_VIEW = (
    NoticeRow.id,
    NoticeRow.district,
    NoticeRow.opens_on,
    NoticeRow.closes_on,
    NoticeRow.provisional,
    NoticeRow.line_count,
    NoticeRow.content_hash,
)


def _is_open(today: date) -> ColumnElement[bool]:
    """Down after its last day, whether the sweep has come by or not."""
    return and_(NoticeRow.closed_at.is_(None), NoticeRow.closes_on >= today)


async def open_notices(tx: Tx, today: date) -> list[NoticeView]:
    """Every notice before the public, the newest first."""
    rows = await tx.execute(
        select(*_VIEW).where(_is_open(today)).order_by(NoticeRow.opens_on.desc(), NoticeRow.id).limit(NOTICES_MAX)
    )
    return [NoticeView(*row) for row in rows]


async def notice_page(
    tx: Tx, notice_id: UUID, today: date, after: UUID | None = None, limit: int = PAGE_MAX
) -> NoticePageView | None:
    """Up to `limit` lines behind the cursor `after`; None once the notice is taken down.

    NotFound `notice.not_found` when there never was such a notice.
    """
    found = (
        await tx.execute(select(*_VIEW, _is_open(today).label("open")).where(NoticeRow.id == notice_id))
    ).one_or_none()
    if found is None:
        raise NotFound("notice.not_found")
    if not found.open:
        return None
    line = NoticeLineRow
    asked = (
        _shown().join(line, line.claim_id == ClaimRow.id).where(line.notice_id == notice_id).order_by(line.claim_id)
    )
    if after is not None:
        asked = asked.where(line.claim_id > after)
    rows = (await tx.execute(asked.limit(limit + 1))).all()
    more = rows[limit - 1].id if len(rows) > limit else None
    return NoticePageView(NoticeView(*found[:-1]), await _masked(rows[:limit]), more)


async def claimed_through(tx: Tx, notice_id: UUID) -> list[tuple[str, str]]:
    """Credit code and name of the institutions of the catalog by which lines of a notice were claimed."""
    line, row, listed = NoticeLineRow, InstitutionRow, InstitutionListingRow
    asked = (
        select(row.credit_code, row.name)
        .join(ClaimRow, ClaimRow.institution_id == row.id)
        .join(line, line.claim_id == ClaimRow.id)
        .where(line.notice_id == notice_id, exists().where(listed.institution_id == row.id))
        .distinct()
    )
    return [(code, name) for code, name in await tx.execute(asked.order_by(row.name, row.credit_code))]


async def lines_of(tx: Tx, claim_ids: Sequence[UUID]) -> list[NoticeLineView]:
    """The lines of these claims as a notice shows them, in its order (by id of claim)."""
    these = ClaimRow.id == func.any(literal(list(claim_ids), ARRAY(Uuid)))
    rows = await tx.execute(_shown().where(these).order_by(ClaimRow.id))
    return await _masked(rows.all())


def may_publish(me: Actor) -> ColumnElement[bool]:
    """Whether this person may publish a claim: it is not their own, they held no excluding post on it, and nobody has
    yet to look at its approval again."""
    posts = [str(post) for post in excluded_with(Post.NOTICE_PUBLISHER, Scope.CLAIM)]
    acted = exists().where(
        JournalRow.subject_kind == "claim",
        JournalRow.subject_id == ClaimRow.id,
        JournalRow.actor_person_id == me.person_id,
        JournalRow.actor_name.in_(posts),
    )
    return ~or_(ClaimRow.person_id == me.person_id, acted, looked_at_again())


async def waiting(tx: Tx, me: Actor) -> tuple[int, int]:
    """Approved claims of the actor's district that they may publish, and that they may not."""
    mine = may_publish(me)
    counts = await tx.execute(
        select(func.count().filter(mine), func.count().filter(~mine))
        .select_from(ClaimRow)
        .where(ClaimRow.district == me.district, ClaimRow.status == str(ClaimStatus.APPROVED))
    )
    left, excluded = counts.one()
    return left, excluded


async def publishable(tx: Tx, me: Actor, today: date) -> PublishableView:
    """What `publish_notice` would bring before the public now, as it would be shown there: the first lines, the
    oldest claims. Conflict `policy.missing`."""
    claim, count = ClaimRow, func.count()
    where = claim.district == me.district, claim.status == str(ClaimStatus.APPROVED), may_publish(me)
    told, sum_fen = (
        await tx.execute(select(count, func.coalesce(func.sum(claim.amount_fen), 0)).where(*where))
    ).one()
    first = await tx.execute(select(claim.id).where(*where).order_by(claim.filed_on, claim.id).limit(PREVIEWED))
    last, (_, excluded) = await deadline(tx, "notice_working_days", today), await waiting(tx, me)
    lines = await lines_of(tx, list(first.scalars()))
    return PublishableView(told, int(sum_fen), excluded, last.on, last.provisional, lines)


def _shown() -> Select[*tuple[Any, ...]]:
    claim = ClaimRow
    return (
        select(
            claim.id,
            claim.person_id,
            PersonRow.name_sealed,
            PersonRow.id_number_sealed,
            CatalogItemRow.name.label("occupation"),
            claim.level,
            claim.amount_fen,
            func.coalesce(InstitutionRow.name, "").label("institution"),
        )
        .join(PersonRow, PersonRow.id == claim.person_id)
        .join(CatalogItemRow, CatalogItemRow.id == claim.item_id)
        .outerjoin(InstitutionRow, InstitutionRow.id == claim.institution_id)
    )


async def _masked(rows: Sequence[Row[Any]]) -> list[NoticeLineView]:
    """In a thread: opening thousands of envelopes would hold up everybody else's requests."""
    return await asyncio.to_thread(lambda: [_line(row) for row in rows])


def _line(row: Row[Any]) -> NoticeLineView:
    keys = keyring()
    return NoticeLineView(
        keys.open(row.name_sealed, row.person_id),
        NationalId(keys.open(row.id_number_sealed, row.person_id)).masked(),
        row.occupation,
        LEVELS[row.level].name,
        format_yuan(row.amount_fen),
        row.amount_fen,
        row.institution,
    )
