"""Patrols: drawn at random with a seed that is kept, joined by officers, and told with evidence."""

import secrets
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.period import parse_date
from domain.text import public_words
from domain.training import PatrolKind, PatrolResult, draw, must_be_ahead, must_be_enough, must_have_begun
from service.access.tables import DistrictRow
from service.database import Tx, relation
from service.gateways import file_store
from service.jobs import owe
from service.journal import By, record
from service.policies.queries import required, work_calendar
from service.queue import Job
from service.training.queries.patrols import draw_view, patrol_view
from service.training.queries.plans import stored_plan
from service.training.queries.views import visible_to
from service.training.schemas.patrols import DrawView, EvidenceView, NewDraw, NewPatrolResult, PatrolView
from service.training.tables import (
    ClassRow,
    PatrolCandidateRow,
    PatrolDrawRow,
    PatrolEvidenceRow,
    PatrolOfficerRow,
    PatrolRow,
)

#: Who draws and goes there.
PATROLS = (Post.INSTITUTION_OFFICER, Post.INSPECTOR)
#: Photos and papers of one patrol.
EVIDENCE_MAX = 20

# In an order that whoever makes the draw again can tell from the rows themselves.
_CANDIDATES = text("""
    SELECT s.class_id, s.begins, upper(held.during) AS ends, coalesce(w.weight, 1) AS weight
      FROM sessions_to_draw(CAST(:day AS date), CAST(:district AS text), CAST(:now AS timestamptz)) AS s
      JOIN training_sessions held ON held.class_id = s.class_id AND lower(held.during) = s.begins
      JOIN training_classes c ON c.id = s.class_id
      LEFT JOIN patrol_weights w ON w.institution_id = c.institution_id
     ORDER BY s.class_id, s.begins
""")


async def draw_patrols(tx: Tx, me: Actor, new: NewDraw, today: date, now: datetime) -> DrawView:
    """Sessions of a day that have not begun and that nobody drew, at random by the weights of their institutions.

    Invalid `date.…`, `patrol.day`, `district.unknown`; NotFound `patrol.other_district`; Conflict
    `patrol.nothing_to_draw`, `policy.missing`.
    """
    by, day = _by(me, now), parse_date(new.day, "day")
    must_be_ahead(day, today)
    district = await _district(tx, me, new.district)
    (working_days,) = await required(tx, today, "patrol_result_working_days")
    due_on = work_calendar().add(day, working_days).on
    # one after the other: what one has drawn is no candidate of the next
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("patrols", 0))))
    found = (await tx.execute(_CANDIDATES, {"day": day, "district": district, "now": now})).all()
    if not found:
        raise Conflict("patrol.nothing_to_draw")
    draw_id, seed = uuid4(), secrets.token_bytes(32)
    places = draw(seed, [each.weight for each in found], new.count)
    about = {"day": day, "district": district, "wanted": new.count}
    told = {"day": day.isoformat(), "district": district, "wanted": new.count, "candidates": len(found)}
    await record(tx, "patrol_draw", [draw_id], "draw", by, [told])
    signed = {"seed": seed, "drawn_by": me.user_id, "drawn_at": now}
    await tx.execute(insert(PatrolDrawRow).values(id=draw_id, **about, **signed))
    rows = [
        {"draw_id": draw_id, "class_id": each.class_id, "begins": each.begins, "weight": each.weight}
        for each in found
    ]
    await _insert_candidates(tx, rows)
    patrols = [_patrol(draw_id, turn, found[place], new.kind, due_on) for turn, place in enumerate(places)]
    drawn = [{"draw_id": str(draw_id), "class_id": str(each["class_id"])} for each in patrols]
    await record(tx, "patrol", [each["id"] for each in patrols], "draw", by, drawn)
    await tx.execute(insert(PatrolRow), patrols)
    return await draw_view(tx, me, draw_id)


async def join_patrol(tx: Tx, me: Actor, patrol_id: UUID, now: datetime) -> PatrolView:
    """An officer goes there, too. NotFound `patrol.not_found`; Conflict `patrol.over`; Forbidden `class.own`."""
    by = _by(me, now)
    await _open_patrol(tx, me, patrol_id)
    row, joined = PatrolOfficerRow, {"joined_by": me.user_id, "joined_at": now}
    new = upsert(row).values(patrol_id=patrol_id, person_id=me.person_id, **joined).on_conflict_do_nothing()
    if (await tx.execute(new.returning(row.person_id))).first() is not None:
        await record(tx, "patrol", [patrol_id], "join", by, [{"person_id": str(me.person_id)}])
    return await patrol_view(tx, me, patrol_id, now)


