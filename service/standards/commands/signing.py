"""A bureau signs what it was shown; with both signatures a set can be published."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select

from domain.actor import Actor
from domain.errors import Conflict, NotFound
from domain.standard import SET_LIFECYCLE, Bureau, SetAction, SetStatus, bureau_of, must_be_three_persons
from service.database import Tx
from service.journal import By, move, record
from service.standards.queries.sets import set_view
from service.standards.schemas import NewSignature, SetView
from service.standards.tables import StandardSetRow, StandardSignatureRow


async def sign(tx: Tx, me: Actor, set_id: UUID, new: NewSignature, now: datetime) -> SetView:
    """One signature for the HR bureau or the finance bureau, over the content that was shown.

    NotFound `standards.not_found`; Conflict `wrong_status`, `standards.other_content`, `standards.bureau_signed`;
    Forbidden `standards.same_person`. The database holds each of them again.
    """
    bureau, post = bureau_of(me)
    row = StandardSetRow
    asked = select(row.status, row.content_hash, row.proposer_id).where(row.id == set_id).with_for_update()
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("standards.not_found")
    SET_LIFECYCLE.after(SetStatus(found.status), SetAction.SIGN)
    if found.content_hash != new.content_hash:
        raise Conflict("standards.other_content")
    signers = await signers_of(tx, set_id)
    must_be_three_persons(found.proposer_id, signers, bureau, me.person_id)
    await tx.execute(
        insert(StandardSignatureRow).values(
            set_id=set_id,
            bureau=str(bureau),
            content_hash=new.content_hash,
            proposer_id=found.proposer_id,
            person_id=me.person_id,
            signed_by=me.user_id,
            signed_at=now,
        )
    )
    by = By.actor(me, post, now)
    said = {"status": found.status, "content_hash": new.content_hash}
    await record(tx, "standard_set", [set_id], f"sign_for_{bureau}", by, [said])
    if {*signers, bureau} == set(Bureau):
        await move(tx, StandardSetRow.__table__, SET_LIFECYCLE, SetAction.SIGN, set_id, by)
    return await set_view(tx, me, set_id)


async def signers_of(tx: Tx, set_id: UUID) -> dict[str, UUID]:
    """Bureau → the person who signed for it."""
    row = StandardSignatureRow
    signed = await tx.execute(select(row.bureau, row.person_id).where(row.set_id == set_id))
    return {each.bureau: each.person_id for each in signed}
