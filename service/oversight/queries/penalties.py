"""Penalties as officers and the institution's clerk see them, and as everybody does while they are published."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select, tuple_

from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.penalty import STANDING, InFlight, Ladder, LadderStep, PenaltyStatus
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.oversight.queries.credit import ladders
from service.oversight.queries.whom import READERS, visible_to
from service.oversight.schemas import (
    AppealView,
    PenaltyList,
    PenaltyView,
    PublicPenalties,
    PublicPenaltyView,
)
from service.oversight.tables import PenaltyRow
from service.wording import words

#: The latest that everybody is shown.
PUBLIC_MAX = 500


def _penalties() -> Select[*tuple[Any, ...]]:
    row, institution = PenaltyRow, InstitutionRow
    told = (institution.credit_code, institution.name.label("institution_name"))
    return select(*row.__table__.c, *told).join(institution, institution.id == row.institution_id)


def _seen_by(me: Actor) -> ColumnElement[bool]:
    """Others than officers are told once it is decided, not while it is thought about."""
    if me.holds(Post.INSTITUTION_OFFICER, Post.AUDITOR):
        return visible_to(me)
    decided = PenaltyRow.status.not_in((PenaltyStatus.PROPOSED, PenaltyStatus.DROPPED))
    return and_(visible_to(me), decided)


async def penalty_view(tx: Tx, me: Actor, penalty_id: UUID) -> PenaltyView:
    """NotFound `penalty.not_found`, also for one that is not mine to see."""
    found = (await tx.execute(_penalties().where(PenaltyRow.id == penalty_id, _seen_by(me)))).one_or_none()
    if found is None:
        raise NotFound("penalty.not_found")
    return _view(found, await ladders(tx, {found.ladder}))


async def penalty_list(tx: Tx, me: Actor, cursor: UUID | None, limit: int) -> PenaltyList:
    """A page of the penalties in one's district or of one's institution, newest first; `cursor`: the last seen."""
    me.must_hold(*READERS, Post.CLERK)
    row = PenaltyRow
    asked = _penalties().where(_seen_by(me)).order_by(row.proposed_at.desc(), row.id.desc()).limit(limit + 1)
    if cursor is not None:
        seen = select(row.proposed_at).where(row.id == cursor).scalar_subquery()
        asked = asked.where(tuple_(row.proposed_at, row.id) < tuple_(seen, cursor))
    rows = (await tx.execute(asked)).all()
    known = await ladders(tx, {each.ladder for each in rows})
    return PenaltyList(
        [_view(each, known) for each in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None
    )


async def public_penalties(tx: Tx, today: date, institution_id: UUID | None = None) -> PublicPenalties:
    """What is published today, of one institution or all: penalties that stand, from their decision to the last day
    of their publication; one that was overturned is taken down at once."""
    row = PenaltyRow
    asked = _penalties().where(row.status.in_(STANDING), row.published_until >= today)
    if institution_id is not None:
        asked = asked.where(row.institution_id == institution_id)
    rows = (await tx.execute(asked.order_by(row.decided_on.desc(), row.id).limit(PUBLIC_MAX))).all()
    known = await ladders(tx, {each.ladder for each in rows})
    return PublicPenalties([_public(each, _step(each, known)) for each in rows])


def _public(row: Any, step: LadderStep) -> PublicPenaltyView:
    return PublicPenaltyView(
        institution=row.credit_code,
        institution_name=row.institution_name,
        step_name=step.name,
        reason=row.reason,
        stops=sorted(step.stops),
        first=row.first,
        last=row.last,
        decided_on=row.decided_on,
        published_until=row.published_until,
    )


def _step(row: Any, known: Mapping[str, Ladder]) -> LadderStep:
    ladder = known[row.ladder]
    return ladder.steps[ladder.place_of(row.step)]


def _view(row: Any, known: Mapping[str, Ladder]) -> PenaltyView:
    step = _step(row, known)
    return PenaltyView(
        id=row.id,
        institution=row.credit_code,
        institution_name=row.institution_name,
        step=step.code,
        step_name=step.name,
        rule=row.rule,
        why=words(f"penalty_rule.{row.rule}", row.figures),
        reason=row.reason,
        document_sha256=row.document_sha256,
        first=row.first,
        last=row.last,
        stops=sorted(step.stops),
        claims_in_flight=InFlight(row.claims_in_flight),
        claims_in_flight_name=words(f"claims_in_flight.{row.claims_in_flight}"),
        leaves=step.leaves,
        status=row.status,
        status_name=words(f"status.{row.status}"),
        proposed_at=row.proposed_at,
        decided_on=row.decided_on,
        mend_until=row.mend_until,
        appeal_until=row.appeal_until,
        appeal=_appeal(row),
        lifted_on=row.lifted_on,
        published_until=row.published_until,
    )


def _appeal(row: Any) -> AppealView | None:
    if row.appealed_on is None:
        return None
    granted = None if row.answered_on is None else row.status == PenaltyStatus.OVERTURNED
    return AppealView(row.appealed_on, row.appeal_reason, row.answered_on, granted, row.answer)
