"""代领协议: record that a trainee lets an institution claim for them, and that they take it back."""

import re
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import Range

from domain.actor import Actor, Post
from domain.claim import DEAD
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.identity import NationalId, PersonName, Phone
from domain.period import Period, parse_date
from service.claims.schemas import MandateView, NewMandate
from service.claims.tables import ClaimRow, MandateRevocationRow, MandateRow
from service.database import Tx
from service.journal import By, record
from service.people.commands import NewPerson, ensure_person
from service.people.queries import lock_person

_SHA256 = re.compile(r"[0-9a-f]{64}")


async def record_mandate(tx: Tx, me: Actor, new: NewMandate, today: date) -> MandateView:
    """A signed mandate for `me`'s institution. Invalid when a value is malformed, when a fee is charged, when it was
    signed in the future; Forbidden when the clerk would be their own trainee."""
    me.must_hold(Post.CLERK)
    trainee = NewPerson(
        PersonName.parse(new.trainee.name, field="trainee.name"),
        NationalId.parse(new.trainee.id_number, field="trainee.id_number", today=today),
        Phone.parse(new.trainee.phone, field="trainee.phone") if new.trainee.phone else None,
    )
    days = Period(parse_date(new.valid_from, "valid_from"), parse_date(new.valid_to, "valid_to"))
    signed_on = parse_date(new.signed_on, "signed_on")
    if signed_on > today:
        raise Invalid("mandate.signed_in_future", field="signed_on")
    if not _SHA256.fullmatch(new.document_sha256):
        raise Invalid("sha256.format", field="document_sha256")
    if new.fee_fen != 0:
        raise Invalid("mandate.fee", field="fee_fen")
    person_id = await ensure_person(tx, trainee, "trainee.")
    if person_id == me.person_id:
        raise Forbidden("claim.own_through_institution")
    mandate_id = uuid4()
    assert days.last is not None, "read from a value that is required"
    in_force: Range[date] = Range(days.first, days.last, bounds="[]")
    await tx.execute(
        insert(MandateRow).values(
            id=mandate_id,
            institution_id=me.institution_id,
            person_id=person_id,
            signed_on=signed_on,
            in_force=in_force,
            document_sha256=new.document_sha256,
            fee_fen=new.fee_fen,
            recorded_by=me.user_id,
        )
    )
    return MandateView(mandate_id, trainee.name.masked(), days.first, days.last)


async def revoke_mandate(tx: Tx, me: Actor, mandate_id: UUID, note: str, today: date, now: datetime) -> list[UUID]:
    """Take back a mandate in one's own name, from today on; answers its claims that are not refused, withdrawn,
    lapsed or recovered.

    The person is locked first, as filing does: no claim under the mandate comes in meanwhile. NotFound
    `mandate.not_found`; Conflict `mandate.revoked`.
    """
    person = await tx.execute(select(MandateRow.person_id).where(MandateRow.id == mandate_id))
    if person.scalar_one_or_none() != me.person_id:
        raise NotFound("mandate.not_found")
    await lock_person(tx, me.person_id)
    before = select(MandateRevocationRow.revoked_on).where(MandateRevocationRow.mandate_id == mandate_id)
    revoked_on = (await tx.execute(before)).scalar_one_or_none()
    if revoked_on is not None:
        raise Conflict("mandate.revoked", revoked_on=revoked_on.isoformat())
    told = {"revoked_on": today, "note": note, "revoked_by": me.user_id, "revoked_at": now}
    await tx.execute(insert(MandateRevocationRow).values(mandate_id=mandate_id, **told))
    noted = {"revoked_on": today.isoformat()}
    await record(tx, "mandate", [mandate_id], "revoke", By.actor(me, Post.TRAINEE, now), [noted], reason=note)
    live = select(ClaimRow.id).where(ClaimRow.mandate_id == mandate_id, ClaimRow.status.not_in(DEAD))
    return list((await tx.execute(live.order_by(ClaimRow.id))).scalars())
