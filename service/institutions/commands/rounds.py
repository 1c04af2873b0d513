"""A round of selection: announced, publicised when everything is scored, closed; or dropped."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select

from domain.actor import Actor
from domain.errors import Conflict
from domain.faults import Faults
from domain.period import read_period
from domain.selection import (
    APPLICATION_LIFECYCLE,
    ASSESSORS_LEAST,
    ASSESSORS_MOST,
    POINTS_MAX,
    ROUND_LIFECYCLE,
    ApplicationAction,
    ApplicationStatus,
    Criterion,
    RoundAction,
    check_criteria,
    check_days,
    check_room_for_publicity,
    must_be_closed_to_applications,
    must_be_over,
    must_be_scored,
    must_leave_days_to_admit,
    passes,
    publicity_from,
    score_of,
)
from domain.text import plain_words
from service.database import Tx, period_of, range_of
from service.institutions.commands.registering import officer
from service.institutions.queries.selection import as_announced, round_row, round_view, sheets_of
from service.institutions.schemas import NewRound, RoundView
from service.institutions.tables import ApplicationRow, RoundRow
from service.journal import By, move, record
from service.policies.queries import required, work_calendar

_ROUNDS, _APPLICATIONS = RoundRow.__table__, ApplicationRow.__table__


async def announce(tx: Tx, me: Actor, new: NewRound, today: date, now: datetime) -> RoundView:
    """Announce a round; what is announced stays as it is.

    Forbidden `city_only`; Conflict `policy.missing`; Invalid for everything that is wrong at once.
    """
    by, faults = officer(me, now, city=True), Faults()
    title = faults.read(plain_words, new.title, "title", most=100)
    criteria = [
        Criterion.read(each.name, each.weight, f"criteria.{number}", faults)
        for number, each in enumerate(new.criteria)
    ]
    check_criteria(criteria, faults)
    if not new.kinds or len(set(new.kinds)) < len(new.kinds):
        faults.tell("selection.kinds", "kinds")
    if not 0 <= new.pass_mark <= POINTS_MAX:
        faults.tell("selection.pass_mark", "pass_mark", most=POINTS_MAX)
    if not ASSESSORS_LEAST <= new.assessors <= ASSESSORS_MOST:
        faults.tell("selection.assessors", "assessors", least=ASSESSORS_LEAST, most=ASSESSORS_MOST)
    applications = read_period(new.applications.first, new.applications.last, faults, "applications.")
    admits = read_period(new.admits.first, new.admits.last, faults, "admits.")
    (publicity,) = await required(tx, today, "selection_publicity_working_days")
    if applications is not None and admits is not None:
        check_days(today, new.year, applications, admits, faults)
        check_room_for_publicity(applications, admits, publicity, work_calendar(), faults)
    faults.raise_all()
    round_id, said = uuid4(), {"title": title, "year": new.year, "status": str(ROUND_LIFECYCLE.first)}
    await record(tx, "selection_round", [round_id], "announce", by, [said])
    await tx.execute(
        insert(RoundRow).values(
            id=round_id,
            kinds=sorted(map(str, new.kinds)),
            criteria=[{"name": each.name, "weight": each.weight} for each in criteria],
            pass_mark=new.pass_mark,
            assessors=new.assessors,
            applications=range_of(applications),
            admits=range_of(admits),
            publicity_working_days=publicity,
            announced_by=me.user_id,
            announced_at=now,
            **said,
        )
    )
    return await round_view(tx, round_id)


async def publicise(tx: Tx, me: Actor, round_id: UUID, today: date, now: datetime) -> RoundView:
    """Nominate whoever reaches the pass mark, turn the others down, and let the public object from today on.

    NotFound `selection.none`; Conflict `selection.still_open`, `selection.too_few_scores`, `wrong_status`, and
    `selection.publicity_late` (last, first) where the public could object beyond the first day of admission.
    """
    by, row = officer(me, now, city=True), await round_row(tx, round_id, lock=True)
    ROUND_LIFECYCLE.after(row.status, RoundAction.PUBLICISE)
    announced = as_announced(row)
    must_be_closed_to_applications(announced.applications, today)
    publicity = publicity_from(today, row.publicity_working_days, work_calendar())
    must_leave_days_to_admit(publicity, announced.admits)
    waiting = await _filed(tx, round_id)
    sheets = await sheets_of(tx, waiting)
    persons = {each: len({sheet.human for sheet in sheets[each]}) for each in waiting}
    must_be_scored(persons, announced.assessors)
    for application_id in waiting:
        score = score_of(announced.criteria, [sheet.points for sheet in sheets[application_id]])
        enough = passes(score, announced.pass_mark)
        action = ApplicationAction.NOMINATE if enough else ApplicationAction.TURN_DOWN
        reason = "" if enough else f"得分 {score / 100:.2f}，未达 {announced.pass_mark} 分"
        changes = {"score": score}
        await move(
            tx, _APPLICATIONS, APPLICATION_LIFECYCLE, action, application_id, by, reason=reason, changes=changes
        )
    days = {"publicity": range_of(publicity)}
    await move(tx, _ROUNDS, ROUND_LIFECYCLE, RoundAction.PUBLICISE, round_id, by, changes=days)
    return await round_view(tx, round_id)


async def close(tx: Tx, me: Actor, round_id: UUID, today: date, now: datetime) -> RoundView:
    """End a round in which everything is decided. NotFound `selection.none`; Conflict `selection.in_publicity`
    (last), `selection.undecided` (count), `wrong_status`."""
    by, row = officer(me, now, city=True), await round_row(tx, round_id, lock=True)
    ROUND_LIFECYCLE.after(row.status, RoundAction.CLOSE)
    must_be_over(period_of(row.publicity), today)
    application = ApplicationRow
    nominated = select(func.count()).where(
        application.round_id == round_id, application.status == ApplicationStatus.NOMINATED
    )
    if count := (await tx.execute(nominated)).scalar_one():
        raise Conflict("selection.undecided", count=count)
    await move(tx, _ROUNDS, ROUND_LIFECYCLE, RoundAction.CLOSE, round_id, by)
    return await round_view(tx, round_id)


async def drop_round(tx: Tx, me: Actor, round_id: UUID, reason: str, now: datetime) -> RoundView:
    """Give a round up before it is publicised; whoever applied is told why. NotFound `selection.none`; Conflict
    `wrong_status`."""
    by, reason = officer(me, now, city=True), plain_words(reason, "reason")
    await round_row(tx, round_id, lock=True)
    for application_id in await _filed(tx, round_id):
        await _turn_down(tx, application_id, by, reason)
    await move(tx, _ROUNDS, ROUND_LIFECYCLE, RoundAction.DROP, round_id, by, reason=reason)
    return await round_view(tx, round_id)


async def _turn_down(tx: Tx, application_id: UUID, by: By, reason: str) -> None:
    action = ApplicationAction.TURN_DOWN
    await move(tx, _APPLICATIONS, APPLICATION_LIFECYCLE, action, application_id, by, reason=reason)


async def _filed(tx: Tx, round_id: UUID) -> list[UUID]:
    """The applications that wait, held in order of id."""
    row = ApplicationRow
    held = select(row.id).where(row.round_id == round_id, row.status == ApplicationStatus.FILED)
    return list((await tx.execute(held.order_by(row.id).with_for_update())).scalars())
