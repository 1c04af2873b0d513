"""What waits for an officer, a page at a time, the oldest first.

Claims wait in the order of their filing, which is that of their deadlines: all have the same working days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from domain.actor import Actor
from domain.errors import Forbidden
from domain.identity import mask_name
from domain.level import LEVELS
from domain.money import format_yuan
from service.claims.queries.barring import FREE, barred_by
from service.clock import business_day
from service.crypto import keyring
from service.cursors import cursor_of, read_cursor
from service.database import Tx
from service.policies.queries import parameters, work_calendar
from service.wording import wording, words
from service.work.queries.kinds import SOURCES, Due, Source, kinds_of
from service.work.schemas import Kind, WorkList, WorkView

#: Where the wording says why something waits.
_LISTS = ("why", "ground", "reason", "registry", "hold")


@dataclass(frozen=True)
class Chosen:
    """Which work: of a kind (None: the first of my posts'), and as far as it is named, of a district, with a status,
    for a reason."""

    kind: Kind | None = None
    district: str | None = None
    status: str | None = None
    why: str | None = None


async def work(tx: Tx, me: Actor, chosen: Chosen, cursor: str | None, limit: int, now: datetime) -> WorkList:
    """A page of what waits for `me`: without what is theirs or their relatives', what they left to others or acted on
    before, and what another officer has taken. Forbidden `work.other_district`, `post_missing`."""
    kind, today = chosen.kind or kinds_of(me)[0], business_day(now)
    place = read_cursor(cursor) if cursor else None
    rows = await waiting(tx, me, kind, chosen, now, limit + 1, after=(place[0].date(), place[1]) if place else None)
    days = (await parameters(tx, today)).get("review_working_days")
    views = [_view(kind, row, today, days) for row in rows[:limit]]
    if len(rows) <= limit:
        return WorkList(views, None)
    last = rows[limit - 1]
    return WorkList(views, cursor_of(datetime.combine(last.place_on, time(), UTC), last.place_id))


async def waiting(
    tx: Tx,
    me: Actor,
    kind: Kind,
    chosen: Chosen,
    now: datetime,
    limit: int,
    *,
    after: tuple[date, UUID] | None = None,
    to_take: bool = False,
) -> list[Row[Any]]:
    """The rows of `work` after a place; `to_take`: those that nobody has taken, locked, and what another is taking at
    this moment is passed by."""
    source = SOURCES[kind]
    me.must_hold(source.post)
    if me.district is not None and chosen.district not in (None, me.district):
        raise Forbidden("work.other_district")
    given = await barred_by(tx, me, source.post, now)
    given |= {"limit": limit, "district": chosen.district or me.district, "status": chosen.status, "why": chosen.why}
    if not source.apart:
        given["excluded"] = []
    if after:
        given |= {"after_on": after[0], "after_id": after[1]}
    return list((await tx.execute(text(_statement(source, given, to_take=to_take)), given)).all())


def _statement(source: Source, given: Mapping[str, Any], *, to_take: bool) -> str:
    """District by district, so that each is read in the order of its index and no further than it is asked for."""
    only = [f"{source.place} = d.code", source.is_open, FREE]
    only += ["c.status = :status"] if given["status"] else []
    only += [f":why = ANY ({source.why})"] if given["why"] else []
    only += [f"({source.on}, {source.id}) > (:after_on, :after_id)"] if "after_on" in given else []
    only += ["NOT EXISTS (SELECT FROM claim_leases l WHERE l.claim_id = c.id AND l.until > :now)"] if to_take else []
    return f"""
        SELECT found.*, i.name AS item_name, p.name_sealed,
               EXISTS (SELECT FROM claim_holds h WHERE h.claim_id = found.claim_id AND h.lifted_at IS NULL) AS held,
               (SELECT l.until FROM claim_leases l WHERE l.claim_id = found.claim_id AND l.until > :now) AS mine_until
          FROM districts d
         CROSS JOIN LATERAL (
               SELECT {source.id} AS place_id, {source.on} AS place_on, c.id AS claim_id, c.status, c.district,
                      c.person_id, c.item_id, c.level, c.amount_fen, c.channel, c.filed_on, {source.why} AS why
                 FROM {source.rows}
                WHERE {" AND ".join(only)}
                ORDER BY {source.on}, {source.id} LIMIT :limit
                {"FOR UPDATE OF c SKIP LOCKED" if to_take else ""}) AS found
          JOIN catalog_items i ON i.id = found.item_id JOIN people p ON p.id = found.person_id
         {"WHERE d.code = :district" if given["district"] else ""}
         ORDER BY found.place_on, found.place_id LIMIT :limit
    """  # noqa: S608 (our own constants)


def _view(kind: Kind, row: Row[Any], today: date, working_days: int | None) -> WorkView:
    due, why = _due(SOURCES[kind].due, row, working_days), row.why or []
    return WorkView(
        kind=kind,
        id=row.place_id,
        claim_id=row.claim_id,
        status=row.status,
        status_name=words(f"status.{row.status}"),
        district=row.district,
        claimant=mask_name(keyring().open(row.name_sealed, row.person_id)),
        item_name=row.item_name,
        level=row.level,
        level_name=LEVELS[row.level].name,
        amount_fen=row.amount_fen,
        amount=format_yuan(row.amount_fen),
        channel=row.channel,
        filed_on=row.filed_on,
        due_on=due,
        overdue=due is not None and due < today,
        why=why,
        why_names=[_reason(each) for each in why],
        held=row.held,
        mine_until=row.mine_until,
    )


def _due(due: Due, row: Row[Any], working_days: int | None) -> date | None:
    match due:
        case Due.ITS_OWN:
            on: date = row.place_on
            return on
        case Due.AFTER_FILING if working_days is not None:
            return work_calendar().add(row.filed_on, working_days).on
    return None


def _reason(code: str) -> str:
    """A code of one of the lists in the wording; else what somebody wrote."""
    codes = (*(f"{each}.{code}" for each in _LISTS), code)
    return next((words(each) for each in codes if each in wording()), code)
