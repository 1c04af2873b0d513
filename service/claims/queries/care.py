"""What a claim waits for: its claimant's corrections, another account, or that a hold is lifted."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, exists, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from domain.actor import Actor, Post
from domain.claim import ClaimAction, ClaimStatus
from domain.correction import Correctable
from domain.errors import NotFound
from domain.reconciliation import remedy_for
from service.claims.schemas import FaultView, HoldList, HoldView, ToDoView
from service.claims.tables import AccountCheckRow, ClaimApprovalRow, ClaimCorrectionRow, ClaimHoldRow, ClaimRow
from service.claims.tables.review import OPEN_SQL
from service.database import Tx
from service.journal import JournalRow
from service.wording import words

_HOLD = (
    ClaimHoldRow.id,
    ClaimHoldRow.claim_id,
    ClaimHoldRow.code,
    ClaimHoldRow.note,
    ClaimHoldRow.placed_at,
    ClaimHoldRow.lifted_at,
)


def claimed_by(me: Actor) -> ColumnElement[bool]:
    """Claims that `me` may mend: one's own, and those one's institution filed."""
    mine: list[ColumnElement[bool]] = [ClaimRow.person_id == me.person_id]
    if me.holds(Post.CLERK) and me.institution_id is not None:
        mine.append(ClaimRow.institution_id == me.institution_id)
    return or_(*mine)


def in_district(me: Actor) -> ColumnElement[bool]:
    """Claims of the district `me` works for; of every one for whoever works for the city."""
    return ClaimRow.district == me.district if me.district else ClaimRow.id.is_not(None)


def held() -> ColumnElement[bool]:
    """Claims under a live hold."""
    return exists().where(ClaimHoldRow.claim_id == ClaimRow.id, ClaimHoldRow.lifted_at.is_(None))


def looked_at_again() -> ColumnElement[bool]:
    """Claims whose approval another person has yet to confirm (复核)."""
    return exists().where(ClaimApprovalRow.claim_id == ClaimRow.id, text(OPEN_SQL))


async def held_among(tx: Tx, claim_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of locked claims that are held. Asked once they are locked: a hold locks its claim first, so none that
    an earlier statement could not see yet is missed."""
    these = ClaimHoldRow.claim_id == func.any(literal(list(claim_ids), ARRAY(Uuid)))
    found = await tx.execute(select(ClaimHoldRow.claim_id).where(these, ClaimHoldRow.lifted_at.is_(None)))
    return frozenset(found.scalars())


async def to_do(tx: Tx, claim_id: UUID, status: str) -> ToDoView | None:
    """What the claimant is asked to do; None while the claim waits for somebody else."""
    if status == ClaimStatus.SENT_BACK:
        return await _corrections_wanted(tx, claim_id)
    if status == ClaimStatus.BOUNCED:
        waiting = exists().where(AccountCheckRow.claim_id == claim_id, AccountCheckRow.answered_at.is_(None))
        if (await tx.execute(select(waiting))).scalar_one():
            return ToDoView("to_do.account_checked", words("to_do.account_checked"))
        failure = await failure_of(tx, claim_id)
        code = f"to_do.{remedy_for(failure)}"
        return ToDoView(code, words(code), words(f"result.{failure}"))
    return None


async def due_days(tx: Tx, claim_ids: Sequence[UUID]) -> dict[UUID, date]:
    """By which day each of them is to be corrected; those that are not sent back are left out."""
    row = ClaimCorrectionRow
    asked = select(row.claim_id, row.due_on).where(row.claim_id.in_(claim_ids), row.corrected_at.is_(None))
    return dict(list(await tx.execute(asked)))


async def _corrections_wanted(tx: Tx, claim_id: UUID) -> ToDoView | None:
    """None when the claim was corrected since its status was read."""
    row = ClaimCorrectionRow
    asked = select(row.faults, row.due_on, row.provisional).where(
        row.claim_id == claim_id, row.corrected_at.is_(None)
    )
    open_ = (await tx.execute(asked)).one_or_none()
    if open_ is None:
        return None
    faults = [
        FaultView(each["code"], Correctable(each["field"]), each["note"], words(f"fault.{each['code']}"))
        for each in open_.faults
    ]
    said = words("to_do.correct", {"due_on": open_.due_on})
    return ToDoView("to_do.correct", said, faults=faults, due_on=open_.due_on, provisional=open_.provisional)


async def failure_of(tx: Tx, claim_id: UUID) -> str:
    """Why a bounced claim's last payment failed, as its journal keeps it."""
    row = JournalRow
    asked = (
        select(row.reason)
        .where(row.subject_kind == "claim", row.subject_id == claim_id, row.action == str(ClaimAction.BOUNCE))
        .order_by(row.id.desc())
        .limit(1)
    )
    return (await tx.execute(asked)).scalar_one_or_none() or ""


async def lock_for_officer(tx: Tx, me: Actor, claim_id: UUID) -> Any:
    """The status, person and payee of a claim of the officer's district, locked. NotFound `claim.not_found`."""
    claim = ClaimRow
    asked = select(claim.status, claim.person_id, claim.payee_institution_id, claim.kind)
    mine = asked.where(claim.id == claim_id, in_district(me))
    found = (await tx.execute(mine.with_for_update())).one_or_none()
    if found is None:
        raise NotFound("claim.not_found")
    return found


async def hold_view(tx: Tx, hold_id: UUID) -> HoldView:
    """A hold that the caller was allowed to place or lift."""
    return _hold((await tx.execute(select(*_HOLD).where(ClaimHoldRow.id == hold_id))).one())


async def list_holds(tx: Tx, me: Actor, cursor: UUID | None, limit: int) -> HoldList:
    """A page of the live holds of my district; `cursor` is the last one seen."""
    row = ClaimHoldRow
    asked = select(*_HOLD).join(ClaimRow, ClaimRow.id == row.claim_id).where(row.lifted_at.is_(None), in_district(me))
    if cursor is not None:
        asked = asked.where(row.id > cursor)
    rows = (await tx.execute(asked.order_by(row.id).limit(limit + 1))).all()
    return HoldList([_hold(each) for each in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


async def holds_of(tx: Tx, claim_id: UUID) -> list[HoldView]:
    """Every hold of a claim that the caller may see, the latest first."""
    row = ClaimHoldRow
    asked = select(*_HOLD).where(row.claim_id == claim_id).order_by(row.placed_at.desc(), row.id)
    return [_hold(each) for each in await tx.execute(asked)]


def _hold(row: Any) -> HoldView:
    said = words(f"hold.{row.code}")
    return HoldView(row.id, row.claim_id, row.code, said, row.note, row.placed_at, row.lifted_at)
