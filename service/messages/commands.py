"""Make messages of what the journal says, and keep what became of them.

The journal has every change, in the transaction that made it; so whatever was done is told, and nothing that was not.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Row, text, update
from sqlalchemy.dialects.postgresql import insert

from domain.claim import Channel
from domain.message import ALARM, CLAWBACK, DIGEST, OFFER, REMINDER, template_of
from service.database import Tx
from service.jobs import owe_all
from service.messages.queries import (
    PORTION,
    corrections_due,
    demands_untold,
    events_after,
    facts_of,
    offers_untold,
    officers_due,
    operators,
)
from service.messages.tables import MessageRow
from service.policies.queries import parameters, work_calendar
from service.queue import Job

_LOOK = text("""
    SELECT floor, seen, horizon <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS ripe,
           (SELECT coalesce(max(id), 0) FROM journal) AS latest,
           pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS now
      FROM message_floor FOR UPDATE
""")
_RAISE = text(
    "UPDATE message_floor SET floor = seen, seen = greatest(seen, :latest), horizon = :now WHERE floor = :floor"
)


@dataclass(frozen=True)
class Reading:
    """How the journal is read this time: from `floor` on. `ripe`: what was seen before is then read for good."""

    floor: int
    ripe: bool
    latest: int
    now: int


async def begin_reading(tx: Tx) -> Reading:
    """Where to begin. Ids of the journal are given before their transactions end, so the floor rises only to what was
    seen when nobody who was under way then is under way still."""
    row = (await tx.execute(_LOOK)).one()
    return Reading(row.floor, row.ripe, row.latest, row.now)


async def end_reading(tx: Tx, reading: Reading) -> None:
    """The next time begins higher."""
    if reading.ripe:
        await tx.execute(_RAISE, {"floor": reading.floor, "latest": reading.latest, "now": reading.now})


async def tell_portion(tx: Tx, after: int) -> int | None:
    """Make the messages of a portion of what happened; the last row looked at, None when there are no more."""
    rows = await events_after(tx, after)
    told = [(f"journal:{row.id}", template, row) for row in rows if (template := _template_of(row))]
    await _make(tx, told)
    return rows[-1].id if len(rows) == PORTION else None


def _template_of(row: Row[Any]) -> str | None:
    channel, by_themself = Channel(row.channel), bool(row.by_themself)
    return template_of(row.action, channel, by_themself=by_themself, paid_to_another=row.paid_to_another)


async def remind_portion(tx: Tx, today: date) -> bool:
    """Remind people of corrections that are due within `correction_reminder_working_days`; whether there may be more.
    A city that has not set it reminds nobody."""
    working_days = (await parameters(tx, today)).get("correction_reminder_working_days")
    if working_days is None:
        return False
    rows = await corrections_due(tx, today, work_calendar().add(today, working_days).on)
    await _make(tx, [(f"remind:{row.id}", REMINDER, row) for row in rows])
    return len(rows) == PORTION


async def offer_portion(tx: Tx, today: date) -> bool:
    """Tell people, once, of what they are offered; whether there may be more."""
    rows = await offers_untold(tx, today)
    await _make(tx, [(f"offer:{row.id}", OFFER, row) for row in rows])
    return len(rows) == PORTION


async def demand_portion(tx: Tx) -> bool:
    """Tell people, once, of what they are to pay back; whether there may be more."""
    rows = await demands_untold(tx)
    await _make(tx, [(f"clawback:{row.id}", CLAWBACK, row) for row in rows])
    return len(rows) == PORTION


async def tell_officers(tx: Tx, today: date) -> None:
    """Tell each officer, once on a working day, how much is due today and late where they review; who has nothing is
    left alone, and whoever has no telephone reads the same in their summary of work."""
    if not work_calendar().is_workday(today):
        return
    rows = [
        {
            "id": uuid5(NAMESPACE_URL, f"zhida:message:{event}"),
            "event": event,
            "person_id": person_id,
            "claim_id": None,
            "template": DIGEST,
            "facts": {"due_today": str(due.due_today), "overdue": str(due.overdue)},
        }
        for person_id, due in (await officers_due(tx, today)).items()
        for event in [f"digest:{person_id}:{today.isoformat()}"]
    ]
    await _store(tx, rows)


async def tell_operators(tx: Tx, alarms: Mapping[str, int], today: date) -> None:
    """Tell each operator with a telephone, once on a working day, what went wrong: alarm → how many."""
    if not work_calendar().is_workday(today):
        return
    rows = [
        {
            "id": uuid5(NAMESPACE_URL, f"zhida:message:{event}"),
            "event": event,
            "person_id": person_id,
            "claim_id": None,
            "template": ALARM,
            "facts": {code: str(count) for code, count in alarms.items()},
        }
        for person_id in await operators(tx)
        for event in [f"alarm:{person_id}:{today.isoformat()}"]
    ]
    await _store(tx, rows)


async def _make(tx: Tx, told: Iterable[tuple[str, str, Row[Any]]]) -> None:
    """A message's id follows from its event: whoever gets it twice, after a backup was put back, can tell."""
    rows = [
        {
            "id": uuid5(NAMESPACE_URL, f"zhida:message:{event}"),
            "event": event,
            "person_id": row.person_id,
            "claim_id": row.claim_id,
            "template": template,
            "facts": facts_of(row),
        }
        for event, template, row in told
    ]
    await _store(tx, rows)


async def _store(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        made = insert(MessageRow).values(rows).on_conflict_do_nothing().returning(MessageRow.id)
        await owe_all(tx, Job.SEND_MESSAGE, list((await tx.execute(made)).scalars()))


async def settle(tx: Tx, sent: Collection[UUID], undeliverable: Mapping[UUID, str], now: datetime) -> None:
    """Keep what became of messages; one that has ended already stays as it is."""
    row = MessageRow
    owed = update(row).where(row.state == "owed")
    if sent:
        await tx.execute(owed.where(row.id.in_(sent)).values(state="sent", ended_at=now))
    for message_id, why in undeliverable.items():
        ended = {"state": "undeliverable", "why": why[:200], "ended_at": now}
        await tx.execute(owed.where(row.id == message_id).values(**ended))
