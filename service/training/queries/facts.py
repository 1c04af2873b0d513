"""The facts of one class; deciding is `domain/training`."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from domain.institution import Stop
from domain.period import whole_months
from domain.training import (
    Busy,
    Facts,
    InspectionFacts,
    InspectionResult,
    Parameters,
    StandardFacts,
    StandingFacts,
    TraineeFacts,
    Whose,
)
from service.database import Tx
from service.institutions.queries import scope_on, standings
from service.policies.queries import parameters, retirement_ages, work_calendar
from service.training.queries.plans import Member, Plan, during, times_of
from service.training.tables import InspectionRow

_SUBJECT = text("""
    SELECT key.occupation, item.id AS item_id, s.id AS standard_id, s.facts ->> 'hours' AS hours,
           EXISTS (SELECT FROM training_classes c
                    WHERE c.institution_id = CAST(:institution AS uuid)
                      AND c.id IS DISTINCT FROM CAST(:excluding AS uuid)
                      AND c.status IN ('approved', 'running', 'finished', 'closed')) AS held_before
      FROM (SELECT coalesce((SELECT a.canonical FROM occupation_aliases a WHERE a.code = CAST(:code AS text)),
                            CAST(:code AS text)) AS occupation) AS key
      LEFT JOIN LATERAL (
           SELECT i.id FROM catalog_items i JOIN catalog_editions e ON e.id = i.edition_id
            WHERE e.in_force @> CAST(:day AS date) AND i.code = CAST(:code AS text)
            ORDER BY i.place LIMIT 1) AS item ON true
      LEFT JOIN standards s ON s.occupation = key.occupation AND s.level = CAST(:level AS text)
                           AND s.in_force @> CAST(:day AS date)
""")

# Each person or room once for every other class that has them at the time. Who learns in a class has all of its
# sessions, who teaches there has their own.
_BUSY = text("""
    WITH mine AS (
        SELECT m.n, m.teacher_id, m.room_id, tstzrange(m.begins, m.ends) AS during
          FROM unnest(CAST(:ns AS integer[]), CAST(:teachers AS uuid[]), CAST(:rooms AS uuid[]),
                      CAST(:begins AS timestamptz[]), CAST(:ends AS timestamptz[]))
                 AS m (n, teacher_id, room_id, begins, ends)
    ), taken AS (
        SELECT who.whose, who.person_id AS id, b.class_id, 0 AS n, b.during
          FROM unnest(CAST(:whose AS text[]), CAST(:people AS uuid[])) AS who (whose, person_id)
          JOIN LATERAL (
               SELECT q.class_id, NULL::uuid AS teacher_id FROM training_places q WHERE q.person_id = who.person_id
                UNION ALL
               SELECT t.class_id, t.person_id FROM training_teachers t WHERE t.person_id = who.person_id) AS held
            ON held.class_id IS DISTINCT FROM CAST(:excluding AS uuid)
          JOIN training_sessions b
            ON b.class_id = held.class_id AND b.live AND b.teacher_id = coalesce(held.teacher_id, b.teacher_id)
          JOIN mine ON mine.during && b.during AND (who.whose = 'trainee' OR mine.teacher_id = who.person_id)
         UNION ALL
        SELECT 'room', mine.room_id, b.class_id, mine.n, b.during
          FROM mine JOIN training_sessions b ON b.room_id = mine.room_id AND b.live AND b.during && mine.during
         WHERE b.class_id IS DISTINCT FROM CAST(:excluding AS uuid)
    )
    SELECT DISTINCT ON (taken.whose, taken.id, taken.class_id)
           taken.whose, taken.id, taken.n, taken.during
      FROM taken
     ORDER BY taken.whose, taken.id, taken.class_id, lower(taken.during)
