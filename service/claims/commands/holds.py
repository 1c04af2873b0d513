"""冻结: stop a claim on its way to the money, with a reason, and let it go on."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, insert, select, update

from domain.actor import Actor, Post
from domain.claim import DEAD, ClaimStatus
from domain.errors import Conflict, Invalid
from service.claims.queries.barring import must_be_impartial
from service.claims.queries.care import held, hold_view, lock_for_officer
from service.claims.queries.looking_again import Finding
from service.claims.schemas import HoldView, NewHold
from service.claims.tables import ClaimHoldRow, ClaimRow, RegisterFindingRow
from service.database import Tx
from service.journal import By, record
from service.wording import wording, words

HOLDERS = (Post.REVIEWER, Post.CHECKER)
#: Before the money: what a batch has taken is past it, and leaves only by those who work on the batch.
_BEFORE_THE_MONEY = frozenset(ClaimStatus) - DEAD - {ClaimStatus.BATCHED, ClaimStatus.PAID}


async def place_hold(tx: Tx, me: Actor, claim_id: UUID, new: NewHold, now: datetime) -> HoldView:
    """Hold a claim of the officer's district, which no batch has taken.

    Invalid `holding.reason` for a reason that is not of the list; NotFound; Forbidden as `must_be_impartial`;
    Conflict `holding.live`, and `wrong_status` for a claim that has ended.
    """
    me.must_hold(*HOLDERS)
    if f"hold.{new.code}" not in wording():
        raise Invalid("holding.reason", field="code", unknown=[new.code])
    claim = await lock_for_officer(tx, me, claim_id)
    await must_be_impartial(tx, me, claim_id)
    if ClaimStatus(claim.status) in DEAD:
        raise Conflict("wrong_status", noun="claim", status=claim.status, action="hold")
    if await _live(tx, claim_id) is not None:
        raise Conflict("holding.live")
    hold_id, by = uuid4(), post_of(me, now)
    placed = {"claim_id": claim_id, "code": new.code, "note": new.note, "placed_by": me.user_id, "placed_at": now}
    await tx.execute(insert(ClaimHoldRow).values(id=hold_id, **placed))
    noted = {"claim_id": str(claim_id), "code": new.code}
    await record(tx, "claim_hold", [hold_id], "hold", by, [noted], reason=f"{new.code} {new.note}".strip())
    return await hold_view(tx, hold_id)


async def lift_hold(tx: Tx, me: Actor, claim_id: UUID, note: str, now: datetime) -> HoldView:
    """Let a held claim go on. NotFound, Forbidden as `must_be_impartial`, Conflict `holding.none`."""
    me.must_hold(*HOLDERS)
    await lock_for_officer(tx, me, claim_id)
    await must_be_impartial(tx, me, claim_id)
    hold_id = await _live(tx, claim_id)
    if hold_id is None:
        raise Conflict("holding.none")
    lifted = {"lifted_by": me.user_id, "lifted_at": now, "lift_note": note}
    await tx.execute(update(ClaimHoldRow).where(ClaimHoldRow.id == hold_id).values(**lifted))
    noted = {"lifted_at": now.isoformat()}
    await record(tx, "claim_hold", [hold_id], "lift", post_of(me, now), [noted], reason=note)
    return await hold_view(tx, hold_id)


async def hold_filed_by(tx: Tx, by: By, institution_id: UUID, code: str, note: str, limit: int) -> list[UUID]:
    """Hold claims that an institution filed, whatever it is paid as, as `hold_those`; the new holds."""
    return list(await hold_those(tx, by, ClaimRow.institution_id == institution_id, code, note, limit))


async def hold_those(
    tx: Tx, by: By, which: ColumnElement[bool], code: str, note: str, limit: int
) -> dict[UUID, UUID]:
    """Hold claims of `which` that no batch has taken and nobody holds, at most `limit` of them: hold → claim. `by`
    names the officer for whom it is done, if it is for one."""
    row = ClaimRow
    asked = (
        select(row.id)
        .where(which, row.status.in_(_BEFORE_THE_MONEY), ~held())
        .order_by(row.id)
        .limit(limit)
        .with_for_update(of=row)
    )
    claims = (await tx.execute(asked)).scalars().all()
    holds = {uuid4(): claim for claim in claims}
    if holds:
        own = {"code": code, "note": note, "placed_by": by.user_id, "placed_at": by.at}
        await tx.execute(
            insert(ClaimHoldRow), [{"id": hold, "claim_id": claim, **own} for hold, claim in holds.items()]
        )
        noted = [{"claim_id": str(claim), "code": code} for claim in claims]
        await record(tx, "claim_hold", list(holds), "hold", by, noted, reason=f"{code} {note}".strip())
    return holds


async def hold_found(tx: Tx, by: By, findings: Sequence[Finding]) -> None:
    """Hold locked claims, which nobody holds, for what the registers have against them: a reviewer reads it, and
    lifts the hold or refuses the claim."""
    if not findings:
        return
    holds = [uuid4() for _ in findings]
    pairs = list(zip(holds, findings, strict=True))
    await tx.execute(
        insert(ClaimHoldRow),
        [
            {"id": hold, "claim_id": each.claim_id, "code": "register", "note": _said(each), "placed_at": by.at}
            for hold, each in pairs
        ],
    )
    kept = [
        {"hold_id": hold, "claim_id": each.claim_id, "objections": each.stored, "registers": each.stored_registers}
        for hold, each in pairs
    ]
    await tx.execute(insert(RegisterFindingRow), kept)
    noted = [{"claim_id": str(each.claim_id), "code": "register", "note": _said(each)} for each in findings]
    await record(tx, "claim_hold", holds, "hold", by, noted, reason="register")


def _said(finding: Finding) -> str:
    """What was found, as a reviewer reads it."""
    return "".join(words(each.code, each.facts) for each in finding.objections)


async def lift_those(tx: Tx, by: By, hold_ids: Sequence[UUID], note: str) -> None:
    """Let the claims of these holds go on, as far as nobody did before."""
    row, lifted = ClaimHoldRow, {"lifted_by": by.user_id, "lifted_at": by.at, "lift_note": note}
    live = update(row).where(row.id.in_(hold_ids), row.lifted_at.is_(None)).values(**lifted).returning(row.id)
    ended = (await tx.execute(live)).scalars().all()
    await record(tx, "claim_hold", ended, "lift", by, [{"lifted_at": by.at.isoformat()}] * len(ended), reason=note)


def post_of(me: Actor, now: datetime) -> By:
    """The officer, in the post in which they hold and lift."""
    return By.actor(me, next(post for post in HOLDERS if me.holds(post)), now)


async def _live(tx: Tx, claim_id: UUID) -> UUID | None:
    asked = select(ClaimHoldRow.id).where(ClaimHoldRow.claim_id == claim_id, ClaimHoldRow.lifted_at.is_(None))
    return (await tx.execute(asked)).scalar_one_or_none()