async def hand_in_evidence(
    tx: Tx, me: Actor, patrol_id: UUID, media_type: str, data: bytes, now: datetime
) -> EvidenceView:
    """A photo or paper of one who is there. As `join_patrol`; Forbidden `patrol.not_there`; Invalid `document.…`;
    Conflict `document.too_many` (most)."""
    by = _by(me, now)
    await _open_patrol(tx, me, patrol_id)
    await _must_be_there(tx, me, patrol_id)
    file_store.must_be_document(data, media_type, "body")
    row, digest = PatrolEvidenceRow, await file_store.store(tx, data, now)
    known = set((await tx.execute(select(row.sha256).where(row.patrol_id == patrol_id))).scalars())
    if digest not in known:
        if len(known) >= EVIDENCE_MAX:
            raise Conflict("document.too_many", most=EVIDENCE_MAX)
        await record(tx, "patrol", [patrol_id], "hand_in", by, [{"sha256": digest.hex()}])
        handed_in = {"handed_in_by": me.user_id, "handed_in_at": now}
        about = {"patrol_id": patrol_id, "sha256": digest, "media_type": media_type}
        await tx.execute(insert(row).values(**about, **handed_in))
    return EvidenceView(digest.hex())


async def record_result(
    tx: Tx, me: Actor, patrol_id: UUID, new: NewPatrolResult, today: date, now: datetime
) -> PatrolView:
    """One of those who were there says what was found, once; later than asked is late, not refused. A failed patrol
    owes the institution's credit event.

    As `join_patrol`; Forbidden `patrol.not_there`; Conflict `patrol.not_yet`, `patrol.alone` (officers, least),
    `patrol.no_evidence`; Invalid for words that are none.
    """
    by, findings = _by(me, now), public_words(new.findings, "findings")
    patrol = await _open_patrol(tx, me, patrol_id)
    must_have_begun(patrol.begins, now)
    await _must_be_there(tx, me, patrol_id)
    must_be_enough(PatrolKind(patrol.kind), await _count(tx, PatrolOfficerRow, patrol_id))
    if not await _count(tx, PatrolEvidenceRow, patrol_id):
        raise Conflict("patrol.no_evidence")
    found = {"result": str(new.result), "headcount": new.headcount, "findings": findings}
    await record(tx, "patrol", [patrol_id], "record", by, [found])
    recorded = {"recorded_by": me.user_id, "recorded_person": me.person_id, "recorded_at": now, "recorded_on": today}
    await tx.execute(update(PatrolRow).where(PatrolRow.id == patrol_id).values(**found, **recorded))
    if new.result is PatrolResult.FAILED:
        await owe(tx, Job.CREDIT_PATROL, patrol_id)
    return await patrol_view(tx, me, patrol_id, now)


def _by(me: Actor, now: datetime) -> By:
    me.must_hold(*PATROLS)
    return By.actor(me, next(post for post in PATROLS if me.holds(post)), now)


async def _district(tx: Tx, me: Actor, named: str | None) -> str | None:
    """Where one draws: one's own district; for the city any, or all of it."""
    if me.district is not None and named not in (None, me.district):
        raise NotFound("patrol.other_district")
    district, row = named or me.district, DistrictRow
    if district is not None:
        known = select(row.code).where(row.code == district, row.kind != "city")
        if (await tx.execute(known)).first() is None:
            raise Invalid("district.unknown", "district")
    return district


def _patrol(draw_id: UUID, turn: int, session: Any, kind: PatrolKind, due_on: date) -> dict[str, Any]:
    about = {"id": uuid4(), "draw_id": draw_id, "turn": turn, "kind": str(kind), "due_on": due_on}
    return {**about, "class_id": session.class_id, "begins": session.begins, "ends": session.ends}


async def _insert_candidates(tx: Tx, rows: list[dict[str, Any]]) -> None:
    """In one statement, counted from 0: the database looks at them together."""
    asked, names = relation(rows, PatrolCandidateRow), list(rows[0])
    numbered = select(*(asked.c[name] for name in names), asked.c.n - 1)
    await tx.execute(insert(PatrolCandidateRow).from_select([*names, "n"], numbered))


async def _open_patrol(tx: Tx, me: Actor, patrol_id: UUID) -> Any:
    """Locked; nobody else joins or ends it meanwhile."""
    row = PatrolRow
    asked = select(row.class_id, row.begins, row.kind, row.result).join(ClassRow, ClassRow.id == row.class_id)
    locked = asked.where(row.id == patrol_id, visible_to(me)).with_for_update(of=row)
    found = (await tx.execute(locked)).one_or_none()
    if found is None:
        raise NotFound("patrol.not_found")
    if found.result is not None:
        raise Conflict("patrol.over")
    if me.person_id in (await stored_plan(tx, found.class_id)).people:
        raise Forbidden("class.own")
    return found


async def _must_be_there(tx: Tx, me: Actor, patrol_id: UUID) -> None:
    row = PatrolOfficerRow
    mine = select(row.person_id).where(row.patrol_id == patrol_id, row.person_id == me.person_id)
    if (await tx.execute(mine)).first() is None:
        raise Forbidden("patrol.not_there")


async def _count(tx: Tx, of: type[PatrolOfficerRow] | type[PatrolEvidenceRow], patrol_id: UUID) -> int:
    return int((await tx.execute(select(func.count()).where(of.patrol_id == patrol_id))).scalar_one())
