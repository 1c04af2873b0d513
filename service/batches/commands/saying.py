"""What two persons say of a batch's file: one proposes, another confirms; whoever says something else replaces it."""

from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from domain.actor import Actor
from domain.errors import Forbidden
from service.batches.tables import HandoverRow, ResendRow
from service.database import Tx
from service.journal import By, record

SaidRow: TypeAlias = type[HandoverRow] | type[ResendRow]


async def say(tx: Tx, me: Actor, row: SaidRow, batch_id: UUID, said: dict[str, Any], note: str, by: By) -> bool:
    """True when I confirm what another person said; otherwise it is proposed, and waits. Forbidden
    `bank_file.same_person` for who would confirm what they said themselves."""
    asked = select(row.__table__).where(row.batch_id == batch_id, row.closed_at.is_(None))
    before = (await tx.execute(asked)).one_or_none()
    if before is None or any(getattr(before, name) != value for name, value in said.items()):
        await _propose(tx, me, row, batch_id, before.id if before else None, said, note, by)
        return False
    if before.proposed_person == me.person_id:
        raise Forbidden("bank_file.same_person")
    await tx.execute(update(row).where(row.id == before.id).values(**_confirmed(me, by.at)))
    await record(tx, "bank_file", [batch_id], f"confirm_{_name(row, said)}", by, [said], reason=note)
    return True


async def confirm_carrier(
    tx: Tx, me: Actor, batch_id: UUID, carrier: tuple[UUID, UUID], said: dict[str, Any], note: str, by: By
) -> None:
    """Say `handed_over` after who took the file out (user, person): taking it out was the first word."""
    row, (user_id, person_id) = HandoverRow, carrier
    await tx.execute(update(row).where(row.batch_id == batch_id, row.closed_at.is_(None)).values(closed_at=by.at))
    first = {"proposed_by": user_id, "proposed_person": person_id, "proposed_at": by.at}
    values = {**said, **first, **_confirmed(me, by.at)}
    await tx.execute(insert(row).values(id=uuid4(), batch_id=batch_id, note=note, **values))
    await record(tx, "bank_file", [batch_id], f"confirm_{_name(row, said)}", by, [said], reason=note)


async def _propose(
    tx: Tx, me: Actor, row: SaidRow, batch_id: UUID, replaced: UUID | None, said: dict[str, Any], note: str, by: By
) -> None:
    if replaced is not None:
        await tx.execute(update(row).where(row.id == replaced).values(closed_at=by.at))
    who = {"proposed_by": me.user_id, "proposed_person": me.person_id, "proposed_at": by.at}
    await tx.execute(insert(row).values(id=uuid4(), batch_id=batch_id, note=note, **said, **who))
    await record(tx, "bank_file", [batch_id], f"propose_{_name(row, said)}", by, [said], reason=note)


def _confirmed(me: Actor, at: datetime) -> dict[str, Any]:
    return {"confirmed_by": me.user_id, "confirmed_person": me.person_id, "closed_at": at}


def _name(row: SaidRow, said: dict[str, Any]) -> str:
    return "resend" if row is ResendRow else str(said["outcome"])
