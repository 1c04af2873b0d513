"""Credit of institutions, the ladder of a day, and which step follows; and what the credit platform is told."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, or_, select

from domain.actor import Actor, Post
from domain.errors import Conflict, NotFound
from domain.penalty import STANDING, CreditEvent, Due, EarlierPenalty, EventKind, Ladder, step_due
from domain.period import add_months
from service.database import Tx
from service.gateways.publication_files import as_csv
from service.institutions.queries import standings
from service.institutions.tables import InstitutionRow
from service.oversight.queries.whom import mine_to_read, visible_to
from service.oversight.schemas import CreditEventView, CreditView, DueList, DueView
from service.oversight.tables import CreditEventRow, PenaltyLadderRow, PenaltyRow
from service.wording import words

#: Rows that are listed at once.
EVENTS_MAX, DUE_MAX = 500, 500


@dataclass(frozen=True)
class LadderOn:
    """A ladder with the code under which it was published."""

    code: str
    ladder: Ladder


async def ladder_on(tx: Tx, day: date) -> LadderOn:
    """The ladder that holds on a day. Conflict `penalty.no_ladder`."""
    row = PenaltyLadderRow
    asked = select(row.code, row.content).where(row.first <= day).order_by(row.first.desc()).limit(1)
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise Conflict("penalty.no_ladder", on=day.isoformat())
    return LadderOn(found.code, Ladder.read(found.content))


async def ladders(tx: Tx, codes: Collection[str]) -> Mapping[str, Ladder]:
    """Ladders by code: a penalty is told by the one it was decided under."""
    row = PenaltyLadderRow
    found = await tx.execute(select(row.code, row.content).where(row.code.in_(codes)))
    return {code: Ladder.read(content) for code, content in found}


@dataclass(frozen=True)
class Past:
    """What the rules look at for one institution."""

    events: list[CreditEvent]
    earlier: list[EarlierPenalty]


async def pasts(tx: Tx, ids: Collection[UUID], ladder: Ladder) -> Mapping[UUID, Past]:
    """The events of each of `ids` in the order in which they were recorded, and the penalties that stand."""
    found: defaultdict[UUID, Past] = defaultdict(lambda: Past([], []))
    event, penalty = CreditEventRow, PenaltyRow
    events = (
        select(event.institution_id, event.happened_on, event.points, event.classes_held, event.classes_failed)
        .where(event.institution_id.in_(ids))
        .order_by(event.recorded_at, event.id)
    )
    for institution_id, happened_on, points, held, failed in await tx.execute(events):
        found[institution_id].events.append(CreditEvent(happened_on, points, held or 0, failed or 0))
    places = {each.code: place for place, each in enumerate(ladder.steps)}
    standing = select(penalty.institution_id, penalty.step, penalty.first).where(
        penalty.institution_id.in_(ids), penalty.status.in_(STANDING)
    )
    for institution_id, step, first in await tx.execute(standing):
        if step in places:  # a step that the present ladder no longer has counts for nothing
            found[institution_id].earlier.append(EarlierPenalty(places[step], first))
    return found


async def due_for(tx: Tx, institution_id: UUID, ladder: Ladder, today: date) -> Due | None:
    """The step that follows today for one institution."""
    past = (await pasts(tx, [institution_id], ladder))[institution_id]
    return step_due(ladder, past.events, past.earlier, today)


async def credit(tx: Tx, me: Actor, code: str, year: int, today: date) -> CreditView:
    """An institution's year. NotFound `oversight.no_institution`, also for one that is not mine to see; Conflict
    `penalty.no_ladder`."""
    institution, on = await mine_to_read(tx, me, code), await ladder_on(tx, today)
    past = (await pasts(tx, [institution.id], on.ladder))[institution.id]
    due = step_due(on.ladder, past.events, past.earlier, today)
    stands = (await standings(tx, [institution.id], today))[institution.id]
    row = CreditEventRow
    of_year = (row.institution_id == institution.id, func.date_part("year", row.happened_on) == year)
    return CreditView(
        institution=code,
        institution_name=institution.name,
        year=year,
        credit=on.ladder.credit_in(past.events, year, date(year, 12, 31)),
        standing=stands.standing,
        stops=sorted(stands.stops),
        events=await _events(tx, code, *of_year),
        due=due_view(code, institution.name, on.ladder, due) if due else None,
    )


async def event_view(tx: Tx, institution: str, event_id: UUID) -> CreditEventView:
    """An event that the caller was allowed to record."""
    return (await _events(tx, institution, CreditEventRow.id == event_id))[0]


async def event_to_mend(tx: Tx, me: Actor, event_id: UUID) -> CreditEventView:
    """An event of an institution in my reach. NotFound `credit.no_event`."""
    row, institution = CreditEventRow, InstitutionRow
    asked = select(institution.credit_code).join(row, row.institution_id == institution.id)
    code = (await tx.execute(asked.where(row.id == event_id, visible_to(me)))).scalar_one_or_none()
    if code is None:
        raise NotFound("credit.no_event")
    return await event_view(tx, code, event_id)


async def _events(tx: Tx, institution: str, *where: object) -> list[CreditEventView]:
    row = CreditEventRow
    asked = select(*row.__table__.c).where(*where)  # type: ignore[arg-type]
    latest = asked.order_by(row.happened_on.desc(), row.recorded_at.desc(), row.id).limit(EVENTS_MAX)
    return [
        CreditEventView(
            id=each.id,
            institution=institution,
            kind=EventKind(each.kind),
            kind_name=words(f"credit_event.{each.kind}"),
            points=each.points,
            happened_on=each.happened_on,
            words=each.words,
            document_sha256=each.document_sha256,
            recorded_at=each.recorded_at,
            classes_held=each.classes_held,
            classes_failed=each.classes_failed,
            corrects=each.corrects_id,
            penalty=each.penalty_id,
        )
        for each in await tx.execute(latest)
    ]


def due_view(code: str, name: str, ladder: Ladder, due: Due) -> DueView:
    step, figures = ladder.steps[due.place], dict(due.figures)
    why = words(f"penalty_rule.{due.rule}", figures)
    return DueView(code, name, step.code, step.name, due.rule, due.since, figures, why)


async def due_list(tx: Tx, me: Actor, today: date) -> DueList:
    """Institutions of my district for which a step follows today, the gravest first. Conflict `penalty.no_ladder`."""
    me.must_hold(Post.INSTITUTION_OFFICER, Post.AUDITOR)
    on, row = await ladder_on(tx, today), InstitutionRow
    since = add_months(today, -max(12, on.ladder.repeated_months))
    of_late = or_(
        row.id.in_(select(CreditEventRow.institution_id).where(CreditEventRow.happened_on > since)),
        row.id.in_(select(PenaltyRow.institution_id).where(PenaltyRow.first > since)),
    )
    found = await tx.execute(select(row.id, row.credit_code, row.name).where(visible_to(me), of_late))
    institutions = {each.id: each for each in found}
    known = await pasts(tx, institutions.keys(), on.ladder)
    due = [
        (each, next_step)
        for each in institutions.values()
        if (next_step := step_due(on.ladder, known[each.id].events, known[each.id].earlier, today))
    ]
    due.sort(key=lambda pair: (-pair[1].place, pair[1].since, pair[0].credit_code))
    return DueList([due_view(each.credit_code, each.name, on.ladder, step) for each, step in due[:DUE_MAX]])


_HEADING = ("统一社会信用代码", "机构", "事项", "内容", "日期", "起", "止", "信用分", "依据文件摘要")


async def export(tx: Tx, me: Actor, year: int) -> bytes:
    """The credit facts of a year for the credit platform, as CSV: events, and penalties that stand and are
    published. Forbidden `city_only`."""
    me.must_hold(Post.INSTITUTION_OFFICER)
    me.must_serve_the_city()
    institution, event, penalty = InstitutionRow, CreditEventRow, PenaltyRow
    asked = (
        select(
            *(institution.credit_code, institution.name, event.kind, event.words),
            *(event.happened_on, event.points, event.document_sha256),
        )
        .join(institution, institution.id == event.institution_id)
        .where(func.date_part("year", event.happened_on) == year)
        .order_by(institution.credit_code, event.happened_on, event.recorded_at, event.id)
    )
    rows = [
        (*(each.credit_code, each.name, words(f"credit_event.{each.kind}"), each.words),
         *(str(each.happened_on), "", "", _points(each.points), each.document_sha256))
        for each in await tx.execute(asked)
    ]  # fmt: skip
    told = (
        select(institution.credit_code, institution.name, *penalty.__table__.c)
        .join(institution, institution.id == penalty.institution_id)
        .where(penalty.status.in_(STANDING), penalty.published_until.is_not(None))
        .where(func.date_part("year", penalty.decided_on) == year)
        .order_by(institution.credit_code, penalty.decided_on, penalty.id)
    )
    penalties = (await tx.execute(told)).all()
    known = await ladders(tx, {each.ladder for each in penalties})
    for each in penalties:
        step = known[each.ladder].steps[known[each.ladder].place_of(each.step)]
        days = (str(each.decided_on), str(each.first), str(each.last or ""))
        rows.append((each.credit_code, each.name, step.name, each.reason, *days, "", each.document_sha256))
    return as_csv(_HEADING, rows)


def _points(points: int) -> str:
    """In words: a sign at its beginning makes a cell a formula."""
    return f"{'加' if points > 0 else '扣'}{abs(points)}分" if points else ""