""")


async def facts_of(tx: Tx, plan: Plan, rooms: Sequence[UUID | None], excluding: UUID | None = None) -> Facts:
    """What the rules ask of a class; `rooms` are those of its sessions, in order. `excluding` is the class itself
    where it is stored already. Whoever calls has locked its people and rooms: who came first is seen, and who comes
    later waits.

    Conflict `policy.missing`.
    """
    starts_on = plan.starts_on
    asked_on = dict.fromkeys(day for day in (plan.filed_on, plan.changed_on, starts_on) if day)
    policy = Parameters.of(await parameters(tx, plan.filed_on), plan.filed_on)
    asked = {"institution": plan.institution_id, "excluding": excluding, "code": plan.item_code}
    row = (await tx.execute(_SUBJECT, {**asked, "day": starts_on, "level": plan.level})).one()
    scope = (await scope_on(tx, plan.institution_id, starts_on)).get(row.occupation, frozenset())
    teachers = {each.person_id: n for n, each in enumerate(plan.teachers, 1)}
    return Facts(
        filed_on=plan.filed_on,
        earliest_on=work_calendar().add(plan.told_on, policy.class_filing_working_days).on,
        occupation=row.occupation,
        level=plan.level,
        item_code=plan.item_code,
        item_id=str(row.item_id) if row.item_id else None,
        standard=StandardFacts(str(row.standard_id), int(row.hours) if row.hours else None)
        if row.standard_id
        else None,
        standings=tuple([await _standing(tx, plan.institution_id, day) for day in asked_on]),
        scope=tuple(sorted(scope)),
        held_before=row.held_before,
        inspection=await _inspection(tx, plan.institution_id),
        planned_hours=plan.planned_hours,
        sessions=plan.sessions,
        trainees=tuple(_trainee(line, each, starts_on) for line, each in enumerate(plan.trainees, 1)),
        parameters=policy,
        repeated=plan.repeated,
        teachers_on_roster=tuple(teachers[each.person_id] for each in plan.trainees if each.person_id in teachers),
        busy=tuple(await _busy(tx, plan, rooms, excluding)),
    )


async def _standing(tx: Tx, institution_id: UUID, day: date) -> StandingFacts:
    found = (await standings(tx, [institution_id], day))[institution_id]
    return StandingFacts(day, str(found.standing), found.may(Stop.FILE_CLASSES))


async def _inspection(tx: Tx, institution_id: UUID) -> InspectionFacts | None:
    row = InspectionRow
    latest = (
        select(row.result, row.inspected_on)
        .where(row.institution_id == institution_id, row.result.is_not(None))
        .order_by(row.inspected_on.desc(), row.recorded_at.desc(), row.result)
        .limit(1)
    )
    for result, inspected_on in await tx.execute(latest):
        assert inspected_on is not None, "a result has its day"
        return InspectionFacts(result == InspectionResult.PASSED, inspected_on)
    return None


def _trainee(line: int, member: Member, starts_on: date) -> TraineeFacts:
    """Months instead of a day of birth, which is nobody's business once the rules have been asked."""
    who = member.id_number
    retires = retirement_ages().age_of(who.sex, who.birth_date)
    months = whole_months(who.birth_date, starts_on)
    return TraineeFacts(line, months, retires.earliest_months, retires.latest_months)


async def _busy(tx: Tx, plan: Plan, rooms: Sequence[UUID | None], excluding: UUID | None) -> list[Busy]:
    whole = [(n, each, room) for n, (each, room) in enumerate(zip(plan.sessions, rooms, strict=True), 1)]
    whole = [(n, each, room) for n, each, room in whole if each.minutes > 0]
    times = [during(each) for _, each, _ in whole]
    named = {(Whose.TRAINEE, each.person_id): (line, each) for line, each in enumerate(plan.trainees, 1)}
    named |= {(Whose.TEACHER, each.person_id): (n, each) for n, each in enumerate(plan.teachers, 1)}
    found = await tx.execute(
        _BUSY,
        {
            "ns": [n for n, _, _ in whole],
            "teachers": [plan.teachers[each.teacher - 1].person_id for _, each, _ in whole],
            "rooms": [room for _, _, room in whole],
            "begins": [each.lower for each in times],
            "ends": [each.upper for each in times],
            "whose": [str(whose) for whose, _ in named],
            "people": [person_id for _, person_id in named],
            "excluding": excluding,
        },
    )
    busy = [_as_busy(row, plan, named) for row in found]
    return sorted(busy, key=lambda each: (each.whose, each.place, each.day, each.begins))


def _as_busy(row: Any, plan: Plan, named: dict[tuple[Whose, UUID], tuple[int, Member]]) -> Busy:
    whose = Whose(row.whose)
    if whose is Whose.ROOM:
        place, who = row.n, plan.sessions[row.n - 1].room
    else:
        place, member = named[whose, row.id]
        who = member.masked
    return Busy(whose, place, who, *times_of(row.during))
