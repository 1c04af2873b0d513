"""惩戒: propose a step of the ladder, decide it as another person, drop what will not be decided."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from domain.actor import Actor, Post
from domain.errors import Conflict, Invalid, NotFound
from domain.penalty import (
    PENALTY_LIFECYCLE,
    InFlight,
    LadderStep,
    PenaltyAction,
    PenaltyStatus,
    must_be_another,
)
from domain.period import Period, parse_date
from domain.text import public_words
from service.database import Tx
from service.institutions import commands as institutions
from service.institutions.tables import InstitutionRow
from service.jobs import owe
from service.journal import By, move, record
from service.oversight.queries.credit import due_for, ladder_on, ladders
from service.oversight.queries.penalties import penalty_view
from service.oversight.queries.whom import in_my_district, visible_to
from service.oversight.schemas import NewPenalty, PenaltyView
from service.oversight.tables import PenaltyRow
from service.policies.queries import deadline, work_calendar
from service.queue import Job

#: The rule of a step that no rule calls for: an officer proposes it, and says why.
OFFICER = "officer"


async def propose(tx: Tx, me: Actor, new: NewPenalty, today: date, now: datetime) -> PenaltyView:
    """A step of today's ladder from a day on, not before today. Where the rules call for this step, they are named.

    NotFound `oversight.no_institution`; Conflict `penalty.no_ladder`, `penalty.proposed` while another is proposed;
    Invalid `penalty.no_step`, `penalty.in_past`, `words.empty`, `text.personal_number`.
    """
    me.must_hold(Post.INSTITUTION_OFFICER)
    institution, first = await in_my_district(tx, me, new.institution), parse_date(new.first, "first")
    if first < today:
        raise Invalid("penalty.in_past", "first")
    proposed = select(PenaltyRow.id).where(
        PenaltyRow.institution_id == institution.id, PenaltyRow.status == PenaltyStatus.PROPOSED
    )
    if (await tx.execute(proposed)).first():
        raise Conflict("penalty.proposed")
    reason, on = public_words(new.reason, "reason"), await ladder_on(tx, today)
    place = on.ladder.place_of(new.step)
    due = await due_for(tx, institution.id, on.ladder, today)
    called = due if due and due.place == place else None
    step, penalty_id = on.ladder.steps[place], uuid4()
    days = step.days_from(first)
    row: dict[str, Any] = {
        "institution_id": institution.id,
        "ladder": on.code,
        "step": step.code,
        "rule": called.rule if called else OFFICER,
        "figures": dict(called.figures) if called else {},
        "document_sha256": new.document_sha256,
        "first": first,
        "last": days and days.last,
        "published_until": step.published_until(first),
        "claims_in_flight": str(step.claims_in_flight),
        "status": str(PENALTY_LIFECYCLE.first),
    }
    noted = {
        name: value if isinstance(value, dict) else str(value) for name, value in row.items() if value is not None
    }
    by = By.actor(me, Post.INSTITUTION_OFFICER, now)
    await record(tx, PENALTY_LIFECYCLE.noun, [penalty_id], "propose", by, [noted], reason=reason)
    signed = {"proposed_by": me.user_id, "proposed_person": me.person_id, "proposed_at": now}
    await tx.execute(insert(PenaltyRow).values(id=penalty_id, reason=reason, **row, **signed))
    return await penalty_view(tx, me, penalty_id)


async def impose(tx: Tx, me: Actor, penalty_id: UUID, today: date, now: datetime) -> PenaltyView:
    """Another person of the city decides it: what it stops is stopped from its day on, and its clerk may appeal.

    NotFound `penalty.not_found`; Forbidden `penalty.same_person`, `city_only`; Conflict `wrong_status`, and
    `penalty.too_late` when its day is past.
    """
    penalty = await locked(tx, me, penalty_id)
    me.must_serve_the_city()
    PENALTY_LIFECYCLE.after(PenaltyStatus(penalty.status), PenaltyAction.IMPOSE)
    must_be_another(me.person_id, penalty.proposed_person)
    if penalty.first < today:
        raise Conflict("penalty.too_late", first=penalty.first.isoformat())
    step = await step_of(tx, penalty)
    changes = await _begin(tx, me, penalty, step, now)
    changes["appeal_until"] = (await deadline(tx, "appeal_working_days", today)).on
    if step.mend_working_days:
        changes["mend_until"] = work_calendar().add(today, step.mend_working_days).on
    await _move(tx, me, PenaltyAction.IMPOSE, penalty_id, {**changes, **_decided(me, today)}, now)
    if penalty.claims_in_flight == InFlight.HOLD:
        await owe(tx, Job.HOLD_CLAIMS, penalty_id)
    return await penalty_view(tx, me, penalty_id)


async def _begin(tx: Tx, me: Actor, penalty: Any, step: LadderStep, now: datetime) -> dict[str, Any]:
    """Stop what the step stops, and let go whom it lets go; the columns that tell of it."""
    changes: dict[str, Any] = {}
    if penalty.last is not None:
        days = Period(penalty.first, penalty.last)
        sanction = institutions.impose(tx, me, penalty.institution_id, days, step.stops, penalty.reason, now)
        changes["sanction_id"] = await sanction
    if step.leaves:
        await institutions.let_go(tx, me, penalty.institution_id, penalty.first, penalty.reason, now)
    return changes


async def drop(tx: Tx, me: Actor, penalty_id: UUID, today: date, now: datetime) -> PenaltyView:
    """Give up a proposal; its proposer may, or another. NotFound `penalty.not_found`; Conflict `wrong_status`."""
    await locked(tx, me, penalty_id)
    await _move(tx, me, PenaltyAction.DROP, penalty_id, _decided(me, today), now)
    return await penalty_view(tx, me, penalty_id)


async def locked(tx: Tx, me: Actor, penalty_id: UUID) -> Any:
    """A penalty of an institution of the officer's district, which nobody else decides meanwhile."""
    me.must_hold(Post.INSTITUTION_OFFICER)
    row = PenaltyRow
    asked = select(*row.__table__.c).join(InstitutionRow, InstitutionRow.id == row.institution_id)
    found = await tx.execute(asked.where(row.id == penalty_id, visible_to(me)).with_for_update(of=row))
    penalty = found.one_or_none()
    if penalty is None:
        raise NotFound("penalty.not_found")
    return penalty


async def step_of(tx: Tx, penalty: Any) -> LadderStep:
    """The step as its own ladder has it."""
    ladder = (await ladders(tx, {penalty.ladder}))[penalty.ladder]
    return ladder.steps[ladder.place_of(penalty.step)]


def _decided(me: Actor, today: date) -> dict[str, Any]:
    return {"decided_by": me.user_id, "decided_person": me.person_id, "decided_on": today}


async def _move(
    tx: Tx, me: Actor, action: PenaltyAction, penalty_id: UUID, changes: dict[str, Any], now: datetime
) -> None:
    by = By.actor(me, Post.INSTITUTION_OFFICER, now)
    await move(tx, PenaltyRow.__table__, PENALTY_LIFECYCLE, action, penalty_id, by, changes=changes)
