"""The door through which claims change their status: their money goes with them (`domain.fund.EFFECTS`).

The database says it again: a claim that moves without its money is refused (trigger `guard_claim_money`).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Row, Uuid, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from domain.claim import CLAIM_LIFECYCLE, ClaimAction, ClaimStatus
from domain.fund import HELD_IN, Pot, effects_of
from service.claims.tables import ClaimRow
from service.clock import business_day
from service.database import Tx
from service.funds import commands as funds
from service.jobs import owe_all
from service.journal import By, Moved, move, move_all
from service.queue import Job

_CLAIMS = ClaimRow.__table__
#: What brings a claim to an end without a clawback.
_ENDS = frozenset({ClaimAction.REFUSE, ClaimAction.WITHDRAW, ClaimAction.LAPSE})
_Locked: TypeAlias = Row[*tuple[Any, ...]]


async def move_claim(
    tx: Tx,
    action: ClaimAction,
    claim_id: UUID,
    by: By,
    *,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
) -> Moved:
    """Move one claim with its money, or raise Conflict `wrong_status`; refusals of money as for `move_claims`."""
    await _bring_money(tx, action, [claim_id], by)
    moved = await move(tx, _CLAIMS, CLAIM_LIFECYCLE, action, claim_id, by, reason=reason, changes=changes)
    await _end_supplements(tx, action, [claim_id])
    return moved


async def move_claims(
    tx: Tx,
    action: ClaimAction,
    ids: Sequence[UUID],
    by: By,
    *,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
) -> list[Moved]:
    """Move those of `ids` whose status allows it, with their money; the others stay untouched.

    Conflict `fund.insufficient`, `fund.none`, `policy.missing` when money is to be held and does not last for all.
    """
    await _bring_money(tx, action, ids, by)
    moved = await move_all(tx, _CLAIMS, CLAIM_LIFECYCLE, action, ids, by, reason=reason, changes=changes)
    await _end_supplements(tx, action, ids)
    return moved


async def _end_supplements(tx: Tx, action: ClaimAction, ids: Sequence[UUID]) -> None:
    """What ends a claim that was paid once ends what was owed on top of it: the clawbacks' job sees to that."""
    if action not in _ENDS:
        return
    claim = ClaimRow
    asked = select(claim.supplement_of).where(
        claim.supplement_of == func.any(literal(list(ids), ARRAY(Uuid))), claim.supplement_of.is_not(None)
    )
    await owe_all(tx, Job.RAISE_CLAWBACK, sorted({*(await tx.execute(asked)).scalars()} - {None}))


async def affordable(
    tx: Tx, ids: Sequence[UUID], by: By, action: ClaimAction = ClaimAction.APPROVE
) -> tuple[list[UUID], int]:
    """Those of `ids`, in their order, that may be approved (or granted) and for which the funds last; and how many
    wait for money.

    Claims and positions stay locked: who approves just these is not refused any more.
    """
    locked = {row.id: row for row in await _lock(tx, ids, CLAIM_LIFECYCLE.sources(action))}
    due = [_due(locked[each]) for each in ids if each in locked]
    lasting = await funds.lasting(tx, due, business_day(by.at)) if due else []
    return lasting, len(due) - len(lasting)


async def _bring_money(tx: Tx, action: ClaimAction, ids: Sequence[UUID], by: By) -> None:
    """Before the claims move, their money is where they go; claims that cannot move keep theirs."""
    effects = effects_of(action)
    if not effects:
        return
    asking: list[funds.Due] = []
    following: dict[Pot, list[UUID]] = defaultdict(list)
    for row in await _lock(tx, ids, effects):
        status = ClaimStatus(row.status)
        if HELD_IN[status] == {Pot.FREE}:
            asking.append(_due(row))
        else:
            following[effects[status]].append(row.id)
    if asking:
        await funds.reserve(tx, asking, business_day(by.at), by)
    for pot, claim_ids in following.items():
        await funds.follow(tx, claim_ids, pot, by)


async def _lock(tx: Tx, ids: Sequence[UUID], statuses: Collection[ClaimStatus]) -> Sequence[_Locked]:
    claim = ClaimRow
    rows = await tx.execute(
        select(claim.id, claim.status, claim.district, claim.group_code, claim.amount_fen, claim.class_id)
        .where(claim.id == func.any(literal(list(ids), ARRAY(Uuid))), claim.status.in_(map(str, statuses)))
        .order_by(claim.id)
        .with_for_update()
    )
    return rows.all()


def _due(row: _Locked) -> funds.Due:
    return funds.Due(row.id, row.district, row.group_code, row.amount_fen, row.class_id)
